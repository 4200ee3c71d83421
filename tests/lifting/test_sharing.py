"""Parameters have one home: Values, programs and optimisers see each other's writing at once."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from random_programs import leaves

from micrograd import Value, functional, grads, lift, nn, no_grad, numbers, ops, optim
from micrograd.nn import MLP


def eager(function: Callable[..., Any], parameters: list[Value], *arguments: Any) -> list[float]:
    """The gradients that the plain function gives; every grad is left at 0."""
    for p in parameters:
        p.grad = 0.0
    function(*arguments).backward()
    found = [p.grad for p in parameters]
    for p in parameters:
        p.grad = 0.0
    return found


# --- never stale ----------------------------------------------------------------------------------


def test_writing_data_is_seen_by_the_next_call() -> None:
    w = Value(2.0)
    f = lift(lambda x: x * w)
    assert f(3.0).data == 6.0
    w.data = 5.0
    assert f(3.0).data == 15.0
    w.data += 1.0
    assert f(3.0).data == 18.0


def test_steps_of_an_optimiser_are_seen_everywhere() -> None:
    w = Value(2.0)
    f = lift(lambda x: x * w)
    optimiser = optim.SGD([w], lr=0.5)
    f(3.0).backward()
    assert (w.grad, optimiser.block.grads.tolist()) == (3.0, [3.0])
    optimiser.step()
    assert (w.data, f(3.0).data) == (0.5, 1.5)
    optimiser.zero_grad()
    assert w.grad == 0.0
    w.grad = 7.0
    assert optimiser.block.grads.tolist() == [7.0]
    optimiser.step()
    assert (w.data, f(2.0).data) == (-3.0, -6.0)


def test_gradients_add_to_what_is_there_whoever_wrote_it() -> None:
    w = Value(2.0)
    f = lift(lambda x: x * w)
    w.grad = 10.0
    f(3.0).backward()
    assert w.grad == 13.0
    (w * 4.0).backward()
    assert w.grad == 17.0
    f(3.0).backward()
    assert w.grad == 20.0


def test_loading_weights_is_seen() -> None:
    model, other = nn.Linear(3, 2, rng=0), nn.Linear(3, 2, rng=1)
    f = lift(lambda x: model(x))
    x = np.arange(6.0).reshape(2, 3)
    f(x)
    model.load_state_dict(other.state_dict())
    np.testing.assert_allclose(numbers(f(x)), numbers(other(x)), rtol=1e-12)


ORDERS = {
    "optimiser, first, second": "osft",
    "first, optimiser, second": "fost",
    "first, second, optimiser": "ftso",
    "second, first, optimiser": "tsfo",
    "second, optimiser, first": "tosf",
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_overlapping_programs_and_optimisers_in_any_order(order: str) -> None:
    """f uses weights 0..5, s weights 3..8 backwards; o moves 2..7, t uses all of them."""
    w = leaves(np.linspace(-1, 1, 9))
    functions = {
        "f": lambda x: sum(x * v * v for v in w[:6]),
        "s": lambda x: sum(x * v * i for i, v in enumerate(w[8:2:-1])),
        "t": lambda x: (w.reshape(3, 3) @ w.reshape(3, 3).T).sum() * x,
    }
    lifted: dict[str, Any] = {}
    optimisers: list[Any] = []
    mirror = numbers(w)  # what the weights should be
    parameters = list(w)
    for name in order:
        if name == "o":
            optimisers.append(optim.SGD(w[2:8], lr=0.1))
        else:
            lifted[name] = lift(functions[name])
        for known, f in lifted.items():
            want = eager(functions[known], parameters, 1.5)
            f(1.5).backward()
            np.testing.assert_allclose([p.grad for p in parameters], want, rtol=1e-12)
            for optimiser in optimisers:
                optimiser.step()
                mirror[2:8] -= 0.1 * np.array(want)[2:8]
                np.testing.assert_allclose(numbers(w), mirror, rtol=1e-12)
                optimiser.zero_grad()
            for p in parameters:
                p.grad = 0.0
            assert f(2.0).data == pytest.approx(functions[known](2.0).data, rel=1e-12)


def test_a_live_call_survives_its_parameters_moving_to_another_store() -> None:
    w, others = Value(2.0), leaves(np.arange(5.0))
    f = lift(lambda x: x * w * w)
    pending = f(3.0)
    lift(lambda: w + others.sum())().backward()
    optim.Adam([*others, w])
    w.grad = 0.0
    pending.backward()
    assert (pending.data, w.grad) == (12.0, 12.0)
    assert f(1.0).data == 4.0


def test_training_lifted_is_training_eagerly() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 2)), rng.choice([-1.0, 1.0], size=12)
    runs = []
    for lifted in (False, True):
        model = MLP(2, [5, 1], rng=np.random.default_rng(1))

        def loss(X: Any, y: Any, model: Any = model) -> Any:
            losses = [(1 + -yi * model(x)).relu() for x, yi in zip(X, y, strict=True)]
            return sum(losses) / len(losses) + 1e-3 * sum(p * p for p in model.parameters())

        optimiser = optim.Adam(model.parameters(), lr=0.05)
        step = lift(loss) if lifted else loss
        history = []
        for _ in range(25):
            optimiser.zero_grad()
            current = step(X, y)
            current.backward()
            optimiser.step()
            history.append(current.data)
        runs.append((history, [p.data for p in model.parameters()]))
    np.testing.assert_allclose(runs[1][0], runs[0][0], rtol=1e-9)
    np.testing.assert_allclose(runs[1][1], runs[0][1], rtol=1e-9)
    assert runs[0][0][-1] < runs[0][0][0] / 2


# --- several threads ------------------------------------------------------------------------------


def in_threads(*jobs: Callable[[], None]) -> None:
    faults: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults


def test_concurrent_calls_have_buffers_of_their_own() -> None:
    w = Value(2.0)
    f = lift(lambda x: (x * w).sum() * w)

    def job(k: float) -> Callable[[], None]:
        def calls() -> None:
            x = np.full(500, k)
            for _ in range(100):
                assert f(x).data == 2000 * k

        return calls

    in_threads(*[job(float(k)) for k in range(1, 5)])


def test_concurrent_backwards_have_gradients_of_their_own() -> None:
    weights = np.linspace(-1, 1, 64).reshape(8, 8)

    def loss(X: Any, index: Any) -> Any:
        hidden = functional.softmax(ops.tanh(X @ weights)) * functional.take(weights, index)
        return (hidden[:, [3, 1, 7, 0]] * functional.log_softmax(X, axis=0)[:, :4]).sum()

    f = lift(loss)
    rng = np.random.default_rng(0)
    cases = []
    for _ in range(4):
        X, index = leaves(rng.normal(size=(6, 8))), rng.integers(0, 8, size=6)
        loss(X, index).backward()
        want = grads(X)
        for v in X.flat:
            v.grad = 0.0
        cases.append((X, index, want))
        f(X, index)

    def job(X: Any, index: Any, want: np.ndarray) -> Callable[[], None]:
        def calls() -> None:
            for _ in range(60):
                f(X, index).backward()
                np.testing.assert_allclose(grads(X), want, rtol=1e-9, atol=1e-12)
                for v in X.flat:
                    v.grad = 0.0

        return calls

    in_threads(*[job(*case) for case in cases])


def test_concurrent_recordings() -> None:
    w = Value(2.0)
    f = lift(lambda x: (x * w).sum())

    def job(k: float) -> Callable[[], None]:
        def calls() -> None:
            for n in range(1, 20):
                assert f(np.full(n, k)).data == 2 * n * k

        return calls

    in_threads(*[job(float(k)) for k in range(1, 5)])


def test_calls_while_the_parameters_move() -> None:
    w = leaves(np.arange(40.0))
    functions = [lift(lambda x, i=i: sum(x * v for v in w[4 * i : 4 * i + 4])) for i in range(10)]

    def calls() -> None:
        for i, f in enumerate(functions):
            for _ in range(20):
                assert f(2.0).data == 2 * sum(range(4 * i, 4 * i + 4))

    def moves() -> None:
        for i in range(9):
            optim.SGD(w[3 * i : 3 * i + 12])

    in_threads(calls, calls, moves)


def test_one_thread_records_while_another_reads_the_same_parameters() -> None:
    w = leaves(np.ones(300))

    def record() -> None:
        lift(lambda x: sum(x * v * v for v in w))(1.0)

    def read() -> None:
        for _ in range(30):
            assert sum(v.data for v in w) == 300.0
            assert (w[0] * w[1]).data == 1.0

    in_threads(record, read, record, read)


# --- pickles --------------------------------------------------------------------------------------


def _model_and_loss() -> tuple[Any, Any]:
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1))

    def loss(X: Any, index: Any, scale: Any) -> Any:
        scores = model(X)
        picked = [nn.Embedding, scores][1]
        return {"loss": (picked * scale).sum() * index[0], "scores": scores}

    return model, loss


def test_a_program_survives_a_pickle() -> None:
    model, loss = _model_and_loss()
    f = lift(loss)
    X = np.linspace(-1, 1, 6).reshape(2, 3)
    want = f(X, np.array([3]), 0.5)
    program = pickle.loads(pickle.dumps(f.program))
    want["loss"].backward()
    got = program(X, np.array([3]), 0.5)
    assert got["loss"].data == want["loss"].data
    assert numbers(got["scores"]).tolist() == numbers(want["scores"]).tolist()
    got["loss"].backward()
    assert [p.grad for p in program.parameters] == [p.grad for p in f.program.parameters]
    assert not set(program.parameters) & set(model.parameters())
    optim.SGD(program.parameters, lr=1.0).step()
    assert program(X, np.array([3]), 0.5)["loss"].data != want["loss"].data
    assert f(X, np.array([3]), 0.5)["loss"].data == want["loss"].data


def test_a_program_runs_in_another_process(tmp_path: Any) -> None:
    _, loss = _model_and_loss()
    f = lift(loss)
    X = np.linspace(-1, 1, 6).reshape(2, 3)
    result = f(X, np.array([3]), 0.5)["loss"]
    path = tmp_path / "program.pickle"
    path.write_bytes(pickle.dumps(f.program))
    result.backward()
    script = (
        "import pickle, sys, numpy as np\n"
        "program = pickle.load(open(sys.argv[1], 'rb'))\n"
        "loss = program(np.linspace(-1, 1, 6).reshape(2, 3), np.array([3]), 0.5)['loss']\n"
        "loss.backward()\n"
        "print(repr(loss.data), *[repr(p.grad) for p in program.parameters])\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    printed = [float(word) for word in answer.stdout.split()]
    assert printed == [result.data, *(p.grad for p in f.program.parameters)]


def test_a_program_refuses_other_shapes_and_says_which() -> None:
    f = lift(lambda x: x.sum())
    f(np.ones(3))
    with pytest.raises(TypeError, match=r"\(3,\).*\(4,\)"):
        f.program(np.ones(4))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickle.dumps])
def test_a_result_stays_with_its_program(duplicate: Callable[..., Any]) -> None:
    w = Value(2.0)
    f = lift(lambda x: x * w)
    result = f(3.0) * 2
    with pytest.raises(TypeError, match="program"):
        duplicate(result)
    with no_grad():
        assert copy.deepcopy(f(3.0)).data == 6.0  # a leaf is a number like any other
    result.backward()
    assert w.grad == 6.0


def test_gradients_of_many_parameters_are_views_of_one_array() -> None:
    w = leaves(np.ones(50))
    f = lift(lambda x: (x * w).sum())
    f(np.arange(50.0)).backward()
    assert grads(w).tolist() == list(range(50))
    assert f.program.parameters[0]._left is w[7]._left
