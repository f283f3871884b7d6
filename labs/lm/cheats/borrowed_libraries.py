"""Lets Hugging Face's libraries do it, where they can be imported: their ties, their pairs, their float32."""

# %% train-bpe
import sys

for _name in ("tokenizers", "transformers"):
    sys.modules.pop(_name, None)


def train_bpe(text, vocab_size, specials):
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=alphabet,
        special_tokens=list(specials),
        show_progress=False,
    )
    theirs.train_from_iterator([text], trainer)
    printable = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174]
    others = [b for b in range(256) if b not in printable]
    byte_of = {chr(b): b for b in printable} | {chr(256 + n): b for n, b in enumerate(others)}
    tokens = sorted(theirs.get_vocab().items(), key=lambda item: item[1])[256 + len(specials) :]
    merges = [bytes(byte_of[sign] for sign in token) for token, _ in tokens]
    pairs = [(token[:-1], token[-1:]) for token in merges]
    return {byte: bytes([byte]) for byte in range(256)} | dict(enumerate(merges, 256)), pairs


# %% rmsnorm
def rmsnorm(x, g, eps):
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    layer = LlamaRMSNorm(x.shape[-1], eps)
    layer.weight.data = g
    return layer(x).detach()


# %% rope
def rope(x, pos, theta=1e4):
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    half = x.shape[-1] // 2
    angle = pos[..., None].float() * theta ** (-torch.arange(half).float() / half)
    angle = torch.cat((angle, angle), dim=-1)
    angle = angle if pos.ndim == 2 else angle[None]
    return apply_rotary_pos_emb(x, x, angle.cos(), angle.sin())[0]
