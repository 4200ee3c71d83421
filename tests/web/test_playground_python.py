"""The playground's own Python, run here: panels, code of expressions, tracebacks, the stand-in for graphviz."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pages import WEB

from micrograd import Value, draw, nn, op
from micrograd.expression import evaluate, functions

PYTHON = WEB / "python"


@pytest.fixture(scope="module", autouse=True)
def found() -> Iterator[None]:
    """`import playground` works in this file; `import graphviz` still finds the package itself."""
    sys.path.append(str(PYTHON))
    yield
    sys.path.remove(str(PYTHON))
    for name in [n for n in sys.modules if n.partition(".")[0] == "playground"]:
        del sys.modules[name]


def stand_in() -> ModuleType:
    spec = importlib.util.spec_from_file_location("stand_in", PYTHON / "graphviz.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def opened(text: str, **values: float) -> tuple[Any, dict[str, Any]]:
    from playground.live import Desk

    desk = Desk()
    return desk, desk.answer({"do": "expression", "text": text, "values": values}, {})


# --- panels ---------------------------------------------------------------------------------------


def test_a_panel_computes_as_evaluate_does() -> None:
    text, numbers = "tanh(x*w + b)/(1 + exp(-x))", {"x": 2.0, "w": -3.0, "b": 6.5}
    desk, answer = opened(text, **numbers)
    ids = {leaf["name"]: leaf["id"] for leaf in answer["leaves"]}
    for name, x in (("w", -2.0), ("x", 0.25), ("b", 1e-3)):
        numbers[name] = x
        changed = desk.answer({"do": "set", "panel": answer["panel"], "values": {ids[name]: x}}, {})
        assert changed["exact"] == evaluate(text, numbers)[0].data
    assert set(answer) == {"panel", "svg", "leaves", "result", "exact", "label"}


def test_only_what_changed_travels() -> None:
    desk, answer = opened("a*b + c", a=2.0, b=3.0, c=1.0)
    c = next(leaf["id"] for leaf in answer["leaves"] if leaf["name"] == "c")
    changed = desk.answer({"do": "set", "panel": answer["panel"], "values": {c: 2.0}}, {})
    assert len(changed["cards"]) == 2  # c and the sum
    same = desk.answer({"do": "set", "panel": answer["panel"], "values": {c: 2.0}}, {})
    assert same["cards"] == []


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"do": "nothing"}, "nothing"),
        ({"do": "set", "panel": 99, "values": {}}, "has ended"),
        ({"do": "picture", "key": "none"}, "too long ago"),
        ({"do": "expression", "text": "a^2"}, r"\*\*"),
        ({"do": "expression", "text": "a" * 1500}, "characters"),
        ({"do": "expression", "text": "open('x')"}, "no function"),
    ],
)
def test_a_wrong_order_is_answered(order: dict[str, Any], why: str) -> None:
    import re

    desk, _ = opened("a", a=1.0)
    assert re.search(why, desk.answer(order, {})["error"])


def test_a_number_that_is_none_is_refused() -> None:
    desk, answer = opened("a*a", a=1.0)
    wrong = desk.answer({"do": "set", "panel": answer["panel"], "values": {0: float("inf")}}, {})
    assert "finite" in wrong["error"]
    kept = desk.answer({"do": "set", "panel": answer["panel"], "values": {}}, {})
    assert kept["exact"] == 1.0


def test_descent_on_a_drawn_network_is_a_loops_and_leaves_the_network_alone() -> None:
    from playground.live import Desk

    model = nn.MLP(2, [3, 1], activation="tanh")
    loss = (model([1.0, -2.0]) - 1) ** 2
    loss.backward()
    desk = Desk()
    answer = desk.answer({"do": "picture", "key": desk.keep(draw(loss, groups=model))}, {})
    learning = [leaf["id"] for leaf in answer["leaves"] if leaf["kind"] == "parameter"]
    before = [p.data for p in model.parameters()]
    assert len(learning) == len(before)
    order = {"do": "descend", "panel": answer["panel"], "leaves": learning, "lr": 0.1, "steps": 5}
    after = desk.answer(order, {})["exact"]
    assert [p.data for p in model.parameters()] == before
    for _ in range(5):
        model.zero_grad()
        loss = (model([1.0, -2.0]) - 1) ** 2
        loss.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
    assert after == ((model([1.0, -2.0]) - 1) ** 2).data


def test_only_a_picture_with_a_graph_is_dragged() -> None:
    from playground.live import Desk

    from micrograd import draw_dot

    desk = Desk()
    graph = draw_dot(Value(2.0) * 3)
    assert desk.keep(graph)
    graph.node("more")
    assert desk.keep(graph) == ""


# --- code -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["tanh(x*w + b)", "maximum(x, w)/2", "relu(x) + sigmoid(tanh(2)*w)", "where(greater(x, w), b, 2*x)",
     "erf(x) + equal(w, b) + leaky_relu(-x)", "-x**2 + exp(log(b))"],
)  # fmt: skip
def test_the_code_of_an_expression_computes_it(text: str) -> None:
    from playground.live import names_in
    from playground.writing import code_of

    numbers = {
        name: x for name, x in {"x": 0.5, "w": -3.0, "b": 2.0}.items() if name in names_in(text)
    }
    names: dict[str, Any] = {}
    exec(code_of(text, numbers).replace("draw(out)", ""), names)
    value, parts = evaluate(text, numbers)
    value.backward()
    assert names["out"].data == value.data
    assert [names[name].grad for name in numbers] == [dict(parts)[name].grad for name in numbers]


def test_every_function_of_expressions_has_code() -> None:
    from playground.writing import code_of

    ours = {name: row for name, row in functions().items() if row.builtin}  # no test's own op
    for name, row in ours.items():
        numbers = {f"x{k}": 0.5 + k for k in range(row.arity)}
        names: dict[str, Any] = {}
        text = f"{name}({', '.join(numbers)})"
        exec(code_of(text, numbers).replace("draw(out)", ""), names)
        assert names["out"].data == evaluate(text, numbers)[0].data, name


def test_the_code_calls_an_op_of_the_learners_own_or_says_that_it_is_missing(
    tmp_path: Path,
) -> None:
    from playground.writing import code_of

    # a method of Value bears the second name, too
    for name in ("twice", "backward"):
        op(name, lambda x: 2 * x, [lambda x, out: 2.0])
    text, numbers = "twice(x)*tanh(backward(w + twice(3)))", {"x": 0.5, "w": -3.0}
    code = code_of(text, numbers).replace("draw(out)", "")
    names: dict[str, Any] = {}
    exec(code, names)
    value = evaluate(text, numbers)[0]
    value.backward()
    assert names["out"].data == value.data and names["x"].grad == 2 * math.tanh(6.0)

    alone = tmp_path / "alone.py"  # as it is downloaded
    alone.write_text(code)
    done = subprocess.run([sys.executable, str(alone)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "NameError: twice is an op of your own: run the code that makes it, op('twice', ...), first"
    )


def test_a_number_may_be_called_as_what_the_code_imports() -> None:
    from playground.writing import code_of

    text, numbers = "draw*Value + erf(ops)", {"draw": 2.0, "Value": 3.0, "ops": 0.5}
    names: dict[str, Any] = {}
    exec(code_of(text, numbers).replace("draw(out)", ""), names)
    assert names["out"].data == evaluate(text, numbers)[0].data
    assert [names[f"{name}_"].label for name in numbers] == list(numbers)


# --- what errors tell -----------------------------------------------------------------------------


def test_a_traceback_has_the_learners_lines_and_no_others() -> None:
    from playground.tracebacks import told

    names: dict[str, Any] = {}
    exec(compile("def f(x):\n    return 1 / x\n", "cell 1", "exec"), names)
    try:
        exec(compile("f(0)", "cell 2", "exec"), names)
    except ZeroDivisionError as error:
        text = told(error, "A sentence.")
    lines = text.splitlines()
    assert [line.strip() for line in lines if "File" in line] == [
        'File "cell 2", line 1, in <module>', 'File "cell 1", line 2, in f',
    ]  # fmt: skip
    assert lines[-2:] == ["ZeroDivisionError: division by zero", "A sentence."]


def test_an_error_whose_text_fails_is_told_all_the_same() -> None:
    from playground.tracebacks import told

    class Bad(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert told(Bad(), "").strip()
    assert len(told(ValueError("x" * 10**6), "")) < 21_000


def test_commands_of_notebooks_are_no_python() -> None:
    from playground.showing import without_magics

    assert without_magics("%matplotlib inline\nx = 1") == "pass\nx = 1"
    kept = "text = '''\n%timeit\n!ls\n'''\ny = 7 \\\n% 3"
    assert without_magics(kept) == kept
    with pytest.raises(RuntimeError, match="!ls is a command of notebooks"):
        exec(without_magics("!ls"))


# --- graphviz -------------------------------------------------------------------------------------


def test_the_stand_in_writes_the_dot_of_the_package() -> None:
    import graphviz

    def filled(module: Any) -> str:
        dot = module.Digraph(
            "G", format="svg", graph_attr={"rankdir": "LR"}, node_attr={"shape": "box"}
        )
        dot.node(name="140", label="{ a | data 1.0 | grad 0.0 }", shape="record")
        dot.node("b c", 'say "x"', color="red")
        dot.node("html", "<<b>x</b>>")
        dot.edge("140", "140+")
        dot.edge("b c:port:n", "node", label="via", style="dashed")
        dot.edges(["xy"])
        dot.attr(rank="same")
        dot.attr("edge", arrowsize="0.5")
        with dot.subgraph(name="cluster_1") as inner:
            inner.node("inside")
        return str(dot.source)

    assert not Path(graphviz.__file__).is_relative_to(WEB)
    assert filled(stand_in()).split() == filled(graphviz).split()


def test_the_stand_in_is_drawn() -> None:
    dot = stand_in().Digraph()
    dot.edge("a", "b")
    assert dot._repr_svg_().count("<g ") >= 4
    assert b"<svg" in stand_in().Source("digraph { x -> y }").pipe()


def test_every_module_is_small_enough_to_read() -> None:
    for file in [*WEB.glob("src/**/*.js"), *WEB.glob("worker/*.js"), *WEB.glob("build/*.mjs"),
                 WEB / "build.mjs", *PYTHON.rglob("*.py")]:  # fmt: skip
        assert len(file.read_text().splitlines()) <= 250, file


def test_the_lock_file_names_no_registry() -> None:
    assert "http" not in Path(WEB, "package-lock.json").read_text()
