"""Set-up as a graph of steps, each of which is done only when what it is made from has changed.

A step's stamp is written last and in one move. So an interrupted step has no stamp and is done again,
and a step whose product was deleted is done again too.
"""

import asyncio
import contextlib
import hashlib
import os
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.checkout import ROOT, logs, shown
from tools.progress import Line, Progress


class StepError(Exception):
    """Set-up cannot go on; the text says what failed and which command mends it."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to make. `product` identifies what is there now, None when it is missing."""

    name: str
    stamp: Path
    inputs: Callable[[], str]
    product: Callable[[], str | None]
    work: Callable[[Line], Awaitable[None]]
    after: tuple[str, ...] = ()

    def is_current(self) -> bool:
        product = self.product()
        if product is None or not self.stamp.exists():
            return False
        return self.stamp.read_text() == _fingerprint(self.inputs(), product)


async def carry_out(steps: Sequence[Step], progress: Progress) -> bool:
    """Do what is not current, side by side where nothing stands against it; True if anything was."""
    done = {step.name: asyncio.Event() for step in steps}
    changed = False

    async def one(step: Step) -> None:
        nonlocal changed
        for name in step.after:
            await done[name].wait()
        if not step.is_current():
            changed = True
            inputs = step.inputs()  # taken before the work: an edit meanwhile makes it stale again
            step.stamp.unlink(missing_ok=True)
            with progress.line(step.name) as line:
                await step.work(line)
            product = step.product()
            if product is None:
                raise StepError(f"{step.name}: ended without an error, but its result is missing.")
            write_stamp(step.stamp, _fingerprint(inputs, product))
        done[step.name].set()

    tasks = [asyncio.create_task(one(step)) for step in steps]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return changed


def _fingerprint(inputs: str, product: str) -> str:
    return hashlib.sha256(f"{inputs}\0{product}".encode()).hexdigest() + "\n"


def write_stamp(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)


def hash_files(paths: Iterable[Path], *words: str) -> str:
    """One hash over the files' paths and contents, and over the words."""
    digest = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        digest.update(f"\0{shown(path)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


async def run_logged(
    command: Sequence[str],
    *,
    log_name: str | None,
    on_line: Callable[[str], None],
    remedy: str,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> None:
    """Run a command, its whole output in a log if one is named; StepError when it fails."""
    log_path = logs() / f"{log_name}.log" if log_name else Path(os.devnull)
    log_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    tail: deque[str] = deque(maxlen=20)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        limit=1024 * 1024,
        start_new_session=True,  # Ctrl-C reaches us, and we end it with all that it started
    )
    assert process.stdout is not None
    try:
        with log_path.open("a", encoding="utf-8") as log:
            log.write(f"--- {' '.join(command)}\n")
            async for raw in process.stdout:
                line = raw.decode(errors="replace").rstrip()
                log.write(line + "\n")
                if line:
                    tail.append(line)
                    on_line(line)
        code = await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
        raise
    if code != 0:
        where = f", {shown(log_path)}" if log_name else ""
        end = "\n".join(f"    {line}" for line in tail)
        raise StepError(
            f"`{Path(command[0]).name} {' '.join(command[1:4])} …` failed (exit status {code}). "
            f"The end of its log{where}:\n{end}\n\n  {remedy}"
        )
