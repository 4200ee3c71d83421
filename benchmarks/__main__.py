"""`python -m benchmarks` runs every benchmark of this folder, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    here = Path(__file__).parent
    failed = []
    for path in sorted(here.glob("*.py")):
        if path.stem.startswith("_") or path.stem == "harness":
            continue
        print(f"benchmarks/{path.name}\n", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{path.stem}"]
        if subprocess.run(command, cwd=here.parent).returncode:
            failed.append(path.name)
    if failed:
        print("below what we hold ourselves to, or broken:", ", ".join(failed))
    return len(failed)


if __name__ == "__main__":
    raise SystemExit(main())
