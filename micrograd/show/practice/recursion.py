"""The gradients that a backward by recursion leaves, where no topological order holds it back.

It is the mistake that people's first programs make most: a node calls its inputs at once, and a
node with two users is pushed twice, the second time with what has arrived by then.
"""

from __future__ import annotations

from collections.abc import Iterator

from micrograd.show.lesson.walk import Use, Walk

__all__ = ["recursions"]

_MOST = 10_000  # visits: there are as many as paths to the nodes, and those double at every step


def recursions(walk: Walk) -> list[list[float]]:
    """The gradients of every node, once for each way in which such a program may be written."""
    steps = {step[0].node: step for step in walk.steps if step}
    ways = (_at_once(walk, steps), _afterwards(walk, steps, False), _afterwards(walk, steps, True))
    return [grads for grads in ways if grads is not None]


def _start(walk: Walk) -> list[float]:
    return [0.0] * (len(walk.nodes) - 1) + [1.0]


def _at_once(walk: Walk, steps: dict[int, tuple[Use, ...]]) -> list[float] | None:
    """for x in inputs: x.grad += local * self.grad; x.backward()"""
    grads, visits = _start(walk), 0
    stack: list[Iterator[Use]] = [iter(steps.get(len(grads) - 1, ()))]
    while stack:
        use = next(stack[-1], None)
        if use is None:
            stack.pop()
            continue
        visits += 1
        if visits > _MOST:
            return None
        grads[use.input] += use.local * grads[use.node]
        stack.append(iter(steps.get(use.input, ())))
    return grads


def _afterwards(
    walk: Walk, steps: dict[int, tuple[Use, ...]], distinct: bool
) -> list[float] | None:
    """self._backward(); then for x in inputs (or in the set of them): x.backward()"""
    grads, visits = _start(walk), 0
    stack = [len(grads) - 1]
    while stack:
        step = steps.get(stack.pop(), ())
        visits += 1
        if visits > _MOST:
            return None
        for use in step:
            grads[use.input] += use.local * grads[use.node]
        inputs = [use.input for use in step]
        stack += reversed(list(dict.fromkeys(inputs)) if distinct else inputs)
    return grads
