"""The inner backward pass runs on xs themselves and leaks into the graph around it."""
# caught by: checkpointing
# hint: Use fresh leaves inside the pullback; else what is before the checkpoint gets its gradient twice.


# %% checkpoint
def checkpoint(f, *xs):
    """f(*xs), with everything inside f forgotten and computed again in the backward pass."""
    value = f(*[x.detach() for x in xs]).data

    def pullback(g):
        copies = list(xs)
        f(*copies).backward(g)
        return tuple(
            np.zeros_like(copy.data) if copy.grad is None else copy.grad for copy in copies
        )

    return record(value, xs, pullback)
