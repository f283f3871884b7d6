"""`TinyLM`: a small language model with fixed random weights, in parts that labs put together anew.

A Llama-like decoder: pre-norm (RMSNorm), rotary positions, grouped-query attention, SwiGLU. Weights are
`[d_in, d_out]`, so a layer is `x @ W`. The same seed gives the same weights everywhere.

    x = model.embed(ids)                                  # (B, S, D)
    for layer in range(model.layers):
        q, k, v = model.qkv(layer, x, positions)          # normed, projected, rotated
        x = x + model.project(layer, attention(q, k, v))  # yours: (B, Hq, S, Dh) → (B, S, D)
        x = x + model.mlp(layer, x)
    logits = model.logits(x)                              # (B, S, V)
"""

import math

import torch

EPSILON = 1e-6
ROTARY_BASE = 10_000.0


class TinyLM:
    """A seeded decoder-only language model.

    Attributes:
        weights: every parameter by name, e.g. `layers.0.q`; plain tensors, without gradients.
        calls: how often `forward` was called; a courtesy, nothing that earns points counts here.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        vocabulary: int = 64,
        layers: int = 2,
        width: int = 32,
        heads: int = 4,
        kv_heads: int = 2,
        hidden: int = 64,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        if width % heads or heads % kv_heads or (width // heads) % 2:
            raise ValueError("width must divide into heads of even size, and heads into kv_heads")
        self.vocabulary, self.layers, self.width = vocabulary, layers, width
        self.heads, self.kv_heads, self.head_width = heads, kv_heads, width // heads
        self.hidden, self.dtype, self.calls = hidden, dtype, 0
        generator = torch.Generator().manual_seed(seed)

        def drawn(rows: int, columns: int) -> torch.Tensor:
            values = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
            return (values / math.sqrt(rows)).to(dtype)

        self.weights = {"embedding": drawn(vocabulary, width) * math.sqrt(vocabulary / 4)}
        for layer in range(layers):
            for name, rows, columns in (
                ("q", width, width),
                ("k", width, kv_heads * self.head_width),
                ("v", width, kv_heads * self.head_width),
                ("o", width, width),
                ("gate", width, hidden),
                ("up", width, hidden),
                ("down", hidden, width),
            ):
                self.weights[f"layers.{layer}.{name}"] = drawn(rows, columns)
            for norm in ("attention_norm", "mlp_norm"):
                self.weights[f"layers.{layer}.{norm}"] = torch.ones(width, dtype=dtype)
        self.weights["norm"] = torch.ones(width, dtype=dtype)
        self.weights["head"] = drawn(width, vocabulary) * 3.0  # so that choices are not all alike

    def weight(self, layer: int, name: str) -> torch.Tensor:
        """One parameter of one layer: q, k, v, o, gate, up, down, attention_norm or mlp_norm."""
        return self.weights[f"layers.{layer}.{name}"]

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """(B, S) int64 → (B, S, D)."""
        return self.weights["embedding"][ids]

    def norm(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        """RMSNorm over the last axis: x / √(mean(x²) + ε) · scale."""
        return x * torch.rsqrt(x.pow(2).mean(dim=-1, keepdim=True) + EPSILON) * scale

    def rotate(self, x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Rotary embedding of (B, H, S, Dh) at positions (B, S); pairs are (i, i + Dh/2)."""
        half = x.shape[-1] // 2
        frequency = ROTARY_BASE ** (-torch.arange(half, dtype=torch.float64) / half)
        angle = positions[:, None, :, None].to(torch.float64) * frequency  # (B, 1, S, Dh/2)
        cosine, sine = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
        first, second = x[..., :half], x[..., half:]
        return torch.cat((first * cosine - second * sine, first * sine + second * cosine), dim=-1)

    def qkv(
        self, layer: int, x: torch.Tensor, positions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Queries (B, Hq, S, Dh), keys and values (B, Hkv, S, Dh) of x (B, S, D) at positions (B, S)."""
        batch, length, _ = x.shape
        normed = self.norm(x, self.weight(layer, "attention_norm"))

        def split(name: str, heads: int) -> torch.Tensor:
            flat = normed @ self.weight(layer, name)
            return flat.view(batch, length, heads, self.head_width).transpose(1, 2)

        q, k, v = split("q", self.heads), split("k", self.kv_heads), split("v", self.kv_heads)
        return self.rotate(q, positions), self.rotate(k, positions), v

    def project(self, layer: int, attended: torch.Tensor) -> torch.Tensor:
        """(B, Hq, S, Dh) → (B, S, D): what attention adds to the residual stream."""
        batch, _, length, _ = attended.shape
        flat = attended.transpose(1, 2).reshape(batch, length, self.width)
        return flat @ self.weight(layer, "o")

    def mlp(self, layer: int, x: torch.Tensor) -> torch.Tensor:
        """(B, S, D) → (B, S, D): what the feed-forward part adds; it norms by itself."""
        normed = self.norm(x, self.weight(layer, "mlp_norm"))
        gate = torch.nn.functional.silu(normed @ self.weight(layer, "gate"))
        return (gate * (normed @ self.weight(layer, "up"))) @ self.weight(layer, "down")

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """(B, S, D) → (B, S, V)."""
        return self.norm(x, self.weights["norm"]) @ self.weights["head"]

    def attend(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, allowed: torch.Tensor
    ) -> torch.Tensor:
        """Softmax attention; `allowed` (…, Sq, Sk) says which keys a query sees."""
        repeats = self.heads // self.kv_heads
        k, v = k.repeat_interleave(repeats, dim=1), v.repeat_interleave(repeats, dim=1)
        scores = q @ k.transpose(-1, -2) / math.sqrt(self.head_width)
        return scores.masked_fill(~allowed, -torch.inf).softmax(dim=-1) @ v

    def forward(
        self, ids: torch.Tensor, allowed: torch.Tensor | None = None, positions: object = None
    ) -> torch.Tensor:
        """Logits (B, S, V) of ids (B, S) without any cache.

        Args:
            allowed: (S, S) or (B, 1, S, S) bool, mask[query, key]; None: causal.
            positions: (B, S); None: 0, 1, 2, …
        """
        self.calls += 1
        length = ids.shape[1]
        if allowed is None:
            allowed = torch.ones(length, length, dtype=torch.bool).tril()
        where = torch.arange(length).expand(ids.shape) if positions is None else positions
        assert isinstance(where, torch.Tensor)
        x = self.embed(ids)
        for layer in range(self.layers):
            x = x + self.project(layer, self.attend(*self.qkv(layer, x, where), allowed))
            x = x + self.mlp(layer, x)
        return self.logits(x)

    __call__ = forward

    def parameters(self) -> list[torch.Tensor]:
        """All weights, in the order in which they were made."""
        return list(self.weights.values())
