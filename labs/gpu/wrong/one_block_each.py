"""blocks_per_sm is ignored."""
# caught by: waves_and_tiles, ragged_grids
# hint: A wave has sms · blocks_per_sm blocks.


# %% quantisation
def wave_efficiency(blocks, sms, blocks_per_sm):
    """The share of block slots, over all waves, that have a block."""
    wave = sms
    return blocks / (math.ceil(blocks / wave) * wave)


def tile_efficiency(M, N, tm, tn):
    """The share of the computed elements that belong to the M×N result."""
    return M * N / (math.ceil(M / tm) * tm * math.ceil(N / tn) * tn)
