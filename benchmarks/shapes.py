"""Shapes that arrays find hard, as plain loops: recording, and a step beside PyTorch's.

A step is forward and backward from the same parameters, without an update. The losses are in
`models/shapes.py`, PyTorch's in `peers/torch_shapes.py`; losses and gradients must be equal to
1e-9. `python -m benchmarks.shapes` measures all, or those that are named.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import perf_counter as clock
from typing import Any

import numpy as np

from benchmarks import harness, instruction_counts, tables
from benchmarks.models.shapes import SHAPES, Shape
from micrograd import Value, grads, lift

__all__ = ["compare", "count", "measure", "values"]

TITLE = "Tables, recurrences and ragged rows, from plain loops"
REPEAT = 3


def values(shape: Shape) -> list[np.ndarray]:
    make = np.frompyfunc(Value, 1, 1)
    return [np.asarray(make(array), dtype=object) for array in shape.arrays]


def count(shape: Shape) -> int:
    """The instructions that `lift` finds."""
    arrays = values(shape)
    loss = lift(lambda: shape.loss(*arrays))
    loss()
    return instruction_counts.count(loss.program)[0]


def measure(name: str, how: str) -> None:
    shape = SHAPES[name]
    if how == "torch":
        return with_torch(name, shape)
    arrays = values(shape)
    eager = how == "eager"
    loss: Callable[[], Any] = lambda: shape.loss(*arrays)
    found: dict[str, Any] = {}
    if not eager:
        loss = lift(loss, executor="native" if how == "native" else "numpy")
        start = clock()
        loss()
        found["record"] = clock() - start
        instructions = loss.program.recording.layout.instructions
        found["nodes"] = sum(i.replaces for i in instructions)
        found["instructions"] = len(instructions)
    result = loss()
    result.backward()
    gradients = np.concatenate([grads(a).ravel() for a in arrays])
    found |= {"loss": float(result.data), "gradients": gradients.tolist()}
    steps = 3 if eager else 20 if found["instructions"] > 1000 else 300
    harness.report(**found, **harness.seconds(lambda: loss().backward(), steps))
    return None


def with_torch(name: str, shape: Shape) -> None:
    import torch

    from benchmarks.peers.torch_shapes import LOSSES

    loss = LOSSES[name]
    tensors = [torch.tensor(array, requires_grad=True) for array in shape.arrays]
    result = loss(*tensors)
    result.backward()
    gradients = torch.cat([t.grad.ravel() for t in tensors if t.grad is not None])

    def step() -> None:
        for tensor in tensors:
            tensor.grad = None
        loss(*tensors).backward()

    steps = 3 if max(map(len, shape.arrays)) > 1000 else 100
    harness.report(loss=result.item(), gradients=gradients.tolist(), **harness.seconds(step, steps))


def compare(a: dict[str, Any], b: dict[str, Any]) -> None:
    """Raise where losses or gradients differ by more than 1e-9 of the largest."""
    for key in ("loss", "gradients"):
        x, y = np.atleast_1d(a[key]), np.atleast_1d(b[key])
        if x.shape != y.shape or not np.abs(x - y).max() <= 1e-9 * max(1.0, np.abs(y).max()):
            raise AssertionError(f"{key} differ by {np.abs(x - y).max()}")


def row(name: str) -> dict[str, Any]:
    """One line of the table."""
    shape = SHAPES[name]
    runs = {
        how: [harness.fresh("benchmarks.shapes", "--measure", name, how) for _ in range(times)]
        for how, times in (("lift", REPEAT), ("native", REPEAT), ("torch", REPEAT), ("eager", 1))
    }
    ours = runs["lift"][0]
    for how in ("native", "torch", "eager"):
        compare(ours, runs[how][0])
    best = {how: harness.median([run["seconds"] for run in found]) for how, found in runs.items()}
    return {
        "loss": shape.title,
        "scalar nodes": ours["nodes"],
        "instructions": ours["instructions"],
        "first call, s": harness.median([run["record"] for run in runs["lift"]]),
        "eager, ms": best["eager"] * 1e3,
        "lift, ms": best["lift"] * 1e3,
        "native, ms": best["native"] * 1e3,
        "PyTorch, ms": best["torch"] * 1e3,
        "PyTorch / lift": best["torch"] / best["lift"],
        "PyTorch / native": best["torch"] / best["native"],
    }


def main() -> int:
    path = tables.RESULTS / "shapes.json"
    known = json.loads(path.read_text())["rows"] if path.exists() else []
    found = {line["loss"]: line for line in known}
    failed = []
    for name in sys.argv[1:] or SHAPES:
        shape = SHAPES[name]
        line = found[shape.title] = row(name)
        if line["instructions"] > shape.limit:
            failed.append(f"{shape.title}: {line['instructions']} instructions")
    rows = [found[shape.title] for shape in SHAPES.values() if shape.title in found]
    notes = [
        "Forward and backward; each figure is the median of three fresh processes on one core, "
        "each the median of many steps; one process for eager. Losses and gradients equal.",
        "First call: recording, finding the program, one forward run.",
        "PyTorch: tables by antidiagonals, CTC by its own function, recurrences step by step, "
        "neighbours as a matrix, causal attention by `scaled_dot_product_attention`.",
    ]
    print(tables.save("shapes", TITLE, rows, harness.machine("numpy", "torch", "llvmlite"), notes))
    print(*failed, sep="\n")
    return len(failed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:4])
    else:
        sys.exit(main())
