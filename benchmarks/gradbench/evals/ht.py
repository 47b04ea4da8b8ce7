"""Hand tracking: the distances of points to a hand's surface, posed by 26 parameters θ; and their Jacobian.

The hand is a chain of bones.  Its vertices are mixtures of what each bone moves them to, linear in the bones'
transforms, so only these, 22 of 3 × 4 numbers, go through the sines and products of the chain.  A point's place on its
triangle, two numbers u of its own, gives two more columns: those of all points come from two pushes.
"""

import numpy as np

from dotbar import jacfwd, jit, jvp

# Of the four bones of a finger, the second bends about x and z, the third and fourth about x only.
BONE = np.add.outer(4 * np.arange(5), [2, 2, 3, 4]).ravel()
AXIS = np.tile([0, 1, 0, 0], 5)


def bends(theta, bones):
    """The rotation of each bone within its parent, about x by α, then about z by β."""
    angles = np.zeros((2, bones), like=theta)
    angles[AXIS, BONE] = theta[6:]
    (cosa, cosb), (sina, sinb) = np.cos(angles), np.sin(angles)
    zero = np.zeros(bones)
    rows = ((cosb, -sinb * cosa, sinb * sina), (sinb, cosb * cosa, -cosb * sina), (zero, sina, cosa))
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def rotation_by(r):
    """Rodrigues' formula, cos |r| I + (1 − cos |r|) nnᵀ + sin |r| [n]ₓ with n = r/|r|; I where r is tiny."""
    theta = np.sqrt(np.sum(r * r))
    if theta < 1e-4:
        return np.eye(3)
    n = r / theta
    cross = np.cross(np.eye(3), n)
    return np.cos(theta) * np.eye(3) + (1 - np.cos(theta)) * np.outer(n, n) + np.sin(theta) * cross


def transforms(theta, relatives, inverses, parents, mirrored):
    """What each bone does to a vertex (x; 1), side by side: a matrix of 3 rows, and 4 columns for each bone."""
    bones = len(parents)
    posed = np.concatenate((relatives[:, :, :3] @ bends(theta, bones), relatives[:, :, 3:]), axis=2)
    absolutes = []
    for i, parent in enumerate(parents):
        absolutes.append(posed[i] if parent < 0 else absolutes[parent] @ posed[i])
    T = (np.stack(absolutes) @ inverses)[:, :3]
    mirror = np.array([-1.0 if mirrored else 1.0, 1.0, 1.0])
    return np.reshape(np.transpose((rotation_by(theta[:3]) * mirror) @ T, (1, 0, 2)), (3, 4 * bones))


def surface(theta, hand, parents, mirrored):
    """The vertices of the posed hand, (3, vertices): mixed from what each bone does, and moved."""
    mixture = np.reshape(hand["weights"][:, None] * hand["positions"], (-1, hand["positions"].shape[-1]))
    T = transforms(theta, hand["relatives"], hand["inverses"], parents, mirrored)
    return T @ mixture + theta[3:6, None]


def objective(theta, u, points, corners, *hand):
    """Point minus place on the surface, (3, points); u are the weights of a triangle's first two corners."""
    vertices = surface(theta, *hand)
    if u is None:
        return points - vertices[:, corners]
    places = u[0] * vertices[:, corners[0]] + u[1] * vertices[:, corners[1]]
    return points - places - (1 - u[0] - u[1]) * vertices[:, corners[2]]


def jacobian(theta, u, points, corners, *hand):
    """Columns: two for the point's own u, then those of θ; (columns, 3, points)."""
    dense = np.moveaxis(jacfwd(objective)(theta, u, points, corners, *hand), -1, 0)
    if u is None:
        return dense
    one, zero = np.ones_like(u[0]), np.zeros_like(u[0])
    along = lambda udot: jvp(lambda u: objective(theta, u, points, corners, *hand), (u,), (udot,))[1]
    own = [along(np.stack(udot)) for udot in ((one, zero), (zero, one))]
    return np.concatenate((own, dense))


def prepare(input):
    """Coordinates first, so that each is a row."""
    model, u = input["data"]["model"], input["us"]
    hand = {
        "relatives": np.array(model["base_relatives"]),
        "inverses": np.array(model["inverse_base_absolutes"]),
        "positions": np.ascontiguousarray(np.array(model["base_positions"]).T),
        "weights": np.ascontiguousarray(np.array(model["weights"]).T),
    }
    points = np.ascontiguousarray(np.array(input["data"]["points"]).T)
    corners = np.array(input["data"]["correspondences"])
    if len(u):
        corners = np.array(model["triangles"]).T[:, corners]
    u = np.ascontiguousarray(np.array(u).T) if len(u) else None
    return np.array(input["theta"]), u, points, corners, hand, tuple(model["parents"]), model["is_mirrored"]


def answer(output):
    """Rows: point by point, three coordinates each."""
    if output.ndim == 2:
        return np.ravel(output.T)
    return np.reshape(output.T, (-1, len(output)))


def example(c, vertices=10_000, triangles=1084):
    rng = np.random.default_rng(0)
    parents = [-1] + [0 if bone % 4 == 1 else bone - 1 for bone in range(1, 22)]
    shift = lambda: np.block([[np.eye(3), rng.normal(size=(3, 1))], [np.zeros(3), np.ones(1)]]).tolist()
    weights = np.where(rng.random((vertices, 22)) < 0.1, rng.random((vertices, 22)), 0.0)
    model = {
        "base_relatives": [shift() for _ in parents],
        "inverse_base_absolutes": [shift() for _ in parents],
        "base_positions": np.append(rng.normal(size=(vertices, 3)), np.ones((vertices, 1)), axis=1).tolist(),
        "weights": weights.tolist(),
        "triangles": rng.integers(0, vertices, (triangles, 3)).tolist(),
        "parents": parents,
        "is_mirrored": False,
    }
    correspondences = rng.integers(0, triangles, c).tolist()
    data = {"model": model, "correspondences": correspondences, "points": rng.normal(size=(c, 3)).tolist()}
    return {"theta": rng.normal(size=26).tolist(), "us": rng.random((c, 2)).tolist(), "data": data}


FUNCTIONS = {
    "objective": jit(objective, static_argnums=(5, 6)),
    "jacobian": jit(jacobian, static_argnums=(5, 6)),
}
