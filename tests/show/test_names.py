"""Names are the same and short in draw, step_through, explain, worksheet and check.

Covers `called.py`, `finding.py`, `names.py`, `notation.py`, `explanation.py`, `paths.py`.
"""

# ruff: noqa: RUF001 (a minus is a minus)

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from micrograd import Value, check, draw, explain, nn, step_through, worksheet
from micrograd.__main__ import main
from micrograd.expression import evaluate, label_parts, written
from micrograd.show.lesson.finding import Known, found
from micrograd.show.lesson.walk import Walk
from micrograd.show.notation import bracketed, gradient, same


def network(sizes: list[int]) -> tuple[Value, Any]:
    model = nn.MLP(2, sizes, activation="tanh", rng=random.Random(1))
    x = [Value(1.0, label="x1"), Value(-2.0, label="x2")]
    loss = (model(x) - 1.0) ** 2
    loss.label = "loss"
    return loss, model


def examples() -> tuple[Value, Any]:
    model = nn.MLP(2, [2, 1], activation="tanh", rng=random.Random(1))
    terms = []
    for k in range(3):
        x = [Value(0.5 * k, label="x1"), Value(1.0 - k, label="x2")]
        terms.append((model(x) - Value(1.0, label="y")) ** 2)
    return sum(terms[1:], terms[0]), model


# --- what each of them shows ----------------------------------------------------------------------


def of_cards(drawing: Any) -> str:
    return "\n".join(
        " ".join("".join(run.text + run.sub for run in cell.runs) for cell in card.cells)
        for card in drawing.cards
    )


def drawn(value: Value, **given: Any) -> str:
    drawing = draw(value, **given).drawing
    return of_cards(drawing) + "\n" + " ".join(run.text + run.sub for run in drawing.legend)


def stepped(value: Value, **given: Any) -> str:
    """The words of every step, and of the picture where no script runs."""
    told = step_through(value, **given)
    said = [told._final.svg and of_cards(told._final.drawing)]

    def texts(x: Any) -> Iterator[str]:
        if isinstance(x, str):
            yield x
        elif isinstance(x, (list, dict)):
            for inner in x.values() if isinstance(x, dict) else x:
                yield from texts(inner)

    for key in ("nodes", "frames", "neurons"):
        said += texts([{k: v for k, v in each.items() if k != "label"}
                       for each in told._lesson[key] if isinstance(each, dict)])  # fmt: skip
    return "\n".join(said)


def explained(value: Value, **given: Any) -> str:
    return str(explain(value, **given))


def on_paper(value: Value, **given: Any) -> str:
    sheet = worksheet(value, **given)
    return re.sub(r"<!--.*?-->|base64,[^)]*", "", sheet.markdown + sheet.answer_markdown)


def marked(value: Value, **given: Any) -> str:
    return str(check(value, dict.fromkeys(Walk(value, **given).names, 77.0), **given))


EACH = {
    "draw": drawn, "stepper": stepped, "explain": explained, "worksheet": on_paper, "check": marked,
}  # fmt: skip


@pytest.mark.parametrize("show", EACH.values(), ids=EACH)
def test_a_network_shows_short_names_and_their_legend(show: Callable[..., str]) -> None:
    loss, model = network([2, 1])
    told = show(loss, parameters=model) if show is not stepped else show(loss)
    for name in ("w21", "w12", "b2", "w1", "x1"):
        assert re.search(rf"\b{name}\b", told), name
    said = re.sub(r"w12 is layers.*", "", told)
    assert "layers" not in said and "w[" not in said.replace("\\", "")
    if show is not stepped:
        assert "w12 is layers.0.neurons.0.w[1]" in told.replace("\\", "")


@pytest.mark.parametrize("show", EACH.values(), ids=EACH)
def test_layers_with_the_same_places_are_told_apart(show: Callable[..., str]) -> None:
    loss, model = network([2, 2, 1])
    first = {"wrt": model.layers[0].neurons[1].w[0]}
    told = show(loss, **(first if show is explained else {}))
    for layer in (1, 2):
        assert re.search(rf"w\d\d\s+of layer {layer}", told), layer
    assert "#" not in re.sub(r"^#+ .*", "", told, flags=re.MULTILINE)
    if show is not drawn:
        assert "(w21 of layer 1).grad" in told.replace("\\", "")


@pytest.mark.parametrize("show", [stepped, explained, on_paper, marked])
def test_the_same_name_in_several_examples_says_which(show: Callable[..., str]) -> None:
    loss, model = examples()
    given = {"wrt": model.layers[0].neurons[1].w[0]} if show is explained else {}
    told = show(loss, **given)
    assert "#" not in re.sub(r"^#+ .*", "", told, flags=re.MULTILINE)
    for k in (1, 2, 3):
        assert re.search(rf"out2\s+of example {k}", told)
        assert show is explained or re.search(rf"x1\s+of example {k}", told)


def test_in_frames_a_name_stands_alone_and_is_told_with_its_example() -> None:
    loss, model = examples()
    stepper = step_through(loss, model, 0.1)
    cards = set(of_cards(stepper._views.drawings[-1]).split("\n"))
    assert any(card.startswith("x1 data") for card in cards)
    assert not any("of example" in card for card in cards)
    assert any(card.startswith("−y data") for card in cards)
    assert "x1 of example 3" in {node["name"] for node in stepper._lesson["nodes"]}
    frames = stepper._lesson["frames"]
    inside = [f["equation"] for f in frames if f["phase"] == "forward" and "equation" in f]
    assert not any("example 2" in formula for name, formula, *_ in inside[:8])


def test_grouped_and_flat_lessons_call_things_alike() -> None:
    loss, model = network([2, 2, 1])
    plain, grouped = Walk(loss), Walk(loss, model, groups=model)
    assert plain.names == grouped.names
    given = [Walk(loss, parameters=model).names, worksheet(loss).walk.names]
    assert given == [plain.names, plain.names]


def test_two_nodes_of_one_label_are_numbered_and_the_legend_says_so() -> None:
    a, again = Value(1.0, label="a"), Value(2.0, label="a")
    assert "a#2 is the second that is called a." in str(explain(a * again))


# --- what one may write ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["w21 of layer 2", "w₂₁ of layer 2", "W21 OF LAYER 2", "layers.1.neurons.1.w[0]",
     "layers.1.neurons.1.w.0", " layers.1.neurons.1.w[0] "],
)  # fmt: skip
def test_a_weight_may_be_asked_for_in_both_forms(name: str, tmp_path: Path) -> None:
    loss, model = network([2, 2, 1])
    weight = model.layers[1].neurons[1].w[0]
    assert str(explain(loss, wrt=name)) == str(explain(loss, wrt=weight))
    loss.backward()
    page, _ = worksheet(loss).save(tmp_path / "sheet.html")
    lines = tmp_path / "answers.txt"
    lines.write_text(f"({name}).grad = {weight.grad}\n", encoding="utf-8")
    for sheet in (loss, page):
        for answers in ({name: weight.grad}, {f"{name}.grad": weight.grad}, lines):
            marks = check(sheet, answers).marks
            assert marks["w21 of layer 2"].verdict == "right"


def test_a_colon_after_a_path_is_read_too(tmp_path: Path) -> None:
    loss, model = network([2, 1])
    loss.backward()
    lines = tmp_path / "answers.txt"
    right = model.layers[0].neurons[1].w[0].grad
    lines.write_text(f"layers.0.neurons.1.w[0]: {right}\n", encoding="utf-8")
    assert check(loss, lines).marks["w21"].verdict == "right"
    assert "layers.0.neurons.7.w[0]" not in Known([Walk(loss)])


def test_a_name_of_several_is_asked_back() -> None:
    loss, _ = network([2, 2, 1])
    with pytest.raises(
        ValueError, match="may be one of 2, such as w21 of layer 1 and w21 of layer 2"
    ):
        explain(loss, wrt="w21")
    assert check(loss, {"w21": 1.0, "loss": 1.0}).unknown == ("w21",)
    assert len(found(Walk(loss), "w21")) == 2


def test_a_saved_sheet_keeps_names_legend_and_identity(tmp_path: Path) -> None:
    for loss, _ in (network([2, 2, 1]), examples()):
        sheet = worksheet(loss)
        for ending in (".html", ".md"):
            page, answers = sheet.save(tmp_path / f"sheet{ending}")
            report = check(page, {"w1": 5.0})
            assert list(report.marks) == [sheet.walk.names[i] for i in sheet.asked]
            assert report.legend == check(loss, {}).legend != ()
            assert sheet.identity in page.read_text("utf-8")
            from micrograd.show.practice.sheets import read_sheet

            assert read_sheet(page).identity == sheet.identity
            assert report.legend[0].split()[0] in answers.read_text("utf-8")


# --- labels of expressions ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("x*w+b", "x*w + b"), ("x * w + b", "x*w + b"),
        ("tanh( x1*w1+x2 * w2 )", "tanh(x1*w1 + x2*w2)"),
        ("(a+b)*c", "(a + b)*c"), ("a-b", "a - b"), ("-x*-y", "-x*-y"), ("2*-x-3", "2*-x - 3"),
        ("1e-3*x-1E+2", "1e-3*x - 1E+2"), ("maximum(a,b)", "maximum(a, b)"), ("a - -b", "a - -b"),
        ("x ** 2 / y", "x**2/y"), ("a*(-b)", "a*(-b)"), ("(-a)-b", "(-a) - b"),
    ],
)  # fmt: skip
def test_one_rule_writes_an_expression_as_a_label(typed: str, label: str) -> None:
    assert written(typed) == label == written(label)


TYPED = ("(x*w+b-t)*c", {"x": 2.0, "w": -3.0, "b": 6.88, "t": 0.5, "c": 3.0})


def in_python() -> Value:
    """The same with the labels that a learner writes."""
    x, w, b, t, c = (Value(number, label=name) for name, number in TYPED[1].items())
    product = x * w
    product.label = "x*w"
    total = product + b
    total.label = "x*w + b"
    difference = total - t
    difference.label = "x*w + b - t"
    return difference * c


@pytest.mark.parametrize("show", EACH.values(), ids=EACH)
def test_the_command_line_names_what_python_names(show: Callable[..., str]) -> None:
    typed = label_parts(*evaluate(TYPED[0], TYPED[1]))
    typed.backward()
    by_hand = in_python()
    by_hand.backward()
    told = show(typed)
    assert sorted(told.split("\n")) == sorted(show(by_hand).split("\n"))
    assert "x*w + b - t" in told.replace("\\", "") and "−t" in told


@pytest.mark.parametrize("show", [stepped, explained, on_paper, marked])
@pytest.mark.parametrize("make", ["typed", "python"])
def test_a_subtraction_reads_as_one_and_labels_are_bracketed(
    show: Callable[..., str], make: str
) -> None:
    value = label_parts(*evaluate(*TYPED)) if make == "typed" else in_python()
    told = show(value).replace("\\", "")
    assert "(x*w + b - t).grad" in told and "(x*w).grad" in told
    for wrong in (
        "+ (−t)",
        "+ −t",
        "t × (−1)",
        "t*-1",
        " x*w + b.grad",
        "∂x*w",
        "/∂x*w",
        "/ d x*w ",
    ):
        assert wrong not in told, wrong
    if show is not marked:
        assert "x*w + b − t" in told
    if show is stepped:
        assert "∂(x*w + b)/∂(x*w)" in told
    if show is explained:
        assert "d (x*w + b) / d (x*w) = 1" in told


def test_the_commands_show_these_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [TYPED[0], *(f"{name}={number}" for name, number in TYPED[1].items())]
    for command, output in (
        ("draw", "x.svg"), ("step", "x.html"), ("explain", ""), ("worksheet", "y.html"),
        ("grad", ""),
    ):  # fmt: skip
        path = tmp_path / output
        assert main([command, *words, *(["-o", str(path)] if output else [])]) == 0
        told = capsys.readouterr().out
        text = path.read_text("utf-8") if output else told
        assert "x*w + b" in text and "x*w+b" not in text.replace(TYPED[0], ""), command
    assert main(["explain", *words, "--wrt", "x * w+b"]) == 0
    assert "How output changes with x*w + b\n" in capsys.readouterr().out


def test_notation_brackets_what_holds_an_operator() -> None:
    assert gradient("a+b") == "(a+b).grad" and gradient("tanh(a+b)") == "tanh(a+b).grad"
    assert bracketed("x3 of example 4") == "(x3 of example 4)"
    assert same("a - b", "a − b") and not same("a", "b")
