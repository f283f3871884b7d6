"""The mask is cut like the logits, not like the ids."""
# caught by: loss_values
# hint: The mask says which ids count as targets: cut it where you cut the ids, mask[:, 1:].


# %% lm-loss
def lm_loss(logits, ids, mask):
    """Mean over the masked targets of the cross entropy of predicting ids[:, t + 1] from logits[:, t]."""
    logs = torch.log_softmax(logits[:, :-1], dim=-1)
    of_targets = logs.gather(-1, ids[:, 1:].unsqueeze(-1)).squeeze(-1)
    return -of_targets[mask[:, :-1]].mean()
