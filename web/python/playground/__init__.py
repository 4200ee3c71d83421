"""What runs in the page's worker: cells, what they show, and numbers that can be dragged.

The worker calls `begin` once. Learners may import `Curve`, a plot that grows while code runs. Read
`session.py` first, then `live.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from playground.curve import Curve
from playground.session import Session

__all__ = ["Curve", "begin"]


def begin(
    text: Callable[[str, str], None],
    rich: Callable[[str, str, str], None],
    layout: Callable[[str, str], str],
) -> Session:
    """A session that sends text (stream, text) and pictures (kind, content, name) by these.

    `layout` is Graphviz: DOT and a format in, its answer out.
    """
    return Session(text, rich, layout)
