"""explain and its formulas: the formulas are the op table's, the numbers are the engine's.

Covers `formulas.py`, `names.py`, `parameters.py`, `walk.py`.
"""

from __future__ import annotations

# ruff: noqa: RUF001 (the formulas are typeset, with a real minus sign)
import itertools
import math
import re
import time
from typing import Never

import numpy as np
import pytest
from factories import neuron

import micrograd
from micrograd import Value, ops
from micrograd.op import Op, registered
from micrograd.show.lesson.explain import explain
from micrograd.show.lesson.formulas import Formula, expression, local_derivatives, named
from micrograd.show.lesson.walk import Walk
from micrograd.show.notation import readable

# --- formulas -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (ops.add, ["1", "1"]),
        (ops.mul, ["b", "a"]),
        (ops.tanh, ["1 − o²"]),
        (ops.exp, ["o"]),
        (ops.log, ["1 / a"]),
        (ops.sigmoid, ["o × (1 − o)"]),
        (ops.cos, ["−sin(a)"]),
        (ops.constant_power(3), ["3 × a²"]),
        (ops.constant_power(-1), ["−a⁻²"]),
        (ops.power, ["b × a^(b − 1)", "o × log(a)"]),
        (ops.relu, ["1 if o > 0 else 0"]),
        (ops.leaky_relu(0.1), ["1 if a > 0 else 0.1"]),
        (ops.where, ["0", "1 if a ≠ 0 else 0", "0 if a ≠ 0 else 1"]),
        (ops.dot_op(1, True), ["b", "a", "1"]),
        (ops.greater, ["0", "0"]),
    ],
)
def test_a_formula_is_the_rule_run_on_names(op: Op, expected: list[str]) -> None:
    names = [named(c) for c in "abc"[: op.arity]]
    assert [f.text for f in local_derivatives(op, names, named("o"))] == expected


@pytest.mark.parametrize("op", registered.values(), ids=lambda op: op.name)
def test_a_formula_with_the_numbers_put_in_evaluates_to_the_derivative(op: Op) -> None:
    xs = [0.8, 1.7, 0.4][: op.arity]
    out = op.number(*xs)
    world = {name: getattr(math, name) for name in ("exp", "log", "sin", "cos", "erf")}
    world["sigmoid"] = lambda x: 1 / (1 + math.exp(-x))
    names = [Formula(f"x{i}", "") for i in range(op.arity)]
    world |= {f"x{i}": x for i, x in enumerate(xs)} | {"out": out}
    written = local_derivatives(op, names, Formula("out", ""))
    for formula, expected in zip(written, op.number_gradients(1.0, xs, out), strict=True):
        python = formula.text.replace("−", "-").replace("×", "*").replace("^", "**")
        python = python.replace("≠", "!=").replace("²", "**2").replace(" = ", " == ")
        value = eval(python, {"__builtins__": {}}, world)
        assert value == pytest.approx(expected or 0.0, rel=1e-4), formula.text


def test_a_registered_op_is_written_by_its_own_rule() -> None:
    cube = micrograd.op("cube_of_this_test", lambda x: x * x * x, [lambda x, out: 3 * x * x])
    assert local_derivatives(cube, [named("x")], named("o"))[0].text == "3 × x × x"
    assert expression(cube, [named("x")]).text == "cube_of_this_test(x)"


def test_a_registered_rule_that_needs_numbers_is_custom() -> None:
    step = micrograd.op("step_of_this_test", lambda x: x, [lambda x, out: math.floor(x) + 1.0])
    assert local_derivatives(step, [named("x")], named("o"))[0].text == "custom"


@pytest.mark.parametrize(
    ("x", "text"),
    [(0.0, "0"), (-0.0, "0"), (1.5, "1.5"), (-1.5, "−1.5"), (0.70710678, "0.7071"), (2.0, "2"),
     (1e-4, "0.0001"), (123456.0, "1.235e5"), (math.inf, "∞"), (-math.inf, "−∞"),
     (math.nan, "nan")],
)  # fmt: skip
def test_numbers_are_short(x: float, text: str) -> None:
    assert readable(x) == text


@pytest.mark.parametrize("label", ["x1", "alpha", r"a\b", "$x$", "a_b^c", "</script>", "50%", "{"])
def test_latex_of_a_label_is_balanced(label: str) -> None:
    latex = named(label).latex
    bare = re.sub(r"\\[{}$&#%_]", "", latex)
    assert bare.count("{") == bare.count("}")
    assert "$" not in bare and "<" not in bare


# --- explain ------------------------------------------------------------------------------------


def test_the_neuron_is_derived_from_the_output_down() -> None:
    text = str(explain(neuron()["o"]))
    for line in [
        "o = tanh(n) = tanh(0.8814) = 0.7071",
        "d o / d n = 1 − o² = 1 − 0.7071² = 0.5",
        "n.grad = 0.5 × 1 = 0.5",
        "x1.grad = −3 × 0.5 = −1.5",
    ]:
        assert line in text
    assert text.index("n.grad = 0.5") < text.index("x1.grad = ")


def test_a_second_use_is_seen_to_be_added() -> None:
    a = Value(3.0, label="a")
    b = a * a
    b.label = "b"
    text = str(explain(b))
    assert "a.grad += 3 × 1 = 3: 0 -> 3" in text
    assert "a.grad += 3 × 1 = 3: 3 -> 6" in text


def test_markdown_holds_the_derivation_in_latex() -> None:
    shown = explain(neuron()["o"])
    assert shown._repr_markdown_() == shown.markdown
    assert r"\frac{\partial o}{\partial n} = 1 - {o}^{2} = 1 - {0.7071}^{2} = 0.5" in shown.markdown
    assert repr(shown) == str(shown) == shown.text


def test_paths_add_up_to_the_gradient() -> None:
    v = neuron()
    x = v["x1"]
    y = v["o"] * x + x.exp()
    y.label = "y"
    y.backward()
    text = str(explain(y, wrt=x))
    assert "3 paths lead from x1 to y" in text
    products = [float(p.replace("−", "-")) for p in re.findall(r"product = .*?(\S+)$", text, re.M)]
    assert sum(products) == pytest.approx(x.grad, abs=2e-4)
    assert f"= {readable(x.grad)}" in text.splitlines()[-1]


def test_a_large_graph_says_so_and_explains_the_path_asked_for() -> None:
    x = Value(1.0, label="x")
    y = x
    for _ in range(40):
        y = (y * 0.9).tanh()
    shown = str(explain(y))
    assert "121 nodes" in shown and "wrt=" in shown and "The inputs are x." in shown
    assert "1 path leads from x" in str(explain(y, wrt=x))


def test_very_many_paths_are_counted_and_their_rest_is_summed() -> None:
    x = Value(1.01, label="x")
    y = x
    for _ in range(40):
        y = y + y
    shown = str(explain(y, wrt=x))
    assert f"{2**40:,} paths" in shown
    assert f"The other {2**40 - 12:,} paths" in shown
    assert shown.count("Path ") == 12


def test_wrt_something_else_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"o was not computed from stranger, so"):
        explain(neuron()["o"], wrt=Value(1.0, label="stranger"))
    with pytest.raises(ValueError, match=r"not computed from the Value 1.5, which has no label,"):
        explain(neuron()["o"], wrt=Value(1.5))
    with pytest.raises(TypeError, match=r"a Value or one of the names o, n, .*got the number 3"):
        explain(neuron()["o"], wrt=3)
    with pytest.raises(TypeError, match="got a list of 1"):
        explain([neuron()["o"]])


def test_wrt_may_be_a_name() -> None:
    v = neuron()
    assert str(explain(v["o"], wrt="x1")) == str(explain(v["o"], wrt=v["x1"]))
    with pytest.raises(ValueError, match=r"no 'q' in this graph; .* one of the names o, n, "):
        explain(v["o"], wrt="q")


def test_a_blocked_path_brings_nothing() -> None:
    x = Value(2.0, label="x")
    y = x.detach() * 3.0
    with pytest.raises(ValueError, match="was not computed from"):
        explain(y, wrt=x)
    z = ops.greater(x, 1.0) * x
    assert "= 1" in str(explain(z, wrt=x)).splitlines()[-1]


def test_a_closure_is_custom_and_what_it_did_is_told() -> None:
    a = Value(3.0, label="a")
    out = Value(a.data**3, (a,), "cube", "out")

    def backward() -> None:
        a.grad += 3 * a.data**2 * out.grad

    out._backward = backward
    text = str(explain(out))
    assert "d out / d a = custom = 27" in text
    assert "out = cube(a) = cube(3) = 27" in text


# --- the record beneath ---------------------------------------------------------------------


def test_the_walk_is_the_engines_backward_and_leaves_no_trace() -> None:
    v = neuron()
    v["x1"].grad, v["n"].grad, v["o"].grad = 7.0, 8.0, 9.0
    before = [(node.data, node.grad) for node in v.values()]
    walk = Walk(v["o"])
    assert [(node.data, node.grad) for node in v.values()] == before
    for node in v.values():
        node.grad = 0.0
    v["o"].backward()
    assert walk.grads == [node.grad for node in walk.nodes]


def test_a_rule_that_fails_leaves_no_trace_either() -> None:
    a = Value(3.0, label="a")
    out = a * 2.0

    def broken() -> Never:
        raise ZeroDivisionError("mine")

    middle = Value(1.0, (out,), "mine")
    middle._backward = broken
    last = middle * 1.0
    a.grad = out.grad = 5.0
    with pytest.raises(ZeroDivisionError):
        Walk(last)
    assert a.grad == out.grad == 5.0
    assert last.grad == middle.grad == 0.0


def test_running_totals_chain() -> None:
    x = Value(1.5, label="x")
    y = x * x * x + x
    walk = Walk(y)
    uses = walk.uses_of(walk.index[x])
    assert uses[0].before == 0.0
    for earlier, later in itertools.pairwise(uses):
        assert later.before == earlier.after
    assert uses[-1].after == walk.grads[walk.index[x]] == pytest.approx(3 * 1.5**2 + 1)


def test_names_are_labels_made_unique() -> None:
    a, again, c = Value(1.0, label="a"), Value(2.0, label="a"), Value(3.0)
    walk = Walk((a * again) + c)
    assert walk.names == ["a", "a#2", "v1", "3", "output"]
    assert walk.constants == {3}


def test_where_nothing_is_labelled_everything_gets_a_name() -> None:
    walk = Walk(Value(2.0) * Value(3.0))
    assert walk.names == ["v1", "v2", "output"]
    assert not walk.constants


def test_infinities_and_nans_are_told_as_they_are() -> None:
    x = Value(0.0, label="x")
    y = x.log()
    y.label = "y"
    text = str(explain(y))
    assert "y = log(x) = log(0) = −∞" in text
    assert "x.grad = ∞ × 1 = ∞" in text
    assert np.isinf(Walk(y).grads[0])


def test_a_subtraction_reads_as_one() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a - b
    c.label = "c"
    total = (c - 1) * (a + b - c) + -a
    total.label = "L"
    told = str(explain(total))
    for line in ("−b = −(−3) = 3", "c = a − b = 2 − (−3) = 5", "= c − 1 = 5 − 1 = 4", "v2 − c = "):
        assert line in told, line
    assert "(−b).grad" in told
    walk = Walk(total)
    assert {"−a", "−b", "−c"} <= set(walk.names)
    assert "a - b" not in told and "d c / d (−b) = 1" in told


def test_a_name_that_is_taken_is_not_given_again() -> None:
    b, taken = Value(3.0, label="b"), Value(1.0, label="−b")
    names = Walk(1.0 - b + taken).names
    assert names.count("−b") == 1 and len(set(names)) == len(names)


def test_names_of_a_large_graph_are_found_in_time() -> None:
    """In proportion to its size: a second for 60,000 nodes, and not an hour."""
    w = Value(0.5, label="w")
    total = w
    for _ in range(10_000):
        total = (w - total) * 0.5 + w * w
    start = time.process_time()
    walk = Walk(total)
    assert len(walk.names) > 60_000 and time.process_time() - start < 20


def test_of_a_large_graph_one_input_can_be_asked_for_as_it_is_told() -> None:
    """The sentence has a call that works, and counts the inputs that it leaves out."""
    xs = [Value(0.1 * k, label=f"x{k}") for k in range(24)]
    total = sum((x * x for x in xs), Value(0.0))
    told = str(explain(total))
    (name,) = re.findall(r"explain\(value, wrt='(\w+)'\)", told)
    assert f"How output changes with {name}" in str(explain(total, wrt=name))
    assert told.endswith("and 4 more.")
