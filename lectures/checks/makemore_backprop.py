"""The checkers of makemore part 4's exercises: backpropagation by hand.

Nothing here knows a formula: what is right is what the engine finds on arrays of Values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from checks import Sheet, Wrong, array, close, several, true, without_engine
from micrograd import Value, grads
from micrograd.functional import cross_entropy

sheet = Sheet("makemore part 4")
check, hint = sheet.check, sheet.hint


def _values(array: Any) -> np.ndarray:
    boxed = np.empty(np.size(array), dtype=object)
    boxed[:] = [Value(number) for number in np.asarray(array, dtype=float).flat]
    return boxed.reshape(np.shape(array))


def _gradients(f: Callable[..., Any], d_out: Any, *inputs: Any) -> list[np.ndarray]:
    """What arrives at each input when `d_out` arrives at f(*inputs), from the engine."""
    boxed = [_values(x) for x in inputs]
    np.sum(f(*boxed) * d_out).backward()
    return [grads(x) for x in boxed]


def _draw(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def _compare(
    got: Any, wanted: Any, what: str, shape_of: str, instead: Mapping[str, Any] | None = None
) -> None:
    given = array(got, what)
    if given.shape != np.shape(wanted):
        close(given, wanted, f"{what}, of the shape of {shape_of}", instead=instead or {})
    close(given, wanted, what, rtol=1e-8, atol=1e-10, instead=instead or {})


def _untouched(before: list[np.ndarray], after: list[np.ndarray]) -> None:
    for old, new in zip(before, after, strict=True):
        true(np.array_equal(old, new), "the arrays that were given are unchanged")


@sheet.exercise(
    1,
    hints=[
        "Only one entry of each row appears in the loss at all.",
        "The loss is a mean over the rows, with a minus in front.",
    ],
)
def from_the_loss_to_the_logarithms(backward_nll: Any) -> None:
    for n, classes in ((6, 5), (3, 27)):
        (logprobs,) = _draw(n, (n, classes))
        y = np.random.default_rng(n).integers(0, classes, n)
        (wanted,) = _gradients(
            lambda z, y=y, n=n: -z[np.arange(n), y].sum() * (1 / n), 1.0, logprobs
        )
        before = logprobs.copy()
        with without_engine():
            got = backward_nll(logprobs, y)
        _untouched([before], [logprobs])
        summed = {"that is for the sum over the rows; the loss is their mean": n * wanted}
        _compare(got, wanted, "dlogprobs", "logprobs", summed)


@sheet.exercise(
    2,
    hints=[
        "counts is used twice: as it is, and inside its row's sum.",
        "The inverse of the sum was copied along a row, so what arrives there is summed along it.",
    ],
)
def counts_to_probabilities(backward_normalise: Any) -> None:
    for shape in ((4, 3), (7, 5)):
        counts, dprobs = _draw(20 + shape[0], shape, shape)
        counts = np.exp(counts)
        before = [counts.copy(), dprobs.copy()]
        with without_engine():
            got = backward_normalise(counts, dprobs)
        _untouched(before, [counts, dprobs])
        (wanted,) = _gradients(lambda c: c * c.sum(axis=1, keepdims=True) ** -1, dprobs, counts)
        total = counts.sum(axis=1, keepdims=True)
        mistaken = {
            "that is one use of counts; it stands in the sum as well": dprobs / total,
            "the sum was copied along its row: what arrives there is added up": (
                dprobs / total - dprobs * counts / total**2
            ),
        }
        _compare(got, wanted, "dcounts", "counts", mistaken)


@sheet.exercise(
    3,
    hints=[
        "Write y[0, 0] out for x of shape (2, 3): which numbers multiply x[0, 1]?",
        "The shapes of dx, dW and db are those of x, W and b; only one product fits each.",
    ],
)
def a_linear_layer(backward_linear: Any) -> None:
    for n, nin, nout in ((5, 3, 4), (3, 3, 3)):
        x, W, b, dy = _draw(30 + n, (n, nin), (nin, nout), (nout,), (n, nout))
        with without_engine():
            got = backward_linear(x, W, dy)
        wanted = _gradients(lambda x, W, b: x @ W + b, dy, x, W, b)
        names = ("dx", "dW", "db")
        for name, g, w in zip(names, several(got, *names), wanted, strict=True):
            mistaken = {
                "db": {"b was copied to every row: what arrives is added up over the rows": dy},
                "dW": {"no mean is taken here: what arrives at y is all there is": x.T @ dy / n},
                "dx": {"W and its transpose have changed places": dy @ W if nin == nout else []},
            }
            what = f"{name} of a layer of shape {(nin, nout)}"
            _compare(g, w, what, name[1:], mistaken[name])


@sheet.exercise(
    4,
    title="tanh from its output",
    hints=["The derivative of tanh is 1 - tanh**2. Which array is tanh already?"],
)
def tanh_from_its_output(backward_tanh: Any) -> None:
    x, dh = _draw(40, (6, 4), (6, 4))
    (wanted,) = _gradients(np.tanh, dh, x * 2)
    h = np.tanh(x * 2)
    before = [h.copy(), dh.copy()]
    with without_engine():
        got = backward_tanh(h, dh)
    _untouched(before, [h, dh])
    mistaken = {
        "h is the output of tanh already": dh * (1 - np.tanh(h) ** 2),
        "that is the local derivative, without what arrives": 1 - h**2,
        "the derivative is 1 minus the square": dh * (1 - h),
    }
    _compare(got, wanted, "the gradient before tanh", "h", mistaken)


@sheet.exercise(
    5,
    hints=[
        "A letter that stands in several places receives something from each of them.",
        "dC[X] += demb keeps only the last of them: np.add.at, or a loop.",
    ],
)
def the_embedding(backward_embedding: Any) -> None:
    for shape, n in (((8, 3), 5), ((4, 2), 27)):
        C, demb = _draw(50 + n, (n, 4), (*shape, 4))
        X = np.random.default_rng(n).integers(0, n, shape)
        (wanted,) = _gradients(lambda C, X=X: C[X], demb, C)
        before = [C.copy(), demb.copy()]
        with without_engine():
            got = backward_embedding(C, X, demb)
        _untouched(before, [C, demb])
        last = np.zeros_like(C)
        last[X] += demb
        mistaken = {
            "that keeps what arrives from one place of each letter; give the sum over all its "
            "places": last,
            "that is what arrives at each place; each row of C collects from its places": demb,
        }
        _compare(got, wanted, f"dC for {n} letters in {X.size} places", "C", mistaken)


@sheet.exercise(
    6,
    title="Softmax and cross-entropy, fused",
    hints=[
        "For one row: -z_y + log(sum of exp z). What is the derivative of the second term?",
        "It is the probability. The first term takes 1 away at one place; then the mean.",
    ],
)
def softmax_and_cross_entropy_fused(backward_cross_entropy: Any) -> None:
    for n, classes, scale in ((6, 5, 1.0), (4, 27, 3.0), (3, 4, 500.0)):
        (z,) = _draw(60 + n, (n, classes))
        z = z * scale
        y = np.random.default_rng(n).integers(0, classes, n)
        before = z.copy()
        with without_engine():
            got = backward_cross_entropy(z, y)
        _untouched([before], [z])
        (wanted,) = _gradients(lambda z, y=y: cross_entropy(z, y), 1.0, z)
        large = " for scores of some hundreds" if scale > 100 else ""
        if not np.all(np.isfinite(array(got, "dlogits"))):
            raise Wrong(f"dlogits{large}: it holds inf or nan, as exp overflows")
        mistaken = {
            "that is for the sum over the rows; give the mean": n * wanted,
            "those are the probabilities; the right class has 1 less": (
                wanted + np.eye(classes)[y] / n
            ),
        }
        _compare(got, wanted, f"dlogits{large}", "logits", mistaken)


def _norm(x: Any, gain: Any, shift: Any, eps: float = 1e-5) -> Any:
    n = len(x)
    diff = x - x.sum(0) * (1 / n)
    return gain * (diff * ((diff**2).sum(0) * (1 / (n - 1)) + eps) ** -0.5) + shift


@sheet.exercise(
    7,
    title="Batch normalisation, step by step",
    hints=[
        "Go back along the seven steps of section 5, each with the gradient of its input.",
        "bndiff and x each have two uses; gain and shift were copied to every row.",
    ],
)
def batch_normalisation_step_by_step(backward_norm: Any) -> None:
    _mark_norm(backward_norm, ((6, 3), (2, 2)))


@sheet.exercise(
    8,
    title="Batch normalisation, fused",
    hints=[
        "Express everything by the normalised values: they add up to 0 in each column.",
        "Three terms: n times the gradient, minus its sum, minus the part along the values.",
    ],
)
def batch_normalisation_fused(backward_norm_fused: Any) -> None:
    _mark_norm(backward_norm_fused, ((9, 4), (3, 5), (2, 1)))


def _mark_norm(backward: Any, shapes: Any) -> None:
    for shape in shapes:
        x, gain, shift, dy = _draw(70 + shape[0], shape, shape[1:], shape[1:], shape)
        x = 3 * x + 1
        before = [x.copy(), gain.copy(), dy.copy()]
        with without_engine():
            got = backward(x, gain, dy)
        _untouched(before, [x, gain, dy])
        wanted = _gradients(_norm, dy, x, gain, shift)
        names = ("dx", "dgain", "dshift")
        for name, g, w in zip(names, several(got, *names), wanted, strict=True):
            mistaken = _misread_norm(x, gain, dy) if name == "dx" else {}
            _compare(g, w, f"{name} for a batch of shape {shape}", name[1:], mistaken)


def _misread_norm(x: Any, gain: Any, dy: Any) -> dict[str, Any]:
    """What dx is where part of the way back is left out."""
    n, inverse = len(x), (x.var(axis=0, ddof=1) + 1e-5) ** -0.5
    raw = (x - x.mean(axis=0)) * inverse
    direct, along = gain * inverse * dy, gain * inverse * raw * (dy * raw).sum(axis=0)
    of_mean = gain * inverse * dy.mean(axis=0)
    return {
        "that takes mean and variance for constants; they are made of x as well": direct,
        "that takes the mean for a constant; it is made of x as well": direct - along / (n - 1),
        "that takes the variance for a constant; it is made of x as well": direct - of_mean,
        "the variance is over n - 1, and the mean over n": direct - of_mean - along / n,
    }


@sheet.exercise(
    9,
    hints=[
        "The order: scores, W2 and b2, hidden units, tanh, gain and shift, W1 and b1, C.",
        "Your functions of exercises 3 to 8 are all that is needed; the numbers of the forward "
        "pass must be computed first.",
    ],
)
def the_whole_network(gradients: Any) -> None:
    for n in (9, 4):
        C, W1, b1, gain, shift, W2, b2 = _draw(
            90 + n, (6, 2), (6, 5), (5,), (5,), (5,), (5, 6), (6,)
        )
        P = {"C": C, "W1": W1, "b1": b1, "gain": gain, "shift": shift, "W2": W2, "b2": b2}
        rng = np.random.default_rng(n)
        X, y = rng.integers(0, 6, (n, 3)), rng.integers(0, 6, n)
        V = {name: _values(p) for name, p in P.items()}
        emb = V["C"][X] * 1.0  # a node for each place
        h = np.tanh(_norm(emb.reshape(n, 6) @ V["W1"] + V["b1"], V["gain"], V["shift"]))
        cross_entropy(h @ V["W2"] + V["b2"], y).backward()
        before = [p.copy() for p in P.values()]
        with without_engine():
            got = gradients(P, X, y)
        last = np.zeros_like(C)
        last[X] += grads(emb)
        once = {"a letter that stands in several places gets something from each of them": last}
        _untouched(before, list(P.values()))
        found = dict(zip(P, several(got, *P), strict=True))
        for name in reversed(P):
            mistaken = once if name == "C" else {}
            _compare(found[name], grads(V[name]), f"the gradient of {name}", name, mistaken)
