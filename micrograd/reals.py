"""What counts as a real number here, and how an error names what was given instead.

A Value holds one real number, so everything that becomes one passes through `real`. There is
nothing to read first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["describe", "is_real", "real"]


def is_real(x: Any) -> bool:
    """int, float, bool, NumPy's real scalars and 0-d arrays of them: what a Value can hold."""
    if isinstance(x, (float, int)):
        return True
    if isinstance(x, (np.generic, np.ndarray)):
        return x.dtype.kind in "biuf" and x.shape == ()  # a timedelta is an np.integer, too
    return False


def real(x: Any) -> float:
    """A Python float of any real number; a TypeError that names anything else."""
    if not isinstance(x, (float, int)) and not is_real(x):
        hint = "; use the Value itself, or v.detach() for its number alone" if _is_value(x) else ""
        raise TypeError(f"got {describe(x)}; a Value holds one real number{hint}")
    try:
        return float(x)
    except OverflowError:
        raise OverflowError(
            f"got {describe(x)}; a Value holds a float, whose size ends at 1.8e308"
        ) from None


def _is_value(x: Any) -> bool:
    return hasattr(type(x), "_interpret")


def describe(x: Any) -> str:
    """Type and text of anything, short enough for an error: `int 3`, `list [1, 2]`."""
    kind = type(x).__name__
    try:
        text = repr(x)
    except Exception:  # a broken repr, or an int of more digits than Python prints
        return f"{kind} that cannot be printed"
    return f"{kind} {text if len(text) <= 60 else text[:57] + '...'}"
