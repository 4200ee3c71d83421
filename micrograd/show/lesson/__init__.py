"""Backward, step by step: recorded, written as formulas, explained, and shown on a page.

Read `walk.py` first, then `explain.py`; `lesson.py` makes the frames that `stepper.py` shows.
"""

__all__: list[str] = []
