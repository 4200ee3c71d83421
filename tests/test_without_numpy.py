"""The core needs nothing but Python: in a process where `import numpy` fails, all of this runs.

Each function below is run in one such process, by its name; `RUN` starts it. In that process no
test tool is there either.
"""

from __future__ import annotations

import importlib.abc
import inspect
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
BLOCKED = ("numpy", "scipy", "safetensors", "torch")


class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} is blocked")


def import_micrograd() -> None:
    import micrograd

    assert micrograd.Value(2.0).data == 2.0 and "numpy" not in sys.modules
    try:
        import numpy  # noqa: F401
    except ImportError as fault:
        assert "blocked" in str(fault)
    else:
        raise AssertionError("NumPy is there: nothing would be shown")


def every_operation_on_edge_values() -> None:
    from micrograd import Value, ops
    from micrograd.op import registered

    edges = (0.0, -0.0, 1.0, -2.5, 710.0, -746.0, 1e308, 5e-324, math.inf, -math.inf, math.nan)
    rows = [row for row in registered.values() if row.builtin]
    rows += [ops.constant_power(k) for k in (-1, -0.5, 0, 0.5, 2, 3, -2, 1 / 3)]
    rows += [ops.leaky_relu(0.1), ops.dot_op(1, True), ops.constant_power(-1, quotient=True)]
    assert len(rows) > 30
    for row in rows:
        for x in edges:
            for y in edges[: 1 if row.arity == 1 else len(edges)]:
                inputs = [Value(x), Value(y), Value(1.0)][: row.arity]
                out = row(*inputs)
                out.backward()
                assert type(out.data) is float and all(type(v.grad) is float for v in inputs)
                assert type(row(*[v.data for v in inputs])) is float
    assert ops.exp(Value(1000.0)).data == math.inf and Value(0.0).log().data == -math.inf
    assert Value(-8.0).sqrt().data != Value(-8.0).sqrt().data
    v = Value(2.0)
    for made in (
        v + 1, 1 + v, v - 1, 1 - v, v * 2, 2 * v, v / 2, 2 / v, v**2, 2**v, -v, +v, abs(v), v / 0,
        v.maximum(0), v.minimum(1), v.leaky_relu(), v.pow(2), v.detach(), v.gelu(),
    ):  # fmt: skip
        assert isinstance(made, Value)
    assert float(v) == 2.0 and v < 3 and f"{v:.1f}" == "2.0"
    assert (Value(1e-200) / Value(1e-200)).data == 1.0


def wrong_arguments_are_named() -> None:
    from micrograd import Value, grad, op

    v = Value(1.0)
    for wrong in ("3", None, 1j, [1.0]):
        for attempt in (lambda x: Value(x), lambda x: v + x, lambda x: setattr(v, "data", x)):
            try:
                attempt(wrong)
            except TypeError:
                continue
            raise AssertionError(wrong)
    for call in (lambda: grad(v, 3), lambda: op("+", abs, [abs])):
        try:
            call()
        except (TypeError, ValueError):
            continue
        raise AssertionError(call)


def gradients_to_second_order() -> None:
    from micrograd import Value, grad, no_grad

    x, y = Value(2.0), Value(3.0)
    z = (x**3 * y).sin() + x / y
    gx, gy = grad(z, [x, y], create_graph=True)
    h = grad(gx, [x, y])
    assert grad(gy, x).data == h[1].data
    assert abs(gx.data - (math.cos(24) * 36 + 1 / 3)) < 1e-12
    assert abs(h[0].data - (-math.sin(24) * 36**2 + math.cos(24) * 36)) < 1e-9
    assert (x.grad, y.grad) == (0.0, 0.0)
    assert set(grad(z, {"x": x, "y": [y]})) == {"x", "y"}
    with no_grad():
        assert (x * y)._prev == ()


def a_row_of_ones_own() -> None:
    from micrograd import Value, grad, op
    from micrograd.gradcheck import gradcheck

    inverse = op("my inverse", lambda x: 1 / x, [lambda x, out: -out * out])
    x = Value(4.0)
    y = inverse(x)
    assert (y.data, grad(grad(y, x, create_graph=True), x).data) == (0.25, 2 / 64)
    assert inverse(0.0) == math.inf and inverse(2) == 0.5
    assert gradcheck(inverse, [4.0], order=3)


def networks_train_by_hand() -> None:
    import random

    from micrograd import Value, nn

    random.seed(1)
    model = nn.MLP(2, [4, 4, 1])
    assert repr(nn.Layer(2, 2)).startswith("Layer of [ReLUNeuron(2)")
    points = [((0.0, 1.0), 1), ((1.0, 0.0), -1), ((1.0, 1.0), 1), ((0.0, 0.0), -1)]
    losses = []
    for _ in range(40):
        loss = sum((1 + -y * model(x)).relu() for x, y in points) / len(points)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.velocity = 0.5 * getattr(p, "velocity", 0.0) + p.grad
            p.data -= 0.1 * p.velocity
        losses.append(loss.data)
    assert losses[-1] < losses[0] / 2, losses

    class Scaled(nn.Module):
        def __init__(self) -> None:
            self.scale, self.inner = Value(2.0), nn.Neuron(2)
            self.table = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]

    names = [name for name, _ in Scaled().named_parameters()]
    assert names[:2] == ["scale", "inner.w[0]"] and names[-1] == "table[1, 1]"
    Scaled().eval().zero_grad()


def copies_and_pickles() -> None:
    import copy
    import pickle

    from micrograd import Value

    v = Value(1.0, label="p")
    v.m = 0.5
    for _ in range(10_000):
        v = v * 1.5 / 1.5
    for twin in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        twin.backward()
        assert twin.data == v.data
    del twin, v


def explaining() -> None:
    import micrograd
    from micrograd import Value
    from micrograd.expression import evaluate

    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    y = (x * w + 1).tanh()
    y.label = "y"
    assert "tanh" in str(micrograd.explain(y))
    out, _ = evaluate("tanh(x*w + 1)", {"x": 2, "w": -3})
    assert out.data == y.data
    y.backward()
    report = micrograd.check(y, {"x": x.grad, "w": w.grad + 1, "y": 1})
    verdicts = [report.marks[name].verdict for name in ("x", "w", "y")]
    assert verdicts == ["right", "wrong", "right"], str(report)


def checking_gradients() -> None:
    from micrograd.gradcheck import GradcheckError, gradcheck

    assert gradcheck(lambda a, b: a * b.tanh() + a**2 / b, [1.0, 2.0])
    assert gradcheck(lambda a: [a.exp(), {"log": a.log()}], [1.5])
    try:
        gradcheck(lambda a: a * a.detach(), [1.0])
    except GradcheckError:
        return
    raise AssertionError("a forgotten past was not found")


def pictures_and_pages() -> None:
    """With Graphviz; the pages bring no NumPy either."""
    import micrograd
    from micrograd import Value

    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    y = (x * w + 1).tanh()
    y.label = "y"
    assert "svg" in micrograd.draw(y)._repr_html_()
    folder = Path(tempfile.mkdtemp())
    micrograd.step_through(y).save(folder / "steps.html")
    micrograd.worksheet(y).save(folder / "sheet.html")
    assert all((folder / name).stat().st_size > 10_000 for name in ("steps.html", "sheet.html"))


def pages_given_a_layout() -> None:
    """Without any Graphviz: the pictures were laid out elsewhere, as in a browser."""
    import os

    import micrograd
    from micrograd import Value
    from micrograd.show.graph import render

    def lesson(folder: Path) -> list[bytes]:
        x, w = Value(2.0, label="x"), Value(-3.0, label="w")
        y = (x * w + 1).tanh()
        y.label = "y"
        micrograd.step_through(y).save(folder / "steps.html")
        micrograd.worksheet(y).save(folder / "sheet.html")
        return [(folder / name).read_bytes() for name in ("steps.html", "sheet.html")]

    laid_out: dict[tuple[str, str], bytes] = {}

    def noting(dot: str, format: str) -> bytes:
        laid_out[dot, format] = render.by_graphviz(dot, format)
        return laid_out[dot, format]

    with render.rendered_by(noting):
        pages = lesson(Path(tempfile.mkdtemp()))
    sys.modules["pygraphviz"] = None  # type: ignore[assignment]
    os.environ["PATH"] = ""
    try:
        lesson(Path(tempfile.mkdtemp()))
    except render.RendererNotFound:
        pass
    else:
        raise AssertionError("Graphviz was found: nothing would be shown")
    with render.rendered_by(lambda dot, format: laid_out[dot, format]):
        assert lesson(Path(tempfile.mkdtemp())) == pages


def star_imports() -> None:
    """Every public name is there; one that needs NumPy says so when it is used."""
    names: dict[str, Any] = {}
    exec("from micrograd import *\nfrom micrograd.nn import *", names)
    import micrograd
    from micrograd import nn

    assert not {*micrograd.__all__, *nn.__all__} - {*names}
    x = names["Value"](2.0, label="x")
    y = names["Neuron"](1)([x]) + names["where"](x, x, 0.0)
    y.backward()
    assert "x.grad" in str(names["explain"](y)) and names["op"] is micrograd.op
    lift, linear, optim, data = (names[name] for name in ("lift", "Linear", "optim", "data"))

    def derive() -> None:
        class Mine(linear):
            pass

    for name, attempt in (
        ("lift", lambda: lift(abs)), ("lift", lambda: lift.anything), ("Linear", derive),
        ("Linear", lambda: linear(1, 2)), ("optim", lambda: optim.SGD([x], 0.1)),
        ("data", lambda: data.moons()),
    ):  # fmt: skip
        try:
            attempt()
        except ImportError as fault:
            assert str(fault).startswith(f"micrograd.{name} needs a package"), fault
            assert "numpy" in str(fault)
        else:
            raise AssertionError(name)
    try:
        lift(abs)
    except names["LiftError"]:  # the fallback to eager of a program that has one
        pass
    assert not hasattr(lift, "_repr_html_") and "Absent" in repr(lift)


CASES = {
    f.__name__: f
    for f in (
        import_micrograd, every_operation_on_edge_values, wrong_arguments_are_named,
        gradients_to_second_order, a_row_of_ones_own, networks_train_by_hand, copies_and_pickles,
        explaining, checking_gradients, pictures_and_pages,
        pages_given_a_layout, star_imports,
    )
}  # fmt: skip
IMPORTS = (
    "\n".join(f"import {name}" for name in ("importlib.abc", "math", "sys", "tempfile"))
    + "\nfrom pathlib import Path\nfrom typing import Any\n"
)


def python(script: str, *options: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, *options, "-c", script], env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("name", CASES)
def test_where_numpy_cannot_be_imported_this_works(name: str, pytestconfig: pytest.Config) -> None:
    script = (
        f"from __future__ import annotations\n{IMPORTS}BLOCKED = {BLOCKED!r}\n"
        f"{inspect.getsource(Blocker)}sys.meta_path.insert(0, Blocker())\n"
    )
    if pytestconfig.getoption("--reference"):
        script += "import micrograd.fast\nmicrograd.fast.uninstall()\n"
    python(f"{script}{inspect.getsource(CASES[name])}{name}()\nassert 'numpy' not in sys.modules\n")


def test_a_name_that_was_absent_works_once_numpy_has_come() -> None:
    """As in a browser, where packages are installed while the page runs."""
    python("""
import sys
sys.modules["numpy"] = None
from micrograd import *
try:
    lift(abs)
except ImportError:
    del sys.modules["numpy"]
assert float(lift(lambda a: a * 3.0)(2.0)) == 6.0 and len(data.moons(6)) == 2
import micrograd
assert micrograd.lift is not lift and vars(micrograd)["lift"] is micrograd.lift
assert LiftError is not micrograd.LiftError and issubclass(micrograd.LiftError, TypeError)
""")


# --- how long an import takes ---------------------------------------------------------------------

HEAVY = {
    "numpy", "scipy", "inspect", "dataclasses", "ast", "dis", "asyncio", "logging", "json",
    "subprocess", "unittest", "html", "decimal", "fractions", "tempfile", "importlib.metadata",
}  # fmt: skip


def test_an_import_brings_few_modules_and_none_that_takes_long() -> None:
    script = (
        "import sys; before = set(sys.modules); import micrograd, json as j;"
        "print(j.dumps(sorted(set(sys.modules) - before)))"
    )
    # `json` itself is imported after micrograd and taken off again
    brought = {m for m in json.loads(python(script, "-S")) if m.partition(".")[0] != "json"}
    assert not brought & (HEAVY - {"json"}), brought & HEAVY
    own = {m for m in brought if m.partition(".")[0] == "micrograd"}
    assert len(own) < 20 and len(brought - own) < 50, (len(own), sorted(brought - own))


def test_an_import_takes_little_time() -> None:
    """10 ms on a quiet core: processor time, the least of ten, with room for a slow machine."""
    script = (
        "import time; start = time.process_time(); import micrograd;"
        "print(time.process_time() - start)"
    )
    assert min(float(python(script)) for _ in range(10)) < 0.06
