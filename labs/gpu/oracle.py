"""Holds the reference against NVIDIA's published numbers, torch's own conversions, and torch in float64."""

import numpy as np

NEEDS_TORCH = (
    "half_and_bfloat_against_torch",
    "eight_bits_against_torch",
    "kernels_against_torch",
    "fp16_sums_against_torch",
)


def published_intensities(lab, rng):
    """Homework 2, and the table of linear layers in NVIDIA's guide (Lecture 7)."""
    assert round(lab.gemm_intensity(4096, 4096, 4096), 1) == 1365.3
    assert round(lab.gemm_intensity(4096, 32, 4096), 2) == 31.51
    assert round(lab.gemm_intensity(32, 4096, 32), 2) == 15.94
    assert round(lab.gemm_intensity(512, 4096, 1024)) == 315
    assert round(lab.gemm_intensity(1, 4096, 1024), 1) == 1.0
    # Homework 3: the products of a layer, for a prompt of 4096 tokens and for one token.
    assert round(lab.gemm_intensity(4096, 128, 4096), 1) == 120.5
    assert round(lab.gemm_intensity(4096, 4096, 16384), 1) == 1820.4
    assert 0.99 < lab.gemm_intensity(1, 4096, 4096) < 1


def published_peaks(lab, rng):
    """A100: 311.9 and 155.9 TFLOP/s; ridges of A100 (80 GB) and V100."""
    assert round(lab.peak_flops(1.41e9, 108, 1024) / 1e12, 1) == 311.9
    assert round(lab.peak_flops(1.41e9, 108, 512) / 1e12, 1) == 155.9
    assert round(lab.intensity(312e12, 2.039e12)) == 153
    assert round(lab.intensity(125e12, 0.9e12)) == 139


def roofline_is_the_better_of_two_bounds(lab, rng):
    peak, bw, flops, moved = rng.uniform(1, 100, 4)
    seconds, bound = lab.time_and_bound(flops, moved, peak, bw)
    assert np.isclose(flops / seconds, lab.attainable(flops / moved, peak, bw))
    assert bound == ("math" if flops / moved >= peak / bw else "memory")


def waves_counted_one_by_one(lab, rng):
    sms, each, blocks = (int(rng.integers(1, 20)) for _ in range(3))
    waves, left = 0, blocks
    while left > 0:
        waves, left = waves + 1, left - sms * each
    assert np.isclose(lab.wave_efficiency(blocks, sms, each), blocks / (waves * sms * each))
    assert lab.wave_efficiency(12, 8, 1) == 0.75
    M, N, tm, tn = (int(rng.integers(1, 40)) for _ in range(4))
    covered = len(range(0, M, tm)) * tm * len(range(0, N, tn)) * tn
    assert np.isclose(lab.tile_efficiency(M, N, tm, tn), M * N / covered)


def same_bits(got, expected):
    got, expected = np.asarray(got, np.float32), np.asarray(expected, np.float32)
    nan = np.isnan(expected)
    assert (np.isnan(got) == nan).all()
    assert (got.view(np.uint32)[~nan] == expected.view(np.uint32)[~nan]).all()


def patterns(rng, count=100_000):
    """float32 numbers of every exponent, and their neighbours half-way between short mantissas."""
    bits = rng.integers(0, 2**32, count, dtype=np.uint32)
    bits[: count // 2] &= np.uint32(0xFFFFF000)
    return np.concatenate([bits.view(np.float32), np.float32([0.0, -0.0, np.inf, -np.inf, np.nan])])


def half_and_bfloat_against_torch(lab, rng):
    """Random numbers and all 65 536 patterns of either format, which must stay what they are."""
    import torch

    x = patterns(rng)
    for ours, dtype in ((lab.round_fp16, torch.float16), (lab.round_bf16, torch.bfloat16)):
        same_bits(ours(x), torch.from_numpy(x).to(dtype).to(torch.float32).numpy())
        every = np.arange(65536, dtype=np.uint16).view(np.int16)
        own = torch.from_numpy(every).view(dtype).to(torch.float32).numpy()
        same_bits(ours(own), own)


def eight_bits_against_torch(lab, rng):
    import torch

    x = patterns(rng)
    x = np.concatenate(
        [x, rng.uniform(-520, 520, 50_000).astype(np.float32), np.float32([464, 465])]
    )
    same_bits(lab.round_e4m3(x), torch.from_numpy(x).to(torch.float8_e4m3fn).float().numpy())
    same_bits(lab.round_float(x, 5, 2), torch.from_numpy(x).to(torch.float8_e5m2).float().numpy())


def formats_against_all_of_their_numbers(lab, rng):
    """Every number of a small format written out; the nearest of them, ties to an even fraction."""
    E, M = int(rng.integers(2, 6)), int(rng.integers(1, 5))
    bias, top = 2 ** (E - 1) - 1, 2**E - 1
    values, even = [], []
    for k in range(top):
        for f in range(2**M):
            values.append((f / 2**M if k == 0 else 1 + f / 2**M) * 2.0 ** (max(k, 1) - bias))
            even.append(f % 2 == 0)
    values.append(2 * 2.0 ** (top - 1 - bias))  # where infinity begins
    even.append(True)
    values, even = np.array(values), np.array(even)
    x = np.concatenate([rng.uniform(0, values[-1], 300), (values[1:] + values[:-1]) / 2])
    x = x.astype(np.float32)
    x = x[x.astype(np.float64) <= values[-1]]
    chosen = []
    for value in x.astype(np.float64):
        distance = np.abs(values - value)
        nearest = np.flatnonzero(distance == distance.min())
        chosen.append(max((int(i) for i in nearest), key=lambda i: even[i]))
    chosen = np.array(chosen)
    expected = values[chosen]
    expected[chosen == len(values) - 1] = np.inf
    same_bits(lab.round_float(x, E, M), expected)
    same_bits(lab.round_float(-x, E, M), -expected)


def fp16_sums_against_torch(lab, rng):
    """A running sum of half-precision tensors, element by element."""
    import torch

    a = torch.from_numpy(rng.uniform(-1, 2, 60).astype(np.float32)).half()
    b = torch.from_numpy(rng.uniform(-1, 2, 60).astype(np.float32)).half()
    total = torch.zeros((), dtype=torch.float16)
    for x, y in zip(a, b, strict=True):
        total = total + x * y
    got = lab.dot_accumulate(a.float().numpy(), b.float().numpy(), "fp16", "fp16")
    assert got == total.item()
    ones = np.ones(4096, np.float32)
    assert lab.dot_accumulate(ones, ones, "fp16", "fp16") == 2048
    assert lab.dot_accumulate(ones, ones, "fp16", "fp32") == 4096


def kernels_against_torch(lab, rng):
    import torch

    M, K, N = (int(rng.integers(1, 40)) for _ in range(3))
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float16, 2e-3)):
        a = torch.from_numpy(rng.normal(size=(M, K))).to(dtype)
        b = torch.from_numpy(rng.normal(size=(N, K))).to(dtype).T
        bias = torch.from_numpy(rng.normal(size=N)).to(dtype)
        product = a.double() @ b.double()
        scale = max(1.0, product.abs().max().item())
        assert ((lab.matmul(a, b).double() - product).abs().max() / scale).item() < tolerance
        layer = (product + bias.double()).relu()
        fused = lab.fused_linear_relu(a, b, bias)
        assert ((fused.double() - layer).abs().max() / scale).item() < tolerance
        expected = a.double().softmax(-1)
        assert (lab.row_softmax(a).double() - expected).abs().max().item() < tolerance
        assert torch.equal(lab.add(a[:, 0], a[:, -1]), a[:, 0] + a[:, -1])


def loss_scaling_by_hand(lab, rng):
    scaler = lab.GradScaler(init=8.0, interval=2)
    seen = []

    class Optimizer:
        def step(self, grads):
            seen.append(float(grads["w"][0]))

    def run(value):
        taken = scaler.step(Optimizer(), {"w": np.array([value])})
        scaler.update()
        return taken, scaler.value

    assert [run(v) for v in (16.0, 16.0, np.inf, np.nan, 8.0, 8.0)] == [
        (True, 8.0),
        (True, 16.0),
        (False, 8.0),
        (False, 4.0),
        (True, 4.0),
        (True, 8.0),
    ]
    assert seen == [2.0, 2.0, 2.0, 2.0]
