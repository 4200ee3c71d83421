"""The hidden Markov model by Rabiner's scaled forward and backward recursions.

alpha_t is divided by its sum s_t, so log p is the sum of log s_t. The gradient by a logit under a
softmax is its expected count minus its probability times the counts of its row.
"""

from __future__ import annotations

import numpy as np

from benchmarks.models.makemore import VOCABULARY
from benchmarks.peers.by_hand import Buffers, Views

__all__ = ["Network"]

LETTERS = np.eye(VOCABULARY)


class Network:
    def __init__(self, p: Views, d: Views, w: np.ndarray, g: np.ndarray) -> None:
        self.p, self.d = p, d
        self.buffers = Buffers()

    def __call__(self, letters: np.ndarray) -> float:
        p, d, new = self.p, self.d, self.buffers
        T, S = len(letters), len(p["start"])
        A = softmax(p["transition"], new("A", S, S))
        B = softmax(p["emission"], new("B", S, VOCABULARY))
        start = softmax(p["start"], new("start", S))
        seen = np.take(B.T, letters, axis=0, out=new("seen", T, S))
        alpha, ahead, scales = new("alpha", T, S), new("ahead", T, S), np.empty(T)

        now = np.multiply(start, seen[0], out=alpha[0])
        ones = new.filled(1.0, S)
        for t in range(T):
            if t:
                now = np.dot(alpha[t - 1], A, out=alpha[t])
                np.multiply(now, seen[t], out=now)
            scales[t] = total = np.dot(now, ones)
            np.divide(now, total, out=now)
        loss = -np.log(scales).sum() / T

        # beta_t = A (seen_{t+1} beta_{t+1}) / s_{t+1}; ahead_t is seen_t beta_t / s_t
        beta = new("beta", T, S)
        beta[T - 1] = 1.0
        np.divide(seen, scales[:, None], out=seen)
        for t in range(T - 1, 0, -1):
            np.multiply(seen[t], beta[t], out=ahead[t])
            np.dot(A, ahead[t], out=beta[t - 1])
        np.multiply(alpha, beta, out=beta)  # the chance of each state at each time
        counts = np.matmul(alpha[: T - 1].T, ahead[1:], out=d["transition"])
        np.multiply(counts, A, out=counts)
        chosen = np.take(LETTERS, letters, axis=0, out=new("chosen", T, VOCABULARY))
        np.matmul(beta.T, chosen, out=d["emission"])
        d["start"][...] = beta[0]
        for name, table in (("start", start), ("transition", A), ("emission", B)):
            into = d[name]
            total = np.add.reduce(into, axis=-1, keepdims=True)
            np.multiply(table, total, out=table)
            np.subtract(table, into, out=into)
            np.multiply(into, 1 / T, out=into)
        return float(loss)


def softmax(logits: np.ndarray, out: np.ndarray) -> np.ndarray:
    np.subtract(logits, np.maximum.reduce(logits, axis=-1, keepdims=True), out=out)
    np.exp(out, out=out)
    np.divide(out, np.add.reduce(out, axis=-1, keepdims=True), out=out)
    return out
