"""`sums.py`: how a chain of additions grows, and which of its terms are alike."""

from __future__ import annotations

import pytest

from micrograd import ops
from micrograd.lifting.sums import extended, longest_run

X, Y, Z, W = range(4)  # places of inputs
KINDS = ["input"] * 4 + [ops.add] * 6


def by_place(chains: dict[int, list[int]]) -> list[list[int] | None]:
    return [chains.get(i) for i in range(10)]


def test_a_chain_grows_at_the_end() -> None:
    terms = by_place({4: [X, Y]})
    assert extended(terms, [1] * 10, KINDS, 4, Z) == [X, Y, Z]
    assert not any(terms), "it is no chain of its own any more"


def test_a_chain_grows_at_the_front_where_the_new_term_is_of_its_kind() -> None:
    grown = extended(by_place({4: [Y, Z]}), [1] * 10, KINDS, X, 4)
    assert list(grown) == [X, Y, Z]
    again = extended(by_place({4: grown}), [1] * 10, KINDS, W, 4)
    assert again is grown, "the left end of a long chain costs no copy"
    assert list(again) == [W, X, Y, Z]
    apart = extended(by_place({4: [Y, Z]}), [1] * 10, [ops.tanh, *KINDS[1:]], X, 4)
    assert apart == [X, 4], "bias + (x @ w) is a dot, and a number added to it"


def test_a_chain_that_is_read_twice_does_not_grow() -> None:
    terms = by_place({4: [X, Y]})
    assert extended(terms, [1, 1, 1, 1, 2], KINDS, 4, Z) == [4, Z]
    assert terms == by_place({4: [X, Y]})


def test_two_chains_stay_apart_and_a_chain_of_chains_grows() -> None:
    terms = by_place({4: [X, Y], 5: [Z, W]})
    assert extended(terms, [1] * 10, KINDS, 4, 5) == [4, 5]
    terms = by_place({6: [4, 5], 5: [Z, W], 7: [Y, W]})
    assert extended(terms, [1] * 10, KINDS, 6, 7) == [4, 5, 7]


@pytest.mark.parametrize(
    ("kinds", "run"), [("a", (0, 1)), ("ab", (0, 1)), ("abb", (1, 3)), ("aabb", (0, 2))]
)
def test_the_first_of_the_longest_runs(kinds: str, run: tuple[int, int]) -> None:
    assert longest_run(kinds) == run
