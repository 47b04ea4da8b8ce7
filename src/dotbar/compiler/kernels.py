"""Operations on numbers -> LLVM IR text, for one number or a vector of them.

In: an operation's name, the dtype that it works in, how many lanes, the names of its operands.  Out: lines of text and
the name of the result.  In registers a bool is ``i1``, in memory ``i8``.  Nothing here contracts or reassociates.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

TYPES = {np.dtype(float): "double", np.dtype(np.float32): "float", np.dtype(bool): "i1"} | {
    np.dtype(f"{kind}{size}"): f"i{8 * size}" for kind in "iu" for size in (1, 2, 4, 8)
}
"""The type of a dtype's numbers in registers; these are the dtypes that loops support."""

INTRINSIC_TYPES = {"double": "f64", "float": "f32"} | {f"i{size}": f"i{size}" for size in (1, 8, 16, 32, 64)}
KINDS = {"f": 0, "i": 1, "u": 2, "b": 3}


def memory_type(dtype: np.dtype[Any]) -> str:
    """The type of a dtype's numbers in memory."""
    return "i8" if dtype.kind == "b" else TYPES[dtype]


def vector(kind: str, lanes: int) -> str:
    """The type of several numbers."""
    return kind if lanes == 1 else f"<{lanes} x {kind}>"


def suffix(kind: str, lanes: int) -> str:
    """The type as it stands in the name of an intrinsic."""
    return INTRINSIC_TYPES[kind] if lanes == 1 else f"v{lanes}{INTRINSIC_TYPES[kind]}"


def literal(value: Any, dtype: np.dtype[Any], lanes: int = 1) -> str:
    """A number as an operand."""
    if dtype.kind == "f":  # LLVM writes a float as the double of the same value
        with np.errstate(all="ignore"):
            number = float(dtype.type(value))
        text = f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
    elif dtype.kind == "b":
        text = "true" if value else "false"
    else:
        text = str(int(value))
    return text if lanes == 1 else f"splat ({TYPES[dtype]} {text})"


ARITHMETIC = {  # of floats, signed and unsigned integers, bools
    "add": ("fadd", "add", "add", "or"),
    "subtract": ("fsub", "sub", "sub", None),
    "multiply": ("fmul", "mul", "mul", "and"),
    "divide": ("fdiv", "sdiv", "udiv", None),
    "fmod": ("frem", None, None, None),
    "bitwise_and": (None, "and", "and", "and"),
    "bitwise_or": (None, "or", "or", "or"),
    "bitwise_xor": (None, "xor", "xor", "xor"),
    "logical_and": (None, None, None, "and"),
    "logical_or": (None, None, None, "or"),
    "logical_xor": (None, None, None, "xor"),
}
COMPARISONS = {
    "less": ("olt", "slt", "ult", "ult"),
    "less_equal": ("ole", "sle", "ule", "ule"),
    "greater": ("ogt", "sgt", "ugt", "ugt"),
    "greater_equal": ("oge", "sge", "uge", "uge"),
    "equal": ("oeq", "eq", "eq", "eq"),
    "not_equal": ("une", "ne", "ne", "ne"),
}
INTRINSICS = {"sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "roundeven"} | {
    "absolute": "fabs",
    "fabs": "fabs",
    "copysign": "copysign",
}
FUNCTIONS = {
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan"),
    *("sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "cbrt", "erf", "erfc", "sigmoid", "logaddexp"),
    *("pow", "arctan2", "hypot"),
}
"""What is called: ``@dotbar.exp.f64x8``, one shared function per number of lanes."""

TO_BOOL = {*COMPARISONS, "isnan", "isinf", "isfinite", "signbit", "logical_not"}


class Code:
    """Lines of a function, with a supply of names.

    ``calls`` are the functions of numbers that they call, ``definitions`` holds what else they call by its name, as it
    is defined or declared, ``symbols`` the addresses of what is only declared.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.calls: set[tuple[str, str, int]] = set()
        self.definitions: dict[str, str] = {}
        self.symbols: dict[str, int] = {}
        self.block = "entry"
        self.count = 0

    def name(self) -> str:
        """A new name of a value."""
        self.count += 1
        return f"%x{self.count}"

    def place(self) -> str:
        """A new name of a block."""
        self.count += 1
        return f"L{self.count}"

    def __call__(self, instruction: str) -> str:
        """Append an instruction; its result's name."""
        name = self.name()
        self.lines.append(f"  {name} = {instruction}")
        return name

    def put(self, line: str) -> None:
        """Append an instruction without a result."""
        self.lines.append(f"  {line}")

    def label(self, name: str) -> None:
        """Begin a block."""
        self.lines.append(f"{name}:")
        self.block = name

    # ------------------------------------------------ operations

    def operation(self, op: str, dtype: np.dtype[Any], lanes: int, *xs: str) -> str:
        """The result of an operation in ``dtype``."""
        kind = KINDS[dtype.kind]
        scalar = TYPES[dtype]
        T = vector(scalar, lanes)
        if op in ARITHMETIC and ARITHMETIC[op][kind]:
            return self(f"{ARITHMETIC[op][kind]} {T} {xs[0]}, {xs[1]}")
        if op in COMPARISONS:
            return self(f"{'icmp' if kind else 'fcmp'} {COMPARISONS[op][kind]} {T} {xs[0]}, {xs[1]}")
        if op in INTRINSICS and kind == 0:
            return self.intrinsic(INTRINSICS[op], scalar, lanes, *xs)
        if op in FUNCTIONS and kind == 0:
            self.calls.add((op, INTRINSIC_TYPES[scalar], lanes))
            arguments = ", ".join(f"{T} {x}" for x in xs)
            return self(f"call {T} @dotbar.{op}.{INTRINSIC_TYPES[scalar]}x{lanes}({arguments})")
        return getattr(self, op)(dtype, lanes, *xs)

    def intrinsic(self, name: str, scalar: str, lanes: int, *xs: str) -> str:
        """An intrinsic all of whose arguments are of one type, as its result."""
        T = vector(scalar, lanes)
        return self(f"call {T} @llvm.{name}.{suffix(scalar, lanes)}({', '.join(f'{T} {x}' for x in xs)})")

    def select(self, dtype: np.dtype[Any], lanes: int, condition: str, x: str, y: str) -> str:
        T = vector(TYPES[dtype], lanes)
        return self(f"select {vector('i1', lanes)} {condition}, {T} {x}, {T} {y}")

    def copy(self, dtype: np.dtype[Any], lanes: int, x: str) -> str:
        return x

    def negative(self, dtype: np.dtype[Any], lanes: int, x: str) -> str:
        T = vector(TYPES[dtype], lanes)
        return self(f"fneg {T} {x}" if dtype.kind == "f" else f"sub {T} {literal(0, dtype, lanes)}, {x}")

    def absolute(self, dtype: np.dtype[Any], lanes: int, x: str) -> str:
        below = self.operation("less", dtype, lanes, x, literal(0, dtype, lanes))
        return self.select(dtype, lanes, below, self.negative(dtype, lanes, x), x)

    def logical_not(self, dtype: np.dtype[Any], lanes: int, x: str) -> str:
        return self(f"xor {vector('i1', lanes)} {x}, {literal(True, np.dtype(bool), lanes)}")

    def invert(self, dtype: np.dtype[Any], lanes: int, x: str) -> str:
        return self(f"xor {vector(TYPES[dtype], lanes)} {x}, {literal(dtype.kind == 'b' or -1, dtype, lanes)}")

    def isnan(self, dtype: np.dtype[Any], lanes: int, x: str) -> str:
        return self(f"fcmp uno {vector(TYPES[dtype], lanes)} {x}, {x}")

    def isinf(self, dtype: np.dtype[Any], lanes: int, x: str) -> str:
        return self._size(dtype, lanes, x, "oeq")

    def isfinite(self, dtype: np.dtype[Any], lanes: int, x: str) -> str:
        return self._size(dtype, lanes, x, "olt")

    def _size(self, dtype: np.dtype[Any], lanes: int, x: str, predicate: str) -> str:
        size = self.intrinsic("fabs", TYPES[dtype], lanes, x)
        return self(f"fcmp {predicate} {vector(TYPES[dtype], lanes)} {size}, {literal(np.inf, dtype, lanes)}")

    def signbit(self, dtype: np.dtype[Any], lanes: int, x: str) -> str:
        integer = vector(f"i{8 * dtype.itemsize}", lanes)
        bits = self(f"bitcast {vector(TYPES[dtype], lanes)} {x} to {integer}")
        return self(f"icmp slt {integer} {bits}, zeroinitializer" if lanes > 1 else f"icmp slt {integer} {bits}, 0")

    def maximum(self, dtype: np.dtype[Any], lanes: int, a: str, b: str) -> str:
        return self._extremum(dtype, lanes, "greater", a, a, b)

    def minimum(self, dtype: np.dtype[Any], lanes: int, a: str, b: str) -> str:
        return self._extremum(dtype, lanes, "less", a, a, b)

    def fmax(self, dtype: np.dtype[Any], lanes: int, a: str, b: str) -> str:
        return self._extremum(dtype, lanes, "greater", b, a, b)

    def fmin(self, dtype: np.dtype[Any], lanes: int, a: str, b: str) -> str:
        return self._extremum(dtype, lanes, "less", b, a, b)

    def _extremum(self, dtype: np.dtype[Any], lanes: int, comparison: str, judge: str, a: str, b: str) -> str:
        """``a`` where it wins or where ``judge`` is NaN, else ``b``."""
        wins = self.operation(comparison, dtype, lanes, a, b)
        if dtype.kind == "f":
            wins = self(f"or {vector('i1', lanes)} {wins}, {self.isnan(dtype, lanes, judge)}")
        return self.select(dtype, lanes, wins, a, b)

    def cast(self, x: str, given: np.dtype[Any], wanted: np.dtype[Any], lanes: int) -> str:
        """The number in another dtype."""
        if given == wanted:
            return x
        G, W = vector(TYPES[given], lanes), vector(TYPES[wanted], lanes)
        if wanted.kind == "b":
            return self.operation("not_equal", given, lanes, x, literal(0, given, lanes))
        if given.kind == "f" and wanted.kind == "f":
            return self(f"{'fpext' if wanted.itemsize > given.itemsize else 'fptrunc'} {G} {x} to {W}")
        if given.kind == "f":  # through 64 bits, as C does; what is beyond them is any number
            wide = np.dtype(np.uint64 if wanted == np.uint64 else np.int64)
            fn, V = "fptosi" if wide.kind == "i" else "fptoui", vector(TYPES[wide], lanes)
            x = self(f"freeze {V} {self(f'{fn} {G} {x} to {V}')}")
            return self.cast(x, wide, wanted, lanes)
        if wanted.kind == "f":
            return self(f"{'sitofp' if given.kind == 'i' else 'uitofp'} {G} {x} to {W}")
        if given.itemsize == wanted.itemsize and given.kind != "b":
            return x
        if given.itemsize > wanted.itemsize:
            return self(f"trunc {G} {x} to {W}")
        return self(f"{'sext' if given.kind == 'i' else 'zext'} {G} {x} to {W}")

    # ------------------------------------------------ vectors

    def splat(self, x: str, dtype: np.dtype[Any], lanes: int) -> str:
        """One number in all lanes."""
        T, V = TYPES[dtype], vector(TYPES[dtype], lanes)
        first = self(f"insertelement {V} poison, {T} {x}, i64 0")
        return self(f"shufflevector {V} {first}, {V} poison, <{lanes} x i32> zeroinitializer")

    def transposed(self, rows: Sequence[str], dtype: np.dtype[Any], lanes: int) -> list[str]:
        """The columns of a square of vectors, whose last rows may be missing."""
        V, square = vector(TYPES[dtype], lanes), [*rows, *["poison"] * (lanes - len(rows))]
        for i, j, low, high in exchanges(lanes):
            pair = f"shufflevector {V} {square[i]}, {V} {square[j]}"
            square[i], square[j] = (self(f"{pair}, <{lanes} x i32> {order}") for order in (low, high))
        return square

    def across(self, op: str, x: str, dtype: np.dtype[Any], lanes: int) -> str:
        """All lanes taken into one number by an operation, by halves."""
        while lanes > 1:
            V, half = vector(TYPES[dtype], lanes), lanes // 2
            places = (", ".join(f"i32 {start + k}" for k in range(half)) for start in (0, half))
            low, high = (self(f"shufflevector {V} {x}, {V} poison, <{half} x i32> <{p}>") for p in places)
            if half == 1:
                one = vector(TYPES[dtype], 1)
                low, high = (self(f"extractelement <1 x {one}> {v}, i64 0") for v in (low, high))
            x, lanes = self.operation(op, dtype, half, low, high), half
        return x


def exchanges(lanes: int) -> Iterator[tuple[int, int, str, str]]:
    """Shuffles that transpose a square of vectors: pairs of rows at distances 1, 2, 4, ... and what becomes of them."""
    distance = 1
    while distance < lanes:
        low = [lanes + lane - distance if lane & distance else lane for lane in range(lanes)]
        high = [lanes + lane if lane & distance else lane + distance for lane in range(lanes)]
        for i in range(lanes):
            if not i & distance:
                yield i, i + distance, *(f"<{', '.join(f'i32 {lane}' for lane in order)}>" for order in (low, high))
        distance *= 2


class Loop:
    """A loop over at least one index, which carries values of given types from one turn to the next.

    LLVM's search for other indices (loop strength reduction) takes a third of its time, and gains nothing on addresses
    that are one index each; of an index that went through a call, even one that leaves no trace, it knows nothing.
    """

    def __init__(self, code: Code, start: int, stop: int, step: int = 1, first: Sequence[tuple[str, str]] = ()):
        self.code, self.start, self.stop, self.step, self.first = code, start, stop, step, first
        self.before = code.block
        self.head = code.place()
        code.put(f"br label %{self.head}")
        code.label(self.head)
        self.index = code.name()
        self.carried = [code.name() for _ in first]
        self.phis = len(code.lines)
        code.lines.extend([""] * (1 + len(first)))

    def close(self, following: Sequence[str] = ()) -> None:
        """The end of the loop's body, and the values that the next turn begins with."""
        code, end = self.code, self.code.place()
        after = code(f"add i64 {self.index}, {self.step}")
        after = code(f"call i64 @llvm.expect.i64(i64 {after}, i64 0)")
        done = code(f"icmp eq i64 {after}, {self.stop}")
        last = code.block
        code.put(f"br i1 {done}, label %{end}, label %{self.head}")
        phis = [("i64", self.index, str(self.start), after)]
        phis += [(T, name, first, next) for (T, first), name, next in zip(self.first, self.carried, following)]
        for k, (T, name, first, next) in enumerate(phis, self.phis):
            code.lines[k] = f"  {name} = phi {T} [ {first}, %{self.before} ], [ {next}, %{last} ]"
        code.label(end)


IDENTITIES = {"add": 0, "multiply": 1, "logical_and": True, "logical_or": False}


def identity(op: str, dtype: np.dtype[Any]) -> Any:
    """What leaves a number unchanged under an operation."""
    if op in IDENTITIES:
        return IDENTITIES[op]
    least = op == "maximum"
    if dtype.kind == "f":
        return -np.inf if least else np.inf
    if dtype.kind == "b":
        return not least
    return np.iinfo(dtype).min if least else np.iinfo(dtype).max
