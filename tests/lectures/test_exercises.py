"""Exercises are made from their solutions; right answers pass in any form, wrong ones are caught.

`planted_answers/kmeans.py` belongs to `checks/kmeans.py` and to `solutions/09_kmeans.ipynb`; the
key of each answer is the checker's name. `planting.py` says what it holds.
"""

from __future__ import annotations

import functools
import itertools
import math
import os
import re
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Never

import messages
import numpy as np
import pytest
from checks import _compare
from planting import misread, planted
from solved import FORMS, SOLUTIONS, formed, is_function, sheet_of, solved

from micrograd import Value
from micrograd.show.practice.answers import ACCEPTED, Judged
from tools import exercises, notebooks

LECTURES = notebooks.ROOT / "lectures"
MODULES = sorted(p.stem for p in (LECTURES / "checks").glob("*.py") if not p.stem.startswith("_"))
Place = tuple[int, int | None]  # which answer, and which of its numbers if it has several
pytestmark = pytest.mark.slow
each_module = pytest.mark.parametrize("module", MODULES)


# --- one key an exercise --------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOLUTIONS.values(), ids=lambda p: p.stem)
def test_the_exercises_are_what_the_solutions_make_of_them(path: Path, tmp_path: Path) -> None:
    again = tmp_path / path.name
    again.write_bytes((LECTURES / "exercises" / path.name).read_bytes())
    made = exercises.exercise(notebooks.read(path))
    assert not notebooks.write(made, again), f"{path.stem} has drifted: run `make exercises`"


def test_notebook_checker_module_and_planted_answers_bear_one_name() -> None:
    planted_modules = {p.stem for p in LECTURES.parent.glob("tests/lectures/planted_answers/*.py")}
    assert set(MODULES) == set(SOLUTIONS) == planted_modules
    made = {path.name for path in (LECTURES / "exercises").glob("*.ipynb")}
    assert made == {path.name for path in SOLUTIONS.values()}


@each_module
def test_heading_checker_and_planted_answers_bear_one_key(module: str) -> None:
    text = "\n".join("".join(c.source) for c in notebooks.read(SOLUTIONS[module]).cells)
    headings = re.findall(r"^## (\d+)\. (.*?) \([^()]*\)$", text, flags=re.MULTILINE)
    assert f"from checks.{module} import" in text
    keys = list(sheet_of(module).exercises)
    assert keys == [exercises.key(title) for _, title in headings]
    assert [int(number) for number, _ in headings] == sheet_of(module).numbers
    titles = [exercise.title for exercise in sheet_of(module).exercises.values()]
    assert titles == [title for _, title in headings], "as the notebook spells them"
    outputs = "".join(str(c.get("outputs", "")) for c in notebooks.read(SOLUTIONS[module]).cells)
    for number, title in headings:
        assert f"Exercise {number} ({title}) right" in outputs.replace("\\'", "'"), title
    assert len(keys) >= 6
    for kind in ("WRONG", "RIGHT"):
        assert list(planted(module, kind)) == keys
    assert list(misread(module)) == keys
    names = re.findall(r"^## (\d+)\.|`hint\((\d+)\)`", text, flags=re.MULTILINE)
    assert {int(a) for a, _ in names if a} <= {int(b) for _, b in names if b}, "a hint is named"


# --- planted answers ------------------------------------------------------------------------------

# what no message shows: NumPy's and Python's reprs, tracebacks, an exception of the checker itself
FOREIGN = (
    r"np\.\w+\(-?\d|array\(\[|<function|<class|object at|0x[0-9a-f]{6}|Value\(data|Traceback"
    r"|checks/|cannot be used as it is"
)

# and what somebody new stumbled over: "asked is the mean", calls that are cut off
CLUMSY = r"asked (is|are) |the last call was [^;]*\.\.\.|(^|; )(its|their)( \w+)+: "


def repeated(message: str) -> bool:
    """Whether a remark in brackets is made for one part after the other."""
    remarks = re.findall(r"is not right \(([^()]+)\)", message)
    return any(a == b for a, b in itertools.pairwise(remarks))


@each_module
def test_planted_wrong_answers_are_caught_and_told_apart(module: str) -> None:
    sheet, wrong = sheet_of(module), planted(module, "WRONG")
    for key, exercise in sheet.exercises.items():
        assert len(wrong[key]) >= 3, f"{module}: {key} needs three planted wrong answers"
        for answer in wrong[key]:
            outcome = sheet.check(exercise.number, *answer)
            assert outcome.status == "wrong", f"{module}: {outcome} for {answer!r}"
            assert outcome.message
            assert not re.search(FOREIGN, outcome.message), outcome
            assert not re.search(CLUMSY, outcome.message), outcome
            assert not repeated(outcome.message), outcome


@each_module
def test_the_most_natural_misreading_is_told_what_is_asked(module: str) -> None:
    sheet, wrong = sheet_of(module), planted(module, "WRONG")
    for key, exercise in sheet.exercises.items():
        one, number = misread(module)[key], exercise.number
        assert re.fullmatch(r"[A-Z`].{15,}\.", one.reading), f"{module}: {key}: one sentence"
        assert len(re.findall(r"[A-Za-z]{2,}", one.told)) >= 2, f"{module}: {key}"
        messages = [sheet.check(number, *answer).message for answer in wrong[key]]
        assert one.told in messages[-1], f"{module}: {key}: {messages[-1]}"
        elsewhere = [one.told in message for message in messages[:-1]]
        assert not all(elsewhere), f"{module}: {key}: {one.told!r} is said of every wrong answer"


@pytest.mark.slow
@each_module
def test_planted_right_answers_of_unusual_form_pass(module: str) -> None:
    sheet, right = sheet_of(module), planted(module, "RIGHT")
    for key, exercise in sheet.exercises.items():
        assert len(right[key]) >= 2, f"{module}: {key} needs two planted right answers"
        for answer in right[key]:
            outcome = sheet.check(exercise.number, *answer)
            assert outcome.status == "right", f"{module}: {outcome} for {answer!r}"


# --- forms ----------------------------------------------------------------------------------------

# the text asks for one form and says so
ONE_FORM = {
    ("few_support_vectors", "words"): "the arguments of SVC, as SVC takes them",
    ("few_support_vectors", "size-one arrays"): "the arguments of SVC, as SVC takes them",
    ("few_support_vectors", "Values"): "the arguments of SVC, as SVC takes them",
}
WITHOUT_VALUES = "this exercise is to be done without"


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@each_module
def test_solutions_are_right_in_other_forms(module: str, form: str) -> None:
    sheet = sheet_of(module)
    for key, answers in solved(module).items():
        if (key, form) in ONE_FORM or (form == "words" and all(map(is_function, answers))):
            continue
        answers = tuple(formed(answer, form) for answer in answers)
        outcome = sheet.check(sheet.exercises[key].number, *answers)
        refused = form == "Values" and WITHOUT_VALUES in outcome.message
        assert outcome.status == "right" or refused, f"{module}, {form}: {outcome}"


# --- numbers worked out by hand -------------------------------------------------------------------

MARK = 987654.25


def places(answers: tuple[Any, ...]) -> Iterator[Place]:
    """The paths of all numbers that were typed: (which answer, index in it or None)."""
    for i, answer in enumerate(answers):
        if is_number(answer):
            yield i, None
        elif isinstance(answer, (list, tuple)) and all(map(is_number, answer)):
            yield from ((i, j) for j in range(len(answer)))


def is_number(x: object) -> bool:
    return isinstance(x, (int, float, np.number, Value)) and not isinstance(x, bool)


def put(answers: tuple[Any, ...], place: Place, number: object) -> tuple[Any, ...]:
    i, j = place
    inner = number if j is None else [*answers[i][:j], number, *answers[i][j + 1 :]]
    return (*answers[:i], inner, *answers[i + 1 :])


@functools.cache
def typed(module: str) -> list[tuple[str, Place, Judged]]:
    """[(key, place, Judged)] of the numbers of a notebook's solution that `by_hand` judges."""
    found, sheet = [], sheet_of(module)
    for key, answers in solved(module).items():
        number = sheet.exercises[key].number
        sheet.check(number, *answers)
        if not sheet.judged[number]:
            continue
        for place in places(answers):
            sheet.check(number, *put(answers, place, MARK))
            found += [(key, place, one) for one in sheet.judged[number] if one.given == MARK]
    return found


def rounded(x: float) -> Iterator[float]:
    yield float(f"{x:.3g}")
    if abs(x) >= 0.05:
        yield round(x, 3)


@pytest.mark.slow
@each_module
def test_numbers_worked_out_by_hand_count_in_every_form_and_not_one_percent_off(
    module: str,
) -> None:
    sheet = sheet_of(module)
    for key, place, judged in typed(module):
        answers, number = solved(module)[key], sheet.exercises[key].number

        def status(
            given: object,
            answers: tuple[Any, ...] = answers,
            number: int = number,
            place: Place = place,
        ) -> str:
            return sheet.check(number, *put(answers, place, given)).status

        x = judged.right
        if x is None:  # any number of a range that the checker declares
            own = answers[place[0]] if place[1] is None else answers[place[0]][place[1]]
            assert judged.low is not None or judged.high is not None
            for given in (own, float(own), str(own), np.array([own]), Value(float(own))):
                assert status(given) == "right", f"{module}, {key}: {given!r}"
            for end, way, said in ((judged.low, -1, "too small"), (judged.high, 1, "too large")):
                if end is not None:
                    outcome = sheet.check(number, *put(answers, place, end + way * 0.01))
                    assert outcome.status == "wrong" and said in outcome.message, outcome
            continue
        forms = [float(x), np.float64(x), Value(x), str(Fraction(x).limit_denominator(10**6)),
                 Fraction(x).limit_denominator(10**6), np.array([x]), f" {x} "]  # fmt: skip
        forms += [int(x), np.int64(x)] if x == int(x) else []
        for given in forms + ([] if judged.exact else list(rounded(x))):
            assert status(given) == "right", f"{module}, {key}: {given!r} for {x}"
        for given in (x + 0.01, x - 0.01) if x == 0 else (x * 1.01, x * 0.99):
            short = abs(x - float(f"{x:.2g}")) < 1e-9 * abs(x)  # 0.5 has no more digits
            two_digits = abs(given - float(f"{x:.2g}")) < 1e-9 * abs(x)
            two_digits = two_digits and not judged.exact and not short
            expected = "right so far" if two_digits else "wrong"  # 0.99 times 1/3 is 0.33
            assert status(given) == expected, f"{module}, {key}: {given!r} for {x}"
        assert status(...) in ("right so far", "not attempted")


@pytest.mark.slow
@each_module
def test_no_number_that_counts_is_taken_for_a_misreading(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    misreading = _compare.misread
    monkeypatch.setattr(_compare, "misread", lambda *a: told.append(misreading(*a)) or told[-1])
    sheet = sheet_of(module)
    for key in dict.fromkeys(key for key, _, _ in typed(module)):
        assert sheet.check(sheet.exercises[key].number, *solved(module)[key]).status == "right"
    assert not any(told), told


# whole numbers in lists that are no result: lengths of axes, and sets that the learner chooses
NO_RESULT = {"shapes", "fool_the_learner"}


@pytest.mark.slow
@each_module
def test_no_typed_number_escapes_the_rule_and_the_notebook_says_it(module: str) -> None:
    known = {(key, place) for key, place, _ in typed(module)}
    for key, answers in solved(module).items():
        asked = {(key, place) for place in places(answers) if key not in NO_RESULT}
        assert asked <= known, f"{module}: {key} does not ask by_hand"
    head = "".join(notebooks.read(SOLUTIONS[module]).cells[0].source)
    assert (ACCEPTED in " ".join(head.split())) == bool(known), module


# --- what is said ---------------------------------------------------------------------------------


@each_module
def test_untouched_stubs_are_not_attempted_and_hints_are_given(
    module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = sheet_of(module)

    def stub(*arguments: Any) -> Never:
        raise NotImplementedError

    for key, exercise in sheet.exercises.items():
        number = exercise.number
        answers = [stub if is_function(a) else ... for a in solved(module)[key]]
        assert sheet.check(number).status == "not attempted"
        assert sheet.check(number, *answers).status == "not attempted", key
        sheet.hint(number)
        assert re.match(r"Hint 1 of \d+: \w", capsys.readouterr().out)
        too_many = sheet.check(number, *answers, 1)
        assert too_many.status == "wrong" and f"got {len(answers) + 1}" in too_many.message


@each_module
def test_a_half_done_exercise_is_marked_as_far_as_it_goes(module: str) -> None:
    sheet = sheet_of(module)
    for key, answers in solved(module).items():
        if len(answers) < 2 or key in TOGETHER:
            continue
        for i in range(len(answers)):
            half = (*answers[:i], ..., *answers[i + 1 :])
            outcome = sheet.check(sheet.exercises[key].number, *half)
            assert outcome.status == "right so far", f"{module}: {outcome} without answer {i + 1}"
            assert "Right: " in outcome.message and "Not attempted: " in outcome.message


UNREADABLE = ("?!", (1.5, "x"), {"a": 1}, object(), math.inf, lambda: 1)


@each_module
def test_of_an_answer_that_cannot_be_read_the_form_is_told_and_the_rest_is_marked(
    module: str,
) -> None:
    sheet = sheet_of(module)
    for key, answers in solved(module).items():
        if len(answers) < 2 or key in TOGETHER:
            continue
        for i, odd in itertools.product(range(len(answers)), UNREADABLE):
            if is_function(answers[i]):
                continue
            given = (*answers[:i], odd, *answers[i + 1 :])
            outcome = sheet.check(sheet.exercises[key].number, *given)
            assert outcome.status == "wrong", f"{module}: {outcome}"
            assert not re.search(FOREIGN, outcome.message), outcome
            # of several statements only the number that is wrong is told
            rest = "True or False, not" if "True or False" in outcome.message else "Right: "
            assert rest in outcome.message, f"{module}: {outcome}"


# the answers of these make one thing, which can only be judged whole
TOGETHER = {
    "beat_2_2", "defeat_naive_bayes", "fool_the_greedy_tree", "fool_the_learner", "get_it_stuck",
    "keep_it_busy", "make_the_majority_win", "one_point_decides", "parity_of_three_bits_by_hand",
    "the_dual_of_the_squared_hinge",
}  # fmt: skip


@each_module
def test_a_forgotten_return_and_an_exception_are_told_with_their_place(module: str) -> None:
    def forgets(*arguments: Any, **named: Any) -> None:
        pass

    def fails(*arguments: Any, **named: Any) -> Never:
        raise KeyError("planted")

    sheet = sheet_of(module)
    for key, answers in solved(module).items():
        exercise = sheet.exercises[key]
        for i, answer in enumerate(answers):
            if not is_function(answer):
                continue
            outcome = sheet.check(exercise.number, *answers[:i], forgets, *answers[i + 1 :])
            assert outcome.status == "wrong", f"{module}: {outcome}"
            if exercise.returns:
                assert "forgets returned None: is there a return?" in outcome.message, outcome
            outcome = sheet.check(exercise.number, *answers[:i], fails, *answers[i + 1 :])
            assert outcome.status == "wrong"
            assert "KeyError" in outcome.message, f"{module}: {outcome}"
            if key != "the_gatekeeper":  # it says for which body
                assert 'raise KeyError("planted")' in outcome.message, f"{module}: {outcome}"


def test_the_messages_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    messages.main(["kmeans"])
    printed = capsys.readouterr().out
    titles = {key: e.title for key, e in sheet_of("kmeans").exercises.items()}
    for key, one in misread("kmeans").items():
        assert f": {titles[key]}\n" in printed
        assert f"  Misread: {one.reading}\n  - " in printed and one.told in printed


@each_module
def test_the_same_mistake_gets_the_same_message_twice(module: str) -> None:
    sheet, wrong = sheet_of(module), planted(module, "WRONG")
    for key in list(wrong)[::-1]:
        number, answer = sheet.exercises[key].number, wrong[key][0]
        first = sheet.check(number, *answer)
        assert first.message == sheet.check(number, *answer).message


@pytest.mark.parametrize(
    "folder", [f for f in (None, "/dev/shm") if f is None or os.access(f, os.W_OK)]
)
def test_a_file_is_judged_alike_on_every_file_system(
    folder: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory (tmpfs) a new file gets a new number; on a disk it may get the old one's."""
    monkeypatch.setattr(tempfile, "tempdir", folder)
    sheet, key = sheet_of("future_of_ml"), "a_pointer_that_is_never_torn"
    for kind, status in (("WRONG", "wrong"), ("RIGHT", "right")):
        for answer in planted("future_of_ml", kind)[key]:
            outcome = sheet.check(sheet.exercises[key].number, *answer)
            assert outcome.status == status, f"{outcome} for {answer!r}"
