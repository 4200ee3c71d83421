"""The stepper in Chromium: every control, the numbers on screen, hostile labels, accessibility."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import errors, needs_browser, prefer, resize, violations
from factories import HOSTILE, node_named
from factories import neuron_output as neuron

from micrograd import Value, engine
from micrograd.engine import topological_order
from micrograd.show.graph.text import number_text
from micrograd.show.lesson.stepper import Stepper, step_through
from micrograd.show.practice.worksheet import worksheet

pytestmark = [pytest.mark.browser, needs_browser]

OpenPage = Callable[[Stepper], Any]  # the driver, at the stepper's page


@pytest.fixture
def page(chromium: Any, tmp_path: Path) -> Iterator[OpenPage]:
    """Opens a stepper's page, saved to disk, with the network off."""
    chromium.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    chromium.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    resize(chromium, 1200, 760)
    prefer(chromium, "light")
    opened = []

    def open_page(stepper: Stepper) -> Any:
        path = tmp_path / f"page{len(opened)}.html"
        stepper.save(path)
        opened.append(path)
        chromium.get(path.as_uri())
        return chromium

    yield open_page
    assert errors(chromium) == []


def shared() -> Value:
    """Used twice and three times: (a*b + a*a)**2 * a."""
    a, b = Value(3.0, label="a"), Value(-2.5, label="b")
    e, g = a * b, a * a
    e.label, g.label = "e", "g"
    h = e + g
    h.label = "h"
    out = h**2 * a
    out.label = "L"
    return out


def find(driver: Any, selector: str) -> Any:
    return driver.find_element("css selector", selector)


def text(driver: Any, selector: str) -> str:
    return find(driver, selector).text


def press(driver: Any, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def count(driver: Any) -> tuple[int, int]:
    at, _, of = text(driver, "#count").partition(" / ")
    return int(at), int(of)


def card(driver: Any, i: int, what: str) -> str:
    return driver.execute_script(
        "return document.getElementById(arguments[0]).textContent", f"n{i}-{what}"
    )


def table(driver: Any) -> list[list[str]]:
    return driver.execute_script(
        "return [...document.querySelectorAll('#work tbody tr')]"
        ".map(tr => [...tr.children].map(c => c.textContent))"
    )


# --- controls -----------------------------------------------------------------------------------


def test_every_control(page: OpenPage) -> None:
    driver = page(step_through(neuron()))
    click = lambda name: find(driver, f"#{name}").click()
    assert count(driver) == (1, 13)
    assert not find(driver, "#first").is_enabled() and not find(driver, "#back").is_enabled()
    click("forward")
    click("forward")
    assert count(driver)[0] == 3
    click("back")
    assert count(driver)[0] == 2
    click("last")
    assert count(driver)[0] == 13
    assert not find(driver, "#forward").is_enabled() and not find(driver, "#last").is_enabled()
    click("first")
    assert count(driver)[0] == 1
    driver.execute_script(
        "const s = document.getElementById('slider'); s.value = 7;"
        "s.dispatchEvent(new Event('input'))"
    )
    assert count(driver)[0] == 8
    assert "1 − o²" in table(driver)[0][1]  # noqa: RUF001
    find(driver, "label[for=as-numbers]").click()
    assert "1 − 0.7071²" in table(driver)[0][1]  # noqa: RUF001
    find(driver, "label[for=as-formula]").click()
    assert "1 − o²" in table(driver)[0][1]  # noqa: RUF001


def test_play_runs_and_pauses(page: OpenPage) -> None:
    driver = page(step_through(neuron()))
    driver.execute_script("document.getElementById('play').click()")
    assert find(driver, "#play").get_attribute("aria-label") == "Pause"
    time.sleep(2.0)
    find(driver, "#play").click()
    stopped = count(driver)[0]
    assert stopped >= 2
    assert find(driver, "#play").get_attribute("aria-label") == "Play"
    time.sleep(1.8)
    assert count(driver)[0] == stopped


def test_the_keyboard_alone_does_everything(page: OpenPage) -> None:
    from selenium.webdriver.common.keys import Keys

    driver = page(step_through(neuron()))
    press(driver, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert count(driver)[0] == 4
    press(driver, Keys.ARROW_LEFT)
    assert count(driver)[0] == 3
    press(driver, Keys.END)
    assert count(driver)[0] == 13
    press(driver, Keys.HOME)
    assert count(driver)[0] == 1
    press(driver, Keys.SPACE)
    assert find(driver, "#play").get_attribute("aria-label") == "Pause"
    press(driver, Keys.SPACE)
    assert find(driver, "#play").get_attribute("aria-label") == "Play"
    reached, seen = [], set()
    for _ in range(40):  # Tab comes to every control, and a card is a button
        press(driver, Keys.TAB)
        name = driver.execute_script("return document.activeElement.id")
        seen.add(name)
        reached.append(name)
    assert {"graph", "play", "forward", "last", "slider", "as-formula", "zoom", "theme"} <= seen
    assert {f"n{i}" for i in range(10)} <= seen
    driver.execute_script("document.getElementById('n9').focus()")
    press(driver, Keys.ENTER)
    assert text(driver, "#phase") == "Forward" and "o = tanh(n)" in text(driver, ".equation")
    driver.execute_script("document.getElementById('slider').focus()")
    press(driver, Keys.ARROW_RIGHT)  # the slider's own key moves once, not twice
    assert count(driver)[0] == 7
    driver.execute_script("document.getElementById('as-formula').focus()")
    press(driver, Keys.ARROW_RIGHT)
    assert find(driver, "#as-numbers").is_selected()
    driver.execute_script("document.getElementById('forward').focus()")
    press(driver, Keys.SPACE)  # a button's own key: one step, and nothing plays
    assert count(driver)[0] == 8
    assert find(driver, "#play").get_attribute("aria-label") == "Play"


def test_a_click_on_a_card_jumps_to_its_step(page: OpenPage) -> None:
    o = neuron()
    driver = page(step_through(o))
    n = topological_order(o).index(node_named(o, "n"))
    click = "document.getElementById(arguments[0]).dispatchEvent(new MouseEvent('click'))"
    driver.execute_script(click, f"n{n}")
    assert text(driver, "#phase") == "Forward" and "0.8814" in text(driver, "#say")
    find(driver, "#last").click()
    driver.execute_script(click, f"n{n}")
    assert text(driver, "#phase") == "Backward" and "arrives at n" in text(driver, "#say")
    w1 = topological_order(o).index(node_named(o, "w1"))
    driver.execute_script(click, f"n{w1}")
    assert "w1.grad becomes 1" in text(driver, "#say")


def test_pointing_at_a_card_tells_all_that_is_known_of_it(page: OpenPage) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    out = shared()
    driver = page(step_through(out))
    find(driver, "#last").click()
    a = topological_order(out).index(node_named(out, "a"))
    ActionChains(driver).move_to_element(find(driver, f"#n{a} text")).perform()
    told = text(driver, "#tip")
    out.backward()
    for known in ("input", "3.0", number_text(node_named(out, "a").grad, sign=True), "4 times"):
        assert known in told
    ActionChains(driver).move_to_element(find(driver, "#say")).perform()
    assert not find(driver, "#tip").is_displayed()


# --- what stands on the screen ------------------------------------------------------------------


@pytest.mark.parametrize("make", [neuron, shared])
def test_at_every_step_the_numbers_on_screen_are_the_engines(
    page: OpenPage, make: Callable[[], Value]
) -> None:
    out = make()
    driver = page(step_through(out))
    order = topological_order(out)
    shown = {i for i, n in enumerate(order) if n._rule is None}
    computed = [i for i, n in enumerate(order) if n._rule is not None]
    reached: set[Value] = set()  # a gradient that no step has given is blank, and no 0

    def compare() -> None:
        for i, node in enumerate(order):
            grad = number_text(node.grad, sign=True) if node in reached else ""
            assert card(driver, i, "data") == (number_text(node.data) if i in shown else "")
            assert card(driver, i, "grad") == grad

    compare()
    for i in computed:  # forward
        find(driver, "#forward").click()
        shown.add(i)
        compare()
        assert text(driver, "#phase") == "Forward"
    find(driver, "#forward").click()
    out.grad = 1.0
    reached.add(out)
    compare()
    for i in reversed(computed):  # backward, by the engine itself, one push at a time
        find(driver, "#forward").click()
        before = [node.grad for node in order]
        engine.push(order[i])
        reached.update(order[i]._prev)
        compare()
        rows = table(driver)
        assert len(rows) == len(order[i]._prev)
        for row, x in zip(rows, order[i]._prev, strict=True):
            assert row[0] == x.label or row[0].startswith("v") or x._rule is None
        last = {id(x): row for row, x in zip(rows, order[i]._prev, strict=True)}
        for x in order[i]._prev:
            after = last[id(x)][3].rpartition("→ ")[2].strip().replace("−", "-")  # noqa: RUF001
            assert float(after) == pytest.approx(x.grad, rel=1e-3)
            arrived = last[id(x)][2].split(" × ")[1].split(" = ")[0].replace("−", "-")  # noqa: RUF001
            assert float(arrived) == pytest.approx(before[i], rel=1e-3)
    find(driver, "#forward").click()
    assert text(driver, "#phase") == "Gradients"
    compare()
    find(driver, "#first").click()  # and back again: nothing of it stays
    shown = {i for i, n in enumerate(order) if n._rule is None}
    for node in order:
        node.grad = 0.0
    reached.clear()
    compare()


def test_the_active_node_and_its_inputs_are_lit(page: OpenPage) -> None:
    o = neuron()
    order = topological_order(o)
    driver = page(step_through(o))
    for _ in range(7):
        find(driver, "#forward").click()
    has = lambda i, name: name in find(driver, f"#n{i}").get_attribute("class").split()
    n = order.index(node_named(o, "n"))
    assert [i for i in range(10) if has(i, "active")] == [9]
    assert [i for i in range(10) if has(i, "lit")] == [n]
    assert "flow" in find(driver, "#e9-0").get_attribute("class")


def test_what_happened_is_said_aloud(page: OpenPage) -> None:
    driver = page(step_through(shared()))
    assert find(driver, "#say").get_attribute("aria-live") == "polite"
    find(driver, "#last").click()
    find(driver, "#back").click()
    assert "a.grad held" in text(driver, "#say") and "is added" in text(driver, "#say")
    spoken = find(driver, "#slider").get_attribute("aria-valuetext")
    assert spoken.startswith("step ") and "Backward" in spoken


def test_training_shows_the_update_and_the_new_loss(page: OpenPage) -> None:
    out = shared()
    parameters = [node_named(out, "a"), node_named(out, "b")]
    driver = page(step_through(out, parameters, 0.001))
    find(driver, "#last").click()
    assert text(driver, "#phase") == "Update"
    out.backward()
    a, b = (p.data - 0.001 * p.grad for p in parameters)
    expected = (a * b + a * a) ** 2 * a
    order = topological_order(out)
    assert card(driver, order.index(parameters[0]), "data") == number_text(a)
    assert card(driver, len(order) - 1, "data") == number_text(expected)
    assert "→" in text(driver, ".equation")


# --- predicting ---------------------------------------------------------------------------------


def answer(driver: Any, typed: str) -> None:
    from selenium.webdriver.common.keys import Keys

    field = find(driver, ".question input")
    field.clear()
    field.send_keys(typed, Keys.ENTER)


def test_the_quiz_asks_marks_and_names_the_mistake(page: OpenPage) -> None:
    x, w, k = Value(2.0, label="x"), Value(-3.0, label="w"), Value(5.0, label="k")
    p = x * w
    p.label = "p"
    out = p * k + x
    out.label = "L"
    driver = page(step_through(out, quiz=True))
    find(driver, "#last").click()
    assert count(driver)[0] == 6  # it stops before the first gradient
    assert "Which gradients" in text(driver, "#say")
    answer(driver, "7")
    assert "No known mistake" in text(driver, ".verdict")
    answer(driver, "nonsense")
    assert "Type one number" in text(driver, ".verdict")
    answer(driver, "1")
    answer(driver, "1")
    find(driver, "#forward").click()
    assert "arrives at" in text(driver, "#say") and "k" in text(driver, ".equation")
    answer(driver, "-6")  # own value instead of the other factor: p.grad is 5
    assert "own value instead of the other factor" in text(driver, ".verdict")
    find(driver, "#forward").click()  # leads back into the open question
    assert driver.execute_script("return document.activeElement.id").startswith("ask-")
    answer(driver, "5,0")
    answer(driver, "−6")  # noqa: RUF001
    find(driver, "#forward").click()
    answer(driver, "-15")  # forgot the first use: x.grad is 1 - 15
    assert "a use that was not added" in text(driver, ".verdict")
    find(driver, ".give").click()
    answer(driver, "20/2")
    find(driver, "#forward").click()
    assert text(driver, ".score") == "You predicted 3 of 6 gradients at the first try."
    assert find(driver, "#last").is_enabled() is False


def test_the_quiz_follows_the_learners_own_numbers(page: OpenPage) -> None:
    """a = 100 b - 99 c for two almost equal gradients, handed in with three digits each."""
    a, k, m = Value(1.0, label="a"), Value(0.12345, label="k"), Value(0.1231, label="m")
    b, c = a * 100.0, a * -99.0
    b.label, c.label = "b", "c"
    p, q = b * k, c * m
    p.label, q.label = "p", "q"
    total = p + q
    total.label = "L"
    driver = page(step_through(total, quiz=True))
    assert "Three digits are enough" in text(driver, "#work")
    find(driver, "#last").click()
    assert "Three digits are enough" in text(driver, ".accepted")
    answer(driver, "")
    assert "Type one number" in text(driver, ".verdict")
    answer(driver, "1")
    answer(driver, "1/1")
    find(driver, "#forward").click()
    answer(driver, "0.12")
    assert text(driver, ".verdict") == "Right so far: give three digits."
    answer(driver, "0.123")  # c, or m: each step has a name and a value
    answer(driver, "-99")
    find(driver, "#forward").click()
    answer(driver, "-0.123 or so")
    assert "Type one number" in text(driver, ".verdict")
    answer(driver, repr(-99 * 0.123))
    assert "Right." in text(driver, "#say")
    find(driver, "#forward").click()
    answer(driver, "0.123")
    answer(driver, "100")
    find(driver, "#forward").click()
    answer(driver, repr(-99 * 0.123 - 100 * 0.123))
    assert "sign" in text(driver, ".verdict")  # in the learner's numbers, 2% from the right ones
    answer(driver, repr(100 * 0.123 - 99 * 0.123))
    assert "Right." in text(driver, "#say")
    find(driver, "#forward").click()
    assert text(driver, ".score") == "You predicted 7 of 8 gradients at the first try."


def test_what_the_printed_numbers_give_is_right(page: OpenPage) -> None:
    n = Value(3.9, label="n")
    o = n.tanh()
    o.label = "o"
    driver = page(step_through(o, quiz=True))
    find(driver, "#last").click()
    answer(driver, repr(1 - 0.9992**2))
    assert text(driver, "#phase") == "Backward" and "Right." in text(driver, "#say")


def test_after_a_click_on_the_switch_the_arrows_step(page: OpenPage) -> None:
    from selenium.webdriver.common.keys import Keys

    driver = page(step_through(neuron()))
    find(driver, "#last").click()
    find(driver, "#back").click()
    at = count(driver)[0]
    find(driver, "label[for=as-numbers]").click()
    press(driver, Keys.ARROW_LEFT)
    assert count(driver)[0] == at - 1
    assert find(driver, "#as-numbers").is_selected()


def test_a_constant_keeps_its_dashed_border(page: OpenPage) -> None:
    x = Value(2.0, label="x")
    driver = page(step_through(x * 3.0))
    dashed = """return [...document.querySelectorAll(".node .box")]
        .filter(box => getComputedStyle(box).strokeDasharray !== "none").length"""
    assert driver.execute_script(dashed) == 1
    assert len(driver.find_elements("css selector", ".constant .box")) == 1


def test_an_update_is_an_assignment(page: OpenPage) -> None:
    out = shared()
    driver = page(step_through(out, [node_named(out, "a")], 0.001))
    find(driver, "#last").click()
    find(driver, "#back").click()
    assert text(driver, ".equation").startswith("a ← a − 0.001 × a.grad = ")  # noqa: RUF001


def test_the_quiz_keeps_unanswered_gradients_to_itself(page: OpenPage) -> None:
    out = shared()
    driver = page(step_through(out, quiz=True))
    find(driver, "#last").click()
    asked = [i for i in range(len(topological_order(out))) if card(driver, i, "grad") == "?"]
    assert len(asked) == 2
    out.backward()
    shown = text(driver, "body")
    for node in topological_order(out):
        if node is not out and abs(node.grad) > 1:
            assert number_text(node.grad, sign=True) not in shown


def test_the_quiz_by_keyboard_alone(page: OpenPage) -> None:
    from selenium.webdriver.common.keys import Keys

    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    out = x * w
    out.label = "L"
    driver = page(step_through(out, quiz=True))
    press(driver, Keys.END, Keys.ARROW_RIGHT)
    press(driver, "-3", Keys.ENTER, "2", Keys.ENTER)
    assert "Right." in text(driver, "#say")
    press(driver, Keys.ENTER)
    assert text(driver, "#phase") == "Gradients"


def test_a_number_typed_anywhere_is_the_answer(page: OpenPage) -> None:
    """Nobody has to find the field first; a minus sign answers, and zooms no more."""
    from selenium.webdriver.common.keys import Keys

    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    driver = page(step_through(x * w, quiz=True))
    wide = "return document.querySelector('svg.micrograd-picture').getBoundingClientRect().width"
    press(driver, "-")
    first = driver.execute_script(wide)
    find(driver, "#last").click()
    press(driver, "-", "3", Keys.ENTER)
    assert "Right." in text(driver, "#say") and driver.execute_script(wide) == first
    assert driver.execute_script("return document.activeElement.id").startswith("ask-")


# --- what the looks say -------------------------------------------------------------------------


def looks(driver: Any, selector: str) -> list[str]:
    return driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])]"
        ".map(path => getComputedStyle(path).strokeDasharray)",
        selector,
    )


def test_only_a_negative_gradient_is_dashed(page: OpenPage) -> None:
    """The arrows of the step in view have dots that run; those before are plain or dashed."""
    driver = page(step_through(shared()))
    find(driver, "#last").click()
    signs = set()
    while text(driver, "#phase") != "Forward":
        running = looks(driver, ".edge.flow.back path:first-of-type")
        assert all(float(look.split(",")[0].rstrip("px")) < 1 for look in running)  # dots
        assert set(looks(driver, ".edge.up:not(.flow) path:first-of-type")) <= {"none"}
        down = looks(driver, ".edge.down:not(.flow) path:first-of-type")
        assert all(float(look.split(",")[0].rstrip("px")) > 5 for look in down)
        signs |= {bool(running) and "run", bool(down) and "down"}
        find(driver, "#back").click()
    assert {"run", "down"} <= signs
    find(driver, "#last").click()
    said = " ".join(text(driver, ".arrows").split())
    assert said == "positive gradient negative the larger, the wider"
    find(driver, "#slopes").click()
    press(driver, "\ue012", "\ue014")
    assert driver.find_elements("css selector", ".arrows") == []  # then the arrows have no looks


def test_a_label_that_is_its_own_formula_shows_the_numbers(page: OpenPage) -> None:
    x, w, b = (Value(number, label=name) for name, number in (("x", 2.0), ("w", -3.0), ("b", 6.88)))
    xw = x * w
    xw.label = "x*w"
    n = xw + b
    n.label = "x*w + b"
    driver = page(step_through(n.tanh()))
    find(driver, "#forward").click()
    assert text(driver, ".equation") == "x*w = x × w = −6"  # noqa: RUF001
    find(driver, "#forward").click()
    assert text(driver, ".equation") == "x*w + b = −6 + 6.88 = 0.88"  # noqa: RUF001


# --- the page as a page -------------------------------------------------------------------------


def test_two_on_one_page_do_not_interfere(chromium: Any, tmp_path: Path) -> None:
    both = step_through(neuron()).html + step_through(shared()).html
    path = tmp_path / "two.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><p id=say>mine</p>{both}", "utf-8")
    resize(chromium, 1000, 1400)
    chromium.get(path.as_uri())
    first, second = chromium.find_elements("css selector", "iframe")
    chromium.switch_to.frame(second)
    find(chromium, "#last").click()
    assert "L changes" in text(chromium, "#say")
    chromium.switch_to.default_content()
    chromium.switch_to.frame(first)
    assert count(chromium) == (1, 13)
    find(chromium, "#forward").click()
    assert count(chromium)[0] == 2
    chromium.switch_to.default_content()
    assert text(chromium, "p#say") == "mine"
    pictures = chromium.find_elements("css selector", "img")
    assert [p.is_displayed() for p in pictures] == [False, False]
    assert errors(chromium) == []


def test_without_its_frame_the_still_picture_shows(chromium: Any, tmp_path: Path) -> None:
    import re

    fragment = step_through(neuron()).html
    stripped = re.sub(r"<iframe.*?</iframe>|<style>.*?</style>", "", fragment, flags=re.S)
    path = tmp_path / "stripped.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{stripped}", "utf-8")
    chromium.get(path.as_uri())
    picture = find(chromium, "img")
    assert picture.is_displayed() and picture.size["width"] > 300
    assert chromium.execute_script("return arguments[0].naturalWidth", picture) > 300


def test_hostile_labels_are_text_and_nothing_runs(page: OpenPage, chromium: Any) -> None:
    total = Value(0.0, label="t")
    for i, label in enumerate(HOSTILE):
        total = total + Value(float(i + 1), label=label) * 2.0
    total.label = "<script>alert(1)</script>"
    driver = page(step_through(total, quiz=True))
    driver.execute_script("window.alert = () => { window.hacked = true; }")
    order = topological_order(total)
    for _ in range(len(order) // 2):
        driver.execute_script("document.getElementById('forward').click()")
    for i in range(len(order)):
        driver.execute_script(
            "document.getElementById(arguments[0]).dispatchEvent(new Event('pointerenter'))",
            f"n{i}",
        )
    assert driver.execute_script("return window.hacked") is None
    assert driver.execute_script("return document.scripts.length") == 2
    assert driver.execute_script("return document.querySelectorAll('iframe, img, b b').length") == 0
    shown = driver.execute_script("return document.querySelector('#graph').textContent")
    for label in ("<script>a", "cript>#2", "</iframe>", "]]>", "<!--", "&lt;b&gt;", "🙂"):
        assert label in shown


def test_hostile_labels_in_the_fragment(chromium: Any, tmp_path: Path) -> None:
    x = Value(1.0, label="</iframe><script>document.title='hacked'</script>")
    y = x * 2.0
    y.label = "\"><img src=x onerror=document.title='hacked'>"
    path = tmp_path / "fragment.html"
    stepper, sheet = step_through(y), worksheet(y, title=y.label)
    text_ = (
        f"<!doctype html><meta charset=utf-8><title>safe</title>{stepper.html}{sheet._repr_html_()}"
    )
    path.write_text(text_, "utf-8")
    chromium.get(path.as_uri())
    time.sleep(0.3)
    assert chromium.title == "safe"
    assert len(chromium.find_elements("css selector", "body > script, body > img")) == 0
    assert len(chromium.find_elements("css selector", "iframe")) == 2
    assert errors(chromium) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(page: OpenPage, chromium: Any, scheme: str) -> None:
    driver = page(step_through(neuron()))
    prefer(driver, scheme)
    brightness = """
        const [r, g, b] = getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]
            .match(/[0-9.]+/g).map(Number);
        return (r + g + b) / 3"""
    paper = driver.execute_script(brightness, "body", "backgroundColor")
    ink = driver.execute_script(brightness, "body", "color")
    cards = driver.execute_script(brightness, "#n0 rect", "fill")
    assert (paper > 200 > ink) if scheme == "light" else (paper < 60 < 180 < ink)
    assert abs(cards - paper) < 60
    find(driver, "#theme").click()
    switched = driver.execute_script(brightness, "body", "backgroundColor")
    assert abs(switched - paper) > 150
    assert abs(driver.execute_script(brightness, "#n0 rect", "fill") - switched) < 60


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_frame_follows_the_notebooks_theme(chromium: Any, tmp_path: Path, theme: str) -> None:
    dark = theme == "dark"
    path = tmp_path / "notebook.html"
    host = f'<body data-jp-theme-light="{str(not dark).lower()}">'
    path.write_text(
        f"<!doctype html><meta charset=utf-8>{host}{step_through(neuron()).html}", "utf-8"
    )
    prefer(chromium, "light" if dark else "dark")  # the system says the opposite
    chromium.get(path.as_uri())
    chromium.switch_to.frame(0)
    scheme = "return getComputedStyle(document.documentElement).getPropertyValue('--scheme').trim()"
    assert chromium.execute_script(scheme) == theme
    chromium.switch_to.default_content()


def test_a_page_of_its_own_says_what_it_is(page: OpenPage, chromium: Any, tmp_path: Path) -> None:
    stepper = step_through(neuron())
    driver = page(stepper)
    assert find(driver, "h1").size["height"] > 15
    assert text(driver, "h1") == "Backpropagation of o, step by step"
    path = tmp_path / "framed.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{stepper.html}", encoding="utf-8")
    driver.get(path.as_uri())
    driver.switch_to.frame(find(driver, "iframe"))
    assert find(driver, "h1").size["height"] <= 1  # a notebook says it in its own words
    driver.switch_to.default_content()


def test_a_phone_is_told_of_fingers_and_no_keys(page: OpenPage, chromium: Any) -> None:
    told = """return [...document.querySelectorAll(".guide dl div")]
        .filter(line => line.getClientRects().length).map(line => line.textContent)"""
    driver = page(step_through(neuron()))
    shown = " ".join(driver.execute_script(told))
    assert "space" in shown and "pinch" not in shown
    chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        shown = " ".join(driver.execute_script(told))
    finally:
        chromium.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    assert "space" not in shown and "Ctrl" not in shown and "pinch" in shown


def test_a_printed_slide_is_filled(page: OpenPage) -> None:
    """The graph takes the width of the page, and words are 12 points high or more."""
    driver = page(step_through(neuron()))
    driver.execute_script("dispatchEvent(new Event('beforeprint'))")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        wide, page_wide, least = driver.execute_script("""
            const slide = document.querySelectorAll(".slide")[7];
            const words = [...slide.querySelectorAll("p, td, th, b")];
            return [slide.querySelector("svg").getBoundingClientRect().width, slide.clientWidth,
                Math.min(...words.map(e => parseFloat(getComputedStyle(e).fontSize)))]""")
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert wide > 0.9 * page_wide
    assert least >= 16


def test_600_pixels_are_wide_enough(page: OpenPage) -> None:
    stepper = step_through(neuron())
    driver = page(stepper)
    resize(driver, 600, stepper._height)
    for _ in range(13):
        wide = driver.execute_script(
            "return [document.documentElement.scrollWidth,"
            " ...[...document.querySelectorAll('.controls > *, #work, #say')]"
            ".map(e => e.getBoundingClientRect().right)]"
        )
        assert max(wide) <= 600
        assert driver.execute_script(
            "const w = document.getElementById('work'); return w.scrollWidth <= w.clientWidth"
        )
        driver.execute_script("document.getElementById('forward').click()")
    size = driver.execute_script(
        "return document.querySelector('#n0 text').getBoundingClientRect()"
    )
    assert size["height"] > 9  # pixels: a card can still be read


def test_a_graph_of_120_nodes_stays_smooth(page: OpenPage) -> None:
    total = Value(0.2, label="c")
    x = [Value(0.1 * i, label=f"x{i}") for i in range(4)]
    for k in range(7):
        hidden = Value(0.1, label=f"b{k}")
        for i in range(4):
            hidden = hidden + x[i] * Value(0.1 * (i - k), label=f"w{k}{i}")
        total = total + hidden.tanh() * Value(0.3, label=f"v{k}")
    assert len(topological_order(total)) >= 120
    driver = page(step_through(total))
    best = None
    for _ in range(4):  # the best of several: other tests share the processor
        find(driver, "#first").click()
        times = driver.execute_script("""
            const times = [];
            while (!document.getElementById('forward').disabled) {
                const start = performance.now();
                document.getElementById('forward').click();
                document.body.getBoundingClientRect();  // layout included
                times.push(performance.now() - start);
            }
            return times""")
        assert len(times) > 100
        best = [min(pair) for pair in zip(best or times, times, strict=True)]
    assert max(best) < 50, best


def test_infinite_and_undefined_numbers_are_shown(page: OpenPage) -> None:
    x = Value(0.0, label="x")
    y = x.log() * 0.0
    y.label = "y"
    assert math.isnan(y.data)
    driver = page(step_through(y, quiz=True))
    find(driver, "#last").click()
    assert "arrives at y" in text(driver, "#say")


# --- accessibility ------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: OpenPage, scheme: str) -> None:
    out = shared()
    driver = page(step_through(out, [node_named(out, "a")], 0.01))
    prefer(driver, scheme)
    for step in (0, 3, 8, 11, 99):
        driver.execute_script(
            "const s = document.getElementById('slider'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('input'))", step,
        )  # fmt: skip
        time.sleep(0.3)  # colours have settled
        assert violations(driver) == []


def test_axe_finds_nothing_serious_in_the_quiz_and_the_worksheet(
    page: OpenPage, chromium: Any, tmp_path: Path
) -> None:
    driver = page(step_through(shared(), quiz=True))
    find(driver, "#last").click()
    answer(driver, "123")
    time.sleep(0.3)
    assert violations(driver) == []
    sheet, answers = worksheet.random(2, 7).save(tmp_path / "sheet.html")
    for path in (sheet, answers):
        chromium.get(path.as_uri())
        assert violations(chromium) == []
