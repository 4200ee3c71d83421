"""Module: what a neuron, a layer and a whole network have in common.

A module's parameters are the leaf Values that its attributes hold, alone, in lists or in arrays,
and those of the modules it holds. Names are the paths of attributes that lead to them, as in
PyTorch: `layers.0.weight`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any, ClassVar

import numpy as np

from micrograd import engine
from micrograd.engine import Value, numbers
from micrograd.nn.learning import alive
from micrograd.store import Block, Stored

__all__ = ["Module", "epoch", "positive"]

epoch = [0]  # another number whenever an attribute of any Module has changed; lift compares it
_ticks = count(1)
_MISSING = object()


class Module:
    """Derive from it, set Values and modules as attributes, write `__call__`; the rest is found.

    Attributes whose name begins with an underscore are private: never looked into, never saved.
    """

    training = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        module = super().__new__(cls)
        alive[id(module)] = module  # lessons find the names of its weights
        return module

    buffer_names: ClassVar[tuple[str, ...]] = ()  # float arrays that are saved but do not learn

    def __setattr__(self, name: str, value: Any) -> None:
        changed = (
            self.__dict__.get(name, _MISSING) is not value
        )  # train() in each step sets it anew
        super().__setattr__(name, value)
        if changed:
            epoch[0] = next(_ticks)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        epoch[0] = next(_ticks)

    def parameters(self) -> list[Value]:
        """Every Value that learns, each once, in the order of the attributes."""
        return list(dict.fromkeys(v for _, array in self.named_arrays() for v in array.flat))

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """The same Values with their names: `layers.0.weight[2, 5]`, or `b` for one alone."""
        seen: set[Value] = set()
        for path, array in self.named_arrays():
            for index, v in np.ndenumerate(array):
                if v not in seen:
                    seen.add(v)
                    yield path + (str(list(index)) if index else ""), v

    def named_arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """The parameters as they stand, array by array: (path, array of Values)."""
        return ((path, x) for path, x in _walk(self, "") if not isinstance(x, Module))

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module (path '') and all that it holds."""
        return ((path, x) for path, x in _walk(self, "") if isinstance(x, Module))

    def zero_grad(self) -> None:
        parameters = self.parameters()
        if all(type(p) is Stored for p in parameters) and parameters:
            Block(parameters).grads = 0.0
        else:
            for p in parameters:
                p.grad = 0.0

    def train(self, mode: bool = True) -> Module:
        """Set the training mode of this module and all below: Dropout and BatchNorm1d heed it."""
        for _, module in self.named_modules():
            module.training = bool(mode)
        return self

    def eval(self) -> Module:
        return self.train(False)

    # --- state ------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of all parameters and buffers as float64 arrays, by path."""
        return {path: numbers(array) for path, array in self._state().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the numbers of `state`; if names or shapes do not fit, say which, change nothing."""
        if not isinstance(state, Mapping):
            raise TypeError(
                f"load_state_dict takes a dict of arrays by name, got {type(state).__name__}"
            )
        ours = self._state()
        # torch.nn.BatchNorm1d also keeps a count of its batches, which nothing here reads
        extra = [k for k in state if k not in ours and not str(k).endswith("num_batches_tracked")]
        faults = [f"missing: {k}" for k in ours if k not in state]
        faults += [f"unexpected: {k}" for k in extra]
        theirs = {k: np.asarray(state[k]) for k in ours if k in state}
        for k, array in theirs.items():
            if array.dtype.kind not in "biuf":
                faults.append(f"not real numbers: {k} is of dtype {array.dtype}")
            elif array.shape != ours[k].shape:
                faults.append(f"wrong shape: {k} is {array.shape}, expected {ours[k].shape}")
        if faults:
            raise ValueError(
                f"these weights do not fit this {type(self).__name__}: {'; '.join(faults)}"
            )
        for k, array in theirs.items():
            _write(ours[k], array)

    def _state(self) -> dict[str, np.ndarray]:
        state: dict[str, np.ndarray] = {}
        for path, x in _walk(self, ""):
            if isinstance(x, Module):
                for name in x.buffer_names:
                    state[_join(path, name)] = getattr(x, name)
            else:
                state[path] = x
        return state

    # --- buffers ----------------------------------------------------------------------------------

    def read_buffer(self, name: str) -> np.ndarray:
        """The buffer's numbers; while lift records, Values that stand for them."""
        hook = getattr(engine.current_mode(), "read_buffer", None)
        buffer: np.ndarray = getattr(self, name) if hook is None else hook(self, name)
        return buffer

    def update_buffer(self, name: str, values: Any) -> None:
        """Write new numbers into the buffer; while lift records, the recording takes them."""
        hook = getattr(engine.current_mode(), "update_buffer", None)
        if hook is None:
            getattr(self, name)[...] = numbers(values)
        else:
            hook(self, name, values)

    def _members(self) -> Iterable[tuple[str, Any]]:
        return vars(self).items()


def _write(place: np.ndarray, new: np.ndarray) -> None:
    """New numbers into a buffer or into an array of Values, at once where these live in a store."""
    if place.dtype != object:
        place[...] = new
    elif all(type(v) is Stored for v in place.flat):
        Block(place.flat).numbers = np.asarray(new, dtype=np.float64).ravel()
    else:
        for v, number in zip(place.flat, new.ravel().tolist(), strict=True):
            v.data = float(number)


def _walk(thing: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each module and each array of leaf Values at or below `thing`, with its path."""
    if isinstance(thing, Module):
        yield path, thing
        for name, member in thing._members():
            if not name.startswith("_"):
                yield from _walk(member, _join(path, name))
    elif (array := _leaves(thing)) is not None:
        yield path, array
    elif isinstance(thing, (list, tuple)):
        for i, member in enumerate(thing):
            yield from _walk(member, _join(path, str(i)))
    elif isinstance(thing, dict):
        for key, member in thing.items():
            yield from _walk(member, _join(path, str(key)))


def _leaves(thing: Any) -> np.ndarray | None:
    """The leaf Values in a Value, an array, a list or a list of equal lists, as an array."""
    if isinstance(thing, (list, tuple)):
        rows = thing if thing and all(isinstance(row, (list, tuple)) for row in thing) else [thing]
        if len({len(row) for row in rows}) != 1 or not all(map(_is_leaf, _chain(rows))):
            return None
    elif isinstance(thing, np.ndarray):
        if thing.dtype != object or not all(map(_is_leaf, thing.flat)):
            return None
    elif not _is_leaf(thing):
        return None
    array = np.asarray(thing, dtype=object)
    return array if array.size else None


def _chain(rows: Iterable[Iterable[Any]]) -> Iterator[Any]:
    return (x for row in rows for x in row)


def _is_leaf(x: Any) -> bool:
    """A Value that nothing made: neither an operation nor a recording, which a module may cache."""
    return isinstance(x, Value) and x._rule is None and (x._left is None or type(x) is Stored)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def positive(what: str, n: Any) -> int:
    """n, if it is a whole number of at least 1; else an error that says what was given."""
    if isinstance(n, (bool, np.bool_)) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"{what} is a whole number of at least 1, got {engine._describe(n)}")
    if n < 1:
        raise ValueError(f"{what} is a whole number of at least 1, got {n}")
    return int(n)
