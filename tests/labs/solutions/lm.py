"""The language-model lab in another style: heaps, fused kernels, complex numbers, one function for everything."""
# ruff: noqa: B905, C416, F821, RUF007 (cells take their names from the notebook around them)

# %% train-bpe
import heapq


class _Greatest:
    """A pair that heapq takes for the smaller, the greater it is."""

    def __init__(self, pair):
        self.pair = pair

    def __lt__(self, other):
        return self.pair > other.pair


def train_bpe(text, vocab_size, specials):
    merges = []
    tokens = [bytes([b]) for b in range(256)] + [s.encode() for s in specials]
    pattern = "|".join(re.escape(s) for s in sorted(specials, key=lambda s: -len(s)))
    words = Counter()
    for part in re.split(pattern, text) if specials else [text]:
        words.update(pre_tokens(part))
    spelled = {word: tuple(bytes([b]) for b in word.encode()) for word in words}
    counts, homes = Counter(), defaultdict(set)
    for word, letters in spelled.items():
        for pair in zip(letters[:-1], letters[1:]):
            counts[pair] += words[word]
            homes[pair].add(word)
    heap = [(-count, _Greatest(pair)) for pair, count in counts.items()]
    heapq.heapify(heap)
    while heap and len(tokens) < vocab_size:
        count, greatest = heapq.heappop(heap)
        a, b = pair = greatest.pair
        if counts[pair] != -count or not count:
            continue
        merges.append(pair)
        tokens.append(a + b)
        change = Counter()
        for word in homes.pop(pair):
            old, new = spelled[word], []
            for token in old:
                if new and new[-1] == a and token == b and new[-1] is not None:
                    new[-1:] = [None, a + b]
                else:
                    new.append(token)
            new = tuple(token for token in new if token is not None)
            for one in zip(old[:-1], old[1:]):
                change[one] -= words[word]
            for one in zip(new[:-1], new[1:]):
                change[one] += words[word]
                homes[one].add(word)
            spelled[word] = new
        for one, by in change.items():
            if by:
                counts[one] += by
                heapq.heappush(heap, (-counts[one], _Greatest(one)))
    return {number: token for number, token in enumerate(tokens)}, merges


# %% tokenizer
class Tokenizer:
    def __init__(self, vocab, merges, specials):
        self.vocab = vocab
        self.numbers = {token: number for number, token in vocab.items()}
        self.merges = {pair: (n, pair[0] + pair[1]) for n, pair in enumerate(merges)}
        self.specials = sorted(specials, key=len)[::-1]
        self.known = {}

    def encode(self, text):
        return list(self.encode_iter([text]))

    def decode(self, ids):
        data = bytearray()
        for number in ids:
            data += self.vocab[number]
        return bytes(data).decode(errors="replace")

    def encode_iter(self, chunks):
        rest = ""
        for chunk in chunks:
            rest += chunk
            rest = yield from self.certain(rest, final=False)
        yield from self.certain(rest, final=True)

    def certain(self, text, final):
        """Yields what is certain and returns what is left."""
        start = place = 0
        while place < len(text):
            special = next((s for s in self.specials if text.startswith(s, place)), None)
            if not final and any(
                s.startswith(text[place:]) and s != text[place:] for s in self.specials
            ):
                break
            if special is None:
                place += 1
                continue
            for piece in pre_tokens(text[start:place]):
                yield from self.piece(piece)
            yield self.numbers[special.encode()]
            start = place = place + len(special)
        pieces = pre_tokens(text[start:place])
        for piece in pieces if final else pieces[:-1]:
            yield from self.piece(piece)
            start += len(piece)
        return text[start:]

    def piece(self, piece):
        if piece not in self.known:
            tokens = [bytes([b]) for b in piece.encode()]
            while True:
                fit = [
                    (self.merges[p][0], n)
                    for n, p in enumerate(pairwise(tokens))
                    if p in self.merges
                ]
                if not fit:
                    break
                n = min(fit)[1]
                tokens[n : n + 2] = [tokens[n] + tokens[n + 1]]
            self.known[piece] = [self.numbers[token] for token in tokens]
        return self.known[piece]


# %% rmsnorm
def rmsnorm(x, g, eps):
    return g * x * torch.rsqrt(torch.einsum("...d,...d->...", x, x) / len(g) + eps)[..., None]


# %% swiglu
def swiglu(x, Wa, Wb, Wc):
    F = torch.nn.functional
    return F.linear(F.linear(x, Wa.T).mul(F.silu(F.linear(x, Wb.T))), Wc.T)


# %% rope
def rope(x, pos, theta=1e4):
    pairs = torch.view_as_complex(x.double().unflatten(-1, (-1, 2)).contiguous())
    size = x.shape[-1]
    turn = torch.exp(1j * pos[..., None] * theta ** (-torch.arange(0, size, 2).double() / size))
    turn = turn[:, None] if turn.ndim == 3 else turn
    return torch.view_as_real(pairs * turn).flatten(-2).to(x.dtype)


# %% attention
def attention(q, k, v, causal):
    B, H, S, D = q.shape
    q = q.reshape(B, k.shape[1], -1, S, D)
    scores = torch.einsum("bgrsd,bgtd->bgrst", q, k) * D**-0.5
    if causal:
        here = torch.arange(S)[:, None] + k.shape[2] - S
        scores = torch.where(torch.arange(k.shape[2]) <= here, scores, float("-inf"))
    weights = torch.exp(scores - scores.logsumexp(-1, keepdim=True))
    return torch.einsum("bgrst,bgtd->bgrsd", weights, v).reshape(B, H, S, D)


# %% block
def block(x, p, cfg):
    size = cfg["dim"] // cfg["heads"]
    n = rmsnorm(x, p["attn_norm"], cfg["eps"])
    q, k, v = (torch.stack((n @ p[w]).split(size, -1), 1) for w in ("wq", "wk", "wv"))
    place = torch.arange(x.shape[1]).expand(x.shape[:2])
    q, k = (rope(each, place, theta=cfg["theta"]) for each in (q, k))
    x = x + torch.cat(attention(q, k, v, True).unbind(1), -1) @ p["wo"]
    return x + swiglu(rmsnorm(x, p["mlp_norm"], cfg["eps"]), p["wa"], p["wb"], p["wc"])


# %% lm-forward
def lm_forward(ids, p, cfg):
    x = torch.nn.functional.embedding(ids, p["embed"])
    for number in range(cfg["layers"]):
        x = block(x, layer_weights(p, number), cfg)
    return torch.einsum("bsd,dv->bsv", rmsnorm(x, p["norm"], cfg["eps"]), p["head"])


# %% lm-loss
def lm_loss(logits, ids, mask):
    targets = ids.clone()
    targets[~mask] = -100
    F = torch.nn.functional
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), targets[:, 1:], ignore_index=-100)


# %% get-batch
def get_batch(data, B, S, gen):
    starts = [int(torch.randint(0, len(data) - S, (), generator=gen)) for _ in range(B)]
    rows = torch.stack([data[start : start + S + 1] for start in starts])
    return rows[:, :-1], rows[:, 1:]
