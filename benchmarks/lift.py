"""Training steps of four networks, lifted from scalars, beside PyTorch, JAX and scalar engines.

Every engine runs in a process of its own, in turn, from the same numbers on the same batches, in
float64 on one thread; losses and gradients must be equal to 1e-9. The networks are in `models/`,
the peers in `peers/`. Read `ROWS`, then `measure`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from time import process_time as clock
from typing import Any, NamedTuple

import numpy as np

from benchmarks import harness
from benchmarks.models import demo, gpt, makemore, wavenet

__all__ = ["ENGINES", "ROWS", "same"]

TITLE = "A training step, lifted from scalars, beside the peers"
ORIGINAL = "micrograd==0.1.0"
SLOW = 50  # steps of a scalar engine
RECORDED = 10.0  # seconds that a first call may take
Batches = list[tuple[np.ndarray, ...]]


class Row(NamedTuple):
    """One problem, and how many times faster than each peer we hold ourselves to be."""

    title: str
    network: str
    batches: Callable[[], Batches]
    optimiser: str
    lr: float
    held_to: dict[str, float]
    batched: tuple[str, ...] = ()
    engines: tuple[str, ...] = ("layers", "loops", "torch", "torch-fused", "jax")
    steps: int = 500  # that are timed, after the first ones
    whole: bool = False  # time the batches one after the other from the start, recording included
    repeat: int = 3  # processes for each engine


EVERY = ("layers", "loops", "torch", "torch-fused", "jax", "scalar")
ROWS = {
    "demo-100": Row(
        "demo, batch 100", "demo", lambda: [demo.batch(100)], "sgd", 0.05,
        {"scalar": 5000, "torch": 3.5, "jax": 1.0}, engines=EVERY, steps=2000,
    ),
    "demo-1000": Row(
        "demo, batch 1,000", "demo", lambda: [demo.batch(1000)], "sgd", 0.05,
        {"torch": 1.0}, ("X", "y"), steps=1000,
    ),
    "demo-10000": Row(
        "demo, batch 10,000", "demo", lambda: [demo.batch(10_000)], "sgd", 0.05,
        {"torch": 1.0}, ("X", "y"), steps=100,
    ),
    "gpt-1": Row(
        "GPT, one name", "gpt", lambda: gpt.single(50), "adam", 0.001,
        {"scalar": 400, "torch": 3.0, "torch-fused": 2.5, "jax": 1 / 1.5},
        engines=EVERY, steps=1000,
    ),
    "gpt-1000": Row(
        "GPT, whole training", "gpt", lambda: gpt.single(1000), "adam", 0.001,
        {"scalar": 50}, engines=("layers", "loops", "torch", "jax", "scalar"), whole=True, repeat=1,
    ),
    "gpt-32": Row(
        "GPT, 32 padded names", "gpt", lambda: gpt.batches(8), "adam", 0.001,
        {"torch": 1.0}, ("letters", "following", "mask"), steps=200,
    ),
    "makemore-32": Row(
        "makemore MLP, batch 32", "makemore", lambda: makemore.batches(50), "sgd", 0.1,
        {"torch": 1.3}, ("X", "y"), steps=1000,
    ),
    "wavenet-32": Row(
        "BatchNorm network, batch 32", "wavenet", lambda: wavenet.batches(50), "sgd", 0.1,
        {"torch": 1.0}, ("X", "y"), steps=300,
    ),
}  # fmt: skip
ENGINES = {
    "layers": "lift, with layers",
    "loops": "lift, plain loops",
    "torch": "PyTorch",
    "torch-fused": "PyTorch, fused optimiser",
    "jax": "JAX, jit",
    "scalar": "scalar engine",
}


def contestant(row: Row, engine: str) -> Any:
    numbers = import_module(f"benchmarks.models.{row.network}").numbers()
    common = (row.network, numbers, row.optimiser, row.lr)
    if engine in ("layers", "loops"):
        from benchmarks.peers import ours

        return ours.Contestant(*common, f"with_{engine}", row.batched)
    if engine == "jax":
        from benchmarks.peers import with_jax

        return with_jax.Contestant(*common)
    if engine == "scalar":
        from benchmarks.peers import with_scalars

        return with_scalars.Contestant(*common)
    from benchmarks.peers import with_torch

    return with_torch.Contestant(*common, fused=engine == "torch-fused")


def measure(row: Row, engine: str) -> dict[str, Any]:
    """Seconds a step (the median; the mean of a whole training), and what came out."""
    one = contestant(row, engine)
    batches = [one.prepare(batch) for batch in row.batches()]
    if row.whole:
        batches = batches[:SLOW] if engine == "scalar" else batches
        start = clock()
        losses = [number(one.step(batch)) for batch in batches]
        seconds = (clock() - start) / len(batches)
        return {"seconds": seconds, "losses": losses[:3]}
    start = clock()
    loss, gradients = one.gradients(batches[0])
    first = clock() - start
    losses = [loss] + [number(one.step(batch)) for batch in batches[:2]]
    steps = min(SLOW, 5 * len(batches)) if engine == "scalar" else row.steps
    if engine != "scalar":  # it has nothing to warm up
        for batch in batches:  # every shape once, outside the clock
            one.step(batch)
    times, kept = [], None
    for i in range(steps):
        batch = batches[i % len(batches)]
        start = clock()
        kept = one.step(batch)
        times.append(clock() - start)
    del kept
    return {
        "seconds": harness.median(times),
        "first": first,
        "losses": losses,
        "gradients": {name: array.ravel().tolist() for name, array in gradients.items()},
    }


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


def figures(key: str) -> dict[str, dict[str, float]]:
    """Run every engine of a row in turn; the median of its processes, if all computed the same."""
    row = ROWS[key]
    runs: dict[str, list[dict[str, Any]]] = {}
    for repetition in range(row.repeat):
        for engine in row.engines:
            if engine == "scalar" and repetition:
                continue  # half a minute each, and far from any decision
            runs.setdefault(engine, []).append(harness.fresh("benchmarks.lift", key, engine))
            same(runs[engine][-1], runs["layers"][0])
    return {
        engine: {
            what: harness.median([result[what] for result in results])
            for what in ("seconds", "first")
            if what in results[0]
        }
        for engine, results in runs.items()
    }


def failures(key: str, found: dict[str, dict[str, float]]) -> list[str]:
    """What this row is held to and does not reach."""
    row, ours = ROWS[key], found["layers"]
    failed = []
    for peer, times in row.held_to.items():
        reached = found[peer]["seconds"] / ours["seconds"]
        if reached < times:
            failed.append(f"{row.title}: {reached:.3g} x {ENGINES[peer]}, held to {times:.3g}")
    if ours.get("first", 0.0) > RECORDED:
        failed.append(f"{row.title}: the first call took {ours['first']:.1f} s")
    return failed


def picture(results: dict[str, dict[str, dict[str, float]]]) -> None:
    """A bar for each engine, grouped by problem, on a logarithmic axis."""
    import matplotlib.pyplot as plt  # not in the processes that measure

    colours = dict(zip(ENGINES, ("C0", "#8ab6d6", "C1", "#f2b880", "C2", "0.6"), strict=True))
    figure, axes = plt.subplots(figsize=(8, 9.5), layout="constrained")
    y, ticks = 0.0, []
    for found in results.values():
        top = y
        for engine, times in found.items():
            value = times["seconds"] * 1e6
            axes.barh(y, value, 0.85, color=colours[engine])
            axes.text(value * 1.08, y, f"{value:,.0f}", va="center", fontsize=7)
            y += 1
        ticks.append((top + y - 1) / 2)
        y += 0.8
    axes.set_yticks(ticks, [ROWS[key].title.replace(", ", ",\n", 1) for key in results])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(10)
    axes.margins(x=0.12, y=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("µs a training step, on a logarithmic axis: shorter is better")
    used = [engine for engine in ENGINES if any(engine in found for found in results.values())]
    patches = [plt.Rectangle((0, 0), 1, 1, color=colours[engine]) for engine in used]
    axes.legend(
        patches, [ENGINES[engine] for engine in used], loc="upper center", ncols=3,
        bbox_to_anchor=(0.4, 1.06), frameon=False,
    )  # fmt: skip
    plt.rcParams["svg.hashsalt"] = "lift"
    figure.savefig(harness.RESULTS / "lift.svg", metadata={"Date": None})
    plt.close(figure)


def main() -> int:
    harness.fetch(ORIGINAL)
    results = {}
    for key, row in ROWS.items():
        print(row.title, flush=True)
        results[key] = figures(key)
    return write(results)


def write(results: dict[str, dict[str, dict[str, float]]]) -> int:
    """The table and the picture; how many of the things that we are held to are not reached."""
    rows, failed = [], []
    for key, found in results.items():
        failed += failures(key, found)
        line: dict[str, Any] = {"µs a step": ROWS[key].title}
        for engine, name in ENGINES.items():
            line[name] = found[engine]["seconds"] * 1e6 if engine in found else ""
        line["PyTorch / lift"] = found["torch"]["seconds"] / found["layers"]["seconds"]
        line["first call, s"] = found["layers"].get("first", "")
        rows.append(line)
    notes = [
        "Losses and gradients of all engines in a row equal to 1e-9, from the same parameters.",
        "Each figure: the median of three fresh processes, taken in turn, each the median of many "
        "steps: forward, backward, update. One process for scalar engines and whole trainings. All "
        "in float64, one thread, cycle collector on.",
        "Processor time of the process: on an idle machine that is the time that passes, on a busy "
        "one it leaves out the waiting for others.",
        "Scalar engine: micrograd 0.1.0 for the demo, `peers/scalar.py` for the GPT.",
        "Whole training: the mean of 1,000 names, recording (JAX: compiling) of "
        f"every length included; the scalar engine over {SLOW} of them.",
        "First call: recording and the first step of `lift, with layers`.",
        "JAX compiles loss, gradient and update into one function and donates the parameters.",
    ]
    about = harness.machine("numpy", "torch", "jax")
    print(harness.save("lift", TITLE, rows, about, notes))
    picture(results)
    print("\n".join(failed))
    return len(failed)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        raise SystemExit(main())
    harness.report(**measure(ROWS[sys.argv[1]], sys.argv[2]))
