"""Executors of Steps: what each computes equals what runs eagerly, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from absolute import Undecided
from executing import through
from hypothesis import HealthCheck, assume, given, settings
from random_programs import Sample, agrees, expressions, loops

from micrograd.lifting.run import reference

programs = settings(
    max_examples=100,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
EXECUTORS: dict[str, Any] = {"reference": reference.run}


def equals_eager(sample: Sample, name: str) -> None:
    with np.errstate(all="ignore"):
        try:
            agrees(sample, through(EXECUTORS[name]))
        except Undecided:
            assume(False)


@pytest.mark.parametrize("name", EXECUTORS)
@programs
@given(sample=expressions())
def test_random_graphs_agree(name: str, sample: Sample) -> None:
    equals_eager(sample, name)


@pytest.mark.parametrize("name", EXECUTORS)
@programs
@given(sample=loops())
def test_random_loops_agree(name: str, sample: Sample) -> None:
    equals_eager(sample, name)
