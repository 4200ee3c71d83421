"""The smallest GPT of the lectures: one name, or padded names with a mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.models.gpt import BLOCK, EPS, HEADS, SIZE, VOCABULARY, WIDTH
from benchmarks.peers.by_hand import Buffers, Views, cross_entropy

__all__ = ["Network"]

LETTERS = np.eye(VOCABULARY)
FUTURE = np.where(np.tri(BLOCK), 0.0, -np.inf)


class Network:
    def __init__(self, p: Views, d: Views, w: np.ndarray, g: np.ndarray) -> None:
        self.p, self.d = p, d
        at = WIDTH * (VOCABULARY + BLOCK)  # query, key and value stand one after the other
        size = 3 * WIDTH * WIDTH
        self.qkv = w[at : at + size].reshape(3 * WIDTH, WIDTH)
        self.into_qkv = g[at : at + size].reshape(3 * WIDTH, WIDTH)
        self.buffers = Buffers()

    def __call__(self, letters: Any, following: Any, mask: Any = None) -> float:
        p, d, new = self.p, self.d, self.buffers
        T = letters.shape[-1]
        count = letters.size // T
        N, row = letters.size, new("row", letters.size, 1)

        # forward
        chosen = np.take(LETTERS, letters.ravel(), axis=0, out=new("chosen", N, VOCABULARY))
        x0 = np.matmul(chosen, p["token.weight"], out=new("x0", N, WIDTH))
        by_name = x0.reshape(count, T, WIDTH)
        np.add(by_name, p["position.weight"][:T], out=by_name)
        r0 = normed(x0, x0, new("r0", N, 1))
        y = new("y", N, WIDTH)
        r1 = normed(x0, y, new("r1", N, 1))
        qkv = np.matmul(y, self.qkv.T, out=new("qkv", N, 3 * WIDTH))
        q, k, v = heads(qkv, count, T)
        weights = np.matmul(q, k.swapaxes(-1, -2), out=new("weights", count, HEADS, T, T))
        np.multiply(weights, SIZE**-0.5, out=weights)
        np.add(weights, FUTURE[:T, :T], out=weights)
        softmax(weights, new("row", count, HEADS, T, 1))
        mixed = new("mixed", N, WIDTH)
        (mixed_heads,) = heads(mixed, count, T)
        mixed_heads[...] = weights @ v
        x1 = np.matmul(mixed, p["project.weight"].T, out=new("x1", N, WIDTH))
        np.add(x1, x0, out=x1)
        z = new("z", N, WIDTH)
        r2 = normed(x1, z, new("r2", N, 1))
        hidden = np.matmul(z, p["expand.weight"].T, out=new("hidden", N, 4 * WIDTH))
        np.maximum(hidden, 0.0, out=hidden)
        x2 = np.matmul(hidden, p["contract.weight"].T, out=new("x2", N, WIDTH))
        np.add(x2, x1, out=x2)
        logits = np.matmul(x2, p["head.weight"].T, out=new("logits", N, VOCABULARY))
        weight = new.filled(1 / N, N) if mask is None else mask.ravel() / mask.sum()
        loss = cross_entropy(logits, following.ravel(), weight)

        # backward; `logits` now hold their gradient
        np.matmul(logits.T, x2, out=d["head.weight"])
        dx = np.matmul(logits, p["head.weight"], out=new("dx", N, WIDTH))
        np.matmul(dx.T, hidden, out=d["contract.weight"])
        dhidden = np.matmul(dx, p["contract.weight"], out=new("dhidden", N, 4 * WIDTH))
        np.multiply(dhidden, hidden > 0, out=dhidden)
        np.matmul(dhidden.T, z, out=d["expand.weight"])
        dy = np.matmul(dhidden, p["expand.weight"], out=new("dy", N, WIDTH))
        np.add(dx, back_through_norm(dy, z, r2, row), out=dx)
        np.matmul(dx.T, mixed, out=d["project.weight"])
        np.matmul(dx, p["project.weight"], out=dy)
        (dmixed,) = heads(dy, count, T)
        dqkv = new("dqkv", N, 3 * WIDTH)
        dq, dk, dv = heads(dqkv, count, T)
        dv[...] = weights.swapaxes(-1, -2) @ dmixed
        dscores = np.matmul(dmixed, v.swapaxes(-1, -2), out=new("dscores", count, HEADS, T, T))
        np.multiply(dscores, weights, out=dscores)
        total = np.add.reduce(dscores, axis=-1, keepdims=True)
        np.multiply(weights, total, out=weights)
        np.subtract(dscores, weights, out=dscores)
        np.multiply(dscores, SIZE**-0.5, out=dscores)
        dq[...] = dscores @ k
        dk[...] = dscores.swapaxes(-1, -2) @ q
        np.matmul(dqkv.T, y, out=self.into_qkv)
        np.matmul(dqkv, self.qkv, out=dy)
        np.add(dx, back_through_norm(dy, y, r1, row), out=dx)
        back_through_norm(dx, x0, r0, row)
        np.matmul(chosen.T, dx, out=d["token.weight"])
        position = d["position.weight"]
        np.add.reduce(dx.reshape(count, T, WIDTH), axis=0, out=position[:T])
        position[T:] = 0.0
        return loss


def heads(rows: np.ndarray, count: int, T: int) -> np.ndarray:
    """(count * T, parts * 16) -> (parts, count, 4 heads, T, 4), a view."""
    return rows.reshape(count, T, -1, HEADS, SIZE).transpose(2, 0, 3, 1, 4)


def normed(x: np.ndarray, out: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """out = x * scale, scale = (mean of x**2 + eps) ** -0.5 of each row."""
    np.einsum("ij,ij->i", x, x, out=scale[:, 0])
    np.multiply(scale, 1 / WIDTH, out=scale)
    np.add(scale, EPS, out=scale)
    np.sqrt(scale, out=scale)
    np.reciprocal(scale, out=scale)
    np.multiply(x, scale, out=out)
    return scale


def back_through_norm(
    dy: np.ndarray, y: np.ndarray, scale: np.ndarray, row: np.ndarray
) -> np.ndarray:
    """dx = scale * (dy - y * mean of dy * y), in the place of dy; y becomes scratch."""
    np.einsum("ij,ij->i", dy, y, out=row[:, 0])
    np.multiply(row, 1 / WIDTH, out=row)
    np.multiply(y, row, out=y)
    np.subtract(dy, y, out=dy)
    np.multiply(dy, scale, out=dy)
    return dy


def softmax(scores: np.ndarray, row: np.ndarray) -> None:
    """In place, along the last axis."""
    np.maximum.reduce(scores, axis=-1, keepdims=True, out=row)
    np.subtract(scores, row, out=scores)
    np.exp(scores, out=scores)
    np.add.reduce(scores, axis=-1, keepdims=True, out=row)
    np.divide(scores, row, out=scores)
