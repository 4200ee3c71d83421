"""Small seeded data sets, so that an example needs no download and no other package.

The same seed gives the same numbers on every machine.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["moons"]


def moons(
    n_samples: int = 100, noise: float = 0.1, seed: int | np.random.Generator | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles that reach into each other: points X (n_samples, 2), labels y of 0 and 1.

    Label 0 is (cos t, sin t), label 1 (1 - cos t, 0.5 - sin t), t from 0 to pi; to each coordinate
    N(0, noise**2) is added. The first class has n_samples // 2 points; the order is shuffled.
    """
    if isinstance(n_samples, bool) or not isinstance(n_samples, (int, np.integer)):
        raise TypeError(f"n_samples is a whole number, got {n_samples!r}")
    if n_samples < 2:
        raise ValueError(f"n_samples is at least 2, one for each moon; got {n_samples}")
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise is a standard deviation, 0 or more; got {noise!r}")
    rng = np.random.default_rng(seed)
    upper = np.linspace(0, np.pi, n_samples // 2)
    lower = np.linspace(0, np.pi, n_samples - n_samples // 2)
    X = np.concatenate(
        [
            np.column_stack([np.cos(upper), np.sin(upper)]),
            np.column_stack([1 - np.cos(lower), 0.5 - np.sin(lower)]),
        ]
    )
    y = np.repeat([0, 1], [len(upper), len(lower)])
    order = rng.permutation(n_samples)
    return X[order] + rng.normal(0.0, noise, X.shape), y[order]
