"""A group of like nodes as instructions: what it reads, factored into loops with strides."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from micrograd.lifting.complete import LONG, lengthened
from micrograd.lifting.groups import Wave
from micrograd.lifting.layout import Instruction
from micrograd.lifting.nodes import Node
from micrograd.lifting.straight import Straight
from micrograd.lifting.strides import FAR, Access, Loops, segments, squeezed

__all__ = ["Group", "Neutral", "cell", "gathered"]

_PIECES = 3  # a group is cut into at most so many regular pieces before it is gathered,
_DOT_PIECES = 16  # and a group of dots, where a gather copies most: q . k of a causal attention


class Neutral:
    """Constants that change nothing, to pad rows of different length with."""

    def __init__(self, constants: list[float]) -> None:
        self.constants = constants
        self.at: dict[float, int] = {}

    def prepare(self, group: list[Node]) -> None:
        if isinstance(group, Straight):
            for code in range(len(group.cases)):
                self._add(float(code))
            return
        if group[0].kind == "map":
            return
        lengths = {len(node.operands[-1]) for node in group}
        if len(lengths) > 1:
            self._add(self.number(group[0]))
            if group[0].kind == "dot" and max(lengths) >= LONG:
                self._add(1.0)  # for a mask

    def _add(self, number: float) -> None:
        if number not in self.at:
            self.at[number] = len(self.constants)
            self.constants.append(number)

    @staticmethod
    def number(node: Node) -> float:
        if node.kind != "chain":
            return 0.0
        assert node.op is not None
        return -np.inf if node.op.name == "maximum" else np.inf


def cell(node: Node, address: dict[int, int]) -> Instruction | None:
    """A single node of a few numbers as an instruction, as `Group` would make it, in less time.

    A program that no array fits has one for every operation. None: a case for `Group`.
    """
    count = max(map(len, node.operands))
    if count > 2 or node.kind == "take":
        return None
    shape = (2,) if count == 2 else ()
    still = (0,) * len(shape)
    operands = []
    for places in node.operands:
        first, *others = [address[place] for place in places]
        step = others[0] - first if others else 0
        if abs(step) > FAR:
            operands.append(Access(0, shape, (1,), np.array([first, *others])))
        else:
            operands.append(Access(first, shape, (step,) if shape else ()))
    start = None if node.start is None else Access(address[node.start], shape, still)
    out = Access(address[node.place], shape, still)
    return Instruction(node.kind, node.op, out, tuple(operands), start, len(shape), node.replaces)


class Group:
    """Like nodes whose results stand side by side from `base` on, about to become instructions."""

    def __init__(
        self, nodes: list[Node], base: int, address: dict[int, int], neutral: Neutral
    ) -> None:
        self.nodes = nodes
        self.kind = nodes[0].kind
        self.out = np.arange(base, base + len(nodes), dtype=np.int64)
        pad = neutral.at.get(neutral.number(nodes[0]), -1)
        self.reads = [
            _matrix([node.operands[role] for node in nodes], address, pad)
            for role in range(len(nodes[0].operands))
        ]
        if self.kind == "dot" and self.reads[1].shape[1] >= LONG:
            lengths = np.array([len(node.operands[1]) for node in nodes])
            if lengths.min() < lengths.max():
                short = np.arange(lengths.max()) >= lengths[:, None]
                self.reads = lengthened(self.reads, short, pad, neutral.at[1.0]) or self.reads
        self.starts = None
        if nodes[0].start is not None:
            self.starts = np.array([address[node.start] for node in nodes])  # type: ignore[index]

    def instructions(self) -> list[Instruction]:
        inner, inner_strides, regular = self._inner_loops()
        ends = None
        if all(regular) and not isinstance(self.nodes, Wave):
            ends = self._ends()
        ends = ends or [len(self.nodes)]
        return [
            self._instruction(a, b, inner, inner_strides, regular) for a, b in pairwise([0, *ends])
        ]

    def _ends(self) -> list[int] | None:
        """Where to cut nodes that no loops walk together; None: nowhere."""
        heads = [self.out] + [reads[:, 0] for reads in self.reads]
        if self.starts is not None:
            heads.append(self.starts)
        if all(map(Loops(len(self.nodes)).take, heads)):
            return None
        return segments(np.stack(heads), _DOT_PIECES if self.kind == "dot" else _PIECES)

    def _inner_loops(self) -> tuple[tuple[int, ...], list[tuple[int, ...]], list[bool]]:
        """The reduced loops: their shape, each operand's strides, which operands follow them."""
        if self.kind == "take":
            return self._table_loop()
        width = max(reads.shape[1] for reads in self.reads)
        if width == 1:
            return (), [()] * len(self.reads), [True] * len(self.reads)
        loops = Loops(width)
        regular = []
        for reads in self.reads:
            alone = reads.shape[1] == 1
            regular.append(alone or (_rows_alike(reads) and loops.take(reads[0])))
        shape = loops.shape
        still = (0,) * len(shape)
        strides = [
            loops.strides(reads[0]) if good and reads.shape[1] > 1 else still
            for reads, good in zip(self.reads, regular, strict=True)
        ]
        return shape, strides, regular

    def _table_loop(self) -> tuple[tuple[int, ...], list[tuple[int, ...]], list[bool]]:
        """The rows that a take chooses from: always one loop, for an index is one integer.

        A table whose rows do not lie at one distance from each other is gathered.
        """
        table = self.reads[1]
        distances = np.diff(table, axis=1)
        step = int(distances[0, 0]) if distances.size else 0
        even = abs(step) <= FAR and bool((distances == step).all())
        return (table.shape[1],), [(0,), (step if even else 0,)], [True, even]

    def _instruction(
        self,
        a: int,
        b: int,
        inner: tuple[int, ...],
        inner_strides: Sequence[tuple[int, ...]],
        regular: Sequence[bool],
    ) -> Instruction:
        """Nodes a to b as one instruction, whose operands are read by strides where they factor.

        An operand that does not factor together with the others is gathered.
        """
        loops = Loops(b - a)
        starts = None if self.starts is None else self.starts[a:b]
        start_fits = starts is not None and loops.take(starts)
        reads = [found[a:b] for found in self.reads]
        fits = [good and loops.take(rows[:, 0]) for rows, good in zip(reads, regular, strict=True)]
        for rows, good in zip(reads, fits, strict=True):
            if not good:  # loops along which a gathered operand stays the same
                changes = (rows[1:] != rows[:-1]).any(axis=1)
                if not changes.all():
                    loops.take(np.concatenate(([0], changes.cumsum())))
        outer = loops.shape
        shape, still = outer + inner, (0,) * len(inner)

        def access(addresses: np.ndarray, along: tuple[int, ...]) -> Access:
            return Access(int(addresses[0]), shape, loops.strides(addresses) + along)

        start = None
        if starts is not None:
            start = access(starts, still) if start_fits else gathered(starts, outer, inner)
        operands = [
            access(rows[:, 0], along) if good else gathered(rows, outer, inner)
            for rows, good, along in zip(reads, fits, inner_strides, strict=True)
        ]
        replaces = sum(node.replaces for node in self.nodes[a:b])
        out = access(self.out[a:b], still)
        return Instruction(
            self.kind, self.nodes[0].op, out, tuple(operands), start, len(inner), replaces
        )


def _rows_alike(reads: np.ndarray) -> bool:
    """Whether all rows are the first one, moved."""
    moves = reads[:, :1] - reads[0, 0]
    return bool((reads == reads[0] + moves).all())


def _matrix(rows: list[Sequence[int]], address: dict[int, int], pad: int) -> np.ndarray:
    """The addresses of one operand of every node: (n, width), short rows padded."""
    at = address.__getitem__
    width = max(map(len, rows))
    found: list[int] = []  # flat: NumPy takes half the time for it
    if width == 1:
        found = [at(place) for (place,) in rows]
    else:
        seen: dict[int, list[int]] = {}  # x @ w reads each row of x many times, as one tuple
        for places in rows:
            row = seen.get(id(places))
            if row is None:
                row = list(map(at, places))
                row += [pad] * (width - len(row))
                seen[id(places)] = row
            found += row
    return np.array(found, dtype=np.int64).reshape(len(rows), width)


def gathered(reads: np.ndarray, outer: tuple[int, ...], inner: tuple[int, ...]) -> Access:
    """Addresses, a row for each of the outer loops, as an access that copies them out first."""
    if reads.ndim == 1 or reads.shape[1] == 1:
        addresses, strides = squeezed(reads.reshape(-1), outer)
        return Access(0, outer + inner, (*strides, *(0,) * len(inner)), addresses)
    addresses, strides = squeezed(reads.reshape(-1), outer + inner)
    return Access(0, outer + inner, strides, addresses)
