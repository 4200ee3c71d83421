"""Each peer takes the same steps as ours, at small size: otherwise the benchmark compares nothing.

JAX and compiled PyTorch are held to this in each run of the benchmark, which needs them installed.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from benchmarks import lift as benchmark
from benchmarks.models import attention, cnn, demo, gpt, hmm, lstm, makemore, wavenet
from benchmarks.peers import by_hand, ours, with_scalars, with_torch

BATCHES = {
    "demo": (demo.numbers(), demo.batch(12)),
    "gpt": (gpt.numbers(), (np.array([0, 1, 14]), np.array([1, 14, 0]))),  # the name "an"
    "gpt, padded": (gpt.numbers(), gpt.padded(gpt.names()[:2], 11)),
    "makemore": (makemore.numbers(hidden=7), makemore.batches(1, 5)[0]),
    "wavenet": (wavenet.numbers(embedding=2, hidden=8), wavenet.batches(1, 3)[0]),
    "lstm": (lstm.numbers(embedding=3, hidden=4), lstm.batches(1, 3)[0]),
    "cnn": (cnn.numbers(channels=(2, 3)), cnn.batches(1, 2)[0]),
    "attention": (attention.numbers(width=4, length=9), attention.batches(1, 7)[0]),
    "hmm": (hmm.numbers(states=3), hmm.batches(1, 9)[0]),
}
PEERS = {
    "numpy": by_hand.Contestant,
    "torch-plain": lambda *a: with_torch.Contestant(*a, way="plain"),
    "torch-foreach": lambda *a: with_torch.Contestant(*a, way="foreach"),
    "torch-fused": lambda *a: with_torch.Contestant(*a, way="fused"),
    "scalar": with_scalars.Contestant,
}
LAYERS = ("demo", "gpt", "makemore", "wavenet")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("peer", "problem", "optimiser"),
    [
        *product(("numpy", "torch-plain", "torch-fused"), BATCHES, ("sgd", "adam")),
        *product(("torch-foreach",), ("demo", "lstm"), ("sgd", "adam")),
        ("scalar", "gpt", "adam"),  # the demo's needs the original, which the benchmark fetches
    ],
)
def test_peers_take_the_same_steps_as_ours(peer: str, problem: str, optimiser: str) -> None:
    numbers, batch = BATCHES[problem]
    network = problem.split(",")[0]
    how = "with_layers" if network in LAYERS else "with_loops"
    one = ours.Contestant(network, numbers, optimiser, 1e-3, how, ())
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


@pytest.mark.parametrize("network", ["cnn", "hmm", "wavenet"])
def test_the_form_that_pytorch_compiles_is_the_same_loss(network: str) -> None:
    numbers, batch = BATCHES[network]
    peer = with_torch.Contestant(network, numbers, "sgd", 1e-3)
    given = peer.prepare(batch)
    pure, running = with_torch.loss_with_statistics(network, numbers)
    loss, moved = pure(peer.p, *given)
    assert loss.item() == pytest.approx(peer.function(peer.p, *given).item(), rel=1e-12)
    for old, new in zip(running, moved, strict=True):
        old.lerp_(new, 0.1)
    if network == "wavenet":
        for pair, changed in zip(running, sum(peer.function.running.values(), ()), strict=True):
            np.testing.assert_allclose(pair, changed, rtol=1e-12)


def test_hand_written_numpy_moves_the_running_statistics_too() -> None:
    numbers, batch = BATCHES["wavenet"]
    numpy, torch = (PEERS[k]("wavenet", numbers, "sgd", 1e-3) for k in ("numpy", "torch-plain"))
    for peer in (numpy, torch):
        peer.gradients(peer.prepare(batch))
    for i in wavenet.LEVELS:
        for a, b in zip(numpy.network.running[i], torch.function.running[i], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.slow
def test_networks_that_are_loops_only_give_eagerly_what_they_give_lifted() -> None:
    for network in ("lstm", "cnn", "attention", "hmm"):
        numbers, batch = BATCHES[network]
        one = ours.Contestant(network, numbers, "sgd", 1e-3, "with_loops", ())
        one.loss.check(*batch)
