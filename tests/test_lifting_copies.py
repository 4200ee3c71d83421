"""Copies and pickles of lifted functions and of models that hold them record anew."""

from __future__ import annotations

import copy
import pickle
import random
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from micrograd import Value, lift, nn, numbers
from micrograd.lifting import Lifted

weight = Value(3.0)


@lift
def at_module_level(x: Any) -> Any:
    return x * weight


def raw(x: Any, y: Any) -> Any:
    return (x * y * weight).sum()


class Net(nn.Module):
    """A model that holds its own lifted loss."""

    def __init__(self) -> None:
        self.layer = nn.Linear(2, 1, rng=0)
        self.loss = lift(self._loss)

    def _loss(self, x: Any) -> Any:
        return (self.layer(x) ** 2).sum()


class Method:
    def __init__(self, w: float) -> None:
        self.w = Value(w)

    @lift
    def by(self, x: Any) -> Any:
        return x * self.w


def pickled(x: Any) -> Any:
    return pickle.loads(pickle.dumps(x))


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
@pytest.mark.parametrize("used", [False, True])
def test_a_model_that_holds_its_lifted_loss(copied: Any, used: bool) -> None:
    net, x = Net(), np.array([[1.0, 2.0]])
    if used:
        net.loss(x).backward()
    other = copied(net)
    for p in other.parameters():
        p.data, p.grad = 2.0 * p.data, 0.0
    assert other.loss(x).data == pytest.approx(other._loss(x).data, rel=1e-12)
    assert other.loss(x).data != net.loss(x).data
    other.loss(x).backward()
    assert all(p.grad for p in other.layer.weight.flat)
    assert net.loss.program is not other.loss.program


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_a_lifted_function_alone(copied: Any) -> None:
    f = lift(raw, batched=("x", "y"))
    x = np.ones(7)
    f(x, x)
    g = copied(f)
    assert g is not f
    assert g.programs == {}
    assert (g.function, g.batched) == (raw, f.batched)
    assert g(x, x).data == 21.0


def test_a_decorated_function_is_pickled_by_its_name() -> None:
    assert pickled(at_module_level) is at_module_level
    assert copy.deepcopy(at_module_level)(2.0).data == 6.0


def test_lifted_methods_copy_with_their_objects() -> None:
    two = Method(2.0)
    assert two.by(5.0).data == 10.0
    for other in (copy.deepcopy(two), pickled(two)):
        other.w.data = 7.0
        assert other.by(5.0).data == 35.0
        assert pickled(other.by)(5.0).data == 35.0
    assert two.by(5.0).data == 10.0


def test_what_no_name_finds_cannot_be_pickled_and_says_so() -> None:
    f = lift(lambda x: x * weight)
    with pytest.raises(pickle.PicklingError, match="Lift a function of a module or a method"):
        pickle.dumps(f)
    assert copy.deepcopy(f)(2.0).data == 6.0


def test_a_list_of_lifted_functions_keeps_one_for_one() -> None:
    f = lift(raw)
    a, b = copy.deepcopy([f, f])
    assert a is b


# --- threads --------------------------------------------------------------------------------------


def together(count: int, work: Any) -> list[Any]:
    """What `work(i)` gives in as many threads at once; the first exception of any."""
    results: list[Any] = [None] * count
    start = threading.Barrier(count)

    def run(i: int) -> None:
        start.wait()
        try:
            results[i] = work(i)
        except Exception as fault:
            results[i] = fault

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def test_each_thread_runs_the_program_of_its_own_arguments() -> None:
    """Also where the interpreter switches between any two lines, as under a debugger."""
    f = lift(lambda x: (x * weight).sum())
    for n in range(1, 5):
        f(np.ones(n))

    def trace(frame: Any, event: str, _: Any) -> Any:
        """As a debugger: between any two lines of the call, others run."""
        if frame.f_code is not Lifted.__call__.__code__:
            return None
        time.sleep(1e-4)
        return trace

    def work(i: int) -> list[float]:
        sys.settrace(trace)
        try:
            return [f(np.ones(i + 1)).data for _ in range(60)]
        finally:
            sys.settrace(None)

    results = together(4, work)
    assert results == [[3.0 * (i + 1)] * 60 for i in range(4)]


def test_threads_that_call_at_once_record_once() -> None:
    model = nn.MLP(4, [16, 1], rng=random.Random(0))
    f = lift(lambda X: np.array([model(x) for x in X]))
    X = np.random.default_rng(0).normal(size=(16, 4))
    want = [model(x).data for x in X]
    for result in together(4, lambda i: numbers(f(X))):
        assert result.tolist() == pytest.approx(want, rel=1e-12)
    assert f.history.recordings == 1


def test_eager_work_beside_a_recording_is_left_alone() -> None:
    model = nn.MLP(4, [16, 1], rng=random.Random(0))
    X = np.random.default_rng(0).normal(size=(64, 4))

    def work(i: int) -> Any:
        if i == 0:
            return lift(lambda X: sum(model(x) for x in X))(X).data
        w = Value(2.0)
        for _ in range(300):
            y = w * w
            y.backward()
            w.data = w.data + 0.0 * w.grad
        return y.data

    lifted, *eager = together(3, work)
    assert lifted == pytest.approx(sum(model(x) for x in X).data, rel=1e-12)
    assert eager == [4.0, 4.0]
