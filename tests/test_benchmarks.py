"""How the benchmarks measure: on one core, by the wall clock, with a stop at a wrong result."""

from __future__ import annotations

import copy
import math
import os
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import engine, harness, recording
from benchmarks import lift as benchmark

# --- where and how it is measured ----------------------------------------------------------------


@pytest.mark.skipif(not harness.CAN_PIN, reason="no sched_setaffinity on this system")
def test_a_measuring_process_has_one_core_and_this_one_keeps_its_own() -> None:
    before = os.sched_getaffinity(0)
    with harness.one_core():
        (core,) = os.sched_getaffinity(0)
    assert core in before
    assert harness.fresh("benchmarks.harness") == {}  # raises where the process has another number
    assert os.sched_getaffinity(0) == before


def test_a_process_that_left_its_core_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(
            command, 0, stdout='noise\n{"seconds": 1.0, "cores": 2}\n'
        )

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(harness, "CAN_PIN", True)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cores: None, raising=False)
    with pytest.raises(RuntimeError, match="ran on 2 cores"):
        harness.fresh("benchmarks.engine")
    monkeypatch.setattr(harness, "CAN_PIN", False)
    assert harness.fresh("benchmarks.engine") == {"seconds": 1.0}
    assert "not pinned" in harness.machine()["processor"], "the table says so"


def test_the_clock_is_the_one_on_the_wall() -> None:
    found = harness.seconds(lambda: time.sleep(0.02), 3)
    assert found["seconds"] >= 0.02  # asleep, a process computes nothing
    assert found["processor"] < 0.01

    class Sleeper:
        def step(self, batch: float) -> float:
            time.sleep(batch)
            return batch

    found = benchmark.whole(Sleeper(), [0.02, 0.02])
    assert found["seconds"] >= 0.02
    assert found["processor"] < 0.01
    assert recording.clock is time.perf_counter


def test_what_is_done_between_two_steps_is_not_timed() -> None:
    found = harness.seconds(lambda: None, 3, between=lambda: time.sleep(0.02))
    assert found["seconds"] < 0.02


# --- equal results --------------------------------------------------------------------------------

RIGHT = {
    "losses": [0.7, 0.6, 0.5],
    "gradients": {"weight": [0.1, -0.2, 0.0], "bias": [1e-3]},
}


def wrong_loss(result: dict[str, Any]) -> None:
    result["losses"][2] *= 1 + 1e-8


def wrong_gradient(result: dict[str, Any]) -> None:
    result["gradients"]["weight"][2] += 1e-8


def dropped_gradient(result: dict[str, Any]) -> None:
    del result["gradients"]["bias"]


def nan_loss(result: dict[str, Any]) -> None:
    result["losses"][0] = math.nan


FAULTS = (wrong_loss, wrong_gradient, dropped_gradient, nan_loss)


@pytest.mark.parametrize("plant", FAULTS)
def test_a_wrong_result_is_refused(plant: Callable[[dict[str, Any]], None]) -> None:
    wrong = copy.deepcopy(RIGHT)
    benchmark.same(wrong, RIGHT)
    plant(wrong)
    for a, b in ((wrong, RIGHT), (RIGHT, wrong)):
        with pytest.raises(AssertionError):
            benchmark.same(a, b)


def test_not_a_number_on_both_sides_is_no_agreement() -> None:
    both = copy.deepcopy(RIGHT)
    nan_loss(both)
    with pytest.raises(AssertionError):
        benchmark.same(both, both)


@pytest.mark.parametrize("what", ["losses", "gradients"])
def test_the_engine_benchmark_refuses_a_wrong_result(what: str) -> None:
    right = {"losses": [0.7, 0.6], "gradients": [0.1, 0.2]}
    wrong = copy.deepcopy(right)
    engine.same(wrong, right)
    wrong[what][1] += 1e-8
    with pytest.raises(AssertionError):
        engine.same(wrong, right)
