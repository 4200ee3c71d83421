"""Answers to a worksheet: reading them, and the graph that a sheet carries along for the marking.

A learner hands in a dict, a file that the page saved, or lines such as `x1.grad = -1.5`:
`read_answers` takes them all. `packed` and `unpacked` are how a graph travels inside a sheet.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from micrograd import ops
from micrograd.engine import Value, record
from micrograd.reals import describe
from micrograd.show.formulas import MINUS
from micrograd.show.walk import Walk

__all__ = ["packed", "read_answers", "read_number", "read_sheet", "unpacked"]

_MARK = re.compile(r"<!-- micrograd worksheet ([A-Za-z0-9+/=]+) -->")
_FENCE = re.compile(r"^```answers\s*$(.*?)^```\s*$", re.MULTILINE | re.DOTALL)


def read_number(answer: Any, name: str) -> float | None:
    """A number from 1.5, "1.5", "−1,5" or "3/4"; None where nothing was written."""
    if answer is None or (isinstance(answer, str) and not answer.strip(" _?\t")):
        return None
    if isinstance(answer, Value):
        return answer.data
    text = str(answer).strip().replace(MINUS, "-").replace(",", ".").replace("∞", "inf")
    top, slash, bottom = text.partition("/")
    try:
        number = float(top)
        divisor = float(bottom) if slash else 1.0
        return number / divisor if divisor else math.copysign(math.inf, number)
    except ValueError:
        raise ValueError(
            f"the answer for {name} is {describe(answer)}; an answer is a number, as -1.5 or 3/4"
        ) from None


def read_answers(answers: Any) -> dict[str, Any]:
    """What was answered, by name: from a mapping, or a file in JSON, Markdown or lines of text."""
    if isinstance(answers, Mapping):
        return {str(name): answer for name, answer in answers.items()}
    if not isinstance(answers, (str, os.PathLike)):
        raise TypeError(
            f"answers are a dict by label or the path of a file; got {describe(answers)}"
        )
    text = Path(answers).read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"{os.fspath(answers)!r} looks like JSON and is not: {error}"
            ) from None
        return {str(name): answer for name, answer in found.items()}
    fenced = _FENCE.search(text)
    lines = (fenced[1] if fenced else text).splitlines()
    pairs = [line.rpartition("=") for line in lines if "=" in line and line.lstrip()[0] != "#"]
    if not pairs:
        raise ValueError(
            f"{os.fspath(answers)!r} holds no answers; write lines such as x1.grad = -1.5, or save "
            "them from the worksheet's page"
        )
    return {name.strip(): answer.strip() for name, _, answer in pairs}


def read_sheet(path: str | os.PathLike[str]) -> Value:
    """The graph of a saved worksheet."""
    found = _MARK.search(Path(path).read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(
            f"{os.fspath(path)!r} is no worksheet: expected a page or a Markdown file that "
            "worksheet(...).save() wrote"
        )
    return unpacked(found[1])


def packed(walk: Walk) -> str:
    """The graph as one comment, for a page or a Markdown file."""
    rows = [
        [node._op, _parameters(node._rule), walk.inputs(i), walk.data[i].hex(), node.label]
        + ([[use.local for use in _uses(walk, i)]] if _measured(node._rule) else [])
        for i, node in enumerate(walk.nodes)
    ]
    text = base64.b64encode(json.dumps(rows, separators=(",", ":")).encode()).decode()
    return f"<!-- micrograd worksheet {text} -->"


def _measured(rule: Any) -> bool:
    """Whether only the numbers of a rule can travel: it is no row of micrograd's own table."""
    if rule is None:
        return False
    builtin = rule.parameters[:1] or (rule.name,) if isinstance(rule, ops.Op) else ("",)
    return builtin[0] not in ops._builtin


def _parameters(rule: Any) -> list[Any]:
    return list(rule.parameters) if isinstance(rule, ops.Op) else []


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
                node = record(ops._find(op, tuple(parameters)), *prev)
                node.label = label
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
