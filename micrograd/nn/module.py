"""Module: what a neuron, a layer and a whole network have in common.

A module's parameters are the leaf Values that its attributes hold, alone, in lists or in arrays,
and those of the modules it holds. A name is the path of attributes that leads to a parameter:
`layers.0.weight`, as in PyTorch.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from itertools import count, product
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from micrograd import modes
from micrograd.arrays import numbers
from micrograd.engine import Value
from micrograd.nn.learning import alive
from micrograd.reals import describe
from micrograd.tree import flatten

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Module", "epoch", "positive"]

epoch = [0]  # another number whenever an attribute of any Module has changed; lift compares it
_ticks = count(1)
_MISSING = object()


class Module:
    """Derive from it, set Values and modules as attributes, write `__call__`; the rest is found.

    Attributes whose name begins with an underscore are private: never looked into, never saved.
    """

    training = True
    buffer_names: ClassVar[tuple[str, ...]] = ()  # float arrays that are saved but do not learn

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        module = super().__new__(cls)
        alive[id(module)] = module  # lessons find the names of its weights
        return module

    def __setattr__(self, name: str, value: Any) -> None:
        # train() in each step sets it anew
        changed = self.__dict__.get(name, _MISSING) is not value
        super().__setattr__(name, value)
        if changed:
            epoch[0] = next(_ticks)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        epoch[0] = next(_ticks)

    def parameters(self) -> list[Value]:
        """Every Value that learns, each once, in the order of the attributes."""
        return list(dict.fromkeys(v for _, group in self._groups() for v in group.values))

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """The same Values with their names: `layers.0.weight[2, 5]`, or `b` for one alone."""
        seen: set[Value] = set()
        for path, group in self._groups():
            for index, v in zip(product(*map(range, group.shape)), group.values, strict=True):
                if v not in seen:
                    seen.add(v)
                    yield path + (str(list(index)) if index else ""), v

    def named_arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """The parameters as they stand, array by array: (path, array of Values)."""
        return ((path, group.as_array()) for path, group in self._groups())

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module (path '') and all that it holds."""
        return ((path, x) for path, x in _walk(self) if isinstance(x, Module))

    def _groups(self) -> Iterator[tuple[str, _Group]]:
        return ((path, x) for path, x in _walk(self) if isinstance(x, _Group))

    def zero_grad(self) -> None:
        parameters = self.parameters()
        if parameters and all(p.in_store for p in parameters):
            from micrograd.store import Block

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
        import numpy as np

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
        for path, x in _walk(self):
            if isinstance(x, Module):
                for name in x.buffer_names:
                    state[f"{path}.{name}" if path else name] = getattr(x, name)
            else:
                state[path] = x.as_array()
        return state

    # --- buffers ----------------------------------------------------------------------------------

    def read_buffer(self, name: str) -> np.ndarray:
        """The buffer's numbers; while lift records, Values that stand for them."""
        buffer: np.ndarray = modes.current_mode().read_buffer(self, name)
        return buffer

    def update_buffer(self, name: str, values: Any) -> None:
        """Write new numbers into the buffer; while lift records, the recording takes them."""
        modes.current_mode().update_buffer(self, name, values)

    def _members(self) -> Iterable[tuple[str, Any]]:
        return vars(self).items()


class _Group(NamedTuple):
    """Leaf Values of one attribute: alone, in a list, in equal lists or in an array."""

    shape: tuple[int, ...]
    values: list[Value]
    given: Any

    def as_array(self) -> np.ndarray:
        """The attribute itself where it is an array, so that who writes there writes the model."""
        import numpy as np

        return np.asarray(self.given, dtype=object)


def _write(place: np.ndarray, new: np.ndarray) -> None:
    """New numbers into a buffer or into an array of Values, at once where these live in a store."""
    import numpy as np

    if place.dtype != object:
        place[...] = new
    elif all(v.in_store for v in place.flat):
        from micrograd.store import Block

        Block(place.flat).data = np.asarray(new, dtype=np.float64).ravel()
    else:
        for v, number in zip(place.flat, new.ravel().tolist(), strict=True):
            v.data = float(number)


def _walk(module: Module, path: str = "") -> Iterator[tuple[str, Module | _Group]]:
    """The module and, below it, each module and each group of leaf Values, with its path."""
    yield path, module
    groups: dict[int, _Group | None] = {}

    def is_leaf(x: Any) -> bool:
        group = groups[id(x)] = _group(x)
        return group is not None or isinstance(x, Module) or hasattr(type(x), "__array__")

    members = {k: member for k, member in module._members() if not k.startswith("_")}
    held = flatten(members, is_leaf)
    for keys, x in zip(held.paths(), held.leaves, strict=True):
        below = ".".join(map(str, (path, *keys) if path else keys))
        if isinstance(x, Module):
            yield from _walk(x, below)
        elif (group := groups[id(x)] if id(x) in groups else _group(x)) is not None:
            yield below, group


def _group(thing: Any) -> _Group | None:
    """The leaf Values in a Value, an array, a list or a list of equal lists; None if others are."""
    shape: tuple[int, ...] = ()
    if isinstance(thing, (list, tuple)):
        nested = bool(thing) and all(isinstance(row, (list, tuple)) for row in thing)
        rows = thing if nested else [thing]
        if len({len(row) for row in rows}) != 1:
            return None
        shape = (len(rows), len(rows[0])) if nested else (len(thing),)
        found = [x for row in rows for x in row]
    elif hasattr(type(thing), "__array__"):
        if getattr(getattr(thing, "dtype", None), "kind", "") != "O":
            return None
        shape, found = thing.shape, thing.ravel().tolist()
    else:
        found = [thing]
    if not found or not all(map(_is_leaf, found)):
        return None
    return _Group(shape, found, thing)


def _is_leaf(x: Any) -> bool:
    """A Value that nothing made: neither an operation nor a recording, which a module may cache."""
    return isinstance(x, Value) and x._rule is None and x.has_number


def positive(what: str, n: Any) -> int:
    """n, if it is a whole number of at least 1; else an error that says what was given."""
    try:
        whole = operator.index(n)
    except TypeError:
        whole = None
    if whole is None or isinstance(n, bool):
        raise TypeError(f"{what} is a whole number of at least 1, got {describe(n)}")
    if whole < 1:
        raise ValueError(f"{what} is a whole number of at least 1, got {whole}")
    return whole
