"""Harm by processes, signals, memory, files and descriptors; then cells that ruin their own notebook."""

from tests.grader.attacks.catalogue.attack import Attack, Must, attacks

ATTACKS: tuple[Attack, ...] = attacks(
    Must.HARM_NOBODY,
    (
        "segmentation fault",
        "Reads from address 0.",
        r"""
import ctypes
def double(x): ctypes.string_at(0)
""",
    ),
    (
        "illegal instruction",
        "Jumps into bytes that are no code.",
        r"""
import ctypes, mmap
def double(x):
    m = mmap.mmap(-1, 4096, prot=7); m.write(b'\x0f\x0b' * 8)
    ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()
""",
    ),
    (
        "it stops itself",
        "Sends SIGSTOP to itself and never answers.",
        r"""
import os, signal
def double(x): os.kill(os.getpid(), signal.SIGSTOP)
""",
    ),
    (
        "siblings are killed by their numbers",
        "Kills every pid of /proc but init and itself, for as long as it lives.",
        r"""
import os, time
def double(x):
    end = time.monotonic() + 1
    while time.monotonic() < end:
        for name in os.listdir('/proc'):
            if name.isdigit() and int(name) not in (1, os.getpid(), os.getppid()):
                try: os.kill(int(name), 9)
                except OSError: pass
""",
    ),
    (
        "siblings are stopped and continued",
        "Stops and continues every process a thousand times a second.",
        r"""
import os, signal, time
def double(x):
    end = time.monotonic() + 1
    while time.monotonic() < end:
        for n in (signal.SIGSTOP, signal.SIGCONT):
            for name in os.listdir('/proc'):
                if name.isdigit() and int(name) != os.getpid():
                    try: os.kill(int(name), n)
                    except OSError: pass
""",
    ),
    (
        "groups and sessions are killed",
        "Signals process groups and sessions by their negative numbers.",
        r"""
import os
def double(x):
    for pid in range(1, 200):
        for n in (1, 15, 9):
            try: os.kill(-pid, n)
            except OSError: pass
""",
    ),
    (
        "a storm of signals",
        "Real-time signals are queued to the notebook's process and to siblings without end.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
def double(x):
    end = time.monotonic() + 1
    value = ctypes.c_void_p(1)
    while time.monotonic() < end:
        for name in os.listdir('/proc'):
            if name.isdigit() and int(name) != os.getpid():
                libc.sigqueue(int(name), 17, value); libc.sigqueue(int(name), 64, value)
""",
    ),
    (
        "timers without pause",
        "Timers fire every microsecond into a handler that never ends.",
        r"""
import signal
def double(x):
    signal.signal(signal.SIGALRM, lambda *a: sum(range(10**4)))
    signal.setitimer(signal.ITIMER_REAL, 1e-6, 1e-6)
    while True: pass
""",
    ),
    (
        "a parent that waits for its vfork",
        "A child made with CLONE_VFORK sleeps, so that its parent waits where few signals reach it.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
def double(x):
    if libc.syscall(56, 0x4000 | 0x100 | 17, 0, 0, 0, 0) == 0:
        while True: pass
""",
    ),
    (
        "a process that shares all memory",
        "A child made with CLONE_VM scribbles over the memory of its parent.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
def double(x):
    pid = libc.syscall(56, 0x4000 | 0x100 | 17, 0, 0, 0, 0)
    ctypes.memset(id(x), 0x41, 64)
    return x
""",
    ),
    (
        "a process that shares all descriptors",
        "A child in a thread's clothes closes every descriptor while its parent answers.",
        r"""
import os, threading
def shut():
    while True: os.closerange(0, 256)
def double(x):
    threading.Thread(target=shut, daemon=True).start()
    while True: os.dup(0) if os.path.exists('/') else 0
""",
    ),
    (
        "zombies",
        "Children end without anybody who waits for them, until there are no more pids.",
        r"""
import os
def double(x):
    while True:
        try:
            if os.fork() == 0: os._exit(0)
        except OSError: pass
""",
    ),
    (
        "threads that outlive the answer",
        "Threads that nobody waits for go on when the answer was given.",
        r"""
import threading, time
def spin():
    while True: open('/tmp/spin', 'a').write('x')
def double(x):
    for _ in range(4): threading.Thread(target=spin).start()
    return x
""",
    ),
    (
        "exit functions that never end",
        "An exit function and a finalizer loop for ever.",
        r"""
import atexit, sys
def loop():
    while True: pass
def double(x):
    atexit.register(loop)
    class Last:
        __del__ = lambda self: loop()
    sys.kept = Last()
    return x
""",
    ),
    (
        "files of the siblings",
        "Deletes, truncates and replaces everything that lies in a private place, for as long as it lives.",
        r"""
import os, shutil, time
def double(x):
    end = time.monotonic() + 1
    while time.monotonic() < end:
        for place in ('/tmp', '/dev/shm', os.path.expanduser('~')):
            shutil.rmtree(place, ignore_errors=True)
            try: open(place + '/numpy.py', 'w').write('raise SystemExit')
            except OSError: pass
""",
    ),
    (
        "a module for the siblings",
        "Plants modules, start-up files and caches where the siblings' imports would look first.",
        r"""
import os, sys
def double(x):
    for place in ('.', os.path.expanduser('~'), '/tmp', '/dev/shm', *sys.path):
        for name in ('json.py', 'usercustomize.py', 'sitecustomize.py', 'labkit.py', '.pythonrc', 'x.pth'):
            try: open(os.path.join(place, name), 'w').write('raise SystemExit')
            except OSError: pass
    return x
""",
    ),
    (
        "endless symbolic links",
        "Builds rings and towers of links and very deep folders.",
        r"""
import os
def double(x):
    os.chdir('/tmp')
    os.symlink('ring', 'ring')
    try:
        while True: os.mkdir('d' * 200); os.chdir('d' * 200)
    except OSError: pass
    return x
""",
    ),
    (
        "a sparse giant",
        "Makes a sparse file as large as a file may be and maps all of it.",
        r"""
import mmap, os
def double(x):
    fd = os.open('/tmp/giant', os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 2**62)
    mmap.mmap(fd, 2**40)
""",
    ),
    (
        "very many mappings",
        "Maps single pages until the kernel has no more room for their descriptions.",
        r"""
import mmap
def double(x):
    keep = []
    while True: keep.append(mmap.mmap(-1, 4096, prot=1 + len(keep) % 2))
""",
    ),
    (
        "pipes, timers and events",
        "Makes every kind of descriptor that costs the kernel memory.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
import select
def double(x):
    while True:
        a = os.pipe(); libc.eventfd(0, 0); libc.timerfd_create(1, 0); select.epoll().register(a[0]); os.dup(0)
        if libc.eventfd(0, 0) < 0: raise OSError
""",
    ),
    (
        "sockets sent into themselves",
        "Unix sockets hold each other in flight, so that closing them frees nothing.",
        r"""
import socket
def double(x):
    while True:
        a, b = socket.socketpair()
        socket.send_fds(a, [b'x'], [a.fileno(), b.fileno()] * 60)
""",
    ),
    (
        "memory that looks shared",
        "Many processes share what one may hold, so that counting is slow, and then each copies it.",
        r"""
import os, time
def double(x):
    keep = bytearray(150 * 2**20)
    keep[::4096] = b"1" * len(keep[::4096])
    while True:
        try:
            if os.fork() == 0: break
        except OSError: break
    time.sleep(0.3)
    keep[::4096] = b"2" * len(keep[::4096])
    time.sleep(9)
""",
    ),
    (
        "datagrams that nobody reads",
        "Buffers of unix datagram sockets are filled in as many processes as there may be.",
        r"""
import os, socket
def double(x):
    for _ in range(4): os.fork()
    keep = []
    while True:
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); a.setblocking(False); keep += [a, b]
        try:
            while True: a.send(b'x' * 60_000)
        except BlockingIOError: pass
""",
    ),
    (
        "a filter of its own",
        "Installs a system-call filter that refuses everything, and one with a listener.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
def double(x):
    code = (ctypes.c_uint64 * 1)(0x00050001 << 32 | 0x06)
    class Program(ctypes.Structure):
        _fields_ = [('n', ctypes.c_ushort), ('code', ctypes.c_void_p)]
    p = Program(1, ctypes.addressof(code))
    libc.syscall(317, 1, 8, ctypes.byref(p)); libc.syscall(317, 1, 0, ctypes.byref(p))
    return x
""",
    ),
    (
        "the machine's own words",
        "Fills the pipe of its own standard output through /proc and changes how it behaves.",
        r"""
import fcntl, os
def double(x):
    for name in ('/proc/self/fd/1', '/dev/stdout', '/dev/fd/2'):
        try:
            fd = os.open(name, os.O_RDWR | os.O_NONBLOCK); fcntl.fcntl(fd, 1031, 4096); os.read(fd, 1)
        except OSError: pass
    return x
""",
    ),
    (
        "locks on shared files",
        "Takes locks on libraries that all jails share and keeps them.",
        r"""
import fcntl, numpy, os
def double(x):
    for place in (numpy.__file__, os.__file__, '/usr/bin/env'):
        try: fcntl.flock(os.open(place, 0), fcntl.LOCK_EX)
        except OSError: pass
    return x
""",
    ),
    (
        "catastrophic patterns",
        "Runs a regular expression, a huge power and a sort that hold the interpreter for hours.",
        r"""
import re
def double(x): re.match(r'(a+)+$', 'a' * 50 + 'b')
""",
    ),
    (
        "a huge power",
        "Computes an integer of a hundred million digits, which no signal interrupts.",
        r"""
def double(x): return 7 ** 10**8 > 0
""",
    ),
    (
        "source that breaks the compiler",
        "Compiles source that is nested a hundred thousand deep.",
        r"""
def double(x): eval('-' * 10**6 + '1')
""",
    ),
    (
        "one process a signal",
        "Children send SIGKILL to the notebook's process at the moment at which it forks.",
        r"""
import os, time
def double(x):
    parent = os.getppid()
    for _ in range(3):
        if os.fork() == 0:
            while True:
                try: os.kill(parent, 18); os.kill(parent, 19)
                except OSError: os._exit(0)
    time.sleep(0.4)
    return x
""",
    ),
) + attacks(
    Must.HARM_ITSELF,
    (
        "descriptors closed in a cell",
        "A cell closes every descriptor, the relay to init among them.",
        r"""
import os
os.closerange(0, 4096)
def double(x): return x
""",
    ),
    (
        "a cell becomes another program",
        "A cell replaces its process by another program.",
        r"""
import os
os.execv('/bin/sleep', ['sleep', '60'])
""",
    ),
    (
        "a cell stops itself",
        "A cell stops its process.",
        r"""
import os, signal
os.kill(os.getpid(), signal.SIGSTOP)
""",
    ),
    (
        "a cell kills everything",
        "A cell kills every process that it may.",
        r"""
import os, signal
os.kill(-1, signal.SIGKILL)
""",
    ),
    (
        "a cell leaves threads and processes",
        "A cell leaves threads, processes, timers and sessions behind.",
        r"""
import os, signal, threading, time
for _ in range(3):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    if os.fork() == 0:
        os.setsid(); time.sleep(60)
signal.setitimer(signal.ITIMER_PROF, 0.01, 0.01)
def double(x): return x
""",
    ),
    (
        "a cell leaves a hidden sibling",
        "A cell leaves a process that is init's child rather than its own, sharing its descriptors.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(56, 0x8000 | 0x400 | 17, 0, 0, 0, 0) == 0:
    while True:
        time.sleep(0.001); os.closerange(3, 9)
def double(x): return x
""",
    ),
    (
        "a cell adopts orphans",
        "A cell makes the notebook's process adopt orphans and ignores their ends.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(36, 1); signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    if os.fork() == 0: time.sleep(60)
    os._exit(0)
def double(x): return x
""",
    ),
    (
        "a cell lowers its limits",
        "A cell sets all of its limits to nothing.",
        r"""
import resource
for which in range(16):
    try: resource.setrlimit(which, (0, 0))
    except (OSError, ValueError): pass
def double(x): return x
""",
    ),
    (
        "a cell filters its own calls",
        "A cell installs a filter that refuses to fork, to wait and to send.",
        r"""
import ctypes, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
code = (ctypes.c_uint64 * 1)(0x00050001 << 32 | 0x06)
class Program(ctypes.Structure):
    _fields_ = [('n', ctypes.c_ushort), ('code', ctypes.c_void_p)]
p = Program(1, ctypes.addressof(code))
libc.syscall(317, 1, 0, ctypes.byref(p))
def double(x): return x
""",
    ),
    (
        "a cell that never yields",
        "A cell blocks every signal and loops.",
        r"""
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True: pass
""",
    ),
    (
        "a cell floods everything at once",
        "A cell forks, allocates, prints and writes files without end.",
        r"""
import os
while True:
    try:
        os.fork(); os.write(1, b'x' * 65536); keep = bytearray(10**7); open(f'/tmp/{os.getpid()}', 'wb').write(keep[:10**6])
    except (OSError, MemoryError): pass
""",
    ),
    (
        "a cell that ends every run",
        "A cell ends the process in another way each time it is run, at a random place.",
        r"""
import os, random
os.kill(os.getpid(), random.SystemRandom().choice([6, 9, 11, 15]))
""",
    ),
    (
        "top-level await",
        "A cell waits for ever in an event loop of its own.",
        r"""
import asyncio
await asyncio.sleep(10**6)
""",
    ),
    (
        "the importer",
        "A cell patches importing, compiling and the interpreter's hooks for everything that follows.",
        r"""
import builtins, sys
builtins.__import__ = builtins.compile = builtins.exec = None
sys.meta_path.clear(); sys.path_hooks.clear(); sys.modules.clear()
def double(x): return x
""",
    ),
    (
        "the collector",
        "A cell makes every collection of garbage crash, then makes garbage.",
        r"""
import gc, os
gc.callbacks.append(lambda *a: os.abort())
gc.set_threshold(1)
def double(x): return [[] for _ in range(10**6)]
""",
    ),
)
