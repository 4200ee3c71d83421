"""The seconds of a notebook's head are those of the map in lectures/README.md."""

from __future__ import annotations

import re

import pytest

from tools import notebooks

LECTURES = notebooks.ROOT / "lectures"
ROW = re.compile(r"^\| .*?\]\(([\w/]+\.ipynb)\).*\| (\d+) \|$", flags=re.MULTILINE)
MAP = dict(ROW.findall((LECTURES / "README.md").read_text(encoding="utf-8")))


def test_the_map_has_every_lecture() -> None:
    given = {p.relative_to(LECTURES).as_posix() for p in notebooks.found(LECTURES)}
    assert set(MAP) == {p for p in given if not p.startswith(("exercises/", "solutions/"))}


@pytest.mark.parametrize("path", MAP)
def test_the_head_says_the_same(path: str) -> None:
    head = "".join(notebooks.read(LECTURES / path).cells[0].source)
    assert re.findall(r"(\d+) seconds to\s+run", head) == [MAP[path]]
