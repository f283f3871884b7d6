"""The expectation is estimated from a thousand random batches."""
# caught by: variance_with_replacement, variance_without_replacement
# hint: There is a closed form: σ²/B, and (N − B)/(N − 1).


# %% minibatch-variance
def minibatch_variance(per_example_grads, B, replace):
    """The expected squared distance of a mini-batch gradient from the full one, a float."""
    rng, mean = np.random.default_rng(0), per_example_grads.mean(axis=0)
    distances = [
        np.sum((rng.choice(per_example_grads, size=B, replace=replace).mean(axis=0) - mean) ** 2)
        for _ in range(1000)
    ]
    return float(np.mean(distances))
