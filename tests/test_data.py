"""data: the moons are scikit-learn's in shape and meaning, and the same for the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_moons

from micrograd.data import moons


@given(n=st.integers(2, 60))
def test_without_noise_the_points_are_scikit_learns(n: int) -> None:
    X, y = moons(n, noise=0.0, seed=1)
    want_X, want_y = make_moons(n, noise=0.0, random_state=0)
    assert X.shape == want_X.shape
    order, want_order = np.lexsort((*X.round(9).T, y)), np.lexsort((*want_X.round(9).T, want_y))
    np.testing.assert_allclose(X[order], want_X[want_order], rtol=0, atol=1e-12)
    assert np.array_equal(y[order], want_y[want_order])
    assert y.dtype.kind == "i"


def test_noise_is_normal_with_the_given_deviation() -> None:
    clean, _ = moons(5000, noise=0.0, seed=3)
    noisy, _ = moons(5000, noise=0.2, seed=3)
    off = noisy - clean  # the same seed shuffles alike
    assert abs(off.mean()) < 0.01
    assert abs(off.std() - 0.2) < 0.01


def test_a_seed_fixes_everything_and_labels_are_shuffled() -> None:
    (X, y), (again, y2), (other, _) = moons(seed=5), moons(seed=5), moons(seed=6)
    assert np.array_equal(X, again)
    assert np.array_equal(y, y2)
    assert not np.array_equal(X, other)
    assert X.shape == (100, 2)
    assert y.sum() == 50
    assert 0 < np.abs(np.diff(y)).sum() > 20


@pytest.mark.parametrize(
    ("kwargs", "error", "named"),
    [
        ({"n_samples": 1}, ValueError, "at least 2, one for each moon; got 1"),
        ({"n_samples": 10.0}, TypeError, "whole number, got 10.0"),
        ({"noise": -0.1}, ValueError, "0 or more; got -0.1"),
        ({"noise": float("nan")}, ValueError, "got nan"),
    ],
)
def test_bad_input_says_what_was_given(kwargs: Any, error: type[Exception], named: str) -> None:
    with pytest.raises(error, match=named):
        moons(**kwargs)
