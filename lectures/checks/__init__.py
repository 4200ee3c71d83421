"""Marks exercises: right, right so far, wrong (it names what fails) or not attempted.

One module a notebook stands beside this one: `kmeans.py` marks `exercises/09_kmeans.ipynb`. It
makes a `Sheet` and writes a checker for each exercise, a function named as the exercise is; the
notebook imports its `check` and `hint`. Read `kmeans.py` first, then `_sheet.py`.

`_compare.py` compares, `_difference.py` says how two numbers differ, `_forms.py` which forms of an
answer are taken; `_watch.py` looks at what a learner's function does while it runs, `_files.py` at
what it does to a file. `_learners.py` judges which of a network's arrays learn.
"""

from checks._compare import by_hand, close, same, true, truths, word
from checks._difference import beside
from checks._forms import (
    array,
    as_value,
    as_values,
    brief,
    flags,
    integers,
    is_open,
    number,
    several,
    whole,
)
from checks._learners import only_learner
from checks._marking import Wrong, note, part
from checks._sheet import Outcome, Sheet
from checks._watch import (
    effort,
    elsewhere,
    moments,
    quiet,
    watching,
    without,
    without_engine,
    without_values,
)

__all__ = [
    "Outcome",
    "Sheet",
    "Wrong",
    "array",
    "as_value",
    "as_values",
    "beside",
    "brief",
    "by_hand",
    "close",
    "effort",
    "elsewhere",
    "flags",
    "integers",
    "is_open",
    "moments",
    "note",
    "number",
    "only_learner",
    "part",
    "quiet",
    "same",
    "several",
    "true",
    "truths",
    "watching",
    "whole",
    "without",
    "without_engine",
    "without_values",
    "word",
]
