"""A bank of questions for learning platforms: of each worksheet the gradients of its inputs.

`moodle.py` and `canvas.py` write it in the form that each of them imports. A question knows which
numbers are right and what each known mistake leads to. Read `Bank`, then `question_of`.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from micrograd.op import Op
from micrograd.show.graph.files import write
from micrograd.show.graph.text import plain
from micrograd.show.lesson.formulas import named
from micrograd.show.lesson.pages import size_of
from micrograd.show.lesson.walk import Walk
from micrograd.show.notation import TIMES, gradient, readable, same
from micrograd.show.practice.answers import matches, rounded
from micrograd.show.practice.mistakes import MISTAKES
from micrograd.show.practice.paper import picture
from micrograd.show.practice.slips import EVERYWHERE, Slip, accepted, slips

__all__ = ["Answer", "Bank", "Question", "question_of"]

_MOST = 20  # wrong answers of a question: BatchNorm's first inputs have over seventy
_WIDE = 1100  # pixels, from left to right; a longer graph goes from top to bottom
_EARLY = "Right so far: give three digits."
_UNKNOWN = "No known mistake gives this number."
_TURNS = "Start at the output, whose gradient is 1, and work back."
_FORM = "Three digits are enough; write a decimal number, such as -0.125."


@dataclass(frozen=True, slots=True)
class Answer:
    """A number and how far from it counts as the same; `feedback` is empty where it is right."""

    number: float
    tolerance: float
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One gradient of one sheet; `wrong` answers are tried in their order, after the `right`."""

    title: str
    variant: int
    name: str
    ask: str
    right: tuple[Answer, ...]
    wrong: tuple[Answer, ...]
    otherwise: str  # what is said of any other number
    method: str  # how it is worked out, in names: the right number stays untold

    @property
    def choices(self) -> tuple[Answer, ...]:
        """The right number and up to four that known mistakes give, in any order."""
        slipped = [answer for answer in self.wrong if answer.feedback != _EARLY]
        listed = [self.right[0], *slipped[:4]]
        random.Random(f"{self.title} {self.variant} {self.name}").shuffle(listed)
        return tuple(listed)


class Bank:
    """The questions of some worksheets. `save("bank.xml")` is for Moodle, `.zip` for Canvas.

    `Bank.random(level, count, seed)` invents the worksheets, all of them different.
    """

    def __init__(self, sheets: Iterable[Any], title: str = "") -> None:
        self.sheets = list(sheets)
        if not self.sheets:
            raise ValueError("a bank of questions needs at least one worksheet")
        self.title = plain(title) or self.sheets[0].title
        self.questions = [
            question_of(sheet.walk, i, self.title, k)
            for k, sheet in enumerate(self.sheets, 1)
            for i in reversed(sheet.asked)
            if not sheet.walk.inputs(i) and math.isfinite(sheet.walk.grads[i])
        ]
        if not self.questions:
            raise ValueError("these worksheets have no input whose gradient is a finite number")

    @classmethod
    def random(cls, level: int, count: int = 30, seed: int = 0) -> Bank:
        """The exercises of a class: so many different ones, of `seed`, `seed + 1` and so on."""
        from micrograd.show.practice.classroom import Classroom

        return cls(Classroom.of(level, count, seed).sheets.values())

    @property
    def kinds(self) -> dict[str, list[Question]]:
        """The questions by the name that is asked for: variants of one question."""
        found: dict[str, list[Question]] = {}
        for question in self.questions:
            found.setdefault(question.name, []).append(question)
        return found

    @property
    def moodle(self) -> str:
        from micrograd.show.practice.moodle import moodle_xml

        return moodle_xml(self)

    @property
    def canvas(self) -> bytes:
        from micrograd.show.practice.canvas import canvas_zip

        return canvas_zip(self)

    @cached_property
    def pictures(self) -> list[tuple[str, str]]:
        """The graph of each sheet as SVG in light colours, and in words."""
        return [(_drawn(sheet.walk), _in_words(sheet.walk)) for sheet in self.sheets]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the bank as the ending says: .xml for Moodle, .zip for Canvas."""
        target = Path(path)
        ending = target.suffix.lower()
        if ending not in (".xml", ".zip"):
            raise ValueError(
                f"cannot save {str(path)!r}: a bank ends in .xml (for Moodle) or .zip (for Canvas)"
            )
        write(target, self.moodle if ending == ".xml" else self.canvas)
        return target

    def __repr__(self) -> str:
        return f"<Bank {self.title!r}: {len(self.questions)} questions; save('bank.xml')>"


def question_of(walk: Walk, i: int, title: str, variant: int) -> Question:
    """The question for node i's gradient, and every answer that can be told something."""
    name, right = walk.names[i], walk.grads[i]
    output = walk.names[-1]
    exact = slips(walk, i)[:_MOST]
    early = [
        Answer(number, 1e-9 * abs(number), _EARLY)
        for number in _shortened(right)
        if not any(abs(number - slip.number) <= 1e-6 * abs(number) for slip in exact)
    ]
    return Question(
        title,
        variant,
        gradient(name),
        f"Work out {gradient(name)}, the derivative of {output} with respect to {name}. "
        f"{_TURNS} {_FORM}",
        _right(walk, i),
        (*early, *(Answer(s.number, _half_a_percent(s.number), _told(walk, i, s)) for s in exact)),
        f"{_UNKNOWN} {_TURNS}",
        _method(walk, i),
    )


def _half_a_percent(number: float) -> float:
    """How far `answers.matches` lets an answer be off, whatever its digits."""
    return (0.005 + 1e-9) * abs(number) + 1e-12


def _right(walk: Walk, i: int) -> tuple[Answer, ...]:
    """What `check` marks right, as intervals: within half a percent, or rounded to 3 decimals."""
    found: list[Answer] = []
    for number in accepted(walk, i):
        found.append(Answer(number, _half_a_percent(number)))
        low = math.floor(number * 1000)
        found += [
            Answer(thousandths / 1000, 1e-9)
            for thousandths in (low, low + 1)
            if matches(thousandths / 1000, number)
            and abs(thousandths / 1000 - number) > _half_a_percent(number)
        ]
    return tuple(found)


def _shortened(right: float) -> list[float]:
    """The right number in one digit and in two, where that is too few to count."""
    if right == 0:
        return []
    numbers = []
    for digits in (2, 1):
        unit = 10.0 ** (math.floor(math.log10(abs(right))) + 1 - digits)
        low = math.floor(right / unit)
        numbers += [float(f"{k * unit:.12g}") for k in (low, low + 1)]
    return [x for x in dict.fromkeys(numbers) if rounded(x, right) and not matches(x, right)]


def _told(walk: Walk, i: int, slip: Slip) -> str:
    mistake = MISTAKES[slip.mistake]
    where = ""
    if slip.node == EVERYWHERE and slip.mistake != "recursion":
        where = ", at every step"
    elif slip.node not in (i, EVERYWHERE):
        where = f", in {gradient(walk.names[slip.node])} and carried on from there"
    return f"Looks like: {mistake.name}{where}. {mistake.hint}"


def _method(walk: Walk, i: int) -> str:
    """`a.grad = b × c.grad + d.grad`: local derivative times gradient arriving, over all uses."""
    terms = []
    for use in walk.uses_of(i):
        arriving = named(gradient(walk.names[use.node]))
        known = isinstance(walk.rule(use.node), Op) and not math.isnan(use.local)
        local = walk.locals_of(use.node)[use.position] if known else named("local derivative")
        terms.append(local.times(arriving))
    if not terms:
        return f"{gradient(walk.names[i])} is 0: the output does not depend on it."
    total = sum(terms[1:], terms[0])
    return (
        f"{gradient(walk.names[i])} = {total.text}: local derivative {TIMES} gradient arriving"
        f"{', added up over its uses' if len(terms) > 1 else ''}."
    )


def _drawn(walk: Walk) -> str:
    """The sheet's graph, with blanks for the gradients."""
    svg = picture(walk, solved=False).light
    return svg if size_of(svg)[0] <= _WIDE else picture(walk, solved=False, direction="TB").light


def _in_words(walk: Walk) -> str:
    """The graph for those who cannot see it."""
    lines = []
    for i in range(len(walk.nodes)):
        if i in walk.constants:
            continue
        name, made = walk.names[i], walk.expression(i).text if walk.inputs(i) else ""
        left = name if not made or same(name, made) else f"{name} = {made}"
        lines.append(f"{left} = {readable(walk.data[i])}")
    return "Computation graph: " + "; ".join(lines)
