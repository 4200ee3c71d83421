"""The built site, its server below a path, and a Chromium that reaches nothing but loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from browsing import Browsers
from serving import ALONE, SITE, serving


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs the built site is for `make test-site`, which builds it first."""
    if not config.getoption("--site"):
        away = [item for item in items if item.get_closest_marker("site")]
        config.hook.pytest_deselected(items=away)
        items[:] = [item for item in items if item not in away]


@pytest.fixture(scope="session")
def site() -> Path:
    assert (SITE / "sw.js").exists(), "`make site` builds the site that these tests look at"
    return SITE


@pytest.fixture(scope="session")
def address(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(site, tmp_path_factory.mktemp("host")) as (where, _):
        yield where


@pytest.fixture(scope="session")
def browsers() -> Iterator[Browsers]:
    """One for all tests that only look."""
    with closing(Browsers(ALONE)) as started:
        yield started
