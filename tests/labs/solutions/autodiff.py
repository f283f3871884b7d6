"""A second right solution of the autodiff lab, written in another style: it has to score in full, too."""
# ruff: noqa: B023, B905, F821 (cells take their names from the notebook around them)


# %% dual
class Dual:
    def __init__(self, value, tangent=0):
        self.value, self.tangent = value, tangent

    def _un(self, v, d):
        return Dual(v, d * self.tangent)

    def _co(self, o):
        return o if isinstance(o, Dual) else Dual(o)

    def __gt__(self, o):
        return self.value > self._co(o).value

    def __lt__(self, o):
        return self.value < self._co(o).value

    def __neg__(self):
        return self * -1.0

    def __add__(self, o):
        o = self._co(o)
        return Dual(self.value + o.value, self.tangent + o.tangent)

    __radd__ = __add__

    def __sub__(self, o):
        return self + (-self._co(o))

    def __rsub__(self, o):
        return (-self) + o

    def __mul__(self, o):
        o = self._co(o)
        return Dual(self.value * o.value, self.value * o.tangent + o.value * self.tangent)

    __rmul__ = __mul__

    def inv(self):
        return Dual(1.0 / self.value, -self.tangent / self.value**2)

    def __truediv__(self, o):
        return self * self._co(o).inv()

    def __rtruediv__(self, o):
        return self.inv() * o

    def __pow__(self, o):
        o = self._co(o)
        a, b = self.value, o.value
        t = 0.0 if b == 0 else b * a ** (b - 1) * self.tangent
        if a > 0 and o.tangent:
            t += a**b * np.log(a) * o.tangent
        return Dual(a**b, t)

    def __rpow__(self, o):
        return Dual(o) ** self

    def exp(self):
        return self._un(np.exp(self.value), np.exp(self.value))

    def log(self):
        return self._un(np.log(self.value), 1 / self.value)

    def sin(self):
        return self._un(np.sin(self.value), np.cos(self.value))

    def cos(self):
        return self._un(np.cos(self.value), -np.sin(self.value))

    def tanh(self):
        return self._un(np.tanh(self.value), 1 / np.cosh(self.value) ** 2)

    def relu(self):
        return self._un(max(self.value, 0.0), float(self.value > 0))


# %% jvp
def jvp(f, x, v):
    duals = list(map(Dual, x, v))
    y = np.array(
        [[o.value, o.tangent] if isinstance(o, Dual) else [o, 0.0] for o in f(duals)], dtype=float
    )
    return y[:, 0], y[:, 1]


# %% unbroadcast
def unbroadcast(g, shape):
    while g.ndim > len(shape):
        g = g.sum(0)
    for i, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=i, keepdims=True)
    return g


# %% arithmetic-vjps
def neg_vjp(g, out, x):
    return -1 * g


def add_vjp(g, out, x, y):
    return unbroadcast(g, x.shape), unbroadcast(g, y.shape)


def sub_vjp(g, out, x, y):
    return unbroadcast(g, x.shape), -unbroadcast(g, y.shape)


def mul_vjp(g, out, x, y):
    return unbroadcast(y * g, x.shape), unbroadcast(x * g, y.shape)


def div_vjp(g, out, x, y):
    return unbroadcast(g * (1 / y), x.shape), unbroadcast(-out * g / y, y.shape)


def pow_vjp(g, out, x, y):
    with np.errstate(all="ignore"):
        a = np.where(y == 0, 0.0, g * y * x ** (y - 1))
        b = np.where(x > 0, g * out * np.log(x), 0.0)
    return unbroadcast(a, x.shape), unbroadcast(b, y.shape)


# %% function-vjps
def exp_vjp(g, out, x):
    return out * g


def log_vjp(g, out, x):
    return g * (1 / x)


def sin_vjp(g, out, x):
    return np.cos(x) * g


def cos_vjp(g, out, x):
    return -np.sin(x) * g


def tanh_vjp(g, out, x):
    return g * (1 - out**2)


def relu_vjp(g, out, x):
    return np.where(x > 0, g, 0.0)


# %% reduction-vjps
def _back(g, x, axis, keepdims):
    if axis is None:
        axis = tuple(range(x.ndim))
    if isinstance(axis, int):
        axis = (axis,)
    axis = {a % x.ndim for a in axis}
    shape = tuple(1 if i in axis else n for i, n in enumerate(x.shape))
    return np.reshape(g, shape) * np.ones_like(x)


def sum_vjp(g, out, x, axis=None, keepdims=False):
    return _back(g, x, axis, keepdims)


def mean_vjp(g, out, x, axis=None, keepdims=False):
    return _back(g, x, axis, keepdims) / (x.size / max(1, np.size(out)))


def max_vjp(g, out, x, axis=None, keepdims=False):
    m = (x == _back(out, x, axis, keepdims)).astype(float)
    return _back(g, x, axis, keepdims) * m / m.sum(axis, keepdims=True)


# %% shape-vjps
def reshape_vjp(g, out, x, shape):
    return np.reshape(g, x.shape)


def transpose_vjp(g, out, x, axes=None):
    if axes is None:
        return g.T
    inverse = [0] * len(axes)
    for i, a in enumerate(axes):
        inverse[a] = i
    return g.transpose(inverse)


# %% topo-order
def topo_order(out):
    from collections import Counter, deque

    nodes, todo = {id(out): out}, [out]
    while todo:
        for p in todo.pop().parents:
            if id(p) not in nodes:
                nodes[id(p)] = p
                todo.append(p)
    uses = Counter(id(p) for n in nodes.values() for p in n.parents)
    ready, order = deque([out]), []
    while ready:
        n = ready.popleft()
        order.insert(0, n)
        for p in n.parents:
            uses[id(p)] -= 1
            if uses[id(p)] == 0:
                ready.append(p)
    return order


# %% backpropagate
def backpropagate(out, grad=None):
    if not out.requires_grad:
        raise ValueError
    if grad is None:
        if out.data.size > 1:
            raise ValueError
        grad = np.ones(out.shape)
    if np.shape(grad) != out.shape:
        raise ValueError
    total = {out: np.array(grad)}
    for n in topo_order(out)[::-1]:
        if n not in total:
            continue
        if n.parents == ():
            if n.requires_grad:
                n.grad = total[n] + (0 if n.grad is None else n.grad)
        else:
            for p, d in zip(n.parents, n.pullback(total[n])):
                if p.requires_grad:
                    total[p] = total.get(p, 0) + d


# %% leaves
def detach(tensor):
    t = Tensor(0.0)
    t.data = tensor.data
    return t


def zero_grad(tensor):
    tensor.grad = None


# %% matmul-vjp
def matmul_vjp(g, out, a, b):
    if a.ndim == 1 and b.ndim == 1:
        return g * b, g * a
    if a.ndim == 1:
        da, db = matmul_vjp(g[..., None, :], None, a[None], b)
        return da[0], db
    if b.ndim == 1:
        da, db = matmul_vjp(g[..., None], None, a, b[:, None])
        return da, db[:, 0]
    return unbroadcast(g @ b.swapaxes(-1, -2), a.shape), unbroadcast(
        a.swapaxes(-1, -2) @ g, b.shape
    )


# %% linear-backward
def linear_backward(X, W, dY):
    return np.einsum("no,io->ni", dY, W), np.einsum("ni,no->io", X, dY)


# %% getitem-vjp
def getitem_vjp(g, out, x, index):
    places = np.arange(x.size).reshape(x.shape)[index]
    if x.dtype == object:
        dx = np.zeros_like(x)
        np.add.at(dx, index, g)
        return dx
    return np.bincount(np.ravel(places), weights=np.ravel(g), minlength=x.size).reshape(x.shape)


# %% jacobian
def jacobian(f, x, mode):
    if mode not in ("fwd", "rev"):
        raise ValueError(mode)
    if mode == "fwd":
        columns = []
        for k in range(len(x)):
            e = np.zeros(len(x))
            e[k] = 1
            columns.append(jvp(f, x, e)[1])
        return np.array(columns).T, len(x)
    leaves = [Tensor(float(v), requires_grad=True) for v in x]
    rows = []
    ys = f(leaves)
    for y in ys:
        for leaf in leaves:
            leaf.grad = None
        if isinstance(y, Tensor):
            y.backward(np.array(1.0))
        rows.append([float(leaf.grad) if leaf.grad is not None else 0.0 for leaf in leaves])
    return np.array(rows), len(rows)


# %% gradcheck
def gradcheck(f, xs, eps=None):
    if eps is None:
        eps = 2.220446049250313e-16 ** (1 / 3)
    ts = [Tensor(x.copy(), requires_grad=True) for x in xs]
    f(*ts).backward()
    worst = 0.0
    for k in range(len(xs)):
        flat = xs[k].astype(float).ravel()
        num = []
        for i in range(flat.size):
            h = eps * max(1, abs(flat[i]))

            def at(s):
                z = flat.copy()
                z[i] += s
                args = [Tensor(x) for x in xs]
                args[k] = Tensor(z.reshape(xs[k].shape))
                return float(f(*args).data)

            num.append((at(h) - at(-h)) / 2 / h)
        num = np.array(num)
        ana = np.zeros(flat.size) if ts[k].grad is None else ts[k].grad.ravel()
        s = max(abs(num).max(), abs(ana).max())
        if s:
            worst = max(worst, abs(num - ana).max() / s)
    return worst


# %% log-softmax
def log_softmax_forward(x, axis):
    return x - np.logaddexp.reduce(x, axis=axis, keepdims=True)


def log_softmax_vjp(g, out, x, axis):
    return g - np.exp(out) * np.sum(g, axis, keepdims=True)


# %% train
def train(X, y, W1, b1, W2, b2, steps, lr):
    ws = [Tensor(w, True) for w in (W1, b1, W2, b2)]
    losses = []
    onehot = np.eye(b2.size)[y]
    for _ in range(steps):
        h = (X @ ws[0] + ws[1]).tanh()
        loss = -1.0 * ((h @ ws[2] + ws[3]).log_softmax(-1) * onehot).sum() / len(y)
        loss.backward()
        losses.append(float(loss.data))
        for w in ws:
            w.data = w.data - lr * w.grad
            w.zero_grad()
    return losses, [w.data for w in ws]


# %% hvp
def hvp(f, x, v):
    t = Tensor(dual_array(x, v), requires_grad=True)
    f(t).backward()
    return np.array([getattr(d, "tangent", 0.0) for d in t.grad], dtype=float)


# %% checkpoint
def checkpoint(f, *xs):
    def pullback(g):
        copies = [detach(x) for x in xs]
        for c, x in zip(copies, xs):
            c.requires_grad = x.requires_grad
        f(*copies).backward(g)
        return [c.grad for c in copies]

    return record(f(*map(detach, xs)).data, xs, pullback)
