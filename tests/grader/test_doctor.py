"""The doctor, run as an operator would: on this host, on hosts that lack something, as an ordinary user."""

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.doctor import Examination, Host, Level, examine, inside, kernel, resources, walls
from grader.doctor.report import Finding
from tests.grader.test_ordinary_user import place  # noqa: F401 (a fixture)

ROOT = Path(__file__).resolve().parents[2]


def run(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The command in an environment of its own; without the variables that name walls."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GRADUS_", "DOCKER_"))}
    return subprocess.run(
        [sys.executable, "-m", "grader", "doctor", *arguments],
        cwd=ROOT,
        env={**kept, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def examined(environment: Mapping[str, str] | None = None) -> tuple[Examination, int]:
    done = run("--json", environment=environment)
    assert "Traceback" not in done.stderr
    return Examination.model_validate_json(done.stdout), done.returncode


def find(findings: tuple[Finding, ...] | list[Finding], group: str, name: str) -> Finding:
    found = [each for each in findings if (each.group, each.name) == (group, name)]
    assert len(found) == 1, found
    return found[0]


def assert_remedies(findings: tuple[Finding, ...] | list[Finding]) -> None:
    for found in findings:
        assert found.text
        assert (found.level is Level.OK) == (not found.remedy), found


@pytest.fixture(scope="module")
def here() -> tuple[Examination, int]:
    return examined()


def test_this_host_is_examined_by_building_jails(here: tuple[Examination, int]) -> None:
    found, code = here
    assert found.walls, [f for f in found.findings if f.group == "Walls"]
    assert code == 0, [f for f in found.findings if f.level is Level.PROBLEM]
    for wall in found.walls:
        assert find(found.findings, "Walls", wall).text.startswith("a jail stands in")
    assert_remedies(found.findings)


def test_facts_come_from_within_a_jail(here: tuple[Examination, int]) -> None:
    facts = [each for each in here[0].findings if each.group == inside.GROUP]
    assert len(facts) == len(inside.EXPECTED)
    assert {each.level for each in facts} == {Level.OK}


def test_the_text_has_a_sign_and_a_word_for_every_finding() -> None:
    done = run()
    assert "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    for group in ("Walls", "Inside a jail", "Zygotes", "Kernel", "Memory", "Timing"):
        assert group in lines
    told = [line for line in lines if line.startswith("  ") and "→" not in line]
    assert told
    for line in told:
        assert line.split()[:2] in (["✓", "ok"], ["!", "warning"], ["✗", "problem"]), line
    assert lines[-1].startswith("This host can grade")
    assert "\x1b" not in done.stdout


def test_a_zygote_that_is_missing_stops_grading_with_exit_code_1() -> None:
    found, code = examined({"GRADUS_ZYGOTE_NUMPY_PYTHON": "/nowhere/bin/python"})
    assert code == 1
    assert not [wall for wall in found.walls if wall == "local"]
    zygote = find(found.findings, "Zygotes", "numpy")
    assert zygote.level is Level.PROBLEM
    assert "GRADUS_ZYGOTE_NUMPY_PYTHON" in zygote.text
    assert_remedies(found.findings)


def test_a_zygote_that_does_not_run_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no module named numpy >&2\nexit 1\n")
    broken.chmod(0o755)
    host = Host(environment={})
    os.environ["GRADUS_ZYGOTE_NUMPY_PYTHON"] = str(broken)
    try:
        found = walls.examine_zygotes(host)
    finally:
        del os.environ["GRADUS_ZYGOTE_NUMPY_PYTHON"]
    assert find(found, "Zygotes", "numpy").level is Level.PROBLEM
    assert "no module named numpy" in find(found, "Zygotes", "numpy").text


def test_without_bwrap_and_docker_this_says_what_to_install() -> None:
    environment = {"PATH": "/nowhere", "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    found, _ = examined(environment)
    if "bubblewrap" not in found.walls:
        assert "apt install bubblewrap" in find(found.findings, "Walls", "bwrap").remedy
    engine = find(found.findings, "Walls", "docker engine")
    assert engine.level is Level.WARNING
    assert "/nowhere/docker.sock does not answer" in engine.text
    assert "DOCKER_HOST" in engine.remedy


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://nonsense", "ssh://host", "x", ""])
def test_no_address_of_docker_breaks_it(address: str) -> None:
    host = Host(environment={"DOCKER_HOST": address} if address else {"DOCKER_HOST": "unix:///x"})
    assert walls._docker(host).level is Level.WARNING


def test_grading_without_a_wall_is_never_quiet() -> None:
    host = Host(environment={"GRADUS_UNSAFE_NO_SANDBOX": "1"})
    assert walls._chosen(host, ["local"])[0].level is Level.WARNING
    assert "unconfined" in walls._chosen(host, ["local"])[0].text


def test_a_wall_that_was_chosen_and_cannot_be_had_is_a_problem() -> None:
    found = walls._chosen(Host(environment={"GRADUS_WALL": "docker"}), ["local"])
    assert found[0].level is Level.PROBLEM
    assert "there is: local" in found[0].remedy


def test_an_ordinary_user_is_told_what_they_can_have(place: Path) -> None:  # noqa: F811
    done = subprocess.run(
        [place / "venv/bin/python", "-P", "-B", "-m", "grader", "doctor", "--json"],
        user=pwd.getpwnam("nobody").pw_uid,
        group=pwd.getpwnam("nobody").pw_gid,
        extra_groups=[],
        cwd=place,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": f"{place}:{place / 'site'}",
            "GRADUS_ZYGOTE_NUMPY_PYTHON": str(place / "venv/bin/python"),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    found = Examination.model_validate_json(done.stdout)
    assert find(found.findings, "Memory", "control groups").level is Level.WARNING
    assert "Delegate=yes" in find(found.findings, "Memory", "control groups").remedy
    if found.walls:
        assert done.returncode == 0, [f for f in found.findings if f.level is Level.PROBLEM]
        facts = [each for each in found.findings if each.group == inside.GROUP]
        assert {each.level for each in facts} == {Level.OK}, facts
    else:
        assert done.returncode == 1
    assert_remedies(found.findings)


# --- hosts that are not this one ------------------------------------------------------------------


def host_with(folder: Path, files: Mapping[str, str], *, euid: int = 1000) -> Host:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Host(root=folder, environment={"GRADUS_WORKER_SLOTS": "2"}, euid=euid)


@pytest.mark.parametrize(
    ("file", "text", "name", "remedy"),
    [
        ("proc/sys/user/max_user_namespaces", "0", "user namespaces", "user.max_user_namespaces="),
        (
            "proc/sys/kernel/unprivileged_userns_clone",
            "0",
            "user namespaces",
            "kernel.unprivileged_userns_clone=1",
        ),
        (
            "proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "user namespaces",
            "profile with `userns,`",
        ),
        ("proc/sys/kernel/yama/ptrace_scope", "0", "ptrace", "ptrace_scope=1"),
    ],
)
def test_a_setting_that_keeps_walls_back_is_named(
    tmp_path: Path, file: str, text: str, name: str, remedy: str
) -> None:
    found = find(kernel.examine(host_with(tmp_path, {file: text})), "Kernel", name)
    assert found.level is Level.WARNING
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("file", "text", "group", "name"),
    [
        ("proc/meminfo", "MemAvailable: 99999999 kB\nSwapTotal: 2097152 kB", "Memory", "swap"),
        ("proc/meminfo", "MemAvailable: 512000 kB\nSwapTotal: 0 kB", "Memory", "free memory"),
        (
            "sys/kernel/mm/transparent_hugepage/enabled",
            "[always] madvise never",
            "Memory",
            "huge pages",
        ),
        (
            "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
            "powersave",
            "Timing",
            "frequency",
        ),
        ("sys/devices/system/cpu/intel_pstate/no_turbo", "0", "Timing", "turbo"),
        ("sys/devices/system/cpu/cpufreq/boost", "1", "Timing", "turbo"),
        ("sys/devices/system/cpu/smt/active", "1", "Timing", "SMT"),
        ("proc/loadavg", "99.0 9 9 1/2 3", "Timing", "load"),
        ("proc/stat", "cpu 100 0 0 100 0 0 0 100 0 0", "Timing", "steal"),
        ("proc/self/mountinfo", "", "Memory", "control groups"),
    ],
)
def test_what_makes_verdicts_or_timings_inexact_is_named(
    tmp_path: Path, file: str, text: str, group: str, name: str
) -> None:
    host = host_with(tmp_path, {file: text})
    found = [*resources.examine_memory(host), *resources.examine_timing(host)]
    assert find(found, group, name).level is Level.WARNING
    assert_remedies(found)


def test_more_slots_than_cores_is_named() -> None:
    host = Host(environment={"GRADUS_WORKER_SLOTS": "999"})
    assert find(resources.examine_timing(host), "Timing", "cores").level is Level.WARNING


@pytest.mark.parametrize(
    ("fact", "seen"),
    [
        ("uids", [0, 0, 0]),
        ("capabilities", [0, 0, 2**21, 0, 0]),
        ("no_new_privs", 0),
        ("seccomp", 0),
        ("dumpable", 1),
        ("interfaces", ["lo", "eth0"]),
        ("connected", True),
        ("families", [1, 2, 10, 40]),
        ("writable", ["/tmp", "/usr"]),
        ("pids", [1, 2, 3, 4, 900, 901]),
        ("reached", ["/etc/passwd"]),
        ("core_pattern", True),
        ("uids", "error: KeyError: 'x'"),
        ("seccomp", None),
    ],
)
def test_a_jail_with_a_hole_is_a_problem(fact: str, seen: object) -> None:
    good = {
        "uids": [1000, 1000, 1000],
        "capabilities": [0] * 5,
        "no_new_privs": 1,
        "seccomp": 2,
        "dumpable": 0,
        "interfaces": ["lo"],
        "connected": False,
        "families": [1, 2, 10],
        "writable": ["/tmp", "/proc", "/dev/null"],
        "pids": [1, 2],
        "reached": [],
        "core_pattern": False,
    }
    assert {each.level for each in inside.judge(good, "local")} == {Level.OK}
    holes = [each for each in inside.judge(good | {fact: seen}, "local") if each.level != Level.OK]
    assert [each.level for each in holes] == [Level.PROBLEM]


def test_a_look_that_hangs_or_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    import grader.doctor as doctor

    def hangs(host: Host) -> list[Finding]:
        threading.Event().wait(600)
        return []

    def fails(host: Host) -> list[Finding]:
        raise RuntimeError("out of order")

    monkeypatch.setattr(doctor, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(doctor, "BUILD_SECONDS", 0.2)
    monkeypatch.setattr(kernel, "examine", hangs)
    monkeypatch.setattr(resources, "examine_timing", fails)
    monkeypatch.setattr(walls, "examine", hangs)
    found = examine(Host())
    assert "no answer within 0.2 s" in find(found.findings, "Kernel", "examination").text
    assert "out of order" in find(found.findings, "Timing", "examination").text
    assert find(found.findings, "Walls", "jails").level is Level.PROBLEM
    assert json.loads(found.model_dump_json())["version"] == 1
