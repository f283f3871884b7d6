"""Intermediate tensors keep their .grad, and the next backward passes it on again."""
# caught by: repeated_backward
# hint: Keep the gradients that are on their way in a dictionary of this call; only leaves have a .grad.


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
    out.grad = np.array(grad) if out.grad is None else out.grad + grad
    for node in reversed(topo_order(out)):
        if node.parents:
            for parent, piece in zip(node.parents, node.pullback(node.grad)):
                if parent.requires_grad:
                    parent.grad = np.array(piece) if parent.grad is None else parent.grad + piece
