"""How many instructions `lift` finds in each network: the committed table that tests hold it to.

Run it to write `instruction_counts.toml` anew. A count may fall; that it does not rise is a test.
"""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.models import demo, makemore, names, wavenet
from micrograd import lift

__all__ = ["CASES", "TABLE", "batch", "count", "read"]

TABLE = Path(__file__).with_suffix(".toml")
CASES = ("demo", "gpt", "makemore", "wavenet")
SENTENCE = """\
# Instructions that `lift` finds in the networks of `models/`, written with layers and as loops; for
# the GPT the most of any name length from 1 to 15. `limit` is what we hold ourselves to. `free` is
# the share of scalar nodes in instructions without a gather, those that index by a letter apart.
# Written by `python -m benchmarks.instruction_counts`; tests compare.
"""


def batch(network: str, letters: int = 6) -> tuple[np.ndarray, ...]:
    """What the network is recorded on; for the GPT a name of so many letters."""
    if network == "demo":
        return demo.batch(100)
    if network == "gpt":
        longest = max(names(), key=len)  # 15 letters between two zeros
        name = longest[1 : letters + 1]
        return np.array([0, *name]), np.array([*name, 0])
    return makemore.batches(1)[0] if network == "makemore" else wavenet.batches(1)[0]


def count(program: Any) -> tuple[int, float]:
    """Instructions, and the share of scalar nodes in those that gather nothing."""
    instructions = program.recording.layout.instructions
    regular = [i for i in instructions if i.kind != "take"]
    free = sum(i.replaces for i in regular if not any(a.gather is not None for a in reads(i)))
    return len(instructions), free / sum(i.replaces for i in regular)


def reads(instruction: Any) -> list[Any]:
    start = instruction.start
    return [*instruction.operands, *([] if start is None else [start])]


def measure(network: str, how: str, letters: int = 6) -> tuple[int, float]:
    module = import_module(f"benchmarks.models.{network}")
    # BatchNorm's network has four million nodes as loops: a small one has the same instructions
    small = {"embedding": 3, "hidden": 5} if network == "wavenet" else {}
    loss = lift(getattr(module, how)(module.numbers(**small)).loss)
    loss(*batch(network, letters))
    return count(loss.program)


def read() -> dict[str, dict[str, Any]]:
    with TABLE.open("rb") as file:
        return tomllib.load(file)


def main() -> None:
    limits = {"demo": 14, "gpt": 80, "makemore": 20, "wavenet": 60}
    lines = [SENTENCE]
    for network in CASES:
        lines += [f"[{network}]", f"limit = {limits[network]}"]
        for how in ("with_layers", "with_loops"):
            lengths = range(1, 16) if network == "gpt" else [6]
            found = [measure(network, how, letters) for letters in lengths]
            most, free = max(n for n, _ in found), min(share for _, share in found)
            lines.append(
                f"{how} = {{ instructions = {most}, free = {np.floor(free * 1000) / 1000} }}"
            )
        lines.append("")
    TABLE.write_text("\n".join(lines))
    print(TABLE.read_text())


if __name__ == "__main__":
    main()
