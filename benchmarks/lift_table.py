"""The table of `lift.py`: each engine's fastest way, in bold where ours is behind."""

from __future__ import annotations

import math
import statistics
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.rows import ENGINES, OURS, ROWS, SLOW, engine, native

__all__ = ["best", "failures", "fastest_other", "line", "notes", "sentence", "tell", "write"]

TITLE = "A training step, lifted from scalars, beside the peers"
RECORDED = 10.0  # seconds that a first call may take
START, END = "<!-- from results/lift.json -->", "<!-- end -->"
Found = dict[str, dict[str, Any]]  # by contestant


def best(found: Found) -> dict[str, tuple[str, float]]:
    """By engine: its fastest contestant of those that ran to the end, and the seconds."""
    chosen: dict[str, tuple[str, float]] = {}
    rounds = max(len(one["processes"]) for one in found.values())
    for name, one in found.items():
        kind = engine(name)
        dropped = len(one["processes"]) < rounds and kind != "scalar"
        if not dropped and (kind not in chosen or one["seconds"] < chosen[kind][1]):
            chosen[kind] = name, one["seconds"]
    return chosen


def fastest_other(found: Found) -> tuple[str, float]:
    """The engine beside ours that takes the least time, and the seconds."""
    others = {kind: s for kind, (_, s) in best(found).items() if kind not in OURS}
    kind = min(others, key=lambda kind: others[kind])
    return kind, others[kind]


def line(key: str, found: Found) -> dict[str, Any]:
    """One line of the table; ours in bold where another engine is faster."""
    chosen = best(found)
    other, seconds = fastest_other(found)
    cells: dict[str, Any] = {"µs a step": ROWS[key].title}
    for kind, title in ENGINES.items():
        if kind not in chosen:
            cells[title] = ""
            continue
        name, took = chosen[kind]
        text = tables.shown(took * 1e6)
        if kind in OURS and took > seconds:
            text = f"**{text}**"
        ways = name.removeprefix(kind).removeprefix("-").replace("-", ", ")
        cells[title] = f"{text} ({ways})" if ways else text
    ratio = seconds / chosen[ROWS[key].ours[0]][1]
    text = f"{ratio:.2f}"
    cells["fastest other"] = ENGINES[other]
    cells["its time / ours"] = f"**{text}**" if ratio < 1 else text
    cells["first call, s"] = found[ROWS[key].ours[0]].get("first", "")
    return cells


def native_line(key: str, row: dict[str, Any]) -> dict[str, Any]:
    """Native code beside the two others that people train with, and beside this core's limit."""
    found, chosen = row["found"], best(row["found"])
    cells: dict[str, Any] = {"as native code": ROWS[key].title}
    for kind in ("jax", "torch"):
        times = [f"{chosen[kind][1] / chosen[native(how)][1]:.2f}" for how in ROWS[key].ours]
        cells[f"{ENGINES[kind].split(',')[0]} / native"] = " / ".join(times)
    one = found[native(ROWS[key].ours[0])]
    cells["first call, s"] = one.get("first", "")
    cells["pays after, steps"] = pays_after(found, ROWS[key].ours[0])
    if "operations" in one:
        cells["operations"] = round(one["operations"])
        rate = one["operations"] / one["seconds"]
        cells["Gflop/s"] = rate / 1e9
        cells["of a product"] = f"{rate / row['product']:.0%}"
    else:
        cells |= dict.fromkeys(("operations", "Gflop/s", "of a product"), "")
    return cells


def pays_after(found: Found, how: str) -> int | str:
    """So many steps of native code are quicker than of NumPy, the first calls included."""
    on_numpy, compiled = found[how], found[native(how)]
    saved = on_numpy["seconds"] - compiled["seconds"]
    if "first" not in compiled or saved <= 0:
        return ""
    return max(1, math.ceil((compiled["first"] - on_numpy["first"]) / saved))


def every_way(key: str, found: Found) -> dict[str, str]:
    """All contestants of the engines that have several, the fastest first."""
    cells = {"µs a step": ROWS[key].title}
    for kind in ("torch", "jax"):
        ways = [(one["seconds"], name) for name, one in found.items() if engine(name) == kind]
        cells[ENGINES[kind]] = ", ".join(
            f"{' '.join(name.split('-')[1:])} {tables.shown(s * 1e6)}" for s, name in sorted(ways)
        )
    return cells


def sentence(results: dict[str, Any]) -> str:
    """What README says about the table."""
    ratios = {}
    for key, row in results.items():
        ours = best(row["found"])[native(ROWS[key].ours[0])][1]
        ratios[key] = fastest_other(row["found"])[1] / ours
    worst = min(ratios, key=lambda key: ratios[key])
    other = ENGINES[fastest_other(results[worst]["found"])[0]]
    where = "furthest behind" if ratios[worst] < 1 else "ahead by least"
    as_native = wins(results, native)
    on_numpy = wins(results, lambda how: how)
    slow = [
        row["found"]["scalar"]["seconds"] / best(row["found"])[ROWS[key].ours[0]][1]
        for key, row in results.items()
        if ROWS[key].scalar
    ]
    return (
        f"Of {len(results)} problems, the lifted step as native code is faster than JAX in "
        f"{as_native['jax']}, than compiled PyTorch in {as_native['compiled']}, than eager PyTorch "
        f"in {as_native['torch']}, and than NumPy written by hand in {as_native['numpy']}; run by "
        f"NumPy, which compiles nothing, in {on_numpy['jax']}, {on_numpy['compiled']}, "
        f"{on_numpy['torch']} and {on_numpy['numpy']}. Native code is {where} in "
        f"“{ROWS[worst].title}”: {other} takes {ratios[worst]:.2f} of its time. "
        f"Scalar engines take {rounded(min(slow))} to {rounded(max(slow))} times as long as the "
        "step on NumPy."
    )


def wins(results: dict[str, Any], ours: Callable[[str], str]) -> dict[str, str]:
    """By engine, in how many rows ours is faster, of all unless said."""
    faster: dict[str, list[bool]] = {"jax": [], "compiled": [], "torch": [], "numpy": []}
    for key, row in results.items():
        chosen = best(row["found"])
        mine = chosen[ours(ROWS[key].ours[0])][1]
        for kind in faster.keys() & chosen.keys():
            faster[kind].append(mine < chosen[kind][1])
    return {
        kind: f"{sum(won)}" + ("" if len(won) == len(results) else f" of {len(won)}")
        for kind, won in faster.items()
    }


def rounded(x: float) -> str:
    """Two digits: 24,312 is 24,000."""
    unit = 10 ** (math.floor(math.log10(x)) - 1)
    return f"{round(x / unit) * unit:,}"


def tell(page: Path, text: str) -> None:
    """Put the sentence between its two marks in a page, in lines of at most 120 characters."""
    before, rest = page.read_text(encoding="utf-8").split(START)
    _, after = rest.split(END)
    lines = textwrap.fill(text, 120)
    page.write_text(f"{before}{START}\n{lines}\n{END}{after}", encoding="utf-8")


def write(results: dict[str, Any]) -> str:
    """Write `results/lift.md` from the rows measured so far, and return its text."""
    lines = [f"# {TITLE}", ""]
    lines += tables.markdown([line(key, row["found"]) for key, row in results.items()])
    lines += ["", *tables.markdown([native_line(key, row) for key, row in results.items()])]
    lines += [
        "",
        *(f"- {note}" for note in notes(results)),
        "",
        "## Every way that was measured",
        "",
    ]
    lines += tables.markdown([every_way(key, row["found"]) for key, row in results.items()])
    text = "\n".join(lines) + "\n"
    (tables.RESULTS / "lift.md").write_text(text, encoding="utf-8")
    return text


def notes(results: dict[str, Any]) -> list[str]:
    machines: dict[str, list[str]] = {}
    for key, row in results.items():
        about = "; ".join(f"{k} {v}" for k, v in row["machine"].items())
        machines.setdefault(about, []).append(key)
    return [
        "**Bold**: here another engine is faster. “Its time / ours” compares the fastest other "
        "with `lift, with layers`, and with plain loops where nothing else was written.",
        "Losses and gradients of all engines in a row equal to 1e-9, from the same parameters.",
        "The time that passes on one core, that every process is pinned to: forward, backward, "
        "update. Each figure is the median of three fresh processes, taken in turn, each the "
        "median of many steps; one process for a scalar engine. float64, cycle collector on.",
        spread(results),
        "Of the ways to run an engine the fastest counts: PyTorch's optimiser plain, foreach or "
        "fused; JAX's parameters as a dict, a list or one flat array, donated or kept. What took "
        "over 1.25 times its engine's fastest ran in one process only. Compiled, in PyTorch and in "
        "JAX, are loss, gradient and update as one function. JAX computes in the thread that calls "
        "(`jax_cpu_enable_async_dispatch` off): on one core that is faster.",
        *without_compiler(results),
        "Scalar engine: micrograd 0.1.0 for the demo, `peers/scalar.py` for the GPT.",
        "Whole training: the mean of 1,000 names, recording or compiling included; a scalar engine "
        f"over {SLOW} of them. Padded to 16 letters, all names are one "
        "program: recorded once, and compiled once in JAX.",
        "First call: recording and the first forward and backward of ours; as native code, "
        "compiling too.",
        "PyTorch / native, JAX / native: each one's fastest way (PyTorch eager) over native code, "
        "where two numbers stand with layers and with plain loops. Pays after: from so many steps "
        "on native code is quicker than NumPy's, first calls included.",
        *limits(results),
        *(
            f"Measured on: {about}" + (f" ({', '.join(keys)})." if len(machines) > 1 else ".")
            for about, keys in machines.items()
        ),
    ]


def limits(results: dict[str, Any]) -> list[str]:
    """What the last columns of the second table mean."""
    products = [row["product"] / 1e9 for row in results.values() if "product" in row]
    if not products:
        return []
    return [
        "Operations: those of the program, forward, backward and update, a product and its sum as "
        "two, an exp as one. Of a product: how many a second native code does, as a share of "
        "what a product of two 512 x 512 matrices reaches on the same core with the fastest "
        f"kernels of OpenBLAS ({statistics.median(products):.0f} Gflop/s)."
    ]


def without_compiler(results: dict[str, Any]) -> list[str]:
    missing = [
        ROWS[key].title
        for key, row in results.items()
        if not ROWS[key].whole and "compiled" not in row["found"]
    ]
    return [f"No C++ compiler for PyTorch when measuring {', '.join(missing)}."] if missing else []


def spread(results: dict[str, Any]) -> str:
    """How far a contestant's processes lie apart, and what processor time would have said."""
    every = [one for row in results.values() for one in row["found"].values()]
    apart = [
        (max(one["processes"]) - min(one["processes"])) / one["seconds"]
        for one in every
        if len(one["processes"]) > 1
    ]
    share = [one["processor"] / one["seconds"] for one in every]
    return (
        "Between its processes a contestant's time varies by "
        f"{statistics.median(apart):.0%} in the middle, {max(apart):.0%} at most. Processor time, "
        f"which does not count here, is {min(share):.2f} to {max(share):.2f} times as much."
    )


def failures(key: str, found: Found) -> list[str]:
    """What this row is held to and does not reach."""
    row, chosen = ROWS[key], best(found)
    failed = []
    for mine, held_to in ((row.ours[0], row.held_to), (native(row.ours[0]), row.native_to)):
        for kind, times in held_to.items():
            if kind not in chosen:
                continue  # PyTorch has no compiler here, says a note
            reached = chosen[kind][1] / chosen[mine][1]
            if reached < times:
                failed.append(
                    f"{row.title}: {ENGINES[mine]}, {reached:.3g} x {ENGINES[kind]}, "
                    f"held to {times:.3g}"
                )
    first = found[row.ours[0]].get("first", 0.0)
    if first > RECORDED:
        failed.append(f"{row.title}: the first call took {first:.1f} s")
    return failed
