"""Holds the reference against things that know nothing about it: numpy, scipy, torch, loops, decimals.

Lint calls every public function here with the reference notebook and a random generator, on many seeds. A
function raises AssertionError when the reference is wrong; what needs a package that is not installed is
left out, and said to be.
"""

import itertools
import math
from decimal import Decimal, localcontext

import numpy as np

NEEDS = {
    "logsumexp_against_scipy": ("scipy",),
    "cross_entropy_against_torch": ("torch",),
    "network_against_autograd": ("torch",),
    "strides_against_torch": ("torch",),
    "homework_against_torch": ("torch",),
}
SHAPES = [(), (1,), (3,), (0,), (2, 3), (2, 1), (1, 4), (5, 1, 2), (3, 1), (4, 2, 3), (2, 0, 3)]


def agree(name, got, expected, relative=1e-11):
    """Both arrays have one shape and agree; the message names what differs."""
    got, expected = np.asarray(got, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    assert got.shape == expected.shape, f"{name}: shape {got.shape}, expected {expected.shape}"
    finite = np.isfinite(expected)
    assert np.array_equal(got[~finite], expected[~finite]), f"{name}: infinities differ"
    scale = max(1.0, float(np.max(np.abs(expected[finite]), initial=0.0)))
    error = float(np.max(np.abs(got[finite] - expected[finite]), initial=0.0)) / scale
    assert error <= relative, f"{name}: off by {error:.3g}"


def raises(function, *arguments):
    """Whether a call is refused with ValueError."""
    try:
        function(*arguments)
    except ValueError:
        return True
    return False


def homework_einsums_against_loops(lab, rng):
    """Question 1, one element at a time."""
    a, other = rng.standard_normal((2, 2, 3, 4, 5))
    b = rng.standard_normal((6, 5))
    agree("mul4", lab.mul4(a, other), a * other)
    products, sums = np.zeros((2, 3, 4, 6)), np.zeros((2, 3, 5))
    for i, j, k, m in np.ndindex(products.shape):
        products[i, j, k, m] = sum(a[i, j, k, x] * b[m, x] for x in range(5))
    for i, j, m in np.ndindex(sums.shape):
        sums[i, j, m] = sum(a[i, j, k, m] for k in range(4))
    agree("bmm_t", lab.bmm_t(a, b), products)
    agree("sum_dim3", lab.sum_dim3(a), sums)


def einsum_against_loops(lab, rng):
    """Every value that the letters can take together, one at a time: also for repeated outputs."""
    specs = [
        "ij,jk->ik",
        "ij,jk->kki",
        "ijj,k->kji",
        "ij,ji->jij",
        "iii,ij->j",
        ",ij->ji",
        "i,i->ii",
    ]
    specs += ["αβ,βγ->γα", "ij,ij->", "ijij,j->i", "i,j->iijj"]
    for spec in specs:
        inputs, out = spec.split("->")
        left, right = inputs.split(",")
        letters = sorted(set(left + right))
        lengths = dict(
            zip(letters, (int(n) for n in rng.integers(1, 5, len(letters))), strict=True)
        )
        a, b = (rng.standard_normal([lengths[x] for x in word]) for word in (left, right))
        expected = np.zeros([lengths[x] for x in out])
        for values in itertools.product(*(range(lengths[x]) for x in letters)):
            at = dict(zip(letters, values, strict=True))
            term = a[tuple(at[x] for x in left)] * b[tuple(at[x] for x in right)]
            expected[tuple(at[x] for x in out)] += term
        agree(spec, lab.einsum2(spec, a, b), expected)


def einsum_against_numpy(lab, rng):
    """np.einsum, wherever it accepts what we accept; and both refuse what makes no sense."""
    specs = [
        "ij,jk->ki",
        "ij,jk",
        "ji,k",
        "bA,Ac",
        "ii,i",
        "iij,jk",
        "aB,C",
        "zj,ij->i",
        "ij,",
        ",ji",
    ]
    for spec in specs:
        left, right = spec.split("->")[0].split(",")
        lengths = {x: int(rng.integers(1, 6)) for x in left + right}
        a, b = (np.asarray(rng.standard_normal([lengths[x] for x in s])) for s in (left, right))
        agree(spec, lab.einsum2(spec, a, b), np.einsum(spec, a, b))
    a, b = rng.standard_normal((2, 3)), rng.standard_normal((3, 4))
    for spec in ("ijk,jk->ik", "ij,ik->jk", "ij,jk->im", "ij->i", "ij,jk,kl->il", "i1,1k->ik"):
        assert raises(np.einsum, spec, a, b), f"numpy accepts {spec}"
        assert raises(lab.einsum2, spec, a, b), f"{spec} is accepted"
    assert raises(np.einsum, "i,i->ii", a[0], a[0]), "numpy repeats outputs"
    assert not raises(np.einsum, "ij,jk->ik", a, b[:1]), "numpy does not stretch"
    assert raises(lab.einsum2, "ij,jk->ik", a, b[:1]), "a length of 1 stretches"


def broadcasting_against_numpy(lab, rng):
    """np.broadcast_shapes on every pair, refusals included."""
    for s, t in itertools.product(SHAPES, SHAPES):
        if raises(np.broadcast_shapes, s, t):
            assert raises(lab.broadcast_shape, s, t), f"{s} and {t} are accepted"
        else:
            assert lab.broadcast_shape(s, t) == np.broadcast_shapes(s, t), f"{s} and {t}"


def unbroadcasting_is_the_adjoint(lab, rng):
    """⟨broadcast(a), g⟩ = ⟨a, unbroadcast(g)⟩ for every pair of shapes that broadcast."""
    for small, other in itertools.product(SHAPES, SHAPES):
        if raises(np.broadcast_shapes, small, other):
            continue
        a, large = rng.standard_normal(small), np.broadcast_shapes(small, other)
        g = np.asarray(rng.standard_normal(large))
        back = np.asarray(lab.unbroadcast(g, small))
        assert back.shape == small, f"unbroadcast to {small} gave {back.shape}"
        agree("inner product", np.sum(a * back), np.sum(np.broadcast_to(a, large) * g))


def strides_against_numpy(lab, rng):
    """Offsets find the elements of as_strided views; strides and contiguity are numpy's own."""
    buffer = np.arange(1000.0)
    for shape in SHAPES:
        if 0 not in shape:
            strides = tuple(s // 8 for s in np.zeros(shape).strides)
            assert lab.contiguous_strides(shape) == strides, f"{shape}: {strides}"
        strides = tuple(int(s) for s in rng.integers(0, 9, len(shape)))
        seen = np.lib.stride_tricks.as_strided(buffer[50:], shape, [8 * s for s in strides])
        for index in np.ndindex(shape):
            assert buffer[lab.offset(index, strides, 50)] == seen[index]
    start = buffer[:210].reshape(2, 3, 5, 7)
    views = [start.transpose(rng.permutation(4)) for _ in range(8)]
    views += [
        start[:1],
        start[:, :1],
        start[:, ::2],
        start[..., ::-1],
        start[:, :0],
        start[0, :, 0],
    ]
    views += [start[:1, :, 2:3].transpose(2, 0, 1, 3), start[1, 1, 4], start[:, 1:2, 3:4, :1]]
    for seen in views:
        got = lab.is_contiguous(seen.shape, tuple(s // 8 for s in seen.strides))
        assert got is bool(seen.flags.c_contiguous), f"{seen.shape} {seen.strides}: {got}"


def strides_against_torch(lab, rng):
    """torch counts strides in elements, as we do."""
    import torch

    for _ in range(20):
        shape = tuple(int(n) for n in rng.integers(1, 4, int(rng.integers(0, 5))))
        strides = tuple(int(s) for s in rng.integers(0, 5, len(shape)))
        assert lab.contiguous_strides(shape) == torch.empty(shape).stride()
        seen = torch.empty(1000).as_strided(shape, strides)
        assert lab.is_contiguous(shape, strides) is seen.is_contiguous(), f"{shape} {strides}"


def logsumexp_against_scipy(lab, rng):
    """scipy.special on any axis, with infinities and logits of any size."""
    from scipy import special

    x = rng.standard_normal((3, 4, 5)) * 10.0 ** rng.integers(0, 5, (3, 4, 1))
    with np.errstate(all="ignore"):
        for axis in (0, 1, 2, -1, -3):
            agree("logsumexp", lab.logsumexp(x, axis), special.logsumexp(x, axis=axis))
            agree("softmax", lab.softmax(x, axis), special.softmax(x, axis=axis))
            agree("T", lab.softmax(x, axis, 0.3), special.softmax(x / 0.3, axis=axis))
        x[0, 0], x[0, 1, 2], x[1, 2, 0] = -np.inf, -np.inf, np.inf
        agree("infinities", lab.logsumexp(x), special.logsumexp(x, axis=-1))


def losses_against_decimals(lab, rng):
    """Sixty digits of Python's decimal module, from the definition."""
    z = rng.standard_normal((4, 5)) * np.array([[1.0], [30.0], [900.0], [1e4]])
    y, s = rng.integers(0, 5, 4), 0.15
    with localcontext() as digits:
        digits.prec = 60
        losses, gradient = [], np.zeros((4, 5))
        for n, row in enumerate(z):
            e = [Decimal(float(v)).exp() for v in row]
            p = [v / sum(e) for v in e]
            q = [(1 - Decimal(s)) * int(c == y[n]) + Decimal(s) / 5 for c in range(5)]
            losses.append(-sum(qc * pc.ln() for qc, pc in zip(q, p, strict=True)))
            gradient[n] = [float(pc - qc) / 4 for qc, pc in zip(q, p, strict=True)]
        expected = float(sum(losses) / 4)
    agree("loss", lab.cross_entropy(z, y, smoothing=s), expected, 1e-13)
    agree("gradient", lab.cross_entropy_grad(z, y, smoothing=s), gradient, 1e-13)


def cross_entropy_against_torch(lab, rng):
    """Values and gradients of torch.nn.functional.cross_entropy with every option."""
    import torch

    for n, c, size, ignore in ((6, 5, 1.0, -100), (9, 3, 50.0, 1), (4, 7, 1e4, -1)):
        z, y = size * rng.standard_normal((n, c)), rng.integers(0, c, n)
        y[:2] = ignore
        for s in (0.0, 0.1, 1.0):
            theirs = torch.tensor(z, requires_grad=True)
            loss = torch.nn.functional.cross_entropy(
                theirs, torch.tensor(y), ignore_index=ignore, label_smoothing=s
            )
            loss.backward()
            assert isinstance(lab.cross_entropy(z, y, ignore, s), float)
            agree("loss", lab.cross_entropy(z, y, ignore, s), loss.item())
            agree("gradient", lab.cross_entropy_grad(z, y, ignore, s), theirs.grad.numpy())
    assert lab.cross_entropy(z, np.full(4, -100)) == 0.0  # torch says nan; the handout says 0


def network_against_autograd(lab, rng):
    """The loss, three gradients and ten steps of torch.optim.SGD."""
    import torch

    x, y = rng.standard_normal((7, 5)), rng.standard_normal((7, 1))
    start = rng.standard_normal((5, 11)), rng.standard_normal((11, 1))
    model = lab.MLP(*start)
    W1, W2, X = (torch.tensor(array, requires_grad=True) for array in (*start, x))
    optimizer = torch.optim.SGD([W1, W2], lr=0.003)
    for _ in range(10):
        optimizer.zero_grad()
        X.grad = None
        loss = ((torch.relu(X @ W1) @ W2 - torch.tensor(y)) ** 2).mean()
        loss.backward()
        agree("loss", model.forward(x, y), loss.item())
        gradients = model.backward()
        for name, theirs in (("W1", W1), ("W2", W2), ("x", X)):
            agree(name, gradients[name], theirs.grad.numpy())
        optimizer.step()
        model.step(0.003)
        agree("W1 after the step", model.W1, W1.detach().numpy())


def homework_learns(lab, rng):
    """T14: lr = 1e-4 cuts the loss over all points at least ten times in 1000 steps; 1e-3 diverges."""
    x, y = rng.standard_normal((500, 64)), rng.standard_normal((500, 1))
    start, samples = (
        (rng.standard_normal((64, 64)), rng.standard_normal((64, 1))),
        rng.integers(500, size=1000),
    )
    after = {}
    with np.errstate(all="ignore"):
        for lr in (1e-4, 1e-3):
            model = lab.MLP(*start)
            before = model.forward(x, y)
            for i in samples:
                model.forward(x[i : i + 1], y[i : i + 1])
                model.step(lr)
            after[lr] = model.forward(x, y)
        assert after[1e-4] <= before / 10.0, f"{before} becomes {after[1e-4]}"
        assert not after[1e-3] <= before, f"lr = 1e-3 reaches {after[1e-3]}"
        h = np.maximum(x @ start[0], 0.0)
        slopes = np.sum(h**2, axis=1) + np.sum(x**2, axis=1) * ((h > 0) @ start[1][:, 0] ** 2)
    assert abs(np.mean(slopes) / 4096 - 1) < 0.5, f"the mean squared gradient is {np.mean(slopes)}"


def homework_against_torch(lab, rng):
    """The homework's own stub, seed and all: 1346.8 becomes 474.8, 44.7 and 2.0 or about that."""
    import torch

    torch.manual_seed(2024)
    x, y = torch.randn(500, 64), torch.randn(500, 1)
    model = lab.MLP(torch.randn(64, 64).double().numpy(), torch.randn(64, 1).double().numpy())
    x, y = x.double().numpy(), y.double().numpy()
    losses = [model.forward(x, y)]
    for step, i in enumerate(rng.integers(500, size=5000), start=1):
        model.forward(x[i : i + 1], y[i : i + 1])
        model.step(1e-4)
        if step in (100, 1000, 5000):
            losses.append(model.forward(x, y))
    assert abs(losses[0] - 1346.8) < 0.1, f"the loss begins at {losses[0]}"
    low, high = (200, 10, 0.2), (1100, 200, 20)
    assert all(a < b < c for a, b, c in zip(low, losses[1:], high, strict=True)), f"{losses}"


def power_iteration_against_eigh(lab, rng):
    """np.linalg.eigh: the eigenvalue of largest magnitude, its vector, and the next by deflation."""
    q, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    values = np.array([-6.0, 3.0, 1.5, -0.7, 0.1]) * rng.uniform(1.0, 1.1)
    S = (q * values) @ q.T
    S = (S + S.T) / 2
    for k in range(3):
        found, vectors = np.linalg.eigh(S)
        at = int(np.argmax(np.abs(found)))
        u = vectors[:, at] * np.sign(vectors[np.argmax(np.abs(vectors[:, at])), at])
        value, v = lab.top_eig(S, 300, int(rng.integers(100)))
        agree(f"eigenvalue {k}", value, found[at])
        agree(f"eigenvector {k}", v, u, 1e-9)
        S = S - value * np.outer(v, v)
    by_hand = np.array([[2.0, 1.0], [1.0, 2.0]])
    agree("3", lab.top_eig(by_hand, 60, 1)[0], 3.0)
    assert lab.top_eig(np.zeros((3, 3)), 5, 0)[0] == 0.0
    assert math.isclose(float(np.linalg.norm(lab.top_eig(np.zeros((3, 3)), 5, 0)[1])), 1.0)
