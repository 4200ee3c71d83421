"""Planted answers to lecture 4's exercises: mistakes, and right ones of unusual form."""

import numpy as np
from planting import Misread
from scipy.special import expit
from sklearn.tree import DecisionTreeRegressor

from micrograd import Value


def threshold(x, t, *, average=False, at_value=False, in_order=False):
    if in_order:
        x = np.sort(x)
    values = np.unique(x)
    cuts = values[:-1] if at_value else (values[1:] + values[:-1]) / 2

    def spread(cut):
        sides = t[x <= cut], t[x > cut]
        return sum(side.var() * (1 if average else side.size) for side in sides)

    return min(cuts, key=spread)


def ask(tree, x):
    while "value" not in tree:
        tree = tree["yes" if x[tree["feature"]] <= tree["threshold"] else "no"]
    return tree["value"]


def ask_strictly(tree, x):
    while "value" not in tree:
        tree = tree["yes" if x[tree["feature"]] < tree["threshold"] else "no"]
    return tree["value"]


def depth(tree, *, of_leaf=0, choose=max):
    if "value" in tree:
        return of_leaf
    return 1 + choose(depth(tree[side], of_leaf=of_leaf, choose=choose) for side in ("yes", "no"))


def overflowing(F, y):
    return y * np.exp(-y * F) / (1 + np.exp(-y * F))


def stump(w, b, a1, a2, x, y, *, gate=True, answers=True):
    g = 1 / (1 + np.exp(-(w * x + b)))
    miss = g * a1 + (1 - g) * a2 - y
    through = miss * (a1 - a2) * (g * (1 - g) if gate else 1)
    return through * x, through, miss * (g if answers else 1), miss * ((1 - g) if answers else 1)


def variance(m, rho, sigma):
    return rho * sigma**2 + (1 - rho) / m * sigma**2


def needed(rho, excess):
    return int(np.ceil((1 - rho) / (rho * excess) - 1e-9))


rng = np.random.default_rng(1)
SQUARE = rng.uniform(-1, 1, size=(60, 2))


def stump_by_the_engine(w, b, a1, a2, x, y):
    w, b, a1, a2 = found = [Value(v) for v in (w, b, a1, a2)]
    g = (w * x + b).sigmoid()
    (0.5 * (g * a1 + (1 - g) * a2 - y) ** 2).backward()
    return [v.grad for v in found]


def one_round(w, y, told, *, half=True, raised=True, shared=True):
    error = w[told != y].sum() / w.sum()
    vote = (0.5 if half else 1.0) * np.log((1 - error) / error)
    w = w * np.exp((-vote if raised else vote) * y * told)
    return vote, w / w.sum() if shared else w


def in_place(w, y, told):
    vote = one_round(w, y, told)[0]
    w *= np.exp(-vote * y * told)
    w /= w.sum()
    return vote, w


def unweighted(w, y, told):
    error = (told != y).mean()
    vote = 0.5 * np.log((1 - error) / error)
    w = w * np.exp(-vote * y * told)
    return vote, w / w.sum()


def by_halves(w, y, told):
    """The wrong get half of the weight, the right the other half."""
    wrong = np.asarray(y) * np.asarray(told) < 0
    bad, good = w[wrong].sum(), w[~wrong].sum()
    return [float(np.log(good / bad) / 2), np.where(wrong, w / bad, w / good) / 2]


def with_plain_floats(w, y, told):
    error = sum(a for a, b, c in zip(w, y, told, strict=True) if b != c) / sum(w)
    vote = float(-0.5 * np.log(error / (1 - error)))
    new = [float(a * np.exp(-vote * b * c)) for a, b, c in zip(w, y, told, strict=True)]
    return vote, [a / sum(new) for a in new]


def one_answer_through_the_gate(w, b, a1, a2, x, y):
    g = 1 / (1 + np.exp(-(w * x + b)))
    miss = g * a1 + (1 - g) * a2 - y
    return miss * a1 * g * (1 - g) * x, miss * a1 * g * (1 - g), miss * g, miss * (1 - g)


CHANCE = rng.integers(0, 2, size=60)

WRONG = {
    "how_mixed": [(0.375, 1.5, 0.5), (0.625, 1.5, 0.25), (0.625, 1.5, 0.75)],
    "the_best_cut": [(5.5, 2 / 9, 2 / 9), (3.5, 2 / 9, 4 / 9), (4.5, 2 / 9, 2 / 9)],
    "a_cut_for_numbers": [
        lambda x, t: threshold(x, t) + 0.01,
        lambda x, t: threshold(x, t, at_value=True),
        lambda x, t: threshold(x, t, in_order=True),
    ],
    "asking_a_tree": [
        (ask_strictly, depth),
        (lambda tree, x: tree, depth),
        (ask, lambda tree: depth(tree, choose=min)),
    ],
    "what_is_a_leaf_worth": [
        (0.06, 0.03, "upper", 0.075),
        (0.06, 0.03, "lower", 0.09),
        (0.06, 0.03, "lower", 0.06),
    ],
    "a_direction_to_boost_along": [
        overflowing,
        lambda F, y: -y * 0.5 * (1 - np.tanh(y * F / 2)),
    ],
    "a_soft_stump_by_hand": [
        stump_by_the_engine,  # the text asks for a formula
        lambda *case: stump(*case, gate=False),
        lambda *case: stump(*case, answers=False),
        lambda *case: stump(*case)[::-1],
    ],
    "how_many_trees": [
        (lambda m, rho, sigma: rho * sigma + (1 - rho) / m * sigma, needed),
        (variance, lambda rho, excess: int((1 - rho) / (rho * excess))),
    ],
    "fool_the_greedy_tree": [
        (SQUARE, (SQUARE[:, 0] > 0).astype(int)),
        (np.zeros((80, 2)), np.zeros(80, dtype=int)),
    ],
    "which_question_first": [
        (0.350, 0.311, "B"),
        (0.650, 0.689, "A"),
        (0.243, 0.216, "A"),  # with the natural logarithm
        (0.350, 0.082, "A"),  # both sides of B counted alike would be 0.541
    ],
    "left_out_and_divided": [
        (0.25, 73.6, 31, 5),
        (81 / 256, 126.4, 31, 5),
        (81 / 256, 73.6, 62, 5),
        (81 / 256, 73.6, 31, 6),
    ],
    "one_round_of_adaboost": [
        lambda *given: one_round(*given, half=False),
        lambda *given: one_round(*given, raised=False),
        lambda *given: one_round(*given, shared=False),
        in_place,
        unweighted,
    ],
    "what_did_pruning_bring": [(0.0559, 0, "better"), (0.0, 15, "as good"), (0.056, 12, "worse")],
}


def threshold_by_prefixes(x, t):
    """Largest gain between sums on either side, by running sums."""
    order = np.argsort(x, kind="stable")
    x, t = np.asarray(x)[order], np.asarray(t)[order]
    best, cut = -np.inf, None
    for i in range(1, len(x)):
        if x[i] > x[i - 1]:
            gain = t[:i].sum() ** 2 / i + t[i:].sum() ** 2 / (len(x) - i)
            if gain > best + 1e-12:
                best, cut = gain, (x[i] + x[i - 1]) / 2
    return [cut]


def threshold_by_tree(x, t):
    return DecisionTreeRegressor(max_depth=1).fit(x[:, None], t).tree_.threshold[0]


def ask_recursively(tree, x):
    if "value" in tree:
        return Value(tree["value"])
    return ask_recursively(tree["no" if x[tree["feature"]] > tree["threshold"] else "yes"], x)


def depth_by_levels(tree):
    level, count = [tree], -1
    while level:
        level, count = [t[s] for t in level if "value" not in t for s in ("yes", "no")], count + 1
    return float(count)


def stump_in_numpy(w, b, a1, a2, x, y):
    g = 0.5 * (1 + np.tanh((w * x + b) / 2))
    miss = a2 + g * (a1 - a2) - y
    return miss * np.array([(a1 - a2) * g * (1 - g) * x, (a1 - a2) * g * (1 - g), g, 1 - g])


def needed_by_counting(rho, excess):
    m = 1
    while variance(m, rho, 1.0) > (1 + excess) * rho + 1e-12:
        m += 1
    return float(m)


def exclusive_or(seed):
    draw = np.random.default_rng(seed)
    corner = draw.integers(0, 2, size=(60, 2))
    return 2.0 * corner - 1 + draw.uniform(-0.9, 0.9, size=(60, 2)), corner[:, 0] ^ corner[:, 1]


RIGHT = {
    "how_mixed": [("5/8", "3/2", "1/2"), (0.625, np.float64(1.5), [0.5])],
    "the_best_cut": [("7/2", "2/9", "2/9"), (3.5, 0.222, 0.222)],
    "a_cut_for_numbers": [threshold_by_prefixes, threshold_by_tree],
    "asking_a_tree": [
        (ask_recursively, depth_by_levels),
        (ask, lambda tree: np.array(depth(tree))),
    ],
    "what_is_a_leaf_worth": [(0.06, 0.03, " Lower", 0.075), ("3/50", "3/100", "LOWER", "3/40")],
    "a_direction_to_boost_along": [
        lambda F, y: [t * expit(-t * f) for f, t in zip(F, y, strict=True)],
        lambda F, y: y * np.exp(-np.logaddexp(0, y * F)),
    ],
    "a_soft_stump_by_hand": [stump_in_numpy, lambda *case: list(stump(*case))],
    "how_many_trees": [
        (lambda m, rho, sigma: sigma**2 * (1 + (m - 1) * rho) / m, needed_by_counting),
        (lambda *given: np.float64(variance(*given)), lambda *given: np.array([needed(*given)])),
    ],
    "fool_the_greedy_tree": [
        tuple(part.tolist() for part in exclusive_or(0)),
        (tuple(map(tuple, exclusive_or(0)[0][:, ::-1])), exclusive_or(0)[1] == 0),
    ],
    "which_question_first": [(0.35, 0.311, " a"), (np.float64(0.34998), 0.31128, "A")],
    "left_out_and_divided": [("81/256", 73.6, "31", 5.0), (0.316, 73.58, 31, [5])],
    "one_round_of_adaboost": [by_halves, with_plain_floats],
    "what_did_pruning_bring": [(2.331e-4, 12, "As good"), ("0.000233", [12.0], "as good ")],
}

MISREAD = {
    "how_mixed": Misread(
        (0.625, 1.0397, 0.5),
        "The entropy is taken with the natural logarithm.",
        "give bits",
    ),
    "the_best_cut": Misread(
        (3.5, 4 / 9, 0.0),
        "The impurities of the two sides are added without their shares.",
        "each with its share of the examples",
    ),
    "a_cut_for_numbers": Misread(
        lambda x, t: threshold(x, t, average=True),
        "The squared deviations are averaged on each side.",
        "compare the sums",
    ),
    "asking_a_tree": Misread(
        (ask, lambda tree: depth(tree, of_leaf=1)),
        "The depth is read as the number of levels.",
        "count the questions on the way",
    ),
    "what_is_a_leaf_worth": Misread(
        (0.045, 0.015, "lower", 0.05),
        "The price is per leaf of the branch.",
        "divide by the leaves saved",
    ),
    "a_direction_to_boost_along": Misread(
        lambda F, y: y - F,
        "The next tree is always fitted to the residuals y - F.",
        "use the logistic loss",
    ),
    "a_soft_stump_by_hand": Misread(
        one_answer_through_the_gate,
        "The gate is differentiated where it is written g, not where it is written 1 - g.",
        "g stands in 1 - g too",
    ),
    "how_many_trees": Misread(
        (lambda m, rho, sigma: sigma**2 / m, needed),
        "The variance of a mean is sigma squared over m, whatever the correlation.",
        "their correlation is rho",
    ),
    "fool_the_greedy_tree": Misread(
        (SQUARE, CHANCE),
        "Labels by chance fool every tree.",
        "some tree of depth 2 is right about all",
    ),
    "which_question_first": Misread(
        (0.2426, 0.2158, "A"),
        "The entropies are taken with the natural logarithm.",
        "the text asks for bits",
    ),
    "left_out_and_divided": Misread(
        (81 / 256, 73.6, 62, 5),
        "A division is counted once for each order of its two sets.",
        "the text asks for divisions whose order does not matter",
    ),
    "one_round_of_adaboost": Misread(
        lambda *given: one_round(*given, half=False),
        "The vote is read as the logarithm of the odds, as scikit-learn writes it.",
        "the vote a of section 13 has a factor",
    ),
    "what_did_pruning_bring": Misread(
        (8 / 143, 12, "as good"),
        "The gain of pruning is read off the first split.",
        "the text asks for the mean of 30",
    ),
}
