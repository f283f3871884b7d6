"""The exponentials of huge logits overflow."""
# caught by: softmax_values
# hint: Subtract the maximum of each slice before exp.


# %% softmax
def softmax(x, axis=-1, temperature=1.0):
    """Probabilities proportional to exp(x / temperature) along `axis`; the shape of x."""
    z = x / temperature
    e = np.exp(z)
    return e / np.sum(e, axis=axis, keepdims=True)
