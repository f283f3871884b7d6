"""Utilisation with the recomputed forward pass: 8N a token."""
# caught by: throughput_and_time, a_whole_run
# hint: That is hardware utilisation. The model needs 6N operations a token.


# %% throughput
def tokens_per_second(B, S, sec):
    """Tokens a second of all GPUs together, when a step of B sequences of S tokens takes `sec` seconds."""
    return B * S / sec


def mfu(N, tps, n_gpu, peak):
    """Model FLOPs utilisation, between 0 and 1; `peak` is FLOP/s of one GPU."""
    return 8 * N * tps / (n_gpu * peak)


def days(N, D, n_gpu, peak, mfu):
    """Days to train N parameters on D tokens."""
    return 6 * N * D / (n_gpu * peak * mfu) / 86400
