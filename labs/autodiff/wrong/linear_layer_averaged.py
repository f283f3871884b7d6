"""dW is divided by the number of rows."""
# caught by: linear_layer
# hint: The mean belongs to the loss: dY carries it already.


# %% linear-backward
def linear_backward(X, W, dY):
    """(dL/dX, dL/dW) of the layer Y = X W, given dL/dY."""
    return dY @ W.T, X.T @ dY / len(X)
