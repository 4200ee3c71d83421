"""Notation: how a lesson and a picture write names and numbers, as text.

Read `readable`, then `bracketed`.
"""

from __future__ import annotations

import math

__all__ = ["MINUS", "TIMES", "bracketed", "gradient", "readable", "same"]

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
_OPERATORS = frozenset(f"+-*/^=<>@{MINUS}{TIMES}·")


def readable(x: float) -> str:
    """A number as a learner reads it: four decimals or four digits, and a real minus sign."""
    x = float(x)
    if not math.isfinite(x):
        return "nan" if math.isnan(x) else "∞" if x > 0 else f"{MINUS}∞"
    text = f"{x:.4f}" if 1 <= abs(x) < 1e5 else f"{x + 0.0:.4g}"
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return (mantissa + (f"e{int(exponent)}" if exponent else "")).replace("-", MINUS)


def bracketed(name: str) -> str:
    """A name that holds an operator in parentheses, so that `.grad` speaks of the whole of it."""
    depth = 0
    for c in name:
        depth += (c in "([") - (c in ")]")
        if depth == 0 and (c in _OPERATORS or c.isspace()):
            return f"({name})"
    return name


def same(name: str, made: str) -> bool:
    """Whether a name says already how its node was made: a - b = a − b is no news."""
    return _plain(name) == _plain(made)


def _plain(text: str) -> str:
    return text.replace(" ", "").replace(MINUS, "-")


def gradient(name: str) -> str:
    """`n.grad`, `(a+b).grad`"""
    return f"{bracketed(name)}.grad"
