"""Expressions typed by a person: what they mean, and where an error in one is shown."""

from __future__ import annotations

import ast
import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import micrograd
from micrograd import Value
from micrograd.expression import _MEANT, ExpressionError, evaluate, functions

NUMBERS = {"x": 2.0, "y": -3.0}


def value_of(text: str) -> Value:
    used = {name: number for name, number in NUMBERS.items() if re.search(rf"\b{name}\b", text)}
    return evaluate(text, used)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", 2.0), ("7", 7.0), ("x + y*x", -4.0), ("-x**2", -4.0), ("(-x)**2", 4.0),
        ("+x - -y", -1.0),
        ("x/y", 2.0 * (-3.0) ** -1), ("1/x", 0.5), ("2**x", 4.0), ("x**y", 0.125),
        ("x**0.5", math.sqrt(2)),
        ("1e3*x", 2000.0), ("2**-1 + x", 2.5), ("tanh(x)", math.tanh(2)),
        ("relu(y) + ReLU(x)", 2.0),
        ("leaky_relu(y)", -0.03), ("maximum(x, y)", 2.0), ("where(greater(x, y), x, y)", 2.0),
        ("abs(y)", 3.0), ("  x\n + 1 ", 3.0), ("exp(0)*x", 2.0), ("log(sqrt(x**2))", math.log(2)),
    ],
)  # fmt: skip
def test_arithmetic_means_what_it_means_in_python(text: str, expected: float) -> None:
    assert value_of(text).data == pytest.approx(expected, rel=1e-15)


def test_the_graph_is_the_one_that_python_code_would_make() -> None:
    x, y = Value(2.0, label="x"), Value(-3.0, label="y")
    written, typed = (2 * x - y) / x**2 + y.tanh(), value_of("(2*x - y)/x**2 + tanh(y)")

    def steps(v: Value) -> list[tuple[str, str, float]]:
        order = micrograd.engine.topological_order(v)
        return [(node._op, node.label, node.data) for node in order]

    assert steps(typed) == steps(written)


@pytest.mark.parametrize("name", _MEANT)
def test_what_other_languages_call_it_gets_a_hint_that_works(name: str) -> None:
    with pytest.raises(ExpressionError, match=f"{name} is no function here; write ") as caught:
        evaluate(f"{name}(x, 2)", {"x": 1.0})
    hint = str(caught.value).splitlines()[0].partition("write ")[2]
    known = {n: 2.0 for n in "abx" if re.search(rf"\b{n}\b", hint)}
    assert math.isfinite(evaluate(hint, known)[0].data)


def test_infinities_as_among_values_and_no_endless_integers() -> None:
    assert value_of("x/0").data == math.inf
    assert value_of("1/0").data == math.inf
    assert value_of("9**9**9**9").data == math.inf
    assert value_of("10**400").data == value_of("1" + "0" * 400).data == math.inf
    assert math.isnan(value_of("(-1)**0.5").data)
    assert value_of("9007199254740993*9007199254740993").data == pytest.approx(2.0**106)


def test_parts_come_inputs_first_and_the_whole_last() -> None:
    value, parts = evaluate("a*b + a*b/c", {"c": 3, "a": 1, "b": 2})
    assert [text for text, _ in parts] == [
        "c", "a", "b", "a*b", "a*b", "a*b/c", "a*b + a*b/c",
    ]  # fmt: skip
    assert parts[-1][1] is value
    assert parts[3][1] is not parts[4][1]  # typed twice, computed twice
    assert parts[1][1].label == "a"


def test_every_function_of_the_op_table_can_be_called() -> None:
    known = {
        "exp",
        "log",
        "sqrt",
        "sin",
        "cos",
        "tanh",
        "sigmoid",
        "softplus",
        "relu",
        "gelu",
        "abs",
    }
    known |= {"leaky_relu", "maximum", "minimum", "where", "greater"}
    assert known <= set(functions())
    for name, function in functions().items():
        arguments = ["x", "y", "0.5"][: function.arity]
        expected = function(*[NUMBERS.get(a, 0.5) for a in arguments])
        got = value_of(f"{name}({', '.join(arguments)})").data
        assert got == pytest.approx(expected, rel=1e-15, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("x + z", 4, "z has no number; write z=number"),
        ("x*tanh", 2, "tanh has no number; write tanh(...)"),
        ("x + foo(x)", 4, "foo is no function; there are abs, "),
        ("x + tanh(x, y)", 4, "tanh takes 1 number, got 2"),
        ("maximum(x)", 0, "maximum takes 2 numbers, got 1"),
        ("x^2", 0, "a power is written with **"),
        ("x + 2y", 4, "a product is written with *"),
        ("y + 2(x)", 4, "a product is written with *"),
        ("x +", 3, "missing or out of place"),
        ("x + * y", 4, "missing or out of place"),
        ("x y", 2, "missing or out of place"),
        ("", 0, "missing or out of place"),
        ("(x", 0, "never closed"),
        ("x)", 1, "unmatched"),
        ("x = 3", 2, "missing or out of place"),
        ("x + 'a'", 4, "'a' is not a real number"),
        ("x + 3j", 4, "3j is not a real number"),
        ("x*True", 2, "True is not a real number"),
        ("x + y.data", 4, "only numbers, names"),
        ("x[0]", 0, "only numbers, names"),
        ("x // 2", 0, "only numbers, names"),
        ("x if y else x", 0, "only numbers, names"),
        ("x*[y for y in x]", 2, "only numbers, names"),
        ("lambda: x", 0, "only numbers, names"),
        ("tanh(x=1)", 0, "only numbers, names"),
        ("tanh(*x)", 5, "only numbers, names"),
        ("x.tanh()", 0, "only numbers, names"),
        ("__import__('os').system('x')", 0, "only numbers, names"),
        ("__import__('os')", 0, "__import__ is no function"),
        ("x + eval(y)", 4, "eval is no function"),
        ("(x := 3)", 1, "only numbers, names"),
        ("é*ß", 0, "é has no number"),
        ("x\0", 2, "null bytes"),
        ("(" * 250 + "x" + ")" * 250, 200, "too many nested parentheses"),
    ],
)
def test_an_error_points_at_its_place(text: str, column: int, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value_of(text)
    message, shown, carets = str(caught.value).split("\n")
    assert reason in message
    assert shown == "  " + text.replace("\0", "\ufffd")
    assert carets.strip("^") == "  " + " " * column
    assert caught.value.column == column


def test_a_name_of_two_bytes_a_letter_does_not_shift_the_place() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("äöü + z", {"äöü": 1.0})
    assert str(caught.value).endswith("\n  äöü + z\n        ^")


def test_what_is_too_long_or_too_deep_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExpressionError, match=r"up to 1,000 characters, got 6,001"):
        value_of("x" + "+x" * 3000)
    assert value_of("-" * 999 + "x").data == -2.0
    assert value_of("x" + "+x" * 400).data == 802.0

    def overflowing(*args: object, **kwargs: object) -> None:
        raise RecursionError

    monkeypatch.setattr(
        ast, "parse", overflowing
    )  # how deep Python's parser goes is its own affair
    with pytest.raises(ExpressionError, match="nested too deeply"):
        value_of("x")


def test_a_number_that_is_not_used_is_a_mistake() -> None:
    with pytest.raises(ExpressionError, match="x1 was given a number but is not in"):
        evaluate("x", {"x": 1.0, "x1": 2.0})
    with pytest.raises(TypeError, match="one real number"):
        evaluate("x", {"x": "2"})  # type: ignore[dict-item]


@given(st.text(st.sampled_from("xy012.+-*/() ,tanhe^=[]'\"#\\\n\0é"), max_size=30))
@example("x#y")
@example("0x10*x")
@example("1_0*x")
def test_whatever_is_typed_gives_a_value_or_an_expression_error(text: str) -> None:
    try:
        value = value_of(text)
    except ExpressionError as error:
        assert len(str(error).split("\n")) == 3
    else:
        assert type(value.data) is float
