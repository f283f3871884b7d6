"""Every layer uses the weights of the first."""
# caught by: lm_values
# hint: layer_weights(p, layer).


# %% lm-forward
def lm_forward(ids, p, cfg):
    """Logits (B, S, V) for the token after each of ids (B, S)."""
    x = p["embed"][ids]
    for layer in range(cfg["layers"]):
        x = block(x, layer_weights(p, 0), cfg)
    return rmsnorm(x, p["norm"], cfg["eps"]) @ p["head"]
