"""The report of `check`: a mark for each gradient, as text for a terminal, as a table in notebooks.

What is said of a mark stands in `_said`; what was decided stands in `marking.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from micrograd.show.lesson.explanation import plain_markdown
from micrograd.show.notation import gradient, readable
from micrograd.show.practice.answers import ACCEPTED
from micrograd.show.practice.mistakes import MISTAKES

__all__ = ["Mark", "Report", "listed"]

_SIGNS = {"right": "✓ right", "wrong": "✗ wrong", "follows": "✓ follows"}


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


@dataclass(frozen=True, slots=True)
class Mark:
    """One answer; `verdict` is right, follows, right so far, wrong, not readable, not attempted.

    `mistakes` are keys of MISTAKES, the likeliest first. What `follows` was rightly worked out from
    the answers for `follows_from`, which are not the right numbers; that is no mistake. `avoided`
    are mistakes that could have been made here, and this answer is none of theirs.
    """

    name: str
    verdict: str
    answer: float | None
    mistakes: tuple[str, ...] = ()
    follows_from: tuple[str, ...] = ()
    note: str = ""
    shown: str = ""  # the answer in so many digits that a wrong one does not read as the right one
    right: float | None = None  # told only when revealed
    avoided: tuple[str, ...] = ()


class Report:
    """The marks by name, and in words: `str()` for a terminal, a table in notebooks."""

    def __init__(
        self, marks: Sequence[Mark], unknown: Sequence[str] = (), legend: Sequence[str] = ()
    ) -> None:
        self.marks = {mark.name: mark for mark in marks}
        self.legend = tuple(legend)  # what short names stand for
        self.unknown = tuple(unknown)  # names that were answered and are not asked for

    def count(self, verdict: str) -> int:
        return sum(mark.verdict == verdict for mark in self.marks.values())

    @property
    def summary(self) -> str:
        """`9 right, 1 mistake, 8 follow from it.`"""
        wrong, follow, early = map(self.count, ("wrong", "follows", "right so far"))
        said = [f"{self.count('right')} right", f"{wrong} mistake{'s' * (wrong != 1)}"]
        if follow:
            causes = wrong + early
            source = "it" if causes == 1 else "them" if causes else "rounded answers"
            said.append(f"{follow} follow{'s' * (follow == 1)} from {source}")
        for verdict in ("right so far", "not readable", "not attempted"):
            if self.count(verdict):
                said.append(f"{self.count(verdict)} {verdict}")
        return ", ".join(said) + "."

    @property
    def _notes(self) -> list[str]:
        names = ", ".join(self.unknown)
        unasked = [f"Answered, but not asked for here: {names}."] if names else []
        return [*self.legend, *unasked]

    def __str__(self) -> str:
        width = max(len(gradient(name)) for name in self.marks)
        lines = [self.summary, *self._notes, ACCEPTED, ""]
        for mark in self.marks.values():
            given = f" ({mark.shown})" if mark.shown else ""
            told = "" if mark.right is None else f"; it is {readable(mark.right)}"
            lines.append(f"{gradient(mark.name):{width}}  {mark.verdict}{given}{told}")
            lines += [f"{'':{width}}    {said}" for said in self._said(mark)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        e = plain_markdown
        rows = [" ".join(map(e, [self.summary, *self._notes, ACCEPTED])), ""]
        rows += ["| gradient | answer | mark | |", "|---|---|---|---|"]
        for mark in self.marks.values():
            told = [] if mark.right is None else [f"It is {readable(mark.right)}."]
            said = "<br>".join(map(e, [*self._said(mark), *told]))
            verdict = _SIGNS.get(mark.verdict, mark.verdict)
            rows.append(f"| {e(gradient(mark.name))} | {e(mark.shown)} | {verdict} | {said} |")
        return "\n".join(rows)

    def _said(self, mark: Mark) -> list[str]:
        """What to tell the learner, beside the verdict."""
        if mark.verdict == "follows":
            return [self._source(mark)]
        if mark.verdict == "right so far":
            return ["Give three digits."]
        if mark.verdict == "not readable":
            return [mark.note[:1].upper() + mark.note[1:] + "."]
        if mark.verdict != "wrong":
            return []
        if not mark.mistakes:
            return [f"No known mistake gives this number. {mark.note}".rstrip()]
        said = [f"{MISTAKES[key].name}. {MISTAKES[key].hint}" for key in mark.mistakes]
        said = [f"{'Or' if k else 'Looks like'}: {text}" for k, text in enumerate(said)]
        return [*said, mark.note] if mark.note else said

    def _source(self, mark: Mark) -> str:
        """Which answer one followed from, and what to do about that one."""
        names, many = listed(mark.follows_from), len(mark.follows_from) > 1
        if mark.mistakes:
            return f"From the same recursion as {names}: mend that first."
        said = f"Rightly worked out from your answer{'s' if many else ''} for {names}"
        verdicts = {self.marks[name].verdict for name in mark.follows_from}
        if verdicts == {"wrong"}:
            wrong = "which are wrong: mend those" if many else "which is wrong: mend that"
            return f"{said}, {wrong} first."
        rounded = verdicts <= {"right", "right so far"}
        return f"{said}{', rounded as written' if rounded else ''}."
