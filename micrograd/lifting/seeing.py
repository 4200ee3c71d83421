"""Notes of what stands now in the places that a walk has found: `Sight`, in `sights.py`.

`exempt` are places that the function fills itself, by the owner's id and the name, with the owner;
without a name the whole owner is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from micrograd.lifting.contents import Numbers
from micrograd.lifting.reach import library_class
from micrograd.lifting.sights import Attributes, Cell, Slots
from micrograd.lifting.walk import Place, Walk
from micrograd.nn import Module

__all__ = ["BYTES", "named_sights", "sights"]

BYTES = 2**26  # how much of arrays of numbers is looked at; `lift`'s docstring says it
Exempt = Mapping[tuple[int, Any], Any]


def named_sights(walk: Walk, exempt: Exempt) -> list[Any]:
    """Sights of the globals, the names of the user's modules and the cells."""
    found: list[Any] = []
    for path, held, names in walk.variables.values():
        present = [n for n in names if n in held and (id(held), n) not in exempt]
        found.append(Attributes(held, held, path, present, ()))
    cells = [Cell(cell, path) for cell, path in walk.cells]
    return found + [c for c in cells if (id(c.owner), c.path.step) not in exempt]


def sights(walk: Walk, exempt: Exempt, new: bool = False) -> list[Any]:
    """A sight of each other place; with `new` also of attributes that code may newly set."""
    found: list[Any] = []
    left = BYTES
    for place in walk.places:
        kind, owner, path, names = place
        if (id(owner), None) in exempt:
            continue
        names = tuple(n for n in names if (id(owner), n) not in exempt)
        if kind is Numbers:
            left -= owner.nbytes
            if left < 0:
                continue
        if kind is Attributes:
            sight = _attributes(walk, place, names, exempt, new)
            found += [sight] if sight.names or sight.absent else []
        else:
            found.append(kind(owner, path, *([names] if kind is Slots else [])))
    for module, held, variables in walk.variables.values():  # `sum`, before someone defines it
        absent = [n for n in variables if n not in held and (id(held), n) not in exempt]
        found += [Attributes(held, held, module, (), absent)] if absent else []
    return found


def _attributes(walk: Walk, place: Place, names: Any, exempt: Exempt, new: bool) -> Attributes:
    x, held = place.owner, vars(place.owner)
    absent = walk.asked | walk.stored if new else set(walk.asked)
    if isinstance(x, Module) and "training" in walk.attributes:
        absent.add("training")  # which its class holds until it is set
    for c in x.__mro__[1:] if isinstance(x, type) else type(x).__mro__:
        if not library_class(c):
            absent |= walk.attributes & vars(c).keys()
    absent = {n for n in absent if n not in held and (id(x), n) not in exempt}
    sight = Attributes(x, held, place.path, names, sorted(absent))
    sight.moves_epoch = isinstance(x, Module)
    return sight
