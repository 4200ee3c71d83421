"""tree: any structure of lists, tuples, dicts and arrays, taken apart and built again."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd import Value, tree, values


class Pair(NamedTuple):
    left: Any
    right: Any


def test_leaves_come_from_left_to_right_with_their_paths() -> None:
    given = {"w": [1.0, (2.0, Pair("three", None))], "b": np.array([[4, "x"]], dtype=object)}
    assert [(tree.path_text(p.path, "a"), p.value) for p in tree.flatten(given)] == [
        ("a['w'][0]", 1.0),
        ("a['w'][1][0]", 2.0),
        ("a['w'][1][1][0]", "three"),
        ("a['w'][1][1][1]", None),
        ("a['b'][0, 0]", 4),
        ("a['b'][0, 1]", "x"),
    ]


@pytest.mark.parametrize("leaf", [1, "text", None, Value(1.0), np.zeros(3), np.float64(2), {1}])
def test_what_is_no_container_is_a_leaf(leaf: Any) -> None:
    [(path, value)] = tree.flatten(leaf)
    assert path == () and value is leaf and tree.path_text(path, "x") == "x"
    assert tree.fill(leaf, ["new"]) == "new"


@pytest.mark.parametrize("empty", [[], (), {}, np.empty((0, 2), dtype=object), [[], ({},)]])
def test_empty_containers_have_no_leaves_and_stay(empty: Any) -> None:
    assert tree.flatten(empty) == []
    filled = tree.fill(empty, [])
    assert type(filled) is type(empty)
    if isinstance(empty, np.ndarray):
        assert filled.shape == empty.shape
    else:
        assert (filled == empty and filled is not empty) or filled == ()


def test_a_filled_structure_has_the_same_types_and_shapes() -> None:
    given = [
        (1, [2]),
        Pair(3, 4),
        OrderedDict(z=5, a=6),
        defaultdict(list, k=7),
        values([[8.0, 9.0]]),
    ]
    filled = tree.fill(given, range(9))
    assert filled[:4] == [(0, [1]), Pair(2, 3), {"z": 4, "a": 5}, {"k": 6}]
    assert [type(x) for x in filled[:4]] == [tuple, Pair, OrderedDict, defaultdict]
    assert filled[3].default_factory is list and list(filled[2]) == ["z", "a"]
    assert filled[4].dtype == object and filled[4].tolist() == [[7, 8]]
    assert given[0] == (1, [2])  # the given one is left alone


def test_an_array_of_no_dimensions() -> None:
    given = np.empty((), dtype=object)
    given[()] = Value(2.0)
    [(path, value)] = tree.flatten(given)
    assert path == ((),) and value is given[()] and tree.path_text(path, "x") == "x"
    assert tree.fill(given, [3]).shape == ()


def test_a_walk_may_stop_at_a_container() -> None:
    def pairs(x: Any) -> bool:
        return isinstance(x, Pair)

    given = [Pair(1, 2), (3, 4)]
    assert [p.value for p in tree.flatten(given, pairs)] == [Pair(1, 2), 3, 4]
    assert tree.fill(given, "abc", pairs) == ["a", ("b", "c")]


@pytest.mark.parametrize(("leaves", "message"), [([1], "fewer"), ([1, 2, 3], "more")])
def test_too_few_or_too_many_leaves_are_an_error(leaves: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tree.fill([0, [0]], leaves)


def test_a_structure_that_holds_itself_is_an_error_that_says_where() -> None:
    loop: dict[str, Any] = {"a": [1]}
    loop["a"].append(loop)
    with pytest.raises(ValueError, match=r"a dict holds itself at \['a'\]\[1\]"):
        tree.flatten(loop)
    shared = [1]
    assert len(tree.flatten([shared, shared])) == 2  # twice the same is no loop


structures = st.recursive(
    st.integers() | st.text(max_size=2),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=2), inner, max_size=3),
        st.tuples(inner, inner).map(lambda pair: Pair(*pair)),
    ),
    max_leaves=12,
)


@given(structures)
def test_fill_is_the_inverse_of_flatten(structure: Any) -> None:
    places = tree.flatten(structure)
    assert tree.fill(structure, [p.value for p in places]) == structure
    for place in places:
        found = structure
        for key in place.path:
            found = found[key]
        assert found is place.value
    numbered = tree.fill(structure, range(len(places)))
    assert [p.value for p in tree.flatten(numbered)] == list(range(len(places)))
    assert [p.path for p in tree.flatten(numbered)] == [p.path for p in places]
