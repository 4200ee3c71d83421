"""The benchmarks' validators: they pass what is equal and stop at a planted wrong result."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from benchmarks import engine, harness
from benchmarks import lift as benchmark
from benchmarks.models import demo, gpt, makemore, wavenet
from benchmarks.peers import ours, with_scalars, with_torch

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


def test_a_peer_that_computes_something_else_stops_the_benchmark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fresh(module: str, key: str, peer: str) -> dict[str, Any]:
        result = copy.deepcopy(RIGHT)
        if peer == "torch":
            wrong_gradient(result)
        return {**result, "seconds": 1.0, "first": 1.0}

    monkeypatch.setattr(harness, "fresh", fresh)
    with pytest.raises(AssertionError, match="weight"):
        benchmark.figures("makemore-32")


def test_a_row_slower_than_it_is_held_to_is_a_failure() -> None:
    found = {e: {"seconds": 1.0, "first": 1.0} for e in benchmark.ENGINES}
    found["torch"]["seconds"], found["layers"]["first"] = 1.31, 11.0
    (only,) = benchmark.failures("makemore-32", found)
    assert "first call took 11.0 s" in only
    found["torch"]["seconds"], found["layers"]["first"] = 1.29, 1.0
    (only,) = benchmark.failures("makemore-32", found)
    assert "held to 1.3" in only


# --- the peers themselves, at small size ----------------------------------------------------------

BATCHES = {
    "demo": (demo.numbers(), demo.batch(12)),
    "gpt": (gpt.numbers(), (np.array([0, 1, 14]), np.array([1, 14, 0]))),  # the name "an"
    "gpt, padded": (gpt.numbers(), gpt.padded(gpt.names()[:2], 11)),
    "makemore": (makemore.numbers(hidden=7), makemore.batches(1, 5)[0]),
    "wavenet": (wavenet.numbers(embedding=2, hidden=8), wavenet.batches(1, 3)[0]),
}
PEERS = {
    "torch": lambda *a: with_torch.Contestant(*a, fused=False),
    "torch-fused": lambda *a: with_torch.Contestant(*a, fused=True),
    "scalar": with_scalars.Contestant,
}


@pytest.mark.parametrize(
    ("peer", "problem", "optimiser"),
    [
        *product(("torch", "torch-fused"), BATCHES, ("sgd", "adam")),
        ("scalar", "gpt", "adam"),  # the demo's needs the original, which the benchmark fetches
    ],
)
def test_peers_take_the_same_steps_as_ours(peer: str, problem: str, optimiser: str) -> None:
    numbers, batch = BATCHES[problem]
    network = problem.split(",")[0]
    one = ours.Contestant(network, numbers, optimiser, 1e-3, "with_layers", ())
    other = PEERS[peer](network, numbers, optimiser, 1e-3)
    results = []
    for contestant in (one, other):
        given = contestant.prepare(batch)
        loss, gradients = contestant.gradients(given)
        losses = [loss, *(benchmark.number(contestant.step(given)) for _ in range(3))]
        gradients = {name: np.ravel(array) for name, array in gradients.items()}
        results.append({"losses": losses, "gradients": gradients})
    assert results[0]["losses"][3] < results[0]["losses"][1], "the steps go downhill"
    benchmark.same(*results)
