"""Facts from within a jail that was really built on this host, and what each of them should be."""

import json
from collections.abc import Callable
from typing import Any

from grader.doctor.host import ok, problem, warning
from grader.doctor.report import Finding
from grader.protocol import Limits
from grader.sandbox.base import Sandbox

GROUP = "Inside a jail"
REPORT = "report this: the wall has a hole on this host; grade nothing here until it is mended"

# Runs as a student's cell. Every line of it may fail without taking the others along.
LOOK = """
import ctypes, json, os, socket
libc = ctypes.CDLL(None, use_errno=True)
facts = {}
def fact(name, look):
    try:
        facts[name] = look()
    except Exception as error:
        facts[name] = f"error: {type(error).__name__}: {error}"
def status():
    lines = open("/proc/self/status", errors="replace").read().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
def opens(path, mode="rb"):
    try:
        open(path, mode).close()
        return True
    except OSError:
        return False
def reaches(family, kind=socket.SOCK_STREAM):
    try:
        socket.socket(family, kind).close()
        return True
    except OSError:
        return False
def connects():
    try:
        socket.create_connection(("192.0.2.1", 9), 1).close()  # an address for documentation
        return True
    except OSError as error:
        return error.errno == 11 or isinstance(error, TimeoutError)  # a way out, if nobody there
def writable():
    found = []
    for line in open("/proc/self/mountinfo"):
        fields = line.split()
        if "rw" in fields[5].split(","):
            found.append(fields[4])
    return found
fact("uids", lambda: list(os.getresuid()))
fact("capabilities", lambda: [int(status()[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")])
fact("no_new_privs", lambda: int(status()["NoNewPrivs"]))
fact("seccomp", lambda: int(status()["Seccomp"]))
fact("dumpable", lambda: libc.prctl(3, 0, 0, 0, 0))
fact("interfaces", lambda: [line.split(":")[0].strip() for line in open("/proc/self/net/dev") if ":" in line])
fact("connected", connects)
fact("families", lambda: [f for f in range(1, 46) if reaches(f) or reaches(f, socket.SOCK_DGRAM) or reaches(f, socket.SOCK_RAW)])
fact("writable", writable)
fact("pids", lambda: sorted(int(name) for name in os.listdir("/proc") if name.isdigit()))
fact("reached", lambda: [path for path in ("/proc/1/environ", "/proc/1/mem", "/proc/sys/kernel/core_pattern",
    "/etc/passwd", "/etc/shadow", "/var", "/sys/kernel", "/run", "/boot") if opens(path) or os.path.isdir(path)])
fact("core_pattern", lambda: opens("/proc/sys/kernel/core_pattern", "r+b"))
print(json.dumps(facts))
"""


def look(sandbox: Sandbox, zygote: str) -> dict[str, Any]:
    """What a student's cell sees; empty when it could not tell."""
    jail = sandbox.open_jail(zygote, Limits())
    try:
        exchange = jail.start_notebook()
        exchange.say({"cells": [["doctor", LOOK]], "answer_here": False})
        while "cells" not in exchange.hear():
            pass
        exchange.drain()
        facts: dict[str, Any] = json.loads(exchange.output.text() or "{}")
        exchange.close()
        return facts
    finally:
        jail.close()


PRIVATE = ("/tmp", "/dev/shm", "/home/student", "/proc")  # noqa: S108

# name, the fact, whether it is as it should be, how that is said
EXPECTED: tuple[tuple[str, str, Callable[[Any], bool], str], ...] = (
    ("user", "uids", lambda uids: uids == [1000] * 3, "an id without any right"),
    ("capabilities", "capabilities", lambda sets: not any(sets), "none, and none to be gained"),
    (
        "new privileges",
        "no_new_privs",
        lambda bit: bit == 1,
        "cannot be gained by running a program",
    ),
    ("system calls", "seccomp", lambda mode: mode == 2, "filtered"),
    ("memory of others", "dumpable", lambda bit: bit == 0, "closed to checks"),
    (
        "network",
        "interfaces",
        lambda names: set(names) <= {"lo"},
        "its own loopback and nothing else",
    ),
    ("way out", "connected", lambda way: way is False, "none: no address outside can be reached"),
    (
        "sockets",
        "families",
        lambda found: set(found) <= {1, 2, 10, 16},  # 16: routes alone, which gloo lists
        "four families; no AF_VSOCK",
    ),
    (
        "files",
        "writable",
        lambda places: all(p in PRIVATE or p.startswith("/dev/") for p in places),
        "read-only but for private, small places",
    ),
    (
        "processes",
        "pids",
        lambda pids: pids[:1] == [1] and len(pids) <= 4,
        "its own and nothing else",
    ),
    (
        "host",
        "reached",
        lambda paths: not paths,
        "no file of the host's, no environment of the worker's",
    ),
    ("core pattern", "core_pattern", lambda opened: opened is False, "cannot be written"),
)


def judge(facts: dict[str, Any], wall: str) -> list[Finding]:
    """Each fact against what it should be: a fact that is missing is a problem, too."""
    findings = []
    for name, fact, right, words in EXPECTED:
        seen = facts.get(fact, "error: not told")
        try:
            good = not (isinstance(seen, str) and seen.startswith("error")) and right(seen)
        except TypeError:
            good = False
        if good:
            findings.append(ok(GROUP, name, words))
        else:
            findings.append(problem(GROUP, name, f"not as it should be: {str(seen)[:200]}", REPORT))
    if wall == "none":
        return [warning(GROUP, "no wall", "nothing confines what students wrote", "see Walls")]
    return findings
