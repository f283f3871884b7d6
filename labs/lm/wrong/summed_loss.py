"""The losses are summed."""
# caught by: loss_values
# hint: Mean over the targets.


# %% lm-loss
def lm_loss(logits, ids, mask):
    """Mean over the masked targets of the cross entropy of predicting ids[:, t + 1] from logits[:, t]."""
    logs = torch.log_softmax(logits[:, :-1], dim=-1)
    of_targets = logs.gather(-1, ids[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -of_targets[mask[:, 1:]].sum()
