"""The paired comparison finds a planted slow-down, calls equal equal, and says when it cannot say.

The statistics are tested on given numbers, never on a clock.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks import harness, paired


def times(seed: int, spread: float, factor: float = 1.0, count: int = 15) -> list[float]:
    """Seconds as a busy machine gives them: most vary a little, one in ten takes half more."""
    rng = random.Random(seed)
    return [
        factor * rng.lognormvariate(0.0, spread) * (1.5 if rng.random() < 0.1 else 1.0)
        for _ in range(count)
    ]


SEEDS = range(200)


def verdicts(spread: float, factor: float, limit: float = 1.03) -> dict[str, int]:
    counts = {"holds": 0, "exceeds": 0, "no verdict": 0}
    for seed in SEEDS:
        found = paired.Comparison(times(2 * seed, spread), times(2 * seed + 1, spread, factor))
        counts[paired.verdict(found, limit)] += 1
    return counts


def test_a_planted_slow_down_of_a_tenth_is_found() -> None:
    counts = verdicts(spread=0.015, factor=1.10)
    assert counts["exceeds"] >= 0.9 * len(SEEDS)
    assert counts["holds"] == 0


def test_identical_checkouts_are_not_reported() -> None:
    assert verdicts(spread=0.015, factor=1.0)["exceeds"] == 0
    assert verdicts(spread=0.01, factor=1.0)["holds"] >= 0.9 * len(SEEDS)
    assert verdicts(spread=0.2, factor=1.0)["exceeds"] <= 0.05 * len(SEEDS)


def test_a_spread_of_a_fifth_allows_no_verdict_about_three_percent() -> None:
    counts = verdicts(spread=0.2, factor=1.0)
    assert counts["no verdict"] >= 0.8 * len(SEEDS)


def test_just_at_the_limit_nothing_is_claimed_more_often_than_promised() -> None:
    counts = verdicts(spread=0.02, factor=1.03)
    assert counts["exceeds"] + counts["holds"] <= 0.1 * len(SEEDS)


def test_the_interval_holds_the_median_as_often_as_it_says() -> None:
    inside = 0
    for seed in range(2000):
        low, high = paired.confidence(times(seed, 0.1))
        # the median of `times`: 0.5 = 0.9 F(m) + 0.1 F(m / 1.5), close to 1.014
        inside += low <= 1.0137 <= high
    assert 0.95 <= inside / 2000 <= 0.985


@pytest.mark.parametrize(("count", "lowest"), [(6, 1), (9, 2), (15, 4), (31, 10)])
def test_the_interval_by_the_table_of_the_sign_test(count: int, lowest: int) -> None:
    numbers = [float(i) for i in range(count, 0, -1)]
    assert paired.confidence(numbers) == (lowest, count + 1 - lowest)


def test_too_few_pairs_say_nothing() -> None:
    found = paired.Comparison([1.0] * 5, [2.0] * 5)
    assert paired.verdict(found, 1.03) == "no verdict"


def test_median_and_quartiles_are_those_of_the_pairs() -> None:
    # each pair met another minute: the ratio of the medians would be 0.9
    found = paired.Comparison([1.0, 10.0, 100.0, 1.0, 1.0], [1.2, 9.0, 110.0, 0.9, 1.3])
    assert (found.lower_quartile, found.median, found.upper_quartile) == (0.9, 1.1, 1.2)


def test_contestants_take_turns_at_going_first() -> None:
    ran: list[str] = []
    one: dict[str, Any] = {name: lambda name=name: ran.append(name) or 1.0 for name in "ab"}
    assert paired.taken_in_turn(one["a"], one["b"], 3) == ([1.0] * 3, [1.0] * 3)
    assert "".join(ran) == "abbaab"


# --- the right package ----------------------------------------------------------------------------


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A checkout that has no benchmarks of its own to speak of, and is marked."""
    (tmp_path / "micrograd").mkdir()
    (tmp_path / "micrograd" / "__init__.py").write_text("raise RuntimeError('the older one')\n")
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__init__.py").write_text("raise RuntimeError('old benchmarks')\n")
    return tmp_path


@pytest.mark.slow
def test_only_the_package_is_taken_from_the_other_checkout(
    older: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exception, match="returned non-zero"):
        harness.fresh("benchmarks.paired", "--measure", str(older), "demo-100")
    assert "the older one" in capfd.readouterr().err
    shutil.rmtree(older / "micrograd")
    shutil.copytree(harness.ROOT / "micrograd", older / "micrograd")
    found = harness.fresh("benchmarks.paired", "--measure", str(older), "demo-100")
    assert found["seconds"] > 0
    assert Path(found["package"]) == (older / "micrograd").resolve()


def test_a_measurement_of_another_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        harness, "fresh", lambda *a: {"seconds": 1.0, "package": "/elsewhere/micrograd"}
    )
    with pytest.raises(RuntimeError, match="not that of"):
        paired.pairs(str(harness.ROOT), "demo-100", 1)


@pytest.mark.parametrize(("factor", "code"), [(1.1, 1), (1.0, 0)])
def test_the_command_reports_a_planted_slow_down_by_its_exit_status(
    factor: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paired, "pairs", lambda base, row, count: ([1.0] * count, [factor] * count))
    assert paired.main([str(harness.ROOT), "--pairs", "15", "demo-100", "gpt-1"]) == code
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["demo-100", "gpt-1"]
    assert all(line.endswith("exceeds" if code else "holds") for line in said)
