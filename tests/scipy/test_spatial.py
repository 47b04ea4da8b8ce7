"""Distances at zero, rotations as SciPy's in every form, hulls."""

import pickle

import numpy as np
import pytest
import scipy.spatial as plain
from scipy.spatial.transform import Rotation as Plain
from scipy.spatial.transform import Slerp as PlainSlerp

import dotbar
import dotbar.scipy.spatial as sp
from dotbar.errors import NoRuleError
from dotbar.scipy.mirror import before
from dotbar.scipy.spatial import distance, transform
from dotbar.scipy.spatial.transform import RigidTransform, Rotation, Slerp

SMOOTH = ("euclidean", "cityblock", "chebyshev", "minkowski", "canberra", "braycurtis", "jensenshannon")


@pytest.mark.parametrize("metric", SMOOTH)
def test_zero_distances_have_zero_derivatives(metric):
    X = np.array([[0.2, 0.5, 0.3], [0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])
    kw = {"p": 3.0} if metric == "minkowski" else {}
    bar = dotbar.grad(lambda X: np.sum(distance.cdist(X, X, metric, **kw)[:2, :2]))(X)
    assert np.array_equal(bar, np.zeros_like(X))
    assert np.array_equal(dotbar.grad(lambda X: distance.pdist(X, metric, **kw)[0])(X), np.zeros_like(X))


def test_zero_distances_by_a_matrix():
    X, VI = np.ones((2, 2)), np.array([[2.0, 0.5], [0.5, 1.0]])
    bars = dotbar.grad(lambda X, VI: distance.pdist(X, "mahalanobis", VI=VI)[0], (0, 1))(X, VI)
    assert not any(map(np.any, bars))


def test_both_zero_is_no_distance():
    bar = dotbar.grad(lambda u: distance.canberra(u, np.array([0.0, 1.0])))(np.array([0.0, 2.0]))
    assert np.allclose(bar, [0, 2 / 9])


@pytest.mark.parametrize("alias", [*distance.ALIASES, *distance.METRICS])
def test_metrics_by_every_name(alias):
    A, B = np.linspace(0.1, 1, 12).reshape(4, 3) ** 2, np.linspace(0.3, 1, 15).reshape(5, 3)
    A[1, 2], B[2, 0] = 1.3, 0.1
    for f, args in ((distance.cdist, (A, B)), (distance.pdist, (np.concatenate([A, B]),))):
        value = dotbar.jvp(lambda *args, f=f: f(*args, alias), args, args)[0]
        assert np.allclose(value, f(*args, alias), 1e-13, 1e-14)


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda X: distance.pdist(X, "yule"), NoRuleError),
        (lambda X: distance.cdist(X, X, "hamming"), NoRuleError),
        (lambda X: distance.pdist(X, "foo"), ValueError),
        (lambda X: distance.cdist(X + 1j, X), ValueError),
        (lambda X: distance.cosine(X[0], X[1], -np.ones(3)), ValueError),
        (lambda X: sp.geometric_slerp(X[0], -X[0], 0.5), NoRuleError),
        (lambda X: sp.geometric_slerp(X[0], X[1], [[0.5]]), ValueError),
        (lambda X: sp.geometric_slerp(X[0, :1], X[0, :1], 0.5), ValueError),
        (lambda X: Rotation.from_quat(X), ValueError),
        (lambda X: Rotation.from_quat(0 * np.ones(4) * X[0, 0]), ValueError),
        (lambda X: Rotation.from_rotvec(X[:, :2]), ValueError),
        (lambda X: Rotation.from_matrix(X[:2]), ValueError),
        (lambda X: Rotation.from_mrp(X[0, :1]), ValueError),
        (lambda X: Rotation.from_davenport([0, 0, 1], "e", X[0]), ValueError),
        (lambda X: Rotation.from_rotvec(X).mean([-1, 1, 1]), ValueError),
        (lambda X: Rotation.align_vectors(X, X + 1, [-1, 1, 1]), ValueError),
        (lambda X: Rotation.from_rotvec(X).apply([1.0, 2.0]), ValueError),
    ],
)
def test_what_is_refused(f, error):
    """What SciPy refuses is its own error; it warns of antipodes, and counts."""
    with pytest.raises(error):
        dotbar.grad(f)(np.eye(3))


def test_vectors_in_lists():
    f = lambda u: distance.euclidean([u[0], 1.0], list(u)) + distance.cdist([list(u)], [[0.0, 0.0]])[0, 0]
    assert np.allclose(dotbar.grad(f)(np.array([3.0, 4.0])), [0.6, 1.8])


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "seuclidean", "mahalanobis"])
def test_many_points(metric, monkeypatch):
    """What is summed in blocks is what is held at once, in both modes and twice."""
    A, B = np.random.default_rng(0).standard_normal((2, 9, 3))
    kw = {"V": np.array([1.0, 2.0, 0.5])} if metric == "seuclidean" else {}
    f = lambda A: np.sum(np.sin(distance.cdist(A, B, metric, **kw))) + np.sum(distance.pdist(A, metric, **kw) ** 3)

    def derivatives():
        return f(A), dotbar.grad(f)(A), dotbar.jvp(f, (A,), (B,))[1], dotbar.hvp(f, (A,), (B,))

    want = derivatives()
    monkeypatch.setattr(distance, "LARGE", 0)
    monkeypatch.setattr("dotbar.scipy.spatial.differences.BLOCK", 60)
    for got, w in zip(derivatives(), want, strict=True):
        np.testing.assert_allclose(got, w, 1e-11)


def test_squareform_checks_as_scipy_does():
    with pytest.raises(ValueError, match="symmetric"):
        dotbar.grad(lambda X: np.sum(distance.squareform(X)))(np.array([[0.0, 1.0], [2.0, 0.0]]))
    with pytest.raises(ValueError, match="Incompatible"):
        dotbar.grad(lambda X: np.sum(distance.squareform(X)))(np.ones(4))


# ---------------------------------------------------------------- rotations

AXES = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
FORMS = {
    "matrix": lambda R, r: R.from_rotvec(r).as_matrix(),
    "small": lambda R, r: R.from_rotvec(r * 1e-5).as_rotvec(),
    "identity": lambda R, r: R.from_rotvec(r * 0).as_quat(),
    "degrees": lambda R, r: R.from_rotvec(r, degrees=True).as_rotvec(degrees=True),
    "mrp": lambda R, r: R.from_mrp(r).as_mrp(),
    "canonical": lambda R, r: R.from_euler("ZXZ", 2 * r).as_quat(canonical=True),
    "inverse": lambda R, r: R.from_rotvec(r).inv().as_quat(scalar_first=True),
    "magnitude": lambda R, r: R.from_rotvec(3 * r).magnitude(),
    "apply": lambda R, r: R.from_rotvec(r).apply([1.0, 2.0, 3.0], inverse=True),
    "composed": lambda R, r: (R.from_rotvec(r) * R.from_rotvec(r[..., ::-1])).as_matrix(),
    "power": lambda R, r: (R.from_rotvec(r) ** -2.5).as_matrix(),
    "near a rotation": lambda R, r: R.from_matrix(np.eye(3) + 1e-3 * r[..., None] * r[..., None, :]).as_matrix(),
    "davenport": lambda R, r: R.from_davenport(AXES, "e", r).as_davenport(AXES, "i"),
    "davenport, symmetric": lambda R, r: R.from_rotvec(r).as_davenport(AXES[[0, 1, 0]], "e"),
    **{seq: lambda R, r, seq=seq: R.from_euler(seq, r).as_euler(seq[::-1]) for seq in ("xyz", "ZYX", "zxz", "YXY")},
}
if not before("1.17.0"):  # before, SciPy's product does not ask the other factor
    FORMS["plain first"] = lambda R, r: (Plain.from_rotvec(AXES[0]) * R.from_rotvec(r)).as_matrix()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(3,), (4, 3)])
def test_rotations_are_scipys(form, shape):
    r = np.random.default_rng(0).standard_normal(shape)
    value = dotbar.jvp(lambda r: FORMS[form](Rotation, r), (r,), (r,))[0]
    np.testing.assert_allclose(value, FORMS[form](Plain, r), 1e-12, 1e-13, strict=True)


@pytest.mark.filterwarnings("ignore:Gimbal lock detected:UserWarning")
def test_gimbal_lock():
    """One angle is set to 0, the other takes the whole turn."""
    f = lambda R, a, **kw: R.from_euler("xyz", np.stack([a, 0 * a + np.pi / 2, 0 * a])).as_euler("xyz", **kw)
    value, dot = dotbar.jvp(lambda a: f(Rotation, a, suppress_warnings=True), (0.3,), (1.0,))
    assert np.allclose(value, f(Plain, 0.3))
    assert np.allclose(dot[[0, 2]], [1, 0])


def test_the_identity_has_every_derivative():
    """R(r) = I + [r] + [r]²/2 + …"""
    hessian = dotbar.hessian(lambda r: Rotation.from_rotvec(r).as_matrix()[0, 0])(np.zeros(3))
    assert np.allclose(hessian, np.diag([0, -1, -1]), atol=1e-15)
    jacobian = dotbar.jacobian(lambda r: Rotation.from_rotvec(r).as_rotvec())(np.zeros(3))
    assert np.allclose(jacobian, np.eye(3), atol=1e-15)


def test_rotations_of_plain_arrays_are_scipys_own():
    r = Rotation.from_rotvec(AXES)
    assert isinstance(r, Plain)
    assert isinstance(r, Rotation)
    assert isinstance(Slerp([0, 1, 2], r)([0.5]), Plain)
    assert np.array_equal(pickle.loads(pickle.dumps(r)).as_quat(), r.as_quat())
    assert np.allclose(Slerp([0, 1, 2], r)(0.5).as_quat(), PlainSlerp([0, 1, 2], r)(0.5).as_quat())


@pytest.mark.parametrize(
    "f",
    [
        lambda R, x: R.from_rotvec(AXES).apply(x),
        lambda R, x: (R.from_rotvec(AXES).inv() * R.from_rotvec(AXES)[0]).apply(x, inverse=True),
        lambda R, x: R.from_rotvec(AXES).mean(np.abs(x[0])).as_matrix(),
        pytest.param(
            lambda R, x: (R.from_rotvec(AXES) ** x[0, 0]).as_matrix(),
            marks=pytest.mark.skipif(before("1.17.0"), reason="SciPy's powers were of single precision"),
        ),
        lambda R, x: (R.from_rotvec(AXES[0]) * R.from_rotvec(x)).as_matrix(),
        lambda R, x: (R.from_rotvec(x) ** -1 * R.concatenate([R.identity(), *R.from_rotvec(x[:2])])).as_matrix(),
    ],
)
def test_plain_rotations_meet_traced_values(f):
    x, h = np.random.default_rng(0).standard_normal((3, 3)), 1e-6
    value, dot = dotbar.jvp(lambda x: f(Rotation, x), (x,), (np.ones((3, 3)),))
    np.testing.assert_allclose(value, f(Plain, x), 1e-12, 1e-12)
    np.testing.assert_allclose(dot, (f(Plain, x + h) - f(Plain, x - h)) / (2 * h), 1e-6, 1e-7)


def test_splines_of_rotations_at_traced_times():
    times, h = np.array([0.4, 1.0, 1.7]), 1e-6
    f = lambda T, t: T.RotationSpline([0, 1, 2.5], Plain.from_rotvec(AXES))(t).as_matrix()
    value, dot = dotbar.jvp(lambda t: f(transform, t), (times,), (np.ones(3),))
    np.testing.assert_allclose(value, f(plain.transform, times), 1e-12, 1e-12)
    np.testing.assert_allclose(
        dot, (f(plain.transform, times + h) - f(plain.transform, times - h)) / (2 * h), 1e-6, 1e-6
    )
    with pytest.raises(NoRuleError, match="iterates for its rates"):
        dotbar.grad(lambda r: transform.RotationSpline([0, 1, 2.5], Rotation.from_rotvec(r)))(AXES)


def test_interpolation_between_batches_of_rotations():
    q, t = np.random.default_rng(0).standard_normal((2, 3, 4)), np.array([0.4, 1.3])
    slerp = lambda R, S, q, t: S([0, 1, 2], R.from_quat(q))(t).as_matrix()
    want = [slerp(Plain, PlainSlerp, *item) for item in zip(q, t)]
    assert np.allclose(dotbar.vmap(lambda q, t: slerp(Rotation, Slerp, q, t))(q, t), want)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: Rotation.from_euler("xyz", AXES, x),
        lambda x: Rotation.from_euler(x, AXES),
        lambda x: Rotation.from_rotvec(x * AXES, degrees=x),
        lambda x: Rotation.from_rotvec(x * AXES).as_euler("xyz", x),
        lambda x: Rotation.from_rotvec(x * AXES).as_quat(canonical=x),
        lambda x: Rotation.from_rotvec(x * AXES).apply(AXES, x),
        lambda x: Rotation.from_rotvec(AXES).apply(AXES, inverse=x),
    ],
)
def test_flags_are_refused(f):
    with pytest.raises(NoRuleError, match="it says what is computed"):
        dotbar.grad(lambda x: np.sum(f(x)))(1.0)


def test_what_rotations_refuse():
    with pytest.raises(NoRuleError, match=r"Rotation\.reduce has no derivative rule"):
        dotbar.grad(lambda r: Rotation.from_rotvec(r).reduce())(AXES)
    with pytest.raises(ValueError, match="left-handed"):
        dotbar.grad(lambda M: np.sum(Rotation.from_matrix(M).as_quat()))(-np.eye(3))
    with pytest.raises(ValueError, match="within the range"):
        dotbar.grad(lambda t: np.sum(Slerp([0, 1, 2], Plain.from_rotvec(AXES))(t).as_quat()))(2.5)


# ---------------------------------------------------------------- hulls


@pytest.mark.parametrize("d", [2, 3, 4])
def test_hulls(d):
    """Homogeneous of degrees d − 1 and d; points inside do not count."""
    points = np.random.default_rng(d).standard_normal((12, d))
    own = lambda p: (sp.ConvexHull(p).area, sp.ConvexHull(p).volume)
    (area, volume), dots = dotbar.jvp(own, (points,), (points,))
    hull = plain.ConvexHull(points)
    assert np.allclose([area, volume], [hull.area, hull.volume])
    assert np.allclose(dots, [(d - 1) * area, d * volume])
    bar = dotbar.grad(lambda p: sp.ConvexHull(p).volume)(points)
    assert not np.any(np.delete(bar, hull.vertices, 0))


def test_what_a_hull_of_traced_points_knows_besides():
    def f(p):
        hull = sp.ConvexHull(p)
        assert set(hull.vertices) == {0, 1, 2}
        with pytest.raises(NoRuleError, match="equations"):
            _ = hull.equations
        return hull.volume

    assert np.allclose(
        dotbar.grad(f)(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), [[-0.5, -0.5], [0.5, 0], [0, 0.5]]
    )


MOVED = {
    "from_matrix": lambda M, x: M.RigidTransform.from_matrix(MATRIX + x[0] * SLANT).as_matrix(),
    "from_rotation": lambda M, x: M.RigidTransform.from_rotation(M.Rotation.from_rotvec(x)).as_matrix(),
    "from_translation": lambda M, x: M.RigidTransform.from_translation(x[None]).as_matrix(),
    "as_components": lambda M, x: moved(M, x).as_components()[1].as_quat(),
    "as_exp_coords": lambda M, x: moved(M, x).as_exp_coords(),
    "as_dual_quat": lambda M, x: moved(M, x).as_dual_quat(scalar_first=True),
    "inverse": lambda M, x: moved(M, x).apply([1.0, 2.0, 3.0], inverse=True),
    "mul": lambda M, x: (moved(M, x) * M.RigidTransform.from_translation(np.eye(3))).inv().as_matrix(),
    "rmul": lambda M, x: (M.RigidTransform.from_matrix(MATRIX) * moved(M, x)).as_matrix(),
    "plain": lambda M, x: M.RigidTransform.from_matrix(MATRIX).apply(x) + moved(M, np.ones(3)).rotation.apply(x),
    "pow": lambda M, x: (moved(M, x) ** 0.5 * moved(M, x) ** -1).as_matrix(),
    "concatenate": lambda M, x: M.RigidTransform.concatenate([moved(M, x), moved(M, 2 * x)])[1].as_matrix(),
}
MATRIX = plain.transform.RigidTransform.from_exp_coords([0.1, 0.5, -0.3, 1.0, 2.0, 0.4]).as_matrix()
SLANT = np.concatenate([np.arange(12.0).reshape(3, 4) / 9, np.zeros((1, 4))])


def moved(M, x):
    return M.RigidTransform.from_components(x + 1, M.Rotation.from_rotvec(x))


@pytest.mark.parametrize("name", MOVED)
@pytest.mark.parametrize("x", [np.array([0.3, -0.8, 0.5]), np.zeros(3)])
def test_rigid_transforms_are_scipys(name, x):
    own, scipys = (lambda x, M=M: MOVED[name](M, x) for M in (transform, plain.transform))
    value, _ = dotbar.jvp(own, (x,), (x,))
    assert value.shape == scipys(x).shape
    assert np.allclose(value, scipys(x), 1e-13, 1e-13)
    dotbar.check_grads(own)(x)


def test_a_rigid_transform_of_plain_arrays_is_scipys_own():
    one = RigidTransform.identity()
    assert isinstance(one, plain.transform.RigidTransform)
    assert all(isinstance(T.identity(), RigidTransform) for T in (RigidTransform, plain.transform.RigidTransform))
    with pytest.raises(ValueError, match="last row"):
        dotbar.jvp(lambda x: RigidTransform.from_matrix(x).as_matrix(), (np.ones((4, 4)),), (np.ones((4, 4)),))
    with pytest.raises(
        NoRuleError, match=r"RigidTransform\.from_dual_quat has no derivative with respect to 'scalar_first'"
    ):
        dotbar.jvp(lambda x: RigidTransform.from_dual_quat(np.ones(8), scalar_first=x).as_matrix(), (1.0,), (1.0,))


@pytest.mark.parametrize("metric", ["euclidean", lambda u, v: np.sum(u * v)])
def test_distances_of_no_points(metric):
    f = lambda X: distance.cdist(X, np.ones((5, 3)), metric)
    assert dotbar.jvp(f, (np.zeros((0, 3)),), (np.zeros((0, 3)),))[1].shape == (0, 5)
