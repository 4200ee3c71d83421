"""What recording costs: time and peak memory of a first lifted call against the size of the graph.

Regular graphs: the demo as plain loops (a node for each product and sum), and the makemore MLP with
layers (a node for each unit, of 61 or 401 inputs). Irregular ones, as eager code builds them, a
Value for each operation and number: a table filled cell by cell, an irregular formula, two numbers
that read each other. All are recorded in full. Proportion is a slope of 1 on logarithmic axes.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from time import perf_counter as clock
from typing import Any

import numpy as np

from benchmarks import harness, tables
from benchmarks.models import demo, makemore, shapes
from micrograd import lift, values
from micrograd.engine import topological_order

TITLE = "Recording: time and memory against the size of the graph"
REPEAT = 3
HELD_TO = {  # microseconds each, at all these sizes
    "scalar nodes": 3.0,
    "Values of a table": 4.0,
    "Values of a formula": 4.0,
    "Values of coupled numbers": 5.0,  # 3 up to 100,000; then memory is further away
}
SIZES = {
    "scalar nodes": (15, 48, 153, 484, 1529),  # examples of 654 nodes
    "inputs of dots": (14, 43, 136, 430),  # examples of 23,027 inputs
    "Values of a table": (45, 80, 140, 230),  # soft-DTW of two series as long as that
    "Values of a formula": (15_000, 45_000, 150_000, 450_000),  # operations
    "Values of coupled numbers": (1_400, 4_000, 14_000, 43_000),  # steps
}


def formula(operations: int) -> Callable[[Any], Any]:
    """Random operations, each of the last number and of an input."""
    drawn = np.random.default_rng(0).integers(0, 5, operations).tolist()
    rows: list[Callable[[Any, Any], Any]] = [
        lambda a, b: a + b,
        lambda a, b: a * b,
        lambda a, b: a.tanh(),
        lambda a, b: a - b,
        lambda a, b: a * 0.5 + b * 0.1,
    ]

    def function(x: Any) -> Any:
        last = x[0]
        for k, number in enumerate(drawn):
            last = rows[number](last, x[7 * k % len(x)])
        return last

    return function


def program(kind: str, size: int) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A loss and its arguments."""
    if kind == "scalar nodes":
        return demo.with_loops(demo.numbers()).loss, demo.batch(size)
    if kind == "inputs of dots":
        (batch,) = makemore.batches(1, size)
        return makemore.with_layers(makemore.numbers()).loss, batch
    normal = shapes.normal
    if kind == "Values of a table":
        return shapes.soft_dtw, (values(normal(size)), values(normal(size, seed=1)))
    if kind == "Values of a formula":
        return formula(size), (values(normal(20)),)
    rates = shapes.SHAPES["predators"].arrays[0]
    return shapes.predators, (values(rates), values(normal(size)))


def measure(kind: str, size: int) -> None:
    function, arguments = program(kind, size)
    loss = lift(function)
    before = peak()
    start = clock()
    loss(*arguments)
    harness.report(seconds=clock() - start, bytes=peak() - before)


def count(kind: str, size: int) -> None:
    """How large the graph is."""
    if kind == "inputs of dots":
        harness.report(nodes=size * (200 * 61 + 27 * 401))
        return
    function, arguments = program(kind, size)
    if kind == "scalar nodes":
        loss = lift(function)
        loss(*arguments)
        nodes = sum(i.replaces for i in loss.program.recording.layout.instructions)
    else:
        nodes = len(topological_order(function(*arguments)))
    harness.report(nodes=nodes)


def peak() -> int:
    """The most memory that this process has held, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def slope(x: list[float], y: list[float]) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def main() -> int:
    rows, notes, failed = [], [], []
    for kind, sizes in SIZES.items():
        found: list[dict[str, Any]] = []
        for size in sizes:
            call = "benchmarks.recording", kind, str(size)
            nodes = harness.fresh(*call, "count")["nodes"]
            runs = [harness.fresh(*call) for _ in range(REPEAT)]
            middle = {key: harness.median([run[key] for run in runs]) for key in runs[0]}
            found.append({"nodes": nodes, **middle})
            seconds, bytes_ = middle["seconds"], middle["bytes"]
            each = seconds / nodes * 1e6
            rows.append(
                {
                    "graph": f"{nodes:,} {kind}",
                    "seconds": seconds,
                    "µs each": each,
                    "peak MB": bytes_ / 1e6,
                    "bytes each": bytes_ / nodes,
                }
            )
            if each > HELD_TO.get(kind, np.inf):
                failed.append(f"{each:.2f} µs for each of {nodes:,} {kind}")
        counts = [run["nodes"] for run in found]
        time_slope = slope(counts, [run["seconds"] for run in found])
        memory_slope = slope(counts, [run["bytes"] for run in found])
        notes.append(f"Slope over {kind}: time {time_slope:.2f}, memory {memory_slope:.2f}.")
    notes.append(
        f"The first call: recording, finding the program, one forward run; the time that passes. "
        f"Median of {REPEAT} processes on one core; memory is what the call adds to the most that "
        "the process has held."
    )
    print(tables.save("recording", TITLE, rows, harness.machine("numpy"), notes))
    print("\n".join(failed))
    return len(failed)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        raise SystemExit(main())
    (measure if len(sys.argv) == 3 else count)(sys.argv[1], int(sys.argv[2]))
