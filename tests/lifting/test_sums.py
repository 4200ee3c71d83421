"""`sums.py`: how a chain of additions grows, and which of its terms are alike."""

from __future__ import annotations

from collections import deque

import pytest

from micrograd import ops
from micrograd.lifting.sums import extended, longest_run

X, Y, Z, W = range(4)  # places of inputs
KINDS = ["input"] * 4 + [ops.add] * 6


def by_place(chains: dict[int, deque[int]]) -> list[deque[int] | None]:
    return [chains.get(i) for i in range(10)]


def test_a_chain_grows_at_the_end() -> None:
    terms = by_place({4: deque([X, Y])})
    assert extended(terms, [1] * 10, KINDS, 4, Z) == deque([X, Y, Z])
    assert not any(terms), "it is no chain of its own any more"


def test_a_chain_grows_at_the_front_where_the_new_term_is_of_its_kind() -> None:
    assert extended(by_place({4: deque([Y, Z])}), [1] * 10, KINDS, X, 4) == deque([X, Y, Z])
    apart = extended(by_place({4: deque([Y, Z])}), [1] * 10, [ops.tanh, *KINDS[1:]], X, 4)
    assert apart == deque([X, 4]), "bias + (x @ w) is a dot, and a number added to it"


def test_a_chain_that_is_read_twice_does_not_grow() -> None:
    terms = by_place({4: deque([X, Y])})
    assert extended(terms, [1, 1, 1, 1, 2], KINDS, 4, Z) == deque([4, Z])
    assert terms == by_place({4: deque([X, Y])})


def test_two_chains_stay_apart_and_a_chain_of_chains_grows() -> None:
    terms = by_place({4: deque([X, Y]), 5: deque([Z, W])})
    assert extended(terms, [1] * 10, KINDS, 4, 5) == deque([4, 5])
    terms = by_place({6: deque([4, 5]), 5: deque([Z, W]), 7: deque([Y, W])})
    assert extended(terms, [1] * 10, KINDS, 6, 7) == deque([4, 5, 7])


@pytest.mark.parametrize(
    ("kinds", "run"), [("a", (0, 1)), ("ab", (0, 1)), ("abb", (1, 3)), ("aabb", (0, 2))]
)
def test_the_first_of_the_longest_runs(kinds: str, run: tuple[int, int]) -> None:
    assert longest_run(kinds) == run
