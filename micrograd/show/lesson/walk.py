"""Walk: one real backward pass, one node at a time, written down while it happens.

The stepper, the explanation, the worksheet and the marking all read this record, so what they show
is what the engine did, a learner's own `_backward` included. The user's graph stays as it was. Read
`Use` (one input in one step of the chain rule), then `Walk`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from micrograd import engine
from micrograd.engine import Value
from micrograd.op import Op
from micrograd.show.graph.grouping import MOST_GROUPED, Grouping, group, short_names
from micrograd.show.graph.nodes import is_node, ordered, read, topological_order
from micrograd.show.graph.outside import Part
from micrograd.show.graph.parameters import found_parameters, known_units, read_parameters
from micrograd.show.graph.text import label_of
from micrograd.show.lesson.adopted import adopted
from micrograd.show.lesson.formulas import Formula, expression, local_derivatives, named
from micrograd.show.lesson.names import constants_of, named_nodes
from micrograd.show.lesson.order import by_rank
from micrograd.show.lesson.told import results_of, told_names
from micrograd.show.notation import readable
from micrograd.show.practice.answers import described

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
    `order` is the one in which the values are worked out by hand (see `by_rank`), and `asked`, the
    gradients to work out, its reverse. `steps` holds, for each computed node, output first, the
    uses of its inputs; `grads` what the pass left in each node when it started from zero.
    """

    def __init__(
        self,
        value: Any,
        parameters: Any = (),
        wrt: Iterable[Any] = (),
        groups: Any = None,
        order: Sequence[Value] = (),
    ) -> None:
        self._twins: dict[int, Value] = {}
        self._told: dict[int, Mapping[int, str]] = {}
        self.ordered = True  # whether every node tells the order of its operands
        if not isinstance(value, Value) and is_node(value):
            self.ordered = all(map(ordered, topological_order(value)))
            value, self._twins = adopted(value)
        if not isinstance(value, Value):
            hint = "; take one element, or their sum" if hasattr(value, "shape") else ""
            raise TypeError(
                "a lesson is about one Value, the output of a computation; got "
                f"{described(value)}{hint}"
            )
        self.root = value
        self.nodes = list(order) or engine.topological_order(value)
        self.found = Grouping((), {})  # the neurons, as far as one knows them
        if not order:
            self._group(parameters if groups is None else groups)
        self.grouping = self.found if groups is not None and self.found.parts else None
        self.index = {node: i for i, node in enumerate(self.nodes)}
        self.data = [float(node.data) for node in self.nodes]
        given = {self.own(p): name for p, name in read_parameters(parameters).items()}
        self.parameters = self._weights(given, in_module=hasattr(parameters, "parameters"))
        self.constants = constants_of(
            self.nodes, self.parameters.keys() | {self.own(x) for x in wrt}
        )
        self.called = named_nodes(
            self.nodes, self.constants, self.parameters, self.found, given=bool(order)
        )
        self.names = self.called.texts
        self.legend = ""  # of a saved sheet, whose model is not there
        self.order = by_rank(self.names, [self.inputs(i) for i in range(len(self.nodes))])
        self.asked = [i for i in reversed(self.order) if i not in self.constants]
        self.steps: list[tuple[Use, ...]] = []
        self.grads: list[float] = []
        self._run_backward()

    def _group(self, model: Any) -> None:
        """Find the neurons, and put the nodes in an order that goes from neuron to neuron."""
        leaves = [node for node in self.nodes if node._rule is None]
        twins = self._twins
        units = [
            replace(u, names={id(twins[v]) if v in twins else v: n for v, n in u.names.items()})
            for u in known_units(model, leaves)
        ]
        graph = read(self.nodes)
        if len(graph) > MOST_GROUPED or not units:
            self.found = Grouping((), short_names(graph, units))
            return
        found = group(graph, units)
        if found.parts:
            self.nodes = [self.nodes[i] for step in found.order(graph) for i in step]
            self.graph = read(self.nodes)
        self.found = group(self.graph, units) if found.parts else found

    def own(self, x: Any) -> Any:
        """The node of this walk that stands for a Value of somebody else's class."""
        return self._twins.get(id(x), x)

    def _weights(self, given: dict[Value, str], in_module: bool) -> dict[Value, str]:
        """The weights of this graph with their names; a module may have others beside them."""
        leaves = [node for node in self.nodes if node._rule is None]
        used = {p: name for p, name in given.items() if p in self.index and p._rule is None}
        if (given and not used) or (len(used) < len(given) and not in_module):
            stranger = next(p for p in given if p not in used)
            what = label_of(stranger) or f"the Value {readable(stranger.data)}, without a label,"
            raise ValueError(
                f"parameters= takes leaves that {label_of(self.root) or 'the output'} was computed "
                f"from; {what} is not one of them"
            )
        found = found_parameters(leaves)
        return {p: used.get(p) or found.get(p, "") for p in leaves if p in used or p in found}

    @cached_property
    def neurons(self) -> list[Part]:
        """The neurons, where they are known."""
        parts = self.grouping.within() if self.grouping else ()
        return [part for part in parts if part.kind == "neuron"]

    def _run_backward(self) -> None:
        rules = [(node, node._rule) for node in self.nodes if node._rule is not None]
        touched = list(dict.fromkeys([*self.nodes, *(p for n, r in rules for p in r.hidden(n))]))
        kept = [node.grad for node in touched]
        try:
            for node in touched:
                node.grad = 0.0
            for node in self._reached():
                self.steps.append(self._step(self.index[node]))
            self.grads = [node.grad for node in self.nodes]
        finally:
            for node, grad in zip(touched, kept, strict=True):
                node.grad = grad

    def _reached(self) -> Iterator[Value]:
        """As `engine.reached`, in this walk's order."""
        for node in self.nodes:
            if node._rule is not None:
                node.grad = engine.UNREACHED
        self.root.grad = 1.0
        for node in reversed(self.nodes):
            if node._rule is None:
                continue
            if node.grad is engine.UNREACHED:
                node.grad = 0.0
            else:
                yield node

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

    @cached_property
    def results(self) -> dict[int, str]:
        """What the results of neurons are called outside them."""
        return results_of(self)

    def told(self, i: int) -> Mapping[int, str]:
        """What node i and its inputs are called in the words about its step, by index."""
        if i not in self._told:
            names = {k: self.names[k] for k in (i, *self.inputs(i))}
            self._told[i] = names | dict(told_names(self, i))
        return self._told[i]

    def formula_of(self, i: int, names: Mapping[int, str] | None = None) -> Formula:
        """The node's name in formulas, or its name in `names`; a constant is its number."""
        if i not in self.constants:
            return named((names or self.names)[i])
        formula = Formula.substituted(self.data[i])
        if self.data[i] < 0:  # a + (−1) reads as a − 1
            formula.negated = Formula.substituted(-self.data[i])
        return formula

    def expression(self, i: int, names: Mapping[int, str] | None = None) -> Formula:
        if i in self.called.negated:  # b × (−1) reads as −b
            return -self.formula_of(self.called.negated[i], names)
        return expression(self.rule(i), [self.formula_of(k, names) for k in self.inputs(i)])

    def expression_in_numbers(self, i: int) -> Formula:
        if i in self.called.negated:
            return -self.number_of(self.called.negated[i])
        return expression(self.rule(i), [self.number_of(k) for k in self.inputs(i)])

    def number_of(self, i: int) -> Formula:
        """A node's number in formulas; that of −b is minus the number of b."""
        formula = Formula.substituted(self.data[i])
        if self.formula_of(i).negated is not None:
            formula.negated = Formula.substituted(-self.data[i])
        return formula

    def locals_of(self, i: int, names: Mapping[int, str] | None = None) -> list[Formula]:
        """d node / d input as a formula in names, one an operand."""
        operands = [self.formula_of(k, names) for k in self.inputs(i)]
        return local_derivatives(self.rule(i), operands, self.formula_of(i, names))

    def locals_in_numbers(self, i: int) -> list[Formula]:
        """The same with the numbers put in."""
        numbers = [Formula.substituted(self.data[k]) for k in self.inputs(i)]
        return local_derivatives(self.rule(i), numbers, Formula.substituted(self.data[i]))
