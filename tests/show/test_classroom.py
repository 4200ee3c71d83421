"""A class of thirty by script: made, answered with planted mistakes, marked, and reported.

Covers `classroom.py`, `class_report.py`, `class_page.py`, `kinds.py`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from learners import Learner

from micrograd import worksheet
from micrograd.show.practice.answers import matches
from micrograd.show.practice.classroom import Classroom
from micrograd.show.practice.exercises import LEVELS
from micrograd.show.practice.mistakes import MISTAKES
from micrograd.show.practice.worksheet import Worksheet


def alike(learner: Learner, kind: str, answers: dict[str, float]) -> bool:
    """Whether one who makes this kind of mistake in some way gives these very answers."""
    return any(
        all(matches(answers[name], x) for name, x in learner.consistent(kind, variant, use).items())
        for variant in (0, 1)
        for use in (-1, 0, 1)
    )


def planted(sheet: Worksheet, turn: int) -> tuple[str, dict[str, float]]:
    """A kind of mistake that can be made on this sheet, and the answers of one who makes it."""
    learner = Learner(sheet.walk)
    right = learner.answers({})
    for k in range(len(MISTAKES)):
        kind = list(MISTAKES)[(turn + k) % len(MISTAKES)]
        answers = learner.consistent(kind)
        finite = all(map(math.isfinite, answers.values()))
        if finite and any(not matches(x, right[name]) for name, x in answers.items()):
            return kind, answers
    raise AssertionError("no mistake can be made on this sheet")


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("write", [repr, "{:.3g}".format], ids=["in full", "three digits"])
def test_a_class_of_thirty_is_told_the_planted_mistakes_and_no_other(
    level: int, write: Callable[[float], str], tmp_path: Path
) -> None:
    """Each pupil makes one kind, at every opportunity, and carries it on."""
    classroom = worksheet.classroom(level, 30, 7)
    if write is repr:  # the sheets as their files tell them
        classroom = Classroom.load(classroom.save(tmp_path / "class")[0])
    expected = {}
    (tmp_path / "answers").mkdir()
    for k, sheet in enumerate(classroom.sheets.values()):
        kind, answers = expected[f"Pupil {k}"] = planted(sheet, k)
        written = {name: write(x) for name, x in answers.items()}
        told = {"sheet": sheet.identity, "name": f"Pupil {k}", "answers": written}
        (tmp_path / "answers" / f"{k}.json").write_text(json.dumps(told), encoding="utf-8")
    report = classroom.check(tmp_path / "answers")
    assert report.problems == [] and len(report.papers) == 30 and report.missing == []
    reported: Counter[str] = Counter()
    for paper in report.papers:
        kind, answers = expected[paper.pupil]
        (found,) = set(paper.kinds.values())
        assert found == kind or alike(Learner(paper.sheet.walk), found, answers), (kind, found)
        reported[kind] += found == kind
    assert sum(reported.values()) >= 24, reported
    assert sum(report.pupils_by_kind().values()) == 30
