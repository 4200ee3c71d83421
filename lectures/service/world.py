"""The world of lecture 12: parcels of a courier company, and which of them are late.

The data are made, so that the world can be changed on purpose and the right alarm is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["VEHICLES", "chance_of_late", "deliveries", "rows_of", "select"]

VEHICLES = ("bike", "van", "truck")
Columns = dict[str, Any]  # an array for each name


def chance_of_late(columns: Columns, evening: float = 17) -> np.ndarray:
    """P(late | x) by the lecture's formula; `evening` is the hour of the second rush."""
    hour, bike = columns["hour"], columns["vehicle"] == "bike"
    rush = np.exp(-((hour - 8) ** 2) / 4.5) + np.exp(-((hour - evening) ** 2) / 4.5)
    heavy = 0.25 * np.maximum(columns["weight_kg"] - 2, 0)
    score = -2.6 + 0.16 * columns["distance_km"] + np.where(bike, heavy, 4 * rush - 0.8)
    return 1 / (1 + np.exp(-score))


def deliveries(
    n: int, rng: np.random.Generator, farther: float = 0.0, evening: float = 17
) -> tuple[Columns, np.ndarray]:
    """n parcels as columns, and whether each was late; log-distances grow by `farther`."""
    vehicle = np.array(VEHICLES)[np.searchsorted([0.4, 0.8], rng.random(n))]
    typical = np.select([vehicle == "bike", vehicle == "van"], [0.8, 2.2], 3.5)
    columns = {
        "distance_km": np.exp(1.5 + farther + 0.5 * rng.standard_normal(n)).round(1).clip(0.1, 60),
        "weight_kg": np.exp(typical + 0.6 * rng.standard_normal(n)).round(1).clip(0.1, 500),
        "hour": rng.integers(7, 22, n),
        "vehicle": vehicle,
    }
    return columns, (rng.random(n) < chance_of_late(columns, evening)).astype(int)


def select(columns: Columns, rows: Any) -> Columns:
    """The same columns with only some rows, or in another order."""
    return {name: column[rows] for name, column in columns.items()}


def rows_of(columns: Columns) -> list[dict[str, Any]]:
    """Columns as the list of objects that a request carries."""
    rows = zip(*(c.tolist() for c in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]
