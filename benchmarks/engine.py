"""One step of the moons classifier on scalars: this engine beside the original, as users run both.

The step is that of the original's demo: 100 samples through MLP(2, [16, 16, 1]), hinge loss and L2,
backward, update. Both engines run the very same function, `step`; after three steps their losses
and gradients must be equal.
"""

from __future__ import annotations

import gc
import importlib.util
import random
import sys
import tracemalloc
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

import micrograd
from benchmarks import harness, tables
from micrograd import data, nn

TITLE = "A step of the moons classifier, one Value a number"
ORIGINAL = "micrograd==0.1.0"
REPEAT = 3  # processes for each row
FASTER = {"on": 10.0, "off": 2.8}  # what we hold ourselves to
BYTES = 136.0


def load(contestant: str) -> tuple[type, ModuleType]:
    """`Value` and the module `nn` of ours, or of the original under another name."""
    if contestant == "ours":
        return micrograd.Value, nn
    folder = harness.fetch(ORIGINAL) / "micrograd"
    sys.modules["original"] = ModuleType("original")
    engine = _module("original.engine", folder / "engine.py")
    # the original's nn imports `micrograd.engine`: for that moment this name means the original's
    own = sys.modules["micrograd.engine"]
    sys.modules["micrograd.engine"] = engine
    try:
        return engine.Value, _module("original.nn", folder / "nn.py")
    finally:
        sys.modules["micrograd.engine"] = own


def _module(name: str, path: Any) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def problem(Value: type, networks: ModuleType) -> tuple[Any, Callable[[], Any], Callable[[], Any]]:
    """The model, a function that builds the loss, and one that makes a whole step of it."""
    random.seed(1337)
    model = networks.MLP(2, [16, 16, 1])
    X, classes = data.moons(100, noise=0.1, seed=1337)
    y = 2 * classes - 1

    def loss() -> Any:
        inputs = [[Value(float(number)) for number in row] for row in X]
        scores = [model(x) for x in inputs]
        losses = [(1 + -int(yi) * score).relu() for yi, score in zip(y, scores, strict=True)]
        penalty = 1e-4 * sum(p * p for p in model.parameters())
        return sum(losses) * (1 / len(losses)) + penalty

    def step() -> Any:
        total = loss()
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= 0.5 * p.grad
        return total

    return model, loss, step


def nodes_below(root: Any) -> list[Any]:
    seen, stack = {root}, [root]
    while stack:
        for node in stack.pop()._prev:
            if node not in seen:
                seen.add(node)
                stack.append(node)
    return list(seen)


def measure(contestant: str, collector: str) -> None:
    Value, networks = load(contestant)
    sys.setrecursionlimit(100_000)  # the original's backward recurses
    model, _, step = problem(Value, networks)
    losses = [float(step().data) for _ in range(3)]
    gradients = [float(p.grad) for p in model.parameters()]
    gc.collect()
    (gc.enable if collector == "on" else gc.disable)()
    # with the collector off, neither engine's graph is freed inside the clock
    between = None if collector == "on" else gc.collect
    repeat = 15 if contestant == "ours" else 5
    times = harness.seconds(step, repeat, between)
    harness.report(losses=losses, gradients=gradients, **times)


def measure_memory(contestant: str) -> None:
    """Bytes a node after backward, when every node holds two numbers."""
    Value, networks = load(contestant)
    sys.setrecursionlimit(100_000)
    model, loss, _ = problem(Value, networks)
    for p in model.parameters():
        p.grad = 0.5  # parameters and their numbers were there before
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    total = loss()
    total.backward()
    gc.collect()
    size = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    nodes = len(nodes_below(total))
    harness.report(bytes=size / (nodes - len(model.parameters())), nodes=nodes)


def same(a: dict[str, Any], b: dict[str, Any]) -> None:
    """Raise where losses or gradients differ by more than the order of a sum explains."""
    for what in ("losses", "gradients"):
        np.testing.assert_allclose(a[what], b[what], rtol=1e-9, atol=1e-12, err_msg=what)


def main() -> int:
    harness.fetch(ORIGINAL)
    memory = {c: harness.fresh("benchmarks.engine", c, "memory") for c in ("ours", "original")}
    assert memory["ours"]["nodes"] == memory["original"]["nodes"], memory
    rows, failed = [], []
    for collector in ("on", "off"):
        runs: dict[str, list[dict[str, Any]]] = {"original": [], "ours": []}
        for _ in range(REPEAT):
            for contestant in runs:  # in turn, so that a slow minute of the machine meets both
                runs[contestant].append(harness.fresh("benchmarks.engine", contestant, collector))
                same(runs[contestant][-1], runs["original"][0])
        times = {c: harness.median([r["seconds"] for r in runs[c]]) for c in runs}
        for contestant, name in (("original", "micrograd 0.1.0"), ("ours", "this package")):
            rows.append(
                {
                    "engine": f"{name}, collector {collector}",
                    "ms a step": times[contestant] * 1e3,
                    "times faster": times["original"] / times[contestant],
                    "bytes a node": memory[contestant]["bytes"],
                }
            )
        if rows[-1]["times faster"] < FASTER[collector]:
            failed.append(f"collector {collector}: less than {FASTER[collector]} times faster")
    if memory["ours"]["bytes"] > BYTES:
        failed.append(f"more than {BYTES:.0f} bytes a node")
    notes = [
        f"{memory['ours']['nodes']:,} nodes; losses and gradients equal to 1e-9 in every run.",
        f"Each row: the median of {REPEAT} fresh processes on one core, each the median of several "
        "steps, by the time that passes.",
        "Collector on is Python as it starts; off, both graphs are freed outside the clock.",
        "Bytes include both numbers of a node, after backward.",
    ]
    print(tables.save("engine", TITLE, rows, harness.machine("numpy"), notes))
    print("\n".join(failed))
    return len(failed)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        raise SystemExit(main())
    if sys.argv[2] == "memory":
        measure_memory(sys.argv[1])
    else:
        measure(sys.argv[1], sys.argv[2])
