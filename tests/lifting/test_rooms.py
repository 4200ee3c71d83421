"""Imports among the modules of lifting point one way, and each module can be read whole."""

from __future__ import annotations

import ast
from pathlib import Path

import micrograd.lifting

ROOM = Path(micrograd.lifting.__file__).parent
MODULES = {
    "micrograd.lifting." + ".".join(path.relative_to(ROOM).with_suffix("").parts): path
    for path in ROOM.rglob("*.py")
    if path.name != "__init__.py"
}
# a call's memory and the program that it is memory of name each other, for a type checker alone
FOR_TYPES = ("micrograd.lifting.buffers", "micrograd.lifting.executable")


def imports(tree: ast.AST) -> set[str]:
    """The modules of lifting that code imports: at its head, in functions, for types alone."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found.update(name for name in names if name in MODULES)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name in MODULES)
    return found


def circles(graph: dict[str, set[str]]) -> list[str]:
    """What is left when modules that import nothing that is left are taken away repeatedly."""
    left = dict(graph)
    while True:
        free = [name for name, needed in left.items() if not needed & left.keys()]
        if not free:
            return sorted(left)
        for name in free:
            del left[name]


def test_no_module_imports_itself_through_others() -> None:
    graph = {name: imports(ast.parse(path.read_text("utf-8"))) for name, path in MODULES.items()}
    assert sum(map(len, graph.values())) > 100
    graph[FOR_TYPES[0]].remove(FOR_TYPES[1])
    assert circles(graph) == []


def test_a_circle_would_be_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == list("abcd")
    text = "def f():\n    from micrograd.lifting.tape import Tape\nimport micrograd.lifting.fuse"
    assert imports(ast.parse(text)) == {"micrograd.lifting.tape", "micrograd.lifting.fuse"}
