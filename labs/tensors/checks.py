"""The experiments of the tensors lab: each runs on the student's notebook and on the reference.

Every check draws new inputs for each trial. The first trial of a check uses square shapes, so that an
axis which is mixed up gives wrong values and not a crash; later ones have lengths of 1, 0 and primes.
"""

import numpy as np

from grader.checks import Tolerance, check

EXACT = Tolerance(relative=1e-12, absolute=1e-13)  # no difference quotient is that good
CLOSE = Tolerance(relative=1e-9, absolute=1e-11)
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
GREEK = "αβγδεζηθλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ"


# --- E1: the einsums of Homework 1 -----------------------------------------------------------------

FOUR = [(3, 3, 3, 3), (2, 3, 5, 7), (1, 4, 1, 2), (2, 3, 0, 4)]


@check(
    exercise="E1",
    points=3,
    trials=4,
    inputs=lambda rng, trial: {
        "a": rng.standard_normal(FOUR[trial]),
        "b": rng.standard_normal(FOUR[trial]),
    },
    tolerance=EXACT,
    hint="Every output index occurs in both operands and nothing is summed: ijkl,ijkl->ijkl.",
)
def elementwise_product(lab, a, b):
    """Homework 1: the elementwise product of two four-dimensional arrays."""
    turned_a, turned_b = a.transpose(3, 1, 0, 2), b.transpose(3, 1, 0, 2)  # not contiguous
    return {"product": lab.mul4(a, b), "turned": lab.mul4(turned_a, turned_b), "a afterwards": a}


@check(
    exercise="E1",
    points=4,
    trials=5,
    inputs=lambda rng, trial: {
        "a": rng.standard_normal([*FOUR, (2, 3, 4, 0)][trial]),
        "b": rng.standard_normal([(3, 3), (11, 7), (5, 2), (1, 4), (3, 0)][trial]),
    },
    tolerance=CLOSE,
    hint="c[i,j,k,m] = Σ_l a[i,j,k,l]·b[m,l]: the second index of b meets the last one of a.",
)
def batched_product(lab, a, b):
    """Homework 1: a batch of products with a transposed matrix."""
    strided = np.repeat(b, 2, axis=0)[::2]
    return {"product": lab.bmm_t(a, b), "strided": lab.bmm_t(a[::-1], strided), "b afterwards": b}


@check(
    exercise="E1",
    points=3,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: {"a": rng.standard_normal(FOUR[trial])},
    tolerance=EXACT,
    hint="The third dimension is axis 2, because Python counts from 0; it disappears.",
)
def third_axis_sum(lab, a):
    """Homework 1: a sum over the third of four dimensions."""
    turned = a.transpose(2, 3, 0, 1)
    return {"sum": lab.sum_dim3(a), "of a transposed array": lab.sum_dim3(turned)}


# --- E2: einsum ------------------------------------------------------------------------------------


def spelled(rng, template, alphabet):
    """The template with other letters: each of its small letters becomes one of the alphabet."""
    old = sorted({letter for letter in template if letter.isalpha()})
    new = rng.choice(list(alphabet), size=len(old), replace=False)
    return template.translate({ord(a): str(b) for a, b in zip(old, new, strict=True)})


def operands(rng, template, lengths, alphabet=None):
    """A spec and two arrays; `lengths` gives the length of every letter of the template."""
    left, right = template.replace(" ", "").partition("->")[0].split(",")
    a, b = (np.asarray(rng.standard_normal([lengths[x] for x in s])) for s in (left, right))
    return {"spec": spelled(rng, template, alphabet) if alphabet else template, "a": a, "b": b}


THREE = dict.fromkeys("ijklm", 3)
PRIMES = {"i": 2, "j": 3, "k": 5, "l": 7, "m": 1}
EXPLICIT = [
    ("ij,jk->ik", THREE, None),
    ("ij,kj->ki", THREE, LETTERS),
    ("ij,jk->ik", PRIMES, GREEK),
    ("mij,mjk->kmi", PRIMES, LETTERS),
    ("ijk,jl->lki", PRIMES, GREEK),
    ("ij,ij->", PRIMES, LETTERS),
    ("ij,jk->", PRIMES, GREEK),
    ("ij,k->ki", PRIMES, LETTERS + GREEK),
    (",ij->ji", PRIMES, GREEK),
    ("ij,jk->ik", PRIMES | {"j": 0}, LETTERS),
]


@check(
    exercise="E2",
    points=5,
    trials=10,
    inputs=lambda rng, trial: operands(rng, *EXPLICIT[trial]),
    tolerance=CLOSE,
    hint="One axis of the result for each letter behind the arrow, in that order; sum over all other "
    "letters. An arrow with nothing behind it asks for one number; Greek letters are letters.",
)
def einsum_explicit(lab, spec, a, b):
    """Products, transposes, sums and outer products with an explicit output."""
    return {"result": lab.einsum2(spec, a, b), "a afterwards": a}


IMPLICIT = [
    ("ij,jk", THREE, None),
    ("ji,k", THREE, None),
    ("kj,ij", PRIMES, GREEK),
    ("ij,ij", PRIMES, LETTERS),
    ("lji,k", PRIMES, LETTERS),
    ("ii,j", {"i": 3, "j": 2}, GREEK),
    ("ji,", PRIMES, LETTERS + GREEK),
    ("iij,jk", {"i": 3, "j": 2, "k": 5}, LETTERS),
]


def implicit(rng, trial):
    made = operands(rng, *IMPLICIT[trial])
    if trial == 4:  # capital letters come before small ones, whatever the alphabet says
        small, large = rng.choice(list("abcd"), 2, False), rng.choice(list("WXYZ"), 2, False)
        made["spec"] = f"{small[0]}{large[0]}{small[1]},{large[1]}"
    return made


@check(
    exercise="E2",
    points=4,
    trials=8,
    inputs=implicit,
    tolerance=CLOSE,
    hint="Without an arrow: the letters that occur exactly once in both operands together, in the order "
    "of sorted().",
)
def einsum_implicit(lab, spec, a, b):
    """Specs without an arrow: which letters stay, and in which order."""
    return {"result": lab.einsum2(spec, a, b)}


DIAGONAL = [
    ("ii,i->i", THREE, None),
    ("i,i->ii", THREE, None),
    ("ij,jk->kki", PRIMES | {"i": 3, "j": 2}, LETTERS),
    ("ijj,k->kji", PRIMES, GREEK),
    ("iii,ij->j", {"i": 3, "j": 2}, LETTERS),
    ("ij,ji->jij", PRIMES, GREEK),
    ("ijij,j->i", PRIMES, LETTERS),
    ("iim,mjj->ij", PRIMES, LETTERS),
    ("i,m->iimm", PRIMES, GREEK),
]


@check(
    exercise="E2",
    points=3,
    trials=9,
    hidden=True,
    inputs=lambda rng, trial: operands(rng, *DIAGONAL[trial]),
    tolerance=CLOSE,
    hint="A letter twice in an operand reads its diagonal; a letter twice in the output writes to a "
    "diagonal and leaves zeros elsewhere.",
)
def einsum_diagonals(lab, spec, a, b):
    """Letters that repeat within an operand or within the output."""
    turned = np.ascontiguousarray(a.T).T  # the same array in column-major order
    return {"result": lab.einsum2(spec, turned, b)}


@check(
    exercise="E2",
    points=3,
    trials=2,
    hidden=True,
    inputs=lambda rng: {"a": rng.standard_normal((2, 3)), "b": rng.standard_normal((3, 5))},
    tolerance=CLOSE,
    hint="ValueError for: not two operands, letters that do not fit the axes, two lengths for one letter "
    "(1 does not stretch), an output letter that nobody has, a character that is no letter. Spaces "
    "are fine.",
)
def einsum_refusals(lab, a, b):
    """What must be refused with a ValueError, and what only looks odd."""
    wrong = {
        "too many letters": ("ijk,jk->ik", a, b),
        "too few letters": ("ij,j->i", a, b),
        "two lengths": ("ij,ik->jk", a, b),
        "two lengths on a diagonal": ("ii,jk->ik", a, b),
        "a length of 1 does not stretch": ("ij,jk->ik", a, b[:1]),
        "nor does it on the left": ("ij,jk->ik", a[:, :1], b),
        "an unknown letter": ("ij,jk->im", a, b),
        "one operand": ("ij->i", a, b),
        "three operands": ("ij,jk,k->i", a, b),
        "a digit": ("i1,1k->ik", a, b),
        "an ellipsis": ("...j,jk->...k", a, b),
        "two arrows": ("ij,jk->i->k", a, b),
    }
    results = {}
    for name, arguments in wrong.items():
        results[name] = "accepted"
        try:
            lab.einsum2(*arguments)
        except ValueError:
            results[name] = "ValueError"
        except Exception as error:
            results[name] = type(error).__name__
    for name, spec in {"spaces": " i j , jk  ->k i ", "no arrow": " ba, a c "}.items():
        try:
            results[name] = lab.einsum2(spec, a, b)
        except ValueError:
            results[name] = "ValueError"
    return results


# --- E3: broadcasting ------------------------------------------------------------------------------

PAIRS = [
    ("n", "mn"),
    ("m1", "1n"),
    ("k1n", "mn"),
    ("", "n"),
    ("n1", "n"),
    ("1", "1"),
    ("0", "1"),
    ("m0", "m1"),
    ("11n", "k1"),
    ("", ""),
    ("k1m1", "mn"),
]


def lengths_of(rng, *templates):
    """Shapes from words: each letter becomes a prime of its own, digits stay."""
    primes = dict(zip("kmn", rng.permutation([2, 3, 5, 7, 11])[:3].tolist(), strict=True))
    return [tuple(primes[c] if c in primes else int(c) for c in word) for word in templates]


@check(
    exercise="E3",
    points=4,
    trials=11,
    inputs=lambda rng, trial: dict(zip("st", lengths_of(rng, *PAIRS[trial]), strict=True)),
    hint="Align at the right; equal lengths stay, and a length of 1 becomes the other one, even if that "
    "is 0. A tuple of ints.",
)
def broadcast_shapes(lab, s, t):
    """Shapes that broadcast, in either order."""
    return {"s with t": lab.broadcast_shape(s, t), "t with s": lab.broadcast_shape(t, s)}


REFUSED = [("n", "m"), ("mn", "m"), ("mn", "nm"), ("0", "n"), ("kmn", "k1"), ("k1n", "m1k")]


@check(
    exercise="E3",
    points=3,
    trials=6,
    hidden=True,
    inputs=lambda rng, trial: dict(zip("st", lengths_of(rng, *REFUSED[trial]), strict=True)),
    hint="ValueError if two lengths meet that differ and neither is 1; 0 and 2 differ.",
)
def broadcast_refusals(lab, s, t):
    """Shapes that do not broadcast raise ValueError; their neighbours do not."""
    results = {"s with s": lab.broadcast_shape(s, s), "s with ones": lab.broadcast_shape((1,), s)}
    for name, pair in {"s with t": (s, t), "t with s": (t, s)}.items():
        results[name] = "accepted"
        try:
            lab.broadcast_shape(*pair)
        except ValueError:
            results[name] = "ValueError"
        except Exception as error:
            results[name] = type(error).__name__
    return results


UNBROADCAST = [
    ((3, 3), (3,)),
    ((2, 3), (2, 1)),
    ((2, 3), (2, 3)),
    ((4, 2, 3), (1, 3)),
    ((2, 3, 5), (3, 1)),
    ((7,), ()),
    ((2, 3, 5), (5,)),
    ((3, 2, 1, 5), ()),
    ((3, 1, 5), (1, 5)),
    ((2, 1, 3), (1, 1, 3)),
    ((0, 3), (3,)),
    ((2, 0), (2, 1)),
    ((), ()),
]


@check(
    exercise="E3",
    points=5,
    trials=13,
    inputs=lambda rng, trial: {
        "g": np.asarray(rng.standard_normal(UNBROADCAST[trial][0])),
        "shape": UNBROADCAST[trial][1],
    },
    tolerance=EXACT,
    hint="Sum over the axes that were put in front, then over the axes of length 1, with keepdims.",
)
def unbroadcast_shapes(lab, g, shape):
    """The sum over the copies has the shape of the original."""
    return {"sum over the copies": lab.unbroadcast(g, shape), "g afterwards": g}


def stretched(rng):
    """A shape of up to four axes and one that broadcasts to it."""
    large = [int(n) for n in rng.choice([2, 3, 5], size=int(rng.integers(2, 5)))]
    small = [1 if rng.random() < 0.5 else n for n in large]
    small = small[int(rng.integers(0, 3)) :]
    g = rng.standard_normal(large)
    return {"g": g, "shape": tuple(small), "a": rng.standard_normal((3, *small))}


def adjoint(inputs, outputs):
    g, shape, got = inputs["g"], inputs["shape"], np.asarray(outputs["unbroadcast"])
    if got.shape != shape or got.dtype != np.float64:
        return f"unbroadcast must return a float64 array of shape {shape}"
    for a in inputs["a"]:
        left, right = float(np.sum(np.broadcast_to(a, g.shape) * g)), float(np.sum(a * got))
        if not abs(left - right) <= 1e-11 * (1.0 + float(np.sum(np.abs(g)))):
            return f"⟨Ba, g⟩ is {left:.12g}, but ⟨a, unbroadcast(g)⟩ is {right:.12g}"
    return None


@check(
    exercise="E3",
    points=3,
    trials=8,
    hidden=True,
    inputs=stretched,
    verify=adjoint,
    hint="⟨Ba, g⟩ = ⟨a, unbroadcast(g, a.shape)⟩ has to hold for every a and every g, also for a g that "
    "is not contiguous.",
)
def unbroadcast_is_the_adjoint(lab, g, shape, a):
    """The inner-product identity that defines the adjoint, on random shapes."""
    strided = np.repeat(g, 2, axis=-1)[..., ::2]
    return {"unbroadcast": lab.unbroadcast(strided, shape)}


# --- E4: strides -----------------------------------------------------------------------------------

SHAPES = [(2, 3, 4), (5,), (3, 1, 7), (1, 1), (), (2, 3, 5, 7), (11, 2)]


@check(
    exercise="E4",
    points=3,
    trials=7,
    inputs=lambda rng, trial: {"shape": tuple(int(n) for n in rng.permutation(SHAPES[trial]))},
    hint="The stride of an axis is the product of the lengths behind it; the last one is 1. Count "
    "elements, not bytes.",
)
def row_major_strides(lab, shape):
    """The strides of arrays in row-major order."""
    longer = (*shape, 6)
    return {
        "strides": lab.contiguous_strides(shape),
        "one more axis": lab.contiguous_strides(longer),
    }


def view(rng, trial):
    """A view of a buffer: shape, strides and base in elements, and some indices into it."""
    start = rng.permutation([2, 3, 5]).tolist()
    buffer = np.arange(float(np.prod(start))).reshape(start)
    seen = [buffer, buffer.transpose(2, 0, 1), buffer[::-1, :, ::-1], buffer[1:, ::2, 1]][trial]
    base = (seen.__array_interface__["data"][0] - buffer.__array_interface__["data"][0]) // 8
    indices = [tuple(int(rng.integers(n)) for n in seen.shape) for _ in range(5)]
    strides = tuple(s // 8 for s in seen.strides)
    return {"strides": strides, "base": int(base), "indices": indices}


@check(
    exercise="E4",
    points=3,
    trials=4,
    inputs=view,
    hint="base + Σ index·stride, with whatever signs the strides have; ValueError if index and strides "
    "differ in length.",
)
def element_offsets(lab, strides, base, indices):
    """Where the elements of transposed, reversed and sliced arrays lie."""
    results = {"offsets": [lab.offset(index, strides, base) for index in indices]}
    results["base 0"] = [lab.offset(index, strides) for index in indices]
    results["no axes"] = lab.offset((), (), base=base + 3)
    results["a broadcast axis"] = lab.offset((4, *indices[0]), (0, *strides), base)
    for name, index in {"too short": indices[0][1:], "too long": (*indices[0], 0)}.items():
        results[name] = "accepted"
        try:
            lab.offset(index, strides, base)
        except ValueError:
            results[name] = "ValueError"
        except Exception as error:
            results[name] = type(error).__name__
    return results


@check(
    exercise="E4",
    points=2,
    trials=3,
    inputs=lambda rng: {"shape": tuple(rng.permutation([2, 3, 5]).tolist())},
    hint="Compare with the strides of row-major order.",
)
def contiguous_or_not(lab, shape):
    """Row-major order, transposes, gaps and reversed axes."""
    k, m, n = shape
    cases = {
        "row-major": (shape, (m * n, n, 1)),
        "column-major": (shape, (1, k, k * m)),
        "two axes swapped": ((k, n, m), (m * n, 1, n)),
        "every second row": ((k, n), (2 * n, 1)),
        "every second column": ((k, n), (2 * n, 2)),
        "reversed": ((n,), (-1,)),
        "a vector": ((n,), (1,)),
    }
    return {name: lab.is_contiguous(*case) for name, case in cases.items()}


@check(
    exercise="E4",
    points=2,
    trials=3,
    hidden=True,
    inputs=lambda rng: {
        "n": int(rng.choice([2, 3, 5, 7])),
        "odd": int(rng.integers(100, 200)),
    },
    hint="An axis of length 1 never uses its stride; an empty array is contiguous; a stride of 0 is not.",
)
def contiguous_traps(lab, n, odd):
    """Axes of length 1, empty arrays, broadcast axes, and no axes at all."""
    cases = {
        "length 1 with an odd stride": ((n, 1, 4), (4, odd, 1)),
        "only lengths of 1": ((1, 1), (odd, 0)),
        "a column as a row": ((1, n), (odd, 1)),
        "a column of a matrix": ((n, 1), (odd, 1)),
        "no axes": ((), ()),
        "no elements": ((n, 0, 3), (odd, 1, odd)),
        "no elements at the front": ((0, n), (1, odd)),
        "broadcast": ((n, 4), (0, 1)),
        "gap behind an axis of length 1": ((n, 1, 4), (8, 4, 1)),
    }
    return {name: lab.is_contiguous(*case) for name, case in cases.items()}


# --- E5: softmax and cross entropy -----------------------------------------------------------------

ROWS = [
    ((5,), -1, 1.0),
    ((3, 3), 0, 3.0),
    ((2, 3, 5), 1, 1.0),
    ((3, 4), -1, 1e4),
    ((4, 3), 0, 2000.0),
    ((7, 1), 1, 50.0),
    ((0, 4), 1, 1.0),
]


def rows(rng, trial):
    shape, axis, scale = ROWS[trial]
    x = scale * rng.standard_normal(shape)
    if (
        scale > 100.0
    ):  # slices so far apart that no single number can be subtracted from all of them
        order = np.arange(shape[1 - axis % 2]) - 1.0
        x += 1e5 * (order[:, np.newaxis] if axis else order)
    return {"x": x, "axis": axis}


@check(
    exercise="E5",
    points=3,
    trials=7,
    inputs=rows,
    tolerance=EXACT,
    hint="m + ln Σ exp(x − m), with the maximum m of each slice along the axis. exp(710) overflows.",
)
def logsumexp_values(lab, x, axis):
    """ln Σ exp along any axis, also of logits in the thousands."""
    strided = np.repeat(x, 2, axis=-1)[..., ::2]
    results = {"logsumexp": lab.logsumexp(x, axis=axis), "last axis": lab.logsumexp(strided)}
    return {**results, "x afterwards": x}


@check(
    exercise="E5",
    points=2,
    trials=3,
    hidden=True,
    inputs=lambda rng: {"x": rng.standard_normal((3, 4)), "size": float(rng.uniform(800, 900))},
    tolerance=EXACT,
    hint="All −∞ gives −∞, a +∞ gives +∞, and ∞ − ∞ must not happen: subtract the maximum only where it "
    "is finite.",
)
def logsumexp_limits(lab, x, size):
    """Slices with −∞, with nothing else, and with +∞."""
    inf = float("inf")
    with np.errstate(all="ignore"):
        some, all_of_them, plus = x.copy(), x.copy(), x.copy()
        some[0, 1:] = some[1, 0] = -inf
        all_of_them[1] = -inf
        plus[2, 3], plus[1, :2] = inf, (inf, -inf)
        return {
            "some −∞": lab.logsumexp(some),
            "a row of −∞": lab.logsumexp(all_of_them, axis=1),
            "a column without −∞": lab.logsumexp(all_of_them, axis=0),
            "+∞": lab.logsumexp(plus),
            "large and small": lab.logsumexp(x + np.array([[size], [-size], [0.0]])),
            "nothing but −∞": lab.logsumexp(np.full(3, -inf)),
        }


@check(
    exercise="E5",
    points=4,
    trials=7,
    inputs=lambda rng, trial: (
        rows(rng, trial)
        | {"temperature": [0.5, 0.1, float(rng.uniform(0.2, 5.0)), 3.0, 7.0, 1.0, 1.0][trial]}
    ),
    tolerance=CLOSE,
    hint="Divide the logits by the temperature first, subtract the maximum of each slice, and divide by "
    "the sum along the same axis.",
)
def softmax_values(lab, x, axis, temperature):
    """Softmax along any axis, at any temperature, with masked and with huge logits."""
    results = {"softmax": lab.softmax(x, axis=axis, temperature=temperature)}
    results["at temperature 1"] = lab.softmax(x, axis)
    if x.ndim == 2 and x.shape[1] > 1:
        masked = x.copy()
        masked[: len(x) // 2, 1:] = masked[:, 0] = -np.inf
        masked[: len(x) // 2, 0] = 3.0
        results["masked"] = lab.softmax(masked, -1, temperature)
    return {**results, "x afterwards": x}


LOGITS = [
    ((4, 4), 1.0),
    ((3, 5), 1.0),
    ((1, 7), 30.0),
    ((5, 3), 1e4),
    ((2, 1), 5.0),
    ((6, 2), 800.0),
]


def labelled(rng, trial):
    (n, c), scale = LOGITS[trial]
    return {"logits": scale * rng.standard_normal((n, c)), "y": rng.integers(0, c, n)}


@check(
    exercise="E5",
    points=4,
    trials=6,
    inputs=labelled,
    tolerance=CLOSE,
    hint="The mean over the rows of logsumexp(z) − z[y], a float; never the logarithm of a softmax.",
)
def cross_entropy_values(lab, logits, y):
    """The mean of −ln p of the labels, also where p underflows."""
    one = float(y[0] == y[-1])
    return {
        "loss": lab.cross_entropy(logits, y),
        "first row": lab.cross_entropy(logits[:1], y[:1]),
        "shifted logits": lab.cross_entropy(logits + 500.0 + one, y),
        "logits afterwards": logits,
    }


def padded(rng, trial):
    n, c = [(6, 6), (7, 3), (5, 11), (9, 2)][trial]
    y = rng.integers(0, c, n)
    y[rng.permutation(n)[:2]] = -100
    size = [1.0, 3.0, 1.0, 200.0][trial]
    return {
        "logits": size * rng.standard_normal((n, c)),
        "y": y,
        "smoothing": [0.1, 0.0, float(rng.uniform(0.05, 0.5)), 1.0][trial],
        "other": int(rng.integers(0, c)),
    }


@check(
    exercise="E5",
    points=3,
    trials=4,
    hidden=True,
    inputs=padded,
    tolerance=CLOSE,
    hint="Rows with ignore_index count neither above nor below the fraction line; q is (1 − s)·onehot + "
    "s/C over all C classes; no rows at all give 0.0; with s = 0 a masked class does no harm.",
)
def cross_entropy_options(lab, logits, y, smoothing, other):
    """Ignored rows, smoothing, other values of ignore_index, masked classes, and no rows."""
    changed = np.where(y == -100, -1, y)
    masked, label = logits[:2].copy(), np.array([0, logits.shape[1] - 1])
    masked[0, 1:] = masked[1, 0] = -np.inf

    def loss(*arguments):
        try:
            return lab.cross_entropy(*arguments)
        except IndexError:  # a label of -100 used as a class
            return "IndexError"

    with np.errstate(all="ignore"):
        return {
            "padded with -1": loss(logits, changed, -1),
            "padded": loss(logits, y),
            "smoothed": loss(logits, np.abs(y) % 2, -100, smoothing),
            "padded and smoothed": loss(logits, y, -100, smoothing),
            "padded with a class": loss(logits, y * (y > 0), other, smoothing),
            "masked classes": loss(masked, label),
            "only padding": loss(logits, np.full(len(y), -100), -100, smoothing),
            "no rows": loss(logits[:0], y[:0]),
            "by name": lab.cross_entropy(logits, changed, smoothing=smoothing, ignore_index=-1),
        }


def graded(rng, trial):
    if trial < 4:
        return padded(rng, trial)
    n, c = 61, 307  # an evaluation of the loss for each entry would take too long
    y = rng.integers(0, c, n)
    y[::7] = -100
    return {
        "logits": 3.0 * rng.standard_normal((n, c)),
        "y": y,
        "smoothing": float(rng.uniform(0.05, 0.5)),
        "other": int(y[1]),
    }


@check(
    exercise="E5",
    points=4,
    trials=5,
    inputs=graded,
    tolerance=CLOSE,
    limits={"check_wall_seconds": 2},
    hint="(p − q)/(number of rows that count), and zeros in the rows that do not.",
)
def cross_entropy_gradients(lab, logits, y, smoothing, other):
    """(p − q)/N with ignored rows and smoothing, for small and large logits."""
    plain = np.abs(y) % 2
    return {
        "plain": lab.cross_entropy_grad(logits, plain),
        "padded": lab.cross_entropy_grad(logits, y),
        "padded and smoothed": lab.cross_entropy_grad(logits, y, smoothing=smoothing),
        "padded with a class": lab.cross_entropy_grad(logits, y * (y > 0), other, smoothing),
        "only padding": lab.cross_entropy_grad(logits, np.full(len(y), -100)),
        "huge logits": lab.cross_entropy_grad(logits * 1e4, y, smoothing=smoothing),
        "logits afterwards": logits,
    }


# --- E6: the network -------------------------------------------------------------------------------

NETWORKS = [(3, 3, 3), (1, 2, 5), (5, 3, 2), (2, 1, 1), (7, 4, 11), (17, 211, 307)]


def network(rng, trial):
    B, D, H = NETWORKS[trial]
    return {
        "x": rng.standard_normal((B, D)),
        "y": rng.standard_normal((B, 1)),
        "W1": rng.standard_normal((D, H)),
        "W2": rng.standard_normal((H, 1)),
    }


@check(
    exercise="E6",
    points=3,
    trials=5,
    inputs=network,
    tolerance=CLOSE,
    hint="The mean over the batch of (ŷ − y)², a float; nothing is halved.",
)
def mlp_forward(lab, x, y, W1, W2):
    """The mean squared error of max(x W1, 0) W2."""
    model = lab.MLP(W1, W2)
    results = {"loss": model.forward(x, y), "again": model.forward(x, y)}
    results["large x"] = model.forward(20.0 * x, y)
    results["another batch"] = model.forward(-x[:1], y[:1])
    return {**results, "W1 afterwards": np.array(model.W1), "x afterwards": x}


@check(
    exercise="E6",
    points=7,
    trials=6,
    inputs=network,
    tolerance=CLOSE,
    limits={"check_wall_seconds": 2},
    hint="g = 2/B·(ŷ − y); W̄2 = hᵀg; ā = gW2ᵀ where a > 0, else 0; W̄1 = xᵀā; x̄ = āW1ᵀ.",
)
def mlp_gradients(lab, x, y, W1, W2):
    """The gradients with respect to both weights and the input, for batches of 1 and more."""
    model = lab.MLP(W1, W2)
    model.forward(x, y)
    results = {"gradients": model.backward()}
    model.forward(-x[:1], y[:1])
    results["of another batch"] = model.backward()
    return results


@check(
    exercise="E6",
    points=4,
    trials=4,
    hidden=True,
    inputs=lambda rng, trial: network(rng, trial) | {"lr": float(rng.uniform(0.001, 0.01))},
    tolerance=CLOSE,
    hint="Both gradients at the old weights, then both updates; backward twice gives the same twice; "
    "arrays that others hold do not change.",
)
def mlp_steps(lab, x, y, W1, W2, lr):
    """Steps of gradient descent: order, sign, repeated backward, and nobody else's arrays."""
    model, other = lab.MLP(W1, W2), lab.MLP(W1, W2)
    model.forward(x, y)
    first, second = model.backward(), model.backward()
    kept = {name: np.array(gradient) for name, gradient in first.items()}
    model.step(lr)
    results = {"first": kept, "second": second, "first after the step": first}
    results["W1"], results["W2"] = np.array(model.W1), np.array(model.W2)
    for k in range(3):
        model.forward(x[k % len(x) :], y[k % len(x) :])
        model.backward()
        model.step(lr * (k + 1))
    results["after more steps"] = [np.array(model.W1), np.array(model.W2)]
    results["loss"] = model.forward(x, y)
    results["another network"] = [other.forward(x, y), np.array(other.W1), np.array(other.W2)]
    return {**results, "W1 afterwards": W1, "W2 afterwards": W2}


def homework(rng):
    return {
        "x": rng.standard_normal((500, 64)),
        "y": rng.standard_normal((500, 1)),
        "W1": rng.standard_normal((64, 64)),
        "W2": rng.standard_normal((64, 1)),
        "samples": rng.integers(500, size=1000),
    }


def learnt(inputs, outputs):
    """The loss, measured here; and the weights that 1000 steps have to lead to."""
    x, y, W1, W2 = (inputs[name] for name in ("x", "y", "W1", "W2"))

    def loss(W1, W2):
        return float(np.mean((np.maximum(x @ W1, 0.0) @ W2 - y) ** 2))

    got = outputs["W1"], outputs["W2"]
    for name, weights, right in zip(("W1", "W2"), got, (W1, W2), strict=True):
        if getattr(weights, "shape", None) != right.shape or weights.dtype != np.float64:
            return f"{name} must stay a float64 array of shape {right.shape}"
    before, after = loss(W1, W2), loss(*got)
    if not after <= before / 10.0:
        return f"the loss over all points goes from {before:.4g} to {after:.4g}, not to a tenth"
    for i in inputs["samples"]:
        a = W1.T @ x[i]
        g = 2.0 * (np.maximum(a, 0.0) @ W2[:, 0] - y[i, 0])
        slope = np.where(a > 0.0, g * W2[:, 0], 0.0)
        W1, W2 = (
            W1 - 1e-4 * np.outer(x[i], slope),
            W2 - 1e-4 * g * np.maximum(a, 0.0)[:, np.newaxis],
        )
    for name, weights, right in zip(("W1", "W2"), got, (W1, W2), strict=True):
        if not float(np.max(np.abs(weights - right))) <= 1e-7:
            return f"the loss falls, but {name} is not where 1000 steps of lr = 1e-4 lead"
    return None


@check(
    exercise="E6",
    points=6,
    trials=1,
    inputs=homework,
    verify=learnt,
    hint="If the gradients are right this learns by itself; look at the sign of the step and at what "
    "forward keeps for backward.",
)
def mlp_training(lab, x, y, W1, W2, samples):
    """Homework 1: 1000 steps with one sample each cut the loss over all points to a tenth or less."""
    model = lab.MLP(W1, W2)
    for i in samples:
        model.forward(x[i : i + 1], y[i : i + 1])
        model.backward()
        model.step(1e-4)
    return {"W1": np.array(model.W1), "W2": np.array(model.W2)}


# --- E7: power iteration ---------------------------------------------------------------------------


def symmetric(rng, eigenvalues):
    """A symmetric matrix with these eigenvalues and random eigenvectors."""
    q, _ = np.linalg.qr(rng.standard_normal((len(eigenvalues), len(eigenvalues))))
    S = (q * np.asarray(eigenvalues)) @ q.T
    return (S + S.T) / 2.0


def some_matrix(rng, trial):
    n = [3, 2, 5, 1, 7, 4][trial]
    S = rng.standard_normal((n, n))
    return {"S": S + S.T, "seed": int(rng.integers(1000)), "iters": [2, 1, 3, 1, 5, 2][trial]}


@check(
    exercise="E7",
    points=4,
    trials=6,
    inputs=some_matrix,
    tolerance=CLOSE,
    hint="Start with default_rng(seed).standard_normal(n), multiply and normalise exactly `iters` times, "
    "then the Rayleigh quotient of what you return.",
)
def power_iteration(lab, S, seed, iters):
    """A few iterations from the given start: not yet an eigenvector, but the right vector."""
    value, vector = lab.top_eig(S, iters, seed)
    later, _ = lab.top_eig(S, iters + 1, seed)
    results = {"eigenvalue": value, "vector": vector, "one more": later}
    for start in range(1, 7):  # half of the starts end with the other sign
        results[f"seed {seed + start}"] = lab.top_eig(S, iters, seed + start)[1]
    return {**results, "S afterwards": S}


def dominant(rng, trial):
    n = [3, 5, 8, 2][trial]
    values = np.concatenate([[float(rng.uniform(4, 9))], rng.uniform(-1.5, 3.0, n - 1)])
    if trial != 1:
        values = -values  # the dominant one is negative
    return {"S": symmetric(rng, values), "seed": int(rng.integers(1000))}


@check(
    exercise="E7",
    points=3,
    trials=4,
    inputs=dominant,
    tolerance=CLOSE,
    hint="The largest in magnitude, which may be negative; the component of largest magnitude is positive.",
)
def dominant_pair(lab, S, seed):
    """Many iterations end at the dominant eigenpair, with the sign of the eigenvalue; few do not."""
    value, vector = lab.top_eig(S, 200, seed)
    others = [lab.top_eig(S, 200, seed + start)[1] for start in range(1, 7)]
    early, _ = lab.top_eig(1e100 * S, 5, seed)  # without normalising, powers of this overflow
    return {
        "eigenvalue": value,
        "vector": vector,
        "S v": S @ vector,
        "from other starts": others,
        "length": float(np.sum(vector * vector)),
        "after five steps": early / 1e100,
    }


@check(
    exercise="E7",
    points=3,
    trials=2,
    hidden=True,
    inputs=lambda rng: {
        "S": symmetric(rng, [-8.0, 4.1, -2.0, 1.05, 0.5]),
        "seed": int(rng.integers(1000)),
        "n": int(rng.choice([2, 3, 7])),
    },
    tolerance=Tolerance(relative=1e-7, absolute=1e-9),
    hint="S − λ u uᵀ moves λ to 0 only if u has length 1; a matrix of zeros stops at once with λ = 0.",
)
def deflation(lab, S, seed, n):
    """The next eigenpairs of a deflated matrix, and a matrix of zeros."""
    results, left = {}, S
    for k in range(3):
        value, vector = lab.top_eig(left, 12 + 30 * k, seed)
        results[f"pair {k + 1}"] = [value, vector]
        left = left - value * np.outer(vector, vector)
    results["zeros"] = list(lab.top_eig(np.zeros((n, n)), 5, seed))
    return results
