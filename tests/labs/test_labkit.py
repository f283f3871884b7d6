"""labkit in the student's world: light, and harmless wherever a notebook runs."""

import os
import subprocess
import sys

from labs.catalog import HOME


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(HOME)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_importing_labkit_imports_neither_torch_nor_numpy() -> None:
    program = "import sys, labkit; print({'torch', 'numpy'} & set(sys.modules))"
    assert run(program).strip() == "set()"


def test_without_a_runner_a_check_says_once_how_to_get_a_verdict() -> None:
    told = run("from labkit import check\nfor name in ('a', 'b'): check(name)")
    assert told == "check('a'): submit the notebook to see the verdicts of its checks.\n"


def test_with_a_runner_every_check_is_handed_to_it() -> None:
    program = "import labkit\nlabkit.use_runner(print)\nlabkit.check('a')\nlabkit.check('b')"
    assert run(program) == "a\nb\n"
