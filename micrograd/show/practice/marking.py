"""check: marks gradients that were worked out by hand, and says what went wrong with a wrong one.

It follows the learner: what is right given an earlier answer is "rightly worked out" from it, and
the known mistakes (`mistakes.py`) are made with the learner's own numbers. It never shows a right
answer unless asked to. Read `check`, then `_Marking`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from micrograd.engine import Value
from micrograd.show.lesson.finding import Known, legend_text, meant
from micrograd.show.lesson.walk import Use, Walk
from micrograd.show.notation import gradient, readable
from micrograd.show.practice.answers import matches, read_number, rounded, shown
from micrograd.show.practice.mistakes import diagnose, suspects
from micrograd.show.practice.parts import parts_of, readings, total
from micrograd.show.practice.reading import read_answers
from micrograd.show.practice.recursion import recursions
from micrograd.show.practice.report import Mark, Report, listed
from micrograd.show.practice.sheets import read_sheet

__all__ = ["Mark", "Report", "check"]


def check(value: Any, answers: Any, *, parameters: Any = (), reveal: bool = False) -> Report:
    """Mark the gradients of `value` (a Value, a worksheet, or a saved one's path).

    `answers` is a dict by name, {"x1": -1.5}, or the path of a file of answers. What is missing is
    not attempted. `parameters` are those of `worksheet`. With `reveal` the report tells the right
    answers.
    """
    if isinstance(value, (str, os.PathLike)):
        value = read_sheet(value)
    walk = value.walk if hasattr(value, "walk") else Walk(value, parameters)
    asked = walk.asked
    sheet = getattr(value, "identity", "")
    found = answers if isinstance(answers, Mapping) else read_answers(answers, Known([walk]), sheet)
    given, unreadable, unknown = _by_node(walk, found)
    marks = _Marking(walk, given).marks
    for i, note in unreadable.items():
        marks[i] = Mark(walk.names[i], "not readable", None, note=note)
    listed = [marks.get(i, Mark(walk.names[i], "not attempted", None)) for i in asked]
    if reveal:
        listed = [replace(mark, right=walk.grads[i]) for i, mark in zip(asked, listed, strict=True)]
    return Report(listed, unknown, legend_text(walk))


def _by_node(
    walk: Walk, answers: Mapping[Any, Any]
) -> tuple[dict[int, float], dict[int, str], list[str]]:
    """The numbers by node, what is wrong with the answers that are none, and the unknown names."""
    given: dict[int, float] = {}
    unreadable: dict[int, str] = {}
    unknown: list[str] = []
    for name, answer in answers.items():
        is_value = isinstance(name, Value)
        node = walk.index.get(name) if is_value else _node_of(walk, str(name))
        if node is None or node in walk.constants:
            unknown.append("a Value of another graph" if is_value else str(name))
            continue
        try:
            read = read_number(answer)
        except ValueError as error:
            unreadable[node] = str(error)
            continue
        if read is not None:
            given[node] = read
    if unknown and not given and not unreadable:
        raise ValueError(
            f"there is no gradient called {unknown[0]!r} here; the names are "
            f"{', '.join(walk.names[i] for i in walk.asked)}"
        )
    return given, unreadable, unknown


def _node_of(walk: Walk, name: str) -> int | None:
    """The node of a name as somebody wrote it: short or as a path, with or without .grad."""
    alike = meant(walk, name)
    return alike[0] if len(alike) == 1 else None


class _Marking:
    """The marks of all that was answered, from the output down.

    `written` holds the learner's gradients: the answers, and where there is none, what follows from
    those above. `meant` holds the same before rounding, as far as one can tell.
    """

    def __init__(self, walk: Walk, given: Mapping[int, float]) -> None:
        self.walk = walk
        self.written, self.meant = list(walk.grads), list(walk.grads)
        self.marks: dict[int, Mark] = {}
        self._sources: dict[int, tuple[int, ...]] = {}  # answers that are not the right number
        self._recursed = recursions(walk)
        self._first: dict[int, int] = {}  # way of recursion: the node where it was made out
        uses: dict[int, list[Use]] = {}
        for step in walk.steps:
            for use in step:
                uses.setdefault(use.input, []).append(use)
        for i in reversed(range(len(walk.nodes))):
            self._visit(i, uses.get(i, []), given.get(i))

    def _visit(self, i: int, uses: list[Use], answer: float | None) -> None:
        right = self.walk.grads[i]
        moved = [use.node for use in uses if self._sources.get(use.node)]
        sources = tuple(dict.fromkeys(k for node in moved for k in self._sources[node]))
        parts = parts_of(uses)
        own = [total(parts, self.written), total(parts, self.meant)] if moved else [right, right]
        if answer is None:
            self.written[i], self.meant[i] = own
            self._sources[i] = sources
            return
        mark, self.meant[i] = self._mark(i, answer, own, sources, uses)
        if mark.verdict in ("right", "follows") and not mark.mistakes:
            mark = replace(mark, avoided=self._avoided(i, answer, uses))
        self.marks[i], self.written[i] = mark, answer
        self._sources[i] = () if abs(answer - right) <= 1e-12 * abs(right) else (i,)

    def _mark(
        self, i: int, answer: float, own: list[float], sources: tuple[int, ...], uses: list[Use]
    ) -> tuple[Mark, float]:
        """The mark of one answer, and the number that was meant by it."""
        right = self.walk.grads[i]
        mark = Mark(self.walk.names[i], "right", answer, shown=readable(answer))
        if matches(answer, right):
            return mark, right
        printed = [
            total(parts_of(uses), self.written, edits) for edits in readings(self.walk, uses)
        ]
        if not sources and any(matches(answer, x) for x in printed):
            return mark, answer
        for consequence in [*own[::-1], *printed] if sources else []:
            if matches(answer, consequence):
                names = self._names(sources)
                return replace(mark, verdict="follows", follows_from=names), consequence
        text = shown(answer, lambda x: matches(x, right))
        found = self._mistakes(i, answer, uses)
        exact = [k for k, x in found.items() if abs(answer - x) <= 1e-6 * abs(x)]
        early = [x for x in (right, *own) if rounded(answer, x)]
        if early and not exact:
            return replace(mark, verdict="right so far", shown=text), early[0]
        first = self._recursion(i, answer, found)
        if first is not None:
            kind, names = tuple(found), self._names((first,))
            return replace(mark, verdict="follows", mistakes=kind, follows_from=names), answer
        kind = tuple(exact if early else found)
        note = "If it is rounded: give three digits." if early else ""
        note = note or ("" if kind else self._finite(answer, right) or self._way(uses))
        mark = replace(mark, verdict="wrong", mistakes=kind, note=note, shown=text)
        return mark, next(iter(found.values()), answer)

    def _recursion(self, i: int, answer: float, found: dict[str, float]) -> int | None:
        """The node where this recursion was made out before: a second trace is no new mistake."""
        if "recursion" not in found:
            return None
        ways = [way for way, grads in enumerate(self._recursed) if matches(answer, grads[i])]
        first = next((self._first[way] for way in ways if way in self._first), None)
        if first is not None and len(found) == 1:
            return first
        self._first |= dict.fromkeys(ways, i)
        return None

    def _mistakes(self, i: int, answer: float, uses: list[Use]) -> dict[str, float]:
        """The known mistakes, made with the learner's numbers, else with the right ones."""
        if i == len(self.walk.nodes) - 1:
            given = [x for x in (self.walk.data[i], 0.0) if matches(answer, x)]
            return {"output": given[0]} if given else {}
        recursed = [grads[i] for grads in self._recursed]
        for grads in (self.meant, self.written, self.walk.grads):
            found = diagnose(answer, self.walk, uses, grads, recursed)
            if found:
                return found
        return {}

    def _avoided(self, i: int, answer: float, uses: list[Use]) -> tuple[str, ...]:
        """The known mistakes that could have been made, none of which gives this answer."""
        if i == len(self.walk.nodes) - 1:
            return ("output",)
        parts = parts_of(uses)
        given: dict[str, bool] = {}
        for kind, edits in suspects(self.walk, uses, len(uses), [g[i] for g in self._recursed]):
            hit = matches(answer, total(parts, self.meant, edits))
            given[kind] = given.get(kind, False) or hit
        return tuple(kind for kind, hit in given.items() if not hit)

    def _finite(self, answer: float, right: float) -> str:
        """What is to be said of an infinite answer, or of nan, where neither is right."""
        if math.isfinite(answer) or not math.isfinite(right):
            return ""
        return "The gradient is a finite number: look for a division by 0 or a very large exponent."

    def _way(self, uses: list[Use]) -> str:
        """How such a gradient is worked out, for an answer that no known mistake gives."""
        names = list(dict.fromkeys(self.walk.names[use.node] for use in uses))
        if not names:
            return "Nothing is above the output: derive it by itself."
        if len(uses) == 1:
            return f"It is {gradient(names[0])} times the local derivative there: work out both."
        where = listed(names) if len(names) > 1 else f"{names[0]}, more than once"
        return f"It is a sum over its uses, in {where}: add what each of them sends back."

    def _names(self, nodes: tuple[int, ...]) -> tuple[str, ...]:
        """Those nodes that are wrong, if any is: rounding is not worth a word beside them."""
        wrong = [k for k in nodes if self.marks[k].verdict in ("wrong", "follows")]
        return tuple(self.walk.names[k] for k in wrong or nodes)
