"""A class: numbered sheets that all differ, one file to print, a roster, and the answers apart.

`Classroom.of` makes one, `load` finds it again in its folder, `check` marks what was handed in.
Read `save`, then `check`.
"""

from __future__ import annotations

import csv
import difflib
import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from micrograd.show.graph.files import write
from micrograd.show.lesson.finding import Known
from micrograd.show.practice.class_report import ClassReport, Paper
from micrograd.show.practice.exercises import count as exercises_of
from micrograd.show.practice.kinds import explained
from micrograd.show.practice.marking import check
from micrograd.show.practice.reading import HandedIn, read_file
from micrograd.show.practice.sheet_page import sheet_document
from micrograd.show.practice.sheets import read_sheets
from micrograd.show.practice.worksheet import Worksheet

__all__ = ["Classroom"]

_ROSTER = "roster.csv"
_PAGES = (".html", ".htm", ".md")
_NOISE = ("thumbs.db", "desktop.ini")  # what systems leave in folders, beside names with a dot

PathLike = str | os.PathLike[str]


class Classroom:
    """Sheets with their numbers, and the names of those pupils whom the roster knows."""

    def __init__(self, sheets: Sequence[Worksheet], pupils: dict[str, str] | None = None) -> None:
        self.sheets = {sheet.identity.casefold(): sheet for sheet in sheets}
        self.pupils = pupils or {}  # by identity in small letters

    @classmethod
    def of(cls, level: int, count: int = 30, seed: int = 0, *, marking: bool = False) -> Classroom:
        """Sheets number 1, 2, ... of the seeds `seed`, `seed + 1`, ..."""
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"count= is how many sheets, at least 1; got {count!r}")
        most = exercises_of(level)
        if count > most:
            raise ValueError(f"level {level} has {most:,} different sheets; got count={count:,}")
        sheets = []
        for number in range(1, count + 1):
            sheet = Worksheet.random(level, seed + number - 1, marking=marking)
            sheet.number = number
            sheets.append(sheet)
        return cls(sheets)

    @classmethod
    def load(cls, folder: PathLike) -> Classroom:
        """The class whose sheets lie in this folder, or in this one file."""
        here = Path(folder)
        if not here.exists():
            raise ValueError(f"cannot read {os.fspath(folder)!r}: {os.strerror(errno.ENOENT)}")
        files = sorted(here.iterdir()) if here.is_dir() else [here]
        found = [s for f in files if f.suffix.lower() in _PAGES for s in read_sheets(f)]
        if not found:
            raise ValueError(
                f"{os.fspath(folder)!r} holds no worksheet; the folder of the class comes first, "
                "then the answers"
            )
        sheets = []
        for each in found:
            sheet = Worksheet(each.value)
            sheet.level, sheet.seed, sheet.number = each.level, each.seed, each.number
            sheets.append(sheet)
        roster = here / _ROSTER if here.is_dir() else here.with_name(_ROSTER)
        return cls(sheets, _read_roster(roster) if roster.is_file() else None)

    def save(self, folder: PathLike) -> tuple[Path, Path]:
        """Write the sheets and, in a folder beside theirs, the answers; both folders.

        class/ has sheet-01.html, ..., print.html with all of them, and roster.csv; class-answers/
        has answers-01.html, ..., and print.html.
        """
        public = Path(folder)
        keys = public.with_name(f"{public.resolve().name}-answers")
        for target in (public, keys):
            if target.exists() and (not target.is_dir() or any(target.iterdir())):
                raise ValueError(f"there is a {str(target)!r} already; a class gets a new folder")
        sheets = list(self.sheets.values())
        digits = max(2, len(str(len(sheets))))
        for target, solved, stem in ((public, False, "sheet"), (keys, True, "answers")):
            target.mkdir(parents=True, exist_ok=True)
            for k, sheet in enumerate(sheets, 1):
                name = f"{stem}-{sheet.number or k:0{digits}}.html"
                write(target / name, sheet_document([sheet], solved))
            title = f"{len(sheets)} sheets{': answers' * solved}"
            page = sheet_document(sheets, solved, title, together=True)
            write(target / "print.html", page)
        with (public / _ROSTER).open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["number", "name", "sheet"])
            rows.writerows([sheet.number, "", sheet.identity] for sheet in sheets)
        return public, keys

    def check(self, answers: PathLike | Iterable[PathLike]) -> ClassReport:
        """Mark files of answers, or all of a folder; each finds its sheet by the identity in it.

        What cannot be read or belongs to no sheet of this class is among the report's `problems`.
        """
        given = [answers] if isinstance(answers, (str, os.PathLike)) else list(answers)
        report = ClassReport(list(self.sheets.values()), self.pupils)
        names = Known(sheet.walk for sheet in self.sheets.values())
        files = [(path, list(_files(path))) for path in map(Path, given)]
        report.problems += [f"{str(path)!r} holds no files." for path, held in files if not held]
        for file in (file for _, held in files for file in held):
            try:
                rows = read_file(file, names)
            except (ValueError, OSError) as error:
                report.problems.append(f"{error}.")
                continue
            for row in rows:
                self._mark(row, report)
        report.look_for_doubles()
        return report

    def _mark(self, row: HandedIn, report: ClassReport) -> None:
        """One learner's answers: a paper of the report, or a problem."""
        try:
            sheet = self._sheet_of(row)
        except ValueError as error:
            report.problems.append(f"{error}.")
            return
        try:
            marked = check(sheet, row.given)
        except ValueError as error:  # its names are not those of the sheet
            report.problems.append(f"{row.source}: {error}.")
            return
        owner = self.pupils.get(sheet.identity.casefold(), "")
        if owner and row.pupil and _folded(owner) != _folded(row.pupil):
            report.problems.append(
                f"{row.source} is by {row.pupil} and answers sheet {sheet.identity}, which the "
                f"roster gives to {owner}."
            )
        pupil = row.pupil or owner
        paper = Paper(row.source, pupil, sheet, marked, explained(marked), row.tries)
        report.papers.append(paper)

    def _sheet_of(self, row: HandedIn) -> Worksheet:
        if row.problem:
            raise ValueError(row.problem)
        written = "".join(row.sheet.split()).casefold()
        if written in self.sheets:
            return self.sheets[written]
        if not written:
            only = next(iter(self.sheets.values()))
            if len(self.sheets) == 1:
                return only
            raise ValueError(
                f"{row.source} does not say which sheet it answers; it needs a line such as "
                f"sheet = {only.identity}"
            )
        close = difflib.get_close_matches(written, self.sheets, 1, 0.85)
        hint = f"; perhaps it is {close[0]}" if close else ""
        raise ValueError(
            f"{row.source} answers sheet {row.sheet}, which is none of this class{hint}"
        )


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or those in the folder, less what a system leaves there."""
    if not path.is_dir():
        yield path
        return
    for file in sorted(path.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.is_file() and not hidden and file.name.lower() not in _NOISE:
            yield file


def _read_roster(path: Path) -> dict[str, str]:
    """The names in the roster, by identity."""
    try:
        rows = read_file(path, blank=True)
    except ValueError:
        raise ValueError(
            f"{str(path)!r} cannot be read: it is a CSV in UTF-8 (which Excel calls "
            "CSV UTF-8) with the head number,name,sheet"
        ) from None
    return {row.sheet.casefold(): row.pupil for row in rows if row.pupil and row.sheet}
