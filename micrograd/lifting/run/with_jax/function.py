"""A lifted program as a pure function of JAX arrays.

`Exported` is what `to_jax` gives: it takes its arguments apart as a lifted call does, runs the
program's steps on them (`steps.py`), and puts the results into the structure that the function
returns, with arrays of JAX for arrays of Values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from micrograd import tree
from micrograd.engine import Value
from micrograd.lifting.errors import LiftError
from micrograd.lifting.record import Buffer
from micrograd.lifting.rows import is_choice
from micrograd.lifting.run.with_jax.arguments import Given, statics_of, taken_apart
from micrograd.lifting.run.with_jax.arrays import Arrays
from micrograd.lifting.run.with_jax.rows import form
from micrograd.lifting.run.with_jax.stacks import (
    Exportable,
    Stacked,
    check,
    numbers_of,
    parameter_arrays,
    statistic_names,
)
from micrograd.lifting.run.with_jax.steps import result, run
from micrograd.lifting.steps.expression import Apply, Formula

__all__ = ["Exported", "export"]

Fit = Callable[[Any, Any], Exportable]  # the program for arguments of other sizes


def export(executable: Exportable, fit: Fit | None = None) -> tuple[Exported, dict[str, jax.Array]]:
    """The function, and the parameters as they are now."""
    function = Exported(executable, fit)
    numbers = numbers_of(executable, function.stacked)
    return function, {name: jnp.asarray(array) for name, array in numbers.items()}


class Exported:
    """function(parameters, *args): pure, on JAX arrays, in the precision of the parameters.

    `statistics`: the running statistics as they were; where there are some, the function takes
    `statistics=` and gives (result, new statistics). Where the program draws, it takes `key=`.
    """

    def __init__(self, executable: Exportable, fit: Fit | None = None) -> None:
        _refuse_what_jax_cannot(executable)
        self.__name__ = self.__qualname__ = executable.name
        self.executable = executable
        self.stacked = parameter_arrays(executable)
        self._fit = fit
        states = executable.recording.states
        self._drawn = sum(not isinstance(state.generator, Buffer) for state in states)
        self._names = statistic_names(executable)
        self.statistics = {
            name: jnp.asarray(getattr(module, buffer))
            for (_, buffer), (name, module) in self._names.items()
        }

    def __repr__(self) -> str:
        return (
            f"<{self.__name__} as a JAX function of {', '.join(self.stacked) or 'no parameters'}>"
        )

    def __call__(
        self, parameters: Mapping[str, Any], *args: Any, key: Any = None, statistics: Any = None,
        **kwargs: Any,
    ) -> Any:  # fmt: skip
        if self._drawn and key is None:
            raise LiftError(f"{self.__name__} draws random numbers; pass key=jax.random.key(0)")
        given = taken_apart(args, kwargs)
        executable = self._executable(given)
        check(self.__name__, self.stacked, parameters)
        dtype = _precision([*parameters.values(), *given.arrays])
        arrays = Arrays(dtype)
        program = executable.program
        for argument, array in zip(program.arguments, given.arrays, strict=True):
            arrays.bring(argument.array, jnp.asarray(array))
        for name, stacked in self.stacked.items():
            arrays.bring(stacked.array, stacked.of_program(jnp.asarray(parameters[name])))
        self._draw(executable, arrays, key, statistics)
        run(program.forward, arrays)
        results = [result(window, arrays) for window in program.results]

        def number(value: Value) -> Any:
            return self._number(executable, value, arrays)

        found = _of_arrays(executable.template.with_arrays(results, number))
        if not program.statistics:
            return found
        return found, self._new_statistics(executable, arrays, statistics)

    @staticmethod
    def _number(executable: Exportable, value: Value, arrays: Arrays) -> Any:
        """A Value that was returned as it is: a parameter, or what it holds now."""
        for k, parameter in enumerate(executable.parameters):
            place = int(executable.positions[k])
            for p in executable.program.parameters:
                if parameter is value and 0 <= place - p.first < p.array.size:
                    return arrays.walked(p.array, place - p.first, ())
        return jnp.asarray(value.data, arrays.dtype)

    # --- which program ----------------------------------------------------------------------------

    def _executable(self, given: Given) -> Exportable:
        """The program for these arguments; LiftError if there is none."""
        mine = self.executable
        shapes = [tuple(np.shape(x)) for x in given.arrays]
        expected = [x.shape for x in mine.recording.arguments]
        if shapes == expected:
            if mine.key is not None and statics_of(given.key) != statics_of(mine.key):
                raise LiftError(
                    f"{self.__name__} was exported for other static arguments, or arguments in "
                    "another structure; call to_jax with these"
                )
            return mine
        if self._fit is None or [s[1:] for s in shapes] != [s[1:] for s in expected]:
            raise LiftError(
                f"{self.__name__} was exported for arrays of shapes {expected}, got {shapes}"
            )
        found = self._fit(*given.placeholders)
        if _laid_out(parameter_arrays(found)) != _laid_out(self.stacked):
            raise LiftError(
                f"{self.__name__} reads its parameters in another way at shapes {shapes}; call "
                "to_jax with arguments of these"
            )
        return found

    # --- draws and statistics ---------------------------------------------------------------------

    def _draw(self, executable: Exportable, arrays: Arrays, key: Any, statistics: Any) -> None:
        """Random numbers of this call, and the running statistics that it reads."""
        current = {**self.statistics, **(statistics or {})}
        keys = iter(jax.random.split(key, self._drawn) if self._drawn else ())
        states = executable.recording.states
        for draw, state in zip(executable.program.draws, states, strict=True):
            if isinstance(state.generator, Buffer):
                name, _ = self._names[id(state.generator.module), state.generator.name]
                arrays.bring(draw.array, jnp.asarray(current[name]))
            else:
                arrays.bring(draw.array, jax.random.uniform(next(keys), state.shape, arrays.dtype))

    def _new_statistics(self, executable: Exportable, arrays: Arrays, statistics: Any) -> Any:
        """The running statistics after this call: those it wrote, and the others as they were."""
        found = {**self.statistics, **(statistics or {})}
        updates = executable.recording.updates
        for window, update in zip(executable.program.statistics, updates, strict=True):
            name, _ = self._names[id(update.module), update.name]
            found[name] = result(window, arrays).reshape(update.places.shape)
        return found


def _of_arrays(found: Any) -> Any:
    """The structure with JAX arrays in the place of arrays of objects."""
    flat = tree.flatten(found, lambda x: isinstance(x, np.ndarray))
    leaves = [
        jnp.stack(list(x.flat)).reshape(x.shape)
        if isinstance(x, np.ndarray) and x.dtype == object and x.size
        else x
        for x in flat.leaves
    ]
    return flat.fill(leaves) if flat.containers else leaves[0]


def _laid_out(stacked: Mapping[str, Stacked]) -> Any:
    return {name: (x.shape, x.axes, x.first) for name, x in stacked.items()}


def _precision(arrays: list[Any]) -> Any:
    """The first floating type among these arrays: that of the parameters, if there are any."""
    for array in arrays:
        if jnp.issubdtype(jnp.result_type(array), jnp.floating):
            return jnp.result_type(array)
    return jnp.result_type(float)


def _refuse_what_jax_cannot(executable: Exportable) -> None:
    if executable.recording.outside:
        raise LiftError(
            f"{executable.name} reads a Value that was computed outside it; pass it as an argument"
        )
    waiting: list[Formula] = [step.value for step in executable.program.forward]
    while waiting:
        formula = waiting.pop()
        if isinstance(formula, Apply):
            if not is_choice(formula.op):
                form(formula.op)
            waiting += formula.inputs
