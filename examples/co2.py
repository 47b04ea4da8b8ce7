"""Gaussian-process regression on the Mauna Loa CO₂ record: kernels chosen by marginal likelihood, and a forecast.

    python examples/co2.py

The kernels and where their search starts: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006),
section 5.4.3.  With K = L Lᵀ,

    −log p(y) = ½ |L⁻¹y|² + Σ log L_ii + ½ n log 2π,

whose gradient in all hyperparameters goes through the Cholesky factorisation to scipy.optimize.
"""

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize
from statsmodels.datasets import co2

from dotbar import value_and_grad

LAST_SEEN = 1998.0


def squared_exponential(d, scale, length):
    return scale**2 * np.exp(-((d / length) ** 2) / 2)


def seasonal(d, scale, decay, smoothness):
    """Of a period of one year, and slowly changing its form."""
    return squared_exponential(d, scale, decay) * np.exp(-2 * np.sin(np.pi * d) ** 2 / smoothness**2)


def rational_quadratic(d, scale, length, alpha):
    """A mixture of squared exponentials of many lengths."""
    return scale**2 * (1 + (d / length) ** 2 / (2 * alpha)) ** -alpha


PARTS = {
    "trend": (squared_exponential, (66.0, 67.0)),
    "season": (seasonal, (2.4, 90.0, 1.3)),
    "irregular": (rational_quadratic, (0.66, 1.2, 0.78)),
}
MODELS = {
    "trend": ("trend",),
    "trend + season": ("trend", "season"),
    "trend + season + irregular": ("trend", "season", "irregular"),
}


def start(parts):
    """The logarithms of the hyperparameters at which the search starts."""
    return {"noise": np.log(0.5)} | {part: np.log(PARTS[part][1]) for part in parts}


def covariance(theta, d):
    """The sum of the kernels that theta has parameters for."""
    return sum(PARTS[part][0](d, *np.exp(theta[part])) for part in theta if part != "noise")


def factor(theta, t):
    """The Cholesky factor of the data's covariance, noise included."""
    return np.linalg.cholesky(covariance(theta, t[:, None] - t) + np.exp(2 * theta["noise"]) * np.eye(len(t)))


def negative_log_likelihood(theta, t, y):
    L = factor(theta, t)
    z = np.linalg.solve(L, y)
    return z @ z / 2 + np.sum(np.log(np.diag(L))) + len(y) * np.log(2 * np.pi) / 2


def pack(theta):
    return np.concatenate([np.ravel(v) for v in theta.values()])


def unpack(vector, parts):
    theta, rest = {"noise": vector[0]}, vector[1:]
    for part in parts:
        n = len(PARTS[part][1])
        theta[part], rest = rest[:n], rest[n:]
    return theta


def fit(parts, t, y):
    """Hyperparameters of the largest marginal likelihood, by L-BFGS with dotbar's gradient."""
    objective = value_and_grad(lambda vector: negative_log_likelihood(unpack(vector, parts), t, y))
    found = minimize(objective, pack(start(parts)), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    return unpack(found.x, parts), -found.fun, found.nfev


def predict(theta, t, y, t_new):
    """The mean and the standard deviation of new observations."""
    L = factor(theta, t)
    across = np.linalg.solve(L, covariance(theta, t[:, None] - t_new))
    mean = across.T @ np.linalg.solve(L, y)
    variance = covariance(theta, np.zeros(1)) + np.exp(2 * theta["noise"]) - np.sum(across**2, axis=0)
    return mean, np.sqrt(variance)


def monthly():
    """Times in years and monthly means in ppm, months without a measurement left out."""
    means = co2.load_pandas().data["co2"].resample("MS").mean().dropna()
    return means.index.year.to_numpy() + (means.index.month.to_numpy() - 0.5) / 12, means.to_numpy()


def draw(t, y, t_new, mean, deviation, path):
    figure, axis = plt.subplots(figsize=(10, 4), layout="constrained")
    axis.plot(t, y, ".", markersize=3, color="0.4", label="measured")
    axis.plot(t_new, mean, color="C0", label="forecast")
    axis.fill_between(t_new, mean - 2 * deviation, mean + 2 * deviation, color="C0", alpha=0.25, label="95 %")
    axis.axvline(LAST_SEEN, color="0.7", linestyle=":")
    axis.set(xlim=(1980, t_new[-1]), ylim=(330, None), xlabel="year", ylabel="CO₂ in ppm", title="Mauna Loa")
    axis.legend(loc="upper left")
    figure.savefig(path, dpi=120)


def main():
    t, y = monthly()
    seen = t < LAST_SEEN
    parabola = np.polynomial.Polynomial.fit(t[seen], y[seen], 2)  # growth so far; the process models the rest
    t_seen, y_seen = t[seen], y[seen] - parabola(t[seen])
    best, theta = -np.inf, None
    for name, parts in MODELS.items():
        candidate, likelihood, calls = fit(parts, t_seen, y_seen)
        print(f"{name:28} log marginal likelihood {likelihood:9.2f}   ({calls} evaluations)")
        if likelihood > best:
            best, theta = likelihood, candidate

    mean, deviation = predict(theta, t_seen, y_seen, t[~seen])
    off = mean + parabola(t[~seen]) - y[~seen]
    error, covered = np.sqrt(np.mean(off**2)), np.mean(np.abs(off) < 2 * deviation)
    print(f"{np.sum(~seen)} months ahead: root mean square error {error:.2f} ppm, {covered:.0%} within the error band")

    t_new = np.arange(LAST_SEEN, 2010, 1 / 24)
    mean, deviation = predict(theta, t_seen, y_seen, t_new)
    draw(t, y, t_new, mean + parabola(t_new), deviation, "co2.png")
    print("picture in co2.png")
    assert error < 1.2
    assert covered > 0.75


if __name__ == "__main__":
    main()
