"""The displacement is multiplied by the step size."""
# caught by: heavy_ball_constant, heavy_ball_schedule
# hint: w − lr·g + β·(w − w before): lr belongs to the gradient alone.


# %% heavy-ball
class HeavyBall:
    """w ← w − lr·g + beta·(w − w before), the literal form of Lecture 3."""

    def __init__(self, p, lr, beta):
        self.p, self.lr, self.beta = p, lr, beta
        self.state = {}

    def step(self, grads):
        """Update every array of p in place; `grads` has the same names and shapes, and stays as it is."""
        for name, w in self.p.items():
            before = self.state.get(name, w)
            after = w - self.lr * (grads[name] - self.beta * (w - before))
            self.state[name] = w.copy()
            w[...] = after
