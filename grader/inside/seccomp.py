"""The system-call filter of a jail, as classic BPF made here and loaded with prctl.

Theory of operation. On top of whatever filter the wall already has: system calls that reach other
processes, the kernel's configuration, new namespaces, keys, tracing, or memory that the watchdog could
not count are refused with EPERM; calls that are newer than this list do not exist (ENOSYS), and so does
clone3, whose flags a filter cannot read (the C library falls back to clone). Sockets are allowed by
family and protocol: a network namespace does not contain AF_VSOCK, for one.
"""

import ctypes
import platform
import struct

ALLOW = 0x7FFF0000
KILL = 0x80000000
EPERM = 0x00050000 | 1
ENOSYS = 0x00050000 | 38
EPROTONOSUPPORT, EAFNOSUPPORT = 0x00050000 | 93, 0x00050000 | 97

LOAD, JEQ, JGE, JSET, AND, RET = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; arguments are u64
NEW_NAMESPACES = 0x7E020080  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET} and NEWTIME
AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10  # all of them end at the jail's own loopback
# The C library's getifaddrs, and gloo with it, asks for the interfaces this way. Of netlink's protocols it
# is the one that is never a module, and without a capability it only answers about the jail's own network.
AF_NETLINK, NETLINK_ROUTE = 16, 0
SOCKET_TYPES = (1, 2)  # stream and datagram, of the two internet families
PROTOCOLS = (0, 6, 17)  # TCP and UDP: asking for another makes the host's kernel load a module
PR_SET_DUMPABLE, PR_SET_SECCOMP = 4, 22
PR_SCHED_CORE = 62  # a core of one's own would keep the neighbours off its other thread
FADV_DONTNEED = 4  # would push the libraries that everybody shares out of memory

# Names are those of the kernel. Numbers: x86-64, then the generic table that arm64 uses.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "inotify_add_watch": (254, 27),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "io_setup": (206, 0),  # a few jails could use up what the whole host has
    "io_submit": (209, 2),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioprio_set": (251, 30),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "semget": (64, 190),
    "setns": (308, 268),
    "setpriority": (141, 140),
    "settimeofday": (164, 170),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmget": (29, 194),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "sync": (162, 81),  # makes every disk of the host write, for everybody
    "syncfs": (306, 267),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "uselib": (134, None),
    "ustat": (136, None),
    "_sysctl": (156, None),
    "vhangup": (153, 58),
    "vmsplice": (278, 75),
}
CLONE, SOCKET, SOCKETPAIR, PRCTL = (56, 220), (41, 198), (53, 199), (157, 167)
FCNTL, PRLIMIT, SETRLIMIT, SCHED_SETAFFINITY = (72, 25), (302, 261), (160, 164), (203, 122)
FADVISE64 = (221, 223)
# sendto, sendmsg, sendmmsg, each with the place of its flags. Nobody needs urgent bytes, and the kernel's
# handling of them on unix sockets has been a way out of other sandboxes (CVE-2025-38236).
SENDING = (((44, 206), 3), ((46, 211), 2), ((307, 269), 3))
MSG_OOB = 1
F_SETLEASE, F_NOTIFY, RLIMIT_CORE = 1024, 1026, 4
CLONE3 = 435
LAST_KNOWN = (334, 294)  # rseq; kexec_file_load. Numbers above are shared by both tables.
NEWER_ALLOWED = (
    424,  # pidfd_send_signal
    434,  # pidfd_open
    436,  # close_range
    437,  # openat2
    439,  # faccessat2
    441,  # epoll_pwait2
    444, 445, 446,  # landlock: a jail may narrow itself further
    449,  # futex_waitv
    293 if platform.machine() == "aarch64" else 334,  # rseq
)  # fmt: skip
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


class _Program:
    """Instructions with jumps by name, resolved to the offsets that BPF wants."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, int, int, int]] = []

    def add(self, code: int, value: int, if_true: int = 0, if_false: int = 0) -> None:
        self.lines.append((code, if_true, if_false, value))

    def refuse_if_equal(self, value: int, action: int) -> None:
        self.add(JEQ, value, 0, 1)
        self.add(RET, action)

    def refuse_argument(self, call: int, argument: int, *values: int) -> None:
        """EPERM for a call whose argument (its low half) is one of these; any other is allowed."""
        self.add(JEQ, call, 0, 2 + 2 * len(values))
        self.add(LOAD, ARGUMENTS + 8 * argument)
        for value in values:
            self.refuse_if_equal(value, EPERM)
        self.add(RET, ALLOW)

    def refuse_bits(self, call: int, argument: int, mask: int) -> None:
        """EPERM for a call whose argument has one of these bits; any other is allowed."""
        self.add(JEQ, call, 0, 4)
        self.add(LOAD, ARGUMENTS + 8 * argument)
        self.add(JSET, mask, 0, 1)
        self.add(RET, EPERM)
        self.add(RET, ALLOW)

    def bytes(self) -> bytes:
        return b"".join(struct.pack("=HBBI", *line) for line in self.lines)


def _column() -> int:
    if platform.machine() not in MACHINES:
        raise OSError(f"no system-call table for {platform.machine()}")
    return MACHINES[platform.machine()][1]


def student_program() -> bytes:
    """What init still needs and the student does not: a jail keeps the one core that it was given."""
    bpf = _Program()
    bpf.add(LOAD, NUMBER)
    bpf.refuse_if_equal(SCHED_SETAFFINITY[_column()], EPERM)
    bpf.add(RET, ALLOW)
    return bpf.bytes()


def program() -> bytes:
    """The filter for this machine.

    Raises:
        OSError: the machine's architecture has no table here.
    """
    column = _column()
    bpf = _Program()
    bpf.add(LOAD, ARCHITECTURE)  # another ABI has other numbers
    bpf.add(JEQ, MACHINES[platform.machine()][0], 1, 0)
    bpf.add(RET, KILL)
    bpf.add(LOAD, NUMBER)
    bpf.add(JGE, 0x40000000, 0, 1)  # x32 has other numbers as well
    bpf.add(RET, ENOSYS)
    bpf.refuse_if_equal(CLONE3, ENOSYS)
    for numbers in REFUSED.values():
        if numbers[column] is not None:
            bpf.refuse_if_equal(int(numbers[column] or 0), EPERM)
    for allowed in NEWER_ALLOWED:
        bpf.refuse_if_equal(allowed, ALLOW)
    bpf.add(JGE, LAST_KNOWN[column] + 1, 0, 1)
    bpf.add(RET, ENOSYS)
    # clone: no new namespaces
    bpf.add(JEQ, CLONE[column], 0, 4)
    bpf.add(LOAD, ARGUMENTS)
    bpf.add(JSET, NEW_NAMESPACES & ~0xFF, 0, 1)
    bpf.add(RET, EPERM)
    bpf.add(RET, ALLOW)
    # Once not dumpable, for ever not dumpable.
    bpf.refuse_argument(PRCTL[column], 0, PR_SET_DUMPABLE, PR_SCHED_CORE)
    bpf.refuse_argument(FADVISE64[column], 3, FADV_DONTNEED)
    # A lease or a notification on a file of the host would tell what the neighbours read.
    bpf.refuse_argument(FCNTL[column], 1, F_SETLEASE, F_NOTIFY)
    # A core limit of 1 is what keeps the host's crash handler from being started.
    bpf.refuse_argument(SETRLIMIT[column], 0, RLIMIT_CORE)
    # Limits of one's own process only: init has the same id, and a processor limit would kill it.
    bpf.add(JEQ, PRLIMIT[column], 0, 10)
    bpf.add(LOAD, ARGUMENTS)
    bpf.add(JEQ, 0, 0, 6)
    bpf.add(LOAD, ARGUMENTS + 8)
    bpf.add(JEQ, RLIMIT_CORE, 0, 5)
    bpf.add(LOAD, ARGUMENTS + 16)  # the new limit's address: without one it is a question
    bpf.add(JEQ, 0, 0, 2)
    bpf.add(LOAD, ARGUMENTS + 20)
    bpf.add(JEQ, 0, 1, 0)
    bpf.add(RET, EPERM)
    bpf.add(RET, ALLOW)
    for numbers, flags in SENDING:
        bpf.refuse_bits(numbers[column], flags, MSG_OOB)
    _sockets_by_list(bpf, column)
    bpf.add(RET, ALLOW)
    return bpf.bytes()


def _sockets_by_list(bpf: _Program, column: int) -> None:
    """socket and socketpair: families by list, and by list their protocols (unix has only one)."""
    rules = _Program()
    rules.add(LOAD, ARGUMENTS)
    rules.refuse_if_equal(AF_UNIX, ALLOW)
    rules.add(JEQ, AF_NETLINK, 0, 4)
    rules.add(LOAD, ARGUMENTS + 16)
    rules.refuse_if_equal(NETLINK_ROUTE, ALLOW)
    rules.add(RET, EPROTONOSUPPORT)
    rules.add(JEQ, AF_INET, 2, 0)
    rules.add(JEQ, AF_INET6, 1, 0)
    rules.add(RET, EAFNOSUPPORT)
    rules.add(LOAD, ARGUMENTS + 8)
    rules.add(AND, 0xF)  # without SOCK_NONBLOCK and SOCK_CLOEXEC
    for number, kind in enumerate(SOCKET_TYPES, start=1):
        rules.add(JEQ, kind, len(SOCKET_TYPES) - number + 1, 0)
    rules.add(RET, EPROTONOSUPPORT)
    rules.add(LOAD, ARGUMENTS + 16)
    for protocol in PROTOCOLS:
        rules.refuse_if_equal(protocol, ALLOW)
    rules.add(RET, EPROTONOSUPPORT)
    bpf.add(JEQ, SOCKET[column], 1, 0)
    bpf.add(JEQ, SOCKETPAIR[column], 0, len(rules.lines))
    bpf.lines += rules.lines


class _FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def load(code: bytes) -> None:
    """Put this process and all its children under the filter; it cannot be taken off again."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_program = _FilterProgram(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p).value)
    if libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(filter_program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the system-call filter was refused")
