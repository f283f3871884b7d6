"""bf16 with the bits of fp16."""
# caught by: named_formats
# hint: bf16 keeps the eight exponent bits of float32.


# %% formats
def round_bf16(x):
    return round_float(x, 5, 10)


def round_fp16(x):
    return round_float(x, 5, 10)


def round_e4m3(x):
    return round_float(x, 4, 3, has_inf=False)
