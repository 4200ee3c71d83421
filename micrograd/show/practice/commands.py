"""The commands of the command line that make worksheets and mark them: `worksheet`, `check`.

`cli.py` enters them. Read `enter`; each command is a function of the parsed arguments.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from micrograd.engine import Value

__all__ = ["enter", "show"]


_LEVELS = "1 sums, 2 a neuron, 3 shared nodes, 4 softmax, 5 a two-layer net, 6 BatchNorm"


def enter(commands: Any, labelled: Callable[[argparse.Namespace], Value]) -> None:
    """Add the commands; `labelled` makes the Value of an expression and its numbers."""
    described = "write an exercise in backpropagation by hand, and its answers beside it"
    command = commands.add_parser("worksheet", help=described, description=described)
    command.add_argument(
        "expression", nargs="?", help="your own, such as tanh(x*w); else a level's"
    )
    command.add_argument("numbers", nargs="*", metavar="name=number", help="such as x=2 w=-3")
    command.add_argument("--level", type=int, help=f"{_LEVELS}; 1 if not given")
    command.add_argument("--seed", type=int, help="another seed, another exercise; 0 if not given")
    command.add_argument(
        "--count", type=int, help="sheets for a class, or questions of each kind in a bank"
    )
    command.add_argument("--title", help="what stands at the head of your own exercise")
    command.add_argument("--marking", action="store_true", help="the page marks answers itself")
    command.add_argument("--open", action="store_true", help="show it in the browser")
    told = "an .html or .md file; with --count a new folder"
    command.add_argument("-o", "--output", help=told)
    command.add_argument(
        "--moodle", metavar="bank.xml", help="questions for Moodle; --count of them"
    )
    command.add_argument("--canvas", metavar="bank.zip", help="questions for Canvas")
    command.set_defaults(run=_worksheet, labelled=labelled)
    described = "mark the answers to a worksheet, or to a class's"
    command = commands.add_parser("check", help=described, description=described)
    command.add_argument("sheet", help="the file that worksheet wrote, or the folder of a class")
    told = "files of answers (saved from the page, name = number, or CSV), or a folder of them"
    command.add_argument("answers", nargs="+", help=told)
    command.add_argument("--reveal", action="store_true", help="tell the right answers too")
    command.add_argument("-o", "--output", help="a class's report, an .html file")
    command.add_argument("--csv", help="a class's marks as a table")
    command.add_argument("--open", action="store_true", help="show the report in the browser")
    command.set_defaults(run=_check)


def show(path: str | Path) -> None:
    """Open a page in the browser."""
    import webbrowser

    webbrowser.open(Path(path).resolve().as_uri())


def _worksheet(arguments: argparse.Namespace) -> None:
    from micrograd.show.practice.worksheet import worksheet

    level = 1 if arguments.level is None else arguments.level
    seed = arguments.seed or 0
    own = _own_sheet(arguments)
    if arguments.output is None and (arguments.marking or arguments.open):
        raise ValueError("--marking and --open need a page; say where to write it: -o sheet.html")
    if arguments.moodle or arguments.canvas:
        _bank(arguments, own, level)
    elif arguments.output is None:
        raise ValueError(
            "say where to write: -o sheet.html, --moodle bank.xml or --canvas bank.zip"
        )
    if arguments.output is None:
        return
    if arguments.count is None:
        made = own or worksheet.random(level, seed, marking=arguments.marking)
        page, answers = made.save(arguments.output)
        print(f"wrote {page} and {answers}")
    else:
        made = worksheet.classroom(level, arguments.count, seed, marking=arguments.marking)
        folder, keys = made.save(arguments.output)
        page = folder / "print.html"
        print(f"wrote {arguments.count} sheets into {folder}, to print: {page}")
        print(f"wrote their answers into {keys}; the next class: --seed {seed + arguments.count}")
    if arguments.open:
        show(page)


def _own_sheet(arguments: argparse.Namespace) -> Any:
    """The worksheet of an expression, where one is given."""
    from micrograd.show.practice.worksheet import worksheet

    if arguments.expression is None:
        if arguments.title is not None:
            raise ValueError("--title is for an expression of your own")
        return None
    if any(x is not None for x in (arguments.level, arguments.seed, arguments.count)):
        raise ValueError(
            "--level, --seed and --count invent exercises; an expression of your own is one"
        )
    given = {} if arguments.title is None else {"title": arguments.title}
    return worksheet(arguments.labelled(arguments), **given, marking=arguments.marking)


def _bank(arguments: argparse.Namespace, own: Any, level: int) -> None:
    from micrograd.show.practice.bank import Bank

    for ending, path in ((".xml", arguments.moodle), (".zip", arguments.canvas)):
        if path and not path.lower().endswith(ending):
            raise ValueError(f"got {path!r}; Moodle reads an .xml file, Canvas a .zip")
    count = 30 if arguments.count is None else arguments.count
    made = Bank([own]) if own else Bank.random(level, count, arguments.seed or 0)
    for path in filter(None, (arguments.moodle, arguments.canvas)):
        print(f"wrote {made.save(path)}: {len(made.questions)} questions")


def _check(arguments: argparse.Namespace) -> int:
    from micrograd.show.practice.marking import check

    one = len(arguments.answers) == 1 and not Path(arguments.answers[0]).is_dir()
    if one and not Path(arguments.sheet).is_dir() and not (arguments.output or arguments.csv):
        if arguments.open:
            raise ValueError("--open shows a report; say where to write it: -o report.html")
        print(check(arguments.sheet, arguments.answers[0], reveal=arguments.reveal))
        return 0
    if arguments.reveal:
        raise ValueError("--reveal is for the answers to one sheet; a class has a folder of them")
    from micrograd.show.practice.classroom import Classroom

    if arguments.open and not arguments.output:
        raise ValueError("--open shows a report; say where to write it: -o report.html")
    report = Classroom.load(arguments.sheet).check(arguments.answers)
    if not report.papers:
        raise ValueError("\n".join(("no answers were marked", *report.problems)))
    written = report.save(arguments.output) if arguments.output else []
    written += report.save_csv(arguments.csv) if arguments.csv else []
    print(report)  # after the files are there: `| head` may end here
    if written:
        print(f"\nwrote {', '.join(map(str, written))}")
    if arguments.open:
        show(written[0])
    return 1 if report.problems else 0
