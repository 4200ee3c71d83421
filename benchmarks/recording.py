"""What recording costs: time and peak memory of a first lifted call against the number of nodes.

Two kinds of graph: the demo as plain loops (a node for each product and sum), and the makemore MLP
with layers (a node for each unit, of 61 or 401 inputs), both recorded in full. Proportion is a
slope of 1 on logarithmic axes.
"""

from __future__ import annotations

import resource
import sys
from time import perf_counter as clock
from typing import Any

import numpy as np

from benchmarks import harness, tables
from benchmarks.models import demo, makemore
from micrograd import lift

TITLE = "Recording: time and memory against the size of the graph"
REPEAT = 3
NODES_HELD_TO = 3.0  # microseconds a scalar node, from 10,000 to 1,000,000
SIZES = {  # examples; a demo example has 654 nodes, a makemore example 23,027 inputs of nodes
    "scalar nodes": (15, 48, 153, 484, 1529),
    "inputs of dots": (14, 43, 136, 430),
}


def measure(kind: str, examples: int) -> None:
    if kind == "scalar nodes":
        loss = lift(demo.with_loops(demo.numbers()).loss)
        batch = demo.batch(examples)
    else:
        loss = lift(makemore.with_layers(makemore.numbers()).loss)
        (batch,) = makemore.batches(1, examples)
    before = peak()
    start = clock()
    loss(*batch)
    seconds = clock() - start
    if kind == "scalar nodes":
        nodes = sum(i.replaces for i in loss.program.recording.layout.instructions)
    else:
        nodes = examples * (200 * 61 + 27 * 401)
    harness.report(nodes=nodes, seconds=seconds, bytes=peak() - before)


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
        for examples in sizes:
            runs = [
                harness.fresh("benchmarks.recording", kind, str(examples)) for _ in range(REPEAT)
            ]
            found.append({key: harness.median([run[key] for run in runs]) for key in runs[0]})
            nodes, seconds, size = (found[-1][key] for key in ("nodes", "seconds", "bytes"))
            rows.append(
                {
                    "graph": f"{nodes:,} {kind}",
                    "seconds": seconds,
                    "µs each": seconds / nodes * 1e6,
                    "peak MB": size / 1e6,
                    "bytes each": size / nodes,
                }
            )
            if kind == "scalar nodes" and rows[-1]["µs each"] > NODES_HELD_TO:
                failed.append(f"{rows[-1]['µs each']:.2f} µs a node at {nodes:,} nodes")
        nodes = [run["nodes"] for run in found]
        time_slope = slope(nodes, [run["seconds"] for run in found])
        memory_slope = slope(nodes, [run["bytes"] for run in found])
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
    measure(sys.argv[1], int(sys.argv[2]))
