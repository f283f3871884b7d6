"""A submission reports what it sees from inside its jail; nothing of the host, and nothing to climb on."""

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from grader.protocol import Limits
from grader.sandbox.base import Sandbox
from grader.sandbox.memory import descendants
from tests.grader.grading_desk import Desk

ROOT = Path(__file__).resolve().parents[3]
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
PUBLIC_NAMES = {
    "GLOO_SOCKET_IFNAME", "GRADUS", "HOME", "IPYTHONDIR", "LANG", "LC_CTYPE", "MKL_NUM_THREADS", "MPLBACKEND", "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "PATH", "PYTHONHASHSEED", "TMPDIR", "USER",
    "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK",  # set by libraries that the zygote imports
}  # fmt: skip

SYSCALL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(name, number, *arguments):
    result = libc.syscall(number, *arguments)
    print(name, "allowed" if result >= 0 else ctypes.get_errno())
"""
# Numbers are those of x86-64. The arguments would be accepted from a process that is allowed to.
REFUSED_CALLS = {
    "ptrace": "101, 16, os.getppid(), 0, 0",
    "process_vm_readv": "310, os.getppid(), ctypes.byref(vector), 1, ctypes.byref(vector), 1, 0",
    "process_vm_writev": "311, os.getppid(), ctypes.byref(vector), 1, ctypes.byref(vector), 1, 0",
    "pidfd_getfd": "438, os.pidfd_open(os.getppid()), 0, 0",
    "kcmp": "312, os.getpid(), os.getppid(), 0, 0, 0",
    "keyctl": "250, 0, -4, 1",
    "add_key": "248, b'user', b'x', b'y', 1, -4",
    "request_key": "249, b'user', b'x', None, -4",
    "bpf": "321, 0, buffer, 64",
    "io_uring_setup": "425, 4, buffer",
    "userfaultfd": "323, 1",
    "perf_event_open": "298, buffer, 0, -1, -1, 0",
    "memfd_create": "319, b'x', 0",
    "memfd_secret": "447, 0",
    "shmget": "29, 0, 4096, 0o1600",
    "msgget": "68, 0, 0o1600",
    "semget": "64, 0, 1, 0o1600",
    "mq_open": "240, b'q', 0o102, 0o600, None",
    "unshare user": "272, 0x10000000",
    "unshare net": "272, 0x40000000",
    "clone user": "56, 0x10000011, 0, 0, 0, 0",
    "clone pid": "56, 0x20000011, 0, 0, 0, 0",
    "setns": "308, os.open('/proc/self/ns/net', os.O_RDONLY) if os.path.exists('/proc/self/ns/net') else 0, 0",
    "mount": "165, b'none', b'/tmp', b'tmpfs', 0, None",
    "umount2": "166, b'/tmp', 2",
    "pivot_root": "155, b'/tmp', b'/tmp'",
    "chroot": "161, b'/tmp'",
    "fsopen": "430, b'tmpfs', 0",
    "open_tree": "428, -100, b'/', 1",
    "mount_setattr": "442, -100, b'/tmp', 0, buffer, 32",
    "open_by_handle_at": "304, 0, buffer, 0",
    "name_to_handle_at": "303, -100, b'/', buffer, buffer, 0",
    "init_module": "175, buffer, 0, b''",
    "kexec_load": "246, 0, 0, 0, 0",
    "reboot": "169, 0xfee1dead, 672274793, 0, 0",
    "swapon": "167, b'/tmp', 0",
    "quotactl": "179, 0, 0, 0, 0",
    "syslog": "103, 3, buffer, 64",
    "acct": "163, 0",
    "settimeofday": "164, buffer, 0",
    "sethostname": "170, b'x', 1",
    "personality": "135, 0x40000",
    "inotify_init1": "294, 0",
    "fanotify_init": "300, 0, 0",
    "vmsplice": "278, 1, 0, 0, 0",
    "setpriority": "141, 0, 1, 19",
    "sched_setaffinity": "203, 0, 128, b'\\xff' * 128",
    "sched_setscheduler": "144, 1, 5, buffer",
    "prlimit of init": "302, 1, 0, buffer, 0",
    "prctl dumpable": "157, 4, 1, 0, 0, 0",
    "capset": "126, ctypes.byref(header), (ctypes.c_uint32 * 6)(1, 1, 1, 0, 0, 0)",
    "setuid": "105, 0",
    "setgid": "106, 0",
    "setgroups": "116, 1, buffer",
    "mknod": "133, b'/tmp/device', 0o20666, 0x103",
    "io_setup": "206, 1, buffer",
    "sync": "162",
    "syncfs": "306, 0",
    "posix_fadvise DONTNEED": "221, os.open('/usr/bin/env', os.O_RDONLY), 0, 0, 4",
    "prctl sched_core": "157, 62, 1, 0, 0, 0",
    "sendto MSG_OOB": "44, pair[0].fileno(), b'x', 1, 1, 0, 0",
    "clone3": "435, buffer, 88",
    "a call of the future": "461, 0",
    "the numbers of x32": "0x40000000 + 39",
}  # fmt: skip


def test_the_student_has_no_capability_no_new_privileges_and_a_filter(desk: Desk) -> None:
    status = desk.seen("print(open('/proc/self/status').read())")
    for line in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "CapInh"):
        assert re.search(rf"^{line}:\t0+$", status, re.MULTILINE), line
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    assert "Uid:\t1000\t1000\t1000\t1000" in status


def test_the_root_holds_nothing_of_the_host_but_libraries_and_python(desk: Desk) -> None:
    listed = set(desk.seen("import os; print(*os.listdir('/'))").split())
    prefix = {ROOT.parts[1]}  # the way to the zygote's environment, in which nothing else lies
    pyenv = {Path(os.path.realpath(ROOT / ".zygotes/numpy/bin/python")).parts[1]}
    assert listed <= {"bin", "dev", "etc", "home", "lib", "lib32", "lib64", "opt", "proc", "sbin", "tmp", "usr"} | prefix | pyenv  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "README.md",
        ROOT / "labs" / "autodiff" / "lab.py",
        ROOT / "labs" / "autodiff" / "checks.py",
        ROOT / "grader" / "referee.py",
        ROOT / "var",
        ROOT / "tests",
        "/etc/passwd",
        "/etc/shadow",
        Path.home() / ".bashrc",
        "/var",
        "/sys",
        "/run",
        "/proc/cmdline",
        "/proc/keys",
        "/proc/kallsyms",
        "/proc/kcore",
        "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern",
        "/proc/1/environ",
        "/proc/1/mem",
        "/proc/1/maps",
        "/proc/1/fd",
        "/proc/1/cwd/x",
        "/dev/mem",
        "/dev/kmsg",
        "/dev/tty",
        "/dev/ptmx",
    ],
)
def test_a_path_that_matters_is_out_of_reach(desk: Desk, path: object) -> None:
    told = desk.seen(
        f"""
import os
for attempt in (lambda: open({str(path)!r}, "rb").read(1), lambda: os.listdir({str(path)!r}),
                lambda: open({str(path)!r}, "r+b")):
    try:
        print("reached", attempt())
    except OSError as error:
        print("refused", error.errno)
"""
    )
    assert "reached" not in told
    assert told.count("refused") == 3


def test_every_mount_is_private_or_read_only(desk: Desk) -> None:
    told = desk.seen(
        "for line in open('/proc/self/mountinfo'): print(*line.split()[:6])"  # an overlay's are long
    )
    for line in told.strip().splitlines():
        fields = line.split()
        place, options = fields[4], fields[5].split(",")
        if place.startswith("/dev/") and place != "/dev/shm":
            continue  # null, zero, full, random, urandom
        assert "nosuid" in options
        assert "nodev" in options
        if place not in ("/tmp", "/dev/shm", "/home/student", "/proc"):
            assert "ro" in options, line


def test_nothing_outside_the_private_places_can_be_written(desk: Desk) -> None:
    told = desk.seen(
        """
import os, sys
for place in ("/", "/usr", "/usr/lib", "/etc", "/opt/gradus/labkit", "/dev", sys.prefix, np.__path__[0], "/proc/self"):
    try:
        open(os.path.join(place, "planted"), "w")
        print("written", place)
    except OSError as error:
        print("refused")
"""
    )
    assert "written" not in told


def test_the_namespaces_are_the_jails_own(sandbox: Sandbox) -> None:
    jail = sandbox.open_jail("numpy", Limits())
    try:
        processes = descendants(jail.builder_pid)[1:]
        assert processes
        for name in NAMESPACES:
            ours = os.readlink(f"/proc/self/ns/{name}")
            assert {os.readlink(f"/proc/{pid}/ns/{name}") for pid in processes}.isdisjoint({ours})
    finally:
        jail.close()


def test_no_process_of_a_jail_is_root_on_the_host(sandbox: Sandbox) -> None:
    jail = sandbox.open_jail("numpy", Limits())
    try:
        exchange = jail.start_notebook()
        exchange.say({"cells": [["a", "import time; time.sleep(5)"]], "answer_here": False})
        exchange.hear()
        student = descendants(jail.builder_pid)[1:]
        assert len(student) == 2  # init and the notebook
        for pid in student:
            uids = re.search(r"^Uid:\t(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M)
            assert uids is not None
            assert "0" not in uids[1].split()
            if os.getuid() == 0:
                assert int(uids[1].split()[0]) >= 100_000
            assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000"
        exchange.close()
    finally:
        jail.close()


def test_two_jails_at_a_time_have_different_ids_on_the_host(sandbox: Sandbox) -> None:
    if os.getuid() != 0 or sandbox.wall != "local":
        pytest.skip("an ordinary user, as in a container, can map no id but its own")
    jails = [sandbox.open_jail("numpy", Limits()) for _ in range(3)]
    owners = {os.stat(f"/proc/{descendants(j.builder_pid)[1]}").st_uid for j in jails}
    uids = set()
    for jail in jails:
        status = Path(f"/proc/{descendants(jail.builder_pid)[1]}/status").read_text()
        uids |= set(re.findall(r"^Uid:\t(\d+)", status, re.M))
        jail.close()
    assert len(uids) == 3, owners


def test_the_environment_is_public_and_constant(desk: Desk) -> None:
    told = desk.seen("import os; print(*sorted(os.environ), sep='\\n')")
    assert set(told.split()) <= PUBLIC_NAMES
    raw = desk.seen_in_cell(
        "import ctypes\nenviron = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')\n"
        "i = 0\nwhile environ[i]:\n    print(environ[i].decode().split('=')[0]); i += 1"
    )
    assert set(raw.split()) <= PUBLIC_NAMES


def test_no_descriptor_is_open_but_ours(desk: Desk) -> None:
    """0 to 2, the relay to init that checks do not have, and the question's own channel."""
    code = """
import os, stat
for fd in range(256):
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        continue
    print(fd, "socket" if stat.S_ISSOCK(mode) else "pipe" if stat.S_ISFIFO(mode) else "other" if not stat.S_ISCHR(mode) else "null")
"""
    kinds = [line.split()[1] for line in desk.seen(code).strip().splitlines()]
    assert kinds[:3] == ["null", "pipe", "pipe"]
    assert sorted(kinds[3:]).count("socket") <= 3
    assert "other" not in kinds


@pytest.mark.parametrize("name", REFUSED_CALLS)
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86-64")
def test_a_dangerous_system_call_is_refused(desk: Desk, name: str) -> None:
    told = desk.seen(
        f"""{SYSCALL}
import os
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
class Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]
import socket
pair = socket.socketpair()
buffer = ctypes.create_string_buffer(256)
vector = Vector(ctypes.addressof(buffer), 8)
header = Header(0x20080522, 0)
call("it:", {REFUSED_CALLS[name]})
"""
    )
    outcome = told.split("it: ")[1].split()[0]
    if name in ("setuid", "setgid"):  # to 0, which a jail of an ordinary user does not even have
        assert outcome in ("1", "22")
        return
    assert outcome in ("1", "38", "13"), f"{name}: {outcome}"


def test_no_socket_makes_the_hosts_kernel_load_a_protocol(desk: Desk) -> None:
    """SCTP, DCCP, UDP-Lite, MPTCP, L2TP and ICMP, by number and by type; TCP and UDP are there."""
    told = desk.seen(
        """
import socket
for family in (2, 10):
    for kind, protocol in ((1, 132), (5, 132), (5, 0), (6, 0), (6, 33), (2, 136), (1, 262), (2, 115), (2, 1), (2, 58), (3, 255), (4, 0)):
        try:
            socket.socket(family, kind, protocol); print("got", family, kind, protocol)
        except OSError as error:
            print(error.errno)
    for kind, protocol in ((1, 0), (1, 6), (2, 0), (2, 17), (1 | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0)):
        socket.socket(family, kind, protocol).close()
print("end")
"""
    )
    assert set(told.split()) == {"93", "end"}


def test_only_loopback_and_four_families_of_sockets(desk: Desk) -> None:
    told = desk.seen(
        """
import socket
print(*[name for _, name in socket.if_nameindex()])
for family in range(1, 46):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(family, kind).close()
            print("family", family, kind)
        except OSError:
            pass
try:
    socket.create_connection(("1.1.1.1", 53), 1); print("connected")
except OSError as error:
    print("errno", error.errno)
"""
    )
    families = {int(f) for f in re.findall(r"^family (\d+)", told, re.MULTILINE)}
    assert families <= {1, 2, 10, 16}
    assert "SOCK_RAW" not in told
    assert not re.search(r"^family (2|10) 3$", told, re.MULTILINE)
    assert "connected" not in told


def test_netlink_tells_the_jails_interfaces_and_changes_nothing(desk: Desk) -> None:
    told = desk.seen(
        """
import socket, struct
for protocol in range(1, 23):
    try:
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol); print("protocol", protocol)
    except OSError:
        pass
route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
route.settimeout(5)
def ask(kind, flags, body):
    route.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
    return route.recv(65536)
links = ask(18, 0x301, struct.pack("=BxHiII", 0, 0, 0, 0, 0))  # RTM_GETLINK, all of them
print(links.count(b"lo\\0"), len(links) < 3000)
down = struct.pack("=BxHiII", 0, 0, 1, 0, 1)
for kind, flags, body in (
    (16, 0x5, down),  # RTM_NEWLINK: take loopback down
    (16, 0x605, struct.pack("=BxHiII", 0, 0, 0, 0, 0)),  # make an interface
    (20, 0x605, struct.pack("=BBBBI", 2, 8, 0, 0, 1) + struct.pack("=HH4s", 8, 2, bytes((10, 9, 8, 7)))),
    (24, 0x605, struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 254, 4, 0, 1, 0)),  # RTM_NEWROUTE
):
    answer = ask(kind, flags, body)
    while struct.unpack_from("=H", answer, 4)[0] != 2:  # NLMSG_ERROR
        answer = route.recv(65536)
    print("error", -struct.unpack_from("=i", answer, 16)[0])
"""
    )
    assert told.split("\n")[0].startswith("1 True"), told
    assert told.split("\n")[1:5] == ["error 1"] * 4  # EPERM


def test_localhost_is_the_only_name_that_is_known(desk: Desk) -> None:
    told = desk.seen(
        """
import socket
print(open("/etc/hosts").read())
print(sorted({address[4][0] for address in socket.getaddrinfo("localhost", 1)}))
try:
    print("known", socket.getaddrinfo(socket.gethostname() + "x", 1))
except OSError as error:
    print("unknown")
"""
    )
    assert told.startswith("127.0.0.1 localhost\n::1 localhost\n")
    assert "'127.0.0.1'" in told
    assert "unknown" in told
    assert "known [" not in told


def test_an_abstract_socket_of_the_host_is_unreachable(desk: Desk) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0gradus-test-of-a-wall")
        listening.listen()
        told = desk.seen(
            """
import socket
try:
    socket.socket(socket.AF_UNIX).connect("\\0gradus-test-of-a-wall"); print("connected")
except OSError as error:
    print("refused")
"""
        )
    assert told.strip() == "refused"


def test_init_survives_whatever_the_student_sends_it(desk: Desk) -> None:
    told = desk.seen(
        """
import os, signal
for number in range(1, 65):
    if number in (32, 33):
        continue
    try:
        os.kill(1, number)
    except OSError:
        pass
print("init", os.getppid() and open("/proc/1/stat").read().split()[2])
"""
    )
    assert "init S" in told or "init R" in told


def test_a_checks_process_cannot_write_its_parents_memory(desk: Desk) -> None:
    told = desk.seen(
        """
import os
for pid in (1, os.getppid()):
    for name in ("mem", "environ", "maps", "fd/0", "auxv", "syscall", "stack", "cwd/x", "root/x", "pagemap"):
        try:
            open(f"/proc/{pid}/{name}", "r+b" if name == "mem" else "rb"); print("opened", pid, name)
        except OSError:
            pass
print("done")
"""
    )
    assert told.strip() == "done"


def test_a_program_that_the_student_starts_is_no_way_around(desk: Desk) -> None:
    """execve makes a process dumpable again; its parent stays as it was, and it has no more rights."""
    told = desk.seen(
        """
import subprocess, sys, os
code = "import os; print(open('/proc/self/status').read());\\ntry: open(f'/proc/{os.getppid()}/mem', 'rb'); print('opened')\\nexcept OSError: print('kept out')"
print(subprocess.run([sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True).stdout[-3000:])
for command in ("sudo -n id", "su -c id", "mount", "unshare -U id", "nsenter -t 1 -m id", "ping -c1 127.0.0.1"):
    print(command, subprocess.run(command, shell=True, capture_output=True).stdout.decode()[-60:].count("uid=0"))
"""
    )
    assert "kept out" in told
    assert "opened" not in told
    assert "CapEff:\t0000000000000000" in told
    assert "Seccomp:\t2" in told
    assert not re.search(r" [1-9]$", told.split("kept out")[1], re.MULTILINE)


def test_core_dumps_reach_no_handler_of_the_host(desk: Desk) -> None:
    told = desk.seen(
        """
import resource
print(resource.getrlimit(resource.RLIMIT_CORE))
try:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 1)); print("changed")
except (OSError, ValueError):
    print("kept")
"""
    )
    assert "kept" in told
    assert "(1, 1)" in told or "(0, 0)" in told


def test_a_jail_stays_on_its_cores(desk: Desk) -> None:
    told = desk.seen(
        "import os\n"
        "before = os.sched_getaffinity(0)\n"
        "try:\n    os.sched_setaffinity(0, range(64))\nexcept OSError:\n    pass\n"
        "print(len(before), before == os.sched_getaffinity(0))"
    )
    count, kept = told.split()
    assert int(count) <= 2
    assert kept == "True"


def test_hash_seed_and_random_generators_are_public_constants(desk: Desk) -> None:
    code = "import random; print(hash('gradus'), random.random(), np.random.rand())"
    assert desk.seen(code) == desk.seen(code)
    assert (
        subprocess.run(
            ["python3", "-c", "print(hash('gradus'))"],
            env={"PYTHONHASHSEED": "0", "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[0]
        == desk.seen(code).split()[0]
    )
