# %% [markdown]
# # Tensors and a network by hand
#
# **Why.** A model with a billion weights is a handful of operations on arrays of numbers, repeated. Whoever can say which index runs where,
# what lies at which place in memory and where a number overflows, reads the rest of this course with open eyes.
# In this lab you write those operations with nothing but numpy, and train your first network without anybody's autograd.
#
# **Picture.** The network of Homework 1. Values travel from left to right; gradients, in the same shapes, back from right to left.
#
# ![Boxes from x over a and h to the prediction and the loss, with the weights W1 and W2 below; under each box its shape, and dashed arrows that carry gradients back.](figures/network.svg)
#
# **Spec in five lines of maths.** A bar marks a gradient of the loss: $\bar x=\partial L/\partial x$ has the shape of $x$.
#
# 1. Einstein sums: $c_{\text{out}}=\sum a_{\text{left}}\,b_{\text{right}}$, summed over every index that is not in "out".
# 2. Broadcasting copies, $B a$; its adjoint sums over the copies: $\langle Ba,\,g\rangle=\langle a,\,B^{\mathsf T}g\rangle$ for all $a$ and $g$.
# 3. Memory is flat: element $(i_1,\dots,i_n)$ lies at $\text{base}+\sum_k i_k s_k$; row-major order has the strides $s_k=d_{k+1}d_{k+2}\cdots d_n$.
# 4. With $p=\operatorname{softmax}(z)=e^{z-\operatorname{lse}(z)}$, $\operatorname{lse}(z)=\ln\sum_c e^{z_c}$, and a target distribution $q$: $L=-\sum_c q_c\ln p_c$ and $\bar z=p-q$.
# 5. $a=xW_1$, $h=\max(a,0)$, $\hat y=hW_2$, $L=\frac1B\sum(\hat y-y)^2$; backwards $g=\bar{\hat y}=\frac2B(\hat y-y)$, $\bar W_2=h^{\mathsf T}g$, $\bar a=g\,W_2^{\mathsf T}\odot[a>0]$, $\bar W_1=x^{\mathsf T}\bar a$, $\bar x=\bar a\,W_1^{\mathsf T}$.
#
# **Your API.**
#
# | name | what it does |
# |---|---|
# | `mul4(a, b)` | Homework 1, question 1: the elementwise product |
# | `bmm_t(a, b)` | … a batch of products with a transposed matrix |
# | `sum_dim3(a)` | … a sum over the third dimension |
# | `einsum2(spec, a, b)` | an Einstein sum of two arrays, parsed and computed by you |
# | `broadcast_shape(s, t)` | the shape that two shapes broadcast to, or `ValueError` |
# | `unbroadcast(g, shape)` | the adjoint of broadcasting an array of `shape` to the shape of `g` |
# | `contiguous_strides(shape)` | the strides of row-major order |
# | `is_contiguous(shape, strides)` | whether an array lies in row-major order without gaps |
# | `offset(index, strides, base=0)` | where an element lies |
# | `logsumexp(x, axis=-1)` | $\ln\sum e^x$, for numbers of any size |
# | `softmax(x, axis=-1, …)` | probabilities; the option is `temperature=1.0` |
# | `cross_entropy(logits, y, …)` | the loss of every language model; options `ignore_index=-100`, `smoothing=0.0` |
# | `cross_entropy_grad(…)` | its gradient, with the same arguments |
# | `MLP(W1, W2)` | a two-layer network: `forward(x, y)`, `backward()`, `step(lr)` |
# | `top_eig(S, iters, seed)` | the dominant eigenvalue and eigenvector of a symmetric matrix |
#
# **Checkpoints.** E1 (10 points, 15 min) · E2 (15, 45) · E3 (15, 30) · E4 (10, 20) · E5 (20, 40) · E6 (20, 40) · E7 (10, 20). No exercise needs another one;
# inside E5 the later cells may use the earlier ones.
#
# Everything is in float64. Hidden checks use other shapes and other numbers than the visible ones: lengths of 1 and 0, primes, arrays that do not lie
# contiguously in memory. Inputs are never yours to change. torch, jax, scipy and friends are not installed where this notebook is graded, and `np.einsum` raises.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}
import math

import numpy as np

from labkit import LineChart, check, figure

# %% [markdown]
# ## E1 · The three einsums of Homework 1 (10 points, 15 minutes)
#
# Einstein's notation names every axis with a letter. A letter that stands only on the left of the arrow is summed; a letter that occurs in both operands
# pairs their entries. `"bik,jk->bij"` is a batched product with a transposed matrix, and says so without a word about axis numbers. Write
#
# - `mul4(a, b)`: the elementwise product of two arrays of shape $(d_1,d_2,d_3,d_4)$;
# - `bmm_t(a, b)`: for `a` of shape $(d_1,d_2,d_3,d_4)$ and `b` of shape $(d_5,d_4)$ the array $c_{ijkm}=\sum_l a_{ijkl}\,b_{ml}$ of shape $(d_1,d_2,d_3,d_5)$;
# - `sum_dim3(a)`: the sum of an array of shape $(d_1,d_2,d_3,d_4)$ over its **third** dimension, of shape $(d_1,d_2,d_4)$.
#
# In Einstein's notation they are `"ijkl,ijkl->ijkl"`, `"ijkl,ml->ijkm"` and `"ijkl->ijl"`. `np.einsum` is forbidden in this lab, for in E2 you write it yourself; here `*`, `@` and `.sum` are
# enough. Write each as a sum over indices first, on paper.
#
# **By hand.** Leave out the axes of length 1. For `bmm_t` let $a=(1,2)$ and $b$ have the rows $(1,0)$, $(0,1)$, $(1,1)$: $c=(1,\ 2,\ 3)$, one inner product for each row of $b$.
# For `sum_dim3` let the last two axes hold $\begin{pmatrix}1&2\\3&4\end{pmatrix}$: the third dimension runs down the columns, so the result is $(4,6)$.
#
# **Common mistakes.** The third dimension is `axis=2`, because Python counts from 0 · `b` is $(d_5,d_4)$: its *second* index meets the last one of `a`; where $d_4=d_5$ the other
# product has the right shape and the wrong numbers.


# %% nbgrader={"grade": false, "grade_id": "products", "locked": false, "schema_version": 3, "solution": true}
def mul4(a, b):
    """The elementwise product of two arrays of one shape (d1, d2, d3, d4)."""
    ### BEGIN SOLUTION
    return a * b
    ### END SOLUTION


def bmm_t(a, b):
    """(d1, d2, d3, d4) times the transpose of (d5, d4): an array of shape (d1, d2, d3, d5)."""
    ### BEGIN SOLUTION
    return a @ b.T
    ### END SOLUTION


def sum_dim3(a):
    """The sum over the third dimension: (d1, d2, d3, d4) becomes (d1, d2, d4)."""
    ### BEGIN SOLUTION
    return a.sum(axis=2)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-elementwise_product", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("elementwise_product")

# %% nbgrader={"grade": true, "grade_id": "check-batched_product", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("batched_product")

# %% nbgrader={"grade": true, "grade_id": "check-third_axis_sum", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("third_axis_sum")

# %% [markdown]
# ## E2 · Your own einsum (15 points, 45 minutes)
#
# Parse the string yourself and compute the sum: `einsum2(spec, a, b)` takes two arrays and a `spec` of the form
# `"left,right->out"` or, without an arrow, `"left,right"`. Our rules are a little stricter and a little more generous than numpy's:
#
# - An **index** is one letter of any alphabet (`str.isalpha`); capital and small letters differ. Spaces mean nothing.
# - `left` has one letter for each axis of `a`, `right` one for each axis of `b`. An operand without axes has no letters: `",ij->ji"` is fine.
# - Without an arrow the output is **implicit**: the letters that occur exactly **once** in `left` and `right` together, in the order of `sorted` (which puts capital letters first).
#   An arrow with nothing behind it asks for a single number, which is something else.
# - A letter that occurs twice in one operand runs over its **diagonal**: `"ii,i->i"`.
# - A letter that occurs twice **in the output** puts the result on a diagonal, with zeros elsewhere: $c_{ij}=\delta_{ij}\,(\dots)$. numpy refuses this; we do not.
# - Every letter that is not in the output is summed. A sum over no elements is 0.
# - `ValueError` if there are not exactly two operands, if the number of letters is not the number of axes, if one letter has two lengths (a length of 1 does **not**
#   stretch here), if a letter of the output is in neither operand, or if some character is no letter.
#
# The result is a new float64 array; without axes it may be a 0-d array or a numpy float.
#
# **By hand.** Let $a=\begin{pmatrix}1&2\\3&4\end{pmatrix}$ and $b=(10,100)$.
#
# | `spec` | result | because |
# |---|---|---|
# | `"ij,j"` | $(210,\ 430)$ | only i occurs once |
# | `"ji,"` with $b=1$ | $\begin{pmatrix}1&3\\2&4\end{pmatrix}$ | both occur once; sorted, i comes first, and i is the *second* axis of $a$ |
# | `"ii,i->i"` | $(10,\ 400)$ | the diagonal $(1,4)$ times $b$ |
# | `"ii,i"` | $410$ | i occurs three times: nothing is left |
# | `"ij,j->ii"` | $\begin{pmatrix}210&0\\0&430\end{pmatrix}$ | the first line of this table, on a diagonal |
#
# **One way to do it.** Fix an order of all letters, the output's first. Bring each operand into that order (diagonals taken, a length of 1 where it lacks a letter), multiply with
# broadcasting, sum the axes behind the output. `np.diagonal`, `np.transpose` and `np.reshape` do the work. The intermediate product is as large as all lengths
# multiplied, which real einsums avoid by calling a matrix product; here arrays are small.
#
# **Common mistakes.** A repeated letter in an operand is summed over all pairs instead of the diagonal · the implicit output in order of appearance · `"…->"` taken for "no arrow".


# %% nbgrader={"grade": false, "grade_id": "einsum2", "locked": false, "schema_version": 3, "solution": true}
def einsum2(spec, a, b):
    """The Einstein sum of two arrays that `spec` describes, e.g. "ij,jk->ik" or "ij,jk"; float64.

    Raises ValueError if `spec` is malformed or does not fit the shapes.
    """
    ### BEGIN SOLUTION
    inputs, arrow, out = "".join(spec.split()).partition("->")
    operands = inputs.split(",")
    if len(operands) != 2:
        raise ValueError(f"{spec!r} describes {len(operands)} operands, not 2")
    if not all(letter.isalpha() for letter in inputs.replace(",", "") + out):
        raise ValueError(f"{spec!r}: an index is a letter")
    lengths = {}
    for letters, array in zip(operands, (a, b)):
        if len(letters) != array.ndim:
            raise ValueError(f"{letters!r} cannot name the axes of shape {array.shape}")
        for letter, length in zip(letters, array.shape):
            if lengths.setdefault(letter, length) != length:
                raise ValueError(f"{letter} is {lengths[letter]} and {length}")
    if not arrow:
        out = "".join(sorted(letter for letter in lengths if inputs.count(letter) == 1))
    if not set(out) <= lengths.keys():
        raise ValueError(f"{out!r} has a letter that no operand has")

    kept = "".join(dict.fromkeys(out))
    order = kept + "".join(letter for letter in lengths if letter not in kept)

    def aligned(letters, array):
        """The operand with one axis for each letter of `order`, of length 1 where it has none."""
        for letter in set(letters):
            while letters.count(letter) > 1:
                i = letters.index(letter)
                j = letters.index(letter, i + 1)
                array = np.diagonal(array, axis1=i, axis2=j)
                letters = letters[:i] + letters[i + 1 : j] + letters[j + 1 :] + letter
        array = np.transpose(array, [letters.index(x) for x in order if x in letters])
        return np.reshape(array, [lengths[x] if x in letters else 1 for x in order])

    product = aligned(operands[0], a) * aligned(operands[1], b)
    total = product.sum(axis=tuple(range(len(kept), len(order))))
    if kept == out:
        return total
    result = np.zeros([lengths[letter] for letter in out])
    places = dict(zip(kept, np.indices(total.shape)))
    result[tuple(places[letter] for letter in out)] = total
    return result
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-einsum_explicit", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("einsum_explicit")

# %% nbgrader={"grade": true, "grade_id": "check-einsum_implicit", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("einsum_implicit")

# %% nbgrader={"grade": true, "grade_id": "check-einsum_diagonals", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("einsum_diagonals")

# %% nbgrader={"grade": true, "grade_id": "check-einsum_refusals", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("einsum_refusals")

# %% [markdown]
# ## E3 · Broadcasting and its adjoint (15 points, 30 minutes)
#
# Two shapes are written one under the other, **aligned at their right ends**; missing axes in front count as length 1. In each column the lengths must be equal, or one of them is 1 and
# the other one wins. `broadcast_shape(s, t)` returns the result as a tuple of ints, or raises `ValueError`. It gets tuples, not arrays, and builds no array.
#
# **By hand.** $(4,1,3)$ with $(2,3)$ gives $(4,2,3)$. $(2,3)$ with $(2,)$ is refused: the 2 stands under the 3. $(1,)$ with $(0,)$ gives $(0,)$: a length of 1 is stretched to
# *any* length, also to none, so "take the larger one" is not the rule.


# %% nbgrader={"grade": false, "grade_id": "broadcast-shape", "locked": false, "schema_version": 3, "solution": true}
def broadcast_shape(s, t):
    """The shape that arrays of the shapes s and t broadcast to; ValueError if they do not."""
    ### BEGIN SOLUTION
    rank = max(len(s), len(t))
    s, t = ((1,) * (rank - len(shape)) + tuple(shape) for shape in (s, t))
    for m, n in zip(s, t):
        if m != n and 1 not in (m, n):
            raise ValueError(f"{s} and {t} do not broadcast: {m} meets {n}")
    return tuple(n if m == 1 else m for m, n in zip(s, t))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-broadcast_shapes", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("broadcast_shapes")

# %% nbgrader={"grade": true, "grade_id": "check-broadcast_refusals", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("broadcast_refusals")

# %% [markdown]
# Broadcasting is linear: it copies. Call it $B$, an operator from arrays of `shape` to arrays of the larger shape. Whenever a forward pass applies $B$, the backward pass applies its **adjoint**
# $B^{\mathsf T}$, the operator with $\langle Ba,g\rangle=\langle a,B^{\mathsf T}g\rangle$ for all $a$ and $g$, where $\langle u,v\rangle$ is the sum of all $u_i v_i$. An entry that was copied 8 times appears in 8 products on
# the left, so on the right it must be multiplied with the **sum** of the 8 entries of $g$. `unbroadcast(g, shape)` sums over the axes that were put in front and over those that were
# stretched from 1 (which stay, with length 1), and returns an array of exactly `shape`. You may assume that `shape` broadcasts to `g.shape`.
#
# **By hand.** $g=\begin{pmatrix}1&2&3\\4&5&6\end{pmatrix}$: to shape $(3,)$ it gives $(5,7,9)$, to $(2,1)$ it gives $\begin{pmatrix}6\\15\end{pmatrix}$, to $()$ it gives $21$. With $a=(1,0,2)$: $\langle Ba,g\rangle=(1+6)+(4+12)=23$ and
# $\langle a,(5,7,9)\rangle=5+18=23$.
#
# **Common mistakes.** Losing the axes of length 1, shape $(2,)$ for $(2,1)$ · forgetting the axes in front · a mean instead of a sum.


# %% nbgrader={"grade": false, "grade_id": "unbroadcast", "locked": false, "schema_version": 3, "solution": true}
def unbroadcast(g, shape):
    """The adjoint of broadcasting an array of `shape` to the shape of g: sums over the copies."""
    ### BEGIN SOLUTION
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, n in enumerate(shape) if n == 1 and g.shape[axis] != 1)
    return g.sum(axis=stretched, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-unbroadcast_shapes", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("unbroadcast_shapes")

# %% nbgrader={"grade": true, "grade_id": "check-unbroadcast_is_the_adjoint", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("unbroadcast_is_the_adjoint")

# %% [markdown]
# ## E4 · Strides (10 points, 20 minutes)
#
# An array is a flat buffer and a rule for finding things in it. The rule is one **stride** for each axis: how many places to move when that index grows by one. Transposing,
# slicing, reversing and broadcasting change shape, strides and base, and copy nothing.
#
# ![One buffer of six numbers read in three ways: as a matrix of shape (2, 3) with strides (3, 1), transposed with strides (1, 3), and with its columns reversed by base 2 and strides (3, -1).](figures/strides.svg)
#
# We count strides in **elements**, as torch does (numpy counts bytes: 8 times as many for float64).
#
# - `contiguous_strides(shape)`: the strides of row-major order, in which the last index runs fastest. For $n$ axes $s_n=1$ and $s_k=s_{k+1}\,d_{k+1}$. A tuple of ints; for `()` the empty tuple.
# - `offset(index, strides, base=0)`: the place $\text{base}+\sum_k i_k s_k$ of an element, an int. Strides may be negative (a reversed axis) or 0 (a broadcast one). `ValueError` if `index` and
#   `strides` do not have the same number of entries.
# - `is_contiguous(shape, strides)`: whether the elements, read in row-major order, lie one behind the other. The stride of an axis of length 1 is never used, so it may be anything; and an
#   array with no elements is contiguous whatever its strides are, because nothing is out of place. `True` or `False`.
#
# **By hand.** Shape $(2,3,4)$ has the strides $(12,4,1)$; element $(1,0,2)$ lies at $12+0+2=14$. Its transpose by $(2,0,1)$ has the shape $(4,2,3)$ and the strides $(1,12,4)$: not contiguous.
# Shape $(3,1,2)$ with the strides $(2,99,1)$ is contiguous.
#
# **Common mistakes.** Multiplying the lengths in *front* of an axis (that is column-major order, Fortran's) · comparing with `contiguous_strides` and nothing else · `zip` that silently
# forgets what is too long.


# %% nbgrader={"grade": false, "grade_id": "strides", "locked": false, "schema_version": 3, "solution": true}
def contiguous_strides(shape):
    """The strides of row-major order, in elements: a tuple of ints."""
    ### BEGIN SOLUTION
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))
    ### END SOLUTION


def is_contiguous(shape, strides):
    """Whether an array with these strides (in elements) lies in row-major order without gaps."""
    ### BEGIN SOLUTION
    if 0 in shape:
        return True
    right = contiguous_strides(shape)
    return all(n == 1 or s == r for n, s, r in zip(shape, strides, right))
    ### END SOLUTION


def offset(index, strides, base=0):
    """The place of an element in the buffer, in elements; ValueError if the lengths differ."""
    ### BEGIN SOLUTION
    if len(index) != len(strides):
        raise ValueError(f"{len(index)} indices for {len(strides)} strides")
    return base + sum(i * s for i, s in zip(index, strides))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-row_major_strides", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("row_major_strides")

# %% nbgrader={"grade": true, "grade_id": "check-element_offsets", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("element_offsets")

# %% nbgrader={"grade": true, "grade_id": "check-contiguous_or_not", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("contiguous_or_not")

# %% nbgrader={"grade": true, "grade_id": "check-contiguous_traps", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("contiguous_traps")

# %% [markdown]
# ## E5 · Softmax and cross entropy that never overflow (20 points, 40 minutes)
#
# $e^{710}$ is larger than any float64, and $e^{-746}$ is 0. A logit of 1000 is nothing unusual, and neither is a mask of $-\infty$ over words that may not come. The cure is one line: with $m=\max_c x_c$
#
# $$\ln\sum_c e^{x_c}=m+\ln\sum_c e^{x_c-m},$$
#
# where every exponent is at most 0 and the largest one is exactly 0, so the sum lies between 1 and $n$: nothing overflows, and its logarithm is harmless.
#
# `logsumexp(x, axis=-1)` returns it along one axis, which disappears. Each slice along the axis needs a maximum **of its own**: a maximum of the whole array would let small rows vanish.
# Infinities mean what they mean in mathematics: a slice that is all $-\infty$ gives $-\infty$ (the logarithm of 0), a slice that contains $+\infty$ gives $+\infty$. Neither may give `nan`, although $\infty-\infty$ does.
#
# **By hand.** $x=(1000,\ 1000)$: $m=1000$ and the result is $1000+\ln2=1000.693$, where the formula as it stands gives `inf`.


# %% nbgrader={"grade": false, "grade_id": "logsumexp", "locked": false, "schema_version": 3, "solution": true}
def logsumexp(x, axis=-1):
    """ln Σ exp(x) along `axis`, which disappears; right for logits of any size, also infinite ones."""
    ### BEGIN SOLUTION
    m = np.max(x, axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0.0)
    with np.errstate(divide="ignore"):  # the logarithm of 0 is −∞, as it should be
        return np.squeeze(m, axis=axis) + np.log(np.sum(np.exp(x - m), axis=axis))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-logsumexp_values", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("logsumexp_values")

# %% nbgrader={"grade": true, "grade_id": "check-logsumexp_limits", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("logsumexp_limits")

# %% [markdown]
# $\operatorname{softmax}(x)_c=e^{x_c/T}\big/\sum_k e^{x_k/T}$ along `axis`, with the **temperature** $T>0$ that divides the logits: $T\to0$ approaches the maximum, $T\to\infty$ the uniform distribution.
# A logit of $-\infty$ gets the probability 0; at least one logit of each slice is finite, and none is $+\infty$.
#
# **By hand.** $x=(0,\ \ln3)$: $(\tfrac14,\tfrac34)$ at $T=1$; at $T=\tfrac12$ the exponentials are $1$ and $3^2$, so $(\tfrac1{10},\tfrac9{10})$.


# %% nbgrader={"grade": false, "grade_id": "softmax", "locked": false, "schema_version": 3, "solution": true}
def softmax(x, axis=-1, temperature=1.0):
    """Probabilities proportional to exp(x / temperature) along `axis`; the shape of x."""
    ### BEGIN SOLUTION
    z = x / temperature
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-softmax_values", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("softmax_values")

# %% [markdown]
# **Cross entropy.** `logits` has the shape $(N,C)$, `y` holds $N$ labels (int64). With **label smoothing** $s$ the target of a row is not a single class but
#
# $$q_c=(1-s)\,[c=y]+\frac sC,\qquad L_n=-\sum_c q_c\ln p_c=(1-s)\,(\operatorname{lse}(z)-z_y)+\frac sC\sum_c(\operatorname{lse}(z)-z_c).$$
#
# A row whose label is `ignore_index` (padding) does not count. The loss is the mean over the rows that **do** count, a float; if none does, it is 0.0. Never take the logarithm of a probability: $p$ may underflow to 0 although
# $\ln p=z_y-\operatorname{lse}(z)$ is an ordinary number. With $s=0$ a class that is not the label may have the logit $-\infty$ and the loss stays finite (in floating point $0\cdot\infty$ is `nan`, so leave the second term out).
#
# The gradient is the reason why everybody uses this loss: $\bar z=(p-q)/N_{\text{counted}}$ for a row that counts, and 0 for one that does not. Its rows add up to 0.
#
# **By hand.** $z=(0,\ln3)$, $y=1$: $p=(\tfrac14,\tfrac34)$, $L=\ln\tfrac43=0.2877$, $\bar z=(\tfrac14,-\tfrac14)$. With $s=0.1$: $q=(0.05,0.95)$, $L=0.05\ln4+0.95\ln\tfrac43=0.3426$ and $\bar z=(0.2,-0.2)$.
#
# **Common mistakes.** The mean over all $N$ rows · $s$ shared among the $C-1$ *other* classes · a label of $-100$ used as an index counts from the end · $-100$ written into the code, where `ignore_index` is asked for.


# %% nbgrader={"grade": false, "grade_id": "cross-entropy", "locked": false, "schema_version": 3, "solution": true}
def cross_entropy(logits, y, ignore_index=-100, smoothing=0.0):
    """The mean cross entropy of the rows whose label is not `ignore_index`, a float; 0.0 if there are none."""
    ### BEGIN SOLUTION
    counted = y != ignore_index
    z, y = logits[counted], y[counted]
    if len(y) == 0:
        return 0.0
    lse = logsumexp(z, axis=1)
    losses = (1.0 - smoothing) * (lse - z[np.arange(len(y)), y])
    if smoothing:
        losses = losses + smoothing * np.mean(lse[:, np.newaxis] - z, axis=1)
    return float(np.mean(losses))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-cross_entropy_values", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("cross_entropy_values")

# %% nbgrader={"grade": true, "grade_id": "check-cross_entropy_options", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("cross_entropy_options")


# %% nbgrader={"grade": false, "grade_id": "cross-entropy-grad", "locked": false, "schema_version": 3, "solution": true}
def cross_entropy_grad(logits, y, ignore_index=-100, smoothing=0.0):
    """The gradient of `cross_entropy` with respect to the logits; the shape of the logits."""
    ### BEGIN SOLUTION
    counted = np.flatnonzero(y != ignore_index)
    gradient = np.zeros(logits.shape)
    if len(counted):
        p = softmax(logits[counted], axis=1) - smoothing / logits.shape[1]
        p[np.arange(len(counted)), y[counted]] -= 1.0 - smoothing
        gradient[counted] = p / len(counted)
    return gradient
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-cross_entropy_gradients", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("cross_entropy_gradients")

# %% [markdown]
# How much is the stable formula worth? Once E5 is done, this cell draws the relative error of the loss $-\ln p_y$, computed as it stands and computed by you, against the size of the logits. The
# judge is Python's `decimal` module with 40 digits.


# %% nbgrader={"grade": false, "grade_id": "draw-naive", "locked": true, "schema_version": 3, "solution": false}
def naive_and_stable_errors():
    """The worst relative error of twelve losses, -ln p of an unlikely label, against the scale of the logits."""
    from decimal import Decimal, localcontext

    z = np.random.default_rng(2024).standard_normal((12, 10))
    y = np.argmin(z, axis=1)
    scales = np.geomspace(1.0, 1e4, 65)
    curves = {"as it stands": [], "shifted by the maximum": []}
    for scale in scales:
        errors = {name: [1e-16] for name in curves}
        for row, label in zip(scale * z, y):
            with localcontext() as digits, np.errstate(all="ignore"):
                digits.prec = 40
                total = sum((Decimal(float(v)).exp() for v in row), Decimal(0))
                exact = float(total.ln() - Decimal(float(row[label])))
                plain = -np.log(np.exp(row[label]) / np.sum(np.exp(row)))
            mine = cross_entropy(row[np.newaxis], np.array([label]))
            for name, loss in zip(curves, (plain, mine)):
                errors[name].append(abs(loss - exact) / exact if np.isfinite(loss) else 1.0)
        for name, values in errors.items():
            curves[name].append(max(values))
    chart = LineChart("Cross entropy", x="scale of the logits", y="relative error (1: inf or nan)")
    chart.log_x = chart.log_y = True
    for name, values in curves.items():
        chart.line(scales, values, name)
    return chart


figure(naive_and_stable_errors)

# %% [markdown]
# ![Relative error against the scale of the logits, on logarithmic axes: up to a scale of about 150 both curves lie near 1e-16; from there on the formula as it stands gives inf or nan, and the shifted one goes on as before.](figures/naive.svg)
#
# ## E6 · A two-layer network without autograd (20 points, 40 minutes)
#
# Question 2 of Homework 1: $\hat y=\max(xW_1,0)\,W_2$ with `x` of shape $(B,D)$, `W1` $(D,H)$, `W2` $(H,1)$ and `y` $(B,1)$; the loss is the **mean** over the batch of $(\hat y-y)^2$. No biases. Line 5 of the spec is
# all the calculus you need; the shapes leave hardly another choice.
#
# - `forward(x, y)` returns the loss as a float and keeps what the backward pass will need.
# - `backward()` returns the gradients of the last `forward` as a dict: `"W1"`, `"W2"` and `"x"`, each in the shape of its namesake. All of them are taken at the weights that `forward` used.
#   Calling it twice gives the same twice: gradients do not add up here.
# - `step(lr)` takes one step of gradient descent with the gradients of the last `forward`: $W\leftarrow W-\text{lr}\cdot\bar W$ for both weights, which live in `.W1` and `.W2`.
#
# The constructor is given; it copies, so the arrays that somebody else holds stay as they are.
#
# **The kink.** $\max(a,0)$ has no derivative at $a=0$. Homework 1 says 1 there, torch says 0; both are subgradients, and with real inputs it never matters. The checks stay away from it.
#
# **By hand.** $B=1$, $x=(1,2)$, $W_1=\begin{pmatrix}1&-1\\1&0\end{pmatrix}$, $W_2=\begin{pmatrix}2\\5\end{pmatrix}$, $y=4$. Forward: $a=(3,-1)$, $h=(3,0)$, $\hat y=6$, $L=(6-4)^2=4$. Backward: $g=2(6-4)=4$;
# $\bar W_2=h^{\mathsf T}g=\begin{pmatrix}12\\0\end{pmatrix}$; $\bar a=4\,(2,5)\odot(1,0)=(8,0)$; $\bar W_1=x^{\mathsf T}\bar a=\begin{pmatrix}8&0\\16&0\end{pmatrix}$; $\bar x=\bar a\,W_1^{\mathsf T}=(8,8)$.
#
# **Common mistakes.** The factor $2/B$ · the mask $[a>0]$ missing, or taken from something that has changed since · updating `W2` first and using the *new* one for $\bar W_1$.


# %% nbgrader={"grade": false, "grade_id": "mlp", "locked": false, "schema_version": 3, "solution": true}
class MLP:
    """max(x W1, 0) W2 with the mean squared error, differentiated by hand."""

    def __init__(self, W1, W2):
        self.W1 = np.array(W1, dtype=np.float64)  # (D, H)
        self.W2 = np.array(W2, dtype=np.float64)  # (H, 1)

    def forward(self, x, y):
        """The mean over the batch of (ŷ − y)², a float; x is (B, D), y is (B, 1)."""
        ### BEGIN SOLUTION
        self.x, self.used = x, (self.W1, self.W2)
        self.a = x @ self.W1
        self.h = np.maximum(self.a, 0.0)
        self.error = self.h @ self.W2 - y
        return float(np.mean(self.error**2))
        ### END SOLUTION

    def backward(self):
        """The gradients of the last forward: {"W1": (D, H), "W2": (H, 1), "x": (B, D)}."""
        ### BEGIN SOLUTION
        W1, W2 = self.used
        g = 2.0 / len(self.x) * self.error
        da = (g @ W2.T) * (self.a > 0)
        return {"W1": self.x.T @ da, "W2": self.h.T @ g, "x": da @ W1.T}
        ### END SOLUTION

    def step(self, lr):
        """One step of gradient descent on W1 and W2."""
        ### BEGIN SOLUTION
        gradients = self.backward()
        self.W1 = self.W1 - lr * gradients["W1"]
        self.W2 = self.W2 - lr * gradients["W2"]
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-mlp_forward", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("mlp_forward")

# %% nbgrader={"grade": true, "grade_id": "check-mlp_gradients", "locked": true, "points": 7, "schema_version": 3, "solution": false}
check("mlp_gradients")

# %% nbgrader={"grade": true, "grade_id": "check-mlp_steps", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("mlp_steps")

# %% [markdown]
# **Training.** The next check is the homework's experiment: $N=500$ points, $D=H=64$, everything drawn from the standard normal distribution, 1000 steps with **one** random sample each (drawn with replacement) at
# $\text{lr}=10^{-4}$. The loss over all 500 points has to fall to a tenth at least; with a right network it falls to a few per cent. It is the referee that measures it, with your weights.


# %% nbgrader={"grade": true, "grade_id": "check-mlp_training", "locked": true, "points": 6, "schema_version": 3, "solution": false}
check("mlp_training")

# %% [markdown]
# Once E6 is done, this cell draws the loss over all points for three step sizes.


# %% nbgrader={"grade": false, "grade_id": "draw-training", "locked": true, "schema_version": 3, "solution": false}
def training_curves():
    """The loss over all points against the step, for three step sizes, on logarithmic axes."""
    N, D, H, steps = 500, 64, 64, 3000
    chart = LineChart("Homework 1, question 2", x="step", y="loss over all points", ceiling=1e6)
    chart.log_x = chart.log_y = True
    for lr in (1e-5, 1e-4, 1e-3):
        rng = np.random.default_rng(2024)
        x, y = rng.standard_normal((N, D)), rng.standard_normal((N, 1))
        model = MLP(rng.standard_normal((D, H)), rng.standard_normal((H, 1)))
        seen, losses = [], []
        with np.errstate(all="ignore"):
            for step, i in enumerate(rng.integers(N, size=steps), start=1):
                model.forward(x[i : i + 1], y[i : i + 1])
                model.backward()
                model.step(lr)
                if step < 20 or step % 20 == 0:
                    seen.append(step)
                    losses.append(model.forward(x, y))
        chart.line(seen, losses, f"lr = 1e{round(math.log10(lr))}")
    return chart


figure(training_curves)

# %% [markdown]
# ![Loss against step on logarithmic axes for three step sizes: with 1e-5 it falls slowly, with 1e-4 to about one per cent after a thousand steps, with 1e-3 it explodes at once.](figures/training.svg)
#
# **A question to answer in writing, for yourself.** The homework's stub has $\text{lr}=0.03$ and calls it tunable. Here $10^{-3}$ diverges within a dozen steps and $10^{-4}$ does not. Where is the border, and what sets it?
# (Look at one sample: how much does a step change $\hat y$ at that very sample? An answer is at the end.)
#
# ## E7 · Power iteration (10 points, 20 minutes)
#
# How steep is the steepest direction of a quadratic function, and so how large may a step be? The answer is an eigenvalue, and to find the dominant one needs nothing but products with the matrix. For a symmetric
# $S$ write $v_0=\sum_i c_iu_i$ in eigenvectors; then $S^kv_0=\sum_i c_i\lambda_i^k u_i$, and whatever has the largest $|\lambda|$ takes over, with a relative error of order $|\lambda_2/\lambda_1|^k$.
#
# `top_eig(S, iters, seed)`:
#
# 1. start with $v=$ `np.random.default_rng(seed).standard_normal(n)`, divided by its Euclidean norm;
# 2. exactly `iters` times: $v\leftarrow Sv/\lVert Sv\rVert$ (if $Sv=0$, stop: $v$ is an eigenvector, with the eigenvalue 0);
# 3. $\lambda=v^{\mathsf T}Sv$, the Rayleigh quotient, which keeps the sign that the norm forgets;
# 4. an eigenvector has no sign of its own: choose the one for which the component of largest magnitude is positive.
#
# Return `(λ, v)`, a float and an array of shape $(n,)$. The checks also ask for one or two iterations only: what you have then is not yet an eigenvector, but it is the answer.
#
# **Deflation.** With $(\lambda_1,u_1)$ in hand, $S-\lambda_1u_1u_1^{\mathsf T}$ has the same eigenvectors and 0 in place of $\lambda_1$: run again and get the next one. The last check does that with your function.
#
# **By hand.** $S=\begin{pmatrix}2&1\\1&2\end{pmatrix}$ has the eigenvalues 3 and 1 with $(1,1)/\sqrt2$ and $(1,-1)/\sqrt2$. From $v=(1,0)$: $Sv=(2,1)$, so $v=(2,1)/\sqrt5$ with the Rayleigh quotient $14/5=2.8$; then $(5,4)/\sqrt{41}$ with $122/41=2.976$.
# The error of $\lambda$ falls by a factor of about $(1/3)^2$ in each step.
#
# **Common mistakes.** $\lambda=\lVert Sv\rVert$, which is never negative · the largest eigenvalue instead of the largest in magnitude · the sign of the first component, or of the largest one without its magnitude.


# %% nbgrader={"grade": false, "grade_id": "top-eig", "locked": false, "schema_version": 3, "solution": true}
def top_eig(S, iters, seed):
    """The dominant eigenvalue and unit eigenvector of a symmetric matrix, by power iteration."""
    ### BEGIN SOLUTION
    v = np.random.default_rng(seed).standard_normal(len(S))
    v = v / np.linalg.norm(v)
    for _ in range(iters):
        w = S @ v
        norm = np.linalg.norm(w)
        if norm == 0.0:
            break
        v = w / norm
    if v[np.argmax(np.abs(v))] < 0:
        v = -v
    return float(v @ S @ v), v
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-power_iteration", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("power_iteration")

# %% nbgrader={"grade": true, "grade_id": "check-dominant_pair", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("dominant_pair")

# %% nbgrader={"grade": true, "grade_id": "check-deflation", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("deflation")

# %% [markdown]
# ## An answer to the question of E6
#
# For one sample $L=(\hat y-y)^2$, and a step moves the weights by $-2\,\text{lr}\,(\hat y-y)\nabla\hat y$. To first order $\hat y$ changes by $-2\,\text{lr}\,\lVert\nabla\hat y\rVert^2(\hat y-y)$, so the error is multiplied by
# $1-2\,\text{lr}\,\lVert\nabla\hat y\rVert^2$, and grows unless $\text{lr}<1/\lVert\nabla\hat y\rVert^2$. Now $\lVert\nabla\hat y\rVert^2=\lVert h\rVert^2+\lVert x\rVert^2\sum_{j:\,a_j>0}W_{2,j}^2$. Each $a_j$ has the variance $D=64$, half of it survives the ReLU, so
# $\lVert h\rVert^2\approx 64\cdot32=2048$; the second term is about $64\cdot32$ again. Together about 4096, and the border lies near $1/4096\approx2.4\cdot10^{-4}$. (Measured with the seed of the picture: $3\cdot10^{-4}$ still
# trains, $5\cdot10^{-4}$ does not.) It is the missing scale of the initial weights: with $W_1$ and $W_2$ divided by $\sqrt{64}$ the sum is about 64, the border near 0.016, and 0.01 trains well, though the homework's 0.03 is still too much.
# Lab *Stochastic optimisers* says the same with the largest eigenvalue of the Hessian, $\text{lr}<2/\lambda_{\max}$: here $\lambda_{\max}\approx2\lVert\nabla\hat y\rVert^2$.
#
# ## Read next
#
# - Harris et al.: *Array programming with NumPy* (Nature 585, 2020), section "NumPy arrays" and figure 1: strides, views, broadcasting.
# - Blanchard, Higham, Higham: *Accurately computing the log-sum-exp and softmax functions* (IMA J. Numer. Anal. 41, 2021), section 4: why shifting costs no accuracy.
# - Szegedy et al.: *Rethinking the Inception architecture* (arXiv 1512.00567), section 7: label smoothing.
# - He, Zhang, Ren, Sun: *Delving deep into rectifiers* (arXiv 1502.01852), section 2.2: how large the initial weights should be, and why.
