"""A learner who works out gradients by a table of derivatives of his own, and makes known mistakes.

Nothing here is taken from the package's marking, so that both would have to be wrong in one way.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from micrograd import Value
from micrograd.show.lesson.walk import Walk

# The learner's own table of derivatives: d out / d xi from the inputs and the output. It is written
# independently of the op table, so that both would have to be wrong in the same way.
DERIVATIVES = {
    "+": lambda x, o: [1.0, 1.0],
    "*": lambda x, o: [x[1], x[0]],
    "**": lambda x, o: [x[1] * x[0] ** (x[1] - 1), o * math.log(x[0])],
    "exp": lambda x, o: [o],
    "log": lambda x, o: [1 / x[0]],
    "sqrt": lambda x, o: [0.5 / o],
    "sin": lambda x, o: [math.cos(x[0])],
    "cos": lambda x, o: [-math.sin(x[0])],
    "tanh": lambda x, o: [1 - o**2],
    "sigmoid": lambda x, o: [o * (1 - o)],
    "softplus": lambda x, o: [1 / (1 + math.exp(-x[0]))],
    "ReLU": lambda x, o: [float(x[0] > 0)],
    "LeakyReLU": lambda x, o: [1.0 if x[0] > 0 else 0.1],
    "GELU": lambda x, o: [
        0.5 * (1 + math.erf(x[0] / math.sqrt(2)))
        + x[0] * math.exp(-x[0] * x[0] / 2) / math.sqrt(2 * math.pi)
    ],
    "abs": lambda x, o: [float(x[0] > 0) - float(x[0] < 0)],
    "maximum": lambda x, o: [float(x[0] > x[1]), float(x[1] > x[0])],
    "minimum": lambda x, o: [float(x[0] < x[1]), float(x[1] < x[0])],
    "where": lambda x, o: [0.0, float(x[0] != 0), float(x[0] == 0)],
    "dot": lambda x, o: [*x[2:4], *x[0:2], 1.0],
}
POWERS = (2, 3, -1, 0.5)
for k in POWERS:
    DERIVATIVES[f"**{k}"] = lambda x, o, k=k: [k * x[0] ** (k - 1)]
EVERY = DERIVATIVES | {"**-0.5": lambda x, o: [-0.5 * x[0] ** -1.5]}  # as BatchNorm needs
GATED = {"ReLU", "LeakyReLU", "maximum", "minimum", "where"}
WITH_OUTPUT = {
    "tanh": lambda x: 1 - x * x,
    "sigmoid": lambda x: x * (1 - x),
    "exp": lambda x: x,
    "sqrt": lambda x: 0.5 / x,
}


def slips(op: str, x: list[float], out: float, i: int, g: float) -> Iterator[tuple[str, float]]:
    """What a learner who makes each mistake sends back to operand i, where it can be made."""
    local = EVERY[op](x, out)[i]
    yield "no arriving", local
    yield "no local", g
    yield "sign", -local * g
    if op == "tanh":
        yield "square", (1 - out) * g
    if op == "*" or (op == "dot" and i < 4):
        yield "own value", x[i] * g
    if op.startswith("**") and i == 0:
        k = x[1] if op == "**" else float(op[2:])
        yield "power rule", x[0] ** (k - 1) * g  # forgot the factor
        yield "power rule", k * x[0] ** k * g  # forgot to lower the exponent
    if op in WITH_OUTPUT:
        yield "input for output", WITH_OUTPUT[op](x[0]) * g
    if op in GATED and not (op == "where" and i == 0):
        yield "gate", g


@dataclass(frozen=True)
class Slip:
    """A mistake of a learner: which one, at which node, in which of the uses; -1 is in all."""

    kind: str
    node: int
    use: int
    variant: int  # of several ways to make the same mistake


class Learner:
    """Works out every gradient from the output down, by the table above, and may slip."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.users: dict[int, list[tuple[int, int]]] = {}
        for j, node in reversed(list(enumerate(walk.nodes))):
            for position, x in enumerate(node._prev):
                self.users.setdefault(walk.index[x], []).append((j, position))

    def _use(
        self, j: int, position: int, grads: dict[int, float]
    ) -> tuple[str, list[float], float, int, float]:
        node = self.walk.nodes[j]
        x = [self.walk.data[self.walk.index[p]] for p in node._prev]
        return node._op, x, self.walk.data[j], position, grads[j]

    def sent(self, j: int, position: int, grads: dict[int, float]) -> float:
        op, x, out, position, g = self._use(j, position, grads)
        return EVERY[op](x, out)[position] * g

    def opportunities(self, i: int) -> list[Slip]:
        """Every slip that can be made at node i."""
        users = self.users.get(i, [])
        found = [Slip("missing use", i, u, k) for u in range(len(users)) for k in (0, 1)]
        found = found if len(users) > 1 else []
        for u, (j, position) in enumerate(users):
            seen: Counter[str] = Counter()
            for kind, _ in slips(*self._use(j, position, dict(enumerate(self.walk.grads)))):
                found.append(Slip(kind, i, u, seen[kind]))
                seen[kind] += 1
        return found

    def slipped(self, slip: Slip, grads: dict[int, float]) -> float:
        """The gradient of the slip's node, with the slip."""
        users = self.users[slip.node]
        sent = [self.sent(j, position, grads) for j, position in users]
        if slip.kind == "missing use":
            return sent[slip.use] if slip.variant else sum(sent) - sent[slip.use]
        for u, (j, position) in enumerate(users):
            made = [x for kind, x in slips(*self._use(j, position, grads)) if kind == slip.kind]
            if slip.use in (u, -1) and len(made) > slip.variant:
                sent[u] = made[slip.variant]
        return sum(sent)

    def consistent(self, kind: str, variant: int = 0, use: int = -1) -> dict[str, float]:
        """The answers of one who makes this kind of mistake wherever it can be made."""
        root = len(self.walk.nodes) - 1
        if kind == "recursion":
            grads = by_recursion(self.walk.root, at_once=bool(variant))
            return {self.walk.names[i]: grads[self.walk.names[i]] for i in self.walk.asked}
        if kind == "output":
            return self.answers({}, start=0.0 if variant else self.walk.data[root])
        found = [slip for i in self.walk.asked for slip in self.opportunities(i)]
        use = max(use, 0) if kind == "missing use" else use
        made = {
            slip.node: Slip(kind, slip.node, use, variant) for slip in found if slip.kind == kind
        }
        return self.answers(made)

    def answers(
        self,
        made: dict[int, Slip],
        write: Callable[[float], float] = lambda x: x,
        carry: Callable[[float], float] = lambda x: x,
        start: float = 1.0,
    ) -> dict:
        """All gradients, the slips carried on; `write` rounds what is handed in, `carry` what is
        worked with."""
        grads = {len(self.walk.nodes) - 1: start}
        for i in reversed(range(len(self.walk.nodes) - 1)):
            if i in made:
                grads[i] = carry(self.slipped(made[i], grads))
            else:
                users = self.users[i]
                grads[i] = carry(sum(self.sent(j, position, grads) for j, position in users))
        return {
            self.walk.names[i]: write(g) for i, g in grads.items() if i not in self.walk.constants
        }


def three_digits(x: float) -> float:
    return float(f"{x:.3g}")


def by_recursion(value: Value, at_once: bool) -> dict[str, float]:
    """The program that people write: without topological order, by recursion."""
    grads = dict.fromkeys(Walk(value).nodes, 0.0)
    grads[value] = 1.0

    def visit(node: Value) -> None:
        inputs = node._prev
        x = [p.data for p in inputs]
        for k, p in enumerate(inputs):
            grads[p] += EVERY[node._op](x, node.data)[k] * grads[node]
            if at_once:
                visit(p)
        for p in () if at_once else inputs:
            visit(p)

    visit(value)
    walk = Walk(value)
    return {walk.names[i]: grads[node] for i, node in enumerate(walk.nodes)}
