"""Each chapter of a video is linked from one heading of its notebook, in the video's order."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tools import notebooks

LECTURES = notebooks.ROOT / "lectures"
VIDEOS = tomllib.loads(Path(__file__).with_name("chapters.toml").read_text())["video"]
LINK = re.compile(r"\[([\d:]+)\]\(https://youtu\.be/([\w-]+)\?t=(\d+)\)")


def seconds(mark: str) -> int:
    total = 0
    for part in mark.split(":"):
        total = 60 * total + int(part)
    return total


def headings(name: str) -> list[str]:
    cells = notebooks.read(LECTURES / f"{name}.ipynb").cells
    text = "\n".join("".join(c.source) for c in cells if c.cell_type == "markdown")
    return [line for line in text.splitlines() if re.match(r"#{2,4} ", line)]


@pytest.mark.parametrize("video", VIDEOS, ids=lambda video: video["notebooks"][0])
def test_every_chapter_is_linked_from_one_heading_in_order(video: dict[str, list[str]]) -> None:
    lines = [line for name in video["notebooks"] for line in headings(name)]
    found = [m for line in lines for m in LINK.findall(line)]
    assert {of for _, of, _ in found} == {video["id"]}
    assert all(seconds(mark) == int(t) for mark, _, t in found), "a mark and its link disagree"
    marks = [seconds(mark) for mark, _, _ in found]
    assert marks == [seconds(time) for time, _ in video["chapters"]]


def test_a_mark_is_read_in_hours_minutes_and_seconds() -> None:
    assert (seconds("8:08"), seconds("1:22:28"), seconds("0:00:25")) == (488, 4948, 25)
    line = "## 1. A · [8:08](https://youtu.be/a_B-1?t=488)"
    assert LINK.findall(line) == [("8:08", "a_B-1", "488")]
