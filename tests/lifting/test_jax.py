"""Lifted programs as JAX functions: equal to the eager engine, whatever JAX does with them.

Covers `run/with_jax/`: `function.py`, `arguments.py`, `arrays.py`, `places.py`, `products.py`,
`rows.py`, `stacks.py`, `steps.py`.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from absolute import Undecided
from exporting import agrees, in_jax
from hypothesis import Phase, assume, given, settings
from oracle import ROWS, SPECIAL, same
from random_programs import Sample, expressions, leaves, loops, programs

from micrograd import lift, numbers

# XLA takes what is below 2.2e-308, subnormal numbers, as 0
NORMAL = tuple(1e-300 if 0 < abs(x) < 1e-307 else x for x in SPECIAL)
ODD = (0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf, np.nan)


# --- the op table ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_the_table(name: str) -> None:
    """Values and gradients at kinks, poles, infinities and nan."""
    op, _ = ROWS[name]
    few = NORMAL if op.arity <= 2 else ODD
    xs = leaves(np.array(list(itertools.product(few, repeat=op.arity))[:9000]).T)
    want = op(*xs)
    sum(want).backward()
    made, found = in_jax(lift(lambda x: op(*x)), [xs], [1.0] * len(want))
    wrong = ~same(made, numbers(want), rel=1e-12)
    assert not wrong.any(), (numbers(xs)[:, wrong], made[wrong], numbers(want)[wrong])
    got = np.array([found[x] for x in xs.flat]).reshape(xs.shape)
    expected = np.array([x.grad for x in xs.flat]).reshape(xs.shape)
    wrong = ~same(got, expected, rel=1e-12)
    where = wrong.any(axis=0)
    assert not wrong.any(), (numbers(xs)[:, where], got[wrong], expected[wrong])


# --- random programs ------------------------------------------------------------------------------


def some(count: int) -> settings:
    """Settings without shrinking: every example is compiled."""
    return settings(programs(count), phases=[Phase.explicit, Phase.generate])


def equals_eager(sample: Sample) -> None:
    with np.errstate(all="ignore"):
        try:
            agrees(sample)
        except Undecided:
            assume(False)


@some(12)
@given(sample=expressions())
def test_some_random_graphs(sample: Sample) -> None:
    equals_eager(sample)


@some(12)
@given(sample=loops())
def test_some_random_loops(sample: Sample) -> None:
    equals_eager(sample)


@pytest.mark.slow
@some(240)
@given(sample=expressions())
def test_random_graphs(sample: Sample) -> None:
    equals_eager(sample)


@pytest.mark.slow
@some(240)
@given(sample=loops())
def test_random_loops(sample: Sample) -> None:
    equals_eager(sample)
