"""The implicit output keeps the letters that both operands have."""
# caught by: einsum_implicit
# hint: A letter that occurs more than once is summed, unless an arrow says otherwise.


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
            if lengths.setdefault(letter, length) != length:
                raise ValueError(f"{letter} is {lengths[letter]} and {length}")
    if not arrow:
        out = "".join(
            sorted(
                letter
                for letter in lengths
                if operands[0].count(letter) < 2 and operands[1].count(letter) < 2
            )
        )
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
        return np.reshape(array, [lengths[x] if x in letters else 1 for x in order])

    product = aligned(operands[0], a) * aligned(operands[1], b)
    total = product.sum(axis=tuple(range(len(kept), len(order))))
    if kept == out:
        return total
    result = np.zeros([lengths[letter] for letter in out])
    places = dict(zip(kept, np.indices(total.shape)))
    result[tuple(places[letter] for letter in out)] = total
    return result
