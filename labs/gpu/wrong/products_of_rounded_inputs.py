"""The inputs are rounded before they are multiplied."""
# caught by: accumulators
# hint: The inputs are float32 and stay so; what is rounded is each product.


# %% dot-accumulate
def dot_accumulate(a, b, mul, acc):
    """The dot product of a and b (n,), products rounded to `mul`, running sum to `acc`; a float."""
    formats = {"fp16": (5, 10), "fp32": None}

    def rounded(value, name):
        if formats[name] is None:
            return float(np.float32(value))
        return float(round_float(np.float64(value), *formats[name]))  # one rounding, not two

    total = 0.0
    for x, y in zip(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)):
        total = rounded(total + rounded(rounded(x, mul) * rounded(y, mul), mul), acc)
    return total
