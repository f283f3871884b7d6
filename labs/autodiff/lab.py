# %% [markdown]
# # Build an autodiff engine
#
# **Why.** A model with a billion weights is trained by asking one question a billion times: *if this weight grew a little,
# by how much would the loss change?* Automatic differentiation answers all of these questions at once, exactly, for about the price of
# evaluating the loss a few times. In this lab you build it: nothing but numpy, and nothing hidden.
#
# **Picture.** The function $f(x_1,x_2)=\ln x_1+x_1x_2-\sin x_2$ as a graph, evaluated at $(2,5)$. Values travel from left to right, gradients back from right to left.
#
# ![A graph with the inputs x1 and x2 on the left and y on the right; above each node its value, below it the gradient of y with respect to it.](figures/graph.svg)
#
# **Spec in five lines of maths.** Let $y=f(x)$ with $x\in\mathbb R^n$, $y\in\mathbb R^m$ and Jacobian $J_{ij}=\partial y_i/\partial x_j$.
#
# 1. Forward mode pushes a tangent along with the value: $(x,\dot x)\mapsto(f(x),\,J\dot x)$. One sweep gives one *column combination* of $J$.
# 2. Reverse mode pulls a cotangent back: $\bar x=J^{\mathsf T}\bar y$. One sweep gives one *row combination* of $J$.
# 3. Composition: $J_{g\circ f}=J_g\,J_f$, so tangents go left to right through the program and cotangents go right to left.
# 4. A value that is used twice gets the **sum** of what comes back: $\bar x=\sum_{\text{uses}}J_{\text{use}}^{\mathsf T}\,\bar y_{\text{use}}$.
# 5. Broadcasting copies a value, so its adjoint **sums over the copies**.
#
# **Your API.**
#
# | name | what it does |
# |---|---|
# | `Dual(value, tangent)` | number with a tangent: `+ - * / **`, `exp log sin cos relu tanh` |
# | `jvp(f, x, v)` | $(f(x),\,Jv)$ in one forward sweep |
# | `Tensor(data, requires_grad=False)` | array that remembers how it was made; `.data .grad .shape`, operators, `backward(grad=None)`, `detach()`, `zero_grad()` |
# | `topo_order(out)` | every tensor that `out` was made from, parents first |
# | `linear_backward(X, W, dY)` | $(\partial L/\partial X,\ \partial L/\partial W)$ of $Y=XW$ |
# | `jacobian(f, x, mode)` | $J$ and the number of sweeps it took |
# | `gradcheck(f, xs, eps=None)` | how far your gradients are from numerical ones |
# | `hvp(f, x, v)` | Hessian times vector, without the Hessian |
# | `checkpoint(f, *xs)` | forgets what is inside `f` and computes it again when it is needed |
#
# **Checkpoints.** E1 (15 points, 35 min) · E2 (20, 50) · E3 (15, 40) · E4 (15, 35) · E5 (10, 20) · E6 (10, 25) · E7 (10, 25) · E8 (5, 20).
# E1 to E4 do not need each other, except that E4 uses your `unbroadcast` from E2. From E5 on you use what you have built.
#
# Everything is in float64. Hidden checks use other shapes and other numbers than the visible ones, so write what the maths says.
# torch, jax and friends are not installed where this notebook is graded.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}
import math

import numpy as np

import labkit
from labkit import check


# One name for a function, whatever it is applied to: a Dual, a Tensor or a plain number.
def exp(x):
    return x.exp() if hasattr(x, "exp") else np.exp(x)


def log(x):
    return x.log() if hasattr(x, "log") else np.log(x)


def sin(x):
    return x.sin() if hasattr(x, "sin") else np.sin(x)


def cos(x):
    return x.cos() if hasattr(x, "cos") else np.cos(x)


def tanh(x):
    return x.tanh() if hasattr(x, "tanh") else np.tanh(x)


def relu(x):
    return x.relu() if hasattr(x, "relu") else np.maximum(x, 0.0)


# %% [markdown]
# ## E1 · Dual numbers (15 points, 35 minutes)
#
# A dual number is $a+\dot a\,\varepsilon$ with $\varepsilon^2=0$: a value and, riding along, its rate of change. Calculate with the pair and
# the derivative falls out of ordinary algebra:
#
# $$(a+\dot a\varepsilon)(b+\dot b\varepsilon)=ab+(\dot a\,b+a\,\dot b)\,\varepsilon$$
#
# because the term with $\varepsilon^2$ vanishes. That is the product rule, and nobody had to remember it. The others follow in the same way:
#
# | | value | tangent |
# |---|---|---|
# | $a\pm b$ | $a\pm b$ | $\dot a\pm\dot b$ |
# | $a/b$ | $a/b$ | $(\dot a\,b-a\,\dot b)/b^2$ |
# | $a^b$ | $a^b$ | $b\,a^{b-1}\,\dot a+a^b\ln a\;\dot b$ |
# | $\phi(a)$ | $\phi(a)$ | $\phi'(a)\,\dot a$ |
#
# Three rules for powers, so that nothing blows up that need not: if the exponent's tangent is 0, leave its term out (so $(-2)^3$ has a
# derivative although $\ln(-2)$ does not exist); if the exponent is 0, the first term is 0; a base that is not positive has no
# second term.
#
# **By hand.** $f(x_1,x_2)=\ln x_1+x_1x_2-\sin x_2$ at $(2,5)$, differentiated with respect to $x_1$: start with $\dot x_1=1$, $\dot x_2=0$.
#
# | step | value | tangent |
# |---|---|---|
# | $v_1=\ln x_1$ | 0.693 | $1/2=0.5$ |
# | $v_2=x_1x_2$ | 10 | $1\cdot5+2\cdot0=5$ |
# | $v_3=\sin x_2$ | −0.959 | $0$ |
# | $v_4=v_1+v_2$ | 10.693 | 5.5 |
# | $y=v_4-v_3$ | **11.652** | **5.5** |
#
# With $\dot x=(0,1)$ the last tangent is $2-\cos5=1.716$. And the table of Homework 1: $f(x_1,x_2)=\big((x_1+x_2)^2,\ (x_1-x_2)^2\big)$
# at $(2,4)$ has value $(36,4)$ and $J=\begin{pmatrix}12&12\\-4&4\end{pmatrix}$; a sweep with $\dot x=(1,0)$ gives the first column, $(12,-4)$.
#
# **Common mistakes.** `2 - x` and `x - 2` are different methods (`__rsub__`, `__sub__`), and so are `2 / x` and `2 ** x` ·
# the tangent of a quotient has $b^2$ below · $\cos'=-\sin$.


# %% nbgrader={"grade": false, "grade_id": "dual", "locked": false, "schema_version": 3, "solution": true}
class Dual:
    """A number `value` with its derivative `tangent` along one direction."""

    def __init__(self, value, tangent=0.0):
        self.value = value
        self.tangent = tangent

    def __repr__(self):
        return f"Dual({self.value}, {self.tangent})"

    @staticmethod
    def lift(other):
        """A plain number is a constant: its tangent is 0."""
        return other if isinstance(other, Dual) else Dual(other, 0.0)

    def __gt__(self, other):
        return self.value > Dual.lift(other).value

    def __lt__(self, other):
        return self.value < Dual.lift(other).value

    def __neg__(self):
        ### BEGIN SOLUTION
        return Dual(-self.value, -self.tangent)
        ### END SOLUTION

    def __add__(self, other):
        ### BEGIN SOLUTION
        other = Dual.lift(other)
        return Dual(self.value + other.value, self.tangent + other.tangent)
        ### END SOLUTION

    def __sub__(self, other):
        ### BEGIN SOLUTION
        other = Dual.lift(other)
        return Dual(self.value - other.value, self.tangent - other.tangent)
        ### END SOLUTION

    def __mul__(self, other):
        ### BEGIN SOLUTION
        other = Dual.lift(other)
        tangent = self.tangent * other.value + self.value * other.tangent
        return Dual(self.value * other.value, tangent)
        ### END SOLUTION

    def __truediv__(self, other):
        ### BEGIN SOLUTION
        other = Dual.lift(other)
        tangent = (self.tangent * other.value - self.value * other.tangent) / other.value**2
        return Dual(self.value / other.value, tangent)
        ### END SOLUTION

    def __pow__(self, other):
        ### BEGIN SOLUTION
        other = Dual.lift(other)
        value = self.value**other.value
        tangent = 0.0
        if other.value != 0:
            tangent = other.value * self.value ** (other.value - 1) * self.tangent
        if other.tangent != 0 and self.value > 0:
            tangent = tangent + value * math.log(self.value) * other.tangent
        return Dual(value, tangent)
        ### END SOLUTION

    # The reversed operators: Python calls them for `2 + x`, `2 - x`, `2 * x`, `2 / x` and `2 ** x`.
    def __radd__(self, other):
        ### BEGIN SOLUTION
        return Dual.lift(other) + self
        ### END SOLUTION

    def __rsub__(self, other):
        ### BEGIN SOLUTION
        return Dual.lift(other) - self
        ### END SOLUTION

    def __rmul__(self, other):
        ### BEGIN SOLUTION
        return Dual.lift(other) * self
        ### END SOLUTION

    def __rtruediv__(self, other):
        ### BEGIN SOLUTION
        return Dual.lift(other) / self
        ### END SOLUTION

    def __rpow__(self, other):
        ### BEGIN SOLUTION
        return Dual.lift(other) ** self
        ### END SOLUTION

    def exp(self):
        ### BEGIN SOLUTION
        value = math.exp(self.value)
        return Dual(value, value * self.tangent)
        ### END SOLUTION

    def log(self):
        ### BEGIN SOLUTION
        return Dual(math.log(self.value), self.tangent / self.value)
        ### END SOLUTION

    def sin(self):
        ### BEGIN SOLUTION
        return Dual(math.sin(self.value), math.cos(self.value) * self.tangent)
        ### END SOLUTION

    def cos(self):
        ### BEGIN SOLUTION
        return Dual(math.cos(self.value), -math.sin(self.value) * self.tangent)
        ### END SOLUTION

    def tanh(self):
        ### BEGIN SOLUTION
        value = math.tanh(self.value)
        return Dual(value, (1.0 - value * value) * self.tangent)
        ### END SOLUTION

    def relu(self):
        ### BEGIN SOLUTION
        return Dual(self.value, self.tangent) if self.value > 0 else Dual(0.0, 0.0)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-dual_arithmetic", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("dual_arithmetic")

# %% nbgrader={"grade": true, "grade_id": "check-dual_and_numbers", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("dual_and_numbers")

# %% nbgrader={"grade": true, "grade_id": "check-dual_powers", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("dual_powers")

# %% nbgrader={"grade": true, "grade_id": "check-dual_functions", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("dual_functions")

# %% [markdown]
# Now one function for the whole forward mode. `f` takes a **list** of $n$ numbers and returns a list of $m$ numbers; it works on floats and on
# duals alike. `jvp` evaluates it **once**, with all tangents in place, and returns two float64 arrays of length $m$: $f(x)$ and $Jv$.
# An output may be a plain number (a constant): its tangent is 0.


# %% nbgrader={"grade": false, "grade_id": "jvp", "locked": false, "schema_version": 3, "solution": true}
def jvp(f, x, v):
    """The value of f at x and its derivative along v: (f(x), J v), both float64 arrays of shape (m,)."""
    ### BEGIN SOLUTION
    outputs = [Dual.lift(y) for y in f([Dual(float(a), float(t)) for a, t in zip(x, v)])]
    values = np.array([y.value for y in outputs], dtype=np.float64)
    tangents = np.array([y.tangent for y in outputs], dtype=np.float64)
    return values, tangents
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-jvp_survey_example", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("jvp_survey_example")

# %% nbgrader={"grade": true, "grade_id": "check-jvp_compositions", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("jvp_compositions")

# %% [markdown]
# ## The engine that you are given
#
# `Tensor` below is complete. Every operation goes through `apply`, which computes the value with numpy and *records* two things: the parents
# and a **pullback**, the function that turns the gradient of the output into the gradients of the parents. The pullbacks themselves are missing:
# `x * y` will call a function `mul_vjp` that you write in E2. Read the cell once; it is short, and the rest of the lab lives in it.
#
# - `out.parents` are the operands, in order; a tensor that nobody computed (a *leaf*) has none.
# - `out.pullback(g)` gives one array for each parent.
# - Only what can reach a tensor with `requires_grad=True` is recorded. Everything else is a constant.


# %% nbgrader={"grade": false, "grade_id": "tensor", "locked": true, "schema_version": 3, "solution": false}
class Tensor:
    """A float64 array that remembers how it was made."""

    __array_ufunc__ = None  # lets `array * tensor` reach Tensor.__rmul__

    def __init__(self, data, requires_grad=False):
        array = np.array(data)
        self.data = array if array.dtype == object else array.astype(np.float64)
        self.requires_grad = requires_grad
        self.grad = None
        self.parents = ()
        self.pullback = None

    def __repr__(self):
        return f"Tensor({self.data!r}, requires_grad={self.requires_grad})"

    def __len__(self):
        return len(self.data)

    @property
    def shape(self):
        return self.data.shape

    # E3: these three are yours.
    def backward(self, grad=None):
        backpropagate(self, grad)

    def detach(self):
        return detach(self)

    def zero_grad(self):
        zero_grad(self)

    # E2: arithmetic, elementwise with broadcasting.
    def __neg__(self):
        return apply("neg", self)

    def __add__(self, other):
        return apply("add", self, other)

    def __radd__(self, other):
        return apply("add", other, self)

    def __sub__(self, other):
        return apply("sub", self, other)

    def __rsub__(self, other):
        return apply("sub", other, self)

    def __mul__(self, other):
        return apply("mul", self, other)

    def __rmul__(self, other):
        return apply("mul", other, self)

    def __truediv__(self, other):
        return apply("div", self, other)

    def __rtruediv__(self, other):
        return apply("div", other, self)

    def __pow__(self, other):
        return apply("pow", self, other)

    def __rpow__(self, other):
        return apply("pow", other, self)

    # E2: functions, reductions, shapes.
    def exp(self):
        return apply("exp", self)

    def log(self):
        return apply("log", self)

    def sin(self):
        return apply("sin", self)

    def cos(self):
        return apply("cos", self)

    def tanh(self):
        return apply("tanh", self)

    def relu(self):
        return apply("relu", self)

    def sum(self, axis=None, keepdims=False):
        return apply("sum", self, axis=axis, keepdims=keepdims)

    def mean(self, axis=None, keepdims=False):
        return apply("mean", self, axis=axis, keepdims=keepdims)

    def max(self, axis=None, keepdims=False):
        return apply("max", self, axis=axis, keepdims=keepdims)

    def reshape(self, *shape):
        shape = shape[0] if len(shape) == 1 and np.ndim(shape[0]) else shape  # (2, 3) or 2, 3
        return apply("reshape", self, shape=tuple(shape))

    def transpose(self, axes=None):
        return apply("transpose", self, axes=axes)

    # E4 and E7.
    def __matmul__(self, other):
        return apply("matmul", self, other)

    def __rmatmul__(self, other):
        return apply("matmul", other, self)

    def __getitem__(self, index):
        return apply("getitem", self, index=index)

    def log_softmax(self, axis=-1):
        return apply("log_softmax", self, axis=axis)


FORWARD = {
    "neg": np.negative,
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "reshape": np.reshape,
    "transpose": np.transpose,
    "matmul": np.matmul,
    "getitem": lambda x, index: x[index],
}


def record(value, parents, pullback):
    """A tensor that was computed from `parents`; `pullback(g)` gives one array for each of them."""
    out = Tensor(value)
    if any(parent.requires_grad for parent in parents):
        out.requires_grad = True
        out.parents = tuple(parents)
        out.pullback = pullback
    return out


def apply(name, *operands, **options):
    """Computes an operation and records it; its pullback is the function `<name>_vjp`."""
    parents = [x if isinstance(x, Tensor) else Tensor(x) for x in operands]
    arrays = [parent.data for parent in parents]
    forward = FORWARD.get(name) or globals()[f"{name}_forward"]  # E7 brings a forward of its own
    value = np.asarray(forward(*arrays, **options))

    def pullback(g):
        pieces = globals()[f"{name}_vjp"](np.asarray(g), value, *arrays, **options)
        return pieces if isinstance(pieces, tuple) else (pieces,)

    return record(value, parents, pullback)


# %% [markdown]
# ## E2 · Local pullbacks with broadcasting (20 points, 50 minutes)
#
# Each operation needs one small function, its *vector–Jacobian product*: given `g`, the gradient of the loss with respect to the output, return the
# gradient with respect to each input. For $z=xy$, elementwise, $\bar x=g\,y$ and $\bar y=g\,x$: no Jacobian is ever built, although on paper
# there is one with $10^8$ entries for arrays of length $10^4$. The checks use arrays for which such a matrix does not fit into memory.
#
# All of these functions see plain numpy arrays. They are called as `name_vjp(g, out, *inputs, **options)`, where `out` is the value that the
# operation had; a function with one input returns one array, with two inputs a pair. A gradient always has **the shape of its input**.
#
# **Broadcasting.** When `x` of shape $(3,1)$ meets `y` of shape $(2,3,4)$, every entry of `x` is used 8 times, so its gradient is
# the sum of 8 numbers. `unbroadcast(g, shape)` does it: sum over the axes that were added in front, and over those of length 1
# that were stretched (keeping them as length 1).
#
# **By hand.** $x$ has shape $(3,)$, $y$ shape $(2,3)$, $z=x+y$ and $g=\begin{pmatrix}1&2&3\\4&5&6\end{pmatrix}$. Then $\bar y=g$, and
# $\bar x=(1+4,\ 2+5,\ 3+6)=(5,7,9)$. Had $x$ been of shape $(2,1)$, $\bar x$ would be $\begin{pmatrix}6\\15\end{pmatrix}$.
#
# **Common mistakes.** Summing the stretched axes but losing them (shape $(2,)$ for $(2,1)$) · forgetting the axes that numpy put in front.


# %% nbgrader={"grade": false, "grade_id": "unbroadcast", "locked": false, "schema_version": 3, "solution": true}
def unbroadcast(g, shape):
    """The adjoint of broadcasting an array of `shape` to the shape of `g`: sums over the copies."""
    ### BEGIN SOLUTION
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1 and g.shape[axis] != 1)
    return g.sum(axis=stretched, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-unbroadcast_shapes", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("unbroadcast_shapes")

# %% [markdown]
# **Arithmetic.** With $z=x/y$: $\bar x=g/y$, $\bar y=-g\,x/y^2$. With $z=x^y$: $\bar x=g\,y\,x^{y-1}$ and $\bar y=g\,z\ln x$, with the same rules as
# for dual numbers, now element by element: $\bar x$ is 0 where $y=0$, and $\bar y$ is 0 where $x\le0$. No `nan` may come out.
#
# **By hand.** $z=x/y$ with $x=6$, $y=2$, $g=1$: $\bar x=0.5$, $\bar y=-1.5$. Halving $y$'s reciprocal makes $z$ fall, hence the sign.


# %% nbgrader={"grade": false, "grade_id": "arithmetic-vjps", "locked": false, "schema_version": 3, "solution": true}
def neg_vjp(g, out, x):
    ### BEGIN SOLUTION
    return -g
    ### END SOLUTION


def add_vjp(g, out, x, y):
    ### BEGIN SOLUTION
    return unbroadcast(g, x.shape), unbroadcast(g, y.shape)
    ### END SOLUTION


def sub_vjp(g, out, x, y):
    ### BEGIN SOLUTION
    return unbroadcast(g, x.shape), unbroadcast(-g, y.shape)
    ### END SOLUTION


def mul_vjp(g, out, x, y):
    ### BEGIN SOLUTION
    return unbroadcast(g * y, x.shape), unbroadcast(g * x, y.shape)
    ### END SOLUTION


def div_vjp(g, out, x, y):
    ### BEGIN SOLUTION
    return unbroadcast(g / y, x.shape), unbroadcast(-g * x / y**2, y.shape)
    ### END SOLUTION


def pow_vjp(g, out, x, y):
    ### BEGIN SOLUTION
    constant = y == 0
    slope = np.where(constant, 0.0, y * np.power(x, np.where(constant, 1.0, y - 1.0)))
    positive = x > 0
    growth = np.where(positive, out * np.log(np.where(positive, x, 1.0)), 0.0)
    return unbroadcast(g * slope, x.shape), unbroadcast(g * growth, y.shape)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-arithmetic_vjps", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("arithmetic_vjps")

# %% nbgrader={"grade": true, "grade_id": "check-arithmetic_vjps_broadcast", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("arithmetic_vjps_broadcast")

# %% nbgrader={"grade": true, "grade_id": "check-power_vjps", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("power_vjps")

# %% [markdown]
# **Functions of one variable.** $\bar x=g\,\phi'(x)$. Where $\phi'$ can be written with `out`, use it: $\exp'=\text{out}$,
# $\tanh'=1-\text{out}^2$. The gradient of `relu` is $g$ where $x>0$ and 0 elsewhere.


# %% nbgrader={"grade": false, "grade_id": "function-vjps", "locked": false, "schema_version": 3, "solution": true}
def exp_vjp(g, out, x):
    ### BEGIN SOLUTION
    return g * out
    ### END SOLUTION


def log_vjp(g, out, x):
    ### BEGIN SOLUTION
    return g / x
    ### END SOLUTION


def sin_vjp(g, out, x):
    ### BEGIN SOLUTION
    return g * np.cos(x)
    ### END SOLUTION


def cos_vjp(g, out, x):
    ### BEGIN SOLUTION
    return -g * np.sin(x)
    ### END SOLUTION


def tanh_vjp(g, out, x):
    ### BEGIN SOLUTION
    return g * (1.0 - out * out)
    ### END SOLUTION


def relu_vjp(g, out, x):
    ### BEGIN SOLUTION
    return g * (x > 0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-function_vjps", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("function_vjps")

# %% [markdown]
# **Reductions.** `axis` is `None` (all of them), an int or a tuple of ints, possibly negative; with `keepdims` the reduced axes stay as length 1, exactly as
# in numpy. A sum copies its gradient back to every summand; a mean divides it by the number of them. A maximum sends it to the entry
# that won; if several entries tie, each gets an **equal share**, so that the shares add up to `g`.
#
# **By hand.** $x=(3,7,7)$, $g=1$: the maximum is 7 and occurs twice, so $\bar x=(0,\ 0.5,\ 0.5)$.


# %% nbgrader={"grade": false, "grade_id": "reduction-vjps", "locked": false, "schema_version": 3, "solution": true}
def sum_vjp(g, out, x, axis=None, keepdims=False):
    ### BEGIN SOLUTION
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, x.shape)
    ### END SOLUTION


def mean_vjp(g, out, x, axis=None, keepdims=False):
    ### BEGIN SOLUTION
    return sum_vjp(g, out, x, axis, keepdims) * (out.size / x.size)
    ### END SOLUTION


def max_vjp(g, out, x, axis=None, keepdims=False):
    ### BEGIN SOLUTION
    winners = x == sum_vjp(out, out, x, axis, keepdims)
    shares = winners / winners.sum(axis=axis, keepdims=True)
    return sum_vjp(g, out, x, axis, keepdims) * shares
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-sum_and_mean_vjps", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("sum_and_mean_vjps")

# %% nbgrader={"grade": true, "grade_id": "check-max_vjps", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("max_vjps")

# %% [markdown]
# **Shapes.** Moving entries around is a permutation, and the adjoint of a permutation is its inverse. `axes` of `transpose` is `None`
# (reverse all) or a tuple as numpy takes it, negative numbers included.
#
# **By hand.** If `x` has shape $(2,3,5)$ and `axes=(1,2,0)`, the output has shape $(3,5,2)$. To come back, axis 0 must be found at place 2, axis 1 at place
# 0 and axis 2 at place 1: the inverse is `(2,0,1)`. Applying `(1,2,0)` again would give $(5,2,3)$.


# %% nbgrader={"grade": false, "grade_id": "shape-vjps", "locked": false, "schema_version": 3, "solution": true}
def reshape_vjp(g, out, x, shape):
    ### BEGIN SOLUTION
    return g.reshape(x.shape)
    ### END SOLUTION


def transpose_vjp(g, out, x, axes=None):
    ### BEGIN SOLUTION
    if axes is None:
        return np.transpose(g)
    return np.transpose(g, np.argsort([axis % x.ndim for axis in axes]))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-shape_vjps", "locked": true, "points": 1, "schema_version": 3, "solution": false}
check("shape_vjps")

# %% [markdown]
# ## E3 · Topological order and accumulation (15 points, 40 minutes)
#
# A gradient may travel on only when **all** of it has arrived. Look at a diamond:
#
# ![x is used by a and by b, both are used by y. Two gradients of 30 arrive at x and add up to 60.](figures/diamond.svg)
#
# If `x` had ancestors of its own and you passed $\bar a\cdot\partial a/\partial x$ on before the other half arrived, they would see half of it, or see it twice and
# pay for it: a stack of 60 diamonds has $2^{60}\approx10^{18}$ paths. So visit every tensor **once**, children before parents:
#
# - `topo_order(out)`: a list with every tensor reachable from `out` through `.parents`, each exactly once, every parent before its
#   children; `out` comes last. A graph may be deep (a recurrent network of 2,000 steps), and Python stops recursion at about
#   1,000 levels: keep a stack of your own.
# - `backpropagate(out, grad=None)`: walks that list from the end. Keep the gradients that are on their way in a dictionary,
#   pass each tensor's total through its `pullback`, and add what arrives. A **leaf** (no parents) that requires gradients
#   *adds* its total to `.grad` (or stores it if `.grad` is `None`); no other tensor's `.grad` is touched. Parents that do not require gradients are skipped.
# - `grad=None` means 1 and is allowed only if `out` has a single element; otherwise `grad` must have the shape of `out`. Anything
#   else is a `ValueError`, and so is an `out` that does not require gradients.
# - Never change an array that somebody else holds: a pullback may return the same array for two parents, and `grad` is the caller's. So `a = a + b`, not `a += b`.
#
# The checks of this exercise bring pullbacks of their own, so you can do it before E2.
#
# **By hand.** $x=3$, $a=2x$, $b=5x$, $y=a\cdot b=90$. Backwards: $\bar y=1$, $\bar a=b=15$, $\bar b=a=6$, $\bar x=15\cdot2+6\cdot5=60$, and indeed
# $y=10x^2$ has slope $20x=60$.


# %% nbgrader={"grade": false, "grade_id": "topo-order", "locked": false, "schema_version": 3, "solution": true}
def topo_order(out):
    """Every tensor that `out` was computed from, each once, parents before children, `out` last."""
    ### BEGIN SOLUTION
    order, visited, stack = [], set(), [(out, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif id(node) not in visited:
            visited.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent in node.parents)
    return order
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-topological_order", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("topological_order")


# %% nbgrader={"grade": false, "grade_id": "backpropagate", "locked": false, "schema_version": 3, "solution": true}
def backpropagate(out, grad=None):
    """Adds the gradient of `out`, weighted with `grad`, to the `.grad` of every leaf that requires it."""
    ### BEGIN SOLUTION
    if not out.requires_grad:
        raise ValueError("nothing that this tensor was made from requires gradients")
    if grad is None:
        if out.data.size != 1:
            raise ValueError(f"a tensor of shape {out.shape} needs an explicit grad")
        grad = np.ones_like(out.data)
    grad = np.asarray(grad)
    if grad.shape != out.shape:
        raise ValueError(f"grad has shape {grad.shape}, the tensor {out.shape}")
    arrived = {id(out): grad}
    for node in reversed(topo_order(out)):
        g = arrived.pop(id(node), None)
        if g is None:
            continue
        if not node.parents:
            node.grad = np.array(g) if node.grad is None else node.grad + g
            continue
        for parent, piece in zip(node.parents, node.pullback(g)):
            if parent.requires_grad:
                before = arrived.get(id(parent))
                arrived[id(parent)] = piece if before is None else before + piece
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-used_twice", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("used_twice")

# %% nbgrader={"grade": true, "grade_id": "check-stacked_diamonds", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("stacked_diamonds")

# %% nbgrader={"grade": true, "grade_id": "check-deep_chain", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("deep_chain")

# %% nbgrader={"grade": true, "grade_id": "check-seeds", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("seeds")

# %% [markdown]
# `detach(t)` is a new tensor with the same values that gradients do not pass. `zero_grad(t)` makes `t.grad` `None` again, so that the next
# `backward` starts afresh; without it, two calls add up, which is what training with several micro-batches relies on.


# %% nbgrader={"grade": false, "grade_id": "leaves", "locked": false, "schema_version": 3, "solution": true}
def detach(tensor):
    ### BEGIN SOLUTION
    return Tensor(tensor.data)
    ### END SOLUTION


def zero_grad(tensor):
    ### BEGIN SOLUTION
    tensor.grad = None
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-repeated_backward", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("repeated_backward")

# %% [markdown]
# ## E4 · Matrix product, linear layer, gather (15 points, 35 minutes)
#
# For $Y=XW$ with $X$ of shape $(N,D_i)$ and $W$ of shape $(D_i,D_o)$ write $Y_{no}=\sum_i X_{ni}W_{io}$ and differentiate the loss $L(Y)$:
#
# $$\frac{\partial L}{\partial X_{ni}}=\sum_o \frac{\partial L}{\partial Y_{no}}W_{io},\qquad
# \frac{\partial L}{\partial W_{io}}=\sum_n X_{ni}\frac{\partial L}{\partial Y_{no}},$$
#
# that is $\bar X=\bar Y\,W^{\mathsf T}$ and $\bar W=X^{\mathsf T}\bar Y$, the proof of Homework 1. The shapes leave hardly another choice.
#
# numpy's `@` does more, and so must `matmul_vjp(g, out, a, b)`:
#
# | `a` | `b` | `out` | think of |
# |---|---|---|---|
# | `(m, k)` | `(k, n)` | `(m, n)` | the formula above |
# | `(k,)` | `(k, n)` | `(n,)` | `a` as a row `(1, k)`, that axis removed afterwards |
# | `(m, k)` | `(k,)` | `(m,)` | `b` as a column `(k, 1)`, that axis removed afterwards |
# | `(k,)` | `(k,)` | `()` | both |
# | `(B, m, k)` | `(k, n)` | `(B, m, n)` | a batch: `b` was broadcast, so its gradient is **summed over the batch** |
# | `(5, 1, m, k)` | `(4, k, n)` | `(5, 4, m, n)` | both were |
#
# **By hand.** $X=\begin{pmatrix}1&2\end{pmatrix}$, $W=\begin{pmatrix}3\\4\end{pmatrix}$, so $Y=11$. With $\bar Y=10$: $\bar X=\begin{pmatrix}30&40\end{pmatrix}$,
# $\bar W=\begin{pmatrix}10\\20\end{pmatrix}$.


# %% nbgrader={"grade": false, "grade_id": "matmul-vjp", "locked": false, "schema_version": 3, "solution": true}
def matmul_vjp(g, out, a, b):
    """The gradients of `a @ b` with respect to a and b, for all shapes that numpy accepts."""
    ### BEGIN SOLUTION
    rows = a[np.newaxis, :] if a.ndim == 1 else a
    columns = b[:, np.newaxis] if b.ndim == 1 else b
    if b.ndim == 1:
        g = np.expand_dims(g, -1)
    if a.ndim == 1:
        g = np.expand_dims(g, -2)
    da = unbroadcast(g @ np.swapaxes(columns, -1, -2), rows.shape)
    db = unbroadcast(np.swapaxes(rows, -1, -2) @ g, columns.shape)
    return da.reshape(a.shape), db.reshape(b.shape)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-matmul_matrices", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("matmul_matrices")

# %% nbgrader={"grade": true, "grade_id": "check-matmul_vectors", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("matmul_vectors")

# %% nbgrader={"grade": true, "grade_id": "check-matmul_batches", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("matmul_batches")

# %% [markdown]
# The same for a plain linear layer, as a function of its own: `X` $(N,D_i)$, `W` $(D_i,D_o)$, `dY` $(N,D_o)$.


# %% nbgrader={"grade": false, "grade_id": "linear-backward", "locked": false, "schema_version": 3, "solution": true}
def linear_backward(X, W, dY):
    """(dL/dX, dL/dW) of the layer Y = X W, given dL/dY."""
    ### BEGIN SOLUTION
    return dY @ W.T, X.T @ dY
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-linear_layer", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("linear_layer")

# %% [markdown]
# **Gather.** `x[index]` with an int, a slice, an array of ints, or a tuple of these. Its adjoint is a **scatter-add**: start with zeros of the shape of
# `x` and add every entry of `g` to the place it was read from. If an index occurs twice, both gradients arrive there. This is the
# backward pass of an embedding table, where frequent words occur many times in one batch.
#
# **By hand.** `x[[2, 0, 2]]` of an `x` with 4 entries, $g=(1,10,100)$: $\bar x=(10,\ 0,\ 101,\ 0)$. Beware: `dx[index] += g` reads, adds and
# writes each place *once*, and gives $(10,0,100,0)$. numpy has a function that does it right.


# %% nbgrader={"grade": false, "grade_id": "getitem-vjp", "locked": false, "schema_version": 3, "solution": true}
def getitem_vjp(g, out, x, index):
    """The gradient of `x[index]` with respect to x."""
    ### BEGIN SOLUTION
    dx = np.zeros_like(x)
    np.add.at(dx, index, g)
    return dx
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-gather", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("gather")

# %% [markdown]
# ## E5 · The Jacobian in both modes (10 points, 20 minutes)
#
# For $f:\mathbb R^n\to\mathbb R^m$ forward mode needs $n$ sweeps, one for each column, and reverse mode $m$ sweeps, one for each row. A loss has $m=1$
# and a model $n=10^9$: that is why training runs backwards.
#
# `jacobian(f, x, mode)` returns `(J, sweeps)` with `J` of shape $(m,n)$. As in E1, `f` takes a list of $n$ scalars and returns a list of $m$.
#
# - `"fwd"`: $n$ calls of `jvp` with the unit vectors; `f` is evaluated $n$ times.
# - `"rev"`: `f` is evaluated **once**, on a list of $n$ scalar tensors (`Tensor(x_j, requires_grad=True)`, shape `()`); then one `backward` for each output.
#   Gradients add up over several `backward` calls, so clear them between the rows.
#
# An output may be a plain number, or not depend on $x$: its row is 0. Any other mode is a `ValueError`.
#
# **By hand.** $f(x_1,x_2)=\big((x_1+x_2)^2,(x_1-x_2)^2\big)$ at $(2,4)$: both modes give $\begin{pmatrix}12&12\\-4&4\end{pmatrix}$ and 2 sweeps. With $f(x)=\sum_j x_j^2$ and
# $n=3$ it is 3 sweeps against 1.


# %% nbgrader={"grade": false, "grade_id": "jacobian", "locked": false, "schema_version": 3, "solution": true}
def jacobian(f, x, mode):
    """The Jacobian of f at x, shape (m, n), and the number of sweeps: n for "fwd", m for "rev"."""
    ### BEGIN SOLUTION
    n = len(x)
    if mode == "fwd":
        return np.stack([jvp(f, x, unit)[1] for unit in np.eye(n)], axis=1), n
    if mode != "rev":
        raise ValueError(f"mode must be 'fwd' or 'rev', not {mode!r}")
    leaves = [Tensor(value, requires_grad=True) for value in x]
    outputs = f(leaves)
    J = np.zeros((len(outputs), n))
    for row, y in zip(J, outputs):
        if isinstance(y, Tensor) and y.requires_grad:
            y.backward()
        row[:] = [0.0 if leaf.grad is None else leaf.grad for leaf in leaves]
        for leaf in leaves:
            leaf.zero_grad()
    return J, len(outputs)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-jacobian_forward", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("jacobian_forward")

# %% nbgrader={"grade": true, "grade_id": "check-jacobian_reverse", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("jacobian_reverse")

# %% nbgrader={"grade": true, "grade_id": "check-jacobian_traps", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("jacobian_traps")

# %% [markdown]
# ## E6 · A gradient checker with a good step (10 points, 25 minutes)
#
# How do you know that a pullback is right? Compare it with a difference quotient. The central one,
#
# $$\frac{f(x+h)-f(x-h)}{2h}=f'(x)+\frac{h^2}{6}f'''(x)+\dots$$
#
# has a truncation error of order $h^2$, but subtracting two nearly equal numbers loses digits: the rounding error is about $\epsilon|f|/h$ with
# $\epsilon=2.2\cdot10^{-16}$. The sum is smallest near $h=\epsilon^{1/3}\approx6\cdot10^{-6}$, where about ten digits are right. (For the one-sided
# quotient it is $\epsilon^{1/2}$, and only eight digits survive.) With $h=10^{-12}$ rounding leaves you four.
#
# ![Error against the step h on logarithmic axes: both quotients lose to rounding on the left; the valley of the central one is deeper and further to the right.](figures/step.svg)
#
# The picture is measured, with $f=\sin$ near $x=1$: rounding falls as $\epsilon/h$, truncation rises as $h$ or $h^2$.
#
# `gradcheck(f, xs, eps=None)`: `f` takes one `Tensor` for each array of `xs` and returns a tensor with one element. For each input $k$:
#
# - $a$ is the gradient that `backward` gives (zeros if the input is not used);
# - $d$ is the central difference, one element at a time, with the step $h=\text{eps}\cdot\max(1,|x|)$; `eps` is $\epsilon^{1/3}$ unless given;
# - $e_k=\dfrac{\max|a-d|}{\max(\max|a|,\ \max|d|)}$, and $e_k=0$ if all of it is 0.
#
# Return the largest $e_k$ as a float. The arrays in `xs` must be unchanged afterwards.
#
# **By hand.** $f(x)=x^3$ at $x=1$ with `eps=0.1`: $a=3$, $d=(1.331-0.729)/0.2=3.01$, so the result is $0.01/3.01\approx0.00332$.


# %% nbgrader={"grade": false, "grade_id": "gradcheck", "locked": false, "schema_version": 3, "solution": true}
def gradcheck(f, xs, eps=None):
    """The largest relative difference between the gradients of f and central differences."""
    ### BEGIN SOLUTION
    eps = np.finfo(np.float64).eps ** (1 / 3) if eps is None else eps
    tensors = [Tensor(x, requires_grad=True) for x in xs]
    out = f(*tensors)
    if out.requires_grad:
        out.backward()
    errors = [0.0]
    for k, given in enumerate(xs):
        x = np.array(given, dtype=np.float64)
        a = np.zeros_like(x) if tensors[k].grad is None else tensors[k].grad
        d = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            h = eps * max(1.0, abs(x[index]))
            values = []
            for moved in (x[index] + h, x[index] - h):
                shifted = [Tensor(other) for other in xs]
                shifted[k].data[index] = moved
                values.append(f(*shifted).data.item())
            d[index] = (values[0] - values[1]) / (2 * h)
        scale = max(np.max(np.abs(a), initial=0.0), np.max(np.abs(d), initial=0.0))
        if scale > 0:
            errors.append(float(np.max(np.abs(a - d)) / scale))
    return max(errors)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-gradcheck_accepts", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("gradcheck_accepts")

# %% nbgrader={"grade": true, "grade_id": "check-gradcheck_rejects", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("gradcheck_rejects")

# %% nbgrader={"grade": true, "grade_id": "check-gradcheck_step", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("gradcheck_step")

# %% [markdown]
# ## E7 · Log-softmax, and a network that learns (10 points, 25 minutes)
#
# $$\operatorname{logsoftmax}(x)_i=x_i-\ln\sum_j e^{x_j}$$
#
# along one axis. Computed as written, $x=1000$ overflows; subtract the maximum first, which changes nothing in exact arithmetic. Its pullback is short:
# with $p=e^{\text{out}}$,
#
# $$\bar x=g-p\sum_j g_j .$$
#
# **By hand.** $x=(0,\ln3)$: the sum is 4, so the result is $(-\ln4,\ \ln3-\ln4)$ and $p=(\tfrac14,\tfrac34)$. With $g=(1,0)$: $\bar x=(1,0)-p=(\tfrac34,-\tfrac34)$.


# %% nbgrader={"grade": false, "grade_id": "log-softmax", "locked": false, "schema_version": 3, "solution": true}
def log_softmax_forward(x, axis):
    """The logarithm of softmax along `axis`, finite for every finite x."""
    ### BEGIN SOLUTION
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    ### END SOLUTION


def log_softmax_vjp(g, out, x, axis):
    ### BEGIN SOLUTION
    return g - np.exp(out) * g.sum(axis=axis, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-log_softmax_values", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("log_softmax_values")

# %% nbgrader={"grade": true, "grade_id": "check-log_softmax_vjps", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("log_softmax_vjps")

# %% [markdown]
# Now let it learn. `train` gets 64 points `X` $(64,2)$ in three classes `y` (ints), and the initial weights of the network
#
# $$\text{logits}=\tanh(XW_1+b_1)\,W_2+b_2 .$$
#
# Do `steps` steps of gradient descent with the step size `lr` on the whole batch; the loss is the mean over the points of $-\operatorname{logsoftmax}(\text{logits})_{y}$.
# Return `(losses, weights)`: the loss *before* each step as a list of floats, and the four final arrays `[W1, b1, W2, b2]`. The arrays that you were given stay
# as they were. If everything is right, all 64 points end up in their class.


# %% nbgrader={"grade": false, "grade_id": "train", "locked": false, "schema_version": 3, "solution": true}
def train(X, y, W1, b1, W2, b2, steps, lr):
    """Full-batch gradient descent with your engine: (losses, [W1, b1, W2, b2])."""
    ### BEGIN SOLUTION
    weights = [Tensor(w, requires_grad=True) for w in (W1, b1, W2, b2)]
    losses = []
    for _ in range(steps):
        w1, c1, w2, c2 = weights
        logits = (Tensor(X) @ w1 + c1).tanh() @ w2 + c2
        loss = -logits.log_softmax(axis=1)[np.arange(len(y)), y].mean()
        loss.backward()
        losses.append(loss.data.item())
        weights = [Tensor(w.data - lr * w.grad, requires_grad=True) for w in weights]
    return losses, [w.data for w in weights]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-training", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("training")

# %% [markdown]
# ## E8 · Hessian products and checkpoints (5 points, 20 minutes)
#
# **Forward over reverse.** The gradient is a function too, so push a tangent through it: $\frac{d}{dt}\nabla f(x+tv)\big|_{t=0}=H(x)\,v$. Your two modes already
# fit together: let the entries of a `Tensor` be `Dual` numbers! numpy arrays of objects add, multiply and even call `.exp()` on each entry,
# so one backward pass over such a tensor computes the gradient *and* its tangent. The locked cell below packs and unpacks them. In the checks `f` uses
# only `+`, `-`, `*`, `exp`, `tanh`, `@` and slices, on arrays, and ends with `.sum()`. (If your pullbacks create arrays, create them with `np.zeros_like`, so that they can hold duals.)
#
# **By hand.** $f(x)=x_1^2x_2$ at $(3,5)$ has $H=\begin{pmatrix}10&6\\6&0\end{pmatrix}$; with $v=(1,2)$, $Hv=(22,6)$.


# %% nbgrader={"grade": false, "grade_id": "dual-arrays", "locked": true, "schema_version": 3, "solution": false}
def dual_array(x, v):
    """An array of duals with the values x and the tangents v."""
    packed = np.empty(np.shape(x), dtype=object)
    for index in np.ndindex(packed.shape):
        packed[index] = Dual(float(x[index]), float(v[index]))
    return packed


def tangents(array):
    """The tangents of an array of duals; a plain number in it has none."""
    return np.array([getattr(entry, "tangent", 0.0) for entry in np.ravel(array)], dtype=np.float64)


# %% nbgrader={"grade": false, "grade_id": "hvp", "locked": false, "schema_version": 3, "solution": true}
def hvp(f, x, v):
    """The Hessian of f at x times v, shape (n,); f takes a Tensor of shape (n,) and returns one number."""
    ### BEGIN SOLUTION
    leaf = Tensor(dual_array(x, v), requires_grad=True)
    f(leaf).backward()
    return np.zeros(len(x)) if leaf.grad is None else tangents(leaf.grad)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-hessian_vector", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("hessian_vector")

# %% [markdown]
# **Checkpoints.** Reverse mode keeps every intermediate value until the backward pass: memory grows with depth. A checkpoint keeps only the *inputs* of a block
# and computes the block again when its gradient is asked for: about a third more time, far less memory.
#
# `checkpoint(f, *xs)` has the value and the gradients of `f(*xs)`, but the tensor that it returns has exactly `xs` as its parents: nothing from inside `f` survives. `f` is
# evaluated once now and once for each backward pass. Run it on detached copies, so that the inner backward pass cannot leak into the graph around it; `record` makes the tensor.
# An input that does not require gradients gets none.


# %% nbgrader={"grade": false, "grade_id": "checkpoint", "locked": false, "schema_version": 3, "solution": true}
def checkpoint(f, *xs):
    """f(*xs), with everything inside f forgotten and computed again in the backward pass."""
    ### BEGIN SOLUTION
    value = f(*[x.detach() for x in xs]).data

    def pullback(g):
        copies = [Tensor(x.data, requires_grad=x.requires_grad) for x in xs]
        f(*copies).backward(g)
        return tuple(
            np.zeros_like(copy.data) if copy.grad is None else copy.grad for copy in copies
        )

    return record(value, xs, pullback)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-checkpointing", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("checkpointing")

# %% [markdown]
# ## Two plots from your code
#
# **Steps.** The error of the one-sided and of the central difference quotient of $f(x)=\ln(1+e^{x})$ at $x=1$ against $h$, as in figure 3 of the survey: valleys near $\epsilon^{1/2}$ and $\epsilon^{1/3}$. Your dual numbers
# are the line at the bottom, because they have no $h$.
#
# **Swell.** The logistic map $l_{n+1}=4\,l_n(1-l_n)$, $l_1=x$, as a formula in $x$ has twice as many symbols at each step, and the formula of its derivative, by the product rule and without simplifying, has more still (the survey calls this *expression swell*). A program computes $l_n$ once and uses it twice: your
# duals need a fixed number of operations for each step.


# %% nbgrader={"grade": false, "grade_id": "plots", "locked": true, "schema_version": 3, "solution": false}
def draw_steps():
    def f(x):
        return log(1 + exp(x))

    x, steps = 1.0, np.logspace(-16, 0, 65)
    slope = 1 / (1 + math.exp(-x))
    one_sided = [abs((f(x + h) - f(x)) / h - slope) for h in steps]
    central = [abs((f(x + h) - f(x - h)) / (2 * h) - slope) for h in steps]
    own = max(abs(f(Dual(x, 1.0)).tangent - slope), 1e-17)
    chart = labkit.LineChart("Error of a derivative", x="step h", y="error", log_x=True, log_y=True)
    chart.line(steps, one_sided, "one-sided").line(steps, central, "central")
    return chart.line(steps, [own] * len(steps), "dual numbers")


def draw_swell():
    class Counted(float):
        """A number that counts what is done with it."""

        operations = 0

        def __mul__(self, other):
            Counted.operations += 1
            return Counted(float(self) * float(other))

        def __add__(self, other):
            Counted.operations += 1
            return Counted(float(self) + float(other))

        def __sub__(self, other):
            Counted.operations += 1
            return Counted(float(self) - float(other))

        def __neg__(self):
            return Counted(-float(self))

        __rmul__, __radd__ = __mul__, __add__

    steps = range(1, 11)
    formula, derivative, work = [1], [1], []
    for n in steps:
        # 4·l·(1 − l) has two copies of l; its derivative 4·(l'·(1 − l) − l·l') two of l' and two of l.
        formula.append(2 * formula[-1] + 4)
        derivative.append(2 * derivative[-1] + 2 * formula[-2] + 6)
        Counted.operations = 0
        value = Dual(Counted(0.3), Counted(1.0))
        for _ in range(n):
            value = (
                value
                * (Dual(Counted(1.0), Counted(0.0)) - value)
                * Dual(Counted(4.0), Counted(0.0))
            )
        work.append(Counted.operations)
    chart = labkit.LineChart("Logistic map, n times", x="n", y="symbols or operations", log_y=True)
    chart.line(steps, formula[1:], "formula").line(steps, derivative[1:], "its derivative")
    return chart.line(steps, work, "dual numbers")


labkit.figure(draw_steps)
labkit.figure(draw_swell)

# %% [markdown]
# ![Symbols against n on a logarithmic axis: the formula of the logistic map doubles at each step, its derivative more than doubles, the operations of dual numbers grow in proportion to n.](figures/swell.svg)
#
# ## Read next
#
# - Baydin, Pearlmutter, Radul, Siskind: *Automatic differentiation in machine learning: a survey* (arXiv 1502.05767). The example of E1 is theirs.
# - Chen, Xu, Zhang, Guestrin: *Training deep nets with sublinear memory cost* (arXiv 1604.06174), for E8.
# - Pearlmutter: *Fast exact multiplication by the Hessian* (Neural Computation 6, 1994), for E8.
