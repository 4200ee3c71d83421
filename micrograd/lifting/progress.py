"""A progress line on standard error, for recordings of more than two seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Progress", "current_progress"]

_PATIENCE = 2.0  # seconds before anything is said
_current: ContextVar[Progress | None] = ContextVar("progress", default=None)  # of each thread


def current_progress() -> Progress:
    """The progress of the recording in this thread, or one that shows nothing."""
    return _current.get() or Progress()


class Progress:
    """`with Progress():` shows a line that counts seconds and nodes, and wipes it at the end.

    `step` and `nodes` say what is being done. A thread of its own, where there are
    threads, writes the line.
    """

    def __init__(self) -> None:
        self.step = "recording"
        self.nodes: Sized = ()  # grows with the recording
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @classmethod
    @contextmanager
    def of(cls, step: str) -> Iterator[Progress]:
        """Show what is being done now, in the line of the recording that it belongs to, if any."""
        progress = _current.get()
        if progress is None:
            with cls() as progress:
                progress.step = step
                yield progress
            return
        before, progress.step = progress.step, step
        try:
            yield progress
        finally:
            progress.step = before

    def __enter__(self) -> Progress:
        self._token = _current.set(self)
        try:
            self._thread.start()
        except RuntimeError:  # in a browser there are no threads: nothing is said
            self._done.set()
        return self

    def __exit__(self, *exception: object) -> None:
        _current.reset(self._token)
        self._done.set()
        if self._thread.ident is not None:  # it has been started
            self._thread.join()

    def _watch(self) -> None:
        start = time.monotonic()
        shown = False
        while not self._done.wait(_PATIENCE if not shown else 0.5):
            shown = True
            seconds = time.monotonic() - start
            nodes = f"{len(self.nodes):,} scalar nodes, " if self.nodes else ""
            self._write(f"lift: {self.step}, {nodes}{seconds:.0f} s")
        if shown:
            self._write("")

    @staticmethod
    def _write(text: str) -> None:
        if sys.stderr is not None:
            sys.stderr.write(f"\r{text:<70}" + ("\r" if not text else ""))
            sys.stderr.flush()
