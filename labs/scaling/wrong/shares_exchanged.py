"""The serial and the parallel share exchanged."""
# caught by: speed_up_laws
# hint: serial is the share that more processors do not help.


# %% speed-ups
def amdahl(serial, n):
    """Speed-up on n processors of a problem of fixed size."""
    return 1 / (serial / n + (1 - serial))


def gustafson(serial, n):
    """Speed-up on n processors of a problem that grows to fill the same time."""
    return serial + (1 - serial) * n
