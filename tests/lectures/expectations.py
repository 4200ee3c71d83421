"""Reads `expected.toml`, the table of every number that a lecture must reach, and compares.

A row says which notebook, which `variable` (an expression in the executed notebook's namespace),
its `value` and `tolerance` (absolute), or a `range` of two numbers that it lies in, and the
`source` of the claim.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

TABLE = Path(__file__).with_name("expected.toml")
KEYS = {"notebook", "variable", "source"}


def rows(path: Path = TABLE) -> list[dict[str, Any]]:
    """Every row of the table; a row that is not well formed is an error that names it."""
    table = tomllib.loads(path.read_text(encoding="utf-8")).get("expected", [])
    for row in table:
        kind = {"value", "tolerance"} if "value" in row else {"range"}
        if set(row) != KEYS | kind:
            raise ValueError(f"{path.name}: {row} should have the keys {sorted(KEYS | kind)}")
        if "range" in row and not (len(row["range"]) == 2 and row["range"][0] <= row["range"][1]):
            raise ValueError(f"{path.name}: the range of {row} is not two numbers in order")
    return table


def difference(row: dict[str, Any], found: dict[str, Any]) -> str | None:
    """What is wrong with what was found for a row (an entry of `Run.values`), or None."""
    name = f"{row['notebook']}: {row['variable']} ({row['source']})"
    if "error" in found:
        return f"{name} is not in the executed notebook: {found['error']}"
    got = found["value"]
    if "range" in row:
        low, high = row["range"]
        inside = isinstance(got, (int, float)) and low <= got <= high
        return None if inside else f"{name} is {got}, outside {low} to {high}"
    value = row["value"]
    if isinstance(value, (str, bool)):
        return None if got == value else f"{name} is {got!r}, expected {value!r}"
    try:
        got = np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        return f"{name} is {got!r}, expected numbers"
    wanted = np.asarray(value, dtype=float)
    if got.shape != wanted.shape:
        return f"{name} has the shape {got.shape}, expected {wanted.shape}"
    if not np.all(np.abs(got - wanted) <= row["tolerance"]):
        return f"{name} is {got.tolist()}, expected {value} within {row['tolerance']}"
    return None


def asserted_names(notebook: nbformat.NotebookNode) -> set[str]:
    """Every name that stands in an assert, or in a call of a function named assert..., of a
    notebook.
    """
    names = set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        lines = [
            x for x in "".join(cell.source).split("\n") if not x.lstrip().startswith(("%", "!"))
        ]
        for node in ast.walk(ast.parse("\n".join(lines))):
            called = getattr(getattr(node, "func", None), "attr", "") or getattr(
                getattr(node, "func", None), "id", ""
            )
            if isinstance(node, ast.Assert) or called.startswith("assert"):
                names |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return names


def names_in(expression: str) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(expression, mode="eval")) if isinstance(n, ast.Name)}
