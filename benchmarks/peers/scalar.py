"""A scalar engine of the original's kind: each node keeps a closure that passes its gradient on.

Written here because the original has no exp and log, and because its recursive sort fails on deep
graphs; otherwise this is what it does, closures and sets and all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

__all__ = ["Value"]


class Value:
    def __init__(self, data: float, children: tuple[Value, ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.children = set(children)
        self.pass_on: Callable[[], None] = lambda: None

    def __add__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def pass_on() -> None:
            self.grad += out.grad
            other.grad += out.grad

        out.pass_on = pass_on
        return out

    def __mul__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def pass_on() -> None:
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.pass_on = pass_on
        return out

    def _function(self, result: float, slope: float) -> Value:
        out = Value(result, (self,))

        def pass_on() -> None:
            self.grad += slope * out.grad

        out.pass_on = pass_on
        return out

    def __pow__(self, k: float) -> Value:
        return self._function(self.data**k, k * self.data ** (k - 1))

    def relu(self) -> Value:
        return self._function(max(self.data, 0.0), float(self.data > 0))

    def exp(self) -> Value:
        result = math.exp(self.data)
        return self._function(result, result)

    def log(self) -> Value:
        return self._function(math.log(self.data), 1 / self.data)

    def __neg__(self) -> Value:
        return self * -1

    def __sub__(self, other: Any) -> Value:
        return self + (-other)

    def __truediv__(self, other: Any) -> Value:
        return self * other**-1

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self) -> None:
        order: list[Value] = []
        visited: set[Value] = set()
        stack = [(self, False)]
        while stack:
            node, finished = stack.pop()
            if finished:
                order.append(node)
            elif node not in visited:
                visited.add(node)
                stack.append((node, True))
                stack.extend((child, False) for child in node.children if child not in visited)
        self.grad = 1.0
        for node in reversed(order):
            node.pass_on()
