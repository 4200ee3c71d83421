"""Imports among the modules of lifting point one way, and each module can be read whole."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import micrograd.lifting

ROOM = Path(micrograd.lifting.__file__).parent
MODULES = {
    "micrograd.lifting." + ".".join(path.relative_to(ROOM).with_suffix("").parts): path
    for path in ROOM.rglob("*.py")
    if path.name != "__init__.py"
}
# what a program makes (a call's memory, a function of JAX arrays) is handed the program, and names
# its class for a type checker alone
PROGRAM = "micrograd.lifting.executable"
FOR_TYPES = [
    f"micrograd.lifting.{name}"
    for name in ("buffers", "run.with_jax.function", "run.with_jax.stacks")
]


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
    for name in FOR_TYPES:
        assert re.search(
            rf"^if TYPE_CHECKING:\n(    .*\n)*?    from {PROGRAM} import",
            MODULES[name].read_text("utf-8"),
            flags=re.MULTILINE,
        ), name
        graph[name].remove(PROGRAM)
    assert circles(graph) == []


def test_a_circle_would_be_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}) == list("abcd")
    text = "def f():\n    from micrograd.lifting.tape import Tape\nimport micrograd.lifting.fuse"
    assert imports(ast.parse(text)) == {"micrograd.lifting.tape", "micrograd.lifting.fuse"}
