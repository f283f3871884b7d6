"""Checks of the lab that the staff pages are tested with."""

from grader.checks import check


@check(exercise="E1", points=4, trials=3, inputs=lambda rng: {"x": rng.standard_normal(4)})
def doubles(lab, x):
    """Twice as much."""
    return {"y": lab.double(x)}


@check(exercise="E2", points=4, trials=3, inputs=lambda rng: {"x": rng.standard_normal(4)})
def halves(lab, x):
    """Half as much."""
    return {"y": lab.halve(x)}


@check(exercise="E2", points=2, hidden=True, needs=("halves",), inputs=lambda rng: {"x": 0.0})
def halves_zero(lab, x):
    """Half of nothing."""
    return {"y": lab.halve(x)}
