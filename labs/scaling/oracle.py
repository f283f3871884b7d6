"""Holds the reference against published numbers, torch's own counter, scipy and brute force."""

import numpy as np

NEEDS_TORCH = ("operations_against_torchs_counter", "parameters_against_torch_modules")
NEEDS = {
    "parameters_against_transformers": ("torch", "transformers"),
    "fit_against_scipy": ("scipy",),
}


def model(lab, **changed):
    fields = {"L": 2, "D": 12, "Hq": 4, "Hkv": 2, "Dh": 5, "F": 20, "V": 31, "S": 16}
    switches = {"mlp": "relu", "tied": False, "bias": False, "learned_pos": False}
    return lab.Cfg(**(fields | switches | changed))


def published_parameter_counts(lab, rng):
    """GPT-2, GPT-2 XL and Llama 7B, as their configurations give them."""
    assert lab.n_params(lab.GPT2)["total"] == 124_439_808
    xl = dict(vars(lab.GPT2)) | {"L": 48, "D": 1600, "Hq": 25, "Hkv": 25, "F": 6400}
    assert lab.n_params(lab.Cfg(**xl))["total"] == 1_557_611_200
    assert lab.n_params(lab.LLAMA_7B)["total"] == 6_738_415_616


def parameters_against_torch_modules(lab, rng):
    """A model of torch's own linear layers, counted by summing over its tensors."""
    import torch

    for bias in (False, True):
        for kind in ("relu", "swiglu"):
            c = model(lab, bias=bias, mlp=kind, Hq=int(rng.integers(1, 3)) * 2, tied=bias)

            def linear(before, after, bias=bias):
                return torch.nn.Linear(before, after, bias=bias, device="meta")

            layer = [
                linear(c.D, c.Hq * c.Dh),
                linear(c.D, c.Hkv * c.Dh),
                linear(c.D, c.Hkv * c.Dh),
                linear(c.Hq * c.Dh, c.D),
                linear(c.D, c.F),
                linear(c.F, c.D),
                *([linear(c.D, c.F)] if kind == "swiglu" else []),
                torch.nn.LayerNorm(c.D, bias=bias, device="meta"),
                torch.nn.LayerNorm(c.D, bias=bias, device="meta"),
            ]
            count = c.L * sum(p.numel() for module in layer for p in module.parameters())
            count += c.V * c.D * (1 if c.tied else 2) + c.D * (2 if bias else 1)
            assert lab.n_params(c)["total"] == count


def parameters_against_transformers(lab, rng):
    """Random small configurations of the two families, built by Hugging Face on the meta device."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    heads = int(rng.integers(1, 4))
    gpt = GPT2Config(
        n_layer=int(rng.integers(1, 4)),
        n_embd=8 * heads,
        n_head=heads,
        n_positions=32,
        vocab_size=97,
        bos_token_id=0,
        eos_token_id=0,
    )
    with torch.device("meta"):
        counted = sum(p.numel() for p in GPT2LMHeadModel(gpt).parameters())
    c = model(lab, L=gpt.n_layer, D=gpt.n_embd, Hq=heads, Hkv=heads, Dh=8, F=4 * gpt.n_embd, V=97)
    c.S, c.tied, c.bias, c.learned_pos = 32, True, True, True
    assert lab.n_params(c)["total"] == counted

    llama = LlamaConfig(
        num_hidden_layers=int(rng.integers(1, 4)),
        hidden_size=24,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=6,
        intermediate_size=int(rng.integers(8, 60)),
        vocab_size=101,
        tie_word_embeddings=False,
    )
    with torch.device("meta"):
        counted = sum(p.numel() for p in LlamaForCausalLM(llama).parameters())
    c = model(lab, L=llama.num_hidden_layers, D=24, Hq=4, Hkv=2, Dh=6, F=llama.intermediate_size)
    c.V, c.mlp = 101, "swiglu"
    assert lab.n_params(c)["total"] == counted


def operations_against_torchs_counter(lab, rng):
    """FlopCounterMode watches a forward and a backward pass that know no formula."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    c = model(lab, mlp="swiglu", L=2, Hq=4, Hkv=4)
    B, S = int(rng.integers(1, 4)), int(rng.integers(2, 9))
    w = {
        name: torch.randn(shape, requires_grad=True)
        for name, shape in {
            "q": (c.D, c.Hq * c.Dh),
            "k": (c.D, c.Hkv * c.Dh),
            "v": (c.D, c.Hkv * c.Dh),
            "o": (c.Hq * c.Dh, c.D),
            "gate": (c.D, c.F),
            "up": (c.D, c.F),
            "down": (c.F, c.D),
            "head": (c.D, c.V),
        }.items()
    }

    def forward(x):
        for _ in range(c.L):
            q, k, v = (
                (x @ w[name]).view(B, S, -1, c.Dh).transpose(1, 2) for name in ("q", "k", "v")
            )
            mixed = (q @ k.transpose(2, 3)).softmax(-1) @ v
            x = x + mixed.transpose(1, 2).reshape(B, S, -1) @ w["o"]
            x = x + (torch.nn.functional.silu(x @ w["gate"]) * (x @ w["up"])) @ w["down"]
        return x @ w["head"]

    with FlopCounterMode(display=False) as counter:
        loss = forward(torch.randn(B, S, c.D, requires_grad=True)).sum()
    assert counter.get_total_flops() == lab.forward_flops(c, B, S)["total"]
    with FlopCounterMode(display=False) as counter:
        loss.backward()
    assert 3 * lab.forward_flops(c, B, S)["total"] == lab.train_flops(c, B, S)
    assert counter.get_total_flops() == 2 * lab.forward_flops(c, B, S)["total"]


def causal_pairs_counted_one_by_one(lab, rng):
    S = int(rng.integers(1, 30))
    pairs = sum(1 for query in range(S) for key in range(S) if key <= query)
    full, causal = (lab.forward_flops(model(lab), 3, S, causal=flag) for flag in (False, True))
    assert causal["scores"] * S * S == full["scores"] * pairs
    assert causal["mlp"] == full["mlp"]


def published_activation_terms(lab, rng):
    """5as/h is 80 for GPT-3 and 64 for MT-NLG (Korthikanti et al. 2022, section 4)."""
    for heads, width, term in ((96, 12288, 80), (128, 20480, 64)):
        unit = 2048 * width
        with_scores = lab.activation_bytes(2048, 1, width, heads)
        without = lab.activation_bytes(2048, 1, width, heads, recompute="selective")
        assert round((with_scores - without) / unit, 9) == term
        assert without == 34 * unit


def training_state_of_the_zero_paper(lab, rng):
    """16 bytes for each parameter: 120 GB for 7.5 billion (Rajbhandari et al. 2020)."""
    assert lab.state_bytes(7_500_000_000, "mixed_adam")["total"] == 120_000_000_000


def the_lectures_run(lab, rng):
    """0.6605 million tokens a second on 256 A100s: 34.7 % and 63.1 hours (Lecture 6)."""
    reached = lab.mfu(7e9, 0.6605e6, 256, 312e12)
    assert round(reached, 3) == 0.347
    assert round(24 * lab.days(7e9, 150e9, 256, 312e12, reached), 1) == 63.1
    # Narayanan et al. 2021, section 5.1: with a recomputed forward pass 8 in place of 6, 34 days.
    assert round(8 / 6 * lab.days(175e9, 300e9, 1024, 312e12, 140 / 312), 1) == 33.9


def speed_ups_by_a_clock(lab, rng):
    """Work of one unit on n processors, timed by adding up."""
    f, n = float(rng.uniform(0.05, 0.9)), int(rng.integers(2, 60))
    assert np.isclose(lab.amdahl(f, n), 1.0 / (f + sum([(1 - f) / n])))
    assert np.isclose(lab.gustafson(f, n), f + sum([1 - f] * n))


def homework_two(lab, rng):
    def sent(kind, degree):
        return lab.parallel_bytes(lab.HOMEWORK_2, 512, 1024, kind, degree, 32)

    assert sent("dp", 8) == {"all_reduce": 12_884_901_888}
    assert sent("pp", 8) == {"forward": 4_294_967_296, "backward": 4_294_967_296}
    assert sent("tp", 8) == {"all_reduce": 549_755_813_888}
    assert sent("fsdp", 8) == {"all_gather": 3_221_225_472, "reduce_scatter": 12_884_901_888}


def chinchillas_table(lab, rng):
    """Hoffmann et al. 2022, table 3: 6ND is the budget, within rounding."""
    for N, C, D in (
        (400e6, 1.92e19, 8.0e9),
        (1e9, 1.21e20, 20.2e9),
        (10e9, 1.23e22, 205.1e9),
        (67e9, 5.76e23, 1.5e12),
        (175e9, 3.85e24, 3.7e12),
        (1e12, 1.27e26, 21.2e12),
    ):
        assert 0.99 < lab.six_nd(N, D) / C < 1.06
        assert 19 < D / N < 23


def optimum_by_search(lab, rng):
    """The law evaluated on a fine grid of sizes, and the two published sets of constants."""
    fit = {
        "E": 1.7,
        "A": rng.uniform(200, 600),
        "B": rng.uniform(200, 2500),
        "alpha": rng.uniform(0.25, 0.5),
        "beta": rng.uniform(0.25, 0.5),
    }
    C = 10 ** rng.uniform(19, 25)
    N, D = lab.compute_optimal(C, fit)
    assert np.isclose(6 * N * D, C)
    sizes = N * np.exp(np.linspace(-1, 1, 20_001))
    loss = fit["A"] * sizes ** -fit["alpha"] + fit["B"] * (C / 6 / sizes) ** -fit["beta"]
    assert np.isclose(sizes[loss.argmin()], N, rtol=2e-4)
    for constants, billions, ratio in (
        ((406.4, 410.7, 0.34, 0.28), 32.2, 92.6),
        ((482.01, 2085.43, 0.3478, 0.3658), 72.2, 18.4),
    ):
        named = dict(zip(("A", "B", "alpha", "beta"), constants, strict=True)) | {"E": 1.7}
        N, D = lab.compute_optimal(5.76e23, named)
        assert round(N / 1e9, 1) == billions
        assert round(D / N, 1) == ratio


def valley_of_an_exact_parabola(lab, rng):
    bottom = rng.uniform(18, 26)
    x = bottom + rng.uniform(-2, 2, 7)
    assert np.isclose(
        lab.isoflop_optimum(np.exp(x), 2 + 0.1 * (x - bottom) ** 2), np.exp(bottom), rtol=1e-7
    )


def runs(rng, count=40):
    N, D = 10 ** rng.uniform(7.5, 10.3, count), 10 ** rng.uniform(9, 11.6, count)
    L = (1.8 + 480 * N**-0.348 + 2000 * D**-0.366) * np.exp(rng.normal(0, 2e-4, count))
    L[:3] *= 1.3
    return N, D, L


def gradient_by_complex_step(lab, rng):
    """The derivative of each run's prediction along the imaginary axis, without subtracting anything."""
    N, D, L = runs(rng)
    theta = np.array([6.2, 7.6, 0.59, 0.348, 0.366]) + rng.normal(0, 1e-3, 5)

    def predicted(t):
        a, b, e, alpha, beta = t
        return np.log(np.exp(a) * N**-alpha + np.exp(b) * D**-beta + np.exp(e))

    r = predicted(theta).real - np.log(L)
    w = np.where(np.abs(r) < 1e-3, r, 1e-3 * np.sign(r))
    step = 1e-30
    expected = [
        (w * (predicted(theta + 1j * step * np.eye(5)[k]).imag / step)).sum() for k in range(5)
    ]
    value, gradient = lab.objective(theta, N, D, L)
    assert np.allclose(gradient, expected, rtol=1e-9, atol=1e-15)
    huber = np.where(np.abs(r) < 1e-3, r * r / 2, 1e-3 * np.abs(r) - 5e-7)
    assert np.isclose(value, huber.sum(), rtol=1e-12)


def law_recovered_from_its_own_runs(lab, rng):
    """Constants known beforehand come back within 5 %, failed runs or not."""
    N, D, L = runs(rng, 200)
    starts = np.array([[5.0, 6.0, 0.4, 0.4, 0.4], [7.0, 8.0, 0.8, 0.3, 0.3]])
    found = lab.fit_parametric(N, D, L, starts)
    for name, true in {"E": 1.8, "alpha": 0.348, "beta": 0.366}.items():
        assert abs(found[name] / true - 1) < 0.05, (name, found)


def fit_against_scipy(lab, rng):
    """scipy's L-BFGS from the same start finds no lower point."""
    from scipy.optimize import minimize

    N, D, L = runs(rng, 60)
    start = np.array([5.0, 6.0, 0.4, 0.4, 0.4])
    theirs = minimize(
        lambda t: lab.objective(t, N, D, L), start, jac=True, options={"maxiter": 2000}
    )
    ours = lab.fit_parametric(N, D, L, [start])
    theta = [np.log(ours["A"]), np.log(ours["B"]), np.log(ours["E"]), ours["alpha"], ours["beta"]]
    assert lab.objective(theta, N, D, L)[0] <= theirs.fun * (1 + 1e-6)
