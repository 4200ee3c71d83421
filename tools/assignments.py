"""Writes the course's exercises in nbgrader's form: assignments that are handed out and graded.

Each solution notebook becomes an assignment of its own, with the checkers and the data beside it.
An exercise is an answer cell, whose solution nbgrader takes out, and a locked cell worth a point.
Start with `assignment`; docs/teaching.md says how the folder is used. nbgrader itself is not needed
here, only to use what is written.
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from tools.exercises import BEGIN, SOLUTIONS, key, stub
from tools.notebooks import ROOT, read, settle, write

__all__ = ["assignment", "main", "write_course"]

LECTURES = ROOT / "lectures"
HEADING = re.compile(r"^## (\d+)\. (.*?) \([^()]*\)$", re.MULTILINE)
CHECK = re.compile(r"^check\((\d+), .*\)$", re.MULTILINE)
PATHS = {
    'import sys\n\nsys.path.insert(0, "..")  # lectures/\n\n': "",
    '"../data/': '"data/',
    "../makemore/weights/": "data/",
}

CONFIG = '''\
"""Settings of this course for nbgrader; docs/teaching.md of micrograd explains them."""

from nbgrader.converters.generate_assignment import GenerateAssignment
from nbgrader.preprocessors import ClearSolutions


class Stubs(ClearSolutions):
    """Puts the stub that an answer cell carries in the place of its solution."""

    def preprocess_cell(self, cell, resources, cell_index):
        if "stub" in cell.metadata:
            cell.source = cell.metadata.pop("stub")
            return cell, resources
        return super().preprocess_cell(cell, resources, cell_index)


c = get_config()
c.CourseDirectory.course_id = "micrograd"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__"]
c.GenerateAssignment.preprocessors = [
    Stubs if step is ClearSolutions else step
    for step in GenerateAssignment.preprocessors.default_args[0]
]
c.ExecutePreprocessor.timeout = 120
'''


def assignment(solution: Any, module: str) -> Any:
    """nbgrader's source notebook of a solution notebook, marked by `checks/<module>.py`."""
    text = "\n".join("".join(cell.source) for cell in solution.cells)
    keys = {int(number): key(title) for number, title in HEADING.findall(text)}
    cells = []
    for cell in solution.cells:
        if "solution" in cell.metadata.get("tags", []):
            continue
        source = cell.source
        for old, new in PATHS.items():
            source = source.replace(old, new)
        if cell.cell_type == "markdown":
            plain = re.sub(r"\[([^\]]*)\]\(\.\./[^)]*\)", r"\1", source)
            cells.append(nbformat.v4.new_markdown_cell(plain.replace("Solutions", "Exercises", 1)))
        elif BEGIN in source:
            cells += _answer_and_point(source, keys, module)
        else:
            cells.append(nbformat.v4.new_code_cell(source))
    marks = [cell.metadata for cell in cells]  # settle keeps nothing but tags
    made = settle(nbformat.v4.new_notebook(cells=cells))
    for cell, kept in zip(made.cells, marks, strict=True):
        cell.metadata.update(kept)
    return made


def _answer_and_point(source: str, keys: dict[int, str], module: str) -> list[Any]:
    checks = list(CHECK.finditer(source))
    if len(checks) != 1:
        raise ValueError(
            f"an answer's cell has one line check(...), this has {len(checks)}:\n{source}"
        )
    name = keys[int(checks[0][1])]
    graded = checks[0][0].replace("check", "sheet.grade", 1)
    answer = CHECK.sub("", source).rstrip("\n")
    point = f"from checks.{module} import sheet\n\n{graded}"
    return [
        _cell(answer, f"{name}-answer", solution=True, stub=stub(answer)),
        _cell(point, name, grade=True, locked=True, points=1),
    ]


def _cell(source: str, name: str, *, stub: str | None = None, **more: Any) -> Any:
    marks = {"grade": False, "locked": False, "solution": False, "task": False, **more}
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata["nbgrader"] = {
        "grade_id": name,
        "schema_version": 3,
        "cell_type": "code",
        **marks,
    }
    if stub is not None:
        cell.metadata["stub"] = stub
    return cell


def write_course(folder: Path, modules: Sequence[str] = ()) -> list[str]:
    """Write nbgrader's settings and the assignments (all, or these) below `folder`."""
    written = []
    (folder / "source").mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    for path in sorted(SOLUTIONS.glob("*.ipynb")):
        module = path.stem.partition("_")[2]
        if modules and module not in modules:
            continue
        place = folder / "source" / module
        write(assignment(read(path), module), place / path.name)
        shutil.copytree(
            LECTURES / "checks", place / "checks", dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )  # fmt: skip
        _copy_data(module, place / "data")
        written.append(module)
    return written


def _copy_data(module: str, place: Path) -> None:
    if module.startswith("makemore"):
        place.mkdir(exist_ok=True)
        shutil.copy(LECTURES / "data" / "names.txt", place)
    if module == "makemore_cnn1":
        for weights in (LECTURES / "makemore" / "weights").glob("part5_*tree.safetensors"):
            shutil.copy(weights, place)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.assignments", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "nbgrader")
    folder = parser.parse_args().folder
    written = write_course(folder)
    print(f"{folder}: {len(written)} assignments; docs/teaching.md says how to hand them out")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
