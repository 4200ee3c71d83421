"""The native executor computes what the reference computes, on random steps and on hard shapes.

Covers `run/native/`: `executor.py`, `nests.py`, `fusing.py`, `recasting.py`, `sewing.py`,
`stores.py`, `alignment.py`, `statements.py`, `reductions.py`, `lists.py`, `packing.py`, `plans.py`,
`emit.py`, `memory.py`, `signature.py`, `tiling.py`, `code.py`, `rows.py`, `machine.py`. Whole
programs, random ones too, go through it in `test_reference.py`; its functions are measured in
`test_native_functions.py`.
"""

from __future__ import annotations

import ast
import math
import random
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from executing import through
from random_programs import leaves

import micrograd
from micrograd import op, ops
from micrograd.lifting.run import reference
from micrograd.lifting.run.native import emit, fusing, sewing, tiling
from micrograd.lifting.run.native.executor import Compiled, run
from micrograd.lifting.steps.expression import Apply, Formula, Read
from micrograd.lifting.steps.ir import Array, Step, View
from micrograd.lifting.steps.walks import dense

SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 20, 33)
POOL = Array("pool", (4000,), "argument")
ROWS = Array("rows", (40,), "argument")


def product(*formulas: Formula) -> Formula:
    return Apply(ops.mul, formulas)


VALUES: list[tuple[int, Formula]] = [
    (1, Read(0)),
    (2, product(Read(0), Read(1))),
    (2, product(product(Read(0), Read(1)), 2.0)),
    (2, Apply(ops.add, (Read(0), Apply(ops.tanh, (Read(1),))))),
    (1, Apply(ops.exp, (product(Read(0), -0.5),))),
    (3, Apply(ops.where, (Apply(ops.greater, (Read(0), 0.0)), Read(1), Read(2)))),
    (2, Apply(ops.maximum, (Read(0), Apply(ops.relu, (Read(1),))))),
    (1, Apply(ops.sigmoid, (Read(0),))),
    (1, Apply(ops.gelu, (Read(0),))),
    (1, Apply(ops.constant_power(3), (Read(0),))),
    (1, 0.25),
]


class Steps:
    """Random steps, each of which may read what others have written."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.made: list[tuple[Array, tuple[int, ...], tuple[int, ...]]] = []
        self.steps: list[Step] = []
        for _ in range(self.random.randint(2, 7)):
            self.add()

    def add(self) -> None:
        choose = self.random
        loops, out, moves = self.shape()
        count, value = choose.choice(VALUES)
        reads = tuple(self.view(loops) for _ in range(count))
        still = len(moves) < len(loops) and math.prod(loops) > math.prod(out.array.shape)
        combine = choose.choice([ops.add, ops.add, ops.maximum, ops.minimum]) if still else None
        self.steps.append(Step(loops, out, value, reads, combine))
        if choose.random() < 0.4 and combine in (None, ops.add):
            count, value = choose.choice(VALUES)
            reads = tuple(self.view(loops) for _ in range(count))
            self.steps.append(Step(loops, out, value, reads, combine, True))
        self.made.append((out.array, loops, out.strides))

    def shape(self) -> tuple[tuple[int, ...], View, list[int]]:
        """Loops, often those of an earlier step, and a new array that some of them walk."""
        choose = self.random
        if self.made and choose.random() < 0.5:
            _, loops, strides = choose.choice(self.made)
            if choose.random() < 0.3:
                loops = tuple(n for n, s in zip(loops, strides, strict=True) if s) or (1,)
        else:
            loops = tuple(choose.choice(SIZES) for _ in range(choose.randint(0, 3)))
        moves = [k for k in range(len(loops)) if choose.random() < 0.75]
        order = choose.sample(moves, len(moves)) if choose.random() < 0.4 else moves
        sizes = [loops[k] for k in order]
        strides = [0] * len(loops)
        for k, stride in zip(order, dense(sizes), strict=True):
            strides[k] = stride
        array = Array(f"t{len(self.steps)}", tuple(sizes), "result")
        return loops, View(array, 0, tuple(strides)), moves

    def view(self, loops: tuple[int, ...]) -> View:
        choose = self.random
        same = [
            (array, strides)
            for array, known, strides in self.made
            if known == loops or tuple(n for n, s in zip(known, strides, strict=True) if s) == loops
        ]
        if same and choose.random() < 0.7:
            array, strides = choose.choice(same)
            moving = tuple(s for s in strides if s)
            return View(array, 0, strides if len(strides) == len(loops) else moving)
        strides = [choose.choice([0, 1, 1, 2, n, 17]) for n in loops]
        if choose.random() < 0.2:  # some row, chosen by an integer
            index = View(ROWS, choose.randint(0, 6), tuple(choose.choice([0, 1]) for _ in loops))
            if 6 + sum(n - 1 for n in loops) < 40:
                return View(POOL, 3, tuple(strides), index=index, step=5, rows=9)
        if choose.random() < 0.2:
            count = 1 + sum(s * (n - 1) for s, n in zip(strides, loops, strict=True))
            listed = np.array([choose.randrange(4000) for _ in range(count)])
            if choose.random() < 0.5:
                listed = np.sort(listed)
            return View(POOL, 0, tuple(strides), listed)
        return View(POOL, choose.randint(0, 30), tuple(strides))


def numbers() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    pool = rng.normal(size=POOL.size)
    pool[::97], pool[::131], pool[::151] = 0.0, np.inf, -np.inf
    pool[50] = np.nan
    return {"pool": pool.tolist(), "rows": rng.integers(0, 9, ROWS.size).astype(float).tolist()}


def agree(steps: Sequence[Step], tolerance: float = 1e-12) -> None:
    want, got = numbers(), numbers()
    reference.run(steps, want)
    run(steps, got)
    for step in steps:
        name = step.out.array.name
        a, b = np.asarray(got[name]), np.asarray(want[name])
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-11, err_msg=str(step))


@pytest.mark.parametrize("seed", range(24))
def test_random_steps_agree(seed: int) -> None:
    agree(Steps(seed).steps)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_many_random_steps_agree(block: int) -> None:
    for seed in range(24 + 60 * block, 84 + 60 * block):
        agree(Steps(seed).steps)


def small_tiles(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tiles where they do not pay, too; how often each unit of nests runs."""
    counts: list[int] = []
    whole = tiling._unit

    def unit(*given: Any) -> Any:
        made = whole(*given)
        counts.append(made.count)
        return made

    monkeypatch.setattr(tiling, "_LARGE", 0)
    monkeypatch.setattr(tiling, "_CACHE", 120)
    monkeypatch.setattr(tiling, "_SMALLEST", 2)
    monkeypatch.setattr(tiling, "_unit", unit)
    return counts


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = small_tiles(monkeypatch)
    for seed in (*range(36), 1243):  # the last adds to a sum, and looks at it
        agree(Steps(seed).steps)
    assert sum(count > 1 for count in counts) > 3


@pytest.mark.slow
def test_tiles_of_many_programs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    small_tiles(monkeypatch)
    for seed in range(1000, 1250):
        agree(Steps(seed).steps)


def test_a_turn_that_looks_at_another_ones_numbers_is_kept_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_tiles(monkeypatch)
    monkeypatch.setattr(tiling, "aligned", lambda *nests: True)
    assert any(faults(Steps(seed).steps) for seed in range(60))


# --- faults that would be found -------------------------------------------------------------------


def faults(steps: Sequence[Step]) -> bool:
    try:
        agree(steps)
    except AssertionError:
        return True
    return False


def test_a_lost_lane_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit, "width_for", lambda count: 1 << (count.bit_length() - 1))
    out = View(Array("t", (21,), "result"), 0, (1,))
    with pytest.raises((AssertionError, RuntimeError)):
        agree([Step((21,), out, Read(0), (View(POOL, 0, (1,)),))])


def test_steps_that_change_places_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusing, "conflict", lambda a, b: False)
    assert any(faults(Steps(seed).steps) for seed in range(60))


def test_a_number_taken_from_another_turn_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sewing, "_same_turn", lambda *views: True)
    a, b = (Array(name, (8, 8), "result") for name in "ab")
    steps = [
        Step((8, 8), View(a, 0, (8, 1)), Read(0), (View(POOL, 0, (8, 1)),)),
        Step((8, 8), View(b, 0, (8, 1)), product(Read(0), Read(1)),
             (View(a, 0, (8, 1)), View(a, 0, (1, 8)))),
    ]  # fmt: skip
    assert faults(steps)


# --- what a call does -----------------------------------------------------------------------------


def layer(x: int = 5) -> tuple[list[Step], Any]:
    weights = View(Array("w", (3, 4), "parameters"), 0, (0, 4, 1))
    inputs = View(Array("x", (x, 4), "argument"), 0, (4, 0, 1))
    out = View(Array("t", (x, 3), "result"), 0, (3, 1, 0))
    return [Step((x, 3, 4), out, product(Read(0), Read(1)), (inputs, weights), ops.add)], out


def test_code_is_bound_to_any_buffers() -> None:
    rng = np.random.default_rng(1)
    compiled = Compiled(layer()[0])
    given = [{"x": rng.normal(size=20), "w": rng.normal(size=12)} for _ in range(3)]
    bound = [compiled.bind(numbers) for numbers in given]
    for one in bound:
        one.run()
    for one, numbers in zip(bound, given, strict=True):
        want = numbers["x"].reshape(5, 4) @ numbers["w"].reshape(3, 4).T
        np.testing.assert_allclose(one.arrays["t"].reshape(5, 3), want, rtol=1e-14)


def test_calls_in_threads_do_not_meet() -> None:
    rng = np.random.default_rng(2)
    steps, _ = layer(200)
    compiled = Compiled(steps)
    given = [{"x": rng.normal(size=800), "w": rng.normal(size=12)} for _ in range(4)]
    bound = [compiled.bind(numbers) for numbers in given]

    def work(one: Any) -> None:
        for _ in range(200):
            one.run()

    threads = [threading.Thread(target=work, args=(one,)) for one in bound]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, numbers in zip(bound, given, strict=True):
        want = numbers["x"].reshape(-1, 4) @ numbers["w"].reshape(3, 4).T
        np.testing.assert_allclose(one.arrays["t"].reshape(-1, 3), want, rtol=1e-13)


def test_equal_steps_give_equal_code_and_numbers() -> None:
    for seed in range(5):
        first, second = Compiled(Steps(seed).steps), Compiled(Steps(seed).steps)
        assert first.linked.text == second.linked.text
        results = []
        for compiled in (first, second):
            bound = compiled.bind({k: np.array(v) for k, v in numbers().items()})
            bound.run()
            results.append(bound.memory.tobytes())
        assert results[0] == results[1]


def test_nests_of_equal_shape_share_code() -> None:
    steps = []
    for k in range(12):
        out = View(Array(f"t{k}", (6,), "result"), 0, (1, 0))
        reads = (View(POOL, 300 * k, (7, 1)), View(POOL, 300 * k + 60, (0, 1)))
        steps.append(Step((6, 5), out, product(Read(0), Read(1)), reads, ops.add))
    assert Compiled(steps).linked.text.count("define internal void @nest_") == 1
    agree(steps)


def test_what_a_row_of_the_users_own_raises_arrives() -> None:
    def forward(x: float) -> float:
        if x > 2.0:
            raise RuntimeError("too large")
        return x * x

    square = op("square for native", forward, [lambda x, out: 2.0 * x])
    call = through(run)(lambda x: square(x[0]) + 1.0)
    assert call(leaves([1.5]))[0].data == 3.25
    with pytest.raises(RuntimeError, match="too large"):
        call(leaves([3.0]))
    assert call(leaves([1.5]))[0].data == 3.25


# --- who knows whom -------------------------------------------------------------------------------


def test_no_module_knows_a_derivative() -> None:
    folder = Path(micrograd.__file__).parent / "lifting" / "run" / "native"
    assert len(list(folder.glob("*.py"))) > 10
    for path in folder.glob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
        known = {name.rsplit(".", 1)[-1] for name in names}
        assert known.isdisjoint({"adjoint", "flow", "first_writes", "lower", "reading"}), path
