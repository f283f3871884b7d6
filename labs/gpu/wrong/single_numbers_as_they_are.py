"""Arrays without dimensions are handed back as they are."""
# caught by: formats_of_any_size
# hint: A 0-dimensional array is an array of one number: round it like any other.


# %% round-float
def round_float(x, exponent_bits, mantissa_bits, has_inf=True):
    """x (float32 array) rounded to the nearest number of the format, ties to even; float32, same shape."""
    exact = np.asarray(
        x, dtype=np.float64
    )  # holds every float32 and every quotient by a power of two
    if exact.ndim == 0:
        return np.asarray(exact, dtype=np.float32)
    bias = 2 ** (exponent_bits - 1) - 1
    finite = np.isfinite(exact)
    _, exponent = np.frexp(np.where(finite, exact, 1.0))  # |x| = m · 2^exponent with m in [1/2, 1)
    step = np.exp2(np.maximum(exponent - 1, 1 - bias) - mantissa_bits)
    rounded = np.where(finite, np.rint(np.where(finite, exact, 0.0) / step) * step, exact)
    rounded = np.copysign(rounded, exact)
    if has_inf:
        largest = (2 - 2.0**-mantissa_bits) * 2.0 ** (2**exponent_bits - 2 - bias)
        rounded = np.where(np.abs(rounded) > largest, np.copysign(np.inf, exact), rounded)
    else:
        largest = (2 - 2 * 2.0**-mantissa_bits) * 2.0 ** (2**exponent_bits - 1 - bias)
        rounded = np.clip(rounded, -largest, largest)
    return rounded.astype(np.float32)
