"""DOT in, SVG, PNG or PDF out, with no system program.

The wheels of `pygraphviz` carry Graphviz itself, so that `pip install` is all there is to install.
Where they do not exist a `dot` on the PATH does the work, and where there is neither an error says
what to do. Read `render` first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = [
    "Renderer",
    "RendererNotFound",
    "by_graphviz",
    "render",
    "rendered_by",
    "serve_stock_graphviz",
]

_one_at_a_time = threading.Lock()  # Graphviz is not thread-safe
_NOISE = ("Fontconfig", "hard-coded metrics", "using lookup table")  # about fonts, harmless


class RendererNotFound(RuntimeError):
    """Neither pygraphviz nor a `dot` program is there to draw with."""

    def __init__(self) -> None:
        super().__init__(
            "to see graphs, install `pygraphviz` (pip install pygraphviz) or Graphviz "
            "(graphviz.org), whose `dot` must be on the PATH; their DOT source needs neither"
        )


Renderer = Callable[[str, str], bytes]  # DOT source and format -> the picture
_given: list[Renderer] = []


@contextmanager
def rendered_by(renderer: Renderer) -> Iterator[None]:
    """Inside `with rendered_by(f):` pictures come from f(dot, format), and no Graphviz is needed.

    A browser gives Graphviz as WebAssembly here, a test a picture that was laid out before.
    """
    _given.append(renderer)
    try:
        yield
    finally:
        _given.remove(renderer)


def render(dot: str, format: str, *, engine: str = "dot", dpi: int | None = None) -> bytes:
    """The picture of a DOT source as bytes: `format` is Graphviz's, such as svg, png or pdf."""
    return _given[-1](dot, format) if _given else by_graphviz(dot, format, engine, dpi)


def by_graphviz(dot: str, format: str, engine: str = "dot", dpi: int | None = None) -> bytes:
    """`render` by this machine's Graphviz: pygraphviz's, else a `dot` program."""
    try:
        import pygraphviz
    except ImportError:
        return _by_program(dot, format, engine, dpi)
    messages: list[str] = []
    try:
        with _one_at_a_time, _collected(messages):
            graph = pygraphviz.AGraph(string=dot)
            try:
                picture = graph.draw(format=format, prog=engine, args=f"-Gdpi={dpi}" if dpi else "")
            finally:
                graph.close()
    except Exception as error:
        reason = " ".join(messages) or str(error)
        raise ValueError(f"Graphviz could not draw this as {format!r}: {reason}") from error
    for line in messages:
        print(line, file=sys.stderr)
    return bytes(picture)


def _by_program(dot: str, format: str, engine: str, dpi: int | None) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise RendererNotFound
    command = [program, f"-K{engine}", f"-T{format}", *([f"-Gdpi={dpi}"] if dpi else [])]
    done = subprocess.run(command, input=dot.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip()
        raise ValueError(f"Graphviz could not draw this as {format!r}: {reason}")
    return done.stdout


@contextmanager
def _collected(messages: list[str]) -> Iterator[None]:
    """Gather what C code writes to file descriptor 2, which Python's `sys.stderr` never sees."""
    try:
        original = os.dup(2)
    except OSError:  # no stderr at all, as under pythonw
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(original, 2)
            os.close(original)
            file.seek(0)
            lines = file.read().decode(errors="replace").splitlines()
            messages += [line for line in lines if not any(noise in line for noise in _NOISE)]


def serve_stock_graphviz() -> None:
    """Let the `graphviz` package render by `render` where it would find no `dot` program.

    Learners who type the videos' own `draw_dot` then see their graphs. With a `dot` all stays.
    """
    from graphviz.backend import execute

    if shutil.which("dot") is not None or hasattr(execute.run_check, "stock"):
        return
    stock = execute.run_check

    def run_check(command: Any, *, input_lines: Any = None, **kwargs: Any) -> Any:
        program, *options = [os.fspath(word) for word in command]
        if program != "dot" or not any(word.startswith("-T") for word in options):
            return stock(command, input_lines=input_lines, **kwargs)
        return _answer(options, input_lines, kwargs)

    run_check.stock = stock  # type: ignore[attr-defined]
    execute.run_check = run_check


def _answer(options: list[str], lines: Any, kwargs: dict[str, Any]) -> Any:
    """What `dot` with these options would have done: print the picture, or write it to a file."""
    flags = {word[:2]: word[2:] for word in options if word.startswith("-")}
    format, engine = flags["-T"], flags.get("-K", "dot")
    if lines is not None:
        text = "".join(line if isinstance(line, str) else line.decode() for line in lines)
        picture = render(text, format, engine=engine)
        encoding = kwargs.get("encoding")
        output = picture.decode(encoding) if encoding else picture
        return subprocess.CompletedProcess(options, 0, stdout=output, stderr=None)
    folder, source = Path(kwargs.get("cwd") or "."), options[-1]
    suffix = ".".join(reversed(format.split(":")))  # svg:cairo goes to *.cairo.svg
    target = options[options.index("-o") + 1] if "-o" in options else f"{source}.{suffix}"
    picture = render((folder / source).read_text(encoding="utf-8"), format, engine=engine)
    (folder / target).write_bytes(picture)
    return subprocess.CompletedProcess(options, 0)
