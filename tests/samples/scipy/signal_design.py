"""Samples of scipy/signal: design of filters, windows, forms of filters."""

import numpy as np

import dotbar.scipy.signal as ss
import dotbar.scipy.signal.windows as sw
from dotbar.scipy.signal.conversions import pairing_of
from dotbar.scipy.signal.fractions import groups
from samples import cnormal, normal, sample

B = np.array([0.3, 0.5, -0.2])
A = np.array([2.0, 0.4, 0.3, 0.2])
Z = np.array([-0.8, -0.4 + 0.3j])
P = np.array([-0.7 + 0.2j, -0.3, -0.5 - 0.4j])
GAIN, W0, WIDTH = np.float64(0.7), np.float64(1.3), np.float64(0.4)
BAND = np.array([0.2, 0.5])
SOS = np.array([[0.3, 0.2, 0.1, 1.0, -0.4, 0.2], [0.5, -0.1, 0.2, 1.0, 0.3, 0.1]])


def sample_of(fn, *args, options=None, after=(), **more):
    """A sample of positional arguments that are differentiated, and others."""
    return sample(fn, *args, call=lambda *xs: fn(*xs, *after, **(options or {})), **more)


def closed(f):
    """A function of zeros or poles with their conjugates."""
    return lambda z, p, *rest: f(np.concatenate([z, np.conj(z)]), np.concatenate([p, np.conj(p)]), *rest)


def windows(beta, std, alpha, at, tau):
    return [
        sw.kaiser(6, beta),
        sw.kaiser_bessel_derived(6, beta),
        sw.gaussian(6, std, sym=False),
        sw.general_gaussian(6, alpha, std),
        sw.general_hamming(5, alpha),
        sw.general_cosine(5, [alpha, std, beta]),
        sw.tukey(7, alpha),
        sw.chebwin(6, at),
        sw.chebwin(5, at, sym=False),
        sw.exponential(6, alpha, tau, sym=False),
        sw.taylor(6, 4, at),
        ss.get_window(("gaussian", std), 5),
        ss.get_window(beta, 5),
    ]


SAMPLES = [
    sample(sw.kaiser, 3.0, 1.2, 0.6, 50.0, 2.0, call=windows, rtol=1e-5),
    sample(sw.dpss, 2.1, call=lambda NW: [*sw.dpss(8, NW, 2, return_ratios=True), sw.dpss(8, NW, norm="subsample")]),
    sample(ss.normalize, B, A),
    sample_of(ss.lp2lp, B, A, W0),
    sample_of(ss.lp2hp, B, A, W0),
    sample_of(ss.lp2bp, B, A, W0, WIDTH),
    sample_of(ss.lp2bs, B, A, W0, WIDTH),
    sample_of(ss.bilinear, B, A, W0),
    sample(ss.zpk2tf, Z, P, GAIN, call=closed(ss.zpk2tf)),
    sample(ss.zpk2sos, Z, P, GAIN, call=closed(ss.zpk2sos)),
    sample(ss.tf2zpk, B, A),
    sample(ss.tf2sos, B, A),
    sample(ss.sos2zpk, SOS),
    sample(ss.sos2tf, SOS),
    *(sample(f, Z, P, GAIN, W0, WIDTH) for f in (ss.lp2bp_zpk, ss.lp2bs_zpk)),
    *(sample(f, Z, P, GAIN, W0) for f in (ss.lp2lp_zpk, ss.lp2hp_zpk, ss.bilinear_zpk)),
    sample(
        pairing_of,
        cnormal(2),
        cnormal(2),
        call=lambda z, p: pairing_of(z.real, p.real, pairing="nearest", analog=False),
    ),
    sample(groups, normal(4), 0.1),
    sample(ss.residue, A, B),
    sample(ss.residue, B, call=lambda b: ss.residue(b, np.poly([-1.0, -1.0, -2.0]))),
    sample(ss.residuez, A, B),
    sample(ss.unique_roots, np.array([1.0, 2.0, 1.0001]), call=lambda p: ss.unique_roots(p, 0.5, "avg")),
    sample(ss.invres, normal(3), np.array([-1.0, -2.0, -0.5]), normal(2)),
    sample(ss.invresz, normal(3), normal(2), call=lambda r, k: ss.invresz(r, [-1.0, -1.0, -0.5], k)),
    *(sample(ss.butter, BAND, call=lambda W, o=o: ss.butter(2, W, "band", output=o)) for o in ("ba", "sos")),
    sample(ss.bessel, 30.0, 100.0, call=lambda W, fs: ss.bessel(3, W, "high", norm="mag", fs=fs)),
    sample(ss.cheby1, 1.2, 0.3, call=lambda r, W: ss.cheby1(4, r, W, output="zpk")),
    sample(ss.cheby2, 30.0, BAND, call=lambda r, W: ss.cheby2(2, r, W, "stop")),
    sample(ss.ellip, 1.2, 30.0, 0.3, call=lambda r, s, W: ss.ellip(4, r, s, W, analog=True), rtol=1e-5),
    sample(
        ss.iirdesign, 20.0, 45.0, 1.0, 20.0, 100.0, call=lambda *xs: ss.iirdesign(*xs[:4], ftype="cheby2", fs=xs[4])
    ),
    *(
        sample(f, np.array([0.2, 0.5]), np.array([0.1, 0.6]), 3.0, 30.0)
        for f in (ss.buttord, ss.cheb1ord, ss.cheb2ord, ss.ellipord)
    ),
    *(sample(f, 0.3, 20.0, 2.1) for f in (ss.iirnotch, ss.iirpeak)),
    sample(ss.iircomb, 20.0, call=lambda Q: ss.iircomb(20.0, Q, "peak", 100.0, pass_zero=True)),
    sample(ss.gammatone, 0.3, call=lambda f: [*ss.gammatone(f, "iir"), ss.gammatone(f, "fir", numtaps=4)[0]]),
    sample(ss.kaiserord, 40.0, 0.35, call=lambda r, w: ss.kaiserord(r, w)[1] * np.ones(1)),
    sample(ss.firwin, BAND, 0.1, call=lambda c, w: ss.firwin(7, c, width=w, pass_zero=False)),
    sample(ss.firwin_2d, 0.4, call=lambda c: ss.firwin_2d((3, 4), ("hann", ("kaiser", c)), fc=c)),
    sample(
        ss.firwin2, np.array([0.3, 0.6]), normal(4), call=lambda f, g: ss.firwin2(7, np.pad(f, 1) + [0, 0, 0, 1], g)
    ),
    sample(
        ss.firls,
        np.array([0.1, 0.3, 0.4, 0.8]),
        np.array([1.0, 0.9, 0.2, 0.1]),
        np.array([1.0, 2.0]),
        call=lambda b, d, w: ss.firls(5, b, d, weight=w),
    ),
    sample(ss.savgol_coeffs, 0.7, 1.3, call=lambda d, p: ss.savgol_coeffs(5, 3, 1, d, p)),
    sample(
        ss.minimum_phase,
        np.array([0.1, 0.2, 1.0]),
        call=lambda h: ss.minimum_phase(np.concatenate([h, h[1::-1]]), n_fft=32),
    ),
]
