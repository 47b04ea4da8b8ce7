"""Samples of scipy/signal: systems, their responses, waveforms, splines, peaks, envelopes."""

import numpy as np

import dotbar.scipy.signal as ss
from dotbar.scipy.signal.peaks import bases, flanks
from dotbar.scipy.signal.responses import decades
from dotbar.scipy.signal.systems import recurrence
from samples import cnormal, normal, sample, uniform

B = np.array([0.3, 0.5, -0.2])
A = np.array([2.0, 0.4, 0.3, 0.2])
Z = np.array([-0.8, -0.4 + 0.3j])
P = np.array([-0.7 + 0.2j, -0.3, -0.5 - 0.4j])
W = np.array([0.3, 0.6, 1.7])
SYSTEM = (0.5 * normal(3, 3) - 2 * np.eye(3), normal(3, 1), normal(1, 3), normal(1, 1))
GAIN = np.float64(0.7)
STEP = np.float64(0.3)
T = np.linspace(0.0, 2.0, 5)
X = normal(24)
COARSE = "SciPy leaves out more in single precision"
IMAGE = normal(14, 13)
PEAKS = np.array([2, 6, 9])
HILLS = np.array([0.1, 0.7, 1.9, 0.8, 0.2, 0.5, 1.3, 0.4, 0.9, 2.4, 1.1, 0.0])
TRANSFORM = ss.ShortTimeFFT(np.hanning(9)[1:-1], 3, 2.0, fft_mode="onesided2X", mfft=8, scale_to="psd")

SAMPLES = [
    sample(recurrence, cnormal(2, 2), cnormal(2), cnormal(4, 2)),
    sample(decades, B, A, N=3, kind="ba"),
    sample(bases, HILLS, PEAKS, wlen=None, wrt=(0,)),
    sample(flanks, HILLS, HILLS[PEAKS] / 2, PEAKS, PEAKS - 2, PEAKS + 1, wrt=(0, 1)),
    sample(ss.abcd_normalize, normal(2, 2), normal(2, 1), normal(1, 2)),
    sample(ss.tf2ss, B, A),
    sample(ss.ss2tf, *SYSTEM),
    sample(ss.ss2zpk, *SYSTEM),
    sample(ss.zpk2ss, Z.real, P.real, GAIN),
    *(
        sample(
            ss.cont2discrete, *SYSTEM[:3], STEP, call=lambda *s, m=m: ss.cont2discrete((*s[:3], [[0.0]]), s[3], m, 0.3)
        )
        for m in ("foh", "gbt", "impulse")
    ),
    sample(ss.cont2discrete, B, A, STEP, call=lambda b, a, dt: ss.cont2discrete((b, a), dt)),
    sample(ss.place_poles, *SYSTEM[:2], normal(3), call=lambda *xs: ss.place_poles(*xs).gain_matrix, rtol=1e-5),
    sample(ss.lsim, B, A, normal(5), call=lambda b, a, U: ss.lsim((b, a), U, T)),
    sample(ss.impulse, B, A, call=lambda b, a: ss.impulse((b, a), N=5)),
    sample(ss.step, Z.real, P.real, GAIN, call=lambda z, p, k: ss.step((z, p, k), T=T)),
    sample(ss.dlsim, *SYSTEM, 1.0, normal(5), call=lambda *s: ss.dlsim(s[:5], s[5])),
    sample(ss.dimpulse, B, A, call=lambda b, a: ss.dimpulse((b, a, 0.1), n=5)),
    sample(ss.dstep, B, A, call=lambda b, a: ss.dstep((b, a, 0.1), n=5)),
    sample(ss.freqs, B, A, W),
    sample(ss.findfreqs, B, A, call=lambda b, a: ss.findfreqs(b, a, 4)),
    sample(ss.freqs_zpk, Z, P, GAIN, W),
    sample(ss.freqz_zpk, Z, P, GAIN, W),
    sample(
        ss.freqz_sos,
        normal(2, 3),
        normal(2, 2),
        call=lambda b, a: ss.freqz_sos(np.concatenate([b, b[:, :1] ** 0, a], 1), 4),
    ),
    sample(ss.group_delay, B, A, W, call=lambda b, a, w: ss.group_delay((b, a), w)),
    sample(ss.bode, *SYSTEM, W, call=lambda *s: ss.bode(s[:4], s[4]), same_bits=False),
    sample(ss.dbode, Z, P, GAIN, 0.1, W, call=lambda *s: ss.dbode(s[:4], s[4])),
    sample(ss.dbode, *SYSTEM, 0.1, W, call=lambda *s: ss.dbode(s[:5], s[5])),
    *(
        sample(
            ss.chirp,
            uniform(0, 2, 3),
            1.1,
            3.0,
            2.3,
            30.0,
            call=lambda t, f, u, g, phi, m=m: ss.chirp(t, f, u, g, m, phi),
        )
        for m in ("linear", "quadratic", "logarithmic", "hyperbolic")
    ),
    sample(
        ss.gausspulse,
        uniform(-0.3, 0.3, 3),
        2.0,
        0.5,
        -6.0,
        call=lambda *s: [*ss.gausspulse(*s, retquad=True, retenv=True), ss.gausspulse("cutoff", *s[1:])],
    ),
    sample(ss.sawtooth, uniform(-4, 9, 5), np.float64(0.3)),
    sample(ss.square, uniform(-4, 9, 5), 0.3),
    sample(ss.sweep_poly, uniform(0, 1, 3), normal(3), 20.0),
    sample(ss.gauss_spline, normal(4), call=lambda x: ss.gauss_spline(x, 3)),
    sample(ss.vectorstrength, uniform(0, 5, 4), np.array([1.3, 2.1])),
    sample(ss.lfiltic, B, A, normal(3), normal(2)),
    sample(ss.cspline1d, X),
    sample(ss.cspline1d, X, 0.4),
    sample(ss.qspline1d, X),
    sample(ss.cspline2d, IMAGE, call=lambda x: ss.cspline2d(x, 0.05), no_float32=COARSE),
    sample(ss.qspline2d, IMAGE),
    sample(ss.symiirorder1, normal(40), 0.3, 0.4),
    sample(ss.symiirorder2, normal(40), 0.3, 0.4),
    sample(ss.sepfir2d, IMAGE[:5, :4], np.array([0.2, 0.5, 0.2]), np.array([0.1, 0.6, 0.1]), same_bits=False),
    sample(ss.spline_filter, IMAGE, call=lambda x: ss.spline_filter(x, 0.05), no_float32=COARSE),
    sample(ss.cspline1d_eval, X, uniform(-9, 30, 4), 1.1, 0.3),
    sample(ss.qspline1d_eval, X, uniform(-9, 30, 4), 1.1, 0.3),
    sample(ss.peak_prominences, HILLS, call=lambda x: ss.peak_prominences(x, PEAKS)[0]),
    sample(ss.peak_widths, HILLS, 0.6, call=lambda x, r: ss.peak_widths(x, PEAKS, r)),
    sample(ss.envelope, X, call=lambda x: ss.envelope(x, (1, 6), n_out=9)),
    sample(ss.hilbert2, IMAGE[:4, :5]),
    sample(ss.zoom_fft, X, np.array([0.2, 0.6]), np.float64(2.3), call=lambda x, f, fs: ss.zoom_fft(x, f, 5, fs=fs)),
    sample(ss.czt_points, 0.9 + 0.1j, 1.1, call=lambda w, a: ss.czt_points(4, w, a)),
    sample(
        ss.closest_STFT_dual_window,
        uniform(0.3, 1, 7),
        normal(7),
        call=lambda w, d: ss.closest_STFT_dual_window(w, 3, d),
    ),
    sample(ss.ShortTimeFFT, X, call=lambda x: TRANSFORM.stft(x, padding="even")),
    sample(ss.ShortTimeFFT, cnormal(5, 10), call=TRANSFORM.istft),
    sample(ss.CZT, X, call=ss.ZoomFFT(24, [0.1, 0.3], 5)),
]
