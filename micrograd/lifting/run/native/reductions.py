"""Sums and maxima of a nest in code: several at once, each in parts, combined at the end.

Parts and several results at once are there because an addition takes four cycles and two can begin
in each. Nothing depends on an order of additions but the last digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from micrograd import ops
from micrograd.lifting.run.native.code import kind
from micrograd.lifting.run.native.memory import At, Memory
from micrograd.lifting.run.native.nests import Nest, Statement
from micrograd.lifting.run.native.plans import Plan, depends
from micrograd.lifting.run.native.rows import Rows, combined, neutral
from micrograd.lifting.run.native.statements import StatementWriter
from micrograd.lifting.steps.expression import Apply

__all__ = ["ReductionWriter"]

_UNROLLED = 8  # a loop of so few turns is written out
Sums = list[str]


class ReductionWriter(StatementWriter):
    """Writes the inner loops of a nest; `across`: the lanes' loop is one of them."""

    def __init__(self, rows: Rows, nest: Nest, plan: Plan, memory: Memory) -> None:
        super().__init__(rows, nest, memory)
        self.plan = plan
        inner = range(nest.outer, len(nest.loops))
        self.across = plan.lane is not None and plan.lane in inner
        self.sums = sorted(inner, key=lambda k: k == plan.lane)  # the lanes' loop last

    def reduced(self, places: Sequence[At], across: int, parts: int) -> Sums:
        """The totals of each place. Each is made in several parts, combined at the end."""
        code, op = self.code, self.nest.combine
        assert op is not None
        widths = [across or place.width for place in places]
        self.memory.enter()
        self.preload_sums(places)
        start = [code.number(neutral(op), w) for _ in range(parts) for w in widths]
        sums = self.inner_loops(self.sums, places, start, parts)
        self.memory.leave()
        count = len(places)
        while len(sums) > count:
            more = sums[-count:]
            del sums[-count:]
            sums[:count] = [
                combined(code, w, op, a, b) for w, a, b in zip(widths, sums, more, strict=False)
            ]
        return sums

    def preload_sums(self, places: Sequence[At]) -> None:
        """Read what does not move along the loops of the reduction before they begin."""
        for statement in self.nest.body:
            for view in statement.views:
                if self.memory.lasts(view) and not any(depends(view, k) for k in self.sums):
                    for place in places:
                        self.memory.read(view, place)

    def inner_loops(
        self, loops: Sequence[int], places: Sequence[At], sums: Sums, parts: int
    ) -> Sums:
        """The sums after the remaining loops."""
        if not loops:
            return self.added(places, sums)
        k, n = loops[0], self.nest.loops[loops[0]]
        if k == self.plan.lane:
            return self.last_loop(k, n, self.plan.width, places, sums, parts)
        if len(loops) == 1:
            return self.last_loop(k, n, 1, places, sums, parts)
        return self.repeated(
            k, n, 1, places, sums, lambda x, s: self.inner_loops(loops[1:], x, s, parts)
        )

    def last_loop(
        self, k: int, n: int, width: int, places: Sequence[At], sums: Sums, parts: int
    ) -> Sums:
        """The innermost loop: `parts` turns at once, each into sums of its own; then the rest."""
        count = len(places)

        def once(here: Sequence[At], before: Sums, first: int, number: int) -> Sums:
            for part in range(number):
                turned = self.shifted(here, k, (first + part) * width)
                wide = self.widened(turned, width, width)
                own = slice(part * count, (part + 1) * count)
                before[own] = self.added(wide, before[own])
            return before

        whole = n // width
        rounds = whole // parts
        if rounds:
            sums = self.repeated(
                k, rounds * parts * width, parts * width, places, sums,
                lambda x, s: once(x, list(s), 0, parts),
            )  # fmt: skip
        sums = once(places, list(sums), rounds * parts, whole - rounds * parts)
        if left := n - whole * width:
            self.memory.enter()
            tail = self.widened(self.shifted(places, k, whole * width), width, left)
            sums[:count] = self.added(tail, sums[:count])
            self.memory.leave()
        return sums

    def widened(self, places: Sequence[At], width: int, count: int) -> Sequence[At]:
        """The places with the lanes of a loop that is summed across lanes."""
        if not self.across:
            return places
        return [replace(p, lane=self.plan.lane, width=width, count=count) for p in places]

    def shifted(self, places: Sequence[At], k: int, turns: int) -> list[At]:
        return [place.moved(self.memory, k, turns) for place in places]

    def repeated(
        self, k: int, stop: int, step: int, places: Sequence[At], sums: Sums,
        inside: Callable[[Sequence[At], Sums], Sums],
    ) -> Sums:  # fmt: skip
        """Sums carried through a loop, which is written out if it is short."""
        turns = stop // step
        if turns == 1 or (turns <= _UNROLLED and turns * len(sums) <= 4 * _UNROLLED):
            for turn in range(0, stop, step):
                self.memory.enter()
                sums = inside(self.shifted(places, k, turn), sums)
                self.memory.leave()
            return sums
        width = self.plan.width if self.across else 0
        kinds = [kind(width or place.width) for place in places]
        loop = self.code.open(stop, step, sums, kinds * (len(sums) // len(kinds)))
        self.memory.enter()
        starts = self.memory.all_moved([p.pointers for p in places], k, loop.index)
        here = [replace(p, pointers=x) for p, x in zip(places, starts, strict=True)]
        sums = inside(here, list(loop.carried))
        self.memory.leave()
        self.code.close(loop, sums)
        return sums

    def added(self, places: Sequence[At], sums: Sums) -> Sums:
        """One more term for each of the sums."""
        op = self.nest.combine
        assert op is not None
        *before, last = self.nest.body
        found = []
        for place, total in zip(places, sums, strict=True):
            known: dict[int, str] = {}
            self.statements(before, place, known)
            found.append(self.one_more(last, len(before), place, known, total))
        return found

    def one_more(
        self, last: Statement, number: int, at: At, known: dict[int, str], total: str
    ) -> str:
        code, op, value = self.code, self.nest.combine, last.value
        assert op is not None
        product = isinstance(value, Apply) and value.op is ops.mul and last.out is None
        if op is ops.add and product:
            assert isinstance(value, Apply)
            a, b = (self.number(x, last, at, known) for x in value.inputs)
            found = code.fma(at.width, a, b, total)
        else:
            self.statement(last, number, at, known)
            found = combined(code, at.width, op, total, known[number])
        if at.count == at.width:
            return found
        return code.select(at.width, code.mask(at.width, at.count), found, total)

    def across_lanes(self, xs: Sums, count: int) -> str:
        """One vector whose lane r combines all lanes of xs[r]; pairs of vectors become one."""
        code, op, width = self.code, self.nest.combine, self.plan.width
        assert op is not None
        xs = [*xs, *[xs[-1]] * (count - len(xs))]
        half = 1
        while len(xs) > 1:
            groups = [range(k, k + half) for k in range(0, width, 2 * half)]
            low = [j for g in groups for j in (*g, *(width + j for j in g))]
            high = [j + half for j in low]
            xs = [
                combined(
                    code, width, op, code.shuffle(width, a, b, low), code.shuffle(width, a, b, high)
                )
                for a, b in zip(xs[::2], xs[1::2], strict=True)
            ]
            half *= 2
        (x,) = xs
        while width > count:
            width //= 2
            parts = []
            for lanes in (range(width), range(width, 2 * width)):
                if width == 1:
                    parts.append(code.lane(2, x, lanes[0]))
                else:
                    parts.append(code.shuffle(2 * width, x, "poison", list(lanes)))
            x = combined(code, width, op, *parts)
        return x
