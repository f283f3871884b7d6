"""The tensors lab again, in the way that somebody else would write it: loops, recursion, plain formulas."""
# ruff: noqa: B905, F821 (cells take their names from the notebook around them)


# %% products
def mul4(a, b):
    return a * b


def bmm_t(a, b):
    return a @ b.T


def sum_dim3(a):
    return a.sum(2)


# %% einsum2
def einsum2(spec, a, b):
    spec = spec.replace(" ", "")
    before, found, out = spec.partition("->")
    words = before.split(",")
    if len(words) != 2 or any(not (c.isalpha() or c == ",") for c in before + out) or "," in out:
        raise ValueError("two operands, please")
    sizes = {}
    for word, array in zip(words, (a, b)):
        if len(word) != np.ndim(array):
            raise ValueError("one letter for each axis")
        for letter, size in zip(word, np.shape(array)):
            if letter in sizes and sizes[letter] != size:
                raise ValueError("a letter has one length")
            sizes[letter] = size
    if not found:
        out = "".join(sorted(c for c in sizes if before.count(c) == 1))
    for letter in out:
        if letter not in sizes:
            raise ValueError("where should this letter come from?")
    result = np.zeros([sizes[c] for c in out])
    letters = sorted(sizes)
    for values in np.ndindex(*[sizes[c] for c in letters]):
        at = dict(zip(letters, values))
        left, right = (tuple(at[c] for c in word) for word in words)
        result[tuple(at[c] for c in out)] += a[left] * b[right]
    return result


# %% broadcast-shape
def broadcast_shape(s, t):
    if not s or not t:
        return tuple(s) or tuple(t)
    *front_s, m = s
    *front_t, n = t
    if m == n or n == 1:
        last = m
    elif m == 1:
        last = n
    else:
        raise ValueError(f"{m} and {n}")
    return (*broadcast_shape(front_s, front_t), last)


# %% unbroadcast
def unbroadcast(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return np.asarray(g)


# %% strides
def contiguous_strides(shape):
    strides = [1]
    for n in shape[:0:-1]:
        strides.append(strides[-1] * n)
    return tuple(reversed(strides)) if shape else ()


def is_contiguous(shape, strides):
    expected = 1
    for n, s in zip(reversed(shape), reversed(strides)):
        if n != 1 and s != expected and 0 not in shape:
            return False
        expected *= n
    return True


def offset(index, strides, base=0):
    for i, s in zip(index, strides, strict=True):
        base += i * s
    return base


# %% logsumexp
def logsumexp(x, axis=-1):
    m = np.max(x, axis=axis)
    safe = np.where(np.isinf(m), 0.0, m)
    with np.errstate(all="ignore"):
        return safe + np.log(np.exp(x - np.expand_dims(safe, axis)).sum(axis))


# %% softmax
def softmax(x, axis=-1, temperature=1.0):
    z = x / temperature
    return np.exp(z - np.expand_dims(logsumexp(z, axis), axis))


# %% cross-entropy
def cross_entropy(logits, y, ignore_index=-100, smoothing=0.0):
    total, rows = 0.0, 0
    for z, label in zip(logits, y):
        if label == ignore_index:
            continue
        log_p = z - logsumexp(z)
        loss = -(1.0 - smoothing) * log_p[label]
        if smoothing > 0:
            loss -= smoothing / len(z) * log_p.sum()
        total, rows = total + loss, rows + 1
    return float(total / rows) if rows else 0.0


# %% cross-entropy-grad
def cross_entropy_grad(logits, y, ignore_index=-100, smoothing=0.0):
    counted = y != ignore_index
    q = np.full(logits.shape, smoothing / logits.shape[1])
    q[np.arange(len(y))[counted], y[counted]] += 1.0 - smoothing
    return (softmax(logits) - q) * counted[:, None] / max(1, counted.sum())


# %% mlp
class MLP:
    def __init__(self, W1, W2):
        self.W1, self.W2 = W1.copy(), W2.copy()

    def forward(self, x, y):
        a = np.dot(x, self.W1)
        positive = a >= 0
        h = np.where(positive, a, 0.0)
        error = h @ self.W2 - y
        g = error * 2 / y.size
        back = np.where(positive, np.outer(g, self.W2), 0.0)
        self.gradients = {"W1": x.T @ back, "W2": h.T @ g, "x": back @ self.W1.T}
        return float((error * error).sum() / y.size)

    def backward(self):
        return {name: gradient.copy() for name, gradient in self.gradients.items()}

    def step(self, lr):
        self.W1 -= lr * self.gradients["W1"]
        self.W2 -= lr * self.gradients["W2"]


# %% top-eig
def top_eig(S, iters, seed):
    v = np.random.default_rng(seed).standard_normal(S.shape[0])
    v /= np.sqrt(np.sum(v * v))
    for _ in range(iters):
        image = np.dot(S, v)
        if not np.any(image):
            break
        v = image / np.sqrt(np.sum(image * image))
    v = v * (1 if v[np.abs(v).argmax()] > 0 else -1)
    return float(np.dot(v, np.dot(S, v))), v
