"""What every benchmark shares: a fresh process on one core for each measurement, the wall clock.

A benchmark is a module with two parts: run by itself it starts itself again through `fresh`, once
for each contestant and repetition, in turn; with an argument it is that contestant, measures, and
ends in `report`. Read `fresh`, then `engine.py` as the example. Tables are in `tables`.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = [
    "CAN_PIN", "PEERS", "ROOT", "fetch", "fresh", "machine", "median", "one_core", "report",
    "seconds",
]  # fmt: skip

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "build" / "peers"
CAN_PIN = hasattr(os, "sched_setaffinity")  # Linux; elsewhere the tables say "not pinned"

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
    """Run `python -m module arguments` on one core in a process of its own; what it reports."""
    with one_core():  # what is started inherits it, before any library counts the cores
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={**os.environ, **ONE_THREAD},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    cores = result.pop("cores")
    if CAN_PIN and cores != 1:
        raise RuntimeError(f"{module} {' '.join(arguments)} ran on {cores} cores, not on one")
    return result


@contextmanager
def one_core() -> Iterator[None]:
    """Pin this process and what it starts to its last core (the first serves the system)."""
    if not CAN_PIN:
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def report(**result: Any) -> None:
    """The last line that a measuring process prints."""
    cores = len(os.sched_getaffinity(0)) if CAN_PIN else None
    print(json.dumps({**result, "cores": cores}))


def seconds(
    step: Callable[[], Any], repeat: int, between: Callable[[], Any] | None = None
) -> dict[str, float]:
    """The median time of one `step()`: `seconds` that pass, and `processor`, those computed in.

    `step()` runs once before the clock starts. As in a user's loop, it drops the result of the one
    before; with `between` that happens outside the clock, and so does `between()`.
    """
    kept = step()
    passed, computed = [], []
    for _ in range(repeat):
        if between is not None:
            kept = None
            between()
        processor = time.process_time()
        start = time.perf_counter()
        kept = step()
        passed.append(time.perf_counter() - start)
        computed.append(time.process_time() - processor)
    del kept
    return {"seconds": median(passed), "processor": median(computed)}


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
    pinned = "every process pinned to one" if CAN_PIN else "processes not pinned: no such call here"
    return {
        "processor": f"{processor}, {os.cpu_count()} cores, {pinned}",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


if __name__ == "__main__":  # where does a measuring process run?
    report()
