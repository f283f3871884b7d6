"""Where things lie in this checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
ZYGOTES = ROOT / ".zygotes"
NODE = ROOT / ".node"  # only where the machine has no Node of its own
FUZZ = ROOT / ".fuzz"  # what only `make fuzz` needs, and what it found
FRONTEND = ROOT / "frontend"


def home() -> Path:
    """The folder of runtime data: GRADUS_HOME, or var/ in the checkout."""
    return Path(os.environ.get("GRADUS_HOME") or ROOT / "var").absolute()


def logs() -> Path:
    return home() / "log"


def shown(path: Path) -> str:
    """The path as a person in the checkout would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
