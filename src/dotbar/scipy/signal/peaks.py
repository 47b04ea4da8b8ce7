"""Prominences and widths of peaks: where a peak, its bases and its flanks are is a choice, their heights are not."""

from typing import Any

import numpy as np
import scipy.signal as ss

from dotbar.core import as_array, primitive
from dotbar.rules.kinds import constant
from dotbar.rules.lapack_words import inexact
from dotbar.scipy.binding import in_place_of


@primitive
def bases(x: Any, peaks: Any, *, wlen: Any) -> Any:
    """On either side the place of the lowest value before a higher peak."""
    return ss.peak_prominences(x, peaks, wlen)[1:]


@primitive
def flanks(x: Any, heights: Any, peaks: Any, left: Any, right: Any) -> Any:
    """On either side the place at which the signal first is no higher than a height, or the base."""
    found = np.empty((2, len(peaks)), int)
    for row, ends, step in ((0, left, -1), (1, right, 1)):
        for k, (place, end) in enumerate(zip(peaks, ends)):
            while place != end and heights[k] < x[place]:
                place += step
            found[row, k] = place
    return found


constant(bases, like=lambda x, peaks, *, wlen: None)
constant(flanks, like=lambda x, heights, peaks, left, right: None)


def positions(peaks: Any) -> Any:
    """Places as integers, also none."""
    return as_array(peaks) if np.size(peaks) else np.zeros(0, int)


@in_place_of(ss.peak_prominences)
def peak_prominences(x: Any, peaks: Any, wlen: Any) -> Any:
    """The height above the higher base."""
    x, peaks = inexact(x).astype(float), positions(peaks)
    left, right = bases(x, peaks, wlen=wlen)
    return x[peaks] - np.maximum(x[left], x[right]), left, right


@in_place_of(ss.peak_widths)
def peak_widths(x: Any, peaks: Any, rel_height: Any, prominence_data: Any, wlen: Any) -> Any:
    """Between the crossings of a height, interpolated linearly."""
    x, peaks = inexact(x).astype(float), positions(peaks)
    prominence, left, right = prominence_data or peak_prominences(x, peaks, wlen)
    heights = x[peaks] - prominence * rel_height
    places = flanks(x, heights, peaks, left, right)

    def crossing(at: Any, towards: int) -> Any:
        beyond = x[at] < heights
        rise = np.where(beyond, x[at + towards * beyond] - x[at], 1.0)
        return at + np.where(beyond, towards * (heights - x[at]) / rise, 0.0)

    ends = crossing(places[0], 1), crossing(places[1], -1)
    return ends[1] - ends[0], heights, *ends
