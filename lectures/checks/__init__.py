"""Marks exercises: right, wrong (it names what fails, never the answer) or not attempted.

One module a lecture stands beside this one (`lecture_09`, ...); it makes a `Sheet`, writes a
checker for each exercise, and the notebook imports its `check` and `hint`. Read `Sheet` first, then
`lecture_09`.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["Outcome", "Sheet", "Wrong", "close", "same", "true"]


class Wrong(Exception):
    """What is wrong with an answer, in words that do not give the right one away."""


def true(condition: Any, what: str) -> None:
    """The property must hold; `what` says it: "every row of the distances is non-negative"."""
    if not bool(condition):
        raise Wrong(f"this should hold and does not: {what}")


def close(got: Any, expected: Any, what: str, *, rtol: float = 1e-6, atol: float = 1e-9) -> None:
    """Numbers (or arrays, or Values) must agree: |got - expected| <= atol + rtol * |expected|."""
    wanted = np.asarray(expected, dtype=float)
    try:
        given = np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"{what}: expected numbers, got {_brief(got)}") from None
    if given.shape != wanted.shape:
        raise Wrong(f"{what}: expected the shape {wanted.shape}, got {given.shape}")
    if not np.allclose(given, wanted, rtol=rtol, atol=atol, equal_nan=True):
        raise Wrong(f"{what}: {_brief(got)} is not right")


def same(got: Any, expected: Any, what: str) -> None:
    """Texts, integers, lists or integer arrays must be equal."""
    if isinstance(expected, np.ndarray) or isinstance(got, np.ndarray):
        equal = np.shape(got) == np.shape(expected) and bool(np.all(np.asarray(got) == expected))
    else:
        equal = bool(got == expected)
    if not equal:
        raise Wrong(f"{what}: {_brief(got)} is not right")


def _brief(x: Any) -> str:
    text = " ".join(repr(x).split())
    return text if len(text) <= 120 else text[:117] + "..."


class Outcome:
    """The mark of one exercise: `status` is "right", "wrong" or "not attempted"."""

    def __init__(self, number: int, title: str, status: str, message: str) -> None:
        self.number = number
        self.title = title
        self.status = status
        self.message = message

    def __repr__(self) -> str:
        message = f": {self.message}" if self.message else ""
        return f"Exercise {self.number} ({self.title}) {self.status}{message}"

    def _repr_html_(self) -> str:
        mark, colour = {"right": ("✓", "#00694d"), "wrong": ("✗", "#a34700")}.get(
            self.status, ("…", "#555555")
        )
        message = f": {html.escape(self.message)}" if self.message else ""
        return (
            f'<p style="border-left:4px solid {colour};padding:0.3em 0.8em;margin:0">'
            f"<b>{mark} Exercise {self.number}</b> ({html.escape(self.title)}) "
            f"<b>{self.status}</b>{message}</p>"
        )


class Sheet:
    """The exercises of one lecture: their checkers, their hints, the outcomes so far.

    `@sheet.exercise(3, "nearest centre", hints=[...])` above `def _(answer): ...` makes a checker;
    it calls `true`, `close` and `same`, or raises `Wrong`. Answers that are `...` or raise
    NotImplementedError are not attempted; any other exception is a wrong answer.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.outcomes: dict[int, Outcome] = {}
        self.answers: dict[int, tuple[Any, ...]] = {}
        self._exercises: dict[int, tuple[str, Callable[..., None], tuple[str, ...]]] = {}

    @property
    def numbers(self) -> list[int]:
        return sorted(self._exercises)

    def exercise(self, number: int, title: str, *, hints: Sequence[str]) -> Callable[..., Any]:
        if number in self._exercises or not hints:
            raise ValueError(f"exercise {number} of {self.title!r}: there twice, or without hints")

        def register(checker: Callable[..., None]) -> Callable[..., None]:
            self._exercises[number] = (title, checker, tuple(hints))
            return checker

        return register

    def check(self, number: int, *answer: Any) -> Outcome:
        """Mark the answer to an exercise."""
        title, checker, hints = self._find(number)
        status, message = "right", ""
        if not answer or any(a is ... for a in answer):
            status = "not attempted"
        else:
            try:
                checker(*answer)
            except NotImplementedError:
                status = "not attempted"
            except Wrong as wrong:
                status, message = "wrong", str(wrong)
            except Exception as error:
                status, message = "wrong", f"it raised {type(error).__name__}: {error}"
        if status == "not attempted":
            message = f"hint({number}) gives the first of {len(hints)} hints"
        self.answers[number] = answer
        self.outcomes[number] = Outcome(number, title, status, message)
        return self.outcomes[number]

    def hint(self, number: int, which: int = 1) -> None:
        """Print the first hint for an exercise, or a later one: `hint(3, 2)`."""
        _, _, hints = self._find(number)
        if 1 <= which <= len(hints):
            print(f"Hint {which} of {len(hints)}: {hints[which - 1]}")
        else:
            print(f"Exercise {number} has {len(hints)} hints.")

    def _find(self, number: int) -> tuple[str, Callable[..., None], tuple[str, ...]]:
        if number not in self._exercises:
            raise ValueError(f"{self.title!r} has the exercises {self.numbers}, not {number!r}")
        return self._exercises[number]
