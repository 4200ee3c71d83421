"""Mistakes that a learner makes in makemore part 4's exercises."""

import numpy as np


def nll(logprobs, y, *, scale=None, everywhere=False):
    d = np.full_like(logprobs, -1.0) if everywhere else np.zeros_like(logprobs)
    d[np.arange(len(y)), y] = -1.0
    return d * (scale or 1 / len(y))


def one_use(counts, dprobs):
    return dprobs / counts.sum(1, keepdims=True)


def wrong_sign(counts, dprobs):
    total = counts.sum(1, keepdims=True)
    return dprobs / total + (dprobs * counts).sum(1, keepdims=True) / total**2


def not_summed(counts, dprobs):
    total = counts.sum(1, keepdims=True)
    return dprobs / total - dprobs * counts / total**2


def overwrites(C, X, demb):
    dC = np.zeros_like(C)
    dC[X] += demb
    return dC


def shifted(logits):
    p = np.exp(logits - logits.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def cross_entropy(logits, y, *, divide=True, minus=1.0, safe=True):
    with np.errstate(all="ignore"):
        p = shifted(logits) if safe else np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    p[np.arange(len(y)), y] -= minus
    return p / len(y) if divide else p


def in_place(logits, y):
    logits -= logits.max(1, keepdims=True)
    return cross_entropy(logits, y)


def norm(x, gain, dout, *, ddof=1, centre=True, stretch=True, with_gain=True, sums=True):
    n = len(x)
    inverse = (x.var(0, ddof=ddof) + 1e-5) ** -0.5
    raw = (x - x.mean(0)) * inverse
    dgain, dshift = dout * raw, dout
    if sums:
        dgain, dshift = dgain.sum(0), dshift.sum(0)
    along = n / (n - 1) * raw * (dout * raw).sum(0) if stretch else 0
    inner = n * dout - (dout.sum(0) if centre else 0) - along
    return (gain if with_gain else 1) * inverse / n * inner, dgain, dshift


def whole(P, X, y, *, without=None, embed=np.add.at, one_hot=True, tanh=True):
    emb = P["C"][X]
    flat = emb.reshape(len(X), -1)
    x = flat @ P["W1"] + P["b1"]
    raw = (x - x.mean(0)) * (x.var(0, ddof=1) + 1e-5) ** -0.5
    h = np.tanh(P["gain"] * raw + P["shift"])
    d = cross_entropy(h @ P["W2"] + P["b2"], y, minus=1.0 if one_hot else 0.0)
    da = d @ P["W2"].T * ((1 - h**2) if tanh else 1)
    dx, dgain, dshift = norm(x, P["gain"], da)
    dC = np.zeros_like(P["C"])
    embed(dC, X, (dx @ P["W1"].T).reshape(emb.shape))
    G = {
        "C": dC, "W1": flat.T @ dx, "b1": dx.sum(0), "gain": dgain, "shift": dshift,
        "W2": h.T @ d, "b2": d.sum(0),
    }  # fmt: skip
    return {k: v for k, v in G.items() if k != without}


def plain_add(dC, X, demb):
    dC[X] += demb


WRONG = {
    1: [
        lambda z, y: nll(z, y, scale=1.0),
        lambda z, y: -nll(z, y),
        lambda z, y: nll(z, y, everywhere=True),
        lambda z, y: nll(z, y).sum(1),
    ],
    2: [one_use, wrong_sign, not_summed],
    3: [
        lambda x, W, dy: (dy @ W.T, x.T @ dy, dy),
        lambda x, W, dy: (dy @ W.T, x.T @ dy, dy.mean(0)),
        lambda x, W, dy: (dy @ W.T, (x.T @ dy) / len(x), dy.sum(0)),
        lambda x, W, dy: (dy @ W if W.shape[0] == W.shape[1] else dy @ W.T, x.T @ dy, dy.sum(0)),
    ],
    4: [
        lambda h, dh: dh * (1 - np.tanh(h) ** 2),
        lambda h, dh: 1 - h**2,
        lambda h, dh: dh * (1 - h),
    ],
    5: [
        overwrites,
        lambda C, X, demb: demb,
        lambda C, X, demb: (np.eye(len(C))[X].sum(1)).T @ demb.sum(1),
    ],
    6: [
        lambda z, y: cross_entropy(z, y, divide=False),
        lambda z, y: cross_entropy(z, y, minus=0.0),
        lambda z, y: cross_entropy(z, y, safe=False),
        lambda z, y: -cross_entropy(z, y),
        in_place,
    ],
    7: [
        lambda x, g, d: norm(x, g, d, ddof=0),
        lambda x, g, d: norm(x, g, d, centre=False),
        lambda x, g, d: norm(x, g, d, sums=False),
        lambda x, g, d: (d * g * (x.var(0, ddof=1) + 1e-5) ** -0.5, *norm(x, g, d)[1:]),
    ],
    8: [
        lambda x, g, d: norm(x, g, d, stretch=False),
        lambda x, g, d: norm(x, g, d, with_gain=False),
        lambda x, g, d: norm(x, g, d)[0],
    ],
    9: [
        lambda P, X, y: whole(P, X, y, without="b1"),
        lambda P, X, y: whole(P, X, y, embed=plain_add),
        lambda P, X, y: whole(P, X, y, one_hot=False),
        lambda P, X, y: whole(P, X, y, tanh=False),
    ],
}
