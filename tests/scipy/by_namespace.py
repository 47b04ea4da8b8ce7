"""SciPy's functions that take traced values as they are, under ``SCIPY_ARRAY_API=1``: run, each gradient is checked.

Such a function asks its argument for ``__array_namespace__``, gets ``dotbar.numpy``, and computes by that.
"""

import os
import warnings

import numpy as np

CALLS = {
    "special.logsumexp": lambda x: special.logsumexp(x),
    "special.softmax": lambda x: special.softmax(x)[0],
    "special.log_softmax": lambda x: special.log_softmax(x)[0],
    "special.xlogy": lambda x: np.sum(special.xlogy(x, x)),
    "stats.gmean": lambda x: stats.gmean(x),
    "stats.hmean": lambda x: stats.hmean(x),
    "stats.pmean": lambda x: stats.pmean(x, 2.0),
    "stats.moment": lambda x: stats.moment(x, 3),
    "stats.skew": lambda x: stats.skew(x),
    "stats.kurtosis": lambda x: stats.kurtosis(x),
    "stats.sem": lambda x: stats.sem(x),
    "stats.zscore": lambda x: stats.zscore(x)[0],
    "stats.circmean": lambda x: stats.circmean(x),
    "stats.describe": lambda x: stats.describe(x).variance,
    "stats.trim_mean": lambda x: stats.trim_mean(x, 0.2),
    "stats.directional_stats": lambda x: stats.directional_stats(np.stack([x, x**2], 1)).mean_direction[0],
    "integrate.trapezoid": lambda x: integrate.trapezoid(x),
    "integrate.cumulative_simpson": lambda x: integrate.cumulative_simpson(x)[-1],
    "integrate.romb": lambda x: integrate.romb(x[:5]),
    "integrate.fixed_quad": lambda x: integrate.fixed_quad(lambda t: t * x[0], 0, 1)[0],
    "fft.fft": lambda x: np.abs(fft.fft(x)[1]),
    "fft.rfft": lambda x: np.abs(fft.rfft(x)[1]),
    "fft.irfft": lambda x: fft.irfft(x)[1],
    "fft.fht": lambda x: fft.fht(x, 0.1, 0.5)[0],
    "signal.hilbert": lambda x: np.abs(signal.hilbert(x))[0],
    "signal.fftconvolve": lambda x: signal.fftconvolve(x, x)[0],
    "cluster.vq.whiten": lambda x: np.sum(cluster.vq.whiten(x[:, None])),
    "spatial.transform.Rotation": lambda x: spatial.transform.Rotation.from_rotvec(x[:3]).as_matrix()[0, 1],
    "differentiate.derivative": lambda x: np.sum(differentiate.derivative(lambda t: t**2, x).df),
}
SINCE_1_17 = {"stats.trim_mean", "integrate.cumulative_simpson", "integrate.romb", "spatial.transform.Rotation"}


def check(name, x):
    """Compare a gradient with differences."""
    f, h = CALLS[name], 1e-6
    want = [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))]
    np.testing.assert_allclose(dotbar.grad(f)(x), want, 1e-5, 1e-7, err_msg=name)


if __name__ == "__main__":
    os.environ["SCIPY_ARRAY_API"] = "1"
    from scipy import cluster, differentiate, fft, integrate, signal, spatial, special, stats

    import dotbar
    from dotbar.scipy.mirror import before

    warnings.simplefilter("ignore")
    for name in CALLS.keys() - (SINCE_1_17 if before("1.17.0") else set()):
        check(name, np.array([0.7, 0.3, 0.9, 0.4, 0.55, 0.8]))
