"""Python in WebAssembly, run by Node: the package in a browser's Python, where no NumPy is.

A function below is sent to it as source, and so are those of test_without_numpy and the deep graphs
of test_deep. What it gives there has to equal what it gives here.
"""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import ROOT, node_modules
from test_deep import NODES, SETUP, TASKS
from test_without_numpy import CASES, IMPORTS

from micrograd import Value

NODE = shutil.which("node")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(NODE is None, reason="no node on the PATH"),
]
SECONDS = 120  # for one script, ten times what the longest takes


class Died(Exception):
    """The interpreter itself is gone; the text is what it said last."""


class Python:
    """A Python in WebAssembly that waits for scripts, in a Node process."""

    def __init__(self, process: subprocess.Popen[str], said: Path) -> None:
        self.process, self.said = process, said
        self.version: str = self._answer()

    def run(self, script: str) -> Any:
        """What the last expression of `script` gave: None, a number or a text."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(script) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What `function(*arguments)` gives there; an argument may be a function, too."""
        sources = [inspect.getsource(f) for f in (*arguments, function) if inspect.isfunction(f)]
        given = ", ".join(f.__name__ if inspect.isfunction(f) else repr(f) for f in arguments)
        result = f"import json\njson.dumps({function.__name__}({given}))"
        return json.loads(
            self.run("\n".join(["from __future__ import annotations", IMPORTS, *sources, result]))
        )

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        late = threading.Timer(SECONDS, self.process.kill)
        late.start()
        try:
            line = self.process.stdout.readline()
        finally:
            late.cancel()
        if not line:
            self.process.wait()
            raise Died(self.said.read_text(encoding="utf-8")[-2000:])
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]


@contextmanager
def interpreter() -> Iterator[Python]:
    """One of its own, with this checkout's package."""
    module = node_modules() / "pyodide" / "pyodide.mjs"
    with tempfile.TemporaryDirectory() as folder:
        archive, said = Path(folder, "package.zip"), Path(folder, "stderr")
        with zipfile.ZipFile(archive, "w") as package:
            for file in sorted((ROOT / "micrograd").rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    package.write(file, file.relative_to(ROOT))
        command = [str(NODE), str(ROOT / "tests" / "browser" / "python.mjs"), module, archive]
        with said.open("wb") as errors, subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process:  # fmt: skip
            try:
                yield Python(process, said)
            finally:
                process.kill()


@pytest.fixture(scope="module")
def python() -> Iterator[Python]:
    with interpreter() as opened:
        yield opened


# --- the package, and what it does without NumPy --------------------------------------------------


def imported() -> list[str]:
    import importlib.util

    import micrograd

    assert micrograd.Value(2.0).data == 2.0
    assert importlib.util.find_spec("numpy") is None
    return [sys.platform, micrograd.__file__, micrograd.__version__]


def test_the_package_is_imported_where_no_numpy_is(python: Python) -> None:
    import micrograd

    where = ["emscripten", "/package/micrograd/__init__.py", micrograd.__version__]
    assert python.call(imported) == where


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in CASES
        if name not in ("import_micrograd", "pictures_and_pages", "pages_given_a_layout")
    ],
)
def test_what_needs_no_numpy_works_there_too(name: str, python: Python) -> None:
    python.call(CASES[name])


def test_what_fails_there_fails_here(python: Python) -> None:
    def wrong() -> None:
        from micrograd import Value

        assert Value(2.0).tanh().data == 2.0

    with pytest.raises(AssertionError, match="Value"):
        python.run(inspect.cleandoc(inspect.getsource(wrong)) + "\nwrong()")


# --- the same numbers -----------------------------------------------------------------------------


def neuron() -> dict[str, float]:
    from micrograd import Value

    x, w, b = Value(2.0), Value(-3.0), Value(6.8813735870195432)
    y = (x * w + b).tanh()
    y.backward()
    return {"y": y.data, "x": x.grad, "w": w.grad, "b": b.grad}


def network() -> dict[str, float]:
    import random

    from micrograd import nn

    random.seed(1337)
    model = nn.MLP(3, [4, 4, 1])
    xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    numbers = {}
    for step in range(2):
        loss = sum((model(x) - y) ** 2 for x, y in zip(xs, (1.0, -1.0, -1.0, 1.0), strict=True))
        model.zero_grad()
        loss.backward()
        numbers[f"loss {step}"] = loss.data
        for name, p in model.named_parameters():
            numbers[f"{name}.grad {step}"] = p.grad
            p.data -= 0.01 * p.grad
            numbers[f"{name} {step}"] = p.data
    return numbers


def second_order() -> dict[str, float]:
    from micrograd import Value, grad

    x, y = Value(0.7), Value(-1.3)
    z = (x * y).tanh() * x.exp() + (x**2 + 1).log() / y
    first = grad(z, [x, y], create_graph=True)
    numbers = {"z": z.data, "x": first[0].data, "y": first[1].data}
    for name, g in zip("xy", first, strict=True):
        numbers[f"{name}x"], numbers[f"{name}y"] = (v.data for v in grad(g, [x, y]))
    return numbers


def own_operation() -> dict[str, float]:
    from micrograd import Value, grad, op

    softsign = op("softsign", lambda x: x / (1 + abs(x)), [lambda x, out: (1 + abs(x)) ** -2])
    x = Value(-0.4)
    y = softsign(x * 3)
    slope = grad(y, x, create_graph=True)
    return {"y": y.data, "slope": slope.data, "bend": grad(slope, x).data}


def expression() -> dict[str, float]:
    from micrograd.expression import evaluate

    value, parts = evaluate("tanh(x*w + b)/(1 + exp(-x))**0.5", {"x": 2.0, "w": -3.0, "b": 6.88})
    value.backward()
    numbers = {f"{text} {what}": getattr(v, what) for text, v in parts for what in ("data", "grad")}
    assert len(numbers) > 15
    return numbers


def near(there: dict[str, float], here: dict[str, float]) -> bool:
    return there.keys() == here.keys() and all(
        abs(there[name] - x) <= 1e-14 * max(1.0, abs(x)) for name, x in here.items()
    )


@pytest.mark.parametrize("numbers", [neuron, network, second_order, own_operation, expression])
def test_numbers_equal_those_of_cpython(
    numbers: Callable[[], dict[str, float]], python: Python
) -> None:
    here = numbers()
    assert near(python.call(numbers), here)
    for name in here:
        assert not near({**here, name: here[name] + 2e-14 * max(1.0, abs(here[name]))}, here)


def texts() -> list[str]:
    import micrograd
    from micrograd import Value
    from micrograd.gradcheck import GradcheckError, gradcheck

    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.88, label="b")
    y = (x * w + b).tanh()
    y.label = "y"
    y.backward()
    report = micrograd.check(y, {"x": x.grad, "w": -w.grad, "b": "one half"})
    said = [str(micrograd.explain(y)), str(micrograd.explain(y, wrt=w)), str(report)]
    assert gradcheck(lambda a, c: (a * c).tanh() + a / c, [1.0, 2.0], order=2)
    wrong = micrograd.op("wrong", lambda x: x * x, [lambda x, out: 3 * x])
    try:
        gradcheck(wrong, [1.5])
    except GradcheckError as error:
        return [*said, str(error).partition("\n")[0]]
    raise AssertionError("a wrong rule was not found")


def test_explanations_marks_and_gradient_checks_say_the_same(python: Python) -> None:
    here = texts()
    assert python.call(texts) == here
    assert "tanh" in here[0] and len(here) == 4


def command_line(*words: str) -> str:
    import contextlib
    import io
    import runpy

    sys.argv = ["micrograd", *words]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            runpy.run_module("micrograd", run_name="__main__")
        except SystemExit as end:
            assert end.code == 0
    return printed.getvalue()


@pytest.mark.parametrize("command", ["grad", "explain"])
def test_the_command_line_prints_the_same(command: str, python: Python) -> None:
    words = [command, "tanh(x1*w1 + x2*w2 + b)", "x1=2", "x2=0", "w1=-3", "w2=1", "b=6.88"]
    here = subprocess.run(
        [sys.executable, "-m", "micrograd", *words],
        env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True, encoding="utf-8", check=True,
    ).stdout  # fmt: skip
    assert python.call(command_line, *words) == here != ""


# --- deep graphs are freed ------------------------------------------------------------------------


def unary(nodes: int) -> Value:
    from micrograd import Value

    v = Value(0.5)
    for _ in range(nodes):
        v = v.tanh()
    return v


def doubled(nodes: int) -> Value:
    """Each node is both inputs of the next."""
    from micrograd import Value

    v = Value(1.0)
    for _ in range(nodes // 2):
        v = (v + v) * 0.5
    return v


def three_inputs(nodes: int) -> Value:
    from micrograd import Value, where

    v, yes = Value(0.5), Value(1.0)
    for _ in range(nodes):
        v = where(yes, v, yes)
    return v


def closures(nodes: int) -> Value:
    """As in the video: a node's closure holds its input and the node itself."""
    from micrograd import Value

    def copied(v: Value) -> Value:
        out = Value(v.data, (v,), "copy")

        def _backward() -> None:
            v.grad += out.grad

        out._backward = _backward  # type: ignore[method-assign]
        return out

    v = Value(0.5)
    for _ in range(nodes):
        v = copied(v)
    return v


def wrapped_closures(nodes: int) -> Value:
    from micrograd import Value

    v = Value(0.5)
    for _ in range(nodes):
        v = v * 1.0
        v._backward = lambda old=v._backward: old()  # type: ignore[misc]
    return v


def own_class(nodes: int) -> Value:
    from micrograd import Value

    class Own(Value):
        pass

    v = Own(0.5)
    for _ in range(nodes):
        v = Own(v.data, (v,), "own")
    return v


def gradient(nodes: int) -> Value:
    """The chain that the derivative of a chain is."""
    from micrograd import Value, grad

    x = v = Value(0.5)
    for _ in range(nodes // 4):
        v = v.tanh()
    return grad(v, x, create_graph=True)


def freed(make: Callable[[int], Value], nodes: int) -> int:
    """The number of nodes of a chain that has been walked back and is gone."""
    import gc
    import weakref

    from micrograd.engine import topological_order

    v = make(nodes)
    v.backward()
    order = topological_order(v)
    count, ends = len(order), [weakref.ref(order[0]), weakref.ref(order[len(order) // 2])]
    del order, v
    gc.collect()  # closures that hold their own node are a cycle
    assert [end() for end in ends] == [None, None]
    return count


CHAINS = (unary, doubled, three_inputs, closures, wrapped_closures, own_class, gradient)


@pytest.mark.parametrize("make", CHAINS)
def test_a_chain_of_100_000_nodes_is_freed(make: Callable[[int], Value], python: Python) -> None:
    assert python.call(freed, make, 100_000) >= 100_000


def test_a_chain_of_a_million_nodes_is_freed(python: Python) -> None:
    assert python.call(freed, unary, 1_000_000) == 1_000_001


@pytest.mark.parametrize("task", TASKS)
def test_deep_graphs_are_walked_copied_and_pickled(task: str, python: Python) -> None:
    assert f"nodes = {NODES}\n" in SETUP
    setup = SETUP.replace(f"nodes = {NODES}\n", "nodes = 100_000\n")
    python.run(f"{setup}\n{TASKS[task]}\ngc.enable()")


def nested(nodes: int) -> None:
    """Without the finaliser: a node's inputs die inside its own death."""
    from micrograd import Value
    from micrograd.node import Node, free_one_by_one

    free_one_by_one(Node, on=False)
    v = Value(0.5)
    for _ in range(nodes):
        v = v.tanh()


def test_without_the_finaliser_the_interpreter_dies() -> None:
    with interpreter() as opened:
        opened.call(nested, 100)
        with pytest.raises(Died, match="Maximum call stack size exceeded"):
            opened.call(nested, 100_000)
        assert opened.process.returncode == 1
