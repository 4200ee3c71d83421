"""Compares an answer with what is right, and says where and how the two differ.

`by_hand`, `word` and `truths` are for what a learner types: each is a part of the exercise.
`close`, `same` and `true` are for what a learner's function gives: they raise `Wrong`.
`instead` holds what a misreading of the text gives, by what is to be said of it:
`{"this is the sum; give the mean": x.sum()}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from checks._difference import difference, misread, off_at
from checks._forms import array, brief, integers, is_open, whole
from checks._marking import Wrong, forget, note
from micrograd.show.practice import answers

__all__ = ["by_hand", "close", "same", "true", "truths", "word"]

_WORST = ("right", "right so far", "not attempted", "wrong")
_NOTHING: Mapping[str, Any] = {}
_ANSWERS = "the answers"
_COUNT = 1e-9  # a count is a misreading's only if it is the same
_MANY = 100  # calls, of which the last one says nothing


def by_hand(
    given: Any,
    right: Any = None,
    what: str = "",
    *,
    exact: bool = False,
    low: float | None = None,
    high: float | None = None,
    instead: Mapping[str, Any] = _NOTHING,
) -> None:
    """A number worked out by hand, or a list of them: `micrograd.show.practice.answers.by_hand`.

    `exact` is for counts; with `low` or `high` any number from low to high is right.
    """
    given = ... if is_open(given) else given
    if not isinstance(right, (list, tuple, np.ndarray)):
        verdict = answers.by_hand(given, right, exact=exact, low=low, high=high)
        near = _COUNT if exact else 1e-3
        known = misread(verdict.answer, instead, near) or _sign(verdict, right)
        _verdict(what, _status(verdict.status), f"{what}: {_said(verdict, known)}")
        return
    if given is ...:
        note(what, "not attempted")
        return
    entries = np.ravel(np.array(given, dtype=object)).tolist() if _is_nest(given) else [given]
    if len(entries) != len(right):
        note(what, "wrong", f"{what}: {len(right)} numbers are wanted, got {brief(given)}")
        return
    found = [answers.by_hand(g, r, exact=exact) for g, r in zip(entries, right, strict=True)]
    worst = max((_status(verdict.status) for verdict in found), key=_WORST.index)
    place = next(i for i, verdict in enumerate(found) if _status(verdict.status) == worst)
    said = _said(found[place]) + misread([verdict.answer for verdict in found], instead)
    _verdict(what, worst, f"{what}, number {place + 1}: {said}")


def _sign(verdict: answers.Verdict, right: Any) -> str:
    """As the worksheets say it: a lost minus is told."""
    if verdict.status != "wrong" or not verdict.answer or right is None:
        return ""
    turned = answers.matches(-verdict.answer, float(right))
    return " (the size is right, and the sign is not)" if turned else ""


def _is_nest(given: Any) -> bool:
    return isinstance(given, (list, tuple, np.ndarray))


def _said(verdict: answers.Verdict, known: str = "") -> str:
    """The verdict; who has worked out exactly 0.2 is told that this itself is not right."""
    if verdict.status != "right so far":
        return verdict.message + known
    itself = f"{verdict.answer:g} itself is not right"
    if known:  # it is a misreading's number as well as the right one's first digits
        return f"if that is rounded, give three digits; {itself}{known}"
    return f"{verdict.message} ({itself})"


def _status(status: str) -> str:
    return "wrong" if status == "not readable" else status


def _verdict(what: str, status: str, message: str) -> None:
    note(what, status, "" if status in ("right", "not attempted") else message)


def word(
    given: Any,
    right: str,
    what: str,
    among: Sequence[str],
    *,
    instead: Mapping[str, str] = _NOTHING,
) -> None:
    """One of a few words; capitals, hyphens and spaces around do not count."""
    if is_open(given):
        note(what, "not attempted")
        return
    single = given.item() if isinstance(given, np.ndarray) and given.size == 1 else given
    if isinstance(single, (list, tuple)) and len(single) == 1:
        single = single[0]
    plain = _plain(single) if isinstance(single, str) else None
    choices = {_plain(w) for w in among}
    if plain not in choices:
        listed = ", ".join(f'"{w}"' for w in among)
        note(what, "wrong", f"{what}: {brief(given)} is none of {listed}")
    elif plain != _plain(right):
        said = [f" ({told})" for told, other in instead.items() if plain == _plain(other)]
        note(what, "wrong", f"{what}: {brief(given)} is not right{''.join(said)}")
    else:
        note(what, "right")


def _plain(text: str) -> str:
    """Without what does not count: capitals, spaces around, hyphens."""
    return " ".join(text.replace("_", " ").replace("-", " ").split()).casefold()


def truths(
    given: Sequence[Any],
    right: Sequence[bool],
    names: str,
    what: str = _ANSWERS,
    *,
    instead: Mapping[str, Sequence[bool]] = _NOTHING,
) -> None:
    """Statements that are True or False: how many are wrong and not which, lest one guess."""
    statuses, unread = [], []
    for name, answer, wanted in zip(names, given, right, strict=True):
        truth = _truth(answer)
        if is_open(answer):
            statuses.append("not attempted")
        elif truth is None:
            unread.append((name, brief(answer)))
        else:
            statuses.append("right" if truth == wanted else "wrong")
    wrong, missing = statuses.count("wrong"), statuses.count("not attempted")
    total = f"{wrong} of the {len(right)} answers {'is' if wrong == 1 else 'are'} not right"
    total += misread([_truth(answer) for answer in given], instead)
    if unread or wrong:
        said = "; ".join([*_unread(unread), *([total] if wrong else [])])
        note(what, "wrong", said if what == _ANSWERS else f"{what}: {said}")
    elif missing:
        note(f"{what} so far", "right" if missing < len(right) else "not attempted")
        note(f"{missing} of the {len(right)} answers", "not attempted")
    else:
        note(what, "right")


def _unread(answers: Sequence[tuple[str, str]]) -> list[str]:
    """What is neither True nor False, in one remark: [("a", "1"), ("b", "0")]."""
    if not answers:
        return []
    if len(answers) == 1:
        return [f"the answer to {answers[0][0]} is True or False, not {answers[0][1]}"]
    names, given = ([*column] for column in zip(*answers, strict=True))
    listed = [f"{', '.join(texts[:-1])} and {texts[-1]}" for texts in (names, given)]
    return [f"the answers to {listed[0]} are True or False, not {listed[1]}"]


def _truth(answer: Any) -> bool | None:
    if isinstance(answer, np.ndarray) and answer.size == 1:
        answer = answer.item()
    if isinstance(answer, str):
        return {"true": True, "false": False}.get(answer.strip().casefold())
    return bool(answer) if isinstance(answer, (bool, np.bool_)) else None


# --- what a function gives ------------------------------------------------------------------------


def true(condition: Any, what: str) -> None:
    """The property must hold; `what` says it: "every row of the distances is non-negative"."""
    if not bool(condition):
        forget(_MANY)
        raise Wrong(f"this should hold and does not: {what}")


def close(
    got: Any,
    expected: Any,
    what: str,
    *,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    instead: Mapping[str, Any] = _NOTHING,
) -> None:
    """Computed numbers must agree: |got - expected| <= atol + rtol * |expected|."""
    wanted = np.asarray(expected, dtype=float)
    try:
        given = array(got, what, wanted.shape)
    except Wrong as error:
        raise Wrong(f"{error}{misread(got, instead)}") from None
    if not np.allclose(given, wanted, rtol=rtol, atol=atol, equal_nan=True):
        said = difference(given, wanted, rtol, atol)
        raise Wrong(f"{what}: {said}{misread(given, instead, max(1e-3, rtol / 2))}")


def same(got: Any, expected: Any, what: str, *, instead: Mapping[str, Any] = _NOTHING) -> None:
    """Words, truths, whole numbers, or lists and arrays of them must be equal."""
    try:
        _same(got, expected, what)
    except Wrong as error:
        raise Wrong(f"{error}{misread(got, instead, _COUNT)}") from None


def _same(got: Any, expected: Any, what: str) -> None:
    if isinstance(expected, str):
        if not isinstance(got, str) or got.strip().casefold() != expected.casefold():
            raise Wrong(f"{what}: {brief(got)} is not right")
    elif isinstance(expected, (bool, np.bool_)):
        truth = _truth(got)
        if truth is None and got in (0, 1):
            truth = bool(got)
        if truth is None:
            raise Wrong(f"{what}: True or False is wanted, got {brief(got)}")
        if truth != expected:
            raise Wrong(f"{what}: {brief(got)} is not right")
    elif isinstance(expected, (int, np.integer)):
        if whole(got, what) != expected:
            raise Wrong(f"{what}: {brief(got)} is not right")
    else:
        wanted = np.asarray(expected, dtype=float)
        given = integers(got, what, wanted.shape)
        if not np.array_equal(given, wanted):
            off = given != wanted
            place = [int(i) for i in np.argwhere(off)[0]]
            flags = np.array(expected).dtype == bool
            found = brief(given[tuple(place)] == 1 if flags else given[tuple(place)])
            said = off_at(off, place, "answer" if flags else "number")
            raise Wrong(f"{what}: {said}: it is {found}")
