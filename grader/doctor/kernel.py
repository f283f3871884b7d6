"""What a wall asks of the kernel, and what on this host keeps it back.

A fact here is at most a warning: whether a jail can be built is shown by building one (walls.py).
"""

import os
import platform
import re
import sys

from grader.doctor.host import Host, ok, problem, warning
from grader.doctor.report import Finding
from grader.inside import seccomp

GROUP = "Kernel"
SYSCTL = "as root: sysctl -w {0}, and keep it in /etc/sysctl.d/60-gradus.conf"


def examine(host: Host) -> list[Finding]:
    if not sys.platform.startswith("linux"):
        remedy = "run the worker on Linux; on macOS and Windows a Linux machine in Docker Desktop will do"
        return [problem(GROUP, "system", f"{sys.platform} has no jails", remedy)]
    findings = [_release(), _machine(), _pidfd(), _seccomp(host)]
    findings += _user_namespaces(host)
    findings += _security_modules(host)
    findings += [_core_pattern(host), _ptrace(host)]
    return findings


def _release() -> Finding:
    told = platform.release()
    found = re.match(r"(\d+)\.(\d+)", told)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < (5, 4):
        return problem(GROUP, "release", f"Linux {told} is too old", "use Linux 5.12 or newer")
    if version < (5, 12):
        return warning(
            GROUP,
            "release",
            f"Linux {told}: a jail's mounts are made read-only one at a time",
            "Linux 5.12 makes whole trees read-only; before 5.8 jails see the kernel's public figures",
        )
    return ok(GROUP, "release", f"Linux {told}")


def _machine() -> Finding:
    machine = platform.machine()
    if machine in seccomp.MACHINES:
        return ok(GROUP, "machine", machine)
    known = " or ".join(seccomp.MACHINES)
    return problem(GROUP, "machine", f"no system-call table for {machine}", f"use {known}")


def _pidfd() -> Finding:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (OSError, AttributeError) as error:
        remedy = "Linux 5.3 has it; in a container, its seccomp profile must allow it"
        return problem(GROUP, "pidfd_open", f"refused: {error}", remedy)
    return ok(GROUP, "pidfd_open", "works")


def _seccomp(host: Host) -> Finding:
    actions = host.read("proc/sys/kernel/seccomp/actions_avail")
    if actions is None and "Seccomp:" not in (host.read("proc/self/status") or ""):
        remedy = "use a kernel with CONFIG_SECCOMP_FILTER"
        return problem(GROUP, "seccomp", "this kernel cannot filter system calls", remedy)
    return ok(GROUP, "seccomp", "system calls can be filtered")


def _user_namespaces(host: Host) -> list[Finding]:
    most = host.number("proc/sys/user/max_user_namespaces")
    name = "user namespaces"
    found = []
    if most is not None and most < 64:
        sysctl = SYSCTL.format("user.max_user_namespaces=16384")
        found.append(warning(GROUP, name, f"only {most} may exist at a time", sysctl))
    if host.number("proc/sys/kernel/unprivileged_userns_clone") == 0 and host.euid != 0:
        sysctl = SYSCTL.format("kernel.unprivileged_userns_clone=1")
        found.append(warning(GROUP, name, "forbidden to ordinary users", sysctl))
    if host.number("proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 and host.euid != 0:
        found.append(
            warning(
                GROUP,
                name,
                "AppArmor takes their rights away from ordinary users' programs",
                "give the worker's Python an AppArmor profile with `userns,`; or "
                + SYSCTL.format("kernel.apparmor_restrict_unprivileged_userns=0"),
            )
        )
    return found or [ok(GROUP, name, "allowed" if most is None else f"allowed, up to {most}")]


def _security_modules(host: Host) -> list[Finding]:
    modules = host.read("sys/kernel/security/lsm")
    found = [ok(GROUP, "security modules", modules or "not told (securityfs is not mounted)")]
    if host.read("sys/module/apparmor/parameters/enabled") == "Y":
        current = host.read("proc/self/attr/apparmor/current") or host.read(
            "proc/self/attr/current"
        )
        profiles = (host.read("sys/kernel/security/apparmor/profiles") or "").splitlines()
        gradus = any(line.startswith("gradus") for line in profiles)
        if profiles and not gradus:
            found.append(
                warning(
                    GROUP,
                    "AppArmor",
                    f"enabled (we: {current or 'unconfined'}), and no profile of Gradus is loaded; "
                    "Docker's own denies the mounts of a jail",
                    "for the Docker wall load grader/images/apparmor-gradus: apparmor_parser -r FILE",
                )
            )
        else:
            found.append(ok(GROUP, "AppArmor", f"enabled (we: {current or 'unconfined'})"))
    return found


def _core_pattern(host: Host) -> Finding:
    pattern = host.read("proc/sys/kernel/core_pattern") or ""
    if pattern.startswith("|"):
        text = "crashes are piped to a handler, which jails' core limit keeps from being started"
        return ok(GROUP, "core dumps", text)
    return ok(GROUP, "core dumps", "no handler of the host is started")


def _ptrace(host: Host) -> Finding:
    scope = host.number("proc/sys/kernel/yama/ptrace_scope")
    if scope == 0 and host.euid != 0:
        return warning(
            GROUP,
            "ptrace",
            "any program of this user may read the worker's memory (jails may not)",
            SYSCTL.format("kernel.yama.ptrace_scope=1"),
        )
    return ok(
        GROUP,
        "ptrace",
        "refused inside jails; outside " + ("as always" if scope is None else f"scope {scope}"),
    )
