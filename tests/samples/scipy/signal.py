"""Samples of scipy/signal."""

import numpy as np

import dotbar.scipy.signal as ss
from dotbar.scipy.signal.convolution import convolution
from dotbar.scipy.signal.filters import change_rate, lags, rational
from samples import cnormal, normal, sample, uniform

X = normal(12)
XS = normal(2, 14)
B = np.array([0.4, 0.3, -0.2])
A = np.array([1.2, -0.5, 0.3])
SOS = np.array([[0.3, 0.2, 0.1, 1.0, -0.4, 0.2], [0.5, -0.1, 0.2, 1.0, 0.3, 0.1]])
LONG = normal(40)


def spectrum(name, **options):
    """The results that are no frequencies or times."""
    return lambda *args: getattr(ss, name)(*args, **options)[-1]


def filtered(b, a, x, zi):
    return ss.lfilter(b, a, x, axis=0, zi=zi)


def sections(b, a):
    """SciPy wants ones."""
    return np.concatenate([b, np.ones((2, 1), b.dtype), a], 1)


def in_sections(b, a, x, zi):
    return ss.sosfilt(sections(b, a), x, zi=zi)


def simulated(A, B, C, U, X0):
    return ss.lsim((A, B, C, np.zeros((1, 1))), U, np.linspace(0, 1, 5), X0)[1:]


SAMPLES = [
    sample(convolution, normal(4, 5), normal(3, 2), mode="full"),
    sample(convolution, cnormal(4, 5), cnormal(3, 2), mode="valid"),
    sample(rational, cnormal(3), A + 0.1j, cnormal(2, 6)),
    sample(rational, normal(3), np.array([1.3]), normal(6)),
    sample(lags, cnormal(2, 6), cnormal(2, 6), count=3),
    sample(change_rate, cnormal(5), cnormal(2, 7), up=3, down=2),
    sample(change_rate, normal(4), normal(6), up=2, down=5),
    sample(ss.convolve, X, B, case="convolve"),
    sample(ss.convolve, normal(4, 3), normal(2, 2), mode="same"),
    sample(ss.fftconvolve, X, B, mode="same", case="fftconvolve"),
    sample(ss.fftconvolve, cnormal(2, 5), normal(2, 3), axes=-1),
    sample(ss.oaconvolve, X, B, mode="valid", case="oaconvolve"),
    sample(ss.correlate, X, B, case="correlate"),
    sample(ss.convolve2d, normal(4, 5), normal(3, 2), mode="same", case="convolve2d"),
    sample(ss.convolve2d, normal(4, 5), normal(3, 2), boundary="wrap", case="convolve2d wrap"),
    sample(ss.correlate2d, normal(4, 5), normal(2, 2), "same", "symm", case="correlate2d"),
    sample(ss.lfilter, B, A, normal(9, 2), normal(2, 2), call=filtered, case="lfilter"),
    sample(ss.filtfilt, B, A, LONG, case="filtfilt"),
    sample(ss.filtfilt, B, A, XS, method="gust"),
    sample(ss.filtfilt, B, A, LONG, method="gust", irlen=3, wrt=(1, 2)),
    sample(ss.sosfilt, XS, call=lambda x: ss.sosfilt(SOS, x), case="sosfilt wrt x"),
    sample(ss.sosfilt, SOS[:, :3], SOS[:, 4:], XS, normal(2, 2, 2), call=in_sections, case="sosfilt wrt sos"),
    sample(
        ss.sosfiltfilt,
        SOS[:, :3],
        SOS[:, 4:],
        LONG,
        call=lambda b, a, x: ss.sosfiltfilt(sections(b, a), x, padlen=9),
        same_bits=False,
    ),
    sample(ss.savgol_filter, XS, 5, 2, wrt=(0,), case="savgol_filter"),
    sample(ss.savgol_filter, XS, 5, 3, wrt=(0,), deriv=1, mode="mirror"),
    sample(ss.hilbert, XS, case="hilbert"),
    sample(ss.detrend, XS, case="detrend"),
    sample(ss.detrend, XS, wrt=(0,), bp=[6]),
    sample(ss.resample, XS, 9, wrt=(0,), axis=1, case="resample"),
    sample(ss.resample, X, 18, wrt=(0,), window="hamming"),
    sample(ss.resample_poly, XS, 3, 2, wrt=(0,), axis=1, case="resample_poly"),
    sample(ss.stft, LONG, call=spectrum("stft", nperseg=8), case="stft"),
    sample(ss.istft, cnormal(5, 4), call=spectrum("istft", nperseg=8), case="istft"),
    sample(ss.welch, LONG, call=spectrum("welch", nperseg=16), case="welch"),
    sample(ss.csd, LONG, normal(40, seed=1), call=spectrum("csd", nperseg=16), case="csd"),
    sample(ss.periodogram, XS, call=spectrum("periodogram", fs=3.0), case="periodogram"),
    sample(ss.spectrogram, LONG, call=spectrum("spectrogram", nperseg=16), case="spectrogram"),
    sample(ss.medfilt, normal(3, 4), case="medfilt"),
    sample(ss.freqz, B, A, call=spectrum("freqz", worN=5), case="freqz"),
    sample(ss.decimate, LONG, 4, wrt=(0,), case="decimate"),
    sample(ss.lombscargle, np.sort(uniform(0, 9, 10)), normal(10), uniform(0.5, 3, 4), case="lombscargle"),
    sample(ss.czt, X, 5, wrt=(0,), case="czt"),
    sample(ss.czt, X, call=lambda x: ss.czt(x, 5, 0.9 + 0.1j, 1.1)),
    sample(ss.upfirdn, B, XS, 3, 2, wrt=(0, 1), case="upfirdn"),
    sample(ss.wiener, normal(5, 4), case="wiener"),
    sample(ss.deconvolve, X, B, case="deconvolve"),
    sample(
        ss.lsim, normal(2, 2), normal(2, 1), normal(1, 2), normal(5), normal(2, seed=8), call=simulated, case="lsim"
    ),
]
