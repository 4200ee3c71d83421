"""A program as text that a person reads, and that runs: a line an instruction, in NumPy notation.

`Text` names what the instructions read (arguments, parameters by their attribute paths, earlier
lines) and writes each as an expression. `run` executes the text, and a test compares its numbers
with the program's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from micrograd import ops
from micrograd.lifting.forward import cell_addresses, is_scalar
from micrograd.lifting.rows import COPY, QUOTIENT, QUOTIENT_PLUS, SUBTRACT
from micrograd.lifting.schedule import PARAMETERS, Instruction
from micrograd.lifting.strides import Access
from micrograd.lifting.views import addresses

if TYPE_CHECKING:
    from micrograd.lifting.program import Program

__all__ = ["Line", "Text"]


class Line(NamedTuple):
    """One line: `name = expression`, its shape, the scalar nodes that it stands for."""

    name: str
    expression: str
    shape: tuple[int, ...]
    replaces: int
    reads: tuple[str, ...]

    @property
    def comment(self) -> str:
        shape = " x ".join(map(str, self.shape)) or "one number"
        return f"# {shape}; {self.replaces:,} node{'s' * (self.replaces != 1)}"


class _Region(NamedTuple):
    """A named array and the addresses that it holds, one after the other."""

    name: str
    base: int
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return int(np.prod(self.shape)) if self.shape else 1


class Text:
    """The lines of a program, and the arrays that they name."""

    def __init__(
        self, program: Program, argument_names: Sequence[str], paths: dict[int, str]
    ) -> None:
        self.program = program
        self.paths = paths  # the attribute path of each parameter address
        self.constants = program.layout.constants
        self.arrays: dict[str, Callable[..., Any]] = {}  # how to make what the text starts from
        self.regions: list[_Region] = []
        self._reads: dict[str, None] = {}
        self._indices: dict[bytes, str] = {}
        self._parameter_names: dict[Any, str] = {}
        self._taken = set(dir(np)) | {"view", "join", "pick", "parameters", "constants"}
        if self.constants:
            self._region("constants", 0, (len(self.constants),))
        for number, (start, shape, _) in enumerate(program.recording.states):
            self._region(f"uniform_{number}", start, shape)
        for (start, shape, _), name in zip(
            program.recording.arguments, argument_names, strict=True
        ):
            self._region(self._free(name), start, shape)
        for number, (place, _) in enumerate(program.recording.outside):
            self._region(f"outside_{number}", place, ())
        self.lines = [self._line(i) for i in program.layout.instructions]

    @property
    def parameter_names(self) -> dict[str, str]:
        """Each view of the parameters that the lines name, described by attribute paths."""
        return {name: self._described(view) for view, name in self._parameter_names.items()}

    def __str__(self) -> str:
        name = self.program.name
        nodes = sum(line.replaces for line in self.lines)
        head = [f"# {name}: {nodes:,} scalar nodes -> {len(self.lines)} instructions"]
        head += [f"# {view}: {described}" for view, described in self.parameter_names.items()]
        assigned = [f"{line.name} = {line.expression}" for line in self.lines]
        width = min(max(map(len, assigned), default=0), 72)
        body = [
            f"{text:<{width}}  {line.comment}"
            for text, line in zip(assigned, self.lines, strict=True)
        ]
        return "\n".join(head + body)

    def run(self, numbers: np.ndarray, parameters: np.ndarray) -> dict[str, np.ndarray]:
        """Execute the text on a buffer that holds the arguments; every line's array by its name."""
        names: dict[str, Any] = {name: getattr(np, name) for name in _NUMPY}
        names.update(view=_view, join=_join, pick=_pick, parameters=parameters)
        for region in self.regions:
            if region.name not in {line.name for line in self.lines}:
                part = numbers[region.base : region.base + region.size]
                names[region.name] = part.reshape(region.shape).copy()
        for name, make in self.arrays.items():
            names[name] = make(parameters)
        with np.errstate(all="ignore"):
            exec(str(self), names)
        return {line.name: np.asarray(names[line.name]) for line in self.lines}

    # --- names ------------------------------------------------------------------------------------

    def _region(self, name: str, base: int, shape: tuple[int, ...]) -> None:
        self.regions.append(_Region(name, base, shape))
        self._taken.add(name)

    def _free(self, name: str) -> str:
        name = re.sub(r"\W+", "_", name).strip("_") or "x"
        if name[0].isdigit():
            name = "p_" + name
        number, free = 2, name
        while free in self._taken:
            free, number = f"{name}_{number}", number + 1
        self._taken.add(free)
        return free

    def _parameter(self, base: int, sizes: tuple[int, ...], strides: tuple[int, ...]) -> str:
        key = (base, sizes, strides)
        if key not in self._parameter_names:
            name = self._free(self._common_path(key))
            self._parameter_names[key] = name
            self.arrays[name] = lambda p: _view(p, base - PARAMETERS, sizes, strides).copy()
        return self._parameter_names[key]

    def _addresses(self, view: Any) -> np.ndarray:
        base, sizes, strides = view
        return addresses(base, sizes, strides).reshape(-1)

    def _common_path(self, view: Any) -> str:
        paths = [self.paths.get(int(a), "p").split(".") for a in self._addresses(view)]
        if len({len(path) for path in paths}) > 1:
            return "parameters_view"
        return "_".join(tokens[0] for tokens in zip(*paths, strict=True) if len(set(tokens)) == 1)

    def _described(self, view: Any) -> str:
        found = self._addresses(view)
        first, last = (self.paths.get(int(a), "a captured Value") for a in (found[0], found[-1]))
        shape = " x ".join(map(str, view[1])) or "one"
        return f"{shape}, {first} to {last}" if len(found) > 1 else f"{first}"

    # --- what is read -----------------------------------------------------------------------------

    def array(self, access: Access, loops: Sequence[int]) -> str:
        """An expression for the numbers that an operand reads along some loops."""
        sizes = tuple(access.shape[i] for i in loops)
        strides = tuple(access.strides[i] for i in loops)
        if access.gather is not None:
            return self._gathered(access.gather, sizes)
        if access.base >= PARAMETERS:
            name = self._parameter(access.base, sizes, strides)
            self._reads[name] = None
            return name
        found = self._addresses((access.base, sizes, strides))
        first, last = int(found.min()), int(found.max())
        used = [r for r in self.regions if r.base <= last and first < r.base + r.size]
        if len(used) == 1 and used[0].name == "constants" and len(found) == 1:
            return repr(self.constants[first])
        for region in used:
            self._reads[region.name] = None
        name = used[0].name
        if len(used) > 1:
            name = f"join({', '.join(region.name for region in used)})"
        elif access.base == used[0].base and used[0].size == len(found):
            if sizes == used[0].shape and strides == _dense(sizes):
                return name
            if strides == _dense(sizes):
                return f"{name}.reshape({_tuple(sizes)})"
            if (
                len(sizes) == 2
                and strides[::-1] == _dense(sizes[::-1])
                and used[0].shape == sizes[::-1]
            ):
                return f"{name}.T"
        return f"view({name}, {access.base - used[0].base}, {_tuple(sizes)}, {_tuple(strides)})"

    def _gathered(self, found: np.ndarray, sizes: tuple[int, ...]) -> str:
        local = found[found < PARAMETERS]
        used = [r for r in self.regions if ((local >= r.base) & (local < r.base + r.size)).any()]
        index = np.zeros(len(found), dtype=np.intp)
        offset = 0
        for region in used:
            inside = (found >= region.base) & (found < region.base + region.size)
            index[inside] = found[inside] - region.base + offset
            offset += region.size
            self._reads[region.name] = None
        parts = [region.name for region in used]
        if (found >= PARAMETERS).any():
            parts.append("parameters")
            index[found >= PARAMETERS] = found[found >= PARAMETERS] - PARAMETERS + offset
        shaped = index.reshape(sizes)
        key = shaped.tobytes() + repr(sizes).encode()
        if key not in self._indices:
            name = self._indices[key] = f"index_{len(self._indices)}"
            self.arrays[name] = lambda p: shaped
        source = parts[0] if len(parts) == 1 and offset == 0 else f"join({', '.join(parts)})"
        return f"{source}[{self._indices[key]}]"

    def _spread(self, access: Access) -> str:
        """The operand of a map, with axes of length one where it stays the same."""
        moving = _moving(access)
        text = self.array(access, moving)
        if not moving or moving == list(range(moving[0], len(access.shape))):
            return text
        slots = ", ".join(
            ":" if i in moving else "None" for i in range(moving[0], len(access.shape))
        )
        return f"{text}[{slots}]"

    # --- lines ------------------------------------------------------------------------------------

    def _line(self, instruction: Instruction) -> Line:
        self._reads = {}
        inner = instruction.inner
        shape = instruction.out.shape[: len(instruction.out.shape) - inner]
        whole = self._whole(instruction)
        if is_scalar(instruction):
            return self._named(instruction, (), self._scalar(instruction))
        if whole is not None:
            whole_shape, names = whole
            return self._named(instruction, whole_shape, self._written(instruction.op, names))
        expression = getattr(self, f"_{instruction.kind}")(instruction, shape)
        if instruction.start is not None:
            start = instruction.start
            outer = len(shape)
            trimmed = Access(start.base, shape, start.strides[:outer], start.gather)
            expression += f" + {self._spread(trimmed)}"
        if not any(_moving(x) for x in instruction.operands) and shape:
            expression = f"full({_tuple(shape)}, {expression})"
        return self._named(instruction, shape, expression)

    def _named(self, instruction: Instruction, shape: tuple[int, ...], expression: str) -> Line:
        name = f"t{sum(1 for r in self.regions if re.fullmatch('t[0-9]+', r.name)) + 1}"
        self._region(name, instruction.out.base, shape)
        return Line(name, expression, shape, instruction.replaces, tuple(self._reads))

    def _map(self, instruction: Instruction, shape: tuple[int, ...]) -> str:
        text = self._written(instruction.op, [self._spread(x) for x in instruction.operands])
        covered = {i for access in instruction.operands for i in _moving(access)}
        missing = [i for i in range(len(shape)) if i not in covered and shape[i] > 1]
        return f"broadcast_to({text}, {_tuple(shape)})" if missing and covered else text

    def _whole(self, instruction: Instruction) -> tuple[tuple[int, ...], list[str]] | None:
        """The shape and operands of a map of whole arrays of one shape; None for any other."""
        if instruction.kind != "map":
            return None
        shapes, names = set(), []
        for access in instruction.operands:
            sizes = tuple(access.shape)
            region = next((r for r in self.regions if r.base == access.base and r.shape), None)
            if access.gather is not None or access.base >= PARAMETERS:
                return None
            if not _moving(access) and access.base < len(self.constants):
                names.append(repr(self.constants[access.base]))
                continue
            if (
                region is None
                or region.size != int(np.prod(sizes))
                or access.strides != _dense(sizes)
            ):
                return None
            shapes.add(region.shape)
            names.append(region.name)
        if len(shapes) != 1:
            return None
        self._reads = {name: None for name in names if name.isidentifier()}
        return shapes.pop(), names

    def _cell(self, address: int) -> str:
        if address < len(self.constants):
            return repr(self.constants[address])
        return self.array(Access(address, (), ()), [])

    def _scalar(self, instruction: Instruction) -> str:
        """One number from a few: each written out."""
        columns = [
            [self._cell(a) for a in cell_addresses(access, instruction.inner)]
            for access in instruction.operands
        ]
        if instruction.kind == "dot":
            terms = [f"{x} * {w}" for x, w in zip(*columns, strict=True)]
            if instruction.start is not None:
                terms.append(self._cell(cell_addresses(instruction.start, 0)[0]))
            return " + ".join(terms)
        if instruction.kind == "sum":
            return " + ".join(columns[0])
        if instruction.kind == "chain":
            function = "maximum" if instruction.op is ops.maximum else "minimum"
            text = columns[0][0]
            for cell in columns[0][1:]:
                text = f"{function}({text}, {cell})"
            return text
        return self._written(instruction.op, [column[0] for column in columns])

    def _written(self, op: Any, xs: list[str]) -> str:
        """A row of the table as an expression of its operands' expressions."""
        if op in _INFIX:
            text = f"{xs[0]} {_INFIX[op]} {xs[1]}"
        elif op is QUOTIENT or op is QUOTIENT_PLUS:
            a, _, b, *factors = xs
            text = f"{a} / {b}" + (f" + {' * '.join(factors)}" if factors else "")
        elif op is ops.relu:
            text = f"maximum({xs[0]}, 0.0)"
        elif op is COPY or op is ops.detach:
            text = f"+{xs[0]}"
        else:
            assert op is not None
            if op.parameters[:1] == ("**",):
                text = f"power({xs[0]}, {float(op.parameters[1])})"
            else:
                name = re.sub(r"\W", "_", op.name)
                self.arrays.setdefault(name, lambda p, f=op.array: f)
                text = f"{name}({', '.join(xs)})"
        return text

    def _sum(self, instruction: Instruction, shape: tuple[int, ...]) -> str:
        return self._reduced(instruction, shape, "sum")

    def _chain(self, instruction: Instruction, shape: tuple[int, ...]) -> str:
        return self._reduced(instruction, shape, "max" if instruction.op is ops.maximum else "min")

    def _reduced(self, instruction: Instruction, shape: tuple[int, ...], method: str) -> str:
        (operand,) = instruction.operands
        axes = tuple(range(-instruction.inner, 0))
        full = f"broadcast_to({self._spread(operand)}, {_tuple(operand.shape)})"
        if _moving(operand) == list(range(len(operand.shape))):
            full = self.array(operand, _moving(operand))
        if len(shape) == 0:
            return f"{full}.{method}()"
        return f"{full}.{method}(axis={axes[0] if len(axes) == 1 else axes})"

    def _dot(self, instruction: Instruction, shape: tuple[int, ...]) -> str:
        x, w = instruction.operands
        inner = set(range(len(shape), len(shape) + instruction.inner))
        a, b = _moving(x), _moving(w)
        names = [self.array(x, a), self.array(w, b)]
        k = [i for i in (*a, *b) if i in inner]
        outer = list(range(len(shape)))
        if instruction.inner == 1 and k == [len(shape)] * 2:
            if outer == []:
                return f"{names[0]} @ {names[1]}"
            if outer == [0] and a == [0, 1] and b == [1]:
                return f"{names[0]} @ {names[1]}"
            if outer == [0] and a == [1] and b == [0, 1]:
                return f"{names[1]} @ {names[0]}"
            if outer == [0, 1] and a == [0, 2] and b == [1, 2]:
                return f"{names[0]} @ {names[1]}.T"
            if outer == [0, 1] and a == [1, 2] and b == [0, 2]:
                return f"{names[1]} @ {names[0]}.T"
        letters = "ijklmnopqrstuvw"
        spell = ["".join(letters[i] for i in loops) for loops in (a, b)]
        missing = [i for i in range(len(instruction.out.shape)) if i not in a and i not in b]
        ones = ""
        for i in missing:  # a loop that neither factor moves along still counts
            size = instruction.out.shape[i]
            spell.append(letters[i])
            ones += f", ones({size})"
        result = "".join(letters[i] for i in outer)
        return f"einsum('{','.join(spell)}->{result}', {names[0]}, {names[1]}{ones})"

    def _take(self, instruction: Instruction, shape: tuple[int, ...]) -> str:
        index, table = instruction.operands
        rows = table.shape[-1]
        if rows == 1 or table.strides[-1] == 0:  # every row is the same: nothing to choose
            same = Access(table.base, shape, table.strides[:-1], table.gather)
            return f"broadcast_to({self._spread(same)}, {_tuple(shape)})"
        chosen, along = _moving(index), _moving(table)
        trimmed = Access(index.base, shape, index.strides[:-1], index.gather)
        names = self.array(trimmed, chosen)
        source = self.array(table, along)
        if chosen == list(range(len(chosen))) and along[:-1] == list(
            range(len(chosen), len(shape))
        ):
            order = f"{source}.T" if len(along) == 2 else source
            if len(along) <= 2:
                return f"{order}[{names}.astype(int)]"
        slots = ", ".join(":" if i in along else "None" for i in range(len(shape)))
        spread = f"{source}[{slots}, :]" if len(along) - 1 != len(shape) else source
        names = self._spread(trimmed)
        return f"pick({spread}, {names}, {_tuple(shape)}, {rows})"


_INFIX = {ops.add: "+", ops.mul: "*", SUBTRACT: "-", ops.power: "**"}
_NUMPY = (
    "maximum", "minimum", "einsum", "broadcast_to", "full", "power", "exp", "log", "sqrt", "tanh",
    "sin", "cos", "ones",
)  # fmt: skip


def _moving(access: Access) -> list[int]:
    return [
        i for i, (n, s) in enumerate(zip(access.shape, access.strides, strict=True)) if s and n > 1
    ]


def _dense(sizes: Sequence[int]) -> tuple[int, ...]:
    strides: list[int] = []
    step = 1
    for size in reversed(sizes):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def _tuple(sizes: Sequence[int]) -> str:
    return repr(tuple(int(s) for s in sizes))


def _view(array: np.ndarray, offset: int, shape: Any, strides: Any) -> np.ndarray:
    """Elements of an array in memory order, from `offset` on, walked with strides in elements."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return np.lib.stride_tricks.as_strided(
        flat[offset:], shape, [s * flat.itemsize for s in strides]
    )


def _join(*arrays: Any) -> np.ndarray:
    return np.concatenate([np.ravel(array) for array in arrays])


def _pick(table: np.ndarray, chosen: np.ndarray, shape: Any, rows: int) -> np.ndarray:
    """From each row of `table` (its last axis) the element that `chosen` says."""
    full = np.broadcast_to(table, (*shape, rows))
    index = np.broadcast_to(np.asarray(chosen), shape).astype(np.intp)
    return np.take_along_axis(full, index[..., None], -1)[..., 0]
