"""The playground is built once for all of its tests, and opened once for each file of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import Page, built, opened, served


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site; the playground is in its play/."""
    return built(tmp_path_factory.mktemp("playground"))


@pytest.fixture(scope="module")
def page(site: Path) -> Iterator[Page]:
    """The playground in a browser, for the tests of one file."""
    with served(site) as (address, _), opened(address) as shown:
        yield shown
