"""Lessons by neurons: their frames say what the engine does, and their pages open and close.

Covers `by_neurons.py`, `curves.py`, `frames.py`, `packed.py`, `training.py`.
"""

# ruff: noqa: RUF001 (formulas have a real minus sign)

from __future__ import annotations

import json
import random
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import errors, needs_browser, prefer, resize, violations
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from test_grouping import labelled, perceptron

from micrograd import Value, nn, step_through
from micrograd.show.graph.drawing import size_of
from micrograd.show.graph.text import number_text
from micrograd.show.lesson.stepper import Stepper
from micrograd.show.lesson.walk import Walk
from micrograd.show.notation import MINUS


def frames_of(stepper: Stepper) -> list[dict[str, Any]]:
    lesson = stepper._lesson
    return [lesson["frames"][f] if isinstance(f, int) else f for f in lesson["neurons"]]


def read(text: str) -> float:
    return float(text.replace(MINUS, "-").replace("+", ""))


# --- frames ---------------------------------------------------------------------------------------


def test_each_neuron_is_one_step_forward_and_one_back() -> None:
    loss, model = perceptron([4, 4, 1], activation="tanh")
    frames = frames_of(step_through(loss, model, 0.05))
    neurons = [f for f in frames if f.get("part")]
    assert [f["phase"] for f in neurons] == ["forward"] * 36 + ["backward"] * 36
    assert [f["title"] for f in neurons[:5]] == [
        *(f"Neuron {k} of layer 1 in example 1" for k in (1, 2, 3, 4)),
        "Neuron 1 of layer 2 in example 1",
    ]
    assert [f["part"] for f in neurons[36:]] == [f["part"] for f in neurons[:36]][::-1]
    assert neurons[0]["equation"][1] == "tanh(w·x + b)"
    rows = next(
        f for f in neurons if f["title"] == "Neuron 2 of layer 2 in example 1" and f["rows"]
    )["rows"]
    assert (rows[1]["name"], rows[1]["formula"]) == ("x2 (neuron 2)", "(1 − out²) × w22")
    assert [f["phase"] for f in frames[-3:]] == ["gradients", "update", "update"]
    assert len(frames[-2]["summary"]) == len(model.parameters())


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_the_frames_leave_every_gradient_as_the_engine_does(activation: str) -> None:
    loss, model = perceptron([3, 1], 3, activation=activation)
    stepper = step_through(loss, model, 0.05)
    walk = stepper._walk
    for frames in (frames_of(stepper), stepper._lesson["frames"]):
        data, grads = {}, {}
        for frame in frames:
            if frame["phase"] == "update":
                break
            data.update(frame.get("data", []))
            grads.update({i: text for i, text, _ in frame.get("grads", [])})
        for node in walk.nodes:
            node.grad = 0.0
        loss.backward()
        for i, node in enumerate(walk.nodes):
            assert data[i] == number_text(node.data)
            assert grads.get(i, "0.0000") == number_text(node.grad, sign=True)


def test_each_row_is_the_derivative_of_the_neuron_times_what_arrives() -> None:
    """Compared with a difference quotient of the neuron itself."""
    neuron = nn.Neuron(2, activation="tanh", rng=random.Random(3))
    x = labelled([0.7, -1.2])
    out = neuron(x)
    loss = out * 3.0 + (neuron([0.1, 0.2]) - 1.0) ** 2
    back = [
        f
        for f in frames_of(step_through(loss, neuron, 0.1))
        if f["phase"] == "backward" and f.get("part")
    ]
    (frame,) = [f for f in back if any(row["name"] == "x1" for row in f["rows"])]
    assert [row["name"] for row in frame["rows"]] == ["x1", "x2", "w1", "w2", "b"]
    leaves = {"x1": x[0], "x2": x[1], "w1": neuron.w[0], "w2": neuron.w[1], "b": neuron.b}
    for row in frame["rows"]:
        leaf, step = leaves[row["name"]], 1e-6
        kept, leaf.data = leaf.data, leaf.data + step
        above = neuron(x).data
        leaf.data = kept - step
        slope = (above - neuron(x).data) / (2 * step)
        leaf.data = kept
        assert read(row["local"]) == pytest.approx(slope, rel=1e-3)
        assert read(row["product"]) == pytest.approx(3 * slope, rel=1e-3)
        assert read(row["after"]) == pytest.approx(
            read(row["before"]) + read(row["product"]), abs=1e-3
        )
        assert row["slope"] == f"∂out/∂{row['name']}"


def test_words_and_picture_count_alike() -> None:
    """Neuron 3 has w31 in the picture and in the words; neither a path nor a #2 is in a formula."""
    loss, model = perceptron([4, 4, 1], activation="tanh")
    stepper = step_through(loss, model, 0.05)
    walk, lesson = stepper._walk, stepper._lesson
    assert walk.grouping is not None
    weights = {i: short.letter + short.sub for i, short in walk.grouping.weights.items()}
    seen = set()
    steps = [
        f for f in (*frames_of(stepper), *lesson["frames"]) if f["phase"] in ("forward", "backward")
    ]
    for frame in steps:
        words = [frame["say"], *frame.get("equation", [])]
        for row in frame["rows"]:
            words += [row["name"], row["slope"], row["formula"], row.get("numbers", "")]
            if row["input"] in weights:
                assert row["name"] == weights[row["input"]]
                seen.add(row["name"])
        for word in words:
            assert "layers." not in word and "[" not in word and "#" not in word, word
    assert {"w31", "b3", "w44", "b"} <= seen
    for part in walk.grouping.within():
        if part.kind == "neuron":
            own = [f for f in steps if f.get("part") == part.id and f["phase"] == "forward"]
            assert [f["equation"][0] for f in own] == ["out"]
    tips = [node["name"] for node in lesson["nodes"]]
    assert "neuron 3 of layer 1 in example 2" in tips and "w31 of layer 1" in tips
    made = [node["name"] for node in lesson["nodes"] if node["made"]]
    assert not any("#" in name or "layers." in name for name in made)
    assert not any("layers." in node["made"] for node in lesson["nodes"])
    outside = next(f for f in lesson["frames"] if f["phase"] == "forward" and "− 1" in f["say"])
    assert "out − 1" in outside["equation"][1]
    shown = {run.text + run.sub for card in stepper._views.drawings[-1].cards
             for cell in card.cells for run in cell.runs if run.kind == "name"}  # fmt: skip
    assert "out" in shown and not any("layers" in name for name in shown)


def test_the_sum_adds_up_examples() -> None:
    """Their cards are called so; within its own example the result keeps its name."""
    model = nn.MLP(2, [2, 1], activation="tanh", rng=random.Random(3))
    loss = sum((model([0.1 * k, 0.3]) - k) ** 2 for k in (1, 2, 3))
    frames = step_through(loss, model, 0.1)._lesson["frames"]
    made = [f["equation"] for f in frames if f["phase"] == "forward" and "equation" in f]
    assert made[-1][:2] == ["output", f"{made[-2][0]} + example 3"]
    assert sum("example" in formula for _, formula, *_ in made) == 3
    assert not any("example" in name for name, *_ in made)
    first = next(f for f in frames if f["phase"] == "backward" and f["rows"])
    assert [row["name"] for row in first["rows"]] == [made[-2][0], "example 3"]
    assert "(example 3).grad becomes 1." in first["say"]


def test_a_neuron_in_numbers_shows_its_weights() -> None:
    neuron = nn.Neuron(2, activation="tanh", rng=random.Random(3))
    loss = neuron([2.0, -1.0]) * 3.0 + (neuron([0.5, 4.0]) - 1.0) ** 2
    (first, *_) = [f for f in frames_of(step_through(loss, neuron, 0.1)) if f.get("part")]
    assert first["equation"][2].startswith("tanh(") and first["equation"][2].count("×") == 2
    wide = nn.Neuron(9, activation="tanh", rng=random.Random(3))
    loss = wide([0.1 * k for k in range(9)]) + wide([0.3 * k for k in range(9)]) * 2.0
    (first, *_) = [f for f in frames_of(step_through(loss, wide, 0.1)) if f.get("part")]
    assert "×" not in first["equation"][2]  # its last operation


def test_what_a_subtraction_records_of_a_weight_bears_its_short_name() -> None:
    model = nn.MLP(1, [2, 1], activation="tanh", rng=random.Random(3))
    loss = sum((model([x]) - 1.0) ** 2 for x in (-1.0, -1.0))
    stepper = step_through(loss, model, 0.1)
    said = [
        f["equation"][1]
        for f in stepper._lesson["frames"]
        if f["phase"] == "forward" and "equation" in f
    ]
    assert any("− w11" in text for text in said)
    shown = [run for drawing in stepper._views.drawings for card in drawing.cards
             for cell in card.cells for run in cell.runs]  # fmt: skip
    assert any((run.text, run.sub) == ("−w", "11") for run in shown)


def test_names_that_would_be_two_things_stay_long() -> None:
    """An input that somebody labelled w1 is not the neuron's w1."""
    neuron = nn.Neuron(2, activation="tanh", rng=random.Random(3))
    x = Value(2.0, label="w1")
    loss = neuron([x, 1.0]) * 3.0 + (neuron([x, 4.0]) - 1.0) ** 2
    frame = next(
        f
        for f in frames_of(step_through(loss, neuron, 0.1))
        if f["phase"] == "backward" and f.get("part")
    )
    names = [row["name"] for row in frame["rows"]]
    assert len(set(names)) == len(names) and "w[0]" in names


def test_the_order_by_neurons_changes_no_gradient() -> None:
    loss, model = perceptron([4, 1], 2)
    plain, grouped = Walk(loss), Walk(loss, model, groups=model)
    assert grouped.grouping is not None and len(grouped.nodes) == len(plain.nodes)
    for node, g in zip(grouped.nodes, grouped.grads, strict=True):
        assert g == pytest.approx(plain.grads[plain.index[node]], rel=1e-12, abs=1e-15)
    assert {"out2 of example 1", "out2 of example 2"} <= set(grouped.names)


def test_without_neurons_a_lesson_has_operations_alone() -> None:
    w = Value(2.0, label="w")
    stepper = step_through(w * 3.0, [w], 0.1)
    assert stepper._lesson["neurons"] == [] and "views" not in stepper._lesson
    loss, model = perceptron([2, 1], 1)
    assert (
        step_through(loss, model, 0.1, quiz=True)._lesson["neurons"] == []
    )  # it asks node by node
    assert frames_of(step_through(loss, groups=model))


def test_a_large_network_is_a_page_of_moderate_size() -> None:
    loss, model = perceptron([4, 4, 1])
    stepper = step_through(loss, model, 0.05)
    lesson = stepper._lesson
    assert len(lesson["views"]) == 41
    assert len(stepper.page.encode()) < 1_000_000
    placed = {key: lesson[key] for key in ("views", "places", "paths")}
    assert len(json.dumps(placed, separators=(",", ":"))) < 60_000
    with pytest.raises(ValueError, match="nobody steps through more than 600"):
        step_through(loss + sum(p * p for p in model.parameters() for _ in range(6)), model, 0.1)


def test_places_and_paths_that_views_share_are_those_of_the_layouts() -> None:
    loss, model = perceptron([4, 4, 1])
    stepper = step_through(loss, model, 0.05)
    lesson, views = stepper._lesson, stepper._views
    assert views is not None
    corners, lines = lesson["places"].split(";"), lesson["paths"].split(";")
    for drawing, layout, packed in zip(views.drawings, views.layouts, lesson["views"], strict=True):
        size, cards, places, edges, paths, frames, _ = packed
        assert size == [round(layout.width), round(layout.height)]
        assert cards.split(" ") == [card.id for card in drawing.cards]
        assert edges.split(" ") == [edge.id for edge in drawing.edges]
        assert set(frames) == set(layout.groups)
        for card, place in zip(drawing.cards, places, strict=True):
            left, top = map(int, corners[place].split())
            (x, y), (wide, high) = layout.cards[card.id], size_of(card)
            assert abs(left - (x - wide / 2)) <= 0.5 and abs(top - (y - high / 2)) <= 0.5
        for edge, path in zip(drawing.edges, paths, strict=True):
            x, y = layout.edges[edge.id][0]
            start = re.match(r"M(-?\d+),(-?\d+)[cl]", lines[path])
            assert start and abs(int(start[1]) - x) <= 0.5 and abs(int(start[2]) - y) <= 0.5


# --- in the browser -------------------------------------------------------------------------------


@pytest.fixture
def page(chromium: Any, tmp_path: Path) -> Iterator[Any]:
    loss, model = perceptron([4, 4, 1], activation="tanh")
    step_through(loss, model, 0.05).save(tmp_path / "net.html")
    resize(chromium, 1280, 840)
    prefer(chromium, "light")
    chromium.get((tmp_path / "net.html").as_uri())
    chromium.loss, chromium.model = loss, model
    yield chromium
    assert errors(chromium) == []


def visible(driver: Any) -> list[str]:
    return driver.execute_script(
        "return [...document.querySelectorAll('svg .node')].filter(e => e.style.display !== 'none')"
        ".map(e => e.id)"
    )  # type: ignore[no-any-return]


def texts(driver: Any) -> list[str]:
    return driver.execute_script(
        "return [...document.querySelectorAll('svg .node, svg .caption')]"
        ".filter(e => e.style.display !== 'none').map(e => e.querySelector('text').textContent)"
    )  # type: ignore[no-any-return]


def step(driver: Any, times: int = 1) -> None:
    driver.execute_script(
        "for (let i = 0; i < arguments[0]; i++) document.getElementById('forward').click()", times
    )


def press(driver: Any, *keys: str) -> None:
    for key in keys:
        ActionChains(driver).send_keys(key).perform()


@pytest.mark.browser
@needs_browser
def test_the_first_view_fits_and_its_letters_can_be_read(page: Any) -> None:
    assert 8 <= len(visible(page)) <= 10
    sizes = """
        const stage = document.getElementById("graph"), svg = stage.querySelector("svg");
        const letter = 13.5 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
        const fits = stage.scrollWidth <= stage.clientWidth
            && stage.scrollHeight <= stage.clientHeight;
        return [fits, letter]"""
    fits, letter = page.execute_script(sizes)
    assert fits and letter >= 11
    step(page, 2)
    assert 18 <= len(visible(page)) <= 25
    assert page.execute_script(sizes)[1] >= 11
    page.execute_script("document.getElementById('by-operations').click()")
    assert page.execute_script(sizes)[1] >= 11


@pytest.mark.browser
@needs_browser
def test_after_a_click_on_any_control_the_arrows_still_step(page: Any) -> None:
    """Forward by one with the right arrow, wherever the mouse has been."""
    count = "return Number(document.getElementById('count').textContent.split(' / ')[0])"
    controls = page.execute_script("""
        const all = document.querySelectorAll(
            ".controls button, .controls label, #slider, #map, .handle, #work");
        return [...all].filter(e => e.getClientRects().length && !e.closest("#stock"));""")
    assert len(controls) > 14
    names = [c.get_attribute("id") or c.get_attribute("for") for c in controls]
    assert {"play", "slopes", "zoom", "theme", "slider", "as-numbers", "by-operations"} <= set(
        names
    )
    for name, control in zip(names, controls, strict=True):
        page.execute_script("document.getElementById('first').click()")
        if not control.is_displayed() or not control.is_enabled():
            continue
        control.click()
        if name == "play":
            control.click()  # or it goes on by itself
        if name == "last":
            continue
        at = page.execute_script(count)
        press(page, Keys.ARROW_RIGHT)
        assert page.execute_script(count) == at + 1, name
        press(page, Keys.ARROW_LEFT)
        assert page.execute_script(count) == at, name


@pytest.mark.browser
@needs_browser
def test_the_numbers_on_every_card_are_the_engines(page: Any) -> None:
    """At the end of backward, in each example that the steps back opened."""
    shown = """
        return Object.fromEntries([...document.querySelectorAll('svg .node')]
            .filter(e => e.style.display !== 'none' && document.getElementById(`${e.id}-data`))
            .map(e => [e.id, ['data', 'grad'].map(
                w => document.getElementById(`${e.id}-${w}`).textContent)]))"""
    loss, model = page.loss, page.model
    walk = Walk(loss, model, groups=model)
    assert walk.grouping is not None
    stands_for = {f"n{i}": i for i in range(len(walk.nodes))}
    stands_for |= {part.id: part.output for part in walk.grouping.within()}
    for node in walk.nodes:
        node.grad = 0.0
    loss.backward()
    seen = set()
    page.execute_script("document.getElementById('last').click()")
    press(page, Keys.ARROW_LEFT, Keys.ARROW_LEFT)  # to the gradients
    for label in ("example 1", "example 2", "example 3", "example 4"):
        page.execute_script(
            "const handle = [...document.querySelectorAll('.closed.handle')].find("
            "e => e.textContent.startsWith(arguments[0]));"
            "handle.dispatchEvent(new MouseEvent('click'))", label,
        )  # fmt: skip
        for name, (data, grad) in page.execute_script(shown).items():
            node = walk.nodes[stands_for[name]]
            assert (data, grad) == (number_text(node.data), number_text(node.grad, sign=True)), name
            seen.add(name)
    assert len(seen) > 60


@pytest.mark.browser
@needs_browser
def test_groups_open_and_close_by_click_and_by_keyboard(page: Any) -> None:
    assert "example 2" in texts(page) and "neuron 1" not in texts(page)

    def find(label: str, expanded: str) -> Any:
        handles = page.find_elements("css selector", f'.handle[aria-expanded="{expanded}"]')
        return next(h for h in handles if h.is_displayed() and h.text.startswith(label))

    find("example 2", "false").click()
    assert {"example 1", "layer 1", "neuron 4"} <= set(texts(page))
    find("neuron 3", "false").click()
    assert {"w31", "b3", "neuron 3: tanh(w·x + b)"} <= set(texts(page))
    legend = page.find_element("css selector", "#legend")
    assert legend.text.split() == ["w31", "is", "layers.0.neurons.2.w[0]"]
    page.execute_script("arguments[0].focus()", find("neuron 3", "true"))
    press(page, Keys.ENTER)
    assert "w31" not in texts(page) and "neuron 3" in texts(page)
    page.execute_script("arguments[0].focus()", find("example 2", "true"))
    press(page, Keys.ENTER)
    assert "neuron 1" not in texts(page) and "loss" in texts(page)
    press(page, Keys.ARROW_RIGHT)  # and the arrows still step
    assert "Neuron 1 of layer 1 in example 1" in page.find_element("css selector", "#say").text


@pytest.mark.browser
@needs_browser
def test_stepping_opens_what_is_needed(page: Any) -> None:
    active = "return [...document.querySelectorAll('svg .active')].map(e => e.textContent)"
    total = len(frames_of(step_through(page.loss, page.model, 0.05)))
    for k in range(total):
        lit = page.execute_script(active)
        phase = page.find_element("css selector", "#phase").text
        assert len(lit) <= 2
        if phase in ("Forward", "Backward") and k:
            assert len(lit) == 1, (k, lit)
        step(page)
    page.execute_script("document.getElementById('first').click()")
    page.execute_script("document.getElementById('by-operations').click()")
    for k in range(1, 60):
        step(page)
        assert len(page.execute_script(active)) == 1, k


@pytest.mark.browser
@needs_browser
def test_zoom_pan_and_the_map(page: Any) -> None:
    step(page, 2)
    width = "return document.querySelector('#graph svg').getBoundingClientRect().width"
    before = page.execute_script(width)
    press(page, "+")
    assert page.execute_script(width) == pytest.approx(before * 1.25, rel=0.01)
    press(page, "-", "-")
    assert page.execute_script(width) == pytest.approx(before / 1.25, rel=0.01)
    press(page, "0")
    assert page.execute_script(width) == pytest.approx(before, rel=0.01)
    stage = page.find_element("css selector", "#graph")
    wheel = """
        const stage = document.getElementById("graph");
        const event = new WheelEvent("wheel", { deltaY: -120, ctrlKey: arguments[0], bubbles: true,
            cancelable: true, clientX: 400, clientY: 200 });
        stage.dispatchEvent(event);
        return event.defaultPrevented"""
    page.execute_script("document.activeElement.blur()")
    assert page.execute_script(wheel, False) is False  # a page must scroll
    assert page.execute_script(width) == pytest.approx(before, rel=0.01)
    assert page.execute_script(wheel, True) is True
    assert page.execute_script(width) > 1.2 * before
    for _ in range(4):
        press(page, "+")
    assert page.find_element("css selector", "#map").is_displayed()
    assert len(page.find_elements("css selector", "#map .window")) == 1
    at = "const s = document.getElementById('graph'); return [s.scrollLeft, s.scrollTop]"
    left, top = page.execute_script(at)
    ActionChains(page).move_to_element(stage).click_and_hold().move_by_offset(
        -90, -40
    ).release().perform()
    moved = page.execute_script(at)
    assert moved[0] == pytest.approx(left + 90, abs=3) and moved[1] >= top
    count = page.find_element("css selector", "#count").text
    assert count.startswith("3 ")  # the drag was no click on a card
    page.execute_script("document.getElementById('zoom').click()")
    assert page.execute_script(
        "const s = document.getElementById('graph'); return s.scrollWidth <= s.clientWidth"
    )


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("size", [(1280, 840), (1920, 1080), (700, 800)])
def test_the_map_lies_upon_nothing(page: Any, size: tuple[int, int]) -> None:
    """It has a strip below the graph, and is gone where all of the graph is seen."""
    resize(page, *size)
    meets = """
        const map = document.getElementById("map"), graph = document.getElementById("graph");
        const [a, b] = [map, graph].map(e => e.getBoundingClientRect());
        const fits = graph.scrollWidth <= graph.clientWidth + 1
            && graph.scrollHeight <= graph.clientHeight + 1;
        return [map.hasAttribute("hidden"), fits, a.height > 0 && a.top < b.bottom]"""
    step(page, 2)
    page.execute_script(
        "[...document.querySelectorAll('.closed.handle')].find("
        "e => e.getClientRects().length && e.textContent.startsWith('neuron 2'))"
        ".dispatchEvent(new MouseEvent('click'))"
    )
    for key in ("", "+", "+", "-"):
        press(page, *key)
        hidden, fits, upon = page.execute_script(meets)
        assert not hidden and not fits and not upon, key
    page.execute_script("document.getElementById('zoom').click()")
    hidden, fits, _ = page.execute_script(meets)
    assert hidden and fits


@pytest.mark.browser
@needs_browser
def test_a_gradient_that_no_step_has_reached_is_blank(page: Any) -> None:
    """Before backward all of them; at its end each is a number."""
    shown = """
        return [...document.querySelectorAll('svg .node')].filter(e => e.style.display !== 'none')
            .map(e => document.getElementById(`${e.id}-grad`)).filter(Boolean)
            .map(e => e.textContent)"""
    for _ in range(4):
        assert set(page.execute_script(shown)) == {""}
        step(page)
    page.execute_script("document.getElementById('last').click()")
    press(page, Keys.ARROW_LEFT, Keys.ARROW_LEFT)  # to the gradients
    assert "" not in page.execute_script(shown)


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("width", [375, 600])
def test_a_table_can_be_read_in_a_narrow_window(page: Any, width: int) -> None:
    """The name of a row takes two lines at most, and its arithmetic three, or four on a phone."""
    resize(page, width, 800)
    step(page, 60)
    lines = page.execute_script("""
        return [...document.querySelectorAll("#work tbody tr > *")].map(cell => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            return [cell.tagName, range.getBoundingClientRect().height
                / parseFloat(getComputedStyle(cell).fontSize) / 1.5]; })""")
    assert len(lines) > 8
    assert max(high for tag, high in lines if tag == "TH") < 2.4
    assert max(high for tag, high in lines if tag == "TD") < (3.8 if width == 600 else 4.2)


@pytest.mark.browser
@needs_browser
def test_for_a_projector_type_and_graph_grow(page: Any) -> None:
    resize(page, 1920, 1080)
    size = "return parseFloat(getComputedStyle(document.getElementById('say')).fontSize)"
    width = "return document.querySelector('#graph svg').getBoundingClientRect().width"
    letters, wide = page.execute_script(size), page.execute_script(width)
    press(page, "f")
    assert page.execute_script(size) >= 1.5 * letters
    assert page.execute_script(width) > 1.2 * wide
    for _ in range(20):  # also where not all of the graph has room
        step(page, 3)
        letter = page.execute_script("""
            const stage = document.getElementById("graph"), svg = stage.querySelector("svg");
            const here = [...svg.querySelectorAll(".active")].find(e => e.matches(".node"));
            const box = here && here.getBoundingClientRect(), outer = stage.getBoundingClientRect();
            return [13.5 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width,
                    !box || (box.left >= outer.left - 1 && box.right <= outer.right + 1)]""")
        assert letter[0] >= 18 and letter[1]
    press(page, "f")
    assert page.execute_script(size) == letters


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_network(page: Any, scheme: str) -> None:
    prefer(page, scheme)
    for times in (0, 3, 60):
        step(page, times)
        assert violations(page) == []


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("width", [375, 600, 1400, 1920])
def test_no_page_is_wider_than_its_window(page: Any, width: int) -> None:
    resize(page, width, 900)
    for times in (0, 3, 60, 40):
        step(page, times)
        wide = page.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width


# --- slopes and paper -----------------------------------------------------------------------------


def test_a_curve_goes_through_its_point_with_the_slope_of_the_step() -> None:
    x, k = Value(0.5, label="x"), Value(-3.0, label="k")
    out = (x * k).tanh().exp() ** 2
    out.label = "L"
    stepper = step_through(out)
    data = stepper._walk.data
    frames = [f for f in stepper._lesson["frames"] if f["rows"]]
    assert [len(f.get("curves", [])) for f in frames] == [1, 1, 1, 0]  # a product is a line
    for frame in frames[:3]:
        (row,), (points,) = frame["rows"], frame["curves"]
        at = min(range(len(points)), key=lambda i: abs(points[i][0] - data[row["input"]]))
        (left, low), (here, y), (right, high) = points[at - 1 : at + 2]
        assert (here, y) == pytest.approx((data[row["input"]], data[frame["node"]]), abs=1e-3)
        assert (high - low) / (right - left) == pytest.approx(read(row["local"]), rel=0.1)
    assert not any(f.get("curves") for f in step_through(out, quiz=True)._lesson["frames"])


def test_where_nobody_knows_there_is_no_curve() -> None:
    a = Value(3.0, label="a")
    out = Value(9.0, (a,), "sq", "L")
    out._backward = lambda: None
    assert [f.get("curves") for f in step_through(out)._lesson["frames"] if f["rows"]] == [[[]]]
    edge = Value(0.0, label="a").log()
    (points,) = next(f for f in step_through(edge)._lesson["frames"] if f["rows"])["curves"]
    assert all(x > 0 for x, _ in points)  # a logarithm of what is negative is not drawn


@pytest.fixture
def neuron_page(chromium: Any, tmp_path: Path) -> Iterator[Any]:
    out = perceptron([1], 1, activation="tanh")[0]
    step_through(out).save(tmp_path / "neuron.html")
    resize(chromium, 1280, 800)
    prefer(chromium, "light")
    chromium.get((tmp_path / "neuron.html").as_uri())
    yield chromium
    assert errors(chromium) == []


@pytest.mark.browser
@needs_browser
def test_slopes_are_seen_and_can_be_switched_off(neuron_page: Any) -> None:
    driver = neuron_page
    driver.execute_script("document.getElementById('last').click()")
    press(driver, Keys.ARROW_LEFT)
    plots = "return document.querySelectorAll('#plots .plot').length"
    arrows = "return document.querySelectorAll('.edge.up, .edge.down').length"
    assert driver.execute_script(plots) > 0
    flowed = driver.execute_script(arrows)
    assert flowed > 5
    wide = driver.execute_script(
        "return [...document.querySelectorAll('.edge.up, .edge.down')]"
        ".map(e => parseFloat(e.style.getPropertyValue('--wide')))"
    )
    assert max(wide) == 5 and min(wide) >= 1
    driver.execute_script("document.getElementById('slopes').click()")
    assert driver.execute_script(plots) == driver.execute_script(arrows) == 0
    driver.execute_script("document.getElementById('slopes').click()")
    assert driver.execute_script(arrows) == flowed
    overlap = driver.execute_script("""
        const plots = document.getElementById("plots").getBoundingClientRect();
        return [...document.querySelectorAll("#say, #work td, #work th")]
            .some(e => e.getBoundingClientRect().right > plots.left)""")
    assert not overlap


def pages_printed(driver: Any) -> int:
    """The pages of the PDF that the browser prints; each is A4 across."""
    told = {"preferCSSPageSize": True, "printBackground": True}
    pdf = b64decode(driver.execute_cdp_cmd("Page.printToPDF", told)["data"])
    sizes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", pdf)
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
    assert pages == len(sizes) and {(round(float(w)), round(float(h))) for w, h in sizes} == {
        (842, 595)
    }
    return pages


def wide_ones(driver: Any) -> list[bool]:
    """Which slides take the whole width."""
    script = "return [...document.querySelectorAll('.slide')].map(e => e.matches('.wide'))"
    return list(driver.execute_script(script))


def pages_of_six(wide: list[bool]) -> int:
    """Two rows a page; a row has three slides, or one that takes the whole width."""
    rows, left = 0, 0
    for each in wide:
        if each or not left:
            rows, left = rows + 1, 0 if each else 3
        left -= not each
    return -(-rows // 2)


@pytest.mark.browser
@needs_browser
def test_six_steps_stand_on_every_page(chromium: Any, tmp_path: Path) -> None:
    """Of a small graph a step takes a sixth; only the first and the last may show it whole."""
    a = Value(2.0, label="a")
    b = a.tanh()
    c = b.exp()
    b.label, c.label = "b", "c"
    step_through(c).save(tmp_path / "page.html")
    resize(chromium, 1280, 800)
    chromium.get((tmp_path / "page.html").as_uri())
    press_p = """
        window.print = () => {};
        document.dispatchEvent(new KeyboardEvent("keydown", { key: "p", shiftKey: arguments[0] }));
        return document.querySelectorAll(".slide").length"""
    steps, wide = chromium.execute_script(press_p, True), wide_ones(chromium)
    assert steps > 6 and not any(wide[1:-1])
    assert pages_printed(chromium) == pages_of_six(wide) == 2
    chromium.execute_script("dispatchEvent(new Event('afterprint'))")
    assert chromium.execute_script(press_p, False) == steps == pages_printed(chromium)
    chromium.execute_script("dispatchEvent(new Event('afterprint'))")


@pytest.mark.browser
@needs_browser
@pytest.mark.parametrize("six", [False, True])
def test_a_stepper_is_printed_as_slides(neuron_page: Any, six: bool) -> None:
    driver = neuron_page
    steps = driver.execute_script("""
        window.print = () => {};
        document.dispatchEvent(new KeyboardEvent("keydown", { key: "p", shiftKey: arguments[0] }));
        return [document.querySelectorAll(".slide").length,
                Number(document.getElementById("slider").max) + 1]""", six)  # fmt: skip
    assert steps[0] == steps[1] > 8
    sloped = "return document.querySelectorAll('.slide .edge.up, .slide .plot').length"
    assert driver.execute_script(sloped) == 0  # on paper by request only
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not driver.find_element("css selector", ".slide dl").is_displayed()  # of keys
    assert driver.find_element("css selector", ".slide .equation").is_displayed()
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    expected = pages_of_six(wide_ones(driver)) if six else steps[0]
    assert pages_printed(driver) == expected
    driver.execute_script("dispatchEvent(new Event('afterprint'))")
    assert driver.find_elements("css selector", ".slide") == []
    assert driver.find_element("css selector", "main").is_displayed()
    driver.execute_script("""
        for (let k = 0; k < 2; k++) document.getElementById("slopes").click(); // asked for
        document.dispatchEvent(new KeyboardEvent("keydown", { key: "p" }))""")
    assert driver.execute_script(sloped) > 5
    driver.execute_script("dispatchEvent(new Event('afterprint'))")


@pytest.mark.browser
@needs_browser
def test_a_quiz_has_no_slopes_that_give_its_answers_away(chromium: Any, tmp_path: Path) -> None:
    loss, _ = perceptron([1], 1, activation="tanh")
    step_through(loss, quiz=True).save(tmp_path / "quiz.html")
    chromium.get((tmp_path / "quiz.html").as_uri())
    chromium.execute_script("document.getElementById('last').click()")
    assert not chromium.find_element("css selector", "#slopes").is_displayed()
    assert not chromium.find_elements("css selector", ".edge.up, .edge.down, .plot")
    assert chromium.find_element("css selector", "h1").text.startswith("Backpropagation of")
