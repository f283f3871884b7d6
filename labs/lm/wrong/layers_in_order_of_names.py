"""Layers are taken in the order of their names: 0, 1, 10, 11, 2, …."""
# caught by: lm_values
# hint: Numbers in names are not sorted as numbers: range(cfg['layers']).


# %% lm-forward
def lm_forward(ids, p, cfg):
    """Logits (B, S, V) for the token after each of ids (B, S)."""
    x = p["embed"][ids]
    for layer in sorted({name.split(".")[1] for name in p if name.startswith("layers")}):
        x = block(x, layer_weights(p, layer), cfg)
    return rmsnorm(x, p["norm"], cfg["eps"]) @ p["head"]
