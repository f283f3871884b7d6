"""The embeddings are multiplied with √D, as in the first transformer."""
# caught by: lm_values
# hint: Rows of embed as they are.


# %% lm-forward
def lm_forward(ids, p, cfg):
    """Logits (B, S, V) for the token after each of ids (B, S)."""
    x = p["embed"][ids] * math.sqrt(cfg["dim"])
    for layer in range(cfg["layers"]):
        x = block(x, layer_weights(p, layer), cfg)
    return rmsnorm(x, p["norm"], cfg["eps"]) @ p["head"]
