"""Answers worked out by hand: reading the numbers that people write, and saying whether they count.

`by_hand` is the one rule for such numbers: worksheets, `check` and the exercises of the lectures
ask it, and `answers.js` is the same rule for pages (a test gives both one table). Read `matches`,
then `by_hand`; `read_number` is what a number may look like.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from micrograd.reals import describe

__all__ = [
    "ACCEPTED",
    "Judged",
    "Verdict",
    "by_hand",
    "described",
    "judged",
    "matches",
    "read_number",
    "rounded",
    "shown",
]

ACCEPTED = (
    "Three digits are enough: an answer is right within half a percent, or rounded to three "
    "decimals if its size is at least 0.05. Fractions are welcome: 1/3, -2/7."
)
_HALF_A_PERCENT = 0.005 + 1e-9
_DUST = 1e-12  # what rounding leaves of a 0: two paths of 0.1 and -0.1 may add up to 3e-17
_FORMS = "write one number, such as -1.5, 3/4 or 2e-3"
_NUMBER = re.compile(
    r"([+-]?)(?:(\d+\.?\d*|\.\d+)(?:e([+-]?\d+))?|inf|infinity|nan)", re.ASCII | re.IGNORECASE
)


# --- reading one number -------------------------------------------------------------------------


def read_number(answer: Any) -> float | None:
    """A number from 1.5, "1.5", "−1,5", "3/4", [1.5], a Value; None where nothing was written."""
    if answer is None or answer is ... or (isinstance(answer, str) and not answer.strip(" _?\t")):
        return None
    if isinstance(answer, str):
        return _from_text(answer)
    if isinstance(answer, (list, tuple)) and len(answer) == 1:
        return read_number(answer[0])
    shape = getattr(answer, "shape", None)
    if isinstance(shape, tuple) and math.prod(shape) == 1:  # of NumPy or PyTorch
        single = answer.item()
        if type(single) is not type(answer):
            return read_number(single)
        shape = None
    if shape is None and not isinstance(answer, bool) and hasattr(type(answer), "__float__"):
        try:
            return float(answer)
        except OverflowError:
            raise ValueError(f"got a number that no float can hold; {_FORMS}") from None
        except (TypeError, ValueError):
            pass
    raise ValueError(f"got {described(answer)}; {_FORMS}")


def _from_text(text: str) -> float:
    plain = "".join(text.split()).translate(_SIGNS).lstrip("=~≈")
    top, slash, bottom = plain.partition("/")
    numbers = [_NUMBER.fullmatch(part) for part in ([top, bottom] if slash else [top])]
    if not all(numbers) or re.search(r"\d\s+\d", text):
        raise ValueError(f"got {described(text)}; {_FORMS}")
    if not slash:
        return float(top)
    number, divisor = float(top), float(bottom)
    if divisor:
        return number / divisor
    sign = math.copysign(1.0, number) * math.copysign(1.0, divisor)
    return math.nan if number == 0 or math.isnan(number) else sign * math.inf


_SIGNS = str.maketrans(
    {"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", ",": ".", "∞": "inf"}
    | {"\N{FRACTION SLASH}": "/", "\N{DIVISION SIGN}": "/"}
)


def described(answer: Any) -> str:
    """What was given instead of a number, without anybody's repr of arrays and functions."""
    shape = getattr(answer, "shape", None)
    if isinstance(shape, tuple):
        return f"an array of shape {tuple(map(int, shape))}" if shape else "an array"
    if isinstance(answer, (list, tuple, dict, set)):
        count = len(answer)
        return f"a {type(answer).__name__} of {count} thing{'s' * (count != 1)}"
    kind = type(answer).__name__
    if isinstance(answer, str):
        return repr(answer if len(answer) <= 60 else answer[:59] + "…")
    if answer is None or isinstance(answer, bool):
        return str(answer)
    if isinstance(answer, (int, float)):
        return f"the number {describe(answer).partition(' ')[2]}"  # cut where it is long
    if isinstance(answer, type):
        return f"the class {answer.__name__}"
    if hasattr(answer, "data") and hasattr(answer, "grad"):
        return "a Value"
    if callable(answer) and hasattr(answer, "__name__"):
        return "a function"
    text = describe(answer).replace("complex ", "the complex number ").removeprefix("bool ")
    return f"an object of type {kind}" if callable(answer) or " at 0x" in text else text


# --- the one rule -------------------------------------------------------------------------------


def matches(answer: float, right: float) -> bool:
    """|answer - right| <= 0.5% of |right|; or `right` rounded to 3 decimals, if |right| >= 0.05."""
    if not (math.isfinite(answer) and math.isfinite(right)):
        return answer == right or (math.isnan(answer) and math.isnan(right))
    error = abs(answer - right)
    if error <= _HALF_A_PERCENT * abs(right) + _DUST:
        return True
    return error <= 0.0005 + 1e-9 and abs(right) >= 0.05 - 1e-9 and _is_multiple(answer, 0.001)


def _is_multiple(x: float, unit: float) -> bool:
    return abs(x / unit - round(x / unit)) < 1e-6


def rounded(answer: float, right: float) -> bool:
    """Whether `answer` is `right` rounded to one digit or to two, and `right` has more than two.

    1.5 is as short as what it would be rounded to: whoever says 2 there has not rounded it.
    """
    if not (math.isfinite(answer) and 1e-300 < abs(right) < math.inf) or answer == 0:
        return False
    first = 10.0 ** math.floor(math.log10(abs(right)))  # what a 1 as the first digit is worth
    digits = right / first * 10
    if abs(digits - round(digits)) <= 1e-9 * abs(digits):
        return False
    error = abs(answer - right) * (1 - 1e-6)
    return any(error <= unit / 2 and _is_multiple(answer, unit) for unit in (first, first / 10))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one answer; true if it is right. The message never tells the right number."""

    status: str  # right, right so far, wrong, not readable, not attempted
    answer: float | None
    message: str

    def __bool__(self) -> bool:
        return self.status == "right"


@dataclass(frozen=True, slots=True)
class Judged:
    """What `by_hand` was asked, for tests that ask again with the same number in other forms."""

    given: Any
    right: float | None
    exact: bool
    low: float | None
    high: float | None


_listeners: list[list[Judged]] = []


@contextmanager
def judged() -> Iterator[list[Judged]]:
    """Collects what `by_hand` judges inside the block: every exercise's numbers, for its tests."""
    seen: list[Judged] = []
    _listeners.append(seen)
    try:
        yield seen
    finally:
        _listeners[:] = [other for other in _listeners if other is not seen]


def by_hand(
    given: Any,
    right: Any = None,
    *,
    exact: bool = False,
    low: float | None = None,
    high: float | None = None,
) -> Verdict:
    """Whether a number worked out by hand counts: see `ACCEPTED`.

    `exact` is for counts. With `low` or `high` any number from low to high is right. `given` is
    whatever `read_number` takes; one digit or two of the right number are "right so far".
    """
    expected = read_number(right)
    if expected is None and low is None and high is None:
        raise TypeError("by_hand() needs the right number, or low= and high= of those that count")
    for seen in _listeners:
        seen.append(Judged(given, expected, exact, low, high))
    try:
        answer = read_number(given)
    except ValueError as error:
        return Verdict("not readable", None, str(error))
    if answer is None:
        return Verdict("not attempted", None, "not attempted")
    if low is not None or high is not None:
        return _in_range(answer, low, high)
    assert expected is not None
    if exact:
        return _exactly(answer, expected)
    if matches(answer, expected):
        return Verdict("right", answer, "right")
    if rounded(answer, expected):
        return Verdict("right so far", answer, "right so far: give three digits")
    wrong = shown(answer, lambda x: matches(x, expected))
    return Verdict("wrong", answer, f"{wrong} is not right")


def _exactly(answer: float, expected: float) -> Verdict:
    if abs(answer - expected) <= 1e-9 * max(1.0, abs(expected)):
        return Verdict("right", answer, "right")
    whole = not math.isfinite(answer) or answer == round(answer)
    hint = "" if whole or expected != round(expected) else "; a whole number is asked for"
    return Verdict("wrong", answer, f"{shown(answer, expected.__eq__)} is not right{hint}")


def _in_range(answer: float, low: float | None, high: float | None) -> Verdict:
    if low is not None and not answer >= low - 1e-9 * abs(low):
        return Verdict("wrong", answer, f"{shown(answer, low.__le__)} is too small")
    if high is not None and not answer <= high + 1e-9 * abs(high):
        return Verdict("wrong", answer, f"{shown(answer, high.__ge__)} is too large")
    return Verdict("right", answer, "right")


def shown(answer: float, counts: Callable[[float], Any]) -> str:
    """The number in so many digits that it does not read as one that would count."""
    for digits in range(4, 18):
        text = f"{answer:.{digits}g}"
        if "e+" in text and abs(answer) < 1e9:  # 15600 rather than 1.56e+04
            continue
        if counts(float(text)) is not True:
            break
    return text.replace("-", "\N{MINUS SIGN}")
