"""Gustafson computed as Amdahl."""
# caught by: speed_up_laws
# hint: Gustafson adds up work in a fixed time: f + (1 − f)·n.


# %% speed-ups
def amdahl(serial, n):
    """Speed-up on n processors of a problem of fixed size."""
    return 1 / (serial + (1 - serial) / n)


def gustafson(serial, n):
    """Speed-up on n processors of a problem that grows to fill the same time."""
    return 1 / (serial + (1 - serial) / n)
