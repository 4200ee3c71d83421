"""Modes: what happens to an operation instead of being recorded, in one thread or async task.

`no_grad` is one (operations give plain leaves), the recording of `lift` another. The engine asks
the innermost mode before it makes a node, and before anybody but the engine reads or writes a
number; while no mode is active anywhere, that is one test of an empty list. Read `Mode`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from micrograd.engine import Value
    from micrograd.op import Op

__all__ = ["Mode", "active", "current_mode", "eager", "mode", "reading", "writing"]

active: list[Any] = []  # an entry for each mode active in any thread; 8 ns to find it empty
_stack: ContextVar[tuple[Mode, Any] | None] = ContextVar("mode", default=None)  # (mode, the rest)
Function = TypeVar("Function", bound=Callable[..., Any])


class Mode:
    """All that a mode is asked. What it does not answer goes to the mode outside it.

    The outermost is `eager`, which does what everybody expects.
    """

    def record(self, op: Op, inputs: Sequence[Value]) -> Value:
        """The result of `op` applied to Values."""
        return outside(self).record(op, inputs)

    def quotient(self, product: Value, a: Any, b: Any) -> Value:
        """`product` is the graph of a * b**-1; give it back with a / b, rounded once, as number."""
        return outside(self).quotient(product, a, b)

    def constructs(self, node: Value, data: Any, made_from: Any) -> Value:
        """`node` is about to become `Value(data)`; give it back, or the Value to use instead.

        `made_from` is what a call by hand names as children or operation; else it is empty.
        """
        return outside(self).constructs(node, data, made_from)

    def read(self, node: Value, what: str) -> None:
        """Before `node.data` or `node.grad` (`what` is "data" or "grad") gives its number.

        To refuse, raise. The properties of `Value` ask, for any Value: a parameter in a store, a
        leaf, the result of an operation, one made while this mode is active. Reading through them
        counts (`float(v)`, `v < 1`, `repr(v)`, `numbers(A)`, `p.data -= ...`); the engine's own
        slots `_data` and `_grad`, which it reads inside an operation, do not.
        """
        outside(self).read(node, what)

    def written(self, node: Value, what: str) -> None:
        """Before a number is written to `node.data` or `node.grad`.

        To refuse, raise: the old number stands.
        """
        outside(self).written(node, what)

    def entered(self, inner: Mode) -> None:
        """Before another mode begins inside this one; to refuse, raise."""
        outside(self).entered(inner)

    def floats(self, array: Any) -> Any:
        """What a function of this package shall compute with where it was given this array."""
        return outside(self).floats(array)

    def refuse(self, what: str) -> None:
        """`what`, such as "backward()", is about to happen; raise if it cannot."""
        outside(self).refuse(what)

    def refuse_float(self) -> None:
        """`float(v)` is about to take a number out of the graph; raise if it cannot."""
        outside(self).refuse_float()

    def dots(self, rows: Sequence[Any], tails: Sequence[Any]) -> Any:
        """sum_i row[i] * tail[i] for every row (inputs) and every tail (weights), one list.

        A tail that is one longer than the rows ends with a bias. NotImplemented: `record` each.
        """
        return outside(self).dots(rows, tails)

    def take(self, array: Any, index: Any, axis: int) -> Any:
        """`np.take(array, index, axis)` for an index of this mode's own, which is no integer yet.

        NotImplemented: it is none of this mode's.
        """
        return outside(self).take(array, index, axis)

    def random_array(self, generator: Any, shape: tuple[int, ...]) -> Any:
        """Uniform draws from 0 to 1, for a layer such as Dropout."""
        return outside(self).random_array(generator, shape)

    def read_buffer(self, module: Any, name: str) -> Any:
        """A module's running statistics, as numbers or as Values that stand for them."""
        return outside(self).read_buffer(module, name)

    def update_buffer(self, module: Any, name: str, values: Any) -> None:
        """New numbers, or Values, for a module's running statistics."""
        outside(self).update_buffer(module, name, values)


class Eager(Mode):
    """No mode: an operation is a node, numbers may be read, draws are drawn."""

    def record(self, op: Op, inputs: Sequence[Value]) -> Value:
        from micrograd import engine  # which asks here only where another mode handed it over

        with mode(self):
            return engine.record(op, *inputs)

    def quotient(self, product: Value, a: Any, b: Any) -> Value:
        from micrograd.arithmetic import exact

        return exact(product, a, b)

    def constructs(self, node: Value, data: Any, made_from: Any) -> Value:
        return node

    def read(self, node: Value, what: str) -> None:
        pass

    def written(self, node: Value, what: str) -> None:
        pass

    def entered(self, inner: Mode) -> None:
        pass

    def floats(self, array: Any) -> Any:
        return array

    def refuse(self, what: str) -> None:
        pass

    def refuse_float(self) -> None:
        pass

    def dots(self, rows: Sequence[Any], tails: Sequence[Any]) -> Any:
        return NotImplemented

    def take(self, array: Any, index: Any, axis: int) -> Any:
        return NotImplemented

    def random_array(self, generator: Any, shape: tuple[int, ...]) -> Any:
        return generator.random(shape)

    def read_buffer(self, module: Any, name: str) -> Any:
        return getattr(module, name)

    def update_buffer(self, module: Any, name: str, values: Any) -> None:
        from micrograd.arrays import numbers

        getattr(module, name)[...] = numbers(values)


eager = Eager()


class mode:
    """`with mode(m):` this thread asks `m`, a Mode, from now on; or decorate a function with it."""

    def __init__(self, inner: Mode) -> None:
        self.inner = inner

    def __enter__(self) -> None:
        current_mode().entered(self.inner)
        active.append(self)
        _stack.set((self.inner, _stack.get()))

    def __exit__(self, *exception: object) -> None:
        active.pop()  # whichever: their number counts
        top = _stack.get()
        if top is not None:
            _stack.set(top[1])

    def __call__(self, function: Function) -> Function:
        delayed = _delayed(function)
        if delayed:  # its body would run after the mode has ended
            raise TypeError(f"{function.__name__} is {delayed}; write the `with` inside it instead")

        @wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return inside  # type: ignore[return-value]


def _delayed(function: Any) -> str:
    """'a generator' or 'a coroutine' if the body runs after the call only, else ''.

    Of a `functools.partial` its function is asked.
    """
    while hasattr(function, "func") and not hasattr(function, "__code__"):
        function = function.func
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    generator, coroutine, async_generator = 0x20, 0x80, 0x200  # as `inspect` names them
    if flags & (generator | async_generator):
        return "a generator"
    return "a coroutine" if flags & coroutine else ""


def current_mode() -> Mode:
    """The innermost mode of this thread; `eager` where there is none."""
    top = _stack.get() if active else None
    return eager if top is None else top[0]


def outside(inner: Mode) -> Mode:
    """The mode of this thread in which `inner` was entered, for the first time if it was twice."""
    found: Mode = eager
    entry = _stack.get()
    while entry is not None:
        top, entry = entry
        if top is inner:
            found = eager if entry is None else entry[0]
    return found


def reading(node: Value, what: str) -> None:
    """Ask the mode of this thread whether `node.data` (or `grad`) may be read."""
    current_mode().read(node, what)


def writing(node: Value, what: str) -> None:
    """Ask the mode of this thread whether `node.data` (or `grad`) may be written."""
    current_mode().written(node, what)
