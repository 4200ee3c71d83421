"""What was asked, answered and found out, in a SQLite file that no request waits for.

One thread writes, in the order in which it was asked. `reserve` gives out ids at once, so an
answer can leave before its row is on the disk. What cannot be written is counted in `lost`: the
log may fall behind or fail, and the service goes on.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from service.schema import Delivery
from service.world import Columns

__all__ = ["Log", "Window"]

TABLES = """
create table if not exists requests (id integer primary key, at real,
    distance_km real, weight_kg real, hour integer, vehicle text);
create table if not exists predictions (id integer references requests, version integer,
    role text, probability real);
create index if not exists of_request on predictions (id);
create table if not exists truths (id integer primary key references requests, late integer);
"""


@dataclass(frozen=True)
class Window:
    """Rows of the log: `answers[version]` and `late` are nan where nothing is known."""

    columns: Columns
    answers: dict[int, np.ndarray]
    late: np.ndarray


class Log:
    """A SQLite file with one writer; `most` jobs may wait for it, further rows are lost."""

    def __init__(self, path: Path, most: int = 1000) -> None:
        self.path, self.most, self.lost, self.waiting = path, most, 0, 0
        with self.open() as db:
            db.executescript(TABLES)
            (last,) = db.execute("select coalesce(max(id), 0) from requests").fetchone()
        self._ids, self._lock = itertools.count(last + 1), threading.Lock()
        self._writer = ThreadPoolExecutor(1, "log")

    @contextlib.contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are kept together or not at all."""
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as db, db:
            db.execute("pragma foreign_keys = on")
            yield db

    def submit(self, job: Callable[..., Any], *given: Any) -> Future[Any]:
        """Let the writer's thread do a job, after all that was asked of it before."""
        return self._writer.submit(job, *given)

    def reserve(self, n: int) -> list[int]:
        """n new ids."""
        with self._lock:
            return list(itertools.islice(self._ids, n))

    def _later(self, rows: int, job: Callable[..., None], *given: Any) -> None:
        with self._lock:
            if self.waiting >= self.most:
                self.lost += rows
                return
            self.waiting += 1
        self.submit(self._try, rows, job, *given)

    def _try(self, rows: int, job: Callable[..., None], *given: Any) -> None:
        try:
            job(*given)
        except sqlite3.Error:
            with self._lock:
                self.lost += rows
        finally:
            with self._lock:
                self.waiting -= 1

    def asked(self, ids: Sequence[int], columns: Columns) -> None:
        """Write down, later, what was asked."""
        rows = zip(
            ids,
            itertools.repeat(time.time()),
            *(c.tolist() for c in columns.values()),
            strict=False,  # the time is repeated for ever
        )
        self._later(len(ids), self._insert, "requests", list(rows))

    def answered(self, ids: Sequence[int], version: int, role: str, p: np.ndarray) -> None:
        """Write down, later, what a version said."""
        rows = [(i, version, role, q) for i, q in zip(ids, p.tolist(), strict=True)]
        self._later(len(ids), self._insert, "predictions", rows)

    def _insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * len(rows[0]))
        with self.open() as db:
            db.executemany(f"insert into {table} values ({marks})", rows)

    def put_truths(self, ids: Sequence[int], late: Sequence[int]) -> None:
        """All outcomes, or none: LookupError for an id that is unknown, or known already."""
        with self.open() as db:
            for i, outcome in zip(ids, late, strict=True):
                if not db.execute("select 1 from requests where id = ?", (i,)).fetchone():
                    raise KeyError(f"no request {i}")
                if db.execute("select 1 from truths where id = ?", (i,)).fetchone():
                    raise IndexError(f"the outcome of {i} is known already")
                db.execute("insert into truths values (?, ?)", (i, outcome))

    def window(self, first: int, last: int) -> Window:
        """The rows with ids from `first` to `last`, after all that is waiting was written."""
        return self.submit(self._window, first, last).result()

    def _window(self, first: int, last: int) -> Window:
        with self.open() as db:
            rows = db.execute(
                f"select id, {', '.join(Delivery.model_fields)}, late from requests"
                " left join truths using (id) where id between ? and ? order by id",
                (first, last),
            ).fetchall()
            said = db.execute(
                "select id, version, probability from predictions where id between ? and ?",
                (first, last),
            ).fetchall()
        place = {row[0]: i for i, row in enumerate(rows)}
        answers: dict[int, np.ndarray] = {}
        for i, version, p in said:
            answers.setdefault(version, np.full(len(rows), np.nan))[place[i]] = p
        _, *columns, late = (np.array(c) for c in zip(*rows, strict=True))
        named = dict(zip(Delivery.model_fields, columns, strict=True))
        return Window(named, answers, late.astype(float))

    def rows(self, query: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query finds, after all that is waiting was written."""

        def ask() -> list[tuple[Any, ...]]:
            with self.open() as db:
                return db.execute(query, given).fetchall()

        return self.submit(ask).result()

    def close(self) -> None:
        """Write what is waiting, and end the thread."""
        self._writer.shutdown()
