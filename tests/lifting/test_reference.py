"""Executors of Steps: what each computes equals what runs eagerly, forward and backward.

A new executor is one file: the toy one below is twenty lines, and goes through the same tests.
Covers `run/executor.py`, `interpreted.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from absolute import Undecided, flat
from executing import through
from hypothesis import HealthCheck, assume, given, settings
from oracle import same
from random_programs import Sample, agrees, expressions, leaves, loops
from test_adjoint import SEVERAL, UNREACHED
from test_models import HOWS, SMALL, assert_same
from test_models import step as training_step
from test_take import NUMBERS, TABLES

from micrograd import Value, functional, grads
from micrograd.lifting.run import reference, with_numpy
from micrograd.lifting.steps.expression import evaluate
from micrograd.lifting.steps.ir import Step, View
from micrograd.lifting.steps.walks import is_recurrence


def toy(steps: Sequence[Step], buffers: dict[str, Any]) -> None:
    """Each step as one NumPy call on lists of places; a recurrence turn by turn."""

    def numbers(view: View) -> Any:
        array = view.array
        found = array.numbers if array.numbers is not None else np.full(array.size, np.nan)
        buffers[array.name] = np.asarray(buffers.get(array.name, found), dtype=float).ravel()
        return buffers[array.name]

    def places(view: View, turns: np.ndarray) -> Any:
        found = view.base + turns @ np.array(view.strides, dtype=int)
        if view.index is not None:
            found = found + view.step * numbers(view.index)[places(view.index, turns)].astype(int)
        return found if view.gather is None else view.gather[found]

    for step in itertools.chain.from_iterable(map(in_turn, steps)):
        turns = np.array(list(itertools.product(*map(range, step.loops))), dtype=int)
        out, at = numbers(step.out), places(step.out, turns)
        reads = [numbers(view)[places(view, turns)] for view in step.reads]
        value = evaluate(step.value, reads.__getitem__, lambda op, *xs: op.array(*xs))
        if not step.accumulate:
            neutral = {"maximum": -np.inf, "minimum": np.inf}
            out[at] = neutral.get(step.combine.name, 0.0) if step.combine else value
        if step.accumulate or step.combine:
            (step.combine.array if step.combine else np.add).at(out, at, value)


def in_turn(step: Step) -> Iterator[Step]:
    if not is_recurrence(step):
        yield step
        return
    for turns in itertools.product(*map(range, step.loops)):
        reads = tuple(view.shifted(turns).along(()) for view in step.reads)
        yield replace(step, loops=(), out=step.out.shifted(turns).along(()), reads=reads)


EXECUTORS: dict[str, Any] = {
    "reference": reference.run,
    "numpy": with_numpy.run,
    "native": "native",
    "toy": toy,
}
programs = settings(
    max_examples=60,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)


def equals_eager(sample: Sample, name: str) -> None:
    with np.errstate(all="ignore"):
        try:
            agrees(sample, through(EXECUTORS[name]))
        except Undecided:
            assume(False)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXECUTORS)
@programs
@given(sample=expressions())
def test_random_graphs_agree(name: str, sample: Sample) -> None:
    equals_eager(sample, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", EXECUTORS)
@programs
@given(sample=loops())
def test_random_loops_agree(name: str, sample: Sample) -> None:
    equals_eager(sample, name)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("case", SMALL)
@pytest.mark.parametrize("name", EXECUTORS)
def test_the_benchmarks_networks_agree_step_after_step(name: str, case: str, how: str) -> None:
    module, size, batches, batched = SMALL[case]
    eager = getattr(module, how)(module.numbers(**size))
    lifted = getattr(module, how)(module.numbers(**size))
    run = through(EXECUTORS[name], batched=batched)(lifted.loss)
    for batch in batches:
        mine = training_step(lifted, lambda *args: run(*args)[0], batch)
        assert_same(mine, training_step(eager, eager.loss, batch), 1e-12)


def same_gradients(name: str, function: Any, numbers: Any, *others: Any) -> None:
    """Numbers and gradients of a function of an array of Values, result by result."""
    count = len(flat(function(leaves(numbers), *others)))
    for which in range(min(count, 6)):
        mine, theirs = leaves(numbers), leaves(numbers)
        with np.errstate(all="ignore"):
            want = flat(function(mine, *others))[which]
            got = through(EXECUTORS[name])(function)(theirs, *others)[which]
            want.backward()
            got.backward()
        assert same(got.data, want.data, rel=1e-14).all()
        assert same(grads(theirs).ravel(), grads(mine).ravel(), rel=1e-12).all()


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", EXECUTORS)
def test_any_table_is_read_by_integers(name: str, table: str) -> None:
    rows = len(TABLES[table](NUMBERS))
    index = np.random.default_rng(2).integers(0, rows, size=4)
    same_gradients(name, lambda a, i: functional.take(TABLES[table](a), i), NUMBERS, index)


@pytest.mark.parametrize("case", UNREACHED)
@pytest.mark.parametrize("name", EXECUTORS)
def test_what_no_gradient_reaches_passes_nothing_on(name: str, case: str) -> None:
    same_gradients(name, *UNREACHED[case])


@pytest.mark.parametrize("case", SEVERAL)
@pytest.mark.parametrize("name", EXECUTORS)
def test_one_result_of_several_goes_back(name: str, case: str) -> None:
    same_gradients(name, lambda x: SEVERAL[case](x[0], x[1]), [1.5, 2.0])


@pytest.mark.parametrize("name", ["reference", "numpy", "native"])
def test_an_index_out_of_range_is_an_error(name: str) -> None:
    table = np.array([[Value(1.0)], [Value(2.0)]], dtype=object)
    call = through(EXECUTORS[name])(lambda i: functional.take(table, i))
    call(np.array([1, 0]))
    for wrong in (2, -1):
        with pytest.raises(IndexError, match=f"index {wrong} is out of range for a table of 2"):
            call(np.array([0, wrong]))


def test_a_wrong_executor_is_found() -> None:
    def wrong(steps: Sequence[Step], buffers: dict[str, Any]) -> None:
        reference.run([replace(step, accumulate=False) for step in steps], buffers)

    def function(x: Any) -> Any:
        return sum(w * v for w, v in zip(weights, x, strict=True)) + weights[0]

    weights = [Value(1.5), Value(-2.0)]
    x = np.array([3.0, 4.0])
    total = through(wrong)(function)(x)[0]
    assert total.data != function(x).data
