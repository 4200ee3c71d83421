"""The checkers of lecture 5's exercises: generative models."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB

from checks import (
    Sheet,
    Wrong,
    array,
    as_value,
    beside,
    by_hand,
    close,
    flags,
    part,
    quiet,
    several,
    true,
    truths,
    word,
)
from micrograd import Value

sheet = Sheet("Lecture 5")
check, hint = sheet.check, sheet.hint

rng = np.random.default_rng(50)
CALLS = rng.poisson(3.4, size=25).astype(float)
LENGTHS = rng.normal(4.0, 2.0, size=11)
LOG_PI = np.log([0.2, 0.5, 0.3])
MEANS = rng.normal(size=(3, 4))
VARIANCES = rng.uniform(0.3, 2.0, size=(3, 4))
POINT = rng.normal(size=4)

NET = {
    "rain": ((), {(): 0.3}),
    "sprinkler": (("rain",), {(0,): 0.4, (1,): 0.05}),
    "wet": (("rain", "sprinkler"), {(0, 0): 0.02, (0, 1): 0.9, (1, 0): 0.8, (1, 1): 0.99}),
    "slippery": (("wet",), {(0,): 0.1, (1,): 0.7}),
}


@sheet.exercise(
    1,
    hints=[
        "Of 100,000 parts, how many are cracked? Of these, how many are reported? And of the rest?",
        "Odds of 1 : 499 times the likelihood ratio, once for each camera.",
    ],
)
def a_rare_fault(reported: Any, once: Any, twice: Any) -> None:
    cracked = "those are the cracked ones; sound parts are reported as well"
    turned = "that is how likely a cracked part is to be reported; give it the other way round"
    by_hand(reported, 2192, "the parts reported of 100,000", exact=True, instead={cracked: 196})
    by_hand(once, 196 / 2192, "the probability after one report", instead={turned: 0.98})
    mistaken = {
        turned: 0.98**2,
        "that forgets how rare a crack is": 49**2 / (49**2 + 1),
        "a second report makes a crack likelier than the first left it": (196 / 2192) ** 2,
    }
    right = 49**2 / (49**2 + 499)
    by_hand(twice, right, "the probability after two reports", instead=mistaken)


@sheet.exercise(
    2,
    title="Which is which?",
    hints=[
        "MAP: (n_k + a_k - 1) / (n + sum of (a_j - 1)). Mean: (n_k + a_k) / (n + sum of a_j).",
        "Section 5 has the picture for e, section 12 the derivation for f.",
    ],
)
def which_is_which(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> None:
    mean = "the MAP is where a posterior is highest, not its mean"
    mistaken = {mean: (True, True, False, True, False, True)}
    right = (True, False, True, True, False, True)
    truths((a, b, c, d, e, f), right, "abcdef", instead=mistaken)


@sheet.exercise(
    3,
    hints=[
        "One count costs lambda - x log(lambda) + log(x!). Which part does not depend on lambda?",
        "In s the mean is exp(s) - s mean(x) + a constant.",
        "The prior adds -(a - 1) log(lambda) + b lambda, once and not for each hour.",
    ],
)
def events_in_an_hour(best_rate: Any, slope: Any, map_rate: Any) -> None:
    with part("best_rate"):
        close(best_rate(CALLS), CALLS.mean(), "the likeliest rate of 25 counts")
    with part("slope"):
        for start in (-0.7, 0.4, 1.9):
            s = Value(start)
            (s.exp() - s * CALLS.mean()).backward()
            by_rate = "that is the derivative by lambda; derive by s, with lambda = exp(s)"
            mistaken = {by_rate: 1 - CALLS.mean() / math.exp(start)}
            what = f"the derivative at s = {start}"
            close(slope(start, CALLS), s.grad, what, instead=mistaken)
    with part("map_rate"):
        for a, b in ((2.0, 1.0), (5.0, 3.0)):
            rates = np.linspace(0.5, 8.0, 150_001)
            log_posterior = (CALLS.sum() + a - 1) * np.log(rates) - (len(CALLS) + b) * rates
            top = rates[log_posterior.argmax()]
            mistaken = {
                "that is the posterior mean; give where the posterior is highest": (
                    (CALLS.sum() + a) / (len(CALLS) + b)
                ),
                "that is without the prior": CALLS.mean(),
            }
            what = f"the MAP under Gamma({a:g}, {b:g})"
            close(map_rate(CALLS, a, b), top, what, rtol=1e-4, instead=mistaken)


@sheet.exercise(
    4,
    title="A believer's gradient by hand",
    hints=[
        "The derivative of softplus is the sigmoid, which is 1/2 at 0. s is used twice.",
        "The gradient is 5 sigmoid(s) - 3. Where is it zero? s = log(theta / (1 - theta)).",
    ],
)
def a_believers_gradient_by_hand(gradient: Any, place: Any, theta: Any) -> None:
    one_use = {"that is one use of s; it is used twice": -3.0, "that is one use of s": 2.5}
    by_hand(gradient, -0.5, "the gradient at s = 0", instead=one_use)
    mistaken = {"that is theta = sigmoid(s); give s itself": 0.6}
    by_hand(place, math.log(1.5), "the s at which the gradient is zero", instead=mistaken)
    likeliest = {"that is s; give theta = sigmoid(s)": math.log(1.5)}
    by_hand(theta, 0.6, "the theta there", instead=likeliest)


@sheet.exercise(
    5,
    hints=[
        "Take the row's maximum out: log sum exp(a) = m + log sum exp(a - m).",
        "Mind that -inf - (-inf) is nan: where m is not finite, shift by 0.",
    ],
)
def a_sum_that_does_not_overflow(log_sum_exp: Any) -> None:
    a = rng_rows()
    wanted = np.log(np.exp(a).sum(axis=1))
    close(log_sum_exp(a), wanted, "ordinary rows", rtol=1e-10)
    for shift in (2000.0, -2000.0):
        mistaken = {
            "exp of such numbers is too large or too small for a float; write a sum that works "
            "for them too": np.full(6, np.copysign(np.inf, shift))
        }
        with np.errstate(all="ignore"):
            got = log_sum_exp(a + shift)
        close(got, wanted + shift, f"rows around {shift:g}", rtol=1e-10, instead=mistaken)
    a[2, 0] = -np.inf
    with quiet("a row with one -inf"):
        got = log_sum_exp(a)
    close(array(got, "six rows", (6,))[2], np.log(np.exp(a[2]).sum()), "a row with one -inf")
    a[4] = -np.inf
    with quiet("a row of nothing but -inf"):
        got = log_sum_exp(a)
    close(array(got, "six rows", (6,))[4], -math.inf, "a row of nothing but -inf")


def rng_rows() -> np.ndarray:
    return np.random.default_rng(51).normal(scale=2.0, size=(6, 3))


@sheet.exercise(
    6,
    hints=[
        "The integral of p(x_j | k) over all x_j is 1: the factor of an unknown entry goes.",
        "known = ~np.isnan(x) picks the columns of x, mu and var alike.",
    ],
)
def a_missing_measurement(posterior_with_gaps: Any) -> None:
    for gaps in ((), (1,), (0, 3), (0, 1, 2, 3)):
        x = POINT.copy()
        x[list(gaps)] = np.nan
        known = [j for j in range(4) if j not in gaps]
        densities = [
            math.exp(LOG_PI[k])
            * math.prod(
                math.exp(-((x[j] - MEANS[k, j]) ** 2) / (2 * VARIANCES[k, j]))
                / math.sqrt(2 * math.pi * VARIANCES[k, j])
                for j in known
            )
            for k in range(3)
        ]
        filled = densities / np.prod(np.sqrt(2 * np.pi * VARIANCES[:, list(gaps)]), axis=1)
        mistaken = {
            "that says of each gap that the class's mean was there; give what the known "
            "entries say alone": filled / filled.sum()
        }
        what = f"the posterior of a point with {len(gaps)} of its 4 entries unknown"
        got, right = posterior_with_gaps(x, LOG_PI, MEANS, VARIANCES), densities / np.sum(densities)
        close(got, right, what, instead=mistaken)
    got = array(posterior_with_gaps(POINT + 200, LOG_PI, MEANS, VARIANCES), "the posterior", (3,))
    true(np.isfinite(got).all(), "the posterior of a point far from every class is finite")


@sheet.exercise(
    7,
    title="A mean with a prior, on Values",
    hints=[
        "One measurement costs (x - mu)^2 / (2 sigma^2), and what does not depend on mu.",
        "Set the derivative to zero and collect mu: weights n / sigma^2 and 1 / tau^2.",
    ],
)
def a_mean_with_a_prior_on_values(loss: Any, best_mean: Any) -> None:
    def of(sigma: float, m: float, tau: float) -> tuple[float, float]:
        wanted = len(LENGTHS) / sigma**2 * LENGTHS.mean() + m / tau**2
        return wanted, len(LENGTHS) / sigma**2 + 1 / tau**2

    cases = ((1.5, 0.0, 1.0), (0.5, -2.0, 3.0))
    with part("loss"):
        for sigma, m, tau in cases:
            wanted, precision = of(sigma, m, tau)
            for start in (-1.0, 3.0):
                mu = Value(start)
                as_value(loss(mu, LENGTHS, sigma, m, tau), "the loss").backward()
                what = f"the gradient at mu = {start:g} with sigma = {sigma}, m = {m}, tau = {tau}"
                fit, prior = (start - LENGTHS.mean()) / sigma**2, (start - m) / tau**2
                mistaken = {
                    "that averages over the measurements; minus the log posterior adds them": (
                        fit + prior
                    ),
                    "that is without the prior": len(LENGTHS) * fit,
                }
                close(mu.grad, precision * start - wanted, what, instead=mistaken)
    with part("best_mean"):
        for sigma, m, tau in cases:
            wanted, precision = of(sigma, m, tau)
            what = f"the mean found with sigma = {sigma}, m = {m}, tau = {tau}"
            alone = {"that is the mean of the measurements, without the prior": LENGTHS.mean()}
            close(best_mean(LENGTHS, sigma, m, tau), wanted / precision, what, instead=alone)


@sheet.exercise(
    8,
    title="Blocked or not?",
    hints=[
        "Write down every path between the two, whatever the direction of its arrows.",
        "A collider blocks unless it, or something that follows from it, is known; any other place "
        "on the path blocks if it is known.",
    ],
)
def blocked_or_not(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> None:
    closed = "a collider opens as soon as it, or one of its consequences, is known"
    mistaken = {closed: (True,) * 6, f"{closed}; calls is one": (True, False, True, *(True,) * 3)}
    right = (True, False, False, True, True, True)
    truths((a, b, c, d, e, f), right, "abcdef", instead=mistaken)


@sheet.exercise(
    9,
    hints=[
        "itertools.product((0, 1), repeat=len(net)) gives every world; its probability is a "
        "product with one factor a name.",
        "The factor is the table's number if the name is 1 in this world, else 1 minus it.",
    ],
)
def ask_the_net(ask: Any) -> None:
    worlds = []
    for r, s, w, t in itertools.product((0, 1), repeat=4):
        p = 1.0
        for name, value, key in (
            ("rain", r, ()),
            ("sprinkler", s, (r,)),
            ("wet", w, (r, s)),
            ("slippery", t, (w,)),
        ):
            p *= NET[name][1][key] if value else 1 - NET[name][1][key]
        worlds.append(({"rain": r, "sprinkler": s, "wet": w, "slippery": t}, p))
    for query, given in (
        ({"slippery": 1}, {}),
        ({"rain": 1}, {"slippery": 1}),
        ({"rain": 0}, {"wet": 1, "sprinkler": 1}),
        ({"wet": 1, "rain": 1}, {"slippery": 0}),
    ):
        agree = [(world, p) for world, p in worlds if given.items() <= world.items()]
        both = sum(p for world, p in agree if query.items() <= world.items())
        mistaken = {
            "that is p(query and given); give p(query | given)": both,
            "that is p(query), whatever is given": sum(
                p for world, p in worlds if query.items() <= world.items()
            ),
        }
        right = both / sum(p for _, p in agree)
        close(ask(NET, query, given), right, f"p({query} | {given})", instead=mistaken)


@sheet.exercise(
    10,
    title="Defeat naive Bayes",
    hints=[
        "Naive Bayes knows the mean and variance of each feature within each class. Make these "
        "alike.",
        "What is left to tell the classes apart is how the two features go together.",
        "A cross: y = x in one class, y = -x in the other, each with a little noise.",
    ],
)
def defeat_naive_bayes(X: Any, y: Any) -> None:
    X = array(X, "X")
    true(X.ndim == 2 and X.shape[1] == 2, f"X has the shape (n, 2); it has {X.shape}")
    y = flags(y, "the labels are 0 and 1; y", (len(X),)).astype(int)
    true(np.bincount(y, minlength=2).min() >= 100, "there are at least 100 points of each class")
    naive, full = [], []
    for k in (0, 1):
        mine = X[y == k]
        covariance = np.cov(mine.T, bias=True) + 1e-9 * np.eye(2)
        for scores, S in ((naive, np.diag(np.diag(covariance))), (full, covariance)):
            away = X - mine.mean(axis=0)
            squares = (away @ np.linalg.inv(S) * away).sum(axis=1)
            scores.append(math.log(len(mine)) - (np.linalg.slogdet(S)[1] + squares) / 2)
    of_naive, of_full = (
        float(((scores[1] > scores[0]) == (y == 1)).mean()) for scores in (naive, full)
    )
    if of_full < 0.95:
        raise Wrong(
            f"with full covariances {beside(of_full, 0.95, 0, percent=True)} are right; "
            "it should be at least 95%"
        )
    if of_naive > 0.6:
        found = beside(of_naive, 0.6, 0, percent=True)
        raise Wrong(f"naive Bayes is right in {found}; it should be 60% at most")


@sheet.exercise(
    11,
    hints=[
        "The posterior is Beta(2 + 6, 2 + 2). The predictive for one flip is its mean.",
        "After the first of the two heads the posterior is another Beta: take its mean too.",
    ],
)
def two_more_flips(next_heads: Any, two_heads: Any, too_small: Any) -> None:
    prior = {"that is without the prior": 6 / 8, "that is the posterior's highest point": 0.7}
    by_hand(next_heads, 2 / 3, "the probability of heads", instead=prior)
    certain = {"that takes theta as known; it is not, and the first flip tells about it": 4 / 9}
    both = 8 * 9 / (12 * 13)
    by_hand(two_heads, both, "the probability of two heads", instead=certain)
    by_hand(too_small, both - 4 / 9, "what the friend's number lacks")


@sheet.exercise(
    12,
    title="How sure is the maximum?",
    hints=[
        "Differentiate lambda - x log(lambda) twice and put the expectation of x in.",
        "The variance is 1 / (n I); the standard error is its root.",
        "In s one hour costs exp(s) - x s. What is its second derivative?",
    ],
)
def how_sure_is_the_maximum(rate: Any, information: Any, of_rate: Any, of_log: Any) -> None:
    by_hand(rate, 4, "the estimate of lambda", exact=True, instead={"give it per hour": 200})
    all_hours = {"that is for all 50 hours; give that of one hour": 12.5, "that is 1 / I": 4.0}
    by_hand(information, 0.25, "the Fisher information of one hour", instead=all_hours)
    variance = {
        "that is the variance; give its root": 0.08,
        "that is the error of one hour; there are 50": 2.0,
    }
    by_hand(of_rate, math.sqrt(0.08), "the standard error of lambda", instead=variance)
    same = {"that is the error of lambda; s is another coordinate": math.sqrt(0.08)}
    by_hand(of_log, 1 / math.sqrt(200), "the standard error of s", instead=same)


@sheet.exercise(
    13,
    hints=[
        "Take from every row the mean of its own class; then one covariance of all rows.",
        "w solves S w = mu_1 - mu_0. b is the log-odds of the shares minus (mu_0 + mu_1) . w / 2.",
    ],
)
def one_covariance_for_both(lda: Any) -> None:
    rng = np.random.default_rng(513)
    for n, d in ((9, 1), (30, 2), (60, 4)):
        y = np.append([0, 1, 1, 0], rng.random(n - 4) < 0.7).astype(int)
        X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + y[:, None] * rng.normal(size=d)
        mu = np.array([X[y == k].mean(axis=0) for k in (0, 1)])
        within, share = X - mu[y], y.mean()

        def line(S: np.ndarray, mu: np.ndarray = mu, share: float = share) -> Any:
            w = np.linalg.solve(np.atleast_2d(S), mu[1] - mu[0])
            return w, math.log(share / (1 - share)) - (mu[0] + mu[1]) @ w / 2

        right, pooled = line(within.T @ within / n), np.cov(X.T, bias=True)
        w, b = several(lda(X.copy(), y.copy()), "w", "b")
        mistaken = {
            "that is the covariance of all points; take each class's own mean out first": (
                line(pooled)[0]
            ),
            "that divides by n - 2; the text says n": right[0] * (n - 2) / n,
        }
        what = f"w for {n} points with {d} column{'s' if d > 1 else ''}"
        close(w, right[0], what, rtol=1e-6, instead=mistaken)
        even = {"that is without the classes' shares": right[1] - math.log(share / (1 - share))}
        close(b, right[1], f"b for {n} points", rtol=1e-6, instead=even)


@sheet.exercise(
    14,
    hints=[
        "Z @ np.log(theta).T adds log theta over the words that occur.",
        "The words that do not occur are 1 - Z, and their factor is 1 - theta.",
    ],
)
def present_or_absent(log_joint: Any) -> None:
    rng = np.random.default_rng(514)
    for n, k, V in ((1, 2, 2), (5, 3, 7)):
        Z = (rng.random((n, V)) < 0.4).astype(float)
        log_pi, theta = np.log(rng.dirichlet(np.ones(k))), rng.uniform(0.05, 0.9, (k, V))
        present = log_pi + Z @ np.log(theta).T
        right = present + (1 - Z) @ np.log(1 - theta).T
        mistaken = {
            "that counts only the words that occur; an absent word is evidence too": present,
            "that is without log_pi": right - log_pi,
        }
        got = log_joint(Z.copy(), log_pi.copy(), theta.copy())
        close(
            got,
            right,
            f"the log-joint of {n} text{'s' if n > 1 else ''} of {V} words",
            instead=mistaken,
        )


@sheet.exercise(
    15,
    hints=[
        "start @ table is p(x_1): the sum over x_0 of p(x_0) p(x_1 | x_0).",
        "From the back: table @ message turns p(x_T = j | x_{t+1}) into p(x_T = j | x_t).",
        "Then Bayes' rule: the prior is start, the likelihood is the message at time 0.",
    ],
)
def sum_it_away(last: Any, first_given_last: Any) -> None:
    rng = np.random.default_rng(515)
    cases = [(2, 1), (3, 4), (4, 300)]
    drawn = [
        (rng.dirichlet(np.ones(k)), [rng.dirichlet(np.ones(k), size=k) for _ in range(T)])
        for k, T in cases
    ]
    with part("last"):
        for start, tables in drawn:
            right = turned = start
            for table in tables:
                right, turned = right @ table, table @ turned
            what = f"p(x_T) at T = {len(tables)} with {len(start)} states"
            columns = {"rows and columns are exchanged: tables[t][i, j] goes from i to j": turned}
            close(last(start.copy(), list(tables)), right, what, instead=columns)
    with part("first_given_last"):
        for start, tables in drawn:
            message = np.eye(len(start))[1]
            for table in reversed(tables):
                message = table @ message
            joint = start * message
            mistaken = {
                "that is p(x_T = 1 | x_0); give it the other way round": message,
                "that is p(x_0 and x_T = 1); give p(x_0 | x_T = 1)": joint,
                "that is without p(x_0)": message / message.sum(),
            }
            what = f"p(x_0 | x_T = 1) at T = {len(tables)} with {len(start)} states"
            got = first_given_last(start.copy(), list(tables), 1)
            close(got, joint / joint.sum(), what, instead=mistaken)


@functools.cache
def _cancer_runs() -> np.ndarray:
    """Accuracy and log loss of naive Bayes, then of LDA: a row for each of 20 splits."""
    X, y = load_breast_cancer(return_X_y=True)
    rows = []
    for seed in range(20):
        X_a, X_b, y_a, y_b = train_test_split(X, y, test_size=0.5, random_state=seed)
        row = []
        for model in (GaussianNB(), LinearDiscriminantAnalysis(solver="lsqr")):
            told = model.fit(X_a, y_a).predict_proba(X_b)
            row += [model.score(X_b, y_b), log_loss(y_b, told)]
        rows.append(row)
    return np.array(rows)


@sheet.exercise(
    16,
    title="Whose probability would you act on?",
    hints=[
        "score gives the accuracy; sklearn.metrics.log_loss(y_test, model.predict_proba(X_test)).",
        "Accuracy asks only on which side of one half a probability lies. What does 2% need?",
    ],
)
def whose_probability_would_you_act_on(
    accuracy_naive: Any, accuracy_lda: Any, loss_naive: Any, loss_lda: Any, whose: Any
) -> None:
    runs = _cancer_runs()
    means, first = runs.mean(axis=0), runs[0]
    alone = "that is seed 0; the text asks for the mean of 20"
    asked = (
        (accuracy_naive, 0, "naive Bayes' accuracy"),
        (accuracy_lda, 2, "LDA's accuracy"),
        (loss_naive, 1, "naive Bayes' log loss"),
        (loss_lda, 3, "LDA's log loss"),
    )
    for given, column, what in asked:
        by_hand(given, float(means[column]), what, instead={alone: float(first[column])})
    word(whose, "LDA", "whose probabilities you would give them", ("naive Bayes", "LDA"))
