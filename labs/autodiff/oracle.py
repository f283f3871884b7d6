"""Holds the reference against things that know nothing about it: the complex step, closed forms, torch.

Lint calls every public function here with the reference notebook and a random generator, on many seeds. A
function raises AssertionError when the reference is wrong; those that need torch are left out, and
said to be, where it is not installed.
"""

import numpy as np

NEEDS_TORCH = ("tensors_against_torch", "second_order_against_torch", "training_against_torch")
SHAPES = [((3,), (2, 3)), ((2, 1), (1, 4)), ((5, 1, 2), (3, 1)), ((), (2, 2)), ((1,), (3, 1))]


def agree(name, got, expected, relative=1e-10):
    """Both arrays have one shape and agree; the message names what differs."""
    got, expected = np.asarray(got, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    assert got.shape == expected.shape, f"{name}: shape {got.shape}, expected {expected.shape}"
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    error = float(np.max(np.abs(got - expected), initial=0.0)) / scale
    assert error <= relative, f"{name}: off by {error:.3g}"


def complex_step(f, x, v):
    """The derivative of an analytic f along v, with no subtraction and so no rounding error."""
    h = 1e-30
    return np.asarray(f(x + 1j * h * v)).imag / h


def published_numbers(lab, rng):
    """The survey's example and the table of Homework 1."""

    def survey(x):
        return [lab.log(x[0]) + x[0] * x[1] - lab.sin(x[1])]

    def homework(x):
        return [(x[0] + x[1]) ** 2, (x[0] - x[1]) ** 2]

    for mode in ("fwd", "rev"):
        gradient, sweeps = lab.jacobian(survey, np.array([2.0, 5.0]), mode)
        agree(f"survey, {mode}", gradient, [[5.5, 2.0 - np.cos(5.0)]])
        assert [round(float(g), 3) for g in gradient[0]] == [5.5, 1.716]
        assert sweeps == {"fwd": 2, "rev": 1}[mode]
        agree(
            "homework", lab.jacobian(homework, np.array([2.0, 4.0]), mode)[0], [[12, 12], [-4, 4]]
        )
    value, _ = lab.jvp(survey, np.array([2.0, 5.0]), np.array([1.0, 0.0]))
    assert round(float(value[0]), 3) == 11.652
    agree("homework's values", lab.jvp(homework, [2.0, 4.0], [1.0, 0.0])[0], [36.0, 4.0])


def duals_against_the_complex_step(lab, rng):
    """Forward mode on analytic programs."""

    def program(x, exp, log, sin, cos, tanh):
        a, b, c = x[0], x[1], x[2]
        return [
            exp(a * b) / (1.0 + c**2),
            2.0 - sin(a) * cos(b) ** 3,
            log(a) ** c - 3.0 / b,
            tanh(a - b) ** 2 + 2.0**c,
            b ** (a * c) - a**-2 + a**0.5,
            -a + (1.0 - c) * 4.0,
        ]

    x, v = rng.uniform(1.1, 2.5, 3), rng.standard_normal(3)
    ours = (lab.exp, lab.log, lab.sin, lab.cos, lab.tanh)
    numpys = (np.exp, np.log, np.sin, np.cos, np.tanh)
    values, tangents = lab.jvp(lambda x: program(x, *ours), x, v)
    agree("values", values, program(x, *numpys))
    agree("tangents", tangents, complex_step(lambda x: program(x, *numpys), x, v))


def unbroadcasting_is_the_adjoint(lab, rng):
    """⟨broadcast(a), g⟩ = ⟨a, unbroadcast(g)⟩ for every pair of shapes."""
    for small, other in SHAPES:
        a, large = rng.standard_normal(small), np.broadcast_shapes(small, other)
        g = rng.standard_normal(large)
        back = np.asarray(lab.unbroadcast(g, small))
        assert back.shape == small, f"unbroadcast to {small} gave {back.shape}"
        agree("inner product", np.sum(a * back), np.sum(np.broadcast_to(a, large) * g))


def pullbacks_against_the_complex_step(lab, rng):
    """Every analytic elementwise pullback, by pushing one complex step through numpy."""
    operations = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}
    operations |= {"pow": np.power}
    for left, right in SHAPES:
        x, y = rng.uniform(0.4, 2.0, left), rng.uniform(0.4, 2.0, right)
        u, v = rng.standard_normal(left), rng.standard_normal(right)
        g = rng.standard_normal(np.broadcast_shapes(left, right))
        for name, operation in operations.items():
            dx, dy = getattr(lab, f"{name}_vjp")(g, operation(x, y), x, y)
            h = 1e-30
            along = operation(x + 1j * h * u, y + 1j * h * v).imag / h
            agree(name, np.sum(dx * u) + np.sum(dy * v), np.sum(g * along))
    x, g = rng.uniform(0.4, 2.0, (3, 4)), rng.standard_normal((3, 4))
    for name in ("exp", "log", "sin", "cos", "tanh"):
        function = getattr(np, name)
        slope = complex_step(function, x, np.ones_like(x))
        agree(name, getattr(lab, f"{name}_vjp")(g, function(x), x), g * slope)


def products_against_loops(lab, rng):
    """The linear layer and the matrix product, summed index by index."""
    X, W, dY = (rng.standard_normal(shape) for shape in ((4, 3), (3, 2), (4, 2)))
    dX, dW = lab.linear_backward(X, W, dY)
    agree(
        "dX", dX, [[sum(dY[n, o] * W[i, o] for o in range(2)) for i in range(3)] for n in range(4)]
    )
    agree(
        "dW", dW, [[sum(X[n, i] * dY[n, o] for n in range(4)) for o in range(2)] for i in range(3)]
    )
    x, index = rng.standard_normal(4), np.array([2, 0, 2])
    agree("gather", lab.getitem_vjp(np.array([1.0, 10, 100]), x[index], x, index), [10, 0, 101, 0])


def both_modes_agree(lab, rng):
    """Reverse rows and forward columns are one matrix."""

    def f(x):
        s = lab.tanh(x[0] * x[1]) + x[2]
        return [s * s, lab.exp(s) / x[1], lab.cos(x[2]) ** 2]

    x = rng.uniform(0.5, 1.5, 3)
    agree("Jacobian", lab.jacobian(f, x, "fwd")[0], lab.jacobian(f, x, "rev")[0])


def closed_forms(lab, rng):
    """Diamonds, difference quotients of a cube, the Hessian of a cubic, a checkpoint."""
    leaf = lab.Tensor(1.0, requires_grad=True)
    top, product = leaf, 1.0
    for p, q in rng.uniform(0.2, 0.8, (20, 2)):
        top, product = top * p + top * q, product * (p + q)
    top.backward()
    agree("diamonds", leaf.grad, product)
    x, h = rng.uniform(0.5, 0.9, 4), 0.05
    expected = h**2 / (3 * x.max() ** 2 + h**2)
    agree("gradcheck", lab.gradcheck(lambda t: (t**3).sum(), [x], h), np.float64(expected), 1e-4)
    assert lab.gradcheck(lambda t: (t**3).sum(), [x]) < 1e-9
    v = rng.standard_normal(2)
    x = rng.uniform(0.5, 2.0, 2)
    hessian = np.array([[2 * x[1], 2 * x[0]], [2 * x[0], 0.0]])
    agree("hvp", lab.hvp(lambda t: (t[:1] * t[:1] * t[1:]).sum(), x, v), hessian @ v)
    a, b = (lab.Tensor(x, requires_grad=True) for _ in range(2))
    (a.tanh() * a).backward(v)
    lab.checkpoint(lambda t: t.tanh() * t, b).backward(v)
    agree("checkpoint", a.grad, b.grad)


def training_reaches_every_point(lab, rng):
    """The task of E7 can be learnt: all 64 points, and the loss never grows."""
    y = np.arange(64) % 3
    radius = np.linspace(0.2, 1.0, 64)
    angle = 2.0 * np.pi / 3.0 * y + 2.5 * radius + 0.05 * rng.standard_normal(64)
    X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    start = [2.0 * rng.standard_normal((2, 24)), 0.5 * rng.standard_normal(24)]
    start += [0.2 * rng.standard_normal((24, 3)), np.zeros(3)]
    losses, (W1, b1, W2, b2) = lab.train(X, y, *start, steps=60, lr=1.0)
    assert max(np.diff(losses)) < 0.0, "the loss grew"
    right = int(np.sum(np.argmax(np.tanh(X @ W1 + b1) @ W2 + b2, axis=1) == y))
    assert right == 64, f"only {right} of 64 points are in their class"


def tensors_against_torch(lab, rng):
    """Whole expressions, reductions with ties, products of every shape, gathers: torch's gradients."""
    import torch

    def compare(name, f, *arrays):
        ours = [lab.Tensor(array, requires_grad=True) for array in arrays]
        theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
        out, expected = f(lab, *ours), f(torch, *theirs)
        agree(f"{name}, value", out.data, expected.detach().numpy())
        g = np.asarray(rng.standard_normal(out.shape))
        out.backward(g)
        expected.backward(torch.tensor(g))
        for mine, other in zip(ours, theirs, strict=True):
            agree(f"{name}, gradient", mine.grad, other.grad.numpy())

    x, y = rng.uniform(0.5, 2.0, (2, 3, 1)), rng.uniform(0.5, 2.0, (3, 4))
    compare("mixed", lambda m, a, b: (2.0 - a) * b / (1.0 + a**b) - 3.0 / b + 2.0**a, x, y)
    compare("reused", lambda m, a, b: (a * b).tanh() * a + (a * b).exp() - a.log(), x, y)
    signed = rng.standard_normal((3, 5)) + np.where(rng.random((3, 5)) < 0.5, -2.0, 2.0)
    compare("relu, powers", lambda m, a: a.relu() * a**3 + a**-2 - (-a) ** 2, signed)
    tied = rng.integers(0, 3, (4, 5)).astype(np.float64)
    maximum = {lab: lambda a: a.max(axis=1), torch: lambda a: torch.amax(a, 1)}
    compare("max with ties", lambda m, a: maximum[m](a) * 2.0, tied)
    compare("sum and mean", lambda m, a: a.sum(axis=0) * a.mean(axis=1, keepdims=True), x[..., 0])
    turned = {lab: lambda a: a.transpose((2, 0, 1)), torch: lambda a: a.permute(2, 0, 1)}
    compare("shapes", lambda m, a: turned[m](a.reshape(3, 1, 2)) * 3.0, x)
    compare("log-softmax", lambda m, a: a.log_softmax(1), 50.0 * signed)
    rows, columns = rng.integers(0, 3, 6), rng.integers(0, 5, 6)
    compare("gather", lambda m, a: a[rows, columns] * a[rows, 0] + a[1, ::2].sum(), signed)
    shapes = [((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((3,), (4, 3, 2))]
    shapes += [((5, 1, 2, 3), (4, 3, 2)), ((2, 3), (5, 3, 1)), ((5, 2, 3), (3,))]
    for left, right in shapes:
        pair = rng.standard_normal(left), rng.standard_normal(right)
        compare(f"{left} @ {right}", lambda m, a, b: a @ b, *pair)


def second_order_against_torch(lab, rng):
    """Jacobians and Hessian products of torch.autograd.functional."""
    import torch
    from torch.autograd import functional

    def f(x, tanh, exp):
        shared = tanh(x[0] * x[1])
        return [shared * x[2], exp(shared) / x[0], x[1] ** 3]

    x = rng.uniform(0.5, 1.5, 3)
    expected = functional.jacobian(
        lambda t: torch.stack(f(t, torch.tanh, torch.exp)), torch.tensor(x)
    ).numpy()
    for mode in ("fwd", "rev"):
        agree("Jacobian", lab.jacobian(lambda t: f(t, lab.tanh, lab.exp), x, mode)[0], expected)
    M, v = rng.standard_normal((4, 4)), rng.standard_normal(4)
    y = rng.uniform(0.3, 1.0, 4)
    matrix = torch.tensor(M)
    _, product = functional.hvp(
        lambda t: ((matrix @ t).tanh() * t.exp()).sum(), torch.tensor(y), torch.tensor(v)
    )
    agree("Hv", lab.hvp(lambda t: ((M @ t).tanh() * t.exp()).sum(), y, v), product.numpy())


def training_against_torch(lab, rng):
    """Ten steps of gradient descent by torch.optim.SGD."""
    import torch

    X, y = rng.standard_normal((16, 2)), rng.integers(0, 3, 16)
    start = [rng.standard_normal(shape) for shape in ((2, 8), (8,), (8, 3), (3,))]
    losses, weights = lab.train(X, y, *start, steps=10, lr=0.3)
    theirs = [torch.tensor(w, requires_grad=True) for w in start]
    optimizer = torch.optim.SGD(theirs, lr=0.3)
    expected = []
    for _ in range(10):
        optimizer.zero_grad()
        hidden = torch.tanh(torch.tensor(X) @ theirs[0] + theirs[1])
        loss = torch.nn.functional.cross_entropy(hidden @ theirs[2] + theirs[3], torch.tensor(y))
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    agree("losses", losses, expected)
    for mine, other in zip(weights, theirs, strict=True):
        agree("weights", mine, other.detach().numpy())
