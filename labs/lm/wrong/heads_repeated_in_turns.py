"""Key heads are repeated in turns: 0 1 0 1 in place of 0 0 1 1."""
# caught by: attention_groups
# hint: Neighbours share a key head: repeat_interleave, not repeat.


# %% attention
def attention(q, k, v, causal):
    """q (B, Hq, Sq, Dh), k and v (B, Hkv, Sk, Dh) -> (B, Hq, Sq, Dh); query i sits at Sk - Sq + i."""
    group = q.shape[1] // k.shape[1]
    k = k.repeat(1, group, 1, 1)
    v = v.repeat(1, group, 1, 1)
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])  # (B, Hq, Sq, Sk)
    if causal:
        queries, keys = scores.shape[-2:]
        later = torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries + 1)
        scores = scores.masked_fill(later, -math.inf)
    return scores.softmax(dim=-1) @ v
