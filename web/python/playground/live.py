"""Numbers that can be dragged: the desk keeps drawn graphs, and opens panels on them.

The page sends orders, which are dicts with a `do`; an answer is a dict, with `error` where
something is wrong with the order. Read `Desk`, then `panel.py`.
"""

from __future__ import annotations

import ast
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from micrograd.expression import ExpressionError, evaluate, functions
from micrograd.show.graph.picture import Drawable, Picture
from playground.graphs import Drawn, Typed
from playground.lessons import lesson
from playground.panel import Panel
from playground.writing import code_of

__all__ = ["Desk"]

_KEPT = 60  # pictures of a session; older ones stay as they are
_FIRST = (2.0, -3.0, 0.5, 1.5, -1.0, 0.8, -0.4, 3.0)  # for names that nobody gave a number


class Desk:
    """Pictures by their keys, panels by their numbers."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[str, Picture] = OrderedDict()
        self._panels: dict[int, Panel] = {}
        self._made = 0
        self._orders: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "expression": self._expression,
            "picture": self._picture,
            "set": lambda o: self._panel(o).set(_numbers(o["values"])),
            "nudge": lambda o: self._panel(o).nudge(int(o["leaf"]), float(o["h"])),
            "descend": lambda o: self._panel(o).descend(
                [int(i) for i in o["leaves"]], float(o["lr"]), int(o.get("steps", 1))
            ),
            "lesson": lambda o: lesson(self._panel(o), o["what"], float(o.get("lr") or 0.0)),
            "code": lambda o: {"code": code_of(o["text"], o["values"])},
            "close": self._close,
        }

    def keep(self, drawn: Drawable) -> str:
        """A key for a picture whose graph is behind it, or nothing."""
        picture = drawn.picture()
        if not any(name.startswith(f"{picture.prefix}n") for name in picture.nodes):
            return ""
        self._made += 1
        key = f"picture-{self._made}"
        self._pictures[key] = picture
        while len(self._pictures) > _KEPT:
            self._pictures.popitem(last=False)
        return key

    def answer(self, order: dict[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._orders[order["do"]](order)
        except ExpressionError as error:
            return {"error": str(error)}
        except (ValueError, TypeError, ArithmeticError, LookupError, SyntaxError) as error:
            return {"error": f"{error}"}

    def _panel(self, order: dict[str, Any]) -> Panel:
        panel = self._panels.get(order["panel"])
        if panel is None:
            raise ValueError("this panel belongs to a session that has ended: run the cell again")
        return panel

    def _open(self, panel: Panel) -> dict[str, Any]:
        self._made += 1
        self._panels[self._made] = panel
        return {"panel": self._made, **panel.opened()}

    def _close(self, order: dict[str, Any]) -> dict[str, Any]:
        self._panels.pop(order["panel"], None)
        return {}

    def _picture(self, order: dict[str, Any]) -> dict[str, Any]:
        picture = self._pictures.get(order["key"])
        if picture is None:
            raise ValueError("this picture was drawn too long ago: run its cell again")
        return self._open(Panel(Drawn(picture)))

    def _expression(self, order: dict[str, Any]) -> dict[str, Any]:
        text = " ".join(str(order["text"]).split())
        names = names_in(text)
        given = {name: float(x) for name, x in order.get("values", {}).items() if name in names}
        spare = iter(_FIRST * (1 + len(names) // len(_FIRST)))
        values = {name: given.get(name, next(spare)) for name in names}
        evaluate(text, values)  # its errors point at the place
        return self._open(Panel(Typed(text, values, bool(order.get("narrow")))))


def names_in(text: str) -> list[str]:
    """The names that want a number, in the order in which they stand."""
    if len(text) > 1000:
        return []
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called]
    found.sort(key=lambda node: node.col_offset)
    return list(dict.fromkeys(node.id for node in found if node.id not in functions()))


def _numbers(values: Mapping[str, Any]) -> dict[int, float]:
    return {int(i): float(x) for i, x in values.items()}
