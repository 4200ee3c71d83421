"""Worksheets and their marking: blanks without answers, marks without giving the answer away.

Covers `exercises.py`, `levels.py`, `reading.py`, `sheets.py`.
"""

# ruff: noqa: RUF001 (the formulas are typeset, with a real minus sign)

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import browser, needs_browser

import micrograd
from micrograd import Value, draw, explain, step_through
from micrograd.nn import MLP, Linear, Module, Neuron
from micrograd.show.lesson.explanation import plain_markdown
from micrograd.show.lesson.walk import Walk
from micrograd.show.practice.answers import ACCEPTED, read_number
from micrograd.show.practice.exercises import count, exercise
from micrograd.show.practice.levels import LEVELS
from micrograd.show.practice.marking import check
from micrograd.show.practice.mistakes import MISTAKES
from micrograd.show.practice.sheets import packed, read_sheet, read_sheets, unpacked
from micrograd.show.practice.worksheet import Worksheet, worksheet

ROOT = Path(__file__).parents[2]


def right_answers(value: Value) -> dict[str, float]:
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


def test_right_wrong_and_not_attempted() -> None:
    report = check(product(), {"a": -2.0, "b": 4.0, "c": "2", "e": None})
    assert {name: mark.verdict for name, mark in report.marks.items()} == {
        "L": "not attempted", "d": "not attempted", "c": "right", "e": "not attempted",
        "b": "right", "a": "right",
    }  # fmt: skip
    assert report.summary == "3 right, 0 mistakes, 3 not attempted."


def test_a_wrong_answer_is_told_its_likely_mistake() -> None:
    report = check(product(), {"a": 4.0})  # only the second use: d
    assert report.marks["a"].mistakes == ("missing use",)
    assert "a use that was not added" in str(report)
    assert "a use that was not added" in report._repr_markdown_()


def test_a_number_that_no_known_mistake_gives_is_told_how_it_comes_about() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    e, s = a * b, (a * a)
    e.label, s.label = "e", "s"
    out = e + s
    out.label = "o"
    told = str(check(out, {"b": 5, "a": 33, "e": 77}))
    assert "No known mistake gives this number. It is e.grad times the local derivative" in told
    assert "It is o.grad times the local derivative there: work out both." in told
    assert "It is a sum over its uses, in s and e: add what each of them sends back." in told
    told = str(check(s, {"a": 77}))
    assert "in s, more than once: add" in told


def test_a_mistake_is_named_as_a_thing_and_explained_in_a_sentence() -> None:
    """What follows "Looks like:" is a noun, not "forgot to" or "from its"."""
    for mistake in MISTAKES.values():
        assert not re.match(r"(forgot|from|look|sign$|gate|power)", mistake.name), mistake
        assert re.fullmatch(r"[A-Z].{30,}\.", mistake.hint), mistake
    x = Value(-1.0, label="x")
    told = str(check(x.relu() * 3.0, {"x": 3}))
    assert "Looks like: an ignored gate. The output does not depend on this input here" in told


def test_three_answers_are_listed_as_a_sentence_lists_them() -> None:
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    parts = [x * y, x * 5.0, x**2]
    for part, name in zip(parts, "abc", strict=True):
        part.label = name
    total = parts[0] * parts[1] * parts[2]
    told = str(check(total, {"x": 77}))
    assert re.search(r"in \w+, \w+ and \w+: add what each of them sends back", told), told
    right = right_answers(total)
    wrong = {name: 3 * right[name] for name in "abc"}
    x_grad = wrong["a"] * 3.0 + wrong["b"] * 5.0 + wrong["c"] * 4.0
    report = check(total, {**wrong, "x": x_grad})
    assert report.marks["x"].verdict == "follows"
    said = r"from your answers for [abc], [abc] and [abc], which are wrong: mend those first"
    assert re.search(said, str(report)), str(report)


def test_an_infinite_answer_is_told_that_a_finite_one_is_wanted() -> None:
    for answer in ("1/0", math.inf, math.nan, "1e400"):
        for told in (check(product(), {"b": answer}),):
            said = "No known mistake gives this number. The gradient is a finite number: look for"
            assert said in str(told) and said in told._repr_markdown_()
    w = Value(0.0, label="w")
    assert "finite" not in str(check(w.log(), {"w": -math.inf}))  # the right one is infinite


def test_the_right_answer_is_never_told_unless_asked_for() -> None:
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


def test_the_rule_is_stated_and_kept() -> None:
    x = Value(0.5, label="x")
    y = x.tanh()
    y.label = "y"
    right = 1 - math.tanh(0.5) ** 2  # 0.78644773
    for answer in (0.786, 0.79, 0.7864, right):
        assert check(y, {"x": answer}).marks["x"].verdict == "right", answer
    for answer in (0.78, -0.786):
        assert check(y, {"x": answer}).marks["x"].verdict == "wrong", answer
    early = check(y, {"x": 0.8})
    assert early.marks["x"].verdict == "right so far" and "Give three digits." in str(early)
    assert early.summary == "0 right, 0 mistakes, 1 right so far, 1 not attempted."
    sheet = worksheet(y)
    for text in (str(early), sheet.page, sheet.answer_page):
        assert ACCEPTED in text
    for text in (early._repr_markdown_(), sheet.markdown):
        assert plain_markdown(ACCEPTED) in text


# --- following the learner ------------------------------------------------------------------------


def neuron(o: float = 0.8) -> Value:
    x1, w1, x2, w2 = (
        Value(x, label=n) for x, n in ((1.5, "x1"), (-2, "w1"), (0.5, "x2"), (3, "w2"))
    )
    p, q = x1 * w1, x2 * w2
    s = p + q
    b = Value(math.atanh(o) - s.data, label="b")
    n = s + b
    out = n.tanh()
    for node, label in ((p, "p"), (q, "q"), (s, "s"), (n, "n"), (out, "o")):
        node.label = label
    return out


@pytest.mark.parametrize(("slip", "kind"), [(1.0, "no local"), (-0.36, "sign"), (0.2, "square")])
def test_one_slip_is_one_mistake_and_what_follows_is_none(slip: float, kind: str) -> None:
    wrong = {name: g * slip / 0.36 for name, g in right_answers(neuron()).items()} | {"o": 1}
    report = check(neuron(), wrong)
    assert report.marks["n"].verdict == "wrong" and kind in report.marks["n"].mistakes
    assert report.summary == "1 right, 1 mistake, 8 follow from it."
    told = str(report)
    assert "Rightly worked out from your answer for n, which is wrong: mend that first." in told
    assert "Rightly worked out from your answer for p." in told
    assert report.marks["w1"].follows_from == ("p",) and report.marks["w1"].mistakes == ()


def test_following_leads_through_what_was_left_out() -> None:
    report = check(neuron(), {"n": 1.0, "x1": -2.0, "w2": 0.5})
    assert report.marks["x1"].follows_from == report.marks["w2"].follows_from == ("n",)
    assert report.marks["s"].verdict == "not attempted"
    assert report.summary == "0 right, 1 mistake, 2 follow from it, 7 not attempted."


def test_a_second_slip_is_found_with_the_learners_own_number() -> None:
    report = check(neuron(), {"n": 1.0, "p": 1.0, "q": 1.0, "x1": 1.5, "w1": -1.5})
    assert report.marks["x1"].mistakes == ("own value",)  # x1 × 1 instead of w1 × 1
    assert report.marks["w1"].mistakes == ("sign",)
    assert report.summary == "0 right, 3 mistakes, 2 follow from them, 5 not attempted."


def test_a_slip_after_a_typing_error_is_found_with_the_right_number() -> None:
    report = check(neuron(), {"p": 36, "x1": -0.72, "w1": -0.54})  # p is 0.36
    assert report.marks["x1"].verdict == "right"
    assert report.marks["w1"].mistakes == ("sign",)


def test_rounding_is_carried_on_without_a_mistake() -> None:
    """a = 100 b - 99 c for two almost equal gradients: half a percent of each is half of a's."""
    a = Value(1.0, label="a")
    b, c = a * 100.0, a * -99.0
    b.label, c.label = "b", "c"
    k, m = Value(0.12345, label="k"), Value(0.1231, label="m")
    total = b * k + c * m
    total.label = "L"
    right = right_answers(total)
    written = {"b": 0.123, "c": 0.123, "a": 100 * 0.123 - 99 * 0.123}
    assert abs(written["a"] / right["a"] - 1) > 0.02
    report = check(total, written)
    assert report.marks["b"].verdict == report.marks["c"].verdict == "right"
    assert report.marks["a"].verdict == "follows" and report.marks["a"].mistakes == ()
    assert "answers for c and b, rounded as written." in str(report)
    assert report.summary == "2 right, 0 mistakes, 1 follows from rounded answers, 5 not attempted."


def test_what_the_printed_numbers_give_is_right() -> None:
    """tanh(3.9) is printed as 0.9992: who squares that is 3% off, through nobody's fault."""
    n, w = Value(3.9, label="n"), Value(2.0, label="w")
    o = n.tanh()
    out = o * w
    o.label, out.label = "o", "L"
    assert "0.9992" in worksheet(out).page
    printed = (1 - 0.9992**2) * 2.0
    assert abs(printed / right_answers(out)["n"] - 1) > 0.02
    report = check(out, {"n": printed})
    assert report.marks["n"].verdict == "right"
    report = check(out, {"o": -2, "n": -printed})
    assert report.marks["n"].follows_from == ("o",)
    assert check(out, {"n": 1.03 * printed}).marks["n"].verdict == "wrong"


def test_a_rounded_number_that_a_known_mistake_gives_is_told_both() -> None:
    x = Value(0.2, label="x")
    o = x.tanh()
    o.label = "o"
    report = check(o, {"x": 1})  # 0.961 to one digit, and the arriving 1 without tanh'
    assert report.marks["x"].verdict == "wrong" and "no local" in report.marks["x"].mistakes
    assert "If it is rounded: give three digits." in str(report)


def test_a_shared_node_says_where_both_of_its_wrong_numbers_come_from() -> None:
    a = Value(2.0, label="a")
    b, c = a * 3.0, a.tanh()
    out = b * c
    for node, label in ((b, "b"), (c, "c"), (out, "L")):
        node.label = label
    right = right_answers(out)
    wrong = {"b": -right["b"], "c": -right["c"], "a": -right["a"]}
    report = check(out, wrong)
    assert report.marks["a"].verdict == "follows"
    assert "your answers for c and b, which are wrong: mend those first." in str(report)


def test_constants_are_not_asked_for() -> None:
    x = Value(3.0, label="x")
    y = 2.0 * x
    y.label = "y"
    assert list(check(y, {}).marks) == ["y", "x"]


# --- what people hand in --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [-2, -2.0, "-2", "−2", "-4/2", [-2.0], (-2,), np.float32(-2), np.array(-2.0), np.array([[-2]]),
     Value(-2.0), Fraction(-4, 2), "-2,0", "= -2"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a", "a.grad", "A.grad", " a ", "a . grad"])
def test_answers_in_every_form(name: str, answer: object) -> None:
    assert check(product(), {name: answer}).marks["a"].verdict == "right"


def test_values_may_be_the_names() -> None:
    total = product()
    leaves = {node.label: node for node in Walk(total).nodes}
    report = check(total, {leaves["a"]: -2, leaves["b"]: 4, Value(1.0): 3})
    assert report.marks["a"].verdict == report.marks["b"].verdict == "right"
    assert report.unknown == ("a Value of another graph",)


def test_one_unreadable_answer_is_marked_as_such_and_the_rest_is_marked(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("a = -2\nb = 36%\nc: 2\nd,1,5\ne.grad = 2 because\n", encoding="utf-8")
    report = check(product(), file)
    verdicts = {name: mark.verdict for name, mark in report.marks.items()}
    assert verdicts == {
        "a": "right", "b": "not readable", "c": "right", "d": "wrong", "e": "not readable",
        "L": "not attempted",
    }  # fmt: skip
    assert report.summary == "2 right, 1 mistake, 2 not readable, 1 not attempted."
    assert "Got '36%'; write one number, such as -1.5, 3/4 or 2e-3." in str(report)
    assert "not readable" in report._repr_markdown_()


@pytest.mark.parametrize(
    "answer",
    [np.array([1.0, 2.0]), np.zeros((2, 3)), [1, 2], [], {"x": 1}, True, 1j, len, object()],
)
def test_what_is_no_number_is_told_without_anybodys_repr(answer: object) -> None:
    report = check(product(), {"a": answer, "b": 4})
    assert report.marks["a"].verdict == "not readable" and report.marks["b"].verdict == "right"
    for text in (str(report), report._repr_markdown_()):
        assert not any(word in text for word in ("array(", "np.", "0x", "function len"))


def test_one_is_never_marked_wrong_as_one() -> None:
    assert "L.grad  wrong (1.006)" in str(check(product(), {"L": 1.006}))
    assert "(1.00501)" in str(check(product(), {"L": 1.00501}))


def test_unknown_names_are_told_and_the_rest_is_marked() -> None:
    report = check(product(), {"z": 1, "a": -2})
    assert report.marks["a"].verdict == "right" and report.unknown == ("z",)
    assert "Answered, but not asked for here: z." in str(report)
    with pytest.raises(
        ValueError, match=r"no gradient called 'z' here; the names are L, d, e, c, b, a"
    ):
        check(product(), {"z": 1})
    with pytest.raises(TypeError, match=r"a dict by name or the path of a file; got the number 3"):
        check(product(), 3)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.5", 1.5), ("−1.5", -1.5), ("1,5", 1.5), (" 3/4 ", 0.75), ("-1/2", -0.5), ("", None),
     ("__", None), (None, None), ("inf", math.inf), ("−∞", -math.inf), (2, 2.0)],
)  # fmt: skip
def test_numbers_as_people_write_them(text: object, number: float | None) -> None:
    assert read_number(text) == number


def test_answers_from_files(tmp_path: Path) -> None:
    as_json, as_lines = tmp_path / "answers.json", tmp_path / "answers.txt"
    as_json.write_text(json.dumps({"a": "-2", "b": None}), encoding="utf-8")
    as_lines.write_text("# mine\na.grad = -2\n\nb =\n", encoding="utf-8")
    for path in (as_json, as_lines):
        report = check(product(), path)
        assert report.marks["a"].verdict == "right"
        assert report.marks["b"].verdict == "not attempted"


# --- weights --------------------------------------------------------------------------------------


class Squash(Module):
    """A module of one's own."""

    def __init__(self) -> None:
        self.scale = Value(0.5)

    def __call__(self, x: Value) -> Value:
        return (x * self.scale).tanh()


def inputs() -> list[Value]:
    return [Value(2.0, label="x1"), Value(-1.0, label="x2")]


def asked(value: Value, **kwargs: Any) -> set[str]:
    return set(check(value, {}, **kwargs).marks)


def test_the_weights_of_a_module_are_asked_for_by_name() -> None:
    model = Neuron(2, activation="tanh")
    out = model(inputs())
    assert {"w1", "w2", "b", "x1", "x2"} <= asked(out)
    sheet = worksheet(out)
    assert "w1.grad" in sheet.page and "b.grad" in sheet.markdown
    told = str(explain(out))
    assert "w1.grad = " in told and "b.grad = " in told
    page = step_through(out, quiz=True).page
    for name in ("w1.grad", "w2.grad", "b.grad"):
        assert name in page


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize(
    "make", [lambda: Neuron(2), lambda: MLP(2, [2, 1]), lambda: Linear(2, 1), lambda: Squash()]
)
def test_a_weight_is_never_a_constant(make: Callable[[], Module], labelled: bool) -> None:
    x = inputs() if labelled else [2.0, -1.0]
    model = make()
    out = model(x[0] if isinstance(model, Squash) else x)
    out = out[0] if isinstance(out, np.ndarray) else out
    walk = Walk(out * 3.0 + 1.0)
    used = [p for p in model.parameters() if p in walk.index]
    assert used and not walk.constants & {walk.index[p] for p in used}
    paths = {walk.called.paths[walk.index[p]] for p in used}
    assert paths <= {n for n, _ in model.named_parameters()}
    assert not any("[" in walk.names[walk.index[p]] for p in used)
    assert {walk.data[i] for i in walk.constants} >= {3.0, 1.0}
    values = [i for i, n in enumerate(walk.nodes) if n._rule is None and n not in used]
    assert labelled or set(values) == {i for i in walk.constants if walk.rule(i) is None}


def test_the_weights_of_a_module_that_is_gone_are_asked_for() -> None:
    """nn marks what it makes: nothing else is left of `Neuron(2)` here."""
    out = Neuron(2, activation="tanh")(inputs())
    walk = Walk(out)
    assert not walk.constants and len(walk.parameters) == 3
    out = Linear(2, 1)(inputs())[0]
    assert not Walk(out).constants and len(Walk(out).parameters) == 3


def test_parameters_may_be_given_everywhere() -> None:
    w, x = Value(0.5), Value(2.0, label="x")
    loss = (w * x - 3.0) ** 2
    assert asked(loss) == {"x", "v1", "v2", "output"}  # w is taken for a constant
    for given in ([w], np.array([w], dtype=object), w, (w,), {w}, [[w]], {"w": w}):
        assert len(asked(loss, parameters=given)) == 5
        assert len(worksheet(loss, parameters=given).asked) == 5
        assert "v1.grad" in str(explain(loss, parameters=given))
        assert "v1" in step_through(loss, given, 0.1).page

    assert len(asked(loss, parameters=iter([w]))) == 5

    class Foreign:  # as the video writes it
        def parameters(self) -> list[Value]:
            return [w]

        def named_parameters(self) -> Iterator[tuple[str, Value]]:
            return iter([("weight", w)])

    assert "w" in asked(loss, parameters=Foreign())
    assert "w.grad" in str(explain(loss, parameters=Foreign()))
    assert '"name":"w"' in step_through(loss, Foreign(), 0.1).page.replace("'", '"')
    for wrong in (3, [1.0], "w"):
        for ask in (check, worksheet, explain):
            extra = ({},) if ask is check else ()
            with pytest.raises(TypeError, match="parameters= takes Values"):
                ask(loss, *extra, parameters=wrong)
    with pytest.raises(ValueError, match=r"leaves that the output was computed from"):
        check(loss, {}, parameters=[Value(1.0)])


def test_a_saved_sheet_asks_for_the_weights_too(tmp_path: Path) -> None:
    model = Neuron(2, activation="tanh")
    out = model(inputs())
    right = right_answers(out)
    for ending in (".html", ".md"):
        path, _ = worksheet(out).save(tmp_path / f"sheet{ending}")
        report = check(path, right)
        assert set(report.marks) == set(right) >= {"w1", "w2", "b"}
        assert report.count("right") == len(right)


def test_of_nested_modules_the_outermost_names() -> None:
    model = MLP(2, [2, 1])
    names = asked(model(inputs()))
    assert {"w21", "w1", "b2", "b"} <= names
    (line, *_) = check(model(inputs()), {}).legend
    assert line == "w12 is layers.0.neurons.0.w[1]."


def test_a_module_that_failed_to_be_made_is_in_nobodys_way() -> None:
    with pytest.raises(ValueError, match="activation is one of") as kept:
        Neuron(2, activation="none")
    assert kept.tb is not None  # whose frames hold the half-built neuron
    assert {"w1", "b"} <= asked((model := Neuron(2))(inputs())) and model


def test_copies_and_pickles_of_a_module_keep_their_weights() -> None:
    model = Neuron(2)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert {"w1", "b"} <= asked(again(inputs()))
    assert all(p.label == "" for p in model.parameters())


def test_a_copy_of_a_weight_is_a_weight_without_its_module_and_a_constant_is_none() -> None:
    weight, x = Neuron(1).w[0], Value(2.0, label="x")
    again = [copy.copy(weight), copy.deepcopy(weight), pickle.loads(pickle.dumps(weight))]
    for v in (weight, *again):
        assert Walk(v * x).constants == set()
    assert len(Walk(Value(0.5) * x).constants) == 1


# --- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [3, 2.5, None, ("a", 1), np.float64(3), Value, b"x", ["l"]])
def test_a_label_that_is_no_string_is_its_text(label: object, tmp_path: Path) -> None:
    x = Value(2.0, label="x")
    w = Value(3.0)
    w.label = label
    out = w * x
    out.label = "o"
    name = "" if label is None else str(label)
    named = {n for n in asked(out) if n not in ("x", "o")}
    assert named == ({" ".join(name.split())} if name and len(name) <= 24 else named)
    assert len(named) == (0 if label is None else 1)
    worksheet(out).save(tmp_path / "sheet.html")
    step_through(out, quiz=True).save(tmp_path / "page.html")
    assert "o = " in str(explain(out))
    assert "svg" in draw(out).svg


@pytest.mark.parametrize("label", ["\ud800", "a\udfffb", "\x00", "\ufffe"])
def test_what_no_file_can_hold_is_replaced(label: str, tmp_path: Path) -> None:
    x = Value(2.0, label=label)
    out = Value(6.0, (x,), f"op{label}") * 3.0
    out.label = f"o{label}"
    made = worksheet(out, title=label), step_through(out, quiz=True)
    for k, each in enumerate(made):
        each.save(tmp_path / f"{k}.html")
        text = (tmp_path / f"{k}.html").read_text("utf-8")
        assert "\ufffd" in text
    str(explain(out)).encode()
    str(check(out, {})).encode()


def test_names_with_operators_are_bracketed_before_grad() -> None:
    a, b, c = (Value(x, label=n) for x, n in ((1.0, "a"), (2.0, "b"), (3.0, "c")))
    total = a + b
    total.label = "a+b"
    out = total * c
    out.label = "tanh(a*b)"
    shown = worksheet(out)
    assert "<li>a + b = 3</li>" in shown.page and "a+b = a + b" not in str(explain(out))
    assert "(a+b).grad" in shown.page and "(a+b).grad = " in shown.markdown
    assert "tanh(a*b).grad" in shown.page
    report = check(out, {"(a+b).grad": 3, "tanh(a*b)": 1, "c": 3})
    assert report.count("right") == 3
    assert "(a+b).grad  " in str(report)
    told = explain(out)
    assert "d tanh(a*b) / d (a+b)" in str(told) and "(a+b).grad = 3 × 1 = 3" in str(told)
    assert r"\partial \left(\text{a+b}\right)" in told.markdown
    rows = step_through(out).page
    assert "∂tanh(a*b)/∂(a+b)" in rows and "(a+b).grad becomes 3" in rows


# --- sheets -------------------------------------------------------------------------------------


class Text(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.hidden = 0
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.hidden += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)


def test_the_sheet_has_forward_values_blanks_and_no_gradient() -> None:
    sheet = worksheet(product())
    shown = " ".join(Text(sheet.page).words)
    assert "e = a × b = −6" in shown
    for name in right_answers(product()):
        assert f"{name}.grad" in shown
        assert f"{name}.grad = \n" in sheet.markdown
    assert Text(sheet.page).tags.count("input") == 7  # one for the name
    assert "+1.0000" not in sheet.page and "−2.0000" not in shown.split("Forward")[0]
    answers = " ".join(Text(sheet.answer_page).words)
    assert "+1.0000" in answers and "4 × 1 + (−3 × 2)" in answers
    assert "input" not in Text(sheet.answer_page).tags
    assert "| a.grad |" in sheet.answer_markdown


def test_the_sheet_leaves_the_graph_as_it_was() -> None:
    value = product()
    value.grad = 5.0
    worksheet(value)
    assert value.grad == 5.0
    assert value.label == "L"


def test_save_writes_the_answers_apart(tmp_path: Path) -> None:
    sheet = worksheet(product(), title="My <own> sheet")
    for ending in (".html", ".md"):
        written = sheet.save(tmp_path / f"sheet{ending}")
        assert [p.name for p in written] == [f"sheet{ending}", f"sheet-answers{ending}"]
        assert all(p.stat().st_size > 1000 for p in written)
    assert "<title>My &lt;own&gt; sheet</title>" in (tmp_path / "sheet.html").read_text("utf-8")
    with pytest.raises(ValueError, match=r"ends in \.html or \.md"):
        sheet.save(tmp_path / "sheet.pdf")


def test_pages_need_no_network_and_no_eval() -> None:
    for page in (worksheet(product()).page, worksheet(product()).answer_page):
        assert re.findall(r"<[^>]*(?:src|href)=[\"']?(?!data:)", page) == []
        assert "default-src 'none'" in page


def test_a_saved_sheet_is_marked_from_its_file(tmp_path: Path) -> None:
    for ending in (".html", ".md"):
        value = exercise(5, 3)
        path, _ = worksheet(value).save(tmp_path / f"sheet{ending}")
        report = check(path, right_answers(value))
        assert report.count("right") == len(report.marks)
        assert read_sheet(path).walk.grads == Walk(value).grads
    (tmp_path / "other.html").write_text("<p>hello</p>", encoding="utf-8")
    with pytest.raises(ValueError, match="is no worksheet"):
        check(tmp_path / "other.html", {})
    (tmp_path / "other.html").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"other.html' is not text in UTF-8"):
        check(tmp_path / "other.html", {})
    with pytest.raises(FileNotFoundError, match=r"cannot read 'none\.html': No such file"):
        check("none.html", {})


def test_check_of_no_value_says_so_in_plain_words() -> None:
    array = np.array([Value(1.0), Value(2.0)])
    wrong = (array, r"an array of shape \(2,\); take one"), (len, "a function"), (3, "the number 3")
    for given, told in wrong:
        with pytest.raises(TypeError, match=f"about one Value, the output .*; got {told}"):
            check(given, {})
    with pytest.raises(TypeError, match=r"or a module; got an array of shape \(1,\)$"):
        check(product(), {}, parameters=np.array([1.0]))


def test_a_filled_in_markdown_sheet_is_its_own_file_of_answers(tmp_path: Path) -> None:
    path, _ = worksheet(product()).save(tmp_path / "sheet.md")
    text = path.read_text("utf-8").replace("a.grad = \n", "a.grad = −2\n")
    path.write_text(text, encoding="utf-8")
    report = check(path, path)
    assert report.count("right") == 1 and report.count("not attempted") == 5


def test_custom_rules_travel_as_the_numbers_they_had() -> None:
    a = Value(3.0, label="a")
    out = Value(27.0, (a,), "cube", "out")

    def backward() -> None:
        a.grad += 27.0 * out.grad

    out._backward = backward
    half = micrograd.op("half_of_this_test", lambda x: x / 2, [lambda x, out: 0.5])
    y = half(out) * out
    y.label = "y"
    walk = Walk(y)
    comment = packed(walk)
    again = unpacked(comment.split()[-2]).walk
    assert again.grads == pytest.approx(walk.grads)
    assert again.names == walk.names
    with pytest.raises(ValueError, match="damaged"):
        unpacked("bm9uc2Vuc2U=")


def test_a_graph_too_large_for_a_sheet_says_so() -> None:
    x = Value(1.0, label="x")
    for _ in range(60):
        x = x * 1.1
    with pytest.raises(ValueError, match=r"has 121 nodes, and a sheet holds 100"):
        worksheet(x)


# --- exercises ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_exercises_are_small_pretty_and_the_same_each_time(level: int) -> None:
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


@pytest.mark.slow
def test_each_level_is_what_it_says() -> None:
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


def shape(value: Value) -> tuple:
    walk = Walk(value)
    nodes = range(len(walk.nodes))
    return tuple((walk.names[i], walk.nodes[i]._op, *walk.inputs(i), walk.data[i]) for i in nodes)


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_no_exercise_comes_twice_before_all_were_there(level: int) -> None:
    size = count(level)
    assert size >= 500
    seeds = range(size) if size < 1000 else range(-100, 200)
    shapes = [shape(exercise(level, seed)) for seed in seeds]
    assert len(set(shapes)) == len(shapes)
    assert shape(exercise(level, seeds[0] + size)) == shapes[0]
    names = {tuple(sorted(row[0] for row in each)) for each in shapes}
    assert len(names) == 1  # a class can be typed into one table


def test_neighbouring_seeds_have_little_in_common() -> None:
    """The enumeration is shuffled: a neighbour's sheet is not the next number of the same."""
    for level in LEVELS:
        sheets = [{row[0]: row[-1] for row in shape(exercise(level, k))} for k in range(31)]
        alike = [sum(a[name] == b[name] for name in a) for a, b in pairwise(sheets)]
        assert sum(alike) < 0.4 * 30 * len(sheets[0]), level


def test_a_sheet_keeps_its_identity_in_its_file(tmp_path: Path) -> None:
    seen = set()
    made = [worksheet.random(level, seed) for level in LEVELS for seed in (0, 1)]
    for sheet in [*made, worksheet(product()), worksheet(neuron())]:
        sheet.number = 5
        for ending in (".html", ".md"):
            path, _ = sheet.save(tmp_path / f"sheet{ending}")
            again = read_sheet(path)
            assert again.identity == sheet.identity
            assert (again.level, again.seed, again.number) == (sheet.level, sheet.seed, 5)
        seen.add(sheet.identity)
    assert len(seen) == len(made) + 2
    assert worksheet.random(3, 12).identity.startswith("3-12-")
    other = product()
    other._prev[0]._prev[1].data = 10.5
    assert worksheet(other).identity != worksheet(product()).identity


def test_a_page_of_several_sheets_is_no_sheet(tmp_path: Path) -> None:
    texts = [worksheet.random(1, seed).page for seed in (1, 2)]
    (tmp_path / "two.html").write_text("".join(texts), encoding="utf-8")
    assert len(read_sheets(tmp_path / "two.html")) == 2
    with pytest.raises(ValueError, match=r"holds 2 sheets; the answers to a class are marked with"):
        check(tmp_path / "two.html", {})


def test_a_level_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="there is no level 7; the levels are 1: sums"):
        worksheet.random(7, seed=1)
    with pytest.raises(ValueError, match="seed= is an integer"):
        worksheet.random(1, seed="x")


# --- command line -------------------------------------------------------------------------


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "micrograd", *words], cwd=cwd, capture_output=True, text=True,
        encoding="utf-8", check=False, timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_the_commands(tmp_path: Path) -> None:
    made = run("worksheet", "--level", "3", "--seed", "7", "-o", "sheet.html", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == "wrote sheet.html and sheet-answers.html"
    (tmp_path / "mine.txt").write_text("L = 1\n", encoding="utf-8")
    marked = run("check", "sheet.html", "mine.txt", cwd=tmp_path)
    assert "1 right, 0 mistakes, 5 not attempted." in marked.stdout, marked.stderr
    words = ("tanh(x*w + b)", "x=2", "w=-3", "b=6.8")
    assert run("step", *words, "--quiz", "-o", "page.html", cwd=tmp_path).returncode == 0
    assert "<!doctype html>" in (tmp_path / "page.html").read_text("utf-8")
    told = run("explain", *words, cwd=tmp_path)
    assert "x*w = x × w = 2 × (−3) = −6" in told.stdout, told.stderr
    assert "1 path leads from w" in run("explain", *words, "--wrt", "w", cwd=tmp_path).stdout
    wrong = run("explain", *words, "--wrt", "q", cwd=tmp_path)
    assert wrong.returncode == 2 and "there is no 'q'" in wrong.stderr


# --- in the browser ------------------------------------------------------------------------------


def a_long_chain() -> Worksheet:
    gate = (Value(0.5, label="w") * 2.0 + Value(-0.25, label="b")).sigmoid()
    return worksheet(0.5 * (gate * 1.5 + (1 - gate) * -0.5 - 1.0) ** 2)


@pytest.mark.browser
@needs_browser
def test_a_sheets_frame_is_as_high_as_its_page(tmp_path: Path) -> None:
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
