"""The text is split at one special after the other, the longest first."""
# caught by: bpe_specials
# hint: Two specials may overlap, and then the one that begins first is meant, not the longest: one regular expression for all of them goes from left to right.


# %% train-bpe
def train_bpe(text, vocab_size, specials):
    """Byte-level BPE: (vocab, merges) with vocab: id -> bytes and merges: [(left, right), ...] in order."""
    vocab = {byte: bytes([byte]) for byte in range(256)}
    for special in specials:
        vocab[len(vocab)] = special.encode("utf-8")
    segments = [text]
    if specials:
        longest_first = sorted(specials, key=len, reverse=True)
        segments = [text]
        for s in longest_first:
            segments = [q for p in segments for q in p.split(s)]
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
