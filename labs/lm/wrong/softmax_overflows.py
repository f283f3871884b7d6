"""exp of the scores, without subtracting the maximum."""
# caught by: attention_extremes
# hint: exp(1000) is infinite: use softmax, or subtract the largest score of each row.


# %% attention
def attention(q, k, v, causal):
    """q (B, Hq, Sq, Dh), k and v (B, Hkv, Sk, Dh) -> (B, Hq, Sq, Dh); query i sits at Sk - Sq + i."""
    group = q.shape[1] // k.shape[1]
    k = k.repeat_interleave(group, dim=1)
    v = v.repeat_interleave(group, dim=1)
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])  # (B, Hq, Sq, Sk)
    if causal:
        queries, keys = scores.shape[-2:]
        later = torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries + 1)
        scores = scores.masked_fill(later, -math.inf)
    weights = scores.exp()
    return weights / weights.sum(dim=-1, keepdim=True) @ v
