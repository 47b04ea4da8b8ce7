"""scipy.signal: shapes and settings that the samples do not show, and that filters take linear memory."""

import tracemalloc

import numpy as np
import pytest
import scipy.signal

import dotbar.scipy.signal as ss
from dotbar import grad, jvp, vjp, vmap
from dotbar.errors import NoRuleError, StructureError

rng = np.random.default_rng(0)
X = rng.standard_normal((3, 30))
B, A = np.array([0.3, 0.1, 0.4]), np.array([2.0, -0.6, 0.5, 0.1])

LINEAR = [
    *(lambda x, m=m: ss.convolve(x, X[:2, :4], m) for m in ("full", "same", "valid")),
    *(lambda x, m=m: ss.correlate(x, X[:2, :5], m) for m in ("full", "same", "valid")),
    lambda x: ss.convolve(X[:1, :4], x, "valid"),
    *(lambda x, m=m: ss.fftconvolve(x, X[:2, :5], m) for m in ("full", "same", "valid")),
    *(
        lambda x, m=m, b=b: ss.convolve2d(x, X[:2, :3], m, b)
        for m in ("full", "same", "valid")
        for b in ("fill", "wrap", "symm")
    ),
    *(lambda x, m=m, k=k: ss.correlate2d(x, X[:k, :k], m, "wrap") for m in ("full", "same", "valid") for k in (2, 3)),
    lambda x: ss.lfilter(B, [1.0], x),
    lambda x: ss.lfilter(B, A, x, axis=0),
    lambda x: ss.lfilter(B, A, x, zi=np.zeros((3, 3)))[0],
    lambda x: ss.lfilter(B, A, x[:, :2], zi=np.zeros((3, 3)))[1],
    *(lambda x, p=p: ss.filtfilt(B, A, x, padtype=p, padlen=5) for p in ("odd", "even", "constant", None)),
    *(
        lambda x, m=m, d=d: ss.savgol_filter(x, 5, 3, deriv=d, delta=0.5, mode=m)
        for m in ("interp", "mirror", "nearest", "wrap", "constant")
        for d in (0, 2)
    ),
    lambda x: ss.savgol_filter(x, 6, 3, mode="nearest"),
    lambda x: ss.detrend(x, axis=0, type="constant"),
    lambda x: ss.detrend(x, bp=[4, 20]),
    *(lambda x, n=n: ss.resample(x, n, axis=1) for n in (15, 16, 29, 30, 31, 44)),
    *(lambda x, n=n: ss.resample(x, n, axis=1, window="hann") for n in (16, 45)),
    *(
        lambda x, p=p: ss.resample_poly(x, 4, 3, axis=1, padtype=p)
        for p in ("constant", "mean", "wrap", "edge", "smooth", "line", "symmetric", "antisymmetric", "antireflect")
    ),
    lambda x: ss.upfirdn(X[0], x[:, :4], 3, 2, mode="antisymmetric"),
    lambda x: ss.savgol_filter(x, 6, 3, mode="interp"),
    *(lambda x, u=u, d=d: ss.upfirdn(B, x, u, d) for u, d in ((1, 1), (2, 3), (5, 2), (1, 7))),
    *(
        lambda x, f=f, z=z: ss.decimate(x, 3, n=4, ftype=f, zero_phase=z, axis=1)
        for f in ("iir", "fir")
        for z in (True, False)
    ),
    lambda x: ss.hilbert(x, 34),
    lambda x: ss.czt(x, 7, axis=0),
    lambda x: ss.stft(x, nperseg=8, axis=1, boundary="even", detrend="linear")[2],
    lambda x: ss.stft(x, nperseg=9, noverlap=3, nfft=16, boundary=None, padded=False, return_onesided=False)[2],
    lambda x: ss.istft(ss.stft(x, nperseg=8)[2], nperseg=8)[1],
    lambda x: ss.istft(ss.stft(x, nperseg=9, scaling="psd")[2], nperseg=9, scaling="psd")[1],
    lambda x: ss.medfilt2d(x, 3),
    lambda x: ss.order_filter(x, np.array([[1, 0, 1], [1, 1, 1], [0, 1, 0]]), 2),
]


@pytest.mark.parametrize("f", LINEAR)
def test_as_scipy(f):
    """Of functions with f(tx) = t f(x): the tangent along x is the value, and so for the cotangent."""
    value = f(X)
    y, dot = jvp(f, (X,), (X,))
    assert np.allclose(y, value, 1e-11, 1e-12)
    assert np.allclose(dot, value, 1e-11, 1e-12)
    weights = rng.standard_normal(value.shape)
    assert np.isclose(np.vdot(vjp(f, X)[1](weights + 0 * value), X).real, np.vdot(weights, value).real)


@pytest.mark.parametrize(
    "f",
    [
        *(
            lambda x, s=s, o=o, a=a: ss.welch(x, 2.0, nperseg=8, scaling=s, return_onesided=o, average=a)[1]
            for s in ("density", "spectrum")
            for o in (True, False)
            for a in ("mean", "median")
        ),
        lambda x: ss.csd(x, x[::-1], nperseg=9, nfft=13)[1],
        lambda x: ss.csd(x, x[:, :20], nperseg=8)[1],
        lambda x: ss.periodogram(x, window="hann", nfft=21, detrend="linear")[1],
        lambda x: ss.periodogram(x, axis=0, nfft=8)[1],
        lambda x: ss.spectrogram(x, nperseg=8, axis=-1)[2],
        lambda x: ss.spectrogram(x, nperseg=8, mode="magnitude")[2] ** 2,
        lambda x: ss.lombscargle(np.arange(30.0), x[0], np.array([0.3, 0.7]), floating_mean=True),
        lambda x: np.abs(ss.lombscargle(np.arange(30.0), x[0], np.array([0.3, 0.7]), normalize="amplitude")) ** 2,
    ],
)
def test_spectra_as_scipy(f):
    """Squares: the tangent along x is twice the value."""
    value = f(X)
    y, dot = jvp(f, (X,), (X,))
    assert np.allclose(y, value, 1e-11, 1e-12)
    assert np.allclose(dot, 2 * value, 1e-11, 1e-12)


def test_states_go_from_part_to_part():
    """Filtered in two parts, with the state between them, the derivative is that of the whole."""

    def in_parts(b, a, x, zi):
        y, z = ss.lfilter(b, a, x[:11], zi=zi)
        w, z = ss.lfilter(b, a, x[11:], zi=z)
        return np.sum(np.sin(np.concatenate([y, w]))) + np.sum(z**2)

    def whole(b, a, x, zi):
        y, z = ss.lfilter(b, a, x, zi=zi)
        return np.sum(np.sin(y)) + np.sum(z**2)

    args = B, A, X[0], np.array([0.3, -0.2, 0.1])
    for got, want in zip(grad(in_parts, argnums=(0, 1, 2, 3))(*args), grad(whole, argnums=(0, 1, 2, 3))(*args)):
        assert np.allclose(got, want, 1e-11, 1e-12)


def test_a_filter_is_linear_in_memory():
    n = 200_000
    x = rng.standard_normal(n)
    tracemalloc.start()
    grad(lambda b, a, x: np.sum(ss.lfilter(b, a, x) ** 2), argnums=(0, 1, 2))(B, A, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 * n


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ss.remez(5, x, [1.0]),
        lambda x: ss.minimum_phase(x, method="hilbert"),
        lambda x: ss.lti(x, x).A,
        lambda x: ss.ShortTimeFFT(x, 2, 1.0).win,
        lambda x: ss.buttord(x[0] ** 0 * np.array([0.1, 0.6]), np.array([0.2, 0.5]), 3, 40)[1],
        lambda x: ss.iircomb(x[0], 20.0)[0],
        lambda x: ss.place_poles(x[:4].reshape(2, 2), np.eye(2), [-1, -2]).gain_matrix,
        lambda x: np.abs(ss.residue([1.0], np.poly([-1.0, -1.0, -2.0]) + 0 * x[:4])[0]),
    ],
)
def test_what_has_no_rule_says_so(f):
    with pytest.raises(NoRuleError):
        grad(lambda x: np.sum(f(x)))(X[0])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ss.convolve(x, X, "nope"),
        lambda x: ss.convolve(x, X, "same", "nope"),
        lambda x: ss.fftconvolve(x, X, "nope"),
        lambda x: ss.fftconvolve(x, X[0]),
        lambda x: ss.convolve2d(x, X, "full", "nope"),
        lambda x: ss.correlate2d(x[0], X[0]),
        lambda x: ss.medfilt2d(x[0], 3),
        lambda x: ss.resample_poly(x, 2.5, 1),
        lambda x: ss.resample(x, 5, domain="nope"),
        lambda x: ss.welch(x, nperseg=8, average="nope"),
        lambda x: ss.welch(x, window=np.ones(9), nperseg=8),
        lambda x: ss.stft(x, nperseg=8, nfft=4),
        lambda x: ss.istft(x + 0j, nperseg=4, noverlap=4),
        lambda x: ss.spectrogram(x, nperseg=8, mode="nope"),
        lambda x: ss.periodogram(x, window=np.ones(9)),
        lambda x: ss.detrend(x, type="nope"),
        lambda x: ss.decimate(x, 2, ftype="nope"),
        lambda x: ss.lombscargle(x[0], x[1], x[2], normalize="nope"),
        lambda x: ss.upfirdn(B, x, mode="nope"),
        lambda x: ss.hilbert(x + 1j),
        lambda x: ss.filtfilt(B, A, x, method="nope"),
        lambda x: ss.sosfilt([[1, 2, 1, 2, 0.5, 0]], x),
        lambda x: ss.sosfilt([[1, 2, 1, 1, 0.5]], x),
        lambda x: ss.butter(2, 1 + x[0, 0] ** 2),
        lambda x: ss.butter(2, [0.2, 0.1] + 0 * x[0, :2], "band"),
        lambda x: ss.butter(2, 0.2 + 0 * x[0, 0], "nope"),
        lambda x: ss.lp2lp_zpk(x[0], [1.0], 1.0),
        lambda x: ss.normalize(x[0], [0.0, 0.0]),
        lambda x: ss.zpk2sos(x[0, :2] + 1j, [0.5, 0.2], 1.0),
        lambda x: ss.firwin(4, 0.3 + 0 * x[0, 0], pass_zero=False),
        lambda x: ss.firls(5, [0.0, 0.5, 0.4, 1.0], x[0, :4] ** 2),
        lambda x: ss.chirp(x[0], 1.0, 2.0, -1.0, "log"),
    ],
)
def test_what_scipy_refuses_is_refused(f):
    for call in (f, lambda x: jvp(f, (x,), (x,))):
        with pytest.raises(ValueError, match=r"\w+"):
            call(X)


@pytest.mark.parametrize(
    "f",
    [
        lambda c: ss.convolve2d(X, X[:2, :3], fillvalue=c),
        lambda c: ss.upfirdn(B, X, 3, 2, cval=c),
        lambda c: ss.savgol_filter(X, 5, 2, mode="constant", cval=c),
        lambda fs: ss.welch(X, fs, nperseg=8)[1] + ss.welch(X, fs, nperseg=8)[0],
        lambda beta: ss.resample_poly(X, 3, 2, window=("kaiser", beta)),
        lambda beta: ss.stft(X, window=("kaiser", beta), nperseg=8)[2],
    ],
)
def test_numbers_beside_plain_signals(f):
    y, dot = jvp(f, (1.3,), (1.0,))
    h = 1e-6
    assert np.allclose(y, f(1.3), 1e-12, 1e-12)
    assert np.allclose(dot, (f(1.3 + h) - f(1.3 - h)) / (2 * h), 1e-6, 1e-6)


@pytest.mark.parametrize("pairing", ["nearest", "keep_odd", "minimal"])
@pytest.mark.parametrize("seed", range(8))
def test_sections_pair_roots_as_scipy(pairing, seed):
    """Only the gain is traced: which roots share a section does not depend on it."""
    rng = np.random.default_rng(seed)
    z, p = (r * np.exp(1j * phi) for r, phi in rng.uniform(0.2, 1, (2, 2, 2)))
    z, p = (np.concatenate([r, np.conj(r), rng.uniform(-1, 1, seed % 3)]) for r in (z, p))
    sections = lambda k: ss.zpk2sos(z, p, k, pairing)
    y, dot = jvp(sections, (0.7,), (0.7,))
    assert np.allclose(y, sections(0.7))
    assert np.allclose(dot[0, :3], y[0, :3])
    assert np.count_nonzero(dot) == np.count_nonzero(dot[0, :3])


def test_a_batch_of_filters():
    """Filters of one form make one batch; those that differ in their number of coefficients do not."""
    a = np.stack([A, A + 0.1])
    got = vmap(lambda a: ss.tf2sos(B, a))(a)
    assert np.allclose(got, np.stack([ss.tf2sos(B, row) for row in a]))
    with pytest.raises(StructureError, match="the items of a batch may differ"):
        vmap(lambda a: ss.tf2zpk(B, a))(np.stack([A, A * [0, 1, 1, 1]]))


def test_second_derivatives_of_splines_on_their_knots():
    c = rng.standard_normal(9)
    bend = lambda f: [
        float(jvp(lambda x: jvp(lambda x: f(c, x), (x,), (1.0,))[1], (k,), (1.0,))[1]) for k in (3.0, 4.0)
    ]
    assert np.allclose(bend(ss.cspline1d_eval), c[2:4] - 2 * c[3:5] + c[4:6])
    assert np.allclose(bend(ss.qspline1d_eval), c[2:4] - 2 * c[3:5] + c[4:6])


def test_a_double_integrator_has_a_characteristic_polynomial():
    """Eigenvalues that coincide have no derivative, the polynomial has: λ² − t of [[0, 1], [t, 0]]."""
    dot = jvp(lambda t: np.poly(np.stack([np.array([0.0, 1.0]), t * np.array([1.0, 0.0])])), (0.0,), (1.0,))[1]
    assert np.array_equal(dot, [0, 0, -1])


def test_discrete_systems_at_times_of_their_own():
    t, u = np.linspace(0.2, 2.7, 6), rng.standard_normal(6)
    f = lambda u: ss.dlsim((B, A, 0.5), u, t)[1]
    y, dot = jvp(f, (u,), (u,))
    assert np.allclose(y, f(u))
    assert np.allclose(dot, y)


def test_objects_take_traced_signals():
    x = X[0]
    T = ss.ShortTimeFFT.from_window("hann", 2.0, 8, 4)
    assert isinstance(T, scipy.signal.ShortTimeFFT)
    back = lambda x: T.istft(T.stft(x), k1=30)
    assert np.allclose(jvp(back, (x,), (x,))[1], x)
    assert np.allclose(vjp(back, x)[1](x)[0], x)
    assert isinstance(ss.lti(B, A), ss.lti)
    assert isinstance(scipy.signal.lti(B, A), ss.TransferFunction)
    assert np.allclose(
        jvp(lambda x: ss.lsim(ss.lti(B, A), x, np.arange(30.0))[1], (x,), (x,))[1],
        ss.lsim((B, A), x, np.arange(30.0))[1],
    )


def test_the_gradient_of_a_filter_without_a_signal_is_zero():
    a = np.array([1.0, 0.4])
    y, pull = vjp(lambda a, x: ss.lfilter([0.2, 0.3], a, x), a, np.zeros((3, 0)))
    abar, xbar = pull(y)
    assert np.array_equal(abar, 0 * a)
    assert xbar.shape == (3, 0)
