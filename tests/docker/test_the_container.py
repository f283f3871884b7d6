"""What is the Docker wall's alone: its container, its gate, and that nothing of them stays behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import GraderError, WallError
from grader.images import content
from grader.protocol import GradingReport, GradingRequest, Limits, Verdict
from grader.runner import grade
from grader.sandbox import Sandbox, open_sandbox
from labs.catalog import Lab, read_lab, student_notebook
from tests.grader.grading_desk import SEED, TINY, Desk, result
from tests.walls import require_wall

docker = pytest.importorskip("docker")
pytestmark = pytest.mark.docker

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def _docker_wall() -> None:
    require_wall("docker")


@pytest.fixture(scope="module")
def engine() -> Iterator["docker.DockerClient"]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    opened = open_sandbox(wall="docker")
    yield opened
    opened.close()


def containers(engine: "docker.DockerClient") -> set[str]:
    return {each.id for each in engine.containers.list(all=True, filters={"label": "gradus.wall"})}


def await_(condition: object, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.05)
    return bool(condition())  # type: ignore[operator]


def without_times(report: GradingReport) -> str:
    """The report without times and without the wall's name."""
    return report.model_copy(
        update={
            "wall": "",
            "seconds": 0.0,
            "stages": {},
            "results": tuple(r.model_copy(update={"seconds": 0.0}) for r in report.results),
            "cells": tuple(c.model_copy(update={"seconds": 0.0}) for c in report.cells),
        }
    ).model_dump_json()


def graded(lab: Lab, sandbox: Sandbox, answers: dict[str, str]) -> GradingReport:
    notebook = student_notebook(lab, answers).decode()
    request = GradingRequest(
        attempt="attempt",
        lab=lab.slug,
        lab_hash=lab.content_hash,
        submission_sha256="0" * 64,
        seed=SEED,
        notebook=notebook,
    )
    return grade(request, sandbox=sandbox, lab=lab)


@pytest.mark.parametrize("folder", [TINY, ROOT / "labs" / "autodiff"], ids=lambda path: path.name)
def test_a_grading_gives_the_same_report_as_behind_the_local_wall(
    sandbox: Sandbox, folder: Path
) -> None:
    from grader.notebook import reference_answers

    lab = read_lab(folder)
    local = open_sandbox((lab.zygote,), wall="local")
    right = reference_answers(lab)
    one = sorted(right)[0]
    try:
        for answers in (right, {}, right | {one: "raise ValueError('no')"}):
            reports = [without_times(graded(lab, wall, answers)) for wall in (local, sandbox)]
            assert reports[0] == reports[1]
    finally:
        local.close()


def test_the_container_has_no_rights_no_network_and_no_writable_root(
    sandbox: Sandbox, engine: "docker.DockerClient"
) -> None:
    facts = engine.api.inspect_container(sandbox._containers["cpu"].id)  # type: ignore[attr-defined]
    host = facts["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"]
    assert host["PidsLimit"] > 0
    assert 0 < host["Memory"] == host["MemorySwap"]
    assert facts["Config"]["User"].split(":")[0] not in ("", "0", "root")
    options = host["SecurityOpt"]
    assert "no-new-privileges:true" in options
    assert any(each.startswith("seccomp={") for each in options)
    assert [mount["Destination"] for mount in facts["Mounts"]] == ["/run/gradus"]


def test_the_filter_allows_four_calls_more_than_dockers_own() -> None:
    profile = json.loads((content.FOLDER / "seccomp.json").read_text())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    *others, ours = profile["syscalls"]
    assert ours["names"] == ["mount", "pivot_root", "umount2", "unshare"]
    allowed = {n for rule in others if rule["action"] == "SCMP_ACT_ALLOW" for n in rule["names"]}
    assert not allowed & {
        *ours["names"], "bpf", "setns", "mount_setattr", "move_mount", "open_tree", "fsopen", "keyctl",
        "add_key", "userfaultfd", "perf_event_open", "kexec_load", "init_module", "reboot", "chroot",
        "io_uring_setup",
    }  # fmt: skip


def test_no_check_no_reference_and_no_grader_is_in_the_image(
    engine: "docker.DockerClient",
) -> None:
    listed = engine.containers.run(
        content.tag("cpu"),
        entrypoint=["find", "/opt/gradus-wall", "-type", "f"],
        network_mode="none",
        remove=True,
    ).decode()
    files = listed.split()
    assert any(file.endswith("inside/zygote.py") for file in files)
    for file in files:
        assert file.removeprefix("/opt/gradus-wall/").startswith(
            ("grader/inside/", "labs/labkit/", "content-hash")
        )


def test_closing_a_sandbox_removes_its_container_and_its_folder(
    engine: "docker.DockerClient",
) -> None:
    before = containers(engine)
    sandbox = open_sandbox(wall="docker")
    (made,) = containers(engine) - before
    folder = sandbox._containers["cpu"].folder  # type: ignore[attr-defined]
    assert folder.is_dir()
    sandbox.close()
    assert made not in containers(engine)
    assert not folder.exists()


OWNER = """
import sys
sys.path.insert(0, {root!r})
from grader.sandbox import open_sandbox
from tests.grader.grading_desk import Desk
desk = Desk(open_sandbox(wall="docker"))
print(desk.sandbox._containers["cpu"].id, flush=True)
desk.grade(double="import time; time.sleep(60)")
"""


def test_kill_9_of_the_worker_ends_its_container(engine: "docker.DockerClient") -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(root=str(ROOT))], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert owner.stdout is not None
    made = owner.stdout.readline().decode().strip()
    time.sleep(0.3)
    assert made in containers(engine)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    assert await_(lambda: made not in containers(engine))


def test_a_container_that_is_killed_is_our_failure_and_the_next_grading_works(
    engine: "docker.DockerClient",
) -> None:
    sandbox = open_sandbox(wall="docker")
    desk = Desk(sandbox)
    try:
        assert desk.grade().score == 10
        engine.api.remove_container(sandbox._containers["cpu"].id, force=True)  # type: ignore[attr-defined]
        try:
            score = desk.grade().score
        except GraderError:
            score = desk.grade().score
        assert score == 10
    finally:
        sandbox.close()


def test_an_image_of_older_code_is_refused_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(content, "tag", lambda image: f"gradus-wall-{image}:0123456789abcdef")
    with pytest.raises(WallError, match=r"older than this code: run `make images`"):
        open_sandbox(wall="docker")


def test_an_engine_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(WallError, match=r"no Docker engine answers at unix:///nowhere"):
        open_sandbox(wall="docker")


@pytest.fixture
def running(tmp_path: Path, engine: "docker.DockerClient") -> Iterator[Path]:
    """A wall that somebody else has started, as a compose file does."""
    place = Path(f"/tmp/gradus-test-{os.getpid()}")
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    sandbox = open_sandbox(wall="docker")
    config = sandbox._containers["cpu"]._host_config()  # type: ignore[attr-defined]
    sandbox.close()
    config["Binds"] = [f"{place}:/run/gradus:rw"]
    made = engine.api.create_container_from_config(
        {
            "Image": content.tag("cpu"),
            "User": "164000:164000",
            "Cmd": ["--stay"],
            "HostConfig": config,
            "Labels": {"gradus.wall": "test"},
        }
    )
    engine.api.start(made["Id"])
    assert await_((place / "wall.sock").exists)
    yield place / "wall.sock"
    engine.api.remove_container(made["Id"], force=True)
    subprocess.run(["rm", "-rf", str(place)], check=False)


FILL = "def double(x):\n    keep = []\n    while True: keep.append(bytearray(b'x' * 10**6))"


@pytest.mark.parametrize("seen", [True, False], ids=["its pids are seen", "its pids are not seen"])
def test_a_wall_that_is_running_already_is_used_and_left_running(
    running: Path, monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    """A worker in a container of its own sees no process of the wall's: the gate looks for it."""
    monkeypatch.setenv("GRADUS_WALL_SOCKET", str(running))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    if not seen:
        from grader.sandbox import docker as wall

        monkeypatch.setattr(wall.gate, "head_of", lambda pidfd: 0)
    for _ in range(2):
        sandbox = open_sandbox(wall="docker")
        desk = Desk(sandbox)
        assert desk.grade().score == 10
        filled = result(desk.grade(double=FILL), "doubles")
        assert filled.verdict == Verdict.OUT_OF_MEMORY
        jail = sandbox.open_jail("numpy", Limits())
        assert (jail.builder_pid > 0) is seen
        jail.close()
        jail.hear_init(2.0)
        sandbox.close()
    assert running.exists()


def test_whoever_is_neither_root_nor_the_gates_user_is_turned_away(running: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can try it as somebody else")
    running.chmod(0o666)
    code = (
        "import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        f"s.connect({str(running)!r})\n"
        's.send(b\'{"op": "hold"}\')\nprint(s.recv(4096))'
    )
    done = subprocess.run(
        ["/usr/bin/python3", "-c", code],
        user=65534,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert "content" not in done.stdout


def test_a_torch_notebook_is_graded(sandbox: Sandbox) -> None:
    lab = read_lab(TINY)
    roomy = lab.limits.model_copy(
        update={"memory_mib": 512, "notebook_wall_seconds": 60.0, "check_wall_seconds": 30.0}
    )
    desk = Desk(sandbox, replace(lab, zygote="torch", limits=roomy))
    use = "    t = torch.from_numpy(x)\n    return (2 * t).numpy()"
    report = desk.grade(double=f"import torch\ndef double(x):\n{use}")
    assert report.score == 10, [found.message for found in report.results]


def test_sockets_of_the_worker_are_not_in_a_jails_reach(sandbox: Sandbox) -> None:
    told = Desk(sandbox).seen(
        "import os\nfor place in ('/run', '/run/gradus', '/run/gradus/wall.sock', '/opt/gradus-wall', '/opt/zygotes/torch'):\n"
        "    print(os.path.exists(place))"
    )
    assert set(told.split()) == {"False"}


def test_a_jail_takes_everything_with_it(sandbox: Sandbox, engine: "docker.DockerClient") -> None:
    """What forks, opens sessions of its own and sleeps is gone when its jail is."""
    desk = Desk(sandbox)
    assert desk.grade().score == 10
    container = engine.containers.get(sandbox._containers["cpu"].id)  # type: ignore[attr-defined]

    def processes() -> int:
        return len(container.top()["Processes"])

    idle = processes()
    cell = (
        "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(99)\n"
        "def double(x):\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(99)\n    return 2 * x"
    )
    desk.grade(double=cell)
    assert await_(lambda: processes() <= idle), container.top()["Processes"]
