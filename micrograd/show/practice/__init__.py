"""Exercises in backpropagation by hand: worksheets, the marking of answers, known mistakes.

Read `worksheet.py` first, then `answers.py` (which answers count) and `marking.py`.
"""

__all__: list[str] = []
