"""The command line: `python -m micrograd draw "tanh(x*w + b)" x=2 w=-3 b=6.88 -o neuron.svg`.

A command is a function of the parsed arguments, entered in `_parser`; those of worksheets stand in
`show/practice/commands.py`. What one raises about its input is printed as one message, without a
traceback.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.expression import evaluate, label_parts
from micrograd.missing import missing
from micrograd.show.practice import commands as practice

__all__ = ["main"]

Run = Callable[[argparse.Namespace], int | None]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command, and say how it went.

    0 if well; 1 if some of what was given could not be used; 2 if none could, or a package is
    missing.
    """
    status = None
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal may not know every letter
    parser = _parser()
    arguments, rest = parser.parse_known_args(
        [_shielded(word) for word in (sys.argv[1:] if words is None else words)]
    )
    if any(word.startswith("-") or not hasattr(arguments, "numbers") for word in rest):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:  # name=number after an option
        arguments.numbers += rest
    try:
        status = arguments.run(arguments)
        if sys.stdout is not None:  # none where it was closed, as by `>&-`
            sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        which = f": {error.filename!r}" if error.filename else ""
        return _failed(f"{error.strerror}{which}" if error.strerror else str(error))
    except (ValueError, TypeError, RuntimeError) as error:
        return _failed(str(error))
    except ImportError as error:  # the package graphviz, most often
        return _failed(missing("this command", error))
    return status or 0


def _failed(why: str) -> int:
    if sys.stderr is not None:
        print(f"error: {why}", file=sys.stderr)
    return 2


def _shielded(word: str) -> str:
    """`-x*y` is an expression, not an option: argparse takes a word that holds a space for one."""
    option = word in ("-", "-o", "-h") or word.startswith("--") or not word.startswith("-")
    return word if option else f" {word}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m micrograd", description="Backpropagation, to see and to step through."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    command = _of_expression(commands, "draw", _draw, "draw the graph of an expression")
    command.add_argument("-o", "--output", required=True, help="a .svg, .png, .pdf or .dot file")
    command.add_argument("--stacked", action="store_true", help="narrow cards")
    _of_expression(commands, "grad", _grad, "print values and gradients as a table")
    command = _of_expression(commands, "step", _step, "step through backward on a page")
    command.add_argument("-o", "--output", required=True, help="an .html file")
    command.add_argument("--quiz", action="store_true", help="ask for each gradient")
    command.add_argument("--lr", type=float, help="end with a step of training at this rate")
    command.add_argument("--train", metavar="names", help="of these inputs, w,b; else of all")
    command.add_argument("--open", action="store_true", help="show it in the browser")
    command = _of_expression(commands, "explain", _explain, "explain every gradient in words")
    command.add_argument("--wrt", metavar="name", help="explain all paths from this input only")
    practice.enter(commands, _labelled)
    return parser


def _of_expression(commands: Any, name: str, run: Run, help: str) -> argparse.ArgumentParser:
    """A command on an expression and the numbers of its names; `_graph` reads both."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    command.add_argument("expression", help='arithmetic, such as "tanh(x*w + b)"')
    command.add_argument(
        "numbers", nargs="*", metavar="name=number", help="such as x=2 w=-3 b=6.88"
    )
    command.set_defaults(run=run)
    return command


def _graph(arguments: argparse.Namespace) -> tuple[Value, list[tuple[str, Value]]]:
    """The expression's Value after `backward`, and its parts with their text."""
    numbers: dict[str, float] = {}
    if "=" in arguments.expression:
        raise ValueError(
            f"got {arguments.expression!r} where the expression belongs; it comes first, and the "
            'numbers of its names after it, as in "x*y" x=2 y=3'
        )
    for word in arguments.numbers:
        name, _, text = word.partition("=")
        name = name.strip()
        try:
            number = float(text)
        except ValueError:
            raise ValueError(f"got {word!r}; a name gets its number as in x=2") from None
        if not math.isfinite(number):
            raise ValueError(f"got {word!r}; a name gets a finite number")
        if not name.isidentifier() or name in numbers:
            reason = "is given twice" if name in numbers else "is no name"
            raise ValueError(f"got {word!r}; {name!r} {reason}")
        numbers[name] = number
    value, parts = evaluate(arguments.expression, numbers)
    value.backward()
    return value, parts


def _labelled(arguments: argparse.Namespace) -> Value:
    """The expression's Value, in which the text of each part is its name."""
    return label_parts(*_graph(arguments))


# --- the commands ---------------------------------------------------------------------------------


def _draw(arguments: argparse.Namespace) -> None:
    from micrograd.show.graph.draw import draw

    draw(_labelled(arguments), stacked=arguments.stacked).save(arguments.output)
    print(f"wrote {arguments.output}")


def _grad(arguments: argparse.Namespace) -> None:
    value, parts = _graph(arguments)
    rows = parts or [(arguments.expression, value)]
    width = max(len(text) for text, _ in rows)
    print(f"{'':{width}}  {'value':>12}  {'gradient':>12}")
    for text, part in rows:
        print(f"{text:{width}}  {part.data:>12.6g}  {part.grad:>12.6g}")


def _step(arguments: argparse.Namespace) -> None:
    from micrograd.show.lesson.stepper import step_through

    value = _labelled(arguments)
    trained = None if arguments.lr is None else _trained(value, arguments.train)
    if arguments.lr is None and arguments.train is not None:
        raise ValueError("--train names what learns; it needs a learning rate, --lr 0.1")
    stepper = step_through(value, trained, arguments.lr, quiz=arguments.quiz)
    stepper.save(arguments.output)
    print(f"wrote {arguments.output}")
    if arguments.open:
        practice.show(arguments.output)


def _trained(value: Value, names: str | None) -> list[Value]:
    """The inputs of these names, or all of them."""
    from micrograd import engine

    inputs = {v.label: v for v in engine.topological_order(value) if v._rule is None and v.label}
    wanted = list(inputs) if names is None else [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in inputs:
            raise ValueError(f"--train: there is no input {name!r}; there are {', '.join(inputs)}")
    return [inputs[name] for name in wanted]


def _explain(arguments: argparse.Namespace) -> None:
    from micrograd.show.lesson.explain import explain

    print(explain(_labelled(arguments), wrt=arguments.wrt))
