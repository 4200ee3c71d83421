"""Exercises in backpropagation by hand: six levels, with numbers that stay small and pretty.

A level is a list of all its exercises, shuffled once, and a seed is a place in it. What the levels
compute stands in `levels.py`. Read `exercise`.
"""

from __future__ import annotations

import math
import random

from micrograd.engine import Value
from micrograd.show.practice.levels import EXERCISES, LEVELS, Level

__all__ = ["count", "exercise"]


def exercise(level: int, seed: int = 0) -> Value:
    """A computation to differentiate by hand; the same level and seed always give the same one.

    Seeds 0, 1, ... give different exercises until all `count(level)` of them were there.
    """
    found = _level(level)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError(f"seed= is an integer, got {seed!r}")
    size = count(level)
    k = _shuffled(seed % size, size, level)
    choices = []
    for options in found.choices():
        k, place = divmod(k, len(options))
        choices.append(options[place])
    return found.make(*choices)


def count(level: int) -> int:
    """How many different exercises a level has."""
    return math.prod(map(len, _level(level).choices()))


def _level(level: int) -> Level:
    if level not in EXERCISES or isinstance(level, bool):
        listed = "; ".join(f"{k}: {text}" for k, text in LEVELS.items())
        raise ValueError(f"there is no level {level!r}; the levels are {listed}")
    return EXERCISES[level]


def _shuffled(k: int, size: int, key: int) -> int:
    """The k-th of 0 ... size - 1 in an order that looks random: each comes once.

    A Feistel network permutes the cells of a square; who falls outside 0 ... size - 1 goes on.
    """
    side = math.isqrt(size - 1) + 1
    while True:
        left, right = divmod(k, side)
        for turn in range(4):
            mixed = random.Random(f"{key}.{turn}.{right}").randrange(side)
            left, right = right, (left + mixed) % side
        k = left * side + right
        if k < size:
            return k
