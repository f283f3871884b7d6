"""What only the GPU lab can say: the handout's numbers, mistakes that are not shipped, and a real GPU."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from grader.lint import Linter
from grader.protocol import Verdict
from labs.catalog import HOME
from tests.labs.conftest import LinterOf


@pytest.fixture(scope="module")
def gpu(linter_of: LinterOf) -> Linter:
    return linter_of("gpu")


# cell, what is replaced, by what, which checks must see it
MISTAKES = [
    ("roofline", "M * K + K * N + M * N", "M * K + K * N + M + N", {"intensities"}),
    ("roofline", "min(peak, ai * bw)", "min(peak, ai / bw)", {"bounds"}),
    ("quantisation", "math.ceil(blocks / wave)", "round(blocks / wave + 0.5)", {"ragged_grids"}),
    ("round-float", "np.rint(", "np.ceil(", {"rounding_to_nearest"}),
    ("round-float", "exponent - 1, 1 - bias", "exponent, 1 - bias", {"rounding_to_nearest"}),
    ("round-float", "1 - bias) -", "2 - bias) -", {"subnormals_and_overflow"}),
    (
        "round-float",
        "2**exponent_bits - 2 - bias",
        "2**exponent_bits - 1 - bias",
        {"named_formats"},
    ),
    (
        "dot-accumulate",
        "total + rounded(x * y, mul)",
        "total + rounded(x, mul) * y",
        {"accumulators"},
    ),
    ("grad-scaler", "self.value *= self.growth", "self.value += self.growth", {"loss_scaling"}),
    ("grad-scaler", "return False", "return True", {"loss_scaling"}),
    ("add", "x + y, mask", "x - y, mask", {"vector_addition"}),
    ("softmax", "tl.sum(powers, axis=0)", "(tl.sum(powers, axis=0) + 1e-3)", {"rows"}),
    ("softmax", "x - tl.max(x, axis=0)", "x - tl.min(x, axis=0)", {"rows", "extreme_rows"}),
    ("matmul", "tl.program_id(1) * BN", "tl.program_id(1) * BM", {"products_of_any_layout"}),
    ("matmul", "range(0, K, BK)", "range(0, K, 2 * BK)", {"products"}),
    ("matmul", " or b.dtype != a.dtype", "", {"half_precision_products"}),
    ("softmax", "block = triton.next_power_of_2(N)", "block = 64", {"extreme_rows"}),
    ("matmul", "rows * stride_cm + columns * stride_cn", "rows * N + columns", {"products"}),
    ("fused", "total + bias", "total - bias", {"fused_layer"}),
]


@pytest.mark.parametrize(("cell", "old", "new", "caught"), MISTAKES)
def test_a_mistake_that_is_not_shipped_is_caught_too(
    gpu: Linter, cell: str, old: str, new: str, caught: set[str]
) -> None:
    source = gpu.reference[cell]
    assert old in source
    report = gpu.grade(gpu.reference | {cell: source.replace(old, new)})
    failed = {r.check for r in report.results if r.verdict is Verdict.FAILED}
    assert caught <= failed


def test_formats_rounded_through_their_bits_score_in_full(gpu: Linter) -> None:
    """Another way: add half a unit (and the odd bit) to the float32's bits, and cut off."""
    source = """
def round_float(x, exponent_bits, mantissa_bits, has_inf=True):
    x = np.asarray(x, dtype=np.float32)
    out = np.empty(x.shape, np.float32)
    bias = 2 ** (exponent_bits - 1) - 1
    top = 2**exponent_bits - (2 if has_inf else 1) - bias
    largest = (2 - (1 if has_inf else 2) * 2.0**-mantissa_bits) * 2.0**top
    for index in np.ndindex(x.shape):
        value = float(x[index])
        if value != value or abs(value) == float("inf"):
            out[index] = value if has_inf or value != value else math.copysign(largest, value)
            continue
        if value == 0:
            out[index] = value
            continue
        exponent = max(math.frexp(abs(value))[1] - 1, 1 - bias)
        scaled = abs(value) * 2.0 ** (mantissa_bits - exponent)
        whole = int(scaled)
        rest = scaled - whole
        whole += rest > 0.5 or (rest == 0.5 and whole % 2 == 1)
        result = whole * 2.0 ** (exponent - mantissa_bits)
        if result > largest:
            result = float("inf") if has_inf else largest
        out[index] = math.copysign(result, value)
    return out
"""
    report = gpu.grade(gpu.reference | {"round-float": source})
    assert {r.check: r.message for r in report.results if r.verdict is not Verdict.PASSED} == {}


def test_the_numbers_of_the_handout_are_right(gpu: Linter) -> None:
    """Every worked example that the prose calculates by hand."""
    lab = gpu.referee.reference
    assert lab.wave_efficiency(12, 8, 1) == 0.75
    assert round(lab.tile_efficiency(100, 100, 64, 64), 2) == 0.61
    given = np.float32([1.0625, 1.1875, 2.0**-10, 464, 465])
    assert lab.round_e4m3(given).tolist() == [1.0, 1.25, 0.0, 448.0, 448.0]
    everything = np.float32([1e30])
    assert lab.round_e4m3(everything).tolist() == [448]
    assert lab.round_fp16(np.float32([65504, 65519, 65520])).tolist() == [65504, 65504, np.inf]
    assert f"{float(lab.round_bf16(np.float32([3.3895e38]))[0]):.2e}" == "3.39e+38"
    assert f"{2.0**-133:.1e}" == "9.2e-41"
    assert f"{2.0**-24:.1e}" == "6.0e-08"
    assert round(108 / 216 + 1 / 216, 2) == 0.50
    assert (512 * 4096 + 4096 * 1024 + 512 * 1024) * 2 == 13 * 2**20
    assert lab.round_fp16(np.array([2.0**-25, 2.0**-25 * 1.001], np.float32)).tolist() == [
        0,
        2.0**-24,
    ]
    scaler, values = lab.GradScaler(8.0, interval=2), []
    for grads in ([2.0, 4.0], [np.inf, 1.0], [1.0, 1.0], [1.0, 1.0]):
        held = {"w": np.array(grads)}
        scaler.unscale_(held)
        assert held["w"][1] == grads[1] / scaler.value
        scaler.step(TakesNoSteps(), held)
        scaler.update()
        values.append(scaler.value)
    assert values == [8, 4, 4, 8]


class TakesNoSteps:
    """An optimizer that takes no steps."""

    def step(self, grads: dict[str, Any]) -> None:
        """Nothing is changed."""


def test_a_dot_product_rounded_by_numpy_scores_in_full(gpu: Linter) -> None:
    """Rounded once from float64: what goes to fp16 by way of float32 is rounded twice."""
    source = """
def dot_accumulate(a, b, mul, acc):
    kinds = {"fp16": np.float16, "fp32": np.float32}
    total = 0.0
    for x, y in zip(a.astype(np.float64), b.astype(np.float64)):
        total = float(kinds[acc](total + float(kinds[mul](x * y))))
    return total
"""
    for seed in range(3):
        results = gpu.ask(gpu.reference | {"dot-accumulate": source}, {"accumulators"}, seed)
        assert results["accumulators"].verdict is Verdict.PASSED


def test_the_reference_s_kernels_have_sources_whatever_program_is_running(gpu: Linter) -> None:
    """triton.jit reads sources; without them it would take those of __main__, or none."""
    import inspect

    kernel = gpu.referee.reference.matmul_kernel
    assert "tl.dot" in inspect.getsource(getattr(kernel, "fn", kernel))


@pytest.mark.gpu
def test_the_kernels_compile_and_agree_on_a_real_gpu() -> None:
    """The notebook source, with its solutions, on the device: no interpreter in between."""
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no GPU here: torch.cuda.is_available() is False")
    program = f"""
import sys
from typing import Any
sys.path.insert(0, {str(HOME)!r})
scope = {{"__name__": "lab"}}
path = {str(HOME / "gpu" / "lab.py")!r}
exec(compile(open(path).read(), path, "exec"), scope)
import torch
torch.manual_seed(0)
for dtype, tolerance in ((torch.float32, 1e-4), (torch.float16, 2e-2)):
    a = torch.randn(129, 70, device="cuda").to(dtype)
    b = torch.randn(50, 70, device="cuda").to(dtype).T
    bias = torch.randn(50, device="cuda").to(dtype)
    for got, expected in (
        (scope["add"](a[:, 0], a[:, 3]), a[:, 0] + a[:, 3]),
        (scope["row_softmax"](a), a.double().softmax(-1)),
        (scope["matmul"](a, b), a.double() @ b.double()),
        (scope["fused_linear_relu"](a, b, bias), (a.double() @ b.double() + bias.double()).relu()),
    ):
        assert (got.double() - expected.double()).abs().max().item() < tolerance
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
