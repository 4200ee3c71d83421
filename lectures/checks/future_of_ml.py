"""The checkers of lecture 12's exercises: a service watched, labels from rules."""

from __future__ import annotations

import itertools
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from checks import (
    Sheet,
    Wrong,
    beside,
    by_hand,
    close,
    elsewhere,
    moments,
    note,
    number,
    several,
    true,
    truths,
    without_engine,
    word,
)
from checks._files import replacements, whole_state
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
    hints=[
        "PSI adds (q - p) log(q / p) over the two categories.",
        "Section 7 has the expectation under no change; the probability of no alarm is a power.",
    ],
)
def four_numbers_of_a_monitor(value: Any, expected: Any, alarm: Any, level: Any) -> None:
    one = {
        "that is the first category alone; both add to it": 0.3 * math.log(1.6),
        "that is for the logarithm to the base 10": 0.3 * math.log10(4),
    }
    by_hand(value, 0.3 * math.log(4), "the PSI of the two categories", instead=one)
    mistaken = {
        "that would be for infinitely many rows; there are 1,000 and 200": 0.0,
        "ten shares that add up to 1 are nine free ones": 0.06,
    }
    by_hand(expected, 0.054, "the PSI expected when nothing has changed", instead=mistaken)
    added = {
        "that adds twenty times 0.05; several may ring at once": 1.0,
        "that is for none": 0.95**20,
    }
    by_hand(alarm, 1 - 0.95**20, "the probability of at least one alarm", instead=added)
    shared = {"that is the promise for all together": 0.05}
    by_hand(level, 0.0025, "the level of each monitor", instead=shared)


@sheet.exercise(
    2,
    title="Which drift?",
    hints=[
        "Ask of each story what stayed: P(y | x), P(x | y), or P(x)?",
        "P(x) is the sum over y of P(y) P(x | y). When does it change?",
    ],
)
def which_drift(kinds: Any, seen: Any) -> None:
    stories = (
        {"a message means what it meant: P(y | x) stays": "concept"},
        {"the flu makes the same symptoms as always: P(x | y) stays": "concept"},
        {"what the label stands for has changed, not how frequent it is": "label"},
    )
    wanted = ("covariate", "label", "concept")
    for i, kind in enumerate(_of_each_story(kinds, "the kinds of drift")):
        what = f"the kind of drift in story {i + 1}"
        word(kind, wanted[i], what, wanted, instead=stories[i])
    if seen := _of_each_story(seen, "what inputs can show"):
        labels = {"P(x) is the sum over y of P(y) P(x | y): look again": (True, False, False)}
        right = (True, True, False)
        truths(seen, right, "123", "what inputs can show", instead=labels)


def _of_each_story(given: Any, what: str) -> list[Any]:
    """The three answers; none where they are no three, which is noted as a part."""
    try:
        return several(given, "story 1", "story 2", "story 3")
    except NotImplementedError:
        note(what, "not attempted")
    except Wrong as error:
        note(what, "wrong", f"{what}: {error}")
    return []


@sheet.exercise(
    3,
    hints=[
        "Work with odds: an accuracy of 0.9 is 9 : 1. What is 0.75?",
        "Votes for +1 multiply the odds, votes for -1 divide them, silence does neither.",
    ],
)
def three_voices_by_hand(against: Any, prior: Any, silent: Any) -> None:
    counted = {
        "that counts voices; weigh them by their accuracies": 1 / 3,
        "that is the first voice alone; the two others speak against it": 0.9,
    }
    without = {"that is without the prior": 0.5}
    silence = {"that takes silence for a vote; it neither multiplies nor divides the odds": 0.5}
    by_hand(against, 0.5, "the probability with one voice against two", instead=counted)
    by_hand(prior, 0.25, "the probability with the prior", instead=without)
    by_hand(silent, 0.75, "the probability with one silent", instead=silence)


@sheet.exercise(
    4,
    title="Kolmogorov and Smirnov",
    hints=[
        "The largest difference is reached at one of the points of a or of b.",
        "np.searchsorted(np.sort(a), x, side='right') counts those of a that are <= x, ties too.",
    ],
)
def kolmogorov_and_smirnov(distance: Any) -> None:
    from scipy.stats import ks_2samp

    apart = distance(np.array([1.0, 2.0]), np.array([5.0, 6.0, 7.0]))
    sideways = {"that is how far values lie apart; give how far shares do": 5.0}
    close(apart, 1.0, "the distance of samples that do not overlap", instead=sideways)
    inside = distance(np.array([0.0, 0.0, 9.0, 9.0]), np.array([4.0, 5.0]))
    close(inside, 0.5, "the distance where one sample lies within the other")
    rng = np.random.default_rng(124)
    a, b = rng.standard_normal(70), 0.4 + 1.5 * rng.standard_normal(45)
    close(distance(a, b), ks_2samp(a, b).statistic, "the distance of 70 and 45 real numbers")
    close(distance(b, a), ks_2samp(a, b).statistic, "the distance with the samples swapped")
    hours, later = rng.integers(7, 12, 80), rng.integers(8, 13, 50)
    both = np.concatenate([hours, later])
    steps = np.repeat([1 / len(hours), -1 / len(later)], [len(hours), len(later)])
    one_by_one = np.abs(steps[np.argsort(both, kind="stable")].cumsum()).max()
    tied = "that goes through equal values one by one; a share up to x has them all"
    right, what = ks_2samp(hours, later).statistic, "the distance of two samples of hours"
    close(distance(hours, later), right, what, instead={tied: one_by_one})
    close(distance(hours, hours), 0.0, "the distance of a sample from itself")


@sheet.exercise(
    5,
    hints=[
        "json.loads raises a ValueError for what is no JSON. What else may it raise?",
        "What does isinstance(True, int) say? And what does json.loads make of NaN and 1e999?",
    ],
)
def the_gatekeeper(status: Any) -> None:
    cases = {
        "three numbers": ('{"values": [1, 2.5, -3e2]}', [200]),
        "no JSON": ("hello", [400]),
        "nothing at all": ("", [400]),
        "an open bracket": ('{"values": [1, 2', [400]),
        "a list": ("[1, 2, 3]", [422]),
        "a number": ("3", [422]),
        "null": ("null", [422]),
        "one without the key values": ('{"value": [1, 2, 3]}', [422]),
        "one that has a second key": ('{"values": [1, 2, 3], "unit": "km"}', [422]),
        "two numbers": ('{"values": [1, 2]}', [422]),
        "four numbers": ('{"values": [1, 2, 3, 4]}', [422]),
        "a text of three letters": ('{"values": "123"}', [422]),
        "a number in quotes": ('{"values": [1, "2", 3]}', [422]),
        "one with true, which is no number": ('{"values": [1, true, 3]}', [422]),
        "one with null": ('{"values": [1, null, 3]}', [422]),
        # Python reads it, JSON has no such word
        "one with NaN": (
            '{"values": [1, NaN, 3]}',
            [400, 422],
        ),  # Python reads it, JSON has no such word
        "one with 1e999, which is not finite": ('{"values": [1, 1e999, 3]}', [422]),
        # finite as a whole number of Python, and more than a float can hold
        "one with an integer of 400 digits": ('{"values": [1, ' + "9" * 400 + ", 3]}", [200, 422]),
        "100,000 brackets": ("[" * 100_000, [400]),
    }
    for what, (body, wanted) in cases.items():
        try:
            got = status(body)
        except (NotImplementedError, Wrong):
            raise
        except Exception as error:
            kind = type(error).__name__
            raise Wrong(f"the body is {what}: it raised {kind}, and it must never raise") from None
        found = number(got, f"the status when the body is {what}")
        if found not in wanted:
            asked = " or ".join(map(str, wanted))
            raise Wrong(f"the status when the body is {what}: got {found:g}, expected {asked}")


@sheet.exercise(
    6,
    hints=[
        "Write to another file in the same folder first.",
        "os.replace(new, old) is atomic: readers find the one or the other.",
    ],
    returns=False,
)
def a_pointer_that_is_never_torn(write_pointer: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "pointer.json"
        write_pointer(path, {"production": 1})
        true(path.exists(), "there is a file at `path` afterwards")
        old, new = whole_state(path), {"production": 2, "shadow": None}
        true(old == {"production": 1}, "the file holds the state as JSON afterwards")
        with replacements() as replaced:
            seen = moments(lambda: write_pointer(path, dict(new)), lambda: whole_state(path))
        true(whole_state(path) == new, "the file holds the new state as JSON afterwards")
        for found in seen:
            if found == "missing":
                raise Wrong("for a moment there is no file: a reader, or a crash, would find none")
            if found not in (old, new):
                raise Wrong("for a moment the file is neither the old one whole nor the new one")
        for source in replaced:
            if source.resolve().parent != path.resolve().parent:
                raise Wrong("the other file lies in another folder: where that is another disk, "
                            "it cannot replace the old one at once")  # fmt: skip
        true(os.listdir(name) == ["pointer.json"], "no other file is left in the folder")
        path.write_text("x" * 10_000)  # a longer file than the new one
        write_pointer(path, {"production": 3})
        true(whole_state(path) == {"production": 3}, "a longer file is replaced as a whole")


@sheet.exercise(
    7,
    hints=[
        "A hash such as hashlib.sha256 turns a name into a number that looks uniform.",
        "Compare that number, as a fraction of its largest value, with the share.",
    ],
)
def a_canary(canary: Any) -> None:
    names = [f"caller {i}" for i in range(4000)]
    chosen = {share: {n for n in names if canary(n, share)} for share in (0.0, 0.05, 0.2, 0.5, 1.0)}
    again = {n for n in reversed(names) if canary(n, 0.2)}
    true(again == chosen[0.2], "the same callers are chosen when asked again")
    true(not chosen[0.0], "nobody is chosen at share 0")
    true(len(chosen[1.0]) == 4000, "all of 4,000 callers are chosen at share 1")
    for share in (0.05, 0.2, 0.5):
        off = abs(len(chosen[share]) - 4000 * share) / math.sqrt(4000 * share * (1 - share))
        true(off < 4, f"about a share of {share} of 4,000 callers is chosen")
    true(chosen[0.05] < chosen[0.2] < chosen[0.5], "whoever is in stays in when the share grows")
    calls = [(n, 0.5) for n in names[:200]]
    there = elsewhere(canary, calls)
    true([bool(x) for x in there] == [n in chosen[0.5] for n in names[:200]],
         "another process chooses the same callers")  # fmt: skip


@sheet.exercise(
    8,
    hints=[
        "Let q be the probability of y = 1 given the votes, sigmoid(votes @ w + tau).",
        "For each function: how probable is it, given all the votes, that it was right? Less a_j.",
        "An item on which a function is silent says nothing about it, and still counts in n.",
    ],
)
def the_gradient_of_the_votes(gradient: Any) -> None:
    w = np.array([Value(x) for x in (1.2, 0.4, -0.3, 0.8)])
    for tau, title in ((Value(0.0), "with both labels alike"), (Value(-0.9), "with another prior")):
        for p in (*w, tau):
            p.grad = 0.0
        votes = (softplus(VOTES * w * -1) * abs(VOTES)).sum(axis=1)
        log_likelihood = softplus((VOTES @ w + tau) * -1) - votes - softplus(tau * -1)
        (log_likelihood.sum() / len(VOTES)).backward()
        numbers_w, number_tau = np.array([v.data for v in w]), tau.data
        with without_engine():
            got = gradient(VOTES, numbers_w, number_tau)
        by_w, by_tau = several(got, "the derivatives by w", "the derivative by tau")
        q = 1 / (1 + np.exp(-(VOTES @ numbers_w + number_tau)))
        accuracy = 1 / (1 + np.exp(-numbers_w))
        off = np.where(VOTES == 1, q[:, None], 1 - q[:, None]) - accuracy
        spoken = VOTES != 0
        mistaken = {
            "that counts silence as a vote; it says nothing about a function": off.mean(axis=0),
            "that divides by the items with a vote; give the mean over all n": (
                (off * spoken).sum(axis=0) / spoken.sum(axis=0)
            ),
            "that is the sum over the items; give their mean": (off * spoken).sum(axis=0),
        }
        close(by_w, grads(w), f"the derivatives by w, {title}", instead=mistaken)
        close(by_tau, tau.grad, f"the derivative by tau, {title}")


@sheet.exercise(
    9,
    title="One round of EM",
    hints=[
        "E: the probability of y = 1 for each item is a sigmoid of prior log-odds plus votes @ w.",
        "M: for each function, the mean probability of being right, where it speaks.",
    ],
)
def one_round_of_em(em_round: Any) -> None:
    names = "the new accuracies", "the new prior"
    for prior in (0.5, 0.3):
        wanted, share = _round(VOTES, ACCURACIES, prior, np.ones(60))
        accuracies, new_prior = several(em_round(VOTES, ACCURACIES.copy(), prior), *names)
        log_odds = VOTES @ np.log(ACCURACIES / (1 - ACCURACIES))
        sure = (log_odds + math.log(prior / (1 - prior)) > 0).mean()
        alike = (1 / (1 + np.exp(-log_odds))).mean()
        mistaken = {
            "that decides each label; add up the probabilities of 1": sure,
            "that is as if both labels were alike beforehand": alike,
        }
        close(new_prior, share, f"the new prior, from {prior}", instead=mistaken)
        everywhere = {
            "that divides by all items; divide by those where the function speaks": wanted
            * (VOTES != 0).mean(axis=0)
        }
        what = f"the new accuracies, from the prior {prior}"
        close(accuracies, wanted, what, instead=everywhere)
    spoken = np.where(VOTES == 0, 1, VOTES)
    wanted, _ = _round(spoken, ACCURACIES, 0.5, np.ones(60))
    accuracies, _ = several(em_round(spoken, ACCURACIES.copy(), 0.5), *names)
    close(accuracies, wanted, "the accuracies when none is silent")


@sheet.exercise(
    10,
    hints=[
        "Part two, section 5: what does the model believe of the copies, and whom does it follow?",
        "The copies' accuracy becomes the model's. What does the majority need to do better?",
    ],
)
def make_the_majority_win(free: Any, copied: Any) -> None:
    by_hand(copied, low=0.5, high=0.95, what="the accuracy of the copies")
    names = "the first accuracy", "the second", "the third"
    voices = several(free, *names)
    for name, voice in zip(names, voices, strict=True):
        by_hand(voice, low=0.5, high=0.95, what=name)
    accuracies = np.array([number(x, "an accuracy") for x in (*voices, copied)])
    if not ((accuracies >= 0.5) & (accuracies <= 0.95)).all():
        return  # the parts say which
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
        raise Wrong(
            f"majority vote reaches {majority:.4f}, the label model {model:.4f}: better by "
            f"{beside(majority - model, 0.2)}; it should be by at least 0.2"
        )
    note("both together", "right")


@sheet.exercise(
    11,
    hints=[
        "nan == 1 is false, so a comparison takes an unknown outcome for an on-time one.",
        "Where are both p and late known? The mean runs over these alone.",
    ],
)
def outcomes_that_are_missing(known_loss: Any) -> None:
    p, late = np.array([0.2, 0.9, 0.5]), np.array([0.0, 1.0, np.nan])
    mistaken = {
        "that counts the unknown one as on time": -math.log(0.8 * 0.9 * 0.5) / 3,
        "that divides by all rows; divide by those that are known": -math.log(0.8 * 0.9) / 3,
        "that is the sum; give the mean": -math.log(0.8 * 0.9),
    }
    names = "the mean loss", "the number of known outcomes"
    mean, n = several(known_loss(p, late, 1), *names)
    close(mean, -math.log(0.8 * 0.9) / 2, "the mean loss of two known outcomes", instead=mistaken)
    close(n, 2, "the number of known outcomes")
    rng = np.random.default_rng(131)
    p, late = rng.uniform(0.05, 0.95, 80), (rng.random(80) < 0.3).astype(float)
    late[rng.random(80) < 0.4], p[rng.random(80) < 0.2] = np.nan, np.nan
    both = ~np.isnan(late) & ~np.isnan(p)
    right = -np.log(np.where(late == 1, p, 1 - p))[both]
    mean, n = several(known_loss(p.copy(), late.copy(), 10), *names)
    close(n, both.sum(), "the number of rows with an outcome and an answer")
    close(mean, right.mean(), "the mean loss where answers are missing, too")
    for more, what in ((0, "as many are known as asked for"), (1, "one fewer is known")):
        mean, n = several(known_loss(p.copy(), late.copy(), int(both.sum()) + more), *names)
        close(n, both.sum(), f"the number of known outcomes when {what}")
        if math.isnan(number(mean, "the mean loss")) != bool(more):
            raise Wrong(f"the mean loss when {what} is to be {'nan' if more else 'a number'}")
    mean, n = several(known_loss(p, np.full(80, np.nan), 1), *names)
    true(math.isnan(number(mean, "the mean loss")), "the mean loss of no known outcome is nan")
    close(n, 0, "the number of known outcomes when there is none")


class _Trouble(Exception):
    """What the planted versions raise."""


@sheet.exercise(
    12,
    hints=[
        "The order matters: what is there to be returned before the shadow is asked?",
        "Only what the shadow does stands in the try. And may it get the very same list?",
    ],
)
def a_shadow_that_cannot_hurt(answer: Any) -> None:
    order: list[str] = []
    notes: list[tuple[str, Any]] = []

    def production(rows: Any) -> Any:
        order.append("production")
        return [10 * x for x in rows]

    def shadow(rows: Any) -> Any:
        order.append("shadow")
        return [x + 1 for x in rows]

    def note(kind: str, what: Any) -> None:
        notes.append((kind, what))

    def run(rows: Any, first: Any, second: Any) -> Any:
        order.clear()
        notes.clear()
        return answer(rows, first, second, note)

    close(run([1, 2], production, shadow), [10, 20], "the answer to [1, 2]")
    true(order == ["production", "shadow"], "production is asked first, then the shadow, once each")
    true(notes == [("answer", [2, 3])], 'what the shadow says is noted: note("answer", ...)')

    def fails(rows: Any) -> Any:
        raise _Trouble("no such file")

    try:
        got = run([1, 2], production, fails)
    except _Trouble:
        raise Wrong("the shadow failed, and the caller got its error; the answer is due") from None
    close(got, [10, 20], "the answer when the shadow fails")
    true([k for k, _ in notes] == ["failure"], 'a failure is noted: note("failure", ...)')
    true("no such file" in str(notes[0][1]), "the note says what was raised")

    def changes(rows: Any) -> Any:
        rows.append(99)
        rows[0] = 99
        return rows

    given = [1, 2]
    close(run(given, production, changes), [10, 20], "the answer when the shadow changes its rows")
    true(given == [1, 2], "the caller's rows are as they were, whatever the shadow does to its own")
    try:
        run([1, 2], fails, shadow)
    except _Trouble:
        pass
    else:
        raise Wrong("production failed and nobody was told: its own error is to reach the caller")
    true(not notes, "nothing is noted when production fails")


@sheet.exercise(
    13,
    hints=[
        "Multiply each item's odds by the new prior's odds over the old prior's odds.",
        "The mean of the corrected probabilities is the next prior. Where does it stop changing?",
    ],
)
def a_corrected_prior(new_prior: Any) -> None:
    rng = np.random.default_rng(133)
    for before, share in ((0.3, 0.6), (0.5, 0.2)):
        y = rng.random(3000) < share
        x = rng.standard_normal(3000) + 1.5 * y
        log_odds = 1.5 * x - 1.5**2 / 2 + math.log(before / (1 - before))
        p = 1 / (1 + np.exp(-log_odds))
        once = _under(p, before, p.mean()).mean()
        prior = before
        for _ in range(2000):
            prior = float(_under(p, before, prior).mean())
        mistaken = {
            "that is the mean of the old probabilities; correct them, and repeat": float(p.mean()),
            "that is after one correction; repeat until it stays": float(once),
            "that is the old prior": before,
        }
        what = f"the new prior, where the old one was {before}"
        close(new_prior(p.copy(), before), prior, what, rtol=1e-3, instead=mistaken)
    none = np.full(40, 0.3)
    close(new_prior(none, 0.3), 0.3, "the new prior when nothing is known of any item", rtol=1e-2)


def _under(p: Any, before: float, prior: float) -> Any:
    odds = p / (1 - p) * prior / (1 - prior) * (1 - before) / before
    return odds / (1 + odds)


@sheet.exercise(
    14,
    title="Drop the copy?",
    hints=[
        "Compare each pair on the items where both speak: (a == b)[(a != 0) & (b != 0)].mean().",
        "np.delete(votes, 5, axis=1) leaves one out. Which functions agree among themselves then?",
    ],
)
def drop_the_copy(agreement: Any, without: Any, decision: Any) -> None:
    everywhere = {
        "that counts items on which both are silent as agreed; take those where both speak": 0.6924,
        "that is a share of all items; take those where both speak": 0.6309,
    }
    by_hand(agreement, 0.9497, "the share of agreement of the pair", instead=everywhere)
    as_it_was = {
        "that is with all six functions; leave one out": 0.9174,
        "that leaves the other one out": 0.8032,
    }
    by_hand(without, 0.8120, "the accuracy without the function", instead=as_it_was)
    followed = {"look at the two accuracies: which is higher?": "drop"}
    word(decision, "keep", "the decision", ("keep", "drop"), instead=followed)
