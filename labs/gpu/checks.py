"""The experiments of the GPU lab.

Formats are compared bit by bit, in sizes that no library has. A kernel is called through the student's
function *and* launched from here: with another block, with fewer or more programs than are needed, and
on memory that is surrounded by NaN where it is read and by marks where it is written. A function that
lets torch do the work has no kernel that does this.
"""

import numpy as np
import torch

from grader.checks import Tolerance, check

RATE = Tolerance(relative=1e-12, absolute=0.0)
EXACT = Tolerance(relative=0.0, absolute=0.0)
SINGLE = Tolerance(relative=2e-5, absolute=2e-6)
HALF = Tolerance(relative=2e-3, absolute=1e-4)


# --- E1 --------------------------------------------------------------------------------------------


@check(
    exercise="E1",
    points=5,
    trials=4,
    inputs=lambda rng, trial: {
        "M": 1 if trial == 1 else int(rng.integers(2, 9000)),
        "K": 1 if trial == 2 else int(rng.integers(2, 9000)),
        "N": int(rng.integers(2, 9000)),
        "size": (2, 4, 1, 8)[trial],
        "flops": float(rng.uniform(1e6, 1e15)),
        "moved": float(rng.uniform(1e3, 1e12)),
    },
    tolerance=RATE,
    hint="2MKN operations over bytes_per · (MK + KN + MN) bytes: both inputs are read, the result is "
    "written.",
)
def intensities(lab, M, K, N, size, flops, moved):
    """Operations per byte, of anything and of a matrix product."""
    return {
        "intensity": float(lab.intensity(flops, moved)),
        "fp16": float(lab.gemm_intensity(M, K, N)),
        f"{size} bytes": float(lab.gemm_intensity(M, K, N, bytes_per=size)),
    }


def machine(rng):
    return {
        "clock": float(rng.uniform(0.8e9, 2.5e9)),
        "sms": int(rng.integers(4, 200)),
        "fma": int(rng.choice([64, 128, 256, 512, 1024, 2048])),
        "bw": float(rng.uniform(2e11, 8e12)),
        "ratio": float(rng.uniform(0.05, 0.9)),
    }


@check(
    exercise="E1",
    points=5,
    trials=3,
    inputs=machine,
    tolerance=RATE,
    hint="A fused multiply-add is two operations. Time is the larger of the two, and where both are "
    "equal the bound is math.",
)
def bounds(lab, clock, sms, fma, bw, ratio):
    """Peak, roofline and time of kernels left of the ridge, right of it, and on it."""
    peak = 2.0**47
    bandwidth = 2.0**40  # a ridge of exactly 128
    found = {"peak": float(lab.peak_flops(clock, sms, fma))}
    for name, ai in (("left", 128 * ratio), ("on it", 128.0), ("right", 128 / ratio)):
        seconds, bound = lab.time_and_bound(ai * 1e9, 1e9, peak, bandwidth)
        found[name] = [float(lab.attainable(ai, peak, bandwidth)), float(seconds), str(bound)]
    return found


@check(
    exercise="E1",
    points=5,
    trials=4,
    hidden=True,
    inputs=lambda rng: (
        machine(rng) | {"M": int(rng.integers(1, 3000)), "K": int(rng.integers(1, 3000)), "N": 64}
    ),
    tolerance=RATE,
    hint="From clock and SMs to the time of a product, all of your functions in a row.",
)
def rooflines_of_other_machines(lab, clock, sms, fma, bw, ratio, M, K, N):
    """Products on machines that nobody sells."""
    peak = lab.peak_flops(clock, sms, fma)
    flops, moved = 2 * M * K * N, 2 * (M * K + K * N + M * N)
    seconds, bound = lab.time_and_bound(flops, moved, peak, bw)
    ai = lab.gemm_intensity(M, K, N)
    slow, slow_bound = lab.time_and_bound(flops, moved, peak, bw * 1e-4)
    return {
        "peak": float(peak),
        "intensity": float(ai),
        "attainable": float(lab.attainable(ai, peak, bw)),
        "time": [float(seconds), str(bound)],
        "with slow memory": [float(slow), str(slow_bound)],
        "ratio": float(lab.intensity(flops * ratio, moved)),
    }


# --- E2 --------------------------------------------------------------------------------------------


@check(
    exercise="E2",
    points=6,
    trials=5,
    inputs=lambda rng, trial: {
        "blocks": int(rng.integers(2, 900)) if trial else 12,
        "sms": int(rng.integers(3, 150)) if trial else 8,
        "each": int(rng.integers(1, 5)) if trial else 1,
        "M": int(rng.integers(2, 700)),
        "N": int(rng.integers(2, 700)),
        "tm": int(rng.choice([16, 32, 64, 128])),
        "tn": int(rng.choice([16, 64, 128, 256])),
    },
    tolerance=RATE,
    hint="Round up: the last wave and the last tile are computed whole. A wave is sms · blocks_per_sm.",
)
def waves_and_tiles(lab, blocks, sms, each, M, N, tm, tn):
    """Efficiency of a grid of blocks and of a grid of tiles."""
    return {
        "waves": float(lab.wave_efficiency(blocks, sms, each)),
        "tiles": float(lab.tile_efficiency(M, N, tm, tn)),
    }


@check(
    exercise="E2",
    points=4,
    trials=4,
    hidden=True,
    inputs=lambda rng: {
        "wave": int(rng.integers(2, 120)),
        "each": int(rng.integers(2, 6)),
        "k": int(rng.integers(1, 6)),
        "t": int(rng.integers(2, 90)),
    },
    tolerance=RATE,
    hint="A grid that fills its waves exactly has efficiency 1; one block more, and a wave is added.",
)
def ragged_grids(lab, wave, each, k, t):
    """Grids that fit exactly, by one block too many and one too few, and a single element."""
    full = wave * each * k
    return {
        "exact": float(lab.wave_efficiency(full, wave, each)),
        "one more": float(lab.wave_efficiency(full + 1, wave, each)),
        "one less": float(lab.wave_efficiency(full - 1, wave, each)),
        "exact tiles": float(lab.tile_efficiency(k * t, 3 * t, t, t)),
        "one row more": float(lab.tile_efficiency(k * t + 1, 3 * t, t, 3)),
        "one element": float(lab.tile_efficiency(1, 1, t, t)),
    }


# --- E3 --------------------------------------------------------------------------------------------


def sample(rng, exponent_bits, mantissa_bits, *, low=None, high=None, count=120):
    """float32 values around a format's numbers: between neighbours, exactly on ties, and next to them."""
    bias = 2 ** (exponent_bits - 1) - 1
    low = 1 - bias if low is None else low
    high = bias - 1 if high is None else high
    exponent = rng.integers(max(low, -126), min(high, 126) + 1, count).astype(np.float64)
    whole = rng.integers(2**mantissa_bits, 2 ** (mantissa_bits + 1), count)
    part = rng.choice([0.0, 0.25, 0.5, 0.5, 0.5, 0.75], count) + rng.choice([0, 2.0**-9], count)
    values = (whole + part) * 2.0 ** (exponent - mantissa_bits)
    return (values * rng.choice([-1.0, 1.0], count)).astype(np.float32)


@check(
    exercise="E3",
    points=4,
    trials=4,
    inputs=lambda rng, trial: {
        "exponent_bits": (e := (5, 4, 6, 3)[trial]),
        "mantissa_bits": (m := (3, 5, 2, 7)[trial]),
        "x": sample(rng, e, m).reshape(4, -1),
    },
    tolerance=EXACT,
    hint="Divide by the distance of neighbours, round to an integer with ties to even (np.rint does "
    "that), multiply again.",
)
def rounding_to_nearest(lab, exponent_bits, mantissa_bits, x):
    """Normal numbers of small formats: nearest, and ties to even."""
    rounded = lab.round_float(x, exponent_bits, mantissa_bits)
    return {"values": np.asarray(rounded, dtype=np.float64), "dtype": str(rounded.dtype)}


def around_the_edges(rng, exponent_bits, mantissa_bits):
    """Below the smallest number, among the subnormals, at the largest, beyond, and what is no number."""
    bias = 2 ** (exponent_bits - 1) - 1
    smallest = 2.0 ** max(1 - bias - mantissa_bits, -149)
    tiny = smallest * np.array([0.25, 0.5, 0.50001, 0.75, 1.0, 1.25, 1.5, 2.5, 3.5, 3.75])
    tiny = np.concatenate([tiny, smallest * rng.uniform(0, 2.0 ** (mantissa_bits + 1), 20)])
    top = (2 - 2.0**-mantissa_bits) * 2.0 ** min(bias, 126)
    large = top * np.concatenate([[1.0, 2.0, 1.5, 0.5], rng.uniform(0.4, 2.2, 30)])
    step = 2.0 ** (min(bias, 126) - mantissa_bits)
    large = np.concatenate([large, top + step * np.array([-1.0, -0.5, 0.25, 0.49, 0.5, 0.51, 1.0])])
    large = np.concatenate([large, 2 * top + 2 * step * np.array([-3.0, -2.0, -1.5, -1.0, -0.5])])
    with np.errstate(over="ignore", under="ignore"):
        values = np.concatenate([tiny, large]).astype(np.float32)
    values = np.concatenate([values, -values]).astype(np.float32)
    return np.concatenate([values, np.float32([0.0, -0.0, np.inf, -np.inf, np.nan])])


@check(
    exercise="E3",
    points=4,
    trials=4,
    inputs=lambda rng, trial: {
        "exponent_bits": (e := (5, 4, 3, 6)[trial]),
        "mantissa_bits": (m := (2, 3, 4, 1)[trial]),
        "x": around_the_edges(rng, e, m),
    },
    tolerance=EXACT,
    hint="Below 2^(1−B) the distance stays what it is there. Beyond the largest number: infinity, or "
    "the largest number itself in a format without infinity. −0 stays −0, NaN stays NaN.",
)
def subnormals_and_overflow(lab, exponent_bits, mantissa_bits, x):
    """Subnormals, zeros of both signs, overflow, infinities and NaN, bit by bit."""

    def bits(rounded):
        flat = np.asarray(rounded, dtype=np.float32).reshape(-1)
        patterns = np.where(np.isnan(flat), np.uint32(0x7FC00000), flat.view(np.uint32))
        return patterns.astype(np.int64)

    return {
        "with infinity": bits(lab.round_float(x, exponent_bits, mantissa_bits)),
        "without": bits(lab.round_float(x, exponent_bits, mantissa_bits, has_inf=False)),
    }


@check(
    exercise="E3",
    points=4,
    trials=3,
    inputs=lambda rng: {
        "x": np.concatenate(
            [
                part
                for e, m in ((8, 7), (5, 10), (4, 3))
                for part in (sample(rng, e, m, count=40), around_the_edges(rng, e, m))
            ]
        )
    },
    tolerance=EXACT,
    hint="bf16 has 8 and 7 bits, fp16 5 and 10, e4m3 4 and 3 and no infinity.",
)
def named_formats(lab, x):
    """bf16, fp16 and e4m3, bit by bit."""

    def bits(rounded):
        flat = np.asarray(rounded, dtype=np.float32).reshape(-1)
        patterns = np.where(np.isnan(flat), np.uint32(0x7FC00000), flat.view(np.uint32))
        return patterns.astype(np.int64)

    return {
        "bf16": bits(lab.round_bf16(x)),
        "fp16": bits(lab.round_fp16(x)),
        "e4m3": bits(lab.round_e4m3(x)),
    }


def any_format(rng):
    exponent_bits, mantissa_bits = int(rng.integers(2, 9)), int(rng.integers(1, 11))
    parts = [
        sample(rng, exponent_bits, mantissa_bits, count=60),
        around_the_edges(rng, exponent_bits, mantissa_bits),
    ]
    return {
        "exponent_bits": exponent_bits,
        "mantissa_bits": mantissa_bits,
        "x": np.concatenate(parts),
        "one": np.float32(rng.uniform(1.0, 2.0) + 2.0**-12).reshape(()),
    }


@check(
    exercise="E3",
    points=8,
    trials=8,
    hidden=True,
    inputs=any_format,
    tolerance=EXACT,
    hint="Every 2 ≤ E ≤ 8 and 1 ≤ M ≤ 10, with and without infinity, arrays of any shape and layout.",
)
def formats_of_any_size(lab, exponent_bits, mantissa_bits, x, one):
    """Formats that no library has, with and without infinity."""

    def bits(rounded):
        flat = np.asarray(rounded, dtype=np.float32).reshape(-1)
        patterns = np.where(np.isnan(flat), np.uint32(0x7FC00000), flat.view(np.uint32))
        return patterns.astype(np.int64)

    grid = x[: x.size // 6 * 6].reshape(2, 3, -1)
    rounded = lab.round_float(grid, exponent_bits, mantissa_bits)
    turned = lab.round_float(grid.T, exponent_bits, mantissa_bits)
    single = lab.round_float(one, exponent_bits, mantissa_bits)
    return {
        "with infinity": bits(lab.round_float(x, exponent_bits, mantissa_bits)),
        "without": bits(lab.round_float(x, min(exponent_bits, 7), mantissa_bits, has_inf=False)),
        "shape": list(np.shape(rounded)),
        "dtype": str(np.asarray(rounded).dtype),
        "transposed": [list(np.shape(turned)), bits(turned)],
        "no dimensions": [list(np.shape(single)), bits(single)],
        "no elements": list(np.shape(lab.round_float(grid[:0], exponent_bits, mantissa_bits))),
    }


# --- E4 --------------------------------------------------------------------------------------------


def by_single_precision(a, b, mul, acc, on_the_way):
    """The dot product by numpy's own conversions, directly or by way of float32."""
    kinds = {"fp16": np.float16, "fp32": np.float32}
    total = 0.0
    with np.errstate(over="ignore"):
        for x, y in zip(a.astype(np.float64), b.astype(np.float64), strict=True):
            product = np.float64(kinds[mul](on_the_way(x * y)))
            total = np.float64(kinds[acc](on_the_way(total + product)))
    return float(total)


def vectors(rng, trial):
    """Two vectors whose dot product no second rounding, by way of float32, can change."""
    while True:
        count = 2300 if trial == 1 else int(rng.integers(150, 400))
        a = rng.uniform(-0.2, 1.0, count) * (1.0, 1.0, 900.0, 3e-4)[trial]
        b = rng.uniform(0, 1, count)
        if trial == 1:
            a, b = np.ones(count), np.ones(count)
        a, b = a.astype(np.float32), b.astype(np.float32)
        if all(
            by_single_precision(a, b, mul, "fp16", np.float64)
            == by_single_precision(a, b, mul, "fp16", np.float32)
            for mul in ("fp16", "fp32")
        ):
            return {"a": a, "b": b}


@check(
    exercise="E4",
    points=4,
    trials=4,
    inputs=vectors,
    tolerance=EXACT,
    hint="Round each product to `mul`, then each running sum to `acc`, one after the other from the "
    "first element on.",
)
def accumulators(lab, a, b):
    """A dot product in four combinations of precision."""
    return {
        f"{mul}, {acc}": float(lab.dot_accumulate(a, b, mul, acc))
        for mul in ("fp16", "fp32")
        for acc in ("fp16", "fp32")
    }


def steps(rng, count, chance):
    """Gradients of a run; some contain an infinity or a NaN."""
    found = []
    for _ in range(count):
        grads = {"w": rng.normal(size=(2, 3)), "b": rng.normal(size=3)}
        if rng.uniform() < chance:
            name = str(rng.choice(["w", "b"]))
            grads[name].reshape(-1)[rng.integers(grads[name].size)] = rng.choice(
                [np.inf, -np.inf, np.nan]
            )
        found.append(grads)
    return found


@check(
    exercise="E4",
    points=3,
    trials=3,
    inputs=lambda rng, trial: {
        "grads": [
            {"w": np.array([2.0, 4.0]), "b": np.array([8.0])},
            {"w": np.array([np.inf, 1.0]), "b": np.array([1.0])},
            {"w": np.array([2.0, -4.0]), "b": np.array([1.0])},
            {"w": np.array([16.0, 4.0]), "b": np.array([3.0])},
            *steps(rng, 4, 0.3),
        ],
        "init": float(2.0 ** rng.integers(3, 16)),
        "interval": 2,
    },
    tolerance=Tolerance(relative=1e-12, absolute=0.0, equal_nan=True),
    hint="A step that overflowed is left out, shrinks the scale and starts the count anew. What was "
    "unscaled once is not unscaled again before update().",
)
def loss_scaling(lab, grads, init, interval):
    """Eight steps, one of which overflows for certain."""

    class Optimizer:
        def __init__(self):
            self.seen = []

        def step(self, given):
            self.seen.append({name: np.array(grad) for name, grad in given.items()})

    scaler, optimizer = lab.GradScaler(init=init, interval=interval), Optimizer()
    taken, values, scaled, divided = [], [], [], []
    for number, given in enumerate(grads):
        own = {name: grad.copy() for name, grad in given.items()}
        arrays = list(own.values())  # "in place" means these
        scaled.append(float(scaler.scale(1.5)))
        if number % 2:
            scaler.unscale_(own)
            divided.append([array.copy() for array in arrays])
        taken.append(bool(scaler.step(optimizer, own)))
        scaler.update()
        values.append(float(scaler.value))
    return {
        "scaled": scaled,
        "taken": taken,
        "values": values,
        "gradients": optimizer.seen,
        "arrays after unscale_": divided,
    }


@check(
    exercise="E4",
    points=3,
    trials=3,
    hidden=True,
    inputs=lambda rng, trial: {
        "grads": steps(rng, 40, 0.2),
        "init": float(rng.uniform(1, 1e4) if trial else rng.uniform(0.1, 0.9)),
        "growth": float(rng.choice([2.0, 4.0, 1.5])),
        "backoff": float(rng.choice([0.5, 0.25])),
        "interval": int(rng.integers(1, 5)),
    },
    tolerance=RATE,
    hint="Forty steps with other factors; unscale_ may be called twice before a step.",
)
def a_long_run(lab, grads, init, growth, backoff, interval):
    """Forty steps with other factors and intervals."""

    class Optimizer:
        def __init__(self):
            self.total = 0.0
            self.calls = 0

        def step(self, given):
            self.calls += 1
            self.total = self.total + given["w"].sum() + 2 * given["b"].sum()

    scaler, optimizer = lab.GradScaler(init, growth, backoff, interval), Optimizer()
    other, others = lab.GradScaler(8.0, 2.0, 0.5, 3), []  # another scaler in the same program
    taken, values = [], []
    for number, given in enumerate(grads):
        own = {name: grad.copy() for name, grad in given.items()}
        for _ in range(number % 3):
            scaler.unscale_(own)
        taken.append(bool(scaler.step(optimizer, own)))
        scaler.update()
        values.append(float(scaler.value))
        if number % 2 == 0:
            other.step(Optimizer(), {"w": np.ones(1), "b": np.ones(1)})
            other.update()
            others.append(float(other.value))
    return {
        "taken": taken,
        "another scaler": others,
        "values": values,
        "total": float(optimizer.total),
        "calls": optimizer.calls,
        "default": float(lab.GradScaler().scale(1.0)),
    }


# --- E5 --------------------------------------------------------------------------------------------


def floats(rng, *shape, dtype=torch.float32, low=-2.0, high=2.0):
    return torch.from_numpy(rng.uniform(low, high, shape)).to(dtype)


@check(
    exercise="E5",
    points=6,
    trials=4,
    inputs=lambda rng, trial: {
        "x": floats(rng, n := (100, 1, 64, 131)[trial]),
        "y": floats(rng, n),
        "block": (32, 16, 64, 64)[trial],
    },
    tolerance=SINGLE,
    hint="Offsets start at program_id · BLOCK; loads and the store need the mask offsets < n; the grid "
    "has cdiv(n, BLOCK) programs.",
)
def vector_addition(lab, x, y, block):
    """A sum through your function, and through your kernel among marks."""
    n = len(x)

    def within(values, mark):
        room = torch.full((n + 256,), mark)
        room[128 : 128 + n] = values
        return room, room[128 : 128 + n]

    (_, left), (_, right) = within(x, float("nan")), within(y, float("nan"))
    room, out = within(0.0, -7.0)
    lab.add_kernel[(-(-n // block),)](left, right, out, n, 1, 1, 1, BLOCK=block)
    part, first = within(0.0, -7.0)
    lab.add_kernel[(1,)](left, right, first, n, 1, 1, 1, BLOCK=block)
    found = {"kernel among marks": room, "its first program": part}
    if (room[:128] == -7).all() and (room[128 + n :] == -7).all():
        found["add"] = lab.add(left, right)  # on memory without marks, so only of a sound kernel
    return found


@check(
    exercise="E5",
    points=4,
    trials=5,
    hidden=True,
    inputs=lambda rng, trial: (
        {
            "x": floats(rng, n := (97, 257, 1, 40, 0)[trial], dtype=kind),
            "y": floats(rng, n, dtype=kind),
        }
        if (
            kind := (torch.float32, torch.float16, torch.float32, torch.float16, torch.float32)[
                trial
            ]
        )
        else {}
    ),
    tolerance=SINGLE,
    hint="Strides other than 1, half precision, one element, none, and more programs than needed.",
)
def vectors_of_any_length(lab, x, y):
    """Strided vectors of either precision, empty ones, and too many programs."""
    n = len(x)
    wide_x = torch.full((n, 3), float("nan"), dtype=x.dtype)
    wide_y = torch.full((2, n), float("nan"), dtype=y.dtype)
    wide_x[:, 1], wide_y[1] = x, y
    strided = wide_x[:, 1]
    result = lab.add(strided, wide_y[1])
    out = torch.full((2 * n + 64,), -7.0, dtype=x.dtype)
    if n:
        lab.add_kernel[(n // 16 + 3,)](strided, wide_y[1], out, n, 3, 1, 2, BLOCK=16)
    return {"add": result, "dtype": str(result.dtype), "kernel": out}


# --- E6 --------------------------------------------------------------------------------------------


@check(
    exercise="E6",
    points=5,
    trials=4,
    inputs=lambda rng, trial: {
        "x": floats(rng, *((3, 5), (1, 8), (5, 13), (4, 1))[trial], low=-4, high=1),
    },
    tolerance=SINGLE,
    hint="One program a row; masked places are −inf, so that they lose the maximum and add nothing.",
)
def rows(lab, x):
    """Rows through your function, and through your kernel among marks."""
    M, N = x.shape
    block = 1 << (N - 1).bit_length()
    room = torch.full((M + 2, N + 40), float("nan"))
    inside = room[1 : M + 1, 8 : N + 8]
    inside.copy_(x)
    marks, part = torch.full((M + 2, N + 40), -7.0), torch.full((M + 2, N + 40), -7.0)
    for out, programs in ((marks, M), (part, 1)):
        own = out[1 : M + 1, 8 : N + 8]
        strides = N + 40, 1, N + 40, 1
        lab.softmax_kernel[(programs,)](inside, own, M, N, *strides, BLOCK=block)
    found = {"kernel among marks": marks, "its first program": part}
    if (marks[:, :8] == -7).all() and (marks[:, N + 8 :] == -7).all():
        found["row_softmax"] = lab.row_softmax(inside)
    return found


@check(
    exercise="E6",
    points=4,
    trials=3,
    inputs=lambda rng, trial: {
        "x": floats(rng, 4, (5, 7, 3)[trial]) + torch.tensor([[-900.0], [900.0], [-30.0], [0.0]])
    },
    tolerance=SINGLE,
    hint="Subtract the maximum of the row's own places: a 0 from a masked place is no maximum of a "
    "negative row. The block is the next power of two, however wide the row; what is calculated is float32.",
)
def extreme_rows(lab, x):
    """Rows of very negative and of very large numbers, of half precision, and one that is wide."""
    M, N = x.shape
    out = torch.full((M, N), -7.0)
    lab.softmax_kernel[(M,)](x, out, M, N, N, 1, N, 1, BLOCK=16)
    part = torch.full((M, N), -7.0)
    lab.softmax_kernel[(M - 2,)](x, part, M, N, N, 1, N, 1, BLOCK=16)
    half = torch.full((M, N), -7.0)  # its values are halves, its sums are not
    lab.softmax_kernel[(M,)](x.half(), half, M, N, N, 1, N, 1, BLOCK=16)
    wide = x[3:, :1] - torch.arange(1500.0) / 400
    return {
        "row_softmax": lab.row_softmax(x),
        "kernel": out,
        "two programs less": part,
        "float32 results of float16 inputs": half,
        "a wide row": lab.row_softmax(wide),
    }


@check(
    exercise="E6",
    points=6,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: {
        "x": floats(rng, *((7, 6), (2, 17), (2, 1), (6, 33))[trial], low=-9, high=-1).to(
            (torch.float32, torch.float16)[trial % 2]
        ),
        "minus_infinity": trial == 3,
    },
    tolerance=HALF,
    hint="Transposed inputs and outputs, half precision, −inf in a row, more programs than rows.",
)
def rows_of_any_layout(lab, x, minus_infinity):
    """Transposed and half-precision rows, and more programs than rows."""
    x = x.clone()
    if minus_infinity:
        x[:, ::3] = float("-inf")
    M, N = x.shape
    turned = x.T.contiguous().T
    out = torch.full((N + 1, M + 3), -7.0, dtype=x.dtype)
    own = out[:N, :M].T
    strides = *turned.stride(), *own.stride()
    lab.softmax_kernel[(M + 2,)](turned, own, M, N, *strides, BLOCK=64)
    part = torch.full((M + 1, N), -7.0)
    lab.softmax_kernel[(1,)](turned, part, M, N, *turned.stride(), N, 1, BLOCK=64)
    result = lab.row_softmax(turned)
    return {
        "row_softmax": result,
        "dtype": str(result.dtype),
        "kernel": out,
        "its first program": part,
    }


# --- E7 --------------------------------------------------------------------------------------------


@check(
    exercise="E7",
    points=5,
    trials=4,
    inputs=lambda rng, trial: {
        "a": floats(rng, (33, 16, 7, 20)[trial], k := (17, 16, 33, 5)[trial]),
        "b": floats(rng, k, (20, 32, 18, 40)[trial]),
    },
    tolerance=SINGLE,
    hint="Mask rows, columns and K; what is masked in K is 0. Program (i, j): rows from i·BM, columns "
    "from j·BN.",
)
def products(lab, a, b):
    """A product through your function, and through your kernel among NaN and marks."""
    (M, K), N = a.shape, b.shape[1]
    left, right = (
        torch.full((M + 40, K + 40), float("nan")),
        torch.full((K + 40, N + 40), float("nan")),
    )
    left[:M, :K], right[:K, :N] = a, b
    strides = K + 40, 1, N + 40, 1, N + 50, 1
    marks, part = torch.full((M + 40, N + 50), -7.0), torch.full((M + 40, N + 50), -7.0)
    for out, grid in ((marks, (-(-M // 16), -(-N // 32))), (part, (1, 1))):
        lab.matmul_kernel[grid](left, right, out, M, N, K, *strides, BM=16, BN=32, BK=16)
    found = {"kernel among marks": marks, "its first program": part}
    if (marks[M:] == -7).all() and (marks[:, N:] == -7).all():
        found["matmul"] = lab.matmul(left[:M, :K], right[:K, :N])
    return found


@check(
    exercise="E7",
    points=4,
    trials=2,
    inputs=lambda rng, trial: {
        "a": floats(rng, 9, k := (150, 64)[trial], dtype=torch.float16, low=0.5, high=1.5),
        "b": floats(rng, k, 18, dtype=torch.float16, low=0.5, high=1.5),
    },
    tolerance=SINGLE,
    hint="The running tile is float32, whatever the inputs are; only what is stored gets the dtype of "
    "the result.",
)
def half_precision_products(lab, a, b):
    """Half-precision inputs with single-precision sums; other dtypes are refused."""
    (M, K), N = a.shape, b.shape[1]
    out = torch.full((M, N), -7.0)
    lab.matmul_kernel[(1, 2)](a, b, out, M, N, K, K, 1, N, 1, N, 1, BM=16, BN=16, BK=16)
    refused = []
    kinds = [(kind, kind) for kind in (torch.bfloat16, torch.float64, torch.int32)]
    for left, right in [*kinds, (torch.float16, torch.float32), (torch.float32, torch.float64)]:
        try:
            lab.matmul(a.to(left), b.to(right))
            refused.append("accepted")
        except Exception as error:
            refused.append(f"{left} times {right}: {type(error).__name__}")
    result = lab.matmul(a, b)
    return {"sums": out, "dtype": str(result.dtype), "refused": refused}


@check(
    exercise="E7",
    points=6,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: (
        {
            "a": floats(rng, (1, 37, 20, 3)[trial], k := (19, 1, 40, 70)[trial], dtype=kind),
            "b": floats(rng, k, (23, 5, 1, 35)[trial], dtype=kind),
        }
        if (kind := (torch.float32, torch.float32, torch.float16, torch.float32)[trial])
        else {}
    ),
    tolerance=HALF,
    hint="Transposed matrices and results, sides of length 1, tiles of three different sizes.",
)
def products_of_any_layout(lab, a, b):
    """Transposed operands and results, vectors, and tiles that are not square."""
    (M, K), N = a.shape, b.shape[1]
    left, right = a.T.contiguous().T, b.T.contiguous().T
    result = lab.matmul(left, right)
    out = torch.full((N + 3, M + 35), -7.0, dtype=a.dtype)
    own = out[:N, :M].T
    strides = *left.stride(), *right.stride(), *own.stride()
    grid = -(-M // 32) + 1, -(-N // 16)
    lab.matmul_kernel[grid](left, right, own, M, N, K, *strides, BM=32, BN=16, BK=32)
    part = torch.full((M, N + 1), -7.0)
    strides = *left.stride(), *right.stride(), N + 1, 1
    lab.matmul_kernel[(1, 1)](left, right, part, M, N, K, *strides, BM=16, BN=16, BK=16)
    return {
        "matmul": result,
        "dtype": str(result.dtype),
        "kernel": out,
        "its first program": part,
    }


# --- E8 --------------------------------------------------------------------------------------------


@check(
    exercise="E8",
    points=3,
    trials=3,
    inputs=lambda rng, trial: {
        "x": floats(rng, (18, 5, 33)[trial], k := (20, 37, 16)[trial]),
        "w": floats(rng, k, n := (17, 30, 19)[trial]),
        "b": floats(rng, n),
    },
    tolerance=SINGLE,
    hint="Bias and ReLU once, after the sum over all of K.",
)
def fused_layer(lab, x, w, b):
    """A layer through your function, and through your kernel among marks."""
    (M, K), N = x.shape, w.shape[1]
    room = torch.full((N + 64,), float("nan"))
    room[:N] = b
    marks, part = torch.full((M + 20, N + 40), -7.0), torch.full((M + 20, N + 40), -7.0)
    strides = K, 1, N, 1, 1, N + 40, 1
    for out, grid in ((marks, (-(-M // 16), -(-N // 16))), (part, (1, 1))):
        lab.linear_relu_kernel[grid](x, w, room, out, M, N, K, *strides, BM=16, BN=16, BK=16)
    found = {"kernel among marks": marks, "its first program": part}
    if (marks[M:] == -7).all() and (marks[:, N:] == -7).all():
        found["fused_linear_relu"] = lab.fused_linear_relu(x, w, room[:N])
    return found


@check(
    exercise="E8",
    points=2,
    trials=2,
    hidden=True,
    inputs=lambda rng, trial: {
        "x": floats(rng, (6, 35)[trial], k := (40, 3)[trial], dtype=torch.float16),
        "w": floats(rng, k, n := (34, 9)[trial], dtype=torch.float16),
        "b": floats(rng, 2 * n, dtype=torch.float16),
    },
    tolerance=HALF,
    hint="Half precision, transposed weights, a bias with stride 2.",
)
def fused_layers_of_any_layout(lab, x, w, b):
    """Half precision, transposed weights and a strided bias."""
    (M, K), N = x.shape, w.shape[1]
    turned, bias = w.T.contiguous().T, b[::2]
    out = torch.full((M + 17, N + 5), -7.0)
    strides = K, 1, *turned.stride(), 2, N + 5, 1
    grid = -(-M // 16), -(-N // 16)
    lab.linear_relu_kernel[grid](x, turned, bias, out, M, N, K, *strides, BM=16, BN=16, BK=32)
    part = torch.full((M + 17, N + 5), -7.0)
    lab.linear_relu_kernel[(1, 1)](x, turned, bias, part, M, N, K, *strides, BM=2, BN=4, BK=32)
    return {
        "fused_linear_relu": lab.fused_linear_relu(x, turned, bias),
        "kernel": out,
        "its first program": part,
    }
