"""Makes `lectures/exercises/*.ipynb` from `lectures/solutions/*.ipynb`, so that the two cannot
drift apart.

In a solution, what stands between `# BEGIN SOLUTION` and `# END SOLUTION` is what the learner is to
write. Inside a function it becomes `raise NotImplementedError`; at the top of a cell each name it
assigns becomes `name = ...`. A cell tagged `solution` is left out. Start with `stub`.
"""

from __future__ import annotations

import argparse
import ast
import re
import textwrap
from typing import Any

import nbformat

from tools.notebooks import ROOT, is_folded, read, settle, write

__all__ = ["BEGIN", "END", "exercise", "key", "main", "stub"]

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
SOLUTIONS = ROOT / "lectures" / "solutions"


def key(title: str) -> str:
    """An exercise's key from its heading: "What feedback?" is `what_feedback`."""
    return re.sub(r"[^a-z0-9]+", "_", title.replace("'", "").lower()).strip("_")


def stub(source: str) -> str:
    """The code of a solution's cell with each marked part replaced by a stub."""
    kept: list[str] = []
    inside: list[str] | None = None
    for line in source.split("\n"):
        if line.strip() == BEGIN:
            if inside is not None:
                raise ValueError(f"{BEGIN} inside another one:\n{source}")
            inside = []
        elif line.strip() == END:
            if inside is None:
                raise ValueError(f"{END} without a {BEGIN}:\n{source}")
            kept += _placeholder(inside, line[: len(line) - len(line.lstrip())])
            inside = None
        elif inside is None:
            kept.append(line)
        else:
            inside.append(line)
    if inside is not None:
        raise ValueError(f"{BEGIN} without its {END}:\n{source}")
    return "\n".join(kept)


def _placeholder(lines: list[str], indent: str) -> list[str]:
    if indent:
        return [f"{indent}raise NotImplementedError  # your code here"]
    names = []
    for node in ast.parse(textwrap.dedent("\n".join(lines))).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            names += [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
    names = [n for n in dict.fromkeys(names) if not n.startswith("_")]
    return [f"{name} = ...  # your answer here" for name in names] or ["# your code here"]


def exercise(solution: Any) -> Any:
    """The exercise notebook of a solution notebook: stubs, and no outputs."""
    cells = []
    for cell in solution.cells:
        if "solution" in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "code":
            cells.append(nbformat.v4.new_code_cell(stub(cell.source)))
            if is_folded(cell):
                cells[-1].metadata["jupyter"] = {"source_hidden": True}
        else:
            cells.append(nbformat.v4.new_markdown_cell(cell.source))
    if cells and cells[0].cell_type == "markdown":
        cells[0].source = cells[0].source.replace("Solutions", "Exercises", 1)
    return settle(nbformat.v4.new_notebook(cells=cells))


def main() -> int:
    argparse.ArgumentParser(prog="python -m tools.exercises", description=__doc__).parse_args()
    wanted = {path.name for path in SOLUTIONS.glob("*.ipynb")}
    folder = SOLUTIONS.parent / "exercises"
    for name in sorted(wanted):
        changed = write(exercise(read(SOLUTIONS / name)), folder / name)
        print(f"lectures/exercises/{name}: {'rewritten' if changed else 'unchanged'}")
    for path in sorted(folder.glob("*.ipynb")):
        if path.name not in wanted:
            path.unlink()
            print(f"lectures/exercises/{path.name}: removed, it has no solution")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
