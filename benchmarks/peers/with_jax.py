"""The networks in JAX: loss, gradient and update in one compiled function, parameters donated."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.models import demo, gpt, wavenet

__all__ = ["Contestant"]

jax.config.update("jax_enable_x64", True)
Arrays = dict[str, Any]


def cross_entropy(logits: Any, targets: Any) -> Any:
    chosen = jnp.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return jax.nn.logsumexp(logits, axis=-1) - chosen


def demo_loss(p: Arrays, state: Any, X: Any, y: Any) -> Any:
    count = len(p) // 2
    for i in range(count):
        X = X @ p[f"weight{i}"].T + p[f"bias{i}"]
        if i < count - 1:
            X = jax.nn.relu(X)
    penalty = sum((w * w).sum() for w in p.values())
    return jax.nn.relu(1 - y * X[:, 0]).mean() + demo.ALPHA * penalty, state


def gpt_loss(p: Arrays, state: Any, letters: Any, following: Any, mask: Any = None) -> Any:
    def normed(x: Any) -> Any:
        return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + gpt.EPS)

    T = letters.shape[-1]
    x = normed(p["token.weight"][letters] + p["position.weight"][:T])
    y = normed(x)
    split = (*y.shape[:-1], gpt.HEADS, gpt.SIZE)
    q, k, v = ((y @ p[f"{name}.weight"].T).reshape(split) for name in ("query", "key", "value"))
    scores = jnp.einsum("...thd,...shd->...hts", q, k) * gpt.SIZE**-0.5
    scores = jnp.where(jnp.tri(T, dtype=bool), scores, -jnp.inf)
    mixed = jnp.einsum("...hts,...shd->...thd", jax.nn.softmax(scores), v).reshape(x.shape)
    x = x + mixed @ p["project.weight"].T
    x = x + jax.nn.relu(normed(x) @ p["expand.weight"].T) @ p["contract.weight"].T
    losses = cross_entropy(x @ p["head.weight"].T, following)
    if mask is None:
        return losses.mean(), state
    return (losses * mask).sum() / mask.sum(), state


def makemore_loss(p: Arrays, state: Any, X: Any, y: Any) -> Any:
    x = p["0.weight"][X].reshape(len(X), -1)
    x = jnp.tanh(x @ p["2.weight"].T + p["2.bias"])
    return cross_entropy(x @ p["4.weight"].T + p["4.bias"], y).mean(), state


def wavenet_loss(p: Arrays, state: Any, X: Any, y: Any) -> Any:
    x, moved = p["0.weight"][X], []
    for i, (running_mean, running_var) in zip(wavenet.LEVELS, state, strict=True):
        N, L, C = x.shape
        x = x.reshape(N, L // 2, 2 * C) @ p[f"{i}.weight"].T
        mean, var = x.mean((0, 1)), x.var((0, 1))
        m = N * L // 2
        moved.append(
            (0.9 * running_mean + 0.1 * mean, 0.9 * running_var + 0.1 * var * (m / (m - 1)))
        )
        normal = (x - mean) * jax.lax.rsqrt(var + wavenet.EPS)
        x = jnp.tanh(normal * p[f"{i + 1}.weight"] + p[f"{i + 1}.bias"])
    logits = x[:, 0] @ p["13.weight"].T + p["13.bias"]
    return cross_entropy(logits, y).mean(), moved


LOSSES: dict[str, Callable[..., Any]] = {
    "demo": demo_loss, "gpt": gpt_loss, "makemore": makemore_loss, "wavenet": wavenet_loss,
}  # fmt: skip


class Contestant:
    """One network with its optimiser; `step(batch)` waits for its result."""

    def __init__(
        self, network: str, numbers: dict[str, np.ndarray], optimiser: str, lr: float
    ) -> None:
        # copies: a donated array is overwritten
        self.p: Any = {k: jnp.array(a, copy=True) for k, a in numbers.items()}
        self.state: Any = None
        if network == "wavenet":
            hidden = len(numbers["3.weight"])
            self.state = [(jnp.zeros(hidden), jnp.ones(hidden)) for _ in wavenet.LEVELS]
        zeros = jax.tree.map(jnp.zeros_like, self.p)
        self.moments: Any = (zeros, jax.tree.map(jnp.zeros_like, self.p), jnp.zeros(()))
        self.value_and_grad = jax.value_and_grad(LOSSES[network], has_aux=True)
        update = partial(adam if optimiser == "adam" else sgd, lr)

        def step(p: Any, state: Any, moments: Any, *batch: Any) -> Any:
            (loss, state), g = self.value_and_grad(p, state, *batch)
            return loss, *update(p, g, moments), state

        self.compiled = jax.jit(step, donate_argnums=(0, 1, 2))

    def prepare(self, batch: tuple[np.ndarray, ...]) -> tuple[Any, ...]:
        return tuple(map(jnp.asarray, batch))

    def step(self, batch: tuple[Any, ...]) -> Any:
        loss, self.p, self.moments, self.state = self.compiled(
            self.p, self.state, self.moments, *batch
        )
        return loss.block_until_ready()  # all results of one program are ready together

    def gradients(self, batch: tuple[Any, ...]) -> tuple[float, dict[str, Any]]:
        (loss, _), g = self.value_and_grad(self.p, self.state, *batch)
        return float(loss), {k: np.asarray(a) for k, a in g.items()}


def sgd(lr: float, p: Any, g: Any, moments: Any) -> Any:
    return jax.tree.map(lambda w, dw: w - lr * dw, p, g), moments


def adam(lr: float, p: Any, g: Any, moments: Any) -> Any:
    beta1, beta2, eps = 0.85, 0.99, 1e-8
    m, v, t = moments
    t = t + 1
    m = jax.tree.map(lambda old, dw: beta1 * old + (1 - beta1) * dw, m, g)
    v = jax.tree.map(lambda old, dw: beta2 * old + (1 - beta2) * dw * dw, v, g)
    scale1, scale2 = 1 - beta1**t, 1 - beta2**t

    def moved(w: Any, mw: Any, vw: Any) -> Any:
        return w - lr * (mw / scale1) / (jnp.sqrt(vw / scale2) + eps)

    return jax.tree.map(moved, p, m, v), (m, v, t)
