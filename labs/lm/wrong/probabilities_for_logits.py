"""A softmax is applied to the logits."""
# caught by: lm_values
# hint: Logits: the loss takes the logarithm of the softmax itself.


# %% lm-forward
def lm_forward(ids, p, cfg):
    """Logits (B, S, V) for the token after each of ids (B, S)."""
    x = p["embed"][ids]
    for layer in range(cfg["layers"]):
        x = block(x, layer_weights(p, layer), cfg)
    return (rmsnorm(x, p["norm"], cfg["eps"]) @ p["head"]).softmax(-1)
