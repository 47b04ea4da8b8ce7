"""Samples of scipy/fft.py."""

import dotbar.scipy.fft as fft
from samples import cnormal, normal, sample

FAMILIES = ("dct", "idct", "dst", "idst")

SAMPLES = [
    sample(fft.fft, cnormal(2, 5)),
    sample(fft.fft, normal(5, 2), 8, 0, "ortho", True),
    sample(fft.ifft, cnormal(6), n=4, norm="forward"),
    sample(fft.rfft, normal(2, 5)),
    sample(fft.irfft, cnormal(2, 4), 7),
    sample(fft.hfft, cnormal(2, 4), 5),
    sample(fft.ihfft, normal(2, 6)),
    *(sample(f, cnormal(2, 3, 4), norm="ortho") for f in (fft.fft2, fft.ifft2, fft.irfft2)),
    sample(fft.hfft2, cnormal(2, 3, 4), case="hfft2"),
    sample(fft.hfft2, cnormal(3, 4), (4, 5), norm="forward"),
    *(sample(f, normal(2, 3, 4)) for f in (fft.rfft2, fft.ihfft2)),
    *(sample(f, cnormal(3, 4), s=(2, 5)) for f in (fft.fftn, fft.ifftn, fft.irfftn, fft.hfftn)),
    *(sample(f, normal(3, 4), axes=(1, 0)) for f in (fft.rfftn, fft.ihfftn)),
    sample(fft.fftshift, normal(5, 4)),
    sample(fft.ifftshift, normal(5, 4), axes=0),
    sample(fft.fftfreq, 6, 0.3),
    sample(fft.rfftfreq, 6, 0.3),
    *(sample(getattr(fft, name), normal(2, 5), case=name) for name in FAMILIES),
    *(sample(getattr(fft, name), normal(5, 2), 3, 7, 0, "ortho") for name in FAMILIES),
    *(sample(getattr(fft, name), cnormal(5), 2, 3, norm="forward", orthogonalize=True) for name in FAMILIES),
    sample(fft.dct, normal(2, 5), 1, case="dct type 1"),
    sample(fft.dct, normal(2, 5), 3, case="dct type 3"),
    sample(fft.dct, normal(2, 5), type=4, case="dct type 4"),
    *(sample(getattr(fft, f"{name}n"), normal(3, 4), case=f"{name}n") for name in FAMILIES),
    *(sample(getattr(fft, f"{name}n"), normal(2, 3, 4), 1, s=(4, 3), axes=(0, 2), norm="ortho") for name in FAMILIES),
    sample(fft.trigonometric, normal(2, 5), name="dst", type=1),
    sample(fft.fht, normal(2, 6), 0.3, 0.7, 0.1, 0.2, case="fht"),
    sample(fft.fht, normal(5), 0.3, 1.2, wrt=(0,)),
    sample(fft.ifht, normal(2, 6), 0.3, 0.7, offset=0.1, bias=0.2, wrt=(0, 1, 2, "offset", "bias")),
    sample(fft.fhtoffset, 0.3, 0.7, 0.1, 0.2),
]
