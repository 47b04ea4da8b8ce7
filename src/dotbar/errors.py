"""Every exception that dotbar raises.  Each also derives from what a NumPy user would catch.

DotbarError
├── InputError (TypeError)             an argument that cannot be differentiated
├── OutputError (TypeError)            a result that the transform cannot use
├── StructureError (ValueError)        a tangent or cotangent of the wrong structure, shape or dtype
├── NoRuleError (TypeError)            a function without a derivative rule
├── ConversionError (TypeError)        a traced value where only a plain number or array can go
├── EscapedError (RuntimeError)        a traced value used after its transform has ended
├── MutationError (RuntimeError)       an array changed between the forward and the reverse pass
├── RuleError (ValueError)             a rule that returned something of the wrong shape
├── NonFiniteError (FloatingPointError)  what ``debug_nans`` found
├── CompilerError (RuntimeError)        native code that could not be made: a flaw of the compiler
├── DegenerateSpectrumError (LinAlgError)  eigen- or singular vectors that are not determined
├── DegenerateSolutionError (LinAlgError)  a root or minimum that its conditions do not determine
├── GradientError (AssertionError)     what ``check_grads`` found
└── ProgramError (ValueError)          a recorded Program that is not well formed
"""

import ast
import dis
import linecache
import os
import re
import sys
import types
from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from itertools import takewhile
from traceback import walk_tb
from typing import Any, ParamSpec, TypeVar

from numpy.linalg import LinAlgError

P = ParamSpec("P")
R = TypeVar("R")


class DotbarError(Exception):
    """The root of all errors raised by dotbar."""


class InputError(DotbarError, TypeError):
    """An argument that cannot be differentiated, named with its path."""


class OutputError(DotbarError, TypeError):
    """The function's result is not what the transform needs, such as a scalar for ``grad``."""


class StructureError(DotbarError, ValueError):
    """A tangent or cotangent whose structure, shape or dtype differs from its primal's."""


class NoRuleError(DotbarError, TypeError):
    """A function, or an argument of one, for which no derivative rule is registered.

    ``argument`` is what is refused and ``why`` the reason, where the function has a rule for others.
    """

    argument = ""
    why = ""


class ConversionError(DotbarError, TypeError):
    """A traced value arrived where only a plain number or array can go."""


class EscapedError(DotbarError, RuntimeError):
    """A traced value was used after the transform that made it had ended."""


class MutationError(DotbarError, RuntimeError):
    """An array that the reverse pass needs was changed after the forward pass read it."""


class RuleError(DotbarError, ValueError):
    """A derivative rule returned a result of the wrong number, structure or shape."""


class NonFiniteError(DotbarError, FloatingPointError):
    """Under ``debug_nans``: the first derivative that became NaN or infinite."""


class CompilerError(DotbarError, RuntimeError):
    """LLVM refuses the code that the compiler wrote."""


class DegenerateSpectrumError(DotbarError, LinAlgError):
    """Eigenvectors or singular vectors at a repeated value: their derivative does not exist."""


class DegenerateSolutionError(DotbarError, LinAlgError):
    """A root or minimum whose conditions have a singular Jacobian: its derivative does not exist."""


class ProgramError(DotbarError, ValueError):
    """A recorded Program that is not well formed: the validator's finding."""


class GradientError(DotbarError, AssertionError):
    """``check_grads`` found a derivative that disagrees with the function."""


_PACKAGE = os.path.dirname(__file__)


def is_internal(frame: types.FrameType) -> bool:
    """Whether a frame belongs to dotbar itself rather than to its user."""
    return frame.f_code.co_filename.startswith((_PACKAGE, "<dotbar"))


def library_of(frame: types.FrameType) -> str:
    """``numpy``, ``scipy`` or ``pandas`` if the frame belongs to it, else nothing."""
    top = frame.f_globals.get("__name__", "").partition(".")[0]
    return top if top in ("numpy", "scipy", "pandas") else ""


def is_scipys(value: Any) -> bool:
    """Whether an object is of a class of SciPy's."""
    return type(value).__module__.startswith("scipy.")


def is_users(frame: types.FrameType) -> bool:
    """Whether a frame belongs to neither dotbar, nor the libraries that it knows, nor Python's own."""
    top = frame.f_globals.get("__name__", "").partition(".")[0]
    return not (is_internal(frame) or library_of(frame) or top in sys.stdlib_module_names)


def crosses_user_code(tb: types.TracebackType | None) -> bool:
    """Whether an error has come through a function of the user's, which something of dotbar's or SciPy's called."""
    return any(is_users(frame) for frame, _ in walk_tb(tb))


def user_frame() -> types.FrameType | None:
    """The innermost frame outside dotbar and the libraries that it knows: the line the user wrote."""
    frame = sys._getframe(1)
    while frame is not None and not is_users(frame):
        frame = frame.f_back
    return frame


def user_line() -> str:
    """Where the user's code stands now, as ``file.py:12, in f``."""
    frame = user_frame()
    if frame is None:
        return "an unknown place"
    code = frame.f_code
    return f"{code.co_filename}:{frame.f_lineno}, in {code.co_name}"


def source_of(frame: types.FrameType) -> str:
    """The expression that a frame is evaluating, on one line, if its file can be read."""
    start, end, left, right = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    if start is None or end is None:
        return ""
    lines = [line.encode() for line in linecache.getlines(frame.f_code.co_filename)[start - 1 : end]]
    if not lines:
        return ""
    lines[-1] = lines[-1][:right]
    lines[0] = lines[0][left:]
    return " ".join(b"".join(lines).decode().split())


def public_module(module: str, name: str) -> str:
    """The module in which a user finds what SciPy, or dotbar's mirror of it, defines in one that lies deeper."""
    parts = module.split(".")
    public = list(takewhile(lambda part: not part.startswith("_"), parts))
    for k in range(2 + (parts[0] == "dotbar"), len(public) + 1):
        if hasattr(sys.modules.get(".".join(public[:k])), name):
            return ".".join(public[:k])
    without_underscore = ".".join([*public, *(part.lstrip("_") for part in parts[len(public) :])])
    return without_underscore if hasattr(sys.modules.get(without_underscore), name) else ".".join(public)


def named_in(names: Iterable[tuple[str, str]]) -> str:
    """The first of some names, each with the module in which it is defined, that is public there."""
    for name, deep in names:
        module = public_module(deep, name)
        if hasattr(sys.modules.get(module), name):
            return f"{module}.{name}"
    return ""


def names_of(value: Any) -> list[tuple[str, str]]:
    """The names of a function or class, or of an object's class and of its bases, each with the module.

    Of SciPy's distributions these classes are private, and named after the objects.
    """
    if "__qualname__" in vars(type(value)):
        return [(value.__qualname__.partition(".")[0], value.__module__ or "")]
    value = getattr(value, "__dict__", {}).get("dist", value)  # of a frozen distribution the one that it freezes
    kinds = [(re.sub("_(gen|frozen)$", "", kind.__name__), kind.__module__) for kind in type(value).__mro__]
    placed = ((name, MISPLACED.get(name, module)) for name, module in kinds)
    return [(name, module) for name, module in placed if module.partition(".")[0] not in sys.stdlib_module_names]


MISPLACED = {"SuperLU": "scipy.sparse.linalg"}
"""Where a class is that says it was one of Python's own."""


def public_name(frame: types.FrameType) -> str:
    """The name of the public function or class whose code a frame runs, or which its code wraps; or nothing."""
    code, values = frame.f_code, frame.f_locals
    owners = [values[name] for name in code.co_varnames[:1] if name in ("self", "cls") and name in values]
    names = [name for owner in owners for name in names_of(owner)]
    names.append((code.co_qualname.partition(".")[0], frame.f_globals["__name__"]))
    wrapped = (values.get(name) for name in code.co_freevars)
    return named_in([*names, *(name for f in wrapped if "__qualname__" in vars(type(f)) for name in names_of(f))])


def called_in(frame: types.FrameType) -> str:
    """The function or class of SciPy's that a frame's text calls: what is written in C has no frame of its own."""
    try:
        called = value_in(frame, ast.parse(source_of(frame), mode="eval").body)
    except SyntaxError:
        return ""
    return named_in(name for name in names_of(called) if name[1].startswith("scipy."))


def value_in(frame: types.FrameType, node: ast.AST) -> Any:
    """What a name stands for; of a call the function, of an attribute the class or object unless it holds the value."""
    if isinstance(node, ast.Name):
        return frame.f_locals.get(node.id, frame.f_globals.get(node.id))
    if isinstance(node, ast.Call):
        return value_in(frame, node.func)
    if not isinstance(node, ast.Attribute):
        return None
    owner = value_in(frame, node.value)
    return owner if isinstance(owner, type) else getattr(owner, "__dict__", {}).get(node.attr, owner)


def called_library() -> tuple[str, str]:
    """The function of a library that the user's line called and that called back here: library and full name."""
    frame, library, function = sys._getframe(1), "", ""
    while frame is not None and not is_users(frame):
        if library_of(frame):
            module = public_module(frame.f_globals["__name__"], "")  # what an operator's frame shows
            library, function = library_of(frame), public_name(frame) or function or module
        frame = frame.f_back
    if frame is not None and not library and (function := called_in(frame)):
        library = "scipy"
    return library, function


def escaped_message() -> str:
    """Why a value of a transform that has ended is refused."""
    return (
        f"a traced value was used at {user_line()} after its transform had ended. Return it from the "
        "differentiated function (has_aux=True for extra results) instead of storing it outside."
    )


def plain_target_message() -> str:
    """Why a plain ndarray cannot be assigned a traced value, and what to write instead."""
    library, function = called_library()
    make = "make the array with np.zeros_like(x), np.zeros(n, like=x) or dotbar.numpy.zeros(n)."
    return f"a traced value was written into a plain ndarray at {user_line()}. " + (
        scipys_own(function) if library == "scipy" else f"A plain array cannot hold it: {make}"
    )


def has_own(library: str, name: str) -> bool:
    """Whether ``dotbar.numpy`` or ``dotbar.scipy`` has under a name what takes traced values."""
    own, plain = import_module(f"dotbar.{library}"), import_module(library)
    for part in name.split("."):
        own, plain = getattr(own, part, None), getattr(plain, part, None)
    if library == "scipy":
        return import_module("dotbar.scipy.mirror").takes_traced(own)
    return own is not plain


SPARSE_REMEDY = "Those of dotbar.scipy.sparse do: dotbar.scipy.sparse.csr_array(S) @ x."
NEIGHBOURS = (
    "What is near and who are neighbours jumps: give it stop_gradient(points), and compute from the points that it "
    "finds in NumPy functions."
)
INSTEAD = {
    **dict.fromkeys(
        ("BDF", "DOP853", "LSODA", "OdeSolver", "RK23", "RK45", "Radau", "complex_ode", "ode"),
        "dotbar.scipy.integrate.solve_ivp differentiates the solution; its method= names the solver.",
    ),
    **dict.fromkeys(
        ("KDTree", "cKDTree", "Delaunay", "HalfspaceIntersection", "SphericalVoronoi", "Voronoi"), NEIGHBOURS
    ),
    **dict.fromkeys(
        ("StateSpace", "TransferFunction", "ZerosPolesGain", "dlti", "lti"),
        "Give the functions of dotbar.scipy.signal, such as lsim and bode, the system as a tuple of arrays.",
    ),
    "OdeSolution": "dotbar.scipy.integrate.solve_ivp differentiates in the times of t_eval.",
    "Covariance": "dotbar.scipy.stats.multivariate_normal takes the matrix itself.",
    "LinearOperator": "The solvers of dotbar.scipy.sparse.linalg take the matrix itself.",
    "SuperLU": "The solve of dotbar.scipy.sparse.linalg.splu and spilu has a derivative.",
}
"""What to use in the place of a class without a rule."""


def scipys_own(function: str) -> str:
    """What is wrong with a function of SciPy's as it is, and what to write instead."""
    name = function.rpartition(".")[2]
    if function.startswith("dotbar."):
        return f"{function} has no derivative there: SciPy computes with plain numbers."
    if name in INSTEAD or (function and not has_own("scipy", function.removeprefix("scipy."))):
        general = "Write it in NumPy functions, or give it a derivative with dotbar.custom_vjp."
        return f"{function} has no derivative rule: it keeps plain numbers. {INSTEAD.get(name, general)}"
    return (
        f"SciPy's own {function} does not take traced values: use dotbar.{function or 'scipy'}, "
        "write it in NumPy functions, or give it a derivative with dotbar.custom_vjp."
    )


def conversion_message(to: str = "a plain array") -> str:
    """Why a traced value cannot become a plain one here, and what to write instead."""
    frame = user_frame()
    operation = dis.opname[frame.f_code.co_code[frame.f_lasti]] if frame is not None else ""
    library, function = called_library()
    if operation.startswith("STORE") and not library:
        return plain_target_message()
    source = source_of(frame) if frame is not None else ""
    holds_list = re.search(r"[(,=]\s*\[", source)
    if function.startswith("scipy.sparse") and not function.startswith("scipy.sparse.linalg."):
        remedy = f"SciPy's sparse arrays do not take traced values. {SPARSE_REMEDY}"
    elif library == "scipy":
        remedy = scipys_own(function)
    elif library == "pandas":
        remedy = "pandas does not hold traced values: use the array of its object, .to_numpy()."
    elif source.endswith("]") and not re.match(r"(?:np|numpy)\.\w+\[", source):
        remedy = "A plain array takes no traced index: use dotbar.numpy.take(array, index)."
    elif re.match(r"[\w.]*\brandom\.", source):
        remedy = "Draw from fixed parameters and transform the draws, for instance mean + scale * rng.normal()."
    elif (match := re.match(r"(?:np|numpy)\.([\w.]+)", source)) and has_own("numpy", match[1]):
        remedy = f"Use dotbar.numpy.{match[1]}, which keeps derivatives" + (
            ", or make the list an array with np.stack([...])." if holds_list else "."
        )
    elif match := re.match(r"math\.(\w+)", source):
        remedy = f"Use np.{match[1]}, which keeps derivatives."
    elif holds_list:
        remedy = "Make the list an array with np.stack([...])."
    else:
        remedy = "Use NumPy's functions on the value as it is, or their counterparts in dotbar.numpy."
    return (
        f"{source or 'the call'} at {user_line()} needs {to} but was given a traced value, whose derivative would "
        f"be lost in silence. {remedy} If no derivative is wanted, pass stop_gradient(x)."
    )


def user_traceback(f: Callable[P, R]) -> Callable[P, R]:
    """Wrap a public function so that its errors end at the user's own line.

    The frames of dotbar between the user's code and the error are left out of the traceback.
    """

    @wraps(f)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return f(*args, **kwargs)
        except Exception as error:
            raise for_the_user(error)  # noqa: B904 (it is the error itself)

    return call


def for_the_user(error: Exception) -> Exception:
    """The error without frames of dotbar; the one that NumPy's own message hides, if there is one."""
    traceback, hidden = _without_internals(error.__traceback__), error.__cause__
    if isinstance(hidden, ConversionError) and not isinstance(error, DotbarError):
        error.__cause__ = error.__context__ = None  # or the two would refer to each other
        hidden.__suppress_context__ = True
        error = hidden
    return (refused_by_scipy(error) or error).with_traceback(traceback)


def refused_by_scipy(error: Exception) -> ConversionError | None:
    """What SciPy's own message hides that fails for a traced value, which the user has given to a function of SciPy's.

    None of other errors.
    """
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    last = max((k for k, frame in enumerate(frames) if is_users(frame)), default=len(frames))
    beneath = frames[last + 1 :]
    if isinstance(error, DotbarError):
        return None
    if not beneath and isinstance(error, TypeError) and re.search("not (Taped|Dual|Batched|Cell)$", str(error)):
        name = called_in(frames[last])
    elif beneath and library_of(beneath[0]) == "scipy" and reaches_traced([*beneath[0].f_locals.values()]):
        name = next(filter(None, (public_name(frame) for frame in beneath if library_of(frame))), "")
    else:
        return None
    refused = ConversionError(f"{scipys_own(name)} It says: {error}")
    refused.__cause__ = error
    return refused


def reaches_traced(values: list[Any]) -> bool:
    """Whether there is a value under differentiation among some, or in what they hold and close over."""
    for _ in range(2):
        held = [x for value in values if is_scipys(value) for x in getattr(value, "__dict__", {}).values()]
        cells = [cell for value in values for cell in getattr(value, "__closure__", None) or ()]
        values = [*values, *held, *(cell.cell_contents for cell in cells)]
    return import_module("dotbar.rules.refusals").differentiated(values)


def _without_internals(tb: types.TracebackType | None) -> types.TracebackType | None:
    frames: list[types.TracebackType] = []
    while tb is not None:
        if not is_internal(tb.tb_frame):
            frames.append(tb)
        tb = tb.tb_next
    rest: types.TracebackType | None = None
    for tb in reversed(frames):
        rest = types.TracebackType(rest, tb.tb_frame, tb.tb_lasti, tb.tb_lineno)
    return rest
