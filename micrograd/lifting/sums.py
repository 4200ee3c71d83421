"""What a chain of additions becomes: a dot product, a sum, or a few plain operations.

`fuse.py` collects the chains, x0 + x1 + x2 as the list of its terms; here each is replaced by
nodes. A term x * w that nothing else reads is taken up into a dot product.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from micrograd import ops
from micrograd.lifting.nodes import Node, addition
from micrograd.lifting.rows import QUOTIENT, QUOTIENT_PLUS, SUBTRACT
from micrograd.lifting.tape import Tape

__all__ = ["Sums", "extended", "longest_run"]

_ODD_TERMS = 4  # so many terms of a sum may be made otherwise than the rest, and are added alone


def extended(terms: list[Any], uses: list[int], kinds: list[Any], a: int, b: int) -> Any:
    """The chain a + b: one side may be a chain that nothing else uses, and grows.

    Two chains stay apart, because each is a loop of its own in the source (x @ w + h @ u, or the
    first two of many losses), with strides of its own; a chain of chains grows by chains. Most
    chains are short: a list takes a tenth of a deque's memory, which grows at its left end.
    """
    at_a, at_b = terms[a], terms[b]
    a_chain = at_a is not None and uses[a] == 1
    b_chain = at_b is not None and uses[b] == 1
    if a_chain and b_chain:
        last = at_a[-1]
        a_chain = terms[last] is not None and uses[last] == 1
    if a_chain:
        terms[a] = None
        at_a.append(b)
        return at_a
    if b_chain and at_a is None and kinds[a] == kinds[at_b[0]]:
        terms[b] = None  # x0 + (x1 + ...), but not bias + (x @ w)
        grown = at_b if isinstance(at_b, deque) else deque(at_b)
        grown.appendleft(a)
        return grown
    return [a, b]


class Sums:
    """Replaces chains of additions, once they are known whole.

    `nodes` is the list that the pass fills, by place; what a chain takes up is taken out there.
    `same` names the places that compute the same as an earlier one.
    """

    def __init__(
        self,
        tape: Tape,
        uses: list[int],
        nodes: list[Any],
        same: dict[int, int],
    ) -> None:
        self.tape, self.same = tape, same
        self.kinds, self.uses, self.nodes = tape.kinds, uses, nodes
        self.factors: dict[
            tuple[int, ...], tuple[int, ...]
        ] = {}  # the dots of one row share theirs
        self.minus_one = tape.place_of(-1.0)
        self.next_place = len(tape.kinds)

    def fresh(self) -> int:
        """A place after all that were recorded."""
        self.next_place += 1
        return self.next_place - 1

    def replace(self, i: int, chain: Any) -> list[Node]:
        """The nodes that compute the sum of `chain`, at place i."""
        if len(chain) == 2:
            return self._pair(i, *chain)
        kinds, uses, mul = self.kinds, self.uses, ops.mul
        products = [t for t in chain if kinds[t] is mul and uses[t] == 1]
        if not products:
            return self._sum(i, list(chain))
        plain = []
        if len(products) < len(chain):
            plain = [t for t in chain if not (kinds[t] is mul and uses[t] == 1)]
        last = chain[-1]
        if len(products) >= 3 and self._is_negated(last) and products[-1] == last:
            negated = list(filter(self._is_negated, products))
        else:
            negated = []
        if len(negated) == 1:
            chain.pop()  # x @ w - y: the difference is no part of the dot
            place = self.fresh()
            subtrahend, _ = self._factors(last)
            self.nodes[last] = None
            difference = Node(i, "map", SUBTRACT, ((place,), (subtrahend,)), None, 2)
            return [*self.replace(place, chain), difference]
        if len(products) >= 2:
            return self._dot(i, products, plain)
        return self._sum(i, list(chain))

    def product(self, t: int) -> Node:
        """The node of a product that has become part of no sum."""
        x, w = self._factors(t)
        return Node(t, "map", ops.mul, ((x,), (w,)))

    def _dot(self, i: int, products: list[int], plain: list[int]) -> list[Node]:
        nodes, same, factors = self.nodes, self.same, self.factors
        xs = list(map(self.tape.lefts.__getitem__, products))
        ws = list(map(self.tape.rights.__getitem__, products))
        if not same.keys().isdisjoint(xs) or not same.keys().isdisjoint(ws):
            xs, ws = [same.get(x, x) for x in xs], [same.get(w, w) for w in ws]
        one, other = tuple(xs), tuple(ws)
        one, other = factors.setdefault(one, one), factors.setdefault(other, other)
        for t in products:
            nodes[t] = None
        place = i if len(plain) <= 1 else self.fresh()
        start = plain[0] if plain else None
        replaces = 2 * len(products) - (start is None)
        dot = Node(place, "dot", None, (one, other), start, replaces)
        if len(plain) <= 1:
            return [dot]
        rest = [place, *plain[1:]]
        if len(rest) == 2:
            return [dot, addition(i, *rest)]
        return [dot, Node(i, "sum", ops.add, (rest,), None, len(rest) - 1)]

    def _sum(self, i: int, chain: list[int]) -> list[Node]:
        """A sum of like terms; a few at its ends that are made otherwise (losses + penalty) are
        added one by one, so that the like ones stay one regular read.
        """
        kinds = [self.kinds[t] for t in chain]
        if kinds.count(kinds[0]) == len(kinds):
            return [Node(i, "sum", ops.add, (chain,), None, len(chain) - 1)]
        first, last = longest_run(kinds)
        before, core, after = chain[:first], chain[first:last], chain[last:]
        if len(before) + len(after) > _ODD_TERMS:  # two kinds in turn: one sum of all
            before, core, after = [], chain, []
        odd = [*reversed(before), *after]
        places = [*(self.fresh() for _ in odd), i]
        if len(core) == 1:
            made, places = [], [core[0], *places[1:]]
        elif len(core) == 2:
            made = [addition(places[0], *core)]
        else:
            made = [Node(places[0], "sum", ops.add, (core,), None, len(core) - 1)]
        return made + [addition(places[k + 1], places[k], t) for k, t in enumerate(odd)]

    def _pair(self, i: int, a: int, b: int) -> list[Node]:
        """a + b, perhaps as a dot, a difference, or a quotient and a product in one step."""
        kinds, uses, mul = self.kinds, self.uses, ops.mul
        a_product = kinds[a] is mul and uses[a] == 1
        b_product = kinds[b] is mul and uses[b] == 1
        if a_product and b_product:
            return self._dot(i, [a, b], [])
        if a_product or b_product:
            product, other = (a, b) if a_product else (b, a)
            x, w = self._factors(product)
            if w == self.minus_one:
                self.nodes[product] = None
                return [Node(i, "map", SUBTRACT, ((other,), (x,)), None, 2)]
            if kinds[other] is QUOTIENT and uses[other] == 1:
                operands = (*self.nodes[other].operands, (x,), (w,))
                self.nodes[other] = self.nodes[product] = None
                return [Node(i, "map", QUOTIENT_PLUS, operands, None, 3)]
        return [addition(i, a, b)]

    def _is_negated(self, t: int) -> bool:
        """Whether the product at t is x * -1."""
        return self.kinds[t] is ops.mul and self._factors(t)[1] == self.minus_one

    def _factors(self, t: int) -> tuple[int, int]:
        a, b = self.tape.lefts[t], self.tape.rights[t]
        return self.same.get(a, a), self.same.get(b, b)


def longest_run(kinds: Sequence[Any]) -> tuple[int, int]:
    """Where the longest run of equal neighbours begins and ends; the first of equally long ones.

    >>> longest_run("abbca")
    (1, 3)
    """
    best = start = 0
    end = 1
    for k in range(1, len(kinds) + 1):
        if k == len(kinds) or kinds[k] != kinds[start]:
            if k - start > end - best:
                best, end = start, k
            start = k
    return best, end
