"""The tour, demo.ipynb: it runs from a fresh kernel, reaches its numbers, and is committed so."""

from __future__ import annotations

import html
import re
from pathlib import Path

import nbformat
import pytest
from browsing import browser, errors, needs_browser

from micrograd import Value, step_through
from tools import pages
from tools.notebooks import ROOT, execute, read, settle, write

DEMO = ROOT / "demo.ipynb"
FIRST_LOSS = 0.8958441028683222  # what the original prints for the same seed


@pytest.fixture(scope="module")
def committed() -> nbformat.NotebookNode:
    return read(DEMO)


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    """What each cell printed."""
    streams = [
        [o["text"] for o in cell.get("outputs", []) if o["output_type"] == "stream"]
        for cell in notebook.cells
    ]
    # a settled notebook holds lists of lines, one read from its file whole texts
    return ["".join("".join(text) for text in texts) for texts in streams]


@pytest.mark.notebook
def test_the_demo_trains_to_100_percent_and_prints_what_is_committed(
    committed: nbformat.NotebookNode,
) -> None:
    shown: list[str] = []
    wanted = ["history['loss'][0]", "history['loss'][-1]", "final_loss", "accuracy"]
    run = execute(DEMO, wanted, show=shown.append, again=True)  # each cell a second time, too
    first, last, final, accuracy = (run.values[name]["value"] for name in wanted)
    assert first == pytest.approx(FIRST_LOSS, rel=1e-12)
    assert accuracy == 1.0
    assert final == pytest.approx(0.010978, rel=1e-3)
    assert last < first / 50
    assert printed(run.notebook) == printed(committed)
    assert "training: 100%" in "".join(shown)


def test_the_demo_is_committed_from_one_clean_run(
    committed: nbformat.NotebookNode, tmp_path: Path
) -> None:
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [o for cell in code for o in cell.outputs]
    assert not any(o.output_type == "error" for o in outputs)
    assert not any(o.get("name") == "stderr" for o in outputs)
    again = tmp_path / "again.ipynb"
    again.write_bytes(DEMO.read_bytes())
    assert not write(settle(committed), again), "not in its one exact form: run `make notebooks`"


def test_every_section_has_its_picture(committed: nbformat.NotebookNode) -> None:
    outputs = [o for cell in committed.cells for o in cell.get("outputs", [])]
    pages = ["".join(o.get("data", {}).get("text/html", "")) for o in outputs]
    assert sum("<img" in page and "<iframe" not in page for page in pages) >= 4  # drawn graphs
    assert sum("<iframe" in page for page in pages) == 2  # the stepper, the worksheet
    assert sum("image/png" in o.get("data", {}) for o in outputs) >= 4


def test_its_stepper_is_the_one_that_the_package_makes(committed: nbformat.NotebookNode) -> None:
    outputs = [o for cell in committed.cells for o in cell.get("outputs", [])]
    pages = [html.unescape("".join(o.get("data", {}).get("text/html", ""))) for o in outputs]
    fresh = html.unescape(step_through(Value(2.0) * 3.0)._repr_html_())
    script = max(re.findall(r"<script[^>]*>(.*?)</script>", fresh, re.DOTALL), key=len)
    assert len(script) > 10_000
    assert sum(script in page for page in pages) == 1, "an older one: run `make notebooks`"


def test_the_command_names_every_cells_heading(committed: nbformat.NotebookNode) -> None:
    from tools.demo import _titles

    titles = _titles(committed.cells)
    assert len(titles) == len(committed.cells)
    assert titles[0] == "micrograd: the tour"
    assert all(titles)


@pytest.mark.notebook
def test_a_notebook_that_fails_is_a_failure_of_make_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nbclient.exceptions import CellExecutionError

    from tools import demo, notebooks

    broken = tmp_path / "demo.ipynb"
    notebooks.write(notebooks.from_text("# %%\nimport warnings\nwarnings.warn('old')\n"), broken)
    monkeypatch.setattr(demo, "NOTEBOOK", broken)
    monkeypatch.setattr(demo, "BUILD", tmp_path)
    with pytest.raises(CellExecutionError, match="UserWarning"):
        demo.main()
    assert not (tmp_path / "demo.html").exists()


def test_the_page_needs_no_other_site() -> None:
    page = pages.html(DEMO)
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=.?https?:", page)
    assert "<math" in page and "$$" not in page


@pytest.mark.browser
@needs_browser
def test_the_page_opens_without_a_fault(tmp_path: Path) -> None:
    page = tmp_path / "demo.html"
    page.write_text(pages.html(DEMO), encoding="utf-8")
    with browser() as driver:
        driver.set_window_size(900, 1000)
        driver.get(page.as_uri())
        assert errors(driver) == []
        width = driver.execute_script("return document.documentElement.clientWidth")
        script = "return [...document.images].map("
        script += "i => [i.naturalWidth, i.getBoundingClientRect().right])"
        pictures = driver.execute_script(script)
        assert len(pictures) >= 7
        for natural, right in pictures:
            assert natural > 0, "a picture that does not show"
            assert right <= width, "a picture wider than its column"
