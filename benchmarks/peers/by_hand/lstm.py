"""The LSTM over eight letters: one product and one tanh for all gates of a time step."""

from __future__ import annotations

import numpy as np

from benchmarks.models.makemore import VOCABULARY
from benchmarks.peers.by_hand import Buffers, Views, cross_entropy

__all__ = ["Network"]

LETTERS = np.eye(VOCABULARY)


class Network:
    def __init__(self, p: Views, d: Views, w: np.ndarray, g: np.ndarray) -> None:
        self.p, self.d = p, d
        self.units = p["hidden.weight"].shape[1]
        # sigmoid(x) = tanh(x / 2) / 2 + 1/2: the half for the gates input, forget and output
        self.half = np.full(4 * self.units, 0.5)
        self.half[2 * self.units : 3 * self.units] = 1.0
        self.shift = 1.0 - self.half
        self.buffers = Buffers()

    def __call__(self, X: np.ndarray, y: np.ndarray) -> float:
        p, d, new, H = self.p, self.d, self.buffers, self.units
        n, T = X.shape
        half, shift = self.half, self.shift
        # what each letter adds to the gates: 27 rows, not n * T
        table = np.matmul(p["token.weight"], p["input.weight"].T, out=new("t", VOCABULARY, 4 * H))
        np.add(table, p["input.bias"], out=table)
        gates = new("gates", T, n, 4 * H)
        np.take(table, X.T.ravel(), axis=0, out=gates.reshape(T * n, 4 * H))
        h, c, tanh_c = new("h", T + 1, n, H), new("c", T + 1, n, H), new("tanh_c", T, n, H)
        scratch, product = new("scratch", n, H), new("product", n, 4 * H)
        recurrent = p["hidden.weight"]
        for t in range(T):
            a = gates[t]
            if t:
                np.add(a, np.matmul(h[t], recurrent.T, out=product), out=a)
            np.multiply(a, half, out=a)
            np.tanh(a, out=a)
            np.multiply(a, half, out=a)
            np.add(a, shift, out=a)
            i, f, g, o = (a[:, j : j + H] for j in range(0, 4 * H, H))
            np.multiply(f, c[t], out=c[t + 1])
            np.multiply(i, g, out=scratch)
            np.add(c[t + 1], scratch, out=c[t + 1])
            np.tanh(c[t + 1], out=tanh_c[t])
            np.multiply(o, tanh_c[t], out=h[t + 1])
        logits = np.matmul(h[T], p["head.weight"].T, out=new("logits", n, VOCABULARY))
        np.add(logits, p["head.bias"], out=logits)
        loss = cross_entropy(logits, y, new.filled(1 / n, n))

        np.matmul(logits.T, h[T], out=d["head.weight"])
        np.add.reduce(logits, axis=0, out=d["head.bias"])
        dh = np.matmul(logits, p["head.weight"], out=new("dh", n, H))
        dc = new("dc", n, H)
        dc[...] = 0.0
        # the slope of every gate by its own value: s (1 - s), and 1 - g**2
        slopes = new("slopes", T, n, 4 * H)
        np.multiply(gates, gates, out=slopes)
        np.subtract(gates, slopes, out=slopes)
        cell = gates[:, :, 2 * H : 3 * H]
        into_cell = slopes[:, :, 2 * H : 3 * H]
        np.multiply(cell, cell, out=into_cell)
        np.subtract(1.0, into_cell, out=into_cell)
        for t in range(T - 1, -1, -1):
            i, f, g, o = (gates[t][:, j : j + H] for j in range(0, 4 * H, H))
            di, df, dg, do = (slopes[t][:, j : j + H] for j in range(0, 4 * H, H))
            np.multiply(dh, tanh_c[t], out=scratch)
            np.multiply(do, scratch, out=do)
            # dc += dh * o * (1 - tanh(c)**2)
            np.multiply(scratch, tanh_c[t], out=scratch)
            np.subtract(dh, scratch, out=scratch)
            np.multiply(scratch, o, out=scratch)
            np.add(dc, scratch, out=dc)
            np.multiply(di, np.multiply(dc, g, out=scratch), out=di)
            np.multiply(dg, np.multiply(dc, i, out=scratch), out=dg)
            if t:
                np.multiply(df, np.multiply(dc, c[t], out=scratch), out=df)
                np.multiply(dc, f, out=dc)
                np.matmul(slopes[t], recurrent, out=dh)
            else:
                df[...] = 0.0  # there was no cell before
        every = slopes.reshape(T * n, 4 * H)
        np.matmul(every[n:].T, h[1:T].reshape((T - 1) * n, H), out=d["hidden.weight"])
        chosen = np.take(LETTERS, X.T.ravel(), axis=0, out=new("chosen", n * T, VOCABULARY))
        np.matmul(chosen.T, every, out=table)
        np.add.reduce(table, axis=0, out=d["input.bias"])
        np.matmul(table.T, p["token.weight"], out=d["input.weight"])
        np.matmul(table, p["input.weight"], out=d["token.weight"])
        return loss
