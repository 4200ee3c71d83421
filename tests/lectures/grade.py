"""Generates assignments with nbgrader and grades two pupils: `python grade.py FOLDER MODULE...`.

One hands in the solutions, one the untouched stubs. Prints {module: {pupil: [score, of]}} as JSON.
A process of its own, since nbgrader works in the current folder and warns about its own database.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parent.parent.parent


def main(folder: Path, modules: list[str]) -> None:
    sys.path.insert(0, str(ROOT))
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["PYTHONPATH"] = str(ROOT)
    from nbgrader.apps import NbGraderAPI, NbGraderApp

    from tools.assignments import write_course

    write_course(folder, modules)
    os.chdir(folder)
    app = NbGraderApp()
    app.initialize([])
    api = NbGraderAPI(config=app.config)
    found = {}
    for module in modules:
        done(api.generate_assignment(module))
        for pupil in ("diligent", "idle"):
            place = Path("submitted", pupil, module)
            shutil.copytree(Path("release", module), place)
            if pupil == "diligent":
                hand_in_the_solutions(module, place)
            done(api.autograde(module, pupil))
            with api.gradebook as gradebook:
                submission = gradebook.find_submission(module, pupil)
                scores = [submission.score, submission.max_score]
            found.setdefault(module, {})[pupil] = scores
    print(json.dumps(found))


def hand_in_the_solutions(module: str, place: Path) -> None:
    for path in place.glob("*.ipynb"):
        handed_out = nbformat.read(path, as_version=4)
        solved = nbformat.read(Path("source", module, path.name), as_version=4)
        for cell, solution in zip(handed_out.cells, solved.cells, strict=True):
            cell.source = solution.source
        nbformat.write(handed_out, path)


def done(result: dict[str, Any]) -> None:
    if not result["success"]:
        raise SystemExit(f"{result.get('log')}\n{result.get('error')}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
