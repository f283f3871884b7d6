"""Starts services in order, waits until they are healthy, restarts what dies, and stops all of it.

Each service runs below a guard (guard.py) in a session of its own. That makes the supervisor short:
it closes a lifeline and the guard sees to the rest, and when the supervisor itself is killed the
kernel closes the lifelines for it.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.checkout import ROOT, shown
from tools.console import Console, LogFile
from tools.family import adopt_orphans, descendants

STABLE_SECONDS = 10.0  # who lived this long is restarted at once when it dies
LONGEST_WAIT_SECONDS = 30.0
HOPELESS_STARTS = 4  # who died this often without ever being healthy will not recover
_CHUNK = 64 * 1024


class StartError(Exception):
    """A service could not be made healthy; the text says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class Service:
    """One process to keep running.

    `missing(seconds since it was started)` says what it still lacks to be healthy, "" for nothing;
    without it, a service is healthy once it has lived for a moment.
    """

    name: str
    command: Sequence[str]
    missing: Callable[[float], Awaitable[str]] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    starts_after: tuple[str, ...] = ()  # waits until these are healthy
    stops_before: tuple[str, ...] = ()  # ends while these still run
    grace_seconds: float = 10.0
    keep_descriptors: tuple[int, ...] = ()
    remove_at_end: tuple[Path, ...] = ()
    quiet: bool = False  # its lines go to its log only


class _Running:
    """What the supervisor knows about one service now."""

    def __init__(self, service: Service, log: LogFile) -> None:
        self.service = service
        self.log = log
        self.guard: subprocess.Popen[bytes] | None = None
        self.ended = asyncio.Event()  # the guard did, and has been reaped
        self.healthy = asyncio.Event()
        self.was_healthy = False
        self.reason = "not started yet"
        self.started_at = 0.0
        self.starts_in_a_row = 0
        self.last_lines: deque[str] = deque(maxlen=15)

    @property
    def alive(self) -> bool:
        return self.guard is not None and self.guard.returncode is None


class Supervisor:
    """Keeps a set of services running; `run` does everything."""

    def __init__(
        self,
        services: Sequence[Service],
        console: Console,
        log_folder: Path,
        healthy_within_seconds: float = 120.0,
    ) -> None:
        self._console = console
        self._healthy_within = healthy_within_seconds
        self._all = {
            service.name: _Running(service, LogFile(log_folder / f"{service.name}.log"))
            for service in services
        }
        self._stopping = False
        self._began = time.monotonic()

    async def run(self, when_healthy: Callable[[float], None]) -> None:
        """Run until cancelled. Raises StartError when the services do not become healthy."""
        adopt_orphans()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._notice_the_dead)
        forever = asyncio.gather(*(self._keep(running) for running in self._all.values()))
        healthy = asyncio.create_task(self._wait_until_healthy())
        try:
            first: list[asyncio.Future[Any]] = [healthy, forever]
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if healthy.done():
                healthy.result()
                when_healthy(time.monotonic() - self._began)
            await asyncio.shield(forever)  # its output is relayed until the very end
        finally:
            self._stopping = True
            healthy.cancel()
            await self._stop()
            forever.cancel()
            await asyncio.gather(healthy, forever, return_exceptions=True)
            for running in self._all.values():
                running.log.close()

    def kill(self) -> None:
        """Do not wait any longer: for the second Ctrl-C."""
        for running in self._all.values():
            if running.alive and running.guard is not None:
                running.guard.send_signal(signal.SIGTERM)

    def _notice_the_dead(self) -> None:
        for running in self._all.values():
            if running.guard is not None and running.guard.poll() is not None:
                running.ended.set()

    async def _keep(self, running: _Running) -> None:
        for name in running.service.starts_after:
            await self._all[name].healthy.wait()
        while not self._stopping:
            guard = self._start(running)
            helpers = [
                asyncio.create_task(self._relay(running, guard)),
                asyncio.create_task(self._watch_health(running)),
            ]
            try:
                await running.ended.wait()
                running.healthy.clear()
                self._kill_strays()
                await asyncio.wait(helpers[:1], timeout=1)  # its last words
            finally:
                for helper in helpers:
                    helper.cancel()
            if not self._stopping:
                await self._pause_before_restart(running, guard.returncode)

    def _start(self, running: _Running) -> subprocess.Popen[bytes]:
        service = running.service
        options = [f"--grace={service.grace_seconds}"]
        options += [f"--keep-descriptor={number}" for number in service.keep_descriptors]
        options += [f"--remove={path}" for path in service.remove_at_end]
        running.ended.clear()
        running.started_at = time.monotonic()
        running.reason = "starting"
        running.guard = subprocess.Popen(
            [sys.executable, "-S", "-m", "tools.guard", *options, "--", *service.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, **service.environment},
            pass_fds=service.keep_descriptors,
            start_new_session=True,
        )
        return running.guard

    async def _relay(self, running: _Running, guard: subprocess.Popen[bytes]) -> None:
        """Copy the service's lines to the console and its log until it closes them."""
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), guard.stdout
        )
        try:
            rest = b""
            while chunk := await reader.read(_CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > _CHUNK:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    self._line(running, line)
            if rest:
                self._line(running, rest)
        finally:
            transport.close()

    def _line(self, running: _Running, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        running.last_lines.append(text)
        running.log.write(text)
        if not running.service.quiet:
            self._console.service_line(running.service.name, text)

    async def _watch_health(self, running: _Running) -> None:
        name = running.service.name
        while reason := await self._missing(running):
            running.reason = reason
            await asyncio.sleep(0.1)
        if running.was_healthy:
            self._console.note(f"{name} is back")
        else:
            self._console.healthy(name, time.monotonic() - self._began)
        running.was_healthy = True
        running.healthy.set()

    async def _missing(self, running: _Running) -> str:
        alive_seconds = time.monotonic() - running.started_at
        if running.service.missing is not None:
            return await running.service.missing(alive_seconds)
        return "" if alive_seconds > 0.5 else "starting"

    async def _pause_before_restart(self, running: _Running, code: int) -> None:
        name, log = running.service.name, shown(running.log.path)
        lived = time.monotonic() - running.started_at
        running.starts_in_a_row = 1 if lived > STABLE_SECONDS else running.starts_in_a_row + 1
        if not running.was_healthy and running.starts_in_a_row >= HOPELESS_STARTS:
            raise StartError(
                f"{name} {_how_it_ended(code)}, {running.starts_in_a_row} times in a row, and "
                f"never became healthy. Its last lines (all of them: {log}):\n"
                + "\n".join(f"    {line}" for line in running.last_lines)
            )
        wait = min(LONGEST_WAIT_SECONDS, 0.2 * 3 ** (running.starts_in_a_row - 1))
        often = f", {running.starts_in_a_row} times in a row" if running.starts_in_a_row > 1 else ""
        again = "starting it again" if wait < 1 else f"starting it again in {wait:.0f} s"
        self._console.problem(f"{name} {_how_it_ended(code)}{often}; {again} (log: {log})")
        running.reason = f"{_how_it_ended(code)}{often}"
        await asyncio.sleep(wait)

    async def _wait_until_healthy(self) -> None:
        deadline = self._began + self._healthy_within
        said = self._began
        while waiting := [one for one in self._all.values() if not one.was_healthy]:
            now = time.monotonic()
            if now > deadline:
                raise StartError(
                    f"Not healthy after {self._healthy_within:.0f} s:\n"
                    + "\n".join(
                        f"    {one.service.name}: {one.reason} (log: {shown(one.log.path)})"
                        for one in waiting
                    )
                )
            if now - said > 3:
                said = now
                self._console.waiting({one.service.name: one.reason for one in waiting})
            await asyncio.sleep(0.05)

    def _kill_strays(self) -> None:
        """A guard that was killed left its family to us: end what belongs to no living guard."""
        guards = {one.guard.pid for one in self._all.values() if one.alive and one.guard}
        ours = set(guards).union(*(descendants(guard) for guard in guards))
        for pid in descendants(os.getpid()) - ours:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):  # not ours until its parent is reaped
                os.waitpid(pid, os.WNOHANG)

    async def _stop(self) -> None:
        """End everything in order, each in its own time, so that a worker can still report."""
        left = set(self._all)
        while left:
            blocked = {later for name in left for later in self._all[name].service.stops_before}
            layer = (left - blocked) or left
            await asyncio.gather(*(self._stop_one(self._all[name]) for name in layer))
            left -= layer
        self._kill_strays()

    async def _stop_one(self, running: _Running) -> None:
        guard = running.guard
        if guard is None or guard.returncode is not None:
            return
        assert guard.stdin is not None
        guard.stdin.close()  # the lifeline
        late = asyncio.get_running_loop().call_later(
            3.0, self._console.note, f"waiting for {running.service.name} to finish …"
        )
        try:
            await asyncio.wait_for(running.ended.wait(), running.service.grace_seconds + 10)
        except TimeoutError:
            guard.kill()
            await running.ended.wait()
        finally:
            late.cancel()


def _how_it_ended(code: int) -> str:
    if code > 128:
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(code - 128).name}"
    if code < 0:
        return f"was killed with its guard by {signal.Signals(-code).name}"
    return f"ended with exit status {code}"
