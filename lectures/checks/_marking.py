"""The parts of one exercise while it is marked, and what is said about an exception.

A checker is a plain function. Each number, word or `with part(...)` in it is a part of its own, so
that a half-done exercise is marked as far as it goes. Everything else that fails raises `Wrong`.
"""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import micrograd

__all__ = ["Marking", "Part", "Wrong", "forget", "is_learners", "marking", "part", "note", "told"]


class Wrong(Exception):
    """What is wrong with an answer, in words that do not give the right one away."""


@dataclass(frozen=True)
class Part:
    """One part of an answer: "right", "right so far", "wrong" or "not attempted"."""

    what: str
    status: str
    message: str = ""


@dataclass
class Marking:
    """What is known of an exercise so far; `asked` is the last call, if it is short to say."""

    parts: list[Part] = field(default_factory=list)
    asked: str = ""
    calls: int = 0


_running: list[Marking] = []


@contextmanager
def marking() -> Iterator[Marking]:
    """A marking that `note` writes into; the one outside waits."""
    _running.append(Marking())
    try:
        yield _running[-1]
    finally:
        _running.pop()


def running() -> Marking | None:
    return _running[-1] if _running else None


def forget(calls: int = 0) -> None:
    """Let the last call go untold: after so many it says nothing about what they show together."""
    now = running()
    if now is not None and now.calls >= calls:
        now.asked = ""


def note(what: str, status: str, message: str = "") -> None:
    """Note a part. Outside a marking what is not right raises `Wrong`."""
    now = running()
    if now is not None:
        now.parts.append(Part(what, status, message))
    elif status != "right":
        raise Wrong(message)


@contextmanager
def part(what: str) -> Iterator[None]:
    """A part that is marked whatever becomes of the others: `with part("depth"): ...`."""
    now = running()
    if now is not None:
        now.asked, now.calls = "", 0
    try:
        yield
    except NotImplementedError:
        note(what, "not attempted")
    except Wrong as error:
        note(what, "wrong", told(error))
    except Exception as error:
        note(what, "wrong", f"{what}: {told(error)}")
    else:
        note(what, "right")


# --- exceptions -----------------------------------------------------------------------------------

_OURS = tuple(
    str(Path(folder).resolve()) + os.sep
    for folder in (
        Path(__file__).parent,
        Path(micrograd.__file__).parent,
        sysconfig.get_paths()["stdlib"],
        sysconfig.get_paths()["purelib"],
        sysconfig.get_paths()["platlib"],
        *(path for path in sys.path if path.endswith("site-packages")),
    )
)


def is_learners(filename: str) -> bool:
    """Whether code of this file is the learner's: neither a library's nor a checker's."""
    return not filename.startswith("<frozen") and not filename.startswith(_OURS)


def told(error: Exception) -> str:
    """An exception in words, with the line of the learner's own code and the call, if short."""
    now = running()
    asked = f" (the last call was {now.asked})" if now is not None and now.asked else ""
    if isinstance(error, Wrong):
        return f"{error}{asked}"
    text = " ".join(str(error).split())
    raised = f"{type(error).__name__}: {text}" if text else type(error).__name__
    place, step = None, error.__traceback__
    while step is not None:
        if is_learners(step.tb_frame.f_code.co_filename):
            place = step
        step = step.tb_next
    if place is None:
        return f"the answer cannot be used as it is: {raised}{asked}"
    line = linecache.getline(place.tb_frame.f_code.co_filename, place.tb_lineno).strip()
    shown = f", in line {place.tb_lineno}" + (f": {line}" if line else "")
    return f"it raised {raised}{shown}{asked}"
