"""From a panel, in one click: its stepper, its quiz, its explanation, its worksheet."""

from __future__ import annotations

import micrograd
from playground.panel import Panel
from playground.typeset import page

__all__ = ["lesson"]


def lesson(panel: Panel, what: str, lr: float) -> dict[str, str]:
    """A page of the graph as it is now, or its explanation; imported when asked for."""
    root = panel.graph.labelled()
    trained = [panel.graph.leaf(i) for i, kind in panel.graph.kinds.items() if kind == "parameter"]
    match what:
        case "stepper" if lr > 0 and trained:
            return {"html": micrograd.step_through(root, trained, lr).html}
        case "stepper":
            return {"html": micrograd.step_through(root).html}
        case "quiz":
            return {"html": micrograd.step_through(root, quiz=True).html}
        case "explain":
            return {"html": page(micrograd.explain(root).markdown)}
        case "worksheet":
            return {"html": micrograd.worksheet(root)._repr_html_()}
    raise ValueError(f"there is no lesson {what!r}")
