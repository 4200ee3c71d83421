"""Layouts are the same wherever they are made, and texts fit in whichever font they are drawn.

Covers `dot.py`, `drawing.py`, `files.py`, `layout.py`, `order.py`, `rooms.py`, `stacks.py`,
`svg.py`, `text.py`.
"""

# ruff: noqa: RUF001 (numbers have a real minus sign)

from __future__ import annotations

import io
import json
import re
import shutil
import string
import subprocess
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator
from typing import Any

import factories
import numpy as np
import pytest
from browsing import ROOT, browser, needs_browser, node_modules
from PIL import Image
from test_grouping import perceptron

import micrograd
from micrograd import Value, draw, step_through, worksheet
from micrograd.nn import MLP
from micrograd.show.graph import files, layout, render, stacks, text
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Group, Run, places, size_of
from micrograd.show.graph.picture import Picture
from tools.architecture import PICTURES, picture

SVG = "{http://www.w3.org/2000/svg}"
NODE = shutil.which("node")


def neuron() -> Value:
    out = factories.neuron()["o"]
    out.backward()
    return out


def network() -> Value:
    model = MLP(2, [3, 1], activation="tanh")
    out = (model([Value(1.0, label="x1"), Value(-2.0, label="x2")]) - 1.0) ** 2
    out.backward()
    return out


def box(name: str, words: str = "word") -> Card:
    return Card(name, "interior", (Cell((Run(words, "name"),)),))


def plan() -> Picture:
    """Groups in groups, words on edges, an edge back."""
    inner = Group("g1", "neuron", "inner", ("b",))
    outer = Group("g0", "layer", "a group with a long name", ("a",), (inner,))
    edges = (
        Edge("e0", "a", "b", label="yes"), Edge("e1", "b", "c"),
        Edge("e2", "c", "a", label="again", back=True),
    )  # fmt: skip
    return Picture(Drawing(tuple(map(box, "abc")), edges, (outer,), "A plan"))


def grouped(open_: str, activation: str = "tanh") -> Picture:
    """The lecture's network with something open."""
    loss, model = perceptron([4, 4, 1], activation=activation)
    return draw(loss, groups=model, open=open_)


def pictures() -> dict[str, Any]:
    @micrograd.lift
    def loss(x: Any) -> Any:
        return sum(xi.tanh() for xi in x)

    loss(np.arange(5.0))
    x = Value(3.0, label="x")
    long = Value(1e-9, label="W" * 40) * Value(-12345.678, label="שלום 🙂")
    return {
        "neuron": lambda: draw(neuron()).svg,
        "stacked": lambda: draw(neuron(), stacked=True).svg,
        "downwards": lambda: micrograd.draw_dot(neuron(), rankdir="TB").picture().svg,
        "a square": lambda: draw(x * x).svg,
        "long": lambda: draw(long).svg,
        "network": lambda: draw(network()).svg,
        "program": lambda: draw(loss.program).svg,
        "stepper": lambda: step_through(neuron()).page,
        "sheet": lambda: worksheet.random(6, 1).page,
        "plan": lambda: plan().svg,
        "an example": lambda: grouped("example 2").svg,
        "a neuron": lambda: grouped("example 2/layers.1.neurons.1").svg,
    }


# --- one layout everywhere ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def webassembly() -> Iterator[Any]:
    """Graphviz as browsers have it; what it is asked and what it answers is kept."""
    if NODE is None:
        pytest.skip("no node on the PATH")
    module = node_modules() / "@viz-js" / "viz" / "dist" / "viz.js"
    script = str(ROOT / "tests" / "browser" / "layout.mjs")
    asked: list[str] = []
    with subprocess.Popen(
        [str(NODE), script, str(module)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def answer(dot: str, format: str) -> bytes:
            assert format == "json0" and process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(dot) + "\n")
            process.stdin.flush()
            said = json.loads(process.stdout.readline())
            assert said["errors"] == []
            asked.append(said["version"])
            return said["layout"].encode()

        yield answer, asked
        process.kill()


@pytest.mark.browser
@pytest.mark.parametrize("name", pictures())
def test_two_graphvizes_give_the_same_picture_byte_for_byte(name: str, webassembly: Any) -> None:
    answer, asked = webassembly
    micrograd.nn.neuron.random.seed(4)
    here = pictures()[name]()
    micrograd.nn.neuron.random.seed(4)
    count = len(asked)
    with render.rendered_by(answer):
        assert pictures()[name]() == here
    assert len(asked) > count and int(asked[-1].partition(".")[0]) >= 14


def test_what_goes_to_graphviz_holds_no_text() -> None:
    for label in ("secret", "W" * 30):
        out = Value(2.0, label=label) * 3.0
        source = layout.layout_dot(draw(out).drawing)
        assert label not in source and 'fixedsize=true label=""' in source
        assert label[:20] in draw(out).dot
    source = layout.layout_dot(plan().drawing)
    assert "long name" not in source and "again" not in source and "FIXEDSIZE" in source


def test_a_layout_has_a_place_for_everything() -> None:
    drawing = plan().drawing
    placed = layout.arrange(drawing)
    assert set(placed.cards) == {"a", "b", "c"} and set(placed.edges) == {"e0", "e1", "e2"}
    assert set(placed.labels) == {"e0", "e2"} and set(placed.groups) == {"g0", "g1"}
    for group in (drawing.groups[0], *drawing.groups[0].groups):
        left, top, right, bottom = placed.groups[group.id]
        for card in drawing.cards:
            x, y = placed.cards[card.id]
            wide, high = size_of(card)
            inside = left < x - wide / 2 and x + wide / 2 < right
            inside = inside and top < y - high / 2 and y + high / 2 < bottom
            held = group.cards + tuple(c for g in group.groups for c in g.cards)
            assert inside == (card.id in held), (card.id, group.id)
    with pytest.raises(ValueError, match="begins with its end"):
        layout._path("1,2 3,4 5,6", 10.0)


def test_no_two_cards_overlap() -> None:
    drawing = draw(network()).drawing
    placed = layout.arrange(drawing)
    boxes = {}
    for card in drawing.cards:
        (x, y), (wide, high) = placed.cards[card.id], size_of(card)
        boxes[card.id] = x - wide / 2, y - high / 2, x + wide / 2, y + high / 2
    names = list(boxes)
    for k, a in enumerate(names):
        for b in names[:k]:
            (l1, t1, r1, b1), (l2, t2, r2, b2) = boxes[a], boxes[b]
            assert r1 <= l2 or r2 <= l1 or b1 <= t2 or b2 <= t1, (a, b)


# --- texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("kind", ["input", "parameter", "result", "op", "closed"])
def test_cells_lie_inside_their_card_and_hold_their_text(kind: str, stacked: bool) -> None:
    grad = Run("1", "grad", room="+1234.5678")
    cells = (Cell((Run("w", "name", sub="21"),)), Cell((Run("grad"), grad), tinted=True))
    card = Card("n0", kind, cells[:1] if kind == "op" else cells, stacked and kind != "op")
    wide, high = size_of(card)
    for place in places(card):
        assert place.x >= 0 and place.x + place.width <= wide + 1e-9
        assert place.y >= 0 and place.y + place.height <= high + 1e-9
        assert sum(run.width for run in place.cell.runs) < place.width
    if kind != "op":
        wider = Card("n0", kind, (*cells, Cell((Run("W" * 30),))), card.stacked)
        assert size_of(wider)[0] > wide + 100


def test_every_text_says_how_long_it_is() -> None:
    root = ET.fromstring(draw(network()).svg)
    for element in root.iter(f"{SVG}text"):
        said = "".join(element.itertext())
        assert len(said) < 2 or element.attrib["lengthAdjust"] == "spacingAndGlyphs", said
        size = 15 if element.get("class") == "op" else text.SIZE
        expected = text.width(said, size, element.get("class") == "name")
        assert len(said) < 2 or float(element.attrib["textLength"]) == pytest.approx(expected, 0.01)


def test_a_subscript_is_a_tspan() -> None:
    card = Card("n0", "input", (Cell((Run("w", "name", sub="21"),)),))
    svg = Picture(Drawing((card,))).svg
    assert 'w<tspan class="sub" dy="3">21</tspan></text>' in svg
    assert Run("w", "name", sub="21").width == pytest.approx(
        text.width("w", bold=True) + text.width("21", 10, bold=True)
    )


def installed(font: str) -> bool:
    listing = shutil.which("fc-list")
    found = listing and subprocess.run([listing, font], capture_output=True, text=True, check=True)
    return bool(found and found.stdout.strip())


SAMPLES = [
    *("data", "grad", "tanh", "ReLU", "sigmoid", "**-1", "leaky_relu", "x1*w1 + x2*w2", "loss"),
    *("+0.1234", "−1234.5678", "1.234e−09", "∞", "nan", "layers.0.neurons.1.w[0]", "v178"),
    string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation,
    "ttttt", "fjord", "iilll", "mmmm", "WWWW", "∂L/∂x", "x × y", "sum⁻¹", "x⁴⁵", "γβαΔΣ", "Привет",
    "größer naïve",
]  # fmt: skip
MEASURE = """
    const [texts, sizes, font] = arguments;
    const context = document.createElement("canvas").getContext("2d");
    return texts.map((text, i) => {
        context.font = `${sizes[i][1] ? "bold " : ""}${sizes[i][0]}px "${font}"`;
        return context.measureText(text).width;
    })"""


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("font", ["Liberation Sans", "DejaVu Sans"])
def test_no_text_is_squeezed_by_more_than_15_percent(font: str) -> None:
    if not installed(font):
        pytest.skip(f"{font} is not installed")
    looks = [(size, bold) for size in (text.SIZE, 10.0) for bold in (False, True)]
    texts = [sample for sample in SAMPLES for _ in looks]
    with browser() as driver:
        driver.get("data:text/html,<meta charset=utf-8>")
        natural = driver.execute_script(MEASURE, texts, looks * len(SAMPLES), font)
    for said, (size, bold), long in zip(texts, looks * len(SAMPLES), natural, strict=True):
        given = text.width(said, size, bold)
        assert given >= 0.85 * long, (said, bold, given / long)
        assert given <= 1.4 * long, (said, bold, given / long)  # nor drawn out of shape


COMMITTED = sorted(path for path in (ROOT / "docs").rglob("*.svg"))


def test_the_pictures_of_the_architecture_are_what_the_tool_draws() -> None:
    for name, plan in PICTURES.items():
        path = ROOT / "docs" / "architecture" / f"{name}.svg"
        assert path.read_text(encoding="utf-8") == picture(plan).svg, "python -m tools.architecture"
        assert path in COMMITTED


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("font", ["Liberation Sans", "DejaVu Sans", "DejaVu Serif"])
def test_no_text_crosses_a_border_in_any_font(font: str, tmp_path: Any) -> None:
    total: Value = Value(-1234.5678, label="WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW")
    for label in ("iiiiiiii", "x₁", "مرحبا", "two words", "mmmmmmmm", "🙂🙂"):
        total = total + Value(-1e-9, label=label)
    total.backward()
    pages = [draw(total).svg, draw(total, stacked=True).svg, draw(network()).svg, plan().svg]
    pages += [path.read_text(encoding="utf-8") for path in COMMITTED]
    (tmp_path / "page.html").write_text(
        "<meta charset=utf-8>" + "".join(pages).replace("Helvetica", f"'{font}'"), encoding="utf-8"
    )
    with browser() as driver:
        driver.get((tmp_path / "page.html").as_uri())
        count, outside = driver.execute_script("""
            const texts = [...document.querySelectorAll("svg text")].filter(t => t.textContent);
            return [texts.length, texts.filter(text => {
                const card = text.closest("g"), box = card.querySelector(".box");
                if (!box) return false;
                const inner = text.getBBox(), outer = box.getBBox();
                return inner.x < outer.x + 1 || inner.x + inner.width > outer.x + outer.width - 1;
            }).map(text => text.textContent)]""")
    assert count > 200 and outside == []


# --- files ----------------------------------------------------------------------------------------


def test_a_png_has_the_colours_and_the_size_of_the_svg() -> None:
    from micrograd.show.graph.palette import PALETTE

    picture = draw(neuron())
    image = Image.open(io.BytesIO(picture.content("png"))).convert("RGB")
    root = ET.fromstring(picture.svg)
    sides = [float(root.attrib[side]) for side in ("width", "height")]
    assert image.size == tuple(round(2 * side) for side in sides)
    used = {colour for _, colour in image.getcolors(maxcolors=1 << 24)}
    for name in ("paper", "box", "result", "op", "plus", "minus", "line"):
        assert tuple(bytes.fromhex(PALETTE[name][0][1:])) in used, name
    assert tuple(bytes.fromhex(PALETTE["paper"][1][1:])) not in used


def test_a_png_shows_its_texts() -> None:
    """Fonts are there, and the text is drawn in its own colour: ink that a blank one lacks."""
    labels = [Value(2.0, label=label) for label in ("", "label")]
    dark = []
    for v in labels:
        image = np.asarray(Image.open(io.BytesIO(draw(v).content("png"))).convert("L"))
        dark.append(int((image < 90).sum()))
    assert dark[1] > 1.3 * dark[0] > 0


def test_where_no_font_is_installed_letters_come_from_matplotlib(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import resvg_py

    with_fonts = resvg_py.svg_to_bytes
    monkeypatch.setattr(
        resvg_py, "svg_to_bytes", lambda **given: with_fonts(**given, skip_system_fonts=True)
    )
    test_a_png_shows_its_texts()
    monkeypatch.setattr(files, "_fonts", list)
    with pytest.raises(AssertionError):
        test_a_png_shows_its_texts()


def test_a_pdf_is_a_page_of_the_pictures_size() -> None:
    picture = draw(neuron())
    written = picture.content("pdf")
    root = ET.fromstring(picture.svg)
    wide, high = (0.75 * float(root.attrib[side]) for side in ("width", "height"))
    assert written.startswith(b"%PDF")
    streams = re.findall(rb"stream\n(.*?)\nendstream", written, flags=re.DOTALL)
    objects = b"".join(zlib.decompress(s) for s in streams if s[:1] == b"\x78")
    (page,) = re.findall(rb"/MediaBox ?\[([^\]]*)\]", written + objects)
    assert [float(side) for side in page.split()] == [0, 0, wide, high]
    assert picture.content("pdf") == written  # the same each time


@pytest.mark.parametrize(("format", "package"), [("png", "resvg_py"), ("pdf", "typst")])
def test_what_is_not_installed_is_named(
    format: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(RuntimeError, match=f"pip install {package.replace('_', '-')}"):
        draw(neuron()).content(format)


@pytest.mark.parametrize("level", [4, 6])
@pytest.mark.parametrize("seed", [1, 7])
def test_numbered_names_stand_in_their_order(level: int, seed: int) -> None:
    """In a rank x1 stands left of x2, but for a pair that another order of the rest demands."""
    ranks: dict[tuple[str, str], list[tuple[float, int]]] = {}
    page = worksheet.random(level, seed).page
    cards = r'transform="translate\(([\d.]+) ([\d.]+)\)">.*?class="name"[^>]*>([a-z]+)(\d)<'
    for x, y, stem, number in re.findall(cards, page):
        ranks.setdefault((y, stem), []).append((float(x), int(number)))
    pairs = [
        (a < b) == (m < n)
        for rank in ranks.values()
        for k, (b, n) in enumerate(rank)
        for a, m in rank[:k]
    ]
    assert pairs and sum(pairs) > len(pairs) / 2


def test_a_picture_that_is_turned_over_keeps_its_arrows(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = [*(box(f"c{k}", f"x{k}") for k in (3, 2, 1)), box("sum")]
    edges = tuple(Edge(f"e{k}", f"c{k}", "sum") for k in (1, 2, 3))
    drawing = Drawing(tuple(cards), edges, direction="TB")
    after = layout.arrange(drawing)
    monkeypatch.setattr(layout, "mirrored", lambda drawing, layout: layout)
    before = layout.arrange(drawing)
    across = lambda found: [found.cards[f"c{k}"][0] for k in (1, 2, 3)]
    assert across(before) == sorted(across(before), reverse=True)  # there was something to do
    assert across(after) == sorted(across(after))
    for edge in edges:
        for name, (x, y) in zip(
            (edge.tail, edge.head), (after.edges[edge.id][0], after.edges[edge.id][-1]), strict=True
        ):
            centre, (wide, high) = (
                after.cards[name],
                size_of(cards[[c.id for c in cards].index(name)]),
            )
            assert abs(x - centre[0]) <= wide / 2 + 2 and abs(y - centre[1]) <= high / 2 + 2


def test_closed_groups_stand_beside_an_open_one() -> None:
    """Not above it: the picture is no higher than the frame."""
    closed = [
        Card(f"g{k}", "closed", (Cell((Run(f"example {k}", "name"),)),), True) for k in (1, 2, 3)
    ]
    inside = [box(name) for name in "abcd"]
    leads = [*((c.id, "loss") for c in closed), ("a", "b"), ("b", "c"), ("c", "d"), ("d", "loss")]
    drawing = Drawing(
        (*closed, *inside, box("loss")),
        tuple(Edge(f"e{a}", a, b) for a, b in leads),
        (Group("f", "example", "example 4", tuple("abcd")),),
    )  # fmt: skip
    found = layout.arrange(drawing)
    right = found.groups["f"][2]
    assert all(found.cards[card.id][0] - size_of(card)[0] / 2 > right for card in closed)


# --- cards of one kind, names of frames -----------------------------------------------------------


@pytest.mark.parametrize("stacked", [False, True])
def test_cards_of_one_kind_are_equally_wide(stacked: bool) -> None:
    """The inputs and the weights, whose numbers are not equally long: w2 has no sign."""
    cards = {
        card.cells[0].runs[0].text: card for card in draw(neuron(), stacked=stacked).drawing.cards
    }
    leaves = [size_of(cards[name])[0] for name in ("x1", "x2", "w1", "w2")]
    assert len(set(leaves)) == 1, leaves
    for card in grouped("example 2/layers.0.neurons.1").drawing.cards:
        if card.kind in ("input", "parameter"):
            bar = 5 if card.kind == "parameter" else 0
            assert size_of(card)[0] == pytest.approx(size_of(cards["x1"])[0] + bar) or not stacked


def test_one_long_number_makes_no_other_card_wide() -> None:
    values = [Value(x, label=name) for x, name in ((1.0, "a"), (2.0, "b"), (-123456.789, "c"))]
    total = values[0] * values[1] + values[2] * values[2]
    a, b, c = (
        size_of(card)[0] for name in "abc" for card in draw(total, stacked=True).drawing.cards
        if card.cells[0].runs[0].text == name
    )  # fmt: skip
    assert a == b < c - 20


CROSSED = """
    // names of frames through which a line is seen to go, and how many lines lie behind one
    const found = [];
    let behind = 0;
    for (const name of document.querySelectorAll("svg .caption text")) {
        name.scrollIntoView({ block: "center", inline: "center" });
        const box = name.getBoundingClientRect(), svg = name.ownerSVGElement;
        for (const path of svg.querySelectorAll(".edge path:first-of-type")) {
            const matrix = path.getScreenCTM(), long = path.getTotalLength();
            let crosses = false;
            for (let at = 0; at <= long; at += 1) {
                const { x, y } = path.getPointAtLength(at).matrixTransform(matrix);
                if (x < box.left || x > box.right || y < box.top || y > box.bottom) continue;
                crosses = true;
                const top = document.elementsFromPoint(x, y).find(e => e.tagName !== "text");
                if (!top.matches(".ground")) found.push(name.textContent);
            }
            behind += crosses;
        }
    }
    return [[...new Set(found)], behind];"""


@pytest.mark.browser
@needs_browser
def test_no_line_goes_through_the_name_of_a_frame(tmp_path: Any) -> None:
    shown = [grouped(f"example 2/layers.{k}.neurons.{n}").svg for k in (0, 1) for n in range(4)]
    shown += [path.read_text(encoding="utf-8") for path in COMMITTED]
    page = tmp_path / "page.html"
    with browser() as driver:
        for pages, spoilt in (
            (shown, False),
            ([svg.replace("ground", "bare") for svg in shown], True),
        ):
            page.write_text("<meta charset=utf-8>" + "".join(pages), encoding="utf-8")
            driver.get(page.as_uri())
            found, behind = driver.execute_script(CROSSED)
            assert behind > 3
            assert bool(found) == spoilt, found


# --- order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_inputs_that_are_alike_stand_by_their_numbers(
    direction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each arrow goes with its card, as many as in the layout that Graphviz gave."""
    cards = [Card(f"c{k}", "input", (Cell((Run(f"x{k}", "name"),)),)) for k in (2, 3, 1)]
    edges = tuple(Edge(f"e{k}", f"c{k}", "sum") for k in (1, 2, 3))
    drawing = Drawing((*cards, box("sum")), edges, direction=direction)
    after = layout.arrange(drawing)
    monkeypatch.setattr(layout, "mirrored", lambda drawing, layout: layout)
    monkeypatch.setattr(layout, "in_order", lambda drawing, layout: layout)
    before = layout.arrange(drawing)
    along = int(direction == "LR")
    across = lambda found: [found.cards[f"c{k}"][along] for k in (1, 2, 3)]
    assert across(before) != sorted(across(before))  # there was something to do
    assert across(after) == sorted(across(after))
    assert sorted(before.edges.values()) == sorted(after.edges.values())
    sizes = {card.id: size_of(card) for card in drawing.cards}
    for found in (before, after):
        for edge in edges:
            path = found.edges[edge.id]
            for name, (x, y) in ((edge.tail, path[0]), (edge.head, path[-1])):
                (a, b), (wide, high) = found.cards[name], sizes[name]
                assert abs(x - a) <= wide / 2 + 2 and abs(y - b) <= high / 2 + 2


def test_straight_arrows_touch_their_cards_and_no_other() -> None:
    drawing = grouped("example 2").drawing
    found = layout.arrange(drawing)
    boxes = {card.id: stacks.box_of(card, found.cards[card.id]) for card in drawing.cards}
    seen = 0
    for edge in drawing.edges:
        path = found.edges[edge.id]
        if not stacks.is_straight(path):
            continue
        seen += 1
        assert path[0][0] == pytest.approx(boxes[edge.tail][2], abs=3)
        assert path[-1][0] == pytest.approx(boxes[edge.head][0], abs=3)
        for name, (left, top, right, bottom) in boxes.items():
            if name not in (edge.tail, edge.head):
                for k in range(101):
                    x, y = (a + (b - a) * k / 100 for a, b in zip(path[0], path[-1], strict=True))
                    assert not (left < x < right and top < y < bottom), (edge.id, name)
    assert seen >= 3 * 4 + 4 * 4 + 4 + 3
