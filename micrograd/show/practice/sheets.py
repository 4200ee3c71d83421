"""The graph that a saved worksheet carries along, so that its answers can be marked from the file.

`packed` writes it as one comment, `unpacked` makes the graph of it again, with the same numbers.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Callable
from typing import Any

from micrograd import engine
from micrograd.engine import Value
from micrograd.op import Op, find
from micrograd.show.lesson.walk import Walk
from micrograd.show.practice.reading import read_text

__all__ = ["packed", "read_sheet", "unpacked"]

_MARK = re.compile(r"<!-- micrograd worksheet ([A-Za-z0-9+/=]+) -->")


def read_sheet(path: str | os.PathLike[str]) -> Value:
    """The graph of a saved worksheet."""
    found = _MARK.search(read_text(path))
    if found is None:
        raise ValueError(
            f"{os.fspath(path)!r} is no worksheet: expected a page or a Markdown file that "
            "worksheet(...).save() wrote"
        )
    return unpacked(found[1])


def packed(walk: Walk) -> str:
    """The graph as one comment, for a page or a Markdown file; what is asked for bears its name."""
    labels = ["" if i in walk.constants else name for i, name in enumerate(walk.names)]
    rows = [
        [node._op, _parameters(node._rule), walk.inputs(i), walk.data[i].hex(), labels[i]]
        + ([[use.local for use in _uses(walk, i)]] if _measured(node._rule) else [])
        for i, node in enumerate(walk.nodes)
    ]
    text = base64.b64encode(json.dumps(rows, separators=(",", ":")).encode()).decode()
    return f"<!-- micrograd worksheet {text} -->"


def _measured(rule: Any) -> bool:
    """Whether only the numbers of a rule can travel: it is no row of micrograd's own table."""
    return rule is not None and not rule.builtin


def _parameters(rule: Any) -> list[Any]:
    return list(rule.parameters) if isinstance(rule, Op) else []


def _uses(walk: Walk, i: int) -> list[Any]:
    return sorted(
        (use for step in walk.steps for use in step if use.node == i), key=lambda use: use.position
    )


def unpacked(text: str) -> Value:
    """The graph again. Of a handwritten rule it has the numbers that were measured."""
    nodes: list[Value] = []
    try:
        for op, parameters, inputs, data, label, *local in json.loads(base64.b64decode(text)):
            prev = [nodes[k] for k in inputs]
            if local:
                node = Value(float.fromhex(data), prev, op or "custom", label)
                node._backward = _measured_step(node, prev, local[0])
            elif op:
                node = engine.record(find(op, parameters), *prev)
                node.data, node.label = float.fromhex(data), label  # a / b is known better
            else:
                node = Value(float.fromhex(data), label=label)
            nodes.append(node)
        return nodes[-1]
    except (binascii.Error, ValueError, TypeError, LookupError) as error:
        raise ValueError(f"the graph inside this worksheet is damaged: {error}") from None


def _measured_step(node: Value, prev: list[Value], local: list[float]) -> Callable[[], None]:
    def backward() -> None:
        for x, slope in zip(dict.fromkeys(prev), local, strict=False):
            x.grad += slope * node.grad

    return backward
