"""What rings: inputs unlike a reference, a loss that has risen; and who may be promoted.

`ks`, `chi_squared` and `psi` compare two samples; `monitor` watches five of them. Outcomes come
late or never, so `known_loss` uses those that are there and refuses to judge by few.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from scipy import stats

from service.log import Window
from service.model import log_losses
from service.world import VEHICLES, Columns

__all__ = [
    "TooFew",
    "benjamini_hochberg",
    "check_training",
    "chi_squared",
    "cusum",
    "inputs",
    "interval",
    "known_loss",
    "kolmogorov",
    "ks",
    "loss_score",
    "monitor",
    "psi",
    "verdict",
]


def psi(reference: np.ndarray, window: np.ndarray, bins: int = 10) -> float:
    """The sum of (q - p) log(q / p) over bins that hold equal shares of the reference."""
    edges = np.quantile(reference, np.arange(1, bins) / bins)
    p, q = (
        (np.bincount(np.searchsorted(edges, x, side="right"), minlength=bins) + 0.5)
        / (len(x) + 0.5 * bins)
        for x in (reference, window)
    )  # half a count more in each bin: no logarithm of 0
    return float(((q - p) * np.log(q / p)).sum())


def kolmogorov(t: float) -> float:
    """P(lambda > t), Kolmogorov's series; below 0.2 it is 1 to eleven digits."""
    k = np.arange(1, 101)
    return float(2 * ((-1.0) ** (k - 1) * np.exp(-2 * k**2 * t**2)).sum()) if t > 0.2 else 1.0


def ks(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """The largest distance of the two distribution functions, and its p-value."""
    at = np.concatenate([a, b])
    of_a, of_b = (np.searchsorted(np.sort(x), at, side="right") / len(x) for x in (a, b))
    distance = float(np.abs(of_a - of_b).max())
    p = kolmogorov(distance * math.sqrt(len(a) * len(b) / (len(a) + len(b))))
    return distance, min(max(p, 0.0), 1.0)


def chi_squared(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """The chi-squared statistic of two samples of categories, and its p-value."""
    names = np.unique(np.concatenate([a, b]))
    observed = np.array([[(x == name).sum() for name in names] for x in (a, b)])
    expected = observed.sum(1, keepdims=True) * observed.sum(0) / observed.sum()
    statistic = ((observed - expected) ** 2 / expected).sum()
    return float(statistic), float(stats.chi2.sf(statistic, len(names) - 1))


def inputs(reference: Columns, window: Columns) -> dict[str, float]:
    """The p-value of each of four columns."""
    p = {name: ks(reference[name], window[name])[1] for name in ("distance_km", "weight_kg")}
    for name in ("hour", "vehicle"):
        p[name] = chi_squared(reference[name], window[name])[1]
    return p


def monitor(
    model: Callable[[Columns], np.ndarray], reference: Columns, window: Columns
) -> dict[str, float]:
    """The p-value of each of five monitors: four columns, and the model's answers."""
    return {**inputs(reference, window), "answer": ks(model(reference), model(window))[1]}


def benjamini_hochberg(p: Any) -> np.ndarray:
    """Adjusted p-values: the smallest level at which each would be reported."""
    p = np.asarray(p)
    order = np.argsort(p)
    adjusted = np.minimum.accumulate((p[order] * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
    return np.minimum(adjusted[np.argsort(order)], 1.0)


def check_training(
    columns: Columns, reference: Columns, expected: Collection[str] = (), level: float = 1e-3
) -> None:
    """ValueError for columns unlike the last version's reference, unless they were `expected`."""
    p = inputs(reference, columns)
    odd = {k: v for k, v in p.items() if v < level / len(p) and k not in expected}
    if odd:
        words = ", ".join(f"{k} (p <= {max(v, 1e-300):.0e})" for k, v in odd.items())
        raise ValueError(f"unlike what the last version learnt from: {words}")


# --- outcomes, which come late or never -----------------------------------------------------------


class TooFew(ValueError):
    """There are not enough known outcomes for a judgement."""


def known_loss(p: np.ndarray, late: np.ndarray, least: int = 200) -> np.ndarray:
    """The losses of rows with an answer and an outcome; TooFew if these are fewer than `least`."""
    losses = log_losses(p, late)
    known = losses[~np.isnan(losses)]
    if len(known) < least:
        raise TooFew(f"{len(known)} of {len(losses)} outcomes are known, {least} are needed")
    return known


def loss_score(p: np.ndarray, late: np.ndarray, quiet: np.ndarray, least: int = 200) -> float:
    """How far the known loss lies above that of `quiet` times, in its own standard errors."""
    losses = known_loss(p, late, least)
    error = math.sqrt(quiet.var() / len(quiet) + losses.var() / len(losses))
    return float((losses.mean() - quiet.mean()) / error)


def cusum(scores: Any, slack: float = 0.5) -> np.ndarray:
    """S_t = max(0, S_{t-1} + z_t - slack): small excesses add up, calm days take them back."""
    total, sums = 0.0, []
    for z in scores:
        total = max(0.0, total + z - slack)
        sums.append(total)
    return np.array(sums)


def interval(d: np.ndarray) -> tuple[float, float]:
    """A 95% interval for the mean of the differences d."""
    half = 1.96 * d.std(ddof=1) / math.sqrt(len(d))
    return float(d.mean() - half), float(d.mean() + half)


def verdict(
    window: Window, old: int, new: int, least: int = 30
) -> tuple[bool, dict[str, tuple[float, float]]]:
    """Whether `new` is better on the known parcels; the interval of its gain by segment."""
    gain = log_losses(window.answers[old], window.late) - log_losses(
        window.answers[new], window.late
    )
    known, by = ~np.isnan(gain), {}
    for name in ("all", *VEHICLES):
        part = gain[known & ((window.columns["vehicle"] == name) | (name == "all"))]
        if len(part) < least:
            raise TooFew(f"{name}: {len(part)} outcomes are known, {least} are needed")
        by[name] = interval(part)
    return by["all"][0] > 0 and all(high > 0 for _, high in by.values()), by
