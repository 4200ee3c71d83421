"""The checkers of the exercises to makemore part 2: examples, starts, rates, and beating 2.2."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from checks import (
    Sheet,
    Wrong,
    array,
    beside,
    by_hand,
    close,
    integers,
    number,
    only_learner,
    part,
    same,
    several,
    true,
    whole,
    without_engine,
)
from micrograd import LiftError, Value, functional, grads, lift, nn, no_grad

sheet = Sheet("makemore part 2")
check, hint = sheet.check, sheet.hint

LETTERS = ".abcdefghijklmnopqrstuvwxyz"


@functools.cache
def _words() -> tuple[list[str], list[str]]:
    """The names of the training and the dev part, as the notebook makes them."""
    words = (Path(__file__).parent.parent / "data" / "names.txt").read_text().split()
    shuffled = [words[i] for i in np.random.default_rng(42).permutation(len(words))]
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return shuffled[:n1], shuffled[n1:n2]


def _examples(words: list[str], context: int) -> tuple[np.ndarray, np.ndarray]:
    X, y = [], []
    for word in words:
        window = [0] * context
        for letter in word + ".":
            X.append(window)
            y.append(LETTERS.index(letter))
            window = [*window[1:], y[-1]]
    return np.array(X), np.array(y)


def _network(embedding: int = 4, width: int = 12, seed: int = 0) -> nn.Sequential:
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Embedding(27, embedding, rng=rng), nn.Flatten(),
        nn.Linear(3 * embedding, width, init="normal", rng=rng), nn.Tanh(),
        nn.Linear(width, 27, init="normal", rng=rng),
    )  # fmt: skip


@sheet.exercise(
    1,
    title="How many parameters?",
    hints=[
        "The table of embeddings, then weights and biases of two layers.",
        "The hidden layer reads context x embedding numbers.",
    ],
)
def how_many_parameters(count: Any) -> None:
    mistaken = {
        "that is without the biases of the two layers": 11_670,
        "that is without the table of embeddings": 11_627,
        "the hidden layer reads the embeddings of the whole context, not of one letter": 7_897,
    }
    what = "the parameters of the lecture's larger network"
    same(count(3, 10, 200), 11_897, what, instead=mistaken)
    same(count(3, 2, 100), 3_481, "the parameters of the lecture's smaller network")
    wanted = 27 * 24 + 8 * 24 * 128 + 128 + 128 * 27 + 27
    same(count(8, 24, 128), wanted, "the parameters for context 8, embedding 24, width 128")


@sheet.exercise(
    2,
    hints=[
        "Slide a window: drop its first letter, add the one that has just been predicted.",
        "The dot at the end is a target too. Copy the window; a list that changes later is shared.",
    ],
)
def examples_of_any_context(examples: Any) -> None:
    for names, context in ((["emma"], 3), (["ab", "zoe", "o"], 2), (["anna", "li"], 5)):
        X, y = several(examples(names, context), "X", "y")
        wanted_X, wanted_y = _examples(names, context)
        what = f"of {', '.join(names)} with a context of {context}"
        same(integers(y, f"the targets {what}", wanted_y.shape), wanted_y, f"the targets {what}")
        text = "." * context + "".join(f"{name}." for name in names)
        across = [[LETTERS.index(c) for c in text[i : i + context]] for i in range(len(wanted_X))]
        mistaken = {"every name begins with a window of dots, whatever came before": across}
        X = integers(X, f"the windows {what}", wanted_X.shape)
        same(X, wanted_X, f"the windows {what}", instead=mistaken)


@sheet.exercise(
    3,
    hints=[
        "What loss has a model that gives every letter the same probability, and what scores?",
        "Make the last layer's weights small (not 0) and its bias 0; leave the other layers alone.",
    ],
    returns=False,
)
def a_calm_start(calm: Any) -> None:
    X, y = _examples(_words()[1][:40], 3)
    model = _network()
    before = model.state_dict()
    with no_grad():
        wild = functional.cross_entropy(model(X), y).data
    true(wild > 4, "the given network's first loss is bad")
    calm(model)
    loss = functional.cross_entropy(model(X), y)
    near = f"the first loss is within 0.05 of ln 27 = 3.2958 (it is {loss.data:.5g})"
    true(abs(loss.data - np.log(27)) < 0.05, near)
    after = model.state_dict()
    true(all(np.array_equal(after[k], before[k]) for k in ("0.weight", "2.weight", "2.bias")),
         "the embedding and the hidden layer are as they were")  # fmt: skip
    loss.backward()
    for name, array_of_values in model.named_arrays():
        true(
            grads(array_of_values).any(),
            f"the array {name} gets a gradient other than 0 at the first step",
        )


@sheet.exercise(
    4,
    hints=[
        "Follow one example forward with W1 = b1 = W2 = b2 = 0; then the products of the backward.",
        "If only the output bias learns, the best it can do is the frequency of each letter.",
    ],
)
def everything_zero(learns: Any, plateau: Any) -> None:
    only_learner(learns, "4.bias", ARRAYS, "the arrays that learn")
    even = {"that is for equal probabilities: what learns can do better": np.log(27)}
    by_hand(plateau, _plateau(), "the loss at which the network gets stuck", instead=even)


ARRAYS = ("0.weight", "2.weight", "2.bias", "4.weight", "4.bias")


@functools.cache
def _plateau() -> float:
    p = np.bincount(_examples(_words()[0], 1)[1], minlength=27)
    return float(-(p / p.sum() * np.log(p / p.sum())).sum())


@sheet.exercise(
    5,
    hints=[
        "For one example the gradient is the softmax, less 1 at the right letter.",
        "The loss is a mean over examples, so each row is divided by their number.",
    ],
)
def the_gradient_of_the_scores(gradient: Any) -> None:
    rng = np.random.default_rng(3)
    scores, y = rng.normal(0, 2, (5, 7)), rng.integers(0, 7, 5)
    given = scores.copy()
    z = np.frompyfunc(Value, 1, 1)(scores)
    functional.cross_entropy(z, y).backward()
    with without_engine():
        got = gradient(scores, y)
    true(np.array_equal(scores, given), "the scores that were given are unchanged")
    got = array(got, "the gradient for five examples of seven classes", (5, 7))
    mistaken = {
        "that is for the sum of the losses; take their mean": 5 * grads(z),
        "those are the probabilities; the right letter lowers the loss": (
            grads(z) + np.eye(7)[y] / 5
        ),
    }
    what = "the gradient for five examples of seven classes"
    close(got, grads(z), what, atol=1e-12, instead=mistaken)
    close(np.sum(got, axis=1), np.zeros(5), "the sum of each row", atol=1e-12)
    close(
        gradient(scores + 5000.0, y),
        grads(z),
        "the gradient with 5000 added to all scores",
        atol=1e-9,
    )


@sheet.exercise(
    6,
    hints=[
        "A single lucky batch must not decide: average each loss with its neighbours.",
        "np.convolve(losses, np.ones(w) / w, mode='valid') has no half-filled windows at the ends.",
    ],
)
def reading_a_sweep(best_rate: Any) -> None:
    def exponent(losses: Any) -> float:
        rate = array(best_rate(exponents, losses, 41), "the best rate", ())
        true(rate > 0, "a rate is returned, not its exponent (it is to be positive)")
        return float(np.log10(rate))

    exponents = np.linspace(-4, 0, 801)
    losses = 2.0 + (exponents + 1.2) ** 2
    ends = {"a window that sticks out over an end holds fewer losses, and does not count": 0.0}
    close(exponent(losses), -1.2, "log10 of the best rate, without noise", atol=0.03, instead=ends)
    lucky = losses.copy()
    lucky[20] = 0.1
    single = {"that is the luckiest batch alone; find the least mean of a window": -3.9}
    what = "log10 of the best rate, with one lucky batch"
    close(exponent(lucky), -1.2, what, atol=0.03, instead=single)
    falling = 5.0 + exponents
    got = exponent(falling[::-1])
    true(-0.2 <= got <= 0, "a loss that falls to the end is best at the end, or nearly")
    got = exponent(falling)
    true(-4 <= got <= -3.8, "a loss that only rises is best at the beginning, or nearly")


@sheet.exercise(
    7,
    title="Beat 2.2",
    hints=[
        "A better start (exercise 3), larger batches, a rate that falls to 0, Adam, more context.",
        "Train as the lecture does, look at the dev loss, change one thing at a time.",
    ],
)
def beat_2_2(model: Any, context: Any) -> None:
    by_hand(context, low=1, what="the context")
    with part("the model"):
        true(callable(model), "the model takes windows and gives scores")
        X, y = _examples(_words()[1], whole(context, "the context"))
        with no_grad():
            scores = array(model(X[:2]), "the scores of two windows", (2, 27))
            if (scores >= 0).all() and np.allclose(scores.sum(axis=1), 1.0):
                raise Wrong("the model gives probabilities; give scores, of which softmax "
                            "makes probabilities")  # fmt: skip
            loss = _mean_loss(model, X, y)
        true(loss < 2.2, f"the loss on the dev part is below 2.2 (it is {beside(loss, 2.2)})")


def _mean_loss(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    """Lifted, which takes a second; as it is, where the model is written so that it cannot be."""

    def plain(X: Any, y: Any) -> Any:
        return functional.cross_entropy(model(X), y)

    loss_of = lift(batched=("X", "y"))(plain)
    try:
        loss_of(X[:2], y[:2])
    except LiftError:
        loss_of = plain
    total = 0.0
    for i in range(0, len(y), 4096):
        part = slice(i, i + 4096)
        total += number(loss_of(X[part], y[part]), "the loss") * len(y[part])
    return total / len(y)
