"""SciPy's functions that take traced values as they are, under ``SCIPY_ARRAY_API=1``: each derivative is checked.

Such a function asks its arguments for ``__array_namespace__``, gets ``dotbar.numpy``, and computes by that.  Those that
are called are all of which the walk over arguments has calls; what does not take traced values must refuse them.
"""

import warnings
from importlib import import_module
from typing import Any

import numpy as np
from walk import Call, calls, holds

import dotbar
from dotbar.core import cell
from dotbar.errors import DotbarError
from dotbar.tree import flatten

LISTED = """
    cluster.vq.whiten differentiate.derivative fft.fft fft.fft2 fft.fftn fft.fftshift fft.fht fft.hfft fft.hfft2
    fft.hfftn fft.ifft fft.ifft2 fft.ifftn fft.ifftshift fft.ifht fft.ihfft fft.ihfft2 fft.ihfftn fft.irfft
    fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftn integrate.cumulative_simpson integrate.cumulative_trapezoid
    integrate.fixed_quad integrate.romb integrate.trapezoid linalg.block_diag linalg.diagsvd linalg.fiedler
    linalg.orthogonal_procrustes linalg.solve_circulant optimize.rosen optimize.rosen_der optimize.rosen_hess
    optimize.rosen_hess_prod signal.abcd_normalize signal.bilinear_zpk signal.cheb1ord
    signal.closest_STFT_dual_window signal.envelope signal.fftconvolve signal.firwin signal.freqs signal.freqs_zpk
    signal.freqz signal.freqz_zpk signal.gauss_spline signal.gausspulse signal.hilbert signal.hilbert2
    signal.lfiltic signal.lp2bp signal.lp2bp_zpk signal.lp2bs signal.lp2bs_zpk signal.lp2hp signal.lp2hp_zpk
    signal.lp2lp signal.lp2lp_zpk signal.minimum_phase signal.normalize signal.oaconvolve signal.resample
    signal.sos2tf signal.sos2zpk signal.sweep_poly signal.tf2zpk signal.vectorstrength signal.zpk2tf
    spatial.transform.Rotation special.assoc_laguerre special.log_softmax special.logsumexp special.softmax
    special.softplus special.xlogy stats.boxcox_llf stats.circmean stats.circstd stats.circvar stats.describe
    stats.differential_entropy stats.directional_stats stats.gmean stats.gstd stats.gzscore stats.hmean stats.kstat
    stats.kstatvar stats.kurtosis stats.moment stats.pmean stats.sem stats.skew stats.tmax stats.tmin
    stats.trim_mean stats.tsem stats.tstd stats.tvar stats.zmap stats.zscore
"""
"""Those of SciPy 1.17."""


FLOATING = [np.dtype(kind) for kind in "fdFD"]


def functions() -> dict[str, list[Call]]:
    """The calls of SciPy's own functions."""
    x, y = np.array([0.7, 0.3, 0.9, 0.4, 0.55, 0.8]), np.array([0.2, 0.5, 0.1])
    turned = lambda v: import_module("scipy.spatial.transform").Rotation.from_rotvec(v).as_matrix()
    slope = lambda v: import_module("scipy.differentiate").derivative(lambda t: t**2, v).df
    fixed = lambda v: import_module("scipy.integrate").fixed_quad(lambda t: t * v[0], 0, 1)[0]
    own = {
        "cluster.vq.whiten": (import_module("scipy.cluster.vq").whiten, x[:, None]),
        "differentiate.derivative": (slope, x),
        "integrate.fixed_quad": (fixed, x),
        "spatial.transform.Rotation": (turned, y),
    }
    found = {name: [Call(name, (x,), {}, f)] for name, (f, x) in own.items()}
    for name, several in calls().items():
        module, _, member = name.rpartition(".")
        f = getattr(import_module(f"scipy.{module}"), member)
        if not isinstance(f, np.ufunc) and name not in found:
            found[name] = [Call(name, call.args, call.kw, f) for call in several]
    return found


def floating(x: Any) -> bool:
    """Whether an argument is an array that can be traced."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "fc"


def works(call: Call) -> bool:
    """Whether a function takes all its floating arrays traced; False if it has none.

    Raises:
        AssertionError: its derivative is wrong, or lost, or what it raises is not of dotbar's.
    """
    xs = [a for a in (*call.args, *call.kw.values()) if floating(a)]
    if not xs:
        return False
    reached: list[bool] = []

    def f(*xs: Any) -> list[Any]:
        rest = iter(xs)
        put = lambda a: next(rest) if floating(a) else cell(a)
        y = call.f(*map(put, call.args), **{k: put(a) for k, a in call.kw.items()})
        reached.append(holds(y, set()))
        y = vars(y) if type(y).__module__.startswith("scipy.stats") and hasattr(y, "__dict__") else y
        return [v for v in flatten(y)[0] if getattr(v, "dtype", None) in FLOATING]

    try:
        _, dots = dotbar.jvp(f, tuple(xs), tuple(map(np.ones_like, xs)))
        h = 1e-6
        plus, minus = (f(*(x + s * h for x in xs)) for s in (1, -1))
    except (DotbarError, ValueError):  # or SciPy takes such values alone
        return False
    if not all(np.all(np.isfinite(y)) for y in (*plus, *minus)):
        return False
    if not reached[0]:
        assert all(map(np.array_equal, plus, minus)), f"{call.name} is silently constant"
        return False
    close = [np.allclose(dot, (a - b) / (2 * h), 1e-4, 1e-5) for dot, a, b in zip(dots, plus, minus, strict=True)]
    assert all(close) or call.name not in LISTED.split(), f"the derivative of {call.name} is wrong"
    return all(close)  # SciPy may branch where a value is as it is, say 1


if __name__ == "__main__":
    from dotbar.scipy.mirror import before

    warnings.simplefilter("ignore")
    done = {name for name, several in functions().items() for call in several[:3] if works(call)}
    missing = sorted(set(LISTED.split()) - done)
    assert before("1.17.0") or not missing, f"refused: {missing}"
    print(*sorted(done))
