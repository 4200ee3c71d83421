"""Runs notebooks from a fresh kernel and keeps them in one exact form, outputs included.

The demo, the lectures' tests and `make notebooks` all run notebooks through `execute`. Read that
first, then `settle`, which removes whatever would differ from one run to the next. `python -m
tools.notebooks --help` lists the commands; a notebook can be written as plain text (`text`,
`write`), which is how the lectures are edited.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

__all__ = [
    "ROOT", "Run", "execute", "found", "from_text", "is_folded", "read", "settle", "to_text",
    "write",
]  # fmt: skip

ROOT = Path(__file__).resolve().parent.parent
CELL_SECONDS = 120
MARKER = "lecture-values:"

BEFORE = """\
import warnings as _warnings
_warnings.simplefilter("error")
_warnings.simplefilter("ignore", PendingDeprecationWarning)  # ipykernel's own, when it is shut down
"""

# What the table of expected values is compared with: nests of numbers; Values through float().
AFTER = """\
def _plain(_x):
    import numpy as _np
    if _x is None or isinstance(_x, (bool, str)):
        return _x
    if isinstance(_x, dict):
        return {str(_k): _plain(_v) for _k, _v in _x.items()}
    if isinstance(_x, (list, tuple)):
        return [_plain(_v) for _v in _x]
    if isinstance(_x, _np.ndarray):
        return [_plain(_v) for _v in _x.tolist()]
    return float(_x)

def _read(_expressions):
    import json as _json
    _found = {}
    for _e in _expressions:
        try:
            _found[_e] = {"value": _plain(eval(_e, globals()))}
        except Exception as _error:
            _found[_e] = {"error": f"{type(_error).__name__}: {_error}"}
    print("MARKER" + _json.dumps(_found))

_read(EXPRESSIONS)
"""


class Run:
    """What `execute` gives back: the notebook with its outputs, the seconds it took, the values
    asked for.

    `values[expression]` is {"value": ...} in plain numbers and lists, or {"error": ...} where it
    has none.
    """

    def __init__(self, notebook: Any, seconds: float, values: dict[str, dict[str, Any]]) -> None:
        self.notebook = notebook
        self.seconds = seconds
        self.values = values


def found(folder: Path = ROOT / "lectures") -> list[Path]:
    """Every notebook below `folder`, in order of name."""
    return sorted(p for p in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def write(notebook: Any, path: Path) -> bool:
    """Write the notebook in its one exact form; returns whether the file changed."""
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def execute(
    path: Path,
    expressions: Sequence[str] = (),
    *,
    cell_seconds: int = CELL_SECONDS,
    progress: Callable[[int, int], None] | None = None,
    show: Callable[[str], None] | None = None,
    again: bool = False,
) -> Run:
    """Run a notebook from a fresh kernel in its own folder, warnings as errors, one thread of BLAS.

    `show` is called with what cells print, while they print it, progress bars included.
    `expressions` are evaluated in its namespace afterwards. With `again` each cell then runs once
    more, the last one first, as a reader does who goes back. A cell that fails raises
    CellExecutionError, one that takes more than `cell_seconds` a CellTimeoutError; both name the
    notebook and the cell.
    """
    given = read(path)
    notebook = copy.deepcopy(given)
    after = AFTER.replace("MARKER", MARKER).replace("EXPRESSIONS", repr(list(expressions)))
    notebook.cells = [
        nbformat.v4.new_code_cell(BEFORE),
        *notebook.cells,
        nbformat.v4.new_code_cell(after),
        *(copy.deepcopy(cell) for cell in reversed(notebook.cells if again else [])),
    ]
    environment = dict(os.environ)
    environment.update(
        PYTHONPATH=os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        OMP_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
        PYTHONHASHSEED="0",
        TQDM_DISABLE="1" if show is None else "",
        JUPYTER_PLATFORM_DIRS="1",
        MPLBACKEND="module://matplotlib_inline.backend_inline",  # whatever the shell says
    )
    total = len(given.cells)

    begun = 0

    def told(cell: Any, cell_index: int) -> None:
        nonlocal begun
        begun = cell_index
        if progress is not None and 0 < cell_index <= total:
            progress(cell_index, total)

    class Client(NotebookClient):
        def output(self, outs: Any, msg: Any, *rest: Any) -> Any:
            if show is not None and msg["msg_type"] == "stream":
                text = msg["content"]["text"]
                show("" if text.startswith(MARKER) else text)
            return super().output(outs, msg, *rest)

    client = Client(
        notebook,
        timeout=cell_seconds,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],  # a line of stderr a kernel about TCP otherwise
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=told,
    )
    start = time.perf_counter()
    try:
        client.execute(env=environment)
    except (CellExecutionError, CellTimeoutError) as error:
        failed = f"cell {begun} of {total}, which begins {notebook.cells[begun].source[:60]!r}"
        error.add_note(f"in {path}, {failed}")
        raise
    seconds = time.perf_counter() - start
    printed = "".join(o.get("text", "") for o in notebook.cells[total + 1].outputs)
    values = json.loads(printed.split(MARKER, 1)[1])
    notebook.cells = notebook.cells[1 : total + 1]
    return Run(settle(notebook, given), seconds, values)


# --- one exact form -------------------------------------------------------------------------------


def settle(notebook: Any, before: Any = None) -> Any:
    """The notebook without what differs from run to run: counters, times, addresses, progress bars.

    A cell's id is a hash of its text. A code cell tagged `timing` shows measurements: it keeps the
    outputs that it has in `before` as long as its text is the same, so that a second run changes
    nothing.
    """
    kept = {c.source: c.outputs for c in before.cells if _is_timing(c)} if before else {}
    cells, seen, count = [], {}, 0
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:10]
        seen[digest] = seen.get(digest, 0) + 1
        settled: dict[str, Any] = {
            "cell_type": cell.cell_type,
            "id": digest if seen[digest] == 1 else f"{digest}-{seen[digest]}",
            "metadata": _settled_metadata(cell),
            "source": cell.source.splitlines(keepends=True),
        }
        if cell.cell_type == "code":
            outputs = kept.get(cell.source) or cell.outputs
            settled["outputs"] = _settled_outputs(outputs)
            ran = cell.get("execution_count") is not None or bool(outputs)
            count += ran
            settled["execution_count"] = count if ran else None
            for output in settled["outputs"]:
                if output["output_type"] == "execute_result":
                    output["execution_count"] = count
        cells.append(settled)
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    return nbformat.from_dict(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


def _tags(cell: Any) -> list[str]:
    return list(cell.get("metadata", {}).get("tags", []))


def is_folded(cell: Any) -> bool:
    """Whether a cell's code is hidden until the reader opens it, as Jupyter keeps it."""
    return bool(cell.get("metadata", {}).get("jupyter", {}).get("source_hidden"))


def _settled_metadata(cell: Any) -> dict[str, Any]:
    kept: dict[str, Any] = {"jupyter": {"source_hidden": True}} if is_folded(cell) else {}
    return kept | ({"tags": sorted(_tags(cell))} if _tags(cell) else {})


def _is_timing(cell: Any) -> bool:
    return cell.cell_type == "code" and "timing" in _tags(cell) and bool(cell.outputs)


def _settled_outputs(outputs: Sequence[Any]) -> list[dict[str, Any]]:
    settled: list[dict[str, Any]] = []
    for output in outputs:
        if output["output_type"] == "stream":
            if output["name"] != "stdout":
                continue  # progress bars; a warning is an error and stops the run
            text = _without_addresses("".join(output["text"]))
            if settled and settled[-1]["output_type"] == "stream":
                # how a stream is cut into messages is a matter of timing
                text = "".join(settled.pop()["text"]) + text
            settled.append(
                {
                    "output_type": "stream",
                    "name": "stdout",
                    "text": text.splitlines(keepends=True),
                }
            )
        elif output["output_type"] in ("display_data", "execute_result"):
            plain = {"output_type": output["output_type"], "metadata": dict(output["metadata"])}
            plain["data"] = {k: _settled_data(k, v) for k, v in sorted(output["data"].items())}
            if output["output_type"] == "execute_result":
                plain["execution_count"] = None
            settled.append(plain)
        else:
            settled.append(json.loads(json.dumps(output)))
    return settled


def _settled_data(kind: str, data: Any) -> Any:
    if kind.endswith("json"):
        return data
    text = "".join(data)
    if kind.startswith("image/") and kind != "image/svg+xml":
        return text
    return _without_addresses(text).splitlines(keepends=True)


def _without_addresses(text: str) -> str:
    return re.sub(r"\b0x[0-9a-f]{6,16}\b", "0x...", text)


# --- notebooks as text ----------------------------------------------------------------------------


def to_text(notebook: Any) -> str:
    """A notebook as one Python file: cells begin with `# %%` (`# %% folded` hides the code),
    Markdown stands in comments.
    """
    parts = []
    for cell in notebook.cells:
        kind = "" if cell.cell_type == "code" else " [markdown]"
        tags = f" tags={','.join(sorted(_tags(cell)))}" if _tags(cell) else ""
        folded = " folded" if is_folded(cell) else ""
        body = "".join(cell.source)
        if cell.cell_type == "markdown":
            body = "\n".join(f"# {line}".rstrip() for line in body.split("\n"))
        parts.append(f"# %%{kind}{folded}{tags}\n{body}\n")
    return "\n".join(parts)


def from_text(text: str, before: Any = None) -> Any:
    """The notebook of such a file; cells whose text is the same keep their outputs in `before`."""
    outputs = {c.source: c.outputs for c in before.cells if c.cell_type == "code"} if before else {}
    cells = []
    for head, body in re.findall(r"^# %%(.*)\n((?:(?!# %%).*\n?)*)", text, flags=re.MULTILINE):
        body = body.strip("\n")
        tags = re.search(r"tags=(\S+)", head)
        if "[markdown]" in head:
            lines = [re.sub(r"^# ?", "", line) for line in body.split("\n")]
            cell = nbformat.v4.new_markdown_cell("\n".join(lines))
        else:
            cell = nbformat.v4.new_code_cell(body)
            cell.outputs = outputs.get(body, [])
            if "folded" in head.split():
                cell.metadata["jupyter"] = {"source_hidden": True}
        if tags:
            cell.metadata["tags"] = tags[1].split(",")
        cells.append(cell)
    return settle(nbformat.v4.new_notebook(cells=cells))


# --- commands -------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="execute notebooks and rewrite them with their outputs")
    run.add_argument("paths", nargs="*", type=Path, help="default: demo.ipynb and all lectures")
    run.add_argument("--timings", action="store_true", help="measure the `timing` cells again")
    text = commands.add_parser("text", help="print a notebook as text")
    text.add_argument("notebook", type=Path)
    back = commands.add_parser("write", help="make a notebook from text")
    back.add_argument("text", type=Path)
    back.add_argument("notebook", type=Path)
    options = parser.parse_args(arguments)
    if options.command == "text":
        print(to_text(read(options.notebook)), end="")
    elif options.command == "write":
        before = read(options.notebook) if options.notebook.exists() else None
        made = from_text(options.text.read_text(encoding="utf-8"), before)
        print(options.notebook, "written" if write(made, options.notebook) else "unchanged")
    else:
        return _run(options.paths, options.timings)
    return 0


def _run(paths: Sequence[Path], timings: bool) -> int:
    # exercises are kept without outputs: they are what `tools.exercises` makes of the solutions
    everything = [p for p in found() if p.parent.name != "exercises"]
    demo = ROOT / "demo.ipynb"
    for path in paths or ([demo] if demo.exists() else []) + everything:
        path = path.resolve()
        if timings:
            notebook = read(path)
            for cell in notebook.cells:
                if _is_timing(cell):
                    cell.outputs = []
            write(settle(notebook), path)
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path

        def progress(cell: int, cells: int, shown: Path = shown) -> None:
            if sys.stdout.isatty():
                print(f"\r{shown}: cell {cell} of {cells}", end="\x1b[K", flush=True)

        try:
            result = execute(path, progress=progress)
        except (CellExecutionError, CellTimeoutError) as error:
            print(f"\n{error}\n{' '.join(getattr(error, '__notes__', []))}", file=sys.stderr)
            return 1
        changed = "rewritten" if write(result.notebook, path) else "unchanged"
        size = path.stat().st_size / 1e6
        print(f"\r{shown}: {result.seconds:.1f} s, {size:.2f} MB, {changed}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
