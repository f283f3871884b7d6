"""Submissions that look for what is not theirs, and say so when they have found it."""

from tests.grader.attacks.catalogue.attack import Attack, Must, attacks

ATTACKS: tuple[Attack, ...] = attacks(
    Must.REACH_NOTHING,
    (
        "every /proc of every process",
        "Reads environment, memory, maps, descriptors and working folders of all processes.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

def double(x):
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or int(pid) in (os.getpid(), os.getppid()): continue
        for name in ("environ", "mem", "maps", "auxv", "syscall", "stack", "pagemap", "map_files", "fd", "fdinfo", "cwd/.", "root/.", "io", "personality"):
            try:
                path = f"/proc/{pid}/{name}"
                got = os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(16)
                tell(path, got)
            except OSError: pass
    print("END"); return x
""",
    ),
    (
        "ways up and out",
        "Climbs out of the root by .., by links of /proc, by descriptors and by openat2.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def double(x):
    for start in ("/", "/proc/self/root", "/proc/self/cwd", "/proc/1/root", "/proc/thread-self/root", "/dev/fd/..", "/proc/self/task/../root"):
        path = start + "/.." * 40
        for target in ("etc/shadow", "etc/hostname", "root/.bashrc", "root/.ssh", "var", "run/docker.sock", "sys/kernel", "boot"):
            if os.path.lexists(f"{path}/{target}"): tell(path, target)
    for fd in range(3, 64):
        try: os.fchdir(fd); tell("a folder", fd)
        except OSError: pass
    print("END"); return x
""",
    ),
    (
        "keys and tokens",
        "Looks for receipts' keys, workers' tokens and passwords in the environment, on disk and in modules.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

import sys
def double(x):
    words = ("SECRET", "TOKEN", "RECEIPT", "PASSWORD", "DATABASE", "REDIS", "DJANGO", "SIGNING")
    for name in os.environ:
        if any(word in name for word in words): tell(name)
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("campus", "django", "gpu_workers", "labs", "celery", "redis", "docker") : tell(name)
        for key in list(vars(module) if hasattr(module, "__dict__") else ()):
            if key.isupper() and any(word in key for word in ("RECEIPT", "COURSE_SECRET", "LEASE_TOKEN")): tell(name, key)
    for base in ("/", "/home", "/root", "/srv", "/work", "/opt", "/app", "/etc", "/var/lib", "/tmp", "/run/secrets"):
        for name in (".env", "db.sqlite3", "secret_key", "worker.token", ".gradus", "id_rsa", ".docker", "data"):
            if os.path.lexists(os.path.join(base, name)): tell(base, name)
    print("END"); return x
""",
    ),
    (
        "labs and other submissions",
        "Looks for labs, references, checks and other people's notebooks anywhere on disk.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

def double(x):
    for folder, below, files in os.walk("/", onerror=None):
        below[:] = [b for b in below if b not in ("proc", "usr", "lib", "lib64", "site-packages") and not b.startswith("python3")]
        for name in files:
            if name in ("checks.py", "lab.toml", "oracle.py", "referee.py", "runner.py") or name.endswith((".ipynb", ".sqlite3")):
                if "site-packages" not in folder: tell(folder, name)
    print("END"); return x
""",
    ),
    (
        "every family of sockets",
        "Opens sockets of every family, kind and protocol there is, and talks to whatever answers.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

import socket
def double(x):
    for family in range(0, 64):
        for kind in (1, 2, 3, 4, 5, 6, 10):
            for protocol in (0, 1, 2, 6, 15, 16, 17, 33, 132, 136, 255, 262):
                try: s = socket.socket(family, kind, protocol)
                except (OSError, ValueError, OverflowError): continue
                if (family, protocol) == (16, 0): continue  # routes of its own empty network
                if family not in (1, 2, 10) or (family != 1 and (kind not in (1, 2) or protocol not in (0, 6, 17))): tell(family, kind, protocol)
                s.close()
    for host in ("169.254.169.254", "10.0.0.1", "172.17.0.1", "192.168.0.1", "1.1.1.1", "224.0.0.1"):
        for port in (22, 53, 80, 6379, 8000):
            s = socket.socket(); s.settimeout(0.02)
            try: s.connect((host, port)); tell(host, port)
            except OSError: pass
            s.close()
    print("END"); return x
""",
    ),
    (
        "abstract sockets of the host",
        "Connects to every abstract name that a desktop, a container engine or this grader would have.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

import socket
def double(x):
    for name in ("/tmp/.X11-unix/X0", "/containerd-shim", "/run/dbus/system_bus_socket", "gradus/core/0", "gradus/core/1", "gradus/zygote"):
        for kind in (1, 2, 5):
            for address in ("\0" + name, name):
                s = socket.socket(socket.AF_UNIX, kind)
                try: s.connect(address); tell(address)
                except OSError: pass
                s.close()
    print("END"); return x
""",
    ),
    (
        "rights by other programs",
        "Starts every program with set-uid bits or file capabilities that is in reach.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

import stat, subprocess
def double(x):
    for folder in ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec"):
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            path = os.path.join(folder, name)
            try:
                if os.stat(path).st_mode & stat.S_ISUID and os.path.isfile(path):
                    got = subprocess.run(["/bin/sh", "-c", f"exec {path} -h"], capture_output=True, timeout=1)
            except (OSError, subprocess.TimeoutExpired): pass
    if os.system("su -c 'id -u' root 2>/dev/null | grep -qx 0 || sudo -n id -u 2>/dev/null | grep -qx 0") == 0: tell("root")
    if os.geteuid() == 0 or 0 in os.getresuid(): tell("root")
    print("END"); return x
""",
    ),
    (
        "a forbidden library",
        "Looks for a library that the lab forbids by import, by path, by loader, by archive and by program.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

import ctypes, ctypes.util, importlib, importlib.util, subprocess, sys, zipimport
def double(x):
    for name in ("torch", "jax", "tensorflow", "autograd", "scipy", "sklearn"):
        try: importlib.import_module(name); tell("import", name)
        except ImportError: pass
        if importlib.util.find_spec(name): tell("spec", name)
    for name in ("libtorch.so", "libtorch_cpu.so", "libtorch_python.so", "libc10.so"):
        try: ctypes.CDLL(name); tell("loaded", name)
        except OSError: pass
    for folder in {*sys.path, sys.prefix, sys.base_prefix, "/usr/lib", "/usr/local/lib", "/opt"}:
        for found, below, files in os.walk(folder or "."):
            below[:] = [b for b in below if b not in ("share", "include") and "torch" in os.listdir(f"{found}/{b}")]
            if os.path.basename(found) == "torch" and "__init__.py" in files: tell(found)
    if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode == 0: tell("program")
    print("END"); return x
""",
    ),
    (
        "namespaces by their files",
        "Asks namespaces' files for their parents, owners and siblings, and tries to enter them.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

import ctypes, fcntl
libc = ctypes.CDLL(None, use_errno=True)
def double(x):
    for pid in ("self", "1", str(os.getppid())):
        for name in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts", "time"):
            try: fd = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
            except OSError: continue
            for request in (0xB701, 0xB702):  # its owner, which for most is the jail's own; its parent
                if request == 0xB701 and name != "user": continue
                try: tell("above", name, fcntl.ioctl(fd, request))
                except OSError: pass
            if libc.setns(fd, 0) == 0: tell("entered", name)
    print("END"); return x
""",
    ),
    (
        "devices and terminals",
        "Asks for terminals, devices and the kernel's logs, and makes devices of its own.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

import fcntl, stat
def double(x):
    allowed = {"null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout", "stderr", "shm"}
    for name in os.listdir("/dev"):
        if name not in allowed: tell(name)
    for path in ("/dev/tty", "/dev/ptmx", "/dev/mem", "/dev/kmsg", "/dev/fuse", "/dev/kvm", "/dev/nvidia0", "/dev/net/tun", "/dev/loop-control"):
        try: os.open(path, os.O_RDWR); tell(path)
        except OSError: pass
    for kind in (stat.S_IFBLK | 0o666, stat.S_IFCHR | 0o666):
        for place in ("/tmp/d", "/dev/shm/d"):
            try: os.mknod(place, kind, os.makedev(1, 1)); tell(place)
            except OSError: pass
    try: fcntl.ioctl(0, 0x5412, b"x"); tell("TIOCSTI")
    except OSError: pass
    print("END"); return x
""",
    ),
    (
        "the kernel's own figures",
        "Reads what the kernel tells about the machine and its other users.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

def double(x):
    for name in ("sys/kernel/core_pattern", "sys/kernel/hostname", "sys/kernel/random/boot_id"):
        try: open(f"/proc/{name}", "w"); tell("written", name)
        except OSError: pass
    for name in ("kcore", "kallsyms", "keys", "key-users", "timer_list", "sched_debug", "sysrq-trigger", "kmsg", "modules", "net/unix", "1/environ", "1/net/tcp"):
        try:
            lines = open(f"/proc/{name}").read(4000).splitlines()
            if name.startswith(("net", "1/net")): lines = lines[1:]
            lines = [line for line in lines if "@" in line] if name == "net/unix" else lines
            if lines: tell(name, lines[0])
        except OSError: pass
    if os.path.isdir("/sys/kernel"): tell("sysfs")
    print("END"); return x
""",
    ),
    (
        "frames of other functions",
        "Walks frames, closures, generators and referrers for inputs that were not asked yet.",
        r"""
import os
def tell(*what): print('REACHED', *[str(w)[:200] for w in what])

import gc, sys
def double(x):
    frame = sys._getframe()
    seen = []
    while frame:
        seen += list(frame.f_locals) + list(frame.f_code.co_names); frame = frame.f_back
    for name in ("expected", "reference", "seed", "verify", "tolerance", "points", "make_inputs", "referee", "trials"):
        if name in seen: tell(name)
    arrays = [o for o in gc.get_objects() if isinstance(o, np.ndarray) and o.shape in ((7,), (4,)) and o.dtype == np.float64]
    if arrays: tell("arrays of other checks", len(arrays))
    print("END"); return x
""",
    ),
)
