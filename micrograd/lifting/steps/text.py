"""Steps as text that a person reads, and that runs: NumPy, a line a step, forward and backward.

`Text(program, backward)` writes the program and, if its steps are given, its backward pass, which
reads the same names; `BackwardText` shows that pass alone. `statements.py` writes a step,
`operands.py` what it reads, `slices.py` walks as slices, `notation.py` rows of the op table. `run`
executes the text: tests hold it to the steps.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd.lifting.steps.ir import Program, Step
from micrograd.lifting.steps.notation import NAMES, Line
from micrograd.lifting.steps.operands import Operands, whole
from micrograd.lifting.steps.slices import bracketed
from micrograd.lifting.steps.statements import Statements

__all__ = ["BackwardText", "Text"]

_WIDTH = 150  # a comment that makes a line longer than this is left out


class Text:
    """A program's lines, and with `backward` those of its backward pass."""

    def __init__(self, program: Program, backward: Sequence[Step] = ()) -> None:
        self.program = program
        self.operands = Operands(program)
        every = (*program.forward, *backward)
        in_pieces = {step.out.array for step in every if not whole(step.out, step.loops)}
        self._statements = Statements(self.operands, in_pieces)
        self.forward = self._written(program.forward)
        self._defined = len(self.operands.definitions)
        self.backward = self._written(backward)

    def __str__(self) -> str:
        nodes = sum(step.replaces for step in self.program.forward)
        count = len(self.instructions)
        found = f"{count} instruction{'s' * (count != 1)}"
        head = [f"# {self.program.name}: {nodes:,} scalar node{'s' * (nodes != 1)} -> {found}"]
        for line in self.operands.described():
            head += textwrap.wrap(line, 98, initial_indent="# ", subsequent_indent="#   ")
        parts = [*head, *_aligned(self.operands.definitions), *_aligned(self.forward)]
        if self.backward:
            parts += ["", "# backward", *_aligned(self.backward)]
        return "\n".join(parts)

    @property
    def instructions(self) -> list[Line]:
        """A line for each step of the forward pass: none that creates an empty array, no body."""
        lines = (x for x in self.forward if " = empty(" not in x.statement)
        return [line for line in lines if not line.statement.startswith(" ")]

    def run(self, numbers: Mapping[str, Any]) -> dict[str, Any]:
        """Execute the text, with `numbers` for the given arrays; returns all variables by name."""
        names: dict[str, Any] = {**NAMES, "view": _view, **self.operands.notation.functions}
        for array in (*self.program.values, *self.operands.constants):
            if array.given:
                given = array.numbers if array.numbers is not None else numbers[array.name]
                shape = self.operands.shape(array)
                names[array.name] = np.array(given, dtype=np.float64).reshape(shape)[()]
        names.update({k: v for k, v in numbers.items() if k.startswith("seed_")})
        names.update(self.operands.lists)
        with np.errstate(all="ignore"):
            exec(Text.__str__(self), names)
        return names

    # --- lines ------------------------------------------------------------------------------------

    def _written(self, steps: Sequence[Step]) -> list[Line]:
        lines: list[Line] = []
        last: Step | None = None
        for step in steps:
            made = self._statements.lines(step)
            if last is not None and _continues(last, step) and made and lines:
                joined = _joined(lines[-1], made[-1])
                if joined is not None:
                    lines[-1] = joined
                    continue
            lines += [replace(line, name=step.out.array.name) for line in made]
            last = step
        return lines


class BackwardText(Text):
    """The lines of a backward pass alone; they read the names of the forward pass."""

    def __str__(self) -> str:
        head = (
            f"# {self.program.name} backward: d_x is the gradient of x, seed_1 that of the result"
        )
        new = self.operands.definitions[self._defined :]
        return "\n".join([head, *_aligned(new), *_aligned(self.backward)])


def _continues(last: Step, step: Step) -> bool:
    """Whether a step adds to the array that the step before it has just written."""
    return step.accumulate and not last.accumulate and last.out.array == step.out.array


def _joined(line: Line, more: Line) -> Line | None:
    """`t = a @ b` and `t += c` as `t = a @ b + c`."""
    name, _, added = more.statement.partition(" += ")
    if not added or not line.statement.startswith(f"{name} = ") or "reshape" in added:
        return None
    statement = f"{line.statement} + {bracketed(added)}"
    return replace(line, statement=statement) if len(statement) <= 100 else None


def _aligned(lines: Sequence[Line]) -> list[str]:
    width = min(max((len(line.statement) for line in lines), default=0), 72)
    found = []
    for line in lines:
        text = f"{line.statement:<{width}}  # {line.comment}"
        short = len(text) <= _WIDTH and line.comment
        found.append(text if short else line.statement)
    return found


def _view(array: np.ndarray, base: int, shape: Any, strides: Any) -> np.ndarray:
    """A view of a contiguous array with any strides, in elements: what no slice can write."""
    flat = array.reshape(-1)
    return np.lib.stride_tricks.as_strided(flat[base:], shape, [s * flat.itemsize for s in strides])
