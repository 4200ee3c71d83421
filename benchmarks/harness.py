"""What every benchmark shares: a fresh process for each measurement, one thread, medians, a table.

A benchmark is a module with two parts: run by itself it starts itself again through `fresh`, once
for each contestant and repetition, in turn; with an argument it is that contestant, measures, and
ends in `report`. Read `fresh`, then `engine.py` as the example.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["PEERS", "RESULTS", "fetch", "fresh", "machine", "median", "report", "save", "seconds"]

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PEERS = ROOT / "build" / "peers"

# one thread wherever a library would start more: BLAS, OpenMP, XLA
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_ENABLE_X64": "1",  # not a thread, but a peer that computes in float32 is no peer
    "PYTHONHASHSEED": "0",
}


def fresh(module: str, *arguments: str) -> dict[str, Any]:
    """Run `python -m module arguments` in a process of its own; what it gave to `report`."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **ONE_THREAD},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def report(**result: Any) -> None:
    """The last line that a measuring process prints."""
    print(json.dumps(result))


def seconds(
    step: Callable[[], Any], repeat: int, between: Callable[[], Any] | None = None
) -> float:
    """The median processor time of one `step()`, which has run once before the clock starts.

    As in a user's loop, a step drops the result of the one before; with `between` that happens
    outside the clock, and so does `between()`.
    """
    kept = step()
    times = []
    for _ in range(repeat):
        if between is not None:
            kept = None
            between()
        start = time.process_time()
        kept = step()
        times.append(time.process_time() - start)
    del kept
    return median(times)


def median(numbers: Sequence[float]) -> float:
    return statistics.median(numbers)


def fetch(requirement: str) -> Path:
    """A peer from PyPI in a folder of its own below `build`, where it does not hide ours."""
    folder = PEERS / requirement
    if not folder.exists():
        partial = folder.with_name(folder.name + ".partial")
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--upgrade"]
        subprocess.run([*command, "--target", str(partial), requirement], check=True)
        partial.rename(folder)
    return folder


def machine(*packages: str) -> dict[str, str]:
    """The processor, the system and the versions that a result depends on; no names of hosts."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                processor = line.split(":", 1)[1].strip()
                break
    return {
        "processor": f"{processor}, {os.cpu_count()} cores, one used",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def save(
    name: str,
    title: str,
    rows: Sequence[dict[str, Any]],
    about: dict[str, str],
    notes: Sequence[str] = (),
) -> str:
    """Write `results/name.json` and `results/name.md`, and return the latter's text."""
    RESULTS.mkdir(exist_ok=True)
    data = {"title": title, "rows": list(rows), "machine": about, "notes": list(notes)}
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
    columns = list(rows[0])
    lines = [f"# {title}", "", _row(columns), _row(["---"] + ["---:"] * (len(columns) - 1))]
    lines += [_row([_shown(row[c]) for c in columns]) for row in rows]
    lines += ["", *(f"- {note}" for note in notes)]
    lines += ["- Measured on: " + "; ".join(f"{k} {v}" for k, v in about.items()) + "."]
    table = "\n".join(lines) + "\n"
    (RESULTS / f"{name}.md").write_text(table, encoding="utf-8")
    return table


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _shown(x: Any) -> str:
    if isinstance(x, float):
        return f"{x:.3g}" if abs(x) < 100 else f"{x:,.0f}"
    return f"{x:,}" if isinstance(x, int) else str(x)
