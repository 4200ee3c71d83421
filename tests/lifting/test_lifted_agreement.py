"""lift: what runs lifted equals what runs eagerly, on random programs of every kind.

`make test` runs some 1,500 of them, `make nightly` 20,000 others each time.

Covers `forward.py`, `symbols.py`, `views.py`, `write.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from absolute import Undecided, flat, measures
from hypothesis import assume, given
from hypothesis import strategies as st
from random_batches import batches
from random_histories import histories, keeps_up
from random_programs import (
    Sample,
    agrees,
    expressions,
    gradients,
    leaves,
    loops,
    programs,
    some_of,
    traceable,
)
from random_routines import routines
from random_settings import Settings, never_stale, settings_of_functions
from random_tables import tables
from test_edges import kinds, swapped_numbers
from test_text import text_equals_steps

from micrograd import LiftError, Value, functional, lift


def lifted_equals_eager(sample: Sample) -> None:
    equals_eager(sample, lift)


def equals_eager(sample: Sample, lifting: Callable[..., Any]) -> None:
    with np.errstate(all="ignore"):
        try:
            agrees(sample, lifting)
        except Undecided:
            assume(False)


@pytest.mark.slow
@programs(250)
@given(expressions())
def test_random_graphs_agree(sample: Sample) -> None:
    lifted_equals_eager(sample)


@pytest.mark.slow
@programs(250)
@given(loops())
def test_random_loops_agree(sample: Sample) -> None:
    lifted_equals_eager(sample)


@pytest.mark.slow
@programs(250)
@given(routines())
def test_random_routines_agree(sample: Sample) -> None:
    lifted_equals_eager(sample)


@pytest.mark.slow
@programs(200)
@given(tables())
def test_random_tables_agree(sample: Sample) -> None:
    lifted_equals_eager(sample)


@pytest.mark.slow
@programs(60)
@given(batches())
def test_random_batches_agree_at_every_size(sample: Sample) -> None:
    """What does not treat the rows alike says so, and is right as well."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not extend")
        equals_eager(sample, lambda f: lift(batched=("X", "i"))(lambda X, i: f(X, i)))


@pytest.mark.slow
@programs(150)
@given(st.one_of(routines(), loops(), expressions(), tables()), histories, st.booleans())
def test_random_programs_keep_up_with_what_happens_between_calls(
    sample: Sample, history: list[tuple[str, int, int]], past: bool
) -> None:
    try:
        keeps_up(sample, history, past)
    except Undecided:
        assume(False)


# --- infinities, nan and zeros of both signs ------------------------------------------------------


def agrees_in_kind(sample: Sample, seed: int) -> None:
    """nan where eager has nan, infinities of the same sign, the rest near: values and gradients."""
    parameters, rng = sample.parameters, np.random.default_rng(seed)
    for p in parameters.flat[::2]:
        p.data = float(rng.choice([0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf, np.nan]))
    lifted = lift(lambda *arguments: sample.function(parameters, *arguments))
    for arguments in swapped_numbers(sample, seed):
        wanted = [*parameters.flat, *(v for v in flat(arguments) if isinstance(v, Value))]
        want, got = flat(sample.function(parameters, *arguments)), flat(lifted(*arguments))
        again = [traceable(x) for x in arguments]
        measures(lambda a=again: flat(sample.function(parameters, *a)), [1.0] * len(want), wanted)
        kinds([float(v) for v in got], [float(v) for v in want])
        for _ in range(3):
            which = some_of(want, rng)
            kinds(
                *(gradients([r[k] for k in which], [1.0] * len(which), wanted) for r in (got, want))
            )


COMPUTED = ("computed", "sums", "product", "squa", "scaled", "two tables", "what was chosen")


def _takes(sample: Sample) -> bool:
    """A row that is not taken has gradient 0 in a lifted table, as in PyTorch, eagerly none.

    Where the row was computed, zero times an infinite derivative is nan; of leaves it is 0.
    """
    whole = " ".join(sample.steps)
    if whole.startswith("take"):
        return any(word in whole for word in COMPUTED)
    return any(word in whole for word in ("take", "cross entropy", "chosen"))


@pytest.mark.slow
@programs(250)
@given(
    st.one_of(expressions(), loops(), routines(), tables()).filter(lambda s: not _takes(s)),
    st.integers(0, 2**32 - 1),
)
def test_infinities_and_nan_agree_in_random_programs(sample: Sample, seed: int) -> None:
    with np.errstate(all="ignore"):
        try:
            agrees_in_kind(sample, seed)
        except Undecided:
            assume(False)


# --- never stale, never silent --------------------------------------------------------------------


@pytest.mark.slow
@programs(100)
@given(settings_of_functions())
def test_what_is_changed_in_place_is_never_stale(settings: Settings) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*has been recorded")
        never_stale(settings)


# --- the text -------------------------------------------------------------------------------------


@pytest.mark.slow
@programs(100)
@given(st.one_of(routines(), tables()))
def test_the_printed_text_of_routines_and_tables_runs(sample: Sample) -> None:
    text_equals_steps(lambda *args: sample.function(sample.parameters, *args), sample.calls[1])


# --- equality -------------------------------------------------------------------------------------

ASKS: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda x, y: x * 2 if y[0] == 1 else -x,
    "!=": lambda x, y: x * 2 if y[0] != 1 else -x,
    "1 ==": lambda x, y: x * 2 if 1 == y[0] else -x,  # noqa: SIM300
    "not ==": lambda x, y: x * 2 if not y[0] == 1 else -x,  # noqa: SIM201
    "two numbers": lambda x, y: x * 2 if y[0] == y[1] else -x,
    "a tuple": lambda x, y: x * 2 if (y[0], "a") == (1, "a") else -x,
    "in": lambda x, y: x * 2 if y[0] in (1, 5) else -x,
    "in an array": lambda x, y: x * 2 if 1 in y else -x,
    "index": lambda x, y: x * [0, 1, 2].index(y[0]),
    "count": lambda x, y: x * [0, 1, 1].count(y[0]),
    "a dict": lambda x, y: x * {0: 3.0, 1: 2.0}.get(y[0], 1.0),
    "a set": lambda x, y: x * len({0, 1, y[0]}),
    "a mask": lambda x, y: (x * (y == 1)).sum(),
    "another mask": lambda x, y: (x * (y != 1)).sum(),
    "chosen by a mask": lambda x, y: np.array([x, x * 2, x * 3])[y == 1].sum(),
    "np.where": lambda x, y: np.where(y == 1, x, -x).sum(),
    "np.equal": lambda x, y: (x * np.equal(y, 1)).sum(),
    "array_equal": lambda x, y: x * np.array_equal(y, [1, 1, 0]),
}


def equality_is_answered(ask: Callable[[Any, Any], Any]) -> None:
    """Whoever asks whether a number equals something gets the answer of eager, or a LiftError."""
    f, w = lift(lambda x, y: ask(x * w, y)), Value(2.0)
    for y in ([1, 1, 0], [0, 0, 2], [2, 1, 5], [1, 2, 1]):
        for kind in (int, float):
            try:
                got = f(1.5, np.array(y, dtype=kind))
            except LiftError:
                continue
            want = ask(Value(1.5) * w, np.array(y, dtype=kind))
            assert float(got) == float(want), f"{float(got)} for {float(want)}"


@pytest.mark.parametrize("name", ASKS)
def test_equality_is_answered_or_refused(name: str) -> None:
    equality_is_answered(ASKS[name])


# --- indices out of range -------------------------------------------------------------------------

TABLES: dict[str, Callable[[Any, Any], Any]] = {
    "parameters": lambda w, x: w,
    "one row": lambda w, x: w[:1],
    "computed": lambda w, x: w * x[0],
    "gathered": lambda w, x: w[[0, 0, 2]],
    "nested": lambda w, x: w[:, :2].ravel(),
    "transposed": lambda w, x: w.T,
    "numbers": lambda w, x: np.ones((2, 2)) * x[1],
}


@pytest.mark.parametrize("name", TABLES)
def test_an_index_out_of_range_is_the_error_that_it_is_eagerly(name: str) -> None:
    w, x = leaves(np.arange(1.0, 10.0).reshape(3, 3)), np.array([2.0, 3.0])
    rows = len(TABLES[name](w, x))

    def function(i: Any, x: Any) -> Any:
        return functional.take(TABLES[name](w, x), i)

    f = lift(function)
    for wrong in (-1, rows, rows + 5, -rows, 2**40):
        index = np.array([0, wrong])
        for run in (function, f):
            with pytest.raises(IndexError, match=str(wrong)):
                run(index, x)
        kinds(*([float(v) for v in flat(g(np.array([0, rows - 1]), x))] for g in (f, function)))
