"""All scalers count in one dictionary of the class."""
# caught by: a_long_run
# hint: What stands in the class body belongs to all scalers. Set it in __init__.


# %% grad-scaler
class GradScaler:
    """Dynamic loss scaling."""

    state = {"n": 0}

    def __init__(self, init=65536.0, growth=2.0, backoff=0.5, interval=2000):
        self.value = init
        self.growth, self.backoff, self.interval = growth, backoff, interval
        self.unscaled = False
        self.overflowed = False

    def scale(self, loss):
        return loss * self.value

    def unscale_(self, grads):
        if self.unscaled:
            return
        self.unscaled = True
        for grad in grads.values():
            np.divide(grad, self.value, out=grad)
            self.overflowed = self.overflowed or not np.isfinite(grad).all()

    def step(self, opt, grads):
        self.unscale_(grads)
        if self.overflowed:
            return False
        opt.step(grads)
        return True

    def update(self):
        if self.overflowed:
            self.value *= self.backoff
            self.state["n"] = 0
        else:
            self.state["n"] += 1
            if self.state["n"] == self.interval:
                self.value *= self.growth
                self.state["n"] = 0
        self.unscaled = self.overflowed = False
