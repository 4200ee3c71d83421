"""Modes: what happens to an operation instead of being recorded, in one thread or async task.

`no_grad` is one (operations give plain leaves), the recording of `lift` another. The engine asks
here before it makes a node; while no mode is active anywhere, that is one test of an empty list.
It asks, too, before anybody but itself reads or writes the number or the gradient of a Value
(`Mode.read`, `Mode.written`): a recording can refuse there, wherever the Value was reached from.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

__all__ = ["Mode", "current_mode", "mode", "reading", "writing"]

_modes: list[Any] = []  # an entry for each mode active in any thread; 8 ns to find it empty
_stack: ContextVar[tuple[Any, Any] | None] = ContextVar("mode", default=None)  # (active, the rest)


class Mode:
    """What a mode is asked, by the thread in which it is the innermost one."""

    def record(self, op: Any, inputs: Any) -> Any:
        """The result of `op` applied to Values, which the engine would have made a node of."""
        raise NotImplementedError(f"{type(self).__name__} does not say what an operation gives")

    def read(self, node: Any, what: str) -> None:
        """Before `node.data` or `node.grad` (`what` is "data" or "grad") gives its number.

        To refuse, raise. The properties of `Value` ask, for any Value: a parameter in a store, a
        leaf, the result of an operation, one made while this mode is active. Reading through them
        counts (`float(v)`, `v < 1`, `repr(v)`, `numbers(A)`, `p.data -= ...`); the engine's own
        slots `_data` and `_grad`, which it reads inside an operation, do not.
        """

    def written(self, node: Any, what: str) -> None:
        """Before a number is written to `node.data` or `node.grad`; to refuse, raise, and the old
        number stands."""

    def entered(self, active: Any) -> None:
        """Before another mode, `active`, begins inside this one; to refuse, raise."""

    def floats(self, array: Any) -> Any:
        """An array of Values that a function of this package is about to compute with."""
        return array


class mode:
    """Hand every operation of this thread to `active.record(op, inputs)`: `with`, or decorate."""

    def __init__(self, active: Any) -> None:
        self.active = active

    def __enter__(self) -> None:
        outer = current_mode()
        if outer is not None:
            outer.entered(self.active)
        _modes.append(self)
        _stack.set((self.active, _stack.get()))

    def __exit__(self, *exception: object) -> None:
        _modes.pop()  # whichever: their number counts
        top = _stack.get()
        if top is not None:
            _stack.set(top[1])

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            kind = "a generator"
        elif inspect.iscoroutinefunction(function):
            kind = "a coroutine"
        else:
            kind = ""
        if kind:  # its body would run after the mode has ended
            raise TypeError(f"{function.__name__} is {kind}; write the `with` inside it instead")

        @wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return inside


def current_mode() -> Any:
    """The innermost mode of this thread, or None."""
    top = _stack.get() if _modes else None
    return top[0] if top is not None else None


def reading(node: Any, what: str) -> None:
    """Ask the mode of this thread, if there is one, whether `node.data` (or `grad`) may be read."""
    active = current_mode()
    if active is not None:
        active.read(node, what)


def writing(node: Any, what: str) -> None:
    active = current_mode()
    if active is not None:
        active.written(node, what)
