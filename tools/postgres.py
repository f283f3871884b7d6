"""A PostgreSQL of our own for as long as a test run needs it: private folder, unix socket only."""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tools.checkout import ROOT

_USUAL_PLACES = ("/usr/lib/postgresql", "/usr/local/opt", "/opt/homebrew/opt")


class PostgresError(Exception):
    """PostgreSQL is missing or would not start; the text says what to do."""


def find_programs() -> Path | None:
    """The folder that holds PostgreSQL's server programs, the newest version there is."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    for place in _USUAL_PLACES:
        found += [path.parent for path in sorted(Path(place).glob("*/bin/initdb"), reverse=True)]
    # A lone initdb on PATH is of no use without the server beside it.
    return next((folder for folder in found if (folder / "postgres").exists()), None)


@contextlib.contextmanager
def temporary_cluster() -> Iterator[str]:
    """The DATABASE_URL of a fresh server, which is stopped and deleted at the end."""
    programs = find_programs()
    if programs is None:
        raise PostgresError(
            "PostgreSQL's server programs were not found.\n"
            "  On Debian and Ubuntu:  sudo apt install postgresql\n"
            "  On macOS:              brew install postgresql"
        )
    # Short, because a unix socket's path is limited, and lower case, because host names are.
    folder = Path(tempfile.mkdtemp(prefix="gradus-pg-", dir="/tmp"))
    user = _server_user()
    try:
        if user is not None:
            shutil.chown(folder, user)
        _make_files(programs, folder, user)
        with _server(programs, folder, user):
            yield f"postgres://gradus@{quote(str(folder), safe='')}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_files(programs: Path, folder: Path, user: str | None) -> None:
    answer = subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", "gradus", "--auth=trust", "--no-sync"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
        check=False,
    )
    if answer.returncode != 0:
        raise PostgresError(f"initdb failed:\n{answer.stdout}{answer.stderr}")


@contextlib.contextmanager
def _server(programs: Path, folder: Path, user: str | None) -> Iterator[None]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        # Nothing here has to survive a power cut.
        **dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off"),
    }
    log = folder / "server.log"
    guard = [sys.executable, "-S", "-m", "tools.guard", "--grace=3", f"--remove={folder}"]
    guard += [f"--user={user}"] if user else []
    command = [str(programs / "postgres"), "-D", str(folder / "data")]
    command += [f"--{name}={value}" for name, value in settings.items()]
    with (
        log.open("ab") as output,
        subprocess.Popen(
            [*guard, "--", *command],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as server,
    ):
        deadline = time.monotonic() + 30
        while not _accepts(programs, folder):
            if server.poll() is not None or time.monotonic() > deadline:
                raise PostgresError(f"postgres did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        yield  # leaving closes the guard's standard input, which ends the server


def _accepts(programs: Path, folder: Path) -> bool:
    answer = subprocess.run(
        [programs / "pg_isready", "--quiet", "-h", folder, "-U", "gradus"], check=False
    )
    return answer.returncode == 0


def _server_user() -> str | None:
    """Whom the server runs as: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise PostgresError("PostgreSQL does not run as root, and there is no user postgres or nobody.")
