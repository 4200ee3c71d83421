"""What is known of a function before it is called: its parameters, and whether it can be lifted."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["batched_places", "parameter_names", "refuse_unfinished"]


def refuse_unfinished(function: Any) -> None:
    """A TypeError for a generator or a coroutine: a call of it returns before its body has run."""
    for f in (function, type(function).__call__):
        kind = ""
        if inspect.isgeneratorfunction(f) or inspect.isasyncgenfunction(f):
            kind = "a generator"
        elif inspect.iscoroutinefunction(f):
            kind = "a coroutine"
        if kind:
            name = getattr(function, "__name__", repr(function))
            raise TypeError(
                f"{name} is {kind}, whose body runs after the call; lift a function that returns "
                "its results, such as a list"
            )


def parameter_names(function: Callable[..., Any]) -> list[str]:
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        repeated = parameter.kind is inspect.Parameter.VAR_POSITIONAL
        found += [f"{name}_{i}" for i in range(99)] if repeated else [name]
    return found


def batched_places(function: Callable[..., Any], batched: Sequence[str]) -> tuple[int | str, ...]:
    """Positions and names of the batched arguments."""
    if not batched:
        return ()
    names = list(inspect.signature(function).parameters)
    for name in batched:
        if name not in names:
            raise TypeError(f"lift(batched=...) names {name!r}, but the arguments are {names}")
    return (*batched, *(names.index(name) for name in batched))
