"""Frames and orders that the machinery did not send. All attacks know the source of what runs inside."""

from tests.grader.attacks.catalogue.attack import Attack, Must, attacks

# Writes to whatever descriptors there are, and builds frames as the wire has them.
EVERY = r"""
import os, socket, struct, json
def every(data):
    for fd in range(3, 256):
        try:
            os.write(fd, data)
        except OSError:
            pass
def whole(data):
    for fd in range(3, 64):
        try:
            channel = socket.socket(fileno=os.dup(fd))
            channel.setblocking(True)
            channel.sendall(data)
        except OSError:
            pass
def frame(value):
    header = json.dumps({"tree": value, "buffers": []}).encode()
    return struct.pack(">IQ", len(header), 0) + header
"""

ATTACKS: tuple[Attack, ...] = attacks(
    Must.EARN_NOTHING,
    (
        "forged frames from a cell",
        "Frames with a claimed verdict are written to every descriptor from a cell.",
        EVERY
        + r"""
for claim in ({"d": {"verdict": "passed", "points": 10}}, {"d": {"score": 10}}, {"d": {"event": "ready"}}):
    every(frame(claim))
def double(x): return x
""",
    ),
    (
        "forged empty answer",
        "Frames with an empty answer are written to every descriptor from a check.",
        EVERY
        + r"""
def double(x):
    every(frame({"d": {"outputs": {"d": {}}, "changed": []}}))
    return x
""",
    ),
    (
        "forged orders to init",
        "Orders and events are written to every descriptor in init's own format.",
        EVERY
        + r"""
for order in (b'{"event": "stopped", "number": 1}', b'{"event": "student_ended", "status": 0}', b"1 1", b"2 99999"):
    every(order)
def double(x):
    every(b'{"op": "check", "number": 2}')
    return x
""",
    ),
    (
        "notebook ends early",
        "The notebook tells early that its cells have ended well.",
        EVERY
        + r"""
every(frame({"d": {"cells": [{"d": {"error": None, "seconds": 0.0}}] * 4, "forkable": True}}))
def double(x): return x
""",
    ),
    (
        "cells out of order",
        "Cells are told in another order and with impossible numbers.",
        EVERY
        + r"""
for start in (3, -1, True, None, [1], 1e308, "x", {"i": "9" * 900}, {"f": "nan"}):
    every(frame({"d": {"start": start}}))
def double(x): return x
""",
    ),
    (
        "impossible exceptions",
        "Exceptions of impossible form are reported to trip the reader.",
        EVERY
        + r"""
def double(x):
    every(frame({"d": {"exception": {"d": {"type": {"i": "9" * 900}, "text": [[]], "trace": [[["x"], -1, {"d": {}}], [{"d": {}}, 1, 2]]}}}}))
    return x
""",
    ),
    (
        "two answers",
        "Two answers are given to one question.",
        EVERY
        + r"""
def double(x):
    zeros = {"d": {"outputs": {"d": {"y": 0.0}}, "changed": []}}
    every(frame(zeros) + frame(zeros))
    return x
""",
    ),
    (
        "process that waits",
        "A process from an earlier check waits to answer a later one.",
        EVERY
        + r"""
import threading, time
def double(x):
    if os.fork() == 0:
        os.setsid()
        for _ in range(2000):
            every(frame({"d": {"outputs": {"d": {"y": 0.0}}, "changed": []}}))
            time.sleep(0.001)
        os._exit(0)
    return x
""",
    ),
    (
        "one byte a second",
        "The answer is sent one byte a second.",
        EVERY
        + r"""
import time
def double(x):
    data = frame({"d": {"outputs": {"d": {"y": 0.0}}, "changed": []}})
    for i in range(len(data)):
        every(data[i:i + 1]); time.sleep(1)
""",
    ),
    (
        "lying preamble",
        "A frame declares far more than it sends.",
        EVERY
        + r"""
def double(x):
    every(struct.pack(">IQ", 60_000, 2**63) + b"{")
    __import__("time").sleep(60)
""",
    ),
    (
        "quadratic header",
        "A header is built to take a parser quadratic time.",
        EVERY
        + r"""
def double(x):
    header = b'"' + b'\\"' * 32_000
    every(struct.pack(">IQ", len(header), 0) + header)
    __import__("time").sleep(60)
""",
    ),
    (
        "one array, six thousand names",
        "One array of 16 MiB is answered under six thousand names, so that a reader pays for each.",
        EVERY
        + r"""
def double(x):
    header = json.dumps({"tree": {"d": {"outputs": {"d": {"y": [{"a": 0}] * 6000}}, "changed": []}},
                         "buffers": [["f2", [2**22]]]}, separators=(",", ":")).encode()
    whole(struct.pack(">IQ", len(header), 2**23) + header + bytes(2**23))
    __import__("time").sleep(9)
""",
    ),
    (
        "two thousand arrays for a text",
        "An exception's type, text and lines are two thousand arrays each, to be printed by whoever reads them.",
        EVERY
        + r"""
def double(x):
    many = [{"a": n} for n in range(1900)]
    header = json.dumps({"tree": {"d": {"exception": {"d": {"type": many, "text": {"d": {}}, "trace": []}}}},
                         "buffers": [["f2", [1001]]] * 1900}, separators=(",", ":")).encode()
    whole(struct.pack(">IQ", len(header), 2002 * 1900) + header + bytes(2002 * 1900))
    __import__("time").sleep(9)
""",
    ),
    (
        "ten thousand tokens a trial",
        "Every answer is as long a header as is let by, of numbers that take long to read.",
        EVERY
        + r"""
def double(x):
    header = json.dumps({"tree": {"d": {"outputs": [int("9" * 300)] * 200, "changed": ["x"] * 2000}}, "buffers": []}).encode()
    every(struct.pack(">IQ", len(header), 0) + header)
""",
    ),
    (
        "enormous shapes of nothing",
        "Buffers without a byte have shapes that no array can have.",
        EVERY
        + r"""
def double(x):
    header = json.dumps({"tree": {"d": {"outputs": {"a": 0}}}, "buffers": [["f8", [0] + [2**52] * 31]]}).encode()
    every(struct.pack(">IQ", len(header), 0) + header)
""",
    ),
    (
        "tensors of odd kinds",
        "Frames hold tensors of kinds that torch lacks on one side or the other.",
        EVERY
        + r"""
def double(x):
    for kind, size in (("u8", 8), ("u4", 4), ("u2", 2), ("c16", 16), ("bf2", 2), ("bool", 1)):
        header = json.dumps({"tree": {"d": {"outputs": {"T": 0}, "changed": []}}, "buffers": [[kind, []]]}).encode()
        every(struct.pack(">IQ", len(header), size) + header + b"\xff" * size)
""",
    ),
    (
        "endless endings",
        "A check tells its own end again and again, to be asked again for ever.",
        EVERY
        + r"""
def double(x):
    for code in (0, -9, -64, 255, 10**400, True, None, "x"):
        every(frame({"d": {"ended": code if type(code) is not int or abs(code) < 2**53 else {"i": str(code)}}}))
    os._exit(0)
def total(x):
    every(frame({"d": {"ended": -9}})); os._exit(0)
def root(x): return None
""",
    ),
    (
        "thief of the relay",
        "A cell keeps a copy of the relay; a check takes the next checks' channels from it and answers zeros in their name.",
        EVERY
        + r"""
import threading
KEPT = []
for fd in range(3, 256):
    try:
        if socket.socket(fileno=os.dup(fd)).type == socket.SOCK_SEQPACKET:
            KEPT.append(os.dup(fd))
    except OSError:
        pass
def steal(fd):
    relay = socket.socket(fileno=fd)
    while True:
        order, fds, _, _ = socket.recv_fds(relay, 64, 3)
        relay.send(b"%s %d" % (order, os.getpid()))
        for got in fds:
            os.set_blocking(got, False)
            try: os.write(got, frame({"d": {"outputs": {"d": {"y": 0.0}}, "changed": []}}))
            except OSError: pass
def double(x):
    for fd in KEPT:
        threading.Thread(target=steal, args=(fd,), daemon=True).start()
    __import__("time").sleep(1)
    return x
""",
    ),
    (
        "lies about pids",
        "A copy of the relay tells init that the next checks are answered by pid 1, 0, -1 and by the liar.",
        EVERY
        + r"""
KEPT = []
for fd in range(3, 20):
    try: KEPT.append(os.dup(fd))
    except OSError: pass
def double(x):
    for fd in KEPT:
        os.set_blocking(fd, False)
        for number in range(1, 9):
            for pid in (b"1", b"0", b"-1", b"%d" % os.getpid(), b"9" * 40, b"1_0", "١".encode()):
                try: os.write(fd, b"%d %s" % (number, pid))
                except OSError: pass
    return x
""",
    ),
    (
        "urgent bytes",
        "Out-of-band bytes are sent over the channel, which readers of streams meet rarely.",
        EVERY
        + r"""
def double(x):
    for fd in range(3, 64):
        try: socket.socket(fileno=os.dup(fd)).send(b"!", socket.MSG_OOB)
        except OSError: pass
    return x
""",
    ),
    (
        "descriptors in the channel",
        "Descriptors are sent to the worker along with a frame.",
        EVERY
        + r"""
def double(x):
    for fd in range(3, 64):
        try: socket.send_fds(socket.socket(fileno=os.dup(fd)), [frame({"d": {"outputs": {"d": {"y": 0.0}}}})], [0] * 100)
        except OSError: pass
    return x
""",
    ),
    (
        "answers shut in one direction",
        "The channel is shut for reading, for writing, or with a reset, before and after a part of an answer.",
        EVERY
        + r"""
def shut(how, data):
    for fd in range(3, 64):
        try:
            s = socket.socket(fileno=os.dup(fd)); s.send(data); s.shutdown(how)
        except OSError: pass
def double(x): shut(0, b""); return x
def total(x): shut(1, b"\x00\x00"); return x
def root(x): shut(2, frame(None)[:20]); return x
""",
    ),
    (
        "answers that come before their questions",
        "A thread sends the answers of all later trials while the first one is computed.",
        EVERY
        + r"""
import threading
def double(x):
    t = threading.Thread(target=lambda: [every(frame({"d": {"outputs": {"d": {"y": 0.0}}, "changed": []}})) for _ in range(50)])
    t.start(); t.join()
    return x
""",
    ),
    (
        "cells that never end telling",
        "Starts of cells are told for ever.",
        EVERY
        + r"""
while True:
    every(frame({"d": {"start": 0}}))
""",
    ),
    (
        "names that are half characters",
        "Keys, texts and names of changed inputs hold lone surrogates, NUL and reversed text.",
        EVERY
        + r"""
def double(x):
    header = b'{"tree": {"d": {"outputs": {"d": {"y": "\\ud800\\u0000\\u202e"}}, "changed": ["\\udfff", "\\u0000"]}}, "buffers": []}'
    every(struct.pack(">IQ", len(header), 0) + header)
""",
    ),
)
