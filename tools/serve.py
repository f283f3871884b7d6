"""`make run`: set up what is missing, start everything, wait until it is healthy, stop it cleanly."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

from tools.bootstrap import database_step, prepare_database, set_up, software_steps
from tools.checkout import home, logs
from tools.console import Console
from tools.family import LINUX, die_with_parent
from tools.lock import BusyError, Lock, locked
from tools.ports import PortTakenError, listen
from tools.services import gradus_services, reachable
from tools.steps import StepError
from tools.stopping import Stopper
from tools.supervisor import StartError, Supervisor


async def _run(console: Console, host: str, lock: Lock, listener: socket.socket) -> None:
    """From set-up to the end; ends by being cancelled."""
    task = asyncio.current_task()
    assert task is not None
    stopper = Stopper(task, console)
    url = f"http://{reachable(host)}:{listener.getsockname()[1]}/"
    lock.describe(url=url)
    try:
        await _prepare(console)
    except asyncio.CancelledError:
        raise StepError("Stopped before everything was set up; `make run` continues.") from None
    (home() / "static").mkdir(exist_ok=True)  # or the site warns that it serves no files from there
    supervisor = Supervisor(gradus_services(listener, host), console, logs())
    stopper.at_once = supervisor.kill
    accounts = home() / "demo-accounts.txt"
    await supervisor.run(lambda seconds: console.running(url, seconds, accounts, logs()))


async def _prepare(console: Console) -> None:
    await set_up(software_steps(), console)
    if os.environ.get("DATABASE_URL"):
        console.note("preparing the database that DATABASE_URL names")
        await prepare_database(lambda text: console.say(f"    {text.removeprefix('> ')}"))
    else:
        await set_up([database_step()], console)


def main() -> int:
    console = Console()
    host = os.environ.get("HOST") or "127.0.0.1"
    try:
        port = int(os.environ.get("PORT") or 8000)
    except ValueError:
        console.problem("PORT must be a number:  make run PORT=8001")
        return 2
    _end_with_make()
    home().mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with (
            locked(home() / "run.lock") as lock,
            contextlib.closing(listen(host, port)) as listener,
        ):
            asyncio.run(_run(console, host, lock, listener))
    except BusyError as busy:
        where = busy.holder.get("url", "starting")
        console.problem(
            f"Gradus is already running from this checkout: {where} "
            f"(process {busy.holder.get('pid', '?')}). Stop it there with Ctrl-C, or:"
            f"  kill {busy.holder.get('pid', '?')}"
        )
        return 1
    except (PortTakenError, StepError, StartError) as failure:
        console.problem(str(failure))
        return 1
    except asyncio.CancelledError:
        console.note("stopped")
    return 0


def _end_with_make() -> None:
    """If make is killed, stop too; make passes nothing on when it is killed with SIGKILL."""
    if LINUX and "MAKELEVEL" in os.environ:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{os.getppid()}/comm").read_text().strip() in ("make", "gmake"):
                die_with_parent(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
