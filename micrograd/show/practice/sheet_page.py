"""What stands on a worksheet, as HTML for screen and paper and as Markdown.

A page holds one sheet, or a class's, each on paper of its own. Read `sheet_document`, then `body`.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from micrograd.show.graph.text import width
from micrograd.show.lesson.explanation import plain_markdown
from micrograd.show.lesson.finding import legend_of, legend_text
from micrograd.show.lesson.pages import document, size_of
from micrograd.show.lesson.walk import Walk
from micrograd.show.notation import TIMES, gradient, readable
from micrograd.show.practice.answers import ACCEPTED
from micrograd.show.practice.fit import fitted
from micrograd.show.practice.mistakes import MISTAKES
from micrograd.show.practice.paper import forward, is_cut, worked
from micrograd.show.practice.quiz import as_json, question
from micrograd.show.practice.recursion import recursions

if TYPE_CHECKING:
    from micrograd.show.practice.worksheet import Worksheet

__all__ = ["body", "markdown", "sheet_document"]

_RULE = f"grad of an input += local derivative {TIMES} gradient arriving"
_ASK = (
    "Start at the output, whose gradient is 1, and work towards the inputs. A value that is used "
    f"twice gets two contributions, which add up. {ACCEPTED}"
)


def sheet_document(
    sheets: Sequence[Worksheet], solved: bool, title: str = "", *, together: bool = False
) -> str:
    """A page of one sheet, which can be filled in, or of many `together`, which are printed."""
    alone, first = not together, sheets[0]
    marking = alone and first.marking and not solved
    scripts = (["practice/answers.js"] if marking else []) + ["practice/worksheet.js"]
    parts = [*(sheet.packed for sheet in sheets), "<main>"]
    parts += [*(body(sheet, solved, alone) for sheet in sheets), "</main>"]
    parts += [_questions(first)] if marking else []
    return document(
        title or f"{first.title}{': answers' * solved}",
        "\n".join(parts),
        scripts if alone and not solved else (),
        "practice/worksheet.css",
        paper=True,
    )


def about(sheet: Worksheet) -> str:
    """`Level 3, seed 12, sheet 3-12-k7qf`: what makes this sheet, and its answers' name."""
    made_of = "" if sheet.level is None else f"Level {sheet.level}, seed {sheet.seed}, "
    return f"{made_of}sheet {sheet.identity}" if made_of else f"Sheet {sheet.identity}"


def body(sheet: Worksheet, solved: bool, alone: bool = True) -> str:
    """One sheet as its pages: head, rule, graph and first answers; then the other answers."""
    walk, e = sheet.walk, html.escape
    title = f"{sheet.title}{': answers' * solved}"
    fit = fitted(walk, solved, "" if alone else f"s{sheet.number}-", title)
    number = f'<span class="number">No. {sheet.number}</span> ' if sheet.number else ""
    lines = "".join(f"<li>{e(line)}</li>" for line in forward(walk))
    more = legend_text(walk)[1 if legend_of(walk) else 0 :]  # the picture has the first
    legend = "".join(f"<p>{e(line)}</p>" for line in more)
    names = max(width(gradient(walk.names[i]) + " =", 14.7, bold=True) for i in sheet.asked)
    size = (
        f"--wide:{size_of(fit.svg)[0]:.0f};--scale:{fit.scale:.3f};--columns:{fit.columns};"
        f"--names:{1.15 * names:.0f}px"  # the page's font may be wider
    )
    pages = [
        f'<header><div><h1>{e(title)}</h1><p class="about">{number}{e(about(sheet))}</p></div>'
        f"{'' if solved else _who(alone)}</header>"
        f'<p class="rule"><b>{_RULE}</b><span>{e(_ASK)}</span></p>'
        f'<figure tabindex="0" role="region" aria-label="Computation graph">{fit.svg}</figure>'
        f"{legend}"
        f'<div class="forward{" cut" * is_cut(walk)}"><h2>Forward</h2><ol>{lines}</ol></div>'
    ]
    first, stand = 0, "<h2>Backward</h2>"
    for k, count in enumerate(fit.pages, 1):
        if k > 1:
            told = f"{e(about(sheet))}, page {k} of {len(fit.pages)}"
            pages.append(f'<p class="again">{number}{told}</p>')
        if count:
            asked, first = sheet.asked[first : first + count], first + count
            rows = f"--rows:{-(-count // fit.columns)}"
            pages[-1] += stand + _table(sheet, asked, rows, solved, alone)
            stand = '<h2 class="again">Backward, continued</h2>'
    pages[-1] += _save(sheet) if alone and not solved else ""
    inner = "".join(f'<div class="page">{page}</div>' for page in pages)
    return (
        f'<section class="sheet{" solved" * solved}" data-sheet="{sheet.identity}" '
        f'style="{size}">{inner}</section>'
    )


def _who(alone: bool) -> str:
    if not alone:
        return '<p class="who">Name <i class="line"></i> Date <i class="line short"></i></p>'
    return (
        '<p class="who"><label>Name <input type="text" id="name" autocomplete="name"></label>'
        '<span class="date"> Date <i class="line short"></i></span></p>'
    )


def _table(sheet: Worksheet, asked: Sequence[int], size: str, solved: bool, alone: bool) -> str:
    walk, e = sheet.walk, html.escape
    rows = []
    for i in asked:
        name, grad = e(walk.names[i]), e(gradient(walk.names[i]))
        work = e(worked(walk, i)) if solved else ""
        answer = '<i class="line"></i>'
        if solved:
            answer = f"<strong>{readable(walk.grads[i])}</strong>"
        elif alone:
            label = f'aria-label="{grad}" data-name="{name}" data-node="{i}"'
            answer = f'<input type="text" inputmode="decimal" autocomplete="off" {label}>'
        if alone and sheet.marking and not solved:
            answer += (
                f'<button type="button" class="check" aria-label="Check {grad}">Check</button>'
            )
        rows.append(
            f'<tr><th scope="row">{grad}</th><td class="made">{e(_made(walk, i))}</td>'
            f'<td class="work">{work}</td><td class="answer">{answer}</td></tr>'
        )
    heads = "gradient", "made as", f"local {TIMES} arriving", "answer"
    classes = "", ' class="made"', ' class="work"', ""
    head = "".join(
        f'<th scope="col"{k}>{text}</th>' for k, text in zip(classes, heads, strict=True)
    )
    return (
        f'<table style="{size}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _made(walk: Walk, i: int) -> str:
    return walk.expression(i).text if walk.rule(i) is not None else "given"


def _save(sheet: Worksheet) -> str:
    told = "and hand in the file."
    if sheet.number is None:
        told = (
            "and hand in the file. Whoever has micrograd marks it with "
            "<code>micrograd check sheet.html answers.json</code>, the names of the two files."
        )
    return f'<p class="hand-in"><button type="button" id="save">Save my answers</button> {told}</p>'


def _questions(sheet: Worksheet) -> str:
    """What the page needs to mark each answer: see `quiz.py`."""
    walk = sheet.walk
    recursed = recursions(walk)
    asked: dict[int, Any] = {}
    for i in sheet.asked:
        uses = walk.uses_of(i)
        if uses:
            asked[i] = question(walk, uses, len(uses), [grads[i] for grads in recursed])
        else:  # the output
            asked[i] = {
                "answer": 1,
                "parts": [[i, 1, 0, 0]],
                "printed": [],
                "suspects": [["output", [[0, as_json(x), 0]]] for x in (walk.data[i], 0.0)],
            }
    told = {
        "questions": asked,
        "mistakes": {key: [mistake.name, mistake.hint] for key, mistake in MISTAKES.items()},
    }
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="questions">{data}</script>'


def markdown(sheet: Worksheet, solved: bool) -> str:
    """The sheet as Markdown; its block of answers is read again by `check`."""
    walk, e = sheet.walk, plain_markdown
    drawn = base64.b64encode(fitted(walk, solved).svg.encode()).decode()
    title = f"{sheet.title}: answers" if solved else sheet.title
    lines = [f"# {e(title)}", sheet.packed, e(about(sheet)), f"**{e(_RULE)}**", e(_ASK)]
    lines += [
        f"![The computation graph](data:image/svg+xml;base64,{drawn})",
        *map(e, legend_text(walk)),
        "## Forward",
    ]
    lines += ["\n".join(f"- {e(line)}" for line in forward(walk)), "## Backward"]
    if solved:
        rows = [
            f"| {e(gradient(walk.names[i]))} | {e(worked(walk, i))} | {readable(walk.grads[i])} |"
            for i in sheet.asked
        ]
        lines.append("\n".join(["| gradient | work | answer |", "|---|---|---|", *rows]))
    else:
        blanks = "\n".join(f"{gradient(walk.names[i])} = " for i in sheet.asked)
        head = f"sheet = {sheet.identity}\nname = "
        lines.append("Write your name and each answer behind its equals sign.")
        lines.append(f"```answers\n{head}\n{blanks}\n```")
    return "\n\n".join(lines) + "\n"
