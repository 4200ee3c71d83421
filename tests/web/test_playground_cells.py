"""Cells in the playground: what they print, show and raise; and that nothing ends the page."""

from __future__ import annotations

import time
from typing import Any

import pytest
from browsing import needs_browser
from pages import Page, seconds_of

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def cell(page: Page) -> Page:
    page.set("")
    return page


def ran(page: Page, code: str) -> str:
    page.type(code)
    return page.run()


# --- outputs --------------------------------------------------------------------------------------


def test_text_is_shown_and_so_is_the_last_expression(cell: Page) -> None:
    assert ran(cell, "print('one', end=' ')\nprint('two')\n6 * 7") == "one two\n42\n"
    assert ran(cell, "_ + 1") == "43\n"
    assert ran(cell, "6 * 7;") == ""
    assert ran(cell, "import sys; print('careful', file=sys.stderr)") == "careful\n"


def test_names_live_on_from_cell_to_cell(cell: Page) -> None:
    ran(cell, "x = 40")
    assert ran(cell, "x + 2") == "42\n"


def test_text_comes_while_the_cell_runs(cell: Page) -> None:
    cell.type("import time\nprint('first')\ntime.sleep(3)\nprint('last')")
    cell.start()
    cell.until("document.querySelector('.outputs').textContent.includes('first')")
    assert "last" not in cell.said()
    assert cell.finished() == "done" and cell.said() == "first\nlast\n"


def test_after_a_hundred_writes_text_comes_in_portions(cell: Page) -> None:
    lines = 3000
    cell.type(f"for i in range({lines}): print(i)")
    cell.js(
        "window.parts = 0; new MutationObserver(all => { window.parts += all.length })"
        ".observe(document.querySelector('.outputs'), { childList: true, subtree: true })"
    )
    assert cell.run() == "".join(f"{i}\n" for i in range(lines))
    assert 50 <= cell.js("return window.parts") < 600  # of 6,000 writes


def test_a_traceback_begins_at_the_learners_line(cell: Page) -> None:
    said = ran(cell, "def inverse(x):\n    return 1 / x\n\ninverse(0)")
    lines = said.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].strip().startswith('File "cell ') and lines[1].endswith("line 4, in <module>")
    assert lines[2].strip() == "inverse(0)"
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "playground" not in said and "/lib/" not in said


@pytest.mark.parametrize(
    ("code", "last"),
    [
        ("x = = 2", "SyntaxError: invalid syntax"),
        ("input('name? ')", 'EOFError: input() cannot ask here: write the answer into the code'),
        ("import threading\nthreading.Thread(target=print).start()", "there are no threads"),
        ("open('notes.txt')", "Files of your computer are not here"),
        ("import subprocess\nsubprocess.run(['ls'])", "No other program can be started"),
        ("import numpy as np", "NumPy is not part of this page"),
        ("from micrograd import nn\nnn.Linear(2, 1)", "NumPy is not part of this page"),
        ("import torch", "PyTorch does not run in a browser"),
        ("import sklearn.datasets", "scikit-learn is not part of this page"),
        ("import something", "something is not part of this page"),
        ("!pip install x", "is a command of notebooks, not Python"),
        ("exit()", "The cell ended itself"),
        ("import asyncio\nasyncio.run(asyncio.sleep(0))", "A cell runs in one go here"),
    ],
)  # fmt: skip
def test_what_a_page_cannot_do_is_said_in_a_sentence(cell: Page, code: str, last: str) -> None:
    said = ran(cell, code)
    assert last in said.splitlines()[-1], said
    assert len(said) < 1500 and "playground" not in said


def test_matplotlib_inline_does_nothing(cell: Page) -> None:
    assert ran(cell, "%matplotlib inline\nprint('on')") == "on\n"


def test_objects_are_shown_in_their_best_form(cell: Page) -> None:
    ran(
        cell,
        "import base64\n"
        "class Html:\n    def _repr_html_(self): return '<b>bold</b>'\n"
        "class Svg:\n    def _repr_svg_(self): return '<svg xmlns=\"http://www.w3.org/2000/svg\"/>'\n"
        "class Png:\n    def _repr_png_(self): return b'\\x89PNG'\n"
        "class Bundle:\n    def _repr_mimebundle_(self, include=None, exclude=None):\n"
        "        return {'text/plain': 'plain', 'text/html': '<i>x</i>'}\n"
        "class Words:\n    def _repr_markdown_(self): return '# head'\n"
        "class Anything:\n    def __getattr__(self, name): return lambda *a, **k: 5\n"
        "    def __repr__(self): return 'anything'\n"
        "display(Html(), Svg(), Png(), Bundle(), Words(), Anything(), Html)",
    )
    assert cell.count(".outputs > iframe") == 2 and cell.count(".outputs > img") == 2
    assert cell.said() == "# head\nanything\n<class '__main__.Html'>\n"


def test_pictures_lessons_and_worksheets_are_shown(cell: Page) -> None:
    ran(
        cell,
        "from micrograd import Value, draw, explain, step_through, worksheet\n"
        "a, b = Value(2.0, label='a'), Value(-3.0, label='b')\nc = (a * b).tanh()\nc.label = 'c'\n"
        "c.backward()\ndisplay(draw(c), step_through(c), step_through(c, quiz=True), worksheet(c))\n"
        "explain(c)",
    )
    assert cell.count("figure.drawn svg text.data") == 4
    assert cell.count(".outputs > iframe") == 4
    driver = cell.driver
    for k, inside in enumerate(("#forward", "#forward", "#save")):
        driver.switch_to.frame(driver.find_elements("css selector", ".outputs > iframe")[k])
        driver.switch_to.frame(driver.find_element("css selector", "iframe"))
        assert driver.find_elements("css selector", inside), k
        if inside == "#forward":  # its script runs
            driver.find_element("css selector", inside).click()
            assert driver.find_element("css selector", "#count").text.startswith("2 / ")
        driver.switch_to.default_content()
    driver.switch_to.frame(driver.find_elements("css selector", ".outputs > iframe")[3])
    assert (
        len(driver.find_elements("css selector", ".explanation math")) > 8
    )  # as a notebook has it
    driver.switch_to.default_content()


def test_a_frame_is_as_high_as_its_content(cell: Page) -> None:
    ran(
        cell,
        "class H:\n    def _repr_html_(self): return '<div style=\"height:700px\">x</div>'\nH()",
    )
    cell.until("document.querySelector('.outputs iframe').clientHeight === 700")


def test_a_curve_grows_in_its_place(cell: Page) -> None:
    said = ran(
        cell,
        "from playground import Curve\nimport time\nlosses = Curve('loss')\n"
        "for k in range(40): losses.add(1 / (k + 1)); time.sleep(.01)\nprint(losses)",
    )
    assert said == "<Curve 'loss' of 40 points>\n" and cell.count(".outputs > img") == 1
    drawn = cell.js("return atob(document.querySelector('.outputs > img').src.split(',')[1])")
    assert "40 points" in drawn


def test_code_that_has_changed_since_its_output_says_so(cell: Page) -> None:
    ran(cell, "1 + 1")
    hidden = "return document.querySelector('.stale').hidden"
    assert cell.js(hidden) is True
    cell.type("1 + 2")
    assert cell.js(hidden) is False
    cell.type("1 + 1")
    assert cell.js(hidden) is True


# --- nothing ends the page ------------------------------------------------------------------------


def lives(page: Page) -> None:
    assert ran(page, "from micrograd import Value\n(Value(2.0) * 3).data") == "6.0\n"


def test_an_endless_loop_is_stopped_and_the_next_run_starts_at_once(cell: Page) -> None:
    def stop_and_run() -> None:
        cell.click(".stop")
        cell.finished()
        assert "Stopped. A fresh Python is ready; the names of all cells are lost." in cell.said()
        cell.type("2 + 2")
        assert cell.run() == "4\n"

    times: list[float] = []
    for _ in range(4):
        ran(cell, "kept = 1")
        cell.until("document.body.dataset.spare === 'ready'")
        cell.js("delete document.body.dataset.spare")
        cell.type("while True: pass")
        cell.start()
        time.sleep(0.3)
        times.append(min(seconds_of(cell.driver, stop_and_run)))
        if times[-1] < 0.5:
            break
    assert min(times) < 0.5, times
    assert "NameError" in ran(cell, "kept")


def test_printing_without_end_ends_with_a_sentence(cell: Page) -> None:
    cell.type("while True: print('x' * 500)")
    cell.start()
    cell.until("document.querySelector('.outputs').textContent.includes('The output ends here')")
    said = cell.said()
    assert said.endswith("The output ends here, at 200,000 characters.")
    assert 200_000 < len(said) < 200_100
    cell.click(".stop")
    cell.finished()
    lives(cell)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def f(): return f()\nf()", "A call went more than 400 deep"),
        ("import sys\nsys.setrecursionlimit(10**6)\ndef f(): return f()\nf()", "stays at 400"),
        ("'x' * 25_000_000", "25,000,002 characters; the first 20,000 are shown"),
        ("raise ValueError('x' * 25_000_000)", "characters …"),
        ("x = [0] * 10**9", "Error"),
        ("class A:\n    def __repr__(self): raise ValueError('no')\nA()", "ValueError: no"),
        ("import sys; sys.stdout = None; 1/0", "ZeroDivisionError"),
        ("import builtins; del builtins.print", ""),
        ("for _ in range(1000): display(display)", ""),
    ],
)  # fmt: skip
def test_python_goes_on_after(cell: Page, code: str, said: str) -> None:
    assert said in ran(cell, code)
    assert cell.finished() in ("done", "failed")
    lives(cell)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import os\nos._exit(3)", "it ended the interpreter itself"),
        ("x = []\nfor _ in range(100_000): x = [x]\nrepr(x)", "its calls went too deep"),
        (
            "import sys\nreal = [c.cell_contents for c in (sys.setrecursionlimit.__closure__ or ())]\n"
            "from playground import limits\nlimits._set_depth(10**6)\n"
            "class A:\n    def __repr__(self): return repr([self])\nrepr(A())",
            "its calls went too deep",
        ),
    ],
)
def test_what_ends_python_becomes_a_sentence_and_a_fresh_python(
    cell: Page, code: str, why: str
) -> None:
    said = ran(cell, code)
    assert (
        said
        == f"Cell 1 ended Python: {why}. A fresh Python is ready; the names of all cells are lost."
    )
    lives(cell)


def test_only_so_much_is_shown(cell: Page) -> None:
    said = ran(
        cell,
        "class H:\n    def _repr_html_(self): return '<p>x</p>'\nfor _ in range(300): display(H())",
    )
    assert cell.count(".outputs > iframe") == 60
    assert said.count("No more is shown") == 1


# --- the video, cell after cell -------------------------------------------------------------------

VIDEO: list[tuple[str, Any]] = [
    ("import math\n%matplotlib inline\ndef f(x): return 3*x**2 - 4*x + 5\nf(3.0)", "20.0\n"),
    ("h = 0.000001\nx = 2/3\n(f(x + h) - f(x))/h", None),
    (
        "class Value:\n"
        "  def __init__(self, data, _children=(), _op='', label=''):\n"
        "    self.data = data\n    self.grad = 0.0\n    self._backward = lambda: None\n"
        "    self._prev = set(_children)\n    self._op = _op\n    self.label = label\n"
        "  def __repr__(self): return f'Value(data={self.data})'\n"
        "  def __add__(self, other):\n"
        "    other = other if isinstance(other, Value) else Value(other)\n"
        "    out = Value(self.data + other.data, (self, other), '+')\n"
        "    def _backward():\n      self.grad += 1.0 * out.grad\n      other.grad += 1.0 * out.grad\n"
        "    out._backward = _backward\n    return out\n"
        "  def __mul__(self, other):\n"
        "    other = other if isinstance(other, Value) else Value(other)\n"
        "    out = Value(self.data * other.data, (self, other), '*')\n"
        "    def _backward():\n      self.grad += other.data * out.grad\n"
        "      other.grad += self.data * out.grad\n"
        "    out._backward = _backward\n    return out\n"
        "  def __pow__(self, other):\n"
        "    out = Value(self.data**other, (self,), f'**{other}')\n"
        "    def _backward(): self.grad += other * (self.data ** (other - 1)) * out.grad\n"
        "    out._backward = _backward\n    return out\n"
        "  def __rmul__(self, other): return self * other\n"
        "  def __truediv__(self, other): return self * other**-1\n"
        "  def __neg__(self): return self * -1\n"
        "  def __sub__(self, other): return self + (-other)\n"
        "  def __radd__(self, other): return self + other\n"
        "  def tanh(self):\n    x = self.data\n"
        "    t = (math.exp(2*x) - 1)/(math.exp(2*x) + 1)\n    out = Value(t, (self, ), 'tanh')\n"
        "    def _backward(): self.grad += (1 - t**2) * out.grad\n"
        "    out._backward = _backward\n    return out\n"
        "  def exp(self):\n    out = Value(math.exp(self.data), (self, ), 'exp')\n"
        "    def _backward(): self.grad += out.data * out.grad\n"
        "    out._backward = _backward\n    return out\n"
        "  def backward(self):\n    topo = []\n    visited = set()\n"
        "    def build_topo(v):\n      if v not in visited:\n        visited.add(v)\n"
        "        for child in v._prev: build_topo(child)\n        topo.append(v)\n"
        "    build_topo(self)\n    self.grad = 1.0\n"
        "    for node in reversed(topo): node._backward()\n"
        "a = Value(2.0, label='a')\nb = Value(-3.0, label='b')\nc = Value(10.0, label='c')\n"
        "e = a*b; e.label = 'e'\nd = e + c; d.label = 'd'\nf = Value(-2.0, label='f')\n"
        "L = d * f; L.label = 'L'\nL",
        "Value(data=-8.0)\n",
    ),
    (
        "from graphviz import Digraph\n"
        "def trace(root):\n  nodes, edges = set(), set()\n"
        "  def build(v):\n    if v not in nodes:\n      nodes.add(v)\n"
        "      for child in v._prev:\n        edges.add((child, v))\n        build(child)\n"
        "  build(root)\n  return nodes, edges\n"
        "def draw_dot(root):\n"
        "  dot = Digraph(format='svg', graph_attr={'rankdir': 'LR'}) # LR = left to right\n"
        "  nodes, edges = trace(root)\n  for n in nodes:\n    uid = str(id(n))\n"
        "    dot.node(name = uid, label = \"{ %s | data %.4f | grad %.4f }\""
        " % (n.label, n.data, n.grad), shape='record')\n"
        "    if n._op:\n      dot.node(name = uid + n._op, label = n._op)\n"
        "      dot.edge(uid + n._op, uid)\n"
        "  for n1, n2 in edges: dot.edge(str(id(n1)), str(id(n2)) + n2._op)\n  return dot\n"
        "L.backward()\ndraw_dot(L)",
        "image",
    ),
    (
        "x1 = Value(2.0, label='x1')\nx2 = Value(0.0, label='x2')\nw1 = Value(-3.0, label='w1')\n"
        "w2 = Value(1.0, label='w2')\nb = Value(6.8813735870195432, label='b')\n"
        "n = x1*w1 + x2*w2 + b; n.label = 'n'\no = n.tanh(); o.label = 'o'\no.backward()\ndraw_dot(o)",
        "image",
    ),
    ("round(x1.grad, 4), round(w1.grad, 4), x2.grad > 0, w2.grad", "(-1.5, 1.0, True, 0.0)\n"),
    ("e = (2*n).exp()\no = (e - 1)/(e + 1)\no.label = 'o'\nround(o.data, 4)", "0.7071\n"),
    ("import micrograd\nmicrograd.draw(o)", "picture"),
    (
        "import random\nrandom.seed(1)\n"
        "class Neuron:\n"
        "  def __init__(self, nin):\n    self.w = [Value(random.uniform(-1,1)) for _ in range(nin)]\n"
        "    self.b = Value(random.uniform(-1,1))\n"
        "  def __call__(self, x):\n"
        "    act = sum((wi*xi for wi, xi in zip(self.w, x)), self.b)\n    return act.tanh()\n"
        "  def parameters(self): return self.w + [self.b]\n"
        "class Layer:\n  def __init__(self, nin, nout):\n"
        "    self.neurons = [Neuron(nin) for _ in range(nout)]\n"
        "  def __call__(self, x):\n    outs = [n(x) for n in self.neurons]\n"
        "    return outs[0] if len(outs) == 1 else outs\n"
        "  def parameters(self): return [p for neuron in self.neurons for p in neuron.parameters()]\n"
        "class MLP:\n  def __init__(self, nin, nouts):\n    sz = [nin] + nouts\n"
        "    self.layers = [Layer(sz[i], sz[i+1]) for i in range(len(nouts))]\n"
        "  def __call__(self, x):\n    for layer in self.layers: x = layer(x)\n    return x\n"
        "  def parameters(self): return [p for layer in self.layers for p in layer.parameters()]\n"
        "n = MLP(3, [4, 4, 1])\nlen(n.parameters())",
        "41\n",
    ),
    (
        "xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]\n"
        "ys = [1.0, -1.0, -1.0, 1.0]\n"
        "for k in range(20):\n  ypred = [n(x) for x in xs]\n"
        "  loss = sum((yout - ygt)**2 for ygt, yout in zip(ys, ypred))\n"
        "  for p in n.parameters(): p.grad = 0.0\n  loss.backward()\n"
        "  for p in n.parameters(): p.data += -0.1 * p.grad\nloss.data < 0.2",
        "True\n",
    ),
    ("micrograd.draw(loss, groups=n, max_nodes=2000)", "picture"),
]  # fmt: skip


def test_the_videos_cells_typed_one_after_the_other(cell: Page) -> None:
    for code, wanted in VIDEO:
        said = ran(cell, code)
        assert cell.finished() == "done", f"{code}\n{said}"
        if wanted == "image":
            assert cell.count(".outputs > img") == 1, code
        elif wanted == "picture":
            assert cell.count(".outputs figure.drawn svg") == 1, code
        elif wanted is not None:
            assert said == wanted, code
