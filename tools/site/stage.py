"""Lays out what Sphinx reads: this repository's pages and notebooks, with what a site needs added.

Nothing is written twice: how-tos, lectures and tables stay where they are, and here they get
folded cells, words for pictures, download links and the lists that make the menu. Links between
them keep working because the folders keep their places.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import nbformat

from tools.notebooks import ROOT, is_folded, read
from tools.site.tries import address, tries

__all__ = ["TRY", "described", "download", "led", "notebook", "stage"]

LECTURES = ROOT / "lectures"
INDEXES = (LECTURES / "README.md", ROOT / "benchmarks" / "README.md")  # of their folders
COURSE = {
    "The twelve lectures": ["[0-9][0-9]_*.ipynb"],
    "The paired code": ["micrograd/*.ipynb", "makemore/*.ipynb", "gpt/*.ipynb"],
    "Exercises": ["exercises/*.ipynb"],
    "Solutions": ["solutions/*.ipynb"],
    "About the course": ["GLOSSARY.md", "AUTHORING.md", "data/README.md", "makemore/weights/*.md"],
}
# what a lecture is about, to be tried in the playground: names of web/examples/
TRY = {
    "micrograd_lecture_first_half": ["neuron", "derivative", "value", "manual", "own-value"],
    "micrograd_lecture_second_half": ["tanh", "mlp", "training", "quiz"],
    "03_linear_regression": ["regression", "descent"],
    "08_logistic_regression": ["logistic"],
    "11_perceptron": ["perceptron"],
    "demo": ["neuron", "mlp", "training"],
}
MARKED = ("exercises", "solutions")  # folders of notebooks that are worked on elsewhere
_TITLE = re.compile(r"^# ", re.MULTILINE)


def stage(folder: Path, wheel: Path) -> None:
    """Write into `folder`, anew, what Sphinx makes pages of; the wheel is there to download."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs" / "site", folder)
    shutil.copy(wheel, folder)
    quick_start = folder / "quickstart.md"
    text = quick_start.read_text(encoding="utf-8").replace("WHEEL", wheel.name)
    quick_start.write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("site"))
    for path in sorted((ROOT / "docs").glob("*.md")):
        _page(path, folder / path.relative_to(ROOT))
    shutil.copytree(ROOT / "benchmarks" / "results", folder / "benchmarks" / "results")
    shutil.copy(ROOT / "benchmarks" / "instruction_counts.toml", folder / "benchmarks")
    _page(ROOT / "benchmarks" / "README.md", folder / "benchmarks" / "index.md", _tables())
    _page(LECTURES / "README.md", folder / "lectures" / "index.md", _course())
    for path in sorted(LECTURES.rglob("*.md")):
        if path != LECTURES / "README.md":
            _page(path, folder / path.relative_to(ROOT))
    paths = [ROOT / "demo.ipynb", *sorted(LECTURES.rglob("*.ipynb"))]
    paths = [path for path in paths if ".ipynb_checkpoints" not in path.parts]
    read_here = [path for path in paths if path.parent.name not in MARKED]
    found = dict(zip(read_here, tries([_codes(path) for path in read_here], wheel), strict=True))
    for path in paths:
        place = folder / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(path, found.get(path, {})), place)
        if path.parent.name == "exercises":
            download(path, folder / "lectures" / "exercises" / f"{path.stem}.zip")
    (folder / "reference" / "command_line.md").write_text(_command_line(), encoding="utf-8")


def _page(path: Path, place: Path, more: str = "") -> None:
    """A Markdown page; the READMEs of the lectures and benchmarks are the index of their folder."""
    text = led(path.read_text(encoding="utf-8"), path)
    text = re.sub(r"\]\((solutions|exercises)/\)", r"](\1/00_primer.ipynb)", text)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text + more, encoding="utf-8")


def led(text: str, path: Path) -> str:
    """The text of `path`, its links to a README that is an index here led to that index."""

    def to_index(link: re.Match[str]) -> str:
        index = (path.parent / link[1] / "README.md").resolve() in INDEXES
        return f"]({link[1]}index.md" if index else link[0]

    return re.sub(r"\]\(([^():#]*)README\.md(?=[)#])", to_index, text)


def _course() -> str:
    return "".join(
        _contents(title, [p.relative_to(LECTURES) for g in globs for p in sorted(LECTURES.glob(g))])
        for title, globs in COURSE.items()
    )


def _tables() -> str:
    tables = sorted((ROOT / "benchmarks" / "results").glob("*.md"))
    return _contents("Tables", [path.relative_to(ROOT / "benchmarks") for path in tables])


def _contents(title: str, paths: list[Path]) -> str:
    """A part of the menu."""
    if not paths:
        raise FileNotFoundError(f"there are no pages for {title!r}")
    lines = "\n".join(path.with_suffix("").as_posix() for path in paths)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{lines}\n```\n"


# --- notebooks ------------------------------------------------------------------------------------


def _codes(path: Path) -> list[str]:
    return [cell.source for cell in read(path).cells if cell.cell_type == "code"]


def notebook(path: Path, tried: Mapping[int, Sequence[str]] = MappingProxyType({})) -> Any:
    """The notebook as a page: cells that are folded in Jupyter fold, pictures are described.

    `tried` has, by the number of a code cell, the cells that show it in the playground.
    """
    made = read(path)
    up = "../" * (len(path.relative_to(ROOT).parts) - 1) if path.is_relative_to(ROOT) else ""
    codes = [cell for cell in made.cells if cell.cell_type == "code"]
    for number, cells in sorted(tried.items(), reverse=True):
        place = next(k for k, cell in enumerate(made.cells) if cell is codes[number])
        made.cells.insert(place + 1, nbformat.v4.new_markdown_cell(_try(cells, up)))
    heading, titles = "", 0
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = led(cell.source, path)
            titles += len(_TITLE.findall(cell.source))
            if titles > 1:  # a page has one title; what is below a second one stands lower
                cell.source = re.sub(r"^#(?=#* )", "##", cell.source, flags=re.MULTILINE)
            found = re.findall(r"^#+ (.*)$", cell.source, flags=re.MULTILINE)
            heading = found[-1] if found else heading
            cell.source = re.sub(r'<a id="([\w-]+)"></a>\n', r"(\1)=\n", cell.source)
        elif cell.cell_type == "code":
            if is_folded(cell):
                cell.metadata.setdefault("tags", []).append("hide-input")
            cell.metadata["mystnb"] = {"image": {"alt": described(cell.source, heading)}}
    if path.parent.name == "exercises":
        link = f"[Download this notebook with its checkers]({path.stem}.zip)"
        made.cells.insert(1, nbformat.v4.new_markdown_cell(f"{link}; it runs where micrograd is."))
    if path.stem in TRY and path.parent.name not in MARKED:
        made.cells.insert(1, nbformat.v4.new_markdown_cell(_tries(path.stem, up)))
    return made


def _try(cells: Sequence[str], up: str) -> str:
    """A link below a cell that opens it in the playground, where it waits for Run."""
    link = f"{up}playground/index.html{address(cells)}"
    return f'<p class="try"><a href="{link}">Try this in the playground</a></p>'


def _tries(stem: str, up: str) -> str:
    """Links into the playground, in the words of its own menu."""
    links = []
    for name in TRY[stem]:
        (example,) = (ROOT / "web" / "examples").glob(f"[0-9][0-9]-{name}.py")
        title = re.search(r"^# title: (.*)$", example.read_text("utf-8"), flags=re.MULTILINE)[1]
        links.append(f'<a href="{up}playground/index.html#x={name}">{title}</a>')
    return f"**Try this** in the playground: {', '.join(links)}."


def described(code: str, heading: str) -> str:
    """What a plot shows, in its own titles and axes: its cell's texts that stand there in full."""
    titles, axes = [], {}
    for name, text in _texts(code):
        if name in ("title", "set_title", "suptitle"):
            titles.append(text)
        elif name in ("xlabel", "set_xlabel", "ylabel", "set_ylabel"):
            axes.setdefault(name.removeprefix("set_")[0], text)
    what = "; ".join(dict.fromkeys(titles)) or heading
    across = f"; {axes['x']} across" if "x" in axes else ""
    up = f"; {axes['y']} up" if "y" in axes else ""
    return f"Plot: {what}{across}{up}".replace("$", "").replace("\n", " ")


def _texts(code: str) -> Iterator[tuple[str, str]]:
    with contextlib.suppress(SyntaxError):  # a cell with a magic command
        for node in ast.walk(ast.parse(code)):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Attribute) and node.args:
                given = [(node.func.attr, node.args[0])]
            else:
                given = []
            given += [(keyword.arg or "", keyword.value) for keyword in node.keywords]
            for name, value in given:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield name, value.value


def download(path: Path, archive: Path) -> None:
    """An exercise with its checkers and data, which runs where micrograd is; always the same bytes.

    All of them unpack into one folder, in which the checkers stand once.
    """
    made = read(path)
    for cell in made.cells:
        if cell.cell_type == "markdown":  # links lead to pages that are not in the archive
            cell.source = re.sub(r"\[([^\]]*)\]\(\.\./[^)]*\)", r"\1", cell.source)
    files = {f"exercises/{path.name}": nbformat.writes(made).encode()}
    beside = sorted((LECTURES / "checks").glob("*.py"))
    if "makemore" in path.stem:
        beside.append(LECTURES / "data" / "names.txt")
    if path.stem == "06_makemore_cnn1":
        beside += sorted((LECTURES / "makemore" / "weights").glob("part5_*tree.safetensors"))
    for file in beside:
        files[file.relative_to(LECTURES).as_posix()] = file.read_bytes()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made_archive:
        for name, content in files.items():
            made_archive.writestr(zipfile.ZipInfo(f"micrograd_course/{name}"), content)


def _command_line() -> str:
    """What `python -m micrograd --help` and each command's help print."""
    commands = ["", "draw", "grad", "step", "explain", "worksheet", "check"]
    parts = ["# Command line\n"]
    for command in commands:
        words = [sys.executable, "-m", "micrograd", *command.split(), "--help"]
        shown = subprocess.run(
            words,
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "80"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        title = f"## `{command}`\n\n" if command else ""
        parts.append(f"{title}```text\n{shown.rstrip()}\n```\n")
    return "\n".join(parts)
