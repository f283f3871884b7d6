"""Each position is asked for its own token."""
# caught by: loss_values, overfits_one_batch
# hint: logits[:, t] predict ids[:, t + 1].


# %% lm-loss
def lm_loss(logits, ids, mask):
    """Mean over the masked targets of the cross entropy of predicting ids[:, t + 1] from logits[:, t]."""
    logs = torch.log_softmax(logits, dim=-1)
    of_targets = logs.gather(-1, ids.unsqueeze(-1)).squeeze(-1)
    return -of_targets[mask].mean()
