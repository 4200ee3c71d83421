"""What became of a class: marks by pupil, which mistakes were made where, and what to show.

A pupil counts once for each kind of mistake at each gradient. Read `ClassReport`; the page that it
saves is written by `class_page.py`.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from micrograd.show.graph.files import write
from micrograd.show.practice.kinds import UNKNOWN
from micrograd.show.practice.mistakes import MISTAKES
from micrograd.show.practice.report import Report, listed

if TYPE_CHECKING:
    from micrograd.show.practice.worksheet import Worksheet

__all__ = ["ClassReport", "Paper", "name_of", "short"]

_VERDICTS = ("right", "follows", "right so far", "wrong", "not readable", "not attempted")


def name_of(kind: str) -> str:
    """A kind of mistake in words."""
    return MISTAKES[kind].name if kind in MISTAKES else "no known mistake"


@dataclass(frozen=True, slots=True)
class Paper:
    """One pupil's answers to one sheet, marked; `kinds` tells for each wrong one its mistake."""

    source: str
    pupil: str
    sheet: Worksheet
    report: Report
    kinds: dict[str, str]
    tries: dict[str, int]

    @property
    def score(self) -> int:
        """Answers that are right, or rightly worked out from an earlier one."""
        return self.report.count("right") + self.report.count("follows")

    @property
    def who(self) -> str:
        """The pupil, or the sheet where nobody wrote a name."""
        return self.pupil or f"sheet {self.sheet.identity}"

    @property
    def key(self) -> tuple[str, str]:
        """What tells pupils apart: two of one name have different sheets."""
        return self.sheet.identity, self.pupil.casefold() or self.source


@dataclass
class ClassReport:
    """The papers that were marked, and the problems, a sentence each: what was not, and why."""

    sheets: list[Worksheet]
    roster: dict[str, str] = field(default_factory=dict)  # names by identity in small letters
    papers: list[Paper] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def look_for_doubles(self) -> None:
        """Sort the papers; who handed in twice, and which sheet came twice, is a problem."""
        self.papers.sort(key=lambda p: (p.sheet.number or 0, p.pupil.casefold(), p.source))
        by_name: dict[str, list[Paper]] = {}
        by_sheet: dict[str, list[Paper]] = {}
        for paper in self.papers:
            if paper.pupil:
                by_name.setdefault(paper.pupil.casefold(), []).append(paper)
            if len(self.sheets) > 1:
                by_sheet.setdefault(paper.sheet.identity, []).append(paper)
        told = [(p[0].pupil, "handed in", p) for p in by_name.values() if len(p) > 1]
        named = [papers for _, _, papers in told]
        for identity, papers in by_sheet.items():
            if len(papers) > 1 and papers not in named:
                told.append((f"Sheet {identity}", "came", papers))
        for who, came, papers in told:
            times = "twice" if len(papers) == 2 else f"{len(papers)} times"
            sources = listed([paper.source for paper in papers])
            self.problems.append(f"{who} {came} {times}, in {sources}; all are marked.")

    @property
    def missing(self) -> list[Worksheet]:
        """The sheets that nobody answered."""
        seen = {paper.sheet.identity for paper in self.papers}
        return [sheet for sheet in self.sheets if sheet.identity not in seen]

    def owner(self, sheet: Worksheet) -> str:
        """Whose sheet it is, where the roster says so."""
        return self.roster.get(sheet.identity.casefold(), "")

    @property
    def pupils(self) -> int:
        return len({paper.key for paper in self.papers})

    @property
    def asked(self) -> list[str]:
        """The gradients that the sheets ask for, from the output down."""
        return list(dict.fromkeys(s.walk.names[i] for s in self.sheets for i in s.asked))

    @property
    def average(self) -> float:
        """The mean share of a paper that was right; of pupils who handed in twice, their best."""
        best: dict[tuple[str, str], float] = {}
        for paper in self.papers:
            share = paper.score / len(paper.report.marks)
            best[paper.key] = max(best.get(paper.key, 0.0), share)
        return sum(best.values()) / len(best) if best else 0.0

    def right(self) -> dict[str, tuple[int, int]]:
        """For each gradient how many pupils have it right, and how many sheets asked for it.

        Rightly worked out from an earlier answer is right; of what came twice the best counts.
        """
        good, asked = set(), set()
        for paper in self.papers:
            for mark in paper.report.marks.values():
                asked.add((paper.key, mark.name))
                if mark.verdict in ("right", "follows"):
                    good.add((paper.key, mark.name))
        counts, all_ = (Counter(name for _, name in each) for each in (good, asked))
        return {name: (counts[name], all_[name]) for name in self.asked if all_[name]}

    def counts(self) -> dict[str, Counter[str]]:
        """For each kind of mistake, how many pupils made it at each gradient."""
        made = {(paper.key, *slip) for paper in self.papers for slip in paper.kinds.items()}
        found: dict[str, Counter[str]] = {}
        for _, name, kind in made:
            found.setdefault(kind, Counter())[name] += 1
        order = self.pupils_by_kind()
        return {kind: found[kind] for kind in order}

    def pupils_by_kind(self) -> dict[str, int]:
        """How many pupils made each kind of mistake, the commonest first."""
        made = {(paper.key, kind) for paper in self.papers for kind in paper.kinds.values()}
        counts = Counter(kind for _, kind in made)
        order = {kind: k for k, kind in enumerate((*MISTAKES, UNKNOWN))}
        kinds = sorted(counts, key=lambda kind: (kind == UNKNOWN, -counts[kind], order[kind]))
        return {kind: counts[kind] for kind in kinds}

    def to_show(self) -> tuple[str, Paper, str] | None:
        """The commonest mistake, a paper that has it, and at which gradient most pupils made it."""
        kind = next(iter(self.pupils_by_kind()), UNKNOWN)
        if kind == UNKNOWN:
            return None
        made = [(p, n) for p in self.papers for n, k in p.kinds.items() if k == kind]
        often = Counter(name for _, name in made).most_common(1)[0][0]
        return kind, next(paper for paper, name in made if name == often), often

    def __str__(self) -> str:
        lines = [self.summary, ""]
        width = max((len(paper.who) for paper in self.papers), default=0)
        for paper in self.papers:
            slips = Counter(paper.kinds.values())
            said = ", ".join(f"{name_of(kind)} ({n})" for kind, n in slips.items())
            asked = len(paper.report.marks)
            head = f"{paper.sheet.number or '':>4}  {paper.who:{width}}"
            lines.append(f"{head}  {paper.score:>3} of {asked}  {said}".rstrip())
        if self.papers and self.missing:
            sheets = [f"{s.number or s.identity} {self.owner(s)}".strip() for s in self.missing]
            lines += ["", f"nothing handed in: {', '.join(sheets)}"]
        if self.problems:
            lines += ["", *self.problems]
        return "\n".join(lines)

    @property
    def summary(self) -> str:
        """`28 of 30 sheets answered; the commonest mistake, by 11 pupils: ...`"""
        answered = len(self.sheets) - len(self.missing)
        said = f"{answered} of {len(self.sheets)} sheets answered"
        if self.pupils != answered:
            said += f" by {self.pupils} pupil{'s' * (self.pupils != 1)}"
        if self.problems:
            said += f", {len(self.problems)} problem{'s' * (len(self.problems) != 1)}"
        if self.papers:
            said += f"; on average {self.average:.0%} right"
        kinds = self.pupils_by_kind()
        if not kinds:
            return f"{said}."
        kind, pupils = next(iter(kinds.items()))
        by = f"{pupils} pupil{'s' * (pupils != 1)}"
        return f"{said}; the commonest mistake, by {by}: {name_of(kind)}."

    @property
    def csv(self) -> str:
        """A row for each paper, then one for each sheet that nobody answered."""
        file = io.StringIO()
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["number", "name", "sheet", "score", "asked", *_VERDICTS, "mistakes", "file"])
        for paper in self.papers:
            report, kinds = paper.report, dict.fromkeys(paper.kinds.values())
            rows.writerow([
                paper.sheet.number, _harmless(paper.pupil), paper.sheet.identity, paper.score,
                len(report.marks), *map(report.count, _VERDICTS),
                "; ".join(map(name_of, kinds)), _harmless(short(paper.source)),
            ])  # fmt: skip
        for sheet in self.missing:
            rows.writerow([sheet.number, _harmless(self.owner(sheet)), sheet.identity])
        return file.getvalue()

    @property
    def page(self) -> str:
        from micrograd.show.practice.class_page import class_page

        return class_page(self, "")

    def save_csv(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write the marks as a table; Excel knows by its first bytes that it is UTF-8."""
        target = Path(path)
        write(target, self.csv.encode("utf-8-sig"))
        return [target]

    def save(self, path: str | os.PathLike[str]) -> list[Path]:
        """Write the report as a page, and beside it the stepper of what to show."""
        target = Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"cannot save {str(path)!r}: a report's file ends in .html")
        from micrograd.show.practice.class_page import class_page, stepper_page

        beside = target.with_name(f"{target.stem}-step{target.suffix}")
        write(target, class_page(self, beside.name))
        step = stepper_page(self)
        if step is None:
            return [target]
        write(beside, step)
        return [target, beside]


def short(source: str) -> str:
    """The file's name without its folder: `ada.json`, `typed.csv, line 3`."""
    return re.sub(r"^(['\"])(?:.*[/\\\\])?([^/\\\\]*)\1", r"\2", source)


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and text else text
