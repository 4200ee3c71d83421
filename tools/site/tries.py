"""The cells of a notebook that can be tried in the playground, and the links that open them.

A cell is tried with what it needs of the cells before it: the statements that bind or change a name
that it reads, and what these need in turn. A check (`assert`) that asks a package that the page
lacks is left out, and a cell that needs one otherwise is not tried. Whether the rest runs without
an error, and shows something, is asked of the playground's own Python (web/build/trial.mjs), so no
list has to be kept. Read `tries`.
"""

from __future__ import annotations

import ast
import base64
import json
import re
import shutil
import subprocess
import symtable
import sys
import tempfile
import textwrap
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.notebooks import ROOT

__all__ = ["address", "candidates", "tries"]

IN_THE_PAGE = {*sys.stdlib_module_names, "graphviz", "micrograd", "playground"}


def tries(books: Sequence[Sequence[str]], wheel: Path) -> list[dict[int, list[str]]]:
    """For each notebook, by the number of a code cell: the cells that show it in the playground."""
    found = [candidates(cells) for cells in books]
    asked = [cells for book in found for cells in book.values()]
    node = shutil.which("node")
    if node is None:
        raise SystemExit("`node` is not on the PATH; cells are tried in the playground's Python")
    with tempfile.TemporaryDirectory() as folder:
        lists = Path(folder, "lists.json")
        lists.write_text(json.dumps(asked), encoding="utf-8")
        words = [node, "build/trial.mjs", str(wheel.resolve()), str(lists)]
        done = subprocess.run(words, cwd=ROOT / "web", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"the cells could not be tried: {done.stderr[-2000:]}")
    ran = iter(json.loads(done.stdout.splitlines()[-1]))
    return [{k: cells for k, cells in book.items() if next(ran)} for book in found]


def address(cells: Sequence[str]) -> str:
    """The hash that opens cells in the playground, as web/src/link.js writes it."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    state = json.dumps({"k": "c", "c": list(cells)}, ensure_ascii=False, separators=(",", ":"))
    packed = deflate.compress(state.encode()) + deflate.flush()
    return "#1" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def candidates(cells: Sequence[str]) -> dict[int, list[str]]:
    """Each cell with what it needs of those before it; without those that surely cannot run."""
    before: list[_Statement] = []
    lacking: set[str] = set()  # names that rest on what the page lacks
    found = {}
    for number, code in enumerate(cells):
        try:
            statements = list(_statements(code))
        except SyntaxError:  # a magic command
            continue
        kept, left_out = [], []
        for statement in statements:
            lacks = statement.lacks or bool(statement.reads & lacking)
            if lacks:
                lacking |= statement.binds
            elif statement.always:
                lacking -= statement.binds
            (left_out if lacks else kept).append(statement)
        if kept and all(statement.checks for statement in left_out):
            setup = list(_slice(before, frozenset().union(*(s.reads for s in kept))))
            own = _without(code, left_out)
            found[number] = ["\n".join(setup), own] if setup else [own]
        before += kept
    return found


def _without(code: str, statements: Sequence[_Statement]) -> str:
    for statement in statements:
        code = code.replace(statement.text, "", 1)
    return re.sub(r"\n{3,}", "\n\n", code).strip()


# --- what a cell needs ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Statement:
    text: str
    reads: frozenset[str]
    binds: frozenset[str]
    changes: bool  # it may change an object that it only names
    always: bool  # what it binds is bound anew, whatever was before
    lacks: bool = False  # it imports what the page has not
    checks: bool = False  # it is an `assert`


def _slice(before: Sequence[_Statement], needed: frozenset[str]) -> Iterator[str]:
    """The statements that `needed` rests on, in their order."""
    chosen = []
    for statement in reversed(before):
        touched = statement.reads | statement.binds
        if needed & (touched if statement.changes else statement.binds):
            chosen.append(statement.text)
            if statement.always:
                needed = needed - statement.binds
            needed = needed | statement.reads
    return reversed(chosen)


def _statements(code: str) -> Iterator[_Statement]:
    lines = code.split("\n")
    body = ast.parse(code).body
    alone: ast.stmt
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):  # each name by itself
            for alias in node.names:
                name = (alias.asname or alias.name).partition(".")[0]
                if isinstance(node, ast.ImportFrom):
                    module, alone = (
                        node.module or "",
                        ast.ImportFrom(node.module, [alias], node.level),
                    )
                else:
                    module, alone = alias.name, ast.Import([alias])
                lacks = module.partition(".")[0] not in IN_THE_PAGE
                text = ast.unparse(alone)
                yield _Statement(text, frozenset(), frozenset([name]), False, True, lacks)
            continue
        text = ast.get_source_segment(code, node) or ""
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.decorator_list:
            text = "\n".join(lines[node.decorator_list[0].lineno - 1 : node.end_lineno])
        reads, binds = _names(node, text)
        always = isinstance(node, (ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.ClassDef))
        yield _Statement(
            text, reads, binds, _changes(node), always, checks=isinstance(node, ast.Assert)
        )


def _names(node: ast.stmt, text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The cell's names that a statement reads, even inside a function; and those that it binds."""
    top = symtable.symtable(textwrap.dedent(text), "cell", "exec")
    reads = {name.get_name() for name in top.get_symbols() if name.is_referenced()}
    binds = {
        name.get_name() for name in top.get_symbols() if name.is_assigned() or name.is_imported()
    }
    waiting = list(top.get_children())
    while waiting:
        inner = waiting.pop()
        waiting += inner.get_children()
        reads |= {n.get_name() for n in inner.get_symbols() if n.is_global() and n.is_referenced()}
    if isinstance(node, ast.AugAssign):
        reads |= binds
    return frozenset(reads), frozenset(binds)


def _changes(node: ast.stmt) -> bool:
    """Whether it writes `x.y` or `x[i]`, or calls a method for what it does: `loss.backward()`."""
    for inner in _outside_functions(node):
        if isinstance(inner, (ast.Attribute, ast.Subscript)):
            if not isinstance(inner.ctx, ast.Load):
                return True
        elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Call):
            method = isinstance(inner.value.func, ast.Attribute)
            if method:
                return True
    return False


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = [node]
    while waiting:
        inner = waiting.pop()
        yield inner
        if not isinstance(inner, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(inner)
