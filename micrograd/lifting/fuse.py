"""Chains of + and * become dot products and sums; chains of maximum become one n-ary maximum.

Python unrolls `sum(w * x)` into 2n nodes. This pass goes through a tape once and returns one `Node`
for each chain, and the leaves that are still needed; `schedule.py` then groups like nodes. What a
chain of additions becomes is decided in `sums.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any, NamedTuple

from micrograd import ops
from micrograd.lifting.nodes import Node
from micrograd.lifting.rows import COPY, of_negative
from micrograd.lifting.steps.expression import by_its_result
from micrograd.lifting.sums import Sums, extended
from micrograd.lifting.tape import DOT, MANY, NONE, PARAMETER, TAKE, Kind, Tape
from micrograd.lifting.uses import count_uses
from micrograd.op import Op

__all__ = ["Fused", "fuse"]

_CHAINED = (ops.maximum, ops.minimum)


class Fused(NamedTuple):
    """What is left of a tape: nodes and leaves that the outputs need, in recorded order."""

    nodes: list[Node]
    leaves: list[int]
    outputs: list[int]
    kinds: Counter[Any]  # how many nodes and leaves of each kind the outputs need
    places: int  # how many places there are, with those that no tape has


def fuse(tape: Tape, outputs: Sequence[int]) -> Fused:
    """The nodes of a tape, with each chain as one node and without what no output needs."""
    uses = count_uses(tape, outputs)
    walk = _Walk(tape, uses)
    walk.run()
    sums = walk.finish()
    nodes = _flat(walk.nodes, sums)
    found = [walk.same.get(i, i) for i in outputs]
    for k, place in enumerate(found):
        if tape.kinds[place] is PARAMETER:  # a result has a place of its own
            found[k] = sums.fresh()
            nodes.append(Node(found[k], "map", COPY, ((place,),), None, 0))
    kinds = Counter(compress(tape.kinds, uses))
    return Fused(nodes, walk.leaves, found, kinds, sums.next_place)


class _Walk:
    """The pass over a tape, place by place, and what each place has become so far."""

    def __init__(self, tape: Tape, uses: list[int]) -> None:
        self.tape, self.uses = tape, uses
        self.kinds, self.lefts, self.rights = tape.kinds, tape.lefts, tape.rights
        self.zero, self.minus_one = tape.place_of(0.0), tape.place_of(-1.0)
        n = len(self.kinds)
        self.terms: list[Any] = [None] * n  # by place: a chain of additions that may still grow
        self.chains: dict[int, list[int]] = {}  # the same for maximum and minimum
        # By place: a Node, a product's own place, the Nodes of a chain; None for what is taken up.
        self.nodes: list[Any] = [None] * n
        self.same: dict[int, int] = {}  # 0 + x is x; f(x) is computed once
        self.unary: dict[tuple[Any, ...], int] = {}
        self.leaves: list[int] = []
        self.renamed = _Renamed(self.same)

    def run(self) -> None:
        """Go through the places that outputs need; most are products and sums."""
        uses, nodes, terms, same = self.uses, self.nodes, self.terms, self.same
        lefts, rights, zero = self.lefts, self.rights, self.zero
        mul, add = ops.mul, ops.add
        handlers: dict[Op | Kind, Callable[[int, Any], None]] = {}
        for i, kind in enumerate(self.kinds):
            if not uses[i]:
                continue
            if kind is mul:
                nodes[i] = i  # a Node only if no dot takes it up: most products are taken
            elif kind is add:
                a, b = lefts[i], rights[i]
                chain = terms[a]
                if a == zero or b == zero or a in same or b in same or terms[b] is not None:
                    self.addition(i)
                elif chain is None or uses[a] != 1:  # as in `addition`, in half the time
                    terms[i] = [a, b]
                else:
                    terms[a] = None
                    chain.append(b)
                    terms[i] = chain
            else:
                handle = handlers.get(kind)
                if handle is None:
                    handle = handlers[kind] = self._handler(kind)
                handle(i, kind)

    def _handler(self, kind: Op | Kind) -> Callable[[int, Any], None]:
        """What handles a place that is neither a sum nor a product."""
        if type(kind) is Kind:
            return self.unlisted
        if kind in _CHAINED:
            return self.extreme
        return self.dot if kind.name == "dot" else self.map

    def addition(self, i: int) -> None:
        same, terms, uses = self.same, self.terms, self.uses
        a, b = self.lefts[i], self.rights[i]
        a, b = same.get(a, a), same.get(b, b)
        if a == self.zero or b == self.zero:
            same[i] = b if a == self.zero else a
            uses[same[i]] += uses[i] - 1
            return
        terms[i] = extended(terms, uses, self.kinds, a, b)

    def unlisted(self, i: int, kind: Kind) -> None:
        """Handle what no row of the op table made: a leaf, a take, a dot of whole arrays."""
        tape, same = self.tape, self.same
        if kind is TAKE:
            chosen, table = self.lefts[i], self.renamed(tape.lists[self.rights[i]])
            self.nodes[i] = Node(i, "take", None, ((same.get(chosen, chosen),), table))
        elif kind is DOT:
            places, bias = tape.tails[self.rights[i]]
            factors = self.renamed(tape.lists[self.lefts[i]]), self.renamed(places)
            start = None if bias == NONE else same.get(bias, bias)
            self.nodes[i] = Node(i, "dot", None, factors, start)
        else:
            self.leaves.append(i)

    def extreme(self, i: int, kind: Any) -> None:
        """Handle a maximum or minimum: it may continue a chain that nothing else reads."""
        a, b = self.lefts[i], self.rights[i]
        a, b = self.same.get(a, a), self.same.get(b, b)
        grown = None
        if self.uses[a] == 1 and self.kinds[a] is kind:
            grown = self.chains.pop(a, None)
        if grown is not None:
            self.nodes[a] = None
            grown.append(b)
        else:
            grown = [a, b]
        self.chains[i] = grown
        self.nodes[i] = Node(i, "chain", kind, (grown,))

    def dot(self, i: int, kind: Any) -> None:
        """Handle a row named dot: its inputs are xs, then ws, then perhaps a start."""
        inputs = self.renamed(self.tape.inputs(i))
        n = len(inputs) // 2
        start = inputs[-1] if len(inputs) % 2 else None
        self.nodes[i] = Node(i, "dot", None, (inputs[:n], inputs[n : 2 * n]), start)

    def map(self, i: int, kind: Any) -> None:
        """Handle any other operation; equal ones of one input become a single node."""
        a, b = self.lefts[i], self.rights[i]
        if b == MANY:
            inputs = self.renamed(self.tape.lists[a])
            self.nodes[i] = Node(i, "map", kind, tuple([(x,) for x in inputs]))
            return
        a = self.same.get(a, a)
        if b >= 0:
            self.nodes[i] = Node(i, "map", kind, ((a,), (self.same.get(b, b),)))
            return
        key: tuple[Any, ...] = kind, a
        product = self.kinds[a] is ops.mul and self.uses[a] == 1
        if product:  # (-x).exp() is one of x
            key = kind, self.lefts[a], self.rights[a]
        earlier = self.unary.setdefault(key, i)
        if earlier != i:  # softmax divides every element by one sum: x * sum**-1
            self.same[i] = earlier
            self.uses[earlier] += self.uses[i]
            if product:
                self.nodes[a] = None
            return
        if product and key[-1] == self.minus_one and by_its_result(kind):  # -x is not kept
            self.nodes[a] = None
            x = self.same.get(key[1], key[1])
            self.nodes[i] = Node(i, "map", of_negative(kind), ((x,),), None, 2)
            return
        self.nodes[i] = Node(i, "map", kind, ((a,),))

    def finish(self) -> Sums:
        """Replace the chains of additions: no more can be added to them."""
        sums = Sums(self.tape, self.uses, self.nodes, self.same)
        for i, chain in enumerate(self.terms):
            if chain is not None:
                self.nodes[i] = sums.replace(i, chain)
        return sums


def _flat(nodes: list[Any], sums: Sums) -> list[Node]:
    flat: list[Node] = []
    for node in nodes:
        if type(node) is list:
            flat += node
        elif type(node) is int:
            flat.append(sums.product(node))
        elif node is not None:
            flat.append(node)
    return flat


class _Renamed:
    """Replaces places that compute the same as earlier ones in tuples of places.

    A tuple that several nodes share is gone through once.
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
