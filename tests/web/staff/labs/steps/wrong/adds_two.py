"""Adds two instead of doubling."""
# caught by: doubles
# hint: Twice, not two more.


# %% double
def double(x):
    return x + 2
