"""A smallest whole lab, written into a folder so that tests can spoil it."""

from pathlib import Path

TOML = """title = "Squares"
summary = "One function."
topic = "Arithmetic"
week = 3
points = 5
zygote = "numpy"
forbid = ["torch"]

[limits]
check_wall_seconds = 2.5

[[papers]]
title = "On squares"
authors = "Somebody"
year = 1999
url = "https://example.org/"

[[exercises]]
id = "E1"
title = "Square"
points = 5
minutes = 10
cells = ["square"]
"""

PAGE = '''# %% [markdown]
# # Squares
#
# $x^2$

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}
from labkit import check


# %% nbgrader={"grade": false, "grade_id": "square", "locked": false, "schema_version": 3, "solution": true}
def square(x):
    """x times x."""
    ### BEGIN SOLUTION
    return x * x
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-squares", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("squares")

# %% nbgrader={"grade": true, "grade_id": "check-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("hidden")
'''

CHECKS = '''import numpy as np

from grader.checks import check


@check(exercise="E1", points=2, inputs=lambda rng: {"x": rng.standard_normal(3)}, hint="x times x")
def squares(lab, x):
    """Squares of an array.

    More about it.
    """
    return {"square": lab.square(x)}


@check(
    exercise="E1",
    points=3,
    trials=2,
    inputs=lambda rng: {"x": float(rng.uniform(1, 2))},
    hidden=True,
    needs=("squares",),
    hint="a float",
)
def hidden(lab, x):
    """A single number."""
    return {"square": lab.square(-x)}
'''

ORACLE = """import numpy as np


def by_addition(lab, rng):
    n = int(rng.integers(1, 9))
    assert lab.square(n) == sum([n] * n)
"""

WRONG = '''"""{about}"""
# caught by: squares, hidden (not_reached)
# hint: {about}

# %% square
def square(x):
    return {expression}
'''

CHEAT = '''"""Gives up: {expression}."""

# %% square
def square(x):
    return {expression}
'''


def write_tiny_lab(place: Path, **changes: str) -> Path:
    """The lab in `place`/tiny; `changes` replaces whole files by their stem, e.g. toml=…"""
    folder = place / "tiny"
    for sub in ("wrong", "cheats"):
        (folder / sub).mkdir(parents=True)
    files = {"toml": TOML, "page": PAGE, "checks": CHECKS, "oracle": ORACLE} | changes
    (folder / "lab.toml").write_text(files["toml"])
    (folder / "lab.py").write_text(files["page"])
    (folder / "checks.py").write_text(files["checks"])
    (folder / "oracle.py").write_text(files["oracle"])
    for number, wrong in enumerate(("2 * x", "x + x + 1", "x**3", "abs(x)", "x * x + 1")):
        about = f"Computes {wrong}."
        (folder / "wrong" / f"wrong_{number}.py").write_text(
            WRONG.format(about=about, expression=wrong)
        )
    for number, cheat in enumerate(("'right'", "[x]", "object()")):
        (folder / "cheats" / f"cheat_{number}.py").write_text(CHEAT.format(expression=cheat))
    return folder
