"""Full waves only."""
# caught by: waves_and_tiles, ragged_grids
# hint: The rest needs a wave as well: round up.


# %% quantisation
def wave_efficiency(blocks, sms, blocks_per_sm):
    """The share of block slots, over all waves, that have a block."""
    wave = sms * blocks_per_sm
    return blocks / (max(1, blocks // wave) * wave)


def tile_efficiency(M, N, tm, tn):
    """The share of the computed elements that belong to the M×N result."""
    return M * N / (math.ceil(M / tm) * tm * math.ceil(N / tn) * tn)
