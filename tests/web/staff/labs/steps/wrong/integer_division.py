"""Halves with whole numbers only."""
# caught by: halves
# hint: // throws the remainder away.


# %% halve
def halve(x):
    return x // 2
