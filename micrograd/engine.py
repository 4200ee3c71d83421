"""Value: one number that remembers how it was made, so that gradients can flow back through it.

Read `Value.__add__` and `Value.__mul__` first, then `topological_order` and `backward`: that is all of
backpropagation. Every other operation is a row of `ops.py`, recorded by `record`. The rest of this module
makes graphs of any size safe: nothing recurses, and nothing makes a reference cycle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from typing import Any

import numpy as np

from micrograd import ops
from micrograd.ops import Op

__all__ = [
    "Value",
    "backward",
    "grad",
    "grads",
    "no_grad",
    "numbers",
    "record",
    "topological_order",
]


class Value:
    """One number in a computation graph: `data`, and after `backward()` the gradient `grad`.

    Two slots hold the inputs, not a tuple: one object a node for the cycle collector to visit instead of
    two, and 56 bytes less (an eager step of the demo: 0.13 s with tuples, 0.10 s so).
    """

    __slots__ = ("data", "grad", "_label", "_rule", "_left", "_right", "__weakref__")

    data: float
    grad: float
    _rule: Any  # None for a leaf; an Op, or whatever else has `name` and `push(node)`
    _left: Any  # the first input; all inputs as a tuple where there are more than two
    _right: Any

    def __init__(
        self, data: Any, _children: Sequence[Value] = (), _op: str = "", label: str = ""
    ) -> None:
        self.data = data if type(data) is float else _real(data)
        self.grad = 0.0
        self._rule = self._left = self._right = None
        if label:
            self._label = label
        if _children or _op:
            self._rule = Handwritten(_op)
            _set_inputs(self, tuple(_children))
        if _modes:
            note_created = getattr(_mode.get(), "created", None)
            if note_created is not None:
                note_created(self, data)

    # --- arithmetic: the two hottest rows of the table are written out -------------------------------
    # (through `record` a step of the demo takes 1.6x as long; tests hold them to the table)

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, Value):
            other = _operand(other)
            if other is NotImplemented:
                return NotImplemented
        if _modes:
            return record(ops.add, self, other)
        out = _new(Value)
        out.data = self.data + other.data
        out.grad = 0.0
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
        out.data = self.data * other.data
        out.grad = 0.0
        out._rule = _MUL
        out._left = self
        out._right = other
        return out

    def __pow__(self, other: Any) -> Any:
        if isinstance(other, Value):
            return record(ops.power, self, other)
        if isinstance(other, Real):
            k = other if isinstance(other, (int, float)) else float(other)
            return record(ops.constant_power(k), self)
        return NotImplemented

    def __rpow__(self, other: Any) -> Any:  # other ** self
        other = _operand(other)
        return other if other is NotImplemented else other**self

    def __neg__(self) -> Any:  # -self
        return self * -1

    def __pos__(self) -> Value:
        return self

    def __radd__(self, other: Any) -> Any:  # other + self
        other = _operand(other)
        return other if other is NotImplemented else other + self

    def __rmul__(self, other: Any) -> Any:  # other * self
        return self * other

    def __sub__(self, other: Any) -> Any:  # self - other
        return self + (-other)

    def __rsub__(self, other: Any) -> Any:  # other - self
        return other + (-self)

    def __truediv__(self, other: Any) -> Any:  # self / other
        other = other if isinstance(other, Value) else _operand(other)
        return other if other is NotImplemented else self * other**-1

    def __rtruediv__(self, other: Any) -> Any:  # other / self
        return other * self**-1

    def __abs__(self) -> Value:
        return record(ops.absolute, self)

    # --- functions: NumPy calls these by name on object arrays, np.exp(A) ------------------------------

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
        return record(ops.leaky_relu(float(negative_slope)), self)

    def gelu(self) -> Value:
        return record(ops.gelu, self)

    def abs(self) -> Value:
        return record(ops.absolute, self)

    def maximum(self, other: Any) -> Any:
        return ops.maximum(self, other)

    def minimum(self, other: Any) -> Any:
        return ops.minimum(self, other)

    def conjugate(self) -> Value:  # A.var() asks for it
        return self

    def detach(self) -> Value:
        """The same number without its past: a leaf that passes no gradient on."""
        return record(ops.detach, self) if _modes else Value(self.data)

    # --- the graph -------------------------------------------------------------------------------------

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
    def label(self) -> str:  # unset in most nodes: storing '' in each would cost 5% of a step
        try:
            return self._label
        except AttributeError:
            return ""

    @label.setter
    def label(self, text: str) -> None:
        self._label = text

    @property
    def _backward(self) -> Callable[[], None]:
        """Push this node's grad one step, to its inputs; assign a closure to write the step by hand."""
        return lambda: push(self)

    @_backward.setter
    def _backward(self, closure: Callable[[], None]) -> None:
        if not callable(closure):
            raise TypeError(f"_backward is a function without arguments, got {closure!r}")
        self._rule = Handwritten(self._op, closure)

    def backward(self) -> None:
        """Fill `grad` of every Value below with d self / d value: interior anew, leaves added to."""
        backward(self)

    # --- being a number --------------------------------------------------------------------------------

    def item(self) -> float:
        return self.data

    def __float__(self) -> float:
        return float(self.data)

    def __repr__(self) -> str:
        return f"Value(data={float(self.data)}, grad={float(self.grad)})"

    def __format__(self, spec: str) -> str:
        return format(float(self.data), spec) if spec else repr(self)

    def __lt__(self, other: Any) -> Any:
        return _compare(self, other, float.__lt__)

    def __le__(self, other: Any) -> Any:
        return _compare(self, other, float.__le__)

    def __gt__(self, other: Any) -> Any:
        return _compare(self, other, float.__gt__)

    def __ge__(self, other: Any) -> Any:
        return _compare(self, other, float.__ge__)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """`np.exp(v)`, `np.float64(2) * v`, `array * v`: the loop over an array of one Value."""
        if ufunc in _NUMPY_FUNCTIONS and method == "__call__" and not kwargs:
            return _NUMPY_FUNCTIONS[ufunc](*inputs)
        boxed = [_box(x) if isinstance(x, Value) else x for x in inputs]
        return getattr(ufunc, method)(*boxed, **kwargs)

    @staticmethod
    def _interpret(op: Op, xs: Sequence[Any]) -> Any:
        """What calling an Op means where one of its inputs is a Value: a node."""
        inputs = [x if isinstance(x, Value) else _operand(x) for x in xs]
        for x, given in zip(inputs, xs, strict=True):
            if x is NotImplemented:
                raise TypeError(f"{op.name} takes Values and real numbers, got {_describe(given)}")
        return record(op, *inputs)

    # --- copies and pickles, node by node: a graph of a million nodes is no deeper than one of ten -----

    def __copy__(self) -> Value:
        out = _leaf(self.data, self.grad, self.label)
        out._rule, out._left, out._right = self._rule, self._left, self._right
        return out

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        for node in topological_order(self):
            if id(node) not in memo:
                copied = _leaf(node.data, node.grad, node.label)
                if node._rule is not None:
                    copied._rule = _portable(node._rule)
                    _set_inputs(copied, tuple(memo[id(x)] for x in node._prev))
                memo[id(node)] = copied
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        if self._rule is None:
            return _leaf, (self.data, self.grad, self.label)
        if not getattr(_pickling, "inputs_first", False):
            return _last, (_Nodes(topological_order(self)),)
        return _node, (self.data, self.grad, self.label, _portable(self._rule), self._prev)


_new = object.__new__
_ADD, _MUL = ops.add, ops.mul
_NUMPY_FUNCTIONS = {np.maximum: ops.maximum, np.minimum: ops.minimum, np.absolute: ops.absolute}


class Handwritten:
    """The rule of a node made by hand: a name, and the closure that was assigned to `_backward`."""

    __slots__ = ("name", "closure")

    def __init__(self, name: str, closure: Callable[[], None] | None = None) -> None:
        self.name = name
        self.closure = closure

    def push(self, node: Value) -> None:
        if self.closure is not None:
            self.closure()


def _real(data: Any) -> float:
    """A Python float from any real number; a TypeError that names anything else."""
    if isinstance(data, Value) and _modes and hasattr(_mode.get(), "created"):
        return 0.0  # the recording makes the new Value a second name of the traced one
    if isinstance(data, (Real, np.bool_)):
        return float(data)
    if isinstance(data, np.ndarray) and data.shape == () and data.dtype.kind in "biuf":
        return float(data)
    raise TypeError(f"got {_describe(data)}; a Value holds one real number")


def _describe(x: Any) -> str:
    text = repr(x)
    return f"{type(x).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def _operand(x: Any) -> Any:
    """A Value of a plain number; NotImplemented for what is no number, so that Python asks its type."""
    if isinstance(x, (Real, np.bool_)) or (isinstance(x, np.ndarray) and x.shape == ()):
        if isinstance(x, np.ndarray) and x.dtype == object:
            return x.item() if isinstance(x.item(), Value) else _operand(x.item())
        return Value(x)
    return x if isinstance(x, Value) else NotImplemented


def _compare(a: Value, b: Any, relation: Callable[[float, float], bool]) -> Any:
    if isinstance(b, (Value, Real)):
        return relation(float(a), float(b))
    return NotImplemented


def _box(v: Value) -> np.ndarray:
    boxed = np.empty((), dtype=object)
    boxed[()] = v
    return boxed


def _set_inputs(node: Value, inputs: tuple[Value, ...]) -> None:
    if len(inputs) > 2:
        node._left, node._right = inputs, None
    else:
        node._left, node._right = (*inputs, None, None)[:2]


def record(op: Op, *inputs: Value) -> Value:
    """A node: op applied to Values, remembering them. (Under `no_grad` a leaf; in `lift` a trace.)"""
    if _modes:
        mode = _mode.get()
        if mode is not None:
            return mode.record(op, inputs)  # type: ignore[no-any-return]
    out = _new(Value)
    out.grad = 0.0
    out._rule = op
    out._right = None
    if len(inputs) == 1:
        (x,) = inputs
        out._left = x
        out.data = op.number(x.data)
    elif len(inputs) == 2:
        out._left, out._right = inputs
        out.data = op.number(inputs[0].data, inputs[1].data)
    else:
        out._left = inputs
        out.data = op.number(*[x.data for x in inputs])
    return out


# --- modes: what happens to an operation instead of being recorded, per thread and task ----------------

_modes = 0  # how many are active anywhere; while it is 0 an operation pays one test (8 ns) for them
_modes_lock = threading.Lock()
_mode: ContextVar[Any] = ContextVar("mode", default=None)


class _NumbersOnly:
    """Under `no_grad`: operations give leaves."""

    @staticmethod
    def record(op: Op, inputs: Sequence[Value]) -> Value:
        return _leaf(op.number(*[x.data for x in inputs]), 0.0, "")


@contextmanager
def mode(active: Any) -> Iterator[None]:
    """Hand every operation of this thread to `active.record(op, inputs)`."""
    global _modes
    with _modes_lock:
        _modes += 1
    token = _mode.set(active)
    try:
        yield
    finally:
        _mode.reset(token)
        with _modes_lock:
            _modes -= 1


def no_grad() -> Any:
    """Inside `with no_grad():` (or in a function decorated with it) operations remember nothing."""
    return mode(_NumbersOnly())


def current_mode() -> Any:
    return _mode.get() if _modes else None


# --- backpropagation -----------------------------------------------------------------------------------


def topological_order(root: Value) -> list[Value]:
    """Every Value that `root` depends on, inputs before outputs, `root` last; the same each time."""
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
    contributions = rule.number_gradients(node.grad, [x.data for x in inputs], node.data)
    for i, contribution in enumerate(contributions):
        if contribution is not None:
            inputs[i].grad += contribution


def backward(root: Value) -> None:
    """Fill `grad` of every Value that `root` depends on with d root / d value.

    Interior nodes start from zero, leaves add to what they hold: calling it twice doubles the leaves.
    """
    refuse = getattr(current_mode(), "refuse", None)
    if refuse is not None:
        refuse("backward()")
    order = topological_order(root)
    for node in order:
        if node._rule is not None:
            node.grad = 0.0
    root.grad = root.grad + 1.0 if root._rule is None else 1.0
    order.reverse()
    for node in order:
        rule = node._rule
        if rule is _ADD:
            g = node.grad
            node._left.grad += g
            node._right.grad += g
        elif rule is _MUL:
            g = node.grad
            left, right = node._left, node._right
            x = left.data
            left.grad += right.data * g
            right.grad += x * g
        elif rule is not None:
            push(node)


def grad(y: Value, xs: Any, create_graph: bool = False) -> Any:
    """d y / d x for each x of `xs` (a Value, a list or an array of them), as Values in the same shape.

    Reads and writes no `grad`. With `create_graph` the results are graphs themselves and can be
    differentiated again; without it they are plain leaves. What y does not depend on has gradient 0.
    """
    wanted = [xs] if isinstance(xs, Value) else list(np.asarray(xs, dtype=object).flat)
    for x in (y, *wanted):
        if not isinstance(x, Value):
            raise TypeError(
                f"grad() differentiates Values with respect to Values, got {_describe(x)}"
            )
    results = (_graph_gradients if create_graph else _number_gradients)(y, wanted)
    if isinstance(xs, Value):
        return results[0]
    if not isinstance(xs, np.ndarray):
        return results
    shaped = np.empty(xs.size, dtype=object)
    shaped[:] = results
    return shaped.reshape(xs.shape)


def _number_gradients(y: Value, wanted: list[Value]) -> list[Value]:
    """A real backward between two copies of every grad, so that a handwritten rule takes part too."""
    order = topological_order(y)
    hidden = [
        p for node in order for p in getattr(node._rule, "parameters_of", _no_parameters)(node)
    ]
    touched = list(dict.fromkeys(order + hidden + wanted))
    before = [node.grad for node in touched]
    try:
        for node in touched:
            node.grad = 0.0
        backward(y)
        return [Value(x.grad) for x in wanted]
    finally:
        for node, g in zip(touched, before, strict=True):
            node.grad = g


def _no_parameters(node: Value) -> tuple[Value, ...]:
    return ()


def _graph_gradients(y: Value, wanted: list[Value]) -> list[Value]:
    total: dict[Value, Any] = {y: Value(1.0)}
    for node in reversed(topological_order(y)):
        g, rule = total.get(node), node._rule
        if g is None or rule is None:
            continue
        if type(rule) is not Op:
            raise TypeError(
                f"{rule.name or 'a node'} has a handwritten _backward: its gradient is a number, not a graph; "
                "register it with micrograd.op(name, forward, partials) to differentiate twice"
            )
        inputs = node._prev
        for x, contribution in zip(inputs, rule.gradients(g, inputs, node), strict=True):
            if contribution is not None:
                total[x] = total[x] + contribution if x in total else contribution
    found = [total.get(x, 0.0) for x in wanted]
    return [g if isinstance(g, Value) else Value(g) for g in found]


# --- arrays of Values ----------------------------------------------------------------------------------


def numbers(values: Any) -> np.ndarray:
    """The numbers in an array (or list, or nest of lists) of Values: a float64 array of its shape."""
    return _read(values, "data")


def grads(values: Any) -> np.ndarray:
    """The gradients in an array of Values: a float64 array of its shape, 0 where a plain number stands."""
    return _read(values, "grad")


def _read(values: Any, what: str) -> np.ndarray:
    reader = getattr(values, "_read", None)  # a lifted result reads itself without making Values
    if reader is not None:
        return reader(what)  # type: ignore[no-any-return]
    objects = _box(values) if isinstance(values, Value) else np.asarray(values, dtype=object)
    read = [
        getattr(x, what) if isinstance(x, Value) else float(x) if what == "data" else 0.0
        for x in objects.flat
    ]
    return np.array(read, dtype=np.float64).reshape(objects.shape)


# --- copies and pickles --------------------------------------------------------------------------------

_pickling = threading.local()


class _Nodes(list[Value]):
    """A graph on its way into a pickle: while its nodes are written, their inputs have been before."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _Nodes, (), None, self._inputs_first()

    def _inputs_first(self) -> Iterator[Value | None]:
        _pickling.inputs_first = True
        try:
            yield from self
            yield None  # the pickler reads one ahead
        finally:
            _pickling.inputs_first = False


def _last(nodes: list[Value | None]) -> Value | None:
    return nodes[-2]


def _leaf(data: float, grad: float, label: str) -> Value:
    out = _new(Value)
    out.data, out.grad = data, grad
    out._rule = out._left = out._right = None
    if label:
        out._label = label
    return out


def _node(data: float, grad: float, label: str, rule: Any, inputs: tuple[Value, ...]) -> Value:
    out = _leaf(data, grad, label)
    out._rule = rule
    _set_inputs(out, inputs)
    return out


def _portable(rule: Any) -> Any:
    """A rule that another graph can share; a closure cannot be: it names the nodes of this one."""
    if getattr(rule, "closure", None) is not None:
        raise TypeError(
            f"cannot copy or pickle {rule.name or 'a node'} with a handwritten _backward: the closure names this "
            "graph's own nodes; register the operation with micrograd.op(name, forward, partials)"
        )
    return rule
