"""The quiz's questions: what the page needs to mark an answer as `marking.py` does.

`answers.js` forms the sums that are sent here with the learner's own numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from micrograd.show.lesson.walk import Use, Walk
from micrograd.show.practice.mistakes import MISTAKES, suspects
from micrograd.show.practice.parts import Edits, Part, parts_of, readings

__all__ = ["as_json", "question"]


def question(
    walk: Walk, uses: Sequence[Use], new: int, recursed: Iterable[float]
) -> dict[str, Any]:
    """What the page needs to mark an answer as `marking` does, with the learner's own numbers.

    The gradient is a sum of parts, constant + factor × the gradient of a node, whose right number
    comes last; each known mistake puts other constants and factors in place of some of them, and
    so do the numbers as the cards print them.
    """
    parts = parts_of(uses)
    wrong: dict[str, list[Any]] = {}
    for key, edits in suspects(walk, uses, new, recursed):
        edited = _edited(edits, parts)
        if edited not in wrong.setdefault(key, []):
            wrong[key].append(edited)
    return {
        "input": uses[0].input,
        "answer": as_json(uses[-1].after),
        "parts": [
            [part.node, as_json(part.constant), as_json(part.factor), as_json(use.arriving)]
            for part, use in zip(parts, uses, strict=True)
        ],
        "printed": [_edited(edits, parts) for edits in readings(walk, uses)],
        "suspects": [[key, edits] for key in MISTAKES for edits in wrong.get(key, [])],
    }


def _edited(edits: Edits, parts: Sequence[Part]) -> list[list[Any]]:
    """Edits for the page, [which part, constant, factor]; -1 stands for all that are not named."""
    told = dict(edits)
    if 2 * list(told.values()).count((0.0, 0.0)) > len(parts):
        named = {k: told.get(k, (part.constant, part.factor)) for k, part in enumerate(parts)}
        told = {-1: (0.0, 0.0)} | {k: edit for k, edit in named.items() if edit != (0.0, 0.0)}
    return [[k, as_json(constant), as_json(factor)] for k, (constant, factor) in told.items()]


def as_json(x: float) -> float | str:
    """JSON has no infinities: they travel as the words that JavaScript's Number reads."""
    return x if math.isfinite(x) else "NaN" if math.isnan(x) else f"{'-' * (x < 0)}Infinity"
