"""worksheet: a page to print (or fill in), with blanks for the gradients and the answers apart.

`worksheet(value)` makes one of any computation, `worksheet.random(level, seed)` invents one, and
`check` marks the answers. Read `Worksheet`, then `_table`.
"""

from __future__ import annotations

import base64
import html
import os
from pathlib import Path
from typing import Any

from micrograd.engine import Value
from micrograd.show.graph.text import plain
from micrograd.show.lesson.cards import Shown, picture_of
from micrograd.show.lesson.explain import plain_markdown
from micrograd.show.lesson.formulas import TIMES, Formula, gradient, readable, same
from micrograd.show.lesson.pages import colours, document, framed, size_of, source
from micrograd.show.lesson.walk import Walk
from micrograd.show.practice.answers import ACCEPTED
from micrograd.show.practice.exercises import LEVELS, exercise
from micrograd.show.practice.sheets import identity_of, packed

__all__ = ["Worksheet", "worksheet"]

_MAX_NODES = 100  # blanks on a sheet; a pencil has had enough long before
_WIDE = 1400  # pixels: from left to right a longer graph would be too small on paper
_RULE = f"grad of an input += local derivative {TIMES} gradient arriving"
_WHO = '<p class="who">Name <span class="blank"></span> Date <span class="blank"></span></p>'
_ASK = (
    "Start at the output, whose gradient is 1, and work towards the inputs. A value that is used "
    f"twice gets two contributions, which add up. {ACCEPTED}"
)


class Worksheet:
    """An exercise: `page` (HTML) and `markdown`; its solution: `answer_page`, `answer_markdown`.

    Weights (`parameters`, or those of a module) are asked for too, by the module's names.
    `save("sheet.html")` or `save("sheet.md")` writes the sheet, and the answers beside it.
    """

    def __init__(
        self, value: Value, title: str = "Backpropagation by hand", *, parameters: Any = ()
    ) -> None:
        self.level: int | None = None
        self.seed: int | None = None
        self.number: int | None = None  # in a class
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
    def random(cls, level: int, seed: int = 0) -> Worksheet:
        """An invented exercise, always the same for one seed, and another for each.

        Level 1: sums and products; 2: a neuron; 3: shared nodes; 4: softmax and cross-entropy;
        5: a two-layer net; 6: BatchNorm of four numbers.
        """
        made = cls(exercise(level, seed), f"Backpropagation by hand: {LEVELS.get(level)}")
        made.level, made.seed = level, seed
        return made

    @property
    def identity(self) -> str:
        """What the sheet, its answers and its key have in common: see `identity_of`."""
        return identity_of(self.walk, self.level, self.seed)

    @property
    def packed(self) -> str:
        """The graph and the head as a comment, from which the sheet is marked."""
        return packed(self.walk, level=self.level, seed=self.seed, number=self.number)

    @property
    def page(self) -> str:
        return self._document(_body(self, solved=False), self.title, _WHO)

    @property
    def answer_page(self) -> str:
        return self._document(_body(self, solved=True), f"{self.title}: answers", "")

    @property
    def markdown(self) -> str:
        return _markdown(self, solved=False)

    @property
    def answer_markdown(self) -> str:
        return _markdown(self, solved=True)

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
            target.write_text(text, encoding="utf-8")
        return sheet, answers

    def _document(self, body: str, title: str, who: str) -> str:
        return document(
            "practice/worksheet.html",
            ("practice/worksheet.js",),
            colours(paper=True) + source("practice/worksheet.css"),
            title=html.escape(title),
            who=who,
            packed=self.packed,
            body=body,
        )

    def _repr_html_(self) -> str:
        picture = _picture(self, solved=False)
        wide, high = size_of(picture)
        lines = (len(_forward(self.walk)) + 1) // 2  # they stand in two columns
        height = round(575 + high * min(1, 800 / wide) + 27 * lines + 53 * len(self.asked))
        still = picture
        return framed(self.title, self.page, height, still, "allow-scripts allow-downloads")

    def __repr__(self) -> str:
        return f"<Worksheet {self.title!r}: {len(self.asked)} gradients; save('sheet.html')>"


worksheet = Worksheet


def _picture(sheet: Worksheet, solved: bool) -> str:
    """The graph, with blanks for the gradients unless it is the answers'."""
    walk = sheet.walk
    shown = [Shown.of(x, g if solved else None) for x, g in zip(walk.data, walk.grads, strict=True)]
    drawn = picture_of(walk, shown).svg
    return drawn if size_of(drawn)[0] <= _WIDE else picture_of(walk, shown, "TB").svg


def _forward(walk: Walk) -> list[str]:
    lines = []
    for i in range(len(walk.nodes)):
        if walk.inputs(i) and i not in walk.constants:
            name, made = walk.names[i], walk.expression(i).text
            left = made if same(name, made) else f"{name} = {made}"
            lines.append(f"{left} = {readable(walk.data[i])}")
    return lines


def _made(walk: Walk, i: int) -> str:
    return walk.expression(i).text if walk.rule(i) is not None else "given"


def _sum(walk: Walk, i: int) -> str:
    """How the gradient comes about: local × arriving, added up over the uses."""
    uses = walk.uses_of(i)
    if not uses:
        return "the output"
    terms = [
        Formula.substituted(use.local).times(Formula.substituted(use.arriving)) for use in uses
    ]
    return sum(terms[1:], terms[0]).text


def _body(sheet: Worksheet, solved: bool) -> str:
    walk, e = sheet.walk, html.escape
    rows = []
    for i in sheet.asked:
        name, grad = e(walk.names[i]), e(gradient(walk.names[i]))
        label = f'aria-label="{grad}" data-name="{name}"'
        field = f'<input type="text" inputmode="decimal" autocomplete="off" {label}>'
        work = e(_sum(walk, i)) if solved else ""
        answer = f"<strong>{readable(walk.grads[i])}</strong>" if solved else field
        rows.append(
            f'<tr><th scope="row">{grad}</th><td class="made">{e(_made(walk, i))}</td>'
            f'<td class="work">{work}</td><td class="answer">{answer}</td></tr>'
        )
    heads = "gradient", "made as", f"local {TIMES} arriving", "answer"
    head = "".join(
        f'<th scope="col"{" class=work" if "local" in text else ""}>{text}</th>' for text in heads
    )
    forward = "".join(f"<li>{e(line)}</li>" for line in _forward(walk))
    save = (
        '<p class="hand-in"><button type="button" id="save">Save my answers</button> '
        "then <code>python -m micrograd check sheet.html answers.json</code> marks them.</p>"
    )
    return (
        f'<p class="rule"><b>{_RULE}</b><span>{e(_ASK)}</span></p>'
        f"<figure>{_picture(sheet, solved)}</figure>"
        f'<h2>Forward</h2><ol class="forward">{forward}</ol>'
        f"<h2>Backward</h2><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>{'' if solved else save}"
    )


def _markdown(sheet: Worksheet, solved: bool) -> str:
    walk, e = sheet.walk, plain_markdown
    drawn = base64.b64encode(_picture(sheet, solved).encode()).decode()
    title = f"{sheet.title}: answers" if solved else sheet.title
    lines = [f"# {e(title)}", sheet.packed, f"**{e(_RULE)}**", e(_ASK)]
    lines += [f"![The computation graph](data:image/svg+xml;base64,{drawn})", "## Forward"]
    lines += ["\n".join(f"- {e(line)}" for line in _forward(walk)), "## Backward"]
    if solved:
        rows = [
            f"| {e(gradient(walk.names[i]))} | {e(_sum(walk, i))} | {readable(walk.grads[i])} |"
            for i in sheet.asked
        ]
        lines.append("\n".join(["| gradient | work | answer |", "|---|---|---|", *rows]))
    else:
        blanks = "\n".join(f"{gradient(walk.names[i])} = " for i in sheet.asked)
        lines += ["Write each answer behind its equals sign.", f"```answers\n{blanks}\n```"]
    return "\n\n".join(lines) + "\n"
