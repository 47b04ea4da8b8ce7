"""Mathematical functions of vectors, as LLVM IR text.

In: a function's name, a dtype and a number of lanes.  Out: the definition of ``@dotbar.exp.f64x8`` and its like, with
an error of at most 2 ULP over the whole range, and special values as in C99 and NumPy.

Each function is written once, as its mathematics: argument reduction, a polynomial without branches, reconstruction
(Muller et al., Handbook of Floating-Point Arithmetic, 2nd ed., ch. 10-11; Cody and Waite, Software Manual for the
Elementary Functions).  Where one rounding too many would show, a number is an unevaluated sum ``high + low`` (Dekker
1971).  Single precision is computed in double, with shorter polynomials and without low parts.  One lane is a call of
libm where its branches and tables are faster than a chain of operations.
"""

import struct
from collections.abc import Callable, Iterable
from math import factorial, inf, log, nan, pi
from typing import Any, TypeAlias

Number: TypeAlias = "Value | float"
Two: TypeAlias = "tuple[Value, Number]"
Table: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]

ROUNDER = 1.5 * 2.0**52
"""Added to a number below 2⁵¹ it leaves the nearest integer, in two's complement, in the low bits."""

LOG2_E = 1 / log(2)
LN2 = (6.93147180369123816490e-01, 1.90821492927058770002e-10)
"""ln 2 in two parts; the first has 32 bits, so that its product with an exponent is exact."""

LN2_LOW = (LN2[1], 1.1612227229362532e-26)
"""The rest of ln 2 beyond the first part, in two parts."""

LOG10_2 = (3.01029995663611771306e-01, 3.69423907715893078616e-13)
LOG10_E = 4.34294481903251816668e-01

PI = (3.14159265346825122833, 1.21542010126079319532e-10, 4.04453249742233291160e-21, 1.69568553207377991400e-31)
"""π in four parts, 33 bits each but the last (fdlibm's π/2, doubled)."""

PI_ROUNDED = (pi, 1.22464679914735317723e-16)
HALF_PI = (pi / 2, 6.12323399573676588613e-17)
TWO_THIRDS = (2 / 3, 3.70074341541718826e-17)

FAR = 1.6e6
"""Beyond it products with the parts of π are no longer exact."""


class Value:
    """A value of the code: its text, and its kind ("f" floating, "i" bits, "m" mask)."""

    __slots__ = ("code", "kind", "text")

    def __init__(self, code: "Code", text: str, kind: str) -> None:
        self.code, self.text, self.kind = code, text, kind

    def __add__(self, other: Number) -> "Value":
        return self if _absent(other) else self._with("add", other)

    def __sub__(self, other: Number) -> "Value":
        return self if _absent(other) else self._with("sub", other)

    def __mul__(self, other: Number) -> Any:
        return 0.0 if _absent(other) else self._with("mul", other)

    def __truediv__(self, other: Number) -> "Value":
        return self._with("div", other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Number) -> "Value":
        return -self if _absent(other) else self._with("sub", other, swap=True)

    def __rtruediv__(self, other: Number) -> "Value":
        return self._with("div", other, swap=True)

    def __neg__(self) -> "Value":
        return self.code.emit(f"fneg {self.type} {self.text}", self.kind)

    def __and__(self, other: "Value | int") -> "Value":
        return self.code.binary("and", self, other)

    def __or__(self, other: "Value | int") -> "Value":
        return self.code.binary("or", self, other)

    def __invert__(self) -> "Value":
        return self.code.binary("xor", self, "true")

    def __xor__(self, other: "Value | int") -> "Value":
        return self.code.binary("xor", self, other)

    def __lshift__(self, places: int) -> "Value":
        return self.code.binary("shl", self, places)

    def __rshift__(self, places: int) -> "Value":
        """Zeros come in from the left."""
        return self.code.binary("lshr", self, places)

    def __lt__(self, other: Number) -> "Value":
        return self.code.compare("olt", self, other)

    def __le__(self, other: Number) -> "Value":
        return self.code.compare("ole", self, other)

    def __gt__(self, other: Number) -> "Value":
        return self.code.compare("ogt", self, other)

    def __ge__(self, other: Number) -> "Value":
        return self.code.compare("oge", self, other)

    def equals(self, other: Number) -> "Value":
        return self.code.compare("oeq", self, other)

    def is_nan(self) -> "Value":
        return self.code.compare("uno", self, self)

    @property
    def type(self) -> str:
        return self.code.type(self.kind)

    @property
    def bits(self) -> "Value":
        """The floating number's bits."""
        return self.code.emit(f"bitcast {self.type} {self.text} to {self.code.type('i')}", "i")

    @property
    def number(self) -> "Value":
        """The floating number of these bits."""
        return self.code.emit(f"bitcast {self.type} {self.text} to {self.code.type('f')}", "f")

    def _with(self, operation: str, other: Any, swap: bool = False) -> "Value":
        operation = operation if self.kind == "i" else f"f{operation}"
        return self.code.binary(operation, *((other, self) if swap else (self, other)), kind=self.kind)


def _absent(number: Any) -> bool:
    """A low part that single precision does without is the number 0.0, and so is what it is multiplied with."""
    return not isinstance(number, Value) and number == 0


class Code:
    """The body of a function in the making."""

    def __init__(self, element: str, lanes: int, fma: bool, single: bool) -> None:
        self.element, self.lanes, self.fma, self.single = element, lanes, fma, single
        self.lines: list[str] = []
        self.block = "entry"

    def type(self, kind: str) -> str:
        bits = 64 if self.element == "double" else 32
        return _vector({"f": self.element, "i": f"i{bits}", "m": "i1"}[kind], self.lanes)

    def emit(self, instruction: str, kind: str) -> Value:
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {instruction}")
        return Value(self, name, kind)

    def label(self, name: str) -> None:
        """Begin a block."""
        self.lines.append(f"{name}:")
        self.block = name

    def text(self, operand: Any, kind: str) -> str:
        if isinstance(operand, Value):
            return operand.text
        number = _hexadecimal(operand) if kind == "f" else str(operand)
        element = {"f": self.element, "i": "i64", "m": "i1"}[kind]
        return number if self.lanes == 1 else f"splat ({element} {number})"

    def binary(self, operation: str, a: Any, b: Any, kind: str | None = None) -> Value:
        kind = kind or next(v for v in (a, b) if isinstance(v, Value)).kind
        return self.emit(f"{operation} {self.type(kind)} {self.text(a, kind)}, {self.text(b, kind)}", kind)

    def compare(self, relation: str, a: Value, b: Number) -> Value:
        return self.emit(f"fcmp {relation} {a.type} {a.text}, {self.text(b, 'f')}", "m")

    def intrinsic(self, name: str, *operands: Number) -> Value:
        f = self.type("f")
        listed = ", ".join(f"{f} {self.text(operand, 'f')}" for operand in operands)
        suffix = {"double": "f64", "float": "f32"}[self.element]
        return self.emit(f"call {f} @llvm.{name}.{_suffix(suffix, self.lanes)}({listed})", "f")


def _vector(element: str, lanes: int) -> str:
    return element if lanes == 1 else f"<{lanes} x {element}>"


def _suffix(dtype: str, lanes: int) -> str:
    return dtype if lanes == 1 else f"v{lanes}{dtype}"


def _hexadecimal(number: float) -> str:
    return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"


# Words in which the functions are written.


def where(mask: Value, a: Number, b: Number) -> Value:
    code = mask.code
    kind = next(v.kind for v in (a, b, Value(code, "", "f")) if isinstance(v, Value))
    t = code.type(kind)
    return code.emit(f"select {mask.type} {mask.text}, {t} {code.text(a, kind)}, {t} {code.text(b, kind)}", kind)


def fma(a: Any, b: Any, c: Any) -> Any:
    """a·b + c, in one rounding if the machine has an instruction for it."""
    code = next(v for v in (a, b, c) if isinstance(v, Value)).code
    if not code.fma or any(map(_absent, (a, b, c))):
        return a * b + c
    return code.intrinsic("fma", a, b, c)


def sqrt(x: Value) -> Value:
    return x.code.intrinsic("sqrt", x)


def magnitude(x: Value) -> Value:
    return x.code.intrinsic("fabs", x)


def copysign(x: Number, sign: Value) -> Value:
    return sign.code.intrinsic("copysign", x, sign)


def below(x: Value, bound: Number) -> Value:
    """min(x, bound), a NaN in x stays."""
    return where(x > bound, bound, x)


def above(x: Value, bound: Number) -> Value:
    """max(x, bound), a NaN in x stays."""
    return where(x < bound, bound, x)


def nearest(x: Value, factor: float = 1.0) -> Value:
    """The integer nearest to factor·x, if that is below 2⁵¹."""
    return (x + ROUNDER if factor == 1 else fma(x, factor, ROUNDER)) - ROUNDER


def two_sum(a: Any, b: Any) -> tuple[Value, Value]:
    """a + b = s + e (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def fast_two_sum(a: Any, b: Any) -> Two:
    """a + b = s + e where |a| ≥ |b| (Dekker)."""
    s = a + b
    return (s, 0.0) if s.code.single else (s, b - (s - a))


def two_product(a: Value, b: Value) -> Two:
    """a·b = p + e (Dekker; Veltkamp's splitting without FMA)."""
    p = a * b
    if p.code.single:
        return p, 0.0
    if p.code.fma:
        return p, fma(a, b, -p)
    (ah, al), (bh, bl) = _split(a), _split(b)
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def _split(a: Value) -> tuple[Value, Value]:
    c = a * 134217729.0
    high = c - (c - a)
    return high, a - high


def polynomial(x: Value, table: Table) -> Value:
    """c₀ + x Σ cᵢ₊₁ xⁱ, the sum by Estrin's scheme; a table has coefficients for double and for single precision."""
    first, *terms = table[x.code.single]
    power = x
    while len(terms) > 1:
        pairs = [fma(terms[i + 1], power, terms[i]) for i in range(0, len(terms) - 1, 2)]
        terms = pairs + terms[len(terms) & ~1 :]
        power = power * power
    return fma(x, terms[0], first)


def power_of_two(n: Value) -> Value:
    """2ⁿ for an integer -1022 ≤ n ≤ 1023."""
    return ((n + (ROUNDER + 1023)).bits << 52).number


def scale(x: Value, n: Value) -> Value:
    """x·2ⁿ in two factors of half the exponent: overflow gives ∞ and underflow rounds once."""
    biased = (n + (ROUNDER + 2046)).bits
    half = biased >> 1
    return x * (half << 52).number * ((biased - half) << 52).number


ONE = 0x3FF << 52
"""The bits of 1.0."""
ROOT_HALF = 0x3FE6A09E << 32
EXPONENT = -1 << 52
"""A mask for the exponent's bits."""


def split_exponent(x: Value) -> tuple[Value, Value]:
    """x = 2ᵏ·m with √½ ≤ m < √2, for a normal x."""
    above_root = x.bits - ROOT_HALF
    biased = ((above_root + ONE) >> 52) | (0x433 << 52)
    return biased.number - (2.0**52 + 1023), (x.bits - (above_root & EXPONENT)).number


def normal(x: Value, factor: float) -> tuple[Value, Value | None]:
    """x, multiplied where it is subnormal, and where that is."""
    if x.code.single:
        return x, None
    tiny = x < 2.0**-1022
    return where(tiny, x * factor, x), tiny


def any_lane(mask: Value) -> str:
    """Whether the mask holds in some lane, an i1."""
    code = mask.code
    if code.lanes == 1:
        return mask.text
    return code.emit(f"call i1 @llvm.vector.reduce.or.v{code.lanes}i1({mask.type} {mask.text})", "m").text


def rarely(mask: Value, type: str, common: str, rare: Callable[[], str]) -> str:
    """``where(mask, rare(), common)``, but what is rare is only computed if the mask holds in some lane."""
    code = mask.code
    some, before = any_lane(mask), code.block
    number = len(code.lines)
    code.lines.append(f"  br i1 {some}, label %rare{number}, label %after{number}")
    code.label(f"rare{number}")
    chosen = code.emit(f"select {mask.type} {mask.text}, {type} {rare()}, {type} {common}", "f").text
    code.lines.append(f"  br label %after{number}")
    last = code.block
    code.label(f"after{number}")
    return code.emit(f"phi {type} [{common}, %{before}], [{chosen}, %{last}]", "f").text


# The functions.

Kernel = Callable[..., Value]
LIBM: dict[str, str] = {}
KERNELS: dict[str, Kernel] = {}
EXACT: set[str] = set()
"""Functions whose result is exact or rounded once: computed in the dtype itself."""
PERIODIC: set[str] = set()
"""Functions that leave arguments beyond ``FAR`` to libm."""


def function(libm: str = "", periodic: bool = False) -> Callable[[Kernel], Kernel]:
    """Register a function, with its name in libm if one lane or far arguments are left to that."""

    def register(kernel: Kernel) -> Kernel:
        name = kernel.__name__.rstrip("_")
        KERNELS[name] = kernel
        if libm:
            LIBM[name] = libm
        if periodic:
            PERIODIC.add(name)
        return kernel

    return register


def exact(kernel: Kernel) -> Kernel:
    """Register a function that is exact."""
    EXACT.add(kernel.__name__.rstrip("_"))
    return function()(kernel)


def exponential(x: Value, low: Number = 0.0) -> tuple[Value, Value]:
    """e^(x+low) = 2ⁿ(1 + p): n and p.  r = x - n ln2, p = r + r² q(r), |r| ≤ ½ ln2 (Tang 1989, without his table)."""
    n = nearest(x, LOG2_E)
    t = fma(n, -LN2[0], x)
    c = low - n * LN2[1]
    r = t + c
    return n, t + fma(r * r, polynomial(r, EXP), c)


def moderate_exp(x: Value) -> Value:
    """eˣ for |x| ≤ 708."""
    n, p = exponential(x)
    return (p + 1.0) * power_of_two(n)


@function("exp")
def exp(x: Value) -> Value:
    return exp_of_sum(x, 0.0)


def exp_of_sum(x: Value, low: Number) -> Value:
    """e^(x+low)."""
    n, p = exponential(below(above(x, -746.0), 710.0), low)
    return scale(p + 1.0, n)


@function("exp2")
def exp2(x: Value) -> Value:
    """2ˣ = 2ⁿ e^((x-n) ln2)."""
    x = below(above(x, -1076.0), 1025.0)
    n = nearest(x)
    r = (x - n) * (LN2[0] + LN2[1])
    return scale(fma(r * r, polynomial(r, EXP), r) + 1.0, n)


@function()
def expm1(x: Value) -> Value:
    """2ⁿ(1 + p) - 1 = 2((s - ½) + s p) with s = 2ⁿ⁻¹."""
    n, p = exponential(below(above(x, -40.0), 710.0))
    s = power_of_two(n - 1.0)
    return copysign(fma(s, p, s - 0.5) * 2.0, x)


def logarithm(k: Value, m: Value, c: Number = 0.0) -> Value:
    """log(2ᵏ(m + c)) = k ln2 + 2 atanh s, s = f/(2 + f), f = m - 1 + c (fdlibm's arrangement of the sum)."""
    f = (m - 1.0) + c
    return fma(k, LN2[0], near_one(f, k * LN2[1]))


def near_one(f: Value, c: Number = 0.0) -> Value:
    """log(1 + f) + c = f - (f²/2 - (s(f²/2 + R(s²)) + c)), √½ ≤ 1 + f < √2."""
    s = f / (f + 2.0)
    z = s * s
    h = f * f * 0.5
    return f - (h - fma(s, fma(z, polynomial(z, LOG), h), c))


def of_positive(x: Value, result: Value) -> Value:
    """A logarithm's values where x is not a positive number: -∞ at 0, NaN below, ∞ and NaN themselves."""
    return where(x <= 0.0, where(x.equals(0.0), -inf, nan), where(x < inf, result, x))


def any_exponent(x: Value) -> tuple[Value, Value]:
    """``split_exponent``, subnormal numbers too."""
    y, tiny = normal(x, 2.0**54)
    k, m = split_exponent(y)
    return (k, m) if tiny is None else (k - where(tiny, 54.0, 0.0), m)


@function("log")
def log_(x: Value) -> Value:
    return of_positive(x, logarithm(*any_exponent(x)))


@function("log2")
def log2(x: Value) -> Value:
    k, m = any_exponent(x)
    return of_positive(x, fma(near_one(m - 1.0), LOG2_E, k))


@function("log10")
def log10(x: Value) -> Value:
    k, m = any_exponent(x)
    return of_positive(x, fma(k, LOG10_2[0], fma(near_one(m - 1.0), LOG10_E, k * LOG10_2[1])))


def log_of_sum(u: Value, c: Number) -> Value:
    """log(u + c) for a small c and a normal u."""
    k, m = split_exponent(u)
    return logarithm(k, m, c * power_of_two(-below(k, 64.0)))


@function("log1p")
def log1p(x: Value) -> Value:
    u, c = two_sum(1.0, x)
    return copysign(of_positive(u, log_of_sum(u, c)), x)


@function("sin", periodic=True)
def sin(x: Value) -> Value:
    """(-1)ⁿ sin r with r = x - nπ."""
    n = nearest(x, 1 / pi)
    return where(x.equals(0.0), x, alternate(sine(reduced(x, n)[0]), n))


@function("cos", periodic=True)
def cos(x: Value) -> Value:
    """(-1)ⁿ⁺¹ sin r with r = x - (n + ½)π."""
    n = nearest(fma(x, 1 / pi, -0.5))
    return alternate(sine(reduced(x, n + 0.5)[0]), n + 1.0)


@function("tan", periodic=True)
def tan(x: Value) -> Value:
    """tan r or -1/tan r with r = x - nπ/2."""
    n = nearest(x, 2 / pi)
    high, low = reduced(x, n * 0.5)
    t = odd_polynomial(high, TAN, low * fma(high, high, 1.0))
    return where(x.equals(0.0), x, where(is_odd(n), -1.0 / t, t))


def reduced(x: Value, n: Value) -> Two:
    """x - nπ in two parts (Cody and Waite): products but the last are exact, and so is a difference that cancels."""
    r = fma(n, -PI[0], x)
    if r.code.single:
        return fma(n, -PI[2], fma(n, -PI[1], r)), 0.0
    r, a = fast_two_sum(r, n * -PI[1])
    r, b = fast_two_sum(r, n * -PI[2])
    return fast_two_sum(r, fma(n, -PI[3], a + b))


def sine(x: Value) -> Value:
    """sin x = x + x(-z/6 + z² P(z)), z = x² ≤ (π/2)²."""
    z = x * x
    return fma(x, fma(z, -1 / 6, z * z * polynomial(z, SIN)), x)


def odd_polynomial(x: Value, table: Table, low: Number = 0.0) -> Value:
    """x + (x³ P(x²) + low)."""
    z = x * x
    return x + fma(x * z, polynomial(z, table), low)


def is_odd(n: Value) -> Value:
    """Whether an integer is odd."""
    half = n * 0.5
    return ~nearest(half).equals(half)


def alternate(x: Value, n: Value) -> Value:
    """(-1)ⁿ x."""
    return (x.bits ^ ((n + ROUNDER).bits << 63)).number


@function()
def sinh(x: Value) -> Value:
    """A polynomial up to 1, then ½(eˣ - e⁻ˣ)."""
    n, p = exponential(below(magnitude(x), 711.0))
    large = scale((p + 1.0) - power_of_two(-below(n + n, 200.0)) / (p + 1.0), n - 1.0)
    return where(magnitude(x) <= 1.0, odd_polynomial(x, SINH), copysign(large, x))


@function("cosh")
def cosh(x: Value) -> Value:
    """½(eˣ + e⁻ˣ)."""
    n, p = exponential(below(magnitude(x), 711.0))
    return scale((p + 1.0) + power_of_two(-below(n + n, 200.0)) / (p + 1.0), n - 1.0)


@function()
def tanh(x: Value) -> Value:
    """A polynomial up to 0.8, then 1 - 2/(e²ˣ + 1)."""
    a = below(magnitude(x), 20.0)
    large = 1.0 - 2.0 / (moderate_exp(a + a) + 1.0)
    return copysign(where(a <= 0.8, odd_polynomial(a, TANH), large), x)


@function("asin")
def arcsin(x: Value) -> Value:
    """A polynomial up to √½, then π/2 - 2 arcsin √((1-x)/2)."""
    a = magnitude(x)
    small, root, p = arcsine(a)
    return copysign(where(small, a + p, HALF_PI[0] - ((root + p) * 2.0 - HALF_PI[1])), x)


@function("acos")
def arccos(x: Value) -> Value:
    """π/2 - arcsin x, or 2 arcsin √((1-x)/2), or π - that."""
    small, root, p = arcsine(magnitude(x))
    middle = HALF_PI[0] - (x + (copysign(p, x) - HALF_PI[1]))
    y = (root + p) * 2.0
    return where(small, middle, where(x < 0.0, PI_ROUNDED[0] - (y - PI_ROUNDED[1]), y))


def arcsine(a: Value) -> tuple[Value, Value, Value]:
    """Whether a ≤ √½; then arcsin a = r + p with r = a, otherwise arcsin √((1-a)/2) = r + p with r that root."""
    small = a <= 0.7071
    z = where(small, a * a, (1.0 - a) * 0.5)
    r = where(small, a, sqrt(z))
    return small, r, r * z * polynomial(z, ARCSIN)


@function("atan")
def arctan(x: Value) -> Value:
    """A polynomial up to 1, then π/2 - arctan 1/x."""
    a = magnitude(x)
    large = a > 1.0
    t = odd_polynomial(where(large, 1.0 / a, a), ARCTAN)
    return copysign(where(large, HALF_PI[0] - (t - HALF_PI[1]), t), x)


@function()
def arctan2(y: Value, x: Value) -> Value:
    """arctan of the smaller by the larger, reflected into the octant."""
    a, b = magnitude(y), magnitude(x)
    steep = a > b
    high, low = where(steep, a, b), where(steep, b, a)
    q = where(high.equals(low), copysign(1.0, high), low / high)
    t = odd_polynomial(where(high.equals(0.0), 0.0, q), ARCTAN)
    t = where(steep, HALF_PI[0] - (t - HALF_PI[1]), t)
    t = where(copysign(1.0, x) < 0.0, PI_ROUNDED[0] - (t - PI_ROUNDED[1]), t)
    return where(x.is_nan() | y.is_nan(), nan, copysign(t, y))


@function("asinh")
def arcsinh(x: Value) -> Value:
    """A polynomial up to ½, then log(x + √(x² + 1)), the square root in two parts."""
    a = magnitude(x)
    huge = a > 2.0**30
    b = below(a, 2.0**30)
    root, low = root_of_square(b, 1.0)
    u, c = fast_two_sum(root, b)
    k, m = split_exponent(where(huge, a, u))
    large = logarithm(where(huge, k + 1.0, k), m, where(huge, 0.0, (c + low) * power_of_two(-below(k, 64.0))))
    return copysign(where(a <= 0.5, odd_polynomial(a, ARCSINH), where(a < inf, large, a)), x)


@function("acosh")
def arccosh(x: Value) -> Value:
    """√(2t)(1 + t P(t)) for t = x - 1 up to ½, then log(x + √(x² - 1))."""
    huge = x > 2.0**30
    t = x - 1.0
    s = sqrt(t + t)
    root, low = root_of_square(below(x, 2.0**30), -1.0)
    u, c = fast_two_sum(below(x, 2.0**30), root)
    k, m = split_exponent(where(huge, x, u))
    large = logarithm(where(huge, k + 1.0, k), m, where(huge, 0.0, (c + low) * power_of_two(-below(k, 64.0))))
    return where(t <= 0.5, fma(s * t, polynomial(t, ARCCOSH), s), where(x < inf, large, x))


def root_of_square(x: Value, one: float) -> Two:
    """√(x² ± 1) in two parts."""
    p, e = two_product(x, x)
    v, f = two_sum(p, one)
    s = sqrt(v)
    if s.code.single:
        return s, 0.0
    q, g = two_product(s, s)
    return s, (((v - q) - g) + (e + f)) / (s + s)


@function("atanh")
def arctanh(x: Value) -> Value:
    """A polynomial up to ½, then ½ log((1 + x)/(1 - x)), the quotient in two parts."""
    a = magnitude(x)
    above_one, e = two_sum(1.0, a)
    u, c = quotient(above_one, e, 1.0 - a, 0.0)
    large = of_positive(u, log_of_sum(where(u < inf, u, 1.0), c)) * 0.5
    return where(a <= 0.5, odd_polynomial(x, ARCTANH), where(a > 1.0, nan, copysign(large, x)))


def quotient(a: Value, a_low: Number, b: Value, b_low: Number) -> Two:
    """(a + a_low)/(b + b_low) in two parts."""
    inverse = 1.0 / b
    q = a * inverse
    if q.code.single:
        return q, 0.0
    p, e = two_product(q, b)
    return q, (((a - p) - e) + a_low - q * b_low) * inverse


@function("erf")
def erf(x: Value) -> Value:
    """x + x P(x²) up to 1, then 1 - erfc x."""
    a = magnitude(x)
    return where(a <= 1.0, near_zero_erf(x), copysign(1.0 - complement(below(a, 6.0)), x))


@function()
def erfc(x: Value) -> Value:
    a = magnitude(x)
    tail = complement(below(a, 28.0))
    return where(a <= 0.5, 1.0 - near_zero_erf(x), where(x < 0.0, 2.0 - tail, tail))


def near_zero_erf(x: Value) -> Value:
    return fma(x, polynomial(x * x, ERF), x)


def complement(x: Value) -> Value:
    """erfc x = e^(-x²) (c + t P(t))/(1 + 2x), t = (x - 4)/(x + 4), x ≥ ½ (Shepherd and Laframboise 1981)."""
    h, low = two_product(x, x)
    n, p = exponential(-h, -low)
    t = (x - 4.0) / (x + 4.0)
    q, e = quotient(
        *fast_two_sum(ERFC_MIDDLE[0], fma(t, polynomial(t, ERFC), ERFC_MIDDLE[1])), *fast_two_sum(x + x, 1.0)
    )
    return scale(q + fma(q, p, fma(e, p, e)), n)


@function("pow")
def pow_(x: Value, y: Value) -> Value:
    """|x|^y = e^(y log|x|), the logarithm in two parts; then C99's special cases."""
    a = magnitude(x)
    high, low = precise_log(a)
    p, e = two_product(y, high)
    e = where(magnitude(p) < 1000.0, e + y * low, 0.0)
    n, q = exponential(below(above(p, -1100.0), 1100.0), e)
    r = scale(q + 1.0, n)
    r = where(a.equals(1.0) | y.equals(0.0), 1.0, r)
    integer = is_integer(y)
    r = where(integer & ~is_integer(y * 0.5), copysign(r, x), r)
    r = where((x < 0.0) & (a < inf) & ~integer, nan, r)
    return where(x.equals(1.0) | y.equals(0.0), 1.0, r)


def is_integer(x: Value) -> Value:
    a = magnitude(x)
    return ((a + 2.0**52) - 2.0**52).equals(a) | (a >= 2.0**52)


def precise_log(x: Value) -> Two:
    """log x in two parts, x ≥ 0: 2 atanh s = 2s + s³(2/3 + s² P(s²)) with s = f/(2 + f)."""
    if x.code.single:
        return of_positive(x, logarithm(*split_exponent(x))), 0.0
    k, m = any_exponent(x)
    f = m - 1.0
    d, dl = fast_two_sum(2.0, f)
    s, sl = quotient(f, 0.0, d, dl)
    z, zl = two_product(s, s)
    zl = zl + (s + s) * sl
    w, wl = fast_two_sum(TWO_THIRDS[0], z * polynomial(z, POWER))
    wl = wl + TWO_THIRDS[1]
    c, cl = two_product(s, z)
    cl = cl + s * zl + sl * z
    t, tl = two_product(c, w)
    tl = tl + c * wl + cl * w
    h, hl = fast_two_sum(s + s, t)
    g, gl = fast_two_sum(k * LN2[0], h)
    high, low = fast_two_sum(g, gl + (hl + (tl + (sl + sl)) + k * LN2[1]))
    return of_positive(x, high), low


@function()
def cbrt(x: Value) -> Value:
    """a y² with y ≈ a^(-1/3) from a polynomial and Newton's iterations, the last on t³ - a in two parts."""
    a, tiny = normal(magnitude(x), 2.0**54)
    k, m = split_exponent(a)
    q = nearest(k, 1 / 3)
    i = fma(q, -3.0, k)
    a = m * power_of_two(i)
    y = polynomial(m, CBRT) * where(i > 0.0, 2 ** (-1 / 3), where(i < 0.0, 2 ** (1 / 3), 1.0))
    y = fma(y * (1 / 3), fma(-a, y * y * y, 1.0), y)
    t = a * y * y
    square, e = two_product(t, t)
    cube, f = two_product(square, t)
    t = t - (((cube - a) + f) + e * t) * (y * y * (1 / 3))
    r = t * power_of_two(q if tiny is None else q - where(tiny, 18.0, 0.0))
    return where(magnitude(x) < inf, where(x.equals(0.0), x, copysign(r, x)), x)


@function()
def hypot(x: Value, y: Value) -> Value:
    """√(x² + y²), scaled where a square would overflow or be subnormal."""
    if x.code.single:
        r = sqrt(fma(x, x, y * y))
    else:
        a, b = magnitude(x), magnitude(y)
        largest = where(a > b, a, b)
        down, up = largest > 2.0**500, largest < 2.0**-500
        by = where(down, 2.0**-600, where(up, 2.0**600, 1.0))
        a, b = a * by, b * by
        r = sqrt(fma(a, a, b * b)) * where(down, 2.0**600, where(up, 2.0**-600, 1.0))
    return where(magnitude(x).equals(inf) | magnitude(y).equals(inf), inf, r)


@function()
def logaddexp(x: Value, y: Value) -> Value:
    """log(eˣ + eʸ) = max + log(1 + e^(min-max)), the difference in two parts.

    Where the terms r = max + … cancel, r + log(1 + δ) with δ = e^(x-r) + e^(y-r) - 1 in two parts.
    """
    first = x > y
    larger, smaller = where(first, x, y), where(first, y, x)
    d, low = two_sum(smaller, -larger)
    e = exp_of_sum(where(x.equals(y), 0.0, d), 0.0 if x.code.single else where(d > -746.0, low, 0.0))
    r = larger + log_one_plus(e)
    cancels = (larger < 0.0) & (magnitude(r) < r - larger) & (smaller > -700.0)

    def corrected() -> str:
        single, x.code.single = x.code.single, False
        a, a_low = exp_in_two(*two_sum(larger, -r), -1.0)
        b, b_low = exp_in_two(*two_sum(smaller, -r), 0.0)
        t, e = two_sum(a, b)
        delta = t + (e + (a_low + b_low))
        x.code.single = single
        return (r + fma(delta * delta, -0.5, delta)).text

    return Value(x.code, rarely(cancels, x.type, r.text, corrected), "f")


def exp_in_two(x: Value, low: Value, c: float) -> Two:
    """e^(x+low) + c in two parts of some 98 bits.

    e^x = 2ⁿ(1 + p)¹⁶ with Taylor's series of p = eˢ - 1, s = (x - n ln2)/16.
    """
    n = nearest(x, LOG2_E)
    p, e = two_product(n, LN2_LOW[0])
    s, s_low = two_sum(n * -LN2[0] + x, -p)
    s, s_low = fast_two_sum(s, s_low - e - n * LN2_LOW[1] + low)
    s, s_low = s * (1 / 16), s_low * (1 / 16)
    tail = fma(s, 1 / factorial(12), 1 / factorial(11))
    for k in range(10, 6, -1):
        tail = fma(s, tail, 1 / factorial(k))
    total: Two = (tail, 0.0)
    for h, h_low in INVERSE_FACTORIALS:
        p, e = product_in_two(*total, s, s_low)
        q, f = fast_two_sum(h, p)
        total = fast_two_sum(q, f + (e + h_low))
    p, e = product_in_two(*total, s, s_low)
    for _ in range(4):
        q, f = fast_two_sum(2.0, p)
        p, e = product_in_two(p, e, q, f + e)
    scale = power_of_two(n)
    q, f = two_sum(scale + c, p * scale)
    return q, fma(e, scale, f)


def product_in_two(a: Value, a_low: Number, b: Value, b_low: Number) -> Two:
    """(a + a_low)(b + b_low) in two parts."""
    p, e = two_product(a, b)
    return fast_two_sum(p, fma(a, b_low, fma(a_low, b, e)))


@function()
def softplus(x: Value) -> Value:
    """log(1 + eˣ) = max(x, 0) + log(1 + e^-|x|)."""
    return above(x, 0.0) + log_one_plus(exp(-magnitude(x)))


def log_one_plus(e: Value) -> Value:
    """log(1 + e), 0 ≤ e ≤ 1."""
    u, c = two_sum(1.0, e)
    return log_of_sum(u, c)


@function()
def sigmoid(x: Value) -> Value:
    """1/(1 + e⁻ˣ) = min(1, eˣ)/(1 + e^-|x|)."""
    e = exp(-magnitude(x))
    return where(x < 0.0, e, 1.0) / (e + 1.0)


@exact
def sqrt_(x: Value) -> Value:
    return sqrt(x)


@exact
def abs_(x: Value) -> Value:
    return magnitude(x)


@exact
def floor(x: Value) -> Value:
    return x.code.intrinsic("floor", x)


@exact
def ceil(x: Value) -> Value:
    return x.code.intrinsic("ceil", x)


@exact
def trunc(x: Value) -> Value:
    return x.code.intrinsic("trunc", x)


@exact
def rint(x: Value) -> Value:
    return x.code.intrinsic("rint", x)


@exact
def copysign_(x: Value, sign: Value) -> Value:
    return copysign(x, sign)


@exact
def minimum(x: Value, y: Value) -> Value:
    """The smaller, or the NaN."""
    return where((x < y) | x.is_nan(), x, y)


@exact
def maximum(x: Value, y: Value) -> Value:
    """The larger, or the NaN."""
    return where((x > y) | x.is_nan(), x, y)


@exact
def fmin(x: Value, y: Value) -> Value:
    """The smaller; a number before a NaN."""
    return where((x < y) | y.is_nan(), x, y)


@exact
def fmax(x: Value, y: Value) -> Value:
    """The larger; a number before a NaN."""
    return where((x > y) | y.is_nan(), x, y)


@exact
def sign(x: Value) -> Value:
    return where(x.equals(0.0), 0.0, where(x.is_nan(), x, copysign(1.0, x)))


# The text.


def source(name: str, dtype: str, lanes: int, fma: bool = True) -> str:
    """The definition of ``@dotbar.<name>.<dtype>x<lanes>``; ``fma``: whether the machine has the instruction.

    It carries the attributes ``#0``, and calls only LLVM's intrinsics and what ``requires`` declares.
    """
    kernel = KERNELS[name]
    element = {"f64": "double", "f32": "float"}[dtype]
    type = _vector(element, lanes)
    names = kernel.__code__.co_varnames[: kernel.__code__.co_argcount]
    listed = ", ".join(f"{type} %{argument}" for argument in names)
    if name in EXACT:
        code = Code(element, lanes, fma, single=False)
        result = kernel(*(Value(code, f"%{argument}", "f") for argument in names)).text
    elif lanes == 1 and name in LIBM:
        code = Code(element, lanes, fma, single=False)
        result = code.emit(_libm(name, element, [f"%{argument}" for argument in names]), "f").text
    else:
        code = Code("double", lanes, fma, single=dtype == "f32")
        arguments = [_widened(code, f"%{argument}") for argument in names]
        result = _narrowed(code, kernel(*arguments))
        if name in PERIODIC:
            result = _unless_far(code, name, element, arguments[0], result)
    body = "\n".join(code.lines)
    head = f"define internal {type} @dotbar.{name}.{dtype}x{lanes}({listed}) #0"
    return f"{head} {{\nentry:\n{body}\n  ret {type} {result}\n}}\n"


def requires(name: str, dtype: str, lanes: int) -> set[str]:
    """The declarations that the definition needs, each once in a module."""
    if name in EXACT or name not in LIBM or (lanes > 1 and name not in PERIODIC):
        return set()
    element = {"f64": "double", "f32": "float"}[dtype]
    arity = KERNELS[name].__code__.co_argcount
    return {f"declare {element} @{_libm_name(name, element)}({', '.join([element] * arity)}) #0"}


def _libm_name(name: str, element: str) -> str:
    return LIBM[name] + ("f" if element == "float" else "")


def _libm(name: str, element: str, operands: Iterable[str]) -> str:
    return f"call {element} @{_libm_name(name, element)}({', '.join(f'{element} {x}' for x in operands)})"


def _widened(code: Code, argument: str) -> Value:
    if not code.single:
        return Value(code, argument, "f")
    return code.emit(f"fpext {_vector('float', code.lanes)} {argument} to {code.type('f')}", "f")


def _narrowed(code: Code, result: Value) -> str:
    if not code.single:
        return result.text
    return code.emit(f"fptrunc {code.type('f')} {result.text} to {_vector('float', code.lanes)}", "f").text


def _unless_far(code: Code, name: str, element: str, x: Value, near: str) -> str:
    """The result, or libm's in lanes out of the range of the argument's reduction."""
    type = _vector(element, code.lanes)

    def libms() -> str:
        result = "poison"
        for lane in range(code.lanes):
            item = code.emit(f"extractelement {type} %x, i64 {lane}", "f").text
            item = code.emit(_libm(name, element, [item]), "f").text
            result = code.emit(f"insertelement {type} {result}, {element} {item}, i64 {lane}", "f").text
        return result

    return rarely(magnitude(x) > FAR, type, near, libms)


# Coefficients, lowest first, for double and for single precision: interpolation at Chebyshev's points, in 60 digits.
# fmt: off

EXP: Table = (
    (0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326132, 0.0013888888888883746,
     0.00019841269874827454, 2.4801587325552618e-05, 2.755725539154403e-06, 2.7557273636924405e-07,
     2.5105220609870554e-08, 2.0914689542549555e-09),
    (0.5000000013468551, 0.16666666681626277, 0.04166646489789655, 0.008333310922439238, 0.0013933653036328846,
     0.00019890994200629796),
)
"""(eʳ - 1 - r)/r², |r| ≤ ½ ln2"""

LOG: Table = (
    (0.6666666666666666, 0.4000000000000088, 0.28571428570800655, 0.222222223923837, 0.18181795568589937,
     0.15386243592665208, 0.13268669005111386, 0.1308771474739754),
    (0.6666666655414554, 0.4000012212721577, 0.28550788221977297, 0.233313537837445),
)
"""(2 atanh(s)/s - 2)/z, z = s² ≤ (√2 - 1)⁴"""

SIN: Table = (
    (0.008333333333332965, -0.00019841269841029495, 2.7557319164672317e-06, -2.5052101338841926e-08,
     1.6058605681993666e-10, -7.633054962146495e-13, 2.605432092814215e-15),
    (0.008333333287866897, -0.00019841210868015951, 2.7545347826443505e-06, -2.4272106911304515e-08),
)
"""(sin r - r + r³/6)/r⁵, z = r² ≤ (π/2)²"""

TAN: Table = (
    (0.3333333333333333, 0.13333333333332997, 0.05396825396865896, 0.02186948851691896, 0.008863236007070726,
     0.003592120931220369, 0.0014559031774761782, 0.0005895729703078583, 0.00024123736485172733,
     8.995288423441829e-05, 5.5654247931290555e-05, -1.1107096269164975e-05, 3.660207993805732e-05,
     -1.8361736910277437e-05, 8.49451621787504e-06),
    (0.33333333286700295, 0.13333342985575714, 0.05396500251727989, 0.02191082236103158, 0.008608503682100855,
     0.004427264794599971, -2.5047063190480887e-06, 0.0017905071505534584),
)
"""(tan r - r)/r³, z = r² ≤ (π/4)²"""

TANH: Table = (
    (-0.3333333333333333, 0.13333333333333156, -0.05396825396807276, 0.021869488528862377, -0.008863235376274077,
     0.0035921260909037335, -0.0014558183493366924, 0.0005899371544849776, -0.00023877177686581664,
     9.590580074661439e-05, -3.723351759986434e-05, 1.2965969286746463e-05, -3.4510651521734754e-06,
     4.967418898612299e-07),
    (-0.33333333195266096, 0.1333331213583102, -0.053962882671571274, 0.021817761133720217, -0.008621063623544685,
     0.0029870454229727643, -0.0006345422356464645),
)
"""(tanh x - x)/x³, z = x² ≤ 0.8²"""

SINH: Table = (
    (0.16666666666666666, 0.008333333333333299, 0.00019841269841324198, 2.7557319191381816e-06,
     2.5052117695907823e-08, 1.6057679623801638e-10, 7.746178593018827e-13),
    (0.16666666646842135, 0.00833333967591706, 0.00019838101968683888, 2.8062802582276946e-06),
)
"""(sinh x - x)/x³, z = x² ≤ 1"""

ARCTAN: Table = (
    (-0.3333333333333333, 0.1999999999999992, -0.14285714285701234, 0.11111111110268297, -0.0909090906193528,
     0.07692307078827029, -0.06666657934573768, 0.05882264416776449, -0.052624922290256754, 0.04758080083637821,
     -0.043306538430670664, 0.03938687540798632, -0.035271331066871296, 0.030330719265790507, -0.024191345810140718,
     0.01718398172211335, -0.010412153260359241, 0.005140912856746939, -0.0019612554271685326, 0.0005376839297396244,
     -9.371186345052626e-05, 7.767624330289919e-06),
    (-0.33333333293301176, 0.19999990275947271, -0.14285317963907304, 0.1110470678864422, -0.09036742342070782,
     0.0741749696430051, -0.05760716083128117, 0.038327445983064846, -0.019261081322765883, 0.00620725453378005,
     -0.0009362994719496015),
)
"""(arctan x - x)/x³, z = x² ≤ 1"""

ARCSIN: Table = (
    (0.16666666666666666, 0.0750000000000028, 0.04464285714211393, 0.03038194452250247, 0.02237215476552006,
     0.017352910485470593, 0.01396156950707128, 0.011603298700993395, 0.00917160999006769, 0.013442391811587493,
     -0.025581324215004246, 0.17101146220020227, -0.6297138419141283, 1.8963187485717359, -4.297586832199172,
     7.358619925497615, -9.158597380805825, 7.8829450923016555, -4.201910132386749, 1.0656658840535),
    (0.1666666681082116, 0.0749995342318574, 0.044667349463938646, 0.029892416916016403, 0.02719439452945653,
     -0.008723525739347851, 0.09377865697330971, -0.1210944285222341, 0.1088924104121617),
)
"""(arcsin x - x)/x³, z = x² ≤ ½"""

ARCSINH: Table = (
    (-0.16666666666666666, 0.0749999999999864, -0.044642857140252436, 0.030381944248546365, -0.022372151449922602,
     0.01735258771519257, -0.013962235682232349, 0.011526210169675569, -0.009591452221673173, 0.007622309427481728,
     -0.004992717198142511, 0.0018854117655039003),
    (-0.16666666572814728, 0.07499972893955258, -0.04463002194351939, 0.030156178619349886, -0.020526793468189104,
     0.009936504309239973),
)
"""(arcsinh x - x)/x³, z = x² ≤ ¼"""

ARCTANH: Table = (
    (0.3333333333333333, 0.20000000000000864, 0.14285714285490106, 0.11111111133938968, 0.09090907881509189,
     0.07692345940270638, 0.06665886352701884, 0.05893099692590042, 0.05160769881147162, 0.05441915418234587,
     0.012292448728540531, 0.13557903913692299, -0.14450491183414468, 0.21098097885975797),
    (0.33333333437307106, 0.19999959336215828, 0.14288286042811285, 0.11050830395223991, 0.09751940865741168,
     0.040916230718241735, 0.1562916538185637),
)
"""(arctanh x - x)/x³, z = x² ≤ ¼"""

ARCCOSH: Table = (
    (-0.08333333333333333, 0.0187499999999966, -0.0055803571425315545, 0.0018988715155341478, -0.0006991297328100813,
     0.0002711341830498839, -0.00010907996626744022, 4.502425847529519e-05, -1.8733305120455416e-05,
     7.443661550275125e-06, -2.437850194405523e-06, 4.6030560681247566e-07),
    (-0.08333333286407364, 0.018749932234888144, -0.005578752742939924, 0.0018847611637093679, -0.0006414622958809095,
     0.00015525787983187457),
)
"""(arccosh(1 + t)/√(2t) - 1)/t, t ≤ ½"""

ERF: Table = (
    (0.1283791670955126, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792, 0.0052239776248180145,
     -0.000854832698083379, 0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06,
     -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09, 5.957176147748911e-11),
    (0.12837916706154343, -0.3761263846802871, 0.11283782495236845, -0.026865430727670243, 0.005221031807858023,
     -0.0008484080405535107, 0.00011265959025606609, -9.667044571486996e-06),
)
"""erf(x)/x - 1, z = x² ≤ 1"""

ERFC: Table = (
    (-0.1396211168405625, 0.015379652102620014, 0.06809705425469083, -0.10103906603632115, 0.09373283499844556,
     -0.06633036581181079, 0.037167515535315415, -0.01619773406284891, 0.00503197000419337, -0.0007577732521613922,
     -0.00019925688361683089, 0.00015062151453008125, -2.4398351015666548e-05, -1.1221585967075583e-05,
     5.707161577148004e-06, 2.9306516284623307e-07, -8.204396153920227e-07, 7.535408403678925e-08,
     1.039862821576385e-07, -1.8269799679259606e-08, -9.897865415953107e-09, 1.897021651090356e-09),
    (-0.13962111659395823, 0.01537965116993867, 0.06809702269716283, -0.1010390459826601, 0.09373349679575177,
     -0.0663303584593358, 0.03716237123126381, -0.016199230367689353, 0.005050438956326975, -0.0007497058001331567,
     -0.0002312877047041191, 0.0001345853211415615),
)
"""P(t) in (1 + 2x) e^(x²) erfc x = c + t P(t), x = 4(1 + t)/(1 - t)"""

INVERSE_FACTORIALS = (
    (0.001388888888888889, -5.300543954373577e-20),
    (0.008333333333333333, 1.1564823173178714e-19),
    (0.041666666666666664, 2.3129646346357427e-18),
    (0.16666666666666666, 9.25185853854297e-18),
    (0.5, 0.0),
    (1.0, 0.0),
)
"""1/6! to 1/1!, in two parts."""

ERFC_MIDDLE = (1.2329951186255526, -4.625318921008717e-17)
"""c, the value at t = 0."""

CBRT: Table = (
    (2.106427190441173, -3.1303347486875643, 4.3858832134104695, -3.9748570671881884, 2.204989615105627,
     -0.6824849464565845, 0.09037756808293518),
    (1.9953239527861828, -2.466773899912901, 2.754672210111327, -1.861879675461406, 0.683484823588806,
     -0.10482450941321085),
)
"""m^(-1/3), √½ ≤ m ≤ √2"""

POWER: Table = (
    (0.4, 0.2857142857142937, 0.22222222221653554, 0.18181818335921093, 0.1538459490609143, 0.13334807761696937,
     0.11706154215034448, 0.11724037104235352),
    (0.40000015086547364, 0.2856222349898338, 0.23048809737535442),
)
"""(2 atanh(s)/s - 2 - 2z/3)/z², z = s²"""
