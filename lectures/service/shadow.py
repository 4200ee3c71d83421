"""A second version that predicts unseen, and cannot hurt who was answered by the first.

It runs after the answer, on a thread of its own, with models of its own. Whatever it raises is
counted and logged, never sent; if it is too slow, further work is dropped and counted.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from service.log import Log
from service.world import Columns

__all__ = ["Shadow"]


class Shadow:
    """`load(version)` gives a model; at most `most` requests wait for it."""

    def __init__(self, load: Callable[[int], Any], log: Log, most: int = 100) -> None:
        self._load, self._log, self._most = functools.lru_cache(2)(load), log, most
        self._lock, self._worker = threading.Lock(), ThreadPoolExecutor(1, "shadow")
        self.waiting, self.failures, self.last_failure = 0, 0, ""

    def later(self, version: int, ids: Sequence[int], columns: Columns) -> None:
        """Predict, after the answer has left; never raises."""
        with self._lock:
            if self.waiting >= self._most:
                self._failed(f"{self.waiting} requests are waiting")
                return
            self.waiting += 1
        self._worker.submit(self._run, version, ids, columns)

    def _run(self, version: int, ids: Sequence[int], columns: Columns) -> None:
        try:
            p = self._load(version)(columns)
            if p.shape != (len(ids),) or not np.isfinite(p).all():
                raise ValueError(f"{len(ids)} probabilities were expected, got {p}")
            self._log.answered(ids, version, "shadow", p)
        except Exception as error:  # whatever it is, nobody who asked may notice
            with self._lock:
                self._failed(f"version {version}: {type(error).__name__}: {error}")
        finally:
            with self._lock:
                self.waiting -= 1

    def _failed(self, why: str) -> None:
        self.failures, self.last_failure = self.failures + 1, why

    def wait(self) -> None:
        """Until all that was asked of it is done."""
        self._worker.submit(int).result()

    def close(self) -> None:
        self._worker.shutdown()
