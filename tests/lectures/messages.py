"""Prints what each planted wrong answer is told: `python tests/lectures/messages.py [kmeans ...]`.

Read them as somebody who knows the lecture and not the checker.
"""

import sys
import warnings
from pathlib import Path

for folder in (Path(__file__).resolve().parents[2], Path(__file__).resolve().parents[2] / "lectures"):
    sys.path.insert(0, str(folder))

from solved import SOLUTIONS, planted, sheet_of


def main(modules) -> None:
    warnings.simplefilter("ignore")  # planted answers divide by zero on purpose
    for module in modules or SOLUTIONS:
        sheet, misread = sheet_of(module), planted(module, "MISREAD")
        for key, exercise in sheet.exercises.items():
            print(f"\n{module}: {key}")
            for answer in planted(module, "WRONG")[key]:
                print(f"  {sheet.check(exercise.number, *answer).message}")
            for one in misread.get(key, []):
                print(f"  MISREAD {one.reading}\n    {sheet.check(exercise.number, *one.answer).message}")


if __name__ == "__main__":
    main(sys.argv[1:])
