"""detach returns the tensor itself, so gradients still pass."""
# caught by: repeated_backward
# hint: detach makes a new tensor with the same data and no parents.


# %% leaves
def detach(tensor):
    return tensor


def zero_grad(tensor):
    tensor.grad = None
