"""tree: any structure of lists, tuples, dicts and arrays, taken apart and built again."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from functools import reduce
from operator import getitem
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd import Value, lift, tree, values


class Pair(NamedTuple):
    left: Any
    right: Any


def test_leaves_come_from_left_to_right_with_their_paths() -> None:
    given = {"w": [1.0, (2.0, Pair("three", None))], "b": np.array([[4, "x"]], dtype=object)}
    flat = tree.flatten(given)
    texts = [tree.path_text(path, "a") for path in flat.paths()]
    assert list(zip(texts, flat.leaves, strict=True)) == [
        ("a['w'][0]", 1.0),
        ("a['w'][1][0]", 2.0),
        ("a['w'][1][1][0]", "three"),
        ("a['w'][1][1][1]", None),
        ("a['b'][0, 0]", 4),
        ("a['b'][0, 1]", "x"),
    ]


@pytest.mark.parametrize("leaf", [1, "text", None, Value(1.0), np.zeros(3), np.float64(2), {1}])
def test_what_is_no_container_is_a_leaf(leaf: Any) -> None:
    flat = tree.flatten(leaf)
    assert flat.paths() == [()] and flat.leaves[0] is leaf and tree.path_text((), "x") == "x"
    assert flat.fill(["new"]) == "new"


@pytest.mark.parametrize("empty", [[], (), {}, np.empty((0, 2), dtype=object), [[], ({},)]])
def test_empty_containers_have_no_leaves_and_stay(empty: Any) -> None:
    flat = tree.flatten(empty)
    assert flat.leaves == flat.paths() == []
    filled = flat.fill([])
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
    filled = tree.flatten(given).fill(range(9))
    assert filled[:4] == [(0, [1]), Pair(2, 3), {"z": 4, "a": 5}, {"k": 6}]
    assert [type(x) for x in filled[:4]] == [tuple, Pair, OrderedDict, defaultdict]
    assert filled[3].default_factory is list and list(filled[2]) == ["z", "a"]
    assert filled[4].dtype == object and filled[4].tolist() == [[7, 8]]
    assert given[0] == (1, [2])  # the given one is left alone


def test_an_array_of_no_dimensions() -> None:
    given = np.empty((), dtype=object)
    given[()] = Value(2.0)
    flat = tree.flatten(given)
    [path] = flat.paths()
    assert path == ((),) and flat.leaves[0] is given[()] and tree.path_text(path, "x") == "x"
    assert flat.fill([3]).shape == ()


def test_an_array_of_lists_stays_one() -> None:
    given = np.empty(2, dtype=object)
    given[0], given[1] = [1, 2], [3, 4]
    filled = tree.flatten(given).fill("abcd")
    assert filled.shape == (2,) and filled.tolist() == [["a", "b"], ["c", "d"]]


def test_a_walk_may_stop_at_a_container() -> None:
    def pairs(x: Any) -> bool:
        return isinstance(x, Pair)

    given = [Pair(1, 2), (3, 4)]
    flat = tree.flatten(given, pairs)
    assert flat.leaves == [Pair(1, 2), 3, 4]
    assert flat.fill("abc") == ["a", ("b", "c")]


@pytest.mark.parametrize(("leaves", "message"), [([1], "fewer"), ([1, 2, 3], "more")])
def test_too_few_or_too_many_leaves_are_an_error(leaves: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tree.flatten([0, [0]]).fill(leaves)


def test_a_structure_that_holds_itself_is_an_error_that_says_where() -> None:
    loop: dict[str, Any] = {"a": [1]}
    loop["a"].append(loop)
    with pytest.raises(ValueError, match=r"a dict holds itself at \['a'\]\[1\]"):
        tree.flatten(loop)
    shared = [1]
    assert tree.flatten([shared, shared]).leaves == [1, 1]  # twice the same is no loop


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
    flat = tree.flatten(structure)
    assert flat.fill(flat.leaves) == structure
    for path, leaf in zip(flat.paths(), flat.leaves, strict=True):
        assert reduce(getitem, path, structure) is leaf
    numbered = tree.flatten(flat.fill(range(len(flat.leaves))))
    assert numbered.leaves == list(range(len(flat.leaves)))
    assert numbered.paths() == flat.paths() and numbered.structure == flat.structure
    assert hash(numbered.structure) == hash(flat.structure)


@given(structures, structures)
def test_two_structures_are_equal_where_types_and_keys_are(a: Any, b: Any) -> None:
    def written(x: Any) -> Any:
        if isinstance(x, dict):
            return dict, [(key, written(item)) for key, item in x.items()]
        return (type(x), list(map(written, x))) if isinstance(x, (list, tuple)) else "leaf"

    same = written(a) == written(b)
    assert (tree.flatten(a).structure == tree.flatten(b).structure) == same


DIFFERENT = [
    *([1, 2], (1, 2), Pair(1, 2), [[1], 2], [1, [2]], [[1, 2]], [1, 2, []], {"a": 1, "b": 2}),
    *({"b": 1, "a": 2}, OrderedDict(a=1, b=2), {"a": 1, "c": 2}, {}, [], ()),
    *(np.array(x, dtype=object) for x in ([1, 2], [[1, 2]], [[1], [2]])),
]


def test_structures_that_differ_are_different_keys() -> None:
    assert len({tree.flatten(x).structure for x in DIFFERENT}) == len(DIFFERENT)
    assert tree.flatten([5, ("x",)]).structure == tree.flatten([6, (None,)]).structure


class Settings(dict[str, Any]):
    note = ""


def test_a_filled_dict_keeps_its_class_and_attributes() -> None:
    settings = Settings(rate=1, steps=2)
    settings.note = "kept"
    filled = tree.flatten(settings).fill([3, 4])
    assert type(filled) is Settings and filled == {"rate": 3, "steps": 4}
    assert filled.note == "kept" and settings == {"rate": 1, "steps": 2}
    assert tree.flatten(Counter("aab")).fill([5, 6]) == Counter(a=5, b=6)


def test_a_structure_is_filled_as_it_was_taken_apart() -> None:
    given = {"a": [1, 2], "b": 3}
    flat = tree.flatten(given)
    given["a"].append(4)  # type: ignore[attr-defined]
    del given["b"]
    assert flat.fill([5, 6, 7]) == {"a": [5, 6], "b": 7}


def test_a_deep_structure_needs_no_deep_recursion() -> None:
    given: Any = 1
    for _ in range(5000):
        given = [given]
    flat = tree.flatten(given)
    filled = flat.fill([2])
    assert tree.flatten(filled).leaves == [2] and flat.paths() == [(0,) * 5000]


def test_an_array_of_lifted_results_is_its_values() -> None:
    results = lift(lambda x: x * 2)(np.arange(3.0))
    flat = tree.flatten({"y": results})
    assert [v.data for v in flat.leaves] == [0, 2, 4]
    assert flat.paths() == [("y", (0,)), ("y", (1,)), ("y", (2,))]
    assert flat.fill("abc")["y"].tolist() == ["a", "b", "c"]
