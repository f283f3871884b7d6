"""The logarithm of a softmax that has become 0."""
# caught by: loss_masks
# hint: log_softmax: a probability of 10^−400 has a logarithm, but no float.


# %% lm-loss
def lm_loss(logits, ids, mask):
    """Mean over the masked targets of the cross entropy of predicting ids[:, t + 1] from logits[:, t]."""
    logs = torch.softmax(logits[:, :-1], dim=-1).log()
    of_targets = logs.gather(-1, ids[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -of_targets[mask[:, 1:]].mean()
