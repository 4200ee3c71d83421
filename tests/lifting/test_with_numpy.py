"""The NumPy executor: code made once, bound to any number of buffers, equal to the reference.

Covers `run/calls.py`, `contraction.py`, `reads.py`, `source.py`, `tables.py`, `ufuncs.py`.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from executing import program_of
from random_programs import leaves

import micrograd
from micrograd import functional, ops
from micrograd.lifting.run import reference
from micrograd.lifting.run.source import Source
from micrograd.lifting.run.tables import scatter_add
from micrograd.lifting.run.with_numpy import Compiled, run
from micrograd.lifting.steps.adjoint import adjoint, gradient, seed
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.ir import Array, Program, Step, View

rng = np.random.default_rng(0)


def layer() -> tuple[Program, dict[str, np.ndarray]]:
    """A layer, tanh and a sum of squares; numbers for what is given, by name."""
    w, b = leaves(rng.normal(size=(2, 3))), leaves(rng.normal(size=2))
    program = program_of(
        lambda x: (ops.tanh(functional.linear(x, w, b)) ** 2).sum(), np.zeros((5, 3))
    )
    given = {a.name: rng.normal(size=a.size) for a in program.values if a.role == "parameters"}
    return program, {**given, "x": rng.normal(size=15), "seed_1": np.ones(1)}


def by_reference(program: Program, given: dict[str, np.ndarray]) -> dict[str, Any]:
    buffers: dict[str, Any] = {name: x.tolist() for name, x in given.items()}
    reference.run((*program.forward, *adjoint(program, [0])), buffers)
    return buffers


def agree(bound: Any, program: Program, given: dict[str, np.ndarray]) -> None:
    want = by_reference(program, given)
    for name in {step.out.array.name for step in adjoint(program, [0])}:
        np.testing.assert_allclose(bound.arrays[name], want[name], rtol=1e-13, atol=1e-14)


def test_code_is_made_once_and_runs_on_changed_numbers() -> None:
    program, given = layer()
    forward = Compiled(program.forward)
    backward = Compiled(adjoint(program, [0]), forward)
    first = forward.bind(given)
    second = backward.bind({}, first)
    for _ in range(3):
        first.run()
        second.run()
        agree(second, program, given)
        given["x"][:] = rng.normal(size=15)


def test_calls_that_live_side_by_side_have_buffers_of_their_own() -> None:
    program, given = layer()
    forward = Compiled(program.forward)
    backward = Compiled(adjoint(program, [0]), forward)
    inputs = [{**given, "x": rng.normal(size=15)} for _ in range(3)]
    alive = [forward.bind(numbers) for numbers in inputs]
    for one in alive:
        one.run()
    for one, numbers in reversed(list(zip(alive, inputs, strict=True))):
        back = backward.bind({}, one)
        back.run()
        agree(back, program, numbers)


def test_backward_passes_of_other_results_share_nothing_but_the_forward() -> None:
    program = program_of(lambda x: np.sqrt(x), leaves(np.array([1.0, 4.0, 9.0])))
    forward = Compiled(program.forward)
    first = forward.bind({"x": np.array([1.0, 4.0, 9.0]), "seed_1": np.ones(3)})
    first.run()
    masks = [np.array(m) for m in ([True, False, True], [False, True, True], [True, True, True])]
    alive = [Compiled(adjoint(program, {0: m}), forward).bind({}, first) for m in masks]
    for bound in (*alive, *alive[::-1]):
        bound.run()
    for bound, mask in zip(alive, masks, strict=True):
        assert bound.arrays["d_x"].tolist() == np.where(mask, [0.5, 0.25, 0.5 / 3], 0.0).tolist()


def test_parameters_written_between_forward_and_backward_count() -> None:
    w = leaves(rng.normal(size=6))
    order = np.array([4, 0, 3, 1])
    program = program_of(lambda x: (w[order] * x).sum(), leaves(np.ones(4)))
    (parameters,) = program.parameters
    given = {parameters.array.name: rng.normal(size=parameters.array.size), "x": np.ones(4)}
    given["seed_1"] = np.ones(1)
    forward = Compiled(program.forward)
    backward = Compiled(adjoint(program, [0]), forward)
    first = forward.bind(given)
    first.run()
    given[parameters.array.name] += 10.0
    second = backward.bind({}, first)
    second.run()
    agree(second, program, given)


def test_gradients_of_parameters_lie_as_in_the_store() -> None:
    program, given = layer()
    fixed = {gradient(p.array): p.first for p in program.parameters}
    forward = Compiled(program.forward)
    backward = Compiled(adjoint(program, [0]), forward, fixed)
    first = forward.bind(given)
    second = backward.bind({}, first)
    first.run()
    second.run()
    want = by_reference(program, given)
    for parameters in program.parameters:
        found = want[gradient(parameters.array).name]
        place = slice(parameters.first, parameters.first + parameters.array.size)
        np.testing.assert_allclose(second.memory[place], found, rtol=1e-13)


def test_what_is_filled_once_stays_filled() -> None:
    t, u = Array("t", (4,), "result"), Array("u", (1,), "result")
    steps = [
        Step((2,), View(t, 0, (1,)), 7.0),
        Step((2,), View(t, 2, (1,)), Read(0), (View(Array("x", (2,), "argument"), 0, (1,)),)),
        Step((4,), View(u, 0, (0,)), Read(0), (View(t, 0, (1,)),), ops.add),
    ]
    compiled = Compiled(steps)
    x = np.array([1.0, 2.0])
    one, other = compiled.bind({"x": x}), compiled.bind({"x": x * 10})
    for bound, total in ((one, 17.0), (other, 44.0), (one, 17.0)):
        bound.run()
        assert bound.arrays["u"].tolist() == [total]


def test_zeros_that_are_added_to_are_filled_each_time() -> None:
    t = Array("t", (3,), "result")
    view = View(t, 0, (1,))
    steps = [Step((3,), view, 0.0), Step((3,), view, 1.0, accumulate=True)]
    bound = Compiled(steps).bind({})
    for _ in range(3):
        bound.run()
        assert bound.arrays["t"].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("size", [1, 3, 4, 5, 200])
def test_a_recurrence_runs_turn_by_turn(size: int) -> None:
    """t[r, i + 1] = t[r, i] * 0.5 + x[r, i], for two rows at once."""
    t, x = Array("t", (2, size + 1), "result"), Array("x", (2, size), "argument")
    value = Apply(ops.add, (Apply(ops.mul, (Read(0), 0.5)), Read(1)))
    row = size + 1
    reads = (View(t, 0, (row, 1)), View(x, 0, (size, 1)))
    steps = [
        Step((2,), View(t, 0, (row,)), 1.0),
        Step((2, size), View(t, 1, (row, 1)), value, reads),
    ]
    numbers = rng.normal(size=2 * size)
    want: dict[str, Any] = {"x": numbers.tolist()}
    reference.run(steps, want)
    got: dict[str, Any] = {"x": numbers}
    run(steps, got)
    np.testing.assert_allclose(got["t"], want["t"], rtol=1e-14)


def test_repeated_places_are_added_each_time() -> None:
    places = np.array([[3, 5, 3], [6, 3, 5]])
    g = rng.normal(size=(2, 3))
    found, want = np.ones(7), np.ones(7)
    scatter_add(found, places, g)
    np.add.at(want, places, g)
    np.testing.assert_allclose(found, want, rtol=1e-13)


def test_seeds_have_the_shape_of_their_result() -> None:
    program = program_of(lambda x: x * 2.0, leaves(np.ones((2, 3))))
    assert seed(program, 0).size == 6


def test_a_name_stands_for_one_thing() -> None:
    source = Source()
    assert source.function(np.add) == "add"
    assert source.function(np.add) == "add"
    assert source.function(np.add.reduce) != source.function(np.multiply.reduce)
    assert source.view("x", 0, (2,), (1,)) == source.view("x", 0, [2], [1])
    assert source.view("x", 0, (2,), (1,)) != source.view("x", 1, (2,), (1,))
    assert source.number(0.0) != source.number(-0.0)


# --- who knows whom -------------------------------------------------------------------------------

LIFTING = Path(micrograd.__file__).parent / "lifting"


def imports(path: Path) -> set[str]:
    """The modules of `steps` and `run` that a file names."""
    nodes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)]
    names = {n.module or "" for n in nodes}
    return {m for m in names if m.startswith(("micrograd.lifting.steps", "micrograd.lifting.run"))}


def test_modules_depend_on_each_other_without_a_circle() -> None:
    paths = [*LIFTING.glob("steps/*.py"), *LIFTING.glob("run/*.py")]
    names = {f"micrograd.lifting.{p.parent.name}.{p.stem}": imports(p) for p in paths}
    waiting = dict(names)
    while waiting:
        ready = [name for name, needed in waiting.items() if not needed & waiting.keys()]
        assert ready, f"a circle among {sorted(waiting)}"
        for name in ready:
            del waiting[name]
    assert all(find_spec(name) for name in names)


def test_no_executor_knows_a_derivative_or_a_recording() -> None:
    for path in LIFTING.glob("run/*.py"):
        known = {name.rsplit(".", 1)[1] for name in imports(path)}
        assert known.isdisjoint({"adjoint", "flow", "first_writes", "lower", "reading"}), path
        text = path.read_text()
        assert not any(f".{word}" in text for word in ("gradients(", "partials", "backward(")), path
