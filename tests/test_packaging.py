"""The package as a whole: what importing it costs, what it promises in README and Makefile."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools.notebooks import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCES = sorted((ROOT / "micrograd").rglob("*.py"))


def python(code: str, *flags: str) -> str:
    """What a fresh Python prints, with warnings as errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", *flags, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


# --- importing ------------------------------------------------------------------------------------


def test_import_takes_less_than_150_ms() -> None:
    """On a machine so busy that NumPy alone takes that long: less than half as much again."""
    code = (
        "from time import perf_counter as now; start = now(); import numpy; between = now();"
        "import micrograd; print(now() - start, between - start)"
    )
    times = []
    for _ in range(10):  # one quick start will do: other work slows it, nothing makes it faster
        times.append(tuple(map(float, python(code).split())))
        total, numpy = times[-1]
        if total < max(0.15, 1.5 * numpy):
            return
    raise AssertionError(f"seconds in all, of them NumPy's: {times}")


def test_import_brings_neither_pictures_nor_plots_nor_a_tensor_library() -> None:
    heavy = ["torch", "jax", "matplotlib", "graphviz", "pygraphviz", "scipy", "sklearn"]
    found = python(
        "import sys, micrograd.nn, micrograd.optim, micrograd.functional;"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    assert found.strip() == "[]"


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports anywhere, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).split(".")[0])
    return names


def declared(*extras: str) -> set[str]:
    lines = list(PROJECT["dependencies"])
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return {re.match(r"[\w-]+", line)[0] for line in lines}


def test_the_package_imports_only_what_installing_it_brings() -> None:
    for path in SOURCES:
        ours = {"micrograd"} | set(sys.stdlib_module_names)
        # plots need the extra `demo`, PDF the extra `pdf`; IPython runs whatever shows a picture
        optional = {"matplotlib", "IPython", "typst"} if "show" in path.parts else set()
        if "native" in path.parts:  # the extra `native`
            optional = {"llvmlite"}
        if "with_jax" in path.parts:  # the extra `jax`
            optional = {"jax"}
        foreign = {name.replace("_", "-") for name in imported(path) - ours - optional}
        assert foreign <= declared(), f"{path.relative_to(ROOT)} imports {foreign}"


# --- pyproject ------------------------------------------------------------------------------------


def test_the_distribution_is_not_named_as_the_original() -> None:
    assert PROJECT["name"] != "micrograd"
    assert PROJECT["name"] in README


def test_versions_are_ranges_but_for_the_oracle() -> None:
    extras = PROJECT["optional-dependencies"]
    assert set(extras) == {
        "pdf", "native", "jax", "demo", "lectures", "site", "test", "bench", "dev",
    }  # fmt: skip
    assert not any("torch" in line for line in PROJECT["dependencies"] + extras["demo"])
    for line in PROJECT["dependencies"] + [line for lines in extras.values() for line in lines]:
        if line.startswith("torch"):
            assert line == "torch==2.13.0"
        elif not line.startswith(PROJECT["name"]):
            assert re.match(r"[\w-]+>=[\d.]+,<\d[\d.]*(;|$)", line), line


def test_every_dependency_says_what_it_is_for() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if re.match(r'  "[\w-]+(>=|==)', line):
            assert "#" in line or lines[i - 1].lstrip().startswith("#"), line


# --- README ---------------------------------------------------------------------------------------


def test_readme_begins_with_the_two_commands() -> None:
    first = README.split("```")[1]
    assert re.findall(r"^make \w+", first, flags=re.MULTILINE) == ["make demo", "make test"]
    assert "#" not in README.split("```")[0].removeprefix("# ")  # no heading before them


def test_the_readme_shows_the_stepper_and_the_quiz_first() -> None:
    """On light, dark and narrow screens, with the ways to the gallery and the playground."""
    first = README.split("```python")[0]
    assert "docs/gallery.md" in first and "](#the-site)" in first
    for name in ("stepper", "quiz"):
        for kind in ("", "-dark", "-phone"):
            assert f'="docs/gallery/{name}{kind}.png"' in first


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL))
def test_the_code_in_the_readme_runs_and_prints_what_it_says(code: str, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(code, encoding="utf-8")  # lift reads its source
    run = subprocess.run(
        [sys.executable, "-W", "error", "example.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    promised = re.search(r"^print\(.*# (.*)$", code, flags=re.MULTILINE)[1]
    assert run.stdout.splitlines()[0].removeprefix("# ") == promised
    for written in re.findall(r'\.save\("(.*?)"\)', code):
        assert (tmp_path / written).read_text(encoding="utf-8").startswith("<svg")


def test_the_picture_in_the_readme_is_what_its_command_draws(tmp_path: Path) -> None:
    (command,) = re.findall(r"`(python -m micrograd draw [^`]*)`", README)
    words = shlex.split(command)
    words[0], words[-1] = sys.executable, str(tmp_path / "picture.svg")
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)

    committed = (ROOT / "docs" / "neuron.svg").read_text(encoding="utf-8")
    assert committed == (tmp_path / "picture.svg").read_text(encoding="utf-8")
    assert "docs/neuron.svg" in README


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "benchmarks/README.md",
        "docs/architecture.md",
        "docs/teaching.md",
        "docs/gallery.md",
        "docs/beyond_one_machine.md",
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    pictures = re.findall(r'(?:src|srcset)="(?!https?:)([^"]*)"', text)
    for target in re.findall(r"\]\((?!https?:)(.*?)\)", text) + pictures:
        assert (path.parent / target.split("#")[0]).exists(), target


def test_every_file_that_the_readme_names_exists() -> None:
    for name in re.findall(r"`((?:micrograd|lectures|benchmarks)/[\w./]*)`", README):
        assert (ROOT / name).exists(), name


# --- make and CI ----------------------------------------------------------------------------------

# `make test` tells the makes below it that they are its parts; these are not
QUIET = {name: text for name, text in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="no make on the PATH")
TARGETS = re.search(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)[1].split()


def test_make_offers_the_promised_targets() -> None:
    assert {"demo", "test", "test-fast", "lab", "lint", "bench"} <= set(TARGETS)
    pages = README + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bmake ([a-z][a-z-]+)`", pages)) <= set(TARGETS)


@pytest.mark.slow
@needs_make
@pytest.mark.parametrize("target", TARGETS)
def test_a_target_can_be_made_from_a_path_with_a_space(target: str, tmp_path: Path) -> None:
    """Dry: which commands would run, and that every module they name is there."""
    copy = tmp_path / "a b"
    copy.mkdir()
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, copy)
    plan = subprocess.run(
        ["make", "-n", target], cwd=copy, env=QUIET, capture_output=True, text=True, check=True
    ).stdout
    assert str(copy) not in plan  # every path is relative, so its spaces do not matter
    for module in re.findall(r"-m ((?:tools|benchmarks)[\w.]*)", plan):
        path = ROOT.joinpath(*module.split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


@needs_make
def test_what_is_installed_is_not_installed_again(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").mkdir()
    for stamp in (".made", ".demo", ".test"):
        (tmp_path / ".venv" / stamp).touch()
    for target in ("demo", "test"):
        run = ["make", "-n", target]
        plan = subprocess.run(
            run, cwd=tmp_path, env=QUIET, capture_output=True, text=True, check=True
        ).stdout
        assert "pip" not in plan


@needs_make
def test_help_explains_every_target() -> None:
    run = ["make", "help"]
    shown = subprocess.run(
        run, cwd=ROOT, env=QUIET, capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"^make ([\w-]+) ", shown, flags=re.MULTILINE) == TARGETS[1:]


def test_ci_runs_the_readmes_test_command() -> None:
    script = ROOT / ".ci" / "run"
    text = script.read_text(encoding="utf-8")
    assert os.access(script, os.X_OK)
    assert re.search(r"^make test\b(?!-)", text, flags=re.MULTILINE)
    assert re.search(r"^make lint$", text, flags=re.MULTILINE)
    assert re.search(r"^make test-site\b", text, flags=re.MULTILINE)
    if shutil.which("bash"):
        subprocess.run(["bash", "-n", str(script)], check=True)


def test_the_page_on_architecture_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [
        path.name + ("/" if path.is_dir() else "")
        for path in sorted((ROOT / "micrograd").iterdir())
        if path.suffix == ".py" or (path / "__init__.py").exists()
    ]
    assert len(rooms) > 20
    assert [room for room in rooms if room != "__init__.py" and f"`{room}`" not in text] == []


def test_no_two_modules_of_tests_have_one_name() -> None:
    """They are imported by their names alone: the second of two could not be collected."""
    stems = [path.stem for path in (ROOT / "tests").rglob("*.py") if path.stem != "conftest"]
    assert len(stems) > 100
    assert sorted({stem for stem in stems if stems.count(stem) > 1}) == []


def test_every_module_of_the_package_is_named_by_a_test_module() -> None:
    """By the test module's name, or in the docstring at its head, in the folder that mirrors."""
    modules = [path for path in (ROOT / "micrograd").rglob("*.py") if path.stem[:2] != "__"]
    heads = {
        path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in (ROOT / "tests").rglob("test_*.py")
    }
    unnamed = []
    for module in modules:
        folder = ROOT / "tests" / module.relative_to(ROOT / "micrograd").parts[0]
        tests = {
            path: head for path, head in heads.items() if path.parent in (ROOT / "tests", folder)
        }
        named = any(f"{module.name}`" in head for head in tests.values())
        if not named and all(path.stem != f"test_{module.stem}" for path in tests):
            unnamed.append(str(module.relative_to(ROOT)))
    assert len(modules) > 80
    assert unnamed == []
