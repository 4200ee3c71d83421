"""Worksheets and their marking: blanks without answers, marks without giving the answer away."""

# ruff: noqa: RUF001 (the formulas are typeset, with a real minus sign)

import json
import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browsing import browser, needs_browser

import micrograd
from micrograd import Value
from micrograd.show.answers import read_answers, read_number
from micrograd.show.exercises import LEVELS, exercise
from micrograd.show.marking import check
from micrograd.show.sheets import packed, read_sheet, unpacked
from micrograd.show.walk import Walk
from micrograd.show.worksheet import worksheet

ROOT = Path(__file__).parents[1]


def right_answers(value) -> dict[str, float]:
    walk = Walk(value)
    return {walk.names[i]: g for i, g in enumerate(walk.grads) if i not in walk.constants}


def product() -> Value:
    a, b, c = (Value(x, label=n) for x, n in ((2.0, "a"), (-3.0, "b"), (10.0, "c")))
    e = a * b
    e.label = "e"
    out = e + c
    out.label = "d"
    total = out * a
    total.label = "L"
    return total


# --- marking ------------------------------------------------------------------------------------


def test_right_wrong_and_not_attempted():
    report = check(product(), {"a": -2.0, "b": 4.0, "c": "2", "e": None})
    assert {name: mark.verdict for name, mark in report.marks.items()} == {
        "L": "not attempted", "d": "not attempted", "c": "right", "e": "not attempted",
        "b": "right", "a": "right",
    }  # fmt: skip
    assert report.summary == "3 of 6 right, 0 wrong, 3 not attempted."


def test_a_wrong_answer_is_told_its_likely_mistake():
    report = check(product(), {"a": 4.0})  # only the second use: d
    assert report.marks["a"].mistakes == ("missing use",)
    assert "forgot to add the other use" in str(report)
    assert "forgot to add the other use" in report._repr_markdown_()


def test_the_right_answer_is_never_told_unless_asked_for():
    total = product() * 17.0 + 0.123
    total.label = "M"
    wrong = dict.fromkeys(right_answers(total), 5.5)
    report = check(total, wrong)
    revealed = check(total, wrong, reveal=True)
    for name, g in right_answers(total).items():
        if abs(g) > 1:
            assert f"{abs(g):g}" not in str(report) + report._repr_markdown_(), name
            assert f"{abs(g):g}" in str(revealed), name
            assert report.marks[name].right is None
            assert revealed.marks[name].right == g


def test_the_tolerance_is_stated_and_kept():
    x = Value(0.5, label="x")
    y = x.tanh()
    y.label = "y"
    right = 1 - math.tanh(0.5) ** 2  # 0.78644773
    for answer in (0.786, 0.79, 0.7864, right):
        assert check(y, {"x": answer}).marks["x"].verdict == "right", answer
    for answer in (0.78, 0.8, -0.786):
        assert check(y, {"x": answer}).marks["x"].verdict == "wrong", answer
    assert "three significant digits" in str(check(y, {}))


def test_an_error_carried_on_is_not_a_new_mistake():
    x, w, b = Value(2.0, label="x"), Value(3.0, label="w"), Value(0.25, label="b")
    n = x * w + b
    n.label = "n"
    o = n * Value(7.0, label="k")
    o.label = "o"
    report = check(o, {"n": 5.0, "b": 5.0})
    assert report.marks["n"].follows_from == ()
    assert report.marks["b"].follows_from == ("n",)
    assert "your answer for n" in str(report)


def test_constants_are_not_asked_for():
    x = Value(3.0, label="x")
    y = 2.0 * x
    y.label = "y"
    assert list(check(y, {}).marks) == ["y", "x"]


@pytest.mark.parametrize(
    ("answers", "error", "match"),
    [
        ({"z": 1}, ValueError, r"no gradient called 'z' here; the names are L, d, c, e, b, a"),
        ({"a": "two"}, ValueError, r"the answer for a is str 'two'; an answer is a number"),
        ({"a": [1]}, ValueError, r"the answer for a is list"),
        (3, TypeError, r"a dict by label or the path of a file; got int 3"),
    ],
)
def test_bad_answers_are_named(answers, error, match):
    with pytest.raises(error, match=match):
        check(product(), answers)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.5", 1.5), ("−1.5", -1.5), ("1,5", 1.5), (" 3/4 ", 0.75), ("-1/2", -0.5), ("", None),
     ("__", None), (None, None), ("inf", math.inf), ("−∞", -math.inf), (2, 2.0)],
)  # fmt: skip
def test_numbers_as_people_write_them(text, number):
    assert read_number(text, "x") == number


def test_answers_from_files(tmp_path):
    as_json, as_lines = tmp_path / "answers.json", tmp_path / "answers.txt"
    as_json.write_text(json.dumps({"a": "-2", "b": None}), encoding="utf-8")
    as_lines.write_text("# mine\na.grad = -2\n\nb =\n", encoding="utf-8")
    for path in (as_json, as_lines):
        report = check(product(), path)
        assert report.marks["a"].verdict == "right"
        assert report.marks["b"].verdict == "not attempted"
    as_json.write_text("{oops", encoding="utf-8")
    with pytest.raises(ValueError, match="looks like JSON"):
        read_answers(as_json)
    as_lines.write_text("nothing here", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no answers"):
        read_answers(as_lines)


# --- sheets -------------------------------------------------------------------------------------


class Text(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.hidden = 0
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.hidden += tag in ("style", "script")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data):
        if not self.hidden:
            self.words.append(data)


def test_the_sheet_has_forward_values_blanks_and_no_gradient():
    sheet = worksheet(product())
    shown = " ".join(Text(sheet.page).words)
    assert "e = a × b = −6" in shown
    for name in right_answers(product()):
        assert f"{name}.grad" in shown
        assert f"{name}.grad = \n" in sheet.markdown
    assert Text(sheet.page).tags.count("input") == 6
    assert "+1.0000" not in sheet.page and "−2.0000" not in shown.split("Forward")[0]
    answers = " ".join(Text(sheet.answer_page).words)
    assert "+1.0000" in answers and "4 × 1 + (−3 × 2)" in answers
    assert "input" not in Text(sheet.answer_page).tags
    assert "| a.grad |" in sheet.answer_markdown


def test_the_sheet_leaves_the_graph_as_it_was():
    value = product()
    value.grad = 5.0
    worksheet(value)
    assert value.grad == 5.0
    assert value.label == "L"


def test_save_writes_the_answers_apart(tmp_path):
    sheet = worksheet(product(), title="My <own> sheet")
    for ending in (".html", ".md"):
        written = sheet.save(tmp_path / f"sheet{ending}")
        assert [p.name for p in written] == [f"sheet{ending}", f"sheet-answers{ending}"]
        assert all(p.stat().st_size > 1000 for p in written)
    assert "<title>My &lt;own&gt; sheet</title>" in (tmp_path / "sheet.html").read_text("utf-8")
    with pytest.raises(ValueError, match=r"ends in \.html or \.md"):
        sheet.save(tmp_path / "sheet.pdf")


def test_pages_need_no_network_and_no_eval():
    for page in (worksheet(product()).page, worksheet(product()).answer_page):
        assert re.findall(r"<[^>]*(?:src|href)=[\"']?(?!data:)", page) == []
        assert "default-src 'none'" in page


def test_a_saved_sheet_is_marked_from_its_file(tmp_path):
    for ending in (".html", ".md"):
        value = exercise(5, 3)
        path, _ = worksheet(value).save(tmp_path / f"sheet{ending}")
        report = check(path, right_answers(value))
        assert report.count("right") == len(report.marks)
        assert Walk(read_sheet(path)).grads == Walk(value).grads
    (tmp_path / "other.html").write_text("<p>hello</p>", encoding="utf-8")
    with pytest.raises(ValueError, match="is no worksheet"):
        check(tmp_path / "other.html", {})


def test_a_filled_in_markdown_sheet_is_its_own_file_of_answers(tmp_path):
    path, _ = worksheet(product()).save(tmp_path / "sheet.md")
    text = path.read_text("utf-8").replace("a.grad = \n", "a.grad = −2\n")
    path.write_text(text, encoding="utf-8")
    report = check(path, path)
    assert report.count("right") == 1 and report.count("not attempted") == 5


def test_custom_rules_travel_as_the_numbers_they_had():
    a = Value(3.0, label="a")
    out = Value(27.0, (a,), "cube", "out")

    def backward():
        a.grad += 27.0 * out.grad

    out._backward = backward
    half = micrograd.op("half_of_this_test", lambda x: x / 2, [lambda x, out: 0.5])
    y = half(out) * out
    y.label = "y"
    walk = Walk(y)
    comment = packed(walk)
    again = Walk(unpacked(comment.split()[-2]))
    assert again.grads == pytest.approx(walk.grads)
    assert again.names == walk.names
    with pytest.raises(ValueError, match="damaged"):
        unpacked("bm9uc2Vuc2U=")


def test_a_graph_too_large_for_a_sheet_says_so():
    x = Value(1.0, label="x")
    for _ in range(60):
        x = x * 1.1
    with pytest.raises(ValueError, match=r"has 121 nodes, and a sheet holds 100"):
        worksheet(x)


# --- exercises ----------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_exercises_are_small_pretty_and_the_same_each_time(level):
    for seed in range(60):
        walk, again = Walk(exercise(level, seed)), Walk(exercise(level, seed))
        assert (walk.names, walk.data, walk.grads) == (again.names, again.data, again.grads)
        assert all(abs(x) <= 200 for x in walk.data + walk.grads)
        for i, g in enumerate(walk.grads):
            if i not in walk.constants:
                assert walk.nodes[i].label
                assert g == pytest.approx(round(g, 4), abs=2e-4)
        if level != 2:  # the neuron's bias comes from atanh, a logit is a logarithm
            whole = [x for n, x in zip(walk.names, walk.data, strict=True) if n[0] in "abcefgxw"]
            assert all(round(x, 3) == pytest.approx(x, abs=1e-9) for x in whole)
    assert len({tuple(Walk(exercise(level, seed)).data) for seed in range(60)}) > 5


def test_each_level_is_what_it_says():
    for seed in range(40):
        sums = Walk(exercise(1, seed))
        assert {n._op for n in sums.nodes} <= {"", "+", "*"}
        assert "tanh" in {n._op for n in Walk(exercise(2, seed)).nodes}
        shared = Walk(exercise(3, seed))
        assert max(len(shared.uses_of(i)) for i in range(len(shared.nodes))) >= 2
        assert {"exp", "log"} <= {n._op for n in Walk(exercise(4, seed)).nodes}
        net = Walk(exercise(5, seed))
        assert [n._op for n in net.nodes].count("ReLU") == 2
        assert any(net.grads[i] for i, n in enumerate(net.nodes) if n.label.startswith("w"))
        norm = exercise(6, seed)
        xs = [n.data for n in Walk(norm).nodes if n.label in ("x1", "x2", "x3", "x4")]
        mean = sum(xs) / 4
        spread = math.sqrt(sum((x - mean) ** 2 for x in xs) / 4)
        assert len(xs) == 4 and spread in (1.0, 2.0, 5.0)


def test_a_level_that_does_not_exist():
    with pytest.raises(ValueError, match="there is no level 7; the levels are 1: sums"):
        worksheet.random(7, seed=1)
    with pytest.raises(ValueError, match="seed= is an integer"):
        worksheet.random(1, seed="x")


# --- command line -------------------------------------------------------------------------


def run(*words: str, cwd) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "micrograd", *words], cwd=cwd, capture_output=True, text=True,
        encoding="utf-8", check=False, timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_the_commands(tmp_path):
    made = run("worksheet", "--level", "3", "--seed", "7", "-o", "sheet.html", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == "wrote sheet.html and sheet-answers.html"
    (tmp_path / "mine.txt").write_text("L = 1\n", encoding="utf-8")
    marked = run("check", "sheet.html", "mine.txt", cwd=tmp_path)
    assert "1 of 6 right" in marked.stdout, marked.stderr
    words = ("tanh(x*w + b)", "x=2", "w=-3", "b=6.8")
    assert run("step", *words, "--quiz", "-o", "page.html", cwd=tmp_path).returncode == 0
    assert "<!doctype html>" in (tmp_path / "page.html").read_text("utf-8")
    told = run("explain", *words, cwd=tmp_path)
    assert "x*w = x × w = 2 × (−3) = −6" in told.stdout, told.stderr
    assert "1 path leads from w" in run("explain", *words, "--wrt", "w", cwd=tmp_path).stdout
    wrong = run("explain", *words, "--wrt", "q", cwd=tmp_path)
    assert wrong.returncode == 2 and "there is no 'q'" in wrong.stderr


# --- in the browser ------------------------------------------------------------------------------


def a_long_chain():
    gate = (Value(0.5, label="w") * 2.0 + Value(-0.25, label="b")).sigmoid()
    return worksheet(0.5 * (gate * 1.5 + (1 - gate) * -0.5 - 1.0) ** 2)


@pytest.mark.browser
@needs_browser
def test_a_sheets_frame_is_as_high_as_its_page(tmp_path):
    sheets = [worksheet.random(level=level, seed=1) for level in LEVELS]
    with browser() as driver:
        for sheet in [*sheets, a_long_chain()]:
            path = tmp_path / "notebook.html"
            path.write_text(
                f"<!DOCTYPE html><meta charset=utf-8><body>{sheet._repr_html_()}", encoding="utf-8"
            )
            for width in (900, 1200):
                driver.set_window_size(width, 700)
                driver.get(path.as_uri())
                driver.switch_to.frame(driver.find_element("css selector", "iframe"))
                page, frame = driver.execute_script(
                    "return [document.documentElement.scrollHeight, window.innerHeight]"
                )
                assert page <= frame + 20, f"{sheet}: {page - frame} pixels are out of sight"
