"""The hottest functions of `engine.py`, written out: the same bits, several times as fast.

`engine.py` is what these must equal, and the tests of the engine run with and without them; nothing
needs this file, and `uninstall()` shows what it brings: one step of the demo (100 moons through
MLP(2, [16, 16, 1]), 65,818 nodes: forward, backward, update) takes 36 ms, and 335 without it. A
number beside a function below is the same step, in ms, with that one function of `engine.py` in its
place. All were measured in one process on one core, CPython 3.11, the smallest of 11 steps, the
cycle collector on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from micrograd import engine, modes, ops
from micrograd.arithmetic import Arithmetic
from micrograd.engine import UNREACHED, ComputedValue, Leaf, Value
from micrograd.op import Op
from micrograd.reals import divide, is_real, real
from micrograd.rules import ByHand, Rule

__all__ = ["install", "leaf", "node", "uninstall"]

_new, _active = object.__new__, modes.active
_ADD, _MUL, _RELU = ops.add, ops.mul, ops.relu
_INVERSE = ops.constant_power(-1, quotient=True)


def leaf(data: float, grad: float = 0.0, label: str = "") -> Value:
    """A leaf, without the way through `Value.__init__`; no mode is asked."""
    out = _new(Leaf)
    out._data, out._grad = data, grad
    out._rule = out._left = out._right = None
    if label:
        out._label = label
    return out


def node(rule: Rule, inputs: Sequence[Value], data: float) -> Value:
    """The result of an operation, made by hand."""
    out = _new(ComputedValue)
    out._data, out._grad = data, 0.0
    out._rule, out._prev = rule, inputs
    return out


# --- making nodes -------------------------------------------------------------------------------


def _init(
    self: Value, data: Any, _children: Sequence[Value] = (), _op: str | Op = "", label: str = ""
) -> None:
    self._data = data if type(data) is float else real(data)
    self._grad = 0.0
    self._rule = self._left = self._right = None
    if label != "":
        self._label = label
    if _children or _op:
        self._rule = ByHand(_op) if isinstance(_op, str) else _op
        self._prev = tuple(_children)


def _operand(x: Any) -> Any:
    """A Value of a plain number; NotImplemented for others, so that Python asks their type."""
    kind = type(x)
    if kind is Leaf:  # 12 ns; `isinstance`, which asks the classes' own class, takes 45
        return x
    if kind is not float and kind is not int:
        if isinstance(x, Value):
            return x
        if not is_real(x):
            return NotImplemented
    return Value(x) if _active else leaf(x if type(x) is float else real(x))


def _add(self: Value, other: Any) -> Any:  # 46; most operands are results
    if type(other) is not ComputedValue:
        other = _operand(other)
        if other is NotImplemented:
            return NotImplemented
    if _active:  # a traced number is asked itself
        return engine.record(_ADD, self, other) if other.has_number else NotImplemented
    out = _new(ComputedValue)
    out._data = self._data + other._data
    out._grad = 0.0
    out._rule = _ADD
    out._left = self
    out._right = other
    return out


def _mul(self: Value, other: Any) -> Any:  # 47
    if type(other) is not ComputedValue:
        other = _operand(other)
        if other is NotImplemented:
            return NotImplemented
    if _active:
        return engine.record(_MUL, self, other) if other.has_number else NotImplemented
    out = _new(ComputedValue)
    out._data = self._data * other._data
    out._grad = 0.0
    out._rule = _MUL
    out._left = self
    out._right = other
    return out


def _truediv(self: Value, other: Any) -> Any:  # a / b of two Values in 0.4 us instead of 1.8
    kind = type(other)
    if _active:
        return Arithmetic.__truediv__(self, other)
    if kind is ComputedValue or kind is Leaf:
        b = other._data
        inverse: Value = _new(ComputedValue)
        inverse._data = 1.0 / b if b else divide(1.0, b)
        inverse._grad = 0.0
        inverse._rule = _INVERSE
        inverse._left = other
        inverse._right = None
    elif kind is float or kind is int:
        b = real(other)
        inverse = leaf(divide(1.0, b))
    else:
        return Arithmetic.__truediv__(self, other)
    out = _new(ComputedValue)
    out._data = self._data / b if b else divide(self._data, b)
    out._grad = 0.0
    out._rule = _MUL
    out._left = self
    out._right = inverse
    return out


def _radd(self: Value, other: Any) -> Any:
    other = _operand(other)
    return other if other is NotImplemented else other + self


def _function(op: Op) -> Callable[[Value], Any]:  # 43 for relu alone
    def method(self: Value) -> Any:
        if _active:
            return engine.record(op, self)
        out = _new(ComputedValue)
        out._data = op.number(self._data)
        out._grad = 0.0
        out._rule = op
        out._left = self
        out._right = None
        return out

    return method


def record(op: Op, *inputs: Any) -> Any:  # 44
    for x in inputs:
        kind = type(x)
        if kind is not ComputedValue and kind is not Leaf and not isinstance(x, Value):
            inputs = tuple(map(_operand, inputs))
            if any(y is NotImplemented for y in inputs):
                return NotImplemented
            break
    if _active:
        mode = modes.current_mode()
        if mode is not modes.eager:
            return mode.record(op, inputs)
    out = _new(ComputedValue)
    out._grad = 0.0
    out._rule = op
    out._right = None
    if len(inputs) == 1:
        (x,) = inputs
        out._left = x
        out._data = op.number(x._data)
    elif len(inputs) == 2:
        out._left, out._right = inputs
        out._data = op.number(inputs[0]._data, inputs[1]._data)
    else:
        out._left = inputs
        out._data = op.number(*[x._data for x in inputs])
    return out


# --- going back through them --------------------------------------------------------------------


def topological_order(root: Value) -> list[Value]:  # 54
    # no tuple for each node on the stack: None stands for `all inputs of the next one are in`
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[Any] = [root]
    append, pop, put, see = order.append, stack.pop, stack.append, seen.add
    while stack:
        node = pop()
        if node is None:
            append(pop())
            continue
        if node in seen:
            continue
        see(node)
        if node._rule is None:
            append(node)
            continue
        put(node)
        put(None)
        left, right = node._left, node._right
        if right is not None and right not in seen:
            put(right)
        if type(left) is tuple:
            stack += left[::-1]
        elif left is not None and left not in seen:
            put(left)
    return order


def push(node: Value, rule: Rule | None = None) -> None:
    rule = node._rule if rule is None else rule
    if type(rule) is not Op:
        if rule is not None:
            rule.push(node)
        return
    inputs = node._prev
    contributions = rule.number_gradients(node._grad, [x._data for x in inputs], node._data)
    if rule.builtin:
        for x, part in zip(inputs, contributions):  # noqa: B905 - `strict=` costs 0.1 us
            if part is not None:
                x._grad += part
    else:
        for x, part in zip(inputs, contributions, strict=True):
            if part is not None:
                x.grad += part  # checked: a rule of the user's own may give any number


def _backward(self: Value) -> None:  # 101: the three hottest rows are written out here
    if _active:
        modes.current_mode().refuse("backward()")
    made_by = self._rule
    if made_by is not None and type(made_by) is not Op and made_by.backward_at_once(self):
        return  # a lifted loss: 1.3 us less
    order = engine.topological_order(self)
    for node in order:
        if node._rule is not None:
            node._grad = UNREACHED
    self._grad = self._grad + 1.0 if self._rule is None else 1.0
    order.reverse()
    for node in order:
        rule = node._rule
        if rule is None:
            continue
        g = node._grad
        if g is UNREACHED:
            node._grad = 0.0
        elif rule is _ADD:
            node._left._grad += g
            node._right._grad += g
        elif rule is _MUL:
            left, right = node._left, node._right
            x = left._data
            left._grad += right._data * g
            right._grad += x * g
        elif rule is _RELU:
            if node._data:
                node._left._grad += g
            elif node._left._grad is UNREACHED:
                node._left._grad = 0.0
        else:
            push(node)


# --- in place of the reference ------------------------------------------------------------------

of_engine = {"record": record, "topological_order": topological_order, "push": push}
of_value: dict[str, Any] = {
    "__init__": _init, "__add__": _add, "__rmul__": _mul, "__mul__": _mul,
    "__radd__": _radd, "__truediv__": _truediv, "backward": _backward,
    **{
        name: _function(getattr(ops, name))
        for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "softplus", "relu",
                     "gelu")
    },
}  # fmt: skip
reference: dict[str, Any] = {name: getattr(engine, name) for name in of_engine}
for _name, _f in (*of_engine.items(), *of_value.items()):  # what `help(Value)` shows
    _same = getattr(engine if _name in of_engine else Value, _name)
    _f.__name__, _f.__qualname__ = _same.__name__, _same.__qualname__
    _f.__doc__ = _same.__doc__
methods_of_reference = {name: vars(Value).get(name) for name in of_value}


def install() -> None:
    """Let the engine use these functions.

    Other modules write `engine.record(...)`, and do not import `record` by name: so they find what
    is installed.
    """
    for name, function in of_engine.items():
        setattr(engine, name, function)
    for name, method in of_value.items():
        setattr(Value, name, method)


def uninstall() -> None:
    """Let the engine use its own again."""
    for name, function in reference.items():
        setattr(engine, name, function)
    for name, method in methods_of_reference.items():
        if method is not None:
            setattr(Value, name, method)
        elif name in vars(Value):  # inherited: from `Arithmetic`
            delattr(Value, name)
