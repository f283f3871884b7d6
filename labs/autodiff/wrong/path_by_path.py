"""Every piece is pushed to the leaves at once, path by path."""
# caught by: stacked_diamonds (timed_out)
# hint: Wait until everything has arrived at a tensor, then pass the total on, once.


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
    todo = [(out, grad)]
    while todo:
        node, g = todo.pop()
        if not node.parents:
            node.grad = np.array(g) if node.grad is None else node.grad + g
            continue
        pieces = zip(node.parents, node.pullback(g))
        todo.extend((parent, piece) for parent, piece in pieces if parent.requires_grad)
