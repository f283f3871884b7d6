"""A wave is added even when all blocks fit."""
# caught by: ragged_grids
# hint: n blocks in waves of w: ceil(n / w), not n // w + 1.


# %% quantisation
def wave_efficiency(blocks, sms, blocks_per_sm):
    """The share of block slots, over all waves, that have a block."""
    wave = sms * blocks_per_sm
    return blocks / ((blocks // wave + 1) * wave)


def tile_efficiency(M, N, tm, tn):
    """The share of the computed elements that belong to the M×N result."""
    return M * N / (math.ceil(M / tm) * tm * math.ceil(N / tn) * tn)
