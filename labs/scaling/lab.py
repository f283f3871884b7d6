# %% [markdown]
# # FLOPs, memory and scaling laws
#
# **Why.** A training run is paid for before it starts: so many GPUs, for so many days. Three questions decide what the money buys. How many operations does a
# token cost? Does the model fit into the memory? And which model, trained on how much text, gets the lowest loss out of the budget? All three can be answered with a pencil.
#
# **Picture.** Training loss against model size, each curve at one fixed budget of operations, for the law that you fit in E7. A model that is too small learns too little from each token; one that is too
# large sees too few tokens. The best size moves to the right as the budget grows.
#
# ![Four U-shaped curves of loss against model size, one for each budget from 1e19 to 1e22 operations; a mark at each lowest point moves right and down.](figures/isoflop.svg)
#
# **Spec in five lines of maths.** $N$ parameters, $D$ training tokens, $C$ floating-point operations.
#
# 1. A product of an $(m\times k)$ and a $(k\times n)$ matrix costs $2mkn$ operations: $mkn$ multiplications and as many additions.
# 2. The backward pass costs two such products for each one of the forward pass, so training costs three forward passes: $C\approx 6ND$.
# 3. Training with Adam in mixed precision keeps 16 bytes for each parameter; activations come on top, and grow with batch and context.
# 4. Loss follows $L(N,D)=E+A\,N^{-\alpha}+B\,D^{-\beta}$: what no model can avoid, what a larger one would, what more text would.
# 5. On the curve $6ND=C$ that has one minimum, and it can be written down.
#
# **Your API.**
#
# | name | what it returns |
# |---|---|
# | `n_params(c)` | parameters by part: `embed`, `pos`, `attn`, `mlp`, `norm`, `head`, `total` |
# | `forward_flops(c, B, S, causal=False)` | operations of a forward pass by part: `qkv`, `scores`, `mix`, `out`, `mlp`, `head`, `total` |
# | `train_flops(c, B, S)`, `six_nd(N, D)` | operations of a training step, exactly and by rule of thumb |
# | `state_bytes(N, recipe)` | bytes by kind: `weights`, `gradients`, `master`, `optimizer`, `total` |
# | `activation_bytes(s, b, h, a, t, sp, recompute)` | bytes of the activations of one layer on one GPU |
# | `tokens_per_second(B, S, sec)`, `mfu(N, tps, n_gpu, peak)`, `days(N, D, n_gpu, peak, mfu)` | throughput, model FLOPs utilisation, time |
# | `amdahl(serial, n)`, `gustafson(serial, n)` | speed-ups |
# | `parallel_bytes(c, B, S, kind, degree, layers_per_stage)` | bytes that one GPU hands to each collective in a training step |
# | `isoflop_optimum(N, L)`, `compute_optimal(C, fit)` | the best size, from a curve and from the law |
# | `objective(theta, N, D, L)`, `fit_parametric(N, D, L, inits)` | what the fit minimises with its gradient, and the fit |
#
# **Checkpoints.** E1 (15 points, 25 min) · E2 (15, 25) · E3 (15, 25) · E4 (10, 20) · E5 (20, 35) · E6 (10, 20) · E7 (15, 40). Each stands on its own: when one of your functions needs
# another one's result, it is given.
#
# Two letters are worn by two things each, as in the papers: $D$ is the width of the model (`c.D`), and the number of tokens where it stands beside $N$; $L$ is the number of layers (`c.L`), and a loss in E6 and E7.
#
# Counts are Python `int`s, however large (beyond $2^{53}$ a float has no room for the last digits); rates and times are floats. Functions leave the configuration as it is. Hidden checks use configurations that nobody has published, so write the formula and not the number.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false}
from dataclasses import dataclass

import numpy as np

import labkit
from labkit import check


@dataclass
class Cfg:
    """A decoder-only transformer."""

    L: int  # layers
    D: int  # width of the model
    Hq: int  # query heads
    Hkv: int  # key and value heads; fewer than Hq is grouped-query attention
    Dh: int  # width of one head; Hq * Dh need not be D
    F: int  # hidden width of the MLP
    V: int  # vocabulary
    mlp: str  # "relu": two matrices; "swiglu": three
    tied: bool  # the output head is the embedding, used again
    bias: bool  # every matrix of attention and MLP has a bias vector, every norm a shift
    learned_pos: bool  # a table of S position vectors
    S: int  # context length


GPT2 = Cfg(
    L=12,
    D=768,
    Hq=12,
    Hkv=12,
    Dh=64,
    F=3072,
    V=50257,
    mlp="relu",
    tied=True,
    bias=True,
    learned_pos=True,
    S=1024,
)
LLAMA_7B = Cfg(
    L=32,
    D=4096,
    Hq=32,
    Hkv=32,
    Dh=128,
    F=11008,
    V=32000,
    mlp="swiglu",
    tied=False,
    bias=False,
    learned_pos=False,
    S=2048,
)
HOMEWORK_2 = Cfg(
    L=32,
    D=4096,
    Hq=32,
    Hkv=32,
    Dh=128,
    F=16384,
    V=32000,
    mlp="relu",
    tied=False,
    bias=False,
    learned_pos=False,
    S=1024,
)

# %% [markdown]
# ## E1 · Parameters, one matrix at a time (15 points, 25 minutes)
#
# A layer is attention, an MLP and a norm before each. With $H_q$ query heads and $H_{kv}$ key and value heads of width $d_h$:
#
# | part | shapes | number |
# |---|---|---|
# | `embed` | $V\times D$ | $VD$ |
# | `pos` | $S\times D$, if positions are learned | $SD$ or $0$ |
# | `attn`, each layer | $W_Q: D\times H_qd_h$, $W_K,W_V: D\times H_{kv}d_h$, $W_O: H_qd_h\times D$ | $2DH_qd_h+2DH_{kv}d_h$ |
# | `mlp`, each layer | `relu`: $D\times F$, $F\times D$; `swiglu`: $D\times F$ twice, $F\times D$ | $2DF$ or $3DF$ |
# | `norm` | a scale of $D$ before attention, before the MLP, and once at the end | $(2L+1)D$ |
# | `head` | $D\times V$, unless it is the embedding | $VD$ or $0$ |
#
# With `bias`, each matrix of attention and MLP has a vector as long as its output, and each norm has a shift of $D$ beside its scale. Embedding, positions and head have none.
# `attn`, `mlp` and `norm` count all layers.
#
# **By hand.** One layer with $D=4$, two heads of width 2 on either side, $F=8$, `relu`, no biases, $V=10$, tied, no positions: `embed` 40, `attn` $2\cdot4\cdot4+2\cdot4\cdot4=64$, `mlp` $2\cdot4\cdot8=64$, `norm` $3\cdot4=12$, `total` **180**.
# The two models above have 124 439 808 (GPT-2) and 6 738 415 616 (Llama 7B) parameters; you should hit both to the last digit.
#
# **Common mistakes.** With grouped queries the key and value matrices are *smaller*, $D\times H_{kv}d_h$ · the bias of a matrix is as long as its **output** · the norm after the last layer · a tied head counted again.


# %% nbgrader={"grade": false, "grade_id": "n-params", "locked": false, "schema_version": 3, "solution": true}
def n_params(c):
    """Parameters of the model as a dict of ints: embed, pos, attn, mlp, norm, head, total."""
    ### BEGIN SOLUTION
    queries, keys = c.Hq * c.Dh, c.Hkv * c.Dh
    attn = 2 * c.D * queries + 2 * c.D * keys
    matrices_in = 2 if c.mlp == "swiglu" else 1
    mlp = (matrices_in + 1) * c.D * c.F
    if c.bias:
        attn += queries + 2 * keys + c.D
        mlp += matrices_in * c.F + c.D
    parts = {
        "embed": c.V * c.D,
        "pos": c.S * c.D if c.learned_pos else 0,
        "attn": c.L * attn,
        "mlp": c.L * mlp,
        "norm": (2 * c.L + 1) * c.D * (2 if c.bias else 1),
        "head": 0 if c.tied else c.V * c.D,
    }
    return parts | {"total": sum(parts.values())}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-parameters", "locked": true, "points": 6, "schema_version": 3, "solution": false}
check("parameters")

# %% nbgrader={"grade": true, "grade_id": "check-known_models", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("known_models")

# %% nbgrader={"grade": true, "grade_id": "check-parameters_of_large_models", "locked": true, "points": 6, "schema_version": 3, "solution": false}
check("parameters_of_large_models")

# %% [markdown]
# ## E2 · Floating-point operations (15 points, 25 minutes)
#
# Count matrix products and nothing else: softmax, norms, activations and biases are a few per cent, and looking up a row of the embedding is no arithmetic at all.
# For a batch of $B$ sequences of $S$ tokens:
#
# | part | product | operations, all layers |
# |---|---|---|
# | `qkv` | $XW_Q,\ XW_K,\ XW_V$ | $2BS\,D\,(H_q+2H_{kv})d_h\,L$ |
# | `scores` | $QK^{\mathsf T}$ in each of the $H_q$ query heads | $2B\,H_q\,S^2\,d_h\,L$ |
# | `mix` | scores times $V$ | the same again |
# | `out` | times $W_O$ | $2BS\,H_qd_h\,D\,L$ |
# | `mlp` | two or three products | $2BS\cdot2DF\,L$ or $2BS\cdot3DF\,L$ |
# | `head` | logits, also when the head is tied | $2BS\,D\,V$ |
#
# With `causal=True` a query sees only itself and what came before: $S(S+1)/2$ pairs in place of $S^2$.
#
# **Training.** For $Y=XW$ the backward pass needs $\bar X=\bar YW^{\mathsf T}$ and $\bar W=X^{\mathsf T}\bar Y$: two products of the same size. So a step costs **three** forward passes (of the full, not the causal count: kernels that skip the masked
# half are the subject of a later lab). Because most parameters take part in one multiplication and one addition for each token, a forward pass costs about $2N$ and training about $6N$ operations a token: `six_nd(N, D)` is $6ND$.
#
# **By hand.** The layer of E1, $B=1$, $S=3$: `qkv` $2\cdot3\cdot4\cdot12=288$, `scores` $2\cdot2\cdot9\cdot2=72$, `mix` 72, `out` $2\cdot3\cdot4\cdot4=96$, `mlp` $2\cdot3\cdot64=384$, `head` $2\cdot3\cdot40=240$; `total` **1152**, and a training step 3456.
#
# **Common mistakes.** A multiply-add is **two** operations · scores are computed in every *query* head, however few key heads there are · the embedding is looked up, but the head is multiplied.


# %% nbgrader={"grade": false, "grade_id": "forward-flops", "locked": false, "schema_version": 3, "solution": true}
def forward_flops(c, B, S, causal=False):
    """Operations of one forward pass as a dict of ints: qkv, scores, mix, out, mlp, head, total."""
    ### BEGIN SOLUTION
    tokens = B * S
    pairs = S * (S + 1) // 2 if causal else S * S
    matrices = 3 if c.mlp == "swiglu" else 2
    parts = {
        "qkv": 2 * tokens * c.D * (c.Hq + 2 * c.Hkv) * c.Dh * c.L,
        "scores": 2 * B * c.Hq * pairs * c.Dh * c.L,
        "mix": 2 * B * c.Hq * pairs * c.Dh * c.L,
        "out": 2 * tokens * c.Hq * c.Dh * c.D * c.L,
        "mlp": 2 * tokens * matrices * c.D * c.F * c.L,
        "head": 2 * tokens * c.D * c.V,
    }
    return parts | {"total": sum(parts.values())}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-forward_operations", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("forward_operations")

# %% nbgrader={"grade": true, "grade_id": "check-causal_operations", "locked": true, "points": 2, "schema_version": 3, "solution": false}
check("causal_operations")


# %% nbgrader={"grade": false, "grade_id": "train-flops", "locked": false, "schema_version": 3, "solution": true}
def train_flops(c, B, S):
    """Operations of one training step on B sequences of S tokens, forward and backward; an int."""
    ### BEGIN SOLUTION
    return 3 * forward_flops(c, B, S)["total"]
    ### END SOLUTION


def six_nd(N, D):
    """The rule of thumb for a whole training run: N parameters, D tokens; a float."""
    ### BEGIN SOLUTION
    return 6.0 * N * D
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-training_operations", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("training_operations")

# %% nbgrader={"grade": true, "grade_id": "check-operations_of_large_models", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("operations_of_large_models")

# %% [markdown]
# ## E3 · What fills the memory (15 points, 25 minutes)
#
# **State.** What a training run keeps for each parameter from step to step, in bytes:
#
# | recipe | weights | gradients | master copy | optimizer | total |
# |---|---|---|---|---|---|
# | `fp32_adam` | 4 | 4 | – | 4 + 4 (both moments) | 16 |
# | `mixed_adam` | 2 | 2 | 4 (weights in fp32) | 4 + 4 | 16 |
# | `fp16_sgd` (no momentum) | 2 | 2 | – | – | 4 |
#
# `state_bytes` raises `ValueError` for any other recipe. Mixed precision saves no *state*: it buys faster arithmetic and smaller activations.
#
# **Activations.** What the backward pass needs from the forward pass of **one layer**, for batch $b$, sequence $s$, width $h$ and $a$ heads, in 16 bit and with an MLP of width $4h$
# (Korthikanti et al. 2022, section 4 and table 2):
#
# | on each of $t$ GPUs | nothing recomputed | `"selective"` | `"full"` |
# |---|---|---|---|
# | tensor parallel | $sbh\left(10+\frac{24}t+5\frac{as}{ht}\right)$ | $sbh\left(10+\frac{24}t\right)$ | $2sbh$ |
# | and sequence parallel (`sp=True`) | $\frac{sbh}t\left(34+5\frac{as}h\right)$ | $34\frac{sbh}t$ | $2sbh$ |
#
# With $t=1$ both rows read $sbh(34+5as/h)$. The term $5as/h$ belongs to the attention scores: they fill most of the memory and cost few operations, so *selective* recomputation throws exactly them away.
# *Full* recomputation keeps nothing but the layer's input, $sbh$ values of 2 bytes. Return a float.
#
# **By hand.** GPT-3's layer has $h=12288$, $a=96$, $s=2048$: $5as/h=80$, so with $b=1$ a layer takes $2048\cdot12288\cdot114=2.87\cdot10^9$ bytes, and 70 % of it goes when the scores are recomputed.
#
# **Common mistakes.** The master copy is a third set of weights · without sequence parallelism, $10sbh$ stay on **every** GPU (norms, dropouts and inputs are not split) · 1 GB is $10^9$ bytes, 1 GiB is $2^{30}$: return bytes.


# %% nbgrader={"grade": false, "grade_id": "state-bytes", "locked": false, "schema_version": 3, "solution": true}
def state_bytes(N, recipe):
    """Bytes of the training state of N parameters: weights, gradients, master, optimizer, total; ints."""
    ### BEGIN SOLUTION
    each = {
        "fp32_adam": {"weights": 4, "gradients": 4, "master": 0, "optimizer": 8},
        "mixed_adam": {"weights": 2, "gradients": 2, "master": 4, "optimizer": 8},
        "fp16_sgd": {"weights": 2, "gradients": 2, "master": 0, "optimizer": 0},
    }
    if recipe not in each:
        raise ValueError(f"unknown recipe {recipe!r}; there are {', '.join(each)}")
    parts = {kind: size * N for kind, size in each[recipe].items()}
    return parts | {"total": sum(parts.values())}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-training_state", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("training_state")


# %% nbgrader={"grade": false, "grade_id": "activation-bytes", "locked": false, "schema_version": 3, "solution": true}
def activation_bytes(s, b, h, a, t=1, sp=False, recompute="none"):
    """Bytes of the activations of one layer on one of t GPUs; recompute is none, selective or full."""
    ### BEGIN SOLUTION
    if recompute not in ("none", "selective", "full"):
        raise ValueError(f"recompute must be none, selective or full, not {recompute!r}")
    unit = s * b * h
    if recompute == "full":
        return 2.0 * unit
    scores = 5 * a * s / h if recompute == "none" else 0.0
    if sp:
        return unit / t * (34 + scores)
    return unit * (10 + 24 / t + scores / t)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-activations", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("activations")

# %% nbgrader={"grade": true, "grade_id": "check-memory_everywhere", "locked": true, "points": 6, "schema_version": 3, "solution": false}
check("memory_everywhere")

# %% [markdown]
# The figure of the paper, for the 175-billion-parameter model on eight GPUs. The cell draws it from *your* function.


# %% nbgrader={"grade": false, "grade_id": "plot-activations", "locked": true, "schema_version": 3, "solution": false}
def draw_activations():
    lengths = [512 * 2**k for k in range(7)]
    chart = labkit.LineChart(
        "Activations of one layer of GPT-3 on each of 8 GPUs",
        x="sequence length",
        y="GB",
        log_x=True,
        log_y=True,
    )
    for label, options in {
        "1 GPU": {},
        "TP": {"t": 8},
        "TP, SP": {"t": 8, "sp": True},
        "and selective": {"t": 8, "sp": True, "recompute": "selective"},
        "full": {"t": 8, "recompute": "full"},
    }.items():
        sizes = [activation_bytes(s, 1, 12288, 96, **options) / 1e9 for s in lengths]
        chart.line(lengths, sizes, label)
    return chart


labkit.figure(draw_activations)

# %% [markdown]
# ![Bytes of activations of one layer against the sequence length on logarithmic axes: parallelism shifts the curve down, selective recomputation also makes it less steep, full recomputation is about half of that.](figures/activations.svg)
#
# TP is tensor, SP sequence parallel. Where attention scores dominate, curves rise with slope 2; without them with slope 1. Full recomputation is lowest here, but $2sbh$ is never divided: on more than 17 GPUs the $34sbh/t$ of selective recomputation lie below it,
# and it costs a few per cent of arithmetic where full recomputation costs a third.
#
# ## E4 · Throughput, utilisation, and the two speed-up laws (10 points, 20 minutes)
#
# $$\text{tokens/s}=\frac{BS}{\text{seconds a step}},\qquad \text{MFU}=\frac{6N\cdot\text{tokens/s}}{\text{GPUs}\cdot\text{peak}},\qquad \text{days}=\frac{6ND}{\text{GPUs}\cdot\text{peak}\cdot\text{MFU}\cdot86400}.$$
#
# *Model* FLOPs utilisation counts what the model needs, $6N$ a token. What recomputation does on top is work of the GPU (*hardware* utilisation), but no progress.
#
# $$\text{Amdahl: }\frac1{f+(1-f)/n},\qquad\text{Gustafson: }f+(1-f)\,n,$$
#
# with the serial share $f$ on $n$ processors. Amdahl keeps the *problem* fixed and asks how much sooner it is solved; Gustafson keeps the *time* fixed and asks how much more is solved in it. $f$ is measured on one processor in the first and
# on $n$ processors in the second, which is why both are right.
#
# **By hand.** A 7-billion-parameter model on 256 A100s (peak $312\cdot10^{12}$) at 0.6605 million tokens a second: 2580 a second and GPU, MFU $6\cdot7\cdot10^9\cdot2580/312\cdot10^{12}=0.347$, and 150 billion tokens take 63.1 hours (the example of Lecture 6). With $f=0.1$, $n=10$: Amdahl 5.26, Gustafson 9.1.
#
# **Common mistakes.** Forgetting that peak is *for each GPU* · 8 in place of 6 (that counts a recomputed forward pass: the formula $8TP/nX$ of Narayanan et al. 2021 is about hardware).


# %% nbgrader={"grade": false, "grade_id": "throughput", "locked": false, "schema_version": 3, "solution": true}
def tokens_per_second(B, S, sec):
    """Tokens a second of all GPUs together, when a step of B sequences of S tokens takes `sec` seconds."""
    ### BEGIN SOLUTION
    return B * S / sec
    ### END SOLUTION


def mfu(N, tps, n_gpu, peak):
    """Model FLOPs utilisation, between 0 and 1; `peak` is FLOP/s of one GPU."""
    ### BEGIN SOLUTION
    return 6 * N * tps / (n_gpu * peak)
    ### END SOLUTION


def days(N, D, n_gpu, peak, mfu):
    """Days to train N parameters on D tokens."""
    ### BEGIN SOLUTION
    return 6 * N * D / (n_gpu * peak * mfu) / 86400
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-throughput_and_time", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("throughput_and_time")


# %% nbgrader={"grade": false, "grade_id": "speed-ups", "locked": false, "schema_version": 3, "solution": true}
def amdahl(serial, n):
    """Speed-up on n processors of a problem of fixed size."""
    ### BEGIN SOLUTION
    return 1 / (serial + (1 - serial) / n)
    ### END SOLUTION


def gustafson(serial, n):
    """Speed-up on n processors of a problem that grows to fill the same time."""
    ### BEGIN SOLUTION
    return serial + (1 - serial) * n
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-speed_up_laws", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("speed_up_laws")

# %% nbgrader={"grade": true, "grade_id": "check-a_whole_run", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("a_whole_run")

# %% [markdown]
# ## E5 · Bytes that leave a GPU (20 points, 35 minutes)
#
# One training step of a model in 16 bit. Count what **one GPU hands to the communication library as input**, summed over the calls of the step; how the library then moves it is the next lab. Let $n$ be
# the parameters in the *matrices of the layers* that this GPU's stage holds: `attn` and `mlp` of E1, without biases, for `layers_per_stage` of the $L$ layers. Embedding, norms and head are left out.
#
# | `kind` | result | why |
# |---|---|---|
# | `"dp"` | `{"all_reduce": 2n}` | every replica hands in its gradients, 2 bytes each |
# | `"pp"` | `{"forward": 2BSD, "backward": 2BSD}` | a stage in the middle sends its activations on and their gradients back |
# | `"tp"` | `{"all_reduce": 4 · layers_per_stage · 2BSD}` | attention and MLP each end in one all-reduce forward, and one backward |
# | `"fsdp"` | `{"all_gather": 2 · 2n/degree, "reduce_scatter": 2n}` | each GPU hands in *its shard* of the weights, forward and again backward, and its gradients of everything |
#
# With `degree=1` nothing is sent: the same keys with 0. Any other `kind` is a `ValueError`. `degree` divides $n$. All ints.
#
# **By hand.** Homework 2: $L=32$, $D=4096$, $F=16384$, `relu`: $n=12D^2L=6\,442\,450\,944$. With $BS=524\,288$ tokens and `layers_per_stage=32`: DP $12\,884\,901\,888$ (12 GiB), PP $4\,294\,967\,296$ (4 GiB) each way,
# TP $4\cdot32\cdot4\text{ GiB}=549\,755\,813\,888$ (half a TiB), and FSDP on 8 GPUs $3\,221\,225\,472$ (3 GiB) of all-gather and 12 GiB of reduce-scatter.
#
# **Common mistakes.** The input of an all-gather is a *shard*, its output is everything · tensor parallelism needs **four** all-reduces a layer, not two · grouped queries make $n$ smaller · the activations between stages do not depend on how many layers a stage has.


# %% nbgrader={"grade": false, "grade_id": "parallel-bytes", "locked": false, "schema_version": 3, "solution": true}
def parallel_bytes(c, B, S, kind, degree, layers_per_stage):
    """Bytes that one GPU hands to each kind of communication in a training step; a dict of ints."""
    ### BEGIN SOLUTION
    matrices = 3 if c.mlp == "swiglu" else 2
    layer = 2 * c.D * c.Hq * c.Dh + 2 * c.D * c.Hkv * c.Dh + matrices * c.D * c.F
    n = layers_per_stage * layer
    activations = 2 * B * S * c.D
    sent = {
        "dp": {"all_reduce": 2 * n},
        "pp": {"forward": activations, "backward": activations},
        "tp": {"all_reduce": 4 * layers_per_stage * activations},
        "fsdp": {"all_gather": 2 * (2 * n // degree), "reduce_scatter": 2 * n},
    }
    if kind not in sent:
        raise ValueError(f"kind must be one of {', '.join(sent)}, not {kind!r}")
    return {name: 0 if degree == 1 else size for name, size in sent[kind].items()}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-data_and_pipeline", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("data_and_pipeline")

# %% nbgrader={"grade": true, "grade_id": "check-tensor_and_fsdp", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("tensor_and_fsdp")

# %% nbgrader={"grade": true, "grade_id": "check-homework_two", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("homework_two")

# %% nbgrader={"grade": true, "grade_id": "check-every_kind_of_parallelism", "locked": true, "points": 8, "schema_version": 3, "solution": false}
check("every_kind_of_parallelism")

# %% [markdown]
# ## E6 · The best model for a budget (10 points, 20 minutes)
#
# **From a curve.** Train models of several sizes $N_i$, each until the budget $C$ is spent, and note the losses $L_i$. Against $\ln N$ they lie on a parabola near the bottom: fit $L=p_2(\ln N)^2+p_1\ln N+p_0$ by least squares and return the size at its lowest point, $N^*=e^{-p_1/2p_2}$. (Subtract the mean of $\ln N$ before you set up normal equations, and add it again: far from 0 the three columns are nearly parallel, and half of the digits are lost.)
#
# **From the law.** Minimise $E+A N^{-\alpha}+B D^{-\beta}$ where $6ND=C$. Put $D=C/6N$, set the derivative to zero, and
#
# $$N^*=\left(\frac{\alpha A}{\beta B}\right)^{\frac1{\alpha+\beta}}\left(\frac C6\right)^{\frac\beta{\alpha+\beta}},\qquad D^*=\frac C{6N^*}.$$
#
# `fit` is a dict with `E A B alpha beta`.
#
# **By hand.** The constants as Hoffmann et al. (2022) print them, $A=406.4$, $B=410.7$, $\alpha=0.34$, $\beta=0.28$, at Gopher's budget $C=5.76\cdot10^{23}$: $N^*=3.22\cdot10^{10}$, $D^*=2.98\cdot10^{12}$, 92.6 tokens for each parameter.
# But Chinchilla, trained for this very budget ($6ND=5.88\cdot10^{23}$), has 70 billion parameters and 1.4 trillion tokens: 20 each! The paper's table comes from another of its three methods, and the printed constants do not agree with it: Besiroglu et al. (2024) trace this to a fit that stopped early
# and to rounding. Their refit ($A=482.01$, $B=2085.43$, $\alpha=0.3478$, $\beta=0.3658$) gives $7.22\cdot10^{10}$ and 18.4 tokens each. So never test one method's rule against another method's constants.
#
# **Common mistakes.** "20 tokens for each parameter" is a *result* for one set of constants, no law · the parabola is in $\ln N$, not in $N$ · the exponent of $C$ for $N$ has $\beta$ above: the *faster* loss falls with data, the *larger* the model can be.


# %% nbgrader={"grade": false, "grade_id": "isoflop", "locked": false, "schema_version": 3, "solution": true}
def isoflop_optimum(N, L):
    """The model size at the bottom of the parabola through the losses L (n,) over ln N (n,); a float."""
    ### BEGIN SOLUTION
    x = np.log(np.asarray(N, dtype=np.float64))
    middle = x.mean()  # centred, the columns of the least-squares problem are far from parallel
    p2, p1, _ = np.polyfit(x - middle, np.asarray(L, dtype=np.float64), 2)
    return float(np.exp(middle - p1 / (2 * p2)))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-valley", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("valley")


# %% nbgrader={"grade": false, "grade_id": "compute-optimal", "locked": false, "schema_version": 3, "solution": true}
def compute_optimal(C, fit):
    """(N, D) with the lowest loss of the law `fit` among those with 6ND = C; floats."""
    ### BEGIN SOLUTION
    alpha, beta = fit["alpha"], fit["beta"]
    ratio = alpha * fit["A"] / (beta * fit["B"])
    N = ratio ** (1 / (alpha + beta)) * (C / 6) ** (beta / (alpha + beta))
    return float(N), float(C / (6 * N))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-optimum_of_the_law", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("optimum_of_the_law")

# %% nbgrader={"grade": true, "grade_id": "check-best_sizes", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("best_sizes")


# %% nbgrader={"grade": false, "grade_id": "plot-isoflop", "locked": true, "schema_version": 3, "solution": false}
def draw_isoflop():
    law = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
    chart = labkit.LineChart("Loss at a fixed budget", x="parameters N", y="loss", log_x=True)

    def loss(N, C):
        return law["E"] + law["A"] * N ** -law["alpha"] + law["B"] * (C / 6 / N) ** -law["beta"]

    for C in (1e19, 1e20, 1e21, 1e22):
        best, _ = compute_optimal(C, law)
        sizes = best * np.logspace(-0.9, 0.9, 41)
        chart.line(sizes, loss(sizes, C), f"{C:.0e}".replace("e+", "e"))
    budgets = np.logspace(19, 22, 13)
    bottoms = [compute_optimal(C, law)[0] for C in budgets]
    chart.line(bottoms, [loss(N, C) for N, C in zip(bottoms, budgets)], "lowest points")
    return chart


labkit.figure(draw_isoflop)

# %% [markdown]
# ## E7 · Fitting the law (15 points, 40 minutes)
#
# Given the final losses of many runs, find $E,A,B,\alpha,\beta$. Three choices of Hoffmann et al. (2022, section 3.3) make it work:
#
# - **Logarithms.** Fit $\ln L$: a run at loss 2 and one at loss 6 then count alike. With $A=e^a$, $B=e^b$, $E=e^e$ nothing can become negative, and
#   with $z=(a-\alpha\ln N,\ b-\beta\ln D,\ e)$ it is $\ln\hat L=\operatorname{LSE}(z)=\ln\sum_k e^{z_k}$.
# - **Huber's loss.** Runs fail. With the residual $r=\ln\hat L-\ln L$, squared error would let one diverged run pull the whole law; $\operatorname{Huber}_\delta(r)=\tfrac12r^2$ for $|r|\le\delta$ and $\delta(|r|-\tfrac12\delta)$ beyond, with $\delta=10^{-3}$, does not.
# - **Several starts**, because the sum of the losses over all runs has more than one valley; keep the best.
#
# `objective(theta, N, D, L)` with `theta` $=(a,b,e,\alpha,\beta)$ returns the sum over the runs and its **gradient**, shape (5,). With $p=\operatorname{softmax}(z)$ and $w=\operatorname{Huber}'_\delta(r)$, which is $r$ cut off at $\pm\delta$:
#
# $$\frac{\partial}{\partial(a,b,e,\alpha,\beta)}=\sum_i w_i\,\big(p_{1},\ p_{2},\ p_{3},\ -p_{1}\ln N,\ -p_{2}\ln D\big)_i .$$
#
# `fit_parametric(N, D, L, inits)` starts once from each row of `inits` $(k,5)$ and returns the dict `E A B alpha beta` of the best result. `minimise` below is given: a quasi-Newton method that asks your function for value and gradient; by difference quotients it would need six evaluations where it needs one.
#
# **By hand.** One run with $N=D=1$ and $L=3$, at $\theta=(0,0,0,0.3,0.3)$: $z=(0,0,0)$, $\ln\hat L=\ln3$, residual 0: value 0 and gradient 0. With $L=6$: $r=-\ln2$, far beyond $\delta$, so the value is $10^{-3}(0.6931-0.0005)=6.926\cdot10^{-4}$ and the gradient $-10^{-3}\,(\tfrac13,\tfrac13,\tfrac13,0,0)$.
#
# **Common mistakes.** $e^{z}$ overflows for a bad start: subtract the largest $z$ first · the residual of $L$ in place of $\ln L$ · the mean in place of the sum (the *loss scale* that made the original fit stop early) · returning $a$ where $A=e^a$ is asked for · keeping the last start and not the best.


# %% nbgrader={"grade": false, "grade_id": "minimise", "locked": true, "schema_version": 3, "solution": false}
def minimise(f, x, steps=300):
    """Lowest point that BFGS finds from x, and the value there. f(x) -> (value, gradient)."""
    x = np.array(x, dtype=np.float64)
    value, g = f(x)
    inverse = np.eye(len(x))  # of the Hessian, as far as it is known
    idle = 0
    for _ in range(steps):
        direction = -inverse @ g
        if direction @ g >= 0:
            inverse, direction = np.eye(len(x)), -g
        length = 1.0 / max(1.0, np.abs(direction).max())
        for _ in range(40):
            new_value, new_g = f(x + length * direction)
            if new_value <= value + 1e-4 * length * (direction @ g):
                break
            length /= 2
        else:
            if idle:
                return x, value
            idle, inverse = 1, np.eye(len(x))
            continue
        idle = idle + 1 if value - new_value <= 1e-12 * abs(value) else 0
        s, y = length * direction, new_g - g
        x, value, g = x + s, new_value, new_g
        if idle > 3 or np.abs(g).max() < 1e-12:
            return x, value
        if s @ y > 1e-14:
            turn = np.eye(len(x)) - np.outer(s, y) / (s @ y)
            inverse = turn @ inverse @ turn.T + np.outer(s, s) / (s @ y)
    return x, value


# %% nbgrader={"grade": false, "grade_id": "objective", "locked": false, "schema_version": 3, "solution": true}
DELTA = 1e-3


def objective(theta, N, D, L):
    """(value, gradient (5,)) of the Huber loss of ln L, summed over runs N, D, L of shape (n,)."""
    ### BEGIN SOLUTION
    a, b, e, alpha, beta = theta
    log_n, log_d = np.log(N), np.log(D)
    z = np.stack([a - alpha * log_n, b - beta * log_d, np.full(len(log_n), e)])
    top = z.max(axis=0)
    p = np.exp(z - top)
    total = p.sum(axis=0)
    r = top + np.log(total) - np.log(L)
    p /= total
    w = np.clip(r, -DELTA, DELTA)
    value = np.where(np.abs(r) <= DELTA, 0.5 * r * r, DELTA * (np.abs(r) - 0.5 * DELTA)).sum()
    gradient = [w @ p[0], w @ p[1], w @ p[2], -(w * p[0]) @ log_n, -(w * p[1]) @ log_d]
    return float(value), np.array(gradient)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-value_of_the_fit", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("value_of_the_fit")

# %% nbgrader={"grade": true, "grade_id": "check-gradient_of_the_fit", "locked": true, "points": 3, "schema_version": 3, "solution": false}
check("gradient_of_the_fit")


# %% nbgrader={"grade": false, "grade_id": "fit", "locked": false, "schema_version": 3, "solution": true}
def fit_parametric(N, D, L, inits):
    """The best of the fits that start at the rows of inits (k, 5): {"E", "A", "B", "alpha", "beta"}."""
    ### BEGIN SOLUTION
    results = [minimise(lambda theta: objective(theta, N, D, L), start) for start in inits]
    (a, b, e, alpha, beta), _ = min(results, key=lambda result: result[1])
    found = {"E": np.exp(e), "A": np.exp(a), "B": np.exp(b), "alpha": alpha, "beta": beta}
    return {name: float(value) for name, value in found.items()}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-fitted_law", "locked": true, "points": 4, "schema_version": 3, "solution": false}
check("fitted_law")

# %% nbgrader={"grade": true, "grade_id": "check-fit_with_failed_runs", "locked": true, "points": 5, "schema_version": 3, "solution": false}
check("fit_with_failed_runs")

# %% [markdown]
# ## Questions to think about
#
# Your fit gives exponents with three digits. Refit after leaving out a tenth of the runs, ten times: how much do $N^*$ and $D^*$ at $10^{25}$ operations move? That is the honest width of a curve drawn a thousand budgets beyond its data.
#
# ## Read next
#
# - Hoffmann et al., *Training compute-optimal large language models* (arXiv 2203.15556), section 3 for the three methods and appendix D for the fit.
# - Besiroglu et al., *Chinchilla scaling: a replication attempt* (arXiv 2404.10102): how a loss scale and two digits changed a conclusion.
# - Korthikanti et al., *Reducing activation recomputation in large transformer models* (arXiv 2205.05198), section 4 and table 2, for E3.
# - Narayanan et al., *Efficient large-scale language model training on GPU clusters* (arXiv 2104.04473), section 5.1 and the appendix on FLOPs, for E4.
# - Kaplan et al., *Scaling laws for neural language models* (arXiv 2001.08361), section 2.1: where $6ND$ comes from.
