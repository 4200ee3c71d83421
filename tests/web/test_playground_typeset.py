"""Explanations as pages: `playground/typeset.py`, on CPython."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from pages import WEB

from micrograd import Value, explain
from micrograd.expression import evaluate, functions

FORMULA = re.compile(r"^\$\$\n(.*?)\n\$\$$|\$([^$\n]+)\$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module", autouse=True)
def found() -> Iterator[None]:
    sys.path.append(str(WEB / "python"))
    yield
    sys.path.remove(str(WEB / "python"))
    for name in [n for n in sys.modules if n.partition(".")[0] == "playground"]:
        del sys.modules[name]


def typeset(markdown: str) -> tuple[str, ElementTree.Element]:
    """The HTML, and the same read as XML, which finds every tag that is left open."""
    from playground.typeset import page

    made = page(markdown)
    return made, ElementTree.fromstring(f"<all>{made}</all>")


def said(element: ElementTree.Element) -> str:
    return "".join(element.itertext())


def test_formulas_have_the_form_that_a_browser_draws() -> None:
    from playground.typeset import mathml

    assert mathml(r"x_{1} \cdot -2.5", "inline") == (
        '<math display="inline"><msub><mi>x</mi><mrow><mn>1</mn></mrow></msub><mo>⋅</mo>'
        '<mo form="prefix">\N{MINUS SIGN}</mo><mn>2.5</mn></math>'
    )
    assert mathml(r"\frac{\partial L}{\partial {w}^{2}}", "block") == (
        '<math display="block"><mfrac><mrow><mi>∂</mi><mi>L</mi></mrow><mrow><mi>∂</mi>'
        "<msup><mrow><mi>w</mi></mrow><mrow><mn>2</mn></mrow></msup></mrow></mfrac></math>"
    )
    assert mathml(
        r"\begin{cases}1 & \text{if } a \gt 0 \\ 0 & \text{else}\end{cases}", "inline"
    ) == (
        '<math display="inline"><mrow><mo>{</mo><mtable><mtr><mtd><mn>1</mn></mtd>'
        "<mtd><mtext>if\N{NO-BREAK SPACE}</mtext><mi>a</mi><mo>&gt;</mo><mn>0</mn></mtd></mtr>"
        "<mtr><mtd><mn>0</mn></mtd><mtd><mtext>else</mtext></mtd></mtr></mtable></mrow></math>"
    )


@pytest.mark.parametrize(
    "latex", [r"\vec{x}", r"a }", r"\text{a", r"\left(a", r"\begin{cases}1 & 2", "x^"]
)
def test_what_explain_does_not_write_is_an_error(latex: str) -> None:
    from playground.typeset import mathml

    with pytest.raises(ValueError, match=re.escape(latex)):
        mathml(latex, "block")


@pytest.mark.parametrize("name", sorted(functions()))
def test_every_op_is_typeset_with_all_its_numbers(name: str) -> None:
    row = functions()[name]
    numbers = {f"x{k}": 0.5 - 1.25 * k for k in range(row.arity)}
    value = evaluate(f"{name}({', '.join(numbers)})**2 + x0/3 - 1", numbers)[0]
    value.backward()
    for told in (explain(value), explain(value, wrt="x0")):
        made, page = typeset(told.markdown)
        text = said(page.find("div"))  # type: ignore[arg-type]
        assert "\\" not in text and "$" not in text and "**" not in text
        formulas = [a or b for a, b in FORMULA.findall(told.markdown)]
        drawn = " ".join(t for formula in page.iter("math") for t in formula.itertext())
        number = r"\d+(?:\.\d+)?"
        assert re.findall(number, drawn) == re.findall(number, " ".join(formulas)) != []
        assert made.count("<math") == len(formulas) > 5


LABELS = ["a*b", "my name", "<b>x</b>", "50 %", "$5$", "a_b", "c\\d", "{x}", "x^2", "~", "&amp;", "`c`", "**", "é", "a#b", "'", '"']  # fmt: skip


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_text_as_the_learner_wrote_it(label: str) -> None:
    x = Value(2.0, label=label)
    y = (x * 3).tanh()
    y.backward()
    made, page = typeset(explain(y).markdown)
    assert page.find(".//div/b") is None and "<b>x" not in made
    words = {said(element).replace("\N{NO-BREAK SPACE}", " ") for element in page.iter("math")}
    # LaTeX's text has no such quote, and a tilde of its own
    wanted = label.replace("`", "'").replace("~", "\N{TILDE OPERATOR}")
    assert any(wanted in text for text in words), words


def test_headings_and_names_stand_out() -> None:
    x = Value(2.0, label="x")
    y = x * x
    y.label = "y"
    y.backward()
    page = typeset(explain(y).markdown)[1]
    assert [said(h) for h in page.iter("h3")][1:] == [
        "Backward: every gradient, from the output down", "The gradients",
    ]  # fmt: skip
    assert [said(b) for b in page.iter("b")] == ["y"]
