"""Only one side is padded."""
# caught by: waves_and_tiles
# hint: Both sides end inside a tile.


# %% quantisation
def wave_efficiency(blocks, sms, blocks_per_sm):
    """The share of block slots, over all waves, that have a block."""
    wave = sms * blocks_per_sm
    return blocks / (math.ceil(blocks / wave) * wave)


def tile_efficiency(M, N, tm, tn):
    """The share of the computed elements that belong to the M×N result."""
    return M * N / (math.ceil(M / tm) * tm * N)
