"""`python -m benchmarks` runs every benchmark of this folder, one after the other."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.harness import ROOT

BENCHMARKS = ("engine", "lift", "fixed_costs", "recording", "shapes", "instruction_counts")


def main() -> int:
    failed = []
    for name in BENCHMARKS:
        print(f"benchmarks/{name}.py\n", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT).returncode:
            failed.append(name)
    if failed:
        print("below what we hold ourselves to, or broken:", ", ".join(failed))
    return len(failed)


if __name__ == "__main__":
    raise SystemExit(main())
