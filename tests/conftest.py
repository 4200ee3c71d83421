"""What every test module shares: how hypothesis draws, and that no test leaves a mode behind.

`HYPOTHESIS_PROFILE=nightly pytest` tries many more examples, other ones each night; of the random
programs of `lift` 20,000 (`make nightly`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from micrograd import engine

_slow_is_fine = [HealthCheck.too_slow]
settings.register_profile(
    "ci",
    report_multiple_bugs=False,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=_slow_is_fine,
)
settings.register_profile(
    "nightly",
    deadline=None,
    max_examples=2000,
    print_blob=True,
    suppress_health_check=_slow_is_fine,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def _modes_end_with_the_test() -> Iterator[None]:
    yield
    assert engine.current_mode() is None
    assert not engine._modes
