"""place: arrays in one buffer, and what a product wants side by side without a copy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from executing import called
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import Sample, expressions, leaves, loops

from micrograd import ops
from micrograd.lifting.run import reference
from micrograd.lifting.steps import place as place_module
from micrograd.lifting.steps.adjoint import adjoint, seed
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.place import moved, place


def same_in_one_buffer(numbers: dict[str, Any], steps: Any) -> int:
    """Run the steps on arrays of their own, then in one buffer; how many copies that saved."""
    apart = dict(numbers)
    placement = place(steps)
    memory = Array("memory", (placement.size,), "result")
    together = {**numbers, "memory": [float("nan")] * placement.size}
    with np.errstate(all="ignore"):
        reference.run(steps, apart)
        reference.run(moved(steps, placement, memory), together)
    for array, start in placement.starts.items():
        np.testing.assert_array_equal(
            together["memory"][start : start + array.size], apart[array.name], str(array)
        )
    numbers.update(apart)
    return len(placement.copies)


def both_ways(function: Any, args: Any) -> tuple[int, int]:
    program, numbers = called(function, args)
    saved = same_in_one_buffer(numbers, program.forward)
    results = range(len(program.results))
    for k in results:
        array = seed(program, k)
        numbers[array.name] = list(np.linspace(-1, 2, array.size))
    return saved, same_in_one_buffer(numbers, adjoint(program, results))


@settings(
    max_examples=60,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.one_of(loops(), expressions()))
def test_random_programs_run_in_one_buffer(sample: Sample) -> None:
    both_ways(lambda *args: sample.function(sample.parameters, *args), sample.calls[0])


def test_arrays_begin_at_lines_of_the_cache() -> None:
    steps = [Step((), View(Array(f"t{k}", (3,), "result"), 0, ()), 1.0) for k in range(3)]
    assert list(place(steps).starts.values()) == [0, 8, 16]


def numbers(*names: str) -> tuple[Array, ...]:
    return tuple(Array(name, (3,), "result") for name in names)


def copied() -> list[Step]:
    """a and b are computed, and copied side by side into `both`."""
    a, b = numbers("a", "b")
    both = Array("both", (6,), "result")
    made = [Step((3,), View(x, 0, (1,)), v) for x, v in ((a, 1.0), (b, 2.0))]
    copies = [
        Step((3,), View(both, 3 * k, (1,)), Read(0), (View(x, 0, (1,)),))
        for k, x in enumerate((a, b))
    ]
    return [*made, *copies]


def test_what_is_copied_side_by_side_lies_there_from_the_start() -> None:
    placement = place(copied())
    assert placement.copies == {2, 3}
    starts = {array.name: start for array, start in placement.starts.items()}
    assert starts == {"both": 0, "a": 0, "b": 3}
    memory = Array("memory", (placement.size,), "result")
    buffers: dict[str, list[float]] = {}
    reference.run(moved(copied(), placement, memory), buffers)
    assert buffers["memory"][:6] == [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]


def test_what_changes_after_the_copy_stays_apart() -> None:
    a, _ = numbers("a", "b")
    later = Step((3,), View(a, 0, (1,)), 5.0, accumulate=True)
    assert place([*copied(), later]).copies == {3}
    *made, first, second = copied()
    changed = replace(first, value=5.0, reads=(), accumulate=True)
    assert place([*made, first, second, changed]).copies == {3}


def test_an_array_lies_in_one_place_only() -> None:
    a, _ = numbers("a", "b")
    other = Array("other", (9,), "result")
    again = Step((3,), View(other, 0, (1,)), Read(0), (View(a, 0, (1,)),))
    assert place([*copied(), again]).copies == {2, 3}


def test_a_program_that_stacks_results_saves_the_copies() -> None:
    w = leaves(np.linspace(-1, 1, 4))

    def function(x: Any) -> Any:
        y = x * w
        pairs = [y[0], y[3], sum(y) * y[1], sum(v * v for v in y)]
        return sum(a * b for a, b in zip(pairs, pairs[::-1], strict=True)), np.array(pairs)

    forward, backward = both_ways(function, (np.arange(4.0),))
    assert forward > 0
    assert backward == 0  # `simplified` reads through copies


def test_what_is_read_last_place_by_place_is_written_over() -> None:
    a, b = numbers("a", "b")
    (given,) = (Array("x", (3,), "argument"),)

    def whole(array: Array, base: int = 0, stride: int = 1) -> View:
        return View(array, base, (stride,))

    make = Step((3,), whole(a), Apply(ops.exp, (Read(0),)), (whole(given),))
    use = Step((3,), whole(b), Apply(ops.exp, (Read(0),)), (whole(a),))
    turned = replace(use, reads=(whole(a, 2, -1),))
    fill = Step((3,), whole(a), 0.0)
    assert place([make, use], kept=[b]).over == {b: a}
    assert place([make, use], kept=[b]).starts == {a: 0, b: 0}
    for steps, kept in [
        ([make, use], None),
        ([make, use], [a, b]),
        ([make, turned], [b]),
        ([fill, use], [b]),  # fills are done once, not at each call
        ([make, use, replace(make, out=whole(b), reads=(whole(a),))], [b]),
        ([make, replace(use, reads=(whole(a), whole(a, 2, -1)))], [b]),
        ([make, replace(use, accumulate=True)], [b]),
        ([replace(use, reads=(whole(given),))], [b]),
    ]:
        assert place(steps, kept=kept).over == {}
    assert place([make, use], {b: 0}, [b]).over == {}


def test_each_copy_asks_only_who_writes_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recurrence puts each state into one array, turn by turn: 4,000 copies, not 16,000,000."""
    asked: list[int] = []
    meets = place_module._meets

    def counted(step: Step, first: int, end: int) -> bool:
        asked.append(first)
        return meets(step, first, end)

    monkeypatch.setattr(place_module, "_meets", counted)
    n = 300
    whole = Array("whole", (n,), "result")
    states = [Array(f"state_{k}", (1,), "result") for k in range(n)]
    steps = []
    for k, state in enumerate(states):
        before = (View(states[k - 1], 0, ()),) if k else ()
        steps.append(
            Step((), View(state, 0, ()), Apply(ops.tanh, (Read(0),)) if k else 1.0, before)
        )
        steps.append(Step((), View(whole, k, ()), Read(0), (View(state, 0, ()),)))
    placement = place(steps)
    assert len(placement.copies) == n
    assert [placement.starts[s] - placement.starts[whole] for s in states] == list(range(n))
    assert len(asked) < 4 * n
