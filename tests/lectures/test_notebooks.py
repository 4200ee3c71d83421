"""Every notebook runs from a fresh kernel and reaches the numbers that `expected.toml` promises.

With `pytest -n 2` two notebooks run at a time, one a worker.
"""

from __future__ import annotations

import functools
import importlib
import re
from pathlib import Path

import expectations
import nbformat
import pytest

from tools import notebooks, pages

LECTURES = notebooks.ROOT / "lectures"
ROWS = expectations.rows()
SECONDS = 120
BYTES = 1_500_000


def name_of(path: Path) -> str:
    return path.relative_to(LECTURES).with_suffix("").as_posix()


FOUND = {name_of(path): path for path in notebooks.found(LECTURES)}
STATUS = "{number: outcome.status for number, outcome in check.__self__.outcomes.items()}"
ANSWERS = "{number: repr(answer) for number, answer in check.__self__.answers.items()}"

pytestmark = pytest.mark.notebook


@pytest.mark.parametrize("name", FOUND)
def test_runs_and_reaches_its_numbers(name: str) -> None:
    marked = name.startswith(("exercises/", "solutions/"))
    rows = [row for row in ROWS if row["notebook"] == name]
    wanted = [row["variable"] for row in rows] + ([STATUS] if marked else [])
    again = name.startswith(("micrograd/", "makemore/", "gpt/"))  # worked through back and forth
    run = notebooks.execute(FOUND[name], wanted, cell_seconds=SECONDS, again=again)
    wrong = [expectations.difference(row, run.values[row["variable"]]) for row in rows]
    assert not any(wrong), "\n".join(w for w in wrong if w)
    limit = SECONDS * (2 if again else 1)
    assert run.seconds < limit, f"{name} took {run.seconds:.0f} s, the limit is {limit}"
    if marked:
        found = run.values[STATUS]
        sheet = importlib.import_module(f"checks.{checks_of(name)}").sheet
        status = "right" if name.startswith("solutions/") else "not attempted"
        assert found == {"value": {str(n): status for n in sheet.numbers}}


def checks_of(name: str) -> str:
    """`solutions/09_kmeans` is marked by `checks/lecture_09.py`, named in its import."""
    for cell in notebooks.read(FOUND[name]).cells:
        if "from checks." in "".join(cell.source):
            return "".join(cell.source).split("from checks.")[1].split()[0]
    raise AssertionError(f"{name} has no line `from checks.<module> import check, hint`")


@functools.cache
def committed(name: str) -> nbformat.NotebookNode:
    return notebooks.read(FOUND[name])


def broken_links(text: str, folder: Path) -> list[str]:
    """Links to files that are not there; addresses and places on the same page apart."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [t.split("#")[0] for t in targets if not t.startswith(("http", "#", "data:"))]
    return [target for target in local if target and not (folder / target).exists()]


@pytest.mark.parametrize("name", FOUND)
def test_links_lead_somewhere(name: str) -> None:
    for cell in committed(name).cells:
        if cell.cell_type == "markdown":
            assert not broken_links("".join(cell.source), FOUND[name].parent), cell.source


PAGES = [p for p in sorted(LECTURES.glob("**/*.md")) if ".ipynb_checkpoints" not in p.parts]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_the_pages_lead_somewhere(page: Path) -> None:
    assert not broken_links(page.read_text(encoding="utf-8"), page.parent)


def test_a_broken_link_is_found() -> None:
    assert broken_links("see [this](nowhere.ipynb) and [that](http://a.b)", LECTURES)


@pytest.mark.parametrize("name", FOUND)
def test_is_committed_in_its_one_exact_form(name: str, tmp_path: Path) -> None:
    """What `make notebooks` would write but for the outputs: ids, no times, under 1.5 MB."""
    path = FOUND[name]
    assert path.stat().st_size < BYTES
    again = tmp_path / "again.ipynb"
    again.write_bytes(path.read_bytes())
    assert not notebooks.write(notebooks.settle(committed(name)), again), (
        f"{name} was not written by `make notebooks`: run it"
    )


@pytest.mark.parametrize("name", [n for n in FOUND if not n.startswith("exercises/")])
def test_is_committed_with_the_outputs_of_a_whole_run(name: str) -> None:
    for cell in committed(name).cells:
        if cell.cell_type == "code":
            assert cell.execution_count is not None, f"{name}: not run: {cell.source[:60]!r}"
            assert all(o.output_type != "error" for o in cell.outputs)
            if "\nplt.show()" in cell.source:
                pictures = [o for o in cell.outputs if "image/png" in o.get("data", {})]
                assert pictures, f"{name}: no picture kept: {cell.source[:60]!r}"


def test_every_row_of_the_table_is_asserted_in_a_notebook_that_is_there() -> None:
    for row in ROWS:
        assert row["notebook"] in FOUND, f"no notebook for {row}"
        asserted = expectations.asserted_names(committed(row["notebook"]))
        assert expectations.names_in(row["variable"]) & asserted, f"not asserted: {row}"


def test_every_lecture_promises_numbers() -> None:
    promised = {row["notebook"] for row in ROWS}
    lectures = {n for n in FOUND if not n.startswith(("exercises/", "solutions/"))}
    assert lectures <= promised, f"no row in expected.toml for {sorted(lectures - promised)}"


@pytest.mark.parametrize("name", FOUND)
def test_reads_as_a_page_without_network_or_raw_formulas(name: str) -> None:
    page = pages.html(FOUND[name])
    text = re.sub(r"<(script|style|iframe|pre)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert "$$" not in text
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=\"(https?:)?//", page)
