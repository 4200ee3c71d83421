"""A state machine: models, lifted programs, live calls, optimisers, copies, pickles and threads.

Everything exists twice, once lifted and once eager, and every rule is done to both. After each rule
parameters, gradients, running statistics and random generators are equal.
"""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest
from absolute import flat
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)
from random_programs import leaves, programs
from random_settings import pause

from micrograd import LiftError, Value, functional, grads, lift, nn, no_grad, numbers, optim


class Raw(nn.Module):
    """Parameters, numbers and a mode of one's own."""

    def __init__(self, seed: int) -> None:
        self.w = leaves(np.random.default_rng(seed).normal(size=(2, 2)))
        self.bias, self.temperature = Value(0.1), 1.0

    def __call__(self, X: Any) -> Any:
        return np.tanh(X @ self.w) * (self.temperature if self.training else 1.0) + self.bias


class Rows(nn.Module):
    """The videos' neurons, example by example."""

    def __init__(self, seed: int) -> None:
        self.net = nn.MLP(2, [3, 2], activation="tanh", rng=np.random.default_rng(seed))

    def __call__(self, X: Any) -> Any:
        return np.array([self.net(x) for x in X])


MODELS = {
    "neurons": Rows,
    "raw": Raw,
    "linear": lambda seed: nn.Sequential(
        nn.Linear(2, 3, rng=seed), nn.Tanh(), nn.Linear(3, 2, rng=1)),
    "dropout": lambda seed: nn.Sequential(
        nn.Linear(2, 3, rng=seed), nn.Dropout(0.5, rng=seed), nn.Linear(3, 2, rng=1)),
    "norm": lambda seed: nn.Sequential(
        nn.Linear(2, 3, rng=seed), nn.BatchNorm1d(3), nn.Tanh(), nn.Linear(3, 2, rng=1)),
}  # fmt: skip


class Trainer:
    """A plain object that holds a model, numbers, and its own loss, lifted or not."""

    def __init__(self, kind: str, seed: int, lifted: bool, batched: bool = False) -> None:
        self.model = MODELS[kind](seed)
        self.table = nn.Embedding(2, 2, rng=seed)
        self.scale, self.weights = 1.0, [1.0, 0.5]
        self.random = kind == "dropout"
        self.moves = kind == "norm"
        self.run: Any = self.loss
        if lifted:
            self.run = lift(batched=("X", "y"))(self.loss) if batched else lift(self.loss)

    def loss(self, X: Any, y: Any) -> Any:
        scores = (self.model(X) + self.table(y)) * self.scale
        loss = functional.cross_entropy(scores * np.array(self.weights), y)
        decay = sum(p * p for p in self.parameters)
        return {"loss": loss, "scores": scores, "first": scores[0].sum(), "decay": decay}

    @property
    def modules(self) -> list[nn.Module]:
        return [self.model, self.table]

    @property
    def parameters(self) -> list[Value]:
        return [p for module in self.modules for p in module.parameters()]

    @property
    def statistics(self) -> list[float]:
        modules = [module for _, module in self.model.named_modules()]
        return [x for m in modules for name in m.buffer_names for x in getattr(m, name)]

    @property
    def draws(self) -> list[Any]:
        """Where each generator stands."""
        modules = [module for _, module in self.model.named_modules()]
        return [m.rng.bit_generator.state for m in modules if isinstance(m, nn.Dropout)]


class Pair:
    """One trainer twice: `lifted` and its eager twin. `stale`: what a call may have to refuse."""

    def __init__(self, lifted: Trainer, eager: Trainer) -> None:
        self.lifted, self.eager = lifted, eager
        self.stale = False

    @property
    def both(self) -> tuple[Trainer, Trainer]:
        return self.lifted, self.eager


class Call:
    """The results of one call of both, and the Values that were passed."""

    def __init__(self, pair: Pair, inputs: tuple[Any, Any], results: tuple[Any, Any]) -> None:
        self.pair, self.inputs, self.results = pair, inputs, results


sizes, seeds = st.integers(2, 20), st.integers(0, 99)


class Lifting(RuleBasedStateMachine):
    """Rules that do the same to both sides; `equal` compares after each."""

    trainers = Bundle("trainers")
    calls = Bundle("calls")
    optimisers = Bundle("optimisers")

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[Pair] = []
        self.live: list[Call] = []

    def keep(self, pair: Pair) -> Pair:
        self.pairs.append(pair)
        return pair

    # --- models -----------------------------------------------------------------------------------

    @initialize(target=trainers, kind=st.sampled_from(sorted(MODELS)), batched=st.booleans())
    def first_trainer(self, kind: str, batched: bool) -> Pair:
        return self.make(kind, 0, batched)

    @precondition(lambda self: len(self.pairs) < 4)
    @rule(target=trainers, kind=st.sampled_from(sorted(MODELS)), seed=seeds, batched=st.booleans())
    def make(self, kind: str, seed: int, batched: bool) -> Pair:
        return self.keep(Pair(Trainer(kind, seed, True, batched), Trainer(kind, seed, False)))

    @precondition(lambda self: len(self.pairs) < 4)
    @rule(target=trainers, pair=trainers, how=st.sampled_from(["copy", "pickle"]))
    def duplicate(self, pair: Pair, how: str) -> Pair:
        """A copy has parameters, programs and generators of its own."""
        if how == "copy":
            return self.keep(Pair(*(copy.deepcopy(t) for t in pair.both)))
        return self.keep(Pair(*(pickle.loads(pickle.dumps(t)) for t in pair.both)))

    @rule(pair=trainers, training=st.booleans())
    def set_mode(self, pair: Pair, training: bool) -> None:
        for trainer in pair.both:
            trainer.model.train(training)

    @rule(pair=trainers, which=seeds, number=st.integers(-8, 8))
    def write(self, pair: Pair, which: int, number: int) -> None:
        for trainer in pair.both:
            trainer.parameters[which % len(trainer.parameters)].data = number / 8

    @rule(pair=trainers, seed=seeds)
    def load(self, pair: Pair, seed: int) -> None:
        state = pair.eager.model.state_dict()
        rng = np.random.default_rng(seed)
        state = {name: rng.uniform(0.1, 1.0, size=array.shape) for name, array in state.items()}
        for trainer in pair.both:
            trainer.model.load_state_dict(state)

    @rule(pair=trainers, number=st.integers(1, 8))
    def set_attribute(self, pair: Pair, number: int) -> None:
        for trainer in pair.both:
            trainer.scale = number / 4
        pair.stale = True

    @rule(pair=trainers, number=st.integers(1, 8))
    def set_item(self, pair: Pair, number: int) -> None:
        for trainer in pair.both:
            trainer.weights[1] = number / 4
        pair.stale = True

    @rule(pair=trainers, seed=seeds, whole=st.booleans())
    def replace_parameters(self, pair: Pair, seed: int, whole: bool) -> None:
        fresh = np.random.default_rng(seed).normal(size=(2, 2))
        for trainer in pair.both:
            if whole:
                trainer.table = nn.Embedding(2, 2, rng=seed)
            else:
                trainer.table.weight = leaves(fresh)
        pair.stale = True

    # --- calls ------------------------------------------------------------------------------------

    @rule(target=calls, pair=trainers, size=sizes, seed=seeds, as_values=st.booleans())
    def call(self, pair: Pair, size: int, seed: int, as_values: bool) -> Call:
        X, y = batch(size, seed)
        inputs = (leaves(X), leaves(X)) if as_values else (X, X)
        results = self.results(pair, inputs, y)
        made = Call(pair, inputs, results)
        self.live.append(made)
        return made

    @rule(pair=trainers, size=sizes, seed=seeds)
    def call_for_numbers(self, pair: Pair, size: int, seed: int) -> None:
        X, y = batch(size, seed)
        with no_grad():
            self.results(pair, (X, X), y)

    def results(self, pair: Pair, inputs: tuple[Any, Any], y: Any) -> tuple[Any, Any]:
        if pair.stale:
            pause(pair.lifted.run)
        try:
            got = pair.lifted.run(inputs[0], y)
        except LiftError:
            assert pair.stale
            got = pair.lifted.run(inputs[0], y)
        pair.stale = False
        want = pair.eager.run(inputs[1], y)
        close([float(v) for v in flat(got)], [float(v) for v in flat(want)])
        return got, want

    @rule(
        call=calls, which=st.sampled_from(["loss", "scores", "first", "decay", "all"]), place=seeds
    )
    def backward(self, call: Call, which: str, place: int) -> None:
        for results in call.results:
            if which == "loss":
                results["loss"].backward()
            elif which == "all":
                sum(flat(results)).backward()
            else:
                some = flat(results[which])
                some[place % len(some)].backward()

    @rule(call=consumes(calls))
    def forget(self, call: Call) -> None:
        self.live.remove(call)

    @rule(pair=trainers)
    def zero_grad(self, pair: Pair) -> None:
        for trainer in pair.both:
            for module in trainer.modules:
                module.zero_grad()

    @rule(pair=trainers, size=sizes, seed=seeds)
    def train_in_threads(self, pair: Pair, size: int, seed: int) -> None:
        """Calls and backwards of three threads at once; gradients add up in any order."""
        if (pair.lifted.random or pair.lifted.moves) and pair.lifted.model.training:
            return  # who draws or moves first is open
        batches = [batch(size + k, seed + k) for k in range(3)]
        if pair.stale:
            self.results(pair, (batches[0][0],) * 2, batches[0][1])
        for X, y in batches:
            pair.eager.run(X, y)["loss"].backward()
        faults: list[BaseException] = []

        def work(X: Any, y: Any) -> None:
            try:
                pair.lifted.run(X, y)["loss"].backward()
            except BaseException as fault:
                faults.append(fault)

        threads = [threading.Thread(target=work, args=some) for some in batches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults, faults

    # --- optimisers -------------------------------------------------------------------------------

    @rule(target=optimisers, pair=trainers, other=trainers, kind=st.sampled_from(["SGD", "Adam"]))
    def make_optimiser(self, pair: Pair, other: Pair, kind: str) -> tuple[Any, Any]:
        made = []
        for first, second in zip(pair.both, other.both, strict=True):
            parameters = list(dict.fromkeys(second.parameters[1:] + first.parameters))
            options: dict[str, Any] = {"momentum": 0.5} if kind == "SGD" else {"eps": 1e-3}
            made.append(getattr(optim, kind)(parameters, lr=0.02, **options))
        return made[0], made[1]

    @rule(optimiser=optimisers)
    def step(self, optimiser: tuple[Any, Any]) -> None:
        for side in optimiser:
            side.step()

    @rule(optimiser=optimisers)
    def zero_all(self, optimiser: tuple[Any, Any]) -> None:
        for side in optimiser:
            side.zero_grad()

    # --- equal ------------------------------------------------------------------------------------

    @invariant()
    def equal(self) -> None:
        for pair in self.pairs:
            got, want = (trainer.parameters for trainer in pair.both)
            close(numbers(got), numbers(want))
            close(grads(got), grads(want))
            close(*(trainer.statistics for trainer in pair.both))
            assert pair.lifted.draws == pair.eager.draws
            for p, q in zip(got, want, strict=True):  # so that rounding does not add up
                q.data, q.grad = p.data, p.grad
        for call in self.live:
            close(*(grads(X) for X in call.inputs))


def batch(size: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(size, 2)), rng.integers(0, 2, size=size)


def close(got: Any, want: Any) -> None:
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9 * np.abs(want).max(initial=1.0))


Lifting.TestCase.settings = settings(programs(60), stateful_step_count=25)
TestLifting = pytest.mark.slow(
    pytest.mark.filterwarnings("ignore:.*has been recorded")(Lifting.TestCase)
)
