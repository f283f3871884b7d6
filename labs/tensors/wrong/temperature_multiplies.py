"""The logits are multiplied by the temperature."""
# caught by: softmax_values
# hint: A high temperature makes the distribution flat: divide.


# %% softmax
def softmax(x, axis=-1, temperature=1.0):
    """Probabilities proportional to exp(x * temperature) along `axis`; the shape of x."""
    z = x * temperature
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)
