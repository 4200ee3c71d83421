"""The machinery on which the lectures stand is itself tested with something wrong."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import expectations
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import toolkit
from browsing import browser, errors, needs_browser
from IPython.core.formatters import PlainTextFormatter
from matplotlib.figure import Figure
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from PIL import Image
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from micrograd.show.graph.palette import PALETTE
from tools import exercises, notebooks, pages


def notebook_of(*cells: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    def save(*cells: str) -> Path:
        path = tmp_path / "some notebook.ipynb"
        notebooks.write(notebooks.settle(notebook_of(*cells)), path)
        return path

    return save


# --- running --------------------------------------------------------------------------------------


@pytest.mark.notebook
def test_a_second_run_changes_nothing_and_the_namespace_can_be_read(
    saved: Callable[..., Path],
) -> None:
    path = saved(
        "import sys, time\nprint('a', object())\nprint('b', file=sys.stderr)",
        "from micrograd.engine import Value\nx = [Value(2.0), 3]\nx",
        "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])",
    )
    first = notebooks.execute(path, ["x", "x[0] * 2", "y"])
    assert notebooks.write(first.notebook, path)
    second = notebooks.execute(path)
    assert not notebooks.write(second.notebook, path)
    assert first.values["x"] == {"value": [2.0, 3.0]}
    assert first.values["x[0] * 2"] == {"value": 4.0}
    assert "NameError" in first.values["y"]["error"]
    text = path.read_text()
    assert "0x..." in text and '"name": "stderr"' not in text and "iopub" not in text


@pytest.mark.notebook
def test_a_timing_cell_keeps_what_it_showed_until_its_text_changes(
    saved: Callable[..., Path],
) -> None:
    path = saved("import time\nprint(time.perf_counter_ns())")
    notebook = notebooks.read(path)
    notebook.cells[0].metadata["tags"] = ["timing"]
    notebooks.write(notebooks.settle(notebook), path)
    assert notebooks.write(notebooks.execute(path).notebook, path)
    assert not notebooks.write(notebooks.execute(path).notebook, path)


@pytest.mark.notebook
@pytest.mark.parametrize(
    ("cell", "error", "words"),
    [
        ("import warnings\nwarnings.warn('old')", CellExecutionError, "UserWarning"),
        ("1 / 0", CellExecutionError, "ZeroDivisionError"),
        ("a = = 1", CellExecutionError, "SyntaxError"),
        ("while True: pass", CellTimeoutError, "after 2 seconds"),
    ],
)
def test_a_warning_an_error_and_an_endless_loop_stop_the_run_and_name_the_cell(
    saved: Callable[..., Path], cell: str, error: type[Exception], words: str
) -> None:
    path = saved("a = 1", cell, "b = 2")
    with pytest.raises(error, match=words) as caught:
        notebooks.execute(path, cell_seconds=2 if error is CellTimeoutError else 30)
    assert "some notebook.ipynb, cell 2 of 3" in caught.value.__notes__[0]


def test_text_and_back_is_the_same_notebook(saved: Callable[..., Path]) -> None:
    notebook = notebook_of("a = 1\n\n\ndef f():\n    return '# %'", "b")
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell("# Title\n\n- a $x$\n  - b\n\nend"))
    notebook.cells[1].metadata["tags"] = ["timing"]
    notebook.cells[2].metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": False}
    made = exercises.exercise(notebook)
    notebook = notebooks.settle(notebook)
    assert notebook.cells[2].metadata == {"jupyter": {"source_hidden": True}}
    assert notebooks.from_text(notebooks.to_text(notebook)) == notebook
    assert made.cells[2].metadata == notebook.cells[2].metadata


# --- the table ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "found", "words"),
    [
        ({"value": 2.0, "tolerance": 0.1}, {"value": 2.05}, None),
        ({"value": 2.0, "tolerance": 0.1}, {"value": 2.15}, "expected 2.0 within 0.1"),
        ({"value": [1, 2], "tolerance": 0}, {"value": [1, 2]}, None),
        ({"value": [1, 2], "tolerance": 0}, {"value": [1, 2, 3]}, "shape"),
        ({"value": 2.0, "tolerance": 0.1}, {"value": float("nan")}, "nan"),
        ({"value": "a", "tolerance": 0}, {"value": "b"}, "expected 'a'"),
        ({"range": [1, 2]}, {"value": 1.5}, None),
        ({"range": [1, 2]}, {"value": 2.5}, "outside 1 to 2"),
        ({"range": [1, 2]}, {"value": None}, "outside"),
        ({"value": 2.0, "tolerance": 9}, {"error": "NameError: x"}, "not in the executed notebook"),
    ],
)
def test_a_number_that_is_off_or_missing_is_told(
    row: dict[str, Any], found: dict[str, Any], words: str | None
) -> None:
    told = expectations.difference({"notebook": "n", "variable": "x", "source": "s", **row}, found)
    assert told is None if words is None else words in told


def test_a_row_with_a_missing_or_unknown_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "expected.toml"
    path.write_text('[[expected]]\nnotebook = "a"\nvariable = "x"\nvalue = 1\nsource = "s"\n')
    with pytest.raises(ValueError, match="should have the keys"):
        expectations.rows(path)


def test_what_is_asserted_is_found() -> None:
    cells = notebook_of(
        "assert abs(a - 1) < b", "%time x\nnp.testing.assert_allclose(c, 2)", "d = 3"
    )
    assert expectations.asserted_names(cells) >= {"a", "b", "c"}
    assert "d" not in expectations.asserted_names(cells)


# --- exercises ------------------------------------------------------------------------------------


def test_solutions_become_stubs() -> None:
    source = (
        "def f(x):\n    '''Twice x.'''\n    # BEGIN SOLUTION\n    return 2 * x\n"
        "    # END SOLUTION\n\n"
        "# BEGIN SOLUTION\n_half = 21\nanswer = 2 * _half\n# END SOLUTION\ncheck(1, answer)"
    )
    assert exercises.stub(source) == (
        "def f(x):\n    '''Twice x.'''\n    raise NotImplementedError  # your code here\n\n"
        "answer = ...  # your answer here\ncheck(1, answer)"
    )


@pytest.mark.parametrize("source", ["# BEGIN SOLUTION", "# END SOLUTION", "# BEGIN SOLUTION\n" * 2])
def test_an_unbalanced_mark_is_an_error(source: str) -> None:
    with pytest.raises(ValueError, match="SOLUTION"):
        exercises.stub(source)


# --- pages and pictures ---------------------------------------------------------------------------


def page_of(tmp_path: Path, *markdown: str) -> str:
    path = tmp_path / "page.ipynb"
    cells = [nbformat.v4.new_markdown_cell(m) for m in markdown]
    notebooks.write(notebooks.settle(nbformat.v4.new_notebook(cells=cells)), path)
    return pages.html(path)


def test_formulas_become_mathml_and_no_script_is_fetched(tmp_path: Path) -> None:
    page = page_of(
        tmp_path, r"$x^2$ and $$\begin{aligned}a &= b \\ c &= \lVert d \rVert\end{aligned}$$"
    )
    assert page.count("<math") == 2 and "<mtable" in page and "$" not in page.split("<body")[1]
    assert "<script src" not in page and "mathjax" not in page.lower()


def test_a_folded_cell_is_closed_on_the_page_and_can_be_opened(tmp_path: Path) -> None:
    notebook = notebook_of("seen = 1", "hidden = 2")
    notebook.cells[1].metadata["jupyter"] = {"source_hidden": True}
    path = tmp_path / "folded.ipynb"
    notebooks.write(notebooks.settle(notebook), path)
    before, _, after = pages.html(path).partition('<details class="folded">')
    assert "seen" in before and "hidden" in after.split("</details>")[0]


def test_a_formula_that_mathml_lacks_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\\arg has no form in MathML"):
        page_of(tmp_path, r"$\arg\min_j x_j$")


def draw_point(figure: Figure, i: int) -> str:
    figure.subplots().plot([0, i + 1], [0, 1])
    return f"picture {i} </script><b>"


def test_a_table_shows_numbers_to_the_right_and_escapes_text() -> None:
    made = toolkit.table([["<b>", 1234, 0.123456], ["x", 5, 3.0]], ["name", "n", "x"], "Caption")
    assert "&lt;b&gt;" in made.markup and "<b>" not in made.markup
    assert 'right;padding:0.25em 0.9em">1,234<' in made.markup and ">0.1235<" in made.markup
    assert "Caption" in repr(made) and ">3<" in made.markup
    with pytest.raises(ValueError, match="2 cells"):
        toolkit.table([["a", "b"]], ["one"])


def test_the_median_call_is_timed_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 0.05, 1.0, 1.001, 2.0, 2.02])
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    calls = []
    assert toolkit.milliseconds(lambda: calls.append(1), repeats=3) == pytest.approx(20)
    assert len(calls) == 3


def test_an_index_is_drawn_in_proportion_to_its_weight() -> None:
    rng = np.random.default_rng(0)
    drawn = [toolkit.draw_index(np.array([0.0, 1.0, 0.0, 3.0, 0.0]), rng) for _ in range(4000)]
    assert set(drawn) == {1, 3}
    assert abs(drawn.count(3) / 4000 - 0.75) < 0.02


@pytest.mark.parametrize("w", [(1.0, 2.0), (0.0, -2.0), (0.5, 0.0)])
def test_a_line_lies_where_its_equation_holds_and_leaves_the_limits(w: tuple[float, float]) -> None:
    axis = plt.figure().subplots()
    axis.set(xlim=(-3, 3), ylim=(-2, 2))
    toolkit.line(axis, w, 0.7, 1.0)
    drawn = axis.lines[0]
    for point in (drawn.get_xy1(), drawn.get_xy2()):
        assert np.dot(w, point) + 0.7 == pytest.approx(1.0, abs=1e-12)
    assert axis.get_xlim() == (-3, 3) and axis.get_ylim() == (-2, 2)
    plt.close("all")


def test_weights_of_zero_have_no_line() -> None:
    axis = plt.figure().subplots()
    toolkit.line(axis, (0.0, 0.0), 1.0)
    assert not axis.lines
    plt.close("all")


def test_a_surface_is_lowest_at_its_minimum_and_carries_the_path() -> None:
    axis = plt.figure().subplots()
    path = np.array([[1.0, 1.0], [0.5, 0.25], [0.0, 0.0]])
    toolkit.surface(axis, lambda a, b: a**2 + 10 * b**2 + 3, (-2, 2), (-1, 1), path)
    innermost = axis.collections[1].get_paths()[0].vertices
    assert np.abs(innermost).max() < 0.2
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), path)
    plt.close("all")


def test_boxes_show_their_words_and_arrows_back_leave_the_layout() -> None:
    made = toolkit.boxes(
        {"a": ("Is x < 3 & y?", "n = 5"), "b": ("B",)}, [("a", "b", "yes")], "A plan",
        back=[("b", "a", "again")], fills={"b": "result"},
    )  # fmt: skip
    picture = made.svg
    for words in ("Is x &lt; 3 &amp; y?", "n = 5", "yes", "again", "A plan"):
        assert words in picture
    assert made.dot.count("style=dashed") == 1 and made.svg.count('class="edge dashed"') == 1
    assert "fill:var(--micrograd-result)" in made.svg
    pixels = Image.open(io.BytesIO(made.content("png"))).convert("RGB").getcolors(1 << 24)
    assert tuple(bytes.fromhex(PALETTE["result"][0][1:])) in {colour for _, colour in pixels}


def test_small_pictures_are_the_same_picture_in_fewer_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    png = PlainTextFormatter()  # any formatter keeps functions by type
    shell = SimpleNamespace(display_formatter=SimpleNamespace(formatters={"image/png": png}))
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr(plt, "install_repl_displayhook", lambda: None)  # it would ask the shell
    toolkit.small_pictures()
    figure = plt.figure(figsize=(6, 4))
    figure.subplots().plot(np.random.default_rng(0).random(200))
    full = io.BytesIO()
    figure.savefig(full, format="png", bbox_inches="tight")
    small = png.lookup_by_type(type(figure))(figure)
    assert len(small) < 0.8 * len(full.getvalue())
    images = [Image.open(io.BytesIO(b)).convert("RGB") for b in (full.getvalue(), small)]
    before, after = (np.asarray(image, dtype=int) for image in images)
    assert before.shape == after.shape and np.abs(before - after).mean() < 2
    plt.close("all")


@pytest.mark.slow
def test_an_animation_that_would_be_too_large_is_refused() -> None:
    def noise(figure: Figure, i: int) -> str:
        figure.subplots().imshow(np.random.default_rng(i).random((300, 300)), interpolation="none")
        return ""

    with pytest.raises(ValueError, match="fewer frames"):
        toolkit.animate(noise, 12, title="noise", size=(8, 8), colours=256)


@pytest.mark.browser
@needs_browser
def test_an_animation_plays_without_a_kernel_and_its_captions_are_text(tmp_path: Path) -> None:
    made = toolkit.animate(draw_point, 4, title="A <point>", seconds=0.05)
    page = tmp_path / "page.html"
    page.write_text(f"<!DOCTYPE html><meta charset=utf-8>{made.markup}", encoding="utf-8")
    with browser() as driver:
        driver.get(page.as_uri())
        fallback = driver.find_element("css selector", "img")
        assert fallback.get_attribute("alt").startswith("A <point>. picture 3 </script>")
        driver.switch_to.frame(driver.find_element("css selector", "iframe"))

        def at() -> tuple[str, str, Any]:
            caption = driver.find_element("id", "c").text
            return driver.find_element("id", "n").text, caption, driver.find_element("id", "i")

        assert at()[:2] == ("1 / 4", "picture 0 </script><b>")
        driver.find_element("id", "f").click()
        assert at()[0] == "2 / 4"
        driver.find_element("css selector", "body").send_keys(Keys.ARROW_LEFT)
        assert at()[0] == "1 / 4"
        driver.find_element("id", "p").click()
        WebDriverWait(driver, 5).until(lambda _: at()[0] == "4 / 4")
        assert at()[2].get_property("naturalWidth") > 300
        assert not errors(driver)
