"""A traceback that begins at the learner's line: what called the cell is nobody's business."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

__all__ = ["told"]

_MOST = 20_000  # characters: an exception may carry a text of any length


def told(error: BaseException, advice: str) -> str:
    """The error as Python prints it, and under it the advice."""
    try:
        report = traceback.TracebackException.from_exception(error, compact=True, max_group_width=5)
        if isinstance(error, ImportError):  # who looked for the module, and why, says no more
            report.__cause__ = report.__context__ = None
        for part in _chain(report):
            _keep_the_learners(part)
        text = "".join(report.format())
    except BaseException as fault:  # such as one that __str__ raises
        text = f"{type(error).__name__} (telling more of it failed: {type(fault).__name__})\n"
    if len(text) > _MOST:
        left_out = len(text) - _MOST
        text = f"{text[: _MOST // 2]}\n… {left_out:,} characters …\n{text[-_MOST // 2 :]}"
    return f"{text}{advice}\n" if advice else text


def _chain(report: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    waiting, seen = [report], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        waiting += [x for x in (part.__cause__, part.__context__, *(part.exceptions or ())) if x]


def _keep_the_learners(report: traceback.TracebackException) -> None:
    """From the first line of a cell on; nothing of ours, before it or after it."""
    files = [frame.filename for frame in report.stack]
    first = next((i for i, name in enumerate(files) if name.startswith("cell ")), 0)
    report.stack[:] = [frame for frame in report.stack[first:] if not _ours(frame.filename)]


def _ours(name: str) -> bool:
    return "/micrograd.zip/playground/" in name or name.endswith("/micrograd/missing.py")
