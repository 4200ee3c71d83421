"""A class of thirty by script: made, answered with planted mistakes, marked, and reported.

Covers `classroom.py`, `class_report.py`, `class_page.py`, `kinds.py`, `commands.py`.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from learners import Learner, Slip

from micrograd import Value, worksheet
from micrograd.__main__ import main
from micrograd.show.practice.answers import matches
from micrograd.show.practice.classroom import Classroom
from micrograd.show.practice.kinds import UNKNOWN, explained
from micrograd.show.practice.levels import LEVELS
from micrograd.show.practice.marking import check
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


@pytest.mark.slow
@pytest.mark.parametrize(("level", "sheets"), [(1, 10), (2, 10), (3, 30), (4, 10), (5, 3), (6, 3)])
def test_who_makes_one_kind_is_told_it_or_its_like(level: int, sheets: int) -> None:
    """Every kind, in both ways of making it; a like gives the same numbers on the whole sheet."""
    seen: Counter[str] = Counter()
    for seed in range(100, 100 + sheets):
        sheet = worksheet.random(level, seed)
        learner = Learner(sheet.walk)
        right = learner.answers({})
        for kind in MISTAKES:
            for variant in (0, 1):
                answers = learner.consistent(kind, variant)
                wrong = any(not matches(x, right[name]) for name, x in answers.items())
                if not wrong or not all(map(math.isfinite, answers.values())):
                    continue
                report = check(sheet, answers)
                (found,) = set(explained(report).values())
                told = found == kind or alike(learner, found, answers)
                assert told, (seed, kind, found, str(report))
                seen[found] += 1
    assert len(seen) >= 5, seen


def test_of_two_kinds_that_explain_all_the_one_that_was_nowhere_avoided_is_told() -> None:
    """Both mistakes give 1 for e; for f one of them gives 3, the other the right number."""
    e, f = Value(1.0, label="e"), Value(3.0, label="f")
    out = e * f
    out.label = "L"
    report = check(out, {"L": 1, "e": 1, "f": 1})
    assert report.marks["e"].mistakes == ("own value", "no local")
    assert explained(report) == {"e": "no local"}
    report = check(out, {"L": 1, "e": 1, "f": 3})
    assert explained(report) == {"f": "own value", "e": "own value"}


def test_of_two_kinds_that_give_the_same_numbers_the_more_specific_is_told() -> None:
    x = Value(-1.0, label="x")
    report = check(x.relu() * 3.0, {"x": 3})
    assert report.marks["x"].mistakes == ("gate", "no local")
    assert explained(report) == {"x": "gate"}


def test_slips_of_two_kinds_are_put_down_to_both_and_an_unknown_one_to_none() -> None:
    sheet = worksheet.random(2, 7)
    learner, at = Learner(sheet.walk), sheet.walk.names.index
    made = {at("n"): Slip("square", at("n"), 0, 0), at("x1"): Slip("sign", at("x1"), 0, 0)}
    kinds = explained(check(sheet, learner.answers(made) | {"x2": 77.0}))
    assert kinds == {"n": "square", "x1": "sign", "x2": UNKNOWN}


# --- the files ------------------------------------------------------------------------------------


def small(count: int = 4) -> Classroom:
    return worksheet.classroom(1, count, 7)


def right_of(sheet: Worksheet) -> dict[str, float]:
    return {sheet.walk.names[i]: sheet.walk.grads[i] for i in sheet.asked}


def test_the_folder_of_a_class(tmp_path: Path) -> None:
    classroom = worksheet.classroom(level=3, count=30, seed=7)
    public, keys = classroom.save(tmp_path / "class")
    assert (public.name, keys.name) == ("class", "class-answers")
    numbers = [f"{k:02}" for k in range(1, 31)]
    pages = [f"sheet-{k}.html" for k in numbers]
    assert sorted(p.name for p in public.iterdir()) == ["print.html", "roster.csv", *pages]
    keyed = [f"answers-{k}.html" for k in numbers]
    assert sorted(p.name for p in keys.iterdir()) == [*keyed, "print.html"]
    with (public / "roster.csv").open(encoding="utf-8") as file:
        roster = list(csv.DictReader(file))
    assert [row["number"] for row in roster] == [str(k) for k in range(1, 31)]
    assert all(row["name"] == "" for row in roster)
    identities = [row["sheet"] for row in roster]
    assert len(set(identities)) == 30
    for k, (page, identity) in enumerate(zip(pages, identities, strict=True), 1):
        text = (public / page).read_text("utf-8")
        assert f"No. {k}<" in text and f"Level 3, seed {k + 6}, sheet {identity}" in text
        assert identity in (keys / keyed[k - 1]).read_text("utf-8")
    printed = (public / "print.html").read_text("utf-8")
    assert printed.count('<section class="sheet') == 30 and all(i in printed for i in identities)
    assert printed.count("<input") == 0  # there is nobody to type
    ids = re.findall(r'\bid="([^"]+)"', printed)
    assert len(ids) == len(set(ids))
    with pytest.raises(ValueError, match=r"class' already; a class gets a new folder"):
        classroom.save(public)
    assert set(Classroom.load(public).sheets) == {i.casefold() for i in identities}
    assert set(Classroom.load(public / "print.html").sheets) == {i.casefold() for i in identities}


def test_a_class_of_two_hundred_has_no_sheet_twice() -> None:
    for level in LEVELS:
        assert len(worksheet.classroom(level, 200, 5).sheets) == 200


def test_what_a_class_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"level 4 has 582 different sheets; got count=600"):
        worksheet.classroom(4, 600)
    for count in (0, -1, True, 2.5):
        with pytest.raises(ValueError, match="count= is how many sheets"):
            worksheet.classroom(1, count)
    with pytest.raises(ValueError, match="there is no level 9"):
        worksheet.classroom(9, 3)
    with pytest.raises(ValueError, match="holds no worksheet"):
        Classroom.load(tmp_path)


def test_answers_in_every_form_find_their_sheets(tmp_path: Path) -> None:
    classroom = small(6)
    a, b, c, d, e, f = classroom.sheets.values()
    page = {"sheet": a.identity, "name": "Ada", "answers": right_of(a), "tries": {"L": 2}}
    (tmp_path / "a.json").write_text(json.dumps(page), encoding="utf-8")
    flat = {"sheet": b.identity.upper(), "pupil": "Ben", **right_of(b)}
    (tmp_path / "b.json").write_text(json.dumps([flat]), encoding="utf-8-sig")
    lines = "\n".join(f"{n}.grad = {x}".replace(".0", ",0") for n, x in right_of(c).items())
    (tmp_path / "c.txt").write_text(f"name: Cem\nsheet: {c.identity}\n{lines}\n", encoding="utf-8")
    path = tmp_path / "d.md"
    text = d.markdown.replace("name = ", "name = Dora")
    for name, x in right_of(d).items():
        text = text.replace(f"{name}.grad = \n", f"{name}.grad = {x}\n")
    path.write_text(text, encoding="utf-8")
    names = list(right_of(e))
    german = [";".join(["number", "name", "sheet", *names])]
    for number, who, sheet in ((5, "Eva", e), (6, "Finn", f)):
        numbers = [str(x).replace(".", ",") for x in right_of(sheet).values()]
        german.append(";".join([str(number), who, sheet.identity, *numbers]))
    (tmp_path / "e.csv").write_text("\r\n".join(german) + "\r\n", encoding="utf-8-sig")
    for noise in (".DS_Store", "Thumbs.db"):
        (tmp_path / noise).write_bytes(b"\x00\xff")
    report = classroom.check(tmp_path)
    assert report.problems == []
    assert [paper.pupil for paper in report.papers] == ["Ada", "Ben", "Cem", "Dora", "Eva", "Finn"]
    assert all(paper.score == len(paper.report.marks) for paper in report.papers)
    assert report.papers[0].tries == {"L": 2}
    assert report.summary == "6 of 6 sheets answered; on average 100% right."


PROBLEMS = {
    "another class": ("x.json", '{"sheet": "1-3-zzzz", "answers": {"L": 1}}',
        r"answers sheet 1-3-zzzz, which is none of this class\."),
    "a slip of the pen": ("x.json", '{"sheet": "NEAR", "answers": {"L": 1}}',
        r"which is none of this class; perhaps it is 1-7-\w{4}\."),
    "no sheet": ("x.txt", "L = 1\nd = 2\n", r"not say which sheet it answers; .* sheet = 1-7-"),
    "empty": ("x.txt", " \n", r"x\.txt' is empty; write lines"),
    "broken JSON": ("x.json", '{"L": 1,', r"looks like JSON and is not: "),
    "no answers in JSON": ("x.json", '{"answers": 3}', r"holds the number 3 where"),
    "a list of numbers": ("x.json", "[1]", r"holds no answers; write lines"),
    "a head without rows": ("x.csv", "sheet,name,L\n", r"holds no answers; write lines"),
    "no names of ours": ("x.json", '{"sheet": "ID", "answers": {"q": 1}}',
        r"x\.json': there is no gradient called 'q' here"),
    "prose": ("x.txt", "I was ill.", r"holds no answers"),
    "a page": ("x.html", "<!doctype html><p>", r"is a page, which keeps no answers"),
    "decimal commas": ("x.csv", "sheet,name,L,d\nID,Ada,1,0,2,5\n",
        r"line 2 has 6 fields and the head 4: decimal commas stand in quotes"),
    "decimal commas in every row": ("x.csv", "sheet,name,L,d\nID,Ada,1,0,2,5\nID,Ben,1,0,2,5\n",
        r"lines 2 to 3 have more fields than the head 4: decimal commas stand in quotes"),
    "a table of another encoding": ("x.csv", "sheet;name;L\nID;Zo\xeb;1\n".encode("cp1252"),
        r"x\.csv' is not text in UTF-8; save it as such, which Excel calls CSV UTF-8\."),
    "no text": ("x.png", b"\x89PNG\xff\xfe", r"is not text in UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_cannot_be_marked_is_one_sentence_and_the_rest_is_marked(
    case: str, tmp_path: Path
) -> None:
    classroom = small()
    first, second, *_ = classroom.sheets.values()
    name, text, told = PROBLEMS[case]
    if isinstance(text, bytes):
        (tmp_path / name).write_bytes(text)
    else:
        near = first.identity[:-1] + ("2" if first.identity[-1] != "2" else "3")
        text = text.replace("ID", first.identity).replace("NEAR", near)
        (tmp_path / name).write_text(text, encoding="utf-8")
    good = {"sheet": second.identity, "name": "Ben", "answers": right_of(second)}
    (tmp_path / "y.json").write_text(json.dumps(good), encoding="utf-8")
    report = classroom.check(tmp_path)
    (problem,) = report.problems
    assert re.search(told, problem) and name in problem, problem
    assert "\n" not in problem and problem.endswith(".") and "Traceback" not in problem
    assert [paper.pupil for paper in report.papers] == ["Ben"]
    assert problem in str(report)


def test_what_a_spreadsheet_calls_unicode_text_is_read(tmp_path: Path) -> None:
    """UTF-16 with tabs and decimal commas, as Excel writes it."""
    classroom = small(2)
    rows = [["sheet", "name", *right_of(next(iter(classroom.sheets.values())))]]
    for sheet, name in zip(classroom.sheets.values(), ("Zoë", "Łukasz"), strict=True):
        numbers = [str(float(x)).replace(".", ",") for x in right_of(sheet).values()]
        rows.append([sheet.identity, name, *numbers])
    text = "\r\n".join("\t".join(row) for row in rows)
    (tmp_path / "typed.txt").write_bytes(text.encode("utf-16"))
    report = classroom.check(tmp_path)
    assert report.problems == [] and [paper.pupil for paper in report.papers] == ["Zoë", "Łukasz"]
    assert all(paper.score == len(paper.report.marks) for paper in report.papers)
    assert [paper.source for paper in report.papers] == [
        f"{str(tmp_path / 'typed.txt')!r}, line {number}" for number in (2, 3)
    ]


def test_who_is_missing_is_told_in_the_terminal_too(tmp_path: Path) -> None:
    classroom = small(4)
    first, second, _, fourth = classroom.sheets.values()
    classroom.pupils = {fourth.identity: "Dora"}
    for sheet in (first, second):
        (tmp_path / f"{sheet.number}.json").write_text(
            json.dumps({"sheet": sheet.identity, "name": "", "answers": right_of(sheet)}), "utf-8"
        )
    assert "\nnothing handed in: 3, 4 Dora" in str(classroom.check(tmp_path))
    assert "not answered" not in classroom.check(tmp_path).page  # everybody answered all


def test_folders_the_wrong_way_round_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("sheet = 1-7-zzzz\nL = 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="the folder of the class comes first, then the answers"):
        Classroom.load(tmp_path)


def test_a_list_of_answers_loses_none(tmp_path: Path) -> None:
    classroom = small()
    first, second, *_ = classroom.sheets.values()
    rows = [{"sheet": s.identity, "answers": {"L": 1}} for s in (first, second)]
    (tmp_path / "x.json").write_text(json.dumps([rows[0], 1, {}, rows[1]]), encoding="utf-8")
    report = classroom.check(tmp_path)
    assert [paper.sheet.number for paper in report.papers] == [1, 2]
    one, two = report.problems
    assert "entry 2 holds the number 1 where the answers by name belong" in one
    assert "entry 3 does not say which sheet it answers" in two


def test_a_broken_roster_says_so(tmp_path: Path) -> None:
    public, _ = small(2).save(tmp_path / "class")
    for content in (b"", b"nr;who\n1;Ada\n", "number,name,sheet\n1,Gül,x".encode("cp1252")):
        (public / "roster.csv").write_bytes(content)
        with pytest.raises(ValueError, match=r"roster\.csv' cannot be read: it is a CSV in UTF-8"):
            Classroom.load(public)


def test_who_hands_in_twice_is_told_and_both_are_marked(tmp_path: Path) -> None:
    classroom = small()
    first, second, third, _ = classroom.sheets.values()
    for name, who, sheet in (
        ("a", "Ada", first), ("b", "ada", second), ("c", "Cem", third), ("d", "Dora", third),
    ):  # fmt: skip
        told = {"sheet": sheet.identity, "name": who, "answers": right_of(sheet)}
        (tmp_path / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")
    report = classroom.check(tmp_path)
    ada, sheet = report.problems
    assert re.fullmatch(
        r"Ada handed in twice, in '.*a\.json' and '.*b\.json'; all are marked\.", ada
    )
    assert sheet.startswith(f"Sheet {third.identity} came twice, in ")
    assert len(report.papers) == 4 and len(report.missing) == 1


def test_a_roster_with_names_tells_whose_a_sheet_is(tmp_path: Path) -> None:
    public, _ = small().save(tmp_path / "class")
    roster = (public / "roster.csv").read_text("utf-8")
    for number, name in ((1, "Ada Lovelace"), (2, "Ben"), (3, "Dora")):
        roster = roster.replace(f"\n{number},,", f"\n{number},{name},")
    (public / "roster.csv").write_text(roster, encoding="utf-8")
    classroom = Classroom.load(public)
    first, second, *_ = classroom.sheets.values()
    (tmp_path / "answers").mkdir()
    for name, who, sheet in (("a", "", first), ("b", "Cem", second)):
        told = {"sheet": sheet.identity, "name": who, "answers": right_of(sheet)}
        (tmp_path / "answers" / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")
    report = classroom.check(tmp_path / "answers")
    assert [paper.pupil for paper in report.papers] == ["Ada Lovelace", "Cem"]
    (problem,) = report.problems
    owner = f"is by Cem and answers sheet {second.identity}, which the roster gives to Ben."
    assert problem.endswith(owner)
    rows = list(csv.DictReader(report.csv.splitlines()))
    assert [row["name"] for row in rows] == ["Ada Lovelace", "Cem", "Dora", ""]
    assert "Dora: nothing handed in" in report.page


def test_answers_from_paper_are_typed_into_the_roster(tmp_path: Path) -> None:
    """A column for each gradient; who handed nothing in has an empty row."""
    public, _ = small().save(tmp_path / "class")
    roster = (public / "roster.csv").read_text("utf-8").splitlines()
    first, *_ = small().sheets.values()
    columns = [f"{name}.grad" for name in right_of(first)]
    numbers = [f"{x:g}" for x in right_of(first).values()]
    typed = [
        ",".join([roster[0], *columns]),
        ",".join([roster[1].replace(",,", ",Ada,"), *numbers]),
    ]
    typed += [f"{row}{',' * len(columns)}" for row in roster[2:]]
    (tmp_path / "typed.csv").write_text("\n".join(typed), encoding="utf-8")
    report = Classroom.load(public).check(tmp_path / "typed.csv")
    assert report.problems == [] and len(report.missing) == 3
    (paper,) = report.papers
    assert paper.pupil == "Ada" and paper.score == len(columns)


def test_one_sheet_for_all_needs_no_identity(tmp_path: Path) -> None:
    path, _ = worksheet.random(2, 7).save(tmp_path / "sheet.html")
    for name in ("Ada", "Ben"):
        (tmp_path / f"{name}.txt").write_text(f"name = {name}\no = 1\n", encoding="utf-8")
    report = Classroom.load(path).check([tmp_path / "Ada.txt", tmp_path / "Ben.txt"])
    assert [paper.pupil for paper in report.papers] == ["Ada", "Ben"] and report.problems == []
    assert report.summary == "1 of 1 sheets answered by 2 pupils; on average 10% right."


# --- one sheet and its answers --------------------------------------------------------------------


def test_answers_to_another_sheet_are_an_error(tmp_path: Path) -> None:
    three, four = worksheet.random(1, 3), worksheet.random(1, 4)
    path, _ = four.save(tmp_path / "sheet4.html")
    told = {"sheet": three.identity, "answers": right_of(three)}
    (tmp_path / "of3.json").write_text(json.dumps(told), encoding="utf-8")
    expected = rf"of3.json' answers sheet {three.identity}, and this is sheet {four.identity}"
    with pytest.raises(ValueError, match=expected):
        check(path, tmp_path / "of3.json")
    told["sheet"] = four.identity.upper()
    (tmp_path / "of3.json").write_text(json.dumps(told), encoding="utf-8")
    assert len(check(path, tmp_path / "of3.json").marks) == len(four.asked)


# --- the report -----------------------------------------------------------------------------------


def marked(tmp_path: Path, who: str = "Pupil") -> tuple[Classroom, Path]:
    """A class of eight at level 3, of whom six forget what arrives and one hands nothing in."""
    classroom = worksheet.classroom(3, 8, 7)
    folder = tmp_path / "answers"
    folder.mkdir()
    for k, sheet in enumerate(list(classroom.sheets.values())[:7]):
        learner = Learner(sheet.walk)
        answers = learner.consistent("no arriving" if k < 6 else "sign")
        told = {"sheet": sheet.identity, "name": f"{who} {k}", "answers": answers}
        (folder / f"{k}.json").write_text(json.dumps(told), encoding="utf-8")
    return classroom, folder


def test_the_report_counts_pupils_by_gradient_and_kind(tmp_path: Path) -> None:
    classroom, folder = marked(tmp_path)
    report = classroom.check(folder)
    pupils = report.pupils_by_kind()
    assert next(iter(pupils)) == "no arriving" and sum(pupils.values()) == 7
    counts = report.counts()
    for kind, row in counts.items():
        slips = [paper.kinds for paper in report.papers]
        for name, n in row.items():
            assert n == sum(each.get(name) == kind for each in slips)
    kind, paper, name = report.to_show()
    assert kind == "no arriving" and paper.kinds[name] == kind
    assert counts[kind][name] == max(counts[kind].values())
    assert report.summary.startswith("7 of 8 sheets answered; on average ")
    assert "% right; the commonest mistake, by " in report.summary
    right = report.right()
    assert list(right) == report.asked and {asked for _, asked in right.values()} == {7}
    for name, (good, _) in right.items():
        verdicts = [paper.report.marks[name].verdict for paper in report.papers]
        assert good == sum(verdict in ("right", "follows") for verdict in verdicts)
    shares = [paper.score / len(paper.report.marks) for paper in report.papers]
    assert report.average == pytest.approx(sum(shares) / 7)
    (row,) = re.findall(r"<tr class='right'>.*?</tr>", report.page)
    cells = [int(n) for n in re.findall(r"<td data-name=[^>]*>(\d+)</td>", row)]
    assert cells == [good for good, _ in right.values()] and "of 7</td>" in row
    rows = list(csv.DictReader(report.csv.splitlines()))
    assert len(rows) == 8 and not rows[7]["score"]
    assert [int(row["wrong"]) for row in rows[:7]] == [
        p.report.count("wrong") for p in report.papers
    ]
    assert rows[0]["mistakes"] == MISTAKES["no arriving"].name


def test_who_hands_in_twice_is_one_pupil_and_the_better_paper_counts(tmp_path: Path) -> None:
    classroom = small()
    sheet, *_ = classroom.sheets.values()
    for k, answers in enumerate((right_of(sheet), dict.fromkeys(right_of(sheet), 77))):
        told = {"sheet": sheet.identity, "name": "Ada", "answers": answers}
        (tmp_path / f"{k}.json").write_text(json.dumps(told), encoding="utf-8")
    report = classroom.check(tmp_path)
    assert len(report.papers) == 2 and report.pupils == 1 and report.average == 1.0
    assert set(report.right().values()) == {(1, 1)}
    assert " by " not in report.summary.partition(";")[0]


def test_no_name_becomes_markup_or_a_formula(tmp_path: Path) -> None:
    classroom, folder = marked(tmp_path, who="=<script>alert(1)</script>")
    report = classroom.check(folder)
    assert "<script>alert" not in report.page and "&lt;script&gt;" in report.page
    assert all(row["name"][:2] in ("'=", "") for row in csv.DictReader(report.csv.splitlines()))


def test_the_commands_for_a_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["worksheet", "--level", "3", "--count", "8", "--seed", "7", "-o", "class/"]) == 0
    told = capsys.readouterr().out
    assert "wrote 8 sheets into class, to print: class/print.html" in told
    assert "the next class: --seed 15" in told
    marked(tmp_path)
    assert main(["check", "class/", "answers/", "-o", "report.html", "--csv", "marks.csv"]) == 0
    told = capsys.readouterr().out
    assert "7 of 8 sheets answered" in told and "Pupil 0" in told
    assert "wrote report.html, report-step.html, marks.csv" in told
    page = (tmp_path / "report.html").read_text("utf-8")
    found = re.search(r"href='report-step\.html#step=(\d+)'", page)
    assert found and "Pupil" not in (tmp_path / "report-step.html").read_text("utf-8")
    assert (tmp_path / "marks.csv").read_bytes().startswith(b"\xef\xbb\xbfnumber,name,sheet,score")
    assert main(["check", "class/", "answers/0.json", "answers/1.json"]) == 0
    assert "2 of 8 sheets answered" in capsys.readouterr().out
    for words, error in (
        ("check class/ answers/ --reveal", "--reveal is for the answers to one sheet"),
        ("check class/ answers/ -o report.pdf", "a report's file ends in .html"),
        (
            "check class/ answers/ --csv none/marks.csv",
            "cannot write 'none/marks.csv': No such file or directory",
        ),
        ("check answers/ answers/", "holds no worksheet"),
        ("worksheet --level 3 --count 8 -o class/", "a class gets a new folder"),
        ("worksheet x*y x=1 y=2 --count 3 -o c", "an expression of your own is one"),
        ("worksheet --title Mine -o c.html", "--title is for an expression of your own"),
    ):
        assert main(words.split()) == 2
        assert error in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answers", "status", "told"),
    [
        ("missing/", 2, "error: no answers were marked\ncannot read 'missing': No such file"),
        ("missing.json", 2, "cannot read 'missing.json': No such file or directory."),
        ("empty/", 2, "'empty' holds no files."),
        ("blank.txt", 2, "'blank.txt' is empty; write lines"),
        ("class/", 2, "is a page, which keeps no answers"),
        ("answers/", 0, ""),
        ("answers/ blank.txt", 1, "'blank.txt' is empty; write lines"),
        ("answers/ missing.json", 1, "cannot read 'missing.json'"),
        ("answers/ empty/", 1, "'empty' holds no files."),
    ],
)
def test_what_could_not_be_marked_is_in_the_exit_status(
    answers: str, status: int, told: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """0: all was marked; 1: some was not, and the report tells; 2: nothing was."""
    monkeypatch.chdir(tmp_path)
    classroom, _ = marked(tmp_path)
    classroom.save("class")
    Path("empty").mkdir()
    Path("blank.txt").write_text("", encoding="utf-8")
    words = ["check", "class/", *answers.split(), "-o", "report.html"]
    assert main(words) == status
    shown = capsys.readouterr()
    assert told in (shown.err if status == 2 else shown.out)
    assert Path("report.html").exists() == (status < 2)
    assert shown.out == "" if status == 2 else shown.err == ""


def test_opening_needs_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    classroom, _ = marked(tmp_path)
    classroom.save("class")
    one = ["check", "class/sheet-01.html", "answers/0.json", "--open"]
    for words in (["check", "class", "answers", "--open"], one, [*one, "--csv", "marks.csv"]):
        assert main(words) == 2
        assert "--open shows a report; say where" in capsys.readouterr().err
    assert opened == [] and not Path("marks.csv").exists()
    assert main(["check", "class", "answers", "--csv", "m.csv", "-o", "r.html", "--open"]) == 0
    assert opened == [(tmp_path / "r.html").as_uri()]


def test_a_reader_who_leaves_early_still_gets_the_files(tmp_path: Path) -> None:
    classroom, folder = marked(tmp_path)
    public, _ = classroom.save(tmp_path / "class")
    report = tmp_path / "report.html"
    command = [
        sys.executable,
        "-m",
        "micrograd",
        "check",
        str(public),
        str(folder),
        "-o",
        str(report),
    ]
    reading, writing = os.pipe()
    os.close(reading)  # as after `| head`
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=env, check=False)
    os.close(writing)
    assert done.stderr == b"" and report.exists()


def test_a_worksheet_of_an_expression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    words = [
        "worksheet",
        "tanh(x*w + b)",
        "x=2",
        "w=-3",
        "b=6.8",
        "--title",
        "Today",
        "-o",
        "own.html",
    ]
    assert main([*words, "--open"]) == 0
    assert capsys.readouterr().out == "wrote own.html and own-answers.html\n"
    assert opened == [(tmp_path / "own.html").as_uri()]
    page = (tmp_path / "own.html").read_text("utf-8")
    assert "<h1>Today</h1>" in page and "(x*w).grad" in page
    (tmp_path / "mine.txt").write_text("output = 1\nx*w = 0.3361\n", encoding="utf-8")
    assert main(["check", "own.html", "mine.txt"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"output\.grad +right", told) and "4 not attempted" in told
