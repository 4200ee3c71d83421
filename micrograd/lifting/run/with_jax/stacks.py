"""Parameters as a dict of arrays by attribute path, and their way back into the Values.

Parameters that the program reads as one array are one array here, too: to join or cut them at each
step would cost a fifth of it. Its name is what the attribute paths have in common, its shape comes
from the numbers in the paths.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from micrograd.engine import Value
from micrograd.lifting.errors import LiftError
from micrograd.lifting.layout import Recording
from micrograd.lifting.record import Buffer
from micrograd.lifting.steps.ir import Array, Program
from micrograd.lifting.steps.walks import dense
from micrograd.store import Store

__all__ = [
    "Exportable",
    "Stacked",
    "check",
    "load",
    "numbers_of",
    "parameter_arrays",
    "statistic_names",
]


class Exportable(Protocol):
    """What an export reads of an `Executable`: its steps, its parameters, where they live."""

    name: str
    program: Program
    recording: Recording
    parameters: list[Value]
    positions: np.ndarray
    parameter_count: int
    store: Store
    template: Any
    key: Any  # of the call that it was recorded for


class Stacked(NamedTuple):
    """Parameters that are one array: its shape, and where it begins among all of them.

    The program has its axes in the order `axes`.
    """

    array: Array
    shape: tuple[int, ...]
    axes: tuple[int, ...]
    first: int

    def of_program(self, numbers: Any) -> Any:
        """The numbers in the program's order."""
        return numbers.transpose(self.axes)

    def of_paths(self, flat: np.ndarray) -> np.ndarray:
        """The program's numbers in the order of the attribute paths."""
        found = flat[self.first : self.first + self.array.size]
        made: np.ndarray = found.reshape([self.shape[k] for k in self.axes])
        return made.transpose(np.argsort(self.axes)).copy()


def parameter_arrays(executable: Exportable) -> dict[str, Stacked]:
    """The arrays of parameters, by name."""
    found: dict[str, Stacked] = {}
    for array, first in ((p.array, p.first) for p in executable.program.parameters):
        name, shape, axes = named(executable.program.names[array.name])
        free, number = name, 2
        while free in found:
            free, number = f"{name}_{number}", number + 1
        found[free] = Stacked(array, shape, axes, first)
    return found


def numbers_of(executable: Exportable, found: Mapping[str, Stacked]) -> dict[str, np.ndarray]:
    """Each array's numbers, as the Values hold them now."""
    store, places = _where(executable)
    flat = np.zeros(executable.parameter_count)
    flat[executable.positions] = store.data[places]
    return {name: stacked.of_paths(flat) for name, stacked in found.items()}


def statistic_names(executable: Exportable) -> dict[tuple[int, str], tuple[str, Any]]:
    """The name of each running statistic and its module, by the module's id and the buffer."""
    recording = executable.recording
    found: dict[tuple[int, str], tuple[str, Any]] = {}
    for draw, state in zip(executable.program.draws, recording.states, strict=True):
        if isinstance(state.generator, Buffer):
            module, buffer = state.generator
            found[id(module), buffer] = draw.array.name, module
    for update in recording.updates:
        names = [name for name, _ in found.values()]
        free, number = f"{update.name}_1", 2
        while free in names:
            free, number = f"{update.name}_{number}", number + 1
        found.setdefault((id(update.module), update.name), (free, update.module))
    return found


def load(
    executable: Exportable, parameters: Mapping[str, Any], statistics: Mapping[str, Any]
) -> None:
    """Write arrays into the Values and buffers that they came from; not all need be given."""
    for (_, buffer), (name, module) in statistic_names(executable).items():
        if name in statistics:
            module.update_buffer(buffer, np.asarray(statistics[name], dtype=np.float64))
    found = parameter_arrays(executable)
    if found.keys() >= parameters.keys():
        found = {name: x for name, x in found.items() if name in parameters}
    check(executable.name, found, parameters)
    flat = np.zeros(executable.parameter_count)
    given = np.zeros(executable.parameter_count, dtype=bool)
    for name, numbers in parameters.items():
        part = slice(found[name].first, found[name].first + found[name].array.size)
        numbers = found[name].of_program(np.asarray(numbers, dtype=np.float64))
        flat[part], given[part] = numbers.reshape(-1), True
    store, places = _where(executable)
    mine = given[executable.positions]
    store.data[places[mine]] = flat[executable.positions[mine]]


def check(name: str, found: Mapping[str, Stacked], parameters: Any) -> None:
    """A sentence about what is missing, or has another shape."""
    if not isinstance(parameters, Mapping):
        raise TypeError(f"{name} takes its parameters as a dict of arrays, got {parameters!r}")
    if found.keys() != parameters.keys():
        raise LiftError(
            f"{name} has the parameters {', '.join(found)}; got {', '.join(map(str, parameters))}"
        )
    for key, stacked in found.items():
        shape = tuple(np.shape(parameters[key]))
        if shape != stacked.shape:
            raise LiftError(f"{name}: {key} has the shape {stacked.shape}, got {shape}")


def _where(executable: Exportable) -> tuple[Any, np.ndarray]:
    """The store, and the place of each parameter in it."""
    store = executable.store.current()
    return store, np.array([p._right for p in executable.parameters], dtype=np.intp)


def named(paths: Sequence[str]) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    """The common name of attribute paths, the shape that they count, and the order of its axes.

    >>> named(["model.q.0", "model.q.1", "model.q.2", "model.k.0", "model.k.1", "model.k.2"])
    ('model.q|k', (2, 3), (0, 1))
    >>> named(["w.0.0", "w.1.0", "w.2.0", "w.0.1", "w.1.1", "w.2.1"])
    ('w', (3, 2), (1, 0))
    """
    tokens = [tuple(path.split(".")) for path in paths]
    flat = (len(paths),)
    if not all(paths):
        return "parameters", flat, (0,)
    if len({len(path) for path in tokens}) > 1:
        return _beginning(tokens), flat, (0,)
    columns = [_column(column) for column in zip(*tokens, strict=True)]
    several = [k for k, column in enumerate(columns) if len(column) > 1 or k >= _indices(columns)]
    shape = tuple(len(columns[k]) for k in several)
    if math.prod(shape) == len(paths) and len(shape) <= _AXES:
        places = {k: {word: n for n, word in enumerate(columns[k])} for k in several}
        steps = dict(zip(several, dense(shape), strict=True))
        found = [sum(places[k][path[k]] * steps[k] for k in several) for path in tokens]
        whole = np.arange(len(paths)).reshape(shape)
        for axes in itertools.permutations(range(len(shape))):
            if np.array_equal(whole.transpose(axes).reshape(-1), found):
                return _written(columns), shape, axes
    return _written(columns), flat, (0,)


_AXES = 5


def _column(words: Sequence[str]) -> list[str]:
    """The different words, as they come, or by number."""
    found = list(dict.fromkeys(words))
    return sorted(found, key=int) if all(word.isdigit() for word in found) else found


def _indices(columns: Sequence[Sequence[str]]) -> int:
    """Where the indices at the end of a path begin."""
    last = len(columns)
    while last > 1 and all(word.isdigit() for word in columns[last - 1]):
        last -= 1
    return last


def _beginning(tokens: Sequence[Sequence[str]]) -> str:
    """What paths of different lengths begin with."""
    common: list[str] = []
    for column in zip(*tokens, strict=False):
        if len(set(column)) > 1:
            break
        common.append(column[0])
    return ".".join(common) or "parameters"


def _written(columns: Sequence[Sequence[str]]) -> str:
    """Names that differ beside each other, counts as a star, the indices at the end left out."""
    return ".".join(
        column[0] if len(column) == 1 else "*" if column[0].isdigit() else "|".join(column)
        for column in columns[: _indices(columns)]
    )
