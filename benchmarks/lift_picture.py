"""The picture of `lift.py`: each engine's step beside the lifted one, which stands at 1."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import matplotlib.pyplot as plt

from benchmarks import tables
from benchmarks.lift_table import best
from benchmarks.rows import ENGINES, ROWS, native

__all__ = ["digest", "draw"]

MARKS = {  # colour, shape: told apart without the colour, too
    "loops": ("#8ab6d6", "D"),
    "native": ("C0", "P"),
    "numpy": ("#444444", "s"),
    "torch": ("C1", "o"),
    "compiled": ("C3", "v"),
    "jax": ("C2", "^"),
}


def draw(results: dict[str, Any]) -> None:
    """A line for each problem, on a logarithmic axis; scalar engines lie far outside."""
    figure, axes = plt.subplots(figsize=(8, 1.6 + 0.42 * len(results)), layout="constrained")
    labels = []
    for y, (key, row) in enumerate(results.items()):
        chosen = best(row["found"])
        mine = ROWS[key].ours[0]
        ours = chosen[mine][1]
        times = {
            kind: s / ours for kind, (_, s) in chosen.items() if kind in MARKS and kind != mine
        }
        times["native"] = chosen[native(mine)][1] / ours
        axes.plot(
            [min(1, *times.values()), max(1, *times.values())], [y, y], color="0.85", zorder=1
        )
        for kind, ratio in times.items():
            colour, shape = MARKS[kind]
            axes.scatter(ratio, y, 48, colour, shape, edgecolors="white", linewidths=0.6, zorder=3)
        labels.append(f"{ROWS[key].title}\nlift: {tables.shown(ours * 1e6)} µs")
    axes.axvline(1, color="C0", linewidth=2, zorder=2)
    axes.set_xscale("log")
    marks = [x for x in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if in_view(x, axes.get_xlim())]
    axes.set_xticks(marks, [f"{x:g}" for x in marks])
    axes.minorticks_off()
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlabel(
        "time of a training step, the lifted step = 1, on a logarithmic axis\n"
        "left of the blue line: faster than lift          right of it: slower"
    )
    handles = [axes.plot([], [], color="C0", linewidth=2)[0]]
    for colour, shape in MARKS.values():
        handles.append(axes.scatter([], [], 48, colour, shape))
    names = ["lift", *(ENGINES.get(kind, "lift, native") for kind in MARKS)]
    figure.legend(handles, names, loc="outside upper center", ncols=3, frameon=False)
    plt.rcParams["svg.hashsalt"] = "lift"
    figure.savefig(
        tables.RESULTS / "lift.svg", metadata={"Date": None, "Description": digest(results)}
    )
    plt.close(figure)


def digest(results: dict[str, Any]) -> str:
    """Written into the picture, so that a test knows which numbers it shows."""
    return hashlib.sha256(json.dumps(results, sort_keys=True).encode()).hexdigest()


def in_view(x: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= x <= limits[1]
