"""The table of lifted steps: who is measured, which way counts, and where ours is behind."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from benchmarks import harness, lift_picture, lift_table, tables
from benchmarks import lift as benchmark
from benchmarks.rows import ENGINES, JAX, OURS, ROWS, contestants

# --- who is measured ------------------------------------------------------------------------------


SLOW = dict.fromkeys(("numpy", "compiled", "torch-plain", "torch-foreach", *JAX), 100.0)


def running(key: str, seconds: dict[str, float], fault: str = "") -> tuple[Any, list[str]]:
    """`figures` of a row whose contestants take what is said, else 1; and who ran, in order."""
    ran = []

    def run(name: str) -> dict[str, Any]:
        ran.append(name)
        slope = 0.25 + (1e-8 if name == fault else 0.0)
        result = {"losses": [0.7, 0.6, 0.5], "gradients": {"weight": [0.1, slope]}}
        time_taken = seconds.get(name, 1.0)
        return {**result, "seconds": time_taken, "processor": time_taken, "first": 1.0}

    return benchmark.figures(key, run), ran


@pytest.mark.parametrize(
    "fault", ["numpy", "torch-fused", "compiled", "jax-flat-kept", "loops", "native-layers"]
)
def test_a_contestant_that_computes_something_else_stops_the_benchmark(fault: str) -> None:
    with pytest.raises(AssertionError, match=f"makemore-32, {fault}: weight: differ"):
        running("makemore-32", {}, fault)


def test_without_a_compiler_the_table_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found, ran = running("makemore-32", SLOW | {"torch-fused": 100.0})
    assert "compiled" not in ran
    assert not lift_table.failures("makemore-32", found)
    assert lift_table.line("makemore-32", found)[ENGINES["compiled"]] == ""
    notes = lift_table.notes({"makemore-32": {"machine": {}, "found": found}})
    assert "No C++ compiler for PyTorch when measuring makemore MLP, batch 32." in notes


def test_of_an_engine_s_ways_the_slow_run_once_and_the_fastest_counts() -> None:
    slow = dict.fromkeys(JAX, 2.0) | {"jax-list-donated": 1.1, "jax-flat-kept": 0.9}
    found, ran = running("demo-100", slow | {"layers": 3.0, "scalar": 1000.0})
    assert ran[: len(contestants(ROWS["demo-100"]))] == list(contestants(ROWS["demo-100"]))
    assert ran.count("jax-flat-kept") == ran.count("jax-list-donated") == benchmark.REPEAT
    assert ran.count("layers") == ran.count("torch-plain") == benchmark.REPEAT
    assert ran.count("jax-dict-kept") == ran.count("scalar") == 1
    assert lift_table.best(found)["jax"] == ("jax-flat-kept", 0.9)
    assert lift_table.fastest_other(found) == ("jax", 0.9)


def test_a_way_that_was_dropped_counts_no_more() -> None:
    found, _ = running("demo-100", dict.fromkeys(JAX, 1.3) | {"jax-flat-kept": 1.0})
    found["jax-flat-kept"]["seconds"] = 1.4  # slower than it looked at first
    assert lift_table.best(found)["jax"] == ("jax-flat-kept", 1.4)


# --- what the table says --------------------------------------------------------------------------


def test_the_table_is_bold_where_another_engine_is_faster() -> None:
    found, _ = running("demo-100", {"layers": 2e-6, "loops": 0.5e-6, "numpy": 1e-6})
    cells = lift_table.line("demo-100", found)
    assert cells[ENGINES["layers"]] == "**2**"
    assert cells[ENGINES["loops"]] == "0.5"
    assert cells[ENGINES["numpy"]] == "1"
    assert (cells["fastest other"], cells["its time / ours"]) == ("NumPy by hand", "**0.50**")

    found, _ = running("demo-100", {"layers": 1e-6, "loops": 1e-6, "jax-list-kept": 3e-6})
    cells = lift_table.line("demo-100", found)
    assert cells[ENGINES["layers"]] == "1"
    assert cells[ENGINES["jax"]] == "3 (list, kept)"
    assert (cells["fastest other"], cells["its time / ours"]) == ("JAX", "3.00")


def test_a_row_slower_than_it_is_held_to_is_a_failure() -> None:
    limit = ROWS["makemore-32"].held_to["torch"]
    mine = {"layers": 1.0, "native-layers": 0.01}
    found, _ = running("makemore-32", mine | {"torch-fused": limit * 1.01} | SLOW)
    found["layers"]["first"] = 11.0
    (only,) = lift_table.failures("makemore-32", found)
    assert "first call took 11.0 s" in only
    found["torch-fused"]["seconds"], found["layers"]["first"] = limit * 0.99, 1.0
    (only,) = lift_table.failures("makemore-32", found)
    assert f"PyTorch, eager, held to {limit:.3g}" in only


def test_native_code_is_held_to_bounds_of_its_own() -> None:
    limit = ROWS["makemore-32"].native_to["jax"]
    jax = dict.fromkeys(JAX, limit * 0.99)
    found, _ = running("makemore-32", SLOW | jax | {"torch-fused": 100.0, "layers": 0.01})
    (only,) = lift_table.failures("makemore-32", found)
    assert "native, with layers" in only and f"JAX, held to {limit:.3g}" in only
    found["native-layers"]["seconds"] = 0.98
    assert not lift_table.failures("makemore-32", found)


def test_the_second_table_compares_native_code_with_the_fastest_ways() -> None:
    found, _ = running(
        "makemore-32",
        {"native-layers": 0.5, "native-loops": 0.25, "torch-fused": 3.0, "torch-plain": 2.0}
        | dict.fromkeys(JAX, 9.0) | {"jax-flat-kept": 1.0},
    )  # fmt: skip
    found["native-layers"]["operations"] = 8e9
    cells = lift_table.native_line("makemore-32", {"found": found, "product": 64e9})
    assert cells["JAX / native"] == "2.00 / 4.00"
    assert cells["PyTorch / native"] == "2.00 / 4.00"  # torch-foreach takes 1
    assert (cells["Gflop/s"], cells["of a product"]) == (16.0, "25%")
    assert cells["pays after, steps"] == 1  # both first calls take a second
    found["native-layers"]["first"] = 3.0
    assert lift_table.pays_after(found, "layers") == 4
    found["native-layers"]["seconds"] = 1.0
    assert lift_table.pays_after(found, "layers") == "", "never"
    del found["native-layers"]["operations"]  # a whole training
    assert lift_table.native_line("makemore-32", {"found": found})["of a product"] == ""


def test_every_row_is_held_to_something_of_every_engine() -> None:
    for key, row in ROWS.items():
        engines = {benchmark.engine(name) for name in contestants(row)} - set(OURS)
        assert set(row.held_to) == engines, key
        assert set(row.native_to) == {"jax", "torch"}, key
        assert all(times > 0 for times in (*row.held_to.values(), *row.native_to.values())), key


def test_the_committed_pages_show_the_committed_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    found, committed = benchmark.read(), tables.RESULTS
    assert list(found) == list(ROWS)
    for key, row in found.items():
        assert set(row["found"]) == set(contestants(ROWS[key])), key
        assert not lift_table.failures(key, row["found"])
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    assert lift_table.write(found) == (committed / "lift.md").read_text(encoding="utf-8")
    assert lift_picture.digest(found) in (committed / "lift.svg").read_text(encoding="utf-8")
    readme = (harness.ROOT / "README.md").read_text(encoding="utf-8")
    assert lift_table.sentence(found) in " ".join(readme.split())


def test_one_row_measured_anew_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    monkeypatch.setattr(benchmark.harness, "machine", lambda *packages: {})  # JAX may be missing
    (tmp_path / "lift.json").write_text(json.dumps({"gpt-1": {"machine": {}, "found": {}}}))
    monkeypatch.setattr(benchmark.harness, "fresh", lambda module: {"product": 5e9})
    benchmark.merge("demo-100", {"layers": {"seconds": 1.0}})
    kept = benchmark.read()
    assert list(kept) == ["demo-100", "gpt-1"], "in the order of ROWS"
    assert kept["demo-100"]["found"] == {"layers": {"seconds": 1.0}}
    assert kept["demo-100"]["product"] == 5e9
    assert kept["gpt-1"] == {"machine": {}, "found": {}}


def test_the_sentence_for_readme_counts_both_ways() -> None:
    fast, _ = running("demo-100", {"layers": 0.5, "scalar": 1234.0, "native-layers": 0.1})
    slow, _ = running("makemore-32", {"layers": 8.0, "native-layers": 4.0})
    del slow["compiled"]
    rows = {"demo-100": {"found": fast}, "makemore-32": {"found": slow}}
    text = lift_table.sentence(rows)
    assert (
        "Of 2 problems, the lifted step as native code is faster than JAX in 1, than compiled "
        "PyTorch in 1 of 1, than eager PyTorch in 1, and than NumPy written by hand in 1; run by "
        "NumPy, which compiles nothing, in 1, 1 of 1, 1 and 1."
    ) in text
    assert "furthest behind in “makemore MLP, batch 32”: NumPy by hand takes 0.25 of its" in text
    assert text.endswith("Scalar engines take 2,500 to 2,500 times as long as the step on NumPy.")
    slow["native-layers"]["seconds"] = 0.8
    assert "ahead by least in “makemore MLP, batch 32”: NumPy by hand takes 1.25" in (
        lift_table.sentence(rows)
    )


def test_the_sentence_takes_its_place_in_the_page(tmp_path: Any) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{lift_table.START}\nold words\n{lift_table.END}\nafter\n")
    lift_table.tell(page, "new " * 40)
    lines = page.read_text().splitlines()
    assert lines[:2] == ["before", lift_table.START]
    assert lines[-2:] == [lift_table.END, "after"]
    assert " ".join(lines[2:-2]) == ("new " * 40).strip()
    assert max(map(len, lines)) <= 120
