# %% [markdown]
# # Stochastic optimisers
#
# **Why.** Every model of this course is trained by one line, $w\leftarrow w-\text{something}$, run a million times. The something is ten lines of arithmetic, and almost every mistake in it
# still trains, only worse: nobody sees that the decay was multiplied by the step size twice. In this lab you write those ten lines, several times over, and check them against numbers instead of against hope.
#
# **Picture.** Gradient descent and a heavy ball in the valley $f(w)=\frac12(w_1^2+25\,w_2^2)$, each with its best step size, 12 steps from the same place.
#
# ![Ellipses around a minimum; gradient descent zigzags across the narrow valley and is still far away, the heavy ball swings wider at first and is nearly there.](figures/valley.svg)
#
# **Spec in five lines of maths.** $g_t$ is the gradient at $w_t$, $\alpha$ the step size (`lr`), $\beta$ the momentum, $\lambda$ the weight decay; all operations are elementwise.
#
# 1. Momentum: $v_{t+1}=\beta v_t+(g_t+\lambda w_t)$, $w_{t+1}=w_t-\alpha v_{t+1}$; Nesterov: $w_{t+1}=w_t-\alpha\,(g_t+\lambda w_t+\beta v_{t+1})$.
# 2. Heavy ball: $w_{t+1}=w_t-\alpha g_t+\beta\,(w_t-w_{t-1})$.
# 3. Adam: $m_t=\beta_1m_{t-1}+(1-\beta_1)g_t$, $s_t=\beta_2s_{t-1}+(1-\beta_2)g_t^2$, $w\leftarrow w-\alpha\,\dfrac{m_t/(1-\beta_1^t)}{\sqrt{s_t/(1-\beta_2^t)}+\epsilon}$ with $t=1,2,\dots$
# 4. Mini-batch of $B$ out of $N$: $\mathbb E\lVert\bar g_B-\bar g\rVert^2=\dfrac{\sigma^2}{B}$ with replacement, and $\dfrac{N-B}{N-1}$ times that without.
# 5. On a quadratic with curvatures in $[\mu,L]$ gradient descent multiplies the error by $\max(|1-\alpha\mu|,|1-\alpha L|)$ in each step; with $\kappa=L/\mu$ its best is $\dfrac{\kappa-1}{\kappa+1}$, the heavy ball's $\dfrac{\sqrt\kappa-1}{\sqrt\kappa+1}$.
#
# **Your API.** `Params` are dicts of float64 arrays with the same names and shapes: `{"W": …, "b": …}`.
#
# | name | what it does |
# |---|---|
# | `SGD(p, lr, …)` | `.step(grads)`; `.lr` may be set between steps; options `momentum=0.0`, `nesterov=False`, `weight_decay=0.0` |
# | `HeavyBall(p, lr, beta)` | the same two, in the literal form of Lecture 3 |
# | `Adam(p, lr, …)` | the same two; options `betas=(0.9, 0.999)`, `eps=1e-8`, `weight_decay=0.0`, and `decoupled=True` for AdamW |
# | `lr_at(t, lr_max, lr_min, warmup, total)` | the step size of step $t$: linear warm-up, cosine, then flat |
# | `clip_grad_norm(grads, max_norm)` | scales all gradients together, in place; returns their norm before |
# | `batches(n, bs, epoch, seed, …)` | arrays of indices, one for each mini-batch of an epoch; options `replace=False`, `drop_last=False` |
# | `minibatch_variance(per_example_grads, B, replace)` | $\mathbb E\lVert\bar g_B-\bar g\rVert^2$, exactly |
# | `gd_rate(mu, L, lr)` | what gradient descent does to the error in one step |
# | `optimal_gd(mu, L)` | its best `(lr, rate)` |
# | `optimal_heavy_ball(mu, L)` | the heavy ball's best `(lr, beta, rate)` |
# | `newton_step(w, g, H, damping=0.0)` | the point after one Newton step |
#
# **Three rules for all optimisers.**
#
# - `step(grads)` changes the arrays of `p` **in place** (`p[name] -= …` or `p[name][...] = …`): whoever holds the array sees the new values. The model that is being trained holds it.
# - `grads` belongs to the caller, who will overwrite those arrays before the next step. Do not change them, and do not keep them: what you want to remember, copy.
# - Every parameter has a memory of its own, and every optimiser, too. The given constructors leave `self.state`, an empty dict, for it.
#
# **Checkpoints.** E1 (20 points, 35 min) · E2 (10, 20) · E3 (20, 35) · E4 (15, 25) · E5 (10, 20) · E6 (10, 20) · E7 (15, 25). No exercise needs another one.
#
# Everything is in float64. Hidden checks use other shapes and numbers than the visible ones; torch and friends are not installed where this notebook is graded.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}
import math

import numpy as np

from labkit import HeatMap, LineChart, check, figure

# %% [markdown]
# ## E1 · SGD, momentum, Nesterov, L2 (20 points, 35 minutes)
#
# The optimiser that PyTorch calls `SGD`, with its conventions. With $d=g+\lambda w$ (L2 regularisation: the gradient of $\frac\lambda2\lVert w\rVert^2$ joins the gradient **before** anything else happens):
#
# $$v\leftarrow\beta v+d,\qquad w\leftarrow w-\alpha\cdot\begin{cases}d&\text{no momentum}\\v&\text{momentum}\\d+\beta v&\text{Nesterov}\end{cases}$$
#
# with $v=0$ at first and the *new* $v$ in the second formula. The step size multiplies $v$ only when it is used, so a change of `lr` also changes what the old gradients still do.
#
# **Nesterov, twice.** Lecture 3 evaluates the gradient at the look-ahead point $u_t=w_t+\beta\,(w_t-w_{t-1})$. Frameworks hand over the gradient *at the parameters*, so they store the
# look-ahead point itself: what the formula above calls $w$ is the lecture's $u$. (Insert it and see, for constant $\alpha$.) Nothing else is Nesterov about it; the extra $\beta v$ is the step that looks ahead.
#
# **By hand.** $f(w)=\frac12w^2$, so $g=w$; $w_0=1$, $\alpha=0.1$, $\beta=0.9$.
#
# | | $v_1$ | $w_1$ | $v_2$ | $w_2$ |
# |---|---|---|---|---|
# | plain | | 0.9 | | 0.81 |
# | momentum | 1 | 0.9 | $0.9+0.9=1.8$ | $0.9-0.18=0.72$ |
# | Nesterov | 1 | $1-0.1\cdot1.9=0.81$ | $0.9+0.81=1.71$ | $0.81-0.1\,(0.81+1.539)=0.5751$ |
#
# **Common mistakes.** $v\leftarrow\beta v+(1-\beta)d$, an average (that is dampening, and ten times slower at $\beta=0.9$) · $\lambda w$ added after the momentum · the old $v$ in Nesterov's step · a buffer that *is* the caller's gradient array.


# %% nbgrader={"grade": false, "grade_id": "sgd", "locked": false, "schema_version": 3, "solution": true}
class SGD:
    """Stochastic gradient descent with momentum, Nesterov momentum and L2 regularisation."""

    def __init__(self, p, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
        self.p, self.lr = p, lr
        self.momentum, self.nesterov, self.weight_decay = momentum, nesterov, weight_decay
        self.state = {}

    def step(self, grads):
        """Update every array of p in place; `grads` has the same names and shapes, and stays as it is."""
        ### BEGIN SOLUTION
        for name, w in self.p.items():
            d = grads[name] + self.weight_decay * w
            if self.momentum:
                v = self.momentum * self.state.get(name, 0.0) + d
                self.state[name] = v
                d = d + self.momentum * v if self.nesterov else v
            self.p[name] -= self.lr * d
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-sgd_plain", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("sgd_plain")

# %% nbgrader={"grade": true, "grade_id": "check-sgd_momentum", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("sgd_momentum")

# %% nbgrader={"grade": true, "grade_id": "check-sgd_nesterov", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("sgd_nesterov")

# %% nbgrader={"grade": true, "grade_id": "check-sgd_weight_decay", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("sgd_weight_decay")

# %% nbgrader={"grade": true, "grade_id": "check-sgd_memory", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("sgd_memory")

# %% [markdown]
# ## E2 · The heavy ball, and when it differs (10 points, 20 minutes)
#
# Polyak's form, as Lecture 3 has it:
#
# $$w_{t+1}=w_t-\alpha_t g_t+\beta\,(w_t-w_{t-1}),\qquad w_{-1}=w_0 .$$
#
# The ball goes on by $\beta$ times its last *displacement*. Momentum in E1 goes on by $\beta$ times its last *velocity*, and multiplies that by the step size of today. Unroll both: the heavy ball's displacement is
# $-\sum_k\beta^{t-k}\alpha_kg_k$, SGD's is $-\alpha_t\sum_k\beta^{t-k}g_k$. With a constant step size these are one and the same; with a schedule they are not: the heavy ball remembers the step size with which each gradient came in,
# SGD forgets it. After a cut of the step size the heavy ball rolls on at its old speed for a while.
#
# **By hand.** $f(w)=\frac12w^2$, $w_0=1$, $\beta=0.9$, $\alpha_0=0.1$, $\alpha_1=0.01$. Both reach $w_1=0.9$. Then the heavy ball: $0.9-0.01\cdot0.9+0.9\,(0.9-1)=0.801$; SGD: $v=1.8$ and $0.9-0.01\cdot1.8=0.882$.
#
# Write the literal form. `lr` may be set between the steps.
#
# **Common mistakes.** Writing SGD's momentum again · remembering `w` without a copy: the array changes in place, and $w_t-w_{t-1}$ is 0 for ever.


# %% nbgrader={"grade": false, "grade_id": "heavy-ball", "locked": false, "schema_version": 3, "solution": true}
class HeavyBall:
    """w ← w − lr·g + beta·(w − w before), the literal form of Lecture 3."""

    def __init__(self, p, lr, beta):
        self.p, self.lr, self.beta = p, lr, beta
        self.state = {}

    def step(self, grads):
        """Update every array of p in place; `grads` has the same names and shapes, and stays as it is."""
        ### BEGIN SOLUTION
        for name, w in self.p.items():
            before = self.state.get(name, w)
            after = w - self.lr * grads[name] + self.beta * (w - before)
            self.state[name] = w.copy()
            w[...] = after
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-heavy_ball_constant", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("heavy_ball_constant")

# %% nbgrader={"grade": true, "grade_id": "check-heavy_ball_schedule", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("heavy_ball_schedule")

# %% nbgrader={"grade": true, "grade_id": "check-heavy_ball_memory", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("heavy_ball_memory")

# %% [markdown]
# ## E3 · Adam and AdamW (20 points, 35 minutes)
#
# Adam divides a moving average of the gradient by the root of a moving average of its square, entry by entry: large gradients are tamed, small ones amplified, and the size of a step is about $\alpha$ whatever the scale of the loss.
#
# $$m\leftarrow\beta_1m+(1-\beta_1)\,g,\qquad s\leftarrow\beta_2s+(1-\beta_2)\,g^2,$$
#
# $$\hat m=\frac m{1-\beta_1^t},\qquad\hat s=\frac s{1-\beta_2^t},\qquad w\leftarrow w-\alpha\,\frac{\hat m}{\sqrt{\hat s}+\epsilon}$$
#
# with $m=s=0$ at first and $t=1$ in the first step. Both averages start at 0 and are too small for a while; dividing by $1-\beta^t$, the sum of the weights so far, mends exactly that. ($s$ is written $v$ in the paper and in the lecture.)
#
# **Weight decay** comes in two kinds. `decoupled=False`: L2, $g\leftarrow g+\lambda w$ before everything else; then $\lambda w$ is divided by $\sqrt{\hat s}$ like any gradient, and weights with large gradients hardly decay.
# `decoupled=True` (AdamW): the weight shrinks by itself, $w\leftarrow(1-\alpha\lambda)\,w$, **before** the step, and neither $m$ nor $s$ hears of it. We follow torch, where the decay is multiplied by the current step size once;
# the paper multiplies it by the schedule only.
#
# **By hand.** One weight, $\alpha=0.01$, $g_1=0.1$: $m=0.01$, $s=10^{-5}$; $\hat m=0.1$, $\hat s=0.01$; the step is $0.01\cdot0.1/(0.1+10^{-8})=0.01$ to six digits. The first step is always $\alpha\,\operatorname{sign}(g)$, nearly.
# Then $g_2=-0.3$: $m=0.009-0.03=-0.021$, $\hat m=-0.021/0.19=-0.1105$; $s=0.999\cdot10^{-5}+0.001\cdot0.09=9.999\cdot10^{-5}$, $\hat s=s/0.001999=0.05002$; the step is $-0.00494$, so $w$ goes up.
#
# **An invariance to test with.** With $\epsilon\to0$ multiply all gradients by $c>0$: $\hat m$ and $\sqrt{\hat s}$ both grow by $c$, and the weights take the very same path.
#
# **Common mistakes.** $\sqrt{\hat s+\epsilon}$ · $t$ from 0, which divides by 0, or one $t$ that counts parameters instead of steps · the decay multiplied by $\alpha$ twice, or not at all · AdamW's decay added to the gradient.


# %% nbgrader={"grade": false, "grade_id": "adam", "locked": false, "schema_version": 3, "solution": true}
class Adam:
    """Adam; with `decoupled` its weight decay is AdamW's, else it is L2 regularisation."""

    def __init__(self, p, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=True):
        self.p, self.lr, self.betas, self.eps = p, lr, betas, eps
        self.weight_decay, self.decoupled = weight_decay, decoupled
        self.state = {}

    def step(self, grads):
        """Update every array of p in place; `grads` has the same names and shapes, and stays as it is."""
        ### BEGIN SOLUTION
        beta1, beta2 = self.betas
        for name, w in self.p.items():
            g = grads[name]
            if self.decoupled:
                self.p[name] *= 1.0 - self.lr * self.weight_decay
            else:
                g = g + self.weight_decay * w
            m, s, t = self.state.get(name, (0.0, 0.0, 0))
            m = beta1 * m + (1.0 - beta1) * g
            s = beta2 * s + (1.0 - beta2) * g**2
            t = t + 1
            self.state[name] = (m, s, t)
            root = np.sqrt(s / (1.0 - beta2**t)) + self.eps
            self.p[name] -= self.lr * (m / (1.0 - beta1**t)) / root
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-adam_first_steps", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("adam_first_steps")

# %% nbgrader={"grade": true, "grade_id": "check-adam_path", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("adam_path")

# %% nbgrader={"grade": true, "grade_id": "check-adamw_decay", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("adamw_decay")

# %% nbgrader={"grade": true, "grade_id": "check-adam_l2", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("adam_l2")

# %% nbgrader={"grade": true, "grade_id": "check-adam_invariances", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("adam_invariances")

# %% [markdown]
# ## E4 · A schedule and a clipped gradient (15 points, 25 minutes)
#
# **The schedule** of most language models. Steps are counted from $t=1$ (so that the first step is not wasted on a step size of 0):
#
# $$\text{lr}(t)=\begin{cases}\text{lr}_{\max}\,t/\text{warmup}&t\le\text{warmup}\\[2pt]\text{lr}_{\min}+\frac12(\text{lr}_{\max}-\text{lr}_{\min})\Big(1+\cos\pi\,\frac{t-\text{warmup}}{\text{total}-\text{warmup}}\Big)&\text{warmup}<t\le\text{total}\\[2pt]\text{lr}_{\min}&t>\text{total}\end{cases}$$
#
# The warm-up starts from 0, not from $\text{lr}_{\min}$. There may be no warm-up (`warmup=0`) and no cosine (`warmup=total`); neither may divide by 0.
#
# **By hand.** $\text{lr}_{\max}=1$, $\text{lr}_{\min}=0.1$, warmup 4, total 12: $\text{lr}(1)=0.25$, $\text{lr}(4)=1$, $\text{lr}(8)=0.1+0.45=0.55$ in the middle of the cosine, $\text{lr}(12)=\text{lr}(100)=0.1$.
#
# ![The step size against the step: a straight rise to the maximum, half a wave of the cosine down to the minimum, and a flat end.](figures/schedule.svg)


# %% nbgrader={"grade": false, "grade_id": "lr-at", "locked": false, "schema_version": 3, "solution": true}
def lr_at(t, lr_max, lr_min, warmup, total):
    """The step size of step t = 1, 2, …: linear warm-up, cosine, then flat; a float."""
    ### BEGIN SOLUTION
    if t <= warmup and warmup > 0:
        return lr_max * t / warmup
    if t > total:
        return lr_min
    share = (t - warmup) / (total - warmup)
    return lr_min + 0.5 * (lr_max - lr_min) * (1.0 + math.cos(math.pi * share))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-schedule", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("schedule")

# %% nbgrader={"grade": true, "grade_id": "check-schedule_edges", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("schedule_edges")

# %% [markdown]
# **Clipping.** One bad batch can throw a model out of its valley. `clip_grad_norm(grads, max_norm)` computes the norm of **all** gradients together, as if they were one long vector,
#
# $$\lVert g\rVert=\Big(\sum_{\text{arrays}}\sum_i g_i^2\Big)^{1/2},$$
#
# and if it is larger than `max_norm`, multiplies every array by $\text{max\_norm}/\lVert g\rVert$, in place; the direction stays. Small gradients are left alone. It returns the norm from before as a float. (torch adds $10^{-6}$ to the denominator; we do not.)
#
# **By hand.** $\{a:(3),\ b:(4)\}$ has the norm 5. With `max_norm=1`: $(0.6)$ and $(0.8)$. With `max_norm=10`: nothing happens. Both calls return 5.
#
# **Common mistakes.** Each array clipped by its own norm, which bends the direction · scaling *up* to `max_norm` · returning the norm from after · dividing by 0 when all gradients are 0.


# %% nbgrader={"grade": false, "grade_id": "clip-grad-norm", "locked": false, "schema_version": 3, "solution": true}
def clip_grad_norm(grads, max_norm):
    """Scale all gradients together so that their norm is at most max_norm, in place; the norm before."""
    ### BEGIN SOLUTION
    norm = math.sqrt(sum(float(np.sum(g**2)) for g in grads.values()))
    if norm > max_norm:
        for name in grads:
            grads[name] *= max_norm / norm
    return norm
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-clipping", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("clipping")

# %% nbgrader={"grade": true, "grade_id": "check-clipping_edges", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("clipping_edges")

# %% [markdown]
# ## E5 · Mini-batches that can be drawn again (10 points, 20 minutes)
#
# A run that crashed at step 31,415 has to go on with exactly the batches that it would have seen. So the order of an epoch is a function of `(seed, epoch)` and of nothing else: not of the global generator, not of what was drawn before.
# `batches(n, bs, epoch, seed, replace=False, drop_last=False)` yields the index arrays (int64, one-dimensional) of one epoch over $n$ examples:
#
# - without replacement: a uniformly random permutation of $0,\dots,n-1$, cut into pieces of `bs`; every example occurs **once**;
# - with replacement: as many pieces of the same lengths, but every index drawn uniformly and independently of all others, so examples repeat, also within a batch;
# - if `bs` does not divide $n$ the last piece is shorter; with `drop_last=True` it is left out (and if `bs` is larger than $n$, nothing is left).
#
# Different seeds and different epochs give different orders; mind that `seed + epoch` does not tell $(3,5)$ from $(5,3)$. `np.random.default_rng` takes a list of numbers as its seed and mixes them well. Leave
# `np.random.seed` and the global generator alone: they belong to others.
#
# **By hand.** $n=10$, `bs=4`: lengths 4, 4, 2; with `drop_last` 4, 4. If the permutation is $7,2,9,0,\dots$ the first batch is $(7,2,9,0)$.


# %% nbgrader={"grade": false, "grade_id": "batches", "locked": false, "schema_version": 3, "solution": true}
def batches(n, bs, epoch, seed, replace=False, drop_last=False):
    """Yield the mini-batches of one epoch: int64 arrays of indices, a function of (seed, epoch) alone."""
    ### BEGIN SOLUTION
    rng = np.random.default_rng([seed, epoch])
    order = rng.integers(n, size=n) if replace else rng.permutation(n)
    for start in range(0, n, bs):
        batch = order[start : start + bs]
        if len(batch) == bs or not drop_last:
            yield batch
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-one_epoch", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("one_epoch")

# %% nbgrader={"grade": true, "grade_id": "check-drawn_again", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("drawn_again")

# %% nbgrader={"grade": true, "grade_id": "check-with_replacement", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("with_replacement")

# %% [markdown]
# ## E6 · The variance of a mini-batch (10 points, 20 minutes)
#
# How noisy is the gradient of a mini-batch? Let $g_1,\dots,g_N\in\mathbb R^d$ be the gradients of all examples, $\bar g$ their mean, and
#
# $$\sigma^2=\frac1N\sum_{i=1}^N\lVert g_i-\bar g\rVert^2$$
#
# the variance of *one* random example, summed over the $d$ coordinates. The mean $\bar g_B$ of $B$ independent draws has $\mathbb E\lVert\bar g_B-\bar g\rVert^2=\sigma^2/B$. **Without** replacement two draws are negatively correlated,
# with covariance $-\sigma^2/(N-1)$ (what the first has taken, the second cannot take), and so
#
# $$\mathbb E\lVert\bar g_B-\bar g\rVert^2=\frac{\sigma^2}{B}+\frac{B-1}{B}\cdot\frac{-\sigma^2}{N-1}=\frac{\sigma^2}B\cdot\frac{N-B}{N-1},$$
#
# which is 0 for $B=N$, as it has to be. `minibatch_variance(per_example_grads, B, replace)` gets the gradients as an array of shape $(N,d)$ and returns that number, exactly: a float, no sampling, no list of all subsets. Without
# replacement $1\le B\le N$, and for $N=1$ the result is 0.
#
# **By hand.** $N=3$, $d=1$, gradients $0,0,3$: $\bar g=1$, $\sigma^2=(1+1+4)/3=2$. For $B=2$: $1$ with replacement, $1\cdot\frac{3-2}{3-1}=\frac12$ without. Count: the three pairs have the means $0,\frac32,\frac32$, and $\frac13(1+\frac14+\frac14)=\frac12$.
#
# **Common mistakes.** $\sigma^2$ with $N-1$ below (that estimates, and here nothing is to be estimated) · a mean over the coordinates · $\frac1N\sum\lVert g_i\rVert^2-\lVert\bar g\rVert^2$, which loses all digits when $\bar g$ is large.


# %% nbgrader={"grade": false, "grade_id": "minibatch-variance", "locked": false, "schema_version": 3, "solution": true}
def minibatch_variance(per_example_grads, B, replace):
    """The expected squared distance of a mini-batch gradient from the full one, a float."""
    ### BEGIN SOLUTION
    N = len(per_example_grads)
    deviations = per_example_grads - per_example_grads.mean(axis=0)
    variance = float(np.sum(deviations**2)) / N / B
    if not replace:
        variance *= (N - B) / max(N - 1, 1)
    return variance
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-variance_with_replacement", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("variance_with_replacement")

# %% nbgrader={"grade": true, "grade_id": "check-variance_without_replacement", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("variance_without_replacement")

# %% nbgrader={"grade": true, "grade_id": "check-variance_edges", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("variance_edges")

# %% [markdown]
# ## E7 · Rates on a quadratic, and Newton's step (15 points, 25 minutes)
#
# Near a minimum every smooth loss is a quadratic, $f(w)=\frac12(w-w^*)^{\mathsf T}H(w-w^*)$. In the eigenvectors of $H$ the coordinates do not talk to each other: gradient descent multiplies the error along an eigenvector with curvature $h$ by $1-\alpha h$ in each
# step. If all curvatures lie in $[\mu,L]$ with $0<\mu\le L$, the worst of them counts, and it sits at one of the two ends:
#
# - `gd_rate(mu, L, lr)` $=\max(|1-\alpha\mu|,|1-\alpha L|)$: below 1 it converges, above 1 it does not, so $\alpha<2/L$;
# - `optimal_gd(mu, L)`: the step size for which both ends are equally bad, $\alpha=\dfrac2{L+\mu}$, and its rate $\dfrac{L-\mu}{L+\mu}=\dfrac{\kappa-1}{\kappa+1}$;
# - `optimal_heavy_ball(mu, L)`: along one eigenvector a heavy ball is the recursion $e_{t+1}=(1+\beta-\alpha h)\,e_t-\beta e_{t-1}$. If the two roots of its characteristic polynomial are complex, both have the magnitude $\sqrt\beta$,
#   whatever $h$ is. The smallest $\beta$ for which that holds on all of $[\mu,L]$ belongs to
#
# $$\alpha=\frac4{(\sqrt L+\sqrt\mu)^2},\qquad\beta=\Big(\frac{\sqrt\kappa-1}{\sqrt\kappa+1}\Big)^2,\qquad\text{rate}=\sqrt\beta .$$
#
# **By hand.** $\mu=1$, $L=100$: gradient descent $\alpha=2/101$, rate $99/101=0.9802$; heavy ball $\alpha=4/121$, $\beta=(9/11)^2=0.669$, rate $9/11=0.8182$. To gain six digits, $10^{-6}$, takes $\ln10^{-6}/\ln0.9802=691$ steps or, nearly, $69$.
# The condition number counts by its root.


# %% nbgrader={"grade": false, "grade_id": "rates", "locked": false, "schema_version": 3, "solution": true}
def gd_rate(mu, L, lr):
    """The factor by which gradient descent multiplies the worst error in each step; a float."""
    ### BEGIN SOLUTION
    return max(abs(1.0 - lr * mu), abs(1.0 - lr * L))
    ### END SOLUTION


def optimal_gd(mu, L):
    """The best step size of gradient descent and its rate: (lr, rate)."""
    ### BEGIN SOLUTION
    return 2.0 / (L + mu), (L - mu) / (L + mu)
    ### END SOLUTION


def optimal_heavy_ball(mu, L):
    """The best step size and momentum of the heavy ball, and its rate: (lr, beta, rate)."""
    ### BEGIN SOLUTION
    rate = (math.sqrt(L) - math.sqrt(mu)) / (math.sqrt(L) + math.sqrt(mu))
    return 4.0 / (math.sqrt(L) + math.sqrt(mu)) ** 2, rate**2, rate
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-gradient_descent_rate", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("gradient_descent_rate")

# %% nbgrader={"grade": true, "grade_id": "check-best_gradient_descent", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("best_gradient_descent")

# %% nbgrader={"grade": true, "grade_id": "check-best_heavy_ball", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("best_heavy_ball")

# %% nbgrader={"grade": true, "grade_id": "check-rates_at_the_ends", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("rates_at_the_ends")

# %% [markdown]
# **Newton.** If the gradient is divided by the curvature, not by one number for all directions, every direction converges at once: $w'=w-(H+\lambda I)^{-1}g$. On a quadratic with $\lambda=0$ one step ends in the minimum, whatever $\kappa$ is. The
# **damping** $\lambda\ge0$ keeps the step short where $H$ is nearly singular; for large $\lambda$ it becomes gradient descent with the step size $1/\lambda$. `newton_step(w, g, H, damping=0.0)` returns the new point; nothing that it was given changes.
# Solve a linear system; do not invert a matrix.
#
# **By hand.** $H=\begin{pmatrix}2&0\\0&10\end{pmatrix}$, $w=(3,1)$, $g=Hw=(6,10)$: the step is $(3,1)$, and $w'=(0,0)$. With $\lambda=2$: $w'=(3-\frac64,\ 1-\frac{10}{12})=(1.5,\ 0.1667)$.


# %% nbgrader={"grade": false, "grade_id": "newton-step", "locked": false, "schema_version": 3, "solution": true}
def newton_step(w, g, H, damping=0.0):
    """The point w − (H + damping·I)⁻¹ g, shape (n,)."""
    ### BEGIN SOLUTION
    return w - np.linalg.solve(H + damping * np.eye(len(w)), g)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-newton", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("newton")

# %% [markdown]
# ## Two plots to produce
#
# Once E1, E2 and E7 are done, the first cell measures what E7 predicts: the distance from the minimum on a quadratic with $\kappa=100$, for gradient descent, Nesterov's momentum and the heavy ball. The slope of a line is its rate: 0.980 a step for gradient descent and 0.818
# for the heavy ball. (Its line bends at first: at the best $\beta$ the two roots coincide, and the error is $(a+bt)\,\rho^t$.)


# %% nbgrader={"grade": false, "grade_id": "draw-rates", "locked": true, "schema_version": 3, "solution": false}
def convergence():
    """The distance from the minimum against the step, for three optimisers at κ = 100."""
    curvatures = np.linspace(1.0, 100.0, 25)
    lr, _ = optimal_gd(1.0, 100.0)
    ball_lr, beta, _ = optimal_heavy_ball(1.0, 100.0)
    optimisers = {
        "gradient descent": lambda p: SGD(p, lr),
        "Nesterov": lambda p: SGD(p, 1.0 / 100.0, momentum=9.0 / 11.0, nesterov=True),
        "heavy ball": lambda p: HeavyBall(p, ball_lr, beta),
    }
    chart = LineChart("A quadratic with condition number 100", x="step", y="distance", log_y=True)
    for name, make in optimisers.items():
        p = {"w": np.ones(25)}
        optimiser, distances = make(p), [5.0]
        for _ in range(300):
            optimiser.step({"w": curvatures * p["w"]})
            distance = float(np.linalg.norm(p["w"]))
            distances.append(distance if distance > 1e-12 else math.nan)
        chart.line(range(301), distances, name)
    return chart


figure(convergence)

# %% [markdown]
# ![Distance against step on a logarithmic axis: a slow straight line for gradient descent, a faster one for Nesterov, and the fastest for the heavy ball.](figures/rates.svg)
#
# The second one is the plane of *Why momentum really works*: for every pair of step size and momentum, how many steps the heavy ball needs to come within $10^{-6}$ of the minimum, on a quadratic with curvatures 1 and 100. All runs live in one array and
# take their steps together. Left blank: not within 2000 steps, or never. The valley runs to the upper left, and its lowest point is where your `optimal_heavy_ball` puts it.


# %% nbgrader={"grade": false, "grade_id": "draw-plane", "locked": true, "schema_version": 3, "solution": false}
def momentum_plane():
    """Steps until the error is 1e-6, over the plane of step size and momentum, at κ = 100."""
    alphas, betas = np.geomspace(3e-4, 0.04, 44), np.linspace(0.0, 0.98, 38)
    curvatures = np.array([1.0, 100.0])[:, np.newaxis, np.newaxis]
    p = {"w": np.ones((2, len(betas), len(alphas)))}
    optimiser = HeavyBall(p, alphas[np.newaxis, np.newaxis], betas[np.newaxis, :, np.newaxis])
    needed = np.full(p["w"].shape[1:], np.inf)
    with np.errstate(all="ignore"):
        for step in range(1, 2001):
            optimiser.step({"w": curvatures * p["w"]})
            far = ~(np.max(np.abs(p["w"]), axis=0) <= 1e-6)
            needed = np.where(far, np.inf, np.minimum(needed, step))
    chart = HeatMap(
        "Steps to 1e-6 with the heavy ball, κ = 100",
        x="step size α",
        y="momentum β",
        xs=alphas,
        ys=betas,
        values=needed,
        unit="steps",
        log_x=True,
        log_values=True,
    )
    best, beta, _ = optimal_heavy_ball(1.0, 100.0)
    return chart.mark(best, beta, "heavy ball").mark(
        optimal_gd(1.0, 100.0)[0], 0.0, "gradient descent"
    )


figure(momentum_plane)

# %% [markdown]
# ![A map of the steps needed: dark near the best pair of step size and momentum, lighter all around, blank where the heavy ball is too slow or diverges.](figures/plane.svg)
#
# **A question to answer in writing, for yourself.** At the best pair for $\kappa=100$ the step size may be halved at the price of three to four times as many steps, but raised by one per cent it diverges. Where does the asymmetry come from?
#
# *An answer.* The roots of $r^2-(1+\beta-\alpha h)\,r+\beta$ are complex, with the magnitude $\sqrt\beta$, while $(1-\sqrt\beta)^2<\alpha h<(1+\sqrt\beta)^2$. At the best pair $\alpha\mu$ and $\alpha L$ sit exactly on the two ends. With a smaller $\alpha$ the flat direction
# gets two real, positive roots, one of which moves slowly towards 1 (0.943 at half the step size, in place of 0.818). With a larger one the steep direction gets two real, negative roots, and the larger in magnitude passes $-1$ already at $\alpha L=2(1+\beta)$:
# that is 3.339, and the best $\alpha L$ is 3.306. Who does not know $L$ exactly had better stay below.
#
# ## Read next
#
# - Goh: *Why momentum really works* (Distill, 2017), section "The dynamics of momentum": the two roots of E7 and the map above.
# - Sutskever, Martens, Dahl, Hinton: *On the importance of initialization and momentum in deep learning* (ICML 2013), section 2: momentum and Nesterov's look-ahead side by side.
# - Kingma, Ba: *Adam* (arXiv 1412.6980), sections 2 and 3: the update rule and where $1-\beta^t$ comes from.
# - Loshchilov, Hutter: *Decoupled weight decay regularization* (arXiv 1711.05101), section 2: why L2 and weight decay are the same for SGD and not for Adam.
# - Bottou, Curtis, Nocedal: *Optimization methods for large-scale machine learning* (arXiv 1606.04838), section 4: what noise does to the rates of E7. It is the further reading of Lecture 3.
