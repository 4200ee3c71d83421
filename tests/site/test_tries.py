"""Which cells of a lecture can be tried in the playground: `tools/site/tries.py`."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import nbformat
import pytest

from tools.notebooks import ROOT
from tools.site.__main__ import build_wheel, packages
from tools.site.stage import notebook
from tools.site.tries import address, candidates, tries


def test_a_cell_brings_what_it_needs_and_nothing_else() -> None:
    cells = [
        "import math, random\nfrom micrograd import Value, draw\nunused = 1",
        "a = Value(2.0)\nb = Value(3.0)\nz = random.random()",
        "def f(x):\n    unused = x  # its own\n    return math.tanh(x.data)",
        "c = a * b\nc.backward()\na.grad = 5.0\nz",
        "print(f(a), c)",
    ]
    assert candidates(cells)[4] == [
        "import math\nfrom micrograd import Value\na = Value(2.0)\nb = Value(3.0)\n"
        "def f(x):\n    unused = x  # its own\n    return math.tanh(x.data)\n"
        "c = a * b\nc.backward()\na.grad = 5.0",
        "print(f(a), c)",
    ]


def test_what_is_bound_anew_hides_what_was_before() -> None:
    cells = ["a = 1\na.x = 2", "a = 3\na += 1", "for k in range(2): a = a + k", "print(a)"]
    assert candidates(cells)[3] == ["a = 3\na += 1\nfor k in range(2): a = a + k", "print(a)"]


def test_decorators_and_several_statements_on_a_line_stay_whole() -> None:
    cells = ["import functools\n@functools.cache\ndef f(): return 1", "x = 1; y = 2", "f() + y"]
    setup = "import functools\n@functools.cache\ndef f(): return 1\ny = 2"
    assert candidates(cells)[2] == [setup, "f() + y"]


def test_a_cell_that_needs_what_the_page_lacks_is_no_candidate_but_its_checks_are_left_out() -> (
    None
):
    cells = [
        "import numpy as np\nfrom sklearn.svm import SVC",
        "x = np.zeros(3)",
        "y = x + 1",
        "def f(): return y",
        "f()",
        "y = 2\n\nassert np.all(y)\nassert y == 2\nprint(y)",
        "f()",  # the y of its own is another now
        "%magic",
        "z = y\nnp.sum(z)",
    ]
    found = candidates(cells)
    assert found == {5: ["y = 2\n\nassert y == 2\nprint(y)"]}


def test_a_link_holds_the_cells() -> None:
    cells = ["import math", "print('π & <b>')"]
    text = address(cells)
    assert text.startswith("#1") and set(text[2:]).isdisjoint("+/=\"' ")
    packed = base64.urlsafe_b64decode(text[2:] + "=" * (-len(text[2:]) % 4))
    assert json.loads(zlib.decompress(packed, -15)) == {"k": "c", "c": cells}


def test_a_link_stands_below_its_cell() -> None:
    path = ROOT / "lectures" / "micrograd" / "micrograd_lecture_first_half.ipynb"
    made = notebook(path, {1: ["a", "b"], 2: ["c"]}).cells
    codes = [k for k, cell in enumerate(made) if cell.cell_type == "code"]
    for number, cells in ((1, ["a", "b"]), (2, ["c"])):
        link = made[codes[number] + 1]
        assert link.cell_type == "markdown"
        assert f'href="../../playground/index.html{address(cells)}"' in link.source
    assert 'class="try"' not in made[codes[3] + 1].source
    assert all('class="try"' not in cell.source for cell in notebook(path).cells)
    nbformat.validate(nbformat.v4.new_notebook(cells=made))


@pytest.mark.slow
def test_a_cell_is_linked_where_it_runs_and_shows_something(tmp_path: Path) -> None:
    packages()
    twice = "twice = op('twice', lambda x: 2 * x, [lambda x, out: 2.0])"
    absent = "assert 'twice' not in registered"
    books = [
        [
            "from micrograd import Value, draw",
            "a = Value(2.0)",  # shows nothing
            "draw(a * 3)",
            "while True: pass",
            "[k for k in range(10**9)]",
            "def f(): return f()\nf()",
            "open('/nowhere')",
            "import sqlite3, threading\nthreading.Thread(target=print).start()",
            "import warnings\nwarnings.warn('stale')\nprint(1)",
        ],
        [],
        [f"from micrograd import op\n{twice}\ntwice(2.0)"],
        [f"from micrograd.op import registered\n{absent}\nprint(1)"],
        ["from micrograd import lift\nlift(abs)(2.0)", "import random\nrandom.random()"],
    ]  # fmt: skip
    found = tries(books, build_wheel(tmp_path / "wheel"))
    assert [sorted(book) for book in found] == [[2], [], [0], [0], [1]]
    setup = "from micrograd import Value\nfrom micrograd import draw\na = Value(2.0)"
    assert found[0][2] == [setup, "draw(a * 3)"]
