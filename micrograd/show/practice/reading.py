"""What learners hand in: a mapping by name, or a file in JSON, Markdown, CSV or lines of text.

A file tells whose answers it holds and for which sheet (`sheet`, `name`), and a CSV may hold those
of a whole class, a row each. Here are names and texts; `answers.py` makes numbers of them. Read
`HandedIn`, then `read_file`.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from micrograd.show.practice.answers import described

__all__ = ["HandedIn", "bare", "read_answers", "read_file", "read_text", "same_sheet"]

_FENCE = re.compile(r"^```answers\s*$(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_SHEET, _NAME = ("sheet", "worksheet"), ("name", "pupil")
_BESIDE = ("number", "date")  # columns of a table that are no answers
_LINES = "write lines such as x1.grad = -1.5, or save them from the worksheet's page"


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One learner's answers: where they stand, for which sheet they are, and whose they are.

    `sheet` and `pupil` are "" where nothing tells; `tries` counts what the page was asked to mark.
    A `problem` says why the answers cannot be read.
    """

    source: str
    given: dict[str, Any] = field(default_factory=dict)
    sheet: str = ""
    pupil: str = ""
    tries: dict[str, int] = field(default_factory=dict)
    problem: str = ""


def read_answers(answers: Any, names: Container[str] = (), sheet: str = "") -> dict[str, Any]:
    """What one learner answered, by name: from a mapping or a file, which is of this sheet."""
    if isinstance(answers, Mapping):
        return {str(name): answer for name, answer in answers.items()}
    if not isinstance(answers, (str, os.PathLike)):
        raise TypeError(
            f"answers are a dict by name or the path of a file; got {described(answers)}"
        )
    found = read_file(answers, names)
    if len(found) > 1:
        found = [each for each in found if same_sheet(each.sheet, sheet)]
        if len(found) != 1:
            raise ValueError(
                f"{os.fspath(answers)!r} holds the answers of several; mark them with the folder "
                "of their class"
            )
    if found[0].problem:
        raise ValueError(found[0].problem)
    if sheet and found[0].sheet and not same_sheet(found[0].sheet, sheet):
        raise ValueError(
            f"{found[0].source} answers sheet {found[0].sheet}, and this is sheet {sheet}"
        )
    return found[0].given


def same_sheet(a: str, b: str) -> bool:
    """Whether two identities are one, however somebody typed them."""
    return a.strip().casefold() == b.strip().casefold()


def read_file(
    path: str | os.PathLike[str], names: Container[str] = (), *, blank: bool = False
) -> list[HandedIn]:
    """Every learner's answers in a file; `names` are those of the gradients that are asked for.

    A line is `name = number`, or `name: number` or `name, number` with one of the known `names`.
    A row of a table in which nothing is answered is left out, unless `blank`.
    """
    file = repr(os.fspath(path))
    text = read_text(path, f"; {_LINES}")
    if not text.strip():
        raise ValueError(f"{file} is empty; {_LINES}")
    if text.lstrip()[:9].lower() == "<!doctype":
        raise ValueError(f"{file} is a page, which keeps no answers; {_LINES}")
    if text.lstrip()[0] in "{[":
        found = list(_from_json(text, file, names))
    elif rows := _table(text, file):
        found = list(_from_table(rows, file))
        found = [row for row in found if blank or row.problem or any(row.given.values())]
    else:
        found = [_from_lines(text, file, names)]
    if not found:
        raise ValueError(f"{file} holds no answers; {_LINES}")
    return found


# --- JSON -----------------------------------------------------------------------------------------


def _from_json(text: str, file: str, names: Container[str]) -> Iterator[HandedIn]:
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{file} looks like JSON and is not: {error}") from None
    rows = found if isinstance(found, list) else [found]
    if not any(isinstance(row, dict) for row in rows):
        rows = []
    for number, row in enumerate(rows, 1):
        source = file if len(rows) == 1 else f"{file}, entry {number}"
        head, given, tries = row, row, {}
        if isinstance(row, dict) and "answers" in row and "answers" not in names:
            given = row["answers"]
            counts = row.get("tries")
            if isinstance(counts, dict):
                tries = {str(k): n for k, n in counts.items() if isinstance(n, int)}
        elif isinstance(row, dict):
            head = {k: v for k, v in row.items() if k in _SHEET + _NAME and k not in names}
            given = {k: v for k, v in row.items() if k not in head}
        if isinstance(given, dict):
            yield HandedIn(source, given, _first(head, _SHEET), _first(head, _NAME), tries)
        else:
            reason = f"{source} holds {described(given)} where the answers by name belong"
            yield HandedIn(source, problem=reason)


def _first(head: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    found = next((head[key] for key in keys if head.get(key) is not None), "")
    return " ".join(str(found).split())


# --- a table, a row each --------------------------------------------------------------------------


def _table(text: str, file: str) -> list[tuple[int, list[str]]]:
    """The numbered rows of a CSV with the columns `sheet`, `name` and gradients; else none."""
    first = text.lstrip().partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    rows = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise ValueError(f"{file} looks like a table and is none: {error}") from None
    head = [cell.casefold() for cell in rows[0][1]]
    # two fields may be one learner's first line, `sheet, 3-12-k7qf`
    is_head = len(head) > 2 or (len(head) == 2 and not re.search(r"\d", head[1]))
    return rows if is_head and any(key in head for key in _SHEET) else []


def _from_table(rows: list[tuple[int, list[str]]], file: str) -> Iterator[HandedIn]:
    known = _SHEET + _NAME + _BESIDE
    head = [cell.casefold() if cell.casefold() in known else cell for cell in rows[0][1]]
    for _, row in rows[1:]:
        while len(row) > len(head) and not row[-1]:
            row.pop()
    long = [(number, row) for number, row in rows[1:] if len(row) > len(head)]
    if 1 < len(long) == len(rows) - 1:  # one cause, told once
        lines = f"lines {long[0][0]} to {long[-1][0]}"
        yield HandedIn(file, problem=f"{file}, {lines} have more fields than {_too_long(head)}")
        return
    for number, row in rows[1:]:
        line = f"{file}, line {number}"
        if (number, row) in long:
            yield HandedIn(line, problem=f"{line} has {len(row)} fields and {_too_long(head)}")
            continue
        source = file if len(rows) == 2 else line
        cells = dict(zip(head, row, strict=False))
        given = {name: cell or None for name, cell in cells.items() if name and name not in known}
        yield HandedIn(source, given, _first(cells, _SHEET), _first(cells, _NAME))


def _too_long(head: list[str]) -> str:
    return (
        f'the head {len(head)}: decimal commas stand in quotes, "-1,5", or semicolons separate '
        "the fields"
    )


# --- lines ----------------------------------------------------------------------------------------


def _from_lines(text: str, file: str, names: Container[str]) -> HandedIn:
    fenced = _FENCE.search(text)
    known = [key for key in _SHEET + _NAME if key not in names]
    pairs: dict[str, str] = {}
    head: dict[str, str] = {}
    for line in (fenced[1] if fenced else text).splitlines():
        found = _pair(line.strip(), names, known)
        if found is not None and found[0].casefold() in known:
            head[found[0].casefold()] = found[1]
        elif found is not None:
            pairs[found[0]] = found[1]
    if not pairs:
        raise ValueError(f"{file} holds no answers; {_LINES}")
    return HandedIn(file, dict(pairs), _first(head, _SHEET), _first(head, _NAME))


def read_text(path: str | os.PathLike[str], hint: str = "") -> str:
    """A text file in UTF-8, or in UTF-16 if it begins so, or an error that names it."""
    try:
        data = Path(path).read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if wide else "utf-8-sig")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeError:
        if Path(path).suffix.lower() == ".csv":
            hint = "; save it as such, which Excel calls CSV UTF-8"
        raise ValueError(f"{os.fspath(path)!r} is not text in UTF-8{hint}") from None
    except OSError as error:
        reason = f"cannot read {os.fspath(path)!r}: {error.strerror}"
        raise type(error)(reason) from None


def _pair(line: str, names: Container[str], head: Container[str]) -> tuple[str, str] | None:
    """Name and answer of one line; None if it is a comment, a heading, prose."""
    name, sign, answer = (part.strip(" \t\"'") for part in line.rpartition("="))
    if sign and (not line.startswith("#") or bare(name) in names):
        return name, answer
    for sign in ":;,\t":
        name, found, answer = line.partition(sign)
        name, answer = (part.strip(" \t\"'") for part in (name, answer))
        if found and (bare(name) in names or name.casefold() in head):
            return name, answer
    return None


def bare(name: str) -> str:
    """`x1` of `x1.grad`, `a+b` of `(a+b).grad`."""
    name = name.strip()
    stem = re.sub(r"\s*\.\s*grad$", "", name, flags=re.IGNORECASE)
    return stem[1:-1] if stem != name and stem.startswith("(") and stem.endswith(")") else stem
