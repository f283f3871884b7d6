"""Progress of several things at once: one moving line each on a terminal, else a line now and then."""

import asyncio
import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator

from tools.console import Console

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SECONDS_BETWEEN_LINES = 10.0  # where nothing can be rewritten


class Line:
    """One running step: what it is called, since when, and what it is doing now."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.began = time.monotonic()
        self.said_at = self.began
        self.doing = ""
        self.count: Callable[[], str] | None = None  # asked whenever the line is shown
        self.results: list[str] = []  # shown below the line when it is done

    def show(self, doing: str) -> None:
        self.doing = doing

    def text(self) -> str:
        seconds = int(time.monotonic() - self.began)
        parts = [part for part in (self.count() if self.count else "", self.doing) if part]
        return f"{self.name:<18} {seconds // 60}:{seconds % 60:02}  {' · '.join(parts)}"


class Progress:
    """Draws the running lines from a thread of its own, so that a busy event loop still shows life."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lines: list[Line] = []
        self._drawn = 0
        self._frame = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def line(self, name: str) -> Iterator[Line]:
        line = Line(name)
        with self._lock:
            self._lines.append(line)
            if not self._console.is_terminal:
                self._console.say(f"  · {name} …")
            if self._thread is None:
                self._thread = threading.Thread(target=self._draw_on, daemon=True)
                self._thread.start()
        mark, colour = "✗", 31
        try:
            yield line
            mark, colour = "✓", 32
        except asyncio.CancelledError:
            mark, colour = "· stopped:", 33
            raise
        finally:
            with self._lock:
                self._erase()
                self._lines.remove(line)
                seconds = time.monotonic() - line.began
                self._console.say(f"  {self._console.paint(mark, colour)} {name} ({seconds:.1f} s)")
                for result in line.results:
                    self._console.say(f"    {result}")
                self._draw()

    def _draw_on(self) -> None:
        while True:
            time.sleep(0.12)
            with self._lock:
                if not self._lines:
                    self._thread = None
                    return
                self._frame += 1
                if self._console.is_terminal:
                    self._erase()
                    self._draw()
                    continue
                now = time.monotonic()
                for line in self._lines:
                    if now - line.said_at >= _SECONDS_BETWEEN_LINES:
                        line.said_at = now
                        self._console.say(f"  … {line.text()}")

    def _draw(self) -> None:
        if self._console.is_terminal and self._lines:
            width = shutil.get_terminal_size().columns - 5
            frame = _FRAMES[self._frame % len(_FRAMES)]
            for line in self._lines:
                self._console.say(f"  {frame} {line.text()[:width]}")
            self._drawn = len(self._lines)

    def _erase(self) -> None:
        if self._drawn:
            self._console.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0
