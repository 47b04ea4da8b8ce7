"""Samples of rules/fft.py."""

import numpy as np

from dotbar.rules.fft import fit_length
from samples import cnormal, normal, sample

fft = np.fft


def both_ways(transform, name):
    """A transform of complex arrays in all its forms."""
    return [
        sample(transform, cnormal(2, 5), case=name),
        sample(transform, normal(6), case=name),
        sample(transform, cnormal(5, 2), 8, 0, case=f"{name} n>len"),
        sample(transform, normal(2, 5), n=3, case=f"{name} n<len"),
        sample(transform, cnormal(4, 3), axis=0, norm="ortho", case=f"{name} norm=ortho axis=0"),
        sample(transform, cnormal(4), norm="forward"),
    ]


def several(transform, name, **kw):
    """A transform along several axes."""
    return [
        sample(transform, cnormal(3, 4, 5) if name[0] != "r" else normal(3, 4, 5), case=name),
        sample(transform, normal(3, 4, 4), s=(5, 3), axes=(1, 0), norm="ortho"),
        sample(transform, normal(3, 4, 4), s=(-1, 6), axes=(0, -1), norm="forward"),
    ]


SAMPLES = [
    *both_ways(fft.fft, "fft"),
    *both_ways(fft.ifft, "ifft"),
    *several(fft.fft2, "fft2"),
    *several(fft.ifft2, "ifft2"),
    *several(fft.fftn, "fftn"),
    *several(fft.ifftn, "ifftn"),
    *several(fft.rfft2, "rfft2"),
    *several(fft.rfftn, "rfftn"),
    *several(fft.irfft2, "irfft2"),
    *several(fft.irfftn, "irfftn"),
    sample(fft.irfftn, cnormal(3, 4), s=(3, -1), axes=(0, 1)),
    sample(fft.rfftn, normal(3, 4), axes=(0, 0)),
    sample(fft.rfft, normal(2, 6), case="rfft"),
    sample(fft.rfft, normal(2, 5), case="rfft odd"),
    sample(fft.rfft, normal(5, 2), 8, 0, "ortho", case="rfft n>len"),
    sample(fft.rfft, normal(5), n=3, norm="forward"),
    sample(fft.rfft, normal(3), n=1),
    sample(fft.rfft, normal(3), n=2),
    sample(fft.irfft, cnormal(2, 4), case="irfft"),
    sample(fft.irfft, cnormal(2, 4), n=7, case="irfft odd n"),
    sample(fft.irfft, cnormal(4, 2), n=5, axis=0, norm="ortho"),
    sample(fft.irfft, cnormal(4), n=12, norm="forward"),
    sample(fft.irfft, normal(4)),
    sample(fft.irfft, cnormal(2), n=1),
    sample(fft.irfft, cnormal(2), n=2),
    sample(fft.hfft, cnormal(2, 4), case="hfft"),
    sample(fft.hfft, cnormal(4, 2), n=5, axis=0, norm="ortho"),
    sample(fft.ihfft, normal(2, 6), case="ihfft"),
    sample(fft.ihfft, normal(5, 2), n=8, axis=0, norm="forward"),
    sample(fft.fftshift, normal(5, 4), case="fftshift"),
    sample(fft.fftshift, cnormal(5, 4), axes=0),
    sample(fft.ifftshift, normal(5, 4), case="ifftshift"),
    sample(fft.ifftshift, cnormal(5, 4), axes=(0, -1)),
    sample(fit_length, normal(2, 5), n=7),
    sample(fit_length, cnormal(5, 2), n=3, axis=0),
]
