"""A session: one namespace, in which cells run one after the other, as in a notebook.

What a cell prints and shows goes out while it runs; its last expression is shown. Read
`Session.run`.
"""

from __future__ import annotations

import ast
import builtins
import json
import linecache
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from micrograd.show.graph.render import rendered_by
from playground import limits, showing
from playground.hints import hint
from playground.live import Desk
from playground.tracebacks import told

__all__ = ["Session"]


class Stream:
    """Standard output or error: what is written leaves at once."""

    encoding = "utf-8"
    errors = "backslashreplace"
    closed = False

    def __init__(self, name: str, send: Callable[[str, str], None]) -> None:
        self.name = f"<{name}>"
        self._send = lambda text: send(name, text)

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() takes a str, got {type(text).__name__}")
        if text:  # a lone surrogate has no place in a message
            self._send(text.encode("utf-8", "backslashreplace").decode())
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


class Session:
    """The names of the cells so far, and what may be dragged."""

    def __init__(
        self,
        text: Callable[[str, str], None],
        rich: Callable[[str, str, str], None],
        layout: Callable[[str, str], str],
    ) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins}
        self._text = text
        self._streams = Stream("stdout", text), Stream("stderr", text)
        self._renderer = rendered_by(lambda dot, format: layout(dot, format).encode())
        self._renderer.__enter__()  # for as long as the worker lives
        self.desk = Desk()
        self.screen = showing.Screen(text, rich, self.desk)
        builtins.display = self.screen.display  # type: ignore[attr-defined]
        limits.set_up()

    def run(self, code: str, cell: int) -> bool:
        """Run a cell; whether it went well. What it raises is told as text."""
        name = f"cell {cell}"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        limits.renew()
        with self._captured():
            try:
                self._run(code, name)
            except BaseException as error:
                with limits.room_to_tell():
                    advice = hint(error)
                    self._text("error", told(error, advice))
                return False
        return True

    def _run(self, code: str, name: str) -> None:
        tree = ast.parse(showing.without_magics(code), name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec", dont_inherit=True), self.names)
        if last is None:
            return
        value = eval(
            compile(ast.Expression(last.value), name, "eval", dont_inherit=True), self.names
        )
        if value is not None and not code.rstrip().endswith(";"):
            self.names["_"] = value
            self.screen.display(value)

    @contextmanager
    def _captured(self) -> Iterator[None]:
        kept = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self._streams  # type: ignore[assignment]
        try:
            yield
        finally:
            sys.stdout, sys.stderr = kept

    def warm(self) -> None:
        """Import what a first click on a lesson would wait for."""
        import micrograd.show.lesson.explain
        import micrograd.show.lesson.stepper
        import micrograd.show.practice.worksheet  # noqa: F401

    def needs(self, code: str) -> str:
        """The packages that a cell imports and that are not here, as JSON."""
        try:
            tree = ast.parse(showing.without_magics(code))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return "[]"
        found = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
        return json.dumps(sorted(name for name in found if name not in sys.modules))

    def live(self, order: str) -> str:
        """What the numbers that are dragged ask for; a fault is an answer, too."""
        limits.renew()
        with self._captured():
            return json.dumps(self.desk.answer(json.loads(order), self.names))
