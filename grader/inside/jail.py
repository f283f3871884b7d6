"""Walls around one submission, built by each fork before a line of the student's code runs.

Theory of operation. Three processes come of one fork of the zygote:

    builder   leaves for new user, pid, mount, net, ipc, uts and cgroup namespaces, has its ids mapped
              by the zygote, forks init, and only waits for it
    init      pid 1 of the jail and trusted: builds the file system (tmpfs first, then read-only binds,
              pivot_root, old root detached), raises loopback, drops every privilege, then holds the
              wire to the worker, reaps, and kills what a check left behind. When the wire closes it
              exits and the kernel ends the whole jail
    student   forked by init when the worker asks: runs the notebook, forks once per check

The student is never host uid 0: a zygote that runs as root maps two ids (0→0 for the set-up,
1000→a high id for the student) and init ends with setresuid to the second; an ordinary user maps its
own id alone. Mapping only one's own uid as root would be a hole: the jailed code could write
/proc/sys/kernel/core_pattern. No secret is ever near: the submission is read from the wire after the
walls stand.
"""

import contextlib
import ctypes
import fcntl
import os
import resource
import socket
import struct
from dataclasses import dataclass

from grader.inside import seccomp

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x00020000, 0x02000000, 0x04000000
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = (
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
ALL_NAMESPACES = (
    CLONE_NEWUSER
    | CLONE_NEWNS
    | CLONE_NEWPID
    | CLONE_NEWNET
    | CLONE_NEWIPC
    | CLONE_NEWUTS
    | CLONE_NEWCGROUP
)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
PR_SET_CHILD_SUBREAPER = 36
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine, 155)
SYS_MOUNT_SETATTR, AT_RECURSIVE, AT_FDCWD = 442, 0x8000, -100
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 1, 2, 4

STUDENT = 1000  # the student's uid and gid inside
FIRST_HOST_ID, HOST_IDS = 100_000, 60_000  # outside, when the zygote runs as root
HOME = "/home/student"
LABKIT_ROOT = "/opt/gradus"

libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Room:
    """What a jail may see of the host: directories bound read-only at their own paths."""

    binds: tuple[str, ...]
    labkit: str  # bound at /opt/gradus/labkit; empty: there is none
    devices: tuple[str, ...] = ()  # beside null, zero, full and the random ones: a GPU's


def with_gpu(room: Room) -> Room:
    """The same room with NVIDIA's devices: all GPUs, and what their driver is asked through."""
    with os.scandir("/dev") as entries:
        names = [entry.name for entry in entries if entry.name.startswith("nvidia")]
    wanted = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")
    found = sorted(name for name in names if name in wanted or name[6:].isdigit())
    return Room(room.binds, room.labkit, tuple(f"/dev/{name}" for name in found))


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    _check(
        libc.mount(
            source.encode(),
            target.encode(),
            kind.encode() if kind else None,
            ctypes.c_ulong(flags),
            data.encode() if data else None,
        ),
        f"mount {kind or 'bind'} at {target}",
    )


def unshare_everything() -> None:
    """Leave for namespaces of one's own; the next child is pid 1 of the new pid namespace."""
    _check(libc.unshare(ALL_NAMESPACES), "unshare")


def enter_own_namespace() -> bool:
    """Leave for a user namespace of this ordinary user's; False where it cannot be had. Exec must follow.

    The kernel tells how much memory processes share only to whoever has rights over the namespace in
    which their program was exec'd: of a zygote that is exec'd in its user's own, that user may ask it.
    Jails' namespaces lie below, so nothing in a jail has rights over this one.
    """
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        return False
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {uid} 1\n")
    _write("/proc/self/gid_map", f"{gid} {gid} 1\n")
    return True


def map_ids(pid: int, host_id: int) -> None:
    """Map a builder's ids from outside (only a process outside may map two).

    Root maps 0→0 and 1000→`host_id`; an ordinary user can map but its own id, to 1000.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        text = f"0 0 1\n{STUDENT} {host_id} 1\n"
        uid_map = gid_map = text
    else:
        _write(f"/proc/{pid}/setgroups", "deny")
        uid_map, gid_map = f"{STUDENT} {uid} 1\n", f"{STUDENT} {gid} 1\n"
    _write(f"/proc/{pid}/uid_map", uid_map)
    _write(f"/proc/{pid}/gid_map", gid_map)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


class _MountAttr(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def _read_only(target: str) -> None:
    """Everything mounted at and below `target` becomes read-only, without devices or set-uid bits."""
    attributes = _MountAttr(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, 0, 0)
    result = libc.syscall(
        SYS_MOUNT_SETATTR,
        AT_FDCWD,
        target.encode(),
        AT_RECURSIVE,
        ctypes.byref(attributes),
        ctypes.sizeof(attributes),
    )
    if result != 0:  # before Linux 5.12: one mount at a time, keeping the flags that are locked
        locked = os.statvfs(target).f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC)
        flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | locked
        _mount("none", target, None, flags)


def _staging_place(sources: tuple[str, ...]) -> str:
    """A directory to build the new root on that no bound directory lies in."""
    for place in ("/mnt", "/media", "/srv", "/run", "/var/tmp", "/tmp"):
        if os.path.isdir(place) and not any(
            source == place or source.startswith(place + "/") for source in sources
        ):
            return place
    raise OSError("no directory is left to build a jail's root on")


def build_root(room: Room, tmp_mib: int) -> None:
    """The jail's file system: an empty tmpfs, read-only binds, /dev, /proc; then pivot into it."""
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    root = _staging_place((*room.binds, room.labkit))
    _mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,nr_inodes=4096,mode=755")
    shared = f"size={tmp_mib}m,nr_inodes=16384,mode=1777"
    for place in ("/tmp", "/dev", "/dev/shm", "/proc", HOME, "/.old"):
        os.makedirs(root + place, exist_ok=True)
    _mount("tmpfs", f"{root}/tmp", "tmpfs", MS_NOSUID | MS_NODEV, shared)
    for source in room.binds:
        _bind(source, root + source)
    if room.labkit:
        _bind(room.labkit, f"{root}{LABKIT_ROOT}/labkit")
    _names(root)
    _devices(root, room.devices)
    _mount("tmpfs", f"{root}/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, shared)
    _processes(f"{root}/proc", whole=bool(room.devices))
    _mount("tmpfs", root + HOME, "tmpfs", MS_NOSUID | MS_NODEV, shared)
    _check(libc.syscall(SYS_PIVOT_ROOT, root.encode(), f"{root}/.old".encode()), "pivot_root")
    os.chdir("/")
    _check(libc.umount2(b"/.old", MNT_DETACH), "umount the old root")
    os.rmdir("/.old")
    _mount("none", "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    os.chdir(HOME)


def _bind(source: str, target: str) -> None:
    if os.path.islink(source):  # /bin -> usr/bin
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.lexists(target):
            os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif os.path.exists(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    else:
        return
    _mount(source, target, None, MS_BIND | MS_REC)
    _read_only(target)


def _names(root: str) -> None:
    """`localhost` has a meaning, which no server is asked for: ranks meet there by that name."""
    os.makedirs(f"{root}/etc", exist_ok=True)
    for name, text in (
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ("nsswitch.conf", "hosts: files\n"),
    ):
        if not os.path.exists(f"{root}/etc/{name}"):
            with open(f"{root}/etc/{name}", "w") as file:
                file.write(text)


def _processes(target: str, *, whole: bool) -> None:
    """The jail's own /proc: its processes, and nothing of the host's kernel where it can be left out.

    `whole`: CUDA reads /proc/driver/nvidia and /proc/devices, so a jail with a GPU sees the kernel's
    public figures as well.
    """
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    if whole:
        return _mount("proc", target, "proc", flags)
    try:
        _mount("proc", target, "proc", flags, "subset=pid")
    except OSError:  # before Linux 5.8
        _mount("proc", target, "proc", flags)
    return None


def _devices(root: str, more: tuple[str, ...]) -> None:
    plain = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")]
    for device in (*plain, *more):
        os.close(os.open(root + device, os.O_CREAT | os.O_WRONLY, 0o666))
        _mount(device, root + device, None, MS_BIND)
    for link, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ):
        os.symlink(target, f"{root}/dev/{link}")


def raise_loopback() -> None:
    """`ip link set lo up` in the jail's own network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sH14x", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(sock, 0x8914, request)  # SIOCSIFFLAGS


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def drop_privileges(filter_code: bytes) -> None:
    """Become the student for good: no capability, no way to gain one, a filter on system calls."""
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if os.geteuid() != STUDENT:
        os.setgroups([])
        os.setresgid(STUDENT, STUDENT, STUDENT)
        os.setresuid(STUDENT, STUDENT, STUDENT)
    # After the change of ids, which forgets it; the builder may have died in between.
    die_with_parent()
    _keep_down(filter_code)


def give_up_capabilities(filter_code: bytes) -> None:
    """The same without another id: nothing is mapped where there is no namespace."""
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    _keep_down(filter_code)


def _keep_down(filter_code: bytes) -> None:
    header = _CapabilityHeader(0x20080522, 0)
    _check(libc.capset(ctypes.byref(header), (ctypes.c_uint32 * 6)()), "capset")
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _check(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "dumpable")
    seccomp.load(filter_code)


def die_with_parent() -> None:
    """SIGKILL when the parent goes; init's parent is seen as pid 0 from inside its namespace."""
    libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)


def adopt_orphans() -> None:
    """Reap what a killed builder leaves, rather than leave it to the host's init."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def set_limits(*, memory_bytes: int, cpu_seconds: int, processes: int, file_mib: int) -> None:
    """Limits of the student's process and all that it starts; they cannot be raised again."""
    for which, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds + 1),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_FSIZE, file_mib * 2**20),
        (resource.RLIMIT_MEMLOCK, 64 * 1024),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_NICE, 0),
        (resource.RLIMIT_RTPRIO, 0),
        (resource.RLIMIT_SIGPENDING, 1024),
    ):
        hard = resource.getrlimit(which)[1]
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # At the soft limit of processor time the kernel sends SIGXCPU, which says what was met.
        soft = min(cpu_seconds, wanted) if which == resource.RLIMIT_CPU else wanted
        resource.setrlimit(which, (soft, wanted))


def forbid_core_dumps() -> None:
    """A core limit of 1, not 0: the kernel starts a crash handler of the host in spite of 0."""
    with contextlib.suppress(ValueError):  # an ordinary user's hard limit may be 0 already
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def die_first_when_memory_is_short() -> None:
    """Should the host run out of memory, it takes a jail and not a worker."""
    with contextlib.suppress(OSError):
        _write("/proc/self/oom_score_adj", "1000")


def virtual_size() -> int:
    """Bytes of address space in use by this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def close_all_but(keep: set[int]) -> None:
    """Close every descriptor except those in `keep`."""
    limits = sorted(keep)
    start = 0
    for descriptor in limits:
        if start < descriptor:  # closerange(0, 0) would close everything
            os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, 4096)
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        descriptor = int(name)
        if descriptor >= 4096 and descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:
                continue
