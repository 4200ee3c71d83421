"""A group of like nodes as instructions: what it reads, factored into loops with strides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from micrograd.lifting.complete import LONG, lengthened
from micrograd.lifting.groups import Wave
from micrograd.lifting.layout import Instruction
from micrograd.lifting.nodes import Node
from micrograd.lifting.straight import Straight
from micrograd.lifting.strides import FAR, Access, nest, segments, squeezed

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
        n = len(self.nodes)
        inner, inner_strides, regular = self._inner_loops()
        heads = [self.out] + [reads[:, 0] for reads in self.reads]
        if self.starts is not None:
            heads.append(self.starts)
        certain = [0] + [k + 1 for k, good in enumerate(regular) if good]
        certain += [len(heads) - 1] if self.starts is not None else []
        whole = np.stack([heads[k] for k in certain])
        ends: list[int] | None = [n]
        if nest(whole) is None:
            ends = None
            if not isinstance(self.nodes, Wave):
                ends = segments(whole, _DOT_PIECES if self.kind == "dot" else _PIECES)
        if all(regular) and ends is not None:
            return [
                self._instruction(a, b, inner, inner_strides, regular)
                for a, b in zip([0, *ends], ends, strict=False)
            ]
        return [self._instruction(0, n, inner, inner_strides, regular)]

    def _inner_loops(self) -> tuple[tuple[int, ...], np.ndarray, list[bool]]:
        """The reduced loops: their shape, each operand's strides, which operands follow them."""
        if self.kind == "take":
            return self._table_loop()
        wide = [reads for reads in self.reads if reads.shape[1] > 1]
        if not wide:
            return (), np.zeros((len(self.reads), 0), dtype=np.int64), [True] * len(self.reads)
        regular = []
        offsets: list[np.ndarray] = []
        for reads in self.reads:
            steps = reads - reads[:, :1]
            good = reads.shape[1] == 1 or bool((steps == steps[:1]).all())
            row = np.zeros(wide[0].shape[1], dtype=np.int64) if reads.shape[1] == 1 else steps[0]
            if good and nest(np.stack([*offsets, row])) is not None:
                offsets.append(row)
                regular.append(True)
            else:
                regular.append(False)
        if not offsets:
            return (wide[0].shape[1],), np.zeros((len(self.reads), 1), dtype=np.int64), regular
        factored = nest(np.stack(offsets))
        assert factored is not None
        shape, found = factored
        strides = np.zeros((len(self.reads), len(shape)), dtype=np.int64)
        strides[regular] = found
        return shape, strides, regular

    def _table_loop(self) -> tuple[tuple[int, ...], np.ndarray, list[bool]]:
        """The rows that a take chooses from: always one loop, for an index is one integer.

        A table whose rows do not lie at one distance from each other is gathered.
        """
        table = self.reads[1]
        distances = np.diff(table, axis=1)
        step = int(distances[0, 0]) if distances.size else 0
        even = abs(step) <= FAR and bool((distances == step).all())
        return (table.shape[1],), np.array([[0], [step if even else 0]]), [True, even]

    def _instruction(
        self, a: int, b: int, inner: tuple[int, ...], inner_strides: np.ndarray, regular: list[bool]
    ) -> Instruction:
        """Nodes a to b as one instruction, whose operands are read by strides where they factor.

        An operand that does not factor together with the others is gathered.
        """
        lists = [self.out[a:b]]
        if self.starts is not None:
            lists.append(self.starts[a:b])
            if nest(np.stack(lists)) is None:
                lists.pop()
        start_factors = len(lists) == 2 or self.starts is None
        factors = []
        for reads, good in zip(self.reads, regular, strict=True):
            grown = [*lists, reads[a:b, 0]]
            fits = good and nest(np.stack(grown)) is not None
            factors.append(fits)
            if fits:
                lists = grown
        for reads, fits in zip(self.reads, factors, strict=True):
            if not fits:  # loops along which a gathered operand stays the same
                rows = reads[a:b]
                changes = np.concatenate(([0], np.cumsum((rows[1:] != rows[:-1]).any(axis=1))))
                if nest(np.stack([*lists, changes])) is not None:
                    lists = [*lists, changes]
        factored = nest(np.stack(lists))
        assert factored is not None
        outer, strides = factored
        shape = outer + inner
        zeros = (0,) * len(inner)
        out = Access(int(self.out[a]), shape, (*map(int, strides[0]), *zeros))
        start = None
        if self.starts is not None:
            if start_factors:
                start = Access(int(self.starts[a]), shape, (*map(int, strides[1]), *zeros))
            else:
                start = gathered(self.starts[a:b], outer, inner)
        operands = []
        row = 2 if self.starts is not None and start_factors else 1
        for role, (reads, fits) in enumerate(zip(self.reads, factors, strict=True)):
            if fits:
                along = (*map(int, strides[row]), *map(int, inner_strides[role]))
                operands.append(Access(int(reads[a, 0]), shape, along))
                row += 1
            else:
                operands.append(gathered(reads[a:b], outer, inner))
        replaces = sum(node.replaces for node in self.nodes[a:b])
        return Instruction(
            self.kind, self.nodes[0].op, out, tuple(operands), start, len(inner), replaces
        )


def _matrix(rows: list[Sequence[int]], address: dict[int, int], pad: int) -> np.ndarray:
    """The addresses of one operand of every node: (n, width), short rows padded."""
    at = address.__getitem__
    width = max(map(len, rows))
    if width == 1:
        return np.array([[at(place)] for (place,) in rows], dtype=np.int64)
    seen: dict[int, list[int]] = {}  # rows share their tuples: x @ w reads each row of x many times
    found = []
    for places in rows:
        row = seen.get(id(places))
        if row is None:
            row = list(map(at, places))
            row += [pad] * (width - len(row))
            seen[id(places)] = row
        found.append(row)
    return np.array(found, dtype=np.int64)


def gathered(reads: np.ndarray, outer: tuple[int, ...], inner: tuple[int, ...]) -> Access:
    """Addresses, a row for each of the outer loops, as an access that copies them out first."""
    if reads.ndim == 1 or reads.shape[1] == 1:
        addresses, strides = squeezed(reads.reshape(-1), outer)
        return Access(0, outer + inner, (*strides, *(0,) * len(inner)), addresses)
    addresses, strides = squeezed(reads.reshape(-1), outer + inner)
    return Access(0, outer + inner, strides, addresses)
