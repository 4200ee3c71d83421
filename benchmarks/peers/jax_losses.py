"""The losses of all networks in JAX: functions of (parameters by name, state, *batch).

Each gives (loss, state); only BatchNorm's network has a state, its running statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.models import cnn, demo, gpt, lstm, wavenet

__all__ = ["LOSSES"]

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


def lstm_loss(p: Arrays, state: Any, X: Any, y: Any) -> Any:
    size = p["hidden.weight"].shape[1]
    # what each letter adds to the gates: 27 rows, not 256 (245 us a step where those take 307)
    inputs = (p["token.weight"] @ p["input.weight"].T + p["input.bias"])[X.T]

    def cell(carry: Any, x: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(x + h @ p["hidden.weight"].T, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zeros = jnp.zeros((len(X), size))
    (h, _), _ = jax.lax.scan(cell, (zeros, zeros), inputs, unroll=lstm.CONTEXT)
    return cross_entropy(h @ p["head.weight"].T + p["head.bias"], y).mean(), state


def cnn_loss(p: Arrays, state: Any, X: Any, y: Any) -> Any:
    x = X.transpose(0, 2, 3, 1)
    for i in range(2):  # patches and a product: 101 us a step where lax.conv takes 115 to 124
        kernel, size = p[f"kernel{i}"], cnn.KERNEL
        side = x.shape[1] - size + 1
        places = [(a, b) for a in range(size) for b in range(size)]
        patches = jnp.concatenate([x[:, a : a + side, b : b + side] for a, b in places], axis=-1)
        matrix = kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel))
        x = jax.nn.relu(patches @ matrix + p[f"bias{i}"])
    x = x.transpose(0, 3, 1, 2).reshape(len(X), -1)
    return cross_entropy(x @ p["head.weight"].T + p["head.bias"], y).mean(), state


def attention_loss(p: Arrays, state: Any, letters: Any, following: Any) -> Any:
    T = len(letters)
    x = p["token.weight"][letters] + p["position.weight"][:T]
    q, k, v = (x @ p[f"{name}.weight"].T for name in ("query", "key", "value"))
    scores = jnp.where(jnp.tri(T, dtype=bool), q @ k.T * q.shape[1] ** -0.5, -jnp.inf)
    x = x + jax.nn.softmax(scores) @ v @ p["project.weight"].T
    return cross_entropy(x @ p["head.weight"].T, following).mean(), state


def hmm_loss(p: Arrays, state: Any, letters: Any) -> Any:
    start, A, B = (jax.nn.log_softmax(p[name]) for name in ("start", "transition", "emission"))
    seen, A = B.T[letters], jnp.exp(A)

    def forward(alpha: Any, b: Any) -> Any:
        # a product of vector and matrix: 40 us a step where logsumexp of S x S takes 94
        shift = jax.lax.stop_gradient(alpha.max())
        return jnp.log(jnp.exp(alpha - shift) @ A) + shift + b, None

    alpha, _ = jax.lax.scan(forward, start + seen[0], seen[1:])
    return -jax.nn.logsumexp(alpha) / len(letters), state


LOSSES: dict[str, Callable[..., Any]] = {
    "demo": demo_loss, "gpt": gpt_loss, "makemore": makemore_loss, "wavenet": wavenet_loss,
    "lstm": lstm_loss, "cnn": cnn_loss, "attention": attention_loss, "hmm": hmm_loss,
}  # fmt: skip
