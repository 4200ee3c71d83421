"""Value: one number that remembers how it was made, so that gradients can flow back through it.

This file is all of backpropagation, from top to bottom. Beside it: `ops.py`, what each operation
computes and what its derivative is; `arithmetic.py`, the operators made of `+`, `*` and `**`;
`node.py`, how a node is kept in memory; `fast.py`, these functions again, written for speed and
held to these by tests. Nothing recurses, and nothing makes a reference cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from micrograd import modes, ops
from micrograd.arrays import Element
from micrograd.node import Node
from micrograd.op import Op
from micrograd.reals import Real, describe, exponent, is_real, real
from micrograd.rules import ByHand, Rule

__all__ = [
    "ComputedValue", "Leaf", "NumbersOnly", "Value", "no_grad", "push", "reached", "record",
    "topological_order",
]  # fmt: skip


class Value(Node, Element):
    """One number in a computation graph: `data`, and after `backward()` the gradient `grad`.

    A leaf, `Value(2.0)`, takes attributes of your own, `p.velocity = 0.0`; the result of an
    operation takes none. An array of Values is a NumPy array of dtype object. A function that wants
    floats takes the number and loses the graph: `math.exp(v)`, `np.zeros(2)[0] = v`,
    `np.interp(v, x, y)`, `np.gradient(A)`. `arrays.Element` says what to write instead.
    """

    __slots__ = ()

    def __init__(
        self, data: Any, _children: Sequence[Value] = (), _op: str | Op = "", label: str = ""
    ) -> None:
        self._data = real(data)  # what `data` reads, and checks when it is written
        self._grad = 0.0
        self._rule = ByHand(_op) if isinstance(_op, str) else _op
        self._prev = tuple(_children)
        self.label = label
        if not _children and not _op:
            self._rule = None  # a leaf: nothing made it

    # `record` gives NotImplemented for what is no number, and Python asks that object's type
    def __add__(self, other: Value | Real) -> Value:  # the row of `+` in ops.py
        return record(ops.add, self, other)

    def __mul__(self, other: Value | Real) -> Value:
        return record(ops.mul, self, other)

    def __pow__(self, other: Value | Real) -> Value:
        if is_real(other):
            return record(ops.constant_power(exponent(other)), self)  # drawn as **2
        return record(ops.power, self, other)

    def __radd__(self, other: Real) -> Value:  # other + self
        return record(ops.add, other, self)

    def __rpow__(self, other: Real) -> Value:  # other ** self
        return record(ops.power, other, self)

    @staticmethod
    def _interpret(op: Op, xs: Sequence[Any]) -> Value:  # what ops.exp(v) means
        out = record(op, *xs)
        if out is NotImplemented:
            wrong = next(x for x in xs if not isinstance(x, Value) and not is_real(x))
            raise TypeError(f"{op.name} takes Values and real numbers, got {describe(wrong)}")
        return out

    @property
    def _backward(self) -> Callable[[], None]:
        """One step of the chain rule, from here to the inputs; or assign a closure of your own."""
        rule = self._rule
        if isinstance(rule, ByHand) and rule.closure is not None:
            return rule.closure
        return lambda: push(self, rule)

    @_backward.setter
    def _backward(self, closure: Callable[[], None]) -> None:
        if not callable(closure):
            raise TypeError(f"_backward is a function without arguments, got {describe(closure)}")
        self._rule = ByHand(self._op, closure)

    def backward(self) -> None:
        """Fill `grad` of every Value that this one was made from with d self / d value.

        Interior nodes start from zero, leaves add to what they hold: a second call doubles them.
        """
        modes.current_mode().refuse("backward()")
        for node in reached(self):
            push(node)

    def detach(self) -> Value:
        """The same number without its past: a leaf that passes no gradient on."""
        if modes.current_mode() is modes.eager:
            return Value(self.data)
        return record(ops.detach, self)


class Leaf(Value, stands_for=Value):
    """What `Value(2.0)` is: nothing made it, and it takes attributes of one's own."""


class ComputedValue(Value, stands_for=Value):
    """The result of an operation: as small as it can be, and so without attributes of one's own."""

    __slots__ = ()


Value.leaf, Value.computed = Leaf, ComputedValue
Leaf.__name__ = Leaf.__qualname__ = "Value"  # to a user it is


def record(op: Op, *inputs: Any) -> Value:
    """A new node: op applied to Values (or numbers), remembering them."""
    values = [Value(x) if is_real(x) else x for x in inputs]
    if not all(isinstance(x, Value) for x in values):
        return NotImplemented  # type: ignore[no-any-return]
    mode = modes.current_mode()
    if mode is not modes.eager:  # inside `no_grad`, or a recording of `lift`
        return mode.record(op, values)
    return Value(op.number(*[x.data for x in values]), values, op)


def push(node: Value, rule: Rule | None = None) -> None:
    """The chain rule, once: each input's grad grows by local derivative times `node.grad`."""
    rule = node._rule if rule is None else rule
    if isinstance(rule, Op):
        xs = [x.data for x in node._prev]
        parts = rule.number_gradients(node.grad, xs, node.data)
        for x, part in zip(node._prev, parts, strict=True):
            if part is not None:
                x.grad += part
    elif rule is not None:
        rule.push(node)


def reached(root: Value, total: dict[Value, Any] | None = None) -> Iterator[Value]:
    """The computed nodes that a gradient reaches, `root` first, each once its grad is complete.

    What has arrived stands in `grad`, or in `total[node]` for a caller who leaves `grad` alone.
    """
    order = topological_order(root)
    if total is None:
        for node in order:
            if node._rule is not None:
                node.grad = UNREACHED
        root.grad = 1.0 if root._rule is not None else root.grad + 1.0
    for node in reversed(order):
        if node._rule is not None and _arrived(node, total):
            yield node


def _arrived(node: Value, total: dict[Value, Any] | None) -> bool:
    if total is not None:
        return node in total
    if node.grad is UNREACHED:  # only `greater` or `detach` led here, and they pass nothing on
        node.grad = 0.0  # and not pushed: 0 times an infinite derivative would be nan
        return False
    return True


UNREACHED = float("-0.0")  # known by `is`; a zero with this sign leaves what is added as it is


def topological_order(root: Value) -> list[Value]:
    """Every Value that `root` was made from, inputs before outputs, `root` last."""
    order: list[Value] = []
    seen: set[Value] = set()
    waiting = [(root, False)]  # a node, and whether its inputs are in the order already
    while waiting:
        node, inputs_are_in = waiting.pop()
        if inputs_are_in:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            waiting += [(x, False) for x in reversed(node._prev)]
    return order


class NumbersOnly(modes.Mode):
    """The mode of `no_grad`: an operation gives a leaf."""

    def record(self, op: Op, inputs: Sequence[Value]) -> Value:
        outer = modes.outside(self)
        if outer is modes.eager:
            return Value(op.number(*[x.data for x in inputs]))
        with modes.mode(outer):  # a recording sees the operation, and that nothing flows back
            return record(op, *inputs).detach()


def no_grad() -> modes.mode:
    """Inside `with no_grad():` (or in a function decorated with it) operations remember nothing."""
    return modes.mode(NumbersOnly())
