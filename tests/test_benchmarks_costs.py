"""What a step costs: its arithmetic is counted right, and fixed costs above the bound fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks import arithmetic, fixed_costs, harness, tables
from micrograd import Value, lift


def program_of(function: Any, *args: Any) -> Any:
    lifted = lift(function)
    lifted(*args)
    assert lifted.program is not None
    return lifted.program.program


def test_the_operations_of_a_sum_of_squares() -> None:
    n = 7
    w = np.array([Value(0.5) for _ in range(n)])
    program = program_of(lambda x: (x @ w) ** 2, np.ones(n))
    forward = sum(map(arithmetic.of, program.forward))
    assert forward == 2 * n + 1  # products and sums, a square
    # backward: 2 * y * seed is two products at most, then one for each weight, perhaps added up
    backward = arithmetic.of_step(program, "sgd") - forward - 2 * n
    assert n <= backward <= 2 * n + 4


def test_a_larger_matrix_is_counted_in_proportion() -> None:
    def operations(rows: int) -> int:
        w = np.array([Value(0.1 * k) for k in range(5)])
        return arithmetic.of_step(program_of(lambda X: (X @ w).sum(), np.ones((rows, 5))), "sgd")

    assert operations(40) - operations(30) == operations(30) - operations(20) > 10 * 2 * 5


def test_a_product_is_fast_and_counted_whole() -> None:
    assert 1e8 < arithmetic.product(64, 5) < 1e13


def measured(step: float) -> dict[str, float]:
    return {"call": 3.0, "backward": 2.0, "zero_grad": 0.1, "optimiser": 0.5, "step": step}


@pytest.mark.parametrize(("step", "failures"), [(6.5, 0), (fixed_costs.HELD_TO + 0.1, 2)])
def test_fixed_costs_above_the_bound_fail(
    step: float, failures: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    monkeypatch.setattr(harness, "machine", lambda *packages: {})
    monkeypatch.setattr(harness, "fresh", lambda module, executor: measured(step))
    assert fixed_costs.main() == failures
    assert f"{step:.3g} |" in (tmp_path / "fixed_costs.md").read_text()


@pytest.mark.parametrize("executor", fixed_costs.EXECUTORS)
def test_every_part_of_a_step_is_measured(executor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed_costs, "TURNS", 20)
    found = fixed_costs.measure(executor)
    assert set(found) == set(measured(1.0))
    assert found["step"] > 0.0
