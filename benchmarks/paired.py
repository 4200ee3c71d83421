"""Is this checkout slower than another? Pairs of fresh processes, in turn, and what they show.

`python -m benchmarks.paired BASE [row ...]` measures the package of the folder BASE (another
checkout, older perhaps) and of this one: this file and the networks are this checkout's, only
`micrograd` is imported from either. A row is one of `rows.py` (the lifted step), with `/loops` or
`/layers` where it has both, `eager` (a step on scalars) or `recording` (a first lifted call).
`--limit 1.03` and `--pairs 15` are the defaults. Read `measure`, then `verdict`.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import harness

__all__ = ["Comparison", "confidence", "measure", "pairs", "taken_in_turn", "verdict"]

DEFAULT = ("eager", "recording", "demo-100", "gpt-1", "makemore-32", "wavenet-32")
SURE = 0.95  # of the interval around the median


# --- one process ----------------------------------------------------------------------------------


def use(checkout: str) -> str:
    """Import `micrograd` from that folder, and nothing else; where it lies."""
    sys.path.insert(0, checkout)
    import micrograd

    sys.path.pop(0)
    return str(Path(micrograd.__file__).resolve().parent)


def measure(checkout: str, row: str) -> dict[str, Any]:
    package = use(checkout)
    if row == "eager":
        from benchmarks import engine

        _, _, step = engine.problem(*engine.load("ours"))
        found = harness.seconds(step, 10)
    elif row == "recording":
        found = {"seconds": statistics.median(first_calls(6)[1:])}
    else:
        from benchmarks import lift as steps

        key, _, how = row.partition("/")
        found = steps.measure(steps.ROWS[key], how or steps.ROWS[key].ours[0])
    return {"seconds": found["seconds"], "package": package}


def first_calls(count: int) -> list[float]:
    """Seconds to record the demo as plain loops, 65,400 nodes, each time a new network."""
    from benchmarks.models import demo
    from micrograd import lift

    batch, times = demo.batch(100), []
    for _ in range(count):
        loss = lift(demo.with_loops(demo.numbers()).loss)
        start = time.perf_counter()
        loss(*batch)
        times.append(time.perf_counter() - start)
    return times


# --- many processes -------------------------------------------------------------------------------


def pairs(base: str, row: str, count: int) -> tuple[list[float], list[float]]:
    """Seconds of the base and of this checkout, `count` each; who goes first alternates."""

    def one(checkout: str) -> float:
        result = harness.fresh("benchmarks.paired", "--measure", checkout, row)
        if Path(result["package"]) != Path(checkout, "micrograd").resolve():
            raise RuntimeError(f"measured {result['package']}, not that of {checkout}")
        return float(result["seconds"])

    here = str(harness.ROOT)
    one(base), one(here)  # compiled files are written, pages are read: these two do not count
    return taken_in_turn(lambda: one(base), lambda: one(here), count)


def taken_in_turn(
    base: Callable[[], float], here: Callable[[], float], count: int
) -> tuple[list[float], list[float]]:
    before, now = [], []
    for i in range(count):
        if i % 2:
            now.append(here())
            before.append(base())
        else:
            before.append(base())
            now.append(here())
    return before, now


class Comparison:
    """The ratios here / base of the pairs: their median, quartiles, and a 95% interval of it."""

    def __init__(self, base: Sequence[float], here: Sequence[float]) -> None:
        self.ratios = sorted(b / a for a, b in zip(base, here, strict=True))
        self.median = statistics.median(self.ratios)
        self.lower_quartile, _, self.upper_quartile = statistics.quantiles(
            self.ratios, n=4, method="inclusive"
        )
        self.low, self.high = confidence(self.ratios)


def confidence(ratios: Sequence[float]) -> tuple[float, float]:
    """Two of the sorted ratios with the true median between them, 95 times of 100 or more.

    Each ratio lies below the true median with a chance of one half, so the number that do is
    binomial, whatever the ratios' distribution is. Too few ratios: from 0 to infinity.
    """
    n = len(ratios)
    outside, k = 0.0, 0
    while True:  # the k lowest and the k highest can be left out
        outside += 2 * math.comb(n, k) * 0.5**n
        if outside > 1 - SURE:
            break
        k += 1
    ordered = sorted(ratios)
    return (ordered[k - 1], ordered[n - k]) if k else (0.0, math.inf)


def verdict(found: Comparison, limit: float) -> str:
    """`holds`, `exceeds` or `no verdict`: what the interval says about the limit."""
    if found.high <= limit:
        return "holds"
    return "exceeds" if found.low > limit else "no verdict"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paired")
    parser.add_argument("base", help="the folder of the checkout to compare with")
    parser.add_argument("rows", nargs="*", default=DEFAULT)
    parser.add_argument("--pairs", type=int, default=15, help="at least 15 for a limit of 3%%")
    parser.add_argument("--limit", type=float, default=1.03)
    options = parser.parse_intermixed_args(arguments)
    base = str(Path(options.base).resolve())
    if not Path(base, "micrograd").is_dir():
        parser.error(f"{options.base} has no folder micrograd")
    said = []
    for row in options.rows:
        before, now = pairs(base, row, options.pairs)
        found = Comparison(before, now)
        said.append(verdict(found, options.limit))
        print(
            f"{row}: {statistics.median(before) * 1e6:,.1f} -> {statistics.median(now) * 1e6:,.1f}"
            f" µs; ratio {found.median:.3f}, quartiles {found.lower_quartile:.3f} to"
            f" {found.upper_quartile:.3f}, median within {found.low:.3f} to {found.high:.3f};"
            f" at most {options.limit:g}: {said[-1]}",
            flush=True,
        )
    if "no verdict" in said:
        print("no verdict: the spread is too wide for this limit; more pairs, a quieter machine")
    return 1 if "exceeds" in said else 2 if "no verdict" in said else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        harness.report(**measure(*sys.argv[2:]))
    else:
        raise SystemExit(main(sys.argv[1:]))
