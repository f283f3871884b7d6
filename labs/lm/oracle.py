"""Holds the reference against what knows nothing about it.

BPE: a textbook loop that counts everything anew for each merge, and Hugging Face's `tokenizers` on texts
without ties (its rule for them is another one). The model: torch's fused kernels, complex numbers for RoPE,
and LlamaForCausalLM with random weights, whose heads are permuted because it pairs x[i] with x[i + Dh/2].
"""

import math
import re
from collections import Counter

import numpy as np

NEEDS_TORCH = (
    "attention_against_torch",
    "batches_by_hand",
    "loss_against_torch",
    "norm_and_gate_against_torch",
    "overfitting_ends_below_a_tenth",
    "parameters_of_llama_7b",
    "rope_against_complex_numbers",
)
NEEDS = {
    "model_against_llama": ("transformers", "torch"),
    "bpe_against_tokenizers": ("tokenizers",),
}
PATTERN = r" ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+"


def agree(name, got, expected, tolerance=1e-10):
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape, f"{name}: shape {got.shape}, not {expected.shape}"
    assert np.allclose(got, expected, rtol=tolerance, atol=tolerance), (
        f"{name}: {got} != {expected}"
    )


# --- BPE -------------------------------------------------------------------------------------------


def textbook(pieces, merges):
    """BPE as one would say it: a list of tokens for every occurrence, counted anew for every merge.

    Also returns whether the most frequent pair was ever tied with another one.
    """
    words, learned, ties = [list(piece.encode("utf-8")) for piece in pieces], [], []
    token = {byte: bytes([byte]) for byte in range(256)}
    for number in range(256, 256 + merges):
        seen = {}
        for word in words:
            for place in range(len(word) - 1):
                pair = word[place], word[place + 1]
                seen[pair] = seen.get(pair, 0) + 1
        if not seen:
            break
        ranking = sorted(((n, token[a], token[b], (a, b)) for (a, b), n in seen.items()))
        _, left, right, chosen = ranking[-1]
        ties.append(len(ranking) > 1 and ranking[-2][0] == ranking[-1][0])
        learned.append((left, right))
        token[number] = left + right
        for word in words:
            place = 0
            while place < len(word) - 1:
                if (word[place], word[place + 1]) == chosen:
                    word[place : place + 2] = [number]
                place += 1
    return learned, any(ties)


def random_text(rng, pieces, count):
    return "".join(pieces[int(k)] for k in rng.integers(0, len(pieces), count))


def bpe_against_the_textbook(lab, rng):
    """Merges of texts full of ties, runs, white space, several alphabets and specials."""
    signs = ["a", "b", "ab", " ", "  ", "\n", "é", "🙂", "7", "42", "_", "!", "aa", " the", "'s"]
    for specials in ([], ["<|x|>", "<|x|><|x|>", "a.b", "🙂!"]):
        text = random_text(rng, signs + 2 * specials, 120)
        pieces, rest = [], text
        while rest:  # specials by looking at every place, the longest first
            place, special = min(
                ((rest.find(s), -len(s), s) for s in specials if s in rest),
                default=(len(rest), 0, ""),
            )[::2]
            pieces += re.findall(PATTERN, rest[:place])
            rest = rest[place + len(special) :]
        vocab, merges = lab.train_bpe(text, 256 + len(specials) + 50, list(specials))
        expected, _ = textbook(pieces, 50)
        assert merges == expected, f"{text!r}: {merges} != {expected}"
        tokens = [bytes([b]) for b in range(256)] + [s.encode() for s in specials]
        tokens += [left + right for left, right in expected]
        assert vocab == dict(enumerate(tokens))


def bpe_against_tokenizers(lab, rng):
    """Merges and ids of Hugging Face's trainer, as far as no tie comes up."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    words = [random_text(rng, list("abcdefg é"), 7) for _ in range(30)]
    text = " ".join(word for n, word in enumerate(words) for _ in range(n * n + 1))
    pieces = re.findall(PATTERN, text)
    merges = next(k for k in range(12, 0, -1) if not textbook(pieces, k)[1])
    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False
    )
    theirs.train_from_iterator([text], trainer)
    vocab, learned = lab.train_bpe(text, 256 + merges, [])
    printable = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174]
    others = [b for b in range(256) if b not in printable]
    byte_of = {chr(b): b for b in printable} | {chr(256 + n): b for n, b in enumerate(others)}
    tokens = {
        number: bytes(byte_of[sign] for sign in token)
        for token, number in theirs.get_vocab().items()
    }
    assert [tokens[256 + n] for n in range(merges)] == [left + right for left, right in learned]
    ours = lab.Tokenizer(vocab, learned, [])
    for _ in range(5):
        sample = random_text(rng, ["a", "b", "cd", " ", "éfg", "  ", "🙂"], 30)
        encoded = [tokens[number] for number in theirs.encode(sample).ids]
        assert [vocab[number] for number in ours.encode(sample)] == encoded, sample


def encoding_by_repeating_the_training(lab, rng):
    """A text is encoded by doing to it every merge of the training, one after the other."""
    signs = ["a", "b", "ba", " ", "\n\n", "é", "!", "<|x|>"]
    vocab, merges = lab.train_bpe(random_text(rng, signs, 200), 300, ["<|x|>"])
    tokenizer = lab.Tokenizer(vocab, merges, ["<|x|>"])
    text = random_text(rng, signs, 80)
    expected = []
    for part in re.split(r"(<\|x\|>)", text):
        for piece in [part] if part == "<|x|>" else re.findall(PATTERN, part):
            tokens = [part.encode()] if part == "<|x|>" else [bytes([b]) for b in piece.encode()]
            for pair in merges:
                place = 0
                while place < len(tokens) - 1:
                    if (tokens[place], tokens[place + 1]) == pair:
                        tokens[place : place + 2] = [pair[0] + pair[1]]
                    place += 1
            expected += tokens
    ids = tokenizer.encode(text)
    assert [vocab[number] for number in ids] == expected, text
    assert tokenizer.decode(ids) == text
    for size in (1, 2, 3, 7):
        chunks = [text[place : place + size] for place in range(0, len(text), size)]
        assert list(tokenizer.encode_iter(chunks)) == ids


# --- the model -------------------------------------------------------------------------------------


def tensor(rng, *shape):
    import torch

    return torch.from_numpy(rng.standard_normal(shape))


def norm_and_gate_against_torch(lab, rng):
    """F.rms_norm, and SwiGLU by F.linear and F.silu."""
    import torch.nn.functional as F

    x, g = tensor(rng, 3, 5, 7), tensor(rng, 7)
    agree("norm", lab.rmsnorm(x, g, 0.1), F.rms_norm(x, (7,), g, 0.1))
    Wa, Wb, Wc = tensor(rng, 7, 4), tensor(rng, 7, 4), tensor(rng, 4, 7)
    gated = F.linear(F.linear(x, Wa.T) * F.silu(F.linear(x, Wb.T)), Wc.T)
    agree("gate", lab.swiglu(x, Wa, Wb, Wc), gated)


def rope_against_complex_numbers(lab, rng):
    """A pair is a complex number, and turning it a multiplication; far positions by exact integers."""
    import torch

    x = tensor(rng, 2, 3, 5, 8)
    pos = torch.from_numpy(rng.integers(0, 100, (2, 5)))
    turn = torch.polar(
        torch.ones(2, 5, 4, dtype=torch.float64),
        pos[..., None].double() / 100.0 ** (torch.arange(4, dtype=torch.float64) / 4),
    )
    turned = torch.view_as_complex(x.reshape(2, 3, 5, 4, 2)) * turn[:, None]
    agree("turned", lab.rope(x, pos, 100.0), torch.view_as_real(turned).flatten(-2))
    q, k = tensor(rng, 1, 1, 1, 8), tensor(rng, 1, 1, 1, 8)
    m, n, shift = (int(v) for v in rng.integers(0, 1000, 3))
    product = [
        (lab.rope(q, torch.tensor([m + s])) * lab.rope(k, torch.tensor([n + s]))).sum()
        for s in (0, shift)
    ]
    agree("relative", product[0], product[1])


def attention_against_torch(lab, rng):
    """F.scaled_dot_product_attention with grouped heads, masked explicitly."""
    import torch
    import torch.nn.functional as F

    for heads, kv_heads, queries, keys in ((4, 2, 5, 5), (6, 3, 2, 7), (3, 1, 1, 4), (2, 2, 6, 6)):
        q = tensor(rng, 2, heads, queries, 4)
        k, v = tensor(rng, 2, kv_heads, keys, 4), tensor(rng, 2, kv_heads, keys, 4)
        where = torch.arange(keys) <= torch.arange(keys - queries, keys)[:, None]
        for causal, mask in ((True, where), (False, None)):
            theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)
            agree("attention", lab.attention(q, k, v, causal), theirs)


def model_against_llama(lab, rng):
    """Logits and loss of LlamaForCausalLM with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    cfg = {"vocab": 19, "dim": 24, "layers": 3, "heads": 6, "kv_heads": 2, "ffn": 17}
    cfg |= {"theta": 500.0, "eps": 1e-3}
    config = LlamaConfig(
        vocab_size=19,
        hidden_size=24,
        intermediate_size=17,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        rms_norm_eps=1e-3,
        rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        attn_implementation="eager",
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).eval()
    state = model.state_dict()
    for name, weights in state.items():
        weights.copy_(torch.from_numpy(rng.standard_normal(weights.shape)) * 0.4)
        if "norm" in name:
            weights.add_(1.0)
    state = {name: weights.double() for name, weights in state.items()}

    def paired(weights, heads):
        """Rows of a head from halves to neighbours, then columns in place of rows."""
        return weights.view(heads, 2, 2, 24).transpose(1, 2).reshape(heads * 4, 24).T

    p = {"embed": state["model.embed_tokens.weight"], "head": state["lm_head.weight"].T}
    p["norm"] = state["model.norm.weight"]
    for number in range(3):
        theirs, ours = f"model.layers.{number}.", f"layers.{number}."
        p[ours + "attn_norm"] = state[theirs + "input_layernorm.weight"]
        p[ours + "mlp_norm"] = state[theirs + "post_attention_layernorm.weight"]
        p[ours + "wq"] = paired(state[theirs + "self_attn.q_proj.weight"], 6)
        p[ours + "wk"] = paired(state[theirs + "self_attn.k_proj.weight"], 2)
        for name, place in (("wv", "self_attn.v"), ("wo", "self_attn.o"), ("wa", "mlp.up")):
            p[ours + name] = state[f"{theirs}{place}_proj.weight"].T
        p[ours + "wb"] = state[theirs + "mlp.gate_proj.weight"].T
        p[ours + "wc"] = state[theirs + "mlp.down_proj.weight"].T
    ids = torch.from_numpy(rng.integers(0, 19, (2, 9)))
    with torch.no_grad():
        theirs = model(ids, labels=ids)
        logits = lab.lm_forward(ids, p, cfg)
        loss = lab.lm_loss(logits, ids, torch.ones_like(ids, dtype=torch.bool))
    agree("logits", logits, theirs.logits.double(), 2e-4)  # it calculates in float32
    agree("loss", loss, theirs.loss.double(), 1e-4)


def parameters_of_llama_7b(lab, rng):
    """The published size, from the shapes that init_weights would draw."""
    import torch

    small = {"vocab": 7, "dim": 12, "layers": 2, "heads": 3, "kv_heads": 3, "ffn": 5}
    counted = sum(w.numel() for w in lab.init_weights(small, torch.Generator()).values())

    def formula(vocab, dim, layers, ffn, **_):
        return 2 * vocab * dim + layers * (4 * dim * dim + 3 * dim * ffn + 2 * dim) + dim

    assert counted == formula(**small)
    assert formula(vocab=32_000, dim=4096, layers=32, ffn=11_008) == 6_738_415_616


def loss_against_torch(lab, rng):
    """F.cross_entropy with ignore_index."""
    import torch
    import torch.nn.functional as F

    logits, ids = tensor(rng, 3, 6, 5), torch.from_numpy(rng.integers(0, 5, (3, 6)))
    mask = torch.from_numpy(rng.integers(0, 2, (3, 6)) == 1)
    mask[0, 1] = True
    targets = ids.masked_fill(~mask, -100)[:, 1:].flatten()
    theirs = F.cross_entropy(logits[:, :-1].flatten(0, 1), targets, ignore_index=-100)
    agree("loss", lab.lm_loss(logits, ids, mask), theirs)


def batches_by_hand(lab, rng):
    """The places of the handout's example, and the ids that follow."""
    import torch

    data = torch.tensor([10, 11, 12, 13, 14])
    x, y = lab.get_batch(data, 200, 2, torch.Generator().manual_seed(int(rng.integers(1000))))
    assert (y == x + 1).all()
    assert (x[:, 1] == x[:, 0] + 1).all()
    assert Counter(x[:, 0].tolist()).keys() == {10, 11, 12}


def overfitting_ends_below_a_tenth(lab, rng):
    """The last check compares losses with the reference's, so these have to be good ones."""
    import torch

    cfg = {"vocab": 24, "dim": 32, "layers": 2, "heads": 4, "kv_heads": 2, "ffn": 48}
    cfg |= {"theta": 1e4, "eps": 1e-5}
    gen = torch.Generator().manual_seed(int(rng.integers(1000)))
    ids = torch.from_numpy(rng.integers(0, 24, (4, 16)))
    ids[:, 0] = torch.arange(4)
    losses = lab.overfit(ids, lab.init_weights(cfg, gen), cfg, 150)
    assert abs(losses[0] - math.log(24)) < 0.3, losses[0]
    assert losses[-1] < 0.1, losses[-1]
