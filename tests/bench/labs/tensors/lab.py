# %% [markdown]
# # Layers of a transformer
#
# Eight short functions: what the benchmarks grade.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}
import torch

from labkit import check


# %% nbgrader={"grade": false, "grade_id": "layers", "locked": false, "schema_version": 3, "solution": true}
def softmax(x: torch.Tensor) -> torch.Tensor:
    """Rows that add up to one."""
    ### BEGIN SOLUTION
    e = torch.exp(x - x.amax(-1, keepdim=True))
    return e / e.sum(-1, keepdim=True)
    ### END SOLUTION


def layer_norm(x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    """Mean 0 and variance 1 along the last axis, times the gain."""
    ### BEGIN SOLUTION
    centred = x - x.mean(-1, keepdim=True)
    return gain * centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-5)
    ### END SOLUTION


def gelu(x: torch.Tensor) -> torch.Tensor:
    """The tanh form of GELU."""
    ### BEGIN SOLUTION
    return 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))
    ### END SOLUTION


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Causal scaled dot-product attention."""
    ### BEGIN SOLUTION
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return softmax(scores.masked_fill(future, -1e30)) @ v
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "training", "locked": false, "schema_version": 3, "solution": true}
def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> float:
    """Mean negative log likelihood."""
    ### BEGIN SOLUTION
    probabilities = softmax(logits)
    return float(-torch.log(probabilities[torch.arange(len(targets)), targets]).mean())
    ### END SOLUTION


def linear_backward(
    x: torch.Tensor, w: torch.Tensor, g: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradients of x @ w for x and w."""
    ### BEGIN SOLUTION
    return g @ w.T, x.T @ g
    ### END SOLUTION


def adam_step(
    p: torch.Tensor, g: torch.Tensor, m: torch.Tensor, v: torch.Tensor, t: int
) -> torch.Tensor:
    """One step of Adam with its usual constants and rate 0.01."""
    ### BEGIN SOLUTION
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    return p - 0.01 * (m / (1 - 0.9**t)) / (torch.sqrt(v / (1 - 0.999**t)) + 1e-8)
    ### END SOLUTION


def clip(g: torch.Tensor, most: float) -> torch.Tensor:
    """The gradient, shortened to this norm where it is longer."""
    ### BEGIN SOLUTION
    norm = torch.sqrt((g**2).sum())
    return g * min(1.0, most / float(norm))
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
