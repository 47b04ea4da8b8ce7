"""The log posterior of a Gaussian mixture with a Wishart prior on the precisions QₖᵀQₖ, and its gradient.

With βᵢₖ = αₖ − ½|Qₖ(xᵢ − μₖ)|² + Σⱼ qₖⱼ, where Qₖ is lower triangular with the diagonal exp(qₖ), up to a constant

    Σᵢ lse(βᵢ) − N lse(α) − Σₖ (γ²/2 |Qₖ|² − m Σⱼ qₖⱼ).
"""

import numpy as np
from scipy.special import multigammaln

from dotbar import grad, jit, stop_gradient


def logsumexp(v):
    a = stop_gradient(np.max(v, axis=-1, keepdims=True))
    return a[..., 0] + np.log(np.sum(np.exp(v - a), axis=-1))


def factors(q, below):
    """Qₖ: exp(qₖ) on the diagonal, lₖ column by column below it."""
    K, D = q.shape
    Q = np.zeros((K, D, D), like=q)
    column, row = np.triu_indices(D, 1)
    Q[:, row, column] = below
    Q[:, np.arange(D), np.arange(D)] = np.exp(q)
    return Q


def log_posterior(parameters, x, m, gamma):
    alpha, mu, q, below = (parameters[name] for name in ("alpha", "mu", "q", "l"))
    (N, D), K = x.shape, len(alpha)
    Q = factors(q, below)
    sum_q = np.sum(q, axis=1)
    # Qₖ(x − μₖ) = (Qₖ, −Qₖμₖ)(x; 1): one product for all points and components
    extended = np.concatenate((Q, -Q @ mu[:, :, None]), axis=2)
    z = extended @ np.concatenate((x, np.ones((N, 1))), axis=1).T
    beta = alpha + sum_q - np.einsum("kdi,kdi->ik", z, z) / 2
    n = D + m + 1
    constant = K * (n * D * np.log(gamma / np.sqrt(2)) - multigammaln(n / 2, D)) - N * D / 2 * np.log(2 * np.pi)
    prior = m * np.sum(sum_q) - gamma**2 / 2 * np.sum(Q * Q)
    return constant + np.sum(logsumexp(beta)) - N * logsumexp(alpha) + prior


def prepare(input):
    parameters = {name: np.array(input[name]) for name in ("alpha", "mu", "q", "l")}
    parameters["l"] = parameters["l"].reshape(input["k"], -1)  # no columns if D = 1
    return parameters, np.array(input["x"]), input["m"], input["gamma"]


def example(d, k, n=1000, m=0, gamma=1.0):
    rng = np.random.default_rng(0)
    parameters = {
        "alpha": rng.normal(size=k),
        "mu": rng.random((k, d)),
        "q": rng.normal(size=(k, d)),
        "l": rng.normal(size=(k, d * (d - 1) // 2)),
    }
    x = rng.normal(size=(n, d))
    sizes = {"d": d, "k": k, "n": n, "m": m, "gamma": gamma}
    return {name: a.tolist() for name, a in {**parameters, "x": x}.items()} | sizes


FUNCTIONS = {
    "objective": jit(log_posterior, static_argnums=(2, 3)),
    "jacobian": jit(grad(log_posterior), static_argnums=(2, 3)),
}
