"""What a saved worksheet carries along, so that its answers can be marked from the file.

`packed` writes the graph as one comment, with the numbers that stand at the sheet's head;
`unpacked` reads it. `identity_of` names a sheet, so that answers find it. Read `Sheet`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from micrograd import engine
from micrograd.engine import Value
from micrograd.op import Op, find
from micrograd.show.lesson.finding import legend_text
from micrograd.show.lesson.walk import Walk
from micrograd.show.practice.reading import read_text

__all__ = ["Sheet", "identity_of", "packed", "read_sheet", "read_sheets", "unpacked"]

_MARK = re.compile(r"<!-- micrograd worksheet ([A-Za-z0-9+/=]+) -->")
_LETTERS = "23456789bcdfghjkmnpqrstvwxyz"  # no two look alike, and they spell no words


@dataclass
class Sheet:
    """A worksheet as its file tells it: the graph, and from which level and seed it was made.

    `number` is its place in a class. Of an exercise of one's own all three are None. `nodes` are
    the graph in the sheet's order, `paths` what weights are called in their model.
    """

    value: Value
    level: int | None = None
    seed: int | None = None
    number: int | None = None
    nodes: list[Value] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    legend: str = ""

    @cached_property
    def walk(self) -> Walk:
        walk = Walk(self.value, order=self.nodes)
        walk.legend = self.legend
        at = {name: i for i, name in enumerate(walk.names)}
        walk.called.paths |= {at[name]: path for name, path in self.paths.items()}
        return walk

    @cached_property
    def identity(self) -> str:
        return identity_of(self.walk, self.level, self.seed)


def identity_of(walk: Walk, level: int | None = None, seed: int | None = None) -> str:
    """`3-12-k7qf`: level, seed, and four letters that follow from the graph and its numbers.

    An exercise of one's own has six letters alone. Numbers count to six digits, so that another
    machine's `exp` does not change them.
    """
    nodes = range(len(walk.nodes))
    text = json.dumps(
        [[walk.names[i], walk.nodes[i]._op, walk.inputs(i), f"{walk.data[i]:.6g}"] for i in nodes]
    )
    number = int.from_bytes(hashlib.sha256(text.encode()).digest())
    letters = ""
    for _ in range(6):
        number, place = divmod(number, len(_LETTERS))
        letters += _LETTERS[place]
    return letters if level is None else f"{level}-{seed}-{letters[:4]}"


def read_sheet(path: str | os.PathLike[str]) -> Sheet:
    """The one sheet of a saved worksheet."""
    sheets = read_sheets(path)
    if len(sheets) > 1:
        raise ValueError(
            f"{os.fspath(path)!r} holds {len(sheets)} sheets; the answers to a class are marked "
            "with its folder"
        )
    if not sheets:
        raise ValueError(
            f"{os.fspath(path)!r} is no worksheet: expected a page or a Markdown file that "
            "worksheet(...).save() wrote"
        )
    return sheets[0]


def read_sheets(path: str | os.PathLike[str]) -> list[Sheet]:
    """Every sheet in a page or a Markdown file; none where it is something else."""
    return [unpacked(text) for text in _MARK.findall(read_text(path))]


def packed(walk: Walk, **head: int | None) -> str:
    """The graph as one comment, for a page or a Markdown file; what is asked for bears its name.

    `head` is the level, the seed and the number of the sheet.
    """
    labels = ["" if i in walk.constants else name for i, name in enumerate(walk.names)]
    rows = [
        [node._op, _parameters(node._rule), walk.inputs(i), walk.data[i].hex(), labels[i]]
        + ([[use.local for use in _uses(walk, i)]] if _measured(node._rule) else [])
        for i, node in enumerate(walk.nodes)
    ]
    told: dict[str, Any] = {name: k for name, k in head.items() if k is not None}
    paths = {walk.names[i]: path for i, path in walk.called.paths.items()}
    paths = {name: path for name, path in paths.items() if name != path}
    if paths:
        told |= {"paths": paths, "legend": " ".join(legend_text(walk))}
    text = json.dumps({**told, "graph": rows}, separators=(",", ":"))
    return f"<!-- micrograd worksheet {base64.b64encode(text.encode()).decode()} -->"


def _measured(rule: Any) -> bool:
    """Whether only the numbers of a rule can travel: it is no row of micrograd's own table."""
    return rule is not None and not rule.builtin


def _parameters(rule: Any) -> list[Any]:
    return list(rule.parameters) if isinstance(rule, Op) else []


def _uses(walk: Walk, i: int) -> list[Any]:
    return sorted(
        (use for step in walk.steps for use in step if use.node == i), key=lambda use: use.position
    )


def unpacked(text: str) -> Sheet:
    """The sheet again. Of a handwritten rule it has the numbers that were measured."""
    nodes: list[Value] = []
    try:
        told = json.loads(base64.b64decode(text))
        for op, parameters, inputs, data, label, *local in told.pop("graph"):
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
        return Sheet(nodes[-1], **told, nodes=nodes)
    except (binascii.Error, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"the graph inside this worksheet is damaged: {error}") from None


def _measured_step(node: Value, prev: list[Value], local: list[float]) -> Callable[[], None]:
    def backward() -> None:
        for x, slope in zip(dict.fromkeys(prev), local, strict=False):
            x.grad += slope * node.grad

    return backward
