"""What a delivery is, said once: for rows of a file and for requests alike.

`Delivery` is the schema; `read_csv` applies it to a file, `Batch` and `Truths` to requests.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from service.world import Columns

__all__ = [
    "Batch",
    "Delivery",
    "Outcome",
    "Truths",
    "as_columns",
    "data_hash",
    "fault",
    "read_csv",
    "write_csv",
]


class Delivery(BaseModel):
    """One parcel: no field missing, none unknown, no text for a number, nothing infinite."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    distance_km: float = Field(ge=0.1, le=60)  # nothing was trained nearer, and 5e-324 > 0
    weight_kg: float = Field(ge=0.1, le=500)
    hour: int = Field(ge=0, le=23)
    vehicle: Literal["bike", "van", "truck"]


class Outcome(Delivery):
    late: int = Field(ge=0, le=1)


class Batch(BaseModel):
    """The body of a question: 1 to 256 parcels."""

    model_config = ConfigDict(extra="forbid", strict=True)
    rows: list[Delivery] = Field(min_length=1, max_length=256)


class Truths(BaseModel):
    """The body of a report: which requests were late. `true` is no number here either."""

    model_config = ConfigDict(extra="forbid", strict=True)
    ids: list[Annotated[int, Field(ge=1, lt=2**63)]] = Field(min_length=1, max_length=256)
    late: list[Annotated[int, Field(ge=0, le=1)]] = Field(min_length=1, max_length=256)

    @model_validator(mode="after")
    def one_outcome_each(self) -> Truths:
        if len(self.ids) != len(self.late):
            raise ValueError(f"{len(self.ids)} ids and {len(self.late)} outcomes")
        return self


def fault(error: ValidationError) -> str:
    """The first fault of a ValidationError in words: where, and what."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def as_columns(rows: list[Any]) -> Columns:
    """A list of Delivery as the columns that the model reads."""
    return {name: np.array([getattr(r, name) for r in rows]) for name in Delivery.model_fields}


def read_csv(path: Path) -> tuple[list[Outcome], list[tuple[int, str]]]:
    """The rows that pass the schema, and for the others line number and fault."""
    good, refused = [], []
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        for row in reader:
            number = reader.line_num  # empty lines and line breaks in quotes count, too
            if None in row:  # where the reader puts what stands behind the last column
                refused.append((number, f"{len(row[None])} fields too many"))
                continue
            given = {k: v for k, v in row.items() if v is not None}
            try:
                good.append(Outcome.model_validate_strings(given))
            except ValidationError as error:
                refused.append((number, fault(error)))
    return good, refused


def write_csv(path: Path, columns: Columns, late: np.ndarray) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "late"])
        writer.writerows(zip(*(c.tolist() for c in columns.values()), late.tolist(), strict=True))


def data_hash(columns: Columns, late: np.ndarray) -> str:
    """SHA-256 of the rows as text, one a line, in their order."""
    rows = zip(*(c.tolist() for c in columns.values()), late.tolist(), strict=True)
    return hashlib.sha256("\n".join(map(repr, rows)).encode()).hexdigest()
