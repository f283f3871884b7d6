"""All tokenizers add their merges to one dictionary of the notebook."""
# caught by: encode_merges
# hint: Each tokenizer has merges of its own; make the dictionary in __init__.

# %% tokenizer
RANK = {}


class Tokenizer:
    """Text to ids and back, with the vocabulary and merges of `train_bpe`."""

    def __init__(self, vocab, merges, specials):
        self.bytes_of = dict(vocab)
        self.id_of = {token: number for number, token in vocab.items()}
        self.rank = RANK
        self.rank.update({tuple(pair): n for n, pair in enumerate(merges)})
        self.specials = sorted(specials, key=len, reverse=True)
        self.special = re.compile("|".join(map(re.escape, self.specials)) or r"(?!)")

    def encode(self, text):
        """The ids of a text: list[int]."""
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

    def decode(self, ids):
        """The text of a list of ids; bytes that are not UTF-8 become U+FFFD."""
        return b"".join(self.bytes_of[number] for number in ids).decode("utf-8", errors="replace")

    def encode_iter(self, chunks):
        """The ids of the joined chunks, one by one, each as soon as it is certain."""
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
