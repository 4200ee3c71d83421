"""One step as a NumPy statement: a map, a reduction, a product, a scatter, or a loop of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from micrograd import ops
from micrograd.lifting.steps.expression import Apply, Read, is_identity, reads_of
from micrograd.lifting.steps.ir import Array, Step
from micrograd.lifting.steps.notation import Line, comment, product
from micrograd.lifting.steps.operands import Operands, whole
from micrograd.lifting.steps.slices import bracketed, reshaped, tuple_text
from micrograd.lifting.steps.straight import cases_of
from micrograd.lifting.steps.turns import cases, recurrence
from micrograd.lifting.steps.walks import is_recurrence, moving, repeats, standing

__all__ = ["Statements"]

_LETTERS = "ijklmnopq"
_LONG = 120  # a longer statement is written again with names for its operands ...
_WORTH = 20  # ... that are at least so long


class Statements:
    """Writes one step after the other; `in_pieces` are arrays that no step writes whole."""

    def __init__(self, operands: Operands, in_pieces: Collection[Array]) -> None:
        self.operands = operands
        self._in_pieces = in_pieces
        self._declared: set[Array] = set()
        self._aside: list[Line] | None = None  # lines for operands, while a long one is written

    def lines(self, step: Step) -> list[Line]:
        """The statement, after the one that creates the array if the step fills only a part of it.

        A long one has names for what it reads, given in lines before it.
        """
        made = self._lines(step)
        if len(made[-1].statement) > _LONG:
            self._aside = []
            again = self._lines(step)
            made, self._aside = [*made[:-1], *self._aside, again[-1]], None
        return made

    def _lines(self, step: Step) -> list[Line]:
        step = _without_equal_rows(step)
        array = step.out.array
        declared = []
        if array not in self._declared:
            self._declared.add(array)
            if isinstance(step.value, float) and whole(step.out, step.loops):
                return [Line(f"{array.name} = {self._filled(array, step.value)}")]
            if array in self._in_pieces:
                declared = [Line(f"{array.name} = empty({tuple_text(self.operands.shape(array))})")]
        sign = "+=" if step.accumulate else "="
        if cases_of(step) is not None:
            return [*declared, *cases(self.operands, step)]
        if is_recurrence(step):
            return [*declared, recurrence(self.operands, step)]
        if step.accumulate and (step.out.gather is not None or repeats(step)):
            return [*declared, self._scattered(step)]
        step = _in_memory_order(step)
        target, flat = array.name, self._flat(step)
        if array in self._in_pieces and flat is None:
            target = self.operands.target(step.out, step.loops)
            if step.accumulate and target == f"{array.name}[...]":
                target = array.name
        elif array in self._in_pieces and not step.accumulate:
            target += "[...]"
        shape, value = flat or self._value(step)
        return [*declared, Line(f"{target} {sign} {value}", comment(shape, step.replaces))]

    def _filled(self, array: Array, number: float) -> str:
        shape = tuple_text(self.operands.shape(array))
        return f"full({shape}, {number!r})" if number else f"zeros({shape})"

    def _flat(self, step: Step) -> tuple[tuple[int, ...], str] | None:
        """A map of whole arrays, in the shape that they have."""
        array = step.out.array
        if step.combine is not None or not step.reads:
            return None
        wide = [view for view in step.reads if self.operands.shape(view.array) != ()]
        if not wide or not all(whole(view, step.loops) for view in (step.out, *wide)):
            return None
        if any(view.strides != step.out.strides for view in wide):
            return None
        for view in step.reads:
            self.operands.note(view.array)
        shapes = [self.operands.shape(view.array) for view in step.reads]
        shape = self.operands.shape(array, max(shapes, key=len))
        names = [
            view.array.name if own in (shape, ()) else reshaped(view.array.name, shape)
            for view, own in zip(step.reads, shapes, strict=True)
        ]
        new = not (step.accumulate or array in self._in_pieces)
        return shape, self._expression(step, names.__getitem__, new)

    def _expression(self, step: Step, reads: Callable[[int], str], new: bool = False) -> str:
        """What a step computes, as text; `new`: a plain copy must be an array of its own."""
        value, text = step.value, self.operands.notation.write(step.value, reads)
        if isinstance(value, Apply) and is_identity(value.op):
            value = value.inputs[0]
        if not new or not isinstance(value, Read):
            return text
        view = step.reads[value.k]
        return text if view.gather is not None or view.index is not None else f"{text}.copy()"

    def _value(self, step: Step) -> tuple[tuple[int, ...], str]:
        """The shape of what a step computes, and the text, which has the shape of its array."""
        out, array = moving(step.out, step.loops), step.out.array
        shape = tuple(step.loops[k] for k in out)
        own = shape if array in self._in_pieces else self.operands.shape(array, shape)
        factors = product(step.value) if step.combine is ops.add else None
        if step.combine is None:
            new = own != shape or not (array in self._in_pieces or step.accumulate)
            if new and out and not self._moves(step):  # one number everywhere
                return shape, f"full({tuple_text(own)}, {self._map(step, out, False)})"
            value = self._map(step, out, new)
        elif factors is not None and len(factors[0]) > 1:
            value = self._product(step, out, *factors)
        else:
            method = {"+": "sum", "maximum": "max", "minimum": "min"}[step.combine.name]
            summed = tuple(k for k, n in enumerate(step.loops) if n > 1 and k not in out)
            scale = ""
            if factors is not None and factors[0]:  # a constant stands before the sum
                step = replace(step, value=Read(factors[0][0]))
                scale = "".join(f" * {x!r}" for x in factors[1])
            value = self._reduced(step, out, summed, method) + scale
        return shape, value if own == shape else reshaped(bracketed(value), own)

    def _map(self, step: Step, axes: Sequence[int], new: bool) -> str:
        """The expression over these axes; `new`: it must have all of them and be no view."""
        complete = self._moves(step).issuperset(axes)
        text = self._expression(step, lambda k: self._operand(step, k, axes), new and complete)
        if complete or not new:
            return text
        return f"full({tuple_text([step.loops[k] for k in axes])}, {text})"

    def _operand(self, step: Step, k: int, axes: Sequence[int]) -> str:
        text = self.operands.aligned(step.reads[k], step.loops, axes)
        if self._aside is None or len(text) < _WORTH:
            return text
        name = self.operands.free("x")
        self._aside.append(Line(f"{name} = {text}"))
        return name

    def _moves(self, step: Step) -> set[int]:
        """The loops along which anything that the step reads moves."""
        return {j for k in reads_of(step.value) for j in moving(step.reads[k], step.loops)}

    def _reduced(self, step: Step, out: Sequence[int], summed: tuple[int, ...], method: str) -> str:
        if isinstance(step.value, Read):
            text, order = self.operands.natural(step.reads[step.value.k], step.loops)
            if sorted(order) == sorted([*out, *summed]):
                kept = [k for k in order if k in out]
                if kept == list(out):
                    gone = [order.index(k) for k in order if k in summed]
                    text = text if out else text.removesuffix(".ravel()")
                    return f"{text}.{method}({_axes(gone, len(order))})"
        axes = [*out, *summed]
        text = self._map(step, axes, not self._moves(step).issuperset(axes))
        return f"{bracketed(text)}.{method}({_axes(range(len(out), len(axes)), len(axes))})"

    def _product(
        self, step: Step, out: Sequence[int], reads: Sequence[int], numbers: Sequence[float]
    ) -> str:
        """A sum of products as the matrix product that it is, or as an einsum."""
        found = [self.operands.natural(step.reads[k], step.loops) for k in reads]
        orders = [order for _, order in found]
        covered = {k for order in orders for k in order}
        times = [n for k, n in enumerate(step.loops) if n > 1 and k not in covered and k not in out]
        scale = "".join(f" * {x!r}" for x in (*numbers, *times))
        shape = tuple(step.loops[k] for k in out)
        text = _matrix_product(found, out)
        if text is None:
            spelled = ",".join("".join(_LETTERS[k] for k in order) for order in orders)
            result = "".join(_LETTERS[k] for k in out if k in covered)
            text = f"einsum('{spelled}->{result}', {', '.join(x for x, _ in found)})"
        text += scale
        missing = [k for k in out if k not in covered]
        if missing:
            spread = ", ".join("None" if k in missing else ":" for k in out)
            text = f"full({tuple_text(shape)}, {bracketed(text)}[{spread}])"
        return text

    def _scattered(self, step: Step) -> Line:
        """out[places] += value, where places may repeat."""
        axes = [k for k, n in enumerate(step.loops) if n > 1]
        target, places, order = self.operands.places(step.out, step.loops)
        shape = tuple(step.loops[k] for k in axes)
        axes = [*order, *(k for k in axes if k not in order)]
        text = self._map(step, axes, False)
        if not self._moves(step).issuperset(axes):
            text = f"broadcast_to({text}, {tuple_text([step.loops[k] for k in axes])})"
        summed = tuple(range(len(order), len(axes)))
        if summed:
            text = f"{bracketed(text)}.sum({_axes(summed, len(axes))})"
        subscript = places[0] if len(places) == 1 else f"({', '.join(places)})"
        return Line(f"add.at({target}, {subscript}, {text})", comment(shape, 0))


def _matrix_product(found: Sequence[tuple[str, list[int]]], out: Sequence[int]) -> str | None:
    """x @ w for two factors of at most two axes each that share one."""
    if len(found) != 2 or not all(1 <= len(order) <= 2 for _, order in found):
        return None
    for (x, a), (w, b) in (found, found[::-1]):
        shared = [k for k in a if k in b]
        if len(shared) != 1 or shared[0] in out:
            continue
        if [k for k in (*a, *b) if k not in shared] == list(out):
            left = x if a[-1] == shared[0] else f"{x}.T"
            right = w if b[0] == shared[0] else f"{w}.T"
            return f"{left} @ {right}"
    return None


def _in_memory_order(step: Step) -> Step:
    """The step with its loops in the order in which `out` lies, and without those of one turn."""
    moves = moving(step.out, step.loops)
    if step.out.gather is None:
        moves.sort(key=lambda k: -abs(step.out.strides[k]))
    order = [*moves, *(k for k, n in enumerate(step.loops) if n > 1 and k not in moves)]
    loops = tuple(step.loops[k] for k in order)
    reads = tuple(view.along(order) for view in step.reads)
    return replace(step, loops=loops, out=step.out.along(order), reads=reads)


def _without_equal_rows(step: Step) -> Step:
    """Without the index of a table whose rows are all in one place (their distance is 0)."""
    out, *reads = (
        replace(view, index=None) if view.index is not None and not view.step else view
        for view in (step.out, *step.reads)
    )
    combine = ops.add if step.accumulate and standing(out, step.loops) else step.combine
    return replace(step, out=out, reads=tuple(reads), combine=combine)


def _axes(gone: Sequence[int], count: int) -> str:
    if len(gone) == count:
        return ""
    return f"axis={gone[0] if len(gone) == 1 else tuple(gone)}"
