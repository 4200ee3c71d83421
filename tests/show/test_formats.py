"""The same picture in every format: letters, sizes, files that are written whole; light and dark.

Covers `files.py`, `palette.py`, `text.py`.
"""

# ruff: noqa: RUF001 (labels with signs that look alike)

from __future__ import annotations

import os
import resource
import struct
import subprocess
import sys
import unicodedata
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import browsing
import numpy as np
import pytest
from factories import neuron_after_backward as neuron
from PIL import Image

from micrograd import draw, step_through, worksheet
from micrograd.show.graph import files, text
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run
from micrograd.show.graph.picture import Picture

ROOT = Path(__file__).parents[2]
LIMIT = 0.003  # of the pixels of cards; with each program's own choice of fonts 0.0047
LABELS = [
    "x₁", "α₁", "σ̂²θ", "∑ᵢxᵢ", "h⁽ˡ⁾", "ℒ", "∇f", "x′", "ŷ", "Привет", "שלום", "a→b", "x1*w1",
    "\U0001f600 smile",
]  # fmt: skip


def cards(labels: list[str]) -> Picture:
    made = [
        Card(f"n{i}", "input", (Cell((Run(text.plain(label), "name"),)), Cell((Run("data"),))))
        for i, label in enumerate(labels)
    ]
    return Picture(Drawing(tuple(made)))


# --- letters --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bold", [False, True])
def test_no_letter_is_squeezed_by_more_than_the_design_says(bold: bool) -> None:
    """The room for each letter is 85% of what DejaVu takes, at least; so no word is squeezed."""
    import matplotlib
    from fontTools.ttLib import TTFont

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    font = TTFont(folder / f"DejaVuSans{'-Bold' if bold else ''}.ttf")
    names, widths, unit = font.getBestCmap(), font["hmtx"], font["head"].unitsPerEm
    ranges = [(0x21, 0x7F), (0xA1, 0x180), (0x391, 0x3CA), (0x410, 0x450), (0x2070, 0x209D)]
    squeezed = []
    for code in (c for first, last in ranges for c in range(first, last)):
        if code in names and unicodedata.category(chr(code)) not in ("Mn", "Cf", "Cn"):
            share = text.width(chr(code), 1, bold) / (widths[names[code]][0] / unit)
            if share < 0.845:
                squeezed.append(f"{chr(code)} {share:.2f}")
    assert squeezed == []


def test_subscripts_take_the_room_of_subscripts() -> None:
    assert text.width("₁") < 0.7 * text.width("1") < text.width("ш")


def test_letters_that_arial_lacks_are_set_in_one_font_of_every_format() -> None:
    """Else resvg takes the first font with the letter, a light or a serif one among bold names."""
    for label in LABELS:
        shown = cards([label]).svg.partition('class="name"')[2]
        assert shown.startswith(" style=\"font-family:'DejaVu Sans'") == (
            label not in ("ŷ", "Привет", "a→b", "x1*w1")
        ), label


def test_no_font_with_a_box_for_every_letter_is_given_to_a_program() -> None:
    assert {Path(font).name for font in files._fonts()} == {"DejaVuSans.ttf", "DejaVuSans-Bold.ttf"}


# --- sizes ----------------------------------------------------------------------------------------


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(png):
        (long,) = struct.unpack(">I", png[at : at + 4])
        body = png[at + 4 : at + 8 + long]
        assert struct.unpack(">I", png[at + 8 + long : at + 12 + long])[0] == zlib.crc32(body)
        yield body[:4], body[4:]
        at += 12 + long


def test_a_png_is_as_large_in_a_document_as_its_svg_on_a_page() -> None:
    picture = draw(neuron())
    png = picture.content("png")
    assert [name for name, _ in chunks(png)][:2] == [b"IHDR", b"pHYs"]
    opened = Image.open(BytesIO(png))
    wide = float(picture.svg.partition('width="')[2].partition('"')[0])
    assert opened.width == 2 * wide
    assert opened.info["dpi"][0] == pytest.approx(192, abs=0.1)
    assert opened.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)  # paper, not nothing


def test_a_very_long_picture_can_still_be_opened() -> None:
    made = [Card(f"n{i}", "interior", (Cell((Run("a card" * 10),)),)) for i in range(60)]
    line = [Edge(f"e{i}", f"n{i}", f"n{i + 1}") for i in range(59)]
    picture = Picture(Drawing(tuple(made), tuple(line)))
    assert Image.open(BytesIO(picture.content("png"))).width in range(31_990, 32_001)
    page = picture.content("pdf")
    assert b"MediaBox[0 0 14400 " in page


# --- files ----------------------------------------------------------------------------------------


def saved() -> dict[str, Any]:
    sheet = worksheet.random(1, 0)
    return {
        "n.svg": draw(neuron()), "n.png": draw(neuron()), "n.pdf": draw(neuron()),
        "lesson.html": step_through(neuron()), "sheet.html": sheet, "sheet.md": sheet,
    }  # fmt: skip


@pytest.mark.parametrize("name", saved())
def test_where_the_disk_is_full_the_old_file_stays(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, target = saved()[name], tmp_path / name
    for old in ("what was there", None):
        if old is None:
            target.unlink()
        else:
            target.write_text(old)
        made.save(tmp_path.parent / name)  # what Graphviz and Typst write is not limited
        contents = made.content(target.suffix[1:]) if isinstance(made, Picture) else b""
        if contents:
            monkeypatch.setattr(made, "content", lambda format: contents)  # noqa: B023
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            with pytest.raises(OSError, match=rf"cannot write .*{name}.*: File too large"):
                made.save(target)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert [p.name for p in tmp_path.iterdir()] == ([] if old is None else [name])
        if old is not None:
            assert target.read_text() == old


def test_who_could_read_the_old_file_can_read_the_new_one_and_nobody_else(tmp_path: Path) -> None:
    target = tmp_path / "x.svg"
    target.write_text("old")
    target.chmod(0o600)
    draw(neuron()).save(target)
    assert target.stat().st_mode & 0o777 == 0o600 and target.read_text() != "old"


def test_a_file_is_written_where_its_link_leads(tmp_path: Path) -> None:
    (tmp_path / "real.svg").write_text("old")
    (tmp_path / "link.svg").symlink_to("real.svg")
    draw(neuron()).save(tmp_path / "link.svg")
    assert (tmp_path / "link.svg").is_symlink()
    assert (tmp_path / "real.svg").read_text(encoding="utf-8").startswith("<svg")
    assert len(list(tmp_path.iterdir())) == 2


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE, text=True) as reader:
        files.write(tmp_path / "pipe", "a,b\n")
        assert reader.communicate(timeout=20)[0] == "a,b\n"
    assert (tmp_path / "pipe").is_fifo()


# --- in the browser -------------------------------------------------------------------------------


def shot(chromium: Any) -> Any:
    return Image.open(BytesIO(chromium.get_screenshot_as_png())).convert("RGB")


@pytest.mark.browser
@browsing.needs_browser
def test_the_png_is_what_a_browser_shows(chromium: Any, tmp_path: Path) -> None:
    """Whatever the letters are: in another font or weight they would differ more."""
    picture = cards([label for label in LABELS if ord(label[0]) < 0x1F000])
    drawn = Image.open(BytesIO(picture.content("png"))).convert("L")
    picture.save(tmp_path / "p.svg")
    (tmp_path / "page.html").write_text('<body style="margin:0"><img src="p.svg">')
    wide, high = drawn.width // 2, drawn.height // 2
    metrics = {"width": wide, "height": high, "deviceScaleFactor": 2, "mobile": False}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browsing.prefer(chromium, "light")
    chromium.get((tmp_path / "page.html").as_uri())
    seen = shot(chromium).convert("L")
    assert seen.size == drawn.size
    differs = np.abs(np.asarray(seen, dtype=int) - np.asarray(drawn, dtype=int)) > 110
    assert differs.mean() < LIMIT, differs.mean()


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook with a picture and a stepper, as Jupyter saves it."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    made = [draw(neuron()), step_through(neuron())]
    cells = [
        new_code_cell(
            "shown", outputs=[new_output("display_data", {"text/html": each._repr_html_()})]
        )
        for each in made
    ]
    path = tmp_path_factory.mktemp("exported") / "notebook.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.mark.browser
@browsing.needs_browser
@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize(
    ("template", "theme", "dark"),
    [("lab", "light", False), ("lab", "dark", True), ("classic", "light", False)],
)
def test_exported_pages_decide_what_is_dark(
    chromium: Any, notebook: Path, template: str, theme: str, dark: bool, system: str
) -> None:
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name=template, theme=theme)
    page = notebook.with_suffix(f".{template}.{theme}.html")
    page.write_text(exporter.from_filename(str(notebook))[0], encoding="utf-8")
    browsing.resize(chromium, 1000, 1500)
    browsing.prefer(chromium, system)
    chromium.get(page.as_uri())
    seen = shot(chromium)
    for each in chromium.find_elements("css selector", ".micrograd-drawing>img, iframe"):
        place = each.rect
        x, y = int(place["x"] + place["width"] / 2), int(place["y"]) + 3
        assert (sum(seen.getpixel((x, y))) < 200) == dark, each.tag_name


# --- at the command line --------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_and_a_closed_output_are_told_in_one_line() -> None:
    command = f'"{sys.executable}" -m micrograd grad "x*2" x=1'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for where, status, told in (
        (">/dev/full", 2, "error: No space left on device\n"), (">&-", 0, ""), ("2>&-", 0, ""),
    ):  # fmt: skip
        done = subprocess.run(
            ["sh", "-c", f"{command} {where}"], env=environment, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (status, told), where
