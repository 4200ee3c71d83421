"""Cards of one kind are equally wide where that costs little, so that columns have straight edges.

A run's `room` is the text that it has room for; here those that are alike get the widest one's.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

from micrograd.show.graph.drawing import Card, Run

__all__ = ["LITTLE", "of_one_size"]

LITTLE = 24.0  # pixels that a number may get beyond what it needs,
_NAME = 8.0  # and a name


def of_one_size(
    cards: Sequence[Card], kinds: Sequence[Hashable] = (), most: float = 0
) -> list[Card]:
    """The cards, each with room for what those of its kind say in the same place.

    With `most` a run may get so many pixels.
    """
    kinds = kinds or [0] * len(cards)
    said: dict[Hashable, list[Run]] = {}  # by kind, what it is, and its place in the cell
    for kind, card in zip(kinds, cards, strict=True):
        for cell in card.cells if card.kind != "op" else ():
            for k, run in enumerate(cell.runs):
                said.setdefault((kind, run.kind, k), []).append(run)

    def roomy(kind: Hashable, k: int, run: Run) -> Run:
        others = said.get((kind, run.kind, k), [run])
        return replace(
            run, room=_widest(run, others, most or (_NAME if run.kind == "name" else LITTLE))
        )

    return [
        replace(card, cells=tuple(
            replace(cell, runs=tuple(roomy(kind, k, run) for k, run in enumerate(cell.runs)))
            for cell in card.cells
        ))
        if card.kind != "op" else card
        for kind, card in zip(kinds, cards, strict=True)
    ]  # fmt: skip


def _widest(run: Run, others: Iterable[Run], most: float) -> str:
    """The widest text of all of them that is not much wider than the run's own."""
    texts = dict.fromkeys(text for other in others for text in (other.text, other.room))
    near = [text for text in texts if run.width_of(text) <= run.width + most]
    return max(near, key=run.width_of, default=run.room)
