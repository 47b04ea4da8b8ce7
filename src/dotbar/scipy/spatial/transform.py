"""``scipy.spatial.transform``: rotations, made of traced values, and interpolation between them.

A rotation is its unit quaternion (x, y, z, w); each conversion is a formula in its entries that is smooth wherever the
mathematics is: angles enter as entire functions of θ², so that also the identity has derivatives of every order.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.spatial.transform as _transform

from dotbar.core import as_array, first_traced
from dotbar.errors import NoRuleError
from dotbar.linalg import polar, projector
from dotbar.rules.words import entries, mT, raise_if, stop_gradient
from dotbar.scipy.linalg import expm
from dotbar.scipy.mirror import checked, stands_for
from dotbar.scipy.mirror import members as _members
from dotbar.scipy.spatial.distance import in_double, root
from dotbar.scipy.special.ufuncs import hyp0f1, hyp2f1


def _real(x: Any) -> Any:
    """An array in double precision, as SciPy's rotations are."""
    return in_double(np.asarray(x) if isinstance(x, (int, float)) else as_array(x))


def _shaped(x: Any, name: str, *shape: int) -> Any:
    """The same, whose last axes are known to have these lengths."""
    x = _real(x)
    if x.shape[-len(shape) :] != shape:
        raise ValueError(f"Expected `{name}` to have shape (..., {', '.join(map(str, shape))}), got {x.shape}.")
    return x


def _weights(weights: Any, count: int) -> Any:
    """Weights, which are not negative, and 1 where none are given."""
    weights = np.ones(count) if weights is None else _real(weights)
    raise_if(weights < 0, error=ValueError("`weights` must be non-negative."))
    return weights


def _radians(x: Any, degrees: bool) -> Any:
    return x * (np.pi / 180) if degrees else x


def _degrees(x: Any, degrees: bool) -> Any:
    return x * (180 / np.pi) if degrees else x


# ---------------------------------------------------------------- quaternions


def _unit(q: Any) -> Any:
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def _compose(p: Any, q: Any) -> Any:
    """Hamilton's product p q."""
    p, q = np.broadcast_arrays(p, q)
    (u, a), (v, b) = ((x[..., :3], x[..., 3:]) for x in (p, q))
    return np.concatenate([a * v + b * u + np.cross(u, v), a * b - np.sum(u * v, -1, keepdims=True)], -1)


def _inverse(q: Any) -> Any:
    return q * np.array([-1.0, -1.0, -1.0, 1.0])


def _of_rotvec(rotvec: Any, degrees: bool = False) -> Any:
    """(r sin(θ/2)/θ, cos(θ/2)) at θ = |r|, by the entire functions cos √z and sin √z/√z of θ².  DLMF 10.16.9."""
    r = _radians(_shaped(rotvec, "rotvec", 3), degrees)
    z = np.sum(r * r, -1, keepdims=True) / -16
    return np.concatenate([r * hyp0f1(1.5, z) / 2, hyp0f1(0.5, z)], -1)


def _to_rotvec(q: Any, degrees: bool = False) -> Any:
    """θ/sin(θ/2) times the vector part; up to a right angle by arcsin √s/√s = ₂F₁(1/2, 1/2; 3/2; s).  DLMF 15.4.4."""
    q = q * _sign(q)
    vector, s = q[..., :3], np.sum(q[..., :3] ** 2, -1, keepdims=True)
    near = s < 0.5
    sine = np.sqrt(np.where(near, 1, s))
    scale = np.where(near, 2 * hyp2f1(0.5, 0.5, 1.5, np.where(near, s, 0)), 2 * np.arctan2(sine, q[..., 3:]) / sine)
    return _degrees(scale * vector, degrees)


def _sign(q: Any) -> Any:
    """−1 where the first entry of (w, x, y, z) that is not 0 is negative."""
    order = np.sign(np.stack([q[..., 3], q[..., 0], q[..., 1], q[..., 2]], -1)) @ np.array([8.0, 4.0, 2.0, 1.0])
    return np.where(order < 0, -1.0, 1.0)[..., None]


def _of_matrix(matrix: Any, *, assume_valid: bool = False) -> Any:
    """The nearest rotation's, the polar factor's; from the largest of 4x², 4y², 4z², 4w².  Shepperd (1978)."""
    M = _shaped(matrix, "matrix", 3, 3)
    if not assume_valid:
        left = ValueError("Non-positive determinant (left-handed or null coordinate frame) in rotation matrix.")
        raise_if(np.linalg.det(M) <= 0, error=left)
        M = polar(M)[0]
    a, b, c = M[..., 0, 0], M[..., 1, 1], M[..., 2, 2]
    plus = lambda i, j: M[..., i, j] + M[..., j, i]
    minus = lambda i, j: M[..., i, j] - M[..., j, i]
    x, y, z = minus(2, 1), minus(0, 2), minus(1, 0)
    candidates = (
        (1 + a - b - c, plus(0, 1), plus(0, 2), x),
        (plus(0, 1), 1 - a + b - c, plus(1, 2), y),
        (plus(0, 2), plus(1, 2), 1 - a - b + c, z),
        (x, y, z, 1 + a + b + c),
    )
    largest = np.argmax(np.stack([a, b, c, a + b + c], -1), -1)
    rows = np.stack([np.stack(row, -1) for row in candidates], -2)
    return _unit(np.take_along_axis(rows, largest[..., None, None], -2)[..., 0, :])


def _to_matrix(q: Any) -> Any:
    """I + 2 (w [v]ₓ + [v]ₓ²), scaled as SciPy's."""
    x, y, z, w = (q[..., k] for k in range(4))
    rows = (
        (x * x - y * y - z * z + w * w, 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), -x * x + y * y - z * z + w * w, 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), -x * x - y * y + z * z + w * w),
    )
    return np.stack([np.stack(row, -1) for row in rows], -2)


def _of_mrp(mrp: Any) -> Any:
    """Modified Rodrigues parameters tan(θ/4) times the axis."""
    r = _shaped(mrp, "mrp", 3)
    s = np.sum(r * r, -1, keepdims=True)
    return np.concatenate([2 * r, 1 - s], -1) / (1 + s)


def _to_mrp(q: Any) -> Any:
    sign = np.where(q[..., 3:] < 0, -1.0, 1.0)
    return sign * q[..., :3] / (1 + sign * q[..., 3:])


def _axes_of(seq: str, lengths: tuple[int, ...]) -> tuple[list[int], bool]:
    """The axes of a sequence of Euler angles, and whether it is extrinsic."""
    if not re.fullmatch("[xyz]+|[XYZ]+", seq) or len(seq) not in lengths:
        raise ValueError(f"Expected {lengths} axes from 'xyz' or from 'XYZ', got {seq}")
    if any(a == b for a, b in pairwise(seq)):
        raise ValueError(f"Expected consecutive axes to be different, got {seq}")
    return ["xyz".index(axis) for axis in seq.lower()], seq.islower()


def _turns(quaternions: list[Any], extrinsic: bool) -> Any:
    """Successive rotations, each about axes at rest (extrinsic) or carried along."""
    q = quaternions[0]
    for p in quaternions[1:]:
        q = _compose(p, q) if extrinsic else _compose(q, p)
    return q


def _of_euler(seq: str, angles: Any, degrees: bool = False) -> Any:
    axes, extrinsic = _axes_of(seq, (1, 2, 3))
    angles = _angles(angles, len(axes), degrees)
    return _turns([_of_rotvec(angles[..., k, None] * np.eye(3)[axis]) for k, axis in enumerate(axes)], extrinsic)


def _angles(angles: Any, count: int, degrees: bool) -> Any:
    """So many angles along the last axis; a single one may be a number."""
    angles = _radians(_real(angles), degrees)
    return _shaped(angles if angles.ndim else angles[None], "angles", count)


def _of_davenport(axes: np.ndarray | Any, order: str, angles: Any, degrees: bool = False) -> Any:
    axes = _real(axes)
    axes = _unit(axes if axes.ndim > 1 else axes[None])
    angles = _angles(angles, axes.shape[-2], degrees)
    turns = [_of_rotvec(angles[..., k, None] * axes[..., k, :]) for k in range(axes.shape[-2])]
    return _turns(turns, order in ("e", "extrinsic"))


def _to_euler(q: Any, seq: str, degrees: bool = False, *, suppress_warnings: bool = False) -> Any:
    """Bernardes & Viollet (2022), PLoS ONE 17; at gimbal lock one of the outer angles is 0, and constant."""
    (i, j, k), extrinsic = _axes_of(seq, (3,))
    i, k = (i, k) if extrinsic else (k, i)
    symmetric = i == k
    k = 3 - i - j if symmetric else k
    sign = (i - j) * (j - k) * (k - i) // 2
    x, y, z, w = q[..., i], q[..., j], q[..., k] * sign, q[..., 3]
    a, b, c, d = (w, x, y, z) if symmetric else (w - y, x + z, y + w, z - x)
    sign, shift = (1, 0.0) if symmetric else (sign, np.pi / 2)
    return _degrees(_three_angles(a, b, c, d, extrinsic, sign, shift), degrees)


def _three_angles(a: Any, b: Any, c: Any, d: Any, extrinsic: bool, sign: int, shift: Any) -> Any:
    """The three angles of Bernardes & Viollet's algorithm from its four numbers."""
    middle = 2 * np.arctan2(np.hypot(c, d), np.hypot(a, b))
    low, high = np.abs(middle) <= 1e-7, np.abs(middle - np.pi) <= 1e-7
    total = np.arctan2(np.where(high, 0, b), np.where(high, 1, a))
    rest = np.arctan2(np.where(low, 0, d), np.where(low, 1, c))
    locked = low | high
    alone = np.where(low, 2 * total, 2 * rest * (-1 if extrinsic else 1))
    first = np.where(locked, alone if extrinsic else 0, total - rest)
    third = np.where(locked, 0 if extrinsic else alone, total + rest) * sign
    outer = (first, third) if extrinsic else (third, first)
    angles = np.stack([outer[0], middle - shift, outer[1]], -1)
    return np.mod(angles + np.pi, 2 * np.pi) - np.pi


def _to_davenport(q: Any, axes: Any, order: str, degrees: bool = False, *, suppress_warnings: bool = False) -> Any:
    extrinsic = order in ("e", "extrinsic")
    axes = _unit(_real(axes))
    n1, n2, n3 = (axes[..., k, :] for k in (range(3) if extrinsic else (2, 1, 0)))
    dot = lambda u, v: np.sum(u * v, -1)
    normal = np.cross(n1, n2)
    between = np.arctan2(dot(n3, normal), dot(n3, n1))
    turn = np.where(between < 0, -1.0, 1.0)
    n2, normal, between = turn[..., None] * n2, turn[..., None] * normal, turn * between
    moved = _compose(_of_rotvec(between[..., None] * n2), q)
    v = moved[..., :3]
    angles = _three_angles(moved[..., 3], dot(v, n1), dot(v, n2), dot(v, normal), extrinsic, 1, between)
    return _degrees(angles * np.stack([np.ones_like(turn), turn, np.ones_like(turn)], -1), degrees)


# ---------------------------------------------------------------- rotations


class _Either(type):
    """What is made of plain arrays is SciPy's own, and an instance too."""

    def __instancecheck__(cls, x: Any) -> bool:
        return type.__instancecheck__(cls, x) or isinstance(x, getattr(_transform, cls.__name__))


def _meets(*given: Any) -> bool:
    """Whether something is traced, or a rotation or transform that is."""
    return first_traced([*given]) is not None or any(type(x) in (Rotation, RigidTransform) for x in given)


def _constructor(name: str, own: Callable[..., Any], kind: Any = _transform.Rotation) -> Any:
    """A function of a class of SciPy's; ``own`` makes what a traced object holds."""
    plain = getattr(kind, name)

    def make(*args: Any, **kw: Any) -> Any:
        if not _meets(*args, *kw.values()):
            return _plain(plain(*args, **kw))
        held = own(*args, **kw)
        return _of(held) if kind is _transform.Rotation else _moving(*held)

    make.__name__ = name
    make.__doc__ = f"As ``scipy.spatial.transform.{kind.__name__}.{name}``."
    return staticmethod(checked(plain, own, make, f"scipy.spatial.transform.{kind.__name__}.{name}"))


def _of_quat(quat: Any, *, scalar_first: bool = False) -> Any:
    q = _shaped(quat, "quat", 4)
    norm = np.linalg.norm(q, axis=-1, keepdims=True)
    raise_if(~(norm > 0), error=ValueError("Found zero norm quaternions in `quat`."))
    return (np.roll(q, -1, -1) if scalar_first else q) / norm


def _of(quat: Any) -> Any:
    """The rotation of unit quaternions that hold traced values."""
    rotation = object.__new__(Rotation)
    rotation._quat = quat
    return rotation


def _plain(x: Any) -> Any:
    """SciPy's rotation or transform as one that meets traced values; anything else as it is."""
    if isinstance(x, _transform.RigidTransform):
        return PlainTransform(x.as_matrix(), False)
    return PlainRotation(x.as_quat(), False) if isinstance(x, _transform.Rotation) else x


def _quaternion(rotation: Any) -> Any:
    return rotation._quat if type(rotation) is Rotation else rotation.as_quat()


@stands_for(_transform.Rotation)
class Rotation(metaclass=_Either):
    """Rotations in three dimensions, as SciPy's; what is made of plain arrays is SciPy's own."""

    _quat: Any

    def __new__(cls, quat: Any, normalize: bool = True, copy: bool = True, scalar_first: bool = False) -> Any:
        if first_traced(quat) is None:
            return PlainRotation(quat, normalize, copy, scalar_first)
        return _of(_of_quat(quat, scalar_first=scalar_first))

    from_quat = _constructor("from_quat", _of_quat)
    from_matrix = _constructor("from_matrix", _of_matrix)
    from_rotvec = _constructor("from_rotvec", _of_rotvec)
    from_mrp = _constructor("from_mrp", _of_mrp)
    from_euler = _constructor("from_euler", _of_euler)
    from_davenport = _constructor("from_davenport", _of_davenport)
    identity, random, create_group = (_constructor(name, _of_quat) for name in ("identity", "random", "create_group"))

    @staticmethod
    def concatenate(rotations: Any) -> Any:
        """All rotations in one object."""
        rotations = [rotations] if isinstance(rotations, Rotation) else list(rotations)
        if not any(type(r) is Rotation for r in rotations):
            return _plain(_transform.Rotation.concatenate(rotations))
        return _of(np.concatenate([np.reshape(_quaternion(r), (-1, 4)) for r in rotations]))

    @staticmethod
    def align_vectors(a: Any, b: Any, weights: Any = None, return_sensitivity: bool = False) -> Any:
        """The rotation that best takes b to a, and the root of the sum of squares left.  Kabsch (1976)."""
        if first_traced([a, b, weights]) is None:
            rotation, *rest = _transform.Rotation.align_vectors(a, b, weights, return_sensitivity)
            return _plain(rotation), *rest
        a, b = np.atleast_2d(_real(a)), np.atleast_2d(_real(b))
        if len(a) == 1 or return_sensitivity:
            raise NoRuleError("Rotation.align_vectors has no derivative rule for a single pair or for the sensitivity.")
        weights = _weights(weights, len(a))
        raise_if(np.isinf(weights), error=NoRuleError("Rotation.align_vectors has none for infinite weights."))
        U, s, Vh = np.linalg.svd(mT(weights[:, None] * a) @ b)
        last = np.array([1.0, 1.0, 0.0]) + np.array([0.0, 0.0, 1.0]) * np.sign(np.linalg.det(U @ Vh))
        left = np.sum(weights * np.sum(a * a + b * b, -1)) - 2 * np.sum(last * s)
        return _of(_of_matrix((U * last) @ Vh, assume_valid=True)), root(np.maximum(left, 0))

    def as_quat(self, canonical: bool = False, *, scalar_first: bool = False) -> Any:
        """Quaternions."""
        q = self._quat * _sign(self._quat) if canonical else self._quat
        return np.roll(q, 1, -1) if scalar_first else q

    def as_matrix(self) -> Any:
        """Orthogonal matrices."""
        return _to_matrix(self._quat)

    def as_rotvec(self, degrees: bool = False) -> Any:
        """Rotation vectors."""
        return _to_rotvec(self._quat, degrees)

    def as_mrp(self) -> Any:
        """Modified Rodrigues parameters."""
        return _to_mrp(self._quat)

    def as_euler(self, seq: str, degrees: bool = False, **kw: Any) -> Any:
        """Euler angles."""
        return _to_euler(self._quat, seq, degrees, **kw)

    def as_davenport(self, axes: np.ndarray | Any, order: str, degrees: bool = False, **kw: Any) -> Any:
        """Angles about any three axes."""
        return _to_davenport(self._quat, axes, order, degrees, **kw)

    def inv(self) -> Any:
        """The inverse."""
        return _of(_inverse(self._quat))

    def magnitude(self) -> Any:
        """The angle, between 0 and π."""
        return 2 * np.arctan2(np.linalg.norm(self._quat[..., :3], axis=-1), np.abs(self._quat[..., 3]))

    def apply(self, vectors: Any, inverse: bool = False) -> Any:
        """The rotated vectors."""
        M = self.as_matrix()
        return ((mT(M) if inverse else M) @ _shaped(vectors, "vectors", 3)[..., None])[..., 0]

    def mean(self, weights: Any = None, axis: Any = None) -> Any:
        """The largest eigenvector of Σ w q qᵀ.  Markley et al. (2007), J. Guid. Control Dyn. 30, (12)."""
        q = self._quat
        outer = q[..., :, None] * q[..., None, :]
        outer = outer if weights is None else _weights(weights, 0)[..., None, None] * outer
        axes = range(q.ndim - 1) if axis is None else np.atleast_1d(axis) % (q.ndim - 1)
        onto = projector(np.mean(outer, tuple(axes)), -1)
        largest = np.argmax(np.diagonal(onto, axis1=-2, axis2=-1), -1)
        return _of(_unit(np.take_along_axis(onto, largest[..., None, None], -1)[..., 0]))

    def approx_equal(self, other: Any, atol: Any = None, degrees: bool = False) -> Any:
        """Whether the angle between two rotations is small."""
        angle = (_of(_compose(_quaternion(other), _inverse(self._quat)))).magnitude()
        return stop_gradient(angle) < (1e-8 if atol is None else _radians(atol, degrees))

    @property
    def single(self) -> bool:
        """Whether this is one rotation, not an array of them."""
        return self._quat.ndim == 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array of rotations."""
        return self._quat.shape[:-1]

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, Rotation):
            return NotImplemented
        return _of(_unit(_compose(self._quat, _quaternion(other))))

    def __rmul__(self, other: Any) -> Any:
        return _of(_unit(_compose(_quaternion(other), self._quat)))

    def __pow__(self, n: Any, modulus: None = None) -> Any:
        if first_traced(n) is None and abs(n) == 1:
            return _of(self._quat) if n == 1 else self.inv()
        return _of(_of_rotvec(n * self.as_rotvec()))

    def __len__(self) -> int:
        if self.single:
            raise TypeError("Single rotation has no len().")
        return len(self._quat)

    def __getitem__(self, index: Any) -> Any:
        if self.single:
            raise TypeError("Single rotation is not subscriptable.")
        return _of(self._quat[index])

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __getattr__(self, name: str) -> Any:
        if hasattr(_transform.Rotation, name):
            raise NoRuleError(f"scipy.spatial.transform.Rotation.{name} has no derivative rule.")
        raise AttributeError(name)


class PlainRotation(_transform.Rotation):
    """SciPy's own rotations of plain arrays, which meet traced vectors, weights, powers and rotations."""


def _meeting(name: str, original: Any, kind: Any, held: Callable[[Any], Any]) -> Any:
    """A method that is SciPy's as long as nothing that it is given is traced."""
    plain, own = getattr(original, name), getattr(kind, name)

    def method(self: Any, *args: Any, **kw: Any) -> Any:
        if not _meets(*args, *kw.values()):
            return _plain(plain(self, *args, **kw))
        return own(held(self), *args, **kw)

    method.__name__ = name
    return checked(plain, own, method)


for _name in ("apply", "mean", "inv", "approx_equal", "__mul__", "__pow__", "__getitem__"):
    setattr(PlainRotation, _name, _meeting(_name, _transform.Rotation, Rotation, lambda r: _of(r.as_quat())))


# ---------------------------------------------------------------- rotations and translations


def _moving(translation: Any, matrix: Any) -> Any:
    """The transform v ↦ Rv + t, of traced values."""
    shape = np.broadcast_shapes(translation.shape[:-1], matrix.shape[:-2])
    transform = object.__new__(RigidTransform)
    transform.translation = np.broadcast_to(translation, (*shape, 3))
    transform._matrix = np.broadcast_to(matrix, (*shape, 3, 3))
    return transform


def _parts(transform: Any) -> tuple[Any, Any]:
    """Translation and matrix."""
    if type(transform) is RigidTransform:
        return transform.translation, transform._matrix
    matrix = transform.as_matrix()
    return matrix[..., :3, 3], matrix[..., :3, :3]


def _parts_of_matrix(matrix: Any, normalize: bool = True, copy: bool = True) -> tuple[Any, Any]:
    matrix = _shaped(matrix, "matrix", 4, 4)
    wrong = np.any(matrix[..., 3, :] != np.array([0.0, 0.0, 0.0, 1.0]))
    raise_if(wrong, error=ValueError("Expected last row of transformation matrix to be exactly [0, 0, 0, 1]."))
    turn = matrix[..., :3, :3]
    return matrix[..., :3, 3], _to_matrix(_of_matrix(turn)) if normalize else turn


def _parts_of_components(translation: Any, rotation: Any) -> tuple[Any, Any]:
    if not isinstance(rotation, Rotation):
        raise ValueError("Expected `rotation` to be a `Rotation` instance.")
    return _shaped(translation, "translation", 3), rotation.as_matrix()


def _path(rotvec: Any) -> Any:
    """∫ exp(s[r]ₓ) ds over [0, 1], the upper right block of exp [[[r]ₓ, 1], [0, 0]].  Van Loan (1978), (1.1)."""
    cross = mT(np.cross(rotvec[..., None, :], np.eye(3)))
    above = np.concatenate([cross, np.broadcast_to(np.eye(3), cross.shape)], -1)
    return expm(np.concatenate([above, np.zeros_like(above)], -2))[..., :3, 3:]


def _parts_of_exp_coords(exp_coords: Any) -> tuple[Any, Any]:
    x = _shaped(exp_coords, "exp_coords", 6)
    r, v = x[..., :3], x[..., 3:]
    return (_path(r) @ v[..., None])[..., 0], _to_matrix(_of_rotvec(r))


def _parts_of_dual_quat(dual_quat: Any, *, scalar_first: bool = False) -> tuple[Any, Any]:
    x = _shaped(dual_quat, "dual_quat", 8)
    real, dual = (np.roll(q, -1, -1) if scalar_first else q for q in (x[..., :4], x[..., 4:]))
    norm = np.linalg.norm(real, axis=-1, keepdims=True)
    raise_if(norm == 0, error=NoRuleError("RigidTransform.from_dual_quat has no derivative where the real part is 0."))
    return 2 * _compose(dual / norm, _inverse(real / norm))[..., :3], _to_matrix(real / norm)


def _transforming(name: str, own: Callable[..., Any]) -> Any:
    return _constructor(name, own, _transform.RigidTransform)


@stands_for(_transform.RigidTransform)
class RigidTransform(metaclass=_Either):
    """Rotations followed by translations, as SciPy's; what is made of plain arrays is SciPy's own."""

    translation: Any
    _matrix: Any

    def __new__(cls, matrix: Any, normalize: bool = True, copy: bool = True) -> Any:
        if first_traced(matrix) is None:
            return PlainTransform(matrix, normalize, copy)
        return _moving(*_parts_of_matrix(matrix, normalize))

    from_matrix = _transforming("from_matrix", _parts_of_matrix)
    from_components = _transforming("from_components", _parts_of_components)
    from_rotation = _transforming("from_rotation", lambda rotation: _parts_of_components(np.zeros(3), rotation))
    from_translation = _transforming("from_translation", lambda translation: (_real(translation), np.eye(3)))
    from_exp_coords = _transforming("from_exp_coords", _parts_of_exp_coords)
    from_dual_quat = _transforming("from_dual_quat", _parts_of_dual_quat)
    identity = _transforming("identity", _parts_of_matrix)

    @staticmethod
    def concatenate(transforms: Any) -> Any:
        """All transforms in one object."""
        transforms = [transforms] if isinstance(transforms, RigidTransform) else list(transforms)
        if not _meets(*transforms):
            return _plain(_transform.RigidTransform.concatenate(transforms))
        t, R = zip(*map(_parts, transforms))
        flat = (np.concatenate([np.reshape(x, (-1, *x.shape[x.ndim - k :])) for x in xs]) for xs, k in ((t, 1), (R, 2)))
        return _moving(*flat)

    @property
    def rotation(self) -> Any:
        """The rotation, which comes first."""
        return _of(_of_matrix(self._matrix, assume_valid=True))

    def as_components(self) -> tuple[Any, Any]:
        """Translation and rotation."""
        return self.translation, self.rotation

    def as_matrix(self) -> Any:
        """The matrices [[R, t], [0, 1]]."""
        above = np.concatenate([self._matrix, self.translation[..., None]], -1)
        last = np.broadcast_to(np.array([[0.0, 0.0, 0.0, 1.0]]), (*self.shape, 1, 4))
        return np.concatenate([above, last], -2)

    def as_exp_coords(self) -> Any:
        """(r, v) with the matrix exp [[[r]ₓ, v], [0, 0]]."""
        r = self.rotation.as_rotvec()
        return np.concatenate([r, np.linalg.solve(_path(r), self.translation[..., None])[..., 0]], -1)

    def as_dual_quat(self, *, scalar_first: bool = False) -> Any:
        """The quaternion q of the rotation and t q/2."""
        q = self.rotation.as_quat()
        t = np.concatenate([self.translation, np.zeros_like(self.translation[..., :1])], -1)
        both = (np.roll(x, 1, -1) if scalar_first else x for x in (q, _compose(t, q) / 2))
        return np.concatenate([*both], -1)

    def inv(self) -> Any:
        """The inverse."""
        back = mT(self._matrix)
        return _moving(-(back @ self.translation[..., None])[..., 0], back)

    def apply(self, vector: Any, inverse: bool = False) -> Any:
        """The transformed vectors."""
        v, R = _shaped(vector, "vector", 3), self._matrix
        if inverse:
            return (mT(R) @ (v - self.translation)[..., None])[..., 0]
        return (R @ v[..., None])[..., 0] + self.translation

    def mean(self, weights: Any = None, axis: Any = None) -> Any:
        """The mean rotation and the mean translation."""
        axes = tuple(range(len(self.shape)) if axis is None else np.atleast_1d(axis) % len(self.shape))
        w = np.ones(self.shape) if weights is None else np.broadcast_to(_weights(weights, 0), self.shape)
        center = np.sum(w[..., None] * self.translation, axes) / np.sum(w, axes)[..., None]
        return _moving(center, self.rotation.mean(weights, axis).as_matrix())

    @property
    def single(self) -> bool:
        """Whether this is one transform, not an array of them."""
        return self.translation.ndim == 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array of transforms."""
        return self.translation.shape[:-1]

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, RigidTransform):
            return NotImplemented
        t, R = _parts(other)
        return _moving(self.apply(t), self._matrix @ R)

    def __rmul__(self, other: Any) -> Any:
        return _moving(*_parts(other)) * self

    def __pow__(self, n: Any) -> Any:
        """Along the screw; SciPy's own rounds n to single precision."""
        if first_traced(n) is None and abs(n) == 1:
            return _moving(*_parts(self)) if n == 1 else self.inv()
        return RigidTransform.from_exp_coords(n * self.as_exp_coords())

    def __len__(self) -> int:
        if self.single:
            raise TypeError("Single transform has no len().")
        return len(self.translation)

    def __getitem__(self, index: Any) -> Any:
        if self.single:
            raise TypeError("Single transform is not subscriptable.")
        return _moving(self.translation[index], self._matrix[index])

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))


class PlainTransform(_transform.RigidTransform):
    """SciPy's own transforms of plain arrays, which meet traced vectors, weights, powers and transforms."""

    @property
    def rotation(self) -> Any:
        """The rotation, which comes first."""
        return _plain(super().rotation)


for _name in ("apply", "mean", "inv", "__mul__", "__pow__", "__getitem__"):
    if hasattr(_transform.RigidTransform, _name):
        _own = _meeting(_name, _transform.RigidTransform, RigidTransform, lambda tf: _moving(*_parts(tf)))
        setattr(PlainTransform, _name, _own)


# ---------------------------------------------------------------- interpolation


@stands_for(_transform.Slerp)
class Slerp:
    """Interpolation between rotations along the shortest paths, in times, rotations and where it is evaluated."""

    def __init__(self, times: Any, rotations: Any):
        if not isinstance(rotations, Rotation):
            raise TypeError("`rotations` must be a `Rotation` instance.")
        if rotations.single or len(rotations) < 2:
            raise ValueError("`rotations` must be a sequence of at least 2 rotations.")
        self.times = _real(times)
        if self.times.ndim != 1 or len(self.times) != len(rotations):
            raise ValueError("Expected as many times, in one dimension, as rotations.")
        self.timedelta = np.diff(self.times)
        raise_if(self.timedelta <= 0, error=ValueError("Times must be in strictly increasing order."))
        self.rotations = rotations[:-1]
        self.rotvecs = (self.rotations.inv() * rotations[1:]).as_rotvec()

    def __call__(self, times: Any) -> Any:
        """The rotations at some times."""
        t = _real(times)
        ends = self.times[0], self.times[-1]
        error = ValueError("Interpolation times must be within the range of those given, both inclusive.")
        raise_if((t < ends[0]) | (t > ends[1]), error=error)
        k = np.maximum(np.searchsorted(stop_gradient(self.times), stop_gradient(t)) - 1, 0)
        part = (t - entries(self.times, k)) / entries(self.timedelta, k)
        turn = Rotation.from_rotvec(part[..., None] * entries(self.rotvecs, k))
        return Rotation.from_quat(entries(_quaternion(self.rotations), k)) * turn


__getattr__, __dir__, __all__ = _members("scipy.spatial.transform")


@stands_for(_transform.RotationSpline)
class RotationSpline(_transform.RotationSpline):
    """Rotation vectors that are cubic in time between rotations: of plain ones, at times that may be traced."""

    def __init__(self, times: Any, rotations: Any):
        if first_traced(times) is not None or type(rotations) is Rotation:
            raise NoRuleError("RotationSpline, which iterates for its rates, has a derivative in the times of a call.")
        super().__init__(times, rotations)

    def __call__(self, times: Any, order: int = 0) -> Any:
        """The rotations at some times."""
        if first_traced(times) is None:
            return _plain(super().__call__(times, order))
        if order:
            raise NoRuleError("RotationSpline has a derivative of rotations; their rates are derivatives by dotbar.")
        t, c = _real(times), self.interpolator.c
        k = np.clip(np.searchsorted(self.times, stop_gradient(t), "right") - 1, 0, len(self.times) - 2)
        s, rotvec = (t - entries(self.times, k))[..., None], 0.0
        for power in range(len(c)):
            rotvec = rotvec * s + entries(c[power], k)
        return Rotation.from_quat(entries(_quaternion(self.rotations), k)) * Rotation.from_rotvec(rotvec)
