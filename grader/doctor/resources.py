"""Memory, processors, the clock and limits: what makes verdicts inexact and timings unreliable."""

import ctypes
import os
import resource
import shutil
import tempfile
from pathlib import Path

from grader.doctor.host import MIB, Host, ok, warning
from grader.doctor.report import Finding
from grader.protocol import Limits
from grader.sandbox.cgroup import Absent, find_place

MEMORY, TIMING, LIMITS = "Memory", "Timing", "Limits of this user"
ZYGOTE_BYTES = 400 * MIB
STA_UNSYNC, TIME_ERROR = 0x40, 5


def examine_memory(host: Host) -> list[Finding]:
    figures = host.memory()
    return [
        _control_groups(host),
        _swap(host, figures),
        _huge_pages(host),
        _enough(host, figures),
        *_places(),
    ]


def _control_groups(host: Host) -> Finding:
    place = find_place(host.root, root=host.euid == 0)
    if isinstance(place, Absent):
        return warning(
            MEMORY,
            "control groups",
            f"none for each slot: {place.reason}; limits are held by the watchdog alone, every 50 ms",
            "run the worker as a systemd service with Delegate=yes (docs/operating-workers.md)",
        )
    counted = "memory and processes" if place.pids is not None else "memory"
    return ok(MEMORY, "control groups", f"version {place.version}: one for each slot, {counted}")


def _swap(host: Host, figures: dict[str, int]) -> Finding:
    total = figures.get("SwapTotal", 0)
    if not total:
        return ok(MEMORY, "swap", "none")
    text = f"{total // MIB} MiB: what is swapped out is slow, and only a control group counts it"
    return warning(
        MEMORY, "swap", text, "as root: swapoff -a, or see to it that control groups work"
    )


def _huge_pages(host: Host) -> Finding:
    setting = host.read("sys/kernel/mm/transparent_hugepage/enabled") or ""
    if "[always]" in setting:
        return warning(
            MEMORY,
            "huge pages",
            "transparent huge pages are always used: a page that is touched may count 2 MiB",
            "as root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
        )
    return ok(MEMORY, "huge pages", "only where a program asks for them")


def _enough(host: Host, figures: dict[str, int]) -> Finding:
    limit = Limits().memory_mib * MIB
    wanted = host.slots * limit + ZYGOTE_BYTES
    there = figures.get("MemAvailable", 0)
    told = f"{there // MIB} MiB free for {host.slots} slots of {limit // MIB} MiB and their zygotes"
    if there < wanted:
        fewer = max(1, (there - ZYGOTE_BYTES) // limit)
        return warning(MEMORY, "free memory", told, f"GRADUS_WORKER_SLOTS={fewer}, or more memory")
    if (host.number("proc/sys/vm/overcommit_memory") or 0) == 2:
        remedy = "as root: sysctl -w vm.overcommit_memory=0"
        return warning(MEMORY, "free memory", "the host promises no memory that it has not", remedy)
    return ok(MEMORY, "free memory", told)


def _places() -> list[Finding]:
    found = []
    for name, place, least in (
        ("temporary files", Path(tempfile.gettempdir()), 512 * MIB),
        ("/dev/shm", Path("/dev/shm"), 64 * MIB),  # noqa: S108
    ):
        try:
            free = shutil.disk_usage(place).free
        except OSError as error:
            found.append(warning(MEMORY, name, f"{place}: {error.strerror}", f"make {place}"))
            continue
        text = f"{free // MIB} MiB free in {place}"
        enough = free >= least and os.access(place, os.W_OK)
        remedy = f"make room in {place}, and let this user write there"
        found.append(ok(MEMORY, name, text) if enough else warning(MEMORY, name, text, remedy))
    return found


def examine_timing(host: Host) -> list[Finding]:
    return [
        _cores(host),
        _governor(host),
        _turbo(host),
        _threads_of_a_core(host),
        _load(host),
        _stolen(host),
        _clock(),
    ]


def _cores(host: Host) -> Finding:
    text = f"{host.cores} for {host.slots} slots"
    if host.slots > host.cores:
        remedy = f"GRADUS_WORKER_SLOTS={host.cores}: a jail wants a core of its own"
        return warning(TIMING, "cores", text, remedy)
    return ok(TIMING, "cores", text)


def _governor(host: Host) -> Finding:
    governor = host.read("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor not in (None, "performance"):
        return warning(
            TIMING,
            "frequency",
            f"the governor is {governor}: the first moments of a check run slower",
            "as root: cpupower frequency-set -g performance",
        )
    return ok(
        TIMING, "frequency", governor or "not ours to govern (a virtual machine, most likely)"
    )


def _turbo(host: Host) -> Finding:
    on = host.read("sys/devices/system/cpu/intel_pstate/no_turbo") == "0"
    on = on or host.read("sys/devices/system/cpu/cpufreq/boost") == "1"
    if on:
        return warning(
            TIMING,
            "turbo",
            "on: a core is faster while its neighbours are idle",
            "only where timings earn points; as root: echo 0 > /sys/devices/system/cpu/cpufreq/boost, "
            "or echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo",
        )
    return ok(TIMING, "turbo", "off, or not told")


def _threads_of_a_core(host: Host) -> Finding:
    if host.read("sys/devices/system/cpu/smt/active") == "1":
        return warning(
            TIMING,
            "SMT",
            "two threads share a core: neighbours slow each other down, and could listen to each other",
            "as root: echo off > /sys/devices/system/cpu/smt/control, or half as many slots",
        )
    return ok(TIMING, "SMT", "off, or not told")


def _load(host: Host) -> Finding:
    load = float((host.read("proc/loadavg") or "0").split()[0])
    text = f"{load:.1f} on {host.cores} cores"
    if load > host.cores / 2:
        return warning(
            TIMING, "load", text, "let a host that grades do nothing else (top shows what runs)"
        )
    return ok(TIMING, "load", text)


def _stolen(host: Host) -> Finding:
    fields = [int(word) for word in (host.read("proc/stat") or "cpu 1").splitlines()[0].split()[1:]]
    share = fields[7] / max(1, sum(fields)) if len(fields) > 7 else 0.0
    text = f"{share:.1%} of the processor's time since boot went to other virtual machines"
    if share > 0.02:
        return warning(TIMING, "steal", text, "ask the provider for processors of your own")
    return ok(TIMING, "steal", text)


def _clock() -> Finding:
    """Asks the kernel by adjtimex without changing anything."""
    buffer = ctypes.create_string_buffer(256)  # struct timex; modes = 0
    state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    status = int.from_bytes(buffer.raw[40:44], "little")
    if state < 0:
        return ok(TIMING, "clock", "not told")
    if state == TIME_ERROR or status & STA_UNSYNC:
        remedy = "install chrony or systemd-timesyncd; a container takes its host's clock"
        return warning(TIMING, "clock", "no time service keeps it right", remedy)
    return ok(TIMING, "clock", "kept right by a time service")


def examine_limits(host: Host) -> list[Finding]:
    return [_descriptors(host), _processes(host), _threads(host)]


def _descriptors(host: Host) -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    text = f"{soft} at a time"
    if soft < 1024:
        return warning(LIMITS, "descriptors", text, "ulimit -n 4096 (LimitNOFILE= in a service)")
    return ok(LIMITS, "descriptors", text)


def _processes(host: Host) -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    wanted = host.slots * (Limits().processes + 16)
    if soft != resource.RLIM_INFINITY and soft < wanted and host.euid != 0:
        remedy = f"ulimit -u {4 * wanted} (LimitNPROC= in a service)"
        return warning(LIMITS, "processes", f"{soft} for {host.slots} slots", remedy)
    return ok(LIMITS, "processes", "unlimited" if soft == resource.RLIM_INFINITY else str(soft))


def _threads(host: Host) -> Finding:
    told = host.environment.get("OMP_NUM_THREADS", "")
    if host.slots > 1 and told not in ("", "1"):
        text = f"OMP_NUM_THREADS is {told}: every slot's referee may use as many"
        return warning(LIMITS, "threads", text, "start the worker with OMP_NUM_THREADS=1")
    return ok(LIMITS, "threads", "one for torch in each referee; a jail's environment is fixed")
