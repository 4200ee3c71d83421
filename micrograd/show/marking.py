"""check: marks gradients that were worked out by hand, and says what went wrong with a wrong one.

It never shows a right answer unless asked to. A wrong answer is compared with what every known
mistake would give (`mistakes.py`), then with what follows from the learner's earlier answers. Read
`check`, then `_mark`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from micrograd.ops import Op
from micrograd.show.answers import read_answers, read_number
from micrograd.show.formulas import number
from micrograd.show.mistakes import MISTAKES, TOLERANCE, diagnose, matches
from micrograd.show.sheets import read_sheet
from micrograd.show.walk import Use, Walk

__all__ = ["Mark", "Report", "check"]

_MARKUP = "_`*|<>#[]$\\"


@dataclass(frozen=True, slots=True)
class Mark:
    """One answer: `verdict` is right, wrong or not attempted; `mistakes` are keys of MISTAKES."""

    name: str
    verdict: str
    answer: float | None
    mistakes: tuple[str, ...] = ()
    follows_from: tuple[str, ...] = ()  # right, if these wrong answers had been right
    right: float | None = None  # told only when revealed


class Report:
    """The marks by name, and in words: `str()` for a terminal, a table in notebooks."""

    def __init__(self, marks: list[Mark]) -> None:
        self.marks = {mark.name: mark for mark in marks}

    def count(self, verdict: str) -> int:
        return sum(mark.verdict == verdict for mark in self.marks.values())

    @property
    def summary(self) -> str:
        return (
            f"{self.count('right')} of {len(self.marks)} right, {self.count('wrong')} wrong, "
            f"{self.count('not attempted')} not attempted."
        )

    def __str__(self) -> str:
        width = max(len(name) for name in self.marks) + 5
        lines = [self.summary, f"An answer counts if it is {TOLERANCE}.", ""]
        for mark in self.marks.values():
            given = "" if mark.answer is None else f" ({number(mark.answer)})"
            told = "" if mark.right is None else f"; it is {number(mark.right)}"
            lines.append(f"{mark.name + '.grad':{width}}  {mark.verdict}{given}{told}")
            lines += [f"{'':{width}}    {said}" for said in _said(mark)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        rows = [f"{self.summary} An answer counts if it is {TOLERANCE}.", ""]
        rows += ["| gradient | answer | mark | |", "|---|---|---|---|"]
        sign = {"right": "✓ right", "wrong": "✗ wrong", "not attempted": "not attempted"}
        for mark in self.marks.values():
            given = "" if mark.answer is None else number(mark.answer)
            told = [] if mark.right is None else [f"It is {number(mark.right)}."]
            name = "".join("\\" + c if c in _MARKUP else c for c in mark.name)
            said = "<br>".join([*_said(mark), *told])
            rows.append(f"| {name}.grad | {given} | {sign[mark.verdict]} | {said} |")
        return "\n".join(rows)


def check(value: Any, answers: Any, *, reveal: bool = False) -> Report:
    """Mark the gradients of `value` (a Value, a worksheet, or a saved one's path).

    `answers` is a dict by label, {"x1": -1.5}, or the path of a file of answers. What is missing is
    not attempted. With `reveal` the report tells the right answers.
    """
    if isinstance(value, (str, os.PathLike)):
        value = read_sheet(value)
    walk = value.walk if hasattr(value, "walk") else Walk(value)
    expected = [i for i in reversed(range(len(walk.nodes))) if i not in walk.constants]
    given = _by_node(walk, expected, read_answers(answers))
    uses: dict[int, list[Use]] = {}
    for step in walk.steps:
        for use in step:
            uses.setdefault(use.input, []).append(use)
    return Report([_mark(walk, i, uses.get(i, []), given, reveal) for i in expected])


def _by_node(walk: Walk, expected: list[int], answers: dict[str, Any]) -> dict[int, float]:
    names = {walk.names[i]: i for i in expected}
    given: dict[int, float] = {}
    for name, answer in answers.items():
        i = names.get(name, names.get(name.removesuffix(".grad")))
        if i is None:
            raise ValueError(
                f"there is no gradient called {name!r} here; the names are {', '.join(names)}"
            )
        found = read_number(answer)
        if found is not None:
            given[i] = found
    return given


def _mark(walk: Walk, i: int, uses: list[Use], given: dict[int, float], reveal: bool) -> Mark:
    name, answer, right = walk.names[i], given.get(i), walk.grads[i]
    told = right if reveal else None
    if answer is None:
        return Mark(name, "not attempted", None, right=told)
    if matches(answer, right):
        return Mark(name, "right", answer, right=told)
    mistakes = tuple(diagnose(answer, walk, uses))
    follows = () if mistakes else _carried(walk, i, answer, uses, given)
    return Mark(name, "wrong", answer, mistakes, follows, told)


def _carried(
    walk: Walk, i: int, answer: float, uses: list[Use], given: dict[int, float]
) -> tuple[str, ...]:
    """The nodes whose wrong answers this one was rightly worked out from."""
    wrong = [
        use.node
        for use in uses
        if use.node in given and not matches(given[use.node], walk.grads[use.node])
    ]
    total = 0.0
    for use in uses:
        arriving, rule = given.get(use.node, use.arriving), walk.rule(use.node)
        if isinstance(rule, Op):
            xs = [walk.data[k] for k in walk.inputs(use.node)]
            sent = rule.number_gradients(arriving, xs, walk.data[use.node])[use.position]
            total += 0.0 if sent is None else float(sent)
        else:
            total += use.local * arriving
    return (
        tuple(walk.names[k] for k in dict.fromkeys(wrong))
        if wrong and matches(answer, total)
        else ()
    )


def _said(mark: Mark) -> list[str]:
    """What to tell the learner about a wrong answer."""
    if mark.verdict != "wrong":
        return []
    if mark.follows_from:
        names = " and ".join(mark.follows_from)
        return [
            f"Rightly worked out from your answer for {names}, which is wrong: mend that first."
        ]
    if not mark.mistakes:
        return ["No known mistake gives this number."]
    return [f"Looks like: {MISTAKES[key].name}. {MISTAKES[key].hint}" for key in mark.mistakes]
