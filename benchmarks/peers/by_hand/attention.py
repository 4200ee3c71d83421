"""One head of causal self-attention over a text."""

from __future__ import annotations

import numpy as np

from benchmarks.models.makemore import VOCABULARY
from benchmarks.peers.by_hand import Buffers, Views, cross_entropy
from benchmarks.peers.by_hand.gpt import softmax

__all__ = ["Network"]

LETTERS = np.eye(VOCABULARY)


class Network:
    def __init__(self, p: Views, d: Views, w: np.ndarray, g: np.ndarray) -> None:
        self.p, self.d = p, d
        length, self.width = p["position.weight"].shape
        self.future = np.where(np.tri(length), 0.0, -np.inf)
        width = self.width  # query, key and value stand one after the other
        at, size = width * (VOCABULARY + length), 3 * width * width
        self.qkv = w[at : at + size].reshape(3 * width, width)
        self.into_qkv = g[at : at + size].reshape(3 * width, width)
        self.buffers = Buffers()

    def __call__(self, letters: np.ndarray, following: np.ndarray) -> float:
        p, d, new, width = self.p, self.d, self.buffers, self.width
        T, scale, row = len(letters), width**-0.5, new("row", len(letters), 1)

        chosen = np.take(LETTERS, letters, axis=0, out=new("chosen", T, VOCABULARY))
        x = np.matmul(chosen, p["token.weight"], out=new("x", T, width))
        np.add(x, p["position.weight"][:T], out=x)
        qkv = np.matmul(x, self.qkv.T, out=new("qkv", T, 3 * width))
        q, k, v = (qkv[:, i : i + width] for i in range(0, 3 * width, width))
        np.multiply(q, scale, out=q)
        weights = np.matmul(q, k.T, out=new("weights", T, T))
        np.add(weights, self.future[:T, :T], out=weights)
        softmax(weights, row)
        mixed = np.matmul(weights, v, out=new("mixed", T, width))
        out = np.matmul(mixed, p["project.weight"].T, out=new("out", T, width))
        np.add(out, x, out=out)
        logits = np.matmul(out, p["head.weight"].T, out=new("logits", T, VOCABULARY))
        loss = cross_entropy(logits, following, new.filled(1 / T, T))

        np.matmul(logits.T, out, out=d["head.weight"])
        dx = np.matmul(logits, p["head.weight"], out=new("dx", T, width))
        np.matmul(dx.T, mixed, out=d["project.weight"])
        dmixed = np.matmul(dx, p["project.weight"], out=new("dmixed", T, width))
        dqkv = new("dqkv", T, 3 * width)
        dq, dk, dv = (dqkv[:, i : i + width] for i in range(0, 3 * width, width))
        np.matmul(weights.T, dmixed, out=dv)
        dscores = np.matmul(dmixed, v.T, out=new("dscores", T, T))
        # sum over s of p[t, s] dp[t, s] = dmixed[t] . mixed[t]
        np.einsum("ij,ij->i", dmixed, mixed, out=row[:, 0])
        np.subtract(dscores, row, out=dscores)
        np.multiply(dscores, weights, out=dscores)
        np.matmul(dscores, k, out=dq)
        np.multiply(dq, scale, out=dq)
        np.matmul(dscores.T, q, out=dk)
        np.matmul(dqkv.T, x, out=self.into_qkv)
        np.add(dx, np.matmul(dqkv, self.qkv, out=dmixed), out=dx)
        np.matmul(chosen.T, dx, out=d["token.weight"])
        position = d["position.weight"]
        position[:T] = dx
        position[T:] = 0.0
        return loss
