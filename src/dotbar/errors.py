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
├── DegenerateSpectrumError (LinAlgError)  eigen- or singular vectors that are not determined
└── GradientError (AssertionError)     what ``check_grads`` found
"""

import sys
import types
from collections.abc import Callable
from functools import wraps
from pathlib import Path
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
    """A function, or an argument of one, for which no derivative rule is registered."""


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


class DegenerateSpectrumError(DotbarError, LinAlgError):
    """Eigenvectors or singular vectors at a repeated value: their derivative does not exist."""


class GradientError(DotbarError, AssertionError):
    """``check_grads`` found a derivative that disagrees with the function."""


_PACKAGE = str(Path(__file__).parent)


def is_internal(frame: types.FrameType) -> bool:
    """Whether a frame belongs to dotbar itself rather than to its user."""
    return frame.f_code.co_filename.startswith((_PACKAGE, "<dotbar"))


def user_frame() -> types.FrameType | None:
    """The innermost frame outside dotbar and NumPy: the line the user wrote."""
    frame = sys._getframe(1)
    while frame is not None and (is_internal(frame) or "/numpy/" in frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def user_line() -> str:
    """Where the user's code stands now, as ``file.py:12, in f``."""
    frame = user_frame()
    if frame is None:
        return "an unknown place"
    code = frame.f_code
    return f"{code.co_filename}:{frame.f_lineno}, in {code.co_name}"


def user_traceback(f: Callable[P, R]) -> Callable[P, R]:
    """Wrap a public function so that its errors end at the user's own line.

    The frames of dotbar between the user's code and the error are left out of the traceback.
    """

    @wraps(f)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return f(*args, **kwargs)
        except Exception as error:
            error.__traceback__ = _without_internals(error.__traceback__)
            raise

    return call


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
