"""The command line's lessons: step, explain, worksheet and check.

`add_commands` enters them beside `draw` and `grad`, which `__main__.py` knows; each function below
is one command.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from micrograd.engine import Value
from micrograd.show.formulas import shorten

__all__ = ["add_commands"]

Parts = list[tuple[str, Value]]
Read = Callable[[argparse.Namespace], tuple[Value, Parts]]
Enter = Callable[..., argparse.ArgumentParser]


def add_commands(commands: Any, expression_command: Enter, graph: Read) -> None:
    """Enter the four commands; `graph` reads the expression of a command's arguments."""

    def labelled(arguments: argparse.Namespace) -> Value:
        value, parts = graph(arguments)
        for text, part in parts:  # the text of a part is its name in the lesson
            if part._prev and not part.label:
                part.label = "result" if part is value else shorten(text.replace(" ", ""))
        return value

    def step(arguments: argparse.Namespace) -> None:
        from micrograd.show.stepper import step_through

        step_through(labelled(arguments), quiz=arguments.quiz).save(arguments.output)
        print(f"wrote {arguments.output}")

    def explain(arguments: argparse.Namespace) -> None:
        from micrograd.show.explain import explain

        print(explain(labelled(arguments), wrt=arguments.wrt))

    command = expression_command(commands, "step", step, "step through backward on a page")
    command.add_argument("-o", "--output", required=True, help="an .html file")
    command.add_argument("--quiz", action="store_true", help="ask for each gradient")
    command = expression_command(commands, "explain", explain, "explain every gradient in words")
    command.add_argument("--wrt", metavar="name", help="explain all paths from this input only")
    _add_exercises(commands)


def _add_exercises(commands: Any) -> None:
    described = "write an exercise in backpropagation by hand, and its answers beside it"
    command = commands.add_parser("worksheet", help=described, description=described)
    command.add_argument("--level", type=int, default=1, help="from 1 (sums) to 6 (BatchNorm)")
    command.add_argument("--seed", type=int, default=0, help="another seed, another exercise")
    command.add_argument("-o", "--output", required=True, help="an .html or .md file")
    command.set_defaults(run=_worksheet)
    described = "mark the answers to a worksheet"
    command = commands.add_parser("check", help=described, description=described)
    command.add_argument("sheet", help="the file that worksheet wrote")
    command.add_argument("answers", help="a file of answers: saved from the page, or name = number")
    command.add_argument("--reveal", action="store_true", help="tell the right answers too")
    command.set_defaults(run=_check)


def _worksheet(arguments: argparse.Namespace) -> None:
    from micrograd.show.worksheet import worksheet

    made = worksheet.random(arguments.level, arguments.seed)
    sheet, answers = made.save(arguments.output)
    print(f"wrote {sheet} and {answers}")


def _check(arguments: argparse.Namespace) -> None:
    from micrograd.show.marking import check

    print(check(arguments.sheet, arguments.answers, reveal=arguments.reveal))
