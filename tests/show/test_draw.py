"""Pictures of graphs: what stands in them, that labels stay text, that pip is enough.

Covers `cards.py`, `digraph.py`, `drawing.py`, `files.py`, `layout.py`, `nodes.py`, `palette.py`,
`picture.py`, `program.py`, `render.py`, `svg.py`, `text.py`.
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from base64 import b64decode
from pathlib import Path
from typing import Any

import browsing
import graphviz
import numpy as np
import pytest
from factories import HOSTILE
from factories import neuron_after_backward as neuron
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd
from micrograd import Value
from micrograd.nn import MLP
from micrograd.show.graph import palette, render, text
from micrograd.show.graph.digraph import draw_dot
from micrograd.show.graph.draw import draw
from micrograd.show.graph.picture import Picture
from micrograd.store import gather

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def elements(picture: Picture) -> dict[str, ET.Element]:
    found = {e.attrib["id"]: e for e in ET.fromstring(picture.svg).iter() if "id" in e.attrib}
    return found


def texts(element: ET.Element) -> list[str]:
    return ["".join(each.itertext()) for each in element.iter(f"{SVG}text")]


def title(element: ET.Element) -> str:
    return element.findtext(f"{SVG}title") or ""


def kind(element: ET.Element) -> set[str]:
    looks = {"node", "leaf", "filled", "grad-plus", "grad-minus"}
    return set(element.attrib["class"].split()) - looks


# --- what stands in a picture --------------------------------------------------------------------


def test_every_value_and_every_operation_has_an_element() -> None:
    out = neuron()
    picture = draw(out)
    found = elements(picture)
    order = micrograd.engine.topological_order(out)
    assert list(picture.nodes) == [f"n{i}" for i in range(len(order))]
    assert list(picture.nodes.values()) == order
    for i, node in enumerate(order):
        assert "node" in found[f"n{i}"].attrib["class"].split()
        assert (f"o{i}" in found) == bool(node._op)
        if node._op:
            assert texts(found[f"o{i}"]) == [node._op]
            assert title(found[f"o{i}"]) == node._op


def test_every_operand_has_an_edge_of_its_own() -> None:
    x = Value(3.0, label="x")
    found = elements(draw(x * x))
    assert {name for name in found if name.startswith("e")} == {"e1-0", "e1-1"}
    assert found["e1-0"].find(f"{SVG}path") is not None
    paths = [found[name].find(f"{SVG}path") for name in ("e1-0", "e1-1")]
    assert paths[0].attrib["d"] != paths[1].attrib["d"]  # side by side, not one on the other
    assert title(found["e1-1"]) == "x → *, operand 2"
    assert "r1" in found  # from the operation to its result


def test_ids_are_unique_and_take_a_prefix() -> None:
    picture = draw(neuron(), prefix="left-")
    ids = re.findall(r'\bid="([^"]*)"', picture.svg)
    assert len(ids) == len(set(ids))
    assert all(name.startswith("left-") for name in ids)
    assert set(picture.nodes) < set(ids)
    assert "left-n0-data" in ids


def test_data_and_grad_can_be_found_and_show_their_sign() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    (a * b + 1e-7 * a).backward()
    c = Value(0.0, label="c")
    c.grad = -0.0
    picture = draw(a * b * c)
    found = elements(picture)
    shown = {
        node.label: (found[f"{name}-data"].text, found[f"{name}-grad"].text)
        for name, node in picture.nodes.items()
        if node.label
    }
    assert shown == {
        "a": ("2.0000", "\u22123.0000"),
        "b": ("\u22123.0000", "+2.0000"),
        "c": ("0.0000", "0.0000"),
    }


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1.5, "1.5000"), (-1.5, "\u22121.5000"), (-0.0, "0.0000"), (999999.0, "999999.0000"),
        (1e6, "1.000e+06"), (0.001, "0.0010"), (-1.234e-9, "\u22121.234e\u221209"), (math.inf, "∞"),
        (-math.inf, "\u2212∞"), (math.nan, "nan"),
    ],
)  # fmt: skip
def test_numbers_keep_four_decimals_unless_those_would_hide_them(number: float, said: str) -> None:
    assert text.number_text(number) == said
    assert text.number_text(number, sign=True) == ("+" if number > 0 else "") + said


def test_inputs_parameters_constants_and_results_differ_by_shape() -> None:
    x, w, v = Value(1.0, label="x"), Value(2.0, label="w"), Value(3.0, label="v")
    gather([v])  # what an optimiser does with its parameters
    out = 5 * x * w * v
    picture = draw(out, parameters=[w])
    found = elements(picture)
    kinds = {node: kind(found[name]) for name, node in picture.nodes.items()}
    assert (kinds[x], kinds[w], kinds[v]) == ({"input"}, {"parameter"}, {"parameter"})
    assert kinds[out] == {"result"}
    constant = next(node for node in kinds if node.data == 5.0)
    assert kinds[constant] == {"constant"}

    def outline(node: Value) -> tuple[bool, int, bool, bool]:
        element = found[next(name for name, n in picture.nodes.items() if n is node)]
        borders = [e for e in element if e.get("class") in ("box", "rim")]
        return (
            "constant" in kind(element),  # whose border the style sheet dashes
            len(borders),
            any(e.get("rx") for e in borders),
            any(e.get("class") == "bar" for e in element),
        )

    assert ".constant .box{stroke-dasharray" in picture.svg
    shapes = {
        "input": x,
        "parameter": w,
        "constant": constant,
        "interior": out._prev[0],
        "result": out,
    }
    assert len({outline(node) for node in shapes.values()}) == len(shapes)


def test_parameters_may_be_a_module_or_an_array() -> None:
    out = neuron()
    leaves = [node for node in draw(out).nodes.values() if not node._op]

    class Model:
        def parameters(self) -> list[Value]:
            return leaves

    for given_as in (Model(), np.array([leaves], dtype=object), tuple(leaves), [leaves]):
        found = elements(draw(out, parameters=given_as))
        assert sum("parameter" in kind(e) for e in found.values() if "class" in e.attrib) == 5
    for wrong in ("w", 3, [1.0]):
        with pytest.raises(TypeError, match="parameters= takes Values"):
            draw(out, parameters=wrong)


def test_a_lone_value_is_drawn() -> None:
    picture = draw(Value(3.0, label="x"))
    assert texts(elements(picture)["n0"]) == ["x", "data", "3.0000", "grad", "0.0000"]


def test_pictures_are_the_same_each_time() -> None:
    assert draw(neuron()).svg == draw(neuron()).svg
    assert draw(neuron()).dot == draw(neuron()).dot


def test_ops_of_ones_own_and_handwritten_steps_are_drawn() -> None:
    cube = micrograd.op("<cube> & co", lambda x: x * x * x, [lambda x, out: 3 * x * x])
    made = Value(8.0, (cube(Value(2.0)),), "by {hand}")
    found = elements(draw(made))
    assert texts(found["o1"]) == ["<cube> & co"]
    assert texts(found["o2"]) == ["by {hand}"]


def test_a_lifted_program_is_drawn_as_its_lines(tmp_path: Path) -> None:
    w = Value(2.0)

    @micrograd.lift
    def loss(x: Any) -> Any:
        return sum((w * xi).tanh() for xi in x)

    loss(np.arange(5.0))
    picture = draw(loss.program)
    found = elements(picture)
    for i, line in enumerate(loss.program.text.forward):
        said = texts(found[f"n{i}"])
        assert f"{said[0]} = {said[1]}" == line.statement
    assert len(loss.program.text.forward) == 3
    assert "Program of 3 instructions for 14 scalar nodes" in picture.svg
    picture.save(tmp_path / "program.png")
    assert (tmp_path / "program.png").read_bytes().startswith(b"\x89PNG")


# --- labels are text -----------------------------------------------------------------------------


@pytest.mark.parametrize("label", HOSTILE, ids=ascii)
def test_hostile_labels_stay_text_in_every_output(
    label: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    harmless, picture = draw(Value(1.0, label="x") + 1), draw(Value(1.0, label=label) + 1)
    shown = text.plain(label)
    assert texts(elements(picture)["n0"])[0] == (text.plain(label, 24) or "data")
    assert title(elements(picture)["n0"]).startswith(f"{shown}: data 1.0" if shown else "data 1.0")
    assert title(elements(picture)["e2-0"]).startswith(shown or "value")

    def shape(p: Picture) -> list[str]:
        return [e.tag for e in ET.fromstring(p.svg).iter()]

    assert shown == "" or shape(picture) == shape(harmless)
    for ending in ("svg", "png", "pdf", "dot"):
        picture.save(tmp_path / f"picture.{ending}")
    assert capfd.readouterr().err == ""  # Pango has no word to say
    again = render.render((tmp_path / "picture.dot").read_text(encoding="utf-8"), "svg")
    assert ET.fromstring(again).tag == f"{SVG}svg"


@pytest.mark.slow
@settings(max_examples=40)
@given(st.text(st.characters(), min_size=1, max_size=20), st.text(min_size=1, max_size=10))
def test_any_label_and_any_op_name_are_drawn(label: str, op: str) -> None:
    out = Value(1.0, (Value(2.0, label=label),), op)
    found = elements(draw(out))
    shown = text.plain(label)
    assert texts(found["n0"])[0] == (shown or "data")
    assert texts(found["o1"]) == [text.plain(op) or "?"]


def test_a_label_of_ten_thousand_characters_is_shortened_and_kept_in_the_title() -> None:
    label = "long" * 2500
    picture = draw(Value(1.0, label=label))
    found = elements(picture)["n0"]
    assert texts(found)[0] == label[:23] + "…"
    assert title(found).startswith(label + ": data")
    assert float(ET.fromstring(picture.svg).attrib["width"]) < 500


def test_a_label_need_not_be_a_string() -> None:
    assert texts(elements(draw(Value(1.0, label=7)))["n0"])[0] == "7"  # type: ignore[arg-type]


# --- light, dark, wide ---------------------------------------------------------------------------


def test_colours_stand_in_the_palette_alone() -> None:
    out = neuron()
    picture = draw(out - 5, parameters=[out._prev[0]._prev[1]])
    body = picture.svg.partition("</style>")[2]
    assert not re.search(r"(?:fill|stroke)=|#[0-9a-f]{3}", body)
    assert "prefers-color-scheme:dark" in picture.svg
    for name, (light, dark) in palette.PALETTE.items():
        variable = f"--micrograd-{name.replace('_', '-')}"
        assert f"{variable}:{light}" in picture.svg and f"{variable}:{dark}" in picture.svg
    for theme in (0, 1):
        written = palette.style_sheet(theme)
        assert "var(" not in written and "{{" not in written
        assert set(re.findall(r"#\w+", written)) == {p[theme] for p in palette.PALETTE.values()}
    classes = {c for e in ET.fromstring(picture.svg).iter() for c in e.get("class", "").split()}
    told = set(re.findall(r"\.([a-z-]+)", palette.style_sheet(0)))
    unstyled = {"node", "leaf", "input", "parameter", "interior", "result"}
    assert classes - told <= unstyled, classes - told


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(theme: int) -> None:
    """Contrast of at least 4.5 to 1, as WCAG 2 asks of text."""

    def luminance(name: str) -> float:
        channels = [int(palette.PALETTE[name][theme][i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    pairs = [
        ("ink", "box"),
        ("ink", "op"),
        ("ink", "result"),
        ("muted", "box"),
        ("muted", "result"),
    ]
    pairs += [("plus_ink", "plus"), ("minus_ink", "minus"), ("muted", "plus"), ("muted", "minus")]
    for front, behind in pairs:
        light, dark = sorted([luminance(front), luminance(behind)], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (front, behind)


def test_the_svg_is_as_wide_as_its_column_at_most() -> None:
    root = ET.fromstring(draw(neuron()).svg)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    *corner, wide, high = map(float, root.attrib["viewBox"].split())
    assert corner == [-4, -4] and abs(wide - width) <= 0.5 and abs(high - height) <= 0.5
    assert root.attrib["style"] == "max-width:100%;height:auto"
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == "Computation graph of 10 values"


def test_notebooks_get_an_image_that_shrinks_and_has_a_description() -> None:
    picture = draw(neuron())
    bundle = picture._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    image = ET.fromstring(re.search("<img[^>]*>", bundle["text/html"])[0].replace(">", "/>"))
    assert image.attrib["alt"] == "Computation graph of 10 values"
    assert image.attrib["style"] == "max-width:100%;height:auto"
    kind_of_source, _, source = image.attrib["src"].partition(",")
    assert kind_of_source == "data:image/svg+xml;base64"
    assert b64decode(source).decode() == picture.svg
    assert bundle["text/plain"] == "<Picture: Computation graph of 10 values>"


# --- files ---------------------------------------------------------------------------------------


def test_save_writes_what_the_ending_says(tmp_path: Path) -> None:
    picture = draw(neuron())
    starts = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph", "SVG": b"<svg"}
    for ending, start in starts.items():
        picture.save(tmp_path / f"n.{ending}")
        assert (tmp_path / f"n.{ending}").read_bytes().startswith(start)
    picture.save(str(tmp_path / "text.svg"))
    assert (tmp_path / "text.svg").read_text(encoding="utf-8") == picture.svg


@pytest.mark.parametrize("name", ["n.bmp", "n", "n.svg.txt", ".svg"])
def test_save_refuses_an_unknown_format(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("ends in .svg, .png, .pdf, .dot")) as caught:
        draw(neuron()).save(tmp_path / name)
    assert name in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_save_names_a_path_it_cannot_write(tmp_path: Path) -> None:
    picture = draw(neuron())
    with pytest.raises(FileNotFoundError, match=r"cannot write .*missing.*: No such file"):
        picture.save(tmp_path / "missing" / "n.svg")
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(OSError, match="cannot write"):
        picture.save(tmp_path / "folder.svg")


# --- what cannot be drawn ------------------------------------------------------------------------


def chain(length: int) -> Value:
    v = Value(0.0)
    for _ in range(length):
        v = v.tanh()
    return v


def test_a_large_graph_says_how_large_and_what_to_do() -> None:
    assert len(draw(chain(299)).nodes) == 300
    for draws in (draw, draw_dot):
        with pytest.raises(ValueError, match="301 nodes") as caught:
            draws(chain(300))
        assert "max_nodes=301" in str(caught.value)
        assert "micrograd.lift" in str(caught.value)
    assert len(draw(chain(400), max_nodes=401).nodes) == 401


@pytest.mark.slow
def test_a_million_nodes_are_refused_without_recursion() -> None:
    with pytest.raises(ValueError, match="1,000,001 nodes"):
        draw(chain(1_000_000))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (3, "the number 3"), (None, "None"), ("x", "'x'"), ([Value(1.0)], "a list of 1 thing"),
        (np.array([Value(1.0)]), r"an array of shape \(1,\)"), (Value, "the class Value"),
    ],
)  # fmt: skip
def test_what_is_no_value_is_named(wrong: object, said: str) -> None:
    with pytest.raises(TypeError, match=f"a Value, got {said}; "):
        draw(wrong)


def test_a_module_or_a_lifted_function_is_told_what_to_draw() -> None:
    model = MLP(2, [1])
    with pytest.raises(TypeError, match=r"draw what it gives, draw\(f\(x\)\)"):
        draw(model)
    with pytest.raises(TypeError, match=r"draw its program, draw\(f.program\)"):
        draw(micrograd.lift(lambda x: x * 2.0))


@pytest.mark.parametrize("label", [3, 0, 2.5, ("a", 1), None, np.float64(3), Value])
def test_a_label_that_is_no_string_is_drawn_as_its_text(label: object) -> None:
    x = Value(1.0)
    x.label = label  # type: ignore[assignment]
    shown = texts(elements(draw(x * Value(2.0, label="k")))["n0"])[0]
    assert shown == ("data" if label is None else text.plain(label, 24))


# --- draw_dot ------------------------------------------------------------------------------------


def test_draw_dot_is_a_digraph_that_renders_itself(tmp_path: Path) -> None:
    graph = draw_dot(neuron())
    assert isinstance(graph, graphviz.Digraph)
    assert (graph.format, graph.graph_attr["rankdir"]) == ("svg", "LR")
    assert graph.pipe().decode() == draw(neuron()).svg
    assert graph._repr_mimebundle_() == draw(neuron())._repr_mimebundle_()
    assert graph._repr_image_svg_xml() == draw(neuron()).svg
    assert graph.pipe("png").startswith(b"\x89PNG")
    assert graph.pipe("json").startswith(b"{")
    written = graph.render(tmp_path / "neuron", format="png")
    assert Path(written).name == "neuron.png"
    assert Path(written).read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "neuron").read_text(encoding="utf-8") == graph.source
    graph.render(outfile=tmp_path / "only.pdf", cleanup=True)
    assert (tmp_path / "only.pdf").read_bytes().startswith(b"%PDF")
    assert not (tmp_path / "only.gv").exists()


def test_draw_dot_takes_what_the_originals_takes(tmp_path: Path) -> None:
    """The original's notebook: draw_dot(root, format='svg', rankdir='LR')."""
    graph = draw_dot(neuron(), format="png", rankdir="TB")
    assert (graph.format, graph.graph_attr["rankdir"]) == ("png", "TB")
    assert graph.pipe().startswith(b"\x89PNG")
    assert Path(graph.render(tmp_path / "gout")).name == "gout.png"
    assert draw_dot(neuron(), "svg", "LR").source == draw_dot(neuron()).source
    down, right = draw_dot(neuron(), rankdir="TB").picture(), draw(neuron())
    size = lambda picture, side: float(ET.fromstring(picture.svg).attrib[side])
    assert size(down, "height") > 1.5 * size(right, "height")
    assert size(down, "width") < 0.75 * size(right, "width")
    with pytest.raises(ValueError, match="rankdir= is one of LR, TB, RL, BT; got 'up'"):
        draw_dot(neuron(), rankdir="up")
    with pytest.raises(ValueError, match="unknown format"):
        draw_dot(neuron(), format="bmpp")


def test_draw_dot_can_be_built_on() -> None:
    graph = draw_dot(neuron())
    graph.node("note", "a | note")
    graph.edge("note", "n0")
    with graph.subgraph(name="cluster") as inner:
        inner.node("inside")
    assert "a | note" in graph.pipe(encoding="utf-8")
    assert "a | note" in draw(graph).svg
    assert graph.copy().source == graph.source


# --- without a system Graphviz, without any ------------------------------------------------------


def run(script: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """A fresh Python that finds `path` alone on the PATH."""
    environment = {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": "/nonexistent"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_nothing_but_pip_packages_is_needed_and_stderr_stays_empty(tmp_path: Path) -> None:
    done = run(
        "import shutil; assert shutil.which('dot') is None\n"
        "from micrograd import Value, draw, draw_dot\n"
        "v = (Value(2.0, label='a') * 3).tanh()\n"
        f"for e in ('svg', 'png', 'pdf', 'dot'): draw(v).save(rf'{tmp_path}/v.{{e}}')\n"
        "print(draw_dot(v).pipe(encoding='utf-8')[:4])"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "<svg\n", "")
    assert {p.name for p in tmp_path.iterdir()} == {"v.svg", "v.png", "v.pdf", "v.dot"}


def test_without_a_renderer_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    picture = draw(neuron())
    with pytest.raises(render.RendererNotFound, match="pip install pygraphviz"):
        picture.save(tmp_path / "n.svg")
    assert list(tmp_path.iterdir()) == []
    picture.save(tmp_path / "n.dot")
    assert (tmp_path / "n.dot").read_text(encoding="utf-8") == picture.dot
    shown = picture._repr_mimebundle_()
    assert list(shown) == ["text/plain"]
    assert "pip install pygraphviz" in shown["text/plain"]
    assert picture.dot in shown["text/plain"]
    assert picture._repr_html_() is None


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for dot is a script")
def test_without_pygraphviz_a_dot_on_the_path_draws(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = neuron()
    expected = draw(out).svg
    # the first line of a script cannot name a program whose path has a space in it
    (tmp_path / "dot").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path / "program.py"}" "$@"\n'
    )
    (tmp_path / "program.py").write_text(
        "import sys, pygraphviz\n"
        "if sys.argv[1:] != ['-Kdot', '-Tjson0']: sys.exit('cannot do ' + ' '.join(sys.argv[1:]))\n"
        "graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())\n"
        "sys.stdout.buffer.write(graph.draw(format='json0', prog='dot'))\n"
    )
    (tmp_path / "dot").chmod(0o755)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert draw(out).svg == expected
    with pytest.raises(ValueError, match="cannot do -Kdot -Tgif"):
        draw_dot(out).pipe("gif")


def test_a_broken_source_is_an_error_that_says_why() -> None:
    with pytest.raises(ValueError, match=r"(?s)could not draw this as 'svg'.*syntax error"):
        render.render("digraph {", "svg")
    with pytest.raises(ValueError, match="could not draw this as 'gift'"):
        render.render("digraph {}", "gift")


VIDEO = """
import sys, graphviz, micrograd
from micrograd import Value
class Shell: pass
assert micrograd.load_ipython_extension(Shell()) is None
a = Value(2.0, label="a"); b = Value(-3.0, label="b"); c = a * b; c.label = "c"
def trace(root):
    nodes, edges = set(), set()
    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v)); build(child)
    build(root)
    return nodes, edges
def draw_dot(root):
    dot = graphviz.Digraph(format="svg", graph_attr={"rankdir": "LR"})
    nodes, edges = trace(root)
    for n in nodes:
        uid = str(id(n))
        label = "{ %s | data %.4f | grad %.4f }" % (n.label, n.data, n.grad)
        dot.node(name=uid, label=label, shape="record")
        if n._op:
            dot.node(name=uid + n._op, label=n._op); dot.edge(uid + n._op, uid)
    for n1, n2 in edges:
        dot.edge(str(id(n1)), str(id(n2)) + n2._op)
    return dot
dot = draw_dot(c)
"""


def test_the_videos_own_draw_dot_works_after_load_ext(tmp_path: Path) -> None:
    done = run(
        VIDEO + "shown = dot._repr_mimebundle_()['image/svg+xml']\n"
        "assert 'data 2.0000' in shown and shown.count('class=\"edge\"') == 3\n"
        "assert dot.pipe('png')[:4] == b'\\x89PNG'\n"
        f"assert dot.render(r'{tmp_path}/graph') == r'{tmp_path}/graph.svg'\n"
        f"assert dot.render(outfile=r'{tmp_path}/out.pdf') == r'{tmp_path}/out.pdf'\n"
        f"assert dot.render(r'{tmp_path}/cairo', renderer='cairo').endswith('cairo.cairo.svg')\n"
        "graphviz.Source('digraph {a -> b}', engine='neato').pipe('svg')\n"
        "micrograd.load_ipython_extension(Shell())\n"  # once more: no harm
        "dot.pipe('svg')\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8").count("<title>") == 7
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "cairo.cairo.svg").exists()


def test_load_ext_is_an_ipython_extension() -> None:
    done = run(
        "import warnings\n"
        "with warnings.catch_warnings():\n"
        "    warnings.simplefilter('ignore')\n"
        "    from IPython.core.interactiveshell import InteractiveShell\n"
        "    shell = InteractiveShell.instance()\n"
        "    shell.run_line_magic('load_ext', 'micrograd')\n"
        "import graphviz\n"
        "print(graphviz.Digraph().pipe('svg')[:5].decode())"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "<?xml"


def test_load_ext_leaves_an_installed_dot_alone(tmp_path: Path) -> None:
    (tmp_path / "dot").write_text("#!/bin/sh\n")
    (tmp_path / "dot").chmod(0o755)
    done = run(
        "import graphviz, micrograd\n"
        "from graphviz.backend import execute\n"
        "stock = execute.run_check\n"
        "micrograd.load_ipython_extension(None)\n"
        "assert execute.run_check is stock",
        str(tmp_path),
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_stderr_of_others_is_not_swallowed(capfd: pytest.CaptureFixture[str]) -> None:
    render.render("digraph {a -> b [headport=nowhere]}", "svg")
    assert "nowhere" in capfd.readouterr().err


# --- what `import micrograd` costs ---------------------------------------------------------------


def test_import_is_quick_and_brings_no_drawing_along() -> None:
    script = (
        "import sys, time; start = time.process_time(); import micrograd\n"
        "seconds = time.process_time() - start\n"  # which a busy machine does not lengthen
        "names = 'matplotlib graphviz pygraphviz scipy torch IPython'.split()\n"
        "assert not [name for name in names if name in sys.modules]\n"
        "print(seconds)"
    )
    runs = [run(script) for _ in range(5)]
    assert [r.stderr for r in runs] == [""] * 5
    assert min(float(r.stdout) for r in runs) < 0.15


def test_names_that_are_imported_when_used() -> None:
    assert micrograd.draw is draw
    assert micrograd.draw_dot is draw_dot
    assert {"draw", "draw_dot", "Value", "lift", "step_through"} <= set(dir(micrograd))
    with pytest.raises(AttributeError, match="no attribute 'drwa'"):
        micrograd.drwa  # noqa: B018


# --- in the browser ------------------------------------------------------------------------------


@pytest.mark.browser
@browsing.needs_browser
def test_texts_stay_inside_their_boxes_and_run_nothing(chromium: Any, tmp_path: Path) -> None:
    total: Value = Value(-1234.5678, label="WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW")
    for label in HOSTILE:
        total = total + Value(-1e-9, label=label)
    total.backward()
    page = tmp_path / "page.html"
    page.write_text(f'<meta charset="utf-8">{draw(total).svg}', encoding="utf-8")
    chromium.get(page.as_uri())
    overflowing = chromium.execute_script("""
        return [...document.querySelectorAll("svg g.node")].flatMap(node => {
            const box = node.querySelector(".box").getBoundingClientRect()
            return [...node.querySelectorAll("text")].filter(text => {
                const t = text.getBoundingClientRect()
                return t.left < box.left || t.right > box.right
                    || t.bottom > box.bottom + 1 || t.top < box.top - 1
            }).map(text => text.textContent)
        })""")
    assert overflowing == []
    assert chromium.find_elements("css selector", "svg script, svg b") == []


def paper_of(*, dark: bool) -> tuple[int, ...]:
    """The paper's colour in red, green and blue."""
    return tuple(bytes.fromhex(palette.PALETTE["paper"][dark][1:]))


@pytest.mark.browser
@browsing.needs_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_inlined_or_as_an_image_the_picture_follows_the_theme(
    chromium: Any, tmp_path: Path, theme: str
) -> None:
    from PIL import Image

    picture = draw(neuron())
    picture.save(tmp_path / "n.svg")
    page = tmp_path / "page.html"
    page.write_text(
        f'<meta charset="utf-8"><body style="margin:0"><img src="n.svg"><br>{picture.svg}',
        encoding="utf-8",
    )
    browsing.prefer(chromium, theme)
    chromium.get(page.as_uri())
    chromium.save_screenshot(str(tmp_path / "shot.png"))
    paper = paper_of(dark=theme == "dark")
    shot = Image.open(tmp_path / "shot.png").convert("RGB")
    for element in chromium.find_elements("css selector", "img, svg"):
        place = element.rect
        assert shot.getpixel((int(place["x"]) + 1, int(place["y"]) + 1)) == paper
    notebook_says = "true" if theme == "dark" else "false"  # a notebook's own theme wins
    script = f"document.body.setAttribute('data-jp-theme-light', '{notebook_says}');"
    script += "return getComputedStyle(document.querySelector('svg .paper')).fill"
    opposite = paper_of(dark=theme == "light")
    assert chromium.execute_script(script) == f"rgb{opposite}"


@pytest.mark.browser
@browsing.needs_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_as_a_notebooks_image_the_picture_follows_the_notebook(
    chromium: Any, tmp_path: Path, theme: str
) -> None:
    """The image cannot see the page: `color-scheme` tells it, whatever the system prefers."""
    from PIL import Image

    page = tmp_path / "page.html"
    for host in (
        f'data-jp-theme-light="{str(theme == "light").lower()}"',
        f'class="vscode-{theme}"',
    ):
        page.write_text(
            f'<!doctype html><meta charset="utf-8"><body {host} style="margin:0">'
            f"{draw(neuron())._repr_html_()}",
            encoding="utf-8",
        )
        browsing.prefer(chromium, "dark" if theme == "light" else "light")
        chromium.get(page.as_uri())
        chromium.save_screenshot(str(tmp_path / "shot.png"))
        shot = Image.open(tmp_path / "shot.png").convert("RGB")
        place = chromium.find_element("css selector", "img").rect
        paper = paper_of(dark=theme == "dark")
        assert shot.getpixel((int(place["x"]) + 1, int(place["y"]) + 1)) == paper, host


@pytest.mark.browser
@browsing.needs_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_in_an_exported_notebook_the_picture_follows_the_export(
    chromium: Any, tmp_path: Path, theme: str
) -> None:
    """nbconvert's own page, in the theme that was asked for, on a system that prefers the other."""
    import nbformat
    from nbconvert import HTMLExporter
    from PIL import Image

    output = nbformat.v4.new_output(
        "execute_result", {"text/html": draw(neuron())._repr_html_()}, execution_count=1
    )
    cell = nbformat.v4.new_code_cell("draw(o)", outputs=[output], execution_count=1)
    exported, _ = HTMLExporter(theme=theme).from_notebook_node(
        nbformat.v4.new_notebook(cells=[cell])
    )
    page = tmp_path / "page.html"
    page.write_text(exported, encoding="utf-8")
    browsing.resize(chromium, 1200, 900)
    browsing.prefer(chromium, "dark" if theme == "light" else "light")
    chromium.get(page.as_uri())
    chromium.save_screenshot(str(tmp_path / "shot.png"))
    shot = Image.open(tmp_path / "shot.png").convert("RGB")
    place = chromium.find_element("css selector", ".micrograd-drawing img").rect
    paper = paper_of(dark=theme == "dark")
    assert shot.getpixel((int(place["x"]) + 1, int(place["y"]) + 1)) == paper
