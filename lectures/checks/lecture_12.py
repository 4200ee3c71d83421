"""The checkers of lecture 12's exercises: a service watched, labels from rules."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from checks import Sheet, Wrong, close, same, true
from micrograd import Value, grads
from micrograd.ops import softplus

sheet = Sheet("Lecture 12")
check, hint = sheet.check, sheet.hint

rng = np.random.default_rng(120)
VOTES = rng.choice([-1, 0, 1], size=(60, 4), p=[0.35, 0.3, 0.35])
ACCURACIES = np.array([0.85, 0.7, 0.6, 0.45])


def _posterior(votes: Any, accuracies: Any, prior: float) -> Any:
    score = votes @ np.log(accuracies / (1 - accuracies)) + math.log(prior / (1 - prior))
    return 1 / (1 + np.exp(-score))


def _round(votes: Any, accuracies: Any, prior: float, counts: Any) -> tuple[Any, float]:
    q = _posterior(votes, accuracies, prior)
    right = np.where(votes == 1, q[:, None], 1 - q[:, None]) * (votes != 0)
    return counts @ right / (counts @ (votes != 0)), float(counts @ q / counts.sum())


@sheet.exercise(
    1,
    "four numbers of a monitor",
    hints=[
        "PSI adds (q - p) log(q / p) over the two categories.",
        "Section 6 has the expectation under no change; the probability of no alarm is a power.",
    ],
)
def _(value: Any, expected: Any, alarm: Any, level: Any) -> None:
    close(value, 0.3 * math.log(4), "the PSI of the two categories", rtol=0.002)
    close(expected, 0.054, "the PSI expected when nothing has changed", rtol=0.01)
    close(alarm, 1 - 0.95**20, "the probability of at least one alarm", rtol=0.002)
    close(level, 0.0025, "the level of each monitor")


@sheet.exercise(
    2,
    "which drift",
    hints=[
        "Ask of each story what stayed: P(y | x), P(x | y), or P(x)?",
        "P(x) is the sum over y of P(y) P(x | y). When does it change?",
    ],
)
def _(kinds: Any, seen: Any) -> None:
    same(len(kinds), 3, "the number of stories with a kind")
    same(len(seen), 3, "the number of stories with True or False")
    wanted = ["covariate", "label", "concept"]
    true(set(kinds) <= set(wanted), "every kind is one of covariate, label, concept")
    for i in range(3):
        same(kinds[i], wanted[i], f"the kind of drift in story {i + 1}")
        same(seen[i], i < 2, f"whether inputs alone can show story {i + 1}")


@sheet.exercise(
    3,
    "three voices by hand",
    hints=[
        "Work with odds: an accuracy of 0.9 is 9 : 1. What is 0.75?",
        "Votes for +1 multiply the odds, votes for -1 divide them, silence does neither.",
    ],
)
def _(against: Any, prior: Any, silent: Any) -> None:
    close(against, 0.5, "the probability with one voice against two")
    close(prior, 0.25, "the probability with the prior")
    close(silent, 0.75, "the probability with one silent")


@sheet.exercise(
    4,
    "Kolmogorov and Smirnov",
    hints=[
        "The largest difference is reached at one of the points of a or of b.",
        "np.searchsorted(np.sort(a), x, side='right') counts those of a that are <= x, ties too.",
    ],
)
def _(distance: Any) -> None:
    from scipy.stats import ks_2samp

    a, b = rng.standard_normal(70), 0.4 + 1.5 * rng.standard_normal(45)
    close(distance(a, b), ks_2samp(a, b).statistic, "the distance of 70 and 45 real numbers")
    close(distance(b, a), ks_2samp(a, b).statistic, "the distance with the samples swapped")
    hours, later = rng.integers(7, 12, 80), rng.integers(8, 13, 50)
    close(distance(hours, later), ks_2samp(hours, later).statistic, "the distance of two of hours")
    close(distance(hours, hours), 0.0, "the distance of a sample from itself")
    apart = distance(np.array([1.0, 2.0]), np.array([5.0, 6.0, 7.0]))
    close(apart, 1.0, "the distance of samples that do not overlap")
    inside = distance(np.array([0.0, 0.0, 9.0, 9.0]), np.array([4.0, 5.0]))
    close(inside, 0.5, "the distance where one sample lies within the other")


@sheet.exercise(
    5,
    "the gatekeeper",
    hints=[
        "json.loads raises a ValueError for what is no JSON. What else may it raise?",
        "What does isinstance(True, int) say? And what does json.loads make of NaN and 1e999?",
    ],
)
def _(status: Any) -> None:
    cases = {
        "three numbers": ('{"values": [1, 2.5, -3e2]}', 200),
        "no JSON": ("hello", 400),
        "nothing at all": ("", 400),
        "an open bracket": ('{"values": [1, 2', 400),
        "a list": ("[1, 2, 3]", 422),
        "a number": ("3", 422),
        "null": ("null", 422),
        "a missing key": ('{"value": [1, 2, 3]}', 422),
        "one key too many": ('{"values": [1, 2, 3], "unit": "km"}', 422),
        "two numbers": ('{"values": [1, 2]}', 422),
        "four numbers": ('{"values": [1, 2, 3, 4]}', 422),
        "a text of three letters": ('{"values": "123"}', 422),
        "a number in quotes": ('{"values": [1, "2", 3]}', 422),
        "true among the numbers": ('{"values": [1, true, 3]}', 422),
        "null among the numbers": ('{"values": [1, null, 3]}', 422),
        "NaN": ('{"values": [1, NaN, 3]}', 422),
        "1e999": ('{"values": [1, 1e999, 3]}', 422),
        "an integer of 400 digits": ('{"values": [1, ' + "9" * 400 + ", 3]}", 200),
        "100,000 brackets": ("[" * 100_000, 400),
    }
    for what, (body, wanted) in cases.items():
        try:
            got = status(body)
        except NotImplementedError:
            raise
        except Exception as error:
            raise Wrong(f"the body is {what}: it raised {type(error).__name__}") from None
        same(got, wanted, f"the status when the body is {what}")


@sheet.exercise(
    6,
    "a pointer that is never torn",
    hints=[
        "Write to another file in the same folder first.",
        "os.replace(new, old) is atomic: readers find the one or the other.",
    ],
)
def _(write_pointer: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "pointer.json"
        write_pointer(path, {"production": 1})
        write_pointer(path, {"production": 2, "shadow": None})
        found = json.loads(path.read_text())
        same(found, {"production": 2, "shadow": None}, "what is in the file afterwards")
        same(os.listdir(name), ["pointer.json"], "the files in the folder afterwards")
        number = path.stat().st_ino
        write_pointer(path, {"production": 4})
        true(path.stat().st_ino != number, "the old file is replaced, not written over")
        found = _after_a_failure(write_pointer, path)
        true(found is not None, "there is a file when the program is killed before the last step")
        same(found["production"] in (3, 4), True, "the file is whole when the program is killed")


def _after_a_failure(write_pointer: Any, path: Path) -> Any:
    """What the file holds when replacing and renaming fail; None where there is none."""
    kept = {name: getattr(os, name) for name in ("replace", "rename")}

    def killed(*_: Any, **__: Any) -> None:
        raise OSError("killed")

    try:
        for name in kept:
            setattr(os, name, killed)
        with contextlib.suppress(OSError):
            write_pointer(path, {"production": 3})
    finally:
        for name, function in kept.items():
            setattr(os, name, function)
    return json.loads(path.read_text()) if path.exists() else None


@sheet.exercise(
    7,
    "a canary",
    hints=[
        "A hash such as hashlib.sha256 turns a name into a number that looks uniform.",
        "Compare that number, as a fraction of its largest value, with the share.",
    ],
)
def _(canary: Any) -> None:
    names = [f"caller {i}" for i in range(4000)]
    chosen = {share: {n for n in names if canary(n, share)} for share in (0.0, 0.05, 0.2, 0.5, 1.0)}
    again = {n for n in reversed(names) if canary(n, 0.2)}
    same(again == chosen[0.2], True, "the same callers are chosen when asked again")
    same(len(chosen[0.0]), 0, "the number of callers chosen at share 0")
    same(len(chosen[1.0]), 4000, "the number of 4,000 callers chosen at share 1")
    for share in (0.05, 0.2, 0.5):
        off = abs(len(chosen[share]) - 4000 * share) / math.sqrt(4000 * share * (1 - share))
        true(off < 4, f"about a share of {share} of 4,000 callers is chosen")
    true(chosen[0.05] < chosen[0.2] < chosen[0.5], "whoever is in stays in when the share grows")


@sheet.exercise(
    8,
    "the gradient of the votes",
    hints=[
        "Let q be the probability of y = 1 given the votes, sigmoid(votes @ w + tau).",
        "For each function: how probable is it, given all the votes, that it was right? Less a_j.",
        "An item on which a function is silent says nothing about it, and still counts in n.",
    ],
)
def _(gradient: Any) -> None:
    w = np.array([Value(x) for x in (1.2, 0.4, -0.3, 0.8)])
    for tau, title in ((Value(0.0), "with both labels alike"), (Value(-0.9), "with another prior")):
        for p in (*w, tau):
            p.grad = 0.0
        spoken = (softplus(VOTES * w * -1) * abs(VOTES)).sum(axis=1)
        log_likelihood = softplus((VOTES @ w + tau) * -1) - spoken - softplus(tau * -1)
        (log_likelihood.sum() / len(VOTES)).backward()
        by_w, by_tau = gradient(VOTES, np.array([v.data for v in w]), tau.data)
        close(by_tau, tau.grad, f"the derivative by tau, {title}")
        close(by_w, grads(w), f"the derivatives by w, {title}")


@sheet.exercise(
    9,
    "one round of EM",
    hints=[
        "E: the probability of y = 1 for each item is a sigmoid of prior log-odds plus votes @ w.",
        "M: for each function, the mean probability of being right, where it speaks.",
    ],
)
def _(em_round: Any) -> None:
    for prior in (0.5, 0.3):
        wanted, share = _round(VOTES, ACCURACIES, prior, np.ones(60))
        accuracies, new_prior = em_round(VOTES, ACCURACIES.copy(), prior)
        close(new_prior, share, f"the new prior, from {prior}")
        close(accuracies, wanted, f"the new accuracies, from the prior {prior}")
    spoken = np.where(VOTES == 0, 1, VOTES)
    wanted, _ = _round(spoken, ACCURACIES, 0.5, np.ones(60))
    close(em_round(spoken, ACCURACIES.copy(), 0.5)[0], wanted, "the accuracies when none is silent")


@sheet.exercise(
    10,
    "make the majority win",
    hints=[
        "Section 14: what does the model believe of the two copies, and whom does it follow then?",
        "The copies' accuracy becomes the model's. What does the majority need to do better?",
    ],
)
def _(free: Any, copied: Any) -> None:
    accuracies = np.array([*np.asarray(free, dtype=float), float(copied)])
    same(accuracies.shape, (4,), "the shape of three accuracies and one")
    true(((accuracies >= 0.5) & (accuracies <= 0.95)).all(), "all accuracies are in [0.5, 0.95]")
    four = np.array(list(itertools.product([-1, 1], repeat=4)))
    votes = four[:, [0, 1, 2, 3, 3]]
    if_positive = np.prod(np.where(four == 1, accuracies, 1 - accuracies), axis=1)
    counts = (if_positive + if_positive[::-1]) / 2
    believed = np.full(5, 0.7)
    for _ in range(3000):
        believed = np.clip(_round(votes, believed, 0.5, counts)[0], 1e-6, 1 - 1e-6)

    def right(score: Any) -> float:
        return float(if_positive @ np.where(np.abs(score) < 1e-9, 0.5, score > 0))

    majority = right(votes.sum(axis=1))
    model = right(votes @ np.log(believed / (1 - believed)))
    if majority < model + 0.2:
        raise Wrong(f"majority vote reaches {majority:.3f}, the label model {model:.3f}")
