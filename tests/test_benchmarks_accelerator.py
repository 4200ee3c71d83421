"""The table of an accelerator, made here on the processor and for small batches."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks import accelerator
from benchmarks.accelerator import by_hand, by_torch, measure, names, points, table


@pytest.mark.slow
def test_each_engine_takes_the_same_steps() -> None:
    for row in (points(30), names(3)):
        for dtype, near in accelerator.NEAR.items():
            steps = [made(row, dtype) for made in (accelerator.exported, by_hand, by_torch)]
            for _ in range(3):
                ours, theirs, torchs = (float(step()) for step in steps)
                assert abs(ours - theirs) <= near
                assert abs(ours - torchs) <= near


@pytest.mark.slow
def test_a_table_has_a_line_for_each_row_and_precision() -> None:
    lines = list(table((points(20),), steps=2))
    assert len(lines) == 4
    assert lines[2].startswith("| demo, batch 20 | float64 | ")
    assert lines[3].startswith("| demo, batch 20 | float32 | ")


def test_another_loss_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    row = points(20)
    other = row._replace(lr=0.06)
    monkeypatch.setattr(accelerator, "by_hand", lambda _, dtype: by_hand(other, dtype))
    with pytest.raises(AssertionError, match=r"JAX by hand is .* off"):
        measure(row, "float64", steps=1)


def test_without_an_accelerator_it_says_so() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.accelerator"], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("skipped: JAX finds no accelerator here")
