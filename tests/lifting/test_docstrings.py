"""Docstrings of `lift` name only what exists: modules, functions, attributes, parameters."""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path

import numpy as np
import pytest

from tools.notebooks import ROOT

PACKAGE = ROOT / "micrograd"
SOURCES = sorted((PACKAGE / "lifting").rglob("*.py"))
FILES = {path.name for top in ("micrograd", "tests") for path in (ROOT / top).rglob("*.py")}
IDENTIFIER = re.compile(r"[A-Za-z_][\w.]*(\(\))?")
FOREIGN = {"np"}


def documented(tree: ast.Module) -> list[tuple[int, str]]:
    """Every docstring, with the line of what it belongs to."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = [node for node in ast.walk(tree) if isinstance(node, holders)]
    found = [(getattr(node, "lineno", 1), ast.get_docstring(node)) for node in nodes]
    return [(line, text) for line, text in found if text]


def defined(tree: ast.Module) -> set[str]:
    """All names that code gives to something, or keys of dicts and options, which are strings."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            names.add(node.id if isinstance(node, ast.Name) else node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= {node.value} if node.value.isidentifier() else set()
    return names


TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}
KNOWN = set().union(
    *map(defined, TREES.values()),
    (path.stem for path in PACKAGE.rglob("*")),
    ("micrograd", *dir(builtins), *dir(np), *dir(np.ndarray)),
)


def members() -> dict[str, set[str]]:
    """What stands in each class, its bases' names included, and in each module, by its name."""
    classes = [x for tree in TREES.values() for x in ast.walk(tree) if isinstance(x, ast.ClassDef)]
    found: dict[str, set[str]] = {}
    bases: dict[str, set[str]] = {}
    for x in classes:
        found.setdefault(x.name, set()).update(defined(x))
        named = (base.value if isinstance(base, ast.Subscript) else base for base in x.bases)
        bases.setdefault(x.name, set()).update(b.id for b in named if isinstance(b, ast.Name))
    for _ in range(5):  # no class is derived more often
        for name, above in bases.items():
            found[name].update(*(found.get(base, ()) for base in above))
    for path, tree in TREES.items():
        found.setdefault(path.stem, set()).update(defined(tree))
    return found


MEMBERS = members()


def exists(name: str) -> bool:
    """Whether the package has a dotted name; after a class or a module comes what stands in it."""
    parts = name.split(".")
    if not all(part in KNOWN or part in FOREIGN for part in parts):
        return False
    return len(parts) == 1 or parts[1] in MEMBERS.get(parts[0], {parts[1]})


def lies(source: str) -> list[str]:
    """Names in backticks that no module, function, attribute or parameter of the package has."""
    found = []
    for line, text in documented(ast.parse(source)):
        for quoted in re.findall(r"`([^`\n]+)`", text):
            if re.fullmatch(r"[\w/]+\.py", quoted):
                known = Path(quoted).name in FILES
            elif IDENTIFIER.fullmatch(quoted):
                known = exists(quoted.removesuffix("()"))
            else:  # a formula
                continue
            if not known:
                found.append(f"{line}: {quoted}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_docstrings_name_what_exists(path: Path) -> None:
    assert lies(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "lie", ["Program.buffers", "lower.gradient", "writer.py", "reached_marks()", "Reached"]
)
def test_a_name_that_does_not_exist_is_found(lie: str) -> None:
    source = (PACKAGE / "lifting" / "steps" / "flow.py").read_text(encoding="utf-8")
    told = source.replace("`wanted` marks forward", f"`{lie}` marks forward")
    assert told != source
    assert lies(told) == [f"1: {lie}"]


def test_docstrings_do_not_end_in_a_line_of_a_word_or_two() -> None:
    for path in SOURCES:
        for line, text in documented(ast.parse(path.read_text(encoding="utf-8"))):
            for paragraph in text.split("\n\n"):
                *rest, last = paragraph.split("\n")
                prose = rest and ">>>" not in paragraph and not last.startswith(" ")
                assert not prose or len(last.split()) > 2, f"{path.name}:{line}: {last}"
