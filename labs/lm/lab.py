# %% [markdown]
# # Tokenizer and transformer LM
#
# **Why.** Everything that a language model knows came in as integers and left as a probability for the next one. Two things stand in between: a tokenizer that
# decides what the integers are, and a stack of identical blocks that has hardly changed since LLaMA (2023). You build both, down to the last tie-break,
# and at the end your model learns a text by heart, which is how one finds out that every gradient gets through.
#
# **Picture.** From text to the next token. The upper row is E1 and E2, the dotted block E3 to E6, and the way back E7.
#
# ![Text becomes bytes, pre-tokens and token ids; ids become vectors, pass through a stack of blocks of attention and SwiGLU with residual connections, and end as logits for the next token.](figures/model.svg)
#
# **Spec in five lines of maths.** Rows are vectors, so a linear layer is $xW$ with $W$ of shape $(D_{\text{in}},D_{\text{out}})$.
#
# 1. BPE: merge the most frequent adjacent pair of tokens; among equals, the lexicographically greatest pair of byte strings. Repeat.
# 2. $\operatorname{RMSNorm}(x)=g\odot x\,/\sqrt{\tfrac1D\sum_d x_d^2+\epsilon}$; $\;\operatorname{SwiGLU}(x)=\big((xW_a)\odot\operatorname{silu}(xW_b)\big)W_c$
# 3. RoPE turns the pair $(x_{2i},x_{2i+1})$ at position $m$ by the angle $m\,\theta^{-2i/D_h}$, so that $\langle R_m q,R_n k\rangle$ depends on $m-n$ only.
# 4. $\operatorname{Attention}(Q,K,V)=\operatorname{softmax}\big(QK^{\mathsf T}/\sqrt{D_h}+\text{mask}\big)V$, with fewer key heads than query heads.
# 5. Block: $h=x+\operatorname{Attention}(\operatorname{RMSNorm}(x))$, $\;y=h+\operatorname{SwiGLU}(\operatorname{RMSNorm}(h))$. Loss: mean of $-\ln p(\text{ids}_{t+1}\mid\text{ids}_{\le t})$.
#
# **Your API.**
#
# | name | what it does |
# |---|---|
# | `train_bpe(text, vocab_size, specials)` | `(vocab, merges)`: `dict[int, bytes]` and a list of pairs of `bytes` |
# | `Tokenizer(vocab, merges, specials)` | `encode(text) -> list[int]`, `decode(ids) -> str`, `encode_iter(chunks) -> Iterator[int]` |
# | `rmsnorm(x, g, eps)` | `x` $(\dots,D)$, `g` $(D)$ |
# | `swiglu(x, Wa, Wb, Wc)` | `x` $(\dots,D)$, `Wa`, `Wb` $(D,F)$, `Wc` $(F,D)$ |
# | `rope(x, pos, theta=1e4)` | `x` $(B,H,S,D_h)$, `pos` int64 $(S)$ or $(B,S)$ |
# | `attention(q, k, v, causal)` | `q` $(B,H_q,S_q,D_h)$, `k`, `v` $(B,H_{kv},S_k,D_h)$, result like `q` |
# | `block(x, p, cfg)` | one layer, $(B,S,D)\to(B,S,D)$ |
# | `lm_forward(ids, p, cfg)` | `ids` int64 $(B,S)$, result logits $(B,S,V)$ |
# | `lm_loss(logits, ids, mask)` | a scalar; `mask` bool $(B,S)$ |
# | `get_batch(data, B, S, gen)` | `(x, y)`, both int64 $(B,S)$ |
#
# **Checkpoints.** E1 (20 points, 70 min) · E2 (15, 55) · E3 (10, 20) · E4 (10, 30) · E5 (15, 40) · E6 (15, 40) · E7 (15, 45).
# E1 to E5, the loss and the batches of E7 do not need each other; E6 calls what E3 to E5 made, and the training at the end needs E6.
#
# **House rules.** Plain torch: matrix products, `softmax`, indexing. What the lab is about is not to be called ready-made (`scaled_dot_product_attention`, `rms_norm`,
# `nn.MultiheadAttention`, tokenizer libraries): these raise an error while the notebook is graded, and whoever reviews it is told. The checks work in **float64**, so that a wrong formula cannot hide behind rounding: stay in the dtype
# of your inputs (`x.float()` throws half of the digits away), and let gradients pass (no `.data`, no `.item()` on the way).

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}
import math
import random
import re
from collections import Counter, defaultdict
from itertools import pairwise

import torch

import labkit
from labkit import check

# Cuts text into pieces that no token may cross: words, numbers and runs of other signs, each with
# the one space before it, and what is left of the white space.
PRE_TOKEN = re.compile(r" ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def pre_tokens(text):
    """The pieces of `text`, in order; joined together they are the text."""
    return PRE_TOKEN.findall(text)


# %% [markdown]
# ## E1 · Training byte-level BPE (20 points, 70 minutes)
#
# A vocabulary of words cannot spell a new word; a vocabulary of bytes can spell everything, but needs five of them for *hello*. Byte-pair encoding starts
# with the 256 bytes and adds what occurs often, one merge at a time, until the vocabulary is full. Frequent words end up as one token, rare ones as a few, and there is no unknown word.
#
# 1. **Specials.** Split the text at every special token (`<|end|>` between two documents), found from left to right. They are not part of any count, and nothing merges across them. If
#    several specials fit at one place, the longest is meant. A special may hold any characters, also those that mean something in a regular expression.
# 2. **Pre-tokens.** Cut each piece with `pre_tokens`, the cell above. A merge never crosses the border of a pre-token. `pre_tokens("Hi there,  you 2")` is `['Hi', ' there', ',', ' ', ' you', ' 2']`:
#    a word takes the space before it along, of several spaces only the last.
# 3. **Bytes.** Each pre-token becomes its UTF-8 bytes, each byte a token: `é` is two.
# 4. **Count** every adjacent pair inside each pre-token, as often as the pre-token occurs in the text. Pairs are counted at every place: `aaaa` holds `(a, a)` three times.
# 5. **Merge** the most frequent pair; among equally frequent ones the greatest, as Python compares tuples of `bytes`: `(b"b", b"an") > (b"an", b"a")`. Replace it everywhere, from left to right without
#    overlap: `aaaaa` becomes `aa aa a`.
# 6. **Repeat** until the vocabulary has `vocab_size` entries or no pair is left. A pair that occurs once is a pair.
#
# In `vocab`, ids 0 to 255 are the single bytes, then come the specials in the order in which they were given, then one entry for each merge, in order. If `vocab_size` leaves no room for merges, there are none.
#
# **By hand.** The text is `banana bandana`, so the pre-tokens are `banana` and `␣bandana` (`␣` is the space).
#
# | most frequent | next to it | merged | the words afterwards |
# |---|---|---|---|
# | `(a, n)` 4 × | `(n, a)` 3 × | `an` | `b an an a` · `␣ b an d an a` |
# | `(b, an)` 2 × | `(an, a)` 2 ×, a tie, but `b > an` | `ban` | `ban an a` · `␣ ban d an a` |
# | `(an, a)` 2 × | all others once | `ana` | `ban ana` · `␣ ban d ana` |
# | `(d, ana)` 1 × | `(ban, d)`, `(ban, ana)`, `(␣, ban)` | `dana` | `ban ana` · `␣ ban dana` |
#
# Then come `bandana`, `banana` and `␣bandana`, and after seven merges no pair is left.
#
# **Speed.** Counting all pairs again after each merge costs (number of merges) × (size of the text): hours for a real vocabulary. A merge only changes the words that contain it. Count each *distinct*
# pre-token once with its frequency, remember for each pair in which words it occurs, and after a merge take the old pairs of those words out and put the new ones in. One check is a log of a million characters whose
# many different words are hardly ever touched; a loop over all words for every merge cannot finish it in the time.
#
# **Common mistakes.** Ties decided by what came first in a dictionary · comparing the joined bytes instead of the pair, or the ids · cutting words at spaces with `split()` · taking only one occurrence
# of a pair in a word out of the counts.


# %% nbgrader={"grade": false, "grade_id": "train-bpe", "locked": false, "schema_version": 3, "solution": true}
def train_bpe(text, vocab_size, specials):
    """Byte-level BPE: (vocab, merges) with vocab: id -> bytes and merges: [(left, right), ...] in order."""
    ### BEGIN SOLUTION
    vocab = {byte: bytes([byte]) for byte in range(256)}
    for special in specials:
        vocab[len(vocab)] = special.encode("utf-8")
    segments = [text]
    if specials:
        longest_first = sorted(specials, key=len, reverse=True)
        segments = re.split("|".join(map(re.escape, longest_first)), text)
    counts = Counter(piece for segment in segments for piece in pre_tokens(segment))
    words = [[bytes([byte]) for byte in piece.encode("utf-8")] for piece in counts]
    weights = list(counts.values())
    pairs, found_in = Counter(), defaultdict(set)
    for n, word in enumerate(words):
        for pair in pairwise(word):
            pairs[pair] += weights[n]
            found_in[pair].add(n)
    merges = []
    while len(vocab) < vocab_size and pairs:
        most = max(pairs.values())
        best = max(pair for pair, count in pairs.items() if count == most)
        merges.append(best)
        vocab[len(vocab)] = best[0] + best[1]
        for n in found_in.pop(best):
            word = words[n]
            for pair in pairwise(word):
                pairs[pair] -= weights[n]
                if pairs[pair] == 0:
                    del pairs[pair]
            merged, place = [], 0
            while place < len(word):
                if tuple(word[place : place + 2]) == best:
                    merged.append(best[0] + best[1])
                    place += 2
                else:
                    merged.append(word[place])
                    place += 1
            words[n] = merged
            for pair in pairwise(merged):
                pairs[pair] += weights[n]
                found_in[pair].add(n)
    return vocab, merges
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-bpe_merges", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("bpe_merges")

# %% nbgrader={"grade": true, "grade_id": "check-bpe_ties", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("bpe_ties")

# %% nbgrader={"grade": true, "grade_id": "check-bpe_pre_tokens", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("bpe_pre_tokens")

# %% nbgrader={"grade": true, "grade_id": "check-bpe_runs", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("bpe_runs")

# %% nbgrader={"grade": true, "grade_id": "check-bpe_specials", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("bpe_specials")

# %% nbgrader={"grade": true, "grade_id": "check-bpe_large", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("bpe_large")

# %% [markdown]
# ## E2 · Encode, decode, stream (15 points, 55 minutes)
#
# **Encode.** Split at the specials (from left to right; where several fit, the longest), cut into pre-tokens, and in each pre-token repeat: of all adjacent pairs that are in `merges`, merge the one that was learned **first**, everywhere in the piece. Stop when there is none.
# The order of learning decides, not the length of the token: that is what makes a text be encoded in the way in which the training text was.
#
# The ids are those of `vocab`, whatever they are: GPT-2's bytes are not in order either, so look an id up, do not calculate it. Every special is in `vocab`; no two ids have the same bytes.
# `specials` may be empty, and what it does not list is ordinary text.
#
# **By hand.** With the seven merges of `banana bandana`, numbered from 256: `anan` becomes `an an` = `[256, 256]`. A search for the longest token would say `ana n`. And `banal` is `ban a l` = `[257, 97, 108]`: `an` was learned before
# `ana`, then `ban` took it.
#
# **Decode.** Join the bytes of all tokens, *then* decode UTF-8. A token may be half a character, and a model may well stop in the middle of one: what is not UTF-8 becomes U+FFFD `�`, never an exception (`errors="replace"`).
#
# **Stream.** A corpus does not fit into memory. `encode_iter(chunks)` takes an iterable of strings, cut *anywhere*: inside a word, inside `<|end|>`. It yields the ids of the joined text, one by one, and asks for
# the next chunk only when it has nothing more to say. Two streams of one tokenizer do not disturb each other. So what can you already say of a text whose end you have not seen?
#
# - **The last pre-token may still grow.** All others are final: each was ended by the character after it. (That is why `pre_tokens` looks only one character ahead.)
# - **A special may have begun.** If the text ends with the beginning of a special, wait: nothing from there on is known. And what stands before it has a last pre-token, too: `a··<|e` may be `a`, `··`, `<|end|>` or `a`, `·`, `·<|`, `e` (`·` is a space).
# - A complete special may be the beginning of a longer one.
#
# So: keep a buffer. Find where the first special is, and the earliest place from which on the rest of the buffer is the beginning of one. If the complete special comes first, encode what is before it and the special itself, and go on behind it. If not, encode all pre-tokens
# but the last of what lies before that place, and keep the rest. When the chunks end, encode what is left.
#
# Nobody may wait longer than necessary: a token that lies before the last pre-token of what was read, and before any beginning of a special, is yielded before another chunk is asked for.
#
# **By hand.** Chunks `"hel"`, `"lo wor"`, `"ld"`: after the first nothing is certain. After the second `hello` is (the space ended it), but `␣wor` is not. The end settles it.
#
# **Common mistakes.** Decoding token by token · encoding each chunk for itself · `"".join(chunks)`, which ends with the memory · special tokens in a regular expression without `re.escape`.


# %% nbgrader={"grade": false, "grade_id": "tokenizer", "locked": false, "schema_version": 3, "solution": true}
class Tokenizer:
    """Text to ids and back, with the vocabulary and merges of `train_bpe`."""

    def __init__(self, vocab, merges, specials):
        ### BEGIN SOLUTION
        self.bytes_of = dict(vocab)
        self.id_of = {token: number for number, token in vocab.items()}
        self.rank = {tuple(pair): n for n, pair in enumerate(merges)}
        self.specials = sorted(specials, key=len, reverse=True)
        self.special = re.compile("|".join(map(re.escape, self.specials)) or r"(?!)")
        ### END SOLUTION

    def encode(self, text):
        """The ids of a text: list[int]."""
        ### BEGIN SOLUTION
        ids, start = [], 0
        for found in self.special.finditer(text):
            ids += self.encode_ordinary(text[start : found.start()])
            ids.append(self.id_of[found[0].encode("utf-8")])
            start = found.end()
        return ids + self.encode_ordinary(text[start:])

    def encode_ordinary(self, text):
        """The ids of a text in which no special token is looked for."""
        return [number for piece in pre_tokens(text) for number in self.encode_piece(piece)]

    def encode_piece(self, piece):
        """The ids of one pre-token: the pair that was learned first is merged first."""
        tokens = [bytes([byte]) for byte in piece.encode("utf-8")]
        while len(tokens) > 1:
            pair = min(pairwise(tokens), key=lambda pair: self.rank.get(pair, math.inf))
            if pair not in self.rank:
                break
            merged, place = [], 0
            while place < len(tokens):
                if tuple(tokens[place : place + 2]) == pair:
                    merged.append(pair[0] + pair[1])
                    place += 2
                else:
                    merged.append(tokens[place])
                    place += 1
            tokens = merged
        return [self.id_of[token] for token in tokens]
        ### END SOLUTION

    def decode(self, ids):
        """The text of a list of ids; bytes that are not UTF-8 become U+FFFD."""
        ### BEGIN SOLUTION
        return b"".join(self.bytes_of[number] for number in ids).decode("utf-8", errors="replace")
        ### END SOLUTION

    def encode_iter(self, chunks):
        """The ids of the joined chunks, one by one, each as soon as it is certain."""
        ### BEGIN SOLUTION
        buffer = ""
        for chunk in chunks:
            buffer += chunk
            while True:
                found = self.special.search(buffer)
                begun = self.special_begun(buffer)
                if found is None or found.start() >= begun:
                    break
                yield from self.encode_ordinary(buffer[: found.start()])
                yield self.id_of[found[0].encode("utf-8")]
                buffer = buffer[found.end() :]
            certain = pre_tokens(buffer[:begun])[:-1]
            for piece in certain:
                yield from self.encode_piece(piece)
            buffer = buffer[sum(map(len, certain)) :]
        yield from self.encode(buffer)

    def special_begun(self, buffer):
        """The first place from which on the buffer is the beginning of a special token, not all of it."""
        longest = max(map(len, self.specials), default=0)
        for place in range(max(0, len(buffer) - longest + 1), len(buffer)):
            rest = buffer[place:]
            if any(
                len(special) > len(rest) and special.startswith(rest) for special in self.specials
            ):
                return place
        return len(buffer)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-encode_merges", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("encode_merges")

# %% nbgrader={"grade": true, "grade_id": "check-encode_specials", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("encode_specials")

# %% nbgrader={"grade": true, "grade_id": "check-decode_bytes", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("decode_bytes")

# %% nbgrader={"grade": true, "grade_id": "check-stream_tokens", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("stream_tokens")

# %% nbgrader={"grade": true, "grade_id": "check-stream_is_lazy", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("stream_is_lazy")

# %% [markdown]
# ## E3 · RMSNorm and SwiGLU (10 points, 20 minutes)
#
# **RMSNorm** brings every vector to length about $\sqrt D$ and multiplies each coordinate with a learned gain. Unlike LayerNorm it subtracts no mean, and has no bias:
#
# $$\operatorname{RMSNorm}(x)_d=\frac{x_d}{\sqrt{\frac1D\sum_{j}x_j^2+\epsilon}}\;g_d .$$
#
# Under the root stands the **mean of the squares**. (One slide of the lecture writes $\mu^2$ with "$\mu$ the mean": that would be the square of the mean, which is 0 for many vectors.) And $\epsilon$ stands under the root.
#
# **By hand.** $x=(3,4)$, $g=(1,2)$, $\epsilon=0$: the mean of the squares is $25/2=12.5$, its root 3.5355, so the result is $(0.8485,\ 2\cdot1.1314)=(0.8485,\ 2.2627)$.
#
# **SwiGLU** replaces the two matrices of the old feed-forward layer by three. One product is a gate for the other:
#
# $$\operatorname{SwiGLU}(x)=\big((xW_a)\odot\operatorname{silu}(xW_b)\big)W_c,\qquad \operatorname{silu}(z)=z\,\sigma(z)=\frac{z}{1+e^{-z}} .$$
#
# With three matrices in place of two, $F$ is chosen a third smaller, so that the number of weights stays what it was. Papers and code disagree about the names and the order of the first two; here `Wb` is the one that goes through silu.
#
# **By hand.** All sizes 1: $x=2$, $W_a=3$, $W_b=1$, $W_c=5$. $xW_a=6$, $\operatorname{silu}(2)=2\cdot0.8808=1.7616$, so the result is $6\cdot1.7616\cdot5=52.848$. With the gate on the wrong side it would be 59.852.
#
# Both take any number of leading axes, also none, and also a batch of 0 rows.
#
# **Common mistakes.** The mean is subtracted, as LayerNorm does · $\epsilon$ beside the root · the gate on the wrong side · $e^{-z}$ by itself, which overflows where `torch.sigmoid` does not.


# %% nbgrader={"grade": false, "grade_id": "rmsnorm", "locked": false, "schema_version": 3, "solution": true}
def rmsnorm(x, g, eps):
    """x (..., D) divided by the root of the mean of its squares, times g (D)."""
    ### BEGIN SOLUTION
    return x / torch.sqrt(x.square().mean(dim=-1, keepdim=True) + eps) * g
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-rmsnorm_values", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("rmsnorm_values")


# %% nbgrader={"grade": false, "grade_id": "swiglu", "locked": false, "schema_version": 3, "solution": true}
def swiglu(x, Wa, Wb, Wc):
    """((x Wa) * silu(x Wb)) Wc for x (..., D), Wa and Wb (D, F), Wc (F, D)."""
    ### BEGIN SOLUTION
    gate = x @ Wb
    return (x @ Wa * gate * torch.sigmoid(gate)) @ Wc
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-swiglu_values", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("swiglu_values")

# %% nbgrader={"grade": true, "grade_id": "check-norm_and_gate_edges", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("norm_and_gate_edges")

# %% [markdown]
# ## E4 · Rotary positions (10 points, 30 minutes)
#
# Attention looks at a set, not at a sequence: permute keys and values together, and nothing changes. RoPE tells it where things stand by turning each query and each key. Cut the $D_h$ coordinates into
# **neighbouring pairs** $(x_0,x_1),(x_2,x_3),\dots$ and turn pair $i$ of the vector at position $m$ by the angle $m\,\omega_i$ with $\omega_i=\theta^{-2i/D_h}$, $\;i=0,\dots,D_h/2-1$:
#
# $$\begin{pmatrix}x'_{2i}\\x'_{2i+1}\end{pmatrix}=\begin{pmatrix}\cos m\omega_i&-\sin m\omega_i\\\sin m\omega_i&\cos m\omega_i\end{pmatrix}\begin{pmatrix}x_{2i}\\x_{2i+1}\end{pmatrix}.$$
#
# ![A pair of coordinates as an arrow in the plane, turned by m times omega; a clock for each pair: the first turns fast, the last slowly.](figures/rope.svg)
#
# A rotation keeps lengths, and $R_m^{\mathsf T}R_n=R_{n-m}$: the product of a query and a key knows only how far apart they are.
#
# `pos` holds the position of each of the $S$ vectors, int64: either $(S)$, the same for the whole batch, or $(B,S)$. Positions may start anywhere and come in any order; a decoder with a cache asks for a single one. Position 0 is turned by nothing.
#
# Calculate the angles in **float64**, whatever the dtype of `x`, and cast cosine and sine to it at the end. In bfloat16, with its 8 significant bits, position 257 does not exist: it is 256. In float32 an angle near 100,000 is off by up to 0.004.
#
# (Hugging Face's code pairs $x_i$ with $x_{i+D_h/2}$ instead. It is the same rotation after a permutation of the rows of $W_q$ and $W_k$, and a well-known way to break a converted checkpoint.)
#
# **By hand.** $D_h=4$, $\theta=10^4$, so $\omega=(1,\ 10^{-2})$. $x=(1,0,1,0)$ at position 3 becomes $(\cos3,\sin3,\cos0.03,\sin0.03)=(-0.9900,\ 0.1411,\ 0.9996,\ 0.0300)$.
#
# **Common mistakes.** $\theta^{-i/D_h}$ · positions that start at 1 · the sign of the sine · putting cosine parts and sine parts back as two halves.


# %% nbgrader={"grade": false, "grade_id": "rope", "locked": false, "schema_version": 3, "solution": true}
def rope(x, pos, theta=1e4):
    """x (B, H, S, Dh) with each pair (x[2i], x[2i+1]) turned by pos * theta ** (-2i / Dh)."""
    ### BEGIN SOLUTION
    head_dim = x.shape[-1]
    omega = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)  # (Dh/2)
    angle = pos.to(torch.float64).unsqueeze(-1) * omega  # (S, Dh/2) or (B, S, Dh/2)
    if pos.ndim == 2:
        angle = angle.unsqueeze(1)  # the same for all heads
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-rope_values", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("rope_values")

# %% nbgrader={"grade": true, "grade_id": "check-rope_positions", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("rope_positions")

# %% nbgrader={"grade": true, "grade_id": "check-rope_far_away", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("rope_far_away")

# %% [markdown]
# ## E5 · Grouped-query attention (15 points, 40 minutes)
#
# For one head, with $Q$ $(S_q,D_h)$ and $K,V$ $(S_k,D_h)$:
#
# $$\operatorname{Attention}(Q,K,V)=\operatorname{softmax}\Big(\frac{QK^{\mathsf T}}{\sqrt{D_h}}+M\Big)V .$$
#
# - **Scale.** $D_h$ is the size of a *head*, the last axis of `q`. (The slides write $\sqrt D$; read it as "dimension of the key vectors".) It keeps the variance of a product of $D_h$ random terms at 1.
# - **Groups.** $H_{kv}$ key and value heads serve $H_q$ query heads, $H_q/H_{kv}$ each, and neighbours share: with $H_q=4$, $H_{kv}=2$ the query heads 0 and 1 use key head 0, and 2 and 3 use key head 1. The cache of
#   keys and values shrinks by that factor. $H_{kv}=1$ is multi-query attention.
# - **Causal.** The queries are the *last* $S_q$ of the $S_k$ positions: query $i$ sits at position $S_k-S_q+i$ and sees the keys $j\le S_k-S_q+i$. In training $S_q=S_k$; a decoder with a cache has $S_q=1$ and sees everything.
#   $M$ is $-\infty$ where it must not look: a large negative number is not the same once the scores are large. In the checks $S_q\le S_k$ where `causal` is true.
#
# ![Two masks of five keys: on the left five queries, a lower triangle; on the right two queries, which sit at positions 3 and 4.](figures/mask.svg)
#
# Scores may be in the thousands; the result is finite all the same (`torch.softmax` subtracts the maximum for you).
#
# **By hand.** One head with $D_h=4$, $q=(2,0,0,0)$, keys $(0,0,0,0)$ and $(\ln3,0,0,0)$, not causal. Scores: $0$ and $2\ln3/\sqrt4=\ln3$; weights $\tfrac14$ and $\tfrac34$. With values of 4 and 8 in the first coordinate the result is $1+6=7$.
#
# **Common mistakes.** `repeat` in place of `repeat_interleave` · a triangle that starts at the upper left corner when $S_q<S_k$ · zero in place of $-\infty$ before the softmax.


# %% nbgrader={"grade": false, "grade_id": "attention", "locked": false, "schema_version": 3, "solution": true}
def attention(q, k, v, causal):
    """q (B, Hq, Sq, Dh), k and v (B, Hkv, Sk, Dh) -> (B, Hq, Sq, Dh); query i sits at Sk - Sq + i."""
    ### BEGIN SOLUTION
    group = q.shape[1] // k.shape[1]
    k = k.repeat_interleave(group, dim=1)
    v = v.repeat_interleave(group, dim=1)
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])  # (B, Hq, Sq, Sk)
    if causal:
        queries, keys = scores.shape[-2:]
        later = torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries + 1)
        scores = scores.masked_fill(later, -math.inf)
    return scores.softmax(dim=-1) @ v
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-attention_values", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("attention_values")

# %% nbgrader={"grade": true, "grade_id": "check-attention_groups", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("attention_groups")

# %% nbgrader={"grade": true, "grade_id": "check-attention_offset", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("attention_offset")

# %% nbgrader={"grade": true, "grade_id": "check-attention_extremes", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("attention_extremes")

# %% [markdown]
# ## E6 · The whole model (15 points, 40 minutes)
#
# `cfg` is a plain dictionary: `vocab` $V$, `dim` $D$, `layers`, `heads` $H_q$, `kv_heads` $H_{kv}$, `ffn` $F$, `theta` and `eps`. The size of a head is $D_h=D/H_q$. The weights are in a dictionary `p` of tensors:
#
# | name | shape | |
# |---|---|---|
# | `embed` | $(V,D)$ | row $v$ is the vector of token $v$ |
# | `layers.0.attn_norm`, `layers.1.attn_norm`, … | $(D)$ | gain of the norm before the attention |
# | `layers.0.wq` | $(D,H_qD_h)$ | head $h$ has the columns $hD_h,\dots,(h+1)D_h-1$ |
# | `layers.0.wk`, `layers.0.wv` | $(D,H_{kv}D_h)$ | likewise |
# | `layers.0.wo` | $(H_qD_h,D)$ | |
# | `layers.0.mlp_norm` | $(D)$ | gain of the norm before the SwiGLU |
# | `layers.0.wa`, `layers.0.wb`, `layers.0.wc` | $(D,F)$, $(D,F)$, $(F,D)$ | |
# | `norm` | $(D)$ | gain of the last norm, after all layers |
# | `head` | $(D,V)$ | from vectors to logits |
#
# `block(x, p, cfg)` is one layer; its `p` has the names without `layers.0.`, as `layer_weights` (below) gives them:
#
# $$n=\operatorname{RMSNorm}(x),\qquad h=x+\operatorname{Attention}\big(\operatorname{rope}(nW_q),\,\operatorname{rope}(nW_k),\,nW_v\big)\,W_o,$$
#
# $$y=h+\operatorname{SwiGLU}\big(\operatorname{RMSNorm}(h)\big).$$
#
# The attention is causal, and the positions are $0,\dots,S-1$. The norms are *inside* the branches (pre-norm): the path $x\to h\to y$ is never normalised, so gradients run down it undisturbed. That is why one more norm stands before the head.
# Values are not turned, only queries and keys. After the attention the heads go back next to each other, head 0 first: $(B,H_q,S,D_h)\to(B,S,H_qD_h)$, and that is a transposition *and* a reshape; a reshape alone mixes heads with positions.
#
# `lm_forward(ids, p, cfg)` looks the ids up in `embed`, goes through the layers, normalises once more and multiplies with `head`. The result are logits; no softmax.
#
# **By hand.** One layer, $D=2$, one head, one token with the vector $x=(3,4)$, $\epsilon=0$, all gains 1, $W_v$, $W_o$ and the head the identity, $W_c=0$. $n=(0.8485,1.1314)$, and as one token can only look at itself, the attention gives back its value:
# $h=(3.8485,5.1314)$, $y=h$. The last norm brings $y$ back to $(0.8485,1.1314)$. These are the logits, and the probabilities $0.43$ and $0.57$.
#
# **Common mistakes.** One norm for both branches, or their gains exchanged · the second residual from $x$ in place of $h$ · a reshape without the transposition · the last norm forgotten · layers in the order of their names, where 10 comes before 2.
#
# With `vocab` 32,000, `dim` 4096, 32 layers, 32 heads of each kind and `ffn` 11,008 this is LLaMA-7B: `init_weights` would make 6,738,415,616 numbers.


# %% nbgrader={"grade": false, "grade_id": "weights", "locked": true, "schema_version": 3, "solution": false}
def init_weights(cfg, gen, dtype=torch.float64):
    """Random weights: normal with variance 1/D_in, gains of 1; residual branches and head scaled down."""
    width, hidden = cfg["dim"], cfg["ffn"]
    head_dim = width // cfg["heads"]
    shapes = {
        "wq": (width, cfg["heads"] * head_dim),
        "wk": (width, cfg["kv_heads"] * head_dim),
        "wv": (width, cfg["kv_heads"] * head_dim),
        "wo": (cfg["heads"] * head_dim, width),
        "wa": (width, hidden),
        "wb": (width, hidden),
        "wc": (hidden, width),
    }

    def normal(shape, scale=1.0):
        values = torch.randn(shape, generator=gen, dtype=torch.float64)
        return (values * scale / math.sqrt(shape[0])).to(dtype)

    p = {"embed": normal((cfg["vocab"], width), math.sqrt(cfg["vocab"]))}
    for layer in range(cfg["layers"]):
        for gain in ("attn_norm", "mlp_norm"):
            p[f"layers.{layer}.{gain}"] = torch.ones(width, dtype=dtype)
        for name, shape in shapes.items():
            scale = (2 * cfg["layers"]) ** -0.5 if name in ("wo", "wc") else 1.0
            p[f"layers.{layer}.{name}"] = normal(shape, scale)
    return p | {"norm": torch.ones(width, dtype=dtype), "head": normal((width, cfg["vocab"]), 0.3)}


def layer_weights(p, layer):
    """The weights of one layer under their short names: attn_norm, wq, wk, …"""
    start = f"layers.{layer}."
    return {name.removeprefix(start): w for name, w in p.items() if name.startswith(start)}


# %% nbgrader={"grade": false, "grade_id": "block", "locked": false, "schema_version": 3, "solution": true}
def block(x, p, cfg):
    """One pre-norm layer, (B, S, D) -> (B, S, D), with causal attention at positions 0 to S - 1."""
    ### BEGIN SOLUTION
    B, S, D = x.shape
    heads, kv_heads = cfg["heads"], cfg["kv_heads"]
    normed = rmsnorm(x, p["attn_norm"], cfg["eps"])
    q = (normed @ p["wq"]).view(B, S, heads, D // heads).transpose(1, 2)  # (B, H, S, Dh)
    k = (normed @ p["wk"]).view(B, S, kv_heads, D // heads).transpose(1, 2)
    v = (normed @ p["wv"]).view(B, S, kv_heads, D // heads).transpose(1, 2)
    pos = torch.arange(S)
    mixed = attention(rope(q, pos, cfg["theta"]), rope(k, pos, cfg["theta"]), v, causal=True)
    h = x + mixed.transpose(1, 2).reshape(B, S, D) @ p["wo"]
    return h + swiglu(rmsnorm(h, p["mlp_norm"], cfg["eps"]), p["wa"], p["wb"], p["wc"])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-block_values", "locked": true, "points": 6, "schema_version": 3, "solution": false}
check("block_values")


# %% nbgrader={"grade": false, "grade_id": "lm-forward", "locked": false, "schema_version": 3, "solution": true}
def lm_forward(ids, p, cfg):
    """Logits (B, S, V) for the token after each of ids (B, S)."""
    ### BEGIN SOLUTION
    x = p["embed"][ids]
    for layer in range(cfg["layers"]):
        x = block(x, layer_weights(p, layer), cfg)
    return rmsnorm(x, p["norm"], cfg["eps"]) @ p["head"]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-lm_values", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("lm_values")

# %% nbgrader={"grade": true, "grade_id": "check-lm_never_looks_ahead", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("lm_never_looks_ahead")

# %% [markdown]
# ## E7 · Loss, batches, and a model that learns (15 points, 45 minutes)
#
# **Loss.** The logits at position $t$ predict the token at $t+1$. So the targets are the ids moved by one: the logits of the last position predict nothing that we know, and the first token is predicted by nobody. `mask[b, t]` says whether token
# `ids[b, t]` counts **as a target**, as when only the answer of a dialogue is trained on. With $\mathcal T=\{(b,t):\ t\ge1,\ \text{mask}_{b,t}\}$,
#
# $$L=\frac1{|\mathcal T|}\sum_{(b,t)\in\mathcal T}-\ln\operatorname{softmax}(\text{logits}_{b,t-1})_{\text{ids}_{b,t}} .$$
#
# One mean over all targets of the batch: a sequence with twice as many targets weighs twice as much. The checks have at least one target. Logits may be in the thousands: `torch.log_softmax` or `logsumexp`, not `log(softmax)`.
#
# **By hand.** $V=2$, ids $(0,1,0)$, logits $(0,\ln3)$, $(0,0)$ and anything. The targets are 1 with probability $\tfrac34$ and 0 with probability $\tfrac12$: $L=(0.2877+0.6931)/2=0.4904$. With `mask` (true, true, false) it is 0.2877.
#
# **Batches.** The training data is one long row of $N$ ids. `get_batch(data, B, S, gen)` draws $B$ places with the generator `gen` (and no other), each of the places at which a sequence fits equally likely, independently, and cuts `x` from there and `y` one further: `y[b, t]` is the id after `x[b, t]`.
# Both need $S+1$ ids, so there are $N-S$ places.
#
# **By hand.** $N=5$, $S=2$, data $(10,11,12,13,14)$: the places are 0, 1, 2, and the last gives `x` $(12,13)$, `y` $(13,14)$.
#
# **Common mistakes.** The mask of the logits' position in place of the target's · a mean for each sequence, and then a mean of these · dividing by all of `mask.sum()`, with the first column · the last place never drawn · a generator of your own, which draws the same batch each time.


# %% nbgrader={"grade": false, "grade_id": "lm-loss", "locked": false, "schema_version": 3, "solution": true}
def lm_loss(logits, ids, mask):
    """Mean over the masked targets of the cross entropy of predicting ids[:, t + 1] from logits[:, t]."""
    ### BEGIN SOLUTION
    logs = torch.log_softmax(logits[:, :-1], dim=-1)
    of_targets = logs.gather(-1, ids[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -of_targets[mask[:, 1:]].mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-loss_values", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("loss_values")

# %% nbgrader={"grade": true, "grade_id": "check-loss_masks", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("loss_masks")


# %% nbgrader={"grade": false, "grade_id": "get-batch", "locked": false, "schema_version": 3, "solution": true}
def get_batch(data, B, S, gen):
    """B random windows of data (N): inputs x (B, S) and the ids that follow, y (B, S)."""
    ### BEGIN SOLUTION
    starts = torch.randint(len(data) - S, (B, 1), generator=gen)
    places = starts + torch.arange(S)
    return data[places], data[places + 1]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-batches", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("batches")

# %% [markdown]
# **Overfit one batch.** The oldest test of a training loop: a model that cannot learn four sequences by heart has a bug, and no amount of data will help. The last check takes weights like those of `init_weights`, your model and your loss, and does 150 steps of Adam on one batch of four sequences, with two layers and $D=32$.
# The loss starts near $\ln V$, as it must for somebody who knows nothing, and has to end below 0.1. The loop is the one in the next cell; run `overfit(...)` yourself before you submit.


# %% nbgrader={"grade": false, "grade_id": "overfit", "locked": true, "schema_version": 3, "solution": false}
def overfit(ids, p, cfg, steps, lr=0.01):
    """Adam on one batch, written out: the loss before each step. `p` is not changed."""
    p = {name: w.clone().requires_grad_() for name, w in p.items()}
    mean = {name: torch.zeros_like(w) for name, w in p.items()}
    square = {name: torch.zeros_like(w) for name, w in p.items()}
    everything = torch.ones_like(ids, dtype=torch.bool)
    losses = []
    for step in range(1, steps + 1):
        loss = lm_loss(lm_forward(ids, p, cfg), ids, everything)
        grads = torch.autograd.grad(loss, list(p.values()))
        losses.append(loss.item())
        with torch.no_grad():
            for name, g in zip(p, grads):
                mean[name].mul_(0.9).add_(g, alpha=0.1)
                square[name].mul_(0.95).addcmul_(g, g, value=0.05)
                unbiased = mean[name] / (1 - 0.9**step)
                p[name] -= lr * unbiased / ((square[name] / (1 - 0.95**step)).sqrt() + 1e-8)
    return losses


# %% nbgrader={"grade": true, "grade_id": "check-overfits_one_batch", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("overfits_one_batch")

# %% [markdown]
# ## Two plots
#
# The next cells draw them with your functions when you run them in a live notebook; the second one trains two small models and takes about ten seconds. With the reference they look like this.
#
# ![Bytes per token against the size of the vocabulary, on the training text and on other text: one at 256, rising steeply, then ever more slowly.](figures/compression.svg)
#
# Without a merge every token is one byte. With 128 merges it is nearly three bytes, with four times as many five: doubling the vocabulary buys less and less. This text is made of few roots and endings, so the curve of the
# held-out text stays close to that of the training text until the merges begin to learn whole words; on real text the gap opens sooner.


# %% nbgrader={"grade": false, "grade_id": "plot-compression", "locked": true, "schema_version": 3, "solution": false}
def corpus(sentences, seed):
    """Text of a small grammar whose words have roots and endings, some of them rare."""
    roots = re.findall(
        r"\w+",
        "walk paint garden lantern river count sail harbour winter letter engine build island mend "
        "whisper carry gather follow answer measure silver copper market window timber thunder "
        "castle planet signal bridge mirror ribbon saddle pocket kettle hammer anchor basket candle "
        "feather blanket compass village orchard meadow quarrel scatter wander shelter trouble",
    )
    parts = {
        "N": (("", "under", "over", "mid"), roots, ("", "s", "er", "ers", "ing")),
        "A": (("", "un", "half"), roots, ("y", "less", "ed", "like")),
        "V": (("", "re", "out", "mis"), roots, ("s", "ed", "ing")),
        "P": (("",), ("behind", "under", "across", "without", "beyond", "towards"), ("",)),
        "D": (("",), ("the", "a", "every", "this", "another"), ("",)),
    }
    rules = {
        "S": ["NP VP", "NP VP P NP", "P NP , NP VP"],
        "NP": ["D N", "D A N", "D N P D N"],
        "VP": ["V NP", "V NP and V NP"],
    }
    draw = random.Random(seed)

    def word(choices):
        return "".join(part[int(len(part) * draw.random() ** 2)] for part in choices)

    def expand(symbol):
        if symbol in rules:
            return [w for part in draw.choice(rules[symbol]).split() for w in expand(part)]
        return [word(parts[symbol])] if symbol in parts else [symbol]

    lines = (" ".join(expand("S")).replace(" ,", ",") for _ in range(sentences))
    return "".join(line.capitalize() + ".\n" for line in lines)


def compression_curve(sizes=(256, 288, 320, 384, 448, 512, 640, 768, 1024, 1280, 1536, 2048)):
    """Bytes per token against the size of the vocabulary, on the training text and on other text."""
    texts = {"training text": corpus(1500, seed=1), "held-out text": corpus(300, seed=2)}
    vocab, merges = train_bpe(texts["training text"], max(sizes), [])
    chart = labkit.LineChart("What merges buy", x="size of the vocabulary", y="bytes per token")
    for name, text in texts.items():
        sample = text[:10_000]
        rates = []
        for size in sizes:
            part = {number: token for number, token in vocab.items() if number < size}
            ids = Tokenizer(part, merges[: size - 256], []).encode(sample)
            rates.append(len(sample.encode()) / len(ids))
        chart.line(sizes, rates, name)
    return chart


labkit.figure(compression_curve)

# %% [markdown]
# ![Loss against training steps, with and without RoPE: both fall to about 2, then only the curve with RoPE goes on falling.](figures/rope_loss.svg)
#
# Both models learn quickly how frequent the letters are. Then only the one with RoPE learns to spell: what comes next depends on which letter came *just before*, and the other sees its past as a bag of bytes.
# (Not quite: the causal mask alone lets every position count how many others it sees. From that a model can find out the order, with more layers and many more steps.)


# %% nbgrader={"grade": false, "grade_id": "plot-rope", "locked": true, "schema_version": 3, "solution": false}
def rope_curves(steps=200, B=8, S=64):
    """The loss of training on single bytes with your rope, and with one that turns nothing."""
    data = torch.tensor(list(corpus(2000, seed=1).encode()))
    cfg = {"vocab": 256, "dim": 64, "layers": 2, "heads": 4, "kv_heads": 2, "ffn": 172}
    cfg |= {"theta": 1e4, "eps": 1e-5}
    chart = labkit.LineChart("Training, with and without RoPE", x="step", y="loss (mean of 10)")
    notebook, yours = globals(), rope
    for name, turn in {"with RoPE": yours, "without": lambda x, pos, theta: x}.items():
        gen = torch.Generator().manual_seed(0)
        p = init_weights(cfg, gen, dtype=torch.float32)
        optimizer = torch.optim.AdamW([w.requires_grad_() for w in p.values()], lr=3e-3)
        losses = []
        notebook["rope"] = turn  # block() finds it there
        try:
            for _ in range(steps):
                x, y = get_batch(data, B, S, gen)
                ids = torch.cat((x, y[:, -1:]), dim=1)
                loss = lm_loss(lm_forward(ids, p, cfg), ids, torch.ones_like(ids, dtype=torch.bool))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        finally:
            notebook["rope"] = yours
        window = range(10, steps + 1, 5)
        chart.line(window, [sum(losses[step - 10 : step]) / 10 for step in window], name)
    return chart


labkit.figure(rope_curves)

# %% [markdown]
# ## Read next
#
# - Sennrich, Haddow, Birch: *Neural machine translation of rare words with subword units* (2016), section 3.2 "Byte Pair Encoding". BPE on characters, in one page of Python; Radford et al., *Language models are unsupervised multitask learners* (2019), section 2.2 "Input Representation", moves it to bytes.
# - Zhang, Sennrich: *Root mean square layer normalization* (2019), section 4 "RMSNorm": what is lost with the mean (little) and what is not.
# - Shazeer: *GLU variants improve transformer* (2020), section 2 "Gated Linear Units (GLU) and Variants": your three matrices among their relatives.
# - Su et al.: *RoFormer* (2021), section 3.2 "Rotary position embedding": your pairs, derived from the wish that only $m-n$ shall matter.
# - Ainslie et al.: *GQA* (2023), section 2.2 "Grouped-query attention".
# - Touvron et al.: *LLaMA* (2023), section 2.2 "Architecture": a few paragraphs, and you have built all of it.
