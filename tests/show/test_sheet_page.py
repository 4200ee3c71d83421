"""A worksheet's page on paper, on a phone, and marking itself.

Covers `sheet_page.py`, `fit.py`, `paper.py`.
"""

# ruff: noqa: RUF001 (the pages have a real minus sign)

from __future__ import annotations

import base64
import json
import re
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from browsing import errors, needs_browser, prefer, resize, violations
from firefox import firefox, needs_firefox
from learners import Learner

from micrograd import Value, step_through, worksheet
from micrograd.nn import MLP
from micrograd.show.lesson.pages import size_of
from micrograd.show.practice.fit import LEAST, fitted
from micrograd.show.practice.levels import LEVELS
from micrograd.show.practice.marking import check

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_browser]
PAPER = {"A4": (210 / 25.4, 297 / 25.4), "Letter": (8.5, 11.0)}  # inches
MILLIMETRE = 96 / 25.4  # in CSS pixels


def shown(chromium: Any, page: str, folder: Path, width: int = 1000, height: int = 800) -> None:
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    resize(chromium, width, height)
    chromium.get(path.as_uri())


def pages_of(chromium: Any, paper: str) -> int:
    """How many pages the page in view prints on."""
    wide, high = PAPER[paper]
    told = {"paperWidth": wide, "paperHeight": high, "printBackground": True}
    pdf = base64.b64decode(chromium.execute_cdp_cmd("Page.printToPDF", told)["data"])
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def in_print(chromium: Any, paper: str, script: str) -> Any:
    """What a script finds where the page is as wide as the paper within its margins."""
    margins = 24 * MILLIMETRE
    resize(chromium, round(PAPER[paper][0] * 96 - margins), round(PAPER[paper][1] * 96 - margins))
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        return chromium.execute_script(script)
    finally:
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


MEASURE = """
const svg = document.querySelector("figure svg"), box = (e) => e.getBoundingClientRect();
const scale = box(svg).width / svg.viewBox.baseVal.width;
const texts = [...svg.querySelectorAll("text")].filter((t) => t.textContent.trim());
const seen = (e) => box(e).width > 0;
return {
  wide: document.documentElement.scrollWidth - innerWidth,
  text: Math.min(...texts.map((t) => parseFloat(getComputedStyle(t).fontSize) * scale * 0.75)),
  blanks: [...svg.querySelectorAll("path.rule")].map((e) => box(e).width),
  lines: [...document.querySelectorAll("td.answer :is(input, .line)")].map((e) => box(e).width),
  work: Math.min(...[...document.querySelectorAll("td.work")].map((e) => box(e).width)),
  cut: [...document.querySelectorAll("tbody th")].some((e) => e.scrollWidth > e.clientWidth + 1),
  buttons: [...document.querySelectorAll("button")].filter(seen).length,
};
"""


@pytest.mark.parametrize("paper", PAPER)
@pytest.mark.parametrize("level", LEVELS)
def test_a_sheet_prints_on_one_page_or_two_with_room_to_write(
    level: int, paper: str, chromium: Any, tmp_path: Path
) -> None:
    for seed in range(2):
        sheet = worksheet.random(level, seed, marking=seed == 1)
        sheet.number = 17
        shown(chromium, sheet.page, tmp_path)
        assert pages_of(chromium, paper) == (1 if level <= 4 else 2), seed
        found = in_print(chromium, paper, MEASURE)
        assert found["wide"] <= 0
        assert found["text"] >= 8, found["text"]
        assert len(found["blanks"]) == len(found["lines"]) == len(sheet.asked)
        assert min(found["blanks"]) >= 18 * MILLIMETRE
        assert min(found["lines"]) >= 18 * MILLIMETRE and found["work"] >= 30 * MILLIMETRE
        assert not found["cut"] and found["buttons"] == 0


FILLED = """
const box = (e) => e?.getBoundingClientRect();
return [...document.querySelectorAll(".page")].map((page) => {
  const rows = [...page.querySelectorAll("tbody tr")].map(box), whole = box(page);
  const bottoms = (rows.length ? rows : [box(page.querySelector("svg"))]).map((e) => e.bottom);
  const last = Math.max(...bottoms);
  const lines = [...page.querySelectorAll("td.work")].map(box);
  return { foot: innerHeight - (last - whole.top), rows: rows.map((row) => row.height),
    starts: [...new Set(lines.map((line) => Math.round(line.left)))].length,
    columns: new Set(rows.map((row) => Math.round(row.left))).size };
});
"""


@pytest.mark.parametrize("paper", PAPER)
@pytest.mark.parametrize("level", LEVELS)
def test_no_page_has_an_empty_foot(level: int, paper: str, chromium: Any, tmp_path: Path) -> None:
    """Rows grow to the end of the page; only a graph that takes a whole page leaves some of it."""
    for seed in range(3):
        sheet = worksheet.random(level, seed)
        shown(chromium, sheet.page, tmp_path)
        pages = in_print(chromium, paper, FILLED)
        assert len(pages) == (1 if level <= 4 else 2)
        for page in pages:
            rows = page["rows"]
            room = (5 if rows else 30) * MILLIMETRE
            assert 0 <= page["foot"] <= room, (seed, page)
            assert all(34 <= row <= 22.1 * MILLIMETRE for row in rows), (seed, page)
            assert page["starts"] == page["columns"] <= 2  # the lines stand below each other
        if level == 5:
            assert min(len(page["rows"]) for page in pages) >= 5
            low, high = sorted(page["rows"][0] for page in pages)
            assert high < 1.6 * low


def unpacked_pages(pdf: bytes) -> int:
    """The pages of a PDF whose objects stand in packed streams, as Firefox writes them."""
    found = 0
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        with suppress(zlib.error):
            found += len(re.findall(rb"/Type\s*/Page\b(?!s)", zlib.decompress(stream)))
    return found


@needs_firefox
def test_firefox_prints_as_many_pages(tmp_path: Path) -> None:
    """A page's height is the paper's there, too: no sheet runs over by a line."""
    with firefox() as other:
        for level in LEVELS:
            path, _ = worksheet.random(level, 7).save(tmp_path / f"{level}.html")
            other.get(path.as_uri())
            for wide, high in PAPER.values():
                size = {"width": wide * 2.54, "height": high * 2.54}
                margin = dict.fromkeys(("top", "bottom", "left", "right"), 1.2)
                told = {"page": size, "margin": margin, "shrinkToFit": False}
                printed = other.ask("browsingContext.print", context=other.place, **told)
                pages = unpacked_pages(base64.b64decode(printed["data"]))
                assert pages == (1 if level <= 4 else 2), level


def test_a_long_title_takes_its_room(chromium: Any, tmp_path: Path) -> None:
    """Three lines of a title go off the graph or the rows, not onto another page."""
    title = "Backpropagation by hand, the exercises of the fourth week for both classes, " * 2
    for level in (1, 4, 5, 6):
        sheet = worksheet(worksheet.random(level, 2).value, title)
        for paper in PAPER:
            for page in (sheet.page, sheet.answer_page):
                shown(chromium, page, tmp_path)
                assert pages_of(chromium, paper) == (1 if level <= 4 else 2), (level, paper)


def test_rows_have_an_end(chromium: Any, tmp_path: Path) -> None:
    """Two answers on a page do not stand half a page apart."""
    shown(chromium, worksheet(Value(2.0, label="x").tanh()).page, tmp_path)
    (page,) = in_print(chromium, "A4", FILLED)
    assert page["rows"] == pytest.approx([22 * MILLIMETRE] * 2, abs=1)


@pytest.mark.parametrize("level", LEVELS)
def test_every_graph_can_be_read_on_paper(level: int) -> None:
    for seed in range(30):
        walk = worksheet.random(level, seed).walk
        for solved in (False, True):
            fit = fitted(walk, solved)
            assert fit.scale >= LEAST, (seed, solved)
            assert sum(fit.pages) == len(walk.asked) and len(fit.pages) == (1 if level < 5 else 2)


def test_a_large_graph_takes_as_many_pages_as_it_needs(chromium: Any, tmp_path: Path) -> None:
    """And every page is a page: none is longer, none is left out."""
    total = Value(0.0, label="start")
    for k in range(49):
        total = total + Value(float(k % 3), label=f"x{k}")
        total.label = f"sum{k}"
    sheet = worksheet(total)
    for solved in (False, True):
        fit = fitted(sheet.walk, solved)
        assert sum(fit.pages) == 99 and 3 <= len(fit.pages) <= 5
        for paper in PAPER:
            shown(chromium, sheet.answer_page if solved else sheet.page, tmp_path)
            assert pages_of(chromium, paper) == len(fit.pages)


@pytest.mark.parametrize("level", [4, 6])
def test_a_class_prints_from_one_file(level: int, chromium: Any, tmp_path: Path) -> None:
    public, keys = worksheet.classroom(level, 4, 7).save(tmp_path / "class")
    for paper in PAPER:
        shown(chromium, (public / "print.html").read_text("utf-8"), tmp_path)
        assert pages_of(chromium, paper) == 4 * (1 if level <= 4 else 2)
        assert in_print(chromium, paper, MEASURE)["text"] >= 8
        tops = in_print(
            chromium, paper, "return [...document.querySelectorAll('.sheet')].map((e) => "
            "[getComputedStyle(e).breakAfter, e.querySelector('.about').innerText])",
        )  # fmt: skip
        assert [place for place, _ in tops] == ["page"] * 3 + ["auto"]
        assert all(f"No. {k} " in head for k, (_, head) in enumerate(tops, 1)), tops
        shown(chromium, (keys / "print.html").read_text("utf-8"), tmp_path)
        assert pages_of(chromium, paper) == 4 * (1 if level <= 4 else 2)
        assert in_print(chromium, paper, MEASURE)["wide"] <= 0


def test_a_graph_of_ones_own_is_as_large_as_a_page_allows() -> None:
    x = [Value(1.0, label="x1"), Value(-2.0, label="x2")]
    fit = fitted(worksheet(MLP(2, [3, 1])(x)).walk)
    wide, high = size_of(fit.svg)
    assert len(fit.pages) == 2 and fit.scale * wide <= 703.5 and fit.scale * high <= 963
    assert fit.scale == 1 or fit.scale * max(wide / 703, high / 757) == pytest.approx(1)
    assert pytest.approx(8 / 10.125) == LEAST


@pytest.mark.parametrize("width", [375, 600, 1400, 1920])
def test_a_page_is_read_at_every_width(width: int, chromium: Any, tmp_path: Path) -> None:
    for sheet in (worksheet.random(4, 1), worksheet.random(6, 2, marking=True)):
        shown(chromium, sheet.page, tmp_path, width, 800)
        found = chromium.execute_script(MEASURE)
        assert found["wide"] <= 0
        assert found["text"] / 0.75 >= 10.9  # pixels
        for scheme in ("light", "dark") if width in (375, 1400) else ():
            prefer(chromium, scheme)
            assert violations(chromium) == []
        assert errors(chromium) == []


def test_a_graph_with_long_names_can_be_read(chromium: Any, tmp_path: Path) -> None:
    """It scrolls where it would have to be too small; a small one is not blown up."""
    model = MLP(2, [2, 1], activation="tanh")
    x = [Value(1.0, label="temperature indoors"), Value(-2.0, label="temperature outside")]
    sheet = worksheet((model(x) - 1) ** 2, parameters=model)
    shown(chromium, sheet.page, tmp_path, 1400, 800)
    found = chromium.execute_script(MEASURE)
    assert found["text"] / 0.75 >= 10
    figure = "const f = document.querySelector('figure'); return [f.scrollWidth, f.clientWidth]"
    inner, outer = chromium.execute_script(figure)
    assert inner > outer and found["wide"] <= 0  # the figure scrolls, the page does not
    shown(chromium, worksheet.random(1, 7).page, tmp_path, 1400, 800)
    drawn = "const svg = document.querySelector('figure svg'); return svg.getBoundingClientRect()"
    width = float(re.search(r'<figure[^>]*><svg width="([\d.]+)', worksheet.random(1, 7).page)[1])
    assert chromium.execute_script(drawn)["width"] == pytest.approx(width, abs=1)


# --- marking on the page --------------------------------------------------------------------------


def type_in(chromium: Any, name: str, text: str) -> str:
    """Type an answer, press Enter, and read what is told."""
    field = chromium.find_element("css selector", f'input[data-name="{name}"]')
    field.clear()
    field.send_keys(text + "\n")
    script = "return arguments[0].closest('tr').nextElementSibling.innerText"
    return str(chromium.execute_script(script, field))


def test_another_number_for_the_output_is_not_called_its_value(
    chromium: Any, tmp_path: Path
) -> None:
    shown(chromium, worksheet.random(2, 7, marking=True).page, tmp_path)
    assert "the output's own gradient" in type_in(chromium, "o", "0")
    for number in ("0.31", "-1"):
        assert "No known mistake gives this number." in type_in(chromium, "o", number)


def saved(chromium: Any) -> tuple[str, dict[str, Any]]:
    """What "Save my answers" writes, and the file's name."""
    chromium.execute_script(
        "window.kept = {}; const link = HTMLAnchorElement.prototype;"
        "URL.createObjectURL = (blob) => { kept.blob = blob; return '#'; };"
        "link.click = function () { kept.name = this.download; };"
    )
    chromium.find_element("css selector", "#save").click()
    text = chromium.execute_async_script("kept.blob.text().then(arguments[0])")
    return chromium.execute_script("return kept.name"), json.loads(text)


def test_a_page_marks_follows_and_counts_tries(chromium: Any, tmp_path: Path) -> None:
    sheet = worksheet.random(2, 7, marking=True)
    shown(chromium, sheet.page, tmp_path)
    right = Learner(sheet.walk).answers({})
    value = f"{sheet.value.data}"
    assert "Looks like: the output's own gradient." in type_in(chromium, "o", value)
    assert type_in(chromium, "o", "1") == "Right.\n2 tries"
    told = type_in(chromium, "n", "1")
    assert told.startswith("Not right yet.\n\nLooks like: ") and "without the local" in told
    assert type_in(chromium, "s", "1,0") == "Right."  # it follows from 1 for n
    assert "give three digits" in type_in(chromium, "b", f"{right['n']:.1f}") or right["n"] == 0.64
    assert type_in(chromium, "n", str(right["n"])) == "Right.\n2 tries"
    assert type_in(chromium, "q", "one") == "Write one number, such as −1.5, 3/4 or 2e-3."
    assert "No known mistake gives this number." in type_in(chromium, "w2", "77")
    button = chromium.find_element("css selector", '[aria-label="Check x1.grad"]')
    button.click()  # nothing was written: the field is asked for
    assert chromium.switch_to.active_element.get_attribute("data-name") == "x1"
    status = chromium.execute_script("return document.getElementById('status').textContent")
    assert "No known mistake" in status
    chromium.find_element("css selector", "#name").send_keys("Ada O'Neill / 7b")
    name, answers = saved(chromium)
    assert name == f"answers-{sheet.identity}-Ada-O-Neill-7b.json"
    assert answers["sheet"] == sheet.identity and answers["name"] == "Ada O'Neill / 7b"
    assert answers["answers"]["w2"] == "77" and answers["answers"]["x1"] is None
    assert answers["tries"]["o"] == 2 and answers["tries"]["n"] == 2 and "q" not in answers["tries"]
    (tmp_path / name).write_text(json.dumps(answers), encoding="utf-8")
    path, _ = sheet.save(tmp_path / "sheet.html")
    marks = check(path, tmp_path / name).marks
    assert marks["n"].verdict == "right" and marks["q"].verdict == "not readable"


def test_the_page_and_the_program_agree_on_every_kind(chromium: Any, tmp_path: Path) -> None:
    """The page knows the pupil's own answers alone, and each of them is given."""
    tried = 0
    for level in (2, 3):
        sheet = worksheet.random(level, 5, marking=True)
        shown(chromium, sheet.page, tmp_path)
        learner = Learner(sheet.walk)
        for kind in ("sign", "own value", "no arriving", "no local", "missing use"):
            answers = learner.consistent(kind)
            report = check(sheet, answers)
            rows = chromium.execute_script(
                "const fields = [...document.querySelectorAll('td.answer input')];"
                "for (const f of fields) f.value = arguments[0][f.dataset.name];"
                "document.querySelectorAll('.check').forEach((button) => button.click());"
                "return fields.map((f) => [f.dataset.name, f.closest('tr').dataset.status]);",
                {name: repr(x) for name, x in answers.items()},
            )
            for name, status in rows:
                verdict = report.marks[name].verdict
                expected = "right" if verdict in ("right", "follows") else verdict
                assert status == expected, (kind, name, str(report))
                tried += 1
    assert tried > 60


def test_a_page_without_marking_holds_no_answer(chromium: Any, tmp_path: Path) -> None:
    sheet = worksheet.random(2, 7)
    assert "questions" not in re.sub(r"<script>.*</script>", "", sheet.page, flags=re.DOTALL)
    shown(chromium, sheet.page, tmp_path)
    assert chromium.find_elements("css selector", ".check, #status") == []
    name, answers = saved(chromium)
    assert name == f"answers-{sheet.identity}.json" and "tries" not in answers


# --- the report -----------------------------------------------------------------------------------


def test_a_report_on_a_phone_needs_no_pulling(chromium: Any, tmp_path: Path) -> None:
    classroom = worksheet.classroom(3, 4, 7)
    folder = tmp_path / "answers"
    folder.mkdir()
    for k, sheet in enumerate(list(classroom.sheets.values())[:3]):
        told = {"sheet": sheet.identity, "name": f"Pupil {k} of a long name",
                "answers": Learner(sheet.walk).consistent("no arriving")}  # fmt: skip
        (folder / f"{k}.json").write_text(json.dumps(told), encoding="utf-8")
    shown(chromium, classroom.check(folder).page, tmp_path, 375, 800)
    over = chromium.execute_script("""
        const table = document.querySelector(".marks");
        return [table.scrollWidth - table.parentElement.clientWidth,
            document.documentElement.scrollWidth - innerWidth,
            [...table.querySelectorAll("tbody tr")].length, table.innerText]""")
    assert over[0] <= 0 and over[1] <= 0 and over[2] == 4
    assert "of 6" in over[3] and "c.grad" in over[3] and "nothing handed in" in over[3]
    prefer(chromium, "dark")
    assert violations(chromium) == []
    prefer(chromium, "light")


@pytest.mark.parametrize("level", [1, 2, 3, 6])
def test_every_count_of_a_report_is_seen_without_pulling(
    level: int, chromium: Any, tmp_path: Path
) -> None:
    """Few gradients have columns, many do not; on a phone and on paper all are seen whole."""
    classroom = worksheet.classroom(level, 6, 7)
    folder = tmp_path / "answers"
    folder.mkdir()
    kinds = "no arriving", "sign", "no local", "own value", "missing use"
    for k, (sheet, kind) in enumerate(zip(classroom.sheets.values(), kinds, strict=False)):
        told = {"sheet": sheet.identity, "name": f"Pupil {k}",
                "answers": Learner(sheet.walk).consistent(kind)}  # fmt: skip
        (folder / f"{k}.json").write_text(json.dumps(told), encoding="utf-8")
    report = classroom.check(folder)
    shown(chromium, report.page, tmp_path)
    counted = """
        const tables = [...document.querySelectorAll("table")];
        const seen = (e) => { const b = e.getBoundingClientRect(); return b.width && b.height ? b : null; };
        const cells = [...document.querySelectorAll(".counts td:not(.sum)")].filter(seen);
        return {
          over: Math.max(...tables.map((t) => t.parentElement.scrollWidth - t.parentElement.clientWidth)),
          right: Math.max(...[...document.querySelectorAll("td, th")].map((e) => e.getBoundingClientRect().right)),
          sum: cells.map((e) => parseInt(e.textContent) || 0).reduce((a, b) => a + b, 0),
          named: cells.every((e) => getComputedStyle(e, "::before").content.includes(".grad")
            || seen(document.querySelector(".counts thead"))),
          wide: innerWidth };"""  # noqa: E501
    everything = sum(good for good, _ in report.right().values())
    everything += sum(sum(row.values()) for row in report.counts().values())
    for width in (375, 640, 641, 800, 801, 1400):
        resize(chromium, width, 800)
        found = chromium.execute_script(counted)
        assert found["over"] <= 0 and found["right"] <= width, (width, found)
        assert found["sum"] == everything >= 30 and found["named"], (width, found)
    assert violations(chromium) == []
    for paper in PAPER:
        found = in_print(chromium, paper, counted)
        assert found["right"] <= found["wide"] and found["sum"] == everything and found["named"]


def test_the_report_and_the_step_that_it_shows(chromium: Any, tmp_path: Path) -> None:
    classroom = worksheet.classroom(3, 5, 7)
    folder = tmp_path / "answers"
    folder.mkdir()
    for k, sheet in enumerate(classroom.sheets.values()):
        told = {"sheet": sheet.identity, "name": f"Pupil {k}"}
        told["answers"] = Learner(sheet.walk).consistent("no arriving")
        (folder / f"{k}.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "ill.txt").write_text("I was ill", encoding="utf-8")
    report = classroom.check(folder)
    path, beside = report.save(tmp_path / "report.html")
    for width in (375, 1400):
        for scheme in ("light", "dark"):
            resize(chromium, width, 800)
            prefer(chromium, scheme)
            chromium.get(path.as_uri())
            wide = "return document.documentElement.scrollWidth - innerWidth"
            assert chromium.execute_script(wide) <= 0
            assert violations(chromium) == []
    chromium.find_element("css selector", ".button").click()
    assert beside.name in chromium.current_url
    kind, paper, name = report.to_show()
    assert kind == "no arriving"
    step = step_through(paper.sheet.value).step_of(name)
    assert chromium.find_element("css selector", "#count").text.startswith(f"{step} / ") or (
        chromium.find_element("css selector", "#count").text.startswith(f"{step}/")
    )
    i = paper.sheet.walk.names.index(name)
    grad = chromium.execute_script(f"return document.getElementById('n{i}-grad').textContent")
    assert float(grad.replace("−", "-")) == pytest.approx(paper.sheet.walk.grads[i], abs=1e-4)
    assert errors(chromium) == []
