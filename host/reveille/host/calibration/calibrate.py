"""From calibration patients to a certified policy, and what it does to patients not used for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reveille.hdl.errors import ReveilleError
from reveille.host.calibration.crossfit import PatientCounts, count, cross_fit, leave_out
from reveille.host.calibration.guarantees import (
    exceptions_allowed,
    first_certified,
    share_above,
    smallest_alpha,
)
from reveille.host.calibration.path import Setting, draw_path, plain_path
from reveille.host.calibration.promise import THEOREMS, assumption, promise, refusal
from reveille.host.choices import Guarantee
from reveille.host.ecg.beats import BeatSet
from reveille.host.progress import Progress
from reveille.host.screening.model import Operation, ScreeningModel
from reveille.host.screening.tables import Tables, choices_for, fit_tables
from reveille.sim.front_end import Policy


@dataclass(frozen=True)
class Request:
    """What a user wants promised.

    Attributes:
        operation: Machine and mode.
        alpha: Silent-error rate to keep to.
        delta: Probability with which the promise may fail.
        guarantee: What is promised.
        unseen: The calibration patients had no part in the fit of the model.
    """

    operation: Operation
    alpha: float
    delta: float
    guarantee: Guarantee = Guarantee.PATIENT
    unseen: bool = False


@dataclass(frozen=True)
class Calibration:
    """A policy, certified.

    Attributes:
        policy: The operating point; wakes always where nothing else was certified.
        sleeps: Whether something else was.
        certificate: What is promised, on what grounds and at what price; goes into JSON as it is.
        refusal: Why nothing was certified, and what could be; empty where it was.
    """

    policy: Policy
    sleeps: bool
    certificate: dict[str, Any]
    refusal: str = ""


def calibrate(
    model: ScreeningModel, beats: BeatSet, request: Request, progress: Progress
) -> Calibration:
    """Choose budget, threshold and normal mask so that a promise holds.

    Patients that the model was fitted to are screened with tables of the others; those that it has
    not seen are screened with the model itself.

    Args:
        model: The front end.
        beats: Of the calibration patients.
        request: What to promise.
        progress: Where progress goes.

    Raises:
        ReveilleError: Alpha or delta is no probability; or the model was not fitted to exactly
            these patients, or was, against what `Request.unseen` says.
    """
    setting = Setting.of_model(model, request.operation)
    if request.unseen:
        path, counts = _screened_by_the_model(model, setting, beats)
    else:
        path, counts = _screened_by_the_others(model, setting, beats, progress)
    losses = counts.losses()
    chosen = first_certified(losses, request.alpha, request.delta, request.guarantee)
    sleeps = chosen < len(path) - 1
    patients = len(losses)
    calibration: dict[str, Any] = {
        "patients": list(counts.patients),
        "patients_with_abnormal_beats": patients,
        **_figures(counts, chosen, request.alpha),
    }
    if request.guarantee is Guarantee.PATIENT and sleeps:
        allowed = exceptions_allowed(patients, request.delta)
        calibration |= {
            "patients_above_alpha_allowed": allowed,
            "share_above_alpha_at_most": share_above(patients, allowed, request.delta),
        }
    certificate = {
        "alpha": request.alpha,
        "delta": request.delta,
        "guarantee": request.guarantee.value,
        "promise": promise(request.guarantee, request.alpha, request.delta),
        "theorem": THEOREMS[request.guarantee],
        "assumption": assumption(request.guarantee, request.unseen),
        "calibration": calibration,
    }
    reason = ""
    if not sleeps:
        smallest = smallest_alpha(losses, request.delta, request.guarantee)
        reason = refusal(request.guarantee, patients, request.alpha, request.delta, smallest)
    return Calibration(path[chosen], sleeps, certificate, reason)


def measure(
    model: ScreeningModel, operation: Operation, policy: Policy, beats: BeatSet, alpha: float
) -> dict[str, Any]:
    """Return what a policy does to patients: rates over beats, and patients within alpha."""
    setting = Setting.of_model(model, operation)
    words = model.words[setting.machine]
    return _figures(count(setting, words, model.quantise(beats), [policy], beats), 0, alpha)


def _figures(counts: PatientCounts, policy: int, alpha: float) -> dict[str, Any]:
    losses = counts.losses()[:, policy]
    return {
        "wake_rate": counts.wake_rate(policy),
        "silent_error_rate": counts.silent_error_rate(policy),
        "patients_within_alpha": float((losses <= alpha).mean()) if len(losses) else None,
        "mean_silent_error_rate_of_patients": float(losses.mean()) if len(losses) else None,
    }


def _screened_by_the_model(
    model: ScreeningModel, setting: Setting, beats: BeatSet
) -> tuple[Sequence[Policy], PatientCounts]:
    if len(np.unique(beats.record)) > 1 and _fitted(model, setting, beats):
        raise ReveilleError(
            "The screening model was fitted to these very patients; leave out --unseen."
        )
    path = plain_path(setting, model.policies[setting.machine, setting.mode])
    words = model.words[setting.machine]
    return path, count(setting, words, model.quantise(beats), path, beats)


def _screened_by_the_others(
    model: ScreeningModel, setting: Setting, beats: BeatSet, progress: Progress
) -> tuple[Sequence[Policy], PatientCounts]:
    fitted = _fitted(model, setting, beats)
    if fitted is None:
        raise ReveilleError(
            "The screening model was not fitted to these patients. Calibrate on those that it was "
            "fitted to, or, if it has seen none of these, say so with --unseen."
        )
    tables, leaning = fitted
    folds = leave_out(beats, tables.choices, progress)
    return draw_path(setting, tables, leaning, beats), cross_fit(setting, leaning, folds)


def _fitted(model: ScreeningModel, setting: Setting, beats: BeatSet) -> tuple[Tables, float] | None:
    """Return the tables of these patients and the leaning, if they make the words of the model."""
    choices = choices_for(model.features)
    tables = fit_tables(beats, choices)
    if not np.array_equal(tables.thresholds, model.thresholds):
        return None
    words = model.words[setting.machine]
    for leaning in choices.leanings:
        if np.array_equal(tables.words(setting.machine, leaning), words):
            return tables, leaning
    return None
