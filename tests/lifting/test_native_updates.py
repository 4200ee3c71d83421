"""Optimisers' steps as one compiled loop: the numbers of the steps in NumPy, bit for bit.

Covers `run/native/updates.py` and `linking.py`.
"""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from micrograd import Value, optim
from micrograd.lifting.run.native import updates

OPTIMISERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: optim.SGD(p, 0.1),
    "sgd, decay": lambda p: optim.SGD(p, 0.1, weight_decay=0.01),
    "momentum": lambda p: optim.SGD(p, 0.1, momentum=0.9),
    "nesterov": lambda p: optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.1, nesterov=True),
    "adam": lambda p: optim.Adam(p, 0.01),
    "adam, decay": lambda p: optim.Adam(p, 0.01, (0.8, 0.95), 1e-6, 0.1),
    "adamw": lambda p: optim.AdamW(p, 0.01),
    "adamw, no decay": lambda p: optim.AdamW(p, 0.01, weight_decay=0.0),
}
NAME = updates.__name__


def trained(
    make: Callable[[Any], Any], native: bool, monkeypatch: pytest.MonkeyPatch, size: int = 37
) -> tuple[np.ndarray, Any]:
    """The parameters after some steps, with gradients that are inf or nan among them."""
    rng = np.random.default_rng(4)
    parameters = [Value(float(x)) for x in rng.normal(size=size)]
    optimiser = make(parameters)
    with monkeypatch.context() as patch:
        if not native:
            patch.delitem(sys.modules, NAME)
        for step in range(6):
            grads = rng.normal(size=size)
            grads[step::11] = (0.0, np.inf, 1e-300, -0.0, np.nan, 1e200)[step]
            optimiser.block.grads = grads
            optimiser.lr *= 0.9
            with np.errstate(all="ignore"):
                optimiser.step()
    assert (optimiser._compiled is not None) == native
    return optimiser.block.data.copy(), optimiser


@pytest.mark.parametrize("name", OPTIMISERS)
def test_steps_are_those_of_numpy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (got, mine), (want, theirs) = (
        trained(OPTIMISERS[name], native, monkeypatch) for native in (True, False)
    )
    np.testing.assert_array_equal(got, want)
    for a, b in zip(mine._moments, theirs._moments, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_steps_go_on_where_parameters_have_moved(
    name: str, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not native:
        monkeypatch.delitem(sys.modules, NAME)

    def after(moving: bool) -> list[float]:
        parameters = [Value(1.0), Value(-2.0), Value(0.5)]
        optimiser = OPTIMISERS[name](parameters)
        for step in range(4):
            if moving and step == 2:
                optim.SGD([Value(9.0), parameters[1]], 0.1)  # its store takes all of them
            optimiser.zero_grad()
            assert [p.grad for p in parameters] == [0.0] * 3
            for p in parameters:
                p.grad = p.data + step
            optimiser.step()
        return [p.data for p in parameters]

    assert after(moving=True) == after(moving=False)


def test_another_line_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = updates.adam
    monkeypatch.setattr(updates, "adam", lambda decay: (lines(decay)[1], *lines(decay)[1:]))
    (got, _), (want, _) = (
        trained(OPTIMISERS["adam"], native, monkeypatch) for native in (True, False)
    )
    assert not np.array_equal(got, want)


def test_parameters_that_move_to_another_store_are_followed() -> None:
    parameters = [Value(1.0), Value(2.0)]
    first = optim.SGD(parameters, 0.5)
    for p in parameters:
        p.grad = 1.0
    first.step()
    both = [*parameters, Value(3.0)]
    second = optim.SGD(both, 0.5)
    for p in both:
        p.grad = 1.0
    first.step()
    second.step()
    assert [p.data for p in both] == [-0.5, 0.5, 2.5]


def test_parameters_apart_are_moved_in_numpy() -> None:
    parameters = [Value(float(k)) for k in range(4)]
    optim.SGD(parameters, 0.5)
    some = optim.SGD(parameters[::2], 0.5)
    for p in parameters:
        p.grad = 1.0
    some.step()
    assert [p.data for p in parameters] == [-0.5, 1.0, 1.5, 3.0]


def test_an_optimiser_of_ones_own_keeps_its_own_way() -> None:
    class Backwards(optim.SGD):
        def _move(self, p: np.ndarray, g: np.ndarray) -> None:
            p += self.lr * g

    p = Value(1.0)
    optimiser = Backwards([p], 0.5)
    p.grad = 1.0
    optimiser.step()
    assert p.data == 1.5


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_goes_on_apart(again: Callable[[Any], Any]) -> None:
    p = Value(1.0)
    optimiser = optim.SGD([p], 0.5, momentum=0.5)
    p.grad = 1.0
    optimiser.step()
    other = again(optimiser)
    (q,) = other.block.members
    q.grad = 1.0
    other.step()
    assert (p.data, q.data) == (0.5, -0.25)
    optimiser.step()
    assert (p.data, q.data) == (-0.25, -0.25)
