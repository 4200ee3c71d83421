"""The loops that the native executor makes of steps, as text that looks like C, to be read.

Written from nests, before there is any machine code: what was joined, what stays in registers, what
is worked in tiles. It is read, not compiled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from micrograd.lifting.run.native.nests import Local, Nest, Statement
from micrograd.lifting.run.native.plans import Plan, plan
from micrograd.lifting.run.native.tiling import Tiled, Unit
from micrograd.lifting.steps.expression import Read, written
from micrograd.lifting.steps.ir import View, loop_names

__all__ = ["c_like"]

_TERMS = {"+": "{0} += {1};", "maximum": "{0} = maximum({0}, {1});",
          "minimum": "{0} = minimum({0}, {1});"}  # fmt: skip
_STARTS = {"+": "0.0", "maximum": "-INFINITY", "minimum": "INFINITY"}


def c_like(units: Sequence[Unit]) -> str:
    """One loop nest after the other; a comment says which loop runs in the lanes of vectors."""
    return "\n\n".join("\n".join(_unit(unit)) for unit in units)


def _unit(unit: Unit) -> list[str]:
    if unit.count == 1:
        return [line for one in unit.nests for line in _nest(one, "")]
    lines = [line for one in unit.nests for line in _nest(one, "tile")]
    return _looped(f"for (tile = 0; tile < {unit.count}; tile++)", "", lines)


def _nest(one: Tiled, tile: str) -> list[str]:
    nest, how = one.nest, plan(one.nest)
    names = list(loop_names(len(nest.loops)))
    used = {x.number for s in nest.statements for x in s.reads if isinstance(x, Local)}
    lines = _Lines(one, tile, names, used)
    if nest.combine is None:
        inside = list(lines.of(nest.body, 0))
    else:
        last = len(nest.body) - 1
        term = lines.value(nest.body[-1])
        body = [*lines.of(nest.body[:-1], 0), _TERMS[nest.combine.name].format(f"x{last}", term)]
        for k in reversed(range(nest.outer, len(nest.loops))):
            body = _looped(_head(nest, k, names[k]), _note(how, k), body)
        start = f"double x{last} = {_STARTS[nest.combine.name]};"
        inside = [start, *body, *lines.of(nest.after, last + 1)]
    for k in reversed(range(nest.outer)):
        inside = _looped(_head(nest, k, names[k]), _note(how, k), inside)
    return inside


def _looped(head: str, note: str, lines: Sequence[str]) -> list[str]:
    inside = ["    " + line for line in lines]
    alone = sum(not line.startswith((" ", "}")) for line in lines) == 1  # one statement, or loop
    return [head + note, *inside] if alone else [head + " {" + note, *inside, "}"]


def _head(nest: Nest, k: int, name: str) -> str:
    return f"for ({name} = 0; {name} < {nest.loops[k]}; {name}++)"


def _note(how: Plan, k: int) -> str:
    notes = [f"{how.width} lanes"] if k == how.lane else []
    notes += [f"{how.rows} at once"] if k == how.row and how.rows > 1 else []
    return f"  // {', '.join(notes)}" if notes else ""


class _Lines:
    """Statements of a nest as lines; `used`: the numbers that later statements take over."""

    def __init__(self, one: Tiled, tile: str, names: Sequence[str], used: Collection[int]) -> None:
        self.steps, self.tile, self.names, self.used = one.steps, tile, names, used

    def of(self, statements: Sequence[Statement], first: int) -> Iterator[str]:
        for number, statement in enumerate(statements, first):
            value = self.value(statement)
            if number in self.used:
                yield f"double x{number} = {value};"
                value = f"x{number}"
            if statement.out is not None:
                sign = "+=" if statement.accumulate else "="
                yield f"{self.view(statement.out)} {sign} {value};"

    def value(self, statement: Statement) -> str:
        def read(x: Read) -> str:
            found = statement.reads[x.k]
            return f"x{found.number}" if isinstance(found, Local) else self.view(found)

        text = written(statement.value, read)
        return text[1:-1] if text.startswith("(") and _closes_at_end(text) else text

    def view(self, view: View) -> str:
        names = self.names[: len(view.strides)]
        terms = [
            name if stride == 1 else f"{stride}*{name}"
            for stride, name in zip(view.strides, names, strict=True)
            if stride
        ]
        step = self.steps.get(view, 0)
        terms += [f"{step}*{self.tile}"] if step else []
        if view.index is not None:
            row = f"(int) {self.view(view.index)}"
            terms.append(row if view.step == 1 else f"{view.step}*{row}")
        place = " + ".join([str(view.base), *terms] if view.base or not terms else terms)
        return f"{_name(view)}[{place if view.gather is None else f'list[{place}]'}]"


def _name(view: View) -> str:
    return view.array.name.split()[0]  # `memory of ...`, `packed operands`, `table ...`


def _closes_at_end(text: str) -> bool:
    """Whether the first parenthesis is closed by the last one."""
    depth = 0
    for k, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return k == len(text) - 1
    return False
