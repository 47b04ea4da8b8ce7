"""Every argument of the classes of dotbar.scipy, and of what their objects can do, traced: what becomes of it."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import Parameter, signature
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation
from walk import Call, Verdict, verdicts_of

from dotbar.scipy.integrate import solve_ivp
from dotbar.scipy.sparse import csc_array
from dotbar.scipy.sparse.linalg import splu

X, Y, T = np.arange(8.0), np.sin(np.arange(8.0)), np.array([0.5, 2.5])
SITES = np.random.default_rng(3).normal(size=(9, 2))
AT = np.mean(SITES, 0) + 0.1 * np.array([[1.0, 0.3], [-0.5, 0.2]])
GRID = np.sin(np.arange(56.0).reshape(7, 8) ** 2)
SQUARE = np.diag(np.full(5, 4.0)) + np.diag(np.ones(4), 1) + np.diag(np.ones(4), -1)
FIVE = np.linspace(1.0, 2.0, 5)
TURNS = np.array([[0.1, 0.2, 0.3], [0.4, -0.2, 0.1], [0.5, 0.6, -0.7]])
KNOTS = np.arange(-3.0, 8.0)
SIGNAL = np.cos(np.arange(32.0))


@dataclass(frozen=True)
class Made(Call):
    """A call whose parameters are those of SciPy's own class or method."""

    original: Callable[..., Any]

    def candidates(self) -> Iterator[tuple[int | str, str, Any]]:
        parameters = [p for p in signature(self.original).parameters.values() if p.name != "self"]
        names = [p.name for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
        names += [p.name for p in parameters if p.kind is p.VAR_POSITIONAL] * len(self.args)
        given = [*zip(range(len(self.args)), names, self.args), *((k, k, x) for k, x in self.kw.items())]
        left = [(p.name, p.name, p.default) for p in parameters if p.name not in {name for _, name, _ in given}]
        return (item for item in (*given, *left) if item[2] is not Parameter.empty)


def made(name: str, *given: Any, **methods: tuple[Any, ...]) -> list[Made]:
    """The call that makes an object and reads from it by the first of its methods, and the calls of all methods.

    The last one given may be a dict, of keywords.
    """
    module, _, kind = name.rpartition(".")
    own, plain = (getattr(import_module(f"{root}.{module}"), kind) for root in ("dotbar.scipy", "scipy"))
    args, kw = (given[:-1], given[-1]) if given and type(given[-1]) is dict else (given, {})
    reader, at = next(iter(methods.items()))
    calls = [Made(name, args, kw, lambda *args, **kw: getattr(own(*args, **kw), reader)(*at), plain)]
    for method, args_of in methods.items():
        call = lambda *a, method=method, **k: getattr(own(*args, **kw), method)(*a, **k)
        calls.append(Made(f"{name}.{method}", args_of, {}, call, getattr(plain, method)))
    return calls


def members(name: str, **methods: tuple[Any, ...]) -> list[Made]:
    """The calls of functions of an object, or of a class."""
    module, _, kind = name.rpartition(".")
    own, plain = (getattr(import_module(f"{root}.{module}"), kind) for root in ("dotbar.scipy", "scipy"))
    return [Made(f"{name}.{m}", args, {}, getattr(own, m), getattr(plain, m)) for m, args in methods.items()]


SOLVED = solve_ivp(lambda t, y: -y, (0.0, 3.0), [1.0], dense_output=True)
ENTRIES = (np.arange(1.0, 6.0), (np.arange(5), np.array([0, 2, 1, 4, 3])))
PIECES = (np.sin(np.arange(15.0).reshape(3, 5)), np.arange(6.0))
POLYNOMIAL = {"__call__": (T,), "derivative": (1,), "antiderivative": (1,), "integrate": (0.3, 2.1)}
IN_TWO = {"__call__": (T, T), "ev": (T, T), "integral": (0.5, 2.0, 0.5, 3.0)}
SPLINE = {"__call__": (T,), "derivatives": (0.5,), "integral": (0.5, 2.5), "antiderivative": (1,)}
MATRIX = {
    "__matmul__": (FIVE,),
    "dot": (FIVE,),
    "multiply": (SQUARE,),
    "power": (2,),
    "sum": (0,),
    "mean": (1,),
    "diagonal": (0,),
    "reshape": ((1, 25),),
    "__mul__": (2.0,),
    "__truediv__": (2.0,),
}
LAW = ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf")
RATIONAL = ([1.0, 2.0], [1.0, 0.4, 0.3])
SOME = Y[[*range(8), 0]]

CALLS = [
    *made("interpolate.CubicSpline", X, Y, **POLYNOMIAL),
    *made("interpolate.PchipInterpolator", X, Y, **POLYNOMIAL),
    *made("interpolate.Akima1DInterpolator", X, Y, **POLYNOMIAL),
    *made("interpolate.CubicHermiteSpline", X, Y, np.cos(X), **POLYNOMIAL),
    *made("interpolate.PPoly", *PIECES, **POLYNOMIAL),
    *made("interpolate.BPoly", *PIECES, **POLYNOMIAL),
    *made("interpolate.BSpline", KNOTS, Y[:7], 3, **POLYNOMIAL, insert_knot=(1.5,)),
    *members("interpolate.BSpline", design_matrix=(T, KNOTS, 3), basis_element=(X[:4],)),
    *members("interpolate.BPoly", from_derivatives=([0.0, 1.0], [[1.0, 2.0], [0.5, 0.3]])),
    *made("interpolate.interp1d", X, Y, __call__=(T,)),
    *made("interpolate.UnivariateSpline", X, Y, None, [None, None], 3, 0.1, **SPLINE),
    *made("interpolate.InterpolatedUnivariateSpline", X, Y, **SPLINE),
    *made("interpolate.LSQUnivariateSpline", X, Y, [3.5], **SPLINE),
    *made("interpolate.BarycentricInterpolator", X[:4], Y[:4], __call__=(T,), derivative=(0.5,)),
    *made("interpolate.KroghInterpolator", X[:4], Y[:4], __call__=(T,), derivative=(0.5,), derivatives=(0.5,)),
    *made("interpolate.FloaterHormannInterpolator", X, Y, __call__=(T,)),
    *made("interpolate.RegularGridInterpolator", (X[:7], X), GRID, __call__=(T + 1,)),
    *made("interpolate.RBFInterpolator", SITES, SOME, __call__=(AT,)),
    *made("interpolate.Rbf", *SITES.T, SOME, __call__=(*AT.T,)),
    *made("interpolate.LinearNDInterpolator", SITES, SOME, __call__=(AT,)),
    *made("interpolate.NearestNDInterpolator", SITES, SOME, __call__=(AT,)),
    *made("interpolate.CloughTocher2DInterpolator", SITES, SOME, __call__=(AT,)),
    *made("interpolate.NdPPoly", np.sin(np.arange(24.0)).reshape(2, 2, 2, 3), (X[:3], X[:4]), __call__=(T / 2,)),
    *made("interpolate.NdBSpline", (KNOTS, KNOTS), GRID[:, :7], 3, __call__=(T,)),
    *made("interpolate.RectBivariateSpline", X[:7], X, GRID, **IN_TWO),
    *made("interpolate.LSQBivariateSpline", *SITES.T, SOME, [], [], {"kx": 1, "ky": 1}, **IN_TWO),
    *made("interpolate.SmoothBivariateSpline", *SITES.T, SOME, {"kx": 1, "ky": 1}, **IN_TWO),
    *made("signal.ShortTimeFFT", np.ones(8), 4, 2.0, stft=(SIGNAL,), spectrogram=(SIGNAL,)),
    *made("signal.CZT", 32, __call__=(SIGNAL,)),
    *made("signal.ZoomFFT", 32, 0.5, __call__=(SIGNAL,)),
    *made("signal.lti", *RATIONAL, step=(), impulse=(), bode=(), output=(SIGNAL, 0.1 * np.arange(32.0))),
    *made("signal.dlti", *RATIONAL, step=(), impulse=(), bode=(), output=(SIGNAL, None)),
    *made("signal.TransferFunction", *RATIONAL, to_ss=(), to_zpk=()),
    *made("signal.StateSpace", SQUARE, SQUARE, SQUARE, SQUARE, to_tf=()),
    *made("signal.ZerosPolesGain", [-1.0], [-2.0, -3.0], 1.5, to_tf=()),
    *made("sparse.csr_array", ENTRIES, **MATRIX, trace=(0,)),
    *made("sparse.csc_matrix", ENTRIES, **MATRIX),
    *made("sparse.coo_array", ENTRIES, **MATRIX, trace=(0,)),
    *made("sparse.dia_array", (np.ones((2, 5)), [0, 1]), {"shape": (5, 5)}, **MATRIX, trace=(0,)),
    *made("spatial.ConvexHull", SITES, __getattribute__=("volume",)),
    *made("spatial.transform.Rotation", np.eye(4), apply=(TURNS[0],), inv=(), __pow__=(0.5,), as_euler=("zyx",)),
    *members("spatial.transform.Rotation", from_rotvec=(TURNS,), from_euler=("zyx", TURNS), from_mrp=(TURNS,)),
    *members("spatial.transform.Rotation", align_vectors=(TURNS, TURNS[::-1])),
    *made("spatial.transform.RigidTransform", np.eye(4), apply=(TURNS[0],), inv=(), __pow__=(2.0,)),
    *members("spatial.transform.RigidTransform", from_translation=(TURNS,), from_exp_coords=(FIVE[[*range(5), 0]],)),
    *members("spatial.transform.RigidTransform", from_dual_quat=(Y,), from_matrix=(np.eye(4),)),
    *made("spatial.transform.Slerp", X[:3], Rotation.from_rotvec(TURNS), __call__=(T[:1],)),
    *made("spatial.transform.RotationSpline", X[:3], Rotation.from_rotvec(TURNS), __call__=(T[:1],)),
    Made("sparse.linalg.splu.solve", (FIVE,), {}, splu(csc_array(SQUARE)).solve, lambda rhs, trans="N": rhs),
    Made("integrate.OdeSolution", (T,), {}, SOLVED.sol, lambda t: t),
    *made("stats.gaussian_kde", Y, pdf=(T,), integrate_box_1d=(0.1, 0.5), integrate_gaussian=(0.1, 0.5)),
    *members("stats.norm", **dict.fromkeys((*LAW, "ppf", "isf"), (0.3, 0.5, 2.0)), stats=(0.5, 2.0), moment=(2, 0.5)),
    *members("stats.norm", entropy=(0.5, 2.0), interval=(0.9, 0.5, 2.0), support=(0.5,)),
    *members("stats.gamma", **dict.fromkeys(LAW, (0.3, 1.2)), ppf=(0.3, 1.2), stats=(1.2,), moment=(2, 1.2)),
    *members("stats.poisson", **dict.fromkeys(("pmf", "logpmf", "cdf", "sf"), (2, 1.5)), stats=(1.5,), entropy=(1.5,)),
    *members("stats.multivariate_normal", **dict.fromkeys(("pdf", "logpdf"), (FIVE, FIVE[::-1], SQUARE))),
    *members("stats.multivariate_normal", cdf=(FIVE[:2],), entropy=(FIVE, SQUARE)),
    *members("stats.dirichlet", **dict.fromkeys(("pdf", "logpdf"), ([0.2, 0.8], [1.5, 2.0])), mean=([1.5, 2.0],)),
    *members("stats.wishart", logpdf=(SQUARE, 6, SQUARE)),
]
"""Calls of classes and methods."""


@cache
def verdicts() -> dict[str, dict[str, list[Verdict]]]:
    """What becomes of each argument of each class and method."""
    several: dict[str, list[Made]] = defaultdict(list)
    for call in CALLS:
        several[call.name].append(call)
    return verdicts_of(several)
