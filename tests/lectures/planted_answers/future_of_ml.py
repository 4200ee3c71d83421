"""Planted answers to lecture 12's exercises: mistakes, and right ones of unusual form."""

import copy
import functools
import hashlib
import json
import math
import os
import random
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from planting import Misread
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import ks_2samp


def ks_without_ties(a, b):
    steps = np.repeat([1 / len(a), -1 / len(b)], [len(a), len(b)])
    return np.abs(steps[np.argsort(np.concatenate([a, b]), kind="stable")].cumsum()).max()


def ks_signed(a, b):
    at = np.concatenate([a, b])
    return ((a[:, None] <= at).mean(0) - (b[:, None] <= at).mean(0)).max()


def ks_of_quantiles(a, b):
    grid = np.linspace(0, 1, 101)
    return np.abs(np.quantile(a, grid) - np.quantile(b, grid)).max()


def ks_at_a_only(a, b):
    return np.abs((a[:, None] <= a).mean(0) - (b[:, None] <= a).mean(0)).max()


def gate(body, *, booleans=False, infinite=False, extra=False, recursion=False):
    try:
        given = json.loads(body)
    except ValueError:
        return 400
    except RecursionError:
        if recursion:
            raise
        return 400
    if not isinstance(given, dict) or "values" not in given or (len(given) > 1 and not extra):
        return 422
    values = given["values"]
    if not isinstance(values, list) or len(values) != 3:
        return 422
    for x in values:
        if not isinstance(x, (int, float)) or (isinstance(x, bool) and not booleans):
            return 422
        if isinstance(x, float) and not math.isfinite(x) and not infinite:
            return 422
    return 200


def writes_in_place(path, state):
    path.write_text(json.dumps(state))


def removes_first(path, state):
    half = path.with_name("half")
    half.write_text(json.dumps(state))
    path.unlink(missing_ok=True)
    half.rename(path)


def leaves_a_copy(path, state):
    half = path.with_name("half")
    half.write_text(json.dumps(state))
    path.with_name("half.copy").write_text(json.dumps(state))
    os.replace(half, path)


def from_another_folder(path, state):
    half = Path(tempfile.mkdtemp()) / "half"
    half.write_text(json.dumps(state))
    os.replace(half, path)
    half.parent.rmdir()


def replaces_before_it_has_written(path, state):
    half = path.with_name("half")
    with open(half, "w") as file:
        file.write(json.dumps(state))  # it may still be on its way to the disk
        os.replace(half, path)


def canary_by_hash(name, share):
    return hash(name) % 1000 < 1000 * share  # another one in the next process


def canary_that_reshuffles(name, share):
    digest = hashlib.sha256(f"{name} {share}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def posterior(votes, w, tau):
    return 1 / (1 + np.exp(-(votes @ w + tau)))


def gradient(votes, w, tau, *, silence=False, prior=True, total=False, sign=1):
    q = posterior(votes, w, tau if prior else 0.0)
    right = np.where(votes == 1, q[:, None], 1 - q[:, None])
    each = (right - 1 / (1 + np.exp(-w))) * (1 if silence else votes != 0)
    scale = len(votes) if total else 1
    return sign * scale * each.mean(0), sign * scale * (q - 1 / (1 + np.exp(-tau))).mean()


def em_round(votes, accuracies, prior, *, hard=False, everywhere=False, ignore_prior=False):
    tau = 0.0 if ignore_prior else math.log(prior / (1 - prior))
    q = posterior(votes, np.log(accuracies / (1 - accuracies)), tau)
    q = np.where(q > 0.5, 1.0, 0.0) if hard else q
    right = np.where(votes == 1, q[:, None], 1 - q[:, None]) * (votes != 0)
    spoke = len(votes) if everywhere else (votes != 0).sum(0)
    return right.sum(0) / spoke, q.mean()


def known_losses(p, late, least, *, unknown=False, everywhere=False, answers=True, few=False):
    known = ~np.isnan(late) & (~np.isnan(p) if answers else True)
    losses = -np.log(np.where(late == 1, p, 1 - p))
    if unknown:
        return losses.mean(), len(p)
    n = int(known.sum())
    if (n < least and not few) or not n:
        return math.nan, n
    return losses[known].sum() / (len(p) if everywhere else n), n


def shadowed(rows, production, shadow, note, *, own=True, first=False, both=False, silent=False):
    """Production's answer, and a note of what the shadow said."""
    if first:
        note("answer", shadow(list(rows)))
        return production(rows)
    try:
        said = production(rows)
        try:
            note("answer", shadow(list(rows) if own else rows))
        except Exception as error:
            if not silent:
                note("failure", str(error))
        return said
    except Exception as error:
        if not both:
            raise
        note("failure", str(error))
        return []


def prior_by_rounds(p, before, rounds=3000, upside_down=False):
    prior = before
    for _ in range(rounds):
        ratio = prior / (1 - prior) * (1 - before) / before
        odds = p / (1 - p) * (1 / ratio if upside_down else ratio)
        prior = (odds / (1 + odds)).mean()
    return prior


WRONG = {
    "four_numbers_of_a_monitor": [
        (0.3 * math.log(1.6), 0.054, 1 - 0.95**20, 0.0025),
        (0.3 * math.log10(4), 0.06, 0.95**20, 0.0025),
        (0.3 * math.log(4), 0.054, 1.0, 0.0025),
        (0.3 * math.log(4), 0.054, 1 - 0.95**20, 0.05),
    ],
    "which_drift": [
        (["label", "label", "concept"], [True, True, False]),
        (["covariate", "label", "concept"], [True, True, True]),
        (["covariate", "label", "concept"], [True, False, False]),
    ],
    "three_voices_by_hand": [
        (0.5, 0.5, 0.75),
        (0.5, 0.25, 0.5),
        (0.9, 0.25, 0.75),
    ],
    "kolmogorov_and_smirnov": [ks_signed, ks_of_quantiles, ks_at_a_only],
    "the_gatekeeper": [
        functools.partial(gate, infinite=True),
        functools.partial(gate, extra=True),
        functools.partial(gate, recursion=True),
        lambda body: 200 if len(json.loads(body)["values"]) == 3 else 422,
    ],
    "a_pointer_that_is_never_torn": [
        removes_first,
        leaves_a_copy,
        from_another_folder,
        replaces_before_it_has_written,
    ],
    "a_canary": [
        lambda name, share: random.random() < share,
        lambda name, share: len(name) % 100 < 100 * share,
        canary_that_reshuffles,
    ],
    "the_gradient_of_the_votes": [
        functools.partial(gradient, prior=False),
        functools.partial(gradient, total=True),
        functools.partial(gradient, sign=-1),
    ],
    "one_round_of_em": [
        functools.partial(em_round, hard=True),
        lambda votes, accuracies, prior: (accuracies, prior),
        functools.partial(em_round, ignore_prior=True),
    ],
    "make_the_majority_win": [
        ([0.7, 0.7, 0.7], 0.6),
        ([0.8, 0.8, 0.8], 0.45),
        ([0.99, 0.9, 0.9], 0.5),
    ],
    "outcomes_that_are_missing": [
        functools.partial(known_losses, everywhere=True),
        functools.partial(known_losses, answers=False),
        functools.partial(known_losses, few=True),
        lambda p, late, least: known_losses(p, late, least + 1),
    ],
    "a_shadow_that_cannot_hurt": [
        functools.partial(shadowed, first=True),
        functools.partial(shadowed, own=False),
        functools.partial(shadowed, silent=True),
        lambda rows, production, shadow, note: (production(rows), note("answer", shadow(rows)))[0],
    ],
    "a_corrected_prior": [
        lambda p, before: prior_by_rounds(p, p.mean(), 1),
        functools.partial(prior_by_rounds, upside_down=True),
        lambda p, before: prior_by_rounds(p, before, 3),
        lambda p, before: (p > 0.5).mean(),
    ],
    "drop_the_copy": [
        (0.95, 0.8032, "keep"),
        (0.95, 0.9174, "keep"),
        (0.73, 0.812, "keep"),
    ],
}


def ks_by_loop(a, b):
    return max(
        abs(sum(v <= x for v in a) / len(a) - sum(v <= x for v in b) / len(b))
        for x in {*a.tolist(), *b.tolist()}
    )


def gate_by_json_alone(body):
    """NaN is no JSON, says the standard: 400."""

    def refuse(word):
        raise ValueError(word)

    try:
        given = json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError):
        return 400
    match given:
        case {"values": [_, _, _] as values, **rest} if not rest:
            fine = all(type(x) in (int, float) and abs(x) < math.inf for x in values)
            return 200 if fine else 422
    return 422


def gate_by_floats(body):
    """What a float cannot hold is refused, whole numbers of 400 digits too."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        return np.array([400])
    try:
        (values,) = given.values()
        fine = list(given) == ["values"] and type(values) is list and len(values) == 3
        fine = fine and not any(isinstance(x, (bool, str)) for x in values)
        return 200 if fine and all(math.isfinite(x) for x in values) else 422
    except (AttributeError, TypeError, ValueError, OverflowError):
        return 422


def by_temporary_file(path, state):
    with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path), delete=False) as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)


def by_rename(path, state):
    half = f"{path}.{os.getpid()}"
    handle = os.open(half, os.O_WRONLY | os.O_CREAT)
    os.write(handle, json.dumps(state, indent=1).encode())
    os.close(handle)
    os.rename(half, path)


def canary_by_random(name, share):
    return random.Random(name).random() < share


def canary_by_crc(name, share):
    return np.bool_(zlib.crc32(name.encode()) / 2**32 < share)


def gradient_by_differences(votes, w, tau):
    def mean(theta):
        a, p = expit(theta[:-1]), expit(theta[-1])
        yes = np.prod(np.where(votes == 1, a, np.where(votes == -1, 1 - a, 1.0)), axis=1)
        no = np.prod(np.where(votes == -1, a, np.where(votes == 1, 1 - a, 1.0)), axis=1)
        return np.log(p * yes + (1 - p) * no).mean()

    theta, found = np.append(w, tau), []
    for step in 1e-4 * np.eye(len(theta)):
        pairs = (
            mean(theta + step) - mean(theta - step),
            mean(theta + 2 * step) - mean(theta - 2 * step),
        )
        found.append((8 * pairs[0] - pairs[1]) / 12e-4)
    return found[:-1], found[-1]


def gradient_by_rows(votes, w, tau):
    by_w, by_tau = [0.0] * len(w), 0.0
    for row in votes.tolist():
        q = expit(tau + sum(v * x for v, x in zip(row, w, strict=True)))
        by_tau += (q - expit(tau)) / len(votes)
        for j, v in enumerate(row):
            if v:
                by_w[j] += ((q if v > 0 else 1 - q) - expit(w[j])) / len(votes)
    return {"the derivatives by w": by_w, "the derivative by tau": by_tau}


def em_by_rows(votes, accuracies, prior):
    q = []
    for row in votes:
        yes, no = prior, 1 - prior
        for v, a in zip(row, accuracies, strict=True):
            if v:
                yes, no = yes * (a if v > 0 else 1 - a), no * (a if v < 0 else 1 - a)
        q.append(yes / (yes + no))
    new = []
    for column in votes.T:
        right = [p if v > 0 else 1 - p for p, v in zip(q, column, strict=True) if v]
        new.append(sum(right) / len(right))
    return [tuple(new), [sum(q) / len(q)]]


def known_loss_by_loop(p, late, least):
    found = [
        -math.log(q if y == 1 else 1 - q)
        for q, y in zip(p.tolist(), late.tolist(), strict=True)
        if not math.isnan(q + y)
    ]
    enough = found and len(found) >= least
    return {"mean": sum(found) / len(found) if enough else math.nan, "n": len(found)}


def known_loss_by_nanmean(p, late, least):
    losses = np.where(np.isnan(late), np.nan, -np.log(np.where(late == 1, p, 1 - p)))
    n = np.isfinite(losses).sum()
    return [np.nanmean(losses) if n >= max(least, 1) else np.nan, n]


def shadow_by_copy(rows, production, shadow, note):
    kept = tuple(rows)
    result = production(rows)
    try:
        said = shadow(list(kept))
    except Exception as error:
        note("failure", repr(error))
    else:
        note("answer", said)
    return result


def shadow_in_a_thread(rows, production, shadow, note):
    result = production(rows)
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(shadow, copy.deepcopy(rows))
    if later.exception():
        note("failure", later.exception())
    else:
        note("answer", later.result())
    return np.array(result)


def prior_by_likelihood(p, before):
    """The maximum of the likelihood of the unlabelled items, which EM climbs."""

    def slope(prior):
        share = p / before * prior + (1 - p) / (1 - before) * (1 - prior)
        return ((p / before - (1 - p) / (1 - before)) / share).sum()

    if abs(slope(0.5)) < 1e-6:
        return before
    return brentq(slope, 1e-9, 1 - 1e-9)


RIGHT = {
    "four_numbers_of_a_monitor": [
        (0.416, 0.054, 0.642, "1/400"),
        ("0.4159", np.float64(0.054), 0.6415, 0.0025),
    ],
    "which_drift": [
        (("Covariate", " label", "CONCEPT"), (True, True, False)),
        (np.array(["covariate", "label", "concept"]), np.array([True, True, False])),
    ],
    "three_voices_by_hand": [("1/2", "1/4", "3/4"), (0.5, np.float64(0.25), [0.75])],
    "kolmogorov_and_smirnov": [ks_by_loop, lambda a, b: [ks_2samp(a, b).statistic]],
    "the_gatekeeper": [gate_by_json_alone, gate_by_floats],
    "a_pointer_that_is_never_torn": [by_temporary_file, by_rename],
    "a_canary": [canary_by_random, canary_by_crc],
    "the_gradient_of_the_votes": [gradient_by_differences, gradient_by_rows],
    "one_round_of_em": [
        em_by_rows,
        lambda *a: {"accuracies": em_round(*a)[0], "p": em_round(*a)[1]},
    ],
    "make_the_majority_win": [
        ((0.8, 0.8, 0.8), [0.55]),
        (np.array([0.82, 0.8, 0.79]), "0.54"),
    ],
    "outcomes_that_are_missing": [known_loss_by_loop, known_loss_by_nanmean],
    "a_shadow_that_cannot_hurt": [shadow_by_copy, shadow_in_a_thread],
    "a_corrected_prior": [prior_by_likelihood, lambda p, before: [prior_by_rounds(p, before)]],
    "drop_the_copy": [("0.95", 0.812, "Keep"), (359 / 378, 462 / 569, " keep ")],
}

MISREAD = {
    "four_numbers_of_a_monitor": Misread(
        (0.3 * math.log(4), 0.0, 1 - 0.95**20, 0.0025),
        "Where nothing has changed, no PSI is expected.",
        "there are 1,000 and 200",
    ),
    "which_drift": Misread(
        (["covariate", "concept", "label"], [True, True, False]),
        "More flu is read as another meaning of the symptoms, a new label as more of it.",
        "the flu makes the same symptoms as always",
    ),
    "three_voices_by_hand": Misread(
        (1 / 3, 0.25, 0.75),
        "One voice of three is read as one in three.",
        "weigh them by their accuracies",
    ),
    "kolmogorov_and_smirnov": Misread(
        ks_without_ties,
        "The distribution functions climb at one value after the other, equal ones too.",
        "a share up to x has them all",
    ),
    "the_gatekeeper": Misread(
        functools.partial(gate, booleans=True),
        "Whatever Python counts as a number is one.",
        "true, which is no number",
    ),
    "a_pointer_that_is_never_torn": Misread(
        writes_in_place,
        "Writing the file in one call is read as writing it at once.",
        "the file is neither the old one whole nor the new one",
    ),
    "a_canary": Misread(
        canary_by_hash,
        "The same answer each time is what Python's hash gives.",
        "another process chooses the same callers",
    ),
    "the_gradient_of_the_votes": Misread(
        functools.partial(gradient, silence=True),
        "A vote of 0 is treated like a vote of -1.",
        "it says nothing about a function",
    ),
    "one_round_of_em": Misread(
        functools.partial(em_round, everywhere=True),
        "An accuracy is a share of all items.",
        "divide by those where the function speaks",
    ),
    "make_the_majority_win": Misread(
        ([0.95, 0.95, 0.95], 0.95),
        "The better the voices, the further the majority is ahead.",
        "it should be by at least 0.2",
    ),
    "outcomes_that_are_missing": Misread(
        functools.partial(known_losses, unknown=True),
        "What has not been reported is read as on time.",
        "counts the unknown one as on time",
    ),
    "a_shadow_that_cannot_hurt": Misread(
        functools.partial(shadowed, both=True),
        "Nothing may fail is read of production as well.",
        "its own error is to reach the caller",
    ),
    "a_corrected_prior": Misread(
        lambda p, before: p.mean(),
        "The mean answer is read as the new share.",
        "correct them, and repeat",
    ),
    "drop_the_copy": Misread(
        (0.95, 0.812, "drop"),
        "Agreement is read as a reason to drop, whatever it does.",
        "which is higher",
    ),
}
