"""Training steps of eight networks, lifted from scalars, beside NumPy, PyTorch, JAX and scalars.

Every engine runs in a process of its own on one core, in turn, from the same numbers on the same
batches, in float64; losses and gradients must be equal to 1e-9. `python -m benchmarks.lift`
measures every row; `python -m benchmarks.lift demo-100 gpt-1` measures these, and leaves the others
as they are in `results/lift.json`; `--table` writes table and picture anew. The problems are in
`rows`, the networks in `models/`, the peers in `peers/`.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import cycle
from typing import Any

import numpy as np

from benchmarks import harness, tables
from benchmarks.models import gpt
from benchmarks.rows import OURS, ROWS, SLOW, Row, contestants, engine

__all__ = ["figures", "measure", "same"]

ORIGINAL = "micrograd==0.1.0"
REPEAT = 3  # processes for each contestant
NEAR = 1.25  # an engine's ways that take longer than this times its fastest run once only


def contestant(row: Row, name: str) -> Any:
    numbers = import_module(f"benchmarks.models.{row.network}").numbers()
    common = (row.network, numbers, row.optimiser, row.lr)
    kind, *ways = name.split("-")
    if engine(name) in OURS:
        from benchmarks.peers import ours

        executor, how = ("native", ways[0]) if kind == "native" else ("numpy", kind)
        return ours.Contestant(*common, f"with_{how}", row.batched, executor)
    if kind == "numpy":
        from benchmarks.peers import by_hand

        return by_hand.Contestant(*common)
    if kind == "jax":
        from benchmarks.peers import with_jax

        return with_jax.Contestant(*common, ways[0], ways[1] == "donated")
    if kind == "scalar":
        from benchmarks.peers import with_scalars

        return with_scalars.Contestant(*common)
    from benchmarks.peers import with_torch

    return with_torch.Contestant(*common, ways[0] if ways else kind)


def measure(row: Row, name: str) -> dict[str, Any]:
    """Seconds a step (the median; the mean of a whole training), and what came out."""
    one = contestant(row, name)
    given = row.batches()
    if name.endswith("padded"):  # one program for names of every length
        given = [gpt.padded([[*letters, 0]]) for letters, _ in given]
    batches = [one.prepare(batch) for batch in given]
    if row.whole:
        return whole(one, batches[:SLOW] if name == "scalar" else batches)
    start = time.perf_counter()
    loss, gradients = one.gradients(batches[0])
    first = time.perf_counter() - start
    losses = [loss] + [number(one.step(batch)) for batch in batches[:2]]
    if name == "scalar":  # has nothing to warm up
        steps = min(SLOW, 5 * len(batches))
    else:
        steps = row.steps
        for batch in batches:  # every shape once, outside the clock
            one.step(batch)
    turn = cycle(batches)
    return {
        **harness.seconds(lambda: one.step(next(turn)), steps),
        **({"operations": operations(row, one, batches)} if engine(name) in OURS else {}),
        "first": first,
        "losses": losses,
        "gradients": {name: array.ravel().tolist() for name, array in gradients.items()},
    }


def operations(row: Row, one: Any, batches: Sequence[Any]) -> float:
    """The arithmetic of a step, the mean over the batches."""
    from benchmarks import arithmetic  # imports ours

    programs = [one.program(batch) for batch in batches]
    counts = {p: arithmetic.of_step(p.program, row.optimiser) for p in dict.fromkeys(programs)}
    return statistics.fmean(counts[p] for p in programs)


def whole(one: Any, batches: Sequence[Any]) -> dict[str, Any]:
    """The mean of a training from its first step on."""
    processor, start = time.process_time(), time.perf_counter()
    losses = [number(one.step(batch)) for batch in batches]
    passed, computed = time.perf_counter() - start, time.process_time() - processor
    count = len(batches)
    return {"seconds": passed / count, "processor": computed / count, "losses": losses[:3]}


def number(loss: Any) -> float:
    return float(loss.item() if hasattr(loss, "item") else loss)


def same(a: dict[str, Any], b: dict[str, Any]) -> None:
    """Raise where losses or gradients differ by more than 1e-9 of the largest in their array."""
    gradients, others = a.get("gradients", {}), b.get("gradients", {})
    if gradients.keys() != others.keys():
        raise AssertionError(f"gradients of {list(gradients)} beside those of {list(others)}")
    compare("losses", a["losses"], b["losses"])
    for name in gradients:
        compare(name, gradients[name], others[name])


def compare(what: str, a: list[float], b: list[float]) -> None:
    difference, largest = np.abs(np.subtract(a, b)).max(), np.abs(b).max()
    if not difference <= 1e-9 * largest:  # nan is not
        raise AssertionError(f"{what}: differ by {difference:.3g}, the largest is {largest:.3g}")


def figures(
    key: str, run: Callable[[str], dict[str, Any]] | None = None
) -> dict[str, dict[str, Any]]:
    """Run every contestant of a row in turn; the medians of their processes, if all are equal."""
    row = ROWS[key]
    run = run or (lambda name: harness.fresh("benchmarks.lift", "--measure", key, name))
    runs: dict[str, list[dict[str, Any]]] = {}
    compiler = shutil.which(os.environ.get("CXX", "g++"))  # which PyTorch calls
    again = contestants(row, compiler is not None)
    for repetition in range(REPEAT):
        for name in again:
            try:
                result = run(name)
                same(result, runs[row.ours[0]][0] if runs else result)
            except AssertionError as error:
                raise AssertionError(f"{key}, {name}: {error}") from None
            runs.setdefault(name, []).append(result)
        if repetition == 0:
            again = candidates({name: results[0]["seconds"] for name, results in runs.items()})
    return {name: summary(results) for name, results in runs.items()}


def candidates(seconds: dict[str, float]) -> tuple[str, ...]:
    """Those that could be their engine's fastest; scalar engines take long and are far away."""
    fastest: dict[str, float] = {}
    for name, time_taken in seconds.items():
        fastest[engine(name)] = min(time_taken, fastest.get(engine(name), time_taken))
    return tuple(
        name
        for name, time_taken in seconds.items()
        if name != "scalar" and time_taken <= NEAR * fastest[engine(name)]
    )


def summary(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians of a contestant's processes, and the time of each."""
    found = {
        what: statistics.median(result[what] for result in results)
        for what in ("seconds", "processor", "first", "operations")
        if what in results[0]
    }
    return {**found, "processes": [result["seconds"] for result in results]}


def main(arguments: Sequence[str]) -> int:
    from benchmarks import lift_picture, lift_table  # not in the processes that measure

    unknown = [key for key in arguments if key not in ROWS and key != "--table"]
    if unknown:
        print(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
        return 2
    if "--table" not in arguments:
        harness.fetch(ORIGINAL)
        for key in arguments or ROWS:
            print(ROWS[key].title, flush=True)
            merge(key, figures(key))
    found = read()
    print(lift_table.write(found))
    lift_picture.draw(found)
    if len(found) == len(ROWS):
        lift_table.tell(harness.ROOT / "README.md", lift_table.sentence(found))
    failed = [line for key, row in found.items() for line in lift_table.failures(key, row["found"])]
    print("\n".join(failed))
    return len(failed)


def read() -> dict[str, Any]:
    """The rows measured so far, in the order of `ROWS`; each with its machine."""
    path = tables.RESULTS / "lift.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {key: kept[key] for key in ROWS if key in kept}


def merge(key: str, found: dict[str, dict[str, Any]]) -> None:
    about = harness.machine("numpy", "torch", "jax", "llvmlite")
    fastest = harness.fresh("benchmarks.arithmetic")
    tables.write_json("lift", {**read(), key: {"machine": about, **fastest, "found": found}})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        harness.report(**measure(ROWS[sys.argv[2]], sys.argv[3]))
    else:
        raise SystemExit(main(sys.argv[1:]))
