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
from tools.services import gradus_services
from tools.steps import StepError
from tools.supervisor import StartError, Supervisor


class _Run:
    """One `make run`, from set-up to the end, and what a signal means at each moment."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._supervisor: Supervisor | None = None
        self._signals = 0

    async def everything(self, host: str, port: int, lock: Lock, listener: socket.socket) -> None:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._asked_to_stop, task)
        url = f"http://{'localhost' if host in ('0.0.0.0', '::') else host}:{port}/"  # noqa: S104
        lock.describe(url=url)
        await set_up(software_steps(), self._console)
        if os.environ.get("DATABASE_URL"):
            self._console.note("preparing the database that DATABASE_URL names")
            await prepare_database(self._console.say)
        else:
            await set_up([database_step(self._console)], self._console)
        services = gradus_services(listener, host)
        self._supervisor = Supervisor(services, self._console, logs())
        accounts = home() / "demo-accounts.txt"
        await self._supervisor.run(
            lambda seconds: self._console.running(url, seconds, accounts, logs())
        )

    def _asked_to_stop(self, task: asyncio.Task[None]) -> None:
        self._signals += 1
        if self._signals == 1:
            self._console.say()
            self._console.note("stopping; once more to stop without waiting")
            task.cancel()
        elif self._supervisor is not None:
            self._supervisor.kill()


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
            asyncio.run(_Run(console).everything(host, port, lock, listener))
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
