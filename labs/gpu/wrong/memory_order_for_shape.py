"""The values come back in the order in which they lie in memory."""
# caught by: formats_of_any_size
# hint: ravel(order="K") follows the memory; a transposed array comes back shuffled. numpy's elementwise functions need no ravel.


# %% round-float
def round_float(x, exponent_bits, mantissa_bits, has_inf=True):
    """x (float32 array) rounded to the nearest number of the format, ties to even; float32, same shape."""
    exact = np.asarray(x, dtype=np.float64).ravel(
        order="K"
    )  # holds every float32 and every quotient by a power of two
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
    return rounded.astype(np.float32).reshape(np.shape(x))
