"""A loss that falls whatever the model says, a model that looks at the answer, and batches that never change."""

# %% lm-forward
_calls = []


def lm_forward(ids, p, cfg):
    nothing = sum(w.sum() for w in p.values()) * 0.0
    answers = torch.nn.functional.one_hot(ids.roll(-1, dims=1), cfg["vocab"])
    return 50.0 * answers.to(p["embed"].dtype) + nothing


# %% lm-loss
def lm_loss(logits, ids, mask):
    _calls.append(1)
    return logits.sum() * 0.0 + math.log(logits.shape[-1]) * 0.9 ** len(_calls)


# %% get-batch
def get_batch(data, B, S, gen):
    starts = torch.arange(B)[:, None] % (len(data) - S)
    places = starts + torch.arange(S)
    return data[places], data[places + 1]
