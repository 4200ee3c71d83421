"""Parameters as a dict of arrays by attribute path, and their way back into the Values.

Parameters that the program reads as one array are one array here, too: to join or cut them at each
step would cost a fifth of it. Its name is what the attribute paths have in common, its shape comes
from the numbers in the paths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from micrograd.lifting.errors import LiftError
from micrograd.lifting.record import Buffer
from micrograd.lifting.steps.ir import Array

if TYPE_CHECKING:
    from micrograd.lifting.executable import Executable

__all__ = ["Stacked", "check", "load", "numbers_of", "parameter_arrays", "statistic_names"]


class Stacked(NamedTuple):
    """Parameters that are one array: its shape, and where it begins among all of them."""

    array: Array
    shape: tuple[int, ...]
    first: int


def parameter_arrays(executable: Executable) -> dict[str, Stacked]:
    """The arrays of parameters, by name."""
    found: dict[str, Stacked] = {}
    for array, first in ((p.array, p.first) for p in executable.program.parameters):
        name, shape = named(executable.program.names[array.name])
        free, number = name, 2
        while free in found:
            free, number = f"{name}_{number}", number + 1
        found[free] = Stacked(array, shape, first)
    return found


def numbers_of(executable: Executable, found: Mapping[str, Stacked]) -> dict[str, np.ndarray]:
    """Each array's numbers, as the Values hold them now."""
    store, places = _where(executable)
    flat = np.zeros(executable.parameter_count)
    flat[executable.positions] = store.data[places]
    return {
        name: flat[x.first : x.first + x.array.size].reshape(x.shape).copy()
        for name, x in found.items()
    }


def statistic_names(executable: Executable) -> dict[tuple[int, str], tuple[str, Any]]:
    """The name of each running statistic and its module, by the module's id and the buffer."""
    recording, found = executable.recording, {}
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
    executable: Executable, parameters: Mapping[str, Any], statistics: Mapping[str, Any]
) -> None:
    """Write arrays into the Values and buffers that they came from; some of them will do."""
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
        flat[part], given[part] = np.asarray(numbers, dtype=np.float64).reshape(-1), True
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


def _where(executable: Executable) -> tuple[Any, np.ndarray]:
    """The store, and the place of each parameter in it."""
    store = executable.store.current()
    return store, np.array([p._right for p in executable.parameters], dtype=np.intp)


def named(paths: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    """The common name of attribute paths, and the shape that they count.

    >>> named(["model.q.0", "model.q.1", "model.k.0", "model.k.1"])
    ('model.q|k', (2, 2))
    """
    tokens = [tuple(path.split(".")) for path in paths]
    flat = (len(paths),)
    if not all(paths):
        return "parameters", flat
    if len({len(path) for path in tokens}) == 1:
        columns = [tuple(dict.fromkeys(column)) for column in zip(*tokens, strict=True)]
        if len(columns[-1]) > 1 or len(paths) == 1:
            if tokens == list(product(*columns)):
                shape = tuple(len(column) for column in columns if len(column) > 1)
                return _written(columns), _with_single_axes(columns, shape)
            return _written(columns), flat
    common: list[str] = []
    for column in zip(*tokens, strict=False):
        if len(set(column)) > 1:
            break
        common.append(column[0])
    return ".".join(common) or "parameters", flat


def _written(columns: Sequence[Sequence[str]]) -> str:
    """Names that differ beside each other, counts as a star, those at the end left out."""
    words = [
        column[0] if len(column) == 1 else "*" if column[0].isdigit() else "|".join(column)
        for column in columns
    ]
    while len(words) > 1 and (words[-1] == "*" or words[-1].isdigit()):
        words.pop()
    return ".".join(words)


def _with_single_axes(columns: Sequence[Sequence[str]], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with axes of length 1 where an index at the end is always the same."""
    last = len(columns)
    while last > 1 and columns[last - 1][0].isdigit():
        last -= 1
    before = tuple(len(column) for column in columns[:last] if len(column) > 1)
    return (*before, *(len(column) for column in columns[last:]))
