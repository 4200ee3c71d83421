"""The stepper's frames and pages, without a browser: what they hold is the engine's backward.

Covers `lesson.py`, `told.py`, `pages.py`, `parts.py`, `quiz.py`.
"""

from __future__ import annotations

# ruff: noqa: RUF001 (the formulas are typeset, with a real minus sign)
import base64
import hashlib
import html
import json
import math
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from factories import HOSTILE, node_named
from factories import neuron_output as neuron

import micrograd
from micrograd import Value, draw, worksheet
from micrograd.engine import topological_order
from micrograd.nn import MLP
from micrograd.show.graph.text import plain
from micrograd.show.lesson.stepper import Stepper, step_through
from micrograd.show.notation import readable


def lesson(stepper: Stepper) -> dict:
    found = re.search(
        r'<script type="application/json" id="lesson">(.*?)</script>', stepper.page, re.S
    )
    return json.loads(found[1].translate(str.maketrans("\"'", "'\"")))


# --- frames -------------------------------------------------------------------------------------


def test_forward_then_backward_in_the_engines_order() -> None:
    o = neuron()
    order = topological_order(o)
    frames = lesson(step_through(o))["frames"]
    made = [order.index(n) for n in order if n._prev]
    forward = [f["node"] for f in frames if f["phase"] == "forward" and "node" in f]
    backward = [f["node"] for f in frames if f["phase"] == "backward" and f["rows"]]
    assert forward == made
    assert backward == made[::-1]
    assert [f["phase"] for f in frames] == ["forward"] * 6 + ["backward"] * 6 + ["gradients"]


def test_each_row_is_local_times_arriving_added_to_what_was_there() -> None:
    a = Value(3.0, label="a")
    b = a * a
    c = b * a + b
    c.label = "c"
    rows = [r for f in lesson(step_through(c))["frames"] for r in f["rows"]]
    read = lambda text: float(text.replace("−", "-"))
    for row in rows:
        assert read(row["local"]) * read(row["arriving"]) == pytest.approx(read(row["product"]))
        assert read(row["before"]) + read(row["product"]) == pytest.approx(read(row["after"]))
    ones = [r for r in rows if r["name"] == "a"]
    assert [r["before"] for r in ones] == ["0", *[r["after"] for r in ones[:-1]]]
    c.backward()
    assert ones[-1]["after"] == readable(a.grad) == "33"


def test_the_local_derivative_stands_as_formula_and_as_number() -> None:
    row = next(r for f in lesson(step_through(neuron()))["frames"] for r in f["rows"])
    assert (row["formula"], row["numbers"], row["local"]) == ("1 − o²", "1 − 0.7071²", "0.5")


def test_the_users_graph_is_left_as_it_was() -> None:
    o = neuron()
    for i, node in enumerate(topological_order(o)):
        node.grad = float(i)
    before = [(n.data, n.grad, n.label) for n in topological_order(o)]
    _ = step_through(o, quiz=True).page
    _ = step_through(o, [node_named(o, "w1")], 0.1).page
    assert [(n.data, n.grad, n.label) for n in topological_order(o)] == before


def test_a_closure_of_ones_own_is_run_and_called_custom() -> None:
    a = Value(3.0, label="a")
    out = Value(a.data**3, (a,), "cube", "out")

    def backward() -> None:
        a.grad += 3 * a.data**2 * out.grad

    out._backward = backward
    y = out * 2.0
    y.label = "y"
    row = lesson(step_through(y))["frames"][-2]["rows"][0]
    assert (row["formula"], row["local"], row["product"]) == ("custom", "27", "54")
    assert a.grad == 0.0


def test_a_wrong_closure_is_shown_as_it_is() -> None:
    a = Value(3.0, label="a")
    out = Value(9.0, (a,), "sq")

    def overwrites() -> None:  # the bug of the lecture: = instead of +=
        a.grad = 6.0 * out.grad

    out._backward = overwrites
    y = a * 10.0 + out
    order = [r for f in lesson(step_through(y))["frames"] for r in f["rows"] if r["name"] == "a"]
    assert [r["after"] for r in order][-1] in ("6", "16")
    assert {(r["before"], r["after"]) for r in order} in ({("0", "10"), ("10", "6")},
                                                         {("0", "6"), ("6", "16")})  # fmt: skip


def test_a_registered_op_shows_its_rule() -> None:
    cube = micrograd.op("cubed_in_a_lesson", lambda x: x * x * x, [lambda x, out: 3 * x * x])
    a = Value(2.0, label="a")
    row = lesson(step_through(cube(a)))["frames"][-2]["rows"][0]
    assert (row["formula"], row["numbers"], row["local"]) == ("3 × a × a", "3 × 2 × 2", "12")


def test_a_lifted_call_is_a_custom_step() -> None:
    w = Value(3.0, label="w")

    @micrograd.lift
    def f(x: Value) -> Value:
        return x * w + x

    x = Value(2.0, label="x")
    y = f(x) * 5.0
    y.label = "y"
    w.grad, x.grad = 7.0, 8.0
    rows = [r for f in lesson(step_through(y))["frames"] for r in f["rows"] if r["name"] == "x"]
    assert [(r["formula"], r["product"]) for r in rows] == [("custom", "20")]
    assert (w.grad, x.grad) == (7.0, 8.0)
    y.backward()
    assert (w.grad, x.grad) == (17.0, 28.0)


def test_a_quiz_asks_for_the_weights_of_a_module() -> None:
    model = MLP(2, [2, 1])
    loss = (model([1.0, -2.0]) - 1.0) ** 2
    shown = lesson(step_through(loss, quiz=True))
    asked = {q["input"] for f in shown["frames"] for q in f.get("questions", [])}
    names = {shown["nodes"][i]["name"] for i in asked}
    assert {"w11", "w12", "b1", "w21", "w22", "b2", "w1", "w2", "b"} <= names
    assert shown["accepted"] and not lesson(step_through(loss))["accepted"]
    assert not names & {"1", "−2", "−1"}  # the data and the target are constants here


# --- training -----------------------------------------------------------------------------------


def test_training_ends_with_each_update_and_the_new_loss() -> None:
    x, w, b = Value(2.0, label="x"), Value(-1.0, label="w"), Value(0.5, label="b")
    loss = (x * w + b - 1.0) ** 2
    loss.label = "loss"
    frames = lesson(step_through(loss, [w, b], 0.05))["frames"]
    assert [f["phase"] for f in frames[-4:]] == ["gradients", "update", "update", "update"]
    loss.backward()
    assert frames[-3]["equation"][-1] == readable(w.data - 0.05 * w.grad)
    assert frames[-2]["equation"][-1] == readable(b.data - 0.05 * b.grad)
    w.data -= 0.05 * w.grad
    b.data -= 0.05 * b.grad
    fresh = (x * w + b - 1.0) ** 2
    assert frames[-1]["change"] == ["loss", "6.25", readable(fresh.data)]
    assert f"is {readable(fresh.data)}, down by" in frames[-1]["say"]


def test_training_takes_a_module() -> None:
    model = MLP(2, [2, 1])
    loss = (model([1.0, -2.0]) - 1.0) ** 2
    frames = lesson(step_through(loss, model, 0.1))["frames"]
    assert sum(f["phase"] == "update" for f in frames) == len(model.parameters()) + 1


def test_a_node_by_hand_cannot_be_computed_again_and_says_so() -> None:
    a = Value(3.0, label="a")
    out = Value(9.0, (a,), "sq", "out")
    out._backward = lambda: None
    assert "run your own forward code" in lesson(step_through(out, [a], 0.1))["frames"][-1]["say"]


@pytest.mark.parametrize(
    ("parameters", "lr", "error", "match"),
    [
        ([], 0.1, TypeError, r"takes Values in a list, or a module; got a list of 0"),
        ([1.0], 0.1, TypeError, "takes Values"),
        (None, 0.1, ValueError, "needs both"),
        ("w", None, ValueError, "needs both"),
        ("w", math.nan, ValueError, "a learning rate, a finite number above 0; got nan"),
        ("w", -1, ValueError, "above 0; got -1"),
        ("n", 0.1, ValueError, r"takes leaves that o was computed from; n is not"),
        ("new", 0.1, ValueError, r"takes leaves that o was computed from; stranger is not"),
    ],
)
def test_bad_arguments_are_named(
    parameters: Any, lr: float | None, error: type[Exception], match: str
) -> None:
    o = neuron()
    stranger = Value(1.0, label="stranger")
    given = {"w": [node_named(o, "w1")], "n": [node_named(o, "n")], "new": [stranger]}
    if isinstance(parameters, str):
        parameters = given[parameters]
    with pytest.raises(error, match=match):
        step_through(o, parameters, lr)


def test_not_a_value_and_too_many_nodes() -> None:
    with pytest.raises(TypeError, match=r"about one Value.*got the number 1.0"):
        step_through(1.0)
    x = Value(1.0, label="x")
    for _ in range(150):
        x = x * 1.01
    with pytest.raises(ValueError, match="has 301 nodes, and nobody steps through more than 300"):
        step_through(x)


# --- pages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_label_stays_text_in_the_source(label: str) -> None:
    x = Value(1.0, label=label)
    y = x * 2.0
    y.label = label
    stepper = step_through(y, quiz=True)
    page = stepper.page
    assert page.count("</script>") == 2
    assert "<script>alert" not in page and "<!--" not in page.split("<body>")[1]
    fragment = stepper.html
    assert fragment.count("<iframe") == fragment.count("</iframe>") == 1
    document = re.search(r'srcdoc="([^"]*)"', fragment)[1]
    assert html.unescape(document) == page
    name = lesson(stepper)["nodes"][0]["name"]
    assert name[:5] == plain(label)[:5] or (name == "v1" and not plain(label))  # nothing to see


def test_the_fragment_has_a_frame_and_a_still_picture() -> None:
    fragment = step_through(neuron())._repr_html_()
    assert 'sandbox="allow-scripts"' in fragment
    svg = unquote(re.search(r'src="data:image/svg\+xml,([^"]+)"', fragment)[1])
    assert svg.startswith("<svg") and "−1.5000" in svg
    assert re.search(r'height="\d{3}"', fragment)


def test_the_page_allows_no_address_and_no_other_script() -> None:
    page = step_through(neuron()).page
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy
    assert "unsafe-eval" not in policy
    assert re.findall(r"<[^>]*\s(?:src|href)=", page) == []
    assert not re.search(r"\b(?:fetch|XMLHttpRequest|import\()", page)


def test_every_page_has_the_one_frame() -> None:
    """The head of a page is written once, and its script is allowed by name or not at all."""
    show = Path(micrograd.__file__).parent / "show"
    heads = [p.name for p in show.rglob("*.html") if "<!doctype" in p.read_text(encoding="utf-8")]
    assert heads == ["page.html"]
    sheet = worksheet.random(2, 7, marking=True)
    pages = [step_through(neuron()).page, sheet.page, sheet.answer_page]
    pages.append(worksheet.classroom(2, 2).check([]).page)
    for page in pages:
        assert page.startswith('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n')
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
        scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        hashes = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in scripts]
        assert re.findall(r"sha256-([^']+)'", policy) == hashes
        assert page.count("<title>") == page.count("<main") == page.count("</html>") == 1
        assert "$" not in page.partition("<body>")[0]


def test_inputs_parameters_and_constants_are_counted_apart() -> None:
    def said(out: Value, *training: Any) -> str:
        return str(lesson(step_through(out, *training))["frames"][0]["say"])

    x, w, y = (Value(2.0, label=name) for name in "xwy")
    assert said(x * w).startswith("The 2 inputs are given. Go forward")
    assert said(x.tanh()).startswith("The input is given. ")
    assert said((x * w - 1) ** 2 * 3).startswith("2 inputs and 2 constants are given. ")
    assert said(x * w + y * 2, [w], 0.1).startswith(
        "2 inputs, 1 parameter and 1 constant are given"
    )
    model = MLP(2, [2, 1])
    weights = len(list(model.parameters()))
    told = said((model([1.0, 2.0]) - 1) ** 2, model, 0.1)
    assert told.startswith(f"{weights} parameters and ")


def test_a_question_speaks_of_one_input_or_of_several() -> None:
    x, w = Value(2.0, label="x"), Value(3.0, label="w")
    asks = [
        f["ask"] for f in lesson(step_through((x * w).tanh(), quiz=True))["frames"] if "ask" in f
    ]
    assert "Which gradient does its input have now?" in asks[0]
    assert "Which gradients do its inputs have now?" in asks[1]


def test_infinities_survive_json() -> None:
    x = Value(0.0, label="x")
    y = x.log() * Value(math.inf, label="k")
    asked = [
        q for f in lesson(step_through(y, quiz=True))["frames"] for q in f.get("questions", [])
    ]
    assert {"Infinity", "-Infinity"} & {q["answer"] for q in asked if isinstance(q["answer"], str)}


def test_the_largest_stays_below_a_megabyte() -> None:
    x = [Value(0.1 * i, label=f"x{i}") for i in range(8)]
    total = Value(0.2, label="c")
    for k in range(10):
        hidden = Value(0.1, label=f"b{k}")
        for i in range(8):
            hidden = hidden + x[i] * Value(0.1 * (i - k), label=f"w{k}{i}")
        total = total + hidden.tanh() * Value(0.3, label=f"v{k}")
    assert len(topological_order(total)) == 299
    assert len(step_through(total).html.encode()) < 1_000_000


def test_save_writes_a_page(tmp_path: Path) -> None:
    stepper = step_through(neuron())
    stepper.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text("utf-8") == stepper.page
    with pytest.raises(ValueError, match=r"ends in \.html"):
        stepper.save(tmp_path / "page.pdf")
    assert repr(stepper) == "<Stepper of 13 steps: show it in a notebook, or save('page.html')>"


@pytest.mark.parametrize("label", [r"\Gamma", r"\N", r"a\b\\"])
def test_a_backslash_stays_one(label: str) -> None:
    x = Value(2.0, label=label)
    picture = step_through(x * 3.0)._picture.svg
    assert f">{label}</text>" in picture and f">{label}</text>" in draw(x * 3.0).svg
