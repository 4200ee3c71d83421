"""What the checkers are made of: each comparison, each message and each watch can fail."""

from __future__ import annotations

import math
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Never

import numpy as np
import pytest
from checks import (
    Sheet,
    Wrong,
    array,
    as_value,
    as_values,
    beside,
    by_hand,
    close,
    effort,
    elsewhere,
    flags,
    integers,
    moments,
    only_learner,
    part,
    quiet,
    same,
    several,
    true,
    truths,
    watching,
    whole,
    without,
    without_engine,
    without_values,
    word,
)
from checks._forms import brief

from micrograd import Value, functional, values


@pytest.fixture
def sheet() -> Sheet:
    sheet = Sheet("planted")

    @sheet.exercise(1, hints=["two times", "x + x"])
    def the_double(f: Callable[..., Any]) -> None:
        close(f(3.0), 6.0, "the double of 3")
        close(f(np.arange(3)), [0, 2, 4], "the doubles of 0, 1, 2")
        true(f(1) == f(1), "the same each time")

    @sheet.exercise(2, hints=["pencil"])
    def four_parts(number: Any, count: Any, colour: Any, f: Callable[..., Any]) -> None:
        by_hand(number, 2 / 3, "the number")
        by_hand(count, 12, "the count", exact=True)
        word(colour, "red", "the colour", ("red", "green"))
        with part("the function"):
            close(f(2.0), 4.0, "the square of 2")

    @sheet.exercise(3, hints=["nothing comes back"], returns=False)
    def in_place(f: Callable[..., Any]) -> None:
        x = np.ones(2)
        f(x)
        close(x, [2, 2], "the array afterwards")

    return sheet


def fails() -> Never:
    raise KeyError("k")


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (lambda x: 2 * x, "right", ""),
        (lambda x: (2 * x).tolist() if isinstance(x, np.ndarray) else [2 * x], "right", ""),
        (..., "not attempted", "hint(1)"),
        (lambda x: x, "wrong", "the double of 3: 3 is too small by 3 (the last call was f(3))"),
        (lambda x: -2 * x, "wrong", "-6 is not right: it is minus what is right"),
        (
            lambda x: 6 * x,
            "wrong",
            "the double of 3: 18 is too large by 12 (the last call was f(3))",
        ),
        (
            lambda x: x + 3.0,
            "wrong",
            "none of the 3 numbers is right, the first at [0]: 3 is too large by 3",
        ),
        (lambda x: None, "wrong", "f returned None: is there a return?"),
        (lambda x: fails(), "wrong", "it raised KeyError: 'k', in line"),
        (lambda x: fails(), "wrong", 'raise KeyError("k") (the last call was f(3))'),
        (lambda x: [x, x], "wrong", "one number is wanted, got [3, 3] (the last call was f(3))"),
        (lambda x: "two", "wrong", "one number is wanted, got 'two'"),
        (math.sqrt, "wrong", "the double of 3: 1.73205 is too small by 4.27"),
        (len, "wrong", "TypeError: object of type 'float' has no len()"),
        (lambda x: len(x, x), "wrong", "it raised TypeError: len() takes exactly one argument"),
        (lambda: 6.0, "wrong", "f is to be called with 1 argument, and it takes 0"),
    ],
)
def test_a_function_is_marked_and_told_what_is_wrong(
    sheet: Sheet, answer: Any, status: str, words: str
) -> None:
    outcome = sheet.check(1, answer)
    assert outcome.status == status and words in outcome.message, outcome
    assert status in repr(outcome) and status in outcome._repr_html_()
    assert "The double" in repr(outcome) and sheet.outcomes[1] is outcome


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        ((2 / 3, 12, "red", lambda x: x * x), "right", ""),
        (("2/3", 12.0, " Red", lambda x: [x * x]), "right", ""),
        ((0.667, "12", np.array("red"), lambda x: Value(x) * x), "right", ""),
        ((..., ..., ..., ...), "not attempted", "hint(2)"),
        ((0.667, ..., ..., ...), "right so far",
         "Right: the number. Not attempted: the count, the colour, the function"),
        ((0.67, 12, "red", lambda x: x * x), "right", ""),  # within half a percent
        ((0.7, 12, "red", lambda x: x * x), "right so far", "three digits (0.7 itself is not"),
        ((0.673, 12, "red", lambda x: x * x), "wrong", "the number: 0.673 is not right. Right: "),
        ((0.667, 12.1, "red", lambda x: x * x), "wrong", "a whole number is asked for"),
        ((0.667, 12, "blue", lambda x: x * x), "wrong", "'blue' is none of \"red\", \"green\""),
        ((0.667, 12, "green", lambda x: x * x), "wrong", "the colour: 'green' is not right"),
        ((0.667, 12, "red", lambda x: x), "wrong", "the square of 2: 2 is too small by 2"),
        ((0.667, 12, "red", lambda x: fails()), "wrong", "the function: it raised KeyError"),
        ((0.667, True, "red", lambda x: x * x), "wrong", "the count: got True"),
        ((0.667, 12, "red"), "wrong", "check(2, ...) takes 4 answers here, got 3"),
    ],
)  # fmt: skip
def test_each_part_is_marked_by_itself(
    sheet: Sheet, answers: tuple[Any, ...], status: str, words: str
) -> None:
    outcome = sheet.check(2, *answers)
    assert outcome.status == status and words in outcome.message, outcome


def test_a_remark_that_several_parts_share_is_said_once() -> None:
    sheet = Sheet("planted")

    @sheet.exercise(1, hints=["h"])
    def three_numbers(a: Any, b: Any, c: Any) -> None:
        by_hand(a, 1, "a", instead={"all doubled (by 2)": 2})
        by_hand(b, 2, "b", instead={"all doubled (by 2)": 4})
        by_hand(c, 3, "c", instead={"all doubled (by 2)": 6, "a half": 1.5})

    told = sheet.check(1, 2, 4, 6).message
    assert told == (
        "a: 2 is not right; b: 4 is not right; c: 6 is not right (all 3: all doubled (by 2))"
    )
    told = sheet.check(1, 2, 4, 1.5).message
    assert told == (
        "a: 2 is not right; b: 4 is not right (both: all doubled (by 2)); "
        "c: 1.5 is not right (a half)"
    )
    assert sheet.check(1, 2, 2, 6).message == (
        "a: 2 is not right; c: 6 is not right (both: all doubled (by 2)). Right: b"
    )


def test_a_call_is_told_whole_or_not_at_all() -> None:
    sheet = Sheet("planted")

    @sheet.exercise(1, hints=["h"])
    def asked(f: Any, x: Any) -> None:
        close(f(x), 1.0, "the answer")

    nested = {"feature": 1, "threshold": 0.5, "yes": {"value": 1}, "no": {"value": 2}}
    assert sheet.check(1, lambda x: 0, nested).message.endswith("'no': {'value': 2}}))")
    assert "last call" not in sheet.check(1, lambda x: 0, {"a" * 300: 1}).message


@pytest.mark.parametrize(
    ("x", "bar", "digits", "percent", "text"),
    [
        (2.455, 2.25, 3, False, "2.455"),
        (2.2500004, 2.25, 3, False, "2.2500004"),
        (-0.9996, -1.0, 3, False, "-0.9996"),
        (0.2000001, 0.2, 2, False, "0.2000001"),
        (1.0, 1.0, 3, False, "1.000"),
        (0.9496, 0.95, 1, True, "94.96%"),
        (0.704, 0.7, 0, True, "70.4%"),
        (0.12, 0.95, 0, True, "12%"),
        (math.nan, 1.0, 3, False, "nan"),
    ],
)
def test_what_misses_a_bar_reads_as_missing_it(
    x: float, bar: float, digits: int, percent: bool, text: str
) -> None:
    assert beside(x, bar, digits, percent=percent) == text


def test_the_last_call_is_told_unless_many_or_none_of_them_show_it() -> None:
    sheet = Sheet("planted")

    @sheet.exercise(1, hints=["h"])
    def alike(f: Any, calls: Any, loops: Any) -> None:
        found = [f(float(x)) for x in range(int(calls))]
        if loops:
            true(effort(f, 2) == 0, "no step is taken")
        true(len(set(found)) == 1, "all are alike")

    assert sheet.check(1, lambda x: x, 3, False).message.endswith("alike (the last call was f(2))")
    assert sheet.check(1, lambda x: x, 300, False).message.endswith("all are alike")
    assert sheet.check(1, lambda x: x, 3, True).message.endswith("no step is taken")
    last = sheet.check(1, lambda x: 1 / (199 - x), 300, False).message
    assert last.endswith("(the last call was f(199))"), last  # it is the one that failed


def test_a_function_that_works_in_place_may_return_nothing(sheet: Sheet) -> None:
    def doubled(x: np.ndarray) -> None:
        x *= 2

    assert sheet.check(3, doubled).status == "right"
    assert sheet.check(3, lambda x: None).status == "wrong"


def test_a_grade_is_an_outcome_that_is_right_or_an_error_that_says_it(
    sheet: Sheet, capsys: pytest.CaptureFixture[str]
) -> None:
    def loud(x: Any) -> Any:
        print("on its way", file=sys.stderr)
        return 2 * x

    assert sheet.grade(1, loud).status == "right"
    assert not capsys.readouterr().err
    with pytest.raises(AssertionError, match=r"Exercise 1 \(The double\) wrong: the double of 3"):
        sheet.grade(1, lambda x: x)


def test_hints_one_by_one_and_unknown_numbers(
    sheet: Sheet, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet.hint(1)
    sheet.hint(1, 2)
    sheet.hint(1, 3)
    assert capsys.readouterr().out.splitlines() == [
        "Hint 1 of 2: two times", "Hint 2 of 2: x + x", "Exercise 1 has 2 hints.",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="exercises"):
        sheet.check(9, 1)
    for number in (1, 4):  # a number, and a key, that are taken
        with pytest.raises(ValueError, match=r"there twice|are named"):

            @sheet.exercise(number, hints=["h"])
            def the_double(f: Callable[..., Any]) -> None:
                pass


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([[1, 2], [3, 4.5]], "one of the 4 numbers is not right, at [1, 1]: 4.5 is too large by"),
        ([[-1, -2], [-3, -4]], "the whole is minus what is right"),
        ([[2, 4], [6, 8]], "the whole is twice what is right"),
        ([[0.25, 0.5], [0.75, 1]], "the whole is 1/4 of what is right"),
        ([[-23, -46], [-69, -92]], "the whole is minus 23 times what is right"),
        ([[1, 3], [2, 4]], "the whole is the transpose of what is right"),
        (
            [[1, 2], [3, np.nan]],
            "nan at [1, 1] (as from 0/0 or inf - inf) where a number is wanted",
        ),
        ([[1, 2], [3, 4.00001]], "at [1, 1]: 4.00001 is too large by 1e-05"),
        ([1, 2, 3, 4], "expected the shape (2, 2), got (4,)"),
        ([[1, 2], [3]], "numbers of the shape (2, 2) are wanted"),
        (
            [[2, 2], [4, 4]],
            "2 of the 4 numbers are not right, the first at [0, 0]: 2 is too large by 1",
        ),
        ([[1, 2], [3, None]], "None is among them"),
        ([[0, 0], [0, 0]], "all are 0, and none should be"),
        (None, "is there a return?"),
        (len, "got len"),
        ([[1, 2], [3, -np.inf]], "-inf at [1, 1] where a finite number is wanted"),
    ],
)
def test_an_array_is_told_where_and_how_it_differs(given: Any, words: str) -> None:
    with pytest.raises(Wrong, match="what:") as caught:
        close(given, [[1, 2], [3, 4]], "what")
    assert words in str(caught.value)


@pytest.mark.parametrize("given", [
    [[1, 2], [3, 4]], ((1, 2), (3, 4)), np.array([[1, 2], [3, 4]]), values([[1, 2], [3, 4]]),
    [[Value(1.0), 2], np.array([3, 4])], [[[1], [2]], [[3], [4]]],
])  # fmt: skip
def test_an_array_is_taken_in_every_form(given: Any) -> None:
    close(given, [[1, 2], [3, 4]], "what")
    same(given, [[1, 2], [3, 4]], "what")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda: same([1, 2, 3], [1, 5, 6], "what"), "are not right, the first at [1]: it is 2"),
        (lambda: same(True, False, "what"), "True is not right"),
        (lambda: same("yes", True, "what"), "True or False is wanted"),
        (lambda: same(3.5, 3, "what"), "a whole number is wanted, got 3.5"),
        (lambda: same("b", "a", "what"), "'b' is not right"),
        (lambda: same(1 + 1e-8, 1, "what"), "a whole number is wanted, got 1.00000001"),
        (lambda: integers([3, 1 + 1e-8], "what"), "are wanted, got 1.00000001 at [1]"),
        (lambda: integers([3, np.inf], "what"), "whole numbers are wanted, got inf at [1]"),
        (lambda: close(18346, 6000.5, "what"), "18346 is too large by 12346"),
        (lambda: by_hand(15600, 7150, "what"), "what: 15600 is not right"),
        (
            lambda: by_hand(0.7, 2 / 3, "what", instead={"the highest point": 0.7}),
            "what: if that is rounded, give three digits; 0.7 itself is not right (the highest",
        ),
        (
            lambda: truths((1, 0, "x"), (True, False, True), "abc"),
            "the answers to a, b and c are True or False, not 1, 0 and 'x'",
        ),
        (lambda: whole([1, 2], "what"), "one number is wanted, got [1, 2]"),
        (lambda: integers([1, 2.5], "what"), "whole numbers are wanted, got 2.5 at [1]"),
        (lambda: flags([0, 2], "what"), "True or False are wanted"),
        (lambda: as_value(2.0, "the loss"), "the loss is to be a Value"),
        (lambda: as_values([2.0], "what", (1,)), "Values are wanted"),
        (lambda: as_values(values([2.0]), "what", (2,)), "expected the shape (2,), got (1,)"),
        (lambda: several(1.0, "x", "y"), "2 things are wanted, x and y; got 1"),
        (lambda: several(np.ones((6, 3)), "x", "y"), "x and y; got an array of shape (6, 3)"),
        (lambda: several((1, 2, 3), "x", "y"), "2 things are wanted, x and y; got 3"),
        (lambda: several(None, "x", "y"), "is there a return?"),
        (lambda: several({"x": 1}, "x", "y"), "2 things are wanted, x and y; y is missing"),
        (lambda: by_hand(-0.5, 0.5, "what"), "(the size is right, and the sign is not)"),
        (lambda: by_hand(7, 2, "what", instead={"a week": 7}), "what: 7 is not right (a week)"),
        (lambda: by_hand([1, 4], [1, 2], "what", instead={"squares": [1, 4]}), "right (squares)"),
        (lambda: close([2, 4], [1, 2], "what", instead={"sums": [2, 4]}), "what is right (sums)"),
        (lambda: close([2, 4], 3, "what", instead={"two": [2, 4]}), "got [2, 4] (two)"),
        (lambda: close(2, 3, "what", instead={"a": 2.001, "b": 2.0005}), "small by 1 (b)"),
        (lambda: close([0, 2], [0, 3], "what", instead={"nan": [0, np.nan], "a": 1}), "by 1"),
        (lambda: same(3, 4, "what", instead={"one fewer": 3}), "3 is not right (one fewer)"),
        (lambda: by_hand(5457, 5455, exact=True, instead={"up": 5454}), ": 5457 is not right"),
        (lambda: same([True], [False], "what"), "the only answer, at [0], is not"),
        (lambda: word("b", "a", "what", "ab", instead={"not b": "b"}), "'b' is not right (not b)"),
        (
            lambda: truths((True, True), (True, False), "ab", instead={"both": (True, True)}),
            "1 of the 2 answers is not right (both)",
        ),
        (lambda: truths((True, 1), (True, False), "ab"), "the answer to b is True or False, not 1"),
        (lambda: truths((True, True), (True, False), "ab"), "1 of the 2 answers is not right"),
        (lambda: truths((True, 1), (True, False), "ab", "what"), "what: the answer to b is"),
        (lambda: same([1, 2], [3, 4], "what"), "neither of the 2 numbers is right, the first at"),
        (lambda: close([0, 0, 0], [0, 1, 2], "what"), "all are 0, and only 1 of the 3 should be"),
        (lambda: by_hand([1 / 3], [1 / 3, 2 / 3], "what"), "2 numbers are wanted"),
        (lambda: by_hand([1 / 3, 0.6], [1 / 3, 2 / 3], "what"), "what, number 2: 0.6 is not right"),
        (lambda: true(0, "it holds"), "this should hold and does not: it holds"),
    ],
)  # fmt: skip
def test_what_is_not_right_raises_in_words(action: Callable[[], object], words: str) -> None:
    with pytest.raises(Wrong) as caught:
        action()
    assert words in str(caught.value)


def test_a_count_may_be_off_by_what_rounding_leaves() -> None:
    assert 0.3 / 0.1 != 3
    same(0.3 / 0.1, 3, "what")
    same([0.3 / 0.1, 0], [3, 0], "what")
    assert integers([0.3 / 0.1], "what").tolist() == [3]


def test_what_is_shown_of_an_answer_is_what_a_person_would_write() -> None:
    shown = brief([np.float64(-71.58536740521475), np.int64(3), Value(0.5), np.bool_(True), "a"])
    assert shown == "[-71.5854, 3, 0.5, True, 'a']"
    assert brief({3, 12, 2}) == "{2, 3, 12}" and brief((3,)) == "(3,)"
    assert brief(np.zeros((9, 9))) == "an array of shape (9, 9)"
    assert brief(lambda: 0) == "a function" and brief(sheet) == "sheet"
    assert brief(Value(2.0) * 3) == "a Value of 6" and brief(Path("a/b")) == "'b'"
    assert array([np.array([1.0]), np.array([2.0])], "what", (2,)).shape == (2,)


# --- what a function does while it runs -----------------------------------------------------------


def test_calls_are_seen_and_what_is_forbidden_is_refused() -> None:
    with watching() as made:
        Value(1.0).softplus()
    assert made["micrograd", "softplus"] and made["micrograd", "Value"]
    assert not made["micrograd", "tanh"]
    with (
        pytest.raises(Wrong, match="without softplus"),
        without("softplus", "softplus", module="micrograd"),
    ):
        Value(1.0).softplus()
    with without("softplus", "softplus", module="micrograd"):
        Value(1.0).tanh()
    with pytest.raises(Wrong, match="in NumPy"), without_engine():
        Value(1.0)
    with without_engine():
        np.tanh(1.0)
    for makes in (
        lambda: Value(1.0),
        lambda: values([1.0]),
        lambda: functional.softmax(values([1.0])),
    ):
        with pytest.raises(Wrong, match="without Value"), without_values():
            makes()
    with without_values():
        functional.softmax(np.ones(3))  # of floats


def test_a_loop_takes_more_steps_the_longer_it_is_and_an_array_does_not() -> None:
    def loop(x: np.ndarray) -> list[float]:
        return [v + 1 for v in x]

    def mapped(x: np.ndarray) -> list[float]:
        return list(map(lambda v: v + 1, x))  # noqa: C417

    for slow in (loop, mapped, np.vectorize(lambda v: v + 1)):
        assert effort(slow, np.ones(30)) > effort(slow, np.ones(3))
    assert effort(lambda x: x + 1, np.ones(30)) == effort(lambda x: x + 1, np.ones(3)) > 0


def test_warnings_count_where_they_are_forbidden() -> None:
    with pytest.raises(Wrong, match="no warning"), quiet("a row"):
        warnings.warn("planted", stacklevel=1)
    with quiet("a row"):
        pass


@pytest.mark.slow
def test_a_function_is_asked_in_another_process_by_its_code() -> None:
    bias = 3

    def helper(n: int) -> int:
        return n if n < 2 else n * helper(n - 1)

    def asked(text: str, n: int) -> tuple[float, int, int, bool]:
        return np.ones(2).sum() + helper(n) + bias, hash(text), os.getpid(), time.time() > 0

    here, there = asked("a", 4), elsewhere(asked, [("a", 4)])[0]
    assert there[0] == here[0] == 29 and there[3]
    assert there[1] != here[1] and there[2] != here[2]

    def breaks(text: str) -> int:
        return int(text)

    with pytest.raises(Wrong, match="in another process it fails: ValueError"):
        elsewhere(breaks, [("x",)])


def test_every_moment_is_looked_at() -> None:
    state = {"text": "old"}

    def torn() -> None:
        state["text"] = ""
        str.upper("x")
        state["text"] = "new"

    assert moments(torn, lambda: state["text"]) == ["old", "", "new"]


@pytest.mark.parametrize(
    ("given", "wanted", "words"),
    [
        (2 * 0.1234567, 0.1234567, "it is twice what is right"),
        (-30 * 0.1234567, 0.1234567, "it is minus 30 times what is right"),
        (0.1234567 / 23, 0.1234567, "it is 1/23 of what is right"),
        (-2.0, 2.0, "it is minus what is right"),
        (0.5, 2.0, "0.5 is too small by 1.5"),  # a quarter, by chance
        (math.nan, 2.0, "nan (as from 0/0 or inf - inf) where a number is wanted"),
        (math.inf, 2.0, "inf where a finite number is wanted"),
        (-math.inf, math.inf, "-inf is not right"),
        (2.0, math.inf, "2 is not right"),
    ],
)
def test_a_number_that_is_a_multiple_is_told_so_unless_it_may_be_chance(
    given: float, wanted: float, words: str
) -> None:
    with pytest.raises(Wrong) as caught:
        close(given, wanted, "what")
    assert str(caught.value).endswith(words)


@pytest.mark.parametrize("given", ["b2", ["b2"], {" B2 "}, ("b2", "B2")])
def test_the_array_that_learns_is_named_in_any_form(given: Any) -> None:
    only_learner(given, "b2", ("W1", "W2", "b2"), "learning")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["W1", "b2"], "1 of the 2 arrays that you name never gets a gradient"),
        (["W1", "W2", "b2"], "2 of the 3 arrays that you name never get a gradient"),
        ([], "no array is named"),
        (["weights", "b3"], "b3, weights: no such array; there are W1, W2, b2"),
    ],
)
def test_arrays_that_do_not_learn_are_counted(given: Any, told: str) -> None:
    with pytest.raises(Wrong, match=told):
        only_learner(given, "b2", ("W1", "W2", "b2"), "learning")
