"""Numbers that no array fits, as a table: found, printed, differentiated and run.

Covers `straight.py`, `in_turn.py`, `steps/straight.py`, `run/straight.py`.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from absolute import Undecided
from executing import SHIPPED, program_of, through
from exporting import in_jax
from hypothesis import assume, given
from random_programs import Sample, expressions, loops, programs
from random_programs import agrees as equal_to_eager
from taped import taped
from test_ir import backward_checks
from test_scans import gradients, same
from test_text import text_equals_steps

from micrograd import Value, lift, op, ops
from micrograd.lifting import straight
from micrograd.lifting.fuse import fuse
from micrograd.lifting.layout import Instruction
from micrograd.lifting.rows import choose
from micrograd.lifting.schedule import schedule
from micrograd.lifting.steps.adjoint import adjoint
from micrograd.lifting.steps.checks import Fault, check
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.ir import Step

N = 40  # turns of each program below


def varied(x: Any, w: Any) -> Any:
    """A long formula in which no operation follows another one regularly."""
    rng, h, before = random.Random(0), w[0], w[1]
    rows: list[Callable[[Any, Any, Any], Any]] = [
        lambda a, b, c: a + b,
        lambda a, b, c: a * 0.9 + c,
        lambda a, b, c: a.tanh() - b,
        lambda a, b, c: (a * a + b * c + 1.0) ** -1,
        lambda a, b, c: ops.maximum(a, b) * c,
        lambda a, b, c: ops.where(ops.greater(a, b), a, c) + a * b,
        lambda a, b, c: (a + 1.5) / (b * b + 1.0),
        lambda a, b, c: ops.sin(a) + a.exp() * 0.1 - c,
        lambda a, b, c: abs(a) * 0.5 + (b * b + 0.1).log(),
        lambda a, b, c: (a.relu() - ops.minimum(b, c)) * 0.5 + 0.1,
    ]
    for k in range(3 * N):
        h, before = rng.choice(rows)(h, before, rng.choice([x[k % len(x)], w[2]])), h
    return h + before


def two_that_read_each_other(x: Any, w: Any) -> Any:
    u, v, loss = w[0], w[1], 0.0
    for k in range(N):
        u, v = u + 0.1 * v, v - 0.1 * u * u * w[2]
        loss = loss + (u - x[k % len(x)]) ** 2
    return loss


def two_units(x: Any, w: Any) -> Any:
    """A gated recurrence of one number: cell and output read each other."""
    h, c, loss = w[0] * 0.0, w[1] * 0.0, 0.0
    for k in range(N):
        kept, added, read = ((w[j] * x[k % len(x)] + w[2 - j] * h).sigmoid() for j in range(3))
        c = kept * c + added * (h + w[1]).tanh()
        h = read * c.tanh()
        loss = loss + (h - x[k % len(x)]) ** 2
    return loss / N


def some_earlier(x: Any, w: Any) -> Any:
    """Each number reads two of the last few."""
    rng, found = random.Random(1), [*w, *x[:4]]
    for _ in range(3 * N):
        a, b = rng.choice(found[-6:]), rng.choice(found[-6:])
        made = rng.choice([lambda a, b: a + b * 0.5, lambda a, b: (a * b).tanh(), ops.sin])
        found.append(made(a, b) if made is not ops.sin else ops.sin(a))
    return sum(found[-9:])


PROGRAMS = {f.__name__: f for f in (varied, two_that_read_each_other, two_units, some_earlier)}


def numbers(seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    make = np.vectorize(Value, otypes=[object])
    return make(rng.normal(size=9) / 2), make(rng.normal(size=3) / 2)


def instructions(function: Callable[..., Any], *args: Any) -> list[Instruction]:
    tape, outputs = taped(function, *args)
    return schedule(tape, fuse(tape, outputs), {})[0].instructions


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number that is no part of an array is in a table, be it alone."""
    monkeypatch.setattr(straight, "FEWEST", 1)


# --- finding them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROGRAMS)
def test_numbers_of_many_kinds_are_a_table_or_two(name: str) -> None:
    found = instructions(PROGRAMS[name], np.ones(9), np.ones(3))
    tables = [one for one in found if one.kind == "straight"]
    assert tables and sum(one.out.shape[0] for one in tables) > N
    assert len(found) <= 12


def test_a_few_numbers_stay_as_they_are() -> None:
    def short(x: Any) -> Any:
        h = x[0]
        for k in range(straight.FEWEST // 3 - 1):
            h = ops.sin(h * x[k % 3]) - x[1]
        return h

    assert not [one for one in instructions(short, np.ones(3)) if one.kind == "straight"]


def test_arrays_stay_arrays_beside_a_table() -> None:
    def both(X: Any, w: Any) -> Any:
        return varied(w, w) * sum((x @ w).tanh() for x in X)

    found = instructions(both, np.ones((50, 3)), np.ones(3))
    assert [one.out.shape for one in found if one.kind == "dot"] == [(50, 3)]
    assert len(found) <= 14


def test_a_table_between_arrays_is_computed_between_them() -> None:
    def between(X: Any, w: Any) -> Any:
        first = sum((x @ w).tanh() for x in X)
        middle = varied([first, *w], w)
        return sum((x * middle + w[0]).sum() ** 2 for x in X)

    check(program_of(between, np.full((20, 3), 0.1), np.full(3, 0.5)))
    kinds = [one.kind for one in instructions(between, np.ones((20, 3)), np.ones(3))]
    assert kinds.count("straight") == 1
    assert 2 <= kinds.index("straight") < len(kinds) - 2


# --- right, forward and backward ------------------------------------------------------------------


@pytest.mark.parametrize("executor", SHIPPED)
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_executor_computes_tables(name: str, executor: str) -> None:
    same(PROGRAMS[name], *numbers(), executor)


@pytest.mark.parametrize("name", PROGRAMS)
def test_jax_computes_tables(name: str) -> None:
    x, w = numbers()
    eager = PROGRAMS[name](x, w)
    eager.backward()
    want = gradients([*x, *w])
    made, found = in_jax(lift(lambda x, w: PROGRAMS[name](x, w)), [x, w], [1.0])
    np.testing.assert_allclose(made, [eager.data], rtol=1e-11)
    np.testing.assert_allclose([found.get(v, 0.0) for v in [*x, *w]], want, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("executor", SHIPPED)
@pytest.mark.parametrize("bad", [0.0, 1e308, -1.0, np.inf, np.nan])
def test_where_python_would_raise_the_answer_is_that_of_ieee(bad: float, executor: str) -> None:
    def raises(x: Any, w: Any) -> Any:
        h = varied(x[1:], w)
        for row in (x[0] ** -1, x[0].log(), x[0].exp(), ops.sin(x[0]), x[0] ** 0.5, h / x[0]):
            h = h * 0.5 + row
        return h

    x, w = numbers()
    x[0].data = bad
    same(raises, x, w, executor)


def test_what_no_gradient_reaches_passes_nothing_on() -> None:
    def two(x: Any, w: Any) -> Any:
        h, other = x[0], x[1]
        for k in range(N):
            h = (h * w[k % 3]).tanh() + x[2]
            other = ops.sin(other + h) * w[1]
        return h, other / (x[3] - x[3])  # the other one's derivative is infinite

    x, w = numbers()
    two(x, w)[0].backward()
    eager = gradients([*x, *w])
    lift(lambda: two(x, w))()[0].backward()
    np.testing.assert_allclose(gradients([*x, *w]), eager, rtol=1e-12)
    assert np.isfinite(eager).all()


def test_each_of_several_results_has_its_own_gradients() -> None:
    def three(x: Any, w: Any) -> Any:
        return varied(x, w), two_units(x, w), some_earlier(x, w)

    x, w = numbers()
    lifted = lift(lambda: three(x, w))
    for which in (0, 1, 2, 1):
        three(x, w)[which].backward()
        eager = gradients([*x, *w])
        lifted()[which].backward()
        np.testing.assert_allclose(gradients([*x, *w]), eager, rtol=1e-11, atol=1e-13)


def test_two_calls_that_live_at_once_have_their_own_numbers() -> None:
    x, w = numbers()
    lifted = lift(lambda a: varied(a, w))
    one, other = lifted(x), lifted(x * 2.0)
    other.backward()
    gradients([*x, *w])
    one.backward()
    found = gradients([*x, *w])
    varied(x, w).backward()
    np.testing.assert_allclose(found, gradients([*x, *w]), rtol=1e-11, atol=1e-13)


def test_a_table_is_part_of_a_program_of_any_batch() -> None:
    x, w = numbers()

    def loss(X: Any) -> Any:
        scale = varied(x, w)
        return sum((row * scale).sum() for row in X) / len(X)

    lifted = lift(batched=("X",))(loss)
    for size in (5, 64):
        X = np.random.default_rng(size).normal(size=(size, 2))
        lifted(X).backward()
        found = gradients([*x, *w])
        loss(X).backward()
        np.testing.assert_allclose(found, gradients([*x, *w]), rtol=1e-10, atol=1e-13)
    assert len(lifted.program.recording.layout.instructions) < 12


def test_a_program_with_a_table_can_be_pickled() -> None:
    lifted = lift(some_earlier)
    args = np.linspace(-1.0, 1.0, 9), np.linspace(0.1, 0.3, 3)
    want = lifted(*args).data
    assert pickle.loads(pickle.dumps(lifted.program))(*args).data == want


@programs(40)
@given(sample=expressions() | loops())
def test_random_programs_in_tables_agree(sample: Sample) -> None:
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(straight, "FEWEST", 1)
        try:
            equal_to_eager(sample, lift)
        except Undecided:
            assume(False)


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["numpy", "native"])
@programs(300)
@given(sample=expressions() | loops())
def test_many_random_programs_in_tables_agree(sample: Sample, executor: str) -> None:
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(straight, "FEWEST", 1)
        try:
            equal_to_eager(sample, lambda f: lift(f, executor=executor))
        except Undecided:
            assume(False)


# --- as steps -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROGRAMS)
def test_steps_of_a_table_are_sound(name: str) -> None:
    backward_checks(PROGRAMS[name], np.linspace(0.1, 0.9, 9), np.linspace(0.2, 0.4, 3))


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_text_of_a_table_runs(name: str) -> None:
    text = text_equals_steps(PROGRAMS[name], (np.linspace(0.1, 0.9, 9), np.linspace(0.2, 0.4, 3)))
    assert max(map(len, str(text).splitlines())) <= 160


def test_a_table_reads_as_a_loop_that_chooses(everywhere: None) -> None:
    def short(x: Any) -> Any:
        return ops.sin(x[0] * x[1]) + x[0]

    program = program_of(short, np.ones(2))
    lifted = lift(short)
    lifted(np.ones(2))
    first, *others = str(lifted.program.text).splitlines()[-3:]
    assert first.split("  ")[0] == "for s in range(3):"
    assert others == [
        "    x_2, y = t1[places[s]], t1[places_2[s]]",
        "    t1[s + 2] = choose(constant_1[s], x_2 * y, sin(x_2), x_2 + y)",
    ]
    assert "choose(constant_1[1*i], " in str(program.forward[-1])


def table_of(program: Any) -> tuple[int, Step]:
    return next((k, s) for k, s in enumerate(program.forward) if "choose" in str(s))


@pytest.mark.parametrize(
    ("fault", "message"),
    [("reads ahead", "is read before it is written"), ("a case too many", "there are 2 cases")],
)
def test_check_finds_a_wrong_table(fault: str, message: str) -> None:
    program = program_of(two_that_read_each_other, np.ones(9), np.ones(3))
    k, step = table_of(program)
    if fault == "reads ahead":
        view = step.reads[0]
        last = view.gather.max()
        wrong = replace(view, gather=np.where(view.gather == last, last + 2, view.gather))
        made = replace(step, reads=(wrong, *step.reads[1:]))
    else:
        which, *cases = step.value.inputs  # type: ignore[union-attr]
        made = replace(step, value=replace(step.value, op=choose(2), inputs=(which, *cases[:2])))  # type: ignore[call-arg]
    steps = (*program.forward[:k], made, *program.forward[k + 1 :])
    with pytest.raises(Fault, match=message):
        check(replace(program, forward=steps))


def test_backward_of_a_table_is_one_table() -> None:
    program = program_of(varied, *numbers())
    tables = [step for step in adjoint(program, [0]) if "choose" in str(step)]
    assert len(tables) == 1
    assert tables[0].accumulate


def test_a_wrong_case_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(straight, "_PLUS_PRODUCT", Apply(ops.add, (Read(1), Read(2))))
    with pytest.raises(AssertionError):
        same(varied, *numbers())


@pytest.mark.parametrize("executor", SHIPPED)
def test_numbers_that_read_none_of_their_own(executor: str, everywhere: None) -> None:
    def apart(x: Any, w: Any) -> Any:
        return [x[0] * w[0], ops.sin(x[1]), x[2] - w[1], x[3].tanh(), w[2] / x[4]]

    x, w = [0.5, 0.25, 1.0, 2.0, 4.0], [3.0, 2.0, 1.0]
    found = [v.data for v in through(executor)(apart)(x, w)]
    assert found == pytest.approx([1.5, np.sin(0.25), -1.0, np.tanh(2.0), 0.25])


def test_an_operation_of_more_numbers_than_a_case_has_stays_an_instruction() -> None:
    four = op(
        "four", lambda a, b, c, d: a * b + c * d,
        [lambda a, b, c, d, o: b, lambda a, b, c, d, o: a,
         lambda a, b, c, d, o: d, lambda a, b, c, d, o: c],
    )  # fmt: skip
    ways = [
        lambda a, b, x: four(a, b, x[1], x[2]) * 0.3,
        lambda a, b, x: (a + b).tanh(),
        lambda a, b, x: a - b * 0.2,
    ]
    order = np.random.default_rng(0).integers(0, 3, 200)

    def formula(x: Any, w: Any) -> Any:
        a = x[0]
        for k, which in enumerate(order):
            a = ways[which](a, x[k % 5], x)
        return a

    same(formula, np.array([Value(number) for number in np.linspace(0.1, 0.9, 6)]), [])
