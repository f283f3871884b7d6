"""The gradients of all steps add up."""
# caught by: training
# hint: Clear the gradients after each step, or make new leaves.


# %% train
def train(X, y, W1, b1, W2, b2, steps, lr):
    """Full-batch gradient descent with your engine: (losses, [W1, b1, W2, b2])."""
    weights = [Tensor(w, requires_grad=True) for w in (W1, b1, W2, b2)]
    losses = []
    for _ in range(steps):
        w1, c1, w2, c2 = weights
        logits = (Tensor(X) @ w1 + c1).tanh() @ w2 + c2
        loss = -logits.log_softmax(axis=1)[np.arange(len(y)), y].mean()
        loss.backward()
        losses.append(loss.data.item())
        for w in weights:
            w.data = w.data - lr * w.grad
    return losses, [w.data for w in weights]
