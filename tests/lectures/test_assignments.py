"""The exercises in nbgrader's form: what is written, and what nbgrader makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from solved import SOLUTIONS, sheet_of

from tools import assignments, notebooks

MODULES = list(SOLUTIONS)


@pytest.fixture(params=MODULES)
def source(request: pytest.FixtureRequest) -> tuple[str, nbformat.NotebookNode]:
    """(module, nbgrader's source notebook)"""
    return request.param, assignments.assignment(
        notebooks.read(SOLUTIONS[request.param]), request.param
    )


def test_each_exercise_is_one_answer_and_one_locked_point(
    source: tuple[str, nbformat.NotebookNode],
) -> None:
    module, notebook = source
    nbformat.validate(notebook)
    cells = [c for c in notebook.cells if "nbgrader" in c.metadata]
    keys = list(sheet_of(module).exercises)
    points = [c.metadata.nbgrader for c in cells if c.metadata.nbgrader.grade]
    answers = [c.metadata.nbgrader.grade_id for c in cells if c.metadata.nbgrader.solution]
    assert [p.grade_id for p in points] == keys
    assert [name for name in answers if name.endswith("-answer")] == [f"{k}-answer" for k in keys]
    assert all(p.locked and p.points == 1 for p in points)


def test_an_answer_carries_its_stub_and_nothing_leads_out_of_the_folder(
    source: tuple[str, nbformat.NotebookNode],
) -> None:
    _, notebook = source
    for cell in notebook.cells:
        text = "".join(cell.source)
        assert "../" not in text
        if "stub" in cell.metadata:
            assert "BEGIN SOLUTION" in text and "SOLUTION" not in cell.metadata.stub
            assert "..." in cell.metadata.stub or "NotImplementedError" in cell.metadata.stub
            assert "check(" not in cell.metadata.stub


def test_an_answer_without_its_check_is_an_error() -> None:
    cell = nbformat.v4.new_code_cell("# BEGIN SOLUTION\na = 1\n# END SOLUTION")
    with pytest.raises(ValueError, match="this has 0"):
        assignments.assignment(nbformat.v4.new_notebook(cells=[cell]), "kmeans")


def test_a_course_has_checkers_and_data_in_each_assignment(tmp_path: Path) -> None:
    written = assignments.write_course(tmp_path, ["kmeans", "makemore_bigrams"])
    assert sorted(written) == ["kmeans", "makemore_bigrams"]
    for module in written:
        place = tmp_path / "source" / module
        assert (place / "checks" / f"{module}.py").is_file()
        assert not list(place.rglob("__pycache__"))
    assert (tmp_path / "source/makemore_bigrams/data/names.txt").is_file()
    compile((tmp_path / "nbgrader_config.py").read_text(), "nbgrader_config.py", "exec")


@pytest.mark.notebook
@pytest.mark.parametrize("half", [0, 1])
def test_nbgrader_gives_solutions_full_marks_and_untouched_stubs_none(
    half: int, tmp_path: Path
) -> None:
    modules = MODULES[half::2]
    run = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("grade.py")), str(tmp_path), *modules],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    for module in modules:
        most = float(len(sheet_of(module).numbers))
        assert found[module] == {"diligent": [most, most], "idle": [0.0, most]}, module
