"""Nothing is normalised before the head."""
# caught by: lm_values
# hint: One more norm after the layers, with the gain p['norm'].


# %% lm-forward
def lm_forward(ids, p, cfg):
    """Logits (B, S, V) for the token after each of ids (B, S)."""
    x = p["embed"][ids]
    for layer in range(cfg["layers"]):
        x = block(x, layer_weights(p, layer), cfg)
    return x @ p["head"]
