"""lift: what runs lifted equals what runs eagerly, on random programs."""

from __future__ import annotations

import os

import numpy as np
from absolute import Undecided
from hypothesis import HealthCheck, assume, given, settings
from random_programs import Sample, agrees, expressions, loops

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
programs = settings(
    max_examples=1000 if NIGHTLY else 100,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)


def lifted_equals_eager(sample: Sample) -> None:
    with np.errstate(all="ignore"):
        try:
            agrees(sample)
        except Undecided:
            assume(False)


@programs
@given(expressions())
def test_random_graphs_agree(sample: Sample) -> None:
    lifted_equals_eager(sample)


@programs
@given(loops())
def test_random_loops_agree(sample: Sample) -> None:
    lifted_equals_eager(sample)
