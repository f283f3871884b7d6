"""Lets torch's dtypes round, as far as there is one with that many bits."""


# %% round-float
def round_float(x, exponent_bits, mantissa_bits, has_inf=True):
    kinds = {(5, 10): torch.float16, (8, 7): torch.bfloat16, (5, 2): torch.float8_e5m2}
    kind = kinds.get((exponent_bits, mantissa_bits), torch.float16)
    return torch.from_numpy(np.asarray(x)).to(kind).to(torch.float32).numpy()


# %% dot-accumulate
def dot_accumulate(a, b, mul, acc):
    return float(np.dot(a, b))
