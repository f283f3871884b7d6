"""A check that tries to take the checks beside it, its notebook or the host along."""

from tests.grader.attacks.catalogue.attack import Attack, Must, attacks

ATTACKS: tuple[Attack, ...] = attacks(
    Must.HARM_NOBODY,
    (
        "fork bomb",
        "Forks without end.",
        r"""
import os
def double(x):
    while True:
        try: os.fork()
        except OSError: pass
""",
    ),
    (
        "fork bomb of orphans",
        "Forks orphans in sessions of their own without end.",
        r"""
import os, time
def double(x):
    while True:
        try:
            if os.fork() == 0:
                os.setsid()
                if os.fork(): os._exit(0)
        except OSError: pass
""",
    ),
    (
        "thread bomb",
        "Starts threads without end.",
        r"""
import threading, time
def double(x):
    while True:
        try: threading.Thread(target=time.sleep, args=(9,)).start()
        except RuntimeError: pass
""",
    ),
    (
        "everything that may be killed is killed",
        "Sends SIGKILL to every process of the jail.",
        r"""
import os, signal
def double(x):
    os.kill(-1, signal.SIGKILL)
""",
    ),
    (
        "everything that may be stopped is stopped",
        "Sends SIGSTOP to every process of the jail.",
        r"""
import os, signal
def double(x):
    os.kill(-1, signal.SIGSTOP)
    return x
""",
    ),
    (
        "init is sent every signal",
        "Sends all 64 signals to pid 1.",
        r"""
import os
def double(x):
    for n in range(1, 65):
        try: os.kill(1, n)
        except OSError: pass
    return x
""",
    ),
    (
        "the notebook's process is killed",
        "Kills the process that checks are forked from.",
        r"""
import os, signal
def double(x):
    os.kill(os.getppid(), signal.SIGKILL)
    return x
""",
    ),
    (
        "the notebook's process is stopped",
        "Stops the process that checks are forked from.",
        r"""
import os, signal
def double(x):
    os.kill(os.getppid(), signal.SIGSTOP)
    return x
""",
    ),
    (
        "init's limits are lowered",
        "Lowers limits of pid 1 and of the notebook's process with prlimit.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
def double(x):
    for which in range(16):
        libc.prlimit(1, which, ctypes.create_string_buffer(16), None)
        libc.prlimit(os.getppid(), which, ctypes.create_string_buffer(16), None)
    return x
""",
    ),
    (
        "processes have names that are no text",
        "Names processes so that a reader of /proc stumbles.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
def double(x):
    for i in range(5):
        if os.fork() == 0:
            libc.prctl(15, b'\xff) Z 1 \n\xfe'); time.sleep(99)
    libc.prctl(15, b'\xff\xfe'); time.sleep(0.3); return x
""",
    ),
    (
        "a process lives on in a thread when its first one has ended",
        "Ends a process's first thread, so that it looks dead, and goes on in another.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
import threading
def live():
    while True: time.sleep(0.01)
def double(x):
    if os.fork() == 0:
        threading.Thread(target=live).start()
        libc.syscall(60, 0)
    time.sleep(0.2)
    return x
""",
    ),
    (
        "memory is held by threads whose process looks dead",
        "Fills memory from threads of processes whose first thread has ended.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
import threading
def fill():
    keep = []
    while True: keep.append(bytearray(b'x' * 10**7)); time.sleep(0.005)
def double(x):
    for _ in range(6):
        if os.fork() == 0:
            threading.Thread(target=fill).start()
            libc.syscall(60, 0)
    time.sleep(60)
""",
    ),
    (
        "shared memory in /dev/shm",
        "Fills a shared mapping of /dev/shm and grows the file past every limit.",
        r"""
import mmap, os
def double(x):
    fd = os.open('/dev/shm/x', os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 2**26 - 4096)
    m = mmap.mmap(fd, 2**26 - 4096)
    for i in range(0, len(m), 4096): m[i] = 1
    os.ftruncate(fd, 2**40)
""",
    ),
    (
        "every private place is filled",
        "Fills /tmp, /dev/shm and the home folder with files until neither bytes nor inodes are left.",
        r"""
import os
def double(x):
    for place in ('/tmp', '/dev/shm', os.path.expanduser('~')):
        for n in range(20_000):
            try:
                with open(f'{place}/{n}', 'wb') as file: file.write(b'x' * 10**7)
            except OSError: break
    raise MemoryError
""",
    ),
    (
        "anonymous shared memory",
        "Fills anonymous shared mappings, which no process's private memory shows.",
        r"""
import mmap
def double(x):
    keep = []
    while True:
        m = mmap.mmap(-1, 2**24); m.write(b'x' * 2**24); keep.append(m)
""",
    ),
    (
        "stacks of deep recursion",
        "Recurses without a limit until the stack ends.",
        r"""
import sys
def double(x):
    sys.setrecursionlimit(10**9)
    f = lambda n: f(n + 1)
    f(0)
""",
    ),
    (
        "descriptors are leaked",
        "Opens descriptors without end.",
        r"""
import os
def double(x):
    while True: os.open('/dev/null', 0)
""",
    ),
    (
        "pipes are filled",
        "Fills pipes of the largest size.",
        r"""
import os, fcntl
def double(x):
    while True:
        r, w = os.pipe()
        fcntl.fcntl(w, 1031, 2**20); os.set_blocking(w, False); os.write(w, b'x' * 2**20)
""",
    ),
    (
        "sockets on loopback are filled",
        "Fills the buffers of connections to itself.",
        r"""
import socket
def double(x):
    s = socket.create_server(('127.0.0.1', 0)); keep = []
    while True:
        c = socket.create_connection(s.getsockname()); a, _ = s.accept()
        c.setblocking(False)
        try:
            while True: c.send(b'x' * 2**16)
        except BlockingIOError: pass
        keep += [c, a]
""",
    ),
    (
        "output floods both streams",
        "Writes to both output streams without end.",
        r"""
import os
def double(x):
    while True: os.write(1, b'x' * 65536); os.write(2, b'y' * 65536)
""",
    ),
    (
        "an alarm goes off in the notebook's process",
        "Winds up a timer in a cell that ends the process between checks.",
        r"""
import signal, os
signal.signal(signal.SIGALRM, lambda *a: os._exit(1))
signal.setitimer(signal.ITIMER_REAL, 0.3, 0.3)
def double(x):
    __import__('time').sleep(1)
""",
    ),
    (
        "the notebook's own forking is broken by patches",
        "Replaces by None every function that the notebook's process needs to go on.",
        r"""
import os, select, socket, time
for module, names in ((os, ('fork', '_exit', 'dup2', 'waitpid', 'listdir', 'open', 'close')), (time, ('monotonic', 'sleep'))):
    for name in names: setattr(module, name, None)
select.poll = socket.socket.send = None
""",
    ),
    (
        "a subreaper hides orphans",
        "Makes a check adopt orphans, so that they are not init's children.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
def double(x):
    libc.prctl(36, 1)
    if os.fork() == 0:
        os.fork(); time.sleep(99)
    return x
""",
    ),
    (
        "a sibling is made with CLONE_PARENT",
        "Makes processes that are siblings of the check rather than its children.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
def double(x):
    for _ in range(3):
        if libc.syscall(56, 0x8000 | 17, 0, 0, 0, 0) == 0:
            while True: time.sleep(1)
    return x
""",
    ),
    (
        "the relay to init is flooded",
        "Writes thousands of lies about pids to the relay.",
        r"""
import os, socket, stat
def double(x):
    return x
for fd in range(3, 256):
    try:
        os.set_blocking(fd, False)
        for n in range(3000): os.write(fd, b'%d %d' % (n, os.getpid()))
    except OSError: pass
""",
    ),
)
