"""Chains of + and * become dot products and sums; chains of maximum become one n-ary maximum.

Python unrolls `sum(w * x)` into 2n nodes. This pass walks a tape once and gives each chain back as
one `Node`, and the leaves that are left; `schedule.py` then groups like nodes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from itertools import compress
from typing import Any, NamedTuple

from micrograd import ops
from micrograd.lifting.rows import COPY, QUOTIENT, QUOTIENT_PLUS, SUBTRACT
from micrograd.lifting.tape import CONSTANT, DOT, MANY, NONE, PARAMETER, TAKE, Kind, Tape
from micrograd.op import Op

__all__ = ["Fused", "Node", "fuse", "needed"]

_CHAINED = (ops.maximum, ops.minimum)
_ODD_TERMS = 4  # so many terms of a sum may be made otherwise than the rest, and are added alone


class Node:
    """One scalar result: `kind` ('map', 'sum', 'dot', 'chain', 'take'), its op, operands, and size.

    `operands` are lists of tape places, one list a role: a map has one place in each; a dot has xs
    and ws; a take has [integer] and candidates. `start` is a place to begin the sum from, or None.
    """

    __slots__ = ("place", "kind", "op", "operands", "start", "replaces")

    def __init__(
        self,
        place: int,
        kind: str,
        op: Op | None,
        operands: tuple[Sequence[int], ...],
        start: int | None = None,
        replaces: int = 1,
    ) -> None:
        self.place = place
        self.kind = kind
        self.op = op
        self.operands = operands
        self.start = start
        self.replaces = replaces  # how many recorded nodes this one stands for


class Fused(NamedTuple):
    """What is left of a tape: nodes and leaves that the outputs need, in recorded order."""

    nodes: list[Node]
    leaves: list[int]
    outputs: list[int]
    kinds: Counter[Any]  # how many nodes and leaves of each kind the outputs need


def fuse(tape: Tape, outputs: Sequence[int]) -> Fused:
    """Give each chain of the tape back as one node, and drop what no output needs."""
    kinds, lefts, rights = tape.kinds, tape.lefts, tape.rights
    uses = _count_uses(tape, outputs)
    add, mul = ops.add, ops.mul
    zero = tape.place_of(0.0)
    terms: dict[int, deque[int]] = {}  # a chain of additions that may still grow
    chains: dict[int, list[int]] = {}  # the same for maximum and minimum
    nodes: list[Any] = []  # a Node, a product's place, the Nodes that a chain became, or None
    at: dict[int, int] = {}  # where in `nodes` a place stands, to take it back when it is absorbed
    same: dict[int, int] = {}  # 0 + x is x; f(x) is computed once
    unary: dict[tuple[Any, int], int] = {}
    leaves: list[int] = []
    renamed = _Renamed(same)
    for i, kind in enumerate(kinds):
        if not uses[i]:
            continue
        a, b = lefts[i], rights[i]
        if type(kind) is Kind:
            if kind is TAKE:
                nodes.append(Node(i, "take", None, ((same.get(a, a),), renamed(tape.lists[b]))))
            elif kind is DOT:
                places, bias = tape.tails[b]
                start = same.get(bias, bias) if bias != NONE else None
                nodes.append(Node(i, "dot", None, (renamed(tape.lists[a]), renamed(places)), start))
            else:
                leaves.append(i)
            continue
        if kind is add:
            a, b = same.get(a, a), same.get(b, b)
            if a == zero or b == zero:
                same[i] = b if a == zero else a
                uses[same[i]] += uses[i] - 1
                continue
            if uses[a] == 1 and a in terms and b not in terms:  # most often: spares a call
                chain = terms.pop(a)
                chain.append(b)
            else:
                chain = _extended(terms, uses, kinds, a, b)
            terms[i] = chain
            at[i] = len(nodes)
            nodes.append(None)
        elif kind is mul:
            at[i] = len(nodes)
            nodes.append(i)  # a Node only if no dot takes it up: most products are taken
        elif kind in _CHAINED:
            a, b = same.get(a, a), same.get(b, b)
            grown = chains.pop(a, None) if uses[a] == 1 and kinds[a] is kind else None
            if grown is not None:
                nodes[at[a]] = None
                grown.append(b)
            else:
                grown = [a, b]
            chains[i] = grown
            at[i] = len(nodes)
            nodes.append(Node(i, "chain", kind, (grown,)))
        elif kind.name == "dot":
            inputs = renamed(tape.inputs(i))
            n = len(inputs) // 2
            start = inputs[-1] if len(inputs) % 2 else None
            nodes.append(Node(i, "dot", None, (inputs[:n], inputs[n : 2 * n]), start))
        elif b == MANY:
            at[i] = len(nodes)
            nodes.append(Node(i, "map", kind, tuple([(x,) for x in renamed(tape.lists[a])])))
        elif b >= 0:
            nodes.append(Node(i, "map", kind, ((same.get(a, a),), (same.get(b, b),))))
        else:
            a = same.get(a, a)
            earlier = unary.setdefault((kind, a), i)
            if earlier != i:  # softmax divides every element by one sum: x * sum**-1
                same[i] = earlier
                uses[earlier] += uses[i]
                continue
            nodes.append(Node(i, "map", kind, ((a,),)))
    sums = _Sums(tape, uses, nodes, at, same)
    for i, chain in terms.items():
        nodes[at[i]] = sums.replace(i, chain)
    flat: list[Node] = []
    for node in nodes:
        if type(node) is list:
            flat += node
        elif type(node) is int:
            flat.append(sums.product(node))
        elif node is not None:
            flat.append(node)
    found = [same.get(i, i) for i in outputs]
    for k, place in enumerate(found):
        if kinds[place] is PARAMETER:  # a result has a place of its own
            found[k] = sums.next_place
            sums.next_place += 1
            flat.append(Node(found[k], "map", COPY, ((place,),), None, 0))
    return Fused(flat, leaves, found, Counter(compress(kinds, uses)))


def needed(tape: Tape, outputs: Sequence[int]) -> tuple[Counter[Any], list[float]]:
    """What the outputs need of a tape: how many nodes of each kind, and which constants."""
    uses = _count_uses(tape, outputs)
    constants = [
        tape.number(i) for i, kind in enumerate(tape.kinds) if kind is CONSTANT and uses[i]
    ]
    return Counter(compress(tape.kinds, uses)), constants


class _Renamed:
    """Replaces places that compute the same as earlier ones in tuples of places.

    A tuple that several nodes share is looked at once.
    """

    def __init__(self, same: dict[int, int]) -> None:
        self._same = same
        self._done: dict[int, tuple[Any, tuple[int, ...]]] = {}

    def __call__(self, places: tuple[int, ...]) -> tuple[int, ...]:
        if not self._same:
            return places
        done = self._done.get(id(places))
        if done is None:
            same = self._same
            found = places
            if not same.keys().isdisjoint(places):
                found = tuple(same.get(x, x) for x in places)
            done = self._done[id(places)] = (places, found)
        return done[1]


def _count_uses(tape: Tape, outputs: Sequence[int]) -> list[int]:
    kinds, lefts, rights = tape.kinds, tape.lefts, tape.rights
    uses = [0] * len(kinds)
    seen: set[int] = set()  # shared tuples, counted once: what they hold is never absorbed
    for place in outputs:
        uses[place] += 2  # never absorbed: the outside looks at it
    for i in range(len(kinds) - 1, -1, -1):
        if not uses[i]:
            continue
        left, right = lefts[i], rights[i]
        kind = kinds[i]
        if type(kind) is Kind:
            if kind is TAKE:
                uses[left] += 1
                shared = [tape.lists[right]]
            elif kind is DOT:
                places, bias = tape.tails[right]
                shared = [tape.lists[left], places]
                if bias != NONE:
                    uses[bias] += 1
            else:
                continue
            for places in shared:
                if id(places) not in seen:
                    seen.add(id(places))
                    for place in places:
                        uses[place] += 2
        elif right == MANY:
            for place in tape.lists[left]:
                uses[place] += 1
        else:
            uses[left] += 1
            if right != NONE:
                uses[right] += 1
    return uses


def _extended(
    terms: dict[int, deque[int]], uses: list[int], kinds: list[Any], a: int, b: int
) -> deque[int]:
    """The chain a + b: one side may be a chain that nothing else uses, and grows.

    Two chains stay apart, because each is a loop of its own in the source (x @ w + h @ u, or the
    first two of many losses), with strides of its own; a chain of chains grows by chains.
    """
    a_chain = a in terms and uses[a] == 1
    b_chain = b in terms and uses[b] == 1
    if a_chain and b_chain:
        last = terms[a][-1]
        a_chain = last in terms and uses[last] == 1
    if a_chain:
        chain = terms.pop(a)
        chain.append(b)
        return chain
    if b_chain and a not in terms and kinds[a] == kinds[terms[b][0]]:
        chain = terms.pop(b)  # x0 + (x1 + ...), but not bias + (x @ w)
        chain.appendleft(a)
        return chain
    return deque((a, b))


class _Sums:
    """What the chains of additions become, once they are known whole."""

    def __init__(
        self,
        tape: Tape,
        uses: list[int],
        nodes: list[Any],
        at: dict[int, int],
        same: dict[int, int],
    ) -> None:
        self.tape, self.same = tape, same
        self.kinds, self.uses, self.nodes, self.at = tape.kinds, uses, nodes, at
        self.minus_one = tape.place_of(-1.0)
        self.next_place = len(tape.kinds)

    def replace(self, i: int, chain: deque[int]) -> list[Node]:
        products: list[int] = []
        plain: list[int] = []
        for t in chain:
            absorbed = self.kinds[t] is ops.mul and self.uses[t] == 1
            (products if absorbed else plain).append(t)
        negated = [t for t in products if self._factors(t)[1] == self.minus_one]
        last = chain[-1]
        if len(products) >= 3 and negated == [last]:
            chain.pop()  # x @ w - y: the difference is no part of the dot
            place = self.next_place
            self.next_place += 1
            subtrahend, _ = self._take(last)
            difference = Node(i, "map", SUBTRACT, ((place,), (subtrahend,)), None, 2)
            return [*self.replace(place, chain), difference]
        if len(products) >= 2:
            return self._dot(i, products, plain)
        if len(chain) > 2:
            return self._sum(i, list(chain))
        a, b = chain
        for minuend, subtrahend in ((a, b), (b, a)):
            if subtrahend in products and self._factors(subtrahend)[1] == self.minus_one:
                factor, _ = self._take(subtrahend)
                return [Node(i, "map", SUBTRACT, ((minuend,), (factor,)), None, 2)]
        for quotient, product in ((a, b), (b, a)):
            alone = self.kinds[quotient] is QUOTIENT and self.uses[quotient] == 1
            if alone and product in products:
                operands = self.nodes[self.at[quotient]].operands
                self.nodes[self.at[quotient]] = None
                factors = [(x,) for x in self._take(product)]
                return [Node(i, "map", QUOTIENT_PLUS, (*operands, *factors), None, 3)]
        return [_add(i, a, b)]

    def _dot(self, i: int, products: list[int], plain: list[int]) -> list[Node]:
        factors = list(map(self._take, products))
        xs, ws = [x for x, _ in factors], [w for _, w in factors]
        place = i
        if len(plain) > 1:
            place = self.next_place
            self.next_place += 1
        start = plain[0] if plain else None
        replaces = 2 * len(products) - (start is None)
        dot = Node(place, "dot", None, (xs, ws), start, replaces)
        if len(plain) <= 1:
            return [dot]
        rest = [place, *plain[1:]]
        if len(rest) == 2:
            return [dot, _add(i, *rest)]
        return [dot, Node(i, "sum", ops.add, (rest,), None, len(rest) - 1)]

    def _sum(self, i: int, chain: list[int]) -> list[Node]:
        """A sum of like terms; a few at its ends that are made otherwise (losses + penalty) are
        added one by one, so that the like ones stay one regular read.
        """
        first, last = _longest_run([self.kinds[t] for t in chain])
        before, core, after = chain[:first], chain[first:last], chain[last:]
        if len(before) + len(after) > _ODD_TERMS:  # two kinds in turn: one sum of all
            before, core, after = [], chain, []
        odd = [*reversed(before), *after]
        places = [*range(self.next_place, self.next_place + len(odd)), i]
        self.next_place += len(odd)
        if len(core) == 1:
            made, places = [], [core[0], *places[1:]]
        elif len(core) == 2:
            made = [_add(places[0], *core)]
        else:
            made = [Node(places[0], "sum", ops.add, (core,), None, len(core) - 1)]
        return made + [_add(places[k + 1], places[k], t) for k, t in enumerate(odd)]

    def _factors(self, t: int) -> tuple[int, int]:
        a, b = self.tape.lefts[t], self.tape.rights[t]
        return self.same.get(a, a), self.same.get(b, b)

    def _take(self, t: int) -> tuple[int, int]:
        """The factors of a product that becomes part of something else."""
        self.nodes[self.at[t]] = None
        return self._factors(t)

    def product(self, t: int) -> Node:
        x, w = self._factors(t)
        return Node(t, "map", ops.mul, ((x,), (w,)))


def _longest_run(kinds: Sequence[Any]) -> tuple[int, int]:
    """Where the longest run of equal neighbours begins and ends; the first of equally long ones."""
    best = start = 0
    end = 1
    for k in range(1, len(kinds) + 1):
        if k == len(kinds) or kinds[k] != kinds[start]:
            if k - start > end - best:
                best, end = start, k
            start = k
    return best, end


def _add(i: int, a: int, b: int) -> Node:
    return Node(i, "map", ops.add, ((a,), (b,)))
