"""W2 is updated before the gradient of W1 is taken."""
# caught by: mlp_steps
# hint: Take all gradients at the old weights, then update.


# %% mlp
class MLP:
    """max(x W1, 0) W2 with the mean squared error, differentiated by hand."""

    def __init__(self, W1, W2):
        self.W1 = np.array(W1, dtype=np.float64)  # (D, H)
        self.W2 = np.array(W2, dtype=np.float64)  # (H, 1)

    def forward(self, x, y):
        """The mean over the batch of (ŷ − y)², a float; x is (B, D), y is (B, 1)."""
        self.x, self.used = x, (self.W1, self.W2)
        self.a = x @ self.W1
        self.h = np.maximum(self.a, 0.0)
        self.error = self.h @ self.W2 - y
        return float(np.mean(self.error**2))

    def backward(self):
        """The gradients of the last forward: {"W1": (D, H), "W2": (H, 1), "x": (B, D)}."""
        W1, W2 = self.W1, self.W2
        g = 2.0 / len(self.x) * self.error
        da = (g @ W2.T) * (self.a > 0)
        return {"W1": self.x.T @ da, "W2": self.h.T @ g, "x": da @ W1.T}

    def step(self, lr):
        """One step of gradient descent on W1 and W2."""
        self.W2 = self.W2 - lr * self.backward()["W2"]
        self.W1 = self.W1 - lr * self.backward()["W1"]
