"""Samples: for each registered function, calls at which its rule is checked.  One module per file of rules."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from dotbar.tree import tree_map


@dataclass
class Sample:
    """One call of a registered function, and what to check of it.

    ``fn`` is the registered function; ``call`` what is really called (default: ``fn``), for instance to turn an
    eigenvector into something that does not depend on its phase.  ``wrt`` are the positions (or keyword
    names) of the arguments that are differentiated, all together.  ``case`` names the rows of the coverage
    list that this sample stands for, separated by ";".  ``hermitian``: perturb arguments Hermitian-symmetrically
    in differences.  A reason in ``no_second``, ``no_float32``, ``no_vmap`` leaves a check out.  ``same_bits``: two
    calls agree to the last bit, as an iteration on arrays elsewhere in memory may not.  ``module`` is that of the
    function, as far as the file of samples tells.
    """

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    call: Callable[..., Any] | None = None
    wrt: tuple[int | str, ...] = (0,)
    case: str = ""
    hermitian: bool = False
    no_second: str = ""
    no_float32: str = ""
    no_vmap: str = ""
    rtol: float = 1e-6
    same_bits: bool = True
    module: str = "numpy"

    def __repr__(self) -> str:
        shapes = ", ".join(str(np.shape(a)) if isinstance(a, np.ndarray) else repr(a) for a in self.args)
        keys = "".join(f", {k}={v!r}" for k, v in self.kwargs.items() if not isinstance(v, np.ndarray))
        name = getattr(self.fn, "__name__", repr(self.fn))
        return re.sub(r" at 0x\w+", "", f"{name}({shapes}{keys})").replace("\n", " ")[:90]

    @property
    def of_scipy(self) -> bool:
        """Whether the function is SciPy's."""
        return self.module != "numpy"

    @property
    def primals(self) -> tuple[Any, ...]:
        return tuple(self.kwargs[k] if isinstance(k, str) else self.args[k] for k in self.wrt)

    def at(self, *xs: Any) -> Any:
        """The call with other values of the differentiated arguments."""
        args, kwargs = list(self.args), dict(self.kwargs)
        for k, x in zip(self.wrt, xs, strict=True):
            if isinstance(k, str):
                kwargs[k] = x
            else:
                args[k] = x
        return (self.call or self.fn)(*args, **kwargs)

    def astype(self, dtype: Any) -> "Sample":
        """The same call in another precision, throughout."""

        def cast(x: Any) -> Any:
            if isinstance(x, np.ndarray) and x.dtype.kind in "fc":
                single = {"f": np.float32, "c": np.complex64} if dtype == np.float32 else {}
                return x.astype(single.get(x.dtype.kind, x.dtype))
            if isinstance(x, (list, tuple)):
                return type(x)(map(cast, x))
            return x

        kwargs = {k: cast(v) for k, v in self.kwargs.items()}
        return Sample(self.fn, tuple(map(cast, self.args)), kwargs, self.call, self.wrt, rtol=self.rtol)


def sample(fn: Callable[..., Any], *args: Any, case: str = "", wrt: Any = None, **options: Any) -> Sample:
    """A sample; keywords that are not options of :class:`Sample` go to the function.

    ``wrt`` defaults to every positional argument that is a floating or complex array or number.
    """
    own = {k: options.pop(k) for k in list(options) if k in Sample.__dataclass_fields__}
    if wrt is None:
        wrt = tuple(i for i, a in enumerate(args) if is_differentiable(a))
    return Sample(fn, args, options, wrt=wrt, case=case, **own)


def is_differentiable(a: Any) -> bool:
    return isinstance(a, (float, complex)) or (isinstance(a, np.ndarray) and a.dtype.kind in "fc")


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Standard normal entries."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def uniform(lo: float, hi: float, *shape: int, seed: int = 0) -> np.ndarray:
    """Uniform entries in [lo, hi)."""
    return np.random.default_rng([seed, *shape]).uniform(lo, hi, shape)


def cnormal(*shape: int, seed: int = 0) -> np.ndarray:
    """Complex normal entries."""
    return normal(*shape, seed=seed) + 1j * normal(*shape, seed=seed + 1)


def spd(n: int, *batch: int, seed: int = 0) -> np.ndarray:
    """Positive definite matrices, well conditioned."""
    G = normal(*batch, n, n, seed=seed)
    return G @ np.swapaxes(G, -1, -2) + n * np.eye(n)


def hpd(n: int, *batch: int, seed: int = 0) -> np.ndarray:
    """Hermitian positive definite matrices, well conditioned."""
    G = cnormal(*batch, n, n, seed=seed)
    return G @ np.conj(np.swapaxes(G, -1, -2)) + n * np.eye(n)


def all_samples() -> list[Sample]:
    """Every sample of every module in this folder."""
    folder = Path(__file__).parent
    found = []
    for path in sorted(p.relative_to(folder).with_suffix("") for p in folder.rglob("*.py") if p.stem != "__init__"):
        for s in import_module(".".join(["samples", *path.parts])).SAMPLES:
            s.module = f"scipy.{path.stem.partition('_')[0]}" if path.parts[0] == "scipy" else "numpy"
            found.append(s)
    return found


def constants(x: Any) -> Any:
    """A container of arrays that cannot change: to jit they are no inputs, but settings."""

    def constant(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            x = x.copy(order="K")
            x.setflags(write=False)
        return x

    return tree_map(constant, x)
