"""Gustafson without its serial part."""
# caught by: speed_up_laws
# hint: The serial share counts once: f + (1 − f)·n.


# %% speed-ups
def amdahl(serial, n):
    """Speed-up on n processors of a problem of fixed size."""
    return 1 / (serial + (1 - serial) / n)


def gustafson(serial, n):
    """Speed-up on n processors of a problem that grows to fill the same time."""
    return (1 - serial) * n
