"""Numbers worked out by hand: one rule, in Python and on the pages, for every form people write."""

from __future__ import annotations

# ruff: noqa: RUF001 (minus signs, fractions and digits as people type them)
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import browser, needs_browser
from hypothesis import assume, given
from hypothesis import strategies as st

from micrograd import Value
from micrograd.show.lesson.pages import source
from micrograd.show.practice.answers import by_hand, judged, read_number
from micrograd.show.practice.reading import bare, read_answers

THIRD = 1 / 3
TABLE = [  # what is written, the right number, what becomes of it
    ("1", 1.0, "right"), ("+1.0", 1.0, "right"), ("1.", 1.0, "right"), (" 1 ", 1.0, "right"),
    ("1.005", 1.0, "right"), ("0.995", 1.0, "right"), ("1.0051", 1.0, "wrong"),
    ("3.015", 3.0, "right"), ("-3.015", -3.0, "right"), ("-3", 3.0, "wrong"),
    ("1/3", THIRD, "right"), ("−1/3", -THIRD, "right"), ("-2/7", -2 / 7, "right"),
    ("1 / 3", THIRD, "right"), ("1⁄3", THIRD, "right"), ("0.333", THIRD, "right"),
    ("0,333", THIRD, "right"), (".333", THIRD, "right"), ("= 0.333", THIRD, "right"),
    ("≈0.333", THIRD, "right"), ("3.33e-1", THIRD, "right"), ("3.33E-1", THIRD, "right"),
    ("0.33", THIRD, "right so far"), ("0.3", THIRD, "right so far"), ("0.34", THIRD, "wrong"),
    ("0.32", THIRD, "wrong"), ("0.4", THIRD, "wrong"), ("-0.3", THIRD, "wrong"),
    ("0.8", 0.78645, "right so far"), ("0.79", 0.78645, "right"), ("0.78", 0.78645, "wrong"),
    ("0.786", 0.78645, "right"), ("0.7864", 0.78645, "right"),
    ("0.051", 0.0514, "right"), ("0.0514", 0.0514, "right"), ("0.05", 0.0514, "right so far"),
    ("0.004", 0.00423, "right so far"), ("0.0042", 0.00423, "right so far"),
    ("0.00423", 0.00423, "right"), ("0.000", 0.0004, "wrong"), ("0", 0.0004, "wrong"),
    ("0", 0.0, "right"), ("-0", 0.0, "right"), ("0", 3e-17, "right"), ("0.0001", 0.0, "wrong"),
    ("1200", 1234.0, "right so far"), ("1000", 1234.0, "right so far"), ("1230", 1234.0, "right"),
    ("1300", 1234.0, "wrong"), ("10", 9.61, "right so far"), ("100", 99.6, "right"),
    ("1.5", 1.5, "right"), ("3/2", 1.5, "right"), ("2", 1.5, "wrong"), ("2.00", 1.5, "wrong"),
    ("1", 1.5, "wrong"), ("0.25", 0.25, "right"), ("0.3", 0.25, "wrong"), ("0.2", 0.25, "wrong"),
    ("3", 3.0, "right"), ("0.004", 0.0042, "wrong"), ("10", 9.6, "wrong"), ("2", -1.5, "wrong"),
    ("1.2", 1.25, "right so far"), ("1.3", 1.25, "right so far"), ("1", 1.25, "right so far"),
    ("1.5", 0.1 * 15, "right"), ("2", 0.1 * 15, "wrong"), ("-2", -1.4999, "wrong"),
    ("inf", math.inf, "right"), ("∞", math.inf, "right"), ("-∞", -math.inf, "right"),
    ("−Infinity", -math.inf, "right"), ("1/0", math.inf, "right"), ("-1/0", -math.inf, "right"),
    ("inf", 1.0, "wrong"), ("1", math.inf, "wrong"), ("nan", math.nan, "right"),
    ("0/0", math.nan, "right"), ("1", math.nan, "wrong"), ("nan", 1.0, "wrong"),
    ("1e300", 1e-300, "wrong"), ("1e-300", 1e300, "wrong"), ("1e999", 1.0, "wrong"),
    ("5e-324", 1e-323, "right"), ("1", 5e-324, "wrong"),
    ("", 1.0, "not attempted"), ("  ", 1.0, "not attempted"), ("___", 1.0, "not attempted"),
    ("?", 1.0, "not attempted"),
    ("0.36 because", 0.36, "not readable"), ("36%", 0.36, "not readable"),
    ("1 2", 12.0, "not readable"), ("1_000", 1000.0, "not readable"), ("0x1", 1.0, "not readable"),
    ("1.2.3", 1.0, "not readable"), ("1,234.5", 1234.5, "not readable"),
    ("1/2/3", 1.0, "not readable"), ("/3", 1.0, "not readable"), ("1/", 1.0, "not readable"),
    ("--1", 1.0, "not readable"),
    ("one", 1.0, "not readable"), ("e5", 1.0, "not readable"), ("١", 1.0, "not readable"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "right", "status"), TABLE)
def test_the_table(written: str, right: float, status: str) -> None:
    assert by_hand(written, right).status == status


@pytest.mark.browser
@needs_browser
def test_the_pages_rule_is_the_same() -> None:
    rows = [
        [written, number if math.isfinite(number) else str(number)] for written, number, _ in TABLE
    ]
    rows += [[repr(a), b] for a, b in _many_pairs()]
    expected = [by_hand(written, float(number)).status for written, number in rows]
    assert {*expected} == {"right", "right so far", "wrong", "not readable", "not attempted"}
    with browser() as driver:
        driver.get("data:text/html,<title>answers</title>")
        shown = driver.execute_script(
            source("practice/answers.js")
            + "const words = {inf: Infinity, '-inf': -Infinity, nan: NaN};"
            + "return arguments[0].map(([text, x]) => answers.status(text, words[x] ?? x))",
            rows,
        )
    assert shown == expected


def _many_pairs() -> Iterator[tuple[float, float]]:
    """Numbers of all sizes beside what rounding and slips make of them."""
    draw = np.random.default_rng(0)
    for right in draw.normal(size=300) * 10.0 ** draw.integers(-4, 5, size=300):
        right = float(right)
        for digits in range(1, 6):
            yield float(f"{right:.{digits}g}"), right
            yield round(right, digits), right
        short = float(f"{right:.2g}")
        for unit in (10.0 ** math.floor(math.log10(abs(right))), 1.0):
            yield round(short / unit) * unit, short
        for factor in (0.98, 0.9949, 0.9951, 1.0049, 1.0051, -1.0):
            yield right * factor, right


# --- the rule's promises ------------------------------------------------------------------------

numbers = st.floats(1e-6, 1e6) | st.floats(-1e6, -1e-6)


@given(numbers)
def test_three_digits_are_always_enough_and_one_percent_off_never_is(right: float) -> None:
    assert by_hand(float(f"{right:.3g}"), right)
    if abs(right) >= 0.05:
        assert by_hand(round(right, 3), right)
    for moved in (right * 1.0101, right * 0.9899):
        assert not by_hand(moved, right)


@given(numbers, st.sampled_from([1, 2]))
def test_one_digit_or_two_of_more_are_right_so_far(right: float, digits: int) -> None:
    assume(not math.isclose(right, float(f"{right:.2g}"), rel_tol=1e-8))
    verdict = by_hand(float(f"{right:.{digits}g}"), right)
    assert verdict.status in ("right", "right so far")
    if verdict.status == "right so far":
        assert verdict.message == "right so far: give three digits"


SHORT = [k * 10.0**e for e in range(-4, 4) for k in range(1, 100) if k % 10]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_short_number_is_right_as_it_is_and_not_rounded_further(sign: int) -> None:
    """Whoever says 2 for 1.5 would be asked for three digits for ever."""
    for right in (sign * x for x in SHORT):
        for written in (repr(right), f"{right:.2g}", f"{right:.3g}", Fraction(right)):
            assert by_hand(written, right), (written, right)
        unit = 10.0 ** math.floor(math.log10(abs(right)))
        for answer in (math.floor(right / unit) * unit, math.ceil(right / unit) * unit):
            status = by_hand(answer, right).status
            assert status == ("right" if math.isclose(answer, right) else "wrong"), (answer, right)


@pytest.mark.parametrize("third", range(1, 10))
def test_a_number_of_three_digits_or_more_may_be_rounded_to_fewer(third: int) -> None:
    for right in (x + third * x / abs(x) * 10.0 ** (math.floor(math.log10(x)) - 2) for x in SHORT):
        for digits in (1, 2):
            answer = float(f"{right:.{digits}g}")
            assert by_hand(answer, right).status in ("right", "right so far"), (answer, right)
        assert by_hand(f"{right:.3g}", right)


FORMS = (
    lambda x: x, repr, Fraction, Decimal, np.float64, np.longdouble, Value,
    lambda x: [x], lambda x: (x,), lambda x: [[x]], np.array, lambda x: np.array([[x]]),
    lambda x: np.array([Value(x)]), lambda x: repr(x).replace("-", "−"),
    lambda x: repr(x).replace(".", ","), lambda x: f" {x!r} ",
)  # fmt: skip


@given(numbers, st.sampled_from(FORMS))
def test_every_form_of_a_number_is_taken(right: float, form: Callable[[float], Any]) -> None:
    assert by_hand(form(right), right)
    assert by_hand(right, form(right))
    assert not by_hand(form(right * 1.02), right)


@given(st.integers(-20, 20), st.integers(1, 30))
def test_fractions_are_welcome(top: int, bottom: int) -> None:
    assert by_hand(f"{top}/{bottom}", top / bottom)


def test_counts_are_exact() -> None:
    assert by_hand("300", 300, exact=True) and by_hand(np.int64(300), 300, exact=True)
    assert by_hand(301, 300) and not by_hand(301, 300, exact=True)
    assert (
        by_hand(300.5, 300, exact=True).message == "300.5 is not right; a whole number is asked for"
    )
    assert by_hand(301, 300, exact=True).message == "301 is not right"


def test_any_value_of_a_range_counts() -> None:
    for given_, status in [(0.1, "right"), ("1/4", "right"), (0.3, "right"), (0.31, "wrong")]:
        assert by_hand(given_, low=0.1, high=0.3).status == status
    assert by_hand(0.05, low=0.1).message == "0.05 is too small"
    assert by_hand(0.5, 0.2, high=0.3).message == "0.5 is too large"
    assert not by_hand(math.nan, low=0.1) and not by_hand(math.nan, high=0.1)
    with pytest.raises(TypeError, match="needs the right number"):
        by_hand(1.0)


# --- what it says -------------------------------------------------------------------------------


@given(numbers, st.floats(0.9, 1.1))
def test_a_wrong_number_is_never_shown_as_one_that_would_count(right: float, factor: float) -> None:
    verdict = by_hand(right * factor, right)
    if verdict.status == "wrong":
        shown = verdict.message.split()[0]
        assert not by_hand(shown, right), verdict.message


@pytest.mark.parametrize(
    ("given", "text"),
    [(15600, "15600"), (-1234567.25, "\N{MINUS SIGN}1234567"), (2.5e12, "2.5e+12"), (0.41, "0.41")],
)
def test_a_wrong_number_is_shown_as_people_write_it(given: float, text: str) -> None:
    assert by_hand(given, 1).message == f"{text} is not right"


def test_one_is_never_said_not_to_be_right_where_one_is_asked_for() -> None:
    assert by_hand(1.00501, 1.0).message == "1.00501 is not right"
    assert by_hand(0.9949999, 1.0).message == "0.9949999 is not right"
    assert by_hand(3.0000001, 3, exact=True).message.startswith("3.0000001 is not right")
    assert by_hand(0.30001, low=0.1, high=0.3).message == "0.30001 is too large"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (np.array([1.0, 2.0]), "got an array of shape (2,)"), ([1, 2], "got a list of 2"),
        (lambda x: x, "got a function"), (math.sin, "got a function"),
        ({"a": 1}, "got a dict of 1"),
        (True, "got True"), (np.True_, "got True"), (1j, "got the complex number 1j"),
        (np.complex128(1j), "got the complex number 1j"), ("two", "got 'two'"),
        (np.array([]), "got an array of shape (0,)"), ([], "got a list of 0"),
        (10**400, "got a number that no float can hold"),
        (Value, "got the class Value"), ("x" * 500, "got 'xxx"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_told_in_plain_words(answer: object, told: str) -> None:
    verdict = by_hand(answer, 1.0)
    assert verdict.status == "not readable" and verdict.answer is None
    assert verdict.message.startswith(told), verdict.message
    assert verdict.message.endswith("; write one number, such as -1.5, 3/4 or 2e-3")
    assert not any(word in verdict.message for word in ("np.", "array(", "<", " at 0x"))
    assert len(verdict.message) < 140


def test_untouched_is_not_attempted() -> None:
    for blank in (None, ..., "", " __ "):
        assert by_hand(blank, 1.0).status == "not attempted"
        assert read_number(blank) is None


def test_tests_may_listen_to_what_is_judged() -> None:
    with judged() as seen:
        by_hand("1/3", THIRD)
        with judged() as inner:
            by_hand(3, 3, exact=True)
        by_hand(0.2, low=0.1, high=0.3)
    by_hand(1, 1)
    assert [(j.given, j.right, j.exact, j.low, j.high) for j in seen] == [
        ("1/3", THIRD, False, None, None), (3, 3.0, True, None, None), (0.2, None, False, 0.1, 0.3),
    ]  # fmt: skip
    assert len(inner) == 1


def test_the_module_imports_no_numpy_of_its_own() -> None:
    text = source("practice/answers.py")
    assert "numpy" not in text.lower().replace("of numpy or", "")
    code = "import sys, micrograd.show.practice.answers as a; assert a.by_hand('1/3', 1 / 3)"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- files --------------------------------------------------------------------------------------


def test_lines_of_a_file_in_three_forms(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    lines = [
        "# o = 3", "#k = 2", "o: 1", "x1.grad, -1,5", "a*b = 3", "c\t4", "note: this was hard",
        '"d","5"',
    ]  # fmt: skip
    file.write_text("\n".join(lines), "utf-8")
    assert read_answers(file, {"o", "x1", "a*b", "c", "d", "#k"}) == {
        "#k": "2", "o": "1", "x1.grad": "-1,5", "a*b": "3", "c": "4", "d": "5",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"\x89PNG\xff\xfe", r"mine.txt' is not text in UTF-8; write lines such as x1.grad = -1.5"),
        (b"<!doctype html><p>x = 3", r"mine.txt' is a page, which keeps no answers; write lines"),
        (b"[1, 2]", r"mine.txt' holds no answers; write lines such as"),
        (b"nothing here", r"mine.txt' holds no answers; write lines such as"),
        (b"{oops", r"mine.txt' looks like JSON and is not"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, match: str) -> None:
    file = tmp_path / "mine.txt"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=match):
        read_answers(file)


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^cannot read '.*none.txt': No such file"):
        read_answers(tmp_path / "none.txt")
    with pytest.raises(IsADirectoryError, match=r"^cannot read"):
        read_answers(tmp_path)


@pytest.mark.parametrize(
    ("written", "name"),
    [("x1.grad", "x1"), ("(a+b).grad", "a+b"), (" n . GRAD ", "n"), ("n", "n"), ("(n)", "(n)"),
     ("tanh(n).grad", "tanh(n)")],
)  # fmt: skip
def test_the_name_of_a_gradient(written: str, name: str) -> None:
    assert bare(written) == name
