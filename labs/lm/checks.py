"""The experiments of the language-model lab: each runs on the student's notebook and on the reference.

Text is drawn from small alphabets, so that ties, runs and rare cases come up in every trial, and tensors
are float64, so that a wrong formula cannot pass for rounding. The first trial of most checks has sizes that
agree (D = F, heads = positions), where a mistake gives wrong values and not an error about shapes.
"""

import math
import re
from collections import Counter

import numpy as np
import torch

from grader.checks import Tolerance, check

EXACT = Tolerance(relative=1e-11, absolute=1e-12)
CLOSE = Tolerance(relative=1e-9, absolute=1e-11)
PRE_TOKEN = re.compile(r" ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def normal(rng, *shape, scale=1.0, shift=0.0):
    """A float64 tensor; the shift keeps its mean away from 0."""
    return torch.from_numpy(np.asarray(scale * rng.standard_normal(shape) + shift))


def pick(rng, options, count):
    return [options[int(k)] for k in rng.integers(0, len(options), count)]


# --- E1: training BPE ------------------------------------------------------------------------------

SYLLABLES = ["ba", "na", "dan", "ti", "lo", "ver", "s", "mé", "qu", "ing", "o", "thé"]


def some_words(rng, trial):
    """A text of random words with clear frequencies; the first one is that of the handout."""
    if trial == 0:
        return {"text": "banana bandana", "vocab_size": 270}
    words = ["".join(pick(rng, SYLLABLES, int(rng.integers(1, 5)))) for _ in range(25)]
    often = [word for n, word in enumerate(words) for _ in range(1 + 3 * n)]
    text = " ".join(often[int(k)] for k in rng.permutation(len(often)))
    return {"text": text, "vocab_size": 256 + int(rng.integers(30, 45))}


@check(
    exercise="E1",
    points=4,
    trials=4,
    inputs=some_words,
    hint="Count every adjacent pair in every word as often as the word occurs, merge the most frequent, and "
    "count again. Stop when the vocabulary is full or no pair is left. Ids: bytes, specials, merges.",
)
def bpe_merges(lab, text, vocab_size):
    """Merges and vocabulary of the handout's example and of random words."""
    vocab, merges = lab.train_bpe(text, vocab_size, [])
    return {
        "merges": [list(pair) for pair in merges],
        "vocab": [[number, vocab[number]] for number in sorted(vocab)],
    }


def many_ties(rng, trial):
    """Short words over few letters, each rare: nearly every merge is decided by the rule for ties."""
    alphabet = [["a", "b", "c", "d"], ["x", "Z", "é", "t"], ["n", "o", "~", "!"], ["p", "q"]][trial]
    words = ["".join(pick(rng, alphabet, int(rng.integers(2, 8)))) for _ in range(14)]
    return {"text": " ".join(words), "vocab_size": 256 + 40}


@check(
    exercise="E1",
    points=4,
    trials=4,
    inputs=many_ties,
    hint="Among equally frequent pairs take max(pairs): tuples of bytes, left part first. Not the first that "
    "was seen, not the smallest, not the largest ids, not the joined bytes.",
)
def bpe_ties(lab, text, vocab_size):
    """Forty merges that are nearly all ties."""
    vocab, merges = lab.train_bpe(text, vocab_size, [])
    return {"merges": [list(pair) for pair in merges], "size of the vocabulary": len(vocab)}


def all_kinds_of_signs(rng, trial):
    """The same few phrases over and over: a merge across a border would be the most frequent one."""
    phrases = [
        "in the",
        "on, and",
        "x_1 =",
        "3.14",
        "a  b",
        "été",
        "\n\n",
        "\t",
        "--",
        "don't",
        "B2B",
    ]
    phrases += ["the the", " 我们", "🙂🙂", "  \n ", "!?", "10 000", "²", "of\u00a0the", "__init__"]
    return {
        "text": "".join(p + " " * int(rng.integers(0, 3)) for p in pick(rng, phrases, 150)),
        "vocab_size": 256 + 60,
    }


@check(
    exercise="E1",
    points=4,
    trials=3,
    inputs=all_kinds_of_signs,
    hint="Use pre_tokens(text), which keeps spaces with the word that follows; a pair never has one side in one "
    "pre-token and the other in the next. Then .encode('utf-8'): a letter may be several bytes.",
)
def bpe_pre_tokens(lab, text, vocab_size):
    """Punctuation, numbers, white space of all kinds and letters of several bytes."""
    vocab, merges = lab.train_bpe(text, vocab_size, [])
    return {"merges": [list(pair) for pair in merges], "size of the vocabulary": len(vocab)}


def runs_of_one_letter(rng, trial):
    lengths = rng.integers(1, 14, 12)
    units = ["a", "b", "ab", "aab", " ", "\n", "é"]
    unit = [[0], [0, 1], [0, 2, 3], [0, 4, 5, 6]][trial]
    pieces = [units[unit[int(k)]] * int(n) for k, n in zip(rng.integers(0, len(unit), 12), lengths)]
    return {"text": " ".join(pieces) + " aaaa aaaaa", "vocab_size": 256 + 25}


@check(
    exercise="E1",
    points=2,
    trials=4,
    hidden=True,
    inputs=runs_of_one_letter,
    hint="aaaa holds (a, a) three times and becomes aa aa; aaaaa becomes aa aa a. When the counts of a word change, "
    "take all of its old pairs out and put all of its new pairs in.",
)
def bpe_runs(lab, text, vocab_size):
    """Runs of one letter, where pairs overlap."""
    vocab, merges = lab.train_bpe(text, vocab_size, [])
    return {"merges": [list(pair) for pair in merges], "size of the vocabulary": len(vocab)}


SPECIALS = [
    ["<|end|>"],
    ["a.c", "[PAD]", "<|end|>", "<|end|>ing", "«fin»"],
    ["<|a|>", "<|a|><|a|>", "|", "a+b", "b<|a|"],  # the last overlaps with two of them
    [],
    ["<|end|>", "<|pad|>"],
    ["<|end|>"],
]


def text_with_specials(rng, trial):
    specials = SPECIALS[trial]
    others = [
        "end",
        "ending",
        "abc",
        "abba",
        "PAD",
        "aab",
        " fin",
        "<|",
        "|>",
        "a",
        "ing",
        " <|end",
        "\n",
    ]
    text = "".join(pick(rng, others + 3 * specials, 90 if trial < 4 else 20))
    if trial == 2:
        text += "ccab<|a|>" * 9  # from left to right that is cca, b<|a| and >
    vocab_size = [300, 310, 300, 300, 258, 100][trial]
    return {"text": text if trial != 3 else "", "vocab_size": vocab_size, "specials": specials}


@check(
    exercise="E1",
    points=3,
    trials=6,
    hidden=True,
    inputs=text_with_specials,
    hint="Split at the specials before anything else, from left to right: re.escape each, the longest first. Their "
    "bytes are in no count, nothing merges across them, and in the vocabulary they follow the bytes in the order given.",
)
def bpe_specials(lab, text, vocab_size, specials):
    """Special tokens: overlapping, with signs of regular expressions, an empty text, a full vocabulary."""
    vocab, merges = lab.train_bpe(text, vocab_size, specials)
    return {
        "merges": [list(pair) for pair in merges],
        "vocab": [[number, vocab[number]] for number in sorted(vocab)],
        "specials afterwards": specials,
    }


def log_file(rng):
    """A million characters: forty long words again and again, and 8,000 identifiers that occur once."""
    letters = rng.integers(ord("a"), ord("z") + 1, (40, 32), dtype=np.uint8)
    words = [" " + row.tobytes().decode() for row in letters]
    marks = rng.integers(ord("A"), ord("Z") + 1, (8_000, 32), dtype=np.uint8)
    identifiers = [" " + row.tobytes().decode() for row in marks]
    often = [word for n, word in enumerate(words) for _ in range(560 + 3 * n)]
    pieces = often + identifiers
    order = rng.permutation(len(pieces))
    return {"text": "".join(pieces[int(k)] for k in order), "vocab_size": 256 + 850}


@check(
    exercise="E1",
    points=3,
    trials=1,
    inputs=log_file,
    limits={"check_wall_seconds": 6},
    hint="850 merges over 8,000 different words: touch only the words that contain the merged pair. Keep, for "
    "each pair, its count and the set of words in which it occurs.",
)
def bpe_large(lab, text, vocab_size):
    """Hundreds of merges of a text of a million characters, in a few seconds."""
    vocab, merges = lab.train_bpe(text, vocab_size, [])
    return {
        "first merges": [list(pair) for pair in merges[:100]],
        "number of merges": len(merges),
        "lengths": np.array([[len(left), len(right)] for left, right in merges]),
        "bytes": b"".join(left + right for left, right in merges),
        "vocabulary": b"".join(vocab[number] for number in sorted(vocab)),
    }


# --- E2: the tokenizer -----------------------------------------------------------------------------


def trained(text, count):
    """Merges of a small text, most frequent first, without two that make the same token."""
    words = Counter(PRE_TOKEN.findall(text))
    split = {word: [bytes([b]) for b in word.encode("utf-8")] for word in words}
    made = {bytes([b]) for b in range(256)}
    merges = []
    for _ in range(count):
        pairs = Counter()
        for word, often in words.items():
            for pair in zip(split[word], split[word][1:], strict=False):
                pairs[pair] += often
        fit = [pair for pair in pairs if pair[0] + pair[1] not in made]
        if not fit:
            break
        best = max(fit, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        made.add(best[0] + best[1])
        for word, tokens in split.items():
            merged = []
            for token in tokens:
                joins = merged and (merged[-1], token) == best
                merged[-1:] = [merged[-1] + token] if joins else [*merged[-1:], token]
            split[word] = merged
    return merges


def vocabulary(rng, text, count, specials=()):
    """Tokens in the order of their ids, which are shuffled and have gaps, and merges."""
    merges = trained(text, count)
    tokens = [bytes([b]) for b in range(256)] + [left + right for left, right in merges]
    tokens += [special.encode("utf-8") for special in specials]
    ids = 3 * rng.permutation(len(tokens)) + 1
    return {
        "tokens": tokens,
        "ids": [int(number) for number in ids],
        "merges": [list(pair) for pair in merges],
    }


def texts_to_encode(rng, trial):
    if trial == 0:
        merges = trained("banana bandana", 7)
        tokens = [bytes([b]) for b in range(256)] + [left + right for left, right in merges]
        learned = {"tokens": tokens, "ids": list(range(len(tokens)))}
        learned["merges"] = [list(pair) for pair in merges]
        return learned | {"texts": ["anan", "banal", "bandana", "a banana", "dandanabana", ""]}
    alphabet = [list("abc"), list("xyé"), ["a", "b", " ", "\n", " \n", "!"]][trial - 1]
    training = " ".join("".join(pick(rng, alphabet, int(rng.integers(3, 9)))) for _ in range(60))
    texts = ["".join(pick(rng, [*alphabet, " "], 25)) for _ in range(8)]
    return vocabulary(rng, training, 40) | {
        "texts": [*texts, "", "Zoë  7_7\n我 🙂", alphabet[0] * 9]
    }


@check(
    exercise="E2",
    points=4,
    trials=4,
    inputs=texts_to_encode,
    hint="In each pre-token merge the pair that stands first in `merges`, as long as there is one. Not the longest "
    "token, not from left to right. Ids come from `vocab`, whatever they are.",
)
def encode_merges(lab, tokens, ids, merges, texts):
    """The ids of texts, with a vocabulary in any order."""
    vocab = dict(zip(ids, tokens, strict=True))
    pairs = [tuple(pair) for pair in merges]
    tokenizer = lab.Tokenizer(vocab, pairs, [])
    fewer = lab.Tokenizer(vocab, pairs[: len(pairs) // 2], [])  # neither may know of the other
    return {
        "ids": {text: list(tokenizer.encode(text)) for text in texts},
        "ids with half of the merges": {text: list(fewer.encode(text)) for text in texts},
        "merges afterwards": [list(pair) for pair in pairs],
    }


ENCODED_SPECIALS = [
    ["<|end|>"],
    ["<|end|>", "<|end|>ing", "a.c", "[PAD]"],
    ["|", "<|a|>", "<|a|><|a|>", "a+b", "b<|a|", "«fin»", "fin"],
    [],
]
AROUND = [
    "end",
    "abc",
    "aab",
    "[PAD",
    " fin",
    "<|",
    "<|end",
    "|>",
    "a",
    "ing",
    " ",
    "\n",
    "  ",
    "é",
]


def special_texts(rng, trial):
    specials = ENCODED_SPECIALS[trial]
    known = [*specials, "<|unlisted|>"]
    training = " ".join(pick(rng, AROUND, 120))
    texts = ["".join(pick(rng, AROUND + 3 * known, 12)) for _ in range(6)]
    texts += ["".join(specials), "".join(reversed(specials)) + "x"]
    texts += [special + special for special in specials[:1]]
    texts += ["aab<|a|>a+b<|a|>"] if trial == 2 else []
    return vocabulary(rng, training, 30, known) | {"texts": texts, "specials": specials}


@check(
    exercise="E2",
    points=3,
    trials=4,
    hidden=True,
    inputs=special_texts,
    hint="Specials first, the longest that fits, escaped; what is between two of them is encoded for itself. Only "
    "what `specials` lists is special, and the list may be empty.",
)
def encode_specials(lab, tokens, ids, merges, texts, specials):
    """Special tokens in a row, inside words, one the beginning of another, and none at all."""
    vocab = dict(zip(ids, tokens, strict=True))
    tokenizer = lab.Tokenizer(vocab, [tuple(pair) for pair in merges], specials)
    encoded = [list(tokenizer.encode(text)) for text in texts]
    return {"ids": encoded, "decoded": [tokenizer.decode(one) for one in encoded]}


def ids_to_decode(rng, trial):
    signs = ["é", "我", "🙂", "ß", "a", " ", "\n", "नि", "e\u0301"]
    training = " ".join("".join(pick(rng, signs, 6)) for _ in range(40))
    learned = vocabulary(rng, training, 25 if trial else 0, ["<|end|>"])
    texts = ["".join(pick(rng, [*signs, "zz", "<|end|>", "\ufffd"], 20)) for _ in range(4)]
    some = [[int(i) for i in rng.choice(learned["ids"], 12)] for _ in range(4)]
    smile = [learned["ids"][byte] for byte in "🙂é".encode()]
    some += [smile, smile[:3], smile[1:], smile[:5], [], [learned["ids"][0xFF]], smile[::-1]]
    return learned | {"texts": [*texts, ""], "some": some}


@check(
    exercise="E2",
    points=3,
    trials=3,
    inputs=ids_to_decode,
    hint="Join the bytes of all tokens and decode once, with errors='replace': a token may be part of a letter.",
)
def decode_bytes(lab, tokens, ids, merges, texts, some):
    """Letters cut across tokens, bytes that are no UTF-8, nothing at all, and the way there and back."""
    vocab = dict(zip(ids, tokens, strict=True))
    tokenizer = lab.Tokenizer(vocab, [tuple(pair) for pair in merges], ["<|end|>"])
    there_and_back = [tokenizer.decode(tokenizer.encode(text)) for text in texts]
    return {"decoded": [tokenizer.decode(one) for one in some], "there and back": there_and_back}


STREAM_SPECIALS = ["<|end|>", "<|end|>ing", "ing!", "[]", "[[x]]", "  !!"]
STREAMED = [
    "a",
    "an",
    " an",
    "  ",
    " ",
    "\n",
    "7",
    "42",
    "!",
    "!!",
    "_",
    "é",
    "🙂",
    "<|",
    "<|e",
    "|>",
]
STREAMED += ["[[", "[[x", "[[x]]", "in", "ing!", "<|end|>ing"]
STREAMED += ["<|end|>", "<|end|>in", "<|end|>ing", "[", "[]", "end", " \n ", "\t", "'s"]


def streamed(rng, trial):
    text = "".join(pick(rng, STREAMED, 120))
    learned = vocabulary(rng, " ".join(pick(rng, STREAMED, 150)), 30, STREAM_SPECIALS)
    if trial == 0:
        chunks = [text]
    elif trial < 3:
        chunks = list(text)
    else:
        cuts = np.sort(rng.integers(0, len(text) + 1, 40)).tolist()  # some chunks are empty
        chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    specials = STREAM_SPECIALS if trial != 2 else []
    return learned | {"chunks": chunks, "specials": specials}


@check(
    exercise="E2",
    points=3,
    trials=6,
    hidden=True,
    inputs=streamed,
    hint="The ids of the joined text, wherever it was cut: hold back the last pre-token, and everything from where "
    "a special may have begun, even if what is there is a special already and a longer one is possible. Keep the "
    "buffer in the generator, not in self: two streams may run at once.",
)
def stream_tokens(lab, tokens, ids, merges, chunks, specials):
    """encode_iter gives the ids of the joined text, however it was cut."""
    vocab = dict(zip(ids, tokens, strict=True))
    tokenizer = lab.Tokenizer(vocab, [tuple(pair) for pair in merges], specials)
    stream = iter(tokenizer.encode_iter(chunk for chunk in chunks))
    found = {"ids": list(stream), "of nothing": list(tokenizer.encode_iter([]))}
    two = [iter(tokenizer.encode_iter(iter(one))) for one in (chunks, chunks[::-1])]
    told, running = [[], []], [0, 1]
    while running:  # an id of the one, an id of the other, as from two files
        for which in list(running):
            number = next(two[which], None)
            if number is None:
                running.remove(which)
            else:
                told[which].append(number)
    return found | {"two streams at once": told}


LAZY = ["<|end|>", "[stop]"]


def long_stream(rng, trial):
    words = ["an", " an", " ban", "ana", " dan", ",", " 42", "\n", "  ", "<|end|>", "[stop]", " ["]
    chunks = ["".join(pick(rng, words, int(rng.integers(1, 9)))) for _ in range(120)]
    if trial == 1:
        chunks = [piece for chunk in chunks for piece in (chunk[:2], chunk[2:])]
    return vocabulary(rng, "".join(chunks[:40]), 12, LAZY) | {"chunks": chunks}


def certain(text, specials):
    """How many characters of a text are encoded in the same way whatever comes next."""
    pattern = re.compile("|".join(map(re.escape, sorted(specials, key=len, reverse=True))))
    start = 0
    while True:
        ends = range(max(start, len(text) - max(map(len, specials)) + 1), len(text))
        begun = [
            place
            for place in ends
            if any(s != text[place:] and s.startswith(text[place:]) for s in specials)
        ]
        before = min(begun, default=len(text))
        found = pattern.search(text, start)
        if found is None or found.start() >= before:
            return start + sum(map(len, PRE_TOKEN.findall(text[start:before])[:-1]))
        start = found.end()


def encoded(inputs):
    """The ids of all chunks joined: to each pre-token every merge is done, in the order of learning."""
    number_of = dict(zip(inputs["tokens"], inputs["ids"], strict=True))
    merges = [tuple(pair) for pair in inputs["merges"]]
    known: dict[str, list[int]] = {special: [number_of[special.encode()]] for special in LAZY}
    found = []
    for part in re.split("(" + "|".join(map(re.escape, LAZY)) + ")", "".join(inputs["chunks"])):
        for piece in [part] if part in known else PRE_TOKEN.findall(part):
            if piece not in known:
                tokens = [bytes([b]) for b in piece.encode("utf-8")]
                for pair in merges:
                    for place in range(len(tokens) - 1):
                        if tuple(tokens[place : place + 2]) == pair:
                            tokens[place : place + 2] = [pair[0] + pair[1]]
                known[piece] = [number_of[token] for token in tokens]
            found += known[piece]
    return np.array(found)


def never_waits(inputs, outputs):
    """Each id was given before another chunk was asked for than the one that made it certain."""
    told, pulled = outputs["ids"], outputs["chunks read"]
    if told.dtype != np.int64 or told.ndim != 1 or told.shape != pulled.shape:
        return "encode_iter must yield one int after the other"
    if not np.array_equal(told, encoded(inputs)):
        return "the ids are not those of the joined text"
    token_of = dict(zip(inputs["ids"], inputs["tokens"], strict=True))
    rest, given, after = "", 0, []
    for chunk in inputs["chunks"]:
        rest += chunk
        size = certain(rest, LAZY)
        given += len(rest[:size].encode("utf-8"))
        rest = rest[size:]
        after.append(given)
    ends = np.cumsum([len(token_of[int(number)]) for number in told])
    earliest = np.searchsorted(np.array(after), ends, side="left") + 1
    late = np.flatnonzero(pulled > np.minimum(earliest, len(inputs["chunks"])))
    if len(late):
        first = int(late[0])
        return (
            f"id number {first} was certain after {int(earliest[first])} chunks, "
            f"but {int(pulled[first])} had been read when it was given"
        )
    return None


@check(
    exercise="E2",
    points=2,
    trials=2,
    inputs=long_stream,
    verify=never_waits,
    hint="yield what is certain before you take the next chunk; nothing that reads all chunks first (join, list, "
    "sorted) and nothing that waits for a chunk more than it needs.",
)
def stream_is_lazy(lab, tokens, ids, merges, chunks):
    """No id waits for a chunk that it does not need."""
    vocab = dict(zip(ids, tokens, strict=True))
    tokenizer = lab.Tokenizer(vocab, [tuple(pair) for pair in merges], ["<|end|>", "[stop]"])
    read = []

    def source():
        for chunk in chunks:
            read.append(len(chunk))
            yield chunk

    given = [(number, len(read)) for number in tokenizer.encode_iter(source())]
    return {
        "ids": np.array([number for number, _ in given]),
        "chunks read": np.array([count for _, count in given]),
    }


# --- E3: RMSNorm and SwiGLU ------------------------------------------------------------------------

NORMED = [(2,), (4, 4), (2, 3, 5), (7, 1), (1, 1, 2, 13)]


def to_normalise(rng, trial):
    if trial == 0:
        x, g = torch.tensor([3.0, 4.0]).double(), torch.tensor([1.0, 2.0]).double()
        return {"x": x, "g": g, "eps": 0.0}
    shape = NORMED[trial]
    eps = float(rng.uniform(0.1, 1.0)) if trial % 2 else 1e-5
    return {
        "x": normal(rng, *shape, shift=0.7),
        "g": normal(rng, shape[-1], scale=0.3, shift=1.0),
        "eps": eps,
    }


@check(
    exercise="E3",
    points=4,
    trials=5,
    inputs=to_normalise,
    tolerance=EXACT,
    hint="x / sqrt(mean(x²) + eps) · g: the mean of the squares, over the last axis; no mean is subtracted; eps "
    "stands under the root.",
)
def rmsnorm_values(lab, x, g, eps):
    """RMSNorm of vectors whose mean is not zero, with small and large eps."""
    return {"normed": lab.rmsnorm(x, g, eps)}


GATED = [((3, 3), 3), ((2, 3, 4), 5), ((4,), 7), ((1, 1), 1), ((2, 1, 3, 2), 11)]


def to_gate(rng, trial):
    shape, hidden = GATED[trial]
    width = shape[-1]
    return {
        "x": normal(rng, *shape),
        "Wa": normal(rng, width, hidden),
        "Wb": normal(rng, width, hidden),
        "Wc": normal(rng, hidden, width),
    }


@check(
    exercise="E3",
    points=4,
    trials=5,
    inputs=to_gate,
    tolerance=CLOSE,
    hint="((x Wa) ⊙ silu(x Wb)) Wc with silu(z) = z·sigmoid(z): Wb's product goes through silu, and the weights are "
    "multiplied from the right as they are.",
)
def swiglu_values(lab, x, Wa, Wb, Wc):
    """SwiGLU for any number of leading axes."""
    return {"gated": lab.swiglu(x, Wa, Wb, Wc)}


@check(
    exercise="E3",
    points=2,
    trials=2,
    hidden=True,
    inputs=lambda rng: {
        "x": normal(rng, 3, 4, 5, shift=0.5),
        "g": normal(rng, 5, shift=1.0),
        "Wa": normal(rng, 5, 6),
        "Wb": normal(rng, 5, 6),
        "Wc": normal(rng, 6, 5),
        "far": normal(rng, 2, 5, scale=5000.0),
    },
    hint="Any layout and dtype, a batch of 0 rows, a vector of zeros; large values must not overflow; gradients reach "
    "x and every weight. Stay in the dtype of x and change nothing in place.",
)
def norm_and_gate_edges(lab, x, g, Wa, Wb, Wc, far):
    """Strided inputs, no rows, zeros, large values, float32, and gradients of both."""
    strided = x.transpose(0, 1)
    zeros = torch.zeros(2, 5, dtype=torch.float64)
    results = {
        "norm, strided": lab.rmsnorm(strided, g, 1e-3),
        "norm, no rows": lab.rmsnorm(x[:0], g, 1e-3),
        "norm of zeros": lab.rmsnorm(zeros, g, 1e-3),
        "norm, float32": lab.rmsnorm(x.float(), g.float(), 1e-3),
        "gate, strided": lab.swiglu(strided, Wa, Wb, Wc),
        "gate, no rows": lab.swiglu(x[:0], Wa, Wb, Wc),
        "gate, large": lab.swiglu(far, Wa, Wb, Wc),
        "gate, float32": lab.swiglu(x.float(), Wa.float(), Wb.float(), Wc.float()),
    }
    leaves = [one.clone().requires_grad_() for one in (x, g, Wa, Wb, Wc)]
    out = lab.swiglu(lab.rmsnorm(leaves[0], leaves[1], 1e-3), *leaves[2:])
    (out * x).sum().backward()
    results["gradients"] = [leaf.grad for leaf in leaves]
    results["inputs afterwards"] = [x, g, far]
    return results


# --- E4: RoPE --------------------------------------------------------------------------------------

TURNED = [(1, 1, 4, 4), (2, 3, 5, 8), (1, 2, 1, 2), (3, 1, 7, 6)]


def to_turn(rng, trial):
    B, H, S, Dh = TURNED[trial]
    x = normal(rng, B, H, S, Dh)
    if trial == 0:
        x[0, 0, 3] = torch.tensor([1.0, 0.0, 1.0, 0.0])  # the handout's, at position 3
    return {"x": x, "pos": torch.arange(S)}


@check(
    exercise="E4",
    points=4,
    trials=4,
    inputs=to_turn,
    tolerance=CLOSE,
    hint="Neighbours (x[2i], x[2i+1]) are a pair; its angle is pos · theta^(−2i/Dh), counter-clockwise; the turned pairs "
    "go back where they were. Position 0 is turned by nothing.",
)
def rope_values(lab, x, pos):
    """Queries at the positions 0, 1, 2, … turned pair by pair."""
    return {"turned": lab.rope(x, pos)}


def at_any_position(rng, trial):
    B, H, S, Dh = [(3, 3, 3, 4), (2, 1, 5, 2), (1, 4, 1, 6), (3, 2, 5, 8)][trial]
    each = trial % 2 == 0  # a position for each sequence of the batch
    return {
        "x": normal(rng, B, S, H, Dh),
        "pos": torch.from_numpy(rng.integers(0, 60, (B, S) if each else (S,))),
        "theta": float(rng.uniform(20.0, 500.0)),
    }


@check(
    exercise="E4",
    points=3,
    trials=4,
    inputs=at_any_position,
    tolerance=CLOSE,
    hint="pos is (S), or (B, S) and then needs an axis for the heads; use its values, in whatever order they come, and "
    "the theta that is given.",
)
def rope_positions(lab, x, pos, theta):
    """Positions for each sequence, in any order, starting anywhere; another theta; strided input."""
    x = x.transpose(1, 2)  # (B, H, S, Dh), not contiguous
    return {"turned": lab.rope(x, pos, theta), "by name": lab.rope(x, pos=pos, theta=2.0 * theta)}


@check(
    exercise="E4",
    points=3,
    trials=2,
    hidden=True,
    inputs=lambda rng: {
        "q": normal(rng, 1, 2, 5, 8),
        "k": normal(rng, 1, 2, 5, 8),
        "pos": torch.from_numpy(rng.integers(0, 50, 5)),
        "shift": int(rng.integers(80_000, 120_000)),
    },
    hint="The product of a turned query and a turned key depends on the distance only; lengths stay; angles in float64 "
    "also for float32 inputs; the result has the dtype of x, and gradients pass.",
)
def rope_far_away(lab, q, k, pos, shift):
    """A hundred thousand positions further: same distances, same products, also in float32."""

    def products(offset):
        turned_q, turned_k = lab.rope(q, pos + offset), lab.rope(k, pos.flip(0) + offset)
        return turned_q @ turned_k.transpose(-1, -2)

    leaf = q.clone().requires_grad_()
    (lab.rope(leaf, pos) * k).sum().backward()
    return {
        "products here": products(0),
        "products there": products(shift),
        "float32": lab.rope(q.float(), pos + shift),
        "bfloat16": lab.rope(q.bfloat16(), pos + 257),
        "lengths": lab.rope(q, pos).norm(dim=-1),
        "gradient": leaf.grad,
        "positions afterwards": pos,
    }


# --- E5: attention ---------------------------------------------------------------------------------


def qkv(rng, B, Hq, Hkv, Sq, Sk, Dh):
    return {
        "q": normal(rng, B, Hq, Sq, Dh),
        "k": normal(rng, B, Hkv, Sk, Dh),
        "v": normal(rng, B, Hkv, Sk, Dh),
    }


PLAIN = [(1, 2, 2, 4, 4, 4), (2, 3, 3, 5, 5, 2), (1, 1, 1, 1, 1, 1), (2, 1, 1, 7, 7, 3)]


@check(
    exercise="E5",
    points=5,
    trials=4,
    inputs=lambda rng, trial: qkv(rng, *PLAIN[trial]),
    tolerance=CLOSE,
    hint="softmax over the keys of q kᵀ / sqrt(Dh), where Dh is the size of one head, then times v; with causal=True "
    "a query sees its own position and the earlier ones.",
)
def attention_values(lab, q, k, v):
    """As many key heads as query heads, with and without the causal mask."""
    return {"causal": lab.attention(q, k, v, True), "all": lab.attention(q, k, v, causal=False)}


GROUPED = [(1, 4, 2, 4, 4, 4), (2, 6, 3, 3, 3, 2), (2, 6, 2, 5, 5, 4), (1, 4, 1, 2, 2, 3)]


@check(
    exercise="E5",
    points=3,
    trials=4,
    inputs=lambda rng, trial: qkv(rng, *GROUPED[trial]),
    tolerance=CLOSE,
    hint="Query head h uses key head h // (Hq / Hkv): neighbours share, so repeat_interleave along the axis of heads.",
)
def attention_groups(lab, q, k, v):
    """Fewer key heads than query heads, down to one."""
    return {"causal": lab.attention(q, k, v, True), "all": lab.attention(q, k, v, False)}


LATE = [
    (1, 2, 2, 2, 5, 4),
    (2, 4, 2, 1, 6, 3),
    (1, 1, 1, 4, 5, 2),
    (2, 2, 1, 3, 3, 4),
    (1, 6, 2, 3, 11, 2),
]


@check(
    exercise="E5",
    points=4,
    trials=5,
    hidden=True,
    inputs=lambda rng, trial: qkv(rng, *LATE[trial]),
    tolerance=CLOSE,
    hint="The queries are the last Sq of Sk positions: query i sits at Sk − Sq + i. A single query sees every key.",
)
def attention_offset(lab, q, k, v):
    """Fewer queries than keys, as with a cache; and more queries than keys without a mask."""
    last = q[:, :, -1:]
    return {
        "causal": lab.attention(q, k, v, True),
        "last query alone": lab.attention(last, k, v, True),
        "more queries than keys": lab.attention(
            torch.cat((q, q), 2), k[:, :, :1], v[:, :, :1], False
        ),
        "not causal": lab.attention(q, k, v, False),
    }


@check(
    exercise="E5",
    points=3,
    trials=2,
    hidden=True,
    inputs=lambda rng: qkv(rng, 2, 4, 2, 5, 5, 4),
    tolerance=Tolerance(relative=1e-7, absolute=1e-9),
    hint="−inf, not −10⁹, where nobody may look; softmax itself subtracts the maximum; every row is a mean of values "
    "that it may see; strided inputs, float32 and gradients as well.",
)
def attention_extremes(lab, q, k, v):
    """Scores of any size, what later keys may change, strided inputs, float32, gradients."""
    far = 1e5 * torch.ones_like(q)
    low = -1e5 * k.abs() - 1e5  # visible scores far below any large negative constant
    later = v.clone()
    later[:, :, 3:] = 1e12
    leaves = [one.clone().requires_grad_() for one in (q, k, v)]
    (lab.attention(*leaves, True) * q).sum().backward()
    strided = [one.transpose(1, 2).contiguous().transpose(1, 2) for one in (q, k, v)]
    narrow = lab.attention(q.float(), k.float(), v.float(), True)
    wide = lab.attention(q.float().double(), k.float().double(), v.float().double(), True)
    return {
        "large scores": lab.attention(300.0 * q, 300.0 * k, v, True),
        "low scores": lab.attention(far, low, v, True),
        "before later values": lab.attention(q, k, later, True)[:, :, :3],
        "values all one": lab.attention(q, k, torch.ones_like(v), True),
        "strided": lab.attention(*strided, True),
        "float32": [str(narrow.dtype), bool((narrow.double() - wide).abs().max() < 1e-5)],
        "gradients": [leaf.grad for leaf in leaves],
        "inputs afterwards": [q, k, v],
    }


# --- E6: the model ---------------------------------------------------------------------------------


def configuration(vocab, dim, layers, heads, kv_heads, ffn, theta=100.0, eps=0.01):
    return {
        "vocab": vocab,
        "dim": dim,
        "layers": layers,
        "heads": heads,
        "kv_heads": kv_heads,
        "ffn": ffn,
        "theta": theta,
        "eps": eps,
    }


def layer(rng, cfg, spread=0.3):
    """Random weights of one layer; gains differ, so that no norm can be left out or taken for another."""
    D, F = cfg["dim"], cfg["ffn"]
    kv = cfg["kv_heads"] * D // cfg["heads"]
    shapes = {"wq": (D, D), "wk": (D, kv), "wv": (D, kv), "wo": (D, D)}
    shapes |= {"wa": (D, F), "wb": (D, F), "wc": (F, D)}
    p = {name: normal(rng, *shape, scale=shape[0] ** -0.5) for name, shape in shapes.items()}
    gains = {name: normal(rng, D, scale=spread, shift=1.0) for name in ("attn_norm", "mlp_norm")}
    return p | gains


def model(rng, cfg, spread=0.3):
    D = cfg["dim"]
    p = {"embed": normal(rng, cfg["vocab"], D)}
    for number in range(cfg["layers"]):
        p |= {f"layers.{number}.{k}": w for k, w in layer(rng, cfg, spread).items()}
    return p | {
        "norm": normal(rng, D, scale=spread, shift=1.0),
        "head": normal(rng, D, cfg["vocab"], scale=D**-0.5),
    }


BLOCKS = [
    (configuration(5, 16, 1, 4, 4, 16), 1, 4),
    (configuration(5, 12, 1, 6, 2, 7), 2, 5),
    (configuration(5, 8, 1, 2, 1, 13, theta=1e4, eps=1e-5), 3, 7),
    (configuration(5, 4, 1, 1, 1, 3), 1, 1),
]


def one_block(rng, trial):
    cfg, B, S = BLOCKS[trial]
    return {"x": normal(rng, B, S, cfg["dim"]), "p": layer(rng, cfg), "cfg": cfg}


@check(
    exercise="E6",
    points=6,
    trials=4,
    inputs=one_block,
    tolerance=CLOSE,
    hint="h = x + attention(rmsnorm(x)) wo, then h + swiglu(rmsnorm(h)), each norm with its own gain. Split the columns "
    "into heads, turn q and k but not v, and bring (B, H, S, Dh) back by transpose and reshape.",
)
def block_values(lab, x, p, cfg):
    """One layer, with as many key heads as query heads and with fewer."""
    return {"y": lab.block(x, p, cfg), "x afterwards": x}


MODELS = [
    (configuration(16, 16, 1, 4, 4, 16), 1, 4),
    (configuration(11, 12, 3, 6, 3, 7), 2, 5),
    (configuration(3, 4, 12, 2, 1, 5), 1, 3),
    (configuration(7, 8, 2, 4, 1, 9, theta=1e4, eps=1e-5), 3, 1),
]


def whole_model(rng, trial):
    cfg, B, S = MODELS[trial]
    ids = torch.from_numpy(rng.integers(0, cfg["vocab"], (B, S)))
    return {"ids": ids, "p": model(rng, cfg), "cfg": cfg}


@check(
    exercise="E6",
    points=5,
    trials=4,
    inputs=whole_model,
    tolerance=CLOSE,
    hint="Rows of embed, then layers 0, 1, 2, … with layer_weights(p, n), then the last norm with the gain p['norm'], "
    "then times p['head']. No softmax, no scaling.",
)
def lm_values(lab, ids, p, cfg):
    """Logits of models with one layer to twelve."""
    return {"logits": lab.lm_forward(ids, p, cfg)}


def model_to_differentiate(rng, trial):
    cfg = configuration(9, 8, 2, 4, 2, 6)
    ids = torch.from_numpy(rng.integers(0, 9, (3, 6)))
    return {"ids": ids, "p": model(rng, cfg), "cfg": cfg, "g": normal(rng, 3, 6, 9)}


@check(
    exercise="E6",
    points=4,
    trials=2,
    hidden=True,
    inputs=model_to_differentiate,
    tolerance=CLOSE,
    hint="What stands later, or in another sequence, must not matter. Gradients reach every weight: no detach, no .data, "
    "nothing in place on x or on p.",
)
def lm_never_looks_ahead(lab, ids, p, cfg, g):
    """Prefixes, other sequences, a single token, and the gradient of every weight."""
    changed = ids.clone()
    changed[:, 4:] = (changed[:, 4:] + 1) % cfg["vocab"]
    leaves = {name: w.clone().requires_grad_() for name, w in p.items()}
    (lab.lm_forward(ids, leaves, cfg) * g).sum().backward()
    return {
        "prefix": lab.lm_forward(ids[:, :4], p, cfg),
        "other future": lab.lm_forward(changed, p, cfg)[:, :4],
        "sequence alone": lab.lm_forward(ids[1:2], p, cfg),
        "one token": lab.lm_forward(ids[:, :1], p, cfg),
        "gradients": {name: leaf.grad for name, leaf in leaves.items()},
        "embed afterwards": p["embed"],
    }


# --- E7: loss, batches, training -------------------------------------------------------------------

LOSSES = [(1, 3, 2), (2, 4, 4), (3, 5, 7), (1, 2, 3), (4, 3, 1)]


def to_score(rng, trial):
    B, S, V = LOSSES[trial]
    ids, logits = torch.from_numpy(rng.integers(0, V, (B, S))), normal(rng, B, S, V, scale=2.0)
    mask = torch.ones(B, S, dtype=torch.bool)
    if trial == 0:
        ids = torch.tensor([[0, 1, 0]])
        logits[0, :2] = torch.tensor([[0.0, np.log(3.0)], [0.0, 0.0]])
    if trial == 2:
        mask = torch.from_numpy(rng.permuted(np.arange(B * S) % 2 == 0).reshape(B, S))
        mask[0, :3] = torch.tensor([False, True, False])  # moved by one it would be another mask
    return {"logits": logits, "ids": ids, "mask": mask}


@check(
    exercise="E7",
    points=4,
    trials=5,
    inputs=to_score,
    tolerance=CLOSE,
    hint="logits[:, t] predict ids[:, t + 1]: drop the last logits and the first ids. The mask belongs to the ids, so "
    "its first column is dropped. Mean over what is left.",
)
def loss_values(lab, logits, ids, mask):
    """The handout's example, all targets, and some of them."""
    return {"loss": lab.lm_loss(logits, ids, mask)}


def to_mask(rng, trial):
    B, S, V = [(3, 6, 5), (2, 9, 3)][trial]
    mask = torch.zeros(B, S, dtype=torch.bool)
    mask[0, 1] = True  # one target here, many there: a mean of means is another number
    mask[-1, 1:] = True
    mask[0, 2:] = torch.from_numpy(rng.integers(0, 4, S - 2) == 0)
    return {
        "logits": normal(rng, B, S, V, scale=3.0),
        "ids": torch.from_numpy(rng.integers(0, V, (B, S))),
        "mask": mask,
    }


@check(
    exercise="E7",
    points=3,
    trials=2,
    hidden=True,
    inputs=to_mask,
    tolerance=CLOSE,
    hint="Divide by the number of masked targets of the whole batch. The first column of the mask and the last logits "
    "never matter. Logits in the thousands need log_softmax.",
)
def loss_masks(lab, logits, ids, mask):
    """Sequences with many targets, one or none; large logits; what must not matter; gradients."""
    first = mask.clone()
    first[:, 0] = ~first[:, 0]
    last = logits.clone()
    last[:, -1] += 5.0 * last[:, 0]
    leaf = logits.clone().requires_grad_()
    lab.lm_loss(leaf, ids, mask).backward()
    strided = logits.transpose(0, 1).contiguous().transpose(0, 1)
    return {
        "loss": lab.lm_loss(logits, ids, mask),
        "first column turned": lab.lm_loss(logits, ids, first),
        "other last logits": lab.lm_loss(last, ids, mask),
        "large logits": lab.lm_loss(1000.0 * logits, ids, mask),
        "shifted logits": lab.lm_loss(logits + 5000.0, ids, mask),
        "strided": lab.lm_loss(strided, ids, mask),
        "gradient": leaf.grad,
        "mask afterwards": mask,
    }


WINDOWS = [(9, 3, 3000), (6, 5, 4), (40, 7, 5), (4, 1, 1000), (31, 30, 1)]


def rows_of_ids(rng, trial):
    N, S, B = WINDOWS[trial]
    return {
        "data": torch.from_numpy(rng.permutation(N) + 1000),
        "B": B,
        "S": S,
        "seed": int(rng.integers(2**31)),
    }


def windows_of(inputs, outputs):
    data, B, S = inputs["data"].numpy(), inputs["B"], inputs["S"]
    x, y = outputs["x"], outputs["y"]
    for name, rows in (("x", x), ("y", y)):
        if rows.shape != (B, S) or rows.dtype != np.int64:
            return f"{name} is {rows.dtype} of shape {rows.shape}; int64 of shape ({B}, {S}) is expected"
    place = np.full(int(data.max()) + 1, -1)
    place[data] = np.arange(len(data))
    if not all(np.isin(rows, data).all() for rows in (x, y)):
        return "an id is not in the data"
    starts = place[x[:, 0]]
    where = starts[:, None] + np.arange(S)
    if (place[x] != where).any():
        return "a row of x is not S neighbouring ids of the data"
    if (place[y] != where + 1).any():
        return "y is not the ids that follow those of x"
    flags = (
        "the same from the same seed",
        "others untouched",
        "another from another seed",
        "another the next time",
    )
    for name in flags if B * len(data) > 100 else flags[:2]:
        if outputs[name] is not True:
            return (
                f"{name}: no. Draw all places with the generator that is given, and with no other"
            )
    places = len(data) - S
    if places > 1 and places * 100 <= B:
        again = int((starts[1:] == starts[:-1]).sum())  # of neighbours, one in `places` agrees
        drawn = {f"place {n}": int((starts == n).sum()) for n in range(places)}
        for what, count in {**drawn, "the place of the row before": again}.items():
            if abs(count - B / places) > 7.0 * (B / places) ** 0.5:
                return f"{what} was drawn {count} times of {B}; about {B / places:.0f} are expected"
    return None


@check(
    exercise="E7",
    points=3,
    trials=5,
    inputs=rows_of_ids,
    verify=windows_of,
    hint="N − S places, 0 to N − S − 1, drawn by torch.randint(…, generator=gen), with repetition; y is x one place on.",
)
def batches(lab, data, B, S, seed):
    """Every place is drawn, equally often, by the generator that is given."""
    before = torch.get_rng_state()
    gen = torch.Generator().manual_seed(seed)
    x, y = lab.get_batch(data, B, S, gen)
    after, _ = lab.get_batch(data, B, S, gen)
    again, _ = lab.get_batch(data, B, S, torch.Generator().manual_seed(seed))
    other, _ = lab.get_batch(data, B, S, torch.Generator().manual_seed(seed + 1))
    return {
        "x": x.numpy(),
        "y": y.numpy(),
        "the same from the same seed": torch.equal(x, again),
        "another from another seed": not torch.equal(x, other),
        "another the next time": not torch.equal(x, after),
        "others untouched": torch.equal(before, torch.get_rng_state()),
    }


def to_learn_by_heart(rng):
    cfg = configuration(24, 32, 2, 4, 2, 48, theta=1e4, eps=1e-5)
    ids = torch.from_numpy(rng.integers(0, 24, (4, 16)))
    ids[:, 0] = torch.from_numpy(rng.permutation(24)[:4])  # or the second token is anybody's guess
    p = model(rng, cfg, spread=0.0)
    p["head"] *= 0.3  # the loss starts near ln 24
    return {"ids": ids, "p": p, "cfg": cfg}


@check(
    exercise="E7",
    points=5,
    trials=1,
    limits={"check_wall_seconds": 20},
    inputs=to_learn_by_heart,
    tolerance=Tolerance(relative=1e-4, absolute=1e-5),
    hint="If E3 to E6 pass, look at the loss; if the loss stays near ln V, at its shift; if it falls slowly, at gradients "
    "that do not arrive.",
)
def overfits_one_batch(lab, ids, p, cfg):
    """150 steps of Adam on one batch, with your model and your loss: from ln V to below 0.1."""
    p = {name: w.clone().requires_grad_() for name, w in p.items()}
    mean = {name: torch.zeros_like(w) for name, w in p.items()}
    square = {name: torch.zeros_like(w) for name, w in p.items()}
    everything = torch.ones_like(ids, dtype=torch.bool)
    losses = []
    for step in range(1, 151):
        loss = lab.lm_loss(lab.lm_forward(ids, p, cfg), ids, everything)
        grads = torch.autograd.grad(loss, list(p.values()))
        losses.append(loss.item())
        with torch.no_grad():
            for name, g in zip(p, grads, strict=True):
                mean[name].mul_(0.9).add_(g, alpha=0.1)
                square[name].mul_(0.95).addcmul_(g, g, value=0.05)
                unbiased = mean[name] / (1 - 0.9**step)
                p[name] -= 0.01 * unbiased / ((square[name] / (1 - 0.95**step)).sqrt() + 1e-8)
    with torch.no_grad():  # by the definition, whatever lm_loss says
        logits = lab.lm_forward(ids, p, cfg)[:, :-1]
        right = logits.gather(-1, ids[:, 1:].unsqueeze(-1)).squeeze(-1)
        last = float((logits.logsumexp(-1) - right).mean())
    return {
        "losses": [losses[step] for step in (0, 1, 2, 5, 10, 20, 50, 100)],
        "starts near ln V": abs(losses[0] - math.log(cfg["vocab"])) < 0.5,
        "ends below 0.1": last < 0.1 and losses[-1] < 0.1,
    }
