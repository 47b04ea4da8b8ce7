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

import dis
import linecache
import os
import re
import sys
import types
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from itertools import takewhile
from traceback import walk_tb
from typing import ParamSpec, TypeVar

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
    """The expression that a frame is evaluating, if it stands on one line of a file that can be read."""
    start, end, left, right = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    if start is None or start != end:
        return ""
    line = linecache.getline(frame.f_code.co_filename, start).encode()
    return line[left:right].decode()


def public_module(module: str, name: str) -> str:
    """The module in which a user finds what SciPy, or dotbar's mirror of it, defines in one that lies deeper."""
    parts = module.split(".")
    public = list(takewhile(lambda part: not part.startswith("_"), parts))
    for k in range(2 + (parts[0] == "dotbar"), len(public)):
        if hasattr(sys.modules.get(".".join(public[:k])), name):
            return ".".join(public[:k])
    return ".".join(public)


def public_name(frame: types.FrameType) -> str:
    """The name of the public function or class whose code a frame runs, or which its code wraps; or nothing."""
    wrapped = [frame.f_locals.get(name) for name in frame.f_code.co_freevars]
    codes = [(frame.f_code.co_qualname, frame.f_globals["__name__"])]
    codes += [(f.__qualname__, f.__module__) for f in wrapped if callable(f) and hasattr(f, "__qualname__")]
    for qualname, deep in codes:
        name = qualname.partition(".")[0]
        module = public_module(deep, name)
        if hasattr(sys.modules.get(module), name):
            return f"{module}.{name}"
    return ""


def called_library() -> tuple[str, str]:
    """The function of a library that the user's line called and that called back here: library and full name."""
    frame, library, function = sys._getframe(1), "", ""
    while frame is not None and not is_users(frame):
        if library_of(frame):
            module = public_module(frame.f_globals["__name__"], "")  # what an operator's frame shows
            library, function = library_of(frame), public_name(frame) or function or module
        frame = frame.f_back
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
    """Whether ``dotbar.numpy`` or ``dotbar.scipy`` has something else under a name than the library itself."""
    own, plain = import_module(f"dotbar.{library}"), import_module(library)
    for part in name.split("."):
        own, plain = getattr(own, part, None), getattr(plain, part, None)
    return own is not plain


SPARSE_REMEDY = "Those of dotbar.scipy.sparse do: dotbar.scipy.sparse.csr_array(S) @ x."


def scipys_own(function: str) -> str:
    """What is wrong with a function of SciPy's as it is, and what to write instead."""
    if function and not has_own("scipy", function.removeprefix("scipy.")):
        return (
            f"{function} has no derivative rule: it keeps plain numbers. Write it in NumPy functions, or give it a "
            "derivative with dotbar.custom_vjp."
        )
    return (
        f"SciPy's own {function} does not take traced values: use dotbar.{function or 'scipy'} where there is one, "
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
    if function.startswith("scipy.sparse"):
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
            ", or make the list an array with np.stack([...])." if re.search(r"[(,=]\s*\[", source) else "."
        )
    elif match := re.match(r"math\.(\w+)", source):
        remedy = f"Use np.{match[1]}, which keeps derivatives."
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
    beneath = frames[max((k for k, frame in enumerate(frames) if is_users(frame)), default=len(frames)) + 1 :]
    if isinstance(error, DotbarError) or not beneath or library_of(beneath[0]) != "scipy":
        return None
    if not import_module("dotbar.rules.refusals").differentiated([*beneath[0].f_locals.values()]):
        return None
    names = (public_name(frame) for frame in beneath if library_of(frame))
    refused = ConversionError(f"{scipys_own(next(filter(None, names), ''))} It says: {error}")
    refused.__cause__ = error
    return refused


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
