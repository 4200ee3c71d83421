"""The benchmarks' networks: lifted equals eager, loops equal layers, and programs stay short."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from benchmarks import instruction_counts
from benchmarks.models import Network, demo, gpt, makemore, names, wavenet
from micrograd import grads, lift

HOWS = ("with_layers", "with_loops")
SHORT_NAMES = [name for name in names()[:400] if len(name) < 6]

# the network, its size where it can be small, batches one after the other, what grows with a batch
SMALL: dict[str, tuple[Any, dict[str, int], list[Any], tuple[str, ...]]] = {
    "demo": (demo, {}, [demo.batch(9), demo.batch(9)], ()),
    "demo, batched": (demo, {}, [demo.batch(9), demo.batch(4), demo.batch(2)], ("X", "y")),
    "gpt": (gpt, {}, gpt.single(2), ()),
    "gpt, batched": (
        gpt, {}, [gpt.padded(SHORT_NAMES[a:b], 4) for a, b in ((0, 4), (4, 6), (6, 7))],
        ("letters", "following", "mask"),
    ),
    "makemore": (makemore, {"hidden": 6}, makemore.batches(2, 3), ()),
    "makemore, batched": (
        makemore, {"hidden": 6}, [*makemore.batches(2, 4), *makemore.batches(1, 7)], ("X", "y"),
    ),
    "wavenet": (wavenet, {"embedding": 2, "hidden": 3}, wavenet.batches(2, 3), ()),
    "wavenet, batched": (
        wavenet, {"embedding": 2, "hidden": 3}, [*wavenet.batches(2, 4), *wavenet.batches(1, 8)],
        ("X", "y"),
    ),
}  # fmt: skip


def step(network: Network, loss: Any, batch: Any) -> tuple[float, dict[str, np.ndarray]]:
    """The loss and gradients of one batch; the parameters move a little."""
    for array in network.values.values():
        for value in array.flat:
            value.grad = 0.0
    total = loss(*batch)
    total.backward()
    gradients = {name: grads(array) for name, array in network.values.items()}
    for array in network.values.values():
        for value in array.flat:
            value.data -= 0.05 * value.grad
    return total.data, gradients


def assert_same(a: Any, b: Any, tolerance: float) -> None:
    assert abs(a[0] - b[0]) <= tolerance * abs(b[0])
    assert a[1].keys() == b[1].keys()
    largest = max(np.abs(gradient).max() for gradient in b[1].values())
    for name, gradient in a[1].items():
        assert np.abs(gradient - b[1][name]).max() <= tolerance * largest, name


@pytest.mark.slow
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("case", SMALL)
def test_lifted_equals_eager_step_after_step(case: str, how: str) -> None:
    module, size, batches, batched = SMALL[case]
    eager = getattr(module, how)(module.numbers(**size))
    lifted = getattr(module, how)(module.numbers(**size))
    loss = lift(lifted.loss, batched=batched)
    for batch in batches:
        assert_same(step(lifted, loss, batch), step(eager, eager.loss, batch), 1e-12)
    assert loss.program is not None
    if batched:
        assert len(loss.programs) == 1, "one recording serves every size"


@pytest.mark.parametrize("case", [case for case in SMALL if "batched" not in case])
def test_layers_and_plain_loops_compute_the_same(case: str) -> None:
    module, size, batches, _ = SMALL[case]
    layers, loops = (getattr(module, how)(module.numbers(**size)) for how in HOWS)
    for batch in batches:
        assert_same(step(layers, layers.loss, batch), step(loops, loops.loss, batch), 1e-12)


@pytest.mark.parametrize(
    ("network", "parameters"),
    [("demo", 337), ("gpt", 4192), ("makemore", 11897), ("wavenet", 76579)],
)
def test_networks_are_of_the_size_that_they_claim(network: str, parameters: int) -> None:
    numbers = import_module(f"benchmarks.models.{network}").numbers()
    assert sum(array.size for array in numbers.values()) == parameters


# --- the committed table --------------------------------------------------------------------------

COMMITTED = instruction_counts.read()
LENGTHS = {"with_layers": range(1, 16), "with_loops": (1, 2, 5, 9, 15)}


@pytest.mark.slow
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("network", instruction_counts.CASES)
def test_programs_are_as_short_as_the_table_says(network: str, how: str) -> None:
    committed = COMMITTED[network][how]
    for letters in LENGTHS[how] if network == "gpt" else (6,):
        instructions, free = instruction_counts.measure(network, how, letters)
        assert instructions <= committed["instructions"], letters
        assert free >= committed["free"], letters


def test_the_table_keeps_what_is_promised() -> None:
    assert {network: row["limit"] for network, row in COMMITTED.items()} == {
        "demo": 14, "gpt": 80, "makemore": 20, "wavenet": 60,
    }  # fmt: skip
    for row in COMMITTED.values():
        for how in HOWS:
            assert row[how]["instructions"] <= row["limit"]
            assert row[how]["free"] >= 0.95


def test_a_gather_counts_against_the_share() -> None:
    order = np.random.default_rng(0).permutation(40)

    @lift
    def shuffled(x: Any) -> Any:
        y = x * x
        return sum(a * b for a, b in zip(y, y[order], strict=True))

    shuffled(np.arange(40.0))
    assert instruction_counts.count(shuffled.program)[1] < 0.5
