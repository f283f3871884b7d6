"""All pairs of all words are counted again after each merge."""
# caught by: bpe_large (timed_out)
# hint: A merge changes only the words that contain it; remember which ones these are.


# %% train-bpe
def train_bpe(text, vocab_size, specials):
    """Byte-level BPE: (vocab, merges) with vocab: id -> bytes and merges: [(left, right), ...] in order."""
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
    merges = []
    while len(vocab) < vocab_size:
        pairs = Counter()
        for word, weight in zip(words, weights):
            for pair in pairwise(word):
                pairs[pair] += weight
        if not pairs:
            break
        most = max(pairs.values())
        best = max(pair for pair, count in pairs.items() if count == most)
        merges.append(best)
        vocab[len(vocab)] = best[0] + best[1]
        for n, word in enumerate(words):
            merged, place = [], 0
            while place < len(word):
                if tuple(word[place : place + 2]) == best:
                    merged.append(best[0] + best[1])
                    place += 2
                else:
                    merged.append(word[place])
                    place += 1
            words[n] = merged
    return vocab, merges
