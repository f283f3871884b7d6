"""What the person at the terminal sees, and the log files where all of it is kept."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from tools.checkout import shown

_COLOURS = {"redis": 31, "web": 36, "worker": 33, "beat": 35}
_GREEN, _RED, _YELLOW, _FAINT, _BOLD = 32, 31, 33, 2, 1


class LogFile:
    """A service's log: appended to, and moved to `<name>.log.1` when it has grown too big."""

    def __init__(self, path: Path, max_bytes: int = 5 * 1024 * 1024) -> None:
        self.path = path
        self._max_bytes = max_bytes
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", errors="replace", buffering=1)
        self._file.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} started\n")

    def write(self, line: str) -> None:
        if self._file.tell() > self._max_bytes:
            self._file.close()
            self.path.replace(self.path.with_name(self.path.name + ".1"))
            self._file = self.path.open("w", encoding="utf-8", errors="replace", buffering=1)
        self._file.write(line + "\n")

    def close(self) -> None:
        self._file.close()


class Console:
    """Lines for a person; colours only on a terminal, and not where NO_COLOR asks for none."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self.is_terminal = self._stream.isatty()
        self._coloured = self.is_terminal and not os.environ.get("NO_COLOR")

    def paint(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured else text

    def say(self, text: str = "") -> None:
        self.write(text + "\n")

    def write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (BrokenPipeError, OSError):
            # The terminal went away (`make run | head`): the log files still have everything.
            self._stream = Path(os.devnull).open("w")  # noqa: SIM115  kept until we end

    def service_line(self, name: str, text: str) -> None:
        self.say(f"{self.paint(f'{name:>7} │', _COLOURS.get(name, 34))} {text}")

    def healthy(self, name: str, seconds: float) -> None:
        self.say(f"  {self.paint('✓', _GREEN)} {name} is healthy ({seconds:.1f} s)")

    def waiting(self, reasons: Mapping[str, str]) -> None:
        still = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        self.say(f"  {self.paint('…', _YELLOW)} waiting for {still}")

    def note(self, text: str) -> None:
        self.say(f"  {self.paint('·', _YELLOW)} {text}")

    def problem(self, text: str) -> None:
        self.say(f"  {self.paint('!', _RED)} {text}")

    def running(self, url: str, seconds: float, accounts: Path, logs: Path) -> None:
        self.say()
        self.say(
            f"  {self.paint('Gradus is running:', _BOLD)} {self.paint(url, _BOLD)}   ({seconds:.1f} s)"
        )
        if accounts.exists():
            self.say(f"  Demo accounts: {shown(accounts)} (readable by you alone)")
        self.say(self.paint(f"  Logs: {shown(logs)}/   Stop: Ctrl-C", _FAINT))
        self.say()
