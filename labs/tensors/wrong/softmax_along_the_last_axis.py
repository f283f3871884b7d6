"""The sum runs along the last axis whatever `axis` says."""
# caught by: softmax_values
# hint: Maximum and sum both run along `axis`.


# %% softmax
def softmax(x, axis=-1, temperature=1.0):
    """Probabilities proportional to exp(x / temperature) along `axis`; the shape of x."""
    z = x / temperature
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)
