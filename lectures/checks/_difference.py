"""What is said of a number or an array that is not right: where, by how much, what it is instead.

`difference` needs only the two; `misread` knows what misreadings of the text give; `beside` writes
a number that falls short of a bar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["beside", "difference", "misread", "off_at", "unlike"]


def misread(got: Any, instead: Mapping[str, Any], near: float = 1e-3) -> str:
    """What is to be said of an answer that a misreading of the text gives; the nearest of them."""
    least, told = np.inf, ""
    for said, other in instead.items():
        try:
            found, known = np.asarray(got, dtype=float), np.asarray(other, dtype=float)
        except (TypeError, ValueError):
            return ""
        if found.shape != known.shape:
            continue
        if not np.allclose(found, known, rtol=near, atol=1e-9, equal_nan=True):
            continue
        with np.errstate(invalid="ignore"):  # inf - inf
            off = float(np.nansum(np.abs(found - known)))
        if off < least:
            least, told = off, f" ({said})"
    return told


def difference(given: np.ndarray, wanted: np.ndarray, rtol: float, atol: float) -> str:
    """Where two arrays of one shape differ, by how much, and whether one is a multiple."""
    off = ~np.isclose(given, wanted, rtol=rtol, atol=atol, equal_nan=True)
    place = tuple(int(i) for i in np.argwhere(off)[0]) if wanted.ndim else ()
    here, there = float(given[place]), float(wanted[place])
    known = _relation(given, wanted)
    if not wanted.ndim:
        short = float(f"{there:.3g}") == there  # 0.5 for 2 is 1/4 of it, and that means nothing
        if known and (known.startswith("minus what") or not short):
            return f"{unlike(here, there)} is not right: it is {known}"
        if not (np.isfinite(here) and np.isfinite(there)):
            return _endless(here, there)
        side = "large" if here > there else "small"
        return f"{unlike(here, there)} is too {side} by {_plain(abs(here - there))}"
    where = f" at {list(place)}"
    if not np.isfinite(here):
        return _endless(here, there, where)
    count = int(off.sum())
    if given.size > 1 and not given.any():
        zeros = given.size - count
        some = f"only {zeros} of the {given.size}" if zeros else "none"
        return f"all are 0, and {some} should be"
    first = off_at(off, place)
    if not np.isfinite(there):
        return f"{first}: {unlike(here, there)}"
    side = "large" if here > there else "small"
    by = f"{first}: {unlike(here, there)} is too {side} by {_plain(abs(here - there))}"
    return by + (f"; the whole is {known}" if known else "")


def off_at(off: np.ndarray, place: Sequence[int], thing: str = "number") -> str:
    """How many of the numbers are not right, and where the first of those stands."""
    count, where, things = int(off.sum()), list(place), f"{thing}s"
    if off.size == 1:
        return f"the only {thing}, at {where}, is not right"
    if count == off.size:
        none = "neither" if count == 2 else "none"
        return f"{none} of the {count} {things} is right, the first at {where}"
    if count == 1:
        return f"one of the {off.size} {things} is not right, at {where}"
    return f"{count} of the {off.size} {things} are not right, the first at {where}"


def beside(x: float, bar: float, digits: int = 3, *, percent: bool = False) -> str:
    """A number in so many decimals that it reads as lying on its own side of the bar."""
    for decimals in range(digits, 18):
        text = f"{x:.{decimals}%}" if percent else f"{x:.{decimals}f}"
        read = float(text[:-1]) / 100 if percent else float(text)
        if (read < bar, read > bar) == (x < bar, x > bar):
            break
    return text


def _relation(given: np.ndarray, wanted: np.ndarray) -> str:
    """ "minus", "3 times" or "1/3 of what is right", where that explains every number."""
    with np.errstate(all="ignore"):
        scale = np.abs(wanted).max() if wanted.size else 0.0
        if not np.isfinite(scale) or scale == 0 or not np.isfinite(given).all():
            return ""
        factor = float((given * wanted).sum() / (wanted * wanted).sum())
    if factor == 0 or not np.allclose(given, factor * wanted, rtol=1e-6, atol=1e-9 * scale):
        square = wanted.ndim == 2 and wanted.shape[0] == wanted.shape[1]
        same_turned = square and np.allclose(given.T, wanted, rtol=1e-6, atol=1e-9 * scale)
        return "the transpose of what is right" if same_turned else ""
    sign, size = ("minus " if factor < 0 else ""), abs(factor)
    if abs(size - 1) < 1e-6:
        return "minus what is right" if factor < 0 else ""
    for text, ratio in (("{} times what is right", size), ("1/{} of what is right", 1 / size)):
        if 2 <= round(ratio) <= 100_000 and abs(ratio - round(ratio)) < 1e-6 * ratio:
            named = {"2 times": "twice", "1/2 of": "half of"}
            found = text.format(round(ratio))
            for long, short in named.items():
                found = found.replace(long, short) if found.startswith(long) else found
            return sign + found
    return ""


def _endless(here: float, there: float, where: str = "") -> str:
    """What is said of nan and inf, or of a number where one of them is right."""
    if np.isnan(here):
        return f"nan{where} (as from 0/0 or inf - inf) where a number is wanted"
    if np.isinf(here) and np.isfinite(there):
        return f"{here}{where} where a finite number is wanted"
    return f"{unlike(here, there)}{where} is not right"


def unlike(here: float, there: float) -> str:
    """A number in so many digits that it does not read as the right one."""
    for digits in range(6, 18):
        text = f"{here:.{digits}g}"
        if text != f"{there:.{digits}g}":
            break
    return text


def _plain(x: float) -> str:
    """Three digits, and no exponent where people write none: 12346 rather than 1.23e+04."""
    text = f"{x:.3g}"
    return f"{x:.0f}" if "e+" in text and x < 1e9 else text
