# %% [markdown]
# # Layers of a transformer
#
# Eight short functions: what the benchmarks grade.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}
import numpy as np

from labkit import check


# %% nbgrader={"grade": false, "grade_id": "layers", "locked": false, "schema_version": 3, "solution": true}
def softmax(x: np.ndarray) -> np.ndarray:
    """Rows that add up to one."""
    ### BEGIN SOLUTION
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
    ### END SOLUTION


def layer_norm(x: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Mean 0 and variance 1 along the last axis, times the gain."""
    ### BEGIN SOLUTION
    centred = x - x.mean(-1, keepdims=True)
    return gain * centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    ### END SOLUTION


def gelu(x: np.ndarray) -> np.ndarray:
    """The tanh form of GELU."""
    ### BEGIN SOLUTION
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    ### END SOLUTION


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Causal scaled dot-product attention."""
    ### BEGIN SOLUTION
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    future = np.triu(np.ones(scores.shape[-2:], dtype=bool), 1)
    return softmax(np.where(future, -1e30, scores)) @ v
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "training", "locked": false, "schema_version": 3, "solution": true}
def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> float:
    """Mean negative log likelihood."""
    ### BEGIN SOLUTION
    probabilities = softmax(logits)
    return float(-np.log(probabilities[np.arange(len(targets)), targets]).mean())
    ### END SOLUTION


def linear_backward(x: np.ndarray, w: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of x @ w for x and w."""
    ### BEGIN SOLUTION
    return g @ w.T, x.T @ g
    ### END SOLUTION


def adam_step(p: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, t: int) -> np.ndarray:
    """One step of Adam with its usual constants and rate 0.01."""
    ### BEGIN SOLUTION
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    return p - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    ### END SOLUTION


def clip(g: np.ndarray, most: float) -> np.ndarray:
    """The gradient, shortened to this norm where it is longer."""
    ### BEGIN SOLUTION
    norm = np.sqrt((g**2).sum())
    return g * min(1.0, most / norm)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-softmax", "locked": true, "points": 1, "schema_version": 3, "solution": false}
check("softmax")

# %% nbgrader={"grade": true, "grade_id": "check-layer-norm", "locked": true, "points": 1, "schema_version": 3, "solution": false}
check("layer_norm")

# %% nbgrader={"grade": true, "grade_id": "check-gelu", "locked": true, "points": 1, "schema_version": 3, "solution": false}
check("gelu")

# %% nbgrader={"grade": true, "grade_id": "check-attention", "locked": true, "points": 1, "schema_version": 3, "solution": false}
check("attention")

# %% nbgrader={"grade": true, "grade_id": "check-cross-entropy", "locked": true, "points": 1, "schema_version": 3, "solution": false}
check("cross_entropy")

# %% nbgrader={"grade": true, "grade_id": "check-linear-backward", "locked": true, "points": 1, "schema_version": 3, "solution": false}
check("linear_backward")

# %% nbgrader={"grade": true, "grade_id": "check-adam-step", "locked": true, "points": 1, "schema_version": 3, "solution": false}
check("adam_step")

# %% nbgrader={"grade": true, "grade_id": "check-clip", "locked": true, "points": 1, "schema_version": 3, "solution": false}
check("clip")
