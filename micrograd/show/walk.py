"""Walk: one real backward pass, one node at a time, written down while it happens.

The stepper, the explanation, the worksheet and the marking all read this record, so what they show
is what the engine did, a learner's own `_backward` included. The user's graph stays as it was. Read
`Use` (one input in one step of the chain rule), then `Walk`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from micrograd import engine
from micrograd.engine import Value
from micrograd.op import Op
from micrograd.show.answers import described
from micrograd.show.formulas import Formula, expression, local_derivatives, named, number, shorten
from micrograd.show.parameters import found_parameters, read_parameters
from micrograd.show.svg import label_of, plain

__all__ = ["Use", "Walk"]


@dataclass(frozen=True, slots=True)
class Use:
    """One input of one node: local × arriving = product; before + product -> after."""

    node: int  # the node whose rule acts, as an index into Walk.nodes
    position: int  # which of its operands
    input: int  # the input, as an index into Walk.nodes
    local: float  # nan where a handwritten rule does not tell
    arriving: float
    product: float
    before: float
    after: float


class Walk:
    """Every node below `value`, its name, its number, and the steps of a backward from `value`.

    `parameters` are the weights with their names: those given (Values, or a module) and those that
    are known without it. Neither they nor what is asked for as `wrt` are taken for constants.
    `steps` holds, for each computed node, output first, the uses of its inputs; `grads` what
    the pass left in each node when it started from zero.
    """

    def __init__(self, value: Value, parameters: Any = (), wrt: Iterable[Value] = ()) -> None:
        if not isinstance(value, Value):
            hint = "; take one element, or their sum" if hasattr(value, "shape") else ""
            raise TypeError(
                "a lesson is about one Value, the output of a computation; got "
                f"{described(value)}{hint}"
            )
        self.root = value
        self.nodes = engine.topological_order(value)
        self.index = {node: i for i, node in enumerate(self.nodes)}
        self.data = [float(node.data) for node in self.nodes]
        given = read_parameters(parameters)
        self.parameters = self._weights(given, in_module=hasattr(parameters, "parameters"))
        self.constants = _constants(self.nodes, self.parameters.keys() | set(wrt))
        self.names = _names(self.nodes, self.constants, self.parameters)
        self.asked = [i for i in reversed(range(len(self.nodes))) if i not in self.constants]
        self.steps: list[tuple[Use, ...]] = []
        self.grads: list[float] = []
        self._run_backward()

    def _weights(self, given: dict[Value, str], in_module: bool) -> dict[Value, str]:
        """The weights of this graph with their names; a module may have others beside them."""
        leaves = [node for node in self.nodes if node._rule is None]
        used = {p: name for p, name in given.items() if p in self.index and p._rule is None}
        if (given and not used) or (len(used) < len(given) and not in_module):
            stranger = next(p for p in given if p not in used)
            raise ValueError(
                f"parameters= takes leaves that {label_of(self.root) or 'the output'} was computed "
                f"from; {stranger!r} (label {stranger.label!r}) is not one of them"
            )
        found = found_parameters(leaves)
        return {p: used.get(p) or found.get(p, "") for p in leaves if p in used or p in found}

    def _run_backward(self) -> None:
        rules = [(node, node._rule) for node in self.nodes if node._rule is not None]
        touched = list(dict.fromkeys([*self.nodes, *(p for n, r in rules for p in r.hidden(n))]))
        kept = [node.grad for node in touched]
        try:
            for node in touched:
                node.grad = 0.0
            for node in engine.reached(self.root):
                self.steps.append(self._step(self.index[node]))
            self.grads = [node.grad for node in self.nodes]
        finally:
            for node, grad in zip(touched, kept, strict=True):
                node.grad = grad

    def _step(self, i: int) -> tuple[Use, ...]:
        """Push one node and note what changed in its inputs."""
        node, rule = self.nodes[i], self.nodes[i]._rule
        inputs, arriving = node._prev, float(node.grad)
        where = [self.index[x] for x in inputs]
        total = {k: float(self.nodes[k].grad) for k in where}
        engine.push(node)
        uses = []
        if isinstance(rule, Op):
            xs = [self.data[k] for k in where]
            products = rule.number_gradients(arriving, xs, self.data[i])
            locals_ = rule.number_gradients(1.0, xs, self.data[i])
            for position, (k, local, product) in enumerate(
                zip(where, locals_, products, strict=True)
            ):
                product = 0.0 if product is None else float(product)
                before, total[k] = total[k], total[k] + product
                slope = 0.0 if local is None else float(local)
                uses.append(Use(i, position, k, slope, arriving, product, before, total[k]))
        else:  # a closure says only what it did to each input
            for k, before in total.items():
                after = float(self.nodes[k].grad)
                product = after - before
                slope = product / arriving if arriving and math.isfinite(arriving) else math.nan
                position = where.index(k)
                uses.append(Use(i, position, k, slope, arriving, product, before, after))
        return tuple(uses)

    def uses_of(self, i: int) -> list[Use]:
        """Every use of node i, in the order in which backward comes to them."""
        return [use for step in self.steps for use in step if use.input == i]

    def rule(self, i: int) -> Any:
        return self.nodes[i]._rule

    def inputs(self, i: int) -> list[int]:
        return [self.index[x] for x in self.nodes[i]._prev]

    def formula_of(self, i: int) -> Formula:
        """The node's name in formulas; a constant is its number."""
        return Formula.substituted(self.data[i]) if i in self.constants else named(self.names[i])

    def expression(self, i: int) -> Formula:
        return expression(self.rule(i), [self.formula_of(k) for k in self.inputs(i)])

    def expression_in_numbers(self, i: int) -> Formula:
        numbers = [Formula.substituted(self.data[k]) for k in self.inputs(i)]
        return expression(self.rule(i), numbers)

    def locals_of(self, i: int) -> list[Formula]:
        """d node / d input as a formula in names, one an operand."""
        names = [self.formula_of(k) for k in self.inputs(i)]
        return local_derivatives(self.rule(i), names, self.formula_of(i))

    def locals_in_numbers(self, i: int) -> list[Formula]:
        """The same with the numbers put in."""
        numbers = [Formula.substituted(self.data[k]) for k in self.inputs(i)]
        return local_derivatives(self.rule(i), numbers, Formula.substituted(self.data[i]))


def _constants(nodes: Sequence[Value], kept: Collection[Value]) -> frozenset[int]:
    """Unlabelled leaves, the 2 of `2 * a`, and what is made of them alone."""
    if not any(node in kept or label_of(node) for node in nodes if node._rule is None):
        return frozenset()
    constants: dict[Value, int] = {}
    for i, node in enumerate(nodes):
        if node not in kept and not label_of(node) and all(x in constants for x in node._prev):
            constants[node] = i
    return frozenset(constants.values())


def _names(
    nodes: Sequence[Value], constants: frozenset[int], parameters: Mapping[Value, str]
) -> list[str]:
    """A name of its own for every node: its label, else the weight's path, else v1, v2, ..."""
    names: list[str] = []
    taken: set[str] = set()
    fresh = 0
    given = [label_of(node) or plain(parameters.get(node, "")) for node in nodes]
    given = [name and shorten(name) for name in given]
    labels = set(given)
    for i, node in enumerate(nodes):
        name = given[i]
        if i in constants:
            names.append(number(node.data))
            continue
        while not name or (not given[i] and name in labels):
            fresh += 1
            name = f"v{fresh}"
        stem, copy = name, 1
        while name in taken:
            copy += 1
            name = f"{stem}#{copy}"
        taken.add(name)
        names.append(name)
    return names
