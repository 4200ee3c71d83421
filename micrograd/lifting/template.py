"""What a lifted function returned: the structure that each call fills with its own results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from micrograd import tree
from micrograd.engine import Value
from micrograd.fast import leaf
from micrograd.lifting.arguments import is_leaf
from micrograd.lifting.call import Call
from micrograd.lifting.effects import holds_traced
from micrograd.lifting.record import Recorder
from micrograd.lifting.results import ResultArray, output, outputs
from micrograd.lifting.traced import Traced

__all__ = ["Template"]


class Template:
    """The structure that the function returned; its leaves say what each call puts there.

    A leaf is one traced Value, or an array or list of nothing else, which are numbered: `places`
    says what each holds; or what does not depend on the arguments.
    """

    def __init__(self, recorder: Recorder, returned: Any) -> None:
        self.places: list[np.ndarray] = []  # tape places, in the leaf's shape
        flat = tree.flatten(returned, _is_result)
        made = [self._leaf(recorder, x) for x in flat.leaves]  # in the order of their numbers
        self._flat = tree.flatten(flat.fill(made), _is_place)
        self._is_one = _is_one(self._flat)

    def __reduce__(self) -> tuple[Any, ...]:
        return _template, (self._flat,)

    def fill(self, node: Value | None, call: Call) -> Any:
        """The structure with the call's results in it."""
        if self._is_one:
            return output(node, call, 0)
        made = [place.make(place.content, node, call) for place in self._flat.leaves]
        return self._flat.fill(made) if self._flat.containers else made[0]

    def with_arrays(self, found: Sequence[Any], value: Callable[[Value], Any]) -> Any:
        """The structure with an array for each numbered leaf, also where that is a list.

        `value` gives what stands for a Value that the function returned as it was.
        """
        numbered = (_one, _list, _array)
        made = [found[p.content] if p.make in numbered else p.content for p in self._flat.leaves]
        made = [value(x) if isinstance(x, Value) else x for x in made]
        return self._flat.fill(made) if self._flat.containers else made[0]

    def same_structure(self, other: Template) -> bool:
        if self._flat.structure != other._flat.structure:
            return False
        return list(map(_shown, self._flat.leaves)) == list(map(_shown, other._flat.leaves))

    def _leaf(self, recorder: Recorder, x: Any) -> _Place:
        if isinstance(x, Traced):
            return self._numbered(_one, recorder.places([x]), ())
        if type(x) is list:
            return self._numbered(_list, recorder.places(x), (len(x),))
        if type(x) is np.ndarray:
            if x.dtype == object:
                return self._numbered(_array, recorder.places(x.flat), x.shape)
            return _Place(_copy, x.copy())
        if isinstance(x, Value) and x in recorder.created_here:
            return _Place(_fresh, x._data)
        if isinstance(x, Iterator) or (not isinstance(x, Value) and holds_traced(x)):
            raise TypeError(f"returning a {type(x).__name__}")
        return _Place(_same, x)

    def _numbered(self, make: Any, places: tuple[int, ...], shape: tuple[int, ...]) -> _Place:
        self.places.append(np.array(places, dtype=np.int64).reshape(shape))
        return _Place(make, len(self.places) - 1)


class _Place:
    """One leaf of a template: `make(content, node, call)` is what a call puts there."""

    __slots__ = ("make", "content")

    def __init__(self, make: Callable[[Any, Value | None, Call], Any], content: Any) -> None:
        self.make = make
        self.content = content


def _template(flat: tree.Flat) -> Template:
    made = Template.__new__(Template)
    made._flat, made.places, made._is_one = flat, [], _is_one(flat)
    return made


def _is_result(x: Any) -> bool:
    if type(x) is np.ndarray:
        return x.dtype != object or bool(x.size and all(isinstance(v, Traced) for v in x.flat))
    return is_leaf(x) or (type(x) is list and len(x) > 1 and all(isinstance(v, Traced) for v in x))


def _is_one(flat: tree.Flat) -> bool:
    """Whether the structure is one number, often a loss, which needs no filling."""
    return not flat.containers and flat.leaves[0].make is _one


def _is_place(x: Any) -> bool:
    return isinstance(x, _Place)


def _shown(place: _Place) -> Any:
    """A template's leaf as something to compare, for any batch size."""
    free = place.make in (_one, _list, _array)
    return place.make, place.content if free else repr(place.content)


def _one(leaf_number: int, node: Value | None, call: Call) -> Value:
    return output(node, call, int(call.program.which[leaf_number]))


def _list(leaf_number: int, node: Value | None, call: Call) -> list[Value]:
    return outputs(node, call, call.program.which[leaf_number])


def _array(leaf_number: int, node: Value | None, call: Call) -> ResultArray:
    return ResultArray(node, call, call.program.which[leaf_number])


def _copy(content: Any, node: Value | None, call: Call) -> Any:
    return content.copy()


def _fresh(content: float, node: Value | None, call: Call) -> Value:
    return leaf(content)


def _same(content: Any, node: Value | None, call: Call) -> Any:
    return content
