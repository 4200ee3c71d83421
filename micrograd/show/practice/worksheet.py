"""worksheet: a page to print (or fill in), with blanks for the gradients and the answers apart.

`worksheet(value)` makes one of any computation, `worksheet.random(level, seed)` invents one,
`worksheet.classroom(level, count, seed)` many, and `check` marks the answers. What a page looks
like stands in `sheet_page.py`. Read `Worksheet`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd.engine import Value
from micrograd.show.graph.files import write
from micrograd.show.graph.text import plain
from micrograd.show.lesson.pages import framed, size_of
from micrograd.show.lesson.walk import Walk
from micrograd.show.practice.exercises import exercise
from micrograd.show.practice.fit import fitted
from micrograd.show.practice.levels import LEVELS
from micrograd.show.practice.paper import forward
from micrograd.show.practice.sheet_page import markdown, sheet_document
from micrograd.show.practice.sheets import identity_of, packed

if TYPE_CHECKING:
    from micrograd.show.practice.bank import Bank
    from micrograd.show.practice.classroom import Classroom

__all__ = ["Worksheet", "worksheet"]

_MAX_NODES = 100  # blanks on a sheet; a pencil has had enough long before


class Worksheet:
    """An exercise: `page` (HTML) and `markdown`; its solution: `answer_page`, `answer_markdown`.

    Weights (`parameters`, or those of a module) are asked for too, by the module's names. With
    `marking` the page has a button for each answer, which says whether it is right; such a page
    holds the right numbers. `save("sheet.html")` or `save("sheet.md")` writes the sheet, and the
    answers beside it.
    """

    def __init__(
        self,
        value: Value,
        title: str = "Backpropagation by hand",
        *,
        parameters: Any = (),
        marking: bool = False,
    ) -> None:
        self.level: int | None = None
        self.seed: int | None = None
        self.number: int | None = None  # in a class
        self.marking = marking
        self.walk = Walk(value, parameters)
        if len(self.walk.nodes) > _MAX_NODES:
            raise ValueError(
                f"this graph has {len(self.walk.nodes):,} nodes, and a sheet holds {_MAX_NODES}: "
                "take a smaller part of it, such as one neuron"
            )
        self.value = value
        self.title = plain(title)
        self.asked = self.walk.asked

    @classmethod
    def random(cls, level: int, seed: int = 0, *, marking: bool = False) -> Worksheet:
        """An invented exercise, always the same for one seed, and another for each.

        Level 1: sums and products; 2: a neuron; 3: shared nodes; 4: softmax and cross-entropy;
        5: a two-layer net; 6: BatchNorm of four numbers.
        """
        title = f"Backpropagation by hand: {LEVELS.get(level)}"
        made = cls(exercise(level, seed), title, marking=marking)
        made.level, made.seed = level, seed
        return made

    @classmethod
    def classroom(
        cls, level: int, count: int = 30, seed: int = 0, *, marking: bool = False
    ) -> Classroom:
        """Numbered sheets that all differ, of the seeds `seed`, `seed + 1`, ...

        `save("class")` writes them, one file to print, a roster, and the answers in a folder
        apart; `check("answers")` marks what was handed in.
        """
        from micrograd.show.practice.classroom import Classroom

        return Classroom.of(level, count, seed, marking=marking)

    @property
    def identity(self) -> str:
        """What the sheet, its answers and its key have in common: see `identity_of`."""
        return identity_of(self.walk, self.level, self.seed)

    @property
    def packed(self) -> str:
        """The graph and the head as a comment, from which the sheet is marked."""
        return packed(self.walk, level=self.level, seed=self.seed, number=self.number)

    @staticmethod
    def bank(level: int, count: int = 30, seed: int = 0) -> Bank:
        """Questions for Moodle or Canvas, of the same exercises as `classroom` gives."""
        from micrograd.show.practice.bank import Bank

        return Bank.random(level, count, seed)

    @property
    def page(self) -> str:
        return sheet_document([self], solved=False)

    @property
    def answer_page(self) -> str:
        return sheet_document([self], solved=True)

    @property
    def markdown(self) -> str:
        return markdown(self, solved=False)

    @property
    def answer_markdown(self) -> str:
        return markdown(self, solved=True)

    def save(self, path: str | os.PathLike[str]) -> tuple[Path, Path]:
        """Write the sheet (.html or .md) and, beside it, its answers; the two paths."""
        sheet = Path(path)
        answers = sheet.with_name(f"{sheet.stem}-answers{sheet.suffix}")
        if sheet.suffix.lower() in (".html", ".htm"):
            texts = self.page, self.answer_page
        elif sheet.suffix.lower() == ".md":
            texts = self.markdown, self.answer_markdown
        else:
            raise ValueError(f"cannot save {str(path)!r}: a worksheet's file ends in .html or .md")
        for target, text in zip((sheet, answers), texts, strict=True):
            write(target, text)
        return sheet, answers

    def _repr_html_(self) -> str:
        picture = fitted(self.walk).svg
        wide, high = size_of(picture)
        lines = (len(forward(self.walk)) + 1) // 2  # they stand in two columns
        scale = max(0.8, min(1, 844 / wide))
        height = round(640 + high * scale + 27 * lines + 53 * len(self.asked))
        return framed(self.title, self.page, height, picture, "allow-scripts allow-downloads")

    def __repr__(self) -> str:
        return f"<Worksheet {self.title!r}: {len(self.asked)} gradients; save('sheet.html')>"


worksheet = Worksheet
