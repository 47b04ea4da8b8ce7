"""Samples of scipy/spatial/transform.py."""

import numpy as np

from dotbar.scipy.mirror import before
from dotbar.scipy.spatial.transform import RigidTransform, Rotation, RotationSpline, Slerp
from samples import normal, sample, uniform

rotvec, quat = normal(3), normal(2, 4)
matrix = Rotation.from_rotvec(normal(2, 3)).as_matrix()
axes = np.array([[0.0, 0.0, 1.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
R = Rotation.from_rotvec


angles = uniform(-1, 1, 2, 3)
SPLINE = RotationSpline([0.0, 1.0, 2.5], R(normal(3, 3)))


def aligned(a, b):
    rotation, distance = Rotation.align_vectors(a, b)
    return rotation.as_matrix(), distance


def rotation(make, read="as_matrix", *at, **kw):
    """A rotation made of arrays, and read as one."""
    constructor = getattr(Rotation, make)
    return lambda *args: getattr(constructor(*args, **kw), read)(*at)


def case(make, *args, read="as_matrix", at=(), name="", wrt=None, **kw):
    return sample(getattr(Rotation, make), *args, call=rotation(make, read, *at, **kw), case=name, wrt=wrt)


def moving(t, r):
    return RigidTransform.from_components(t, R(r))


SAMPLES = [
    sample(RigidTransform.from_components, rotvec, angles, call=lambda t, r: moving(t, r).as_matrix()),
    sample(RigidTransform.from_components, angles, angles, call=lambda t, r: moving(t, r).as_exp_coords()),
    sample(RigidTransform.from_components, angles, angles, call=lambda t, r: moving(t, r).as_dual_quat()),
    sample(RigidTransform.from_exp_coords, normal(6), call=lambda x: RigidTransform.from_exp_coords(x).as_matrix()),
    sample(RigidTransform.from_dual_quat, normal(8), call=lambda q: RigidTransform.from_dual_quat(q).as_matrix()),
    sample(
        RigidTransform.from_components,
        angles,
        rotvec,
        call=lambda t, r: (moving(t, r) * (moving(rotvec, r) ** 1.5).inv()).apply(rotvec),
    ),
    case("from_rotvec", rotvec, name="Rotation.from_rotvec.as_matrix"),
    case("from_rotvec", np.zeros(3)),
    case("from_rotvec", np.zeros(3), read="as_rotvec"),
    case("from_quat", quat, name="Rotation.from_quat.as_matrix"),
    case("from_quat", quat, read="as_rotvec", scalar_first=True),
    case("from_quat", quat, read="as_mrp"),
    case("from_quat", quat, read="as_quat", at=(True,)),
    case("from_quat", quat, read="magnitude"),
    case("from_euler", "ZYX", angles, name="Rotation.from_euler.as_matrix"),
    case("from_euler", "x", 30.0, degrees=True),
    case("from_matrix", matrix, read="as_rotvec", name="Rotation.from_matrix.as_rotvec"),
    case("from_mrp", rotvec, read="as_euler", at=("zxz",)),
    case("from_rotvec", angles, read="as_euler", at=("XYZ",)),
    case("from_davenport", axes, "extrinsic", angles, wrt=(2,)),
    case("from_rotvec", rotvec, read="as_davenport", at=(axes, "i")),
    case("from_rotvec", rotvec, read="apply", at=(normal(2, 3),)),
    sample(Rotation.from_rotvec, rotvec, angles, call=lambda r, s: (R(r) * R(s).inv() ** 0.25).as_matrix()),
    sample(Rotation.from_rotvec, angles, uniform(1, 2, 2), call=lambda r, w: R(r).mean(w).as_matrix()),
    sample(Rotation.from_rotvec, rotvec, angles, call=lambda r, s: Rotation.concatenate([R(r), R(s)])[1:].as_rotvec()),
    sample(Rotation.align_vectors, normal(4, 3), normal(4, 3, seed=1), call=aligned),
    sample(
        Slerp,
        np.array([0.0, 1.0, 2.5]),
        normal(3, 3),
        np.array([0.3, 1.9]),
        call=lambda times, r, t: Slerp(times, R(r))(t).as_matrix(),
        case="Slerp",
    ),
    sample(RotationSpline, uniform(0.2, 2.3, 3), call=lambda t: SPLINE(t).as_matrix()),
]

if not before("1.17.0"):
    SAMPLES.append(case("from_matrix", matrix, assume_valid=True))
