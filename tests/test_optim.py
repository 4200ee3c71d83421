"""optim: each optimiser and schedule equals torch.optim's step for step, to 1e-12 in float64."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from versus_torch import values

from micrograd import Value, grads, nn, numbers, optim

seeds = st.integers(0, 2**32 - 1)
STEPS = 25


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def same_path(ours: Any, theirs: Any, seed: int, n: int = 7, **kwargs: Any) -> None:
    """Both optimisers, fed the same gradients, give the same parameters after every step."""
    start = normal(n, seed=seed)
    ps, t = values(start), torch.tensor(start, requires_grad=True)
    mine, torchs = ours(list(ps), **kwargs), theirs([t], **kwargs)
    for k in range(STEPS):
        g = normal(n, seed=seed + k + 1)
        for p, number in zip(ps, g.tolist(), strict=True):
            p.grad = number
        t.grad = torch.tensor(g)
        mine.step()
        torchs.step()
        np.testing.assert_allclose(numbers(ps), t.detach().numpy(), rtol=1e-12, atol=1e-13)


rates = st.sampled_from([0.0, 1e-4, 0.1, 1.0])


@given(
    seed=seeds,
    lr=rates,
    momentum=st.sampled_from([0.0, 0.5, 0.99]),
    weight_decay=st.sampled_from([0.0, 0.3]),
)
def test_sgd_follows_torch(seed: int, **kwargs: Any) -> None:
    same_path(optim.SGD, torch.optim.SGD, seed, **kwargs)


@given(
    seed=seeds,
    lr=rates,
    momentum=st.sampled_from([0.5, 0.99]),
    weight_decay=st.sampled_from([0.0, 0.3]),
)
def test_nesterov_follows_torch(seed: int, **kwargs: Any) -> None:
    same_path(optim.SGD, torch.optim.SGD, seed, nesterov=True, **kwargs)


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@given(
    seed=seeds,
    lr=rates,
    betas=st.sampled_from([(0.9, 0.999), (0.85, 0.99), (0.0, 0.0)]),
    eps=st.sampled_from([1e-8, 1e-3]),
    weight_decay=st.sampled_from([0.0, 0.3]),
)
def test_adam_and_adamw_follow_torch(name: str, seed: int, **kwargs: Any) -> None:
    same_path(getattr(optim, name), getattr(torch.optim, name), seed, **kwargs)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_the_defaults_are_torchs(name: str) -> None:
    same_path(getattr(optim, name), getattr(torch.optim, name), seed=0)


def test_a_rate_changed_between_steps_is_heeded() -> None:
    start = normal(3)
    ps, t = values(start), torch.tensor(start, requires_grad=True)
    ours, theirs = optim.Adam(list(ps), lr=0.01), torch.optim.Adam([t], lr=0.01)
    t.grad = torch.tensor(normal(3, seed=1))
    ours.block.grads = normal(3, seed=1)
    for lr in (0.01, 0.005, 0.0, 1.0):
        ours.lr = theirs.param_groups[0]["lr"] = lr
        ours.step()
        theirs.step()
        np.testing.assert_allclose(numbers(ps), t.detach().numpy(), rtol=1e-12)


def test_a_network_learns_as_torchs_does() -> None:
    ours = nn.Sequential(nn.Linear(2, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1))
    theirs = torch.nn.Sequential(
        torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)
    ).double()
    theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})
    mine = optim.AdamW(ours.parameters(), lr=0.05)
    torchs = torch.optim.AdamW(theirs.parameters(), lr=0.05)
    X, y = normal(8, 2), normal(8, 1, seed=1)
    for _ in range(10):
        mine.zero_grad()
        torchs.zero_grad()
        ((ours(X) - y) ** 2).sum().backward()
        ((theirs(torch.tensor(X)) - torch.tensor(y)) ** 2).sum().backward()
        optim.clip_grad_norm(mine, 1.0)
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        mine.step()
        torchs.step()
    for k, v in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[k], v.numpy(), rtol=1e-9)


# --- one home -------------------------------------------------------------------------------------


def test_a_step_is_seen_in_every_value_and_a_written_value_by_the_next_step() -> None:
    p, q = Value(1.0), Value(2.0)
    optimizer = optim.SGD([p, q], lr=1.0)
    p.grad, q.grad = 0.25, 0.5
    optimizer.step()
    assert (p.data, q.data) == (0.75, 1.5)
    p.data = 10.0
    optimizer.step()
    assert (p.data, q.data) == (9.75, 1.0)
    optimizer.zero_grad()
    assert (p.grad, q.grad) == (0.0, 0.0)


@pytest.mark.parametrize(
    "make", [lambda p: optim.SGD(p, lr=0.1, momentum=0.9), optim.Adam, optim.AdamW]
)
def test_two_optimisers_may_share_parameters_in_any_order(make: Any) -> None:
    start, g = normal(6), normal(6, seed=1)
    together, apart = values(start), values(start)
    every_other = make(list(together[::-2]))  # 5, 3, 1: not side by side in the store of all
    rest = make(list(together[::2]))
    optim.SGD(list(together))  # moves both stores into one
    one = make(list(apart))
    for ps in (together, apart):
        for p, number in zip(ps, g.tolist(), strict=True):
            p.grad = number
    for _ in range(3):
        every_other.step()
        rest.step()
        one.step()
    np.testing.assert_allclose(numbers(together), numbers(apart), rtol=1e-14)
    assert optim.clip_grad_norm(every_other, 0.1) == pytest.approx(
        np.linalg.norm(g[1::2]), rel=1e-14
    )
    np.testing.assert_allclose(grads(together)[::2], g[::2])
    assert np.linalg.norm(grads(together)[1::2]) == pytest.approx(0.1, rel=1e-5)
    every_other.zero_grad()
    assert not grads(together)[1::2].any()
    assert grads(together)[::2].all()


def test_parameters_may_come_as_arrays_and_twice() -> None:
    W, b = values(np.ones((2, 2))), Value(1.0)
    optimizer = optim.SGD([W, b, W[0, 0]], lr=0.5)
    optimizer.block.grads = 1.0
    optimizer.step()
    assert len(optimizer.block) == 5
    assert (numbers(W) == 0.5).all()
    assert b.data == 0.5


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, momentum=0.9, nesterov=True, weight_decay=0.1),
        lambda p: optim.Adam(p, weight_decay=0.1),
        optim.AdamW,
    ],
)
def test_a_step_allocates_no_arrays(make: Any) -> None:
    optimizer = make([Value(1.0) for _ in range(5000)])
    optimizer.step()
    optimizer.zero_grad()
    tracemalloc.start()
    try:
        optimizer.step()
        optimizer.zero_grad()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5000  # an array of the parameters would be 40,000 bytes


# --- schedules ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "kwargs"),
    [
        (optim.StepLR, torch.optim.lr_scheduler.StepLR, {"step_size": 3}),
        (optim.StepLR, torch.optim.lr_scheduler.StepLR, {"step_size": 1, "gamma": 0.5}),
        (optim.CosineAnnealingLR, torch.optim.lr_scheduler.CosineAnnealingLR, {"T_max": 10}),
        (
            optim.CosineAnnealingLR,
            torch.optim.lr_scheduler.CosineAnnealingLR,
            {"T_max": 7, "eta_min": 0.01},
        ),
    ],
)
def test_schedules_follow_torch_past_their_end(ours: Any, theirs: Any, kwargs: Any) -> None:
    mine = optim.SGD([Value(0.0)], lr=0.3)
    torchs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    a, b = ours(mine, **kwargs), theirs(torchs, **kwargs)
    for _ in range(30):
        assert mine.lr == pytest.approx(torchs.param_groups[0]["lr"], rel=1e-12, abs=1e-14)
        mine.step()
        torchs.step()
        a.step()
        b.step()


# --- clipping -------------------------------------------------------------------------------------


@given(seed=seeds, n=st.integers(1, 6), max_norm=st.sampled_from([0.0, 0.1, 1.0, 100.0]))
def test_clipping_follows_torch(seed: int, n: int, max_norm: float) -> None:
    g = normal(n, seed=seed)
    ps, t = values(np.zeros(n)), torch.zeros(n, dtype=torch.float64, requires_grad=True)
    for p, number in zip(ps, g.tolist(), strict=True):
        p.grad = number
    t.grad = torch.tensor(g)
    got = optim.clip_grad_norm(list(ps), max_norm)
    want = torch.nn.utils.clip_grad_norm_([t], max_norm)
    assert got == pytest.approx(want.item(), rel=1e-12)
    np.testing.assert_allclose(grads(ps), t.grad.numpy(), rtol=1e-12)


def test_clipping_with_a_nan_makes_all_gradients_nan_as_in_torch() -> None:
    ps = [Value(0.0), Value(0.0)]
    ps[0].grad, ps[1].grad = float("nan"), 1.0
    assert np.isnan(optim.clip_grad_norm(ps, 1.0))
    assert np.isnan(ps[1].grad)


# --- bad input ------------------------------------------------------------------------------------

NAN = float("nan")


@pytest.mark.parametrize(
    ("make", "error", "named"),
    [
        (lambda p: optim.SGD(p, lr=NAN), ValueError, "lr is at least 0 and below inf, got nan"),
        (lambda p: optim.Adam(p, lr=-0.1), ValueError, "lr is at least 0 .*, got -0.1"),
        (lambda p: optim.Adam(p, lr=float("inf")), ValueError, "got inf"),
        (lambda p: optim.Adam(p, lr="0.1"), TypeError, "lr is a real number, got '0.1'"),
        (lambda p: optim.SGD(p, lr=None), TypeError, "lr is a real number, got None"),
        (lambda p: optim.SGD(p, momentum=-1), ValueError, "momentum is at least 0 .*, got -1"),
        (lambda p: optim.SGD(p, weight_decay=NAN), ValueError, "weight_decay .*, got nan"),
        (lambda p: optim.SGD(p, nesterov=True), ValueError, "got momentum 0"),
        (lambda p: optim.Adam(p, betas=(0.9, 1.0)), ValueError, r"betas\[1\] .* below 1, got 1.0"),
        (lambda p: optim.Adam(p, eps=-1e-8), ValueError, "eps .*, got -1e-08"),
        (lambda p: optim.Adam([]), ValueError, "no parameters were given"),
        (lambda p: optim.SGD(iter(())), ValueError, "no parameters were given"),
        (lambda p: optim.clip_grad_norm([], 1.0), ValueError, "no parameters were given"),
        (lambda p: optim.clip_grad_norm(p, -1.0), ValueError, "max_norm .*, got -1.0"),
        (lambda p: optim.SGD(p[0]), TypeError, r"a list such as model.parameters\(\), got Value"),
        (lambda p: optim.SGD(nn.Neuron(2)), TypeError, r"a list such as .*, got Neuron"),
        (lambda p: optim.SGD([*p, 1.0]), TypeError, "only Values can be parameters, got float 1.0"),
        (lambda p: optim.SGD([p[0] * 2]), TypeError, "only leaf Values can be parameters"),
        (lambda p: optim.StepLR(optim.SGD(p), 0), ValueError, "step_size .* at least 1, got 0"),
        (lambda p: optim.CosineAnnealingLR(optim.SGD(p), 2.5), ValueError, "T_max .*, got 2.5"),
    ],
)
def test_bad_input_says_what_was_given_and_leaves_the_parameters(
    make: Any, error: type[Exception], named: str
) -> None:
    ps = [Value(1.0), Value(2.0)]
    with pytest.raises(error, match=named):
        make(ps)
    assert [p.data for p in ps] == [1.0, 2.0]


def test_a_rate_that_turns_nan_is_refused_where_it_is_set() -> None:
    optimizer = optim.SGD([Value(1.0)], lr=0.1)
    with pytest.raises(ValueError, match="got nan"):
        optimizer.lr = NAN
    assert optimizer.lr == 0.1
