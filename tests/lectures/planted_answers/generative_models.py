"""Planted answers to lecture 5's exercises: mistakes, and right ones of unusual form."""

import functools
import itertools
import math

import numpy as np
from planting import Misread
from scipy.special import logsumexp
from scipy.stats import norm

from micrograd import Value


def log_sum_exp(a, *, shift):
    with np.errstate(all="ignore"):
        m = a.max(axis=1, keepdims=True) if shift else 0.0
        return (m + np.log(np.exp(a - m).sum(axis=1, keepdims=True)))[:, 0]


def gaps(x, log_pi, mu, var, *, fill=None, logs=True, prior=True, normalised=True):
    """Naive Bayes with one thing forgotten at a time."""
    known = ~np.isnan(x)
    if fill is not None:
        x, known = np.where(known, x, fill), np.ones(len(x), dtype=bool)
    spread = np.log(2 * np.pi * var[:, known]) if normalised else 0.0
    squares = (x[known] - mu[:, known]) ** 2 / var[:, known]
    a = log_pi * prior - 0.5 * (spread + squares).sum(axis=1)
    with np.errstate(all="ignore"):
        weights = np.exp(a - a.max() if logs else a)
        return weights / weights.sum()


def mean_loss(mu, x, sigma, m, tau, *, average=False, weight=1.0):
    fit = ((x - mu) ** 2).sum() / (2 * sigma**2) / (len(x) if average else 1)
    return fit + weight * (mu - m) ** 2 / (2 * tau**2)


def best_mean(x, sigma, m, tau):
    data, prior = len(x) / sigma**2, 1 / tau**2
    return (data * x.mean() + prior * m) / (data + prior)


def ask(net, query, given, *, divide=True, flip=True):
    both = evidence = 0.0
    for bits in itertools.product((0, 1), repeat=len(net)):
        world = dict(zip(net, bits, strict=True))
        p = 1.0
        for name, (parents, table) in net.items():
            true = table[tuple(world[parent] for parent in parents)]
            p *= true if world[name] or not flip else 1 - true
        if given.items() <= world.items():
            evidence += p
            both += p * (query.items() <= world.items())
    return both / evidence if divide else both


def rate(x):
    return x.mean()


def slope(s, x):
    return np.exp(s) - x.mean()


def map_rate(x, a, b):
    return (x.sum() + a - 1) / (len(x) + b)


def lda(X, y, *, within=True, divisor=None, shares=True, sign=-1):
    mu = np.array([X[y == k].mean(axis=0) for k in (0, 1)])
    away = X - (mu[y] if within else X.mean(axis=0))
    w = np.linalg.solve(away.T @ away / (divisor or len(X)), mu[1] - mu[0])
    odds = y.mean() / (1 - y.mean()) if shares else 1.0
    return w, np.log(odds) + sign * (mu[0] + mu[1]) @ w / 2


def lda_by_inverse(X, y):
    S = sum((y == k).mean() * np.atleast_2d(np.cov(X[y == k].T, bias=True)) for k in (0, 1))
    zero, one = (X[y == k].mean(axis=0) for k in (0, 1))
    P = np.linalg.inv(S)
    b = np.log((y == 1).sum() / (y == 0).sum()) - (one @ P @ one - zero @ P @ zero) / 2
    return [(P @ (one - zero)).tolist(), float(b)]


def bernoulli(Z, log_pi, theta, *, absent=True, prior=True):
    joint = Z @ np.log(theta).T + (log_pi if prior else 0.0)
    return joint + (1 - Z) @ np.log(1 - theta).T if absent else joint


def bernoulli_by_loop(Z, log_pi, theta):
    return [
        [
            first + sum(math.log(p if z else 1 - p) for z, p in zip(row, coins, strict=True))
            for first, coins in zip(log_pi, theta, strict=True)
        ]
        for row in Z
    ]


def last(start, tables, *, turned=False):
    return functools.reduce(lambda p, t: t @ p if turned else p @ t, tables, start)


def first_given_last(start, tables, j, *, prior=True, normalised=True):
    message = np.eye(len(start))[j]
    for table in tables[::-1]:
        message = table @ message
    joint = start * message if prior else message
    return joint / joint.sum() if normalised else joint


def first_by_product(start, tables, j):
    whole = functools.reduce(np.matmul, tables)
    return (start * whole[:, j] / (start @ whole)[j]).tolist()


rng = np.random.default_rng(0)
LABELS = np.repeat([0, 1], 150)
NOISE = rng.standard_normal((300, 2))


def filled_with_each_mean(x, log_pi, mu, var):
    squares = np.where(np.isnan(x), 0.0, (x - mu) ** 2 / var)
    a = log_pi - 0.5 * (np.log(2 * np.pi * var) + squares).sum(axis=1)
    weights = np.exp(a - a.max())
    return weights / weights.sum()


WRONG = {
    "a_rare_fault": [
        (196, 0.98, 0.98**2),
        (2192, 196 / 2192, (196 / 2192) ** 2),
        (2192, 0.0894, 0.9996),
    ],
    "which_is_which": [
        (True, False, True, True, True, True),
        (False, True, True, True, True, False),
        (1, 0, 1, 1, 0, 1),
    ],
    "events_in_an_hour": [
        (lambda x: 1 / x.mean(), slope, map_rate),
        (rate, lambda s, x: len(x) * np.exp(s) - x.sum(), map_rate),  # the sum, not the mean
        (rate, slope, lambda x, a, b: (x.sum() + a) / (len(x) + b)),  # the posterior mean
        (rate, slope, lambda x, a, b: x.mean()),
    ],
    "a_believers_gradient_by_hand": [
        (0.5, np.log(1.5), 0.6),
        (-3.0, np.log(1.5), 0.6),
        (-0.5, 0.0, 0.5),
    ],
    "a_sum_that_does_not_overflow": [
        functools.partial(log_sum_exp, shift=True),  # nan for a row of -inf
        lambda a: a.max(axis=1),
        lambda a: np.log(np.exp(a).sum(axis=0)),
    ],
    "a_missing_measurement": [
        functools.partial(gaps, fill=0.0),
        functools.partial(gaps, logs=False),
        functools.partial(gaps, prior=False),
        functools.partial(gaps, normalised=False),
    ],
    "a_mean_with_a_prior_on_values": [
        (functools.partial(mean_loss, weight=0.0), best_mean),
        (lambda *given: Value(float(mean_loss(*given).data)), best_mean),
        (mean_loss, lambda x, sigma, m, tau: (x.mean() + m) / 2),
        (mean_loss, lambda x, sigma, m, tau: x.mean()),
    ],
    "blocked_or_not": [
        (False, True, False, True, True, True),
        (True, False, True, True, True, True),
        (True, False, False, False, True, True),
    ],
    "ask_the_net": [
        lambda net, query, given: 1 - ask(net, query, given),
        functools.partial(ask, flip=False),
        lambda net, query, given: ask(net, query, {}),
    ],
    "defeat_naive_bayes": [
        (NOISE + 5 * LABELS[:, None], LABELS),  # naive Bayes is right
        (NOISE[:, 0], LABELS),
        (NOISE[:50], LABELS[125:175]),
    ],
    "two_more_flips": [
        (0.75, 0.75**2, 0.0171),
        (2 / 3, 6 / 13, 0.0),
        (0.7, 0.49, 0.0171),
    ],
    "how_sure_is_the_maximum": [
        (200, 0.25, 0.283, 0.0707),
        (4, 12.5, 0.283, 0.0707),
        (4, 0.25, 0.08, 0.0707),
        (4, 0.25, 2.0, 0.0707),
    ],
    "one_covariance_for_both": [
        functools.partial(lda, divisor=1),
        functools.partial(lda, shares=False),
        functools.partial(lda, sign=1),
        lambda X, y: lda(X, 1 - y),
    ],
    "present_or_absent": [
        functools.partial(bernoulli, prior=False),
        lambda Z, log_pi, theta: bernoulli(1 - Z, log_pi, theta),
        lambda *a: np.exp(bernoulli(*a)),
    ],
    "sum_it_away": [
        (functools.partial(last, turned=True), first_given_last),
        (last, functools.partial(first_given_last, normalised=False)),
        (last, functools.partial(first_given_last, prior=False)),
        (last, lambda start, tables, j: first_given_last(start, tables[::-1], j)),
    ],
    "whose_probability_would_you_act_on": [
        (0.942, 0.952, 0.600, 0.160, "naive Bayes"),
        (0.952, 0.942, 0.160, 0.600, "LDA"),
        (0.942, 0.952, 0.866, 0.231, "LDA"),  # in bits
    ],
}


def by_row(a):
    rows = []
    for row in a.tolist():
        top = max(row)
        if top == -math.inf:
            rows.append(-math.inf)
        else:
            rows.append(top + math.log(sum(math.exp(v - top) for v in row)))
    return rows


def gaps_by_loop(x, log_pi, mu, var):
    a = [
        prior + sum(norm.logpdf(v, m, s**0.5) for v, m, s in zip(x, ms, ss, strict=True)
                    if not math.isnan(v))
        for prior, ms, ss in zip(log_pi, mu, var, strict=True)
    ]  # fmt: skip
    return [math.exp(v - logsumexp(a)) for v in a]


def loss_by_loop(mu, x, sigma, m, tau):
    total = (m - mu) * (m - mu) * (0.5 / tau**2) + 17.0  # a constant does no harm
    for v in x:
        total += (mu - v) ** 2 / (2 * sigma**2)
    return total


def best_mean_online(x, sigma, m, tau):
    mean, precision = m, tau**-2
    for v in x:
        mean = (precision * mean + v / sigma**2) / (precision + sigma**-2)
        precision += sigma**-2
    return np.array([mean])


def ask_by_recursion(net, query, given):
    def total(names, world):
        if not names:
            return 1.0
        name, rest = names[0], names[1:]
        parents, table = net[name]
        p = table[tuple(world[q] for q in parents)]
        values = [world[name]] if name in world else [0, 1]
        return sum((p if v else 1 - p) * total(rest, {**world, name: v}) for v in values)

    if any(given.get(name, value) != value for name, value in query.items()):
        return 0.0
    return total(list(net), {**given, **query}) / total(list(net), dict(given))


CROSS = rng.standard_normal(300) * 3
RIGHT = {
    "a_rare_fault": [("2192", 0.089, 0.828), (2192.0, "49/548", np.float64(0.8279))],
    "which_is_which": [
        ("True", "false", "TRUE", "True ", "False", "True"),
        tuple(np.array([True, False, True, True, False, True])),
    ],
    "events_in_an_hour": [
        (
            lambda x: sum(x) / len(x),
            lambda s, x: Value(math.e) ** s - np.mean(x),
            lambda x, a, b: (a - 1 + np.sum(x)) / (b + np.size(x)),
        ),
        (lambda x: [rate(x)], lambda s, x: np.array(slope(s, x)), lambda *a: (map_rate(*a),)),
    ],
    "a_believers_gradient_by_hand": [("-1/2", 0.405, "3/5"), (-0.5, 0.4055, np.float64(0.6))],
    "a_sum_that_does_not_overflow": [by_row, lambda a: logsumexp(a, axis=1)],
    "a_missing_measurement": [gaps_by_loop, lambda *a: tuple(gaps(*a).tolist())],
    "a_mean_with_a_prior_on_values": [
        (loss_by_loop, best_mean_online),
        (lambda *given: [mean_loss(*given)], lambda *given: [best_mean(*given)]),
    ],
    "blocked_or_not": [
        ("true", "False", "False", "true", "True", "True"),
        tuple(np.bool_(v) for v in (1, 0, 0, 1, 1, 1)),
    ],
    "ask_the_net": [ask_by_recursion, lambda *a: np.array([ask(*a)])],
    "defeat_naive_bayes": [
        (np.column_stack([CROSS, np.where(LABELS == 1, CROSS, -CROSS)]), LABELS),
        (np.column_stack([CROSS, np.where(LABELS == 1, 2, -2) * CROSS]).tolist(), LABELS == 1),
    ],
    "two_more_flips": [("2/3", "6/13", 0.0171), (0.667, 0.462, "2/117")],
    "how_sure_is_the_maximum": [(4.0, "1/4", 0.283, 0.0707), ("4", 0.25, 0.2828, 0.071)],
    "one_covariance_for_both": [lda_by_inverse, lambda *a: list(lda(*a))],
    "present_or_absent": [bernoulli_by_loop, lambda *a: bernoulli(*a).tolist()],
    "sum_it_away": [
        (lambda *a: last(*a).tolist(), first_by_product),
        (lambda start, tables: tuple(last(start, tables)), first_given_last),
    ],
    "whose_probability_would_you_act_on": [
        (0.942, 0.952, 0.600, 0.160, "lda"),
        ("0.9416", "0.9525", "0.6002", 0.1603, " LDA "),
    ],
}

MISREAD = {
    "a_rare_fault": Misread(
        (2192, 0.98, 0.98**2),
        "How likely a reported part is cracked is read as how likely a cracked one is reported.",
        "give it the other way round",
    ),
    "which_is_which": Misread(
        (True, True, False, True, False, True),
        "The numbers with one added to each count are taken for the MAP of that prior.",
        "the MAP is where a posterior is highest, not its mean",
    ),
    "events_in_an_hour": Misread(
        (rate, lambda s, x: 1 - x.mean() / np.exp(s), map_rate),
        "The derivative is taken by the rate and s is put in afterwards.",
        "derive by s, with lambda = exp(s)",
    ),
    "a_believers_gradient_by_hand": Misread(
        (-0.5, 0.6, 0.6),
        "Where the gradient is zero is answered with theta both times.",
        "give s itself",
    ),
    "a_sum_that_does_not_overflow": Misread(
        functools.partial(log_sum_exp, shift=False),
        "The formula is written down as it stands.",
        "write a sum that works for them too",
    ),
    "a_missing_measurement": Misread(
        filled_with_each_mean,
        "A gap is filled with the mean of each class.",
        "give what the known entries say alone",
    ),
    "a_mean_with_a_prior_on_values": Misread(
        (functools.partial(mean_loss, average=True), best_mean),
        "A loss is an average over the measurements, as in the lectures before.",
        "minus the log posterior adds them",
    ),
    "blocked_or_not": Misread(
        (True, True, True, True, True, True),
        "What is known always blocks, and a collider does in any case.",
        "a collider opens as soon as it, or one of its consequences, is known",
    ),
    "ask_the_net": Misread(
        functools.partial(ask, divide=False),
        "The worlds that agree with query and given are added up, and that is all.",
        "give p(query | given)",
    ),
    "defeat_naive_bayes": Misread(
        (NOISE, LABELS),
        "Classes that nobody can tell apart defeat naive Bayes.",
        "with full covariances 60% are right; it should be at least 95%",
    ),
    "two_more_flips": Misread(
        (2 / 3, 4 / 9, 0.0171),
        "The posterior mean is taken for the coin itself.",
        "it is not, and the first flip tells about it",
    ),
    "how_sure_is_the_maximum": Misread(
        (4, 0.25, math.sqrt(0.08), math.sqrt(0.08)),
        "A standard error is taken to be the same in every coordinate.",
        "s is another coordinate",
    ),
    "one_covariance_for_both": Misread(
        functools.partial(lda, within=False),
        "The one covariance is that of all points together.",
        "take each class's own mean out first",
    ),
    "present_or_absent": Misread(
        functools.partial(bernoulli, absent=False),
        "A text is the words that occur in it.",
        "an absent word is evidence too",
    ),
    "sum_it_away": Misread(
        (last, functools.partial(first_given_last, prior=False, normalised=False)),
        "The probability of the last state given the first is given.",
        "give it the other way round",
    ),
    "whose_probability_would_you_act_on": Misread(
        (0.93684, 0.96140, 0.46633, 0.16803, "LDA"),
        "One split is taken for the twenty.",
        "the text asks for the mean of 20",
    ),
}
