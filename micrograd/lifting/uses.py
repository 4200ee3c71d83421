"""What the outputs of a function need of its tape, and how often each place is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import compress
from typing import Any

from micrograd.lifting.tape import CONSTANT, DOT, MANY, NONE, TAKE, Kind, Tape

__all__ = ["count_uses", "needed"]


def needed(tape: Tape, outputs: Sequence[int]) -> tuple[Counter[Any], list[float]]:
    """What the outputs need of a tape: how many nodes of each kind, and which constants."""
    uses = count_uses(tape, outputs)
    constants = [
        tape.number(i) for i, kind in enumerate(tape.kinds) if kind is CONSTANT and uses[i]
    ]
    return Counter(compress(tape.kinds, uses)), constants


def count_uses(tape: Tape, outputs: Sequence[int]) -> list[int]:
    """How many nodes read each place, counted from the outputs; 0 where none needs it.

    A chain absorbs only what is used once, so outputs and what shared tuples hold count 2 or more.
    """
    kinds, lefts, rights = tape.kinds, tape.lefts, tape.rights
    uses = [0] * len(kinds)
    seen: set[int] = set()  # shared tuples, counted once
    for place in outputs:
        uses[place] += 2
    for i in range(len(kinds) - 1, -1, -1):
        if not uses[i]:
            continue
        left, right = lefts[i], rights[i]
        kind = kinds[i]
        if type(kind) is Kind:
            if kind is TAKE:
                uses[left] += 1
                shared = [tape.lists[right]]
            elif kind is DOT:
                places, bias = tape.tails[right]
                shared = [tape.lists[left], places]
                if bias != NONE:
                    uses[bias] += 1
            else:
                continue
            for places in shared:
                if id(places) not in seen:
                    seen.add(id(places))
                    for place in places:
                        uses[place] += 2
        elif right == MANY:
            for place in tape.lists[left]:
                uses[place] += 1
        else:
            uses[left] += 1
            if right != NONE:
                uses[right] += 1
    return uses
