"""What a page cannot do, said in a sentence when somebody tries; and how deep a call may go.

In WebAssembly the interpreter dies some 700 C frames deep, so Python stops before that.
"""

from __future__ import annotations

import _thread
import builtins
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

__all__ = ["DEPTH", "renew", "room_to_tell", "set_up"]

DEPTH = 400
_set_depth = sys.setrecursionlimit


def set_up() -> None:
    """Put sentences in the place of what would fail without one."""
    sys.setrecursionlimit = _limited  # type: ignore[assignment]
    builtins.input = _no_input  # type: ignore[assignment]
    for module, name in ((_thread, "start_new_thread"), (_thread, "start_joinable_thread"),
                         (threading, "_start_joinable_thread")):  # fmt: skip
        if hasattr(module, name):
            setattr(module, name, _no_threads)


def renew() -> None:
    """Before each cell: the last one may have changed it."""
    _set_depth(DEPTH)


@contextmanager
def room_to_tell() -> Iterator[None]:
    """A little deeper, to tell about a recursion that went too deep."""
    _set_depth(DEPTH + 100)
    try:
        yield
    finally:
        _set_depth(DEPTH)


def _limited(limit: int) -> None:
    if limit > DEPTH:
        sys.stderr.write(
            f"The recursion limit stays at {DEPTH}: a call deeper than that ends Python in a "
            "browser.\n"
        )
    _set_depth(min(limit, DEPTH))


def _no_input(*_: Any) -> NoReturn:
    raise EOFError('input() cannot ask here: write the answer into the code, as name = "Ada"')


def _no_threads(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError("there are no threads in the browser: call the function itself")
