"""Tables read by integers that arrive while a program runs, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["choose_rows", "run_length", "scatter_add"]


def choose_rows(chosen: np.ndarray, rows: int, step: int, out: np.ndarray, bits: Any) -> None:
    """out = chosen * step, where `chosen` are row numbers of a table of `rows` rows.

    They arrive as floats, as every argument does. `bits` is `out` read as unsigned integers, in
    which a negative number is a huge one: one comparison finds what is too small and too large.
    """
    np.copyto(out, chosen, "unsafe")
    if out.size and np.maximum.reduce(bits, None) >= rows:
        bad = out[(out < 0) | (out >= rows)].flat[0]
        raise IndexError(f"index {bad} is out of range for a table of {rows} rows")
    np.multiply(out, step, out)


def scatter_add(grads: np.ndarray, places: np.ndarray, g: np.ndarray) -> None:
    """grads[places] += g, where places may be repeated.

    Both are made flat first: add.at then takes 0.8 us for 112 numbers and 4.8 us for 6,144;
    bincount with weights takes 1.4 and 8.2 us.
    """
    g = g.copy() if np.may_share_memory(grads, g) else g
    np.add.at(grads, places.reshape(-1), g.reshape(-1))


def run_length(places: np.ndarray) -> int:
    """The largest length of rows such that a list of places visits whole rows.

    Each row begins at a multiple of the length, counted from the lowest place.

    >>> run_length(np.array([4, 5, 10, 11, 4, 5, 6, 7]))
    2
    """
    flat = places.reshape(-1)
    if flat.size > 1 and flat[1] != flat[0] + 1:
        return 1
    starts = np.flatnonzero(np.diff(flat) != 1) + 1
    found = np.gcd.reduce(starts, initial=flat.size)
    firsts = flat[np.concatenate(([0], starts))] if flat.size else flat
    return int(np.gcd.reduce(firsts - firsts.min(), initial=found)) if flat.size else 1
