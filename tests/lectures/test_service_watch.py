"""Lecture 12's alarms, service/watch.py: what they say of planted samples, when they decline."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from service import watch
from service.log import Window
from service.model import log_losses
from service.world import VEHICLES, chance_of_late, deliveries, rows_of, select


def test_statistics_equal_scipys() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal(300), rng.standard_normal(200) + 0.2
    theirs = stats.ks_2samp(a, b, method="asymp")
    assert watch.ks(a, b)[0] == pytest.approx(theirs.statistic, abs=1e-12)
    hours, later = rng.integers(7, 12, 80), rng.integers(8, 13, 50)  # with ties
    assert watch.ks(hours, later)[0] == pytest.approx(stats.ks_2samp(hours, later).statistic)
    counts = [[(x == h).sum() for h in range(7, 13)] for x in (hours, later)]
    theirs = stats.chi2_contingency(counts, correction=False)
    assert watch.chi_squared(hours, later) == pytest.approx((theirs.statistic, theirs.pvalue))
    p = rng.random(30) ** 2
    assert watch.benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    assert watch.psi(a, a) == pytest.approx(0) and watch.psi(a, b) > 0.05
    assert watch.ks(a, a + 100)[0] == 1 and watch.kolmogorov(0.1) == 1


def test_a_monitor_sees_what_is_planted_and_no_more() -> None:
    calm = deliveries(3000, np.random.default_rng(2))[0]
    then, now = select(calm, slice(0, 1500)), select(calm, slice(1500, 3000))
    assert min(watch.monitor(chance_of_late, then, now).values()) > 1e-3
    far = {**now, "distance_km": now["distance_km"] * 1.5}
    p = watch.monitor(chance_of_late, then, far)
    assert [name for name, x in p.items() if x < 1e-6] == ["distance_km", "answer"]


def test_training_data_are_compared_with_the_last_reference() -> None:
    calm = deliveries(3000, np.random.default_rng(3))[0]
    then, now = select(calm, slice(0, 1500)), select(calm, slice(1500, 3000))
    watch.check_training(now, then)
    utc = {**now, "hour": (now["hour"] - 10) % 24, "weight_kg": now["weight_kg"] * 2.2}
    with pytest.raises(ValueError, match=r"weight_kg .*hour"):
        watch.check_training(utc, then)
    with pytest.raises(ValueError, match="hour") as error:
        watch.check_training(utc, then, expected=["weight_kg"])
    assert "weight_kg" not in str(error.value)
    watch.check_training(utc, then, expected=["weight_kg", "hour"])


def test_an_unknown_outcome_is_neither_on_time_nor_late() -> None:
    p, late = np.array([0.2, 0.9, 0.5]), np.array([0.0, 1.0, np.nan])
    assert log_losses(p, late)[:2] == pytest.approx([-math.log(0.8), -math.log(0.9)])
    assert np.isnan(log_losses(p, late)[2])
    assert len(watch.known_loss(p, late, least=2)) == 2
    with pytest.raises(watch.TooFew, match="2 of 3 outcomes are known, 3 are needed"):
        watch.known_loss(p, late, least=3)
    with pytest.raises(watch.TooFew, match="0 of 3"):
        watch.known_loss(p, np.full(3, np.nan), least=1)


def test_half_of_the_outcomes_give_nearly_the_whole_score() -> None:
    rng = np.random.default_rng(4)
    columns, late = deliveries(4000, rng)
    p, quiet = chance_of_late(columns), log_losses(chance_of_late(columns), late)[:2000]
    some = np.where(rng.random(4000) < 0.5, late, np.nan)
    whole = watch.loss_score(1 - p, late, quiet)
    assert watch.loss_score(1 - p, some, quiet) > 0.6 * whole > 5  # a model turned round
    assert abs(watch.loss_score(p, some, quiet)) < 3


def test_small_excesses_add_up() -> None:
    assert watch.cusum([1, 1, 1, -5, 2], slack=0.5) == pytest.approx([0.5, 1, 1.5, 0, 1.5])
    quiet = np.random.default_rng(5).standard_normal(1000)
    assert watch.cusum(quiet + 1)[-1] > 300 > watch.cusum(quiet).max()


def window(n: int, seed: int, share: float) -> Window:
    """n parcels with the true chances as version 1, worse ones as version 2; some outcomes."""
    rng = np.random.default_rng(seed)
    columns, late = deliveries(n, rng)
    p = chance_of_late(columns)
    worse = np.clip(p + np.where(columns["vehicle"] == "bike", 0.3, 0.0), 0.01, 0.99)
    known = np.where(rng.random(n) < share, late, np.nan)
    return Window(columns, {1: p, 2: worse, 3: np.where(rng.random(n) < 0.9, p, np.nan)}, known)


def test_a_version_that_is_worse_for_one_kind_is_not_promoted() -> None:
    promote, by = watch.verdict(window(3000, 6, 0.5), 1, 2)
    assert not promote and by["bike"][1] < 0 == by["van"][0] == by["truck"][1]
    promote, by = watch.verdict(window(3000, 6, 0.5), 2, 1)
    assert by["all"][0] > 0 and set(by) == {"all", *VEHICLES}
    watch.verdict(window(3000, 7, 0.5), 3, 1)  # a version that answered nine in ten
    with pytest.raises(watch.TooFew, match="are needed"):
        watch.verdict(window(60, 8, 0.5), 1, 2)


def test_rows_and_columns_are_the_same() -> None:
    columns, _ = deliveries(5, np.random.default_rng(9))
    rows = rows_of(columns)
    assert [row["hour"] for row in rows] == columns["hour"].tolist() and len(rows) == 5
