"""A sheet of exercises: their checkers, their hints, and the mark of each answer.

Read `Sheet.check`. A checker is a function named as the exercise is in its notebook: the one key
by which heading, checker and planted answers belong together.
"""

from __future__ import annotations

import contextlib
import html
import inspect
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from checks._forms import OPEN
from checks._marking import Part, marking, told
from checks._watch import watched
from micrograd.show.practice.answers import Judged, judged

__all__ = ["Exercise", "Outcome", "Sheet"]

STATUSES = ("right", "right so far", "wrong", "not attempted")
_LOOKS = {
    "right": ("✓", "#00694d"),
    "right so far": ("✓ …", "#1d5fa8"),
    "wrong": ("✗", "#a34700"),
    "not attempted": ("…", "#555555"),
}


@dataclass(frozen=True)
class Exercise:
    """An exercise's number, key (the checker's name), heading, checker and hints."""

    number: int
    key: str
    title: str
    checker: Callable[..., None]
    hints: tuple[str, ...]
    returns: bool

    @property
    def answers(self) -> list[str]:
        return list(inspect.signature(self.checker).parameters)


class Outcome:
    """The mark of one exercise: "right", "right so far", "wrong" or "not attempted"."""

    def __init__(self, number: int, title: str, status: str, message: str) -> None:
        self.number = number
        self.title = title
        self.status = status
        self.message = message

    def __repr__(self) -> str:
        message = f": {self.message}" if self.message else ""
        return f"Exercise {self.number} ({self.title}) {self.status}{message}"

    def _repr_html_(self) -> str:
        mark, colour = _LOOKS[self.status]
        message = f": {html.escape(self.message)}" if self.message else ""
        return (
            f'<p style="border-left:4px solid {colour};padding:0.3em 0.8em;margin:0">'
            f"<b>{mark} Exercise {self.number}</b> ({html.escape(self.title)}) "
            f"<b>{self.status}</b>{message}</p>"
        )


class Sheet:
    """The exercises of one notebook: their checkers, their hints, the outcomes so far.

    `@sheet.exercise(3, hints=[...])` above `def the_nearest_centre(nearest): ...` makes a checker.
    Answers that are `...` or raise NotImplementedError are not attempted; any other exception is a
    wrong answer. `title` is the heading, where the key does not spell it. `returns=False` is for
    functions that give nothing back.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.outcomes: dict[int, Outcome] = {}
        self.answers: dict[int, tuple[Any, ...]] = {}
        self.judged: dict[int, list[Judged]] = {}
        self._exercises: dict[int, Exercise] = {}

    @property
    def numbers(self) -> list[int]:
        return sorted(self._exercises)

    @property
    def exercises(self) -> dict[str, Exercise]:
        """The exercises by key, in order."""
        return {self._exercises[n].key: self._exercises[n] for n in self.numbers}

    def exercise(
        self, number: int, *, hints: Sequence[str], title: str = "", returns: bool = True
    ) -> Callable[..., Any]:
        if number in self._exercises or not hints:
            raise ValueError(f"exercise {number} of {self.title!r}: there twice, or without hints")

        def register(checker: Callable[..., None]) -> Callable[..., None]:
            key = checker.__name__
            named = title or key.replace("_", " ").capitalize()
            made = Exercise(number, key, named, checker, tuple(hints), returns)
            if made.key in self.exercises:
                raise ValueError(f"two exercises of {self.title!r} are named {made.key!r}")
            self._exercises[number] = made
            return checker

        return register

    def check(self, number: int, *answer: Any) -> Outcome:
        """Mark the answer to an exercise."""
        exercise = self._find(number)
        self.answers[number] = answer
        wanted = exercise.answers
        if not answer or all(a is ... for a in answer):
            parts = [Part("", "not attempted")]
        elif len(answer) != len(wanted):
            things = f"{len(wanted)} answer{'s' if len(wanted) != 1 else ''}"
            told_count = f"check({number}, ...) takes {things} here, got {len(answer)}"
            parts = [Part("", "wrong", told_count)]
        else:
            given = [OPEN if a is ... else watched(a, exercise.returns) for a in answer]
            with judged() as seen:
                parts = _marked(exercise, given)
            self.judged[number] = seen
        status, message = _summary(parts)
        if status == "not attempted":
            message = f"hint({number}) gives the first of {len(exercise.hints)} hints"
        self.outcomes[number] = Outcome(number, exercise.title, status, message)
        return self.outcomes[number]

    def grade(self, number: int, *answer: Any) -> Outcome:
        """The outcome if it is right, else an AssertionError that says it: for locked cells.

        nbgrader gives no point for a cell that writes to standard error, so nothing does.
        """
        with contextlib.redirect_stderr(io.StringIO()):
            outcome = self.check(number, *answer)
        if outcome.status != "right":
            raise AssertionError(outcome)
        return outcome

    def hint(self, number: int, which: int = 1) -> None:
        """Print the first hint for an exercise, or a later one: `hint(3, 2)`."""
        hints = self._find(number).hints
        if 1 <= which <= len(hints):
            print(f"Hint {which} of {len(hints)}: {hints[which - 1]}")
        else:
            print(f"Exercise {number} has {len(hints)} hints.")

    def _find(self, number: int) -> Exercise:
        if number not in self._exercises:
            raise ValueError(f"{self.title!r} has the exercises {self.numbers}, not {number!r}")
        return self._exercises[number]


def _marked(exercise: Exercise, given: Sequence[Any]) -> list[Part]:
    """The parts of an answer; an exercise without parts of its own is one."""
    with marking() as now:
        try:
            exercise.checker(*given)
        except NotImplementedError:
            now.parts.append(Part("the rest", "not attempted"))
        except Exception as error:
            now.parts.append(Part("", "wrong", told(error)))
        else:
            if not now.parts:
                now.parts.append(Part("", "right"))
        return now.parts


def _summary(parts: Sequence[Part]) -> tuple[str, str]:
    """The status of the whole, and a message that says which part is right and which not."""
    statuses = {part.status for part in parts}
    if statuses == {"right"}:
        return "right", ""
    if statuses == {"not attempted"}:
        return "not attempted", ""
    wrong = "; ".join(_said_once([part.message for part in parts if part.message]))
    said = [wrong] if wrong else []
    for label, status in (("Right", "right"), ("Not attempted", "not attempted")):
        names = list(dict.fromkeys(p.what for p in parts if p.status == status and p.what))
        between = "; " if any("," in name for name in names) else ", "
        if names:
            said.append(f"{label}: {between.join(names)}")
    return ("wrong" if "wrong" in statuses else "right so far"), ". ".join(said)


def _said_once(messages: Sequence[str]) -> list[str]:
    """The messages; a remark in brackets that several in a row end with stands after the last."""
    said: list[str] = []
    for k, message in enumerate(messages):
        remark = _remark(message)
        alike = 0  # messages before this one with the same remark
        while remark and alike < k and _remark(messages[k - alike - 1]) == remark:
            alike += 1
        if remark and k + 1 < len(messages) and _remark(messages[k + 1]) == remark:
            message = message.removesuffix(f" ({remark})")
        elif alike:
            each = "both" if alike == 1 else f"all {alike + 1}"
            message = f"{message.removesuffix(f' ({remark})')} ({each}: {remark})"
        said.append(message)
    return said


def _remark(message: str) -> str:
    """What stands in brackets at the end; they may hold brackets themselves."""
    if not message.endswith(")"):
        return ""
    depth = 0
    for i in range(len(message) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(message[i], 0)
        if not depth:
            return message[i + 1 : -1] if message[i - 1] == " " else ""
    return ""
