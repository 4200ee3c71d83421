"""Planted answers to lecture 1's exercises: mistakes, and right ones of unusual form."""

import math
from collections import Counter

import numpy as np
from planting import Misread
from scipy import stats
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from micrograd import Value, functional, grads, numbers

RIGHT_KINDS = ("regression", "self-supervised", "unsupervised", "reinforcement", "classification")


def softmax(s):
    return np.exp(s) / np.exp(s).sum()


def scaled_each_by_itself(train, other):
    deviation = np.where(train.std(0) == 0, 1, train.std(0))
    return (train - train.mean(0)) / deviation, (other - other.mean(0)) / other.std(0)


def scaled_together(train, other):
    both = np.concatenate([train, other])
    return (train - both.mean(0)) / both.std(0), (other - both.mean(0)) / both.std(0)


def divides_by_zero(train, other):
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, deviation = train.mean(0), train.std(0)
        return (train - mean) / deviation, (other - mean) / deviation


def in_place(train, other):
    mean, deviation = train.mean(0), np.where(train.std(0) == 0, 1, train.std(0))
    train -= mean
    train /= deviation
    return train, (other - mean) / deviation


def smallest_of_the_tied(X, y, x, k):
    return np.bincount(y[((X - x) ** 2).sum(1).argsort()[:k]]).argmax()


def furthest(X, y, x, k):
    return y[((X - x) ** 2).sum(1).argsort()[-1]]


def json_model(document, inputs, *, by_order=False, normalise=True, intercept=True):
    model = document["object"]["logistic_regression"]
    names = [model["fields"][key]["name"] for key in document["object"]["input_fields"]]
    x = list(inputs.values()) if by_order else [inputs[name] for name in names]
    alone = {}
    for category, coefficients in model["coefficients"]:
        *w, b = [c[0] for c in coefficients]
        alone[category] = 1 / (1 + np.exp(-(np.dot(w, x) + b * intercept)))
    total = sum(alone.values()) if normalise else 1.0
    return {category: q / total for category, q in alone.items()}


class Clipper(TransformerMixin, BaseEstimator):
    def __init__(self, share=0.05):
        self.share = share

    def fit(self, X, y=None):
        X = validate_data(self, X)
        self.low_, self.high_ = np.quantile(X, [self.share, 1 - self.share], axis=0)
        return self

    def transform(self, X):
        check_is_fitted(self)
        return np.clip(validate_data(self, X, reset=False), self.low_, self.high_)


class GivesNothingBack(Clipper):
    def fit(self, X, y=None):
        super().fit(X)


class LearnsInTransform(Clipper):
    def transform(self, X):
        return Clipper.transform(Clipper.fit(self, X), X)


class ChangesItsSettings(Clipper):
    def fit(self, X, y=None):
        super().fit(X)
        self.share = (self.share, 1 - self.share)
        return self


class WritesIntoTheTable(Clipper):
    def transform(self, X):
        return np.clip(X, self.low_, self.high_, out=X)


def by_the_engine(s, machine, reward, c):
    boxed = np.array([Value(v) for v in s])
    functional.log_softmax(boxed)[machine].backward()
    return (reward - c) * grads(boxed)


def hinge_by_the_engine(w, b, x, y):
    w, b = Value(w), Value(b)
    ((1 - y * (w * x + b)).relu() + 0.5 * w**2).backward()
    return w.grad, b.grad


WRONG = {
    "what_feedback": [
        ("classification", *RIGHT_KINDS[1:]),
        (*RIGHT_KINDS[:3], "rewards", RIGHT_KINDS[4]),
    ],
    "what_guessing_gives": [
        (1 / 2, 7 / 18, 1 / 3, 5 / 12),
        (1, 7 / 18, 1 / 3, 3 / 8),
    ],
    "shapes": [
        ((5, 4, 3), (5, 3), (5, 3), "error", (5, 5), (3,)),
        ((5, 4, 3), "error", (5, 3), "error", (5,), (3,)),
        ((5, 4, 3), "error", (5, 3), "error", (5, 1.5), (3,)),
    ],
    "scaling_without_a_leak": [scaled_together, divides_by_zero, in_place],
    "neighbours_that_vote": [
        furthest,
        lambda X, y, x, k: y[((X - x) ** 2).sum(1).argmin()],  # the nearest alone
    ],
    "the_gradient_of_a_penalised_hinge": [
        hinge_by_the_engine,  # the text asks for a formula
        lambda w, b, x, y: (-y * x * (1 - y * (w * x + b) > 0), -y * (1 - y * (w * x + b) > 0)),
        lambda w, b, x, y: (w - x * (1 - y * (w * x + b) > 0), -y * (1 - y * (w * x + b) > 0)),
    ],
    "rewards_compared_with_what": [
        by_the_engine,  # the text asks for a formula
        lambda s, a, r, c: (r - c) * -softmax(s),
        lambda s, a, r, c: (r - c) * (np.arange(len(s)) == a),
    ],
    "bigmls_json_read_by_hand": [
        lambda d, x: json_model(d, x, normalise=False),
        lambda d, x: json_model(d, x, intercept=False),
    ],
    "the_best_of_many": [
        lambda n, m, share: stats.binom.sf(np.ceil(share * n) - 1, n, 0.5) ** m,
        lambda n, m, share: min(1.0, m * stats.binom.sf(np.ceil(share * n) - 1, n, 0.5)),
    ],
    "a_transformer_in_scikit_learns_form": [
        GivesNothingBack,
        ChangesItsSettings,
        WritesIntoTheTable,
    ],
    "break_it_and_mend_it": [
        (np.ones(13), np.ones(13)),
        (np.zeros(13), np.ones(13)),
        (np.ones(12), np.ones(13)),
    ],
    "which_word": [
        ("label", "parameter", "hyperparameter", "feature", "inference"),
        ("feature", "hyperparameter", "parameter", "label", "inference"),
        ("feature", "parameter", "hyperparameter", "label", "training"),
    ],
    "how_good_is_93": [
        (0.5, 0.928, 0.965, "too low"),
        (0.627, 0.965, 0.928, "too low"),
        (0.627, 0.928, 0.965, "too high"),
        (0.373, 0.928, 0.965, "too low"),
    ],
}


def standardise_by_columns(train, other):
    moved = [[], []]
    for j in range(train.shape[1]):
        deviation = np.sqrt(((train[:, j] - train[:, j].mean()) ** 2).mean()) or 1.0
        for table, columns in zip((train, other), moved, strict=True):
            columns.append((table[:, j] - train[:, j].mean()) / deviation)
    return [np.transpose(columns).tolist() for columns in moved]


def standardise_by_sklearn(train, other):
    scaler = StandardScaler().fit(train)
    return {
        "the training table": scaler.transform(train),
        "the other table": scaler.transform(other),
    }


def vote_by_counter(X, y, x, k):
    order = sorted(range(len(X)), key=lambda i: (np.linalg.norm(X[i] - x), i))[:k]
    return Counter(y[i] for i in order).most_common(1)[0][0]  # the first met, of equals


def vote_by_rows(X, y, x, k):
    near = [float(y[i]) for i in np.argsort(np.hypot.reduce(X - x, axis=1), kind="stable")[:k]]
    return max(near, key=lambda label: (near.count(label), -near.index(label)))


def hinge_by_cases(w, b, x, y):
    if y * (w * x + b) < 1:
        return [w - y * x, -y]
    return {"dL/dw": w, "dL/db": 0}


def policy_by_loop(s, machine, reward, c):
    total = sum(math.exp(v) for v in s)
    return [(reward - c) * ((j == machine) - math.exp(v) / total) for j, v in enumerate(s)]


def json_with_matrices(document, inputs):
    model = document["object"]["logistic_regression"]
    x = [inputs[model["fields"][k]["name"]] for k in document["object"]["input_fields"]] + [1.0]
    z = {c: float(np.ravel(rows) @ x) for c, rows in model["coefficients"]}
    q = {c: Value(v).sigmoid() for c, v in z.items()}
    return {c: v.data / sum(u.data for u in q.values()) for c, v in sorted(q.items())}


def luck_by_sums(n, m, share):
    hits = [math.comb(n, b) for b in range(n + 1) if b >= share * n - 1e-9]
    return 1 - math.prod([1 - sum(hits) / 2**n] * m)


class WithMinimum(Clipper):
    def transform(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return np.minimum(np.maximum(X, self.low_), self.high_)


class ColumnByColumn(Clipper):
    def fit(self, X, y=None):
        X = validate_data(self, X)
        self.low_ = np.array([np.quantile(column, self.share) for column in X.T])
        self.high_ = np.array([np.quantile(column, 1 - self.share) for column in X.T])
        return self


SPREAD = load_wine().data.std(axis=0)
RIGHT = {
    "what_feedback": [
        (" Regression", "Self supervised", "Unsupervised ", "reinforcement", "Classification"),
        tuple(np.array(kind) for kind in RIGHT_KINDS),
    ],
    "what_guessing_gives": [(0.5, 0.389, 0.333, 0.375), ("1/2", "7/18", "1/3", "3/8")],
    "shapes": [
        ([5, 4, 3], "Error", [5, 3], " ERROR ", np.array([5, 5]), [3]),
        ((5.0, 4, 3), "error", np.array([5, 3]), "error", [5, 5], (np.int64(3),)),
    ],
    "scaling_without_a_leak": [standardise_by_columns, standardise_by_sklearn],
    "neighbours_that_vote": [vote_by_counter, vote_by_rows],
    "the_gradient_of_a_penalised_hinge": [
        hinge_by_cases,
        lambda w, b, x, y: np.array([w, 0]) - y * np.array([x, 1]) * (1 - y * (w * x + b) > 0),
    ],
    "rewards_compared_with_what": [
        policy_by_loop,
        lambda s, a, r, c: (r - c) * (np.eye(len(s))[a] - numbers(functional.softmax(s))),
        lambda s, a, r, c: (r - c) * (np.eye(len(s))[a] - softmax(s - s.max())),
    ],
    "bigmls_json_read_by_hand": [json_with_matrices, json_model],
    "the_best_of_many": [
        luck_by_sums,
        lambda n, m, share: (
            -np.expm1(m * stats.binom.logcdf(np.ceil(share * n - 1e-9) - 1, n, 0.5))
        ),
    ],
    "a_transformer_in_scikit_learns_form": [WithMinimum, ColumnByColumn],
    "break_it_and_mend_it": [
        ([1] * 2 + [1e9] + [1] * 10, (1 / SPREAD).tolist()),
        (np.where(np.arange(13) == 2, 1e12, 1e-3), tuple(10 / SPREAD)),
    ],
    "which_word": [
        ("Feature", " parameter", "Hyperparameter", "LABEL", "inference "),
        ("feature", "parameter", "hyperparameter", "label", "inference"),
    ],
    "how_good_is_93": [
        (0.6274, 0.928, 0.9649, "Too low"),
        ("0.627", [0.9279], 0.965, " too low "),
    ],
}

MISREAD = {
    "what_feedback": Misread(
        (*RIGHT_KINDS[:1], "unsupervised", *RIGHT_KINDS[2:]),
        "Nobody has labelled the books, so nothing teaches.",
        "there is one right answer: what stood there",
    ),
    "what_guessing_gives": Misread(
        (1 / 2, 1 / 3, 1 / 3, 3 / 8),
        "Saying each class as often as it occurs is averaged like saying all alike.",
        "give how often guess and class agree",
    ),
    "shapes": Misread(
        ((5, 4, 3), "error", (5, 3), (5, 3), (5, 5), (3,)),
        "Row means can be taken from the rows as column means from the columns.",
        "the five means are lined up with the three columns",
    ),
    "scaling_without_a_leak": Misread(
        scaled_each_by_itself,
        "Both tables are scaled, each by its own means and deviations.",
        "use the training table's for both",
    ),
    "neighbours_that_vote": Misread(
        smallest_of_the_tied,
        "Of equally frequent labels the smallest counts, as `argmax` of the counts gives it.",
        "whose nearest example is nearest",
    ),
    "the_gradient_of_a_penalised_hinge": Misread(
        lambda w, b, x, y: (w - y * x, -y),
        "The loss is differentiated as if the maximum were always the second of the two.",
        "which is 0 on this side of the kink",
    ),
    "rewards_compared_with_what": Misread(
        lambda s, a, r, c: r * ((np.arange(len(s)) == a) - softmax(s)),
        "Since c changes no average it is left out.",
        "give (R - c) times the gradient",
    ),
    "bigmls_json_read_by_hand": Misread(
        lambda d, x: json_model(d, x, by_order=True),
        "The coefficients stand in the order in which the inputs are given.",
        "read it by name, in the order of input_fields",
    ),
    "the_best_of_many": Misread(
        lambda n, m, share: 1 - stats.binom.cdf(share * n, n, 0.5) ** m,
        "At least a share is read as more than it.",
        "the share itself counts, too",
    ),
    "a_transformer_in_scikit_learns_form": Misread(
        LearnsInTransform,
        "The range is the one of the table that is to be cut.",
        "use the one learned in fit",
    ),
    "break_it_and_mend_it": Misread(
        (np.full(13, 1e6), 1 / np.arange(1.0, 14)),
        "Large factors, one for all columns, are bad ones.",
        "choose factors that differ",
    ),
    "which_word": Misread(
        ("feature", "parameter", "parameter", "label", "inference"),
        "Every number in a model is read as a parameter.",
        "ask who sets the number",
    ),
    "how_good_is_93": Misread(
        (0.5, 0.928, 0.965, "too low"),
        "Guessing is read as tossing a coin.",
        "always says the most frequent class",
    ),
}
