"""Banks of questions, read back by importers that follow the platforms' documented rules.

Covers `bank.py`, `slips.py`, `moodle.py`, `canvas.py`, `canvas_items.py`.
"""

from __future__ import annotations

import base64
import io
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from factories import HOSTILE, neuron_output

from micrograd import Value, draw
from micrograd.cli import main
from micrograd.nn import Neuron
from micrograd.show.lesson.walk import Walk
from micrograd.show.practice.bank import Bank, Question, question_of
from micrograd.show.practice.exercises import exercise
from micrograd.show.practice.levels import LEVELS
from micrograd.show.practice.marking import check
from micrograd.show.practice.mistakes import MISTAKES
from micrograd.show.practice.sheets import packed
from micrograd.show.practice.slips import EVERYWHERE, slips
from micrograd.show.practice.worksheet import worksheet

TEXT2QTI = Path(__file__).with_name("text2qti_0_8.txt").read_text(encoding="utf-8").split("\n")[2:]


# --- two importers --------------------------------------------------------------------------------


@dataclass
class Imported:
    """A question as a platform has it: `mark` gives the share of a point, and the feedback."""

    name: str
    text: str
    kind: str
    folder: str = ""
    general: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    answers: list[Any] = field(default_factory=list)

    def mark(self, number: float) -> tuple[float, str]:
        raise NotImplementedError


class OfMoodle(Imported):
    def mark(self, number: float) -> tuple[float, str]:
        """The first answer that is near enough: |number - answer| <= tolerance; `*` always is."""
        for text, fraction, tolerance, feedback in self.answers:
            dust = 1e-14 * (1 if text == "*" else max(1, abs(float(text))))
            if text == "*" or abs(number - float(text)) <= tolerance + dust:
                return fraction / 100, feedback
        raise AssertionError("Moodle wants an answer for every number")


def from_moodle(xml: str) -> list[OfMoodle]:
    found, folder = [], ""
    for item in ElementTree.fromstring(xml):
        if item.get("type") == "category":
            folder = item.findtext("category/text") or ""
            continue
        asked = item.find("questiontext")
        assert item.get("type") == "numerical" and asked is not None
        question = OfMoodle(
            (item.findtext("name/text") or "").strip(), asked.findtext("text") or "", "numerical",
            folder, item.findtext("generalfeedback/text") or "",
        )  # fmt: skip
        for file in asked.findall("file"):
            assert file.get("encoding") == "base64"
            question.files[file.get("path", "") + file.get("name", "")] = base64.b64decode(
                file.text or ""
            )
        for answer in item.findall("answer"):
            question.answers.append(
                (
                    (answer.findtext("text") or "").strip(),
                    float(answer.get("fraction", "0")),
                    float(answer.findtext("tolerance") or 0),
                    answer.findtext("feedback/text") or "",
                )
            )  # fmt: skip
        found.append(question)
    return found


class OfCanvas(Imported):
    def mark(self, number: float) -> tuple[float, str]:
        """A numerical question: any answer's number, as far from it as its upper bound is."""
        assert self.kind == "numerical_question"
        near = any(abs(Decimal(number) - exact) <= margin for exact, margin in self.answers)
        return float(near), self.general

    def choose(self, text: str) -> tuple[float, str]:
        return next((share, told) for said, share, told in self.answers if said == text)


Q = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
C = "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}"


def from_canvas(archive: bytes) -> list[OfCanvas]:
    files = zipfile.ZipFile(io.BytesIO(archive))
    resources = ElementTree.fromstring(files.read("imsmanifest.xml")).find(f"{C}resources")
    assert resources is not None
    quiz = next(r for r in resources if r.get("type") == "imsqti_xmlv1p2")
    href = next(f.get("href", "") for f in quiz.findall(f"{C}file"))
    found = []
    for group in ElementTree.fromstring(files.read(href)).iter(f"{Q}section"):
        if group.get("ident") != "root_section":
            found += [_item(item, group.get("title", ""), files) for item in group.iter(f"{Q}item")]
    return found


def _item(item: ElementTree.Element, group: str, files: zipfile.ZipFile) -> OfCanvas:
    fields = {f[0].text: f[1].text or "" for f in item.iter(f"{Q}qtimetadatafield")}
    texts = {
        feedback.get("ident", ""): feedback.findtext(f".//{Q}mattext") or ""
        for feedback in item.findall(f"{Q}itemfeedback")
    }
    for ident in texts:  # Canvas reads words in these names: this is for everybody, that for none
        assert not re.search(r"wrong|incorrect|_IC$|correct|_C$|solution|_all", ident, re.I), ident
    question = OfCanvas(
        item.get("title", ""), item.findtext(f"{Q}presentation/{Q}material/{Q}mattext") or "",
        fields["question_type"], group, texts.pop("general_fb"),
    )  # fmt: skip
    for name in re.findall(r'src="%24IMS-CC-FILEBASE%24/([^"]+)"', question.text):
        question.files[name] = files.read(name)
    labels = {
        label.get("ident"): label.findtext(f".//{Q}mattext")
        for label in item.iter(f"{Q}response_label")
    }
    scores, told = dict.fromkeys(labels, 0.0), dict.fromkeys(labels, "")
    for condition in item.iter(f"{Q}respcondition"):
        chosen, share = condition.find(f".//{Q}varequal"), condition.findtext(f"{Q}setvar")
        if chosen is None:
            continue
        if question.kind == "numerical_question":
            exact = Decimal(chosen.text or "")
            upper = Decimal(condition.findtext(f".//{Q}varlte") or "")
            question.answers.append((exact, upper - exact))
        elif share is not None:
            scores[chosen.text] = float(share) / 100
        else:
            told[chosen.text] = texts.pop(condition[1].get("linkrefid", ""))
    assert not texts, "feedback that belongs to no answer"
    if question.kind != "numerical_question":
        question.answers = [(text, scores[ident], told[ident]) for ident, text in labels.items()]
    return question


# --- marks ----------------------------------------------------------------------------------------


def some_numbers(right: float) -> Iterator[float]:
    """Numbers at every border of the rule, and away from them."""
    for size in (0.0, 0.0049, 0.00499, 0.00501, 0.0051, 0.02, 0.5, 1.0, 2.0):
        yield from (right * (1 + size), right * (1 - size))
    for digits in range(1, 8):
        yield round(right, digits)
        yield round(right, digits) + 0.0003
    low = math.floor(right * 1000)
    yield from (k / 1000 for k in (low - 1, low, low + 1, low + 2))
    yield from (0.0, 1.0, -1.0, -right, 1e-6)


def counts(walk: Walk, i: int, number: float) -> bool:
    """Whether `check` marks it right where all that it follows from is right."""
    given = {walk.names[k]: walk.grads[k] for k in range(i + 1, len(walk.nodes))}
    given = {name: g for k, (name, g) in enumerate(given.items(), i + 1) if k in walk.asked}
    return (
        check(walk.nodes[-1], {**given, walk.names[i]: number}).marks[walk.names[i]].verdict
        == "right"
    )


@pytest.mark.parametrize("level", LEVELS)
def test_both_platforms_give_a_point_where_check_does(level: int) -> None:
    bank = Bank.random(level, 3, seed=11)
    moodle = from_moodle(bank.moodle)
    canvas = [q for q in from_canvas(bank.canvas) if q.kind == "numerical_question"]
    assert sorted(q.name for q in moodle) == sorted(q.name for q in canvas)
    assert len(moodle) == len(bank.questions)
    by_name = {q.name: q for q in canvas}
    asked = {f"{q.title}, {q.variant}: {q.name}": q for q in bank.questions}
    for question in moodle:
        known = asked[question.name]
        walk = bank.sheets[known.variant - 1].walk
        i = next(i for i in walk.asked if f"{walk.names[i]}.grad" == known.name)
        for number in some_numbers(walk.grads[i]):
            expected = counts(walk, i, number)
            assert question.mark(number)[0] == expected, (question.name, number)
            assert by_name[question.name].mark(number)[0] == expected, (question.name, number)


def test_a_number_rounded_to_three_decimals_counts_and_its_neighbours_do_not() -> None:
    """0.0625: half a percent is 0.0003, and both 0.062 and 0.063 are roundings of it."""
    x = Value(0.0625, label="x")
    y = Value(1.0, label="y")
    out = x * y
    question = from_moodle(Bank([worksheet(out)]).moodle)[1]
    assert "y.grad" in question.name
    assert [question.mark(n)[0] for n in (0.0625, 0.062, 0.063, 0.0621, 0.0631, 0.061)] == [
        1, 1, 1, 0, 0, 0,
    ]  # fmt: skip


def test_right_answers_stand_first_and_the_star_last() -> None:
    for question in from_moodle(Bank.random(4, 4).moodle):
        shares = [fraction for _, fraction, _, _ in question.answers]
        assert shares[0] == 100 and set(shares) == {0, 100}
        assert shares == sorted(shares, reverse=True)
        assert [text for text, *_ in question.answers].index("*") == len(shares) - 1
        assert "No known mistake" in question.answers[-1][3]
        assert all(told for _, fraction, _, told in question.answers if not fraction)


def test_what_is_read_from_the_sheet_counts_as_it_does_for_check() -> None:
    """tanh(3.9) is printed as 0.9992, and 1 - 0.9992² is 3% less than the derivative."""
    x, w = Value(3.9, label="x"), Value(1.0, label="w")
    question = from_moodle(Bank([worksheet((x * w).tanh())]).moodle)[0]
    assert question.name.endswith(": w.grad")
    from_paper = (1 - 0.9992**2) * 3.9
    assert question.mark(from_paper)[0] == 1
    assert question.mark((1 - math.tanh(3.9) ** 2) * 3.9)[0] == 1
    assert question.mark(from_paper * 1.2)[0] == 0


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_each_known_mistake_is_told_and_gets_no_point(level: int) -> None:
    bank = Bank.random(level, 2, seed=3)
    for question, known in zip(
        sorted(from_moodle(bank.moodle), key=lambda q: q.name),
        sorted(bank.questions, key=lambda q: f"{q.title}, {q.variant}: {q.name}"),
        strict=True,
    ):
        assert known.wrong
        for answer in known.wrong:
            share, told = question.mark(answer.number)
            assert share == 0 and told.startswith("<p>"), (question.name, answer)
            assert "No known mistake" not in told


@pytest.mark.parametrize("level", LEVELS)
def test_a_slip_in_the_last_step_is_one_that_check_sees(level: int) -> None:
    for seed in range(4):
        walk = Walk(exercise(level, seed))
        for i in walk.asked[1:]:
            for slip in slips(walk, i):
                if slip.node == i:
                    answers = {walk.names[k]: walk.grads[k] for k in walk.asked if k > i}
                    answers[walk.names[i]] = slip.number
                    mark = check(walk.nodes[-1], answers).marks[walk.names[i]]
                    assert slip.mistake in mark.mistakes, (slip, mark)


def tilted_neuron() -> Walk:
    """The neuron of the video with another bias, so that 1 - o² is not 1/2 as many things are."""
    x1, w1, b = Value(2.0, label="x1"), Value(-3.0, label="w1"), Value(6.5, label="b")
    n = x1 * w1 + b
    o = n.tanh()
    n.label, o.label = "n", "o"
    return Walk(o)


def test_a_slip_is_carried_on_as_a_learner_carries_it() -> None:
    """o = tanh(n), n = x1*w1 + b, each mistake worked out by hand."""
    walk = tilted_neuron()
    x1 = walk.names.index("x1")
    o, n, w1 = walk.data[-1], walk.data[-2], -3.0
    assert math.isclose(walk.grads[x1], w1 * (1 - o * o))
    found = {
        (slip.mistake, walk.names[slip.node] if slip.node >= 0 else "*"): slip.number
        for slip in slips(walk, x1)
    }
    expected = {
        ("own value", "x1"): 2.0 * (1 - o * o),
        ("no local", "x1"): 1 - o * o,
        ("no arriving", "x1"): w1,
        ("sign", "x1"): -w1 * (1 - o * o),
        ("square", "n"): w1 * (1 - o),
        ("input for output", "n"): w1 * (1 - n * n),
        ("no local", "*"): 1.0,
        ("output", "n"): o * w1 * (1 - o * o),
    }
    assert set(expected) <= set(found)
    for key, number in expected.items():
        assert math.isclose(found[key], number, rel_tol=1e-9), (key, found)


def test_where_no_gradient_arrives_there_is_nothing_to_slip_on() -> None:
    walk = Walk(neuron_output())
    assert slips(walk, len(walk.nodes) - 1) == []
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    y_hidden = Value(6.0, (x, y), "custom", "c")
    y_hidden._backward = lambda: None  # a step by hand that pushes nothing
    bank = Bank([worksheet(y_hidden * 2.0)])
    for question in from_moodle(bank.moodle):
        assert question.mark(0.0)[0] == 1 and question.mark(1.0)[0] == 0


def test_backward_by_recursion_is_among_the_slips() -> None:
    a = Value(2.0, label="a")
    b = a * 3.0
    b.label = "b"
    c = b + a
    c.label = "c"
    out = b * c
    out.label = "L"
    walk = Walk(out)
    numbers = {slip.mistake: slip for slip in slips(walk, walk.names.index("a"))}
    assert numbers["recursion"].node == EVERYWHERE
    told = [answer.feedback for answer in question_of(walk, 0, "t", 1).wrong]
    assert any(MISTAKES["recursion"].name in text for text in told)


def test_feedback_says_where_the_mistake_was_made() -> None:
    walk = tilted_neuron()
    told = {
        round(answer.number, 4): answer.feedback
        for answer in question_of(walk, walk.names.index("x1"), "t", 1).wrong
    }
    assert told[1.0].startswith(f"Looks like: {MISTAKES['no local'].name}, at every step. ")
    assert told[-3.0].startswith(f"Looks like: {MISTAKES['no arriving'].name}. Multiply")
    square = round(-3.0 * (1 - walk.data[-1]), 4)
    assert ", in n.grad and carried on from there. " in told[square]


def test_one_digit_or_two_are_right_so_far() -> None:
    x, w = Value(1.08, label="x"), Value(2.0, label="w")
    walk = Walk(x * w)
    question = question_of(walk, walk.names.index("w"), "t", 1)
    told = {answer.number: answer.feedback for answer in question.wrong}
    assert told[1.1] == "Right so far: give three digits."
    assert told[1.0].startswith("Looks like: ")  # a slip gives exactly this one


def test_no_feedback_gives_the_number_away() -> None:
    bank = Bank.random(1, 5)
    for question in bank.questions:
        right = question.right[0].number
        if abs(right) > 2:  # small numbers stand in formulas
            for text in (question.ask, question.method, *(a.feedback for a in question.wrong)):
                assert f" {right:g}" not in text.replace("\N{MINUS SIGN}", "-"), text


# --- Canvas ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_a_choice_has_one_right_number_and_mistakes_with_their_feedback(level: int) -> None:
    bank = Bank.random(level, 6)
    asked = [q for q in from_canvas(bank.canvas) if q.kind == "multiple_choice_question"]
    assert asked
    for question in asked:
        shares = [share for _, share, _ in question.answers]
        assert sorted(shares, reverse=True)[:2] == [1, 0], question
        assert 2 <= len(shares) <= 5
        texts = [text for text, _, _ in question.answers]
        assert len(set(texts)) == len(texts)
        for text, share, told in question.answers:
            assert question.choose(text) == (share, told)
            assert bool(share) != told.startswith("<p>Looks like: ")


def test_the_right_choice_has_no_place_of_its_own() -> None:
    asked = [q for q in from_canvas(Bank.random(2, 30).canvas) if "choose" in q.folder]
    places = [[share for _, share, _ in q.answers].index(1) for q in asked]
    assert all(places.count(k) > 0.05 * len(places) for k in range(5)), places


def paths(e: ElementTree.Element, above: str = "") -> set[str]:
    names = ",".join(sorted(k.split("}")[-1] for k in e.attrib))
    here = f"{above}/{e.tag.split('}')[-1]}" + (f"[{names}]" if names else "")
    return {here}.union(*(paths(child, here) for child in e))


def test_the_structure_is_what_text2qti_writes() -> None:
    """All that it writes of questions; of the manifest and the settings nothing that it lacks."""
    files = zipfile.ZipFile(io.BytesIO(Bank.random(2, 3).canvas))
    ours = {name: paths(ElementTree.fromstring(files.read(name)))
            for name in files.namelist() if name.endswith(".xml")}  # fmt: skip
    theirs = set(TEXT2QTI) - {""}
    assert set.union(*ours.values()) <= theirs
    questions = {path for path in theirs if path.startswith("/questestinterop")}
    assert questions <= set.union(*ours.values())
    resources = {path for path in theirs if "/resources" in path}
    assert resources <= ours["imsmanifest.xml"]


@pytest.mark.parametrize("level", [1, 4, 6])
def test_numbers_have_a_point_and_no_exponent(level: int) -> None:
    """As text2qti writes 1.5000 and -2.0000: Canvas's New Quizzes were seen to drop a plain 4."""
    files = zipfile.ZipFile(io.BytesIO(Bank.random(level, 12).canvas))
    (text,) = [files.read(n).decode() for n in files.namelist() if re.fullmatch(r"(\w+)/\1.xml", n)]
    numbers = []
    for item in ElementTree.fromstring(text).iter(f"{Q}item"):
        if "numerical_question" in ElementTree.tostring(item, encoding="unicode"):
            tags = ("varequal", "vargte", "varlte")
            numbers += [e.text or "" for tag in tags for e in item.iter(f"{Q}{tag}")]
    assert len(numbers) >= 3 * 12
    assert all(re.fullmatch(r"-?\d+\.\d+", number) for number in numbers), numbers


def test_a_quiz_is_worth_what_its_groups_are_worth() -> None:
    """A gradient without a known mistake has no choice, and so one group instead of two."""
    given = Bank([worksheet(Value(2.0, label="x"))])  # its gradient is 1, and no slip leads there
    assert [len(question.choices) for question in given.questions] == [1]
    for bank in (Bank.random(2, 3), given):
        files = zipfile.ZipFile(io.BytesIO(bank.canvas))
        (meta,) = [n for n in files.namelist() if n.endswith("assessment_meta.xml")]
        (quiz,) = [n for n in files.namelist() if re.fullmatch(r"(\w+)/\1.xml", n)]
        points = [float(e.text or 0) for e in ElementTree.fromstring(files.read(meta)).iter()
                  if e.tag.endswith("points_possible")]  # fmt: skip
        each = [float(e.text or 0) for e in ElementTree.fromstring(files.read(quiz)).iter()
                if e.tag.endswith("points_per_item")]  # fmt: skip
        assert points == [sum(each)] * 2


def test_the_manifest_names_every_file_once() -> None:
    archive = zipfile.ZipFile(io.BytesIO(Bank.random(1, 4).canvas))
    manifest = ElementTree.fromstring(archive.read("imsmanifest.xml"))
    named = [file.get("href") for file in manifest.iter(f"{C}file")]
    assert sorted(named) == sorted(
        set(archive.namelist()) - {"imsmanifest.xml", "non_cc_assessments/"}
    )
    identifiers = [r.get("identifier") for r in manifest.iter(f"{C}resource")]
    assert len(set(identifiers)) == len(identifiers)
    wanted = [d.get("identifierref") for d in manifest.iter(f"{C}dependency")]
    assert set(wanted) <= set(identifiers)


def test_every_variant_is_in_a_group_of_which_one_is_drawn() -> None:
    bank = Bank.random(3, 12)
    asked = from_canvas(bank.canvas)
    assert {q.folder for q in asked if q.kind == "numerical_question"} == set(bank.kinds)
    files = zipfile.ZipFile(io.BytesIO(bank.canvas))
    (href,) = [name for name in files.namelist() if re.fullmatch(r"(\w+)/\1\.xml", name)]
    root = ElementTree.fromstring(files.read(href))
    assert {e.text for e in root.iter(f"{Q}selection_number")} == {"1"}
    idents = [item.get("ident") for item in root.iter(f"{Q}item")]
    assert len(set(idents)) == len(idents)


# --- both -----------------------------------------------------------------------------------------


def test_the_picture_is_in_the_file_light_and_without_the_answers() -> None:
    bank = Bank.random(2, 2)
    for questions in (from_moodle(bank.moodle), from_canvas(bank.canvas)):
        for question in questions:
            ((name, svg),) = question.files.items()
            root = ElementTree.fromstring(svg)
            assert root.tag.endswith("svg")
            assert Path(name).name in question.text
            assert b"var(--" not in svg and b"prefers-color-scheme" not in svg
            shown = [t.text for t in root.iter() if t.tag.endswith("text")]
            assert "x1" in shown and not any((t or "").startswith("+") and t != "+" for t in shown)
            assert 'alt="Computation graph: x1 = ' in question.text


def hostile_sheets() -> list[Any]:
    sheets = []
    for label in HOSTILE:
        x, w = Value(2.0, label=label), Value(-3.0, label="w")
        out = (x * w).tanh()
        out.label = label
        sheets.append(worksheet(out, title=f"Sheet {label}"))
    return sheets


def test_labels_stay_text_whatever_they_hold() -> None:
    bank = Bank(hostile_sheets(), title="a/b & <i>&amp;</i> ]]> \0")
    moodle, canvas = from_moodle(bank.moodle), from_canvas(bank.canvas)
    assert len(moodle) == len(bank.questions) and len(canvas) >= len(bank.questions)
    for question in (*moodle, *canvas):
        assert not re.search(r"<(script|b|i|c|iframe|/)[ >]", question.text.replace("</p>", ""))
        assert question.text.count("<img") == 1 and question.text.count("<p>") == 2
        assert len(question.name) <= 255 or question in canvas
    folders = {question.folder for question in moodle}
    assert all(f.startswith("$course$/top/a//b & <i>&amp;<//i> ]]> \ufffd/") for f in folders)
    for folder in folders:  # a single slash begins another category
        assert len(re.findall(r"(?<!/)/(?://)*(?!/)", folder)) == 3, folder


def test_weights_of_a_module_are_asked_for() -> None:
    model = Neuron(2, activation="tanh")
    out = model([Value(1.0, label="x1"), Value(2.0, label="x2")])
    bank = Bank([worksheet(out, parameters=model)])
    assert {"x1.grad", "w1.grad", "b.grad"} <= set(bank.kinds), set(bank.kinds)


def test_thirty_variants_are_all_different() -> None:
    for level in LEVELS:
        bank = Bank.random(level, 30, seed=7)
        assert len({packed(sheet.walk) for sheet in bank.sheets}) == len(bank.sheets) == 30


def test_a_bank_is_the_same_each_time() -> None:
    assert Bank.random(1, 2, seed=4).moodle == Bank.random(1, 2, seed=4).moodle
    assert Bank.random(1, 2, seed=4).canvas == Bank.random(1, 2, seed=4).canvas
    assert Bank.random(1, 2, seed=4).moodle != Bank.random(1, 2, seed=5).moodle
    assert worksheet.bank(1, 2, seed=4).moodle == Bank.random(1, 2, seed=4).moodle


def test_what_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    for count in (0, -1, True, 2.0):
        with pytest.raises(ValueError, match=r"^count= is how many sheets, at least 1"):
            Bank.random(1, count)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="there is no level 9"):
        Bank.random(9)
    with pytest.raises(ValueError, match=r"level 4 has [\d,]+ different sheets; got count=9,999"):
        Bank.random(4, 9999)
    with pytest.raises(ValueError, match="needs at least one worksheet"):
        Bank([])
    with pytest.raises(ValueError, match="no input whose gradient is a finite number"):
        Bank([worksheet(Value(0.0, label="x").log())])
    with pytest.raises(ValueError, match=r"ends in \.xml \(for Moodle\) or \.zip \(for Canvas\)"):
        Bank.random(1, 1).save(tmp_path / "bank.pdf")


def test_the_command_line_writes_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    xml, archive = tmp_path / "bank.xml", tmp_path / "bank.zip"
    words = ["worksheet", "--level", "3", "--count", "4", "--seed", "7"]
    assert main([*words, "--moodle", str(xml), "--canvas", str(archive)]) == 0
    bank = Bank.random(3, 4, 7)
    assert xml.read_text(encoding="utf-8") == bank.moodle
    assert archive.read_bytes() == bank.canvas
    assert capsys.readouterr().out.count(f": {len(bank.questions)} questions\n") == 2
    assert main([*words, "--moodle", str(archive)]) == 2
    assert capsys.readouterr().err.startswith("error: got ")
    words = ["worksheet", "tanh(x*w)", "x=2", "w=0.25", "--moodle", str(xml)]
    assert main(words) == 0
    assert {q.name.rpartition(" ")[2] for q in from_moodle(xml.read_text("utf-8"))} == {
        "x.grad", "w.grad",
    }  # fmt: skip
    assert main([*words, "--count", "3"]) == 2
    assert "invent exercises" in capsys.readouterr().err
    assert main(["worksheet", "--level", "3"]) == 2
    assert "say where to write" in capsys.readouterr().err
    assert main(["worksheet", "--level", "12", "--moodle", str(xml)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# --- the importers can fail -----------------------------------------------------------------------


def test_an_importer_sees_planted_faults() -> None:
    bank = Bank.random(2, 1)
    xml, right = bank.moodle, bank.questions[0].right[0]
    planted = xml.replace('fraction="100"', 'fraction="0"', 1)
    assert from_moodle(planted)[0].mark(right.number)[0] == 0
    with pytest.raises(ElementTree.ParseError):
        from_moodle(xml.replace("&lt;p&gt;", "<p>", 1))
    files = zipfile.ZipFile(io.BytesIO(bank.canvas))
    for old, new in ((b"general_fb", b"incorrect_fb"), (b"images/graph-1", b"images/graph-9")):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as copy:
            for name in files.namelist():
                copy.writestr(name, files.read(name).replace(old, new))
        with pytest.raises((AssertionError, KeyError)):
            from_canvas(stream.getvalue())
    assert draw(neuron_output()).light.startswith("<svg")
    assert isinstance(bank.questions[0], Question)
