"""The checkers of lecture 8's exercises: logistic and softmax regression, and how to judge them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.isotonic import isotonic_regression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from checks import (
    Sheet,
    Wrong,
    array,
    as_value,
    beside,
    by_hand,
    close,
    part,
    several,
    true,
    without,
    word,
)
from micrograd import Value

sheet = Sheet("Lecture 8")
check, hint = sheet.check, sheet.hint

rng = np.random.default_rng(80)
CLOUD = rng.standard_normal((30, 3)) * [1.0, 2.0, 0.5]
BITS = (rng.random(30) < 1 / (1 + np.exp(-CLOUD @ [1.0, -0.5, 2.0]))).astype(float)


def _loss(w: Any, X: Any, y: Any, strength: float = 0.0) -> float:
    z = X @ w
    return float((np.logaddexp(0.0, z) - y * z).mean() + strength / 2 * (w @ w))


def _slopes(f: Any, at: Any, step: float = 1e-4) -> Any:
    """Central differences of f, which returns a number or an array, along each coordinate."""
    moves = step * np.eye(len(at))
    return np.array([(np.asarray(f(at + m)) - np.asarray(f(at - m))) / (2 * step) for m in moves])


@sheet.exercise(
    1,
    hints=[
        "Odds are p / (1 - p). Odds of a to b belong to the probability a / (a + b).",
        "An odds ratio multiplies the odds: go from 0.2 to odds, multiply, and come back.",
    ],
)
def odds_in_your_head(odds: Any, probability: Any, at_zero: Any, after_doubling: Any) -> None:
    against = {"those are the odds against it": 0.25}
    quotient = {"those are the odds; give the probability": 1 / 3}
    doubled = {
        "that is twice the probability; an odds ratio multiplies the odds": 0.4,
        "those are the odds; give the probability": 0.5,
    }
    by_hand(odds, 4.0, "the odds of 0.8", instead=against)
    by_hand(probability, 0.25, "the probability with odds of 1 to 3", instead=quotient)
    by_hand(at_zero, 0.5, "the probability with log-odds of 0")
    by_hand(after_doubling, 1 / 3, "the probability after the odds ratio of 2", instead=doubled)


@sheet.exercise(
    2,
    hints=[
        "First the score z, then the probability.",
        "The derivative by z is predicted minus observed; x carries it on to the weights.",
    ],
)
def one_log_loss_by_hand(loss: Any, slope_w1: Any, slope_w2: Any, slope_b: Any) -> None:
    likelihood = "that is for the log likelihood; the loss is minus it"
    wanted = {
        "that is the probability; give the loss, -log p": 0.5,
        "that is log p; the loss is minus it": -np.log(2),
    }
    by_hand(loss, np.log(2), "the loss", instead=wanted)
    by_hand(slope_w1, -1.0, "the derivative by w1", instead={likelihood: 1.0})
    by_hand(slope_w2, -0.5, "the derivative by w2", instead={likelihood: 0.5})
    by_hand(slope_b, -0.5, "the derivative by b", instead={likelihood: 0.5})


@sheet.exercise(
    3,
    hints=[
        "The loss is softplus(z) - y z. Softplus is the log-sum-exp of two scores; which?",
        "Pull the larger of 0 and z out of log(1 + e^z): what is left in the exponent?",
    ],
)
def a_loss_that_does_not_overflow(sound_loss: Any) -> None:
    for number in (-1000.0, -40.0, -2.0, 0.7, 40.0, 1000.0):
        for label in (0.0, 1.0):
            z = Value(number)
            with without("softplus", "softplus", module="micrograd"):
                result = sound_loss(z, label)
            loss = as_value(result, "the loss")
            what = f"for the score {number:g} and the label {label:g}"
            right = np.logaddexp(0.0, number) - label * number
            size = "the loss is finite there: write one without an exp that is too large"
            mistaken = {size: np.inf, f"{size}, or a log of 0": np.nan}
            close(loss.data, right, f"the loss {what}", instead=mistaken)
            loss.backward()
            slope = np.exp(-np.logaddexp(0.0, -number)) - label
            close(z.grad, slope, f"the gradient {what}")


@sheet.exercise(
    4,
    title="Gradient and Hessian with a penalty",
    hints=[
        "One term first: its derivative by the score is p - y. What is the derivative of p?",
        "(X.T * s) @ X is X^T diag(s) X. The penalty adds to both, to one as a matrix.",
    ],
)
def gradient_and_hessian_with_a_penalty(gradient_and_hessian: Any) -> None:
    at = np.array([0.3, -0.8, 1.1])
    for strength in (0.0, 0.4):
        got = gradient_and_hessian(at, CLOUD, BITS, strength)
        gradient, hessian = several(got, "the gradient", "the Hessian")
        gradient = array(gradient, "the gradient", (3,))
        hessian = array(hessian, "the Hessian", (3, 3))

        def loss(w: Any, strength: float = strength) -> float:
            return _loss(w, CLOUD, BITS, strength)

        what = f"at strength {strength:g}, beside finite differences"
        slopes = _slopes(loss, at)
        plain = slopes - strength * at
        mistaken = {
            "that adds up over the rows; give the gradient of the mean": 30 * plain + strength * at,
            "half a square has the derivative w, without a 2": slopes + strength * at,
            "that is without the penalty": plain,
        }
        told = {"rtol": 1e-5, "atol": 1e-7, "instead": mistaken}
        close(gradient, slopes, f"the gradient {what}", **told)
        numeric = _slopes(lambda w, loss=loss: _slopes(loss, w), at)
        close(hessian, numeric, f"the Hessian {what}", rtol=1e-4, atol=1e-5)


@sheet.exercise(
    5,
    hints=[
        "Subtract each row's largest score before you exponentiate.",
        "P - Y: take 1 off at [i, y[i]] of the probabilities. Sum or mean?",
    ],
)
def the_gradient_of_softmax_regression(softmax_gradient: Any) -> None:
    from micrograd import functional as F
    from micrograd import grads

    rng = np.random.default_rng(81)
    y = (rng.random(30) * 4).astype(int)
    for size in (1.0, 400.0):
        W, b = size * rng.standard_normal((3, 4)), rng.standard_normal(4)
        values = [np.vectorize(Value, otypes=[object])(a) for a in (W, b)]
        F.cross_entropy(CLOUD @ values[0] + values[1], y).backward()
        with np.errstate(all="ignore"):
            got = softmax_gradient(W.copy(), b.copy(), CLOUD.copy(), y.copy())
        by_W, by_b = several(got, "the gradient by W", "the gradient by b")
        what = "small" if size == 1 else "very large"
        added = "that adds up over the rows; give the gradient of the mean"
        large = "scores may have any size: exp of them may be too large for a float"
        W_grad, b_grad = grads(values[0]), grads(values[1])
        mistaken = {added: 30 * W_grad, large: np.full((3, 4), np.nan)}
        close(by_W, W_grad, f"the gradient by W for {what} scores", instead=mistaken)
        close(by_b, b_grad, f"the gradient by b for {what} scores", instead={added: 30 * b_grad})


@sheet.exercise(
    6,
    title="AUC by counting",
    hints=[
        "score[y == 1][:, None] - score[y == 0] holds a difference for each pair.",
        "What is a pair with a difference of exactly 0 worth?",
    ],
)
def auc_by_counting(auc: Any) -> None:
    from sklearn.metrics import roc_auc_score

    ties = {"that counts ties as lost; a tie counts half": 0.0}
    ties |= {"that counts ties as won; a tie counts half": 1.0}
    tied = auc(np.array([0, 1, 0]), np.ones(3))
    close(tied, 0.5, "the AUC when all scores are equal", instead=ties)
    upside_down = auc(np.array([0, 1, 1]), np.array([5.0, 1, 2]))
    close(upside_down, 0.0, "the AUC of a ranking upside down")
    y = BITS.astype(int)
    for digits, what in ((9, "30 different scores"), (0, "scores with many ties")):
        score = np.round(CLOUD @ [0.6, -0.4, 0.3], digits)
        close(auc(y, score), roc_auc_score(y, score), f"the AUC of {what}")


@sheet.exercise(
    7,
    title="Newton, damped",
    hints=[
        "np.linalg.solve(hessian, gradient) is the full step; w minus it the first candidate.",
        "Compare the loss at the candidate with the loss at w, not with the last candidate's.",
    ],
)
def newton_damped(damped_step: Any) -> None:
    X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0.0, 1.0, 0.0, 1.0])
    near = np.array([0.2, -0.1, 0.3])
    p = 1 / (1 + np.exp(-CLOUD @ near))
    full = np.linalg.solve((CLOUD.T * (p * (1 - p))) @ CLOUD, CLOUD.T @ (p - BITS))
    given = near.copy()
    got = damped_step(given, CLOUD, BITS)
    true(np.array_equal(given, near), "the array w that was given is unchanged")
    half = {
        "that is half a step; the full one is tried first, and it lowers the loss": (
            near - full / 2
        )
    }
    close(got, near - full, "a step from near by, where the full one is good", instead=half)
    w = np.array([3.0])
    for t in range(25):
        before = _loss(w, X, y)
        new = array(damped_step(w, X, y), "the new w", (1,))
        if not _loss(new, X, y) <= before + 1e-12:
            raise Wrong(
                f"from w = {w[0]:.4g} (step {t}) the loss rises, at w = {new[0]:.4g}; "
                "halve the step until it does not"
            )
        w = new
    close(w, [0.41962], "the w after 25 steps from w = 3", rtol=1e-4)


@sheet.exercise(
    8,
    title="A threshold when treatment costs, too",
    hints=[
        "Write the mean costs of treating and of not treating as functions of p; equate them.",
        "Doubling the log-odds does what to the odds? Turn the threshold into odds first.",
    ],
)
def a_threshold_when_treatment_costs_too(threshold: Any, threshold_for_the_sure: Any) -> None:
    mistaken = {
        "that is as if a true alarm cost nothing; it costs 2": 5 / 25,
        "those are the odds; give the probability": 5 / 18,
        "that is the probability of 0 rather than 1": 18 / 23,
    }
    by_hand(threshold, 5 / 23, "the threshold for calibrated probabilities", instead=mistaken)
    mistaken = {
        "that doubles the odds; it is the log-odds that are doubled": 10 / 28,
        "that doubles the probability; it is the log-odds that are doubled": 10 / 23,
        "that halves the log-odds; on the model's own probabilities they are doubled": (
            (5 / 18) ** 0.5 / (1 + (5 / 18) ** 0.5)
        ),
    }
    what = "the threshold for the too sure model"
    by_hand(threshold_for_the_sure, 25 / 349, what, instead=mistaken)


@sheet.exercise(
    9,
    title="Perfect ranking, useless probabilities",
    hints=[
        "The AUC looks at the order only. What if all forecasts are high?",
        "Be sure and right about half of them, undecided about most others, in the wrong order.",
    ],
)
def perfect_ranking_useless_probabilities(ranks_well: Any, says_well: Any) -> None:
    with part("ranks_well"):
        auc, loss = _auc_and_loss(ranks_well, "ranks_well")
        if not (auc == 1 and loss > np.log(2)):
            raise Wrong(
                f"ranks_well has an AUC of {beside(auc, 1.0)} and a log loss of "
                f"{beside(loss, np.log(2))}; they should be exactly 1, and above 0.693"
            )
    with part("says_well"):
        auc, loss = _auc_and_loss(says_well, "says_well")
        if not (auc < 0.8 and loss < 0.6):
            raise Wrong(
                f"says_well has an AUC of {beside(auc, 0.8)} and a log loss of "
                f"{beside(loss, 0.6)}; they should be below 0.8, and below 0.6"
            )


def _auc_and_loss(forecasts: Any, name: str) -> tuple[float, float]:
    y = np.repeat([0, 1], 10)
    p = array(forecasts, name, (20,))
    true(((p > 0) & (p < 1)).all(), f"every forecast of {name} lies between 0 and 1")
    above = p[y == 1][:, None] - p[y == 0]
    auc = (above > 0).mean() + (above == 0).mean() / 2
    return float(auc), float(-np.log(np.where(y == 1, p, 1 - p)).mean())


@sheet.exercise(
    10,
    hints=[
        "First the four counts: how many of the ill are missed, how many alarms are false?",
        "F1 is 2 TP / (2 TP + FP + FN). Balanced accuracy is the mean of the two classes' recalls.",
    ],
)
def read_the_matrix(recall: Any, precision: Any, f1: Any, balanced: Any) -> None:
    swapped = "that is of the people called ill; recall asks of the ill"
    by_hand(recall, 3 / 4, "the recall", instead={swapped: 1 / 3})
    other = "that is of the ill; precision asks of the people called ill"
    by_hand(precision, 1 / 3, "the precision", instead={other: 3 / 4})
    plain = {"that is the plain mean; F1 is the harmonic one": (3 / 4 + 1 / 3) / 2}
    by_hand(f1, 6 / 13, "the F1", instead=plain)
    accuracy = {"that is the accuracy; give the mean of the two recalls": 0.93}
    by_hand(balanced, 27 / 32, "the balanced accuracy", instead=accuracy)


@sheet.exercise(
    11,
    title="Three classes, two averages",
    hints=[
        "The recall of a class is its right answers over its row.",
        "Macro is the mean over classes, micro adds the counts up first. Precision needs a column.",
    ],
)
def three_classes_two_averages(macro_recall: Any, micro_recall: Any, precision_c: Any) -> None:
    macro, micro = (0.8 + 0.75 + 0.5) / 3, 100 / 130
    counts = "that counts examples alike; the macro average counts classes alike"
    classes = "that counts classes alike; the micro average counts examples alike"
    by_hand(macro_recall, macro, "the macro average", instead={counts: micro})
    by_hand(micro_recall, micro, "the micro average", instead={classes: macro})
    row = {"that is the recall of C; precision looks at its column": 0.5}
    by_hand(precision_c, 1 / 3, "the precision of C", instead=row)


@sheet.exercise(
    12,
    hints=[
        "Work with odds: Bayes' rule multiplies them by the new prior odds over the old ones.",
        "0.9 is odds of 9. From one in two to one in a hundred the odds change by 1/99.",
    ],
)
def back_to_the_true_share(in_use: Any, says_for_half: Any) -> None:
    mistaken = {
        "those are the odds; give the probability": 1 / 11,
        "that multiplies the probability by the share; it is the odds that change": 0.009,
    }
    by_hand(in_use, 1 / 12, "the probability in use", instead=mistaken)
    by_hand(says_for_half, 0.99, "what it must say")


@sheet.exercise(
    13,
    hints=[
        "The derivative of e^z - y z by z is e^z - y; x carries it on to the weights.",
        "The second derivative by z is e^z. (X.T * s) @ X is X^T diag(s) X.",
    ],
)
def a_model_for_counts(for_counts: Any) -> None:
    at = np.array([0.3, -0.2, 0.4])
    y = np.random.default_rng(813).poisson(np.exp(CLOUD @ at)).astype(float)

    def loss(w: Any) -> float:
        z = CLOUD @ w
        return float((np.exp(z) - y * z).mean())

    gradient, hessian = several(for_counts(at, CLOUD, y), "the gradient", "the Hessian")
    slopes = _slopes(loss, at)
    added = {"that adds up over the rows; give the gradient of the mean": 30 * slopes}
    what = "beside finite differences"
    told = {"rtol": 1e-4, "atol": 1e-6, "instead": added}
    close(array(gradient, "the gradient", (3,)), slopes, f"the gradient {what}", **told)
    numeric = _slopes(lambda w: _slopes(loss, w), at)
    hessian = array(hessian, "the Hessian", (3, 3))
    close(hessian, numeric, f"the Hessian {what}", rtol=1e-3, atol=1e-4)


@sheet.exercise(
    14,
    hints=[
        "The bin of a forecast is (p * bins).astype(int); 1 would lie beyond the last one.",
        "Weigh each bin's distance with its number of cases, and divide by all cases.",
    ],
)
def the_calibration_error(ece: Any) -> None:
    rng = np.random.default_rng(814)
    few = np.array([0.0, 1.0, 1.0, 1.0]), np.array([0.1, 0.1, 0.9, 1.0])
    alike = {"that counts bins alike; take the mean over cases": (0.4 + 0.05) / 2}
    close(ece(few[0], few[1], 2), (2 * 0.4 + 2 * 0.05) / 4, "the ECE of four forecasts",
          instead=alike)  # fmt: skip
    for n, bins in ((50, 5), (400, 10)):
        p = rng.random(n) ** 2
        y = (rng.random(n) < p**1.5).astype(float)
        index = np.minimum(np.floor(p * bins).astype(int), bins - 1)
        parts = [((index == k).sum(), y[index == k].mean() - p[index == k].mean())
                 for k in range(bins) if (index == k).any()]  # fmt: skip
        wanted = sum(count * abs(gap) for count, gap in parts) / n
        mistaken = {
            "that counts bins alike; take the mean over cases": np.mean(
                [abs(gap) for _, gap in parts]
            ),
            "that lets too high and too low cancel; take each bin's distance": abs(
                sum(count * gap for count, gap in parts) / n
            ),
        }
        close(ece(y, p, bins), wanted, f"the ECE of {n} forecasts in {bins} bins", instead=mistaken)


@sheet.exercise(
    15,
    hints=[
        "Keep a list of blocks, each with its mean and its size; a new value is a new block.",
        "While the last block is lower than the one before it, merge the two; then look again.",
    ],
)
def pool_the_violators(pool: Any) -> None:
    rng = np.random.default_rng(815)
    cases = [np.array([1.0, 0.0]), np.array([0.0, 1.0, 0.0, 1.0, 1.0]), np.array([3.0, 1.0, 2.0])]
    cases += [(rng.random(40) < np.linspace(0, 1, 40)).astype(float), rng.standard_normal(60)]
    for y in cases:
        given = y.copy()
        got = array(pool(given), "the sequence", (len(y),))
        highest = {"that carries the highest so far along; merge, and take means": (
            np.maximum.accumulate(y))}  # fmt: skip
        close(got, isotonic_regression(y), f"the pooled sequence of {len(y)}", instead=highest)
        true(np.array_equal(given, y), "the sequence that was given is unchanged")


@functools.cache
def _balancing() -> tuple[float, float]:
    digits = load_digits()
    eight = (digits.target == 8).astype(int)
    rows = []
    for seed in range(10):
        A, B, a, b = train_test_split(digits.data / 16, eight, stratify=eight, random_state=seed)
        plain, balanced = (
            LogisticRegression(class_weight=w, max_iter=2000).fit(A, a).predict_proba(B)[:, 1]
            for w in (None, "balanced")
        )
        gain = (balanced[b == 1] > 0.5).mean() - (plain[b == 1] > 0.5).mean()
        rows.append([log_loss(b, balanced) - log_loss(b, plain), gain])
    loss, recall = np.mean(rows, axis=0)
    return float(loss), float(recall)


@sheet.exercise(
    16,
    title="Does balancing help?",
    hints=[
        "predict_proba(...)[:, 1] are the probabilities; recall is their share above 0.5 among the "
        "eights.",
        "Compare the AUC's difference with how much it varies from split to split.",
    ],
)
def does_balancing_help(loss_difference: Any, recall_difference: Any, verdict: Any) -> None:
    loss, recall = _balancing()
    sign = {"that is plain minus balanced; the text asks for balanced minus plain": -loss}
    by_hand(loss_difference, loss, "the mean difference of the log loss", instead=sign)
    sign = {"that is plain minus balanced; the text asks for balanced minus plain": -recall}
    by_hand(recall_difference, recall, "the mean difference of the recall", instead=sign)
    spread = {"0.002 is less than the difference varies": "better"}
    among = ("better", "move the threshold", "do nothing")
    word(verdict, "move the threshold", "what you would sign", among, instead=spread)
