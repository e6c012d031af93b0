"""What a certified policy promises, in words."""

from reveille.host.calibration.guarantees import exceptions_allowed
from reveille.host.choices import Guarantee

THEOREMS = {
    Guarantee.PATIENT: "split conformal prediction over patients (Vovk, Gammerman and Shafer 2005)",
    Guarantee.EXPECTED: "conformal risk control over patients "
    "(Angelopoulos, Bates, Fisch, Lei and Schuster 2024, theorem 1)",
    Guarantee.MEAN: "risk-controlling sets over patients, Hoeffding-Bentkus p-value "
    "(Bates, Angelopoulos, Lei, Malik and Jordan 2021)",
}


def percent(share: float) -> str:
    """Write a probability that a user chose without digits that he did not give."""
    return f"{100 * share:.4g} %"


def promise(guarantee: Guarantee, alpha: float, delta: float) -> str:
    """Return what is promised about patients who were not seen."""
    if guarantee is Guarantee.PATIENT:
        return (
            f"With probability {percent(1 - delta)} or more, a new patient has at most "
            f"{percent(alpha)} of his abnormal beats left asleep."
        )
    if guarantee is Guarantee.EXPECTED:
        return (
            f"The share of abnormal beats left asleep of a new patient is {percent(alpha)} or less "
            "on average over patients and calibrations; delta plays no part."
        )
    return (
        f"With confidence {percent(1 - delta)} or more, the share of abnormal beats left asleep, "
        f"averaged over all patients, is {percent(alpha)} or less."
    )


def assumption(guarantee: Guarantee, unseen: bool) -> str:
    """Return what has to be true for the promise to hold."""
    like = (
        "independent draws from the same population"
        if guarantee is Guarantee.MEAN
        else "exchangeable"
    )
    text = (
        f"Patients with abnormal beats, calibrated and new, are {like}; "
        "the beats of one patient may depend on each other in any way; the array errs no more "
        "than it did here, and beats are found as well as by the annotators."
    )
    if unseen:
        return text
    return (
        text + " Each patient was screened with tables fitted to the others, and tables fitted "
        "to all of them are taken to screen new patients no worse."
    )


def refusal(
    guarantee: Guarantee, patients: int, alpha: float, delta: float, smallest: float | None
) -> str:
    """Say why nothing was certified, and what could be."""
    asked = f"alpha {percent(alpha)} at delta {percent(delta)}"
    if guarantee is Guarantee.EXPECTED:
        asked = f"alpha {percent(alpha)}"
    what = f"No policy that lets the CPU sleep can be certified for {asked}"
    if guarantee is Guarantee.PATIENT and exceptions_allowed(patients, delta) < 0:
        why = (
            f"{patients} patients with abnormal beats allow delta of "
            f"{percent(_up(1 / (patients + 1)))} or more"
        )
    elif smallest is None:
        why = f"{patients} patients with abnormal beats are too few for any alpha"
    else:
        why = (
            f"with these {patients} patients with abnormal beats the smallest alpha is "
            f"{percent(_up(smallest))}"
        )
    return (
        f"{what}: {why}. Ask for less, calibrate on more patients, or let the CPU always wake, "
        "which keeps every promise."
    )


def _up(share: float) -> float:
    """Round up to a hundredth of a per cent."""
    return -(-share * 1e4 // 1) / 1e4
