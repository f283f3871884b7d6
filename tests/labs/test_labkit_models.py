"""TinyLM, tokenizers, scripts and tracers of labkit, each against something that knows nothing of it."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "labs"))
import labkit


def test_the_same_seed_gives_the_same_model() -> None:
    ids = torch.tensor([[1, 5, 9, 2]])
    first, again, other = (labkit.TinyLM(seed).forward(ids) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert first.shape == (1, 4, 64)


def test_attention_agrees_with_torchs_own() -> None:
    model = labkit.TinyLM(1)
    x = torch.randn(2, 7, 32, dtype=torch.float64)
    q, k, v = model.qkv(0, x, torch.arange(7).expand(2, 7))
    causal = torch.ones(7, 7, dtype=torch.bool).tril()
    expected = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, is_causal=True, enable_gqa=True
    )
    torch.testing.assert_close(model.attend(q, k, v, causal), expected)


def test_a_cache_of_keys_and_values_gives_the_same_logits_as_none() -> None:
    model, ids = labkit.TinyLM(2), torch.tensor([[3, 1, 4, 1, 5, 9]])
    caches: list[list[torch.Tensor]] = [[], []]
    for position in range(6):
        x = model.embed(ids[:, position : position + 1])
        for layer in range(model.layers):
            q, k, v = model.qkv(layer, x, torch.tensor([[position]]))
            if caches[layer]:
                k = torch.cat((caches[layer][0], k), dim=2)
                v = torch.cat((caches[layer][1], v), dim=2)
            caches[layer] = [k, v]
            seen = torch.ones(1, position + 1, dtype=torch.bool)
            x = x + model.project(layer, model.attend(q, k, v, seen))
            x = x + model.mlp(layer, x)
        torch.testing.assert_close(model.logits(x)[:, 0], model.forward(ids)[:, position])


def test_rotated_products_depend_on_distance_alone() -> None:
    model = labkit.TinyLM(0)
    a, b = torch.randn(2, 1, 1, 1, 8, dtype=torch.float64)

    def product(m: int, n: int) -> float:
        q, k = model.rotate(a, torch.tensor([[m]])), model.rotate(b, torch.tensor([[n]]))
        return float((q * k).sum())

    assert product(3, 1) == pytest.approx(product(12, 10))


def test_characters_become_numbers_and_come_back() -> None:
    tokenizer = labkit.CharTokenizer("hello world", specials=("<bos>", "<eos>"))
    assert tokenizer.decode(tokenizer.encode("hold")) == "hold"
    assert tokenizer.special("<eos>") == 1
    with pytest.raises(ValueError, match="'f' is not in the alphabet"):
        tokenizer.encode("fox")


def test_a_script_is_followed_whatever_is_asked_and_ends() -> None:
    llm = labkit.ScriptedLM(["one", lambda prompt: prompt.upper()])
    assert [llm("a"), llm("b")] == ["one", "B"]
    assert llm.prompts == ["a", "b"]
    with pytest.raises(RuntimeError, match="ends after 2 replies"):
        llm("c")


def test_the_tracer_sees_how_large_naive_attention_gets() -> None:
    q = torch.randn(1, 256, 8)
    with labkit.Tracer() as tracer:
        (q @ q.transpose(1, 2)).softmax(-1) @ q
    assert tracer.largest == 256 * 256
    assert tracer.counts["aten._softmax"] == 1


def test_the_census_counts_each_storage_once_to_the_byte() -> None:
    before = labkit.census()
    probe = torch.zeros(2**20)
    view = probe[:10].view(2, 5)
    assert labkit.census() - before == 4 * 2**20
    del probe, view
    assert labkit.census() == before
