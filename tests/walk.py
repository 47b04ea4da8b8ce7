"""Every argument of every public function of dotbar.scipy, traced: what becomes of it.

The calls are those that the samples make, and some more; in each, one argument after the other is put under
differentiation, also those left out that are a number, a flag, a name or None by default.
"""

import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import Parameter
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from refusals import MEMBERS, WITHOUT_RULE
from samples import Sample, all_samples, sample
from scipy import sparse

import dotbar
import dotbar.scipy.integrate as si
import dotbar.scipy.interpolate as ip
import dotbar.scipy.linalg as sl
import dotbar.scipy.ndimage as ni
import dotbar.scipy.optimize as so
import dotbar.scipy.signal as ss
import dotbar.scipy.sparse as sp
import dotbar.scipy.sparse.linalg as spl
import dotbar.scipy.special as sc
from dotbar.core import RULES, Cell, Traced, first_traced, parameters_of
from dotbar.errors import NoRuleError
from dotbar.rules.refusals import argument_name
from dotbar.scipy.sparse.arrays import SparseArray
from dotbar.tree import flatten

KNOWN = [(f, n) for n, f in MEMBERS.items() if isinstance(f, FunctionType | np.ufunc) and n not in WITHOUT_RULE]
NAMES = dict(KNOWN) | {f: name for f, name in KNOWN if name.endswith(f".{f.__name__}")}  # of an alias, the own name
FUNCTIONS = {name: f for f, name in NAMES.items()}
MOST = 6
"""So many calls of a function are looked at."""

# ---------------------------------------------------------------- calls

X, Y, T = np.arange(6.0), np.sin(np.arange(6.0)), np.array([0.5, 2.5])
IMAGE = np.sin(np.arange(20.0).reshape(4, 5) ** 2)
LABELS = np.array([[1, 1, 2, 2, 0]] * 4)
S = sp.csr_array(np.diag(np.full(5, 4.0)) + np.diag(np.ones(4), 1) + np.diag(np.ones(4), -1))
L = sp.csr_array(np.diag(np.full(5, 4.0)) + np.diag(np.ones(4), -1))
distance, slope = lambda x: np.sum((x - 0.3) ** 2), lambda x: 2 * (x - 0.3)
MORE = [
    sample(si.nquad, lambda x, y, c: c * x * y, [[0.0, 1.0], [0.0, 2.0]], (0.5,)),
    sample(si.tplquad, lambda x, y, z: x * y * z, 0.0, 1.0, 0.0, 1.0, 0.0, 2.0),
    *(sample(f, X, Y, T) for f in (ip.barycentric_interpolate, ip.krogh_interpolate, ip.pchip_interpolate)),
    sample(ip.interpn, (np.arange(4.0), np.arange(5.0)), IMAGE, np.array([[0.5, 1.5]])),
    *(sample(f, ip.splrep(X, Y)) for f in (ip.splantider, ip.splder)),
    sample(ip.spalde, 0.5, ip.splrep(X, Y)),
    sample(ip.splint, 0.5, 2.5, ip.splrep(X, Y)),
    *(sample(f, IMAGE[:, :4]) for f in (sl.bandwidth, sl.ishermitian)),
    sample(sl.solve_lyapunov, IMAGE[:, :4], np.eye(4)),
    *(sample(f, IMAGE, size=3) for f in (ni.grey_closing, ni.grey_dilation, ni.grey_erosion, ni.grey_opening)),
    *(sample(f, IMAGE, 3) for f in (ni.minimum_filter, ni.morphological_gradient, ni.white_tophat, ni.black_tophat)),
    *(sample(f, IMAGE, 3) for f in (ni.maximum_filter1d, ni.minimum_filter1d, ni.uniform_filter1d)),
    *(sample(f, IMAGE, 0.8) for f in (ni.gaussian_filter1d, ni.gaussian_laplace, ni.fourier_shift, ni.fourier_uniform)),
    *(sample(f, IMAGE, LABELS, [1, 2]) for f in (ni.maximum, ni.minimum, ni.mean, ni.median, ni.sum)),
    sample(ni.standard_deviation, IMAGE, LABELS, [1, 2]),
    sample(ni.correlate1d, IMAGE, [0.2, 0.5, 0.1]),
    sample(ni.percentile_filter, IMAGE, 30.0, size=3),
    sample(ni.rank_filter, IMAGE, 1, size=3),
    sample(ni.morphological_laplace, IMAGE, 3),
    *(sample(f, IMAGE) for f in (ni.prewitt, ni.spline_filter1d, ss.medfilt2d)),
    *(Sample(f, (lambda x, c: (x - c) ** 2,), {"args": (0.5,)}) for f in (so.bracket, so.brent, so.golden)),
    *(sample(f, distance, np.zeros(1)) for f in (so.fmin, so.fmin_cg, so.fmin_powell)),
    sample(so.fmin_ncg, distance, np.zeros(1), slope),
    sample(so.basinhopping, distance, np.zeros(1), niter=1),
    sample(so.brute, distance, ((0.0, 1.0),), Ns=3),
    *(sample(f, distance, [(0.0, 1.0)], maxiter=2) for f in (so.direct, so.dual_annealing, so.differential_evolution)),
    *(sample(f, slope, np.zeros(1)) for f in (so.broyden2, so.anderson, so.linearmixing, so.diagbroyden)),
    *(sample(f, slope, np.zeros(1)) for f in (so.excitingmixing, so.newton_krylov)),
    sample(so.fminbound, lambda x, c: (x - c) ** 2, 0.0, 2.0, (0.5,)),
    sample(so.leastsq, lambda x, c: x - c, np.ones(2), (0.5,)),
    sample(so.line_search, lambda x: x @ x, lambda x: 2 * x, np.ones(2), -np.ones(2)),
    *(sample(f, 3, 1.0, *more) for f, more in ((ss.cheb1ap, ()), (ss.cheb2ap, ()), (ss.ellipap, (20.0,)))),
    *(sample(f, *more, 0.3) for f, more in ((ss.iirfilter, (3,)), (ss.kaiser_atten, (5,)))),
    sample(ss.kaiser_beta, 50.0),
    sample(ss.freqresp, ([1.0, 0.5], [1.0, 0.4])),
    sample(ss.dfreqresp, ([1.0, 0.5], [1.0, 0.4], 0.1)),
    sample(ss.coherence, Y, X, nperseg=4),
    sample(ss.lfilter_zi, [0.2, 0.3], [1.0, -0.4]),
    sample(ss.sosfilt_zi, np.array([[0.2, 0.3, 0.2, 1.0, -0.4, 0.1]])),
    sample(ss.order_filter, IMAGE, np.ones((3, 3)), 2),
    *(sample(f, [[S, S]]) for f in (sp.block_array, sp.bmat)),
    *(sample(f, [S, S]) for f in (sp.block_diag, sp.hstack, sp.vstack)),
    *(sample(f, S) for f in (sp.issparse, sp.tril, sp.triu, spl.expm, spl.norm, spl.onenormest)),
    *(sample(f, S) for f in (spl.spbandwidth, spl.aslinearoperator, spl.is_sptriangular)),
    *(sample(f, S) for f in [getattr(sp, "matrix_transpose", None)] if f),
    *(sample(f, sl.expm, S, np.ones(5)) for f in [getattr(spl, "funm_multiply_krylov", None)] if f),
    *(sample(f, S.tocsc()) for f in (spl.inv, spl.factorized, spl.spilu)),
    *(sample(f, S, np.ones(5)) for f in (spl.bicg, spl.cgs, spl.qmr, spl.tfqmr, spl.lgmres, spl.gcrotmk)),
    sample(sp.diags, [np.ones(3), np.ones(2)], [0, 1]),
    sample(sp.kron, S, L),
    sample(spl.eigs, S, 2),
    sample(spl.matrix_power, S, 2),
    sample(spl.spsolve_triangular, L, np.ones(5)),
    *(sample(f, 2) for f in (sc.bernoulli, sc.euler, sc.y0_zeros, sc.y1_zeros, sc.y1p_zeros, sc.kelvin_zeros)),
    *(sample(f, 2) for f in (sc.ai_zeros, sc.bi_zeros, sc.bei_zeros, sc.beip_zeros, sc.ber_zeros, sc.berp_zeros)),
    *(sample(f, 2) for f in (sc.kei_zeros, sc.keip_zeros, sc.ker_zeros, sc.kerp_zeros, sc.jnjnp_zeros)),
    *(sample(f, 1, 2) for f in (sc.jn_zeros, sc.jnp_zeros, sc.jnyn_zeros, sc.yn_zeros, sc.ynp_zeros)),
    *(sample(f, 1, 0.5) for f in (sc.mathieu_even_coef, sc.mathieu_odd_coef)),
    *(sample(f, 1, 12, 0.5) for f in (sc.obl_cv_seq, sc.pro_cv_seq)),  # of less, SciPy 1.16 writes too far
    *(sample(f, 1, 3, 0.5) for f in (sc.obl_cv, sc.pro_cv)),
    sample(sc.ellip_harm_2, 5.0, 8.0, 2, 1, 10.0),
]
"""Calls of the functions that no sample calls."""


@dataclass(frozen=True)
class Call:
    """A call of a public function."""

    name: str
    args: tuple[Any, ...]
    kw: dict[str, Any]
    f: Callable[..., Any]

    def candidates(self) -> Iterator[tuple[int | str, str, Any]]:
        """What can be traced: the place or keyword, the name of the argument, and its value."""
        parameters = parameters_of(self.f).values()
        names = [p.name for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
        if isinstance(self.f, np.ufunc):
            names = [argument_name(RULES[self.f], i) for i in range(self.f.nin)]
        given = [*zip(range(len(names)), names, self.args), *((k, k, x) for k, x in self.kw.items())]
        known = {name for _, name, _ in given}
        left = [(p.name, p.name, p.default) for p in parameters if p.name not in known]
        return (item for item in (*given, *left) if item[2] is not Parameter.empty)

    def at(self, key: int | str, x: Any) -> Any:
        """The result with another value of one argument."""
        if isinstance(key, int):
            return self.f(*self.args[:key], x, *self.args[key + 1 :], **self.kw)
        return self.f(*self.args, **self.kw | {key: x})


@cache
def calls() -> dict[str, list[Call]]:
    """The calls of each function that the samples make, directly or within others."""
    found: dict[str, list[Call]] = defaultdict(list)

    def recorder(name: str, own: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kw: Any) -> Any:
            if first_traced([*args, *kw.values()]) is None:
                found[name].append(Call(name, args, kw, FUNCTIONS[name]))
            return own(*args, **kw)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for f, name in NAMES.items():
            if isinstance(f, FunctionType):  # what is called is held in its closure
                cell = f.__closure__[f.__code__.co_freevars.index("own")]
                patch.setattr(cell, "cell_contents", recorder(name, cell.cell_contents))
        for s in (*all_samples(), *MORE):
            if s.call is None and isinstance(s.fn, FunctionType | np.ufunc) and s.fn in NAMES:
                found[NAMES[s.fn]].append(Call(NAMES[s.fn], s.args, s.kwargs, s.fn))
            elif s.of_scipy and s.call is not None:
                s.at(*s.primals)
    return {name: several[:MOST] for name, several in found.items()}


# ---------------------------------------------------------------- what becomes of an argument


def leaves_to_trace(x: Any) -> list[tuple[Any, Callable[[Any], Any]]]:
    """The parts of an argument that can be differentiated, each as a floating value and how it is put in place."""
    if x is None or isinstance(x, (bool, str)):
        return [(np.float64(1.0), lambda v: v)]
    if isinstance(x, SparseArray) or sparse.issparse(x):
        form = sp.csr_array(x)
        return [(form.data, lambda v: sp.csr_array((v, form.indices, form.indptr), form.shape))]
    if isinstance(x, tuple) or (isinstance(x, list) and not is_numeric(x)):
        return [
            (value, lambda v, k=k, put=put: type(x)([*x[:k], put(v), *x[k + 1 :]]))
            for k, item in enumerate(x)
            for value, put in leaves_to_trace(item)
            if item is not None
        ]
    if isinstance(x, dict):
        return [(value, lambda v, k=k, put=put: x | {k: put(v)}) for k in x for value, put in leaves_to_trace(x[k])]
    return (
        [(np.asarray(x, None if np.asarray(x).dtype.kind == "c" else float)[()], lambda v: v)] if is_numeric(x) else []
    )


def is_numeric(x: Any) -> bool:
    """Whether an argument is an array or becomes one."""
    try:
        return not callable(x) and np.asarray(x).dtype.kind in "biufc"
    except ValueError:
        return False


def holds(y: Any, seen: set[int]) -> bool:
    """Whether a value under differentiation is reached from a result."""
    if isinstance(y, Traced):
        return type(y) is not Cell
    if id(y) in seen:
        return False
    seen.add(id(y))
    items = y.values() if isinstance(y, dict) else y if isinstance(y, (list, tuple)) else inner(y)
    return any(holds(item, seen) for item in items)


def inner(y: Any) -> list[Any]:
    """What an object holds: its attributes, the variables that a function closes over."""
    if isinstance(y, type):
        return []
    cells = [c.cell_contents for c in getattr(y, "__closure__", None) or ()]
    return [*getattr(y, "__dict__", {}).values(), *cells, getattr(y, "__self__", None)]


@dataclass(frozen=True)
class Verdict:
    """What a traced argument of a call leads to: whether the result depends on it, or the error."""

    call: Call
    key: int | str
    argument: str
    given: Any
    x: Any
    put: Callable[[Any], Any]
    outcome: bool | Exception

    def plain(self, other: bool = False) -> list[Any]:
        """The floating results of the same call with a plain value, perhaps another."""
        step = 1 if np.all(self.x == np.round(self.x)) else 0.1 + 0.3 * self.x  # integers stay integers
        found = flatten(self.call.at(self.key, self.put(self.x + step if other else self.x)))[0]
        return [y for y in map(np.asarray, found) if y.dtype.kind in "fc"]


@cache
def verdicts() -> dict[str, dict[str, list[Verdict]]]:
    """What becomes of each argument of each function."""
    return verdicts_of(calls())


def verdicts_of(calls: Mapping[str, Iterable[Call]]) -> dict[str, dict[str, list[Verdict]]]:
    """What becomes of each argument of some calls."""
    found: dict[str, dict[str, list[Verdict]]] = defaultdict(lambda: defaultdict(list))
    with warnings.catch_warnings(action="ignore"):
        for name, several in calls.items():
            for call in several:
                for key, argument, given in call.candidates():
                    for x, put in leaves_to_trace(given):
                        outcome = becomes(call, key, x, put)
                        found[name][argument].append(Verdict(call, key, argument, given, x, put, outcome))
    return found


def becomes(call: Call, key: int | str, x: Any, put: Callable[[Any], Any]) -> bool | Exception:
    found: list[bool] = []

    def f(v: Any) -> float:
        found.append(holds(call.at(key, put(v)), set()))
        return 0.0

    try:
        dotbar.jvp(f, (x,), (np.ones_like(x),))
    except Exception as error:
        return error
    return found[0]


GENERAL = ("it says what is computed", "SciPy computes with a plain number", "in this call")
NAMES_IN = r"^(dotbar\.)?scipy[\w.]*(\([^)]*\))? has (no derivative( rule)?)?[:,]? ?(with respect to '\w+'[:,.]? ?)?"


def refused_arguments() -> dict[str, dict[str, list[str]]]:
    """The arguments without a derivative for a reason of their own: by the reason, of each function."""
    found: dict[str, dict[str, dict[str, None]]] = defaultdict(lambda: defaultdict(dict))
    for name, arguments in verdicts().items():
        for argument, several in arguments.items():
            for v in several:
                if isinstance(v.outcome, NoRuleError) and not (why := reason(v.outcome)).startswith(GENERAL):
                    found[why][name][argument] = None
    return {why: {name: [*found[why][name]] for name in sorted(found[why])} for why in sorted(found)}


def reason(error: NoRuleError) -> str:
    """Why an argument is refused: what the rule says, or the message without the names in it."""
    message = re.split(" It was given a traced| Pass stop_gradient", str(error))[0]
    return error.why or re.sub(NAMES_IN, "", message).rstrip(".") or "there is none"
