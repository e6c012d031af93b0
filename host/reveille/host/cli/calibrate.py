"""`reveille calibrate`."""

import json
from pathlib import Path
from typing import Annotated, Any

from rich import box
from rich.table import Table
from typer import Option

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, Mode
from reveille.host.choices import Guarantee, ModeName, Split
from reveille.host.cli.console import TerminalProgress, output
from reveille.host.cli.options import DataFolder, Download, ModelFolder, Quiet


def calibrate(
    alpha: Annotated[float, Option(help="Share of abnormal beats that may stay asleep.")] = 0.05,
    delta: Annotated[float, Option(help="Probability that the promise fails.")] = 0.1,
    guarantee: Annotated[
        Guarantee,
        Option(
            help="patient: holds for a new patient with probability 1 - delta. expected: holds for "
            "the mean over new patients. mean: that mean, with confidence 1 - delta."
        ),
    ] = Guarantee.PATIENT,
    data: DataFolder = None,
    download: Download = False,
    split: Annotated[Split, Option(help="Calibration patients.")] = Split.DS1,
    unseen: Annotated[
        bool, Option("--unseen", help="The model was fitted to none of these patients.")
    ] = False,
    machine: Annotated[Machine, Option(help="Kind of Bayesian machine.")] = Machine.STOCHASTIC,
    mode: Annotated[ModeName, Option(help="When an inference stops.")] = ModeName.FULL,
    models: ModelFolder = None,
    out: Annotated[Path | None, Option(help="File for the policy.")] = None,
    as_json: Annotated[bool, Option("--json", help="Print the policy file alone.")] = False,
    quiet: Quiet = False,
) -> None:
    """Choose an operating point that keeps a promise about silent errors of new patients.

    Budget, margin threshold and normal mask are chosen on the calibration patients alone, each
    screened with tables of the others. `reveille run --policy FILE` uses the result.

    Examples:
      reveille calibrate --data mitdb --alpha 0.05 --delta 0.1 --out policy.json
      reveille calibrate --data my-patients --split all --unseen
    """
    from reveille.host.calibration.calibrate import Request, measure
    from reveille.host.calibration.calibrate import calibrate as certify
    from reveille.host.calibration.policy_file import PolicyFile
    from reveille.host.dataset import choose_dataset
    from reveille.host.models import load_screening, screening_checksum

    if data is None and not download:
        raise ReveilleError(
            "Calibration takes real patients: give --data FOLDER or --download. Digital patients "
            "are modelled on the patients that the tables were fitted to, and say nothing about "
            "new ones."
        )
    progress = TerminalProgress(quiet or as_json)
    patients = choose_dataset(data, download, split, 0, progress)
    model = load_screening(models)
    beats = patients.beats(progress, model.features)
    request = Request((machine, Mode[mode.name]), alpha, delta, guarantee, unseen)
    found = certify(model, beats, request, progress)
    if not found.sleeps:
        raise ReveilleError(found.refusal)
    measured: dict[str, Any] = {"measured_on": None}
    if split is Split.DS1:
        unseen_patients = choose_dataset(patients.folder, False, Split.DS2, 0, progress)
        others = unseen_patients.beats(progress, model.features)
        measured = {
            "measured_on": Split.DS2.value,
            **measure(model, request.operation, found.policy, others, alpha),
            "fitted_policy": measure(
                model, request.operation, model.policies[request.operation], others, alpha
            ),
        }
    policy = PolicyFile(
        machine, found.policy, screening_checksum(models), found.certificate | measured
    )
    if out is not None:
        policy.save(out)
    if as_json:
        output.file.write(json.dumps(policy.as_json(), indent=2) + "\n")
        return
    output.print(_table(policy.as_json()))
    for sentence in ("promise", "assumption"):
        output.print(f"{sentence.capitalize()}: {policy.certificate[sentence]}", markup=False)
    output.print(f"Theorem: {policy.certificate['theorem']}.")
    output.print(f"Policy: {out}" if out else "Keep it with --out FILE.")


def _table(content: dict[str, Any]) -> Table:
    """Show the policy, and its price beside that of the fitted one."""
    policy, calibration = content["policy"], content["calibration"]
    table = Table(
        title=f"{policy['machine']} machine, {policy['mode']} mode: budget {policy['budget']}, "
        f"threshold {policy['threshold']}, normal rows {policy['normal_rows']}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    columns = {f"{len(calibration['patients'])} calibrated": calibration}
    if content["measured_on"]:
        columns |= {
            content["measured_on"]: content,
            f"{content['measured_on']}, not calibrated": content["fitted_policy"],
        }
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for label, name in (
        ("wake-up rate", "wake_rate"),
        ("silent errors", "silent_error_rate"),
        ("mean of patients' rates", "mean_silent_error_rate_of_patients"),
        (f"patients within {100 * content['alpha']:.4g} %", "patients_within_alpha"),
    ):
        values = [column[name] for column in columns.values()]
        table.add_row(label, *("–" if v is None else f"{100 * v:.1f} %" for v in values))
    return table
