"""The results of a benchmark as `results/NAME.json` and, for people, `results/NAME.md`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import harness

__all__ = ["RESULTS", "markdown", "save", "shown", "write_json"]

RESULTS = harness.ROOT / "benchmarks" / "results"


def save(
    name: str,
    title: str,
    rows: Sequence[dict[str, Any]],
    about: dict[str, str],
    notes: Sequence[str] = (),
) -> str:
    """Write both files for one table, and return the text of the second."""
    write_json(name, {"title": title, "rows": list(rows), "machine": about, "notes": list(notes)})
    lines = [f"# {title}", "", *markdown(rows), "", *(f"- {note}" for note in notes)]
    lines += ["- Measured on: " + "; ".join(f"{k} {v}" for k, v in about.items()) + "."]
    text = "\n".join(lines) + "\n"
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    return text


def write_json(name: str, data: Any) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def markdown(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The lines of a table whose columns are the keys of the first row."""
    columns = list(rows[0])
    lines = [_row(columns), _row(["---"] + ["---:"] * (len(columns) - 1))]
    return lines + [_row([shown(row[column]) for column in columns]) for row in rows]


def shown(x: Any) -> str:
    """Three digits of a float, thousands set off."""
    if isinstance(x, float):
        return f"{x:.3g}" if abs(x) < 100 else f"{x:,.0f}"
    return f"{x:,}" if isinstance(x, int) else str(x)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
