"""Teach dotbar a function of your own: what the rules of NumPy's functions are made of.

Three steps: make the function dispatch on traced values (NumPy's own do already), register its rule, check it::

    @primitive
    def softplus(x):
        return np.logaddexp(0, x)

    elementwise(softplus, lambda y, x: np.exp(x - y))

    check_grads(softplus)(np.array([-1.0, 0.0, 2.0]))

=============  ==================================================================================
kind of rule   what you write
=============  ==================================================================================
constant       nothing: the derivative is zero
elementwise    one partial derivative per argument
linear         the bar, which is the transpose
bilinear       two bars
rule           dot and bar
composite      the function in terms of others
=============  ==================================================================================

The words are what rules are written in; all of them may themselves be differentiated, batched and nested.

=============  ==================================================================================
word           meaning
=============  ==================================================================================
H, mT, conj    Xᴴ, Xᵀ of the last two axes; the conjugate, at no cost for real arrays
sym, skew      (X + Xᴴ)/2, (X − Xᴴ)/2
phi            Φ(X), the lower triangle with its diagonal halved
spread         undo a reduction: broadcast back over the axes it went along
unbroadcast    undo broadcasting: sum over the axes along which a value was repeated
scatter        add entries into an array of zeros: the transpose of indexing
masked         a cotangent that is structurally zero, so that 0 · ∞ is 0 there
ratio          a/b, and 0 where b is 0; its derivative is nan there
zeros          zeros of a shape that can be assigned traced values
=============  ==================================================================================
"""

from dotbar.core import primitive
from dotbar.rules.kinds import bilinear, composite, constant, elementwise, linear, rule
from dotbar.rules.words import H, conj, masked, mT, phi, ratio, scatter, skew, spread, sym, unbroadcast, zeros

__all__ = [
    "H",
    "bilinear",
    "composite",
    "conj",
    "constant",
    "elementwise",
    "linear",
    "mT",
    "masked",
    "phi",
    "primitive",
    "ratio",
    "rule",
    "scatter",
    "skew",
    "spread",
    "sym",
    "unbroadcast",
    "zeros",
]
