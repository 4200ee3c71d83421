"""What a reader finds in a file, and which files are put in the place of others.

For exercises about files that must never be torn: with `moments` of `_watch.py` a file is read at
every step, whatever the file system, and `replacements` says where a new file came from.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["replacements", "whole_state"]


def whole_state(path: Path) -> Any:
    """The state in the file as a reader finds it, "missing" or "torn"."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "missing"
    except (OSError, ValueError):
        return "torn"


_sources: list[list[Path]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "os.rename" and _sources:  # os.replace, Path.rename and shutil.move come here too
        _sources[-1].append(Path(os.fsdecode(arguments[0])))


sys.addaudithook(_note)


@contextmanager
def replacements() -> Iterator[list[Path]]:
    """The files that are put in the place of others inside the block."""
    _sources.append([])
    try:
        yield _sources[-1]
    finally:
        _sources.pop()
