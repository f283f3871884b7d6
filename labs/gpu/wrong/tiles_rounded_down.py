"""Full tiles only."""
# caught by: waves_and_tiles
# hint: A tile that is partly filled is computed whole: round up.


# %% quantisation
def wave_efficiency(blocks, sms, blocks_per_sm):
    """The share of block slots, over all waves, that have a block."""
    wave = sms * blocks_per_sm
    return blocks / (math.ceil(blocks / wave) * wave)


def tile_efficiency(M, N, tm, tn):
    """The share of the computed elements that belong to the M×N result."""
    return M * N / (max(1, M // tm) * tm * max(1, N // tn) * tn)
