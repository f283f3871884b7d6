"""A lab of one exercise and one check, written for a test: `def one(…)`, asked by `asked`."""

from pathlib import Path

from grader.sandbox.base import Sandbox
from labs.catalog import read_lab
from tests.grader.grading_desk import Desk

TOML = """title = "Gradients"
summary = "Two ranks."
topic = "Testing"
week = 1
points = 10
zygote = "{zygote}"

[limits]
notebook_wall_seconds = 15
check_wall_seconds = 8
memory_mib = 1024

[[exercises]]
id = "E1"
title = "One"
points = 10
minutes = 1
cells = ["one"]
"""
PAGE = """# %% nbgrader={{"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}}
{imports}
from labkit import check


# %% nbgrader={{"grade": false, "grade_id": "one", "locked": false, "schema_version": 3, "solution": true}}
def one({arguments}):
    ### BEGIN SOLUTION
{body}
    ### END SOLUTION


# %% nbgrader={{"grade": true, "grade_id": "ask", "locked": true, "points": 10, "schema_version": 3, "solution": false}}
check("asked")
"""

SIMPLE = '''from grader.checks import check


@check(exercise="E1", points=10, inputs=lambda rng: {{"x": {x}}}, hint="one"{more})
def asked(lab, x):
    """One."""
    return lab.one(x)
'''


def desk(
    sandbox: Sandbox, place: Path, checks: str, body: str, arguments: str = "x", torch: bool = False
) -> Desk:
    folder = place / "made"
    folder.mkdir()
    imports = "import torch" if torch else "import numpy as np"
    (folder / "lab.toml").write_text(TOML.format(zygote="torch" if torch else "numpy"))
    (folder / "lab.py").write_text(PAGE.format(imports=imports, arguments=arguments, body=body))
    (folder / "checks.py").write_text(checks)
    return Desk(sandbox, read_lab(folder))


def one(body: str, arguments: str) -> str:
    return f"def one({arguments}):\n{body}"
