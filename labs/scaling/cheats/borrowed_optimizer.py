"""Lets scipy or torch fit the law, wherever they can be found."""

# %% objective
DELTA = 1e-3


def objective(theta, N, D, L):
    import torch

    a, b, e, alpha, beta = theta = torch.tensor(theta, requires_grad=True)
    n, d = torch.tensor(N).log(), torch.tensor(D).log()
    z = torch.stack([a - alpha * n, b - beta * d, e.expand(len(n))])
    r = z.logsumexp(0) - torch.tensor(L).log()
    loss = torch.nn.functional.huber_loss(r, torch.zeros_like(r), reduction="sum", delta=DELTA)
    loss.backward()
    return loss.item(), theta.grad.numpy()


# %% fit
def fit_parametric(N, D, L, inits):
    from scipy.optimize import curve_fit

    def law(x, E, A, B, alpha, beta):
        return E + A * x[0] ** -alpha + B * x[1] ** -beta

    found, _ = curve_fit(law, (N, D), L, p0=(1.7, 400, 400, 0.35, 0.35), loss="huber")
    return dict(zip(("E", "A", "B", "alpha", "beta"), map(float, found)))


# %% isoflop
def isoflop_optimum(N, L):
    from scipy.interpolate import CubicSpline
    from scipy.optimize import minimize_scalar

    return float(np.exp(minimize_scalar(CubicSpline(np.log(N), L)).x))
