"""The probabilities are divided by the temperature and scaled again."""
# caught by: softmax_values
# hint: The temperature divides the logits, not the probabilities.


# %% softmax
def softmax(x, axis=-1, temperature=1.0):
    """Probabilities proportional to exp(x / temperature) along `axis`; the shape of x."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True)) / temperature
    return e / np.sum(e, axis=axis, keepdims=True)
