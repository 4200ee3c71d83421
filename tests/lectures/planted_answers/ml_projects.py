"""Planted answers to lecture 2's exercises: mistakes, and right ones of unusual form."""

import numpy as np
from planting import Misread
from scipy.stats import norm
from sklearn.impute import SimpleImputer


def wald(k, n, level):
    half = norm.ppf(1 - level / 2) * np.sqrt(k / n * (1 - k / n) / n)
    return k / n - half, k / n + half


def wilson(k, n, level, one_sided=False):
    z = norm.ppf(1 - level) if one_sided else 1.96
    centre, half = k + z**2 / 2, z * np.sqrt(k * (n - k) / n + z**2 / 4)
    return (centre - half) / (n + z**2), (centre + half) / (n + z**2)


def wilson_exactly(k, n, level):
    z = norm.ppf(1 - level / 2)
    centre, half = k + z**2 / 2, z * np.sqrt(k * (n - k) / n + z**2 / 4)
    return (centre - half) / (n + z**2), (centre + half) / (n + z**2)


def needed(b, c, power, *, up=True, paired=True, one_sided=False):
    far = norm.ppf(0.95 if one_sided else 0.975) * np.sqrt(b + c)
    near = norm.ppf(power) * np.sqrt(b + c - ((c - b) ** 2 if paired else 0))
    n = ((far + near) / (c - b)) ** 2
    return int(np.ceil(n)) if up else int(n)


def fill(train, test, *, means="train", indicator=True):
    source = {"train": train, "both": np.concatenate([train, test])}
    out = []
    for table in (train, test):
        m = np.nanmean(source.get(means, table), axis=0)
        holes = np.isnan(table)
        columns = [np.where(holes, m, table)]
        if indicator:
            columns.append(holes[:, holes.any(axis=0)])
        out.append(np.column_stack(columns))
    return out


def in_place(train, test):
    means, holes = np.nanmean(train, axis=0), [np.isnan(t[:, 1]) for t in (train, test)]
    for table in (train, test):
        table[:] = np.where(np.isnan(table), means, table)
    return [np.column_stack([t, h]) for t, h in zip((train, test), holes, strict=True)]


P = 1 / 2

WRONG = {
    "six_events_six_phases": [[1, 2, 3, 4, 5, 6], [2, 6, 1, 5, 3, 4]],
    "thresholds_from_unequal_costs": [(0.16, 0.6, 50.0), (0.15, 0.85, 40.0)],
    "wilsons_interval": [wald, wilson],
    "how_many_for_a_paired_test": [
        lambda b, c, power: needed(b, c, power, up=False),
        lambda b, c, power: needed(b, c, power, paired=False),
    ],
    "filling_holes_without_looking_ahead": [
        lambda a, b: fill(a, b, means="both"),
        lambda a, b: fill(a, b, indicator=False),
        in_place,
    ],
    "the_gradient_of_one_bird": [
        (P, -P / 2, P / 2),  # the sigmoid's slope without the loss's
        (-P, P / 2, -P / 2),  # the inputs left half out
    ],
    "folds_that_keep_groups_whole": [
        lambda groups, k, rng: (np.random.permutation(groups.max() + 1) % k)[groups],  # not rng
        lambda groups, k, rng: np.arange(groups.max() + 1)[groups] % k,  # no deal at all
        lambda groups, k, rng: rng.permutation(len(groups)) % k,
        lambda groups, k, rng: groups % k,
    ],
    "what_equal_error_rates_do_to_precision": [
        (lambda base, tpr, fpr: base * tpr / (base * tpr + (1 - base) * fpr), 0.8, 1 / 9),
        (lambda base, tpr, fpr: base * tpr / (base * tpr + (1 - base) * fpr), 0.14035087719, 1 / 8),
    ],
    "find_the_leaks": [
        ["tube"],
        ["tube", "index", "day"],
        ["tube", "band"],
    ],
    "which_kind": [
        ("nominal", "nominal", "count", "continuous", "binary"),
        ("nominal", "ordinal", "continuous", "count", "binary"),
    ],
    "a_debt_that_is_none": [(15600, 700, 4400), (9600, 1820, 4400), (9600, 700, 0)],
    "which_law_or_principle": [
        ("anti-discrimination", "consumer", "privacy", "contestability"),
        ("anti-discrimination", "privacy", "contestability", "consumer"),
    ],
    "what_may_the_model_see": [
        (0.292, 0.0916, 0.778, "a measurement"),
        (0.0916, 0.292, 0.778, "the bank's own judgement"),
        (0.292, 0.0916, 0.222, "the bank's own judgement"),
    ],
}


def by_numbers_that_differ(b, c, power):
    q = c / (b + c)
    n = ((norm.ppf(0.975) / 2 + norm.ppf(power) * np.sqrt(q * (1 - q))) / (q - 0.5)) ** 2
    return np.ceil(n / (b + c) - 1e-9)


def wilson_by_roots(k, n, level):
    """Where (k / n - p)^2 = z^2 p (1 - p) / n, a quadratic equation."""
    z2 = norm.ppf(1 - level / 2) ** 2
    return sorted(np.roots([n + z2, -(2 * k + z2), k * k / n]).real.tolist())


def fill_by_loops(train, test):
    train, test = np.array(train), np.array(test)
    with_holes = [j for j in range(train.shape[1]) if np.isnan(train[:, j]).any()]
    out = []
    for table in (train, test):
        rows = []
        for row in table:
            known = [np.nanmean(train[:, j]) if np.isnan(v) else v for j, v in enumerate(row)]
            rows.append(known + [float(np.isnan(row[j])) for j in with_holes])
        out.append(rows)
    return tuple(out)


def fill_by_sklearn(train, test):
    imputer = SimpleImputer(add_indicator=True).fit(train)
    return np.array(imputer.transform(train)), np.array(imputer.transform(test))


def dealt(groups, k, rng):
    deck = list(range(groups.max() + 1))
    rng.shuffle(deck)
    return [deck.index(g) % k for g in groups]


def precision(base, tpr, fpr):
    odds = base / (1 - base) * (tpr / fpr) if fpr else np.inf
    return 1 / (1 + 1 / odds)


def counted(base, tpr, fpr):
    right, wrong = base * tpr, (1 - base) * fpr
    return np.array([right / (right + wrong)])


RIGHT = {
    "six_events_six_phases": [
        {"a": 3, "b": 6, "c": 1, "d": 5, "e": 2, "f": 4},
        np.array([3.0, 6, 1, 5, 2, 4]),
        ["3", "6", "1", "5", "2", "4"],
    ],
    "thresholds_from_unequal_costs": [("4/25", "3/5", 40), (0.16, 0.6, np.int64(40))],
    "wilsons_interval": [wilson_by_roots, lambda *a: np.array(wilson_exactly(*a))],
    "how_many_for_a_paired_test": [needed, by_numbers_that_differ],
    "filling_holes_without_looking_ahead": [fill_by_loops, fill_by_sklearn],
    "the_gradient_of_one_bird": [(-1, "1/2", "-1/2"), (np.float64(-1), 0.5, [-0.5])],
    "folds_that_keep_groups_whole": [
        dealt,
        lambda groups, k, rng: (rng.random(groups.max() + 1).argsort() % k)[groups].tolist(),
    ],
    "what_equal_error_rates_do_to_precision": [
        (precision, 0.14, 0.111),
        (counted, "8/57", "1/9"),
    ],
    "find_the_leaks": [
        {"ring", "tube", "index"},
        ["Tube", " index", "RING"],
        np.array(["tube", "index", "ring"]),
    ],
    "which_kind": [
        (" Nominal", "ORDINAL", "count", "continuous ", "binary"),
        ("nominal", "ordinal", "Count", "Continuous", "Binary"),
    ],
    "a_debt_that_is_none": [("9600", 700.0, [4400]), (9600.0, "18200/26", 16 * 275.0)],
    "which_law_or_principle": [
        ("Anti-discrimination", " privacy", "Consumer", "contestability"),
        ("anti-discrimination", "PRIVACY", "consumer ", "Contestability"),
    ],
    "what_may_the_model_see": [
        (0.2922, 0.0916, "7/9", "The bank's own judgement"),
        ("0.292", [0.0916], 0.7778, " the bank's own judgement "),
    ],
}

MISREAD = {
    "six_events_six_phases": Misread(
        [3, 5, 1, 6, 2, 4],
        "An alarm is an evaluation, and opening the sealed season is the first use.",
        "comparing with the charter is not yet putting it to use",
    ),
    "thresholds_from_unequal_costs": Misread(
        (0.4, 0.84, 40.0),
        "The cost of writing down a sex is taken for the cost of missing it.",
        "writing 'female' for a male costs 250",
    ),
    "wilsons_interval": Misread(
        lambda k, n, level: wilson(k, n, level, one_sided=True),
        "Wrong in a share `level` is read as at each of the two ends.",
        "two ends together are wrong in a share `level`",
    ),
    "how_many_for_a_paired_test": Misread(
        lambda b, c, power: needed(b, c, power, one_sided=True),
        "At the 5% level is read as the quantile at 95%.",
        "take the two-sided test",
    ),
    "filling_holes_without_looking_ahead": Misread(
        fill,
        "Each table gets indicators for the columns in which it has holes itself.",
        "each column that had holes in training, and no other",
    ),
    "the_gradient_of_one_bird": Misread(
        (2 * P, -P, P),
        "The loss is read as log p, which is to be made large.",
        "the loss is -log p",
    ),
    "folds_that_keep_groups_whole": Misread(
        lambda groups, k, rng: rng.integers(0, k, groups.max() + 1)[groups],
        "Each group gets any fold, drawn by itself.",
        "all folds hold as many groups, give or take one",
    ),
    "what_equal_error_rates_do_to_precision": Misread(
        (lambda base, tpr, fpr: tpr / (tpr + fpr), 0.8 / 0.9, 1 / 9),
        "With equal rates in every group the base rate cancels.",
        "give the share in a group with this base rate",
    ),
    "find_the_leaks": Misread(
        ["tube", "index", "weight"],
        "A column that leads to the sex together with another is a leak itself.",
        "is an honest measurement",
    ),
    "which_kind": Misread(
        ("count", "ordinal", "count", "continuous", "binary"),
        "What is written in digits is taken for a number.",
        "ask what makes sense with the values",
    ),
    "a_debt_that_is_none": Misread(
        (9600, 700, 26 * 275),
        "The difference is taken for all 26 fortnights.",
        "only the sixteen with benefit count",
    ),
    "which_law_or_principle": Misread(
        ("consumer", "privacy", "consumer", "contestability"),
        "A rule that is the same for everybody cannot discriminate.",
        "the same for all and works out worse for some",
    ),
    "what_may_the_model_see": Misread(
        (0.708, 0.0916, 0.778, "the bank's own judgement"),
        "The share of approved applications is taken for the refused.",
        "the text asks for the share refused",
    ),
}
