"""From a list of nodes to a short list of instructions: levels, groups of like nodes, addresses.

A node's level is one more than its inputs'. Like nodes of one level that read from the same places,
in recorded order, form a group; slots are handed out group after group, so that each group's
results lie side by side and the next group's reads are regular. `schedule` is the whole pass.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from micrograd.lifting.alike import alike
from micrograd.lifting.complete import alongside, completed
from micrograd.lifting.fuse import Fused
from micrograd.lifting.groups import Serial
from micrograd.lifting.in_turn import scan, straight
from micrograd.lifting.instructions import Group, Neutral, cell
from micrograd.lifting.layout import PARAMETERS, Instruction, Layout
from micrograd.lifting.merge import merge
from micrograd.lifting.nodes import Node
from micrograd.lifting.scans import Scan, scans
from micrograd.lifting.straight import NARROW, Straight, straightened
from micrograd.lifting.tape import CONSTANT, INPUT, INTEGER, PARAMETER, STATE, Kind, Tape
from micrograd.lifting.wavefront import waves

__all__ = ["schedule"]

_MANY = 2_000  # groups among which it takes long to find some to merge,
_SMALL = 16  # and that are better in one table than apart if they are no larger


def _completed(tape: Tape, fused: Fused, narrow: int) -> list[Any]:
    """The groups, with triangles of dots completed to rectangles."""
    fresh = count(fused.places)
    whole: dict[int, list[int]] = {}  # for each place of a completed group, all its places
    groups: list[Any] = []
    for group in _groups(tape, fused, narrow):
        made = group
        if not isinstance(group, Serial):
            made = completed(group, fresh)
            made = alongside(group, whole, fresh) if made is group else made
            if made is not group:
                found = [node.place for node in made]
                whole.update(dict.fromkeys(found, found))
        groups.append(made)
    return groups


def schedule(
    tape: Tape, fused: Fused, parameters: dict[int, int], narrow: int = NARROW
) -> tuple[Layout, dict[int, int]]:
    """Group, place and factor: the layout, and the address of each tape place.

    `parameters`: the store's index of each captured place. `narrow`: so many like numbers are not
    yet an array.
    """
    groups = _completed(tape, fused, narrow)
    address: dict[int, int] = {}
    constants = [tape.number(i) for i in fused.leaves if tape.kinds[i] is CONSTANT]
    neutral = Neutral(constants)
    for group in groups:
        neutral.prepare(group)
    size = len(constants)
    slot = 0
    for i in fused.leaves:
        if tape.kinds[i] is CONSTANT:
            address[i] = slot
            slot += 1
    unlisted = [i for i, kind in enumerate(tape.kinds) if type(kind) is Kind]
    for i in unlisted:  # arguments keep their order, used or not: they arrive whole
        kind = tape.kinds[i]
        if kind is PARAMETER and i in parameters:
            address[i] = PARAMETERS + parameters[i]
        elif kind in (INPUT, INTEGER, STATE):
            address[i] = size
            size += 1
    found: list[Instruction] = []
    for group in groups:
        base = size
        if isinstance(group, Straight):
            first = base + len(group.outside)
            address.update((node.place, first + group.at[node.place]) for node in group)
            size += len(group.outside) + len(group.codes)
            found += straight(group, base, address, neutral)
            continue
        if isinstance(group, Scan):
            address.update(group.addresses(base))
            size += group.lanes + len(group)
            found += scan(group, base, address)
            continue
        address.update(zip([node.place for node in group], count(size)))
        size += len(group)
        alone = cell(group[0], address) if len(group) == 1 else None
        if alone is not None:
            found.append(alone)
        else:
            found += Group(group, base, address, neutral).instructions()
    return Layout(found, constants, size), address


def _groups(tape: Tape, fused: Fused, narrow: int) -> list[list[Node]]:
    """The groups, each after those that it reads, with all that belongs together in one.

    Chains are looked for after each search for waves: the second one might join some of their links
    with other groups, and found too early, the border of a table would be apart from its cells.
    """
    graph, outputs = alike(tape, fused), fused.outputs
    graph = scans(waves(graph, from_the_end=True), outputs)
    joined = waves(graph, from_the_end=False)
    if joined is not graph:
        graph = scans(joined, outputs)
    if len(graph.groups) > _MANY:
        graph = straightened(graph, min(narrow * narrow, _SMALL))
    return straightened(merge(graph), narrow).in_order()
