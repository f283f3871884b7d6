"""The dict gets new arrays; the old ones stay scaled."""
# caught by: loss_scaling
# hint: grad /= S or np.divide(grad, S, out=grad): grads[name] = grads[name] / S makes another array, and whoever holds the old one has a scaled gradient.


# %% grad-scaler
class GradScaler:
    """Dynamic loss scaling."""

    def __init__(self, init=65536.0, growth=2.0, backoff=0.5, interval=2000):
        self.value = init
        self.growth, self.backoff, self.interval = growth, backoff, interval
        self.good_steps = 0
        self.unscaled = False
        self.overflowed = False

    def scale(self, loss):
        return loss * self.value

    def unscale_(self, grads):
        if self.unscaled:
            return
        self.unscaled = True
        for name in grads:
            grad = grads[name] = grads[name] / self.value
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
            self.good_steps = 0
        else:
            self.good_steps += 1
            if self.good_steps == self.interval:
                self.value *= self.growth
                self.good_steps = 0
        self.unscaled = self.overflowed = False
