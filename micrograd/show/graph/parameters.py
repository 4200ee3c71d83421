"""Which leaves of a graph are weights, and what they are called: the one reader of `parameters=`.

Lessons ask for the gradient of every weight, and never take one for a constant. Beside what is
given to them they find the weights that a living module holds, those that `nn` made, and those that
an optimiser stores. Read `read_parameters`, then `found_parameters`, then `known_units`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Set
from typing import Any

from micrograd import tree
from micrograd.engine import Value
from micrograd.show.graph.nodes import is_node
from micrograd.show.graph.units import Unit, paths, units_of
from micrograd.show.practice.answers import described

__all__ = ["found_parameters", "known_units", "read_parameters"]


def read_parameters(given: Any) -> dict[Any, str]:
    """The Values in a list, an array or a module, each with its name; '' where it has none."""
    if given is None:
        return {}
    own = getattr(given, "parameters", None)
    held = {v: path for path, v in paths(given)} if hasattr(given, "__dict__") else {}
    try:
        values = _leaves(own() if callable(own) else list(held) or given)
    except TypeError:
        raise TypeError(
            f"parameters= takes Values, in a list or an array, or a module; got {described(given)}"
        ) from None
    named = getattr(given, "named_parameters", None)
    names = {v: name for name, v in named()} if callable(named) else held
    return {v: names.get(v, "") for v in values}


def _leaves(given: Any) -> list[Any]:
    if isinstance(given, (Iterator, Set)):
        given = list(given)
    found = tree.flatten(given).leaves
    if not all(map(is_node, found)):
        raise TypeError
    return found


def found_parameters(leaves: Iterable[Value]) -> dict[Value, str]:
    """Those of the leaves that are weights though nobody said so, with the names that one knows."""
    leaves = set(leaves)
    store = sys.modules.get("micrograd.store")  # where it was not imported, nothing is stored
    nn = sys.modules.get("micrograd.nn.learning")
    found: dict[Value, str] = {}
    for v in leaves:
        stored = store is not None and type(v) is store.Stored
        if stored or (nn is not None and nn.is_learning(v)):
            found[v] = ""
    return found | (nn.names_of(leaves) if nn is not None else {})


def known_units(given: Any, leaves: Iterable[Any]) -> list[Unit]:
    """The neurons of a model that is given, else of the one living module that holds the leaves."""
    if hasattr(given, "__dict__") and not is_node(given):
        return units_of(given)
    nn = sys.modules.get("micrograd.nn.learning")
    found = nn.holders({v for v in leaves if isinstance(v, Value)}) if nn is not None else []
    return units_of(found[0]) if len(found) == 1 else []  # of several one cannot tell the layers
