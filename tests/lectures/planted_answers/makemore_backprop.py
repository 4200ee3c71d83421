"""Planted answers to makemore part 4's exercises: mistakes, and right ones of unusual form."""

import numpy as np
from planting import Misread

from micrograd import grads, values


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


def layer_by_the_engine(x, W, dy):
    boxed = values(x), values(W), values(np.zeros(W.shape[1]))
    ((boxed[0] @ boxed[1] + boxed[2]) * dy).sum().backward()
    return tuple(grads(part) for part in boxed)


def biased_on_the_way_back(x, gain, dout):
    n, inverse = len(x), (x.var(0, ddof=1) + 1e-5) ** -0.5
    raw = (x - x.mean(0)) * inverse
    dgain, dshift = (dout * raw).sum(0), dout.sum(0)
    return gain * inverse / n * (n * dout - dshift - raw * dgain), dgain, dshift


WRONG = {
    "from_the_loss_to_the_logarithms": [
        lambda z, y: -nll(z, y),
        lambda z, y: nll(z, y, everywhere=True),
        lambda z, y: nll(z, y).sum(1),
    ],
    "counts_to_probabilities": [wrong_sign, not_summed],
    "a_linear_layer": [
        layer_by_the_engine,  # everything is to be NumPy
        lambda x, W, dy: (dy @ W.T, x.T @ dy, dy.mean(0)),
        lambda x, W, dy: (dy @ W.T, (x.T @ dy) / len(x), dy.sum(0)),
        lambda x, W, dy: (dy @ W if W.shape[0] == W.shape[1] else dy @ W.T, x.T @ dy, dy.sum(0)),
    ],
    "tanh_from_its_output": [
        lambda h, dh: dh * h**2,
        lambda h, dh: 1 - h**2,
        lambda h, dh: dh * (1 - h),
    ],
    "the_embedding": [
        lambda C, X, demb: np.zeros_like(C),
        lambda C, X, demb: demb,
        lambda C, X, demb: (np.eye(len(C))[X].sum(1)).T @ demb.sum(1),
    ],
    "softmax_and_cross_entropy_fused": [
        lambda z, y: cross_entropy(z, y, minus=0.0),
        lambda z, y: cross_entropy(z, y, safe=False),
        lambda z, y: -cross_entropy(z, y),
        in_place,
    ],
    "batch_normalisation_step_by_step": [
        lambda x, g, d: norm(x, g, d, ddof=0),
        lambda x, g, d: norm(x, g, d, centre=False),
        lambda x, g, d: norm(x, g, d, sums=False),
    ],
    "batch_normalisation_fused": [
        lambda x, g, d: norm(x, g, d, stretch=False),
        lambda x, g, d: norm(x, g, d, centre=False),
        lambda x, g, d: norm(x, g, d, with_gain=False),
        lambda x, g, d: norm(x, g, d)[0],
    ],
    "the_whole_network": [
        lambda P, X, y: whole(P, X, y, without="b1"),
        lambda P, X, y: whole(P, X, y, one_hot=False),
        lambda P, X, y: whole(P, X, y, tanh=False),
    ],
}


def nll_by_loop(logprobs, y):
    return [[-float(j == label) / len(y) for j in range(logprobs.shape[1])] for label in y]


def normalise_by_probs(counts, dprobs):
    total = counts.sum(axis=1, keepdims=True)
    probs = counts / total
    return (dprobs - (dprobs * probs).sum(axis=1, keepdims=True)) / total


def normalise_by_jacobian(counts, dprobs):
    rows = []
    for c, d in zip(counts, dprobs, strict=True):
        jacobian = np.eye(len(c)) / c.sum() - np.outer(c, np.ones(len(c))) / c.sum() ** 2
        rows.append((d @ jacobian).tolist())
    return rows


def linear_by_sums(x, W, dy):
    return {
        "dx": np.einsum("no,io->ni", dy, W),
        "dW": sum(np.outer(a, d) for a, d in zip(x, dy, strict=True)),
        "db": [sum(column) for column in dy.T],
    }


def embedding_by_loop(C, X, demb):
    dC = [[0.0] * C.shape[1] for _ in C]
    for letter, d in zip(X.ravel(), demb.reshape(-1, C.shape[1]), strict=True):
        dC[letter] = [a + b for a, b in zip(dC[letter], d, strict=True)]
    return dC


def embedding_by_one_hot(C, X, demb):
    return np.eye(len(C))[X.ravel()].T @ demb.reshape(X.size, -1)


def cross_entropy_by_rows(logits, y):
    rows = []
    for row, label in zip(logits, y, strict=True):
        p = np.exp(row - np.logaddexp.reduce(row))
        rows.append((p - np.eye(len(row))[label]) / len(y))
    return rows


def norm_by_columns(x, gain, dout):
    """Each column's Jacobian, written out."""
    n, dx = len(x), np.zeros_like(x)
    for j in range(x.shape[1]):
        column = x[:, j] - x[:, j].mean()
        s = np.sqrt(column @ column / (n - 1) + 1e-5)
        jacobian = (np.eye(n) - 1 / n) / s - np.outer(column, column) / (n - 1) / s**3
        dx[:, j] = gain[j] * (jacobian @ dout[:, j])
    raw = (x - x.mean(0)) / np.sqrt(x.var(0, ddof=1) + 1e-5)
    return [dx.tolist(), np.einsum("ij,ij->j", dout, raw), np.ones(n) @ dout]


def whole_by_name(P, X, y):
    G = whole(P, X, y)
    return {name: G[name].tolist() for name in sorted(G)}


RIGHT = {
    "from_the_loss_to_the_logarithms": [
        nll_by_loop,
        lambda z, y: -np.eye(z.shape[1])[y] / len(z),
    ],
    "counts_to_probabilities": [normalise_by_probs, normalise_by_jacobian],
    "a_linear_layer": [
        linear_by_sums,
        lambda x, W, dy: [(W @ dy.T).T, (dy.T @ x).T, np.ones(len(dy)) @ dy],
    ],
    "tanh_from_its_output": [
        lambda h, dh: (dh - dh * h * h).tolist(),
        lambda h, dh: dh / np.cosh(np.arctanh(h)) ** 2,
    ],
    "the_embedding": [embedding_by_loop, embedding_by_one_hot],
    "softmax_and_cross_entropy_fused": [cross_entropy_by_rows, cross_entropy],
    "batch_normalisation_step_by_step": [norm_by_columns, lambda *a: list(norm(*a))],
    "batch_normalisation_fused": [
        norm_by_columns,
        lambda *a: dict(zip(("dshift", "dgain", "dx"), norm(*a)[::-1], strict=True)),
    ],
    "the_whole_network": [whole_by_name, lambda *a: tuple(whole(*a).values())],
}

MISREAD = {
    "from_the_loss_to_the_logarithms": Misread(
        lambda z, y: nll(z, y, scale=1.0),
        "Each row has its own loss, and the mean is left for later.",
        "the loss is their mean",
    ),
    "counts_to_probabilities": Misread(
        one_use,
        "The sum is taken for a constant.",
        "it stands in the sum as well",
    ),
    "a_linear_layer": Misread(
        lambda x, W, dy: (dy @ W.T, x.T @ dy, dy),
        "The bias is added, so it gets what arrives at y.",
        "what arrives is added up over the rows",
    ),
    "tanh_from_its_output": Misread(
        lambda h, dh: dh * (1 - np.tanh(h) ** 2),
        "The rule 1 - tanh(a)^2 is used with what is at hand for a.",
        "h is the output of tanh already",
    ),
    "the_embedding": Misread(
        overwrites,
        "`+=` at the letters adds, whether they repeat or not.",
        "give the sum over all its places",
    ),
    "softmax_and_cross_entropy_fused": Misread(
        lambda z, y: cross_entropy(z, y, divide=False),
        "The formula on paper is for one row, and stays that.",
        "give the mean",
    ),
    "batch_normalisation_step_by_step": Misread(
        lambda x, g, d: (d * g * (x.var(0, ddof=1) + 1e-5) ** -0.5, *norm(x, g, d)[1:]),
        "Mean and variance are numbers that x is moved and scaled by.",
        "they are made of x as well",
    ),
    "batch_normalisation_fused": Misread(
        biased_on_the_way_back,
        "The variance is taken over n - 1 forwards and over n on the way back.",
        "the variance is over n - 1, and the mean over n",
    ),
    "the_whole_network": Misread(
        lambda P, X, y: whole(P, X, y, embed=plain_add),
        "The rows of C get what arrives at the embeddings by `+=`.",
        "a letter that stands in several places gets something from each of them",
    ),
}
