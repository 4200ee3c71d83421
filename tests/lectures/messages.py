"""Prints what each planted wrong answer is told: `python tests/lectures/messages.py [kmeans ...]`.

Read them as somebody who knows the lecture and not the checker. The last answer of each exercise
follows the most natural misreading, which stands above it.
"""

import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lectures")]

from planting import misread, planted  # noqa: E402
from solved import SOLUTIONS, sheet_of  # noqa: E402


def main(modules: list[str]) -> None:
    warnings.simplefilter("ignore")  # planted answers divide by zero on purpose
    for module in modules or SOLUTIONS:
        sheet, wrong = sheet_of(module), planted(module, "WRONG")
        for key, exercise in sheet.exercises.items():
            print(f"\n{module}, {exercise.number}: {exercise.title}")
            *others, last = [sheet.check(exercise.number, *answer) for answer in wrong[key]]
            for outcome in others:
                print(f"  - {outcome.message}")
            print(f"  Misread: {misread(module)[key].reading}\n  - {last.message}")


if __name__ == "__main__":
    main(sys.argv[1:])
