"""A length of 1 is stretched to the other length, as broadcasting would do."""
# caught by: einsum_refusals
# hint: One letter has one length: 1 and 3 are two lengths.


# %% einsum2
def einsum2(spec, a, b):
    """The Einstein sum of two arrays that `spec` describes, e.g. "ij,jk->ik" or "ij,jk"; float64.

    Raises ValueError if `spec` is malformed or does not fit the shapes.
    """
    inputs, arrow, out = "".join(spec.split()).partition("->")
    operands = inputs.split(",")
    if len(operands) != 2:
        raise ValueError(f"{spec!r} describes {len(operands)} operands, not 2")
    if not all(letter.isalpha() for letter in inputs.replace(",", "") + out):
        raise ValueError(f"{spec!r}: an index is a letter")
    lengths = {}
    for letters, array in zip(operands, (a, b)):
        if len(letters) != array.ndim:
            raise ValueError(f"{letters!r} cannot name the axes of shape {array.shape}")
        for letter, length in zip(letters, array.shape):
            if 1 not in (lengths.setdefault(letter, length), length) and lengths[letter] != length:
                raise ValueError(f"{letter} is {lengths[letter]} and {length}")
            lengths[letter] = max(lengths[letter], length)
    if not arrow:
        out = "".join(sorted(letter for letter in lengths if inputs.count(letter) == 1))
    if not set(out) <= lengths.keys():
        raise ValueError(f"{out!r} has a letter that no operand has")

    kept = "".join(dict.fromkeys(out))
    order = kept + "".join(letter for letter in lengths if letter not in kept)

    def aligned(letters, array):
        """The operand with one axis for each letter of `order`, of length 1 where it has none."""
        for letter in set(letters):
            while letters.count(letter) > 1:
                i = letters.index(letter)
                j = letters.index(letter, i + 1)
                array = np.diagonal(array, axis1=i, axis2=j)
                letters = letters[:i] + letters[i + 1 : j] + letters[j + 1 :] + letter
        array = np.transpose(array, [letters.index(x) for x in order if x in letters])
        return np.reshape(
            array,
            [
                array.shape[[y for y in order if y in letters].index(x)] if x in letters else 1
                for x in order
            ],
        )

    product = aligned(operands[0], a) * aligned(operands[1], b)
    total = product.sum(axis=tuple(range(len(kept), len(order))))
    if kept == out:
        return total
    result = np.zeros([lengths[letter] for letter in out])
    places = dict(zip(kept, np.indices(total.shape)))
    result[tuple(places[letter] for letter in out)] = total
    return result
