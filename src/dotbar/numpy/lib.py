"""``numpy.lib``, with ``stride_tricks`` and ``scimath`` of traced values."""

from types import SimpleNamespace

from numpy.lib import *  # pyright: ignore[reportWildcardImportFromLibrary]
from numpy.lib import __all__ as __all__
from numpy.lib import stride_tricks as _stride_tricks

from dotbar.numpy.creation import as_strided
from dotbar.numpy.lists import mirror as _mirror
from dotbar.numpy.replanted import replant as _replant

stride_tricks = SimpleNamespace(as_strided=as_strided, sliding_window_view=_mirror(_stride_tricks.sliding_window_view))
scimath = _replant("numpy.lib._scimath_impl", "dotbar.numpy.scimath")
