"""The command line as a person types it.

Covers `cli.py`, `missing.py`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import micrograd
from micrograd.__main__ import main

ROOT = Path(__file__).parents[1]
NEURON = ["tanh(x1*w1 + x2*w2 + b)", "x1=2", "x2=0", "w1=-3", "w2=1", "b=6.88"]


def table(text: str) -> dict[str, list[float]]:
    rows = [line.rsplit(None, 2) for line in text.splitlines()[1:]]
    return {name: [float(number) for number in numbers] for name, *numbers in rows}


def test_draw_writes_the_picture_of_the_example(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "micrograd", "draw", *NEURON, "-o", "neuron.svg"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "wrote neuron.svg\n", "")
    text = (tmp_path / "neuron.svg").read_text(encoding="utf-8")
    assert ET.fromstring(text).tag.endswith("svg")
    assert ">0.7064<" in text  # the value of the whole
    assert ">\u22121.5029<" in text  # the gradient of x1: backward has run


def test_grad_prints_values_and_gradients(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grad", *NEURON]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["value", "gradient"]
    rows = table(out)
    assert list(rows) == [
        "x1", "x2", "w1", "w2", "b",
        "x1*w1", "x2*w2", "x1*w1 + x2*w2", "x1*w1 + x2*w2 + b", "tanh(x1*w1 + x2*w2 + b)",
    ]  # fmt: skip
    local = 1 - rows["tanh(x1*w1 + x2*w2 + b)"][0] ** 2
    assert rows["x1"] == pytest.approx([2, -3 * local], rel=1e-5)
    assert rows["w1"] == pytest.approx([-3, 2 * local], rel=1e-5)
    assert rows["w2"] == [1, 0]
    assert rows["tanh(x1*w1 + x2*w2 + b)"][1] == 1
    assert len({len(line) for line in out.splitlines()}) == 1  # columns line up


@pytest.mark.parametrize(
    ("command", "missing", "told"),
    [
        (["draw", *NEURON, "-o", "n.png"], "resvg_py", "pip install resvg-py"),
        (["draw", *NEURON, "-o", "n.pdf"], "typst", "pip install typst"),
        (["worksheet", "-o", "n.html"], "pygraphviz", "install `pygraphviz`"),
        (["draw", *NEURON, "-o", "n.svg"], "pygraphviz", "install `pygraphviz`"),
        (["step", *NEURON, "-o", "n.html"], "pygraphviz", "whose `dot` must be on the PATH"),
    ],
)
def test_a_missing_package_is_one_sentence(
    command: list[str], missing: str, told: str, tmp_path: Path
) -> None:
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"from micrograd.__main__ import main; sys.exit(main({command!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1
    assert told in done.stderr
    assert not list(tmp_path.iterdir())


def test_no_package_but_the_one_that_lays_out_is_needed(tmp_path: Path) -> None:
    absent = ["graphviz", "resvg_py", "typst", "numpy", "matplotlib"]
    for command, target in (("draw", "n.svg"), ("step", "n.html"), ("worksheet", "sheet.html")):
        words = [command, *(NEURON if command != "worksheet" else ()), "-o", target]
        script = (
            f"import sys; sys.modules.update(dict.fromkeys({absent!r}))\n"
            f"from micrograd.__main__ import main; sys.exit(main({words!r}))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True,
            check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), command


def test_a_fault_of_our_own_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    module = micrograd.draw.__module__
    monkeypatch.setitem(sys.modules, module, None)  # a planted fault
    with pytest.raises(ModuleNotFoundError, match=re.escape(module)):
        main(["draw", *NEURON, "-o", "n.svg"])


def test_an_expression_may_begin_with_a_minus_and_options_may_stand_anywhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["grad", "-x*y", "x=2", "y=-5"]) == 0
    assert table(capsys.readouterr().out)["-x*y"] == [10, 1]
    for words in (
        ["-o", "FILE", "-x", "x=1"], ["-x", "-o", "FILE", "x=1"], ["-x", "x=1", "--output", "FILE"],
    ):  # fmt: skip
        file = tmp_path / "graph.dot"
        assert main(["draw", *[str(file) if word == "FILE" else word for word in words]]) == 0
        assert file.read_text(encoding="utf-8").startswith("digraph")
        file.unlink()


def test_a_reader_who_leaves_early_is_no_error() -> None:
    """`... | head -1`: the pipe is closed before all is written."""
    command = [sys.executable, "-m", "micrograd", "explain", "*".join(["x"] * 15), "x=1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_part_is_explained_by_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "(a + b)*c", "a=1", "b=2", "c=3", "--wrt", "a+b"]) == 0
    assert "d output / d (a + b) = c = 3" in capsys.readouterr().out


def test_numbers_alone_are_an_expression_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grad", "3 + 4"]) == 0
    assert table(capsys.readouterr().out) == {"3 + 4": [7, 1]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["grad", "x +", "x=1"],
            "error: an operator, a number or a name is missing or out of place",
        ),
        (["grad", "x + y", "x=1"], "error: y has no number; write y=number\n  x + y\n      ^\n"),
        (["grad", "x", "x=1", "y=2"], "error: y was given a number but is not in\n  x\n  ^\n"),
        (["grad", "x", "x"], "error: got 'x'; a name gets its number as in x=2\n"),
        (["grad", "x", "x=two"], "error: got 'x=two'; a name gets its number as in x=2\n"),
        (["grad", "x", "=2"], "error: got '=2'; '' is no name\n"),
        (["grad", "x", "2x=2"], "error: got '2x=2'; '2x' is no name\n"),
        (["grad", "x", "x=1", "x=2"], "error: got 'x=2'; 'x' is given twice\n"),
        (
            ["grad", "max(x, 0)", "x=1"],
            "error: max is no function here; write maximum(a, b)\n  max(x, 0)\n  ^^^\n",
        ),
        (["grad", "1 + ln(x)", "x=1"], "error: ln is no function here; write log(x)\n"),
        (["grad", "pow(x, 2)", "x=1"], "error: pow is no function here; write a**b\n"),
        (["grad", "x", "x=nan"], "error: got 'x=nan'; a name gets a finite number\n"),
        (["grad", "x", "x=1e400"], "error: got 'x=1e400'; a name gets a finite number\n"),
        (["grad", "x=2"], "error: got 'x=2' where the expression belongs; it comes first,"),
        (["draw", "x=2", "x*y", "-o", "x.svg"], "error: got 'x=2' where the expression belongs"),
        (["worksheet", "x=2", "-o", "x.html"], "error: got 'x=2' where the expression belongs"),
        (
            ["worksheet", "--marking", "--moodle", "x.xml"],
            "error: --marking and --open need a page; say where to write it: -o sheet.html",
        ),
        (["worksheet", "--open", "--canvas", "x.zip"], "error: --marking and --open need a page"),
        (["check", "none.html", "none.txt"], "error: cannot read 'none.html': No such file"),
        (["check", "none/", "."], "error: cannot read 'none/': No such file or directory\n"),
        (["draw", "x", "x=1", "-o", "-"], "error: cannot save '-': a picture's file ends in .svg"),
        (
            ["explain", "(a + b)*c", "a=1", "b=2", "c=3", "--wrt", "q"],
            "error: there is no 'q' in this graph; wrt= is a Value or one of the names output,",
        ),
        (
            ["draw", "x", "x=1", "-o", "x.bmp"],
            "error: cannot save 'x.bmp': a picture's file ends in .svg",
        ),
        (
            ["draw", "x", "x=1", "-o", "missing/x.svg"],
            "error: cannot write 'missing/x.svg': No such file",
        ),
        (
            ["draw", "+".join(["x*x"] * 200), "x=1", "-o", "x.svg"],
            "error: this graph has 400 nodes",
        ),
    ],
)
def test_bad_input_is_one_message_and_leaves_no_file(
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(message)
    assert "Traceback" not in shown.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [[], ["dance"], ["draw", "x", "x=1"], ["grad", "x", "x=1", "--foo"]]
)
def test_wrong_usage_shows_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: python -m micrograd" in capsys.readouterr().err


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert "draw the graph of an expression" in out
    assert "print values and gradients as a table" in out


def test_a_step_of_training_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    target = tmp_path / "page.html"
    words = ["step", "(x*w - y)**2", "x=2", "w=3", "y=1", "-o", str(target)]
    assert main([*words, "--lr", "0.1", "--train", "w", "--open"]) == 0
    assert opened == [target.as_uri()]
    page = target.read_text(encoding="utf-8")
    assert "w takes a step of 0.1 against its gradient" in page and "y takes a step" not in page
    assert main([*words, "--lr", "0.1"]) == 0
    assert "y takes a step of 0.1" in target.read_text(encoding="utf-8") and len(opened) == 1
    for wrong, told in (
        (["--lr", "0.1", "--train", "q"], "there is no input 'q'; there are x, w, y"),
        (["--train", "w"], "it needs a learning rate"),
        (["--lr", "-1"], "a finite number above 0"),
    ):
        assert main([*words, *wrong]) == 2
        assert told in capsys.readouterr().err


def test_narrow_cards_from_the_command_line(tmp_path: Path) -> None:
    sizes = []
    for extra in ([], ["--stacked"]):
        target = tmp_path / "n.svg"
        assert main(["draw", *NEURON, "-o", str(target), *extra]) == 0
        found = re.search(r'<svg width="(\d+)"', target.read_text(encoding="utf-8"))
        assert found is not None
        sizes.append(int(found[1]))
    assert sizes[1] < 0.7 * sizes[0]
