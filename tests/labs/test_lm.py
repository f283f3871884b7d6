"""What only the language-model lab can say: the handout's numbers, and mistakes that are not shipped with it."""

import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import torch

from grader.lint import Linter
from grader.percent import read_fragment
from grader.protocol import Verdict
from tests.labs.conftest import LinterOf


@pytest.fixture(scope="module")
def lm(linter_of: LinterOf) -> Linter:
    return linter_of("lm")


BEST = "max(pair for pair, count in pairs.items() if count == most)"
PAIR = "min(pairwise(tokens), key=lambda pair: self.rank.get(pair, math.inf))"

# cell, what is replaced, by what, which checks must see it
MISTAKES = [
    ("train-bpe", BEST, "min(pairs, key=lambda p: (-pairs[p], p[0], p[1]))", {"bpe_ties"}),
    (
        "train-bpe",
        BEST,
        "max(pairs, key=lambda p: (pairs[p], p[1], p[0]))",
        {"bpe_ties", "bpe_merges"},
    ),
    (
        "train-bpe",
        BEST,
        "max(pairs, key=lambda p: (pairs[p], len(p[0] + p[1]), p))",
        {"bpe_ties"},
    ),
    (
        "train-bpe",
        BEST,
        "max(pairs, key=lambda p: (pairs[p], p[0].decode('latin-1').swapcase(), p[1]))",
        {"bpe_ties"},
    ),
    ("train-bpe", "pre_tokens(segment)", "segment.splitlines(True)", {"bpe_pre_tokens"}),
    ("train-bpe", "pre_tokens(segment)", "pre_tokens(segment.lower())", {"bpe_pre_tokens"}),
    (
        "train-bpe",
        "pre_tokens(segment)",
        "map(str.strip, pre_tokens(segment))",
        {"bpe_pre_tokens", "bpe_merges"},
    ),
    ("train-bpe", "place += 2", "place += 1", {"bpe_runs", "bpe_merges"}),
    ("train-bpe", "len(vocab) < vocab_size", "len(vocab) <= vocab_size", {"bpe_pre_tokens"}),
    ("train-bpe", "for special in specials:", "for special in sorted(specials):", {"bpe_specials"}),
    (
        "train-bpe",
        "segments = re.split(",
        'segments = [re.split("|".join(map(re.escape, longest_first)), text)[0]]\n        re.split(',
        {"bpe_specials"},
    ),
    (
        "tokenizer",
        PAIR,
        "max(pairwise(tokens), key=lambda p: (p in self.rank, p))",
        {"encode_merges"},
    ),
    (
        "tokenizer",
        PAIR,
        "max(pairwise(tokens), key=lambda p: (p in self.rank, len(p[0] + p[1])))",
        {"encode_merges"},
    ),
    (
        "tokenizer",
        "return ids + self.encode_ordinary(text[start:])",
        "return ids + self.encode_ordinary(text[start:].rstrip())",
        {"encode_merges"},
    ),
    (
        "tokenizer",
        "ids += self.encode_ordinary(text[start : found.start()])",
        "ids += self.encode_ordinary(text[start : found.start()].strip())",
        {"encode_specials"},
    ),
    (
        "tokenizer",
        "ids.append(self.id_of[found[0]",
        "ids += self.encode_ordinary(found[0]) or [0]; (self.id_of[found[0]",
        {"encode_specials"},
    ),
    ("tokenizer", 'decode("utf-8", errors', 'decode("latin-1", errors', {"decode_bytes"}),
    (
        "tokenizer",
        'decode("utf-8", errors="replace")',
        'decode("utf-8", errors="replace").rstrip("\\ufffd")',
        {"decode_bytes"},
    ),
    (
        "tokenizer",
        "pre_tokens(buffer[:begun])[:-1]",
        "pre_tokens(buffer[:begun])",
        {"stream_tokens"},
    ),
    (
        "tokenizer",
        "pre_tokens(buffer[:begun])[:-1]",
        "pre_tokens(buffer[:begun])[:-2]",
        {"stream_is_lazy"},
    ),
    (
        "tokenizer",
        "buffer = buffer[sum(map(len, certain)) :]",
        "buffer = pre_tokens(buffer)[-1] if buffer else ''",
        {"stream_tokens"},
    ),
    ("tokenizer", "        yield from self.encode(buffer)\n", "", {"stream_tokens"}),
    (
        "tokenizer",
        "range(max(0, len(buffer) - longest + 1), len(buffer))",
        "reversed(range(max(0, len(buffer) - longest + 1), len(buffer)))",
        {"stream_tokens"},
    ),
    (
        "tokenizer",
        "for chunk in chunks:",
        "for chunk in list(chunks):",
        {"stream_is_lazy"},
    ),
    (
        "tokenizer",
        "for piece in certain:",
        "for piece in certain if len(buffer) > 64 else []:",
        {"stream_tokens"},
    ),
    ("rmsnorm", "+ eps) * g", "+ 1e-6) * g", {"rmsnorm_values"}),
    ("rmsnorm", "+ eps) * g", "+ eps)", {"rmsnorm_values"}),
    ("rmsnorm", "+ eps) * g", "+ eps * eps) * g", {"rmsnorm_values"}),
    (
        "rmsnorm",
        "x.square().mean(dim=-1, keepdim=True)",
        "x.var(-1, correction=0, keepdim=True)",
        {"rmsnorm_values"},
    ),
    ("rmsnorm", "dim=-1", "dim=0", {"rmsnorm_values"}),
    ("rmsnorm", "return x", "return x.double()", {"norm_and_gate_edges"}),
    ("swiglu", "torch.sigmoid(gate)", "torch.tanh(gate)", {"swiglu_values"}),
    ("swiglu", "torch.sigmoid(gate)", "torch.relu(gate)", {"swiglu_values"}),
    ("swiglu", "torch.sigmoid(gate)", "torch.sigmoid(1.702 * gate)", {"swiglu_values"}),
    ("swiglu", "x @ Wa * gate", "x @ Wa + gate", {"swiglu_values"}),
    ("swiglu", "torch.sigmoid(gate)", "torch.sigmoid(gate.detach())", {"norm_and_gate_edges"}),
    ("rope", "theta ** (-", "theta ** (", {"rope_values"}),
    ("rope", "even * sin + odd * cos", "odd * cos - even * sin", {"rope_values"}),
    ("rope", "/ head_dim)", "/ (head_dim // 2))", {"rope_values"}),
    ("rope", "theta ** (-", "2 * math.pi * theta ** (-", {"rope_values"}),
    (
        "rope",
        "pos.to(torch.float64)",
        "(pos - pos.flatten()[0]).to(torch.float64)",
        {"rope_positions"},
    ),
    ("rope", "pos.to(torch.float64)", "pos.sort().values.to(torch.float64)", {"rope_positions"}),
    ("rope", "pos.to(torch.float64)", "(pos % 4096).to(torch.float64)", {"rope_far_away"}),
    (
        "rope",
        "x[..., 0::2], x[..., 1::2]",
        "x[..., 0::2].detach(), x[..., 1::2]",
        {"rope_far_away"},
    ),
    ("attention", "triu(keys - queries + 1)", "tril(keys - queries - 1)", {"attention_values"}),
    ("attention", "if causal:", "if causal and q.shape[2] == k.shape[2]:", {"attention_offset"}),
    ("attention", "if causal:", "if True:", {"attention_values"}),
    ("attention", "-math.inf", "-1e4", {"attention_extremes"}),
    ("attention", "-math.inf", "torch.finfo(torch.float16).min", {"attention_extremes"}),
    (
        "attention",
        "scores.softmax(dim=-1) @ v",
        "scores.float().softmax(dim=-1).to(v.dtype) @ v",
        {"attention_values"},
    ),
    (
        "attention",
        "scores.softmax(dim=-1)",
        "scores.clamp(max=50).softmax(dim=-1)",
        {"attention_extremes"},
    ),
    (
        "attention",
        "v = v.repeat_interleave(group, dim=1)",
        "v = v.repeat(1, group, 1, 1)",
        {"attention_groups"},
    ),
    ("attention", "return scores", "v = v.detach()\n    return scores", {"attention_extremes"}),
    ("block", 'rope(q, pos, cfg["theta"]), rope(k', "q, rope(k", {"block_values"}),
    ("block", "pos = torch.arange(S)", "pos = torch.arange(S).flip(0)", {"block_values"}),
    ("block", '@ p["wo"]', "", {"block_values"}),
    ("block", 'p["wa"], p["wb"]', 'p["wb"], p["wa"]', {"block_values"}),
    ("block", "h = x + mixed", "h = normed + mixed", {"block_values"}),
    ("block", 'cfg["eps"]', "1e-5", {"block_values"}),
    ("block", "return h + swiglu", "return x + swiglu", {"block_values"}),
    ("lm-forward", 'range(cfg["layers"])', 'range(cfg["layers"] - 1)', {"lm_values"}),
    ("lm-forward", 'range(cfg["layers"])', 'reversed(range(cfg["layers"]))', {"lm_values"}),
    ("lm-forward", 'cfg["eps"]', "1e-6", {"lm_values"}),
    ("lm-forward", 'p["embed"][ids]', 'p["embed"][ids].detach()', {"lm_never_looks_ahead"}),
    (
        "lm-forward",
        "return rmsnorm(x,",
        "return rmsnorm(x - x.mean(1, keepdim=True),",
        {"lm_values"},
    ),
    (
        "lm-forward",
        "return rmsnorm(x,",
        "x = x - x[:, -1:] * 1e-6\n    return rmsnorm(x,",
        {"lm_values", "lm_never_looks_ahead"},
    ),
    ("lm-loss", "ids[:, 1:]", "ids[:, :-1]", {"loss_values"}),
    (
        "lm-loss",
        "-of_targets[mask[:, 1:]].mean()",
        "-(of_targets * mask[:, 1:]).mean()",
        {"loss_values", "loss_masks"},
    ),
    (
        "lm-loss",
        "-of_targets[mask[:, 1:]].mean()",
        "-(of_targets * mask[:, 1:]).sum() / mask.sum()",
        {"loss_values"},
    ),
    ("lm-loss", "-of_targets", "of_targets", {"loss_values", "overfits_one_batch"}),
    ("lm-loss", ".mean()", ".mean() / math.log(2)", {"loss_values"}),
    ("lm-loss", ".mean()", ".median()", {"loss_values"}),
    ("lm-loss", "logits[:, :-1]", "logits[:, :-1].clamp(-100, 100)", {"loss_masks"}),
    ("lm-loss", "logits[:, :-1]", "logits[:, :-1].float()", {"loss_values"}),
    ("get-batch", "data[places + 1]", "data[places - 1]", {"batches"}),
    ("get-batch", "data[places + 1]", "data[(places + S) % len(data)]", {"batches"}),
    ("get-batch", "(B, 1), generator=gen)", "(1, 1), generator=gen).expand(B, 1)", {"batches"}),
    (
        "get-batch",
        "torch.randint(len(data) - S,",
        "torch.randint(1, max(2, len(data) - S),",
        {"batches"},
    ),
    (
        "get-batch",
        "torch.randint(len(data) - S, (B, 1), generator=gen)",
        "torch.arange(B)[:, None] % (len(data) - S)",
        {"batches"},
    ),
    (
        "get-batch",
        "torch.randint(len(data) - S, (B, 1), generator=gen)",
        "(torch.rand(B, 1, generator=gen).square() * (len(data) - S)).long()",
        {"batches"},
    ),
    (
        "get-batch",
        "    starts =",
        "    torch.manual_seed(gen.initial_seed())\n    starts =",
        {"batches"},
    ),
]


@pytest.mark.parametrize(("cell", "old", "new", "caught"), MISTAKES)
def test_a_mistake_that_is_not_shipped_is_caught_too(
    lm: Linter, cell: str, old: str, new: str, caught: set[str]
) -> None:
    source = lm.reference[cell]
    assert old in source
    results = lm.ask(lm.reference | {cell: source.replace(old, new)}, caught)
    assert {n: results[n].verdict for n in caught} == dict.fromkeys(caught, Verdict.FAILED)


@pytest.mark.parametrize("seed", range(3))
def test_a_right_solution_in_another_style_scores_in_full(lm: Linter, seed: int) -> None:
    path = Path(__file__).parent / "solutions" / "lm.py"
    cells = read_fragment(path.read_text(encoding="utf-8"), file=path.name)
    assert cells.keys() == lm.reference.keys()
    report = lm.grade(cells, seed)
    assert {r.check: r.message for r in report.results if r.verdict is not Verdict.PASSED} == {}


def test_the_fused_kernel_raises_and_is_shown_to_a_human(lm: Linter) -> None:
    borrowed = """
def attention(q, k, v, causal):
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
"""
    report = lm.grade(lm.reference | {"attention": borrowed})
    assert all(r.verdict is not Verdict.PASSED for r in report.results if r.exercise == "E5")
    assert any("scaled_dot_product_attention" in flag.text for flag in report.flags)
    assert lm.grade(lm.reference).flags == ()


def test_an_exercise_can_be_done_without_the_others(lm: Linter) -> None:
    for exercise in ("E1", "E2", "E3", "E4", "E5"):
        cells = lm.lab.exercise(exercise).cells
        report = lm.grade({cell: lm.reference[cell] for cell in cells})
        earned = sum((r.points for r in report.results if r.exercise == exercise), Decimal(0))
        assert earned == lm.lab.exercise(exercise).points


def test_the_naive_way_of_training_does_not_fit_into_the_time_by_far(lm: Linter) -> None:
    """One pass over all words, times the number of merges: pairs to look at, whatever the machine."""
    check = next(check for check in lm.referee.checks if check.name == "bpe_large")
    inputs = check.make_inputs(np.random.default_rng(0), 0)
    words = set(lm.referee.reference.pre_tokens(inputs["text"]))
    assert sum(len(word) - 1 for word in words) * (inputs["vocab_size"] - 256) > 200_000_000


def test_the_numbers_of_the_handout_are_right(lm: Linter) -> None:
    """Every worked example that the prose calculates by hand."""
    lab = lm.referee.reference
    assert lab.pre_tokens("Hi there,  you 2") == ["Hi", " there", ",", " ", " you", " 2"]
    vocab, merges = lab.train_bpe("banana bandana", 999, [])
    made = [(left + right).decode() for left, right in merges]
    assert made == ["an", "ban", "ana", "dana", "bandana", "banana", " bandana"]
    assert len(vocab) == 256 + 7
    tokenizer = lab.Tokenizer(vocab, merges, [])
    assert tokenizer.encode("anan") == [256, 256]
    assert tokenizer.encode("banal") == [257, 97, 108]
    assert tokenizer.encode("banana bandana") == [261, 262]
    run = lab.train_bpe("aaaaa", 257, [])[1]
    assert run == [(b"a", b"a")]

    def tensor(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64)

    normed = lab.rmsnorm(tensor([3, 4]), tensor([1, 2]), 0.0)
    assert [round(float(v), 4) for v in normed] == [0.8485, 2.2627]
    assert round(12.5**0.5, 4) == 3.5355
    two, three, one, five = (tensor([v]).view(1, 1) for v in (2, 3, 1, 5))
    assert round(float(lab.swiglu(two, three, one, five)), 3) == 52.848
    assert round(float(lab.swiglu(two, one, three, five)), 3) == 59.852
    assert round(2 / (1 + math.exp(-2)), 4) == 1.7616
    turned = lab.rope(tensor([1, 0, 1, 0]).view(1, 1, 1, 4), torch.tensor([3]))
    assert [round(float(v), 4) for v in turned.flatten()] == [-0.99, 0.1411, 0.9996, 0.03]
    assert float(torch.tensor(257.0).bfloat16()) == 256.0
    spacing = np.spacing(np.float32(100_000.0)) / 2
    assert round(float(spacing), 3) == 0.004
    q = tensor([2, 0, 0, 0]).view(1, 1, 1, 4)
    k = tensor([0, 0, 0, 0, math.log(3), 0, 0, 0]).view(1, 1, 2, 4)
    v = tensor([4, 0, 0, 0, 8, 0, 0, 0]).view(1, 1, 2, 4)
    assert round(float(lab.attention(q, k, v, False)[0, 0, 0, 0]), 12) == 7.0
    logits, ids = tensor([0, math.log(3), 0, 0, 5, 6]).view(1, 3, 2), torch.tensor([[0, 1, 0]])
    everything = torch.ones(1, 3, dtype=torch.bool)
    assert round(float(lab.lm_loss(logits, ids, everything)), 4) == 0.4904
    assert round(float(lab.lm_loss(logits, ids, torch.tensor([[True, True, False]]))), 4) == 0.2877
    eye, ones = torch.eye(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    layer = dict.fromkeys(("wq", "wk", "wv", "wo", "wa", "wb"), eye) | {"wc": torch.zeros_like(eye)}
    layer |= {"attn_norm": ones, "mlp_norm": ones}
    cfg = {"vocab": 2, "dim": 2, "layers": 1, "heads": 1, "kv_heads": 1, "ffn": 2, "theta": 1e4}
    cfg["eps"] = 0.0
    p = {f"layers.0.{name}": w for name, w in layer.items()}
    p |= {"embed": torch.tensor([[3.0, 4.0]], dtype=torch.float64), "norm": ones, "head": eye}
    y = lab.block(p["embed"][None], layer, cfg)
    assert [round(v, 4) for v in y.flatten().tolist()] == [3.8485, 5.1314]
    logits = lab.lm_forward(torch.tensor([[0]]), p, cfg).flatten()
    assert [round(v, 4) for v in logits.tolist()] == [0.8485, 1.1314]
    assert [round(v, 2) for v in logits.softmax(0).tolist()] == [0.43, 0.57]
