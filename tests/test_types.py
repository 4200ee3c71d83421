"""What a type checker makes of programs that use the package: real types, and typos found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

RIGHT = """
from collections.abc import Callable
from typing import Any, assert_type

import numpy as np

import micrograd
from micrograd import Value, grad, lift, no_grad, numbers, op, values
from micrograd.op import Op
from micrograd.gradcheck import gradcheck
from micrograd.show.lesson.explain import Explanation
from micrograd.show.graph.digraph import Graph
from micrograd.show.graph.picture import Picture

v, w = Value(2.0), Value(3)
assert_type(v + 2, Value)
assert_type(2 + v, Value)
assert_type(v * w, Value)
assert_type(2.5 * v, Value)
assert_type(v - 1, Value)
assert_type(1 - v, Value)
assert_type(v / 2, Value)
assert_type(2 / v, Value)
assert_type(v**2, Value)
assert_type(2**v, Value)
assert_type(v**w, Value)
assert_type(-v, Value)
assert_type(abs(v), Value)
assert_type(v * np.float32(2), Value)
assert_type(v.maximum(0), Value)
assert_type(v.relu(), Value)
assert_type(v.pow(2).detach(), Value)
assert_type(sum([v, w], Value(0)), Value)
assert_type(v < 3, bool)
assert_type(v.data, float)
assert_type(v.grad, float)
assert_type(v.item(), float)
assert_type(float(v), float)
v.data = 3
v.data += 0.1 * v.grad

assert_type(grad(v, v), Value)
assert_type(grad(v, [v, w]), list[Value])
assert_type(grad(v, (v, w)), tuple[Value, ...])
assert_type(grad(v, values([1.0])), np.ndarray)
assert_type(numbers(v), np.ndarray)
assert_type(op("cube", lambda x: x**3, [lambda x, out: 3 * x * x]), Op)
assert_type(gradcheck(lambda x: x * x, [1.0]), bool)

@no_grad()
def f(x: Value, n: int = 2) -> Value:
    return x * n

assert_type(f(v), Value)
assert_type(f(v, n=3), Value)

@lift
def loss(x: Value, n: int = 2) -> Value:
    return x * n

assert_type(loss(v), Value)
assert_type(loss(v, n=3), Value)

@lift(batched=("x",))
def scores(x: list[Value]) -> list[Value]:
    return [v * 2 for v in x]

assert_type(scores([v]), list[Value])

assert_type(micrograd.draw(v), Picture)
assert_type(micrograd.draw_dot(v), Graph)
assert_type(micrograd.explain(v), Explanation)
assert_type(micrograd.nn.MLP(2, [1]).parameters(), list[Value])
assert_type(micrograd.__version__, str)
"""

WRONG = {
    "micrograd.lfit(3)": 'Module has no attribute "lfit"',
    "from micrograd import nonsense": 'has no attribute "nonsense"',
    "micrograd.nn.Lienar(2, 3)": 'Module has no attribute "Lienar"',
    "v.taanh()": '"Value" has no attribute "taanh"',
    "v + '2'": "Unsupported operand types",
    "v.grad = '0'": "Incompatible types in assignment",
    "loss('x')": "incompatible type",
    "loss(v, m=3)": 'Unexpected keyword argument "m"',
}


def mypy(text: str, folder: Path) -> list[str]:
    """What mypy says of the text under --strict, line by line."""
    (folder / "program.py").write_text(text)
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"),
         "--cache-dir", str(ROOT / ".mypy_cache"), str(folder / "program.py")],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    return [line for line in ran.stdout.splitlines() if ": error:" in line]


@pytest.mark.slow
def test_a_user_gets_real_types_and_typos_are_found(tmp_path: Path) -> None:
    program = "\n".join(WRONG)
    lines = mypy(RIGHT + program + "\n", tmp_path)
    start = RIGHT.count("\n")
    expected = list(WRONG.values())
    found = {int(line.split(":")[1]) - start: line for line in lines}
    assert set(found) == set(range(1, len(expected) + 1)), lines  # no line of RIGHT among them
    for number, text in enumerate(expected, 1):
        assert text in found[number], found[number]
