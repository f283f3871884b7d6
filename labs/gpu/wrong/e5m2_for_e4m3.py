"""The other eight-bit format."""
# caught by: named_formats
# hint: e4m3 has four exponent and three mantissa bits.


# %% formats
def round_bf16(x):
    return round_float(x, 8, 7)


def round_fp16(x):
    return round_float(x, 5, 10)


def round_e4m3(x):
    return round_float(x, 5, 2)
