"""The report on a class as a page: what to show, which mistake where, and the marks by pupil.

The stepper of the step to show is a page of its own, without names, that opens at the step. Read
`class_page`.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from urllib.parse import quote

from micrograd.show.lesson.pages import document
from micrograd.show.lesson.stepper import step_through
from micrograd.show.notation import TIMES, gradient
from micrograd.show.practice.class_report import ClassReport, Paper, name_of, short
from micrograd.show.practice.kinds import UNKNOWN
from micrograd.show.practice.mistakes import MISTAKES

__all__ = ["class_page", "stepper_page"]

_MOST_COLUMNS = 7  # gradients beside each other on a page


def class_page(report: ClassReport, beside: str) -> str:
    """The whole page; `beside` is the name of the file with the stepper."""
    parts = [f"<h1>Marks of a class</h1><p class='about'>{html.escape(report.summary)}</p>"]
    parts += [*_problems(report), *_to_show(report, beside), *_mistakes(report), *_marks(report)]
    body = "\n".join(["<main>", *parts, "</main>"])
    return document("Marks of a class", body, (), "practice/class.css", paper=True)


def stepper_page(report: ClassReport) -> str | None:
    """Backward through the sheet on which the commonest mistake was made."""
    found = report.to_show()
    return None if found is None else step_through(found[1].sheet.value).page


def _problems(report: ClassReport) -> Iterator[str]:
    if report.problems:
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in report.problems)
        yield f"<section class='problems'><h2>To look at</h2><ul>{lines}</ul></section>"


def _to_show(report: ClassReport, beside: str) -> Iterator[str]:
    found = report.to_show()
    if found is None:
        return
    kind, paper, name = found
    e, pupils = html.escape, f"{report.pupils_by_kind()[kind]} of {report.pupils}"
    walk = paper.sheet.walk
    i = walk.names.index(name)
    terms = []
    for use in walk.uses_of(i):
        local = walk.locals_of(use.node)[use.position]
        terms.append(f"{local.within(2)[0]} {TIMES} {gradient(walk.names[use.node])}")
    formula = f"{gradient(name)} = {' + '.join(terms) or 1}"
    step = step_through(paper.sheet.value).step_of(name)
    link = ""
    if beside:
        link = (
            f"<p><a class='button' href='{quote(beside)}#step={step}'>Show step {step}</a> "
            f"of sheet {e(paper.sheet.identity)}, without names.</p>"
        )
    yield (
        f"<section class='show'><h2>To show the class</h2><p><b>{pupils}</b>: "
        f"{e(name_of(kind))}. {e(MISTAKES[kind].hint)}</p>"
        f"<p class='formula'>{e(formula)}</p>{link}</section>"
    )


def _mistakes(report: ClassReport) -> Iterator[str]:
    """A row for each kind of mistake, a column for each gradient."""
    counts, pupils, right = report.counts(), report.pupils_by_kind(), report.right()
    if not right:
        return
    e = html.escape
    names = list(right)
    head = "".join(f"<th scope='col'>{e(gradient(name))}</th>" for name in names)
    most = max((max(row.values()) for row in counts.values()), default=1)
    cells = "".join(
        f"{_cell(name)}>{good}{f' of {asked}' * (asked < report.pupils)}</td>"
        for name, (good, asked) in right.items()
    )
    rows = [
        f"<tr class='right'><th scope='row'>Right</th><td class='sum'>of {report.pupils}</td>"
        f"{cells}</tr>"
    ]
    for kind, row in counts.items():
        cells = "".join(
            f"{_cell(name)} style='--part:{row[name] / most:.2f}'>{row[name] or ''}</td>"
            for name in names
        )
        told = "" if kind == UNKNOWN else f" title='{e(MISTAKES[kind].hint, quote=True)}'"
        said = name_of(kind)
        rows.append(
            f"<tr><th scope='row'{told}>{e(said[0].upper() + said[1:])}</th>"
            f"<td class='sum'>{pupils[kind]}</td>{cells}</tr>"
        )
    yield (
        "<section><h2>Mistakes</h2><p class='about'>How many pupils have each gradient right, and "
        "how many made which mistake there. A pupil's slips are put down to the kind that explains "
        "the most of them; what follows from a slip is none.</p><div class='wide' tabindex='0' "
        "role='region' aria-label='Mistakes by gradient'>"
        f"<table class='counts{' many' * (len(names) > _MOST_COLUMNS)}'><thead><tr>"
        f"<th scope='col'>mistake</th><th scope='col'>pupils</th>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _cell(name: str) -> str:
    """A cell that can say which column it is of, where there is no room for columns."""
    return f"<td data-name='{html.escape(gradient(name), quote=True)}'"


def _marks(report: ClassReport) -> Iterator[str]:
    gaps = any(paper.report.count("not attempted") for paper in report.papers)
    heads = "no.", "name", "score", "mistakes", *["not answered"] * gaps, "file"
    head = "".join(f"<th scope='col'>{text}</th>" for text in heads)
    rows = [_row(paper, gaps) for paper in report.papers]
    for sheet in report.missing:
        who = html.escape(report.owner(sheet) or f"sheet {sheet.identity}")
        rows.append(
            f"<tr class='missing'><td>{sheet.number or ''}</td>"
            f"<td colspan='{len(heads) - 1}'>{who}: nothing handed in</td></tr>"
        )
    yield (
        "<section><h2>Marks</h2><p class='about'>The score counts answers that are right, or "
        "rightly worked out from an earlier one.</p><div class='wide' tabindex='0' role='region' "
        f"aria-label='Marks by pupil'><table class='marks'><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _row(paper: Paper, gaps: bool) -> str:
    e, report = html.escape, paper.report
    where: dict[str, list[str]] = {}
    for name, kind in paper.kinds.items():
        where.setdefault(kind, []).append(name)
    said = "<br>".join(
        f"{e(name_of(kind))}: {e(', '.join(map(gradient, names)))}" for kind, names in where.items()
    )
    unclear = "right so far", "not readable"
    others = [mark.name for mark in report.marks.values() if mark.verdict in unclear]
    if others:
        unsure = f"rounded or not readable: {e(', '.join(map(gradient, others)))}"
        said = f"{said}<br>{unsure}" if said else unsure
    tries = sum(paper.tries.values())
    if tries:
        said += f"{'<br>' * bool(said)}{tries} tries on the page"
    left = f"<td class='left'>{report.count('not attempted') or ''}</td>" if gaps else ""
    return (
        f"<tr><td>{paper.sheet.number or ''}</td>"
        f"<th scope='row'>{e(paper.pupil) or '(no name)'}</th>"
        f"<td class='score'><b>{paper.score}</b> of {len(report.marks)}</td><td>{said}</td>"
        f"{left}<td class='file'>{e(short(paper.source))}</td></tr>"
    )
