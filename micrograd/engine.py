"""Value: one number that remembers how it was made, so that gradients can flow back through it.

Read `Value.__add__` and `Value.__mul__` first, then `topological_order` and `backward`: that is
all of backpropagation. Every other operation is a row of `ops.py`, recorded by `record`. Nothing
recurses and nothing makes a reference cycle, so a graph may be a million nodes deep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.arrays import Element, grads, numbers
from micrograd.modes import Mode, current_mode, mode, reading, writing
from micrograd.modes import _modes as _modes  # the hooks of `lift` and `store` look for it here
from micrograd.ops import Op
from micrograd.reals import describe, is_real, real

__all__ = [
    "Handwritten",
    "Value",
    "backward",
    "current_mode",
    "grad",
    "grads",
    "mode",
    "no_grad",
    "numbers",
    "push",
    "record",
    "topological_order",
    "values",
]

_describe = describe


class Value(Element):
    """One number in a computation graph: `data`, and after `backward()` the gradient `grad`.

    An array of Values is a NumPy array of dtype object; its traps stand at `arrays.Element`. The
    one that nobody can refuse: `np.zeros(2)[0] = v` takes the number and loses the graph.
    """

    # Two slots hold the inputs, not a tuple: one object a node for the cycle collector to visit
    # instead of two, and 56 bytes less (a step of the demo takes 55 ms so, 97 with tuples).
    __slots__ = ("_data", "_grad", "_label", "_rule", "_left", "_right", "__weakref__")

    _data: float  # what `data` reads and writes; the engine's own code, which never writes another
    _grad: float  # type, comes here itself
    _rule: Any  # None for a leaf; an Op, or whatever else has `name` and `push(node)`
    _left: Any  # the first input; all inputs as a tuple where there are more than two
    _right: Any

    def __init__(
        self, data: Any, _children: Sequence[Value] = (), _op: str = "", label: str = ""
    ) -> None:
        self._data = data if type(data) is float else _number(data)
        self._grad = 0.0
        self._rule = self._left = self._right = None
        if label:
            self._label = label
        if _children or _op:
            self._rule = Handwritten(_op)
            _set_inputs(self, tuple(_children))
        if _modes:
            note_created = getattr(current_mode(), "created", None)
            if note_created is not None:
                note_created(self, data)

    # --- arithmetic: the two hottest rows of the table are written out --------------------------
    # (through `record` and `push` the demo's step takes 2.4x as long; tests hold them to the table)

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, Value):
            other = _operand(other)
            if other is NotImplemented:
                return NotImplemented
        if _modes:
            return record(ops.add, self, other)
        out = _new(Value)
        out._data = self._data + other._data
        out._grad = 0.0
        out._rule = _ADD
        out._left = self
        out._right = other
        return out

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, Value):
            other = _operand(other)
            if other is NotImplemented:
                return NotImplemented
        if _modes:
            return record(ops.mul, self, other)
        out = _new(Value)
        out._data = self._data * other._data
        out._grad = 0.0
        out._rule = _MUL
        out._left = self
        out._right = other
        return out

    def __pow__(self, other: Any) -> Any:
        if isinstance(other, Value):
            return record(ops.power, self, other)
        if is_real(other):
            return record(ops.constant_power(_exponent(other)), self)
        return NotImplemented

    def __radd__(self, other: Any) -> Any:  # other + self
        other = _operand(other)
        return other if other is NotImplemented else other + self

    def __rpow__(self, other: Any) -> Any:  # other ** self
        other = _operand(other)
        return other if other is NotImplemented else other**self

    def __abs__(self) -> Value:
        return record(ops.absolute, self)

    # --- functions: NumPy calls these by name on object arrays, np.exp(A) -----------------------

    def exp(self) -> Value:
        return record(ops.exp, self)

    def log(self) -> Value:
        return record(ops.log, self)

    def sqrt(self) -> Value:
        return record(ops.sqrt, self)

    def sin(self) -> Value:
        return record(ops.sin, self)

    def cos(self) -> Value:
        return record(ops.cos, self)

    def tanh(self) -> Value:
        return record(ops.tanh, self)

    def sigmoid(self) -> Value:
        return record(ops.sigmoid, self)

    def softplus(self) -> Value:
        return record(ops.softplus, self)

    def relu(self) -> Value:
        return record(ops.relu, self)

    def leaky_relu(self, negative_slope: float = 0.01) -> Value:
        return record(ops.leaky_relu(real(negative_slope)), self)

    def gelu(self) -> Value:
        return record(ops.gelu, self)

    def abs(self) -> Value:
        return record(ops.absolute, self)

    def maximum(self, other: Any) -> Any:
        return ops.maximum(self, other)

    def minimum(self, other: Any) -> Any:
        return ops.minimum(self, other)

    def detach(self) -> Value:
        """The same number without its past: a leaf that passes no gradient on."""
        return record(ops.detach, self) if _modes else Value(self._data)

    # --- the numbers: a float, whatever was written ----------------------------------------------

    @property
    def data(self) -> float:
        if _modes:
            reading(self, "data")
        return self._data

    @data.setter
    def data(self, number: Any) -> None:
        if _modes:
            writing(self, "data")
        self._data = number if type(number) is float else real(number)

    @property
    def grad(self) -> float:
        if _modes:
            reading(self, "grad")
        return self._grad

    @grad.setter
    def grad(self, number: Any) -> None:
        if _modes:
            writing(self, "grad")
        self._grad = number if type(number) is float else real(number)

    # --- the graph ------------------------------------------------------------------------------

    @property
    def _prev(self) -> tuple[Value, ...]:
        left = self._left
        if left is None:
            return ()
        if type(left) is tuple:
            return left
        return (left,) if self._right is None else (left, self._right)

    @property
    def _op(self) -> str:
        return "" if self._rule is None else self._rule.name

    @property
    def label(self) -> str:  # unset in most nodes: storing "" in each would cost 2% of a step
        try:
            return self._label
        except AttributeError:
            return ""

    @label.setter
    def label(self, text: str) -> None:
        self._label = text

    @property
    def _backward(self) -> Callable[[], None]:
        """Push this node's grad one step, to its inputs; assign a closure to do it by hand."""
        return lambda: push(self)

    @_backward.setter
    def _backward(self, closure: Callable[[], None]) -> None:
        if not callable(closure):
            raise TypeError(f"_backward is a function without arguments, got {_describe(closure)}")
        self._rule = Handwritten(self._op, closure)

    def backward(self) -> None:
        """Fill `grad` of every Value below with d self / d value; leaves add to what they hold."""
        backward(self)

    @staticmethod
    def _interpret(op: Op, xs: Sequence[Any]) -> Any:
        """What calling an Op means where one of its inputs is a Value: a node."""
        inputs = [_operand(x) for x in xs]
        for x, given in zip(inputs, xs, strict=True):
            if x is NotImplemented:
                raise TypeError(f"{op.name} takes Values and real numbers, got {_describe(given)}")
        return record(op, *inputs)

    # --- copies and pickles: whoever needs them imports copying.py ------------------------------

    def __copy__(self) -> Value:
        out = _leaf(self.data, self.grad, self.label)
        out._rule, out._left, out._right = self._rule, self._left, self._right
        return out

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        from micrograd import copying

        return copying.deepcopy(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        from micrograd import copying

        return copying.reduce(self)


_new = object.__new__
_ADD, _MUL, _RELU = ops.add, ops.mul, ops.relu


def record(op: Op, *inputs: Value) -> Value:
    """A node: op applied to Values, remembering them. (Under `no_grad` a leaf; lift traces it.)"""
    if _modes:
        active = current_mode()
        if active is not None:
            return active.record(op, inputs)  # type: ignore[no-any-return]
    out = _new(Value)
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


class Handwritten:
    """The rule of a node made by hand: a name, and the closure that was assigned to `_backward`."""

    __slots__ = ("name", "closure")

    def __init__(self, name: str, closure: Callable[[], None] | None = None) -> None:
        self.name = name
        self.closure = closure

    def push(self, node: Value) -> None:
        if self.closure is not None:
            self.closure()


def _leaf(data: float, grad: float, label: str) -> Value:
    out = _new(Value)
    out._data, out._grad = data, grad
    out._rule = out._left = out._right = None
    if label:
        out._label = label
    return out


def _set_inputs(node: Value, inputs: tuple[Value, ...]) -> None:
    if len(inputs) > 2:
        node._left, node._right = inputs, None
    else:
        node._left, node._right = (*inputs, None, None)[:2]


def _number(data: Any) -> float:
    """The number of a new Value."""
    if isinstance(data, Value) and hasattr(current_mode(), "created"):
        return 0.0  # the recording makes the new Value a second name of the traced one
    return real(data)


def _operand(x: Any) -> Any:
    """A Value of a plain number; NotImplemented for others, so that Python asks their type."""
    if isinstance(x, Value):
        return x
    return Value(x) if is_real(x) else NotImplemented


def _exponent(k: Any) -> float:
    """An int stays one, so that graphs show `**2` for v**2 and `**2.0` for v**2.0."""
    if type(k) is int or type(k) is float:
        return k
    k = k.item() if isinstance(k, (np.generic, np.ndarray)) else k
    return int(k) if isinstance(k, int) else float(k)


class _NumbersOnly(Mode):
    """The mode of `no_grad`: operations give leaves."""

    def record(self, op: Op, inputs: Sequence[Value]) -> Value:
        return _leaf(op.number(*[x.data for x in inputs]), 0.0, "")


def no_grad() -> mode:
    """Inside `with no_grad():` (or in a function decorated with it) operations remember nothing."""
    return mode(_NumbersOnly())


# --- backpropagation ----------------------------------------------------------------------------


def topological_order(root: Value) -> list[Value]:
    """Every Value that `root` depends on, inputs before outputs, `root` last, in a fixed order."""
    order: list[Value] = []
    seen: set[Value] = set()
    stack: list[Any] = [root]
    append, pop, push, see = order.append, stack.pop, stack.append, seen.add
    while stack:
        node = pop()
        if node is None:  # all inputs of the next one stand in `order`
            append(pop())
            continue
        if node in seen:
            continue
        see(node)
        if node._rule is None:
            append(node)
            continue
        push(node)
        push(None)
        left, right = node._left, node._right
        if right is not None and right not in seen:
            push(right)
        if type(left) is tuple:
            stack += left[::-1]
        elif left is not None and left not in seen:
            push(left)
    return order


def push(node: Value) -> None:
    """One step of the chain rule: to each input's grad add local derivative times `node.grad`."""
    rule = node._rule
    if rule is None:
        return
    if type(rule) is not Op:
        rule.push(node)
        return
    inputs = node._prev
    contributions = rule.number_gradients(node._grad, [x._data for x in inputs], node._data)
    for x, contribution in zip(inputs, contributions):  # noqa: B905 - `strict=` costs 0.1 us
        if contribution is not None:
            x.grad += contribution  # checked: a rule of the user's own may give any number


# A zero that is an object of its own: a node that still holds it was reached by no gradient (it
# stands behind `greater` or `detach`), and pushing 0 from it would give nan where it meets inf.
_UNREACHED = float("-0.0")


def backward(root: Value) -> None:
    """Fill `grad` of every Value that `root` depends on with d root / d value.

    Interior nodes start from zero, leaves add to what they hold: a second call doubles them.
    """
    refuse = getattr(current_mode(), "refuse", None)
    if refuse is not None:
        refuse("backward()")
    order = topological_order(root)
    for node in order:
        if node._rule is not None:
            node._grad = _UNREACHED
    root._grad = root._grad + 1.0 if root._rule is None else 1.0
    order.reverse()
    for node in order:
        rule = node._rule
        if rule is None:
            continue
        g = node._grad
        if g is _UNREACHED:
            node._grad = 0.0
        elif rule is _ADD:
            node._left._grad += g
            node._right._grad += g
        elif rule is _MUL:
            left, right = node._left, node._right
            x = left._data
            left._grad += right._data * g
            right._grad += x * g
        elif rule is _RELU:  # written out, too: 45 ms a step of the demo instead of 51
            if node._data:
                node._left._grad += g
            elif node._left._grad is _UNREACHED:
                node._left._grad = 0.0
        else:
            push(node)


def grad(y: Value, xs: Any, create_graph: bool = False) -> Any:
    """d y / d x for each x of `xs` (a Value, a list or an array of them), as Values in its shape.

    Reads and writes no `grad`. With `create_graph` the results are graphs themselves and can be
    differentiated again; without it they are leaves. What y does not depend on has gradient 0.
    """
    from micrograd import derivatives  # whoever differentiates this way imports it

    wanted = [xs] if isinstance(xs, Value) else list(np.asarray(xs, dtype=object).flat)
    for x in (y, *wanted):
        if not isinstance(x, Value):
            raise TypeError(
                f"grad() differentiates Values with respect to Values, got {_describe(x)}"
            )
    results = derivatives.gradients(y, wanted, create_graph)
    if isinstance(xs, Value):
        return results[0]
    if not isinstance(xs, np.ndarray):
        return results
    shaped = np.empty(xs.size, dtype=object)
    shaped[:] = results
    return shaped.reshape(xs.shape)


def values(numbers: Any) -> np.ndarray:
    """New Values that hold the given numbers, as an array in their shape; `numbers` goes back."""
    array = np.asarray(numbers)
    made = np.empty(array.size, dtype=object)
    made[:] = [Value(x) for x in array.ravel().tolist()]
    return made.reshape(array.shape)


def _no_parameters(node: Value) -> tuple[Value, ...]:
    return ()
