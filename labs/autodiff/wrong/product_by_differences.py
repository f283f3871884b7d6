"""Hv as a difference of two gradients: half of the digits are gone."""
# caught by: hessian_vector
# hint: Push a dual through the backward pass: no step, no rounding.


# %% hvp
def hvp(f, x, v):
    """The Hessian of f at x times v, shape (n,); f takes a Tensor of shape (n,) and returns one number."""
    h = 1e-5
    ends = [Tensor(x + step * v, requires_grad=True) for step in (h, -h)]
    for end in ends:
        f(end).backward()
    return (ends[0].grad - ends[1].grad) / (2.0 * h)
