"""What every test module shares: how hypothesis draws; no test leaves a mode or an op behind.

`HYPOTHESIS_PROFILE=nightly pytest` tries many more examples, other ones each night; of the random
programs of `lift` 20,000 (`make nightly`).
`pytest --site tests/site` opens every page of the site that `make site` has built.
`pytest --reference` runs on engine.py alone, without the written-out functions of fast.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from micrograd import fast, modes
from micrograd.op import registered

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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reference", action="store_true", help="test engine.py without fast.py")
    parser.addoption("--site", action="store_true", help="test the site that `make site` built")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--reference"):  # before a test module has imported anything
        fast.uninstall()


def pytest_report_header(config: pytest.Config) -> str:
    return "engine: " + ("the reference" if config.getoption("--reference") else "fast")


@pytest.fixture(autouse=True)
def _modes_end_with_the_test() -> Iterator[None]:
    ops_before = dict(registered)
    yield
    registered.clear()  # an op that a test registers ends with it too
    registered.update(ops_before)
    assert modes.current_mode() is modes.eager
    assert not modes.active
