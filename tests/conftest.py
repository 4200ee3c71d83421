"""What every test module shares: how hypothesis draws; no test leaves a mode or an op behind.

A test whose browser dies under it runs once more, in a new browser; twice is a failure.

`HYPOTHESIS_PROFILE=nightly pytest` tries many more examples, other ones each night; of the random
programs of `lift` 20,000 (`make nightly`).
`pytest --site tests/site` opens every page of the site that `make site` has built.
`pytest --reference` runs on engine.py alone, without the written-out functions of fast.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from browsing import Browsers
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=[*Browsers.DEATH]))


@pytest.fixture(scope="module")
def browsers() -> Iterator[Browsers]:
    with closing(Browsers()) as started:
        yield started


@pytest.fixture
def chromium(browsers: Browsers) -> Any:
    """One for all tests of a module that leave it as they find it."""
    return browsers.alive()


@pytest.fixture(autouse=True)
def _modes_end_with_the_test() -> Iterator[None]:
    ops_before = dict(registered)
    yield
    registered.clear()  # an op that a test registers ends with it too
    registered.update(ops_before)
    assert modes.current_mode() is modes.eager
    assert not modes.active
