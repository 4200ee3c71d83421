"""Numbers that are dragged in the playground: the picture follows, and it says what Python says."""

from __future__ import annotations

import itertools
import math
import re
import statistics
from typing import Any

import pytest
from browsing import needs_browser
from pages import Page, cpu_seconds, link

from micrograd import Value
from micrograd.expression import evaluate
from micrograd.show.graph.text import number_text

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_browser]

NEURON = "tanh(x1*w1 + x2*w2 + b)"
NUMBERS = {"x1": 2.0, "w1": -3.0, "x2": 0.0, "w2": 1.0, "b": 6.8813735870195432}


def expression(page: Page, text: str = NEURON, **numbers: float) -> Page:
    page.open(link({"k": "e", "e": text, "v": numbers or NUMBERS}))
    page.until("document.querySelector('.panel .stage svg')")
    return page


def gradients(page: Page, names: Any) -> dict[str, str]:
    return {name: page.leaf(name, "grad").text for name in names}


def expected(text: str, numbers: dict[str, float]) -> tuple[float, dict[str, str]]:
    value, parts = evaluate(text, numbers)
    value.backward()
    named = dict(parts)
    return value.data, {name: number_text(named[name].grad, True) for name in numbers}


def test_a_number_typed_or_slid_changes_everything(page: Page) -> None:
    expression(page)
    numbers = dict(NUMBERS)
    for name, x in (("w1", -2.5), ("b", 3.0), ("x2", -0.125)):
        before = page.result()
        page.slide(name, x) if name == "b" else page.put(name, x)
        page.until(
            "Number(document.querySelector('.outcome').dataset.exact) !== arguments[0]", before
        )
        numbers[name] = float(page.leaf(name, "field").get_attribute("value"))
        assert numbers[name] == pytest.approx(x, abs=0.1)  # a slider has 400 places
        result, grads = expected(NEURON, numbers)
        assert page.result() == pytest.approx(result, rel=1e-14)
        assert gradients(page, numbers) == grads
        shown = page.cards()
        assert number_text(result) in shown and grads["w1"] in shown


def test_the_layout_is_kept_while_the_topology_stays(page: Page) -> None:
    expression(page)
    places = "return [...document.querySelectorAll('.stage svg g')].map(g => g.getAttribute('transform')).join()"
    size = "return document.querySelector('.stage svg').getAttribute('viewBox')"
    before, shown = (
        (page.js(places), page.js(size)),
        page.js("return document.querySelector('.stage svg')"),
    )
    for x in (-1.0, 0.5, 1.75):
        old = page.result()
        page.slide("w1", x, release=False)
        page.until("Number(document.querySelector('.outcome').dataset.exact) !== arguments[0]", old)
    assert (page.js(places), page.js(size)) == before
    assert page.js("return document.querySelector('.stage svg') === arguments[0]", shown)
    page.put("w1", -123456.5)  # a number that no card had room for
    page.until(
        "document.querySelector('.stage svg').getAttribute('viewBox') !== arguments[0]", before[1]
    )


def test_a_card_in_the_picture_is_a_handle(page: Page) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    expression(page)
    card = page.js("return document.querySelector('.stage svg .draggable')")
    name = page.js("return arguments[0].querySelector('.name').textContent", card)
    start = float(page.leaf(name, "field").get_attribute("value"))
    ActionChains(page.driver).click_and_hold(card).move_by_offset(20, 0).move_by_offset(
        40, 0
    ).release().perform()
    page.until("Number(arguments[0].value) !== arguments[1]", page.leaf(name, "field"), start)
    assert float(page.leaf(name, "field").get_attribute("value")) > start
    ActionChains(page.driver).click(card).perform()
    assert page.js("return document.activeElement === arguments[0]", page.leaf(name, "field"))


def test_what_is_typed_is_drawn_and_keeps_its_numbers(page: Page) -> None:
    expression(page, "a*b", a=5.0, b=-2.0)
    field = page.js("return document.querySelector('.formula')")
    page.js(
        "arguments[0].value = 'a*b + exp(c)'; arguments[0].dispatchEvent(new Event('input'))", field
    )
    page.until("document.querySelectorAll('div.leaf').length === 3")
    assert page.leaf("a", "field").get_attribute("value") == "5"
    page.js(
        "arguments[0].value = 'a*b + exp(c'; arguments[0].dispatchEvent(new Event('input'))", field
    )
    page.until("!document.querySelector('.expression > .fault').hidden")
    assert "^" in page.js("return document.querySelector('.expression > .fault').textContent")
    page.js("arguments[0].value = 'a^2'; arguments[0].dispatchEvent(new Event('input'))", field)
    page.until(
        "document.querySelector('.expression > .fault').textContent.includes('written with **')"
    )


def test_a_nudge_shows_that_the_gradient_predicts_the_change(page: Page) -> None:
    expression(page, "a*b + a", a=3.0, b=-2.0)
    page.js("document.querySelector('.nudge input').value = '0.01'")
    page.click(".nudge button")
    page.until("document.querySelector('.nudge .said').textContent")
    said = page.js("return document.querySelector('.nudge .said').textContent")
    assert "a goes from 3.0000 to 3.0100" in said
    assert "−1.0000 × 0.01 = −0.0100" in said and said.endswith("to −3.0100: −0.0100.")  # noqa: RUF001
    assert page.result() == -3.0 and page.leaf("a", "field").get_attribute("value") == "3"


def test_steps_of_descent_are_those_of_a_loop(page: Page) -> None:
    text, numbers = "(w*x + b - y)**2", {"w": -1.5, "x": 2.0, "b": 0.5, "y": 3.0}
    expression(page, text, **numbers)
    for name in ("x", "y"):
        page.js(
            "[...document.querySelectorAll('div.leaf')].find(x => x.querySelector('label').textContent"
            " === arguments[0]).querySelector('[type=checkbox]').click()", name,
        )  # fmt: skip
    for _ in range(3):
        before = page.result()
        page.click(".descent button")
        page.until(
            "Number(document.querySelector('.outcome').dataset.exact) !== arguments[0]", before
        )
        value, parts = evaluate(text, numbers)
        value.backward()
        for name in ("w", "b"):
            numbers[name] -= 0.05 * dict(parts)[name].grad
    assert page.result() == evaluate(text, numbers)[0].data
    assert page.leaf("w", "field").get_attribute("value") == repr(numbers["w"])
    page.click(".descent button", 1)
    page.until(
        "/^[89] steps|^\\d\\d steps/.test(document.querySelector('.descent .said').textContent)"
    )
    page.click(".descent button", 1)
    assert page.js("return document.querySelectorAll('.descent button')[1].textContent") == "Play"
    assert page.result() < 0.01


def test_the_address_follows_and_back_is_undo(page: Page) -> None:
    expression(page)
    page.js(
        "window.replaced = []; const real = history.replaceState.bind(history);"
        "history.replaceState = (...x) => { replaced.push(performance.now()); real(...x); }"
    )
    length = page.js("return history.length")
    page.js(
        "const s = arguments[0]; window.slid = 0;"
        "window.timer = setInterval(() => { s.value = -1 - slid / 100; slid++;"
        " s.dispatchEvent(new Event('input', { bubbles: true })); }, 20)",
        page.leaf("w1", "slider"),
    )
    page.until("window.slid > 60")
    page.js("clearInterval(timer)")
    page.until("window.replaced.length > 1")
    times = page.js("return window.replaced")
    assert all(later - one > 240 for one, later in itertools.pairwise(times)), times
    assert page.js("return history.length") == length
    page.slide("w1", 1.0)
    page.until("history.length === arguments[0]", length + 1)
    page.put("w1", 2.0)
    page.until("history.length === arguments[0]", length + 2)
    page.driver.back()
    page.until("[...document.querySelectorAll('div.leaf')].some(x => x.querySelector('label').textContent === 'w1'"
               " && Number(x.querySelector('input.number').value) === 1)")  # fmt: skip


def test_every_lesson_is_one_click_away_and_follows_the_numbers(page: Page) -> None:
    expression(page)
    driver = page.driver
    for view, inside in (("stepper", "#forward"), ("quiz", "#forward"), ("worksheet", "#save")):
        page.click(f"[data-view={view}]")
        page.until("document.querySelector('.stage').dataset.shows === arguments[0]", view)
        driver.switch_to.frame(driver.find_element("css selector", ".stage iframe"))
        driver.switch_to.frame(driver.find_element("css selector", "iframe"))
        assert driver.find_elements("css selector", inside), view
        driver.switch_to.default_content()
    page.click("[data-view=explain]")
    page.until("document.querySelector('.stage').dataset.shows === 'explain'")
    shown = "return document.querySelector('.stage iframe').srcdoc"
    before = page.js(shown)
    driver.switch_to.frame(driver.find_element("css selector", ".stage iframe"))
    formulas = driver.find_elements("css selector", ".explanation math[display=block]")
    assert len(formulas) > 20 and all(formula.size["height"] > 10 for formula in formulas)
    fraction = driver.find_element("css selector", "mfrac")
    assert fraction.size["height"] > 25  # drawn as one, and not as the text of its parts
    assert driver.execute_script("return document.querySelector('msub').textContent") == "x1"
    driver.switch_to.default_content()
    page.put("w1", -2.0)
    page.until("document.querySelector('.stage iframe').srcdoc !== arguments[0]", before)


# --- graphs from cells ----------------------------------------------------------------------------


def dragged(page: Page, code: str) -> None:
    page.set(code)
    page.run()
    page.click(".drag")


def test_the_weights_of_a_network_are_dragged_and_the_learners_own_stay(page: Page) -> None:
    code = (
        "import random\nfrom micrograd import draw, nn\nrandom.seed(3)\n"
        "model = nn.MLP(2, [3, 1], activation='tanh')\n"
        "def loss_of(): return (model([1.0, -2.0]) - 1)**2\n"
        "loss = loss_of()\nloss.label = 'loss'\nloss.backward()\ndraw(loss, groups=model)"
    )
    dragged(page, code)
    page.until("document.querySelectorAll('div.leaf.parameter').length === 13")
    name = page.js("return document.querySelector('div.leaf.parameter label').title")
    before = page.result()
    page.put(name, 0.75)
    page.until("Number(document.querySelector('.outcome').dataset.exact) !== arguments[0]", before)
    page.type(
        "kept = [p.data for p in model.parameters()]\nnames = [n for n, _ in model.named_parameters()]\n"
        f"model.parameters()[names.index({name!r})].data = 0.75\n"
        "print(0.75 in kept, loss_of().data)"
    )
    result = page.result()
    assert page.run().split() == ["False", repr(result)]


def test_a_learners_own_class_is_dragged(page: Page) -> None:
    from test_playground_cells import VIDEO

    dragged(page, VIDEO[2][0] + "\nL.backward()\nimport micrograd\nmicrograd.draw(L)")
    page.until("document.querySelectorAll('div.leaf').length === 4")
    page.put("a", 4.0)
    page.until("Number(document.querySelector('.outcome').dataset.exact) === 4")  # (4*-3 + 10) * -2


def test_a_quotient_is_rounded_once(page: Page) -> None:
    dragged(page, "from micrograd import Value, draw\na, b = Value(1.0, label='a'), Value(3.0, label='b')\n"
                  "c = a / b\nc.backward()\ndraw(c)")  # fmt: skip
    page.until("document.querySelector('.panel')")
    for x in (49.0, 10.0, 1e-5):
        page.put("b", x)
        page.until(
            "Number(document.querySelector('.outcome').dataset.exact) === arguments[0]", 1 / x
        )


def test_what_only_its_own_code_can_compute_says_so(page: Page) -> None:
    dragged(
        page,
        "from micrograd import Value, draw\na = Value(2.0, label='a')\n"
        "out = Value(7.0, (a,), 'mystery', label='m')\nout._backward = lambda: None\ndraw(out)",
    )
    page.until("document.querySelector('figure .note')")
    assert "m (mystery) was made by hand" in page.js(
        "return document.querySelector('figure .note').textContent"
    )


def test_a_panel_of_a_lost_session_says_so_and_an_expression_goes_on(page: Page) -> None:
    dragged(page, "from micrograd import Value, draw\na = Value(2.0, label='a')\ndraw(a * a)")
    page.until("document.querySelector('.panel')")
    page.set("import os; os._exit(1)")
    page.run()
    page.js("window.before = location.hash")
    page.click(".mode", 0)
    page.until("location.hash !== window.before && document.querySelector('.expression .panel')")
    page.put("w1", 1.0)
    page.until("document.querySelector('.expression .outcome').dataset.exact")


# --- numbers and time -----------------------------------------------------------------------------


SIXTY = " + ".join(f"x{k}*w{k}" for k in range(14))
SIXTY = f"c*tanh({SIXTY} + b)"  # 30 leaves, 14 products, 14 sums, tanh, a product


def test_from_slider_to_picture_in_33_ms(page: Page) -> None:
    """The median of 50, the machine's or the processor's: other work may delay the first, not both."""
    value, _ = evaluate(SIXTY, dict.fromkeys(set(re.findall(r"[xw]\d+|\b[bc]\b", SIXTY)), 0.1))
    from micrograd.engine import topological_order

    assert len(topological_order(value)) == 60
    page.open(link({"k": "e", "e": SIXTY, "v": {}}))
    page.until("document.querySelectorAll('div.leaf').length === 30")
    best = math.inf
    for _ in range(4):
        cpu = cpu_seconds(page.driver)
        times = page.driver.execute_async_script(
            "const done = arguments[0], slider = document.querySelector('div.leaf input[type=range]');"
            "const outcome = document.querySelector('.outcome'), times = []; let begun, k = 0;"
            "const next = () => { if (k === 50) { watch.disconnect(); return done(times); }"
            "  slider.value = ((k++ * 37) % 100) / 50 - 1; begun = performance.now();"
            "  slider.dispatchEvent(new Event('input', { bubbles: true })); };"
            "const watch = new MutationObserver(() => { times.push(performance.now() - begun); setTimeout(next, 0) });"
            "watch.observe(outcome, { childList: true }); next()"
        )
        spent = (cpu_seconds(page.driver) - cpu) * 1000 / 50
        best = min(best, statistics.median(times), spent)
        print(
            f"slider to picture: median {statistics.median(times):.1f} ms, processor {spent:.1f} ms"
        )
        if best <= 33:
            break
    assert best <= 33


EXACT = """
import json, math, random
from micrograd import Value
rng = random.Random(5)
found = []
for _ in range(2000):
    x, y = rng.uniform(-9, 9) * 10**rng.randint(-9, 9), rng.uniform(-9, 9) * 10**rng.randint(-9, 9)
    a, b = Value(x), Value(y)
    for out in (a + b, a - b, a * b, a / b, (a * a).sqrt()):
        a.grad = b.grad = 0.0
        out.backward()
        found += [out.data.hex(), a.grad.hex(), b.grad.hex()]
"""
CLOSE = """
import json, random
from micrograd import Value
rng = random.Random(6)
found = []
for _ in range(300):
    x = rng.uniform(0.1, 3)
    for name in ("exp", "log", "tanh", "sin", "cos", "sigmoid", "gelu", "softplus"):
        a = Value(x)
        out = getattr(a, name)()
        out.backward()
        found += [out.data.hex(), a.grad.hex()]
"""


def printed(page: Page, code: str) -> list[str]:
    """The list `found` of the page's Python, in portions that its output has room for."""
    page.set(code + "\nlen(found)", "print(*found[part:part + 5000])")
    count, all_ = int(page.run(0)), []
    for start in range(0, count, 5000):
        page.type(f"print(*found[{start}:{start + 5000}])", 1)
        all_ += page.run(1).split()
    assert len(all_) == count
    return all_


def here(code: str) -> list[str]:
    names: dict[str, Any] = {}
    exec(code, names)
    return list(names["found"])


def test_numbers_equal_those_of_cpython(page: Page) -> None:
    from test_pyodide import interpreter

    assert printed(page, EXACT) == here(EXACT)
    there = printed(page, CLOSE)
    for x, y in zip(there, here(CLOSE), strict=True):
        assert math.isclose(float.fromhex(x), float.fromhex(y), rel_tol=1e-14, abs_tol=1e-14)
        assert number_text(float.fromhex(x)) == number_text(float.fromhex(y))
    with interpreter() as node:
        assert node.run(CLOSE + "\n' '.join(found)").split() == there


def test_a_panel_shows_the_numbers_of_the_engine(page: Page) -> None:
    expression(page)
    x, w = Value(2.0), Value(-3.0)
    y = (x * w + 0.0 * 1.0 + 6.8813735870195432).tanh()
    y.backward()
    assert page.result() == pytest.approx(y.data, rel=1e-14)
    assert page.leaf("w1", "grad").text == number_text(w.grad, True)
