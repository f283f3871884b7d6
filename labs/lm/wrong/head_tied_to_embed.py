"""The embedding is used as head."""
# caught by: lm_values
# hint: This model has a head of its own: p['head'], (D, V).


# %% lm-forward
def lm_forward(ids, p, cfg):
    """Logits (B, S, V) for the token after each of ids (B, S)."""
    x = p["embed"][ids]
    for layer in range(cfg["layers"]):
        x = block(x, layer_weights(p, layer), cfg)
    return rmsnorm(x, p["norm"], cfg["eps"]) @ p["embed"].transpose(0, 1)
