"""A warning, once, when a function has been recorded many times: what differed each time.

A function that is recorded at each call is slower than without lift, and gives no sign of it.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from micrograd.lifting.arguments import read
from micrograd.reals import describe

__all__ = ["History"]

_PATIENCE = 10  # recordings
_SHAPES = 64  # of arrays alone, whose programs are kept: only when there are too many


class History:
    """The recordings of one function so far."""

    def __init__(self) -> None:
        self.recordings = 0
        self._seen: dict[str, dict[Any, str]] = {}  # argument -> key -> how to show it
        self._shapes: set[str] = set()  # arguments of which only shapes have differed
        self._reasons: dict[str, None] = {}
        self._warned = False

    def add(self, name: str, arguments: dict[str, Any], why: str, level: int) -> None:
        """Note a recording for these arguments; `why`: what had changed since the last one."""
        self.recordings += 1
        if self._warned:
            return
        for argument, x in arguments.items():
            key = tuple(read((x,), {}).key)
            seen = self._seen.setdefault(argument, {})
            if key not in seen:
                seen[key] = _shown(x)
        if why:
            self._reasons[why] = None
        differed = [argument for argument, seen in self._seen.items() if len(seen) > 1]
        shapes_alone = not self._reasons and all(
            isinstance(arguments.get(a), np.ndarray) for a in differed
        )
        if self.recordings >= (_SHAPES if shapes_alone else _PATIENCE):
            self._warned = True
            differed.sort(key=lambda argument: -len(self._seen[argument]))
            said = [_advice(a, arguments.get(a), list(self._seen[a].values())) for a in differed]
            said += [_cause(why) for why in self._reasons]
            warnings.warn(
                f"{name} has been recorded {self.recordings} times, which takes longer than "
                f"running it without lift. {'; '.join(said[:3])}",
                stacklevel=level,
            )


def _cause(changed: str) -> str:
    if changed.endswith(".training"):
        return f"{changed} changed in between: lift a function of its own for evaluation"
    return f"{changed} changed in between: pass it as an argument"


def _shown(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"of shape {x.shape}"
    return describe(x).partition(" ")[2]


def _advice(name: str, x: Any, shown: list[str]) -> str:
    was = f"`{name}` was {', '.join(shown[:3])}{', ...' if len(shown) > 3 else ''}"
    if isinstance(x, np.ndarray):
        return f"{was}: pad it, or lift with batched=({name!r},)"
    if callable(x):
        return f"`{name}` was another {type(x).__name__} each time: make it once"
    if isinstance(x, (list, tuple)):
        return f"{was}: pass it as an array, np.array({name})"
    if isinstance(x, (int, str)):
        return f"{was}: pass it as a float or an array"
    return was
