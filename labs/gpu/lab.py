# %% [markdown]
# # GPU performance: roofline, number formats, kernels
#
# **Why.** A GPU does hundreds of operations in the time in which it fetches one number from its memory. Whoever writes a layer decides, mostly without noticing, which of the two it waits for.
# In this lab you learn to tell beforehand, with three numbers; you learn what half and quarter precision really store; and you write kernels in which nothing is hidden.
#
# **Picture.** The roofline of an A100: operations per second against *arithmetic intensity*, operations per byte moved. Left of the ridge the memory is the limit, right of it the arithmetic.
# The marks are the products inside a transformer layer, for a prompt of 4096 tokens and for a single new token.
#
# ![A line that rises with slope one and turns flat at 312 TFLOP/s; prefill products lie under the flat part or near the ridge, decode products far down on the slope, at an intensity of about one.](figures/roofline.svg)
#
# **Spec in five lines of maths.**
#
# 1. Time is bounded from below twice: $t\ge\text{flops}/\text{peak}$ and $t\ge\text{bytes}/\text{bandwidth}$; both happen at once, so $t=\max$ of the two.
# 2. Arithmetic intensity $I=\text{flops}/\text{bytes}$; attainable performance $\min(\text{peak},\ I\cdot\text{bandwidth})$.
# 3. A product $(M\times K)(K\times N)$ costs $2MKN$ operations and moves at least $b\,(MK+KN+MN)$ bytes, with $b$ bytes for each number.
# 4. Work comes in whole tiles, and tiles in whole waves: a last wave with one block takes as long as a full one.
# 5. A float is $\pm m\cdot2^{e}$ with few bits for $m$: what lies between two neighbours goes to the nearer one, and a tie to the one whose last bit is 0.
#
# **Your API.**
#
# | name | what it does |
# |---|---|
# | `intensity(flops, bytes)`, `gemm_intensity(M, K, N, bytes_per=2)` | operations for each byte |
# | `attainable(ai, peak, bw)`, `time_and_bound(flops, bytes, peak, bw)` | the roofline; seconds and `"math"` or `"memory"` |
# | `peak_flops(clock_hz, sms, fma_per_clk_per_sm)` | peak in FLOP/s |
# | `wave_efficiency(blocks, sms, blocks_per_sm)`, `tile_efficiency(M, N, tm, tn)` | the share of the work that is not padding |
# | `round_float(x, exponent_bits, mantissa_bits, has_inf=True)` | float32 array, rounded to any small format |
# | `round_bf16(x)`, `round_fp16(x)`, `round_e4m3(x)` | three of them by name |
# | `dot_accumulate(a, b, mul, acc)` | dot product with the precision of products and sums in your hand |
# | `GradScaler(init, growth, backoff, interval)` | dynamic loss scaling |
# | `add(x, y)`, `row_softmax(x)`, `matmul(a, b)`, `fused_linear_relu(x, w, b)` | your kernels, behind functions of tensors |
#
# **Checkpoints.** E1 (15 points, 25 min) · E2 (10, 15) · E3 (20, 45) · E4 (10, 30) · E5 (10, 25) · E6 (15, 35) · E7 (15, 45) · E8 (5, 20). E1, E2 and E5 to E8 stand on their own; E4 uses your `round_float`.
#
# You need no GPU. Without one, Triton runs your kernels in its *interpreter*: each program is executed by numpy, one after the other, so you can even `print` in them. On a GPU the same source is compiled. Keep to float16 and float32:
# the interpreter takes the bit pattern of a bfloat16 for its value, in sums and in products (triton-lang/triton#4972 and #11584).

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}
import math
import os

import numpy as np
import torch

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")  # is read when triton is imported

import triton
import triton.language as tl

import labkit
from labkit import check

# %% [markdown]
# ## E1 · The roofline (15 points, 25 minutes)
#
# Williams, Waterman and Patterson (2009) put a whole machine into two numbers: its peak and its bandwidth. `time_and_bound` returns the larger of the two times and its name; if they are equal, the bound is `"math"`.
#
# A *fused multiply-add* is two operations, so
#
# $$\text{peak}=2\cdot\text{clock}\cdot\text{SMs}\cdot\text{FMAs for each clock and SM}.$$
#
# **By hand.** An A100 has 108 SMs at 1.41 GHz, with 1024 half-precision FMAs for each clock and SM in its tensor cores: $2\cdot1.41\cdot10^9\cdot108\cdot1024=311.9$ TFLOP/s, and half of that, 155.9, in TF32.
# With 2.039 TB/s its ridge is at $312/2.039=153$ operations a byte. Homework 2: the product of two $4096\times4096$ matrices in fp16 has intensity $4096/3=1365.3$; $(4096\times32)(32\times4096)$ has 31.51 and
# $(32\times4096)(4096\times32)$ 15.94: the last two wait for memory. A linear layer from 4096 to 1024 has 315 at batch 512 and 1.0 at batch 1.
#
# **Common mistakes.** The result is written too: $MN$ belongs to the bytes · an FMA is two operations · bytes, not numbers · `max` of the two times, not their sum.


# %% nbgrader={"grade": false, "grade_id": "roofline", "locked": false, "schema_version": 3, "solution": true}
def intensity(flops, bytes):
    """Operations for each byte moved."""
    ### BEGIN SOLUTION
    return flops / bytes
    ### END SOLUTION


def gemm_intensity(M, K, N, bytes_per=2):
    """Intensity of (M×K)(K×N) when each matrix crosses the memory bus once."""
    ### BEGIN SOLUTION
    return intensity(2 * M * K * N, bytes_per * (M * K + K * N + M * N))
    ### END SOLUTION


def attainable(ai, peak, bw):
    """FLOP/s that a kernel of intensity `ai` can reach."""
    ### BEGIN SOLUTION
    return min(peak, ai * bw)
    ### END SOLUTION


def time_and_bound(flops, bytes, peak, bw):
    """(seconds, "math" or "memory")."""
    ### BEGIN SOLUTION
    math_seconds, memory_seconds = flops / peak, bytes / bw
    if memory_seconds > math_seconds:
        return memory_seconds, "memory"
    return math_seconds, "math"
    ### END SOLUTION


def peak_flops(clock_hz, sms, fma_per_clk_per_sm):
    """FLOP/s of the whole GPU."""
    ### BEGIN SOLUTION
    return 2 * clock_hz * sms * fma_per_clk_per_sm
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-intensities", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("intensities")

# %% nbgrader={"grade": true, "grade_id": "check-bounds", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("bounds")

# %% nbgrader={"grade": true, "grade_id": "check-rooflines_of_other_machines", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("rooflines_of_other_machines")


# %% nbgrader={"grade": false, "grade_id": "plot-roofline", "locked": true, "schema_version": 3, "solution": false}
def draw_roofline():
    peak, bw = peak_flops(1.41e9, 108, 1024), 2.039e12
    chart = labkit.LineChart(
        "Roofline of an A100", x="FLOP for each byte", y="TFLOP/s", log_x=True, log_y=True
    )
    across = np.logspace(-0.5, 3.7, 60)
    chart.line(across, [attainable(ai, peak, bw) / 1e12 for ai in across], "attainable")
    for label, tokens in (("prefill, 4096 tokens", 4096), ("decode, 1 token", 1)):
        shapes = [
            (tokens, 4096, 4096),
            (tokens, 128, 4096),
            (tokens, 4096, 16384),
        ]  # QKVO, QKᵀ, FFN
        found = [gemm_intensity(*shape) for shape in shapes]
        chart.points(found, [attainable(ai, peak, bw) / 1e12 for ai in found], label)
    return chart


labkit.figure(draw_roofline)

# %% [markdown]
# ## E2 · Waves and tiles (10 points, 15 minutes)
#
# A kernel is a grid of blocks. `sms` processors with room for `blocks_per_sm` blocks each run `sms · blocks_per_sm` blocks at a time, one *wave*; the last wave takes its full time however few blocks it has:
#
# $$\text{wave efficiency}=\frac{\text{blocks}}{\lceil\text{blocks}/w\rceil\;w},\quad w=\text{sms}\cdot\text{blocks\_per\_sm};\qquad
# \text{tile efficiency}=\frac{MN}{\lceil M/t_m\rceil t_m\,\lceil N/t_n\rceil t_n}.$$
#
# **By hand.** 12 blocks on 8 SMs: two waves of 8, so $12/16=75$ %. A $100\times100$ result in tiles of $64\times64$: $10000/(128\cdot128)=61$ %.
#
# ![Efficiency against the number of blocks: a saw-tooth that rises to one at every multiple of 108 and falls to about a half right after the first.](figures/waves.svg)
#
# **Common mistakes.** $\lfloor\cdot\rfloor$ in place of $\lceil\cdot\rceil$: the rest has to be computed as well · `blocks_per_sm` multiplies the wave.


# %% nbgrader={"grade": false, "grade_id": "quantisation", "locked": false, "schema_version": 3, "solution": true}
def wave_efficiency(blocks, sms, blocks_per_sm):
    """The share of block slots, over all waves, that have a block."""
    ### BEGIN SOLUTION
    wave = sms * blocks_per_sm
    return blocks / (math.ceil(blocks / wave) * wave)
    ### END SOLUTION


def tile_efficiency(M, N, tm, tn):
    """The share of the computed elements that belong to the M×N result."""
    ### BEGIN SOLUTION
    return M * N / (math.ceil(M / tm) * tm * math.ceil(N / tn) * tn)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-waves_and_tiles", "locked": true, "points": 6, "schema_version": 3, "solution": false}
check("waves_and_tiles")

# %% nbgrader={"grade": true, "grade_id": "check-ragged_grids", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("ragged_grids")


# %% nbgrader={"grade": false, "grade_id": "plot-waves", "locked": true, "schema_version": 3, "solution": false}
def draw_waves():
    blocks = range(1, 661)
    chart = labkit.LineChart("Wave quantisation on 108 SMs", x="blocks", y="efficiency")
    chart.line(blocks, [wave_efficiency(n, 108, 1) for n in blocks], "1 block an SM")
    return chart.line(blocks, [wave_efficiency(n, 108, 2) for n in blocks], "2 blocks an SM")


labkit.figure(draw_waves)

# %% [markdown]
# ## E3 · Number formats, bit by bit (20 points, 45 minutes)
#
# A format has one sign bit, $E$ exponent bits and $M$ mantissa bits. With the bias $B=2^{E-1}-1$:
#
# | stored exponent | value |
# |---|---|
# | $1\le k\le 2^E-2$ | $\pm(1+\tfrac f{2^M})\cdot2^{k-B}$ with the fraction $f$ |
# | $k=0$ | $\pm\tfrac f{2^M}\cdot2^{1-B}$: **subnormal**, evenly spaced down to zero |
# | $k=2^E-1$ | $\pm\infty$ ($f=0$) or NaN |
#
# So near $x$ the values are $q=2^{\max(\lfloor\log_2|x|\rfloor,\ 1-B)-M}$ apart, and rounding is: divide by $q$, round to an integer with ties to even, multiply by $q$. What rounds beyond the largest finite value becomes $\pm\infty$.
#
# With `has_inf=False` (the *fn* formats: finite, with NaN) the top exponent is used for numbers as well; only the pattern with all bits of $f$ set is NaN. So the largest value is $(2-2\cdot2^{-M})\cdot2^{2^E-1-B}$, and what rounds beyond it, infinity included, becomes $\pm$ that number: the conversion **saturates**.
#
# | | $E$ | $M$ | `has_inf` | largest | smallest above 0 |
# |---|---|---|---|---|---|
# | `bf16` | 8 | 7 | yes | $3.39\cdot10^{38}$ | $9.2\cdot10^{-41}$ |
# | `fp16` | 5 | 10 | yes | 65504 | $6.0\cdot10^{-8}$ |
# | `e4m3` (fn) | 4 | 3 | no | 448 | $2^{-9}$ |
#
# `round_float` takes and returns float32 **numpy arrays** of any shape and layout (0-dimensional and empty ones, transposes), keeps the sign of zero, keeps NaN, and works for every $2\le E\le8$, $1\le M\le10$ ($E\le7$ without infinity, so that float32 can hold the result). The checks ask for formats that no library has, so converting back and forth won't do.
#
# **By hand.** 1.0625 in `e4m3`: $q=2^{0-3}=0.125$, $1.0625/0.125=8.5$, a tie, goes to 8: **1.0**. And 1.1875 is $9.5q$, goes to $10q$: **1.25**. $2^{-10}$ is half the smallest `e4m3` number: tie, to even, **0**. 464 is $14.5\cdot32$, goes to $14\cdot32=448$; 465 would go to 480, which is not a number of this format: 448 again.
#
# **Common mistakes.** Cutting bits off is truncation · adding half and cutting off sends ties away from even · below $2^{1-B}$ the spacing no longer shrinks · a mantissa that rounds up to 2 carries into the exponent, which may overflow.


# %% nbgrader={"grade": false, "grade_id": "round-float", "locked": false, "schema_version": 3, "solution": true}
def round_float(x, exponent_bits, mantissa_bits, has_inf=True):
    """x (float32 array) rounded to the nearest number of the format, ties to even; float32, same shape."""
    ### BEGIN SOLUTION
    exact = np.asarray(
        x, dtype=np.float64
    )  # holds every float32 and every quotient by a power of two
    bias = 2 ** (exponent_bits - 1) - 1
    finite = np.isfinite(exact)
    _, exponent = np.frexp(np.where(finite, exact, 1.0))  # |x| = m · 2^exponent with m in [1/2, 1)
    step = np.exp2(np.maximum(exponent - 1, 1 - bias) - mantissa_bits)
    rounded = np.where(finite, np.rint(np.where(finite, exact, 0.0) / step) * step, exact)
    rounded = np.copysign(rounded, exact)
    if has_inf:
        largest = (2 - 2.0**-mantissa_bits) * 2.0 ** (2**exponent_bits - 2 - bias)
        rounded = np.where(np.abs(rounded) > largest, np.copysign(np.inf, exact), rounded)
    else:
        largest = (2 - 2 * 2.0**-mantissa_bits) * 2.0 ** (2**exponent_bits - 1 - bias)
        rounded = np.clip(rounded, -largest, largest)
    return rounded.astype(np.float32)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "formats", "locked": false, "schema_version": 3, "solution": true}
def round_bf16(x):
    ### BEGIN SOLUTION
    return round_float(x, 8, 7)
    ### END SOLUTION


def round_fp16(x):
    ### BEGIN SOLUTION
    return round_float(x, 5, 10)
    ### END SOLUTION


def round_e4m3(x):
    ### BEGIN SOLUTION
    return round_float(x, 4, 3, has_inf=False)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-rounding_to_nearest", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("rounding_to_nearest")

# %% nbgrader={"grade": true, "grade_id": "check-subnormals_and_overflow", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("subnormals_and_overflow")

# %% nbgrader={"grade": true, "grade_id": "check-named_formats", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("named_formats")

# %% nbgrader={"grade": true, "grade_id": "check-formats_of_any_size", "locked": true, "points": 8, "schema_version": 3, "solution": false}
check("formats_of_any_size")

# %% [markdown]
# ## E4 · Accumulators and loss scaling (10 points, 30 minutes)
#
# **Accumulators.** Tensor cores take factors of half precision and add up in single, and this is why. `dot_accumulate(a, b, mul, acc)` takes float32 arrays $(n,)$ and computes $s\leftarrow s+a_ib_i$ for $i=0,1,\dots$ from $s=0$, each product rounded to `mul` and each sum to `acc`;
# both are `"fp16"` or `"fp32"`. The result is a float. Products and sums are rounded once: float64 holds a product exactly, but going from there to fp16 by way of float32 would round twice.
#
# **By hand.** 4096 ones, times ones, with `acc="fp16"`: the sum reaches 2048 and stays, because 2049 lies between two numbers of fp16 and goes to the even one. With `"fp32"` it is 4096.
#
# **Loss scaling.** Half of the smallest number of fp16 is $3\cdot10^{-8}$, and gradients up to there become 0. So the loss is multiplied by a large $S$, the gradients come out $S$ times as large, and are divided before the update (Micikevicius et al. 2018). If any of them overflowed, the step is skipped and $S$ shrinks; after `interval` good steps in a row it grows.
#
# | method | what it does |
# |---|---|
# | `scale(loss)` | $S\cdot$loss |
# | `unscale_(grads)` | divides the arrays of the dict `grads` by $S$ **in place**, once until the next `update`, and notes whether any entry is not finite |
# | `step(opt, grads)` | unscales unless that was done; calls `opt.step(grads)` and returns True, or leaves out the call and returns False if anything was not finite |
# | `update()` | after a step that was left out: $S\leftarrow S\cdot$`backoff`, and counting starts anew; else counts, and at `interval` good steps: $S\leftarrow S\cdot$`growth`, counting starts anew |
#
# The attribute `value` is $S$, and each scaler has its own. An optimizer holds the same arrays as you do; that is why they are divided in place.
#
# **By hand.** $S=8$, `interval` 2. Gradients $(2,4)$ become $(0.25,0.5)$: a good step. Then $(\infty,1)$: left out, $S=4$, and the count is 0 again. Two more good steps, and $S=8$.
#
# **Common mistakes.** A good step before an overflow still counts after it · unscaling twice when `unscale_` was called before `step` · looking for infinity only, and not for NaN · `np.dot`, which adds in an order of its own.


# %% nbgrader={"grade": false, "grade_id": "dot-accumulate", "locked": false, "schema_version": 3, "solution": true}
def dot_accumulate(a, b, mul, acc):
    """The dot product of a and b (n,), products rounded to `mul`, running sum to `acc`; a float."""
    ### BEGIN SOLUTION
    formats = {"fp16": (5, 10), "fp32": None}

    def rounded(value, name):
        if formats[name] is None:
            return float(np.float32(value))
        return float(round_float(np.float64(value), *formats[name]))  # one rounding, not two

    total = 0.0
    for x, y in zip(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)):
        total = rounded(total + rounded(x * y, mul), acc)
    return total
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "grad-scaler", "locked": false, "schema_version": 3, "solution": true}
class GradScaler:
    """Dynamic loss scaling."""

    def __init__(self, init=65536.0, growth=2.0, backoff=0.5, interval=2000):
        self.value = init
        self.growth, self.backoff, self.interval = growth, backoff, interval
        self.good_steps = 0
        self.unscaled = False
        self.overflowed = False

    def scale(self, loss):
        ### BEGIN SOLUTION
        return loss * self.value
        ### END SOLUTION

    def unscale_(self, grads):
        ### BEGIN SOLUTION
        if self.unscaled:
            return
        self.unscaled = True
        for grad in grads.values():
            np.divide(grad, self.value, out=grad)
            self.overflowed = self.overflowed or not np.isfinite(grad).all()
        ### END SOLUTION

    def step(self, opt, grads):
        ### BEGIN SOLUTION
        self.unscale_(grads)
        if self.overflowed:
            return False
        opt.step(grads)
        return True
        ### END SOLUTION

    def update(self):
        ### BEGIN SOLUTION
        if self.overflowed:
            self.value *= self.backoff
            self.good_steps = 0
        else:
            self.good_steps += 1
            if self.good_steps == self.interval:
                self.value *= self.growth
                self.good_steps = 0
        self.unscaled = self.overflowed = False
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-accumulators", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("accumulators")

# %% nbgrader={"grade": true, "grade_id": "check-loss_scaling", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("loss_scaling")

# %% nbgrader={"grade": true, "grade_id": "check-a_long_run", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("a_long_run")

# %% [markdown]
# ## E5 · A first kernel (10 points, 25 minutes)
#
# In Triton you write what *one program* does to a block of data; the grid says how many programs there are. A program knows its number, `tl.program_id(0)`, makes a block of offsets with `tl.arange(0, BLOCK)` (`BLOCK` is a power of two), and loads and stores
# through pointers: `tl.load(ptr + offsets, mask=…, other=…)`. A pointer plus an offset is an address in *elements*, and nobody checks it: **what a mask does not shut out is read or overwritten**, whatever lies there.
#
# The element $i$ of a tensor with stride $s$ is at `ptr + i * s`. So kernels get strides, and work on slices and transposes without a copy.
#
# Each exercise asks for a kernel with the arguments given, and for the function that launches it: `kernel[grid](…)`. The checks call your function **and** launch your kernel themselves, with their own grid and block, on memory that is surrounded by NaN (inputs) and by marks (outputs).
#
# **By hand.** $n=100$, `BLOCK=32`: 4 programs; the last has offsets 96 … 127 and may touch 96 … 99 only.
#
# **Common mistakes.** `n // BLOCK` programs leave the rest untouched (`triton.cdiv` rounds up) · a mask on the loads but none on the store.


# %% nbgrader={"grade": false, "grade_id": "add", "locked": false, "schema_version": 3, "solution": true}
@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, stride_x, stride_y, stride_out, BLOCK: tl.constexpr):
    """Program p adds the elements p·BLOCK … (p+1)·BLOCK − 1, as far as they are below n."""
    ### BEGIN SOLUTION
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets * stride_x, mask=mask)
    y = tl.load(y_ptr + offsets * stride_y, mask=mask)
    tl.store(out_ptr + offsets * stride_out, x + y, mask=mask)
    ### END SOLUTION


def add(x, y):
    """x + y for two tensors (n,) of one dtype and any strides; a new tensor."""
    ### BEGIN SOLUTION
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    n, block = x.numel(), 64
    if n:
        strides = x.stride(0), y.stride(0), out.stride(0)
        add_kernel[(triton.cdiv(n, block),)](x, y, out, n, *strides, BLOCK=block)
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-vector_addition", "locked": true, "points": 6, "schema_version": 3, "solution": false}
check("vector_addition")

# %% nbgrader={"grade": true, "grade_id": "check-vectors_of_any_length", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("vectors_of_any_length")

# %% [markdown]
# ## E6 · Softmax of a row (15 points, 35 minutes)
#
# One program for each row: read the row once into registers, subtract its maximum, exponentiate, divide by the sum, write once. PyTorch without fusion would go through memory for each of these steps; the roofline says what that costs.
#
# $$y_j=\frac{e^{x_j-\max_k x_k}}{\sum_k e^{x_k-\max_k x_k}}$$
#
# `BLOCK` is a power of two $\ge N$, so a row has masked places: they must not win the maximum and must add nothing to the sum. Compute in float32 (`x.to(tl.float32)`), also for float16 inputs.
#
# **By hand.** The row $(0,\ \ln3)$ with `BLOCK=4`: maximum $\ln3$, exponentials $(\tfrac13,1,0,0)$, sum $\tfrac43$, result $(\tfrac14,\tfrac34)$.
#
# **Common mistakes.** `other=0.0` makes 0 the maximum of a row of negative numbers; $-\infty$ is what loses every comparison and vanishes under $\exp$ · rows are `stride` apart, not `N` · without the maximum $e^{100}$ overflows.


# %% nbgrader={"grade": false, "grade_id": "softmax", "locked": false, "schema_version": 3, "solution": true}
@triton.jit
def softmax_kernel(
    x_ptr, out_ptr, M, N, stride_xm, stride_xn, stride_om, stride_on, BLOCK: tl.constexpr
):
    """Program m computes row m, for every m below M; BLOCK is at least N."""
    ### BEGIN SOLUTION
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    mask = (columns < N) & (row < M)
    x = tl.load(x_ptr + row * stride_xm + columns * stride_xn, mask=mask, other=-float("inf"))
    x = x.to(tl.float32)
    powers = tl.exp(x - tl.max(x, axis=0))
    result = powers / tl.sum(powers, axis=0)
    place = out_ptr + row * stride_om + columns * stride_on
    tl.store(place, result.to(out_ptr.dtype.element_ty), mask=mask)
    ### END SOLUTION


def row_softmax(x):
    """softmax over the last axis of x (M, N), any strides; a new tensor of the same dtype."""
    ### BEGIN SOLUTION
    M, N = x.shape
    out = torch.empty((M, N), dtype=x.dtype, device=x.device)
    if x.numel():
        block = triton.next_power_of_2(N)
        softmax_kernel[(M,)](x, out, M, N, *x.stride(), *out.stride(), BLOCK=block)
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-rows", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("rows")

# %% nbgrader={"grade": true, "grade_id": "check-extreme_rows", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("extreme_rows")

# %% nbgrader={"grade": true, "grade_id": "check-rows_of_any_layout", "locked": true, "points": 6, "schema_version": 3, "solution": false}
check("rows_of_any_layout")

# %% [markdown]
# ## E7 · Tiled matrix product (15 points, 45 minutes)
#
# Program $(i,j)$ computes the tile of $C=AB$ with rows $iB_M\dots$ and columns $jB_N\dots$: it walks along $K$ in steps of $B_K$, loads a $B_M\times B_K$ tile of $A$ and a $B_K\times B_N$ tile of $B$, and adds their product (`tl.dot`) to a tile of float32.
# Each number of $A$ is then loaded $N/B_N$ times in place of $N$ times: the tile is what raises the intensity.
#
# A block of addresses is made of a column of row offsets and a row of column offsets: `rows[:, None] * stride_m + columns[None, :] * stride_n`. Three sizes may end inside a tile: mask rows, columns **and** $K$; what is masked in $K$ must be 0, or it is added.
# Use `tl.dot(a, b, input_precision="ieee")`, which on a GPU keeps float32 from being rounded to TF32.
#
# `matmul` raises `TypeError` for anything but two float16 or two float32 tensors. Tiles of 16 or 32 are large enough here; `tl.dot` wants at least 16 on a GPU.
#
# **By hand.** $M=N=K=33$ with tiles of 16: a grid of $3\times3$, three steps along $K$, and in the last one a single column of $A$ is real.
#
# **Common mistakes.** $K$ without a mask · accumulating in float16 · the strides of the transposed matrix exchanged · `K // BK` steps.


# %% nbgrader={"grade": false, "grade_id": "matmul", "locked": false, "schema_version": 3, "solution": true}
@triton.jit
def matmul_kernel(
    a_ptr,
    b_ptr,
    c_ptr,
    M,
    N,
    K,
    stride_am,
    stride_ak,
    stride_bk,
    stride_bn,
    stride_cm,
    stride_cn,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
):
    """Program (i, j) computes the BM×BN tile of c = a b in tile row i and tile column j."""
    ### BEGIN SOLUTION
    rows = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    columns = tl.program_id(1) * BN + tl.arange(0, BN)[None, :]
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for start in range(0, K, BK):
        along = start + tl.arange(0, BK)
        a = tl.load(
            a_ptr + rows * stride_am + along[None, :] * stride_ak,
            mask=(rows < M) & (along[None, :] < K),
            other=0.0,
        )
        b = tl.load(
            b_ptr + along[:, None] * stride_bk + columns * stride_bn,
            mask=(along[:, None] < K) & (columns < N),
            other=0.0,
        )
        total += tl.dot(a, b, input_precision="ieee")
    place = c_ptr + rows * stride_cm + columns * stride_cn
    tl.store(place, total.to(c_ptr.dtype.element_ty), mask=(rows < M) & (columns < N))
    ### END SOLUTION


def matmul(a, b):
    """a (M, K) times b (K, N), of one dtype and any strides; a new tensor (M, N)."""
    ### BEGIN SOLUTION
    if a.dtype not in (torch.float16, torch.float32) or b.dtype != a.dtype:
        raise TypeError(
            f"matmul takes two float16 or two float32 tensors, not {a.dtype}, {b.dtype}"
        )
    (M, K), N = a.shape, b.shape[1]
    out = torch.empty((M, N), dtype=a.dtype, device=a.device)
    if M and N:
        grid = (triton.cdiv(M, 32), triton.cdiv(N, 32))
        strides = *a.stride(), *b.stride(), *out.stride()
        matmul_kernel[grid](a, b, out, M, N, K, *strides, BM=32, BN=32, BK=32)
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-products", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("products")

# %% nbgrader={"grade": true, "grade_id": "check-half_precision_products", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("half_precision_products")

# %% nbgrader={"grade": true, "grade_id": "check-products_of_any_layout", "locked": true, "points": 6, "schema_version": 3, "solution": false}
check("products_of_any_layout")

# %% [markdown]
# ## E8 · A fused layer (5 points, 20 minutes)
#
# $Y=\max(XW+b,\ 0)$ in one kernel: the bias and the ReLU are applied to the tile while it is still in registers, so $Y$ crosses the memory bus once in place of five times (written, then read and written by each of two more kernels). Bias and ReLU come **after** the whole sum over $K$, in float32.
#
# **By hand.** For $X$ of 512 × 4096 in fp16 and $W$ of 4096 × 1024, $Y$ has 1 MiB; the two extra kernels would move it four times more, 4 MiB on top of the 13 MiB that the product moves anyway.
#
# **Common mistakes.** Bias or ReLU in every step along $K$ · a bias for rows, where it belongs to columns · rounding the sum to half precision before the bias is added.


# %% nbgrader={"grade": false, "grade_id": "fused", "locked": false, "schema_version": 3, "solution": true}
@triton.jit
def linear_relu_kernel(
    x_ptr,
    w_ptr,
    b_ptr,
    y_ptr,
    M,
    N,
    K,
    stride_xm,
    stride_xk,
    stride_wk,
    stride_wn,
    stride_b,
    stride_ym,
    stride_yn,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BK: tl.constexpr,
):
    """Program (i, j) computes a BM×BN tile of max(x w + b, 0)."""
    ### BEGIN SOLUTION
    rows = tl.program_id(0) * BM + tl.arange(0, BM)[:, None]
    columns = tl.program_id(1) * BN + tl.arange(0, BN)[None, :]
    total = tl.zeros((BM, BN), dtype=tl.float32)
    for start in range(0, K, BK):
        along = start + tl.arange(0, BK)
        x = tl.load(
            x_ptr + rows * stride_xm + along[None, :] * stride_xk,
            mask=(rows < M) & (along[None, :] < K),
            other=0.0,
        )
        w = tl.load(
            w_ptr + along[:, None] * stride_wk + columns * stride_wn,
            mask=(along[:, None] < K) & (columns < N),
            other=0.0,
        )
        total += tl.dot(x, w, input_precision="ieee")
    bias = tl.load(b_ptr + columns * stride_b, mask=columns < N, other=0.0).to(tl.float32)
    result = tl.maximum(total + bias, 0.0)
    place = y_ptr + rows * stride_ym + columns * stride_yn
    tl.store(place, result.to(y_ptr.dtype.element_ty), mask=(rows < M) & (columns < N))
    ### END SOLUTION


def fused_linear_relu(x, w, b):
    """max(x w + b, 0) for x (M, K), w (K, N), b (N,); a new tensor (M, N) of the same dtype."""
    ### BEGIN SOLUTION
    (M, K), N = x.shape, w.shape[1]
    y = torch.empty((M, N), dtype=x.dtype, device=x.device)
    if M and N:
        grid = (triton.cdiv(M, 32), triton.cdiv(N, 32))
        strides = *x.stride(), *w.stride(), *b.stride(), *y.stride()
        linear_relu_kernel[grid](x, w, b, y, M, N, K, *strides, BM=32, BN=32, BK=32)
    return y
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-fused_layer", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("fused_layer")

# %% nbgrader={"grade": true, "grade_id": "check-fused_layers_of_any_layout", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("fused_layers_of_any_layout")

# %% [markdown]
# ## If you have a GPU
#
# Run this notebook there: the same kernels are compiled. Time `matmul` against `torch.matmul` for $4096\times4096$ in fp16 with `triton.testing.do_bench`, try tiles of 64 and 128, and put the result into your roofline. How far from the flat part are you, and what would NVIDIA's guide blame: tiles, waves, or memory?
#
# ## Read next
#
# - Williams, Waterman, Patterson: *Roofline: an insightful visual performance model* (CACM 2009), sections 2 and 3.
# - Tillet, Kung, Cox: *Triton* (MAPL 2019), section 3, for the programming model.
# - Micikevicius et al.: *Mixed precision training* (arXiv 1710.03740), section 3, for accumulators and loss scaling.
# - Micikevicius et al.: *FP8 formats for deep learning* (arXiv 2209.05433), section 3 and table 1, for e4m3.
# - NVIDIA: *GPU performance background* and *Matrix multiplication background* user's guides, for waves and tiles.
