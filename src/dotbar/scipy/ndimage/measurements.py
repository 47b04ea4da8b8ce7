"""Sums, means and centres of labelled regions, and distances in units that may be traced."""

from typing import Any

import numpy as np
import scipy.ndimage as nd

from dotbar.core import as_array, dtype_of, first_traced, primitive
from dotbar.errors import NoRuleError
from dotbar.rules.kinds import constant
from dotbar.rules.lapack_words import inexact
from dotbar.rules.words import raise_if, stop_gradient
from dotbar.scipy.binding import in_place_of
from dotbar.scipy.mirror import stands_for


def regions(input: Any, labels: Any, index: Any) -> tuple[Any, Any, Any]:
    """The values, the number of the region in which each is (the last one is none's), and the regions that are asked
    for.
    """
    x = np.ravel(inexact(input))
    if labels is None:
        return x, np.zeros(x.shape, int), np.zeros(() if index is None else np.shape(index), int)
    labels = np.ravel(np.broadcast_to(labels, np.shape(input)))
    if index is None:
        return x, np.where(labels > 0, 0, 1), np.zeros((), int)
    wanted, place = np.unique(np.ravel(index), return_inverse=True)
    known = np.isin(labels, wanted)
    return x, np.where(known, np.searchsorted(wanted, labels), len(wanted)), np.reshape(place, np.shape(index))


def totals(x: Any, region: Any, wanted: Any) -> Any:
    """The sum over each region that is asked for."""
    return np.bincount(region, x, int(np.max(region, initial=0)) + 1 + np.size(wanted))[wanted]


@in_place_of(nd.sum_labels)
def sum_labels(input: Any, labels: Any, index: Any) -> Any:
    return totals(*regions(input, labels, index))


@in_place_of(nd.sum)
def sum(input: Any, labels: Any, index: Any) -> Any:
    return sum_labels(input, labels, index)


def mean_of(x: Any, region: Any, wanted: Any) -> Any:
    return totals(x, region, wanted) / totals(np.ones(len(region)), region, wanted)


@in_place_of(nd.mean)
def mean(input: Any, labels: Any, index: Any) -> Any:
    return mean_of(*regions(input, labels, index))


@in_place_of(nd.variance)
def variance(input: Any, labels: Any, index: Any) -> Any:
    x, region, wanted = regions(input, labels, index)
    every = np.arange(int(np.max(region)) + 1)
    sizes = np.maximum(totals(np.ones(len(region)), region, every), 1)
    centre = (totals(x, region, every) / sizes)[region]
    return mean_of((x - centre) ** 2, region, wanted)


@in_place_of(nd.standard_deviation)
def standard_deviation(input: Any, labels: Any, index: Any) -> Any:
    return np.sqrt(variance(input, labels, index))


def by_order(original: Any, place: Any, of_none: float) -> None:
    """Enter a measurement that is an entry of each region, or the mean of two, by their order.

    ``of_none`` is that of a region without entries, among several ones.
    """

    @in_place_of(original)
    def call(input: Any, labels: Any, index: Any) -> Any:
        x, region, wanted = regions(input, labels, index)
        order = np.lexsort((stop_gradient(x), region))
        starts = np.searchsorted(np.sort(region), np.arange(np.max(wanted, initial=0) + 2))
        first, last = starts[wanted], starts[wanted + 1] - 1
        low, high = (np.minimum(i, len(x) - 1) for i in place(first, last))
        if np.ndim(wanted) == 0 and of_none == 0:
            raise_if(last < first, error=ValueError("zero-size array to reduction operation which has no identity"))
        return np.where(last < first, of_none, (x[order[low]] + x[order[high]]) / 2)


by_order(nd.minimum, lambda first, last: (first, first), 0.0)
by_order(nd.maximum, lambda first, last: (last, last), 0.0)
by_order(nd.median, lambda first, last: ((first + last) // 2, (first + last + 1) // 2), np.nan)


@in_place_of(nd.center_of_mass)
def center_of_mass(input: Any, labels: Any, index: Any) -> Any:
    x, region, wanted = regions(input, labels, index)
    whole = totals(x, region, wanted)
    parts = [totals(x * np.ravel(at), region, wanted) / whole for at in np.indices(np.shape(input)).astype(float)]
    if np.ndim(wanted) == 0:
        return tuple(parts)
    return [tuple(row) for row in np.stack(parts).T]


@stands_for(nd.distance_transform_edt)
def distance_transform_edt(
    input: Any,
    sampling: Any = None,
    return_distances: bool = True,
    return_indices: bool = False,
    distances: Any = None,
    indices: Any = None,
) -> Any:
    """The nearest background is locally constant, and so is the image, which is on or off."""
    if first_traced([input, sampling]) is None:
        return nd.distance_transform_edt(input, sampling, return_distances, return_indices, distances, indices)
    if distances is not None or indices is not None:
        raise NoRuleError("scipy.ndimage.distance_transform_edt does not write traced values into given arrays.")
    input = as_array(input)
    if dtype_of(input).kind in "fc" and first_traced([input]) is not None:
        raise NoRuleError("scipy.ndimage.distance_transform_edt has a derivative in sampling; its input is on or off.")
    widths = np.broadcast_to(inexact(sampling), (np.ndim(input),))
    where = nearest_background(input, widths)
    steps = where - np.indices(np.shape(input))
    far = np.any(steps != 0, 0)
    squares = np.stack([(widths[k] * steps[k]) ** 2 for k in range(np.ndim(input))])
    d = np.where(far, np.sqrt(np.where(far, np.sum(squares, 0), 1.0)), 0.0)
    return (d, where) if return_distances and return_indices else d if return_distances else where


@primitive
def nearest_background(x: Any, sampling: Any) -> Any:
    """For each entry the place of the nearest one that is zero."""
    return nd.distance_transform_edt(x, sampling, False, True)


constant(nearest_background, like=lambda x, sampling: None)
