"""Exercises are made from their solutions, and planted wrong answers are caught.

`wrong_answers/<module>.py` holds `WRONG = {number: [answer, ...]}`, an answer being what follows
the number in `check(number, answer)`; a tuple stands for several.
"""

import importlib
import re

import pytest

from tools import exercises, notebooks

LECTURES = notebooks.ROOT / "lectures"
SOLUTIONS = sorted((LECTURES / "solutions").glob("*.ipynb"))
MODULES = sorted(p.stem for p in (LECTURES / "checks").glob("*.py") if not p.stem.startswith("_"))


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda p: p.stem)
def test_the_exercises_are_what_the_solutions_make_of_them(path, tmp_path):
    again = tmp_path / path.name
    again.write_bytes((LECTURES / "exercises" / path.name).read_bytes())
    made = exercises.exercise(notebooks.read(path))
    assert not notebooks.write(made, again), f"{path.stem} has drifted: run `make exercises`"


def test_no_exercise_is_without_its_solution():
    made = {path.name for path in (LECTURES / "exercises").glob("*.ipynb")}
    assert made == {path.name for path in SOLUTIONS}


@pytest.mark.parametrize("module", MODULES)
def test_planted_wrong_answers_are_caught_without_giving_the_right_one_away(module):
    sheet = importlib.import_module(f"checks.{module}").sheet
    wrong = importlib.import_module(f"wrong_answers.{module}").WRONG
    assert sorted(wrong) == sheet.numbers
    for number, answers in wrong.items():
        assert len(answers) >= 2, f"{module}: exercise {number} needs two planted wrong answers"
        for answer in answers:
            outcome = sheet.check(number, *(answer if isinstance(answer, tuple) else (answer,)))
            assert outcome.status == "wrong", f"{module}: {outcome} for {answer!r}"
            assert outcome.message


@pytest.mark.parametrize("module", MODULES)
def test_untouched_stubs_are_not_attempted_and_hints_are_given(module, capsys):
    sheet = importlib.import_module(f"checks.{module}").sheet

    def stub(*arguments):
        raise NotImplementedError

    for number in sheet.numbers:
        assert sheet.check(number, ...).status == "not attempted"
        assert sheet.check(number, stub).status in ("not attempted", "wrong")
        sheet.hint(number)
        assert re.match(r"Hint 1 of \d+: \w", capsys.readouterr().out)


def test_a_lecture_has_at_least_six_exercises():
    for path in SOLUTIONS:
        numbers = re.findall(
            r"\bcheck\((\d+)", "".join(c.source for c in notebooks.read(path).cells)
        )
        assert len(set(numbers)) >= 6 or not path.stem[:2].isdigit(), path.stem
