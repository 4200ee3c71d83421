"""The command line: `python -m micrograd draw "tanh(x*w + b)" x=2 w=-3 b=6.88 -o neuron.svg`.

A command is a function of the parsed arguments, entered in `_parser`. What it raises about its
input is printed as one message, without a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.missing import missing
from micrograd.show.commands import add_commands
from micrograd.show.expression import evaluate

__all__ = ["main"]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it went well, 2 if its input was at fault or a package is missing."""
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
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        return _failed(str(error))
    except ImportError as error:  # the package graphviz, most often
        return _failed(missing("this command", error))
    return 0


def _failed(why: str) -> int:
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
    command = _expression_command(commands, "draw", _draw, "draw the graph of an expression")
    command.add_argument("-o", "--output", required=True, help="a .svg, .png, .pdf or .dot file")
    _expression_command(commands, "grad", _grad, "print values and gradients as a table")
    add_commands(commands, _expression_command, _graph)
    return parser


def _expression_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], None], help: str
) -> argparse.ArgumentParser:
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
    for word in arguments.numbers:
        name, _, text = word.partition("=")
        name = name.strip()
        try:
            number = float(text)
        except ValueError:
            raise ValueError(f"got {word!r}; a name gets its number as in x=2") from None
        if not name.isidentifier() or name in numbers:
            reason = "is given twice" if name in numbers else "is no name"
            raise ValueError(f"got {word!r}; {name!r} {reason}")
        numbers[name] = number
    value, parts = evaluate(arguments.expression, numbers)
    value.backward()
    return value, parts


def _draw(arguments: argparse.Namespace) -> None:
    from micrograd.show.draw import draw

    value, _ = _graph(arguments)
    draw(value).save(arguments.output)
    print(f"wrote {arguments.output}")


def _grad(arguments: argparse.Namespace) -> None:
    value, parts = _graph(arguments)
    rows = parts or [(arguments.expression, value)]
    width = max(len(text) for text, _ in rows)
    print(f"{'':{width}}  {'value':>12}  {'gradient':>12}")
    for text, part in rows:
        print(f"{text:{width}}  {part.data:>12.6g}  {part.grad:>12.6g}")


if __name__ == "__main__":
    sys.exit(main())
