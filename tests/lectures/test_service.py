"""Lecture 12's service: what it serves, refuses, logs, survives; each with something broken."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from service import log as logs
from service import model as models
from service.app import BODY_LIMIT, limited, make_app
from service.log import Log
from service.model import Model, build, open_model, read_card
from service.registry import Registry
from service.schema import Truths, as_columns, data_hash, read_csv, write_csv
from service.server import Served
from service.world import deliveries, rows_of, select

PARCELS, LATE = deliveries(400, np.random.default_rng(1))
ROWS = rows_of(select(PARCELS, slice(0, 3)))


@pytest.fixture(scope="module")
def blob() -> bytes:
    return build(PARCELS, LATE, seed=1)


@pytest.fixture(scope="module")
def other(blob: bytes) -> bytes:
    return build(PARCELS, LATE, seed=2)


def with_card(blob: bytes, **change: Any) -> bytes:
    """The same model under a card that says something else."""
    card = json.dumps(read_card(blob) | change)
    return safetensors.numpy.save(safetensors.numpy.load(blob), metadata={"card": card})


# --- files ----------------------------------------------------------------------------------------


def test_the_same_data_and_seed_give_the_same_bytes(blob: bytes, other: bytes) -> None:
    assert build(PARCELS, LATE, seed=1) == blob != other
    assert read_card(blob)["data_sha256"] == data_hash(PARCELS, LATE)
    assert np.array_equal(open_model(blob)(PARCELS), Model(safetensors.numpy.load(blob))(PARCELS))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code_sha256": "0"}, "code_sha256"),
        ({"columns": ["hour"]}, "columns"),
        ({"engine": "0.0.1"}, "engine"),
        ({"answers": [0.5] * 4}, "its card says"),
        ({"answers": [float("nan")] * 4}, "its card says"),
    ],
)
def test_a_card_that_does_not_agree_is_refused(blob: bytes, change: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        open_model(with_card(blob, **change))


def test_other_feature_code_is_noticed(blob: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def features(columns: Any) -> Any:
        return np.zeros((len(columns["hour"]), 8))

    monkeypatch.setattr(models, "features", features)
    with pytest.raises(ValueError, match="code_sha256"):
        open_model(blob)


@pytest.mark.parametrize("broken", [b"", b"\0" * 7, b"no model", b"\x08" + b"\0" * 30])
def test_what_is_no_model_file_is_refused_in_words(broken: bytes, blob: bytes) -> None:
    with pytest.raises(ValueError, match="no model file"):
        open_model(broken)
    with pytest.raises(ValueError, match="no model file"):
        open_model(blob[:-9])
    tensors = safetensors.numpy.load(blob)
    tensors["0.weight"] = tensors["0.weight"][:, :5].copy()
    card = json.dumps(read_card(blob))
    with pytest.raises(ValueError, match="no model file"):
        open_model(safetensors.numpy.save(tensors, metadata={"card": card}))


def test_rows_that_are_written_are_read_again(tmp_path: Path) -> None:
    write_csv(tmp_path / "raw.csv", PARCELS, LATE)
    good, refused = read_csv(tmp_path / "raw.csv")
    assert not refused and data_hash(as_columns(good), LATE) == data_hash(PARCELS, LATE)
    with pytest.raises(ValueError, match="valid integer"):
        Truths(ids=[1], late=[True])


def test_a_refused_line_is_named_by_its_place_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    path.write_text("distance_km,weight_kg,hour,vehicle,late\n\n4,5,9,van,1,77\n4,5,99,van,1\n")
    good, refused = read_csv(path)
    assert not good and refused[0] == (3, "1 fields too many")
    assert refused[1][0] == 4 and refused[1][1].startswith("hour: ")


# --- registry -------------------------------------------------------------------------------------


def test_a_version_is_opened_and_tried_before_it_may_serve(
    tmp_path: Path, blob: bytes, other: bytes
) -> None:
    registry = Registry(tmp_path / "models")
    assert [registry.register(x) for x in (blob, other, blob)] == [1, 2, 1]
    registry.point(1)
    bad = registry.register(with_card(blob, code_sha256="0"))
    for pointers in ((bad, None), (1, bad)):
        with pytest.raises(ValueError, match=f"version {bad} may not serve"):
            registry.point(*pointers)
    (registry.folder / "v2.safetensors").write_bytes(other[:-1] + b"\0")
    with pytest.raises(ValueError, match="not the file that was registered"):
        registry.point(2)
    (registry.folder / "v2.safetensors").unlink()
    with pytest.raises(ValueError, match="may not serve"):
        registry.point(1, shadow=2)
    with pytest.raises(ValueError, match="no version 9"):
        registry.point(9)
    with pytest.raises(ValueError, match="no earlier version"):
        registry.roll_back()
    assert Registry(registry.folder).state() == registry.state()  # a restart
    assert registry.state()["production"] == 1 and registry.state()["line"] == [1]


def test_a_version_is_tried_before_the_way_back_leads_to_it(
    tmp_path: Path, blob: bytes, other: bytes
) -> None:
    registry = Registry(tmp_path / "models")
    with pytest.raises(ValueError, match="no earlier version"):
        registry.roll_back()
    for model in (blob, other):
        registry.point(registry.register(model))
    (registry.folder / "v1.safetensors").write_bytes(b"gone")
    with pytest.raises(ValueError, match="version 1 may not serve"):
        registry.roll_back()
    assert registry.state()["production"] == 2 and registry.state()["line"] == [1, 2]
    (registry.folder / "v1.safetensors").write_bytes(blob)
    registry.roll_back()
    assert registry.state()["production"] == 1


def test_a_file_is_on_the_disk_before_its_name_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut `os.replace` alone may have kept the name and lost the bytes."""
    registry, done = Registry(tmp_path / "models"), []
    fsync, replace = os.fsync, os.replace

    def forced(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def replaced(source: Any, target: Any) -> None:
        done.append("name")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", forced)
    monkeypatch.setattr(os, "replace", replaced)
    registry.register(b"one")
    assert done == ["file", "name", "folder"] * 2  # the model, then the pointer's file


# --- the log --------------------------------------------------------------------------------------


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log(tmp_path / "log.sqlite")
    yield log
    log.close()


def test_a_version_that_answered_a_part_leaves_nan(log: Log) -> None:
    ids = log.reserve(4)
    log.asked(ids, select(PARCELS, slice(0, 4)))
    log.answered(ids, 1, "production", np.array([0.1, 0.2, 0.3, 0.4]))
    log.answered(ids[2:], 2, "shadow", np.array([0.7, 0.8]))
    log.submit(log.put_truths, ids[:2], [1, 0]).result()
    window = log.window(1, 4)
    assert np.array_equal(window.answers[2], [np.nan, np.nan, 0.7, 0.8], equal_nan=True)
    assert np.array_equal(window.late, [1, 0, np.nan, np.nan], equal_nan=True)
    assert window.columns["vehicle"].tolist() == PARCELS["vehicle"][:4].tolist()
    with pytest.raises(IndexError, match="known already"):
        log.put_truths([3, 1], [0, 0])
    assert np.isnan(log.window(1, 4).late[2])  # all or none
    log.close()
    again = Log(log.path)
    assert again.reserve(1) == [5]  # ids go on after a restart
    again.close()


def test_what_cannot_be_written_is_counted_and_never_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, gate = Log(tmp_path / "log.sqlite", most=2), threading.Event()
    log.submit(gate.wait, 60)
    for _ in range(3):
        log.asked(log.reserve(2), select(PARCELS, slice(0, 2)))
    assert (log.waiting, log.lost) == (2, 2)
    gate.set()
    assert log.rows("select count(*) from requests") == [(4,)]

    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(logs.Log, "_insert", full)
    log.asked(log.reserve(2), select(PARCELS, slice(0, 2)))
    log.close()
    assert (log.waiting, log.lost) == (0, 4)


# --- served ---------------------------------------------------------------------------------------


class Service:
    """A registry, a log and a server in a folder."""

    def __init__(self, folder: Path, load_shadow: Callable[[int], Any] | None = None) -> None:
        self.registry, self.log = Registry(folder / "models"), Log(folder / "log.sqlite")
        self.app = make_app(self.registry, self.log, load_shadow)
        self.served = Served(limited(self.app))
        self.client = self.served.client()

    def ask(self, **query: Any) -> Any:
        return self.client.post("/predict", json={"rows": ROWS}, params=query)

    def stop(self) -> None:
        self.client.close()
        self.served.stop()
        self.app.state.shadow.close()
        self.log.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    running: list[Service] = []

    def started(**given: Any) -> Service:
        running.append(Service(tmp_path, **given))
        return running[-1]

    yield started
    for service in running:
        service.stop()


def test_it_lives_before_it_is_ready(start: Callable[..., Service], blob: bytes) -> None:
    service = start()
    assert service.served.address[0] == "127.0.0.1"
    assert service.client.get("/health").status_code == 200
    ready = service.client.get("/ready")
    assert ready.status_code == 503 and "no version was promoted" in ready.json()["faults"][0]
    asked = service.ask()
    assert asked.status_code == 503 and "no model can answer" in asked.json()["faults"][0]
    service.registry.point(service.registry.register(blob))
    assert service.client.get("/ready").json()["faults"] == []
    assert np.allclose(service.ask().json()["late"], open_model(blob)(select(PARCELS, slice(0, 3))))


def test_a_production_file_that_cannot_be_read_is_said(
    start: Callable[..., Service], blob: bytes
) -> None:
    service = start()
    service.registry.point(service.registry.register(blob))
    (service.registry.folder / "v1.safetensors").write_bytes(b"")
    assert service.client.get("/health").status_code == 200
    assert service.client.get("/ready").status_code == 503
    assert "not the file that was registered" in service.ask().json()["faults"][0]


def test_a_registry_that_cannot_be_read_is_said(start: Callable[..., Service], blob: bytes) -> None:
    service = start()
    service.registry.point(service.registry.register(blob))
    (service.registry.folder / "registry.json").write_text("{")
    assert service.client.get("/health").status_code == 200
    for got in (service.client.get("/ready"), service.ask()):
        assert got.status_code == 503 and "registry cannot be read" in got.json()["faults"][0]


def test_outcomes_that_cannot_be_written_are_said(
    start: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start()

    def locked(*given: Any) -> Any:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(service.log, "put_truths", locked)
    got = service.client.post("/truths", json={"ids": [1], "late": [1]})
    assert got.status_code == 503 and "database is locked" in got.json()["faults"][0]


def sleeps(columns: Any) -> Any:
    time.sleep(1.0)
    return np.full(len(columns["hour"]), 0.5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shadow", "words"),
    [
        (lambda columns: columns["no such"], "KeyError"),
        (lambda columns: np.full(len(columns["hour"]), np.nan), "probabilities were expected"),
        (lambda columns: np.zeros(1), "probabilities were expected"),
        (sleeps, ""),
    ],
)
def test_a_shadow_cannot_hurt_who_asks(
    start: Callable[..., Service], blob: bytes, other: bytes, shadow: Any, words: str
) -> None:
    service = start(load_shadow=lambda version: shadow)
    service.registry.point(service.registry.register(blob))
    alone = service.ask().json()["late"]
    service.registry.point(1, shadow=service.registry.register(other))
    before = time.monotonic()
    for _ in range(3):
        answer = service.ask()
        assert answer.status_code == 200 and answer.json()["late"] == alone
    assert time.monotonic() - before < 1.0  # nobody waits for it
    service.app.state.shadow.wait()
    ready = service.client.get("/ready").json()
    assert ready["shadow_failures"] == (3 if words else 0) and words in ready["last_shadow_failure"]
    assert ready["faults"] == []


def test_a_shadow_that_falls_behind_drops_work(tmp_path: Path) -> None:
    from service.shadow import Shadow

    log, gate = Log(tmp_path / "log.sqlite"), threading.Event()
    shadow = Shadow(lambda version: lambda columns: gate.wait(60) and np.zeros(1), log, most=2)
    for _ in range(5):
        shadow.later(2, [1], select(PARCELS, slice(0, 1)))
    assert shadow.failures == 3 and "2 requests are waiting" in shadow.last_failure
    gate.set()
    shadow.close()
    log.close()


@pytest.mark.slow
def test_a_locked_log_keeps_nobody_waiting(start: Callable[..., Service], blob: bytes) -> None:
    service = start()
    service.registry.point(service.registry.register(blob))
    service.ask()
    service.log.window(1, 3)
    lock = sqlite3.connect(service.log.path, isolation_level=None)
    lock.execute("begin exclusive")
    before = time.monotonic()
    assert service.client.get("/health").status_code == 200
    assert service.ask().json()["ids"] == [4, 5, 6]
    assert time.monotonic() - before < 1.0
    lock.execute("rollback")
    lock.close()
    assert len(service.log.window(1, 6).late) == 6 and service.log.lost == 0


def test_outcomes_are_taken_once_and_all_or_none(
    start: Callable[..., Service], blob: bytes
) -> None:
    service = start()
    service.registry.point(service.registry.register(blob))
    service.ask()
    posts = [([1, 2], [1, 0], 200), ([1], [1], 409), ([3, 99], [1, 1], 404), ([3], [True], 422)]
    for ids, late, status in posts:
        got = service.client.post("/truths", json={"ids": ids, "late": late})
        assert got.status_code == status, got.text
    assert np.isnan(service.log.window(1, 3).late[2])
    big = service.client.post("/predict", content=b" " * (BODY_LIMIT + 1))
    assert big.status_code == 413 and "the limit is" in big.json()["faults"][0]


def test_our_own_mistake_is_said_in_the_same_form(
    start: Callable[..., Service], blob: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start()
    service.registry.point(service.registry.register(blob))

    def broken() -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr(service.registry, "state", broken)
    got = service.ask()
    assert got.status_code == 500 and got.json()["faults"] == [
        "POST /predict: a fault of this service"
    ]
