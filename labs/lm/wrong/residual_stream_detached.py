"""Between the layers the graph is cut."""
# caught by: lm_never_looks_ahead
# hint: No detach() between the layers: the weights of the first get no gradient.


# %% lm-forward
def lm_forward(ids, p, cfg):
    """Logits (B, S, V) for the token after each of ids (B, S)."""
    x = p["embed"][ids]
    for layer in range(cfg["layers"]):
        x = block(x.detach(), layer_weights(p, layer), cfg)
    return rmsnorm(x, p["norm"], cfg["eps"]) @ p["head"]
