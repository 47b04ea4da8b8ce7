"""Samples of rules/ufuncs.py."""

import numpy as np

from dotbar.rules import ufuncs
from samples import cnormal, normal, sample, uniform

x, z = normal(3, 4), cnormal(3, 4)
p = uniform(0.5, 2.0, 3, 4)
unit, above = uniform(-0.8, 0.8, 3, 4), uniform(1.2, 3.0, 3, 4)
apart = np.linspace(-2.3, 2.6, 12).reshape(3, 4)
a, b = uniform(0.5, 2.0, 3, 1, seed=1), uniform(0.5, 2.0, 4, seed=2)
ca, cb = cnormal(3, 1, seed=1), cnormal(4, seed=2)
n = np.array([[3], [-2], [0]])

REAL = [
    *((f, x) for f in (np.negative, np.positive, np.square, np.exp, np.exp2, np.expm1, np.sin, np.cos, np.arctan)),
    *((f, x) for f in (np.sinh, np.cosh, np.tanh, np.arcsinh, np.deg2rad, np.rad2deg, np.degrees, np.radians)),
    *((f, p) for f in (np.sqrt, np.cbrt, np.log, np.log2, np.log10, np.log1p, np.reciprocal)),
    *((f, unit) for f in (np.arcsin, np.arccos, np.arctanh, np.tan)),
    (np.arccosh, above),
    *((f, apart) for f in (np.fabs, np.sign, np.floor, np.ceil, np.rint, np.trunc)),
]
COMPLEX = [
    *(np.negative, np.positive, np.square, np.reciprocal, np.sqrt, np.exp, np.exp2, np.expm1),
    *(np.log, np.log2, np.log10, np.log1p, np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh, np.sign),
    *(np.arcsin, np.arccos, np.arctan, np.arcsinh, np.arccosh, np.arctanh),
]
WITH_COMPLEX_ROW = {"exp", "log", "sqrt", "sign", "sin", "tanh", "arcsin", "arctan", "log1p", "expm1"}
PARTS = ("conj", "real", "imag", "angle")
WORDS = [
    *((f, x) for f in (ufuncs.sigmoid, ufuncs.sech2, ufuncs.darctan, ufuncs.darcsinh)),
    *((f, unit) for f in (ufuncs.darcsin, ufuncs.darctanh)),
    (ufuncs.darccosh, above),
]

SAMPLES = [
    *(sample(f, at, case=f.__name__) for f, at in REAL),
    *(sample(f, z, case=f"{f.__name__}(complex)" if f.__name__ in WITH_COMPLEX_ROW else "") for f in COMPLEX),
    *(sample(f, at) for f, at in WORDS),
    sample(ufuncs.sech2, z),
    sample(ufuncs.gap, normal(3, 1), normal(4)),
    sample(ufuncs.darctan2, normal(3, 1), normal(4)),
    sample(ufuncs.cosine, normal(3, 1), normal(4), call=lambda a, b: ufuncs.cosine(np.hypot(a, b), a, b)),
    # arithmetic
    sample(np.add, normal(3, 1), normal(4), case="add"),
    sample(np.subtract, normal(3, 1), normal(4), case="subtract"),
    sample(np.multiply, normal(3, 1), normal(4), case="multiply"),
    sample(np.divide, a, b, case="divide; true_divide"),
    sample(np.multiply, ca, cb),
    sample(np.divide, ca, cb),
    sample(np.divide, normal(4), cb),
    sample(np.divide, normal(4), cb, wrt=(1,)),
    sample(np.add, x, 2.0, dtype=complex),
    sample(np.fmod, 3 * apart, b, case="fmod"),
    sample(np.remainder, 3 * apart, b, case="mod; remainder"),
    sample(np.floor_divide, 3 * apart, b, case="floor_divide"),
    sample(np.divmod, 3 * apart, b, case="divmod"),
    # powers
    sample(np.power, a, b, case="power"),
    sample(np.power, x, 3),
    sample(np.power, x, n % 4),
    sample(np.power, p, n),
    sample(np.power, 2, x),
    sample(np.power, ca, cb, case="power(complex)"),
    sample(np.power, a, cb),
    sample(np.power, z, 2),
    sample(np.float_power, a, b, case="float_power"),
    sample(np.float_power, x, n % 4),
    # two arguments
    sample(np.arctan2, normal(3, 1), normal(4), case="arctan2"),
    sample(np.hypot, normal(3, 1), normal(4), case="hypot"),
    sample(np.logaddexp, normal(3, 1), normal(4), case="logaddexp"),
    sample(np.logaddexp2, normal(3, 1), normal(4), case="logaddexp2"),
    *(sample(f, a, b, case=f.__name__) for f in (np.maximum, np.minimum, np.fmax, np.fmin)),
    sample(np.maximum, ca, cb),
    sample(np.copysign, apart, normal(4), case="copysign"),
    sample(np.heaviside, apart, b, case="heaviside"),
    sample(np.heaviside, np.zeros(4), b, wrt=(1,)),
    # the parts of a number
    sample(np.absolute, apart, case="absolute; abs"),
    sample(np.absolute, z, case="abs(complex)"),
    sample(ufuncs.phase, z, call=np.sign),
    sample(np.modf, apart, case="modf"),
    sample(np.frexp, apart, case="frexp"),
    sample(np.ldexp, x, n, case="ldexp"),
    sample(np.nextafter, apart, 9.0, wrt=(0,), case="nextafter(x)"),
    sample(np.spacing, p, case="spacing(nondiff)"),
    *(sample(f, p) for f in (np.conjugate, np.real, np.imag, np.angle)),
    *(sample(f, z, case=row) for f, row in zip((np.conjugate, np.real, np.imag, np.angle), PARTS)),
    sample(np.angle, z, deg=True),
]
