"""Which kinds of mistake a learner makes: the fewest kinds that explain all of his or her slips.

One number may come from several mistakes; a learner who makes one kind at every opportunity is told
from another who makes its like by all answers together. Read `explained`.
"""

from __future__ import annotations

from collections import Counter

from micrograd.show.practice.mistakes import MISTAKES
from micrograd.show.practice.report import Report

__all__ = ["UNKNOWN", "explained"]

UNKNOWN = "unknown"  # no known mistake gives the number


def explained(report: Report) -> dict[str, str]:
    """For each wrong answer the kind of mistake it is put down to, or UNKNOWN.

    The kind that explains the most slips comes first. Of several that do, one is preferred that was
    nowhere avoided, then the most specific.
    """
    slips = {m.name: m.mistakes for m in report.marks.values() if m.verdict == "wrong"}
    found = {name: UNKNOWN for name, kinds in slips.items() if not kinds}
    avoided = {kind for mark in report.marks.values() for kind in mark.avoided}
    order = {kind: k for k, kind in enumerate(MISTAKES)}
    while len(found) < len(slips):
        left = {name: kinds for name, kinds in slips.items() if name not in found}
        counts = Counter(kind for kinds in left.values() for kind in kinds)
        best = min(counts, key=lambda kind: (-counts[kind], kind in avoided, order[kind]))
        found |= {name: best for name, kinds in left.items() if best in kinds}
    return {name: found[name] for name in slips}
