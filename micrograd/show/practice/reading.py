"""What a learner hands in: a mapping by name, or a file in JSON, Markdown or lines of text.

Here are names and texts; `answers.py` makes numbers of them. Read `read_answers`, then `_pair`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from micrograd.show.practice.answers import described

__all__ = ["bare", "read_answers", "read_text"]

_FENCE = re.compile(r"^```answers\s*$(.*?)^```\s*$", re.MULTILINE | re.DOTALL)


def read_answers(answers: Any, names: Container[str] = ()) -> dict[str, Any]:
    """What was answered, by name: from a mapping, or a file in JSON, Markdown or lines of text.

    A line is `name = number`, or `name: number` or `name, number` with one of the known `names`.
    """
    if isinstance(answers, Mapping):
        return {str(name): answer for name, answer in answers.items()}
    if not isinstance(answers, (str, os.PathLike)):
        raise TypeError(
            f"answers are a dict by name or the path of a file; got {described(answers)}"
        )
    file = repr(os.fspath(answers))
    text = read_text(answers, f"; {_LINES}")
    if text.lstrip()[:9].lower() == "<!doctype":
        raise ValueError(f"{file} is a page, which keeps no answers; {_LINES}")
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{file} looks like JSON and is not: {error}") from None
        return {str(name): answer for name, answer in found.items()}
    fenced = _FENCE.search(text)
    lines = (fenced[1] if fenced else text).splitlines()
    pairs = dict(pair for line in lines if (pair := _pair(line.strip(), names)))
    if not pairs:
        raise ValueError(f"{file} holds no answers; {_LINES}")
    return pairs


def read_text(path: str | os.PathLike[str], hint: str = "") -> str:
    """A text file, or an error that names it."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{os.fspath(path)!r} is not text in UTF-8{hint}") from None
    except OSError as error:
        reason = f"cannot read {os.fspath(path)!r}: {error.strerror}"
        raise type(error)(reason) from None


_LINES = "write lines such as x1.grad = -1.5, or save them from the worksheet's page"


def _pair(line: str, names: Container[str]) -> tuple[str, str] | None:
    """Name and answer of one line; None if it is a comment, a heading, prose."""
    name, sign, answer = (part.strip(" \t\"'") for part in line.rpartition("="))
    if sign and (not line.startswith("#") or bare(name) in names):
        return name, answer
    for sign in ":;,\t":
        name, found, answer = line.partition(sign)
        name, answer = (part.strip(" \t\"'") for part in (name, answer))
        if found and bare(name) in names:
            return name, answer
    return None


def bare(name: str) -> str:
    """`x1` of `x1.grad`, `a+b` of `(a+b).grad`."""
    name = name.strip()
    stem = re.sub(r"\s*\.\s*grad$", "", name, flags=re.IGNORECASE)
    return stem[1:-1] if stem != name and stem.startswith("(") and stem.endswith(")") else stem
