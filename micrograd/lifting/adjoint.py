"""The backward code of a program, instruction by instruction, derived from the op table's rows.

Gradients live in an array beside the numbers ('g'; 'd' for the parameters). The first contribution
to a place is written, later ones are added, so that nothing need be zeroed that is written whole.

A node that no gradient reaches passes nothing on, not even 0, which would be nan where it meets
inf. An instruction computes a whole group of nodes, and some of them may be out of reach: then the
code is `partial`, and whoever finds inf or nan in its result asks for the `exact` code, in which
such an instruction is cut into pieces that a gradient reaches whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.lifting.forward import ForwardWriter, cell_addresses, is_scalar
from micrograd.lifting.rows import PRODUCTS, QUOTIENT_PLUS, SUBTRACT
from micrograd.lifting.run.tables import scatter_add
from micrograd.lifting.schedule import PARAMETERS, Instruction, gathered
from micrograd.lifting.strides import Access, nest, segments
from micrograd.lifting.symbols import Symbol, is_number
from micrograd.lifting.views import Views, addresses
from micrograd.lifting.write import Target, inputs_first

__all__ = ["AdjointWriter", "reads"]


class AdjointWriter(ForwardWriter):
    """Writes g[operands] += d out / d operand * g[out], last instruction first.

    `wanted` says which addresses of the program's own buffer need a gradient at all.
    """

    def __init__(
        self,
        views: Views,
        copies: dict[Any, str],
        wanted: np.ndarray,
        outputs: Sequence[int],
        parameters: int,
        exact: bool = False,
    ) -> None:
        super().__init__(views, copies)
        self.wanted = wanted
        self.exact = exact
        self.partial = False  # whether some node of an instruction gets no gradient, and others do
        self.outputs = np.array(outputs, dtype=np.int64)
        self.written = {"g": np.zeros(len(wanted), bool), "d": np.zeros(parameters, bool)}
        self.arrived = np.zeros(len(wanted), bool)  # where a gradient comes from an instruction
        self.reached = np.zeros(len(wanted), bool)  # there, or from outside
        self.written["g"][self.outputs] = self.reached[self.outputs] = True
        self.missing = {"g": [self.outputs]}  # read or added to before they are written

    def collect(self, inputs: Sequence[int]) -> None:
        """Once all is written: zeros and the outputs' gradients first; `inputs` are read after."""
        fills = []
        self._zero("g", np.array(inputs, dtype=np.int64))
        self._zero("d", np.flatnonzero(~self.written["d"]))
        for buffer, places in sorted(self.missing.items()):
            marked = np.zeros(len(self.written[buffer]), dtype=bool)
            for some in places:  # np.unique of six million places took 12 s
                marked[some] = True
            found = np.flatnonzero(marked)
            breaks = (
                np.flatnonzero(np.diff(found) > 8) + 1
            )  # zeroing a short gap is cheaper than a call
            for run in np.split(found, breaks):
                view = self.view(Target(buffer, int(run[0]), (1,)), (int(run[-1] - run[0]) + 1,))
                fills.append(f"{view}.fill(0.0)")
        seeds = ["for place, gradient in seeds:", "    g_[place] += gradient"]
        self.lines[:0] = fills + seeds

    # --- who wants what ---------------------------------------------------------------------------

    def wants(self, access: Access) -> bool:
        places = reads(access)
        if places.max(initial=0) >= PARAMETERS:
            return True
        return bool(self.wanted[places].any())

    def arrive(self, access: Access) -> None:
        """A gradient arrives at every place of an operand."""
        places = reads(access)
        if places.max(initial=0) >= PARAMETERS:
            places = places[places < PARAMETERS]
        self.arrived[places] = self.reached[places] = True

    def ready(self, access: Access) -> None:
        """Before gradients are read: places that nothing has been written to hold 0."""
        self._zero("g", reads(access))

    def _zero(self, buffer: str, places: np.ndarray) -> None:
        missing = places[~self.written[buffer][places]]
        if len(missing):
            self.missing.setdefault(buffer, []).append(missing)
            self.written[buffer][missing] = True

    # --- instructions -----------------------------------------------------------------------------

    def write(self, instruction: Instruction) -> None:
        if not self.wants(instruction.out):
            return
        if instruction.op is not None and not instruction.op.differentiable:
            return
        reached = self.reached[reads(instruction.out)]
        if not reached.any():
            return
        if not reached.all():
            self.partial = True
            if self.exact:
                for piece in pieces(instruction, reached):
                    self._write(piece)
                return
        self._write(instruction)

    def _write(self, instruction: Instruction) -> None:
        self.views.begin()
        self.ready(instruction.out)
        if is_scalar(instruction):
            self.scalar(instruction)
        else:
            getattr(self, instruction.kind)(instruction)

    def gradient(self, instruction: Instruction) -> Target:
        return Target("g", instruction.out.base, instruction.out.strides)

    def map(self, instruction: Instruction) -> None:
        shape, op = instruction.out.shape, instruction.op
        assert op is not None
        xs = [Symbol("") for _ in instruction.operands]
        out = Symbol(self.view(self.out(instruction), shape))
        g = Symbol(self.view(self.gradient(instruction), shape))
        if op is ops.mul and _same_access(*instruction.operands):  # d x*x = 2 x: one pass for two
            square = instruction.operands[0]
            if self.wants(square):
                twice = self.doubled(self.gradient(instruction), shape)
                self.pass_on_product(square, shape, twice, self.read(square))
            return
        if op is SUBTRACT:
            contributions: Sequence[Any] = (g, -g)
        else:
            contributions = op.gradients(g, xs, out)
        asked = [
            (k, access, contribution)
            for k, (access, contribution) in enumerate(
                zip(instruction.operands, contributions, strict=True)
            )
            if contribution is not None and self.wants(access)
        ]
        for k, symbol in enumerate(xs):  # only the operands that a rule looks at are read
            if any(not is_number(c) and symbol in inputs_first(c) for _, _, c in asked):
                symbol.name = self.view(self.read(instruction.operands[k]), shape)
        for k, access, contribution in asked:
            if is_number(contribution):  # 0, too: a gradient of 0 arrives
                self.pass_on(access, shape, Symbol(None, ops.add, (contribution, 0.0)))
                continue
            stays = 0 in [s for s, n in zip(access.strides, shape, strict=True) if n > 1]
            if op in PRODUCTS and stays and access.gather is None:
                other = self.read(instruction.operands[1 - k])
                self.pass_on_product(access, shape, self.gradient(instruction), other)
                continue
            self.pass_on(access, shape, contribution)

    def sum(self, instruction: Instruction) -> None:
        (operand,) = instruction.operands
        if self.wants(operand):
            g = self.gradient(instruction)
            self.pass_on(operand, operand.shape, Symbol(self.view(g, operand.shape)))

    def chain(self, instruction: Instruction) -> None:
        """As the chain of pairs passes it on, ties included: one array function for all rows."""
        (operand,) = instruction.operands
        if not self.wants(operand):
            return
        shape = operand.shape
        x = self.view(self.read(operand), shape)
        outer = len(shape) - instruction.inner
        g = self.view(
            Target("g", instruction.out.base, instruction.out.strides[:outer]), shape[:outer]
        )
        name = self.views.temporary(shape)
        self.views.function("chain_gradient", chain_gradient)
        largest = instruction.op is ops.maximum
        self.emit(f"chain_gradient({x}, {g}, {largest}, {name})")
        self.pass_on(operand, shape, Symbol(name))

    def dot(self, instruction: Instruction) -> None:
        shape = instruction.out.shape
        g = self.gradient(instruction)
        x, w = instruction.operands
        if _same_access(x, w) and self.wants(x):  # d x.x = 2 x: one pass for two
            self.pass_on_product(x, shape, self.doubled(g, shape, instruction.inner), self.read(x))
            self._start(instruction)
            return
        factors = [self.read(x) if self.wants(w) else None, self.read(w) if self.wants(x) else None]
        for access, other in ((x, factors[1]), (w, factors[0])):
            if other is not None:
                self.pass_on_product(access, shape, g, other)
        self._start(instruction)

    def doubled(self, g: Target, shape: tuple[int, ...], inner: int = 0) -> Target:
        """Twice the gradient, as an array of its own."""
        outer = len(shape) - inner
        name = self.views.temporary(shape[:outer])
        view = self.view(Target(g.buffer, g.base, g.strides[:outer]), shape[:outer])
        self.views.function("multiply", np.multiply)
        self.emit(f"multiply({view}, {self.number(2.0)}, {name})")
        strides, step = [0] * len(shape), 1
        for i in reversed(range(outer)):
            strides[i] = step if shape[i] > 1 else 0
            step *= shape[i]
        return Target(name, 0, strides)

    def _start(self, instruction: Instruction) -> None:
        """What a dot began its sum from gets the gradient as it is."""
        shape = instruction.out.shape
        g = self.gradient(instruction)
        start = instruction.start
        if start is not None and self.wants(start):
            outer = len(shape) - instruction.inner
            trimmed = Access(start.base, shape[:outer], start.strides[:outer], start.gather)
            g = Target(g.buffer, g.base, g.strides[:outer])
            self.pass_on(trimmed, shape[:outer], Symbol(self.view(g, shape[:outer])))

    def take(self, instruction: Instruction) -> None:
        table = instruction.operands[1]
        if not self.wants(table):
            return
        chosen = self.chosen(instruction)
        outer = instruction.out.shape[:-1]
        g = self.view(
            Target("g", instruction.out.base, instruction.out.strides[: len(outer)]), outer
        )
        self.views.function("scatter_add", scatter_add)
        self.arrive(table)
        if table.gather is None:
            buffer, _ = self.space(table.base, gradients=True)
            places = reads(table) % PARAMETERS
            self._zero(buffer, places)
            first, last = int(places.min()), int(places.max()) + 1
            self.emit(f"scatter_add({buffer}, {first}, {last}, {chosen}, {g})")
            return
        copied = self.views.temporary(table.gather.shape)
        self.emit(f"{copied}.fill(0.0)")
        self.emit(f"scatter_add({copied}, 0, {table.gather.size}, {chosen}, {g})")
        self._add(table, table.gather.shape, (1,), copied)

    # --- passing on -------------------------------------------------------------------------------

    def pass_on(self, access: Access, shape: tuple[int, ...], symbol: Symbol) -> None:
        """Add what `symbol` computes over loops of `shape`, summed where the operand stays."""
        self.arrive(access)
        kept = [
            i for i, (n, s) in enumerate(zip(shape, access.strides, strict=True)) if s and n > 1
        ]
        summed = tuple(i for i in range(len(shape)) if i not in kept and shape[i] > 1)
        sizes = tuple(shape[i] for i in kept)
        strides = tuple(access.strides[i] for i in kept)
        if not summed and access.gather is None and self._fresh(access):
            self.expression(symbol, shape, self._place(access, shape, access.strides))
            return
        name = self.expression(symbol, shape)
        if not summed:
            if len(kept) < len(shape):
                name = f"{name}.reshape({sizes})"
            self._add(access, sizes, strides, name)
            return
        axes = tuple(i for i in range(len(shape)) if i not in kept)
        if access.gather is None and self._fresh(access):
            out = self._place(access, sizes, strides)
            self.reduced(name, shape, axes, out)
            return
        total = self.views.temporary(sizes)
        self.reduced(name, shape, axes, total)
        self._add(access, sizes, strides, total)

    def pass_on_product(
        self, access: Access, shape: tuple[int, ...], g: Target, other: Target
    ) -> None:
        """Add the product g * other, summed along the loops that the operand stays at."""
        self.arrive(access)
        kept = [
            i for i, (n, s) in enumerate(zip(shape, access.strides, strict=True)) if s and n > 1
        ]
        sizes = tuple(shape[i] for i in kept)
        strides = tuple(access.strides[i] for i in kept)
        if access.gather is None and self._unique(access):
            buffer, base = self.space(access.base, gradients=True)
            fresh = self._fresh(access)
            self.contract(shape, g, other, Target(buffer, base, access.strides), add=not fresh)
            return
        name = self.views.temporary(sizes)
        dense, step = [0] * len(shape), 1
        for i in reversed(kept):
            dense[i] = step
            step *= shape[i]
        self.contract(shape, g, other, Target(name, 0, dense))
        self._add(access, sizes, strides, name)

    def _unique(self, access: Access) -> bool:
        """Whether loops that move never meet one address twice."""
        moving = [(n, s) for n, s in zip(access.shape, access.strides, strict=True) if s and n > 1]
        if _distinct(moving):
            return True
        found = addresses(0, [n for n, _ in moving], [s for _, s in moving])
        return len(np.unique(found)) == found.size

    def _fresh(self, access: Access) -> bool:
        """Whether to write directly: nothing there yet, no address twice. Marks it written."""
        if not self._unique(access):
            return False
        buffer, _ = self.space(access.base, gradients=True)
        places = reads(access) % PARAMETERS
        written = self.written[buffer]
        if written[places].any():
            self._zero(buffer, places)
            return False
        written[places] = True
        return True

    def _place(self, access: Access, shape: Sequence[int], strides: Sequence[int]) -> str:
        buffer, base = self.space(access.base, gradients=True)
        return self.view(Target(buffer, base, strides), shape)

    def _add(
        self, access: Access, sizes: tuple[int, ...], strides: tuple[int, ...], name: str
    ) -> None:
        """grads += array, through the operand's view or its list of addresses."""
        if access.gather is None and self._unique(access):
            buffer, _ = self.space(access.base, gradients=True)
            self._zero(buffer, reads(access) % PARAMETERS)
            out = self._place(access, sizes, strides)
            self.views.function("add", np.add)
            self.emit(f"add({out}, {name}, {out})")
            return
        if access.gather is None:
            found = addresses(access.base, sizes, strides).reshape(-1)
        else:
            found = access.gather
        inside = found < PARAMETERS
        for mask in (inside, ~inside):
            places = found[mask]
            if not len(places):
                continue
            buffer = "d" if places[0] >= PARAMETERS else "g"
            local = places % PARAMETERS
            if buffer == "g" and not self.wanted[local].any():
                continue
            part = name + (".ravel()" if len(sizes) != 1 else "")
            if not mask.all():
                part += f"[{self.index(np.flatnonzero(mask))}]"
            self._zero(buffer, np.unique(local))
            wanted = local if buffer == "d" else local[self.wanted[local]]
            if len(np.unique(wanted)) == len(wanted):  # only addresses nobody asks for repeat
                self.emit(f"{buffer}[{self.index(local)}] += {part}")
            else:
                self.views.function("add_at", np.add.at)
                self.emit(f"add_at({buffer}, {self.index(local)}, {part})")

    # --- one number at a time ---------------------------------------------------------------------

    def scalar(self, instruction: Instruction) -> None:
        g = f"g_[{instruction.out.base}]"
        columns = [cell_addresses(access, instruction.inner) for access in instruction.operands]
        if instruction.kind == "dot":
            pairs = list(zip(*columns, strict=True))
            for x, w in pairs:
                self._push(x, f"{self.cell(w)} * {g}")
                self._push(w, f"{self.cell(x)} * {g}")
            if instruction.start is not None:
                self._push(cell_addresses(instruction.start, 0)[0], g)
        elif instruction.kind == "sum" or instruction.op is ops.add:
            for address in [a for column in columns for a in column]:
                self._push(address, g)
        elif instruction.op is SUBTRACT:
            self._push(columns[0][0], g)
            self._push(columns[1][0], f"-{g}")
        elif instruction.op in PRODUCTS:
            x, w = columns[0][0], columns[1][0]
            self._push(x, f"{self.cell(w)} * {g}")
            self._push(w, f"{self.cell(x)} * {g}")
        elif instruction.op is QUOTIENT_PLUS:
            a, inverse, _, x, w = (column[0] for column in columns)
            for factor, other in ((a, inverse), (inverse, a), (x, w), (w, x)):
                self._push(factor, f"{self.cell(other)} * {g}")
        elif instruction.kind == "chain":
            view = self.view(self.read(instruction.operands[0]), instruction.out.shape)
            self.views.function("chain_gradient", chain_gradient)
            name = self.views.temporary(instruction.out.shape)
            out = self.view(Target("g", instruction.out.base, ()), ())
            largest = instruction.op is ops.maximum
            self.emit(f"chain_gradient({view}, {out}, {largest}, {name})")
            for k, address in enumerate(columns[0]):
                self._push(address, f"float({name}.flat[{k}])")
        else:
            op = instruction.op
            assert op is not None
            function = self.views.constant("gradients", op.number_gradients, id(op))
            cells = [self.cell(column[0]) for column in columns]
            values = ", ".join(cells) + ","
            self.emit(f"parts = {function}({g}, ({values}), {self.cell(instruction.out.base)})")
            flows = op.gradients(Symbol("g"), [Symbol("x") for _ in columns], Symbol("out"))
            for k, (column, contribution) in enumerate(zip(columns, flows, strict=True)):
                if contribution is not None:
                    self._push(column[0], f"parts[{k}]")

    def _asked(self, address: int) -> bool:
        return address >= PARAMETERS or bool(self.wanted[address])

    def _push(self, address: int, expression: str) -> None:
        if not self._asked(address):
            return
        buffer, at = self.space(address, gradients=True)
        if buffer == "g":
            self.arrived[at] = self.reached[at] = True
        fresh = not self.written[buffer][at]
        self.written[buffer][at] = True
        self.emit(f"{buffer}_[{at}] {'=' if fresh else '+='} {expression}")


def reads(access: Access) -> np.ndarray:
    """The addresses that an operand reads; each once, if it reads through loops."""
    if access.gather is not None:
        return access.gather
    moving = [(n, s) for n, s in zip(access.shape, access.strides, strict=True) if s and n > 1]
    found = addresses(access.base, [n for n, _ in moving], [s for _, s in moving]).reshape(-1)
    return found if _distinct(moving) else np.unique(found)


def pieces(instruction: Instruction, kept: np.ndarray) -> list[Instruction]:
    """An instruction cut into such as compute only the `kept` ones of its results."""
    inner = instruction.inner
    outer = len(instruction.out.shape) - inner
    loops = instruction.out.shape[outer:]
    chosen = np.flatnonzero(kept)
    accesses = [instruction.out, *instruction.operands]
    accesses += [] if instruction.start is None else [instruction.start]
    rows = [_rows(access, outer)[chosen] for access in accesses]
    regular = [k for k, access in enumerate(accesses) if access.gather is None]
    heads = np.stack([rows[k][:, 0] for k in regular])
    found = []
    begin = 0
    for end in segments(heads, len(chosen)) or []:
        factored = nest(heads[:, begin:end])
        assert factored is not None
        shape, strides = factored
        cut = {
            k: Access(
                int(rows[k][begin, 0]),
                shape + loops,
                (*map(int, along), *accesses[k].strides[outer:]),
            )
            for k, along in zip(regular, strides, strict=True)
        }
        for k, table in enumerate(rows):
            if k not in cut:
                cut[k] = gathered(table[begin:end], shape, loops)
        operands = tuple(cut[k + 1] for k in range(len(instruction.operands)))
        start = cut[len(accesses) - 1] if instruction.start is not None else None
        found.append(instruction._replace(out=cut[0], operands=operands, start=start))
        begin = end
    return found


def _rows(access: Access, outer: int) -> np.ndarray:
    """The addresses that each of the outer loops reads: (results, terms)."""
    base = access.base if access.gather is None else 0
    found = addresses(base, access.shape, access.strides)
    if access.gather is not None:
        found = access.gather[found]
    return found.reshape(math.prod(access.shape[:outer]), -1)


def _same_access(x: Access, w: Access) -> bool:
    if x.gather is None or w.gather is None:
        return x.gather is w.gather and x[:3] == w[:3]
    return x[:3] == w[:3] and np.array_equal(x.gather, w.gather)


def _distinct(loops: Sequence[tuple[int, int]]) -> bool:
    """True if each stride is larger than all that the loops inside it span together.

    Then no address is visited twice. (Sufficient, not necessary.)
    """
    reach = 0
    for length, stride in sorted(loops, key=lambda loop: abs(loop[1])):
        if abs(stride) <= reach:
            return False
        reach += (length - 1) * abs(stride)
    return True


def chain_gradient(x: np.ndarray, g: np.ndarray, largest: bool, out: np.ndarray) -> None:
    """out = d max(max(x0, x1), ...) / d x * g, along the last axis.

    At each pair the whole gradient goes to the larger number, and half to each of equal ones.
    """
    rows = x.reshape(*g.shape, -1)
    result = np.empty(rows.shape)
    accumulate = np.maximum.accumulate if largest else np.minimum.accumulate
    best = accumulate(rows, axis=-1)
    arriving = np.array(g, dtype=np.float64)
    for k in range(rows.shape[-1] - 1, 0, -1):
        before, new = best[..., k - 1], rows[..., k]
        wins = new > before if largest else new < before
        loses = new < before if largest else new > before
        tie = before == new
        result[..., k] = np.where(tie, 0.5 * arriving, np.where(loses, 0.0, arriving))
        arriving = np.where(tie, 0.5 * arriving, np.where(wins, 0.0, arriving))
    result[..., 0] = arriving
    out[...] = result.reshape(x.shape)
