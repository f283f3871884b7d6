"""What only the optimisers lab can say: the handout's numbers, and mistakes that are not shipped with it."""

import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from grader.lint import Linter
from grader.mistakes import read_mistake
from grader.percent import read_fragment
from grader.protocol import Verdict
from labs.catalog import HOME
from tests.labs.held_out import HeldOut, held_out, survivors

FOLDER = HOME / "optim"
WRONG = sorted((FOLDER / "wrong").glob("*.py"))

HELD_OUT = [
    held_out(
        "momentum squared",
        "sgd_momentum, sgd_nesterov",
        "sgd",
        ("v = self.momentum * self", "v = self.momentum**2 * self"),
    ),
    held_out(
        "velocity starts at ones",
        "sgd_momentum",
        "sgd",
        ("self.state.get(name, 0.0)", "self.state.get(name, 1.0)"),
    ),
    held_out(
        "velocity never kept", "sgd_momentum", "sgd", ("                self.state[name] = v\n", "")
    ),
    held_out(
        "velocity reset when lr changes",
        "sgd_momentum",
        "sgd",
        (
            "v = self.momentum * self.state.get(name, 0.0) + d",
            "v = self.momentum * self.state.get((name, self.lr), 0.0) + d",
        ),
        ("self.state[name] = v", "self.state[name, self.lr] = v"),
    ),
    held_out(
        "nesterov forgets the decay",
        "sgd_weight_decay",
        "sgd",
        ("d = d + self.momentum * v if", "d = grads[name] + self.momentum * v if"),
    ),
    held_out(
        "decay only with momentum",
        "sgd_weight_decay",
        "sgd",
        (
            "d = grads[name] + self.weight_decay * w",
            "d = grads[name] + (self.weight_decay * w if self.momentum else 0.0)",
        ),
    ),
    held_out(
        "decay only without momentum",
        "sgd_weight_decay",
        "sgd",
        (
            "d = grads[name] + self.weight_decay * w",
            "d = grads[name] + (self.weight_decay * w if not self.momentum else 0.0)",
        ),
    ),
    held_out(
        "decay decoupled",
        "sgd_weight_decay",
        "sgd",
        (
            "            d = grads[name] + self.weight_decay * w\n",
            "            d = grads[name]\n            self.p[name] *= 1.0 - self.lr * self.weight_decay\n",
        ),
    ),
    held_out(
        "decay of yesterday",
        "sgd_weight_decay",
        "sgd",
        (
            "self.weight_decay * w\n",
            "self.weight_decay * self.state.setdefault((name, 'first'), w.copy())\n",
        ),
    ),
    held_out(
        "gradient averaged over its entries",
        "sgd_plain",
        "sgd",
        (
            "d = grads[name] +",
            "d = np.mean(grads[name]) if grads[name].size else grads[name]\n            d = d +",
        ),
    ),
    held_out(
        "first parameter only",
        "sgd_plain",
        "sgd",
        ("self.lr * d", "self.lr * d\n            break"),
    ),
    held_out("step halved", "sgd_plain", "sgd", ("-= self.lr * d", "-= 0.5 * self.lr * d")),
    held_out(
        "all velocities under one name",
        "sgd_memory",
        "sgd",
        ("self.state.get(name, 0.0)", "self.state.get(w.size, 0.0)"),
        ("self.state[name] = v", "self.state[w.size] = v"),
    ),
    held_out(
        "velocity changed in the caller's array",
        "sgd_memory",
        "sgd",
        (
            "                v = self.momentum * self.state.get(name, 0.0) + d\n",
            "                v = grads[name]\n                v += self.momentum * self.state.get(name, 0.0)\n                v = v.copy()\n",
        ),
    ),
    held_out(
        "ball forgets the gradient",
        "heavy_ball_constant",
        "heavy-ball",
        ("- self.lr * grads[name] +", "+"),
    ),
    held_out(
        "ball looks ahead",
        "heavy_ball_constant",
        "heavy-ball",
        ("w - self.lr * grads[name]", "w - self.lr * (1 + self.beta) * grads[name]"),
    ),
    held_out(
        "ball rolls on by the second last displacement",
        "heavy_ball_constant",
        "heavy-ball",
        (
            "            before = self.state.get(name, w)\n",
            "            before = self.state.get((name, 1), w)\n            self.state[name, 1] = self.state.get(name, w.copy())\n",
        ),
    ),
    held_out(
        "beta squared",
        "heavy_ball_constant, heavy_ball_schedule",
        "heavy-ball",
        ("self.beta * (w", "self.beta**2 * (w"),
    ),
    held_out(
        "average of gradient and displacement",
        "heavy_ball_constant",
        "heavy-ball",
        ("w - self.lr * grads", "w - (1 - self.beta) * self.lr * grads"),
    ),
    held_out(
        "displacement scaled to the new lr",
        "heavy_ball_schedule",
        "heavy-ball",
        (
            "            after =",
            "            ratio = self.lr / self.state.get('lr', self.lr) if self.state.get('lr', 1) else 1.0\n            after =",
        ),
        ("self.beta * (w - before)", "self.beta * ratio * (w - before)"),
        (
            "            w[...] = after",
            "            w[...] = after\n        self.state['lr'] = self.lr",
        ),
    ),
    held_out(
        "ball frozen at its first lr",
        "heavy_ball_schedule",
        "heavy-ball",
        ("- self.lr * grads", "- self.state.setdefault('lr', self.lr) * grads"),
    ),
    held_out(
        "ball changes the gradients",
        "heavy_ball_memory",
        "heavy-ball",
        (
            "            before = self",
            "            grads[name] *= 1.0 + 1e-3\n            before = self",
        ),
    ),
    held_out(
        "ball points shared by shape",
        "heavy_ball_memory, heavy_ball_constant",
        "heavy-ball",
        ("self.state.get(name, w)", "self.state.get(w.shape, w)"),
        ("self.state[name] =", "self.state[w.shape] ="),
    ),
    held_out(
        "no root", "adam_path", "adam", ("np.sqrt(s / (1.0 - beta2**t))", "s / (1.0 - beta2**t)")
    ),
    held_out(
        "only s corrected", "adam_first_steps, adam_path", "adam", ("m / (1.0 - beta1**t)", "m")
    ),
    held_out(
        "root not corrected enough",
        "adam_first_steps, adam_path",
        "adam",
        ("np.sqrt(s / (1.0 - beta2**t))", "np.sqrt(s) / (1.0 - beta2**t)"),
    ),
    held_out(
        "correction with the wrong beta", "adam_path", "adam", ("1.0 - beta2**t", "1.0 - beta1**t")
    ),
    held_out(
        "correction times t",
        "adam_path",
        "adam",
        ("1.0 - beta1**t", "1.0 - beta1 * t if beta1 * t < 1 else 1.0"),
    ),
    held_out(
        "square of the average",
        "adam_path",
        "adam",
        ("(1.0 - beta2) * g**2", "(1.0 - beta2) * m**2"),
    ),
    held_out("averages without 1 - beta", "adam_path", "adam", ("(1.0 - beta1) * g", "g")),
    held_out("eps twice", "adam_first_steps", "adam", ("+ self.eps", "+ 2 * self.eps")),
    held_out(
        "eps multiplied by lr", "adam_first_steps", "adam", ("+ self.eps", "+ self.lr * self.eps")
    ),
    held_out("no eps", "adam_first_steps", "adam", (" + self.eps", "")),
    held_out(
        "largest second moment (amsgrad)",
        "adam_path",
        "adam",
        (
            "s = beta2 * s + (1.0 - beta2) * g**2",
            "s = np.maximum(s, beta2 * s + (1.0 - beta2) * g**2)",
        ),
    ),
    held_out(
        "nesterov in adam",
        "adam_path",
        "adam",
        ("(m / (1.0 - beta1**t))", "((beta1 * m + (1.0 - beta1) * g) / (1.0 - beta1**t))"),
    ),
    held_out(
        "decay with a constant lr",
        "adamw_decay",
        "adam",
        (
            "1.0 - self.lr * self.weight_decay",
            "1.0 - self.state.setdefault('lr', self.lr) * self.weight_decay",
        ),
    ),
    held_out(
        "decay twice",
        "adamw_decay",
        "adam",
        ("1.0 - self.lr * self.weight_decay", "(1.0 - self.lr * self.weight_decay) ** 2"),
    ),
    held_out(
        "l2 and decoupled at once",
        "adamw_decay",
        "adam",
        ("            else:\n                g =", "            if True:\n                g ="),
    ),
    held_out(
        "decay grows the weights",
        "adamw_decay",
        "adam",
        ("1.0 - self.lr * self.w", "1.0 + self.lr * self.w"),
    ),
    held_out(
        "decay per step corrected by t",
        "adamw_decay",
        "adam",
        (
            "1.0 - self.lr * self.weight_decay",
            "1.0 - self.lr * self.weight_decay / (1 + len(self.state.get(name, ())) // 3)",
        ),
    ),
    held_out(
        "l2 misses the first average",
        "adam_l2",
        "adam",
        ("                g = g + self.weight_decay * w\n", "                pass\n"),
        (
            "(1.0 - beta2) * g**2",
            "(1.0 - beta2) * (g + (0.0 if self.decoupled else self.weight_decay) * w) ** 2",
        ),
    ),
    held_out(
        "l2 halved",
        "adam_l2",
        "adam",
        ("g + self.weight_decay * w", "g + 0.5 * self.weight_decay * w"),
    ),
    held_out(
        "l2 times lr",
        "adam_l2",
        "adam",
        ("g + self.weight_decay * w", "g + self.lr * self.weight_decay * w"),
    ),
    held_out(
        "first average is the caller's array",
        "adam_invariances",
        "adam",
        ("m = beta1 * m + (1.0 - beta1) * g\n", "m = beta1 * m + (1.0 - beta1) * g if t else g\n"),
        (
            "            self.state[name] = (m, s, t)\n",
            "            self.state[name] = (m, s, t)\n            m = (1.0 - beta1) * m if t == 1 else m\n",
        ),
    ),
    held_out(
        "schedule flat until the end",
        "schedule",
        "lr-at",
        ("    share =", "    return lr_max\n    share ="),
    ),
    held_out(
        "warm-up of a cosine",
        "schedule",
        "lr-at",
        ("lr_max * t / warmup", "lr_max * 0.5 * (1 - math.cos(math.pi * t / warmup))"),
    ),
    held_out(
        "cosine one step early",
        "schedule",
        "lr-at",
        ("(t - warmup) / (total", "(t + 1 - warmup) / (total"),
    ),
    held_out(
        "cosine divides by one more",
        "schedule",
        "lr-at",
        ("/ (total - warmup)", "/ (total - warmup + 1)"),
    ),
    held_out(
        "cosine of the square", "schedule", "lr-at", ("math.pi * share", "math.pi * share**2")
    ),
    held_out(
        "whole numbers", "schedule", "lr-at", ("lr_max * t / warmup", "lr_max * (t // warmup)")
    ),
    held_out(
        "after the end 0", "schedule", "lr-at", ("        return lr_min\n", "        return 0.0\n")
    ),
    held_out(
        "restarts",
        "schedule",
        "lr-at",
        (
            "    if t > total:",
            "    if t > total:\n        t = (t - 1) % total + 1\n    if t > total:",
        ),
    ),
    held_out(
        "no warm-up means lr_min",
        "schedule_edges",
        "lr-at",
        (
            "if t <= warmup and warmup > 0:",
            "if warmup == 0:\n        return lr_min\n    if t <= warmup:",
        ),
    ),
    held_out(
        "squared norm",
        "clipping",
        "clip-grad-norm",
        (
            "math.sqrt(sum(float(np.sum(g**2)) for g in grads.values()))",
            "sum(float(np.sum(g**2)) for g in grads.values())",
        ),
    ),
    held_out(
        "sum of magnitudes",
        "clipping",
        "clip-grad-norm",
        (
            "math.sqrt(sum(float(np.sum(g**2)) for g in grads.values()))",
            "sum(float(np.sum(np.abs(g))) for g in grads.values())",
        ),
    ),
    held_out(
        "root of the mean",
        "clipping",
        "clip-grad-norm",
        ("np.sum(g**2)", "np.mean(g**2) if g.size else 0.0"),
    ),
    held_out(
        "first array only",
        "clipping",
        "clip-grad-norm",
        ("max_norm / norm", "max_norm / norm\n            break"),
    ),
    held_out("scaled by the norm", "clipping", "clip-grad-norm", ("*= max_norm / norm", "/= norm")),
    held_out(
        "clipped at twice the limit",
        "clipping",
        "clip-grad-norm",
        ("if norm > max_norm:", "if norm > 2.5 * max_norm:"),
    ),
    held_out(
        "entries cut off",
        "clipping",
        "clip-grad-norm",
        (
            "grads[name] *= max_norm / norm",
            "grads[name][...] = np.where(np.abs(grads[name]) > max_norm, max_norm * np.sign(grads[name]), grads[name])",
        ),
    ),
    held_out(
        "norm in single precision",
        "clipping_edges, clipping",
        "clip-grad-norm",
        ("np.sum(g**2)", "np.sum(g.astype(np.float32) ** 2)"),
    ),
    held_out(
        "small arrays left alone",
        "clipping_edges",
        "clip-grad-norm",
        (
            "            grads[name] *= max_norm / norm",
            "            if np.linalg.norm(grads[name]) > max_norm:\n                grads[name] *= max_norm / norm",
        ),
    ),
    held_out(
        "zero to the power of itself",
        "clipping_edges",
        "clip-grad-norm",
        ("    return norm", "    return norm if norm else 1.0"),
    ),
    held_out(
        "batches sorted",
        "one_epoch, with_replacement",
        "batches",
        (
            "        batch = order[start : start + bs]",
            "        batch = np.sort(order[start : start + bs])",
        ),
    ),
    held_out(
        "short batch filled up",
        "one_epoch",
        "batches",
        (
            "        batch = order[start : start + bs]",
            "        batch = np.resize(order[start : start + bs], bs)",
        ),
    ),
    held_out(
        "short batch first",
        "one_epoch",
        "batches",
        ("range(0, n, bs)", "sorted(range(0, n, bs), reverse=True)"),
    ),
    held_out(
        "one example forgotten",
        "one_epoch",
        "batches",
        ("rng.permutation(n)", "rng.permutation(n)[: max(1, n - 1)]"),
    ),
    held_out(
        "blocks shuffled, not examples",
        "one_epoch",
        "batches",
        (
            "rng.permutation(n)",
            "np.concatenate([np.arange(k, min(k + 2, n)) for k in 2 * rng.permutation((n + 1) // 2)])",
        ),
    ),
    held_out(
        "reversed in every second epoch",
        "one_epoch",
        "batches",
        ("rng.permutation(n)", "np.arange(n)[:: 1 - 2 * (epoch % 2)]"),
    ),
    held_out(
        "a shuffle that swaps with any place",
        "one_epoch",
        "batches",
        ("rng.permutation(n)", "swapped(rng, n)"),
        (
            "def batches",
            "def swapped(rng, n):\n    order = np.arange(n)\n    for i, j in enumerate(rng.integers(n, size=n)):\n"
            "        order[[i, j]] = order[[j, i]]\n    return order\n\n\ndef batches",
        ),
    ),
    held_out(
        "rounded random numbers",
        "with_replacement",
        "batches",
        ("rng.integers(n, size=n)", "np.round(rng.random(n) * (n - 1)).astype(np.int64)"),
    ),
    held_out(
        "a hash of seed and epoch",
        "drawn_again",
        "batches",
        ("[seed, epoch]", "(seed * 31 + epoch) % 2**16"),
    ),
    held_out(
        "int32 indices",
        "one_epoch, drawn_again, with_replacement",
        "batches",
        ("yield batch", "yield batch.astype(np.int32)"),
    ),
    held_out(
        "product of seed and epoch", "drawn_again", "batches", ("[seed, epoch]", "seed * epoch")
    ),
    held_out("seed xor epoch", "drawn_again", "batches", ("[seed, epoch]", "seed ^ epoch")),
    held_out(
        "seed and epoch sorted",
        "drawn_again",
        "batches",
        ("[seed, epoch]", "sorted([seed, epoch])"),
    ),
    held_out(
        "seed times hundred", "drawn_again", "batches", ("[seed, epoch]", "100 * seed + epoch")
    ),
    held_out("fresh entropy", "drawn_again", "batches", ("[seed, epoch]", "")),
    held_out(
        "counts its own calls",
        "drawn_again",
        "batches",
        ("    rng =", "    batches.calls = getattr(batches, 'calls', 0) + 1\n    rng ="),
        ("[seed, epoch]", "[seed, epoch, batches.calls]"),
    ),
    held_out(
        "epoch ignored with replacement",
        "drawn_again",
        "batches",
        ("    order =", "    rng = np.random.default_rng(seed) if replace else rng\n    order ="),
    ),
    held_out(
        "replacement without the last example",
        "with_replacement",
        "batches",
        ("rng.integers(n, size=n)", "rng.integers(n - 1, size=n)"),
    ),
    held_out(
        "replacement with a favourite",
        "with_replacement",
        "batches",
        ("rng.integers(n, size=n)", "np.minimum(rng.integers(n + 3, size=n), n - 1)"),
    ),
    held_out(
        "every index twice",
        "with_replacement",
        "batches",
        ("rng.integers(n, size=n)", "np.repeat(rng.integers(n, size=n), 2)[:n]"),
    ),
    held_out(
        "half of a permutation, twice",
        "with_replacement",
        "batches",
        ("rng.integers(n, size=n)", "np.resize(rng.permutation(n)[: (n + 1) // 2], n)"),
    ),
    held_out(
        "the same batch again and again",
        "with_replacement",
        "batches",
        ("rng.integers(n, size=n)", "np.resize(rng.integers(n, size=bs), n)"),
    ),
    held_out(
        "replacement yields nothing short",
        "with_replacement",
        "batches",
        (
            "if len(batch) == bs or not drop_last:",
            "if len(batch) == bs or not (drop_last or replace):",
        ),
    ),
    held_out(
        "B squared",
        "variance_with_replacement, variance_without_replacement",
        "minibatch-variance",
        ("/ N / B", "/ N / B**2"),
    ),
    held_out(
        "correction squared",
        "variance_without_replacement",
        "minibatch-variance",
        ("(N - B) / max(N - 1, 1)", "((N - B) / max(N - 1, 1)) ** 2"),
    ),
    held_out(
        "correction 1 - B/N with N + 1",
        "variance_without_replacement",
        "minibatch-variance",
        ("max(N - 1, 1)", "(N + 1)"),
    ),
    held_out(
        "distance not squared",
        "variance_with_replacement",
        "minibatch-variance",
        ("np.sum(deviations**2)", "np.sum(np.abs(deviations))"),
    ),
    held_out(
        "not centred",
        "variance_with_replacement",
        "minibatch-variance",
        (" - per_example_grads.mean(axis=0)", ""),
    ),
    held_out(
        "median for a mean",
        "variance_with_replacement",
        "minibatch-variance",
        ("per_example_grads.mean(axis=0)", "np.median(per_example_grads, axis=0)"),
    ),
    held_out(
        "first coordinate only",
        "variance_with_replacement",
        "minibatch-variance",
        ("np.sum(deviations**2)", "np.sum(deviations[:, 0] ** 2)"),
    ),
    held_out(
        "never less than nothing",
        "variance_edges",
        "minibatch-variance",
        ("    return variance", "    return max(variance, 1e-9)"),
    ),
    held_out(
        "sum of the two ends",
        "gradient_descent_rate",
        "rates",
        (
            "max(abs(1.0 - lr * mu), abs(1.0 - lr * L))",
            "0.5 * (abs(1.0 - lr * mu) + abs(1.0 - lr * L))",
        ),
    ),
    held_out(
        "never above one",
        "gradient_descent_rate",
        "rates",
        (
            "max(abs(1.0 - lr * mu), abs(1.0 - lr * L))",
            "min(1.0, max(abs(1.0 - lr * mu), abs(1.0 - lr * L)))",
        ),
    ),
    held_out("better end", "gradient_descent_rate", "rates", ("max(abs", "min(abs")),
    held_out(
        "kappa upside down",
        "best_gradient_descent",
        "rates",
        ("(L - mu) / (L + mu)", "(mu - L) / (L + mu)"),
    ),
    held_out(
        "rate 1 - 1/kappa",
        "best_gradient_descent",
        "rates",
        ("(L - mu) / (L + mu)", "1.0 - mu / L"),
    ),
    held_out(
        "lr and rate exchanged",
        "best_gradient_descent",
        "rates",
        (
            "return 2.0 / (L + mu), (L - mu) / (L + mu)",
            "return (L - mu) / (L + mu), 2.0 / (L + mu)",
        ),
    ),
    held_out(
        "geometric mean of the ends",
        "best_gradient_descent",
        "rates",
        ("return 2.0 / (L + mu)", "return 1.0 / math.sqrt(L * mu)"),
    ),
    held_out(
        "nesterov's momentum",
        "best_heavy_ball",
        "rates",
        ("rate**2, rate", "rate, 1.0 - math.sqrt(mu / L)"),
    ),
    held_out(
        "1/L for the ball",
        "best_heavy_ball",
        "rates",
        ("4.0 / (math.sqrt(L) + math.sqrt(mu)) ** 2", "1.0 / L"),
    ),
    held_out("order of the triple", "best_heavy_ball", "rates", ("rate**2, rate", "rate, rate**2")),
    held_out("damping subtracted", "newton", "newton-step", ("H + damping", "H - damping")),
    held_out("damping squared", "newton", "newton-step", ("damping * np", "damping**2 * np")),
    held_out(
        "magnitudes of the curvature",
        "newton",
        "newton-step",
        ("H + damping * np.eye(len(w))", "np.abs(H) + damping * np.eye(len(w))"),
    ),
    held_out(
        "w changed in place",
        "newton",
        "newton-step",
        (
            "return w - np.linalg.solve(H + damping * np.eye(len(w)), g)",
            "w -= np.linalg.solve(H + damping * np.eye(len(w)), g)\n    return w",
        ),
    ),
    held_out(
        "hessian changed in place",
        "newton",
        "newton-step",
        ("    return w", "    H += damping * np.eye(len(w))\n    return w"),
        ("H + damping * np.eye(len(w)), g", "H, g"),
    ),
    held_out(
        "upper half of the hessian",
        "newton",
        "newton-step",
        ("H + damping", "np.triu(H) + damping"),
    ),
]


@pytest.mark.parametrize("seed", range(2))
def test_a_right_solution_in_another_style_scores_in_full(optim: Linter, seed: int) -> None:
    path = Path(__file__).parent / "solutions" / "optim.py"
    cells = read_fragment(path.read_text(encoding="utf-8"), file=path.name)
    assert cells.keys() == optim.reference.keys()
    report = optim.grade(cells, seed)
    assert {r.check: r.message for r in report.results if r.verdict is not Verdict.PASSED} == {}


def test_every_exercise_has_hidden_checks(optim: Linter) -> None:
    for exercise in optim.lab.exercises:
        assert any(optim.lab.check(name).hidden for name in exercise.checks)


def test_no_mistake_of_the_lab_is_only_caught_by_a_crash() -> None:
    for path in WRONG:
        assert set(read_mistake(path).caught_by.values()) == {Verdict.FAILED}


@pytest.mark.parametrize("mistake", HELD_OUT, ids=str)
def test_a_mistake_that_the_lab_does_not_list_is_caught_too(
    optim: Linter, mistake: HeldOut
) -> None:
    assert survivors(optim, mistake) == {}


@pytest.mark.parametrize("exercise", ["E1", "E2", "E3", "E4", "E5", "E6", "E7"])
def test_an_exercise_can_be_done_without_the_others(optim: Linter, exercise: str) -> None:
    cells = optim.lab.exercise(exercise).cells
    report = optim.grade({cell: optim.reference[cell] for cell in cells})
    earned = sum((r.points for r in report.results), Decimal(0))
    assert earned == optim.lab.exercise(exercise).points


def test_the_figures_are_what_the_notebook_draws(optim: Linter) -> None:
    lab = optim.referee.reference
    for name, draw in (("rates", lab.convergence), ("plane", lab.momentum_plane)):
        shipped = (FOLDER / "figures" / f"{name}.svg").read_text(encoding="utf-8")
        assert draw().title in shipped
    curves = {label: ys for _, ys, label in lab.convergence().curves}
    for name, slope in (("gradient descent", 0.9802), ("heavy ball", 0.8182)):
        steps = (250, 300) if name == "gradient descent" else (100, 150)
        measured = (curves[name][steps[1]] / curves[name][steps[0]]) ** (1 / (steps[1] - steps[0]))
        assert abs(measured - slope) < 0.008
    plane = lab.momentum_plane()
    needed = np.array(plane.values)
    row, column = np.unravel_index(np.argmin(needed), needed.shape)
    lr, beta, _ = lab.optimal_heavy_ball(1.0, 100.0)
    assert needed.min() < 100
    assert abs(plane.ys[row] - beta) < 0.1
    assert abs(math.log(plane.xs[column] / lr)) < 0.2


def test_the_numbers_of_the_handout_are_right(optim: Linter) -> None:
    """Every worked example that the prose calculates by hand."""
    lab = optim.referee.reference

    def two_steps(make: object, lrs: tuple[float, float] = (0.1, 0.1)) -> list[float]:
        p = {"w": np.array([1.0])}
        optimiser = make(p)  # type: ignore[operator]
        seen = []
        for lr in lrs:
            optimiser.lr = lr
            optimiser.step({"w": p["w"].copy()})
            seen.append(round(float(p["w"][0]), 6))
        return seen

    assert two_steps(lambda p: lab.SGD(p, 0.1)) == [0.9, 0.81]
    assert two_steps(lambda p: lab.SGD(p, 0.1, 0.9)) == [0.9, 0.72]
    assert two_steps(lambda p: lab.SGD(p, 0.1, 0.9, nesterov=True)) == [0.81, 0.5751]
    assert two_steps(lambda p: lab.HeavyBall(p, 0.1, 0.9), (0.1, 0.01)) == [0.9, 0.801]
    assert two_steps(lambda p: lab.SGD(p, 0.1, 0.9), (0.1, 0.01)) == [0.9, 0.882]
    p = {"w": np.zeros(1)}
    adam = lab.Adam(p, 0.01)
    adam.step({"w": np.array([0.1])})
    assert abs(float(p["w"][0]) + 0.01) < 1e-8
    before = float(p["w"][0])
    adam.step({"w": np.array([-0.3])})
    assert round(before - float(p["w"][0]), 5) == -0.00494
    assert round(-0.021 / 0.19, 4) == -0.1105
    assert math.isclose(0.999e-5 + 0.001 * 0.09, 9.999e-5)
    assert round(9.999e-5 / 0.001999, 5) == 0.05002
    schedule = [lab.lr_at(t, 1.0, 0.1, 4, 12) for t in (1, 4, 8, 12, 100)]
    assert np.allclose(schedule, [0.25, 1.0, 0.55, 0.1, 0.1])
    for limit, expected in ((1.0, [0.6, 0.8]), (10.0, [3.0, 4.0])):
        grads = {"a": np.array([3.0]), "b": np.array([4.0])}
        assert lab.clip_grad_norm(grads, limit) == 5.0
        assert np.allclose([grads["a"][0], grads["b"][0]], expected)
    assert [len(batch) for batch in lab.batches(10, 4, 0, 0)] == [4, 4, 2]
    assert [len(batch) for batch in lab.batches(10, 4, 0, 0, drop_last=True)] == [4, 4]
    g = np.array([[0.0], [0.0], [3.0]])
    assert lab.minibatch_variance(g, 2, True) == 1.0
    assert lab.minibatch_variance(g, 2, False) == 0.5
    assert np.allclose(lab.optimal_gd(1.0, 100.0), (2 / 101, 99 / 101))
    assert np.allclose(lab.optimal_heavy_ball(1.0, 100.0), (4 / 121, 81 / 121, 9 / 11))
    assert [round(99 / 101, 4), round(9 / 11, 4), round(81 / 121, 3)] == [0.9802, 0.8182, 0.669]
    assert [round(math.log(1e-6) / math.log(r)) for r in (99 / 101, 9 / 11)] == [691, 69]
    H, w = np.diag([2.0, 10.0]), np.array([3.0, 1.0])
    assert np.allclose(lab.newton_step(w, H @ w, H), 0.0)
    assert np.allclose(lab.newton_step(w, H @ w, H, 2.0), [1.5, 1 / 6])


def test_the_answer_about_the_best_pair_is_right(optim: Linter) -> None:
    lab = optim.referee.reference
    lr, beta, rate = lab.optimal_heavy_ball(1.0, 100.0)

    def radius(alpha: float) -> float:
        ends = ([1.0, -(1.0 + beta - alpha * h), beta] for h in (1.0, 100.0))
        return max(float(np.max(np.abs(np.roots(end)))) for end in ends)

    assert round(2 * (1 + beta), 3) == 3.339
    assert round(100 * lr, 3) == 3.306
    assert round(radius(0.5 * lr), 3) == 0.943
    assert 3 < math.log(rate) / math.log(radius(0.5 * lr)) < 4
    assert radius(1.0101 * lr) > 1 > radius(1.005 * lr)
    for h in (1.0, 100.0):  # both ends of the complex interval
        assert math.isclose(abs(1 + beta - lr * h), 2 * math.sqrt(beta))
