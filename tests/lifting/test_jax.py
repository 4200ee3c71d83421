"""Lifted programs as JAX functions: equal to the eager engine, whatever JAX does with them.

Covers `run/with_jax/`: `function.py`, `arguments.py`, `arrays.py`, `negations.py`, `places.py`,
`products.py`, `rows.py`, `stacks.py`, `steps.py`.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from absolute import Undecided
from exporting import agrees, by_value, in_jax
from hypothesis import Phase, assume, given, settings
from jax import lax
from oracle import ROWS, SPECIAL, same
from random_programs import Sample, expressions, leaves, loops, programs
from test_models import HOWS, SMALL, assert_same, step

from benchmarks.lift import contestant
from benchmarks.models import gpt
from benchmarks.rows import ROWS as ROWS_MEASURED
from micrograd import functional, lift, nn, numbers, op, ops
from micrograd.lifting.errors import LiftError
from micrograd.lifting.run.with_jax import arrays as arrays_module
from micrograd.lifting.run.with_jax import rows
from micrograd.lifting.run.with_jax.negations import Negations
from micrograd.lifting.run.with_jax.places import found
from micrograd.lifting.run.with_jax.stacks import statistic_names
from micrograd.lifting.steps.expression import Apply, Read
from micrograd.lifting.steps.ir import Array, Step, View

pytestmark = pytest.mark.slow  # XLA compiles each program for some tenths of a second

# XLA takes what is below 2.2e-308, subnormal numbers, as 0
NORMAL = tuple(1e-300 if 0 < abs(x) < 1e-307 else x for x in SPECIAL)
ODD = (0.0, -0.0, 1.0, -1.0, 0.5, np.inf, -np.inf, np.nan)


# --- the op table ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_the_table(name: str) -> None:
    """Values and gradients at kinks, poles, infinities and nan."""
    op, _ = ROWS[name]
    few = NORMAL if op.arity <= 2 else ODD
    xs = leaves(np.array(list(itertools.product(few, repeat=op.arity))[:9000]).T)
    want = op(*xs)
    sum(want).backward()
    made, found = in_jax(lift(lambda x: op(*x)), [xs], [1.0] * len(want))
    wrong = ~same(made, numbers(want), rel=1e-12)
    assert not wrong.any(), (numbers(xs)[:, wrong], made[wrong], numbers(want)[wrong])
    got = np.array([found[x] for x in xs.flat]).reshape(xs.shape)
    expected = np.array([x.grad for x in xs.flat]).reshape(xs.shape)
    wrong = ~same(got, expected, rel=1e-12)
    where = wrong.any(axis=0)
    assert not wrong.any(), (numbers(xs)[:, where], got[wrong], expected[wrong])


# --- random programs ------------------------------------------------------------------------------


def some(count: int) -> settings:
    """Settings without shrinking: every example is compiled."""
    return settings(programs(count), phases=[Phase.explicit, Phase.generate])


def equals_eager(sample: Sample) -> None:
    with np.errstate(all="ignore"):
        try:
            agrees(sample)
        except Undecided:
            assume(False)


@some(12)
@given(sample=expressions())
def test_some_random_graphs(sample: Sample) -> None:
    equals_eager(sample)


@some(12)
@given(sample=loops())
def test_some_random_loops(sample: Sample) -> None:
    equals_eager(sample)


@pytest.mark.slow
@some(250)  # 0.3 s each on an idle core
@given(sample=expressions())
def test_random_graphs(sample: Sample) -> None:
    equals_eager(sample)


@pytest.mark.slow
@some(250)  # 0.3 s each on an idle core
@given(sample=loops())
def test_random_loops(sample: Sample) -> None:
    equals_eager(sample)


# --- planted faults: the comparison finds them ----------------------------------------------------


def test_a_wrong_derivative_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rows._FORWARD, ops.tanh, lambda x: jnp.tanh(lax.stop_gradient(x)))
    monkeypatch.setattr(rows, "_PLAIN", (*rows._PLAIN, ops.tanh))
    rows.form.cache_clear()
    try:
        with pytest.raises(AssertionError, match="for"):
            agrees(layer())
    finally:
        monkeypatch.undo()
        rows.form.cache_clear()
    agrees(layer())


def test_a_wrong_slice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def backwards(shape: Any, base: int, walked: Any) -> Any:
        """The weights, from their last row on."""
        cut = found(shape, base, walked)
        if cut is None or cut.shape != (2, 3):
            return cut
        return cut._replace(slices=(slice(cut.shape[0] - 1, None, -1), *cut.slices[1:]))

    monkeypatch.setattr(arrays_module, "found", backwards)
    with pytest.raises(AssertionError, match="for"):
        agrees(layer())


def layer() -> Sample:
    """tanh(x @ w) and a sum of squares."""
    rng = np.random.default_rng(0)

    def function(parameters: Any, x: Any) -> Any:
        return ((ops.tanh(x @ parameters) * np.arange(2.0)) ** 2).sum()

    return Sample(
        ["layer"], function, leaves(rng.normal(size=(3, 2))), [(rng.normal(size=(4, 3)),)]
    )


# --- networks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("case", [case for case in SMALL if case in ("demo", "gpt, batched")])
def test_networks(case: str, how: str) -> None:
    network_agrees(case, how)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("case", [case for case in SMALL if case not in ("demo", "gpt, batched")])
def test_more_networks(case: str, how: str) -> None:
    network_agrees(case, how)


def network_agrees(case: str, how: str) -> None:
    """Losses, gradients and running statistics, one batch after the other, by one function."""
    module, size, batches, batched = SMALL[case]
    network = getattr(module, how)(module.numbers(**size))
    lifted = lift(network.loss, batched=batched)
    function, parameters = lifted.to_jax(*batches[0])
    statistics = function.statistics

    def run(parameters: Any, statistics: Any, *batch: Any) -> Any:
        if not statistics:
            return function(parameters, *batch), {}
        return function(parameters, *batch, statistics=statistics)

    run = jax.jit(jax.value_and_grad(run, has_aux=True))
    first = lifted.program
    for batch in batches if batched else batches[:1]:
        want = step(network, lifted, batch)
        (loss, statistics), gradients = run(parameters, statistics, *batch)
        found = by_value(first, gradients)
        arrays = {
            name: np.array([found.get(v, 0.0) for v in array.flat]).reshape(array.shape)
            for name, array in network.values.items()
        }
        assert_same((float(loss), arrays), want, 1e-11)
        parameters = lifted.to_jax(*batches[0])[1]  # as `step` has moved them
        for (_, buffer), (key, owner) in statistic_names(first).items():
            np.testing.assert_allclose(statistics[key], getattr(owner, buffer), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["lstm-32", "cnn-32", "attention-48", "hmm-50"])
def test_the_other_rows_of_the_benchmarks(key: str) -> None:
    row = ROWS_MEASURED[key]
    one = contestant(row, "loops")
    batch = row.batches()[0]
    want, _ = one.gradients(batch)
    function, parameters = one.loss.to_jax(*batch)
    loss, gradients = jax.jit(jax.value_and_grad(function))(parameters, *batch)
    assert same(loss, want, rel=1e-12)
    found = by_value(one.loss.program, gradients)
    largest = max(abs(v.grad) for v in found)
    assert max(abs(v.grad - g) for v, g in found.items()) <= 1e-11 * largest


def test_the_gpt_gathers_only_its_embedding_and_its_targets() -> None:
    network = gpt.with_layers(gpt.numbers())
    batch = gpt.batches(1)[0]
    lifted = lift(network.loss, batched=("letters", "following", "mask"))
    function, parameters = lifted.to_jax(*batch)
    assert str(jax.make_jaxpr(function)(parameters, *batch)).count(" gather[") == 2


# --- what a JAX function can do -------------------------------------------------------------------

w = leaves(np.array([[1.0, -2.0], [0.5, 3.0], [2.0, 1.0]]))


@lift(batched=("x",))
def squares(x: Any) -> Any:
    return ((x @ w) ** 2).sum() / len(x)


def test_jit_grad_vmap_and_hessian() -> None:
    x = np.random.default_rng(0).normal(size=(4, 3))
    function, parameters = squares.to_jax(x)
    assert {name: array.shape for name, array in parameters.items()} == {"w": (3, 2)}

    def by_hand(p: Any, x: Any) -> Any:
        return ((x @ p["w"]) ** 2).sum() / len(x)

    for transform in (
        lambda f: f, jax.jit, jax.grad, lambda f: jax.jit(jax.value_and_grad(f)),
        lambda f: jax.jit(jax.hessian(f)), lambda f: jax.jacfwd(f, argnums=1),
    ):  # fmt: skip
        ours, theirs = transform(function)(parameters, x), transform(by_hand)(parameters, x)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), ours, theirs)
    many = np.stack([x, 2 * x, -x])
    np.testing.assert_allclose(
        jax.vmap(function, (None, 0))(parameters, many), [by_hand(parameters, x) for x in many]
    )
    rates = jax.vmap(lambda t: function({"w": parameters["w"] * t}, x))(jnp.arange(3.0))
    np.testing.assert_allclose(rates, float(function(parameters, x)) * np.arange(3.0) ** 2)


def test_a_batch_of_any_size_and_float32() -> None:
    function, parameters = squares.to_jax(np.ones((4, 3)))
    for size in (1, 2, 7, 50):
        x = np.random.default_rng(size).normal(size=(size, 3))
        assert same(function(parameters, x), float(squares(x)), rel=1e-12)
    narrow = {name: array.astype(np.float32) for name, array in parameters.items()}
    made = jax.jit(function)(narrow, np.ones((4, 3), np.float32))
    assert made.dtype == np.float32
    assert same(made, float(squares(np.ones((4, 3)))), rel=1e-6)


def test_as_jax_starts_it_computes_in_float32() -> None:
    """Without jax_enable_x64, and without a warning about what is narrowed."""
    code = (
        "import numpy as np, jax; from micrograd import functional, lift, nn, ops, values\n"
        "w, drop = values(np.ones((3, 2))), nn.Dropout(0.1)\n"
        "f = lift(lambda x, i, t: (ops.tanh(drop(x @ w)) * functional.take(w, i) * t).sum() / 7)\n"
        "x, i = np.ones((4, 3)), np.array([0, 1, 2, 1])\n"
        "function, parameters = f.to_jax(x, i, 0.5)\n"
        "run = jax.jit(jax.value_and_grad(function))\n"
        "loss, gradients = run(parameters, x, i, 0.5, key=jax.random.key(0))\n"
        "print(loss.dtype, gradients['w'].dtype)"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["float32", "float32"], run.stderr


def test_weights_come_home() -> None:
    v = leaves(np.array([1.0, 2.0, 3.0]))
    line = lift(lambda x: (v * x).sum())
    _, parameters = line.to_jax(np.ones(3))
    line.program.load({name: array * 10 for name, array in parameters.items()})
    assert numbers(v).tolist() == [10.0, 20.0, 30.0]
    assert float(line(np.ones(3))) == 60.0
    with pytest.raises(LiftError, match="has the parameters v; got q"):
        line.program.load({"q": np.ones(3)})
    with pytest.raises(LiftError, match=r"v has the shape \(3,\), got \(2,\)"):
        line.program.load({"v": np.ones(2)})


def test_structures_lists_and_statics() -> None:
    f = lift(lambda pair, n, scale: {"a": [x * n for x in pair], "b": (scale, "text")})
    function, parameters = f.to_jax([1.0, 2.0], 3, 0.5)
    for pair in ([jnp.array(1.0), 2.0], jnp.array([1.0, 2.0])):
        made = function(parameters, pair, 3, 0.5)
        assert made["a"].tolist() == [3.0, 6.0]
        assert float(made["b"][0]) == 0.5
        assert made["b"][1] == "text"
    with pytest.raises(LiftError, match="other static arguments"):
        function(parameters, [1.0, 2.0], 4, 0.5)
    with pytest.raises(LiftError, match=r"shapes \[\(2,\), \(\)\], got \[\(3,\), \(\)\]"):
        function(parameters, [1.0, 2.0, 3.0], 3, 0.5)
    with pytest.raises(LiftError, match="has the parameters"):
        function({"other": jnp.ones(2)}, [1.0, 2.0], 3, 0.5)


def test_draws_take_a_key() -> None:
    drop = nn.Dropout(0.5)
    u = leaves(np.ones(1000))
    f = lift(lambda x: drop(u * x))
    function, parameters = f.to_jax(np.ones(1000))
    with pytest.raises(LiftError, match=r"key=jax\.random\.key"):
        function(parameters, np.ones(1000))
    one, other = (function(parameters, np.ones(1000), key=jax.random.key(k)) for k in (0, 1))
    again = jax.jit(function)(parameters, np.ones(1000), key=jax.random.key(0))
    assert one.tolist() == again.tolist() != other.tolist()
    assert set(one.tolist()) == {0.0, 2.0}
    assert 400 < (np.asarray(one) > 0).sum() < 600


def test_running_statistics_are_returned_and_come_home() -> None:
    norm = nn.BatchNorm1d(3)
    f = lift(lambda x: norm(x).sum())
    x = np.random.default_rng(0).normal(size=(5, 3))
    function, parameters = f.to_jax(x)
    before = {name: np.asarray(array) for name, array in function.statistics.items()}
    _, after = function(parameters, x)
    assert norm.running_mean.tolist() == [0.0, 0.0, 0.0], "a call changes nothing"
    np.testing.assert_allclose(after["running_mean_1"], 0.1 * x.mean(axis=0))
    _, twice = function(parameters, x, statistics=after)
    np.testing.assert_allclose(twice["running_mean_1"], 0.19 * x.mean(axis=0))
    assert before.keys() == after.keys()
    f.program.load(parameters, after)
    np.testing.assert_allclose(norm.running_mean, 0.1 * x.mean(axis=0))


def test_a_row_without_a_form_says_how_to_give_one() -> None:
    cube = op("cube without", lambda x: x * x * x, [lambda x, out: 3 * x * x])
    with pytest.raises(LiftError, match=r"op\('cube without', forward, partials, jax=\.\.\.\)"):
        lift(lambda x: cube(x)).to_jax(2.0)
    cube = op("cube", lambda x: x * x * x, [lambda x, out: 3 * x * x], jax=lambda x: x**3)
    function, _ = lift(lambda x: cube(x)).to_jax(2.0)
    assert float(jax.grad(function, argnums=1)({}, 2.0)) == 12.0
    assert float(jax.grad(jax.grad(function, argnums=1), argnums=1)({}, 2.0)) == 12.0


def test_ties_of_many_are_shared_pair_after_pair() -> None:
    x = leaves(np.array([[1.0, 1.0, 1.0, 0.0], [3.0, 1.0, 3.0, 3.0]]))
    tied = lift(lambda x: [reduce(ops.maximum, row) for row in x])
    made, found_ = in_jax(tied, [x], [1.0, 1.0])
    assert made.tolist() == [1.0, 3.0]
    got = [[found_[v] for v in row] for row in x]
    assert got == [[0.25, 0.25, 0.5, 0.0], [0.25, 0.0, 0.25, 0.5]]


def test_an_index_out_of_range_is_nan() -> None:
    f = lift(lambda i: functional.take(w, i))
    function, parameters = f.to_jax(np.array([0, 2]))
    made = function(parameters, np.array([3, -1]))
    assert np.isnan(made).all()


def test_without_jax_one_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['jax'] = None\n"
        "from micrograd import lift\n"
        "try: lift(lambda x: x * 2).to_jax(1.0)\n"
        "except ImportError as fault: print(type(fault).__name__, fault)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("PackageMissing to_jax needs a package")
    assert "pip install jax" in run.stdout


def test_nothing_of_jax_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys; from micrograd import lift, Value; f = lift(lambda x: x * Value(2.0))\n"
        "f(1.0).backward(); f.program.load({}); print('jax' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


# --- sums with a negation are differences ---------------------------------------------------------


def subtractions(function: Any, *arguments: Any) -> tuple[int, int]:
    """How many subtractions the function in JAX has, and how many products with -1."""
    exported, parameters = lift(function).to_jax(*arguments)
    text = str(jax.make_jaxpr(exported)(parameters, *arguments))
    return text.count(" sub "), text.count(" -1.0:f64")


def test_softmax_subtracts_its_maximum() -> None:
    x = np.random.default_rng(0).normal(size=(6, 5))
    found, products = subtractions(lambda x: functional.softmax(x), x)
    assert found == 1 and products == 1  # the product is computed for nobody, and XLA drops it


def test_a_negation_is_what_its_array_holds_when_it_is_read() -> None:
    """Planted: another negation, one of half of the array, and one whose source has changed."""
    array, source, other = (Array(name, (4,), "result") for name in ("n", "m", "x"))
    out = Array("out", (4,), "result")

    def negation(loops: int, base: int = 0, of: Array = source) -> Step:
        value = Apply(ops.mul, (Read(0), -1.0))
        return Step((loops,), View(array, base, (1,)), value, (View(of, base, (1,)),))

    reader = Step(
        (4,), View(out, 0, (1,)), ops.add(Read(0), Read(1)),
        (View(other, 0, (1,)), View(array, 0, (1,))),
    )  # fmt: skip
    made = Step((4,), View(source, 0, (1,)), Read(0), (View(other, 0, (1,)),))

    def after(*steps: Step) -> Step:
        negations = Negations()
        for one in steps:
            negations.note(one)
        return negations.without(reader)

    subtracted = after(made, negation(4))
    assert str(subtracted.value) == "($0 - $1)"
    assert [view.array.name for view in subtracted.reads] == ["x", "m"]
    assert after(negation(2)) is reader
    assert after(negation(4), negation(2, 2)) is reader
    assert after(negation(4), made) is reader
    assert after(negation(4), replace(made, out=View(array, 0, (1,)))) is reader
    again = after(negation(4), negation(4, of=other))
    assert [view.array.name for view in again.reads] == ["x"]
