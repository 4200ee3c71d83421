"""Mistakes that a learner makes in lecture 1's exercises."""

import numpy as np
from scipy import stats
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

RIGHT_KINDS = ("regression", "self-supervised", "unsupervised", "reinforcement", "classification")


def softmax(s):
    return np.exp(s) / np.exp(s).sum()


def scaled_each_by_itself(train, other):
    return train - train.mean(0), (other - other.mean(0)) / other.std(0)


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
        return super().fit(X).transform(X)


class ChangesItsSettings(Clipper):
    def fit(self, X, y=None):
        super().fit(X)
        self.share = (self.share, 1 - self.share)
        return self


class WritesIntoTheTable(Clipper):
    def transform(self, X):
        return np.clip(X, self.low_, self.high_, out=X)


WRONG = {
    1: [
        ("classification", *RIGHT_KINDS[1:]),
        (*RIGHT_KINDS[:1], "unsupervised", *RIGHT_KINDS[2:]),
        (*RIGHT_KINDS[:3], "rewards", RIGHT_KINDS[4]),
    ],
    2: [(1 / 2, 1 / 3, 1 / 3, 3 / 8), (1 / 2, 7 / 18, 1 / 3, 5 / 12), (1, 7 / 18, 1 / 3, 3 / 8)],
    3: [
        ((5, 4, 3), (5, 3), (5, 3), "error", (5, 5), (3,)),
        ((5, 4, 3), "error", (5, 3), (5, 3), (5, 5), (3,)),
        ((5, 4, 3), "error", (5, 3), "error", (5,), (3,)),
    ],
    4: [scaled_each_by_itself, scaled_together, divides_by_zero, in_place],
    5: [smallest_of_the_tied, furthest],
    6: [
        lambda w, b, x, y: (w - y * x, -y),
        lambda w, b, x, y: (-y * x * (1 - y * (w * x + b) > 0), -y * (1 - y * (w * x + b) > 0)),
        lambda w, b, x, y: (w - x * (1 - y * (w * x + b) > 0), -y * (1 - y * (w * x + b) > 0)),
    ],
    7: [
        lambda s, a, r, c: (r - c) * -softmax(s),
        lambda s, a, r, c: r * ((np.arange(len(s)) == a) - softmax(s)),
        lambda s, a, r, c: (r - c) * (np.arange(len(s)) == a),
    ],
    8: [
        lambda d, x: json_model(d, x, by_order=True),
        lambda d, x: json_model(d, x, normalise=False),
        lambda d, x: json_model(d, x, intercept=False),
    ],
    9: [
        lambda n, m, share: 1 - stats.binom.cdf(share * n, n, 0.5) ** m,
        lambda n, m, share: stats.binom.sf(np.ceil(share * n) - 1, n, 0.5) ** m,
        lambda n, m, share: min(1.0, m * stats.binom.sf(np.ceil(share * n) - 1, n, 0.5)),
    ],
    10: [GivesNothingBack, LearnsInTransform, ChangesItsSettings, WritesIntoTheTable],
    11: [
        (np.ones(13), np.ones(13)),
        (np.full(13, 1e6), 1 / np.arange(1.0, 14)),
        (np.zeros(13), np.ones(13)),
        (np.ones(12), np.ones(13)),
    ],
}
