"""Pages and pictures on every window, light and dark, with two fonts: nothing crosses a border."""

from __future__ import annotations

import json
import re
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import closing
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote

import pytest
from browsing import ROOT, Browsers, errors, needs_browser, prefer, resize, violations
from factories import HOSTILE
from factories import neuron_output as neuron
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from test_grouping import perceptron

from micrograd import Value, step_through, worksheet
from micrograd.show.graph.drawing import Card, Cell, Drawing, Edge, Run
from micrograd.show.graph.picture import Picture
from micrograd.show.graph.text import number_text
from tools import gallery

pytestmark = [pytest.mark.browser, needs_browser]

WIDTHS = {375: 812, 600: 900, 1400: 900, 1920: 1080}
CROSSING = (Path(__file__).with_name("crossing.js")).read_text(encoding="utf-8")


def folder_of(font: str) -> Path | None:
    """Where this machine has a font; DejaVu comes with Matplotlib."""
    if font == "DejaVu Sans":
        import matplotlib

        return Path(matplotlib.get_data_path(), "fonts", "ttf")
    try:
        listed = subprocess.run(
            ["fc-list", f":family={font}", "file"], capture_output=True, text=True
        )
    except OSError:
        return None
    found = re.search(r"^(.*/)[^/]+\.ttf", listed.stdout, re.MULTILINE)
    return Path(found[1]) if found else None


@pytest.fixture(scope="module", params=["DejaVu Sans", "Liberation Sans"])
def browsers(request: pytest.FixtureRequest) -> Iterator[Browsers]:
    """With one family of fonts."""
    folder = folder_of(request.param)
    if folder is None:
        pytest.skip(f"{request.param} is not installed")
    with closing(Browsers(fonts=(request.param, folder))) as started:
        driver = started.alive()
        driver.get("data:text/html,<span style='font:100px sans-serif'>mmmmmmmmmm")
        wide = driver.execute_script("return document.querySelector('span').offsetWidth")
        assert abs(wide - {"DejaVu Sans": 974, "Liberation Sans": 833}[request.param]) < 9
        yield started


@pytest.fixture
def chromium(browsers: Browsers) -> Iterator[Any]:
    """Offline, and without a complaint."""
    driver = browsers.alive()
    driver.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    yield driver
    assert errors(driver) == []


def network() -> Any:
    loss, model = perceptron([4, 4, 1], activation="tanh")
    return step_through(loss, model, 0.05)


def shared() -> Value:
    a, b = Value(3.0, label="a"), Value(-2.0, label="b")
    e, g = a * b, a * a
    e.label, g.label = "e", "g"
    out = (e + g).relu() * a
    out.label = "L"
    return out


def long_names() -> Value:
    x, w = Value(-123456.789, label="the price of a house"), Value(1e-9, label="W" * 30)
    out = (x * w + 2.0).tanh()
    out.label = "what the model says of it"
    return out


def report() -> Any:
    """Of a class in which every gradient is its node's number."""
    made = worksheet.classroom(3, 4, 5)
    with TemporaryDirectory() as folder:
        for sheet in made.sheets.values():
            walk = sheet.walk
            answers = {walk.names[i]: walk.data[i] for i in walk.asked}
            given = {"sheet": sheet.identity, "name": "N" * 30, "answers": answers}
            Path(folder, f"{sheet.number}.json").write_text(json.dumps(given), encoding="utf-8")
        return made.check(folder)


MADE: dict[str, Callable[[], Any]] = {
    "stepper": lambda: step_through(neuron()),
    "long names": lambda: step_through(long_names()),
    "quiz": lambda: step_through(shared(), quiz=True),
    "network": network,
    "worksheet": lambda: worksheet.random(4, 2),
    "worksheet of one's own": lambda: worksheet(long_names()),
    "worksheet that marks": lambda: worksheet.random(3, 4, marking=True),
    "worksheets' report": lambda: report(),
}
PAGES: dict[str, str] = {}


def opened(driver: Any, name: str, folder: Path) -> None:
    if name not in PAGES:
        PAGES[name] = MADE[name]().page
    path = folder / "page.html"
    path.write_text(PAGES[name], encoding="utf-8")
    driver.get(path.as_uri())


def click(driver: Any, name: str) -> None:
    driver.execute_script("document.getElementById(arguments[0]).click()", name)


def act(driver: Any, name: str) -> Iterator[str]:
    """The page in several states, each with a name."""
    yield "at first"
    if "marks" in name:
        for field in driver.find_elements("css selector", "td.answer input"):
            field.send_keys("5")
        driver.execute_script("document.querySelectorAll('.check').forEach(b => b.click())")
        yield "marked"
    if "worksheet" in name:
        return
    if name == "quiz":
        click(driver, "last")
        driver.find_element("css selector", ".question input").send_keys("1\n")
        yield "a mistake told"
        return
    for _ in range(60 if name == "network" else 8):
        click(driver, "forward")
    yield "in the middle"
    driver.find_element("css selector", "label[for=as-numbers]").click()
    yield "in numbers"
    click(driver, "last")
    yield "at the end"
    ActionChains(driver).send_keys("f").perform()
    yield "for a projector"


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_text_crosses_a_border(chromium: Any, tmp_path: Path, width: int, name: str) -> None:
    resize(chromium, width, WIDTHS[width])
    prefer(chromium, "light")
    opened(chromium, name, tmp_path)
    for state in act(chromium, name):
        assert chromium.execute_script(CROSSING) == [], f"{name}, {width} px, {state}"
    prefer(chromium, "dark")  # no place changes with it, but grounds and borders do
    assert chromium.execute_script(CROSSING) == [], f"{name}, {width} px, dark"


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_controls_and_keys_work_at_every_width(chromium: Any, tmp_path: Path, width: int) -> None:
    resize(chromium, width, WIDTHS[width])
    count = lambda: chromium.find_element("css selector", "#count").text.split(" / ")
    for scheme in ("light", "dark"):
        prefer(chromium, scheme)
        opened(chromium, "stepper", tmp_path)
        for name, at in (
            ("forward", "2"),
            ("forward", "3"),
            ("back", "2"),
            ("last", "13"),
            ("first", "1"),
        ):
            chromium.find_element(
                "css selector", f"#{name}"
            ).click()  # a real one: it can be reached
            assert count() == [at, "13"], name
        for key, at in (
            (Keys.ARROW_RIGHT, "2"),
            (Keys.END, "13"),
            (Keys.ARROW_LEFT, "12"),
            (Keys.HOME, "1"),
        ):
            ActionChains(chromium).send_keys(key).perform()
            assert count() == [at, "13"], key
        for label in ("as-numbers", "as-formula"):
            chromium.find_element("css selector", f"label[for={label}]").click()
            ActionChains(chromium).send_keys(Keys.ARROW_RIGHT).perform()
        assert count() == ["3", "13"]
        for name in ("slopes", "zoom", "theme"):
            chromium.find_element("css selector", f"#{name}").click()
        ground = "return getComputedStyle(document.body).backgroundColor"
        before = chromium.execute_script(ground)
        chromium.find_element("css selector", "#theme").click()
        assert chromium.execute_script(ground) != before


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_the_numbers_on_screen_are_the_engines(chromium: Any, tmp_path: Path, width: int) -> None:
    resize(chromium, width, WIDTHS[width])
    stepper = step_through(neuron())
    walk = stepper._walk
    opened(chromium, "stepper", tmp_path)
    click(chromium, "last")
    for i, node in enumerate(walk.nodes):
        shown = [
            chromium.find_element("css selector", f"#n{i}-{what}") for what in ("data", "grad")
        ]
        assert [text.text for text in shown] == [
            number_text(node.data), number_text(walk.grads[i], sign=True),
        ]  # fmt: skip
        for text in shown:
            assert text.is_displayed()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["stepper", "quiz", "worksheet"])
def test_axe_finds_nothing_serious_on_a_phone(
    chromium: Any, tmp_path: Path, scheme: str, name: str
) -> None:
    resize(chromium, 375, WIDTHS[375])
    prefer(chromium, scheme)
    opened(chromium, name, tmp_path)
    for state in act(chromium, name):
        if state in ("at first", "a mistake told", "at the end"):
            assert violations(chromium) == [], state


# --- committed pictures ---------------------------------------------------------------------------


def outputs() -> Iterator[tuple[str, str]]:
    """The HTML of every output in a committed notebook, and where it stands."""
    for path in [ROOT / "demo.ipynb", *sorted((ROOT / "lectures").rglob("*.ipynb"))]:
        if ".ipynb_checkpoints" in path.parts:
            continue
        for k, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
            for output in cell.get("outputs", ()):
                html = "".join(output.get("data", {}).get("text/html", ()))
                if html:
                    yield f"{path.relative_to(ROOT)}, cell {k}", html


def committed() -> Iterator[tuple[str, str]]:
    """Every picture of ours in docs/ and in the notebooks' outputs, as (where, SVG)."""
    for path in sorted((ROOT / "docs").rglob("*.svg")):
        yield path.name, path.read_text(encoding="utf-8")
    for where, html in outputs():
        for coded in re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", html):
            yield where, b64decode(coded).decode()
        for coded in re.findall(r'src="data:image/svg\+xml,([^"]+)"', html):
            yield where, unquote(coded)


def crossings(driver: Any, folder: Path, pictures: list[tuple[str, str]]) -> list[str]:
    """What is wrong in these pictures, in their own size."""
    resize(driver, 1400, 900)
    prefer(driver, "light")
    page = "".join(f'<div class="one" title="{where}">{svg}</div>' for where, svg in pictures)
    page = f"<style>svg{{max-width:none!important}}</style>{page}"
    (folder / "page.html").write_text(f"<!doctype html><meta charset=utf-8>{page}", "utf-8")
    driver.get((folder / "page.html").as_uri())
    found = driver.execute_script(
        "return [...document.querySelectorAll('.one')].flatMap(one => (() => {"
        f"{CROSSING.replace('arguments[0]', 'one')}"
        "})().map(text => `${one.title}: ${text}`))"
    )
    assert isinstance(found, list)
    return found


@pytest.mark.slow
def test_no_text_crosses_a_border_in_any_committed_picture(chromium: Any, tmp_path: Path) -> None:
    pictures = [(where, svg) for where, svg in committed() if "micrograd-picture" in svg[:400]]
    assert len(pictures) > 40
    assert crossings(chromium, tmp_path, pictures) == []


@pytest.mark.slow
def test_no_text_crosses_a_border_in_any_committed_page(chromium: Any, tmp_path: Path) -> None:
    """Steppers, quizzes and worksheets in outputs of notebooks, as wide as those show them."""
    resize(chromium, 900, 700)
    prefer(chromium, "light")
    seen, found = 0, []
    for where, html in outputs():
        for coded in re.findall(r'<iframe [^>]*title="Backprop[^>]*srcdoc="([^"]*)"', html):
            (tmp_path / "page.html").write_text(unescape(coded), encoding="utf-8")
            chromium.get((tmp_path / "page.html").as_uri())
            seen += 1
            found += [f"{where}, at first: {x}" for x in chromium.execute_script(CROSSING)]
            if chromium.find_elements("id", "forward"):  # a stepper, no worksheet
                for _ in range(8):
                    click(chromium, "forward")
                found += [f"{where}, later: {x}" for x in chromium.execute_script(CROSSING)]
    assert seen > 5 and found == []


@pytest.mark.slow
@pytest.mark.parametrize("name", gallery.SHOTS)
def test_no_text_crosses_a_border_where_the_gallery_takes_its_pictures(
    chromium: Any, tmp_path: Path, name: str
) -> None:
    gallery.SHOTS[name].pose(chromium, tmp_path)
    assert chromium.execute_script(CROSSING) == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (r'id="n1-data"([^>]*) textLength="[^"]*" lengthAdjust="[^"]*">[^<]*<', "a lot of text"),
        (r'class="name"( x="[^"]*" y="[^"]*")(?: textLength="[^"]*")?[^>]*>w', "across a line"),
        (r'(class="name" x="[^"]*" y=")[^"]*"', "w"),
        (r"(<text[^>]* x=\")[^\"]*(\" y=\"[^\"]*\"[^>]*>an arrow)", "an arrow on a card"),
        (r"(<text[^>]* x=\"[^\"]*\" y=\")[^\"]*(\"[^>]*>a legend)", "a legend cut"),
    ],
    ids=["box", "cell", "above", "label", "edge"],
)
def test_a_planted_crossing_in_a_picture_is_found(
    chromium: Any, tmp_path: Path, fault: str, told: str
) -> None:
    w = Card("n1", "input", (Cell((Run("w", "name"),)), Cell((Run("1.0", "data", id="n1-data"),))))
    out = Card("n2", "interior", (Cell((Run("out", "name"),)),))
    arrow = (Edge("e0", "n1", "n2", label="an arrow"),)
    whole = Drawing((w, out), arrow, legend=(Run("a legend", "small"),))
    svg = Picture(whole).svg
    assert crossings(chromium, tmp_path, [("whole", svg)]) == []
    put = {
        "a lot of text": r'id="n1-data"\1>a lot of text<',
        "across a line": r'class="name"\1>www',
        "w": r'\g<1>-3"',
        "an arrow on a card": r"\g<1>2\2",
        "a legend cut": r"\g<1>999\2",
    }
    broken, count = re.subn(fault, put[told], svg, count=1)
    assert count == 1
    found = crossings(chromium, tmp_path, [("broken", broken)])
    assert any(told in text for text in found), found


# --- fingers, and people who want no motion -------------------------------------------------------


def touch(driver: Any, kind: str, *points: tuple[float, float]) -> None:
    listed = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(points)]
    driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": listed})


def test_two_fingers_zoom(chromium: Any, tmp_path: Path) -> None:
    resize(chromium, 375, 812)
    prefer(chromium, "light")
    opened(chromium, "stepper", tmp_path)
    chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        width = "return document.querySelector('#graph svg').getBoundingClientRect().width"
        before = chromium.execute_script(width)
        touch(chromium, "touchStart", (150, 150), (200, 150))
        for k in range(1, 11):
            touch(chromium, "touchMove", (150 - 6 * k, 150), (200 + 6 * k, 150))
        touch(chromium, "touchEnd")
        assert chromium.execute_script(width) > 1.5 * before
    finally:
        chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_who_wants_no_motion_gets_none(chromium: Any, tmp_path: Path) -> None:
    resize(chromium, 600, 500)
    moving = """
        const flow = document.querySelector(".edge.flow path");
        return [getComputedStyle(flow).animationName,
                getComputedStyle(document.querySelector(".box")).transitionDuration]"""
    seen = []
    for wish in ("no-preference", "reduce"):
        feature = {"name": "prefers-reduced-motion", "value": wish}
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        opened(chromium, "stepper", tmp_path)
        for _ in range(8):
            click(chromium, "forward")
        seen.append(chromium.execute_script(moving))
    assert seen[0][0] != "none" and float(seen[0][1].rstrip("s").split("s")[0]) > 0
    assert seen[1][0] == "none" and set(seen[1][1].split(", ")) == {"0s"}


# --- the measurement can fail ---------------------------------------------------------------------


def test_planted_crossings_are_found(chromium: Any, tmp_path: Path) -> None:
    opened(chromium, "stepper", tmp_path)
    resize(chromium, 600, 900)
    prefer(chromium, "light")
    assert chromium.execute_script(CROSSING) == []
    planted = {
        "document.getElementById('n0-data').removeAttribute('textLength');"
        "document.getElementById('n0-data').textContent = '1234567890123'": "1234567890123",
        "document.querySelector('.phase').style.width = '20px'": "Forward",
        "document.querySelector('main').style.width = '900px'": "wider",
    }
    for fault, told in planted.items():
        opened(chromium, "stepper", tmp_path)
        chromium.execute_script(fault)
        assert any(told in text for text in chromium.execute_script(CROSSING)), fault


def test_hostile_labels_stay_in_their_boxes(chromium: Any, tmp_path: Path) -> None:
    total = Value(1.0, label=HOSTILE[0])
    for label in HOSTILE[1:]:
        total = total + Value(-2.0, label=label)
        total.label = label
    (tmp_path / "page.html").write_text(step_through(total).page, encoding="utf-8")
    resize(chromium, 1400, 900)
    chromium.get((tmp_path / "page.html").as_uri())
    click(chromium, "last")
    assert chromium.execute_script(CROSSING) == []


PRINTED = """
    window.print = () => {};
    const key = arguments[0] ? "P" : "p";
    document.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: arguments[0] }));
    return document.querySelectorAll(".slide").length;"""
SLIDES = """
    return [...document.querySelectorAll(".slide")].map((slide) => {
        const graph = slide.querySelector("svg");
        const words = [...slide.querySelectorAll("p, td, th, small")];
        return [slide.scrollHeight - slide.clientHeight, slide.scrollWidth - slide.clientWidth,
            graph ? 13.5 * graph.getScreenCTM().a * 0.75 : 99,
            Math.min(...words.map((e) => parseFloat(getComputedStyle(e).fontSize) * 0.75)),
            !slide.querySelector(".edge:not(:has(.head))")];
    })"""


@pytest.mark.slow
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("make", [shared, network], ids=["expression", "network"])
def test_slides_can_be_read_on_paper(
    chromium: Any, tmp_path: Path, make: Callable[[], Any], several: bool
) -> None:
    """No slide is cut; letters of its graph are 7 points high, and of its words as well."""
    made = make()
    (step_through(made) if isinstance(made, Value) else made).save(tmp_path / "page.html")
    chromium.get((tmp_path / "page.html").as_uri())
    assert chromium.execute_script(PRINTED, several) > 8
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    resize(chromium, 1039, 703)  # A4, without its margins
    try:
        slides = chromium.execute_script(SLIDES)
    finally:
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    for k, (below, beside, graph, words, heads) in enumerate(slides, 1):
        assert below <= 1 and beside <= 1, (k, below, beside)
        assert graph >= 6.95 and words >= 6.95, (k, graph, words)
        assert heads, k


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wide", "high", "key", "least"),
    [(1280, 890, "", 11), (1400, 900, "", 11), (1920, 1080, "f", 18)],
)
def test_an_open_example_is_seen_whole(
    chromium: Any, tmp_path: Path, wide: int, high: int, key: str, least: float
) -> None:
    """At the first sight of a network's example no card is cut, and its letters can be read."""
    network().save(tmp_path / "page.html")
    resize(chromium, wide, high)
    chromium.get((tmp_path / "page.html").as_uri())
    if key:
        chromium.find_element("css selector", "body").send_keys(key)
    chromium.execute_script("""
        const slider = document.getElementById("slider");
        slider.value = 60;
        slider.dispatchEvent(new Event("input"));""")
    cut, letters = chromium.execute_script("""
        const stage = document.getElementById("graph").getBoundingClientRect();
        const cards = [...document.querySelectorAll("g.node, g.op")];
        const cut = cards.filter((card) => {
            const box = card.getBoundingClientRect();
            return card.style.display !== "none" && (box.top < stage.top - 1
                || box.bottom > stage.bottom + 1 || box.left < stage.left - 1
                || box.right > stage.right + 1);
        });
        const picture = document.querySelector("svg.micrograd-picture");
        return [cut.map((card) => card.id), 13.5 * picture.getScreenCTM().a]""")
    assert cut == []
    assert letters >= least


def test_heads_of_arrows_have_the_colour_of_their_lines(chromium: Any, tmp_path: Path) -> None:
    """And are wider than they, so that one sees where the largest gradients go."""
    network().save(tmp_path / "page.html")
    chromium.get((tmp_path / "page.html").as_uri())
    seen = chromium.execute_script("""
        const slider = document.getElementById("slider");
        slider.value = 60;
        slider.dispatchEvent(new Event("input"));
        const edges = document.querySelectorAll(".edge:is(.up, .down):not(.flow)");
        return [...edges].map((edge) => {
            const [line, head] = edge.querySelectorAll("path");
            const end = line.getPointAtLength(line.getTotalLength());
            const box = head.getBBox(), look = getComputedStyle(head);
            const gap = Math.max(box.x - end.x, end.x - box.x - box.width,
                box.y - end.y, end.y - box.y - box.height);
            return [getComputedStyle(line).stroke, look.fill, gap,
                Math.hypot(box.width, box.height),
                5.4 + parseFloat(look.strokeWidth)
                    - parseFloat(getComputedStyle(line).strokeWidth)];
        })""")
    assert len(seen) > 12
    for line, head, gap, long, wider in seen:
        assert line == head and gap < 0.5 and long > 6 and wider > 2


def test_weights_that_all_examples_share_light_none_of_them(chromium: Any, tmp_path: Path) -> None:
    network().save(tmp_path / "page.html")
    chromium.get((tmp_path / "page.html").as_uri())
    lit = chromium.execute_script("""
        const slider = document.getElementById("slider"), names = [];
        for (const k of [0, 20, 60]) {
            slider.value = k;
            slider.dispatchEvent(new Event("input"));
            const lit = [...document.querySelectorAll(".node.lit")];
            names.push(lit.filter((e) => e.style.display !== "none")
                .map((e) => e.querySelector("text").textContent)
                .filter((name) => name.startsWith("example")));
        }
        return names""")
    assert lit == [[], [], []]
