"""The seed is always 1."""
# caught by: used_twice
# hint: backward(grad) starts with grad.


# %% backpropagate
def backpropagate(out, grad=None):
    """Adds the gradient of `out`, weighted with `grad`, to the `.grad` of every leaf that requires it."""
    if not out.requires_grad:
        raise ValueError("nothing that this tensor was made from requires gradients")
    if grad is None:
        if out.data.size != 1:
            raise ValueError(f"a tensor of shape {out.shape} needs an explicit grad")
        grad = np.ones_like(out.data)
    grad = np.asarray(grad)
    if grad.shape != out.shape:
        raise ValueError(f"grad has shape {grad.shape}, the tensor {out.shape}")
    arrived = {id(out): np.ones_like(out.data)}
    for node in reversed(topo_order(out)):
        g = arrived.pop(id(node), None)
        if g is None:
            continue
        if not node.parents:
            node.grad = np.array(g) if node.grad is None else node.grad + g
            continue
        for parent, piece in zip(node.parents, node.pullback(g)):
            if parent.requires_grad:
                before = arrived.get(id(parent))
                arrived[id(parent)] = piece if before is None else before + piece
