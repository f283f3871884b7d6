"""The heavy ball is SGD with momentum."""
# caught by: heavy_ball_schedule
# hint: The displacement w − (w before) goes on by β; it is not a velocity times today's lr.


# %% heavy-ball
class HeavyBall:
    """w ← w − lr·g + beta·(w − w before), the literal form of Lecture 3."""

    def __init__(self, p, lr, beta):
        self.p, self.lr, self.beta = p, lr, beta
        self.state = {}

    def step(self, grads):
        """Update every array of p in place; `grads` has the same names and shapes, and stays as it is."""
        for name in self.p:
            v = self.beta * self.state.get(name, 0.0) + grads[name]
            self.state[name] = v
            self.p[name] -= self.lr * v
