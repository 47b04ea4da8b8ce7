"""Bundle adjustment: p reprojection errors of two coordinates and p weight errors, and their sparse Jacobian in CSR.

An error depends on one camera, one point and one weight, 15 numbers, so two gradients give the two rows of all
observations.  A row of each array is one coordinate of all of them.
"""

import numpy as np

from dotbar import grad, jit

CAMERA, POINT = 11, 3
BLOCK = CAMERA + POINT + 1


def rotate(r, X):
    """X rotated about r by |r|, by Rodrigues' formula; X + r×X, its limit, where r = 0."""
    square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2]
    turns = square > 0
    theta = np.sqrt(np.where(turns, square, 1.0))
    cos, sin = np.where(turns, np.cos(theta), 1.0), np.where(turns, np.sin(theta) / theta, 1.0)
    along = np.where(turns, (1 - cos) / theta**2, 0.0) * (r[0] * X[0] + r[1] * X[1] + r[2] * X[2])
    cross = r[1] * X[2] - r[2] * X[1], r[2] * X[0] - r[0] * X[2], r[0] * X[1] - r[1] * X[0]
    return [X[i] * cos + cross[i] * sin + r[i] * along for i in range(3)]


def reprojection(camera, point, w, seen):
    """w (f L(|x|²) x + principal point − seen), with x the rotated point on the image plane, L its distortion."""
    r, centre, f, principal, k = camera[0:3], camera[3:6], camera[6], camera[7:9], camera[9:11]
    X = rotate(r, [point[i] - centre[i] for i in range(3)])
    x, y = X[0] / X[2], X[1] / X[2]
    square = x * x + y * y
    scale = f * (1 + k[0] * square + k[1] * square * square)
    return w * (x * scale + principal[0] - seen[0]), w * (y * scale + principal[1] - seen[1])


def weight_error(w):
    return 1 - w * w


def objective(cameras, points, w, seen, of):
    errors = reprojection(cameras[:, of[0]], points[:, of[1]], w, seen)
    return np.stack(errors, axis=1), weight_error(w)


def block(i, cameras, points, w, seen, of):
    """The derivatives of coordinate i of all reprojections, each of its own numbers: those of their sum; (15, p)."""
    total = lambda *xs: np.sum(reprojection(*xs, seen)[i])
    camera, point, weight = grad(total, argnums=(0, 1, 2))(list(cameras[:, of[0]]), list(points[:, of[1]]), w)
    return np.stack((*camera, *point, weight))


def jacobian(cameras, points, w, seen, of):
    """The Jacobian as (rows, columns, values): 2p rows of 15 entries, then p rows of one."""
    p, n, m = len(w), cameras.shape[1], points.shape[1]
    entries = 2 * p * BLOCK
    rows = np.concatenate((np.arange(2 * p) * BLOCK, np.arange(entries, entries + p + 1)))
    camera = CAMERA * of[0] + np.arange(CAMERA, dtype=np.int32)[:, None]
    point = CAMERA * n + POINT * of[1] + np.arange(POINT, dtype=np.int32)[:, None]
    weight = CAMERA * n + POINT * m + np.arange(p, dtype=np.int32)
    columns = np.concatenate((camera, point, weight[None]))
    blocks = np.stack([block(i, cameras, points, w, seen, of) for i in range(2)])
    slopes = grad(lambda w: np.sum(weight_error(w)))(w)
    in_rows = lambda entries, last: np.concatenate((np.ravel(np.moveaxis(entries, -1, 0)), last))
    return rows, in_rows(np.stack((columns, columns)), weight), in_rows(blocks, slopes)


def prepare(input):
    """n equal cameras, m equal points and p equal observations of them in turn; coordinates first."""
    n, m, p = input["n"], input["m"], input["p"]
    repeated = lambda x, times: np.repeat(np.array(x)[:, None], times, axis=1)
    of = np.stack((np.arange(p, dtype=np.int32) % n, np.arange(p, dtype=np.int32) % m))
    return repeated(input["cam"], n), repeated(input["x"], m), np.full(p, input["w"]), repeated(input["feat"], p), of


def answer(output):
    """A part that shows the whole, as all observations are the same."""
    if len(output) == 2:
        reprojections, weights = output
        return {
            "reproj_error": {"elements": reprojections[0], "repeated": len(reprojections)},
            "w_err": {"element": weights[0], "repeated": len(weights)},
        }
    part = lambda a: np.append(a[: 2 * BLOCK], a[-1])
    return {name: part(a) for name, a in zip(("rows", "cols", "vals"), output)}


def example(n, m, p):
    rng = np.random.default_rng(0)
    cam = rng.normal(size=3).tolist() + [30.0, 40.0, 50.0, 400.0, 5.0, -8.0, 0.1, 0.01]
    x, feat = rng.normal(size=3).tolist(), rng.normal(size=2).tolist()
    return {"n": n, "m": m, "p": p, "cam": cam, "x": x, "w": 0.4, "feat": feat}


FUNCTIONS = {"objective": jit(objective), "jacobian": jit(jacobian)}
