"""The mark of a planted wrong answer that follows the most natural misreading of a text."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Misread"]


@dataclass(frozen=True)
class Misread:
    """A wrong answer, what was misread, and the words in which its message says what is asked."""

    answer: Any
    reading: str
    told: str
