"""The planted answers of an exercise, and the mark of one that follows a natural misreading.

A module of `planted_answers/` holds `WRONG`, `MISREAD` and `RIGHT`, each by the exercise's key. An
answer is what follows the number in `check(number, answer)`; a tuple stands for several.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

__all__ = ["Misread", "misread", "planted"]


@dataclass(frozen=True)
class Misread:
    """A wrong answer, what was misread, and the words in which its message says what is asked."""

    answer: Any
    reading: str
    told: str


def planted(module: str, kind: str) -> dict[str, list[tuple[Any, ...]]]:
    """{key: [answers, ...]} of "WRONG" or "RIGHT"; the misread answer is one of the wrong."""
    held = importlib.import_module(f"planted_answers.{module}")
    found = {key: list(answers) for key, answers in getattr(held, kind).items()}
    if kind == "WRONG":
        for key, one in held.MISREAD.items():
            found.setdefault(key, []).append(one.answer)
    return {key: [_several(answer) for answer in found[key]] for key in found}


def misread(module: str) -> dict[str, Misread]:
    """{key: Misread}"""
    return importlib.import_module(f"planted_answers.{module}").MISREAD


def _several(answer: Any) -> tuple[Any, ...]:
    return answer if isinstance(answer, tuple) else (answer,)
