"""The command line: `reveille COMMAND`."""

import errno
import sys
from collections.abc import Callable

import typer

from reveille.hdl.errors import ReveilleError
from reveille.host.cli.audit import audit
from reveille.host.cli.board import board
from reveille.host.cli.build import build, flash
from reveille.host.cli.calibrate import calibrate
from reveille.host.cli.conform import conform
from reveille.host.cli.console import messages
from reveille.host.cli.doctor import doctor
from reveille.host.cli.energy import energy
from reveille.host.cli.licences import licences
from reveille.host.cli.live import live
from reveille.host.cli.measure import measure
from reveille.host.cli.optimise import optimise
from reveille.host.cli.patients import patients
from reveille.host.cli.report import report
from reveille.host.cli.run import run
from reveille.host.cli.sweep import sweep
from reveille.host.cli.train import train
from reveille.host.cli.verify import verify

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Uncertainty-triggered wake-up: a memristor Bayesian machine screens heartbeats, "
        "a neural network decides those that it is not sure are normal."
    ),
)
PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Run and report": (
        run,
        report,
        verify,
    ),
    "Boards": (
        board,
        build,
        conform,
        flash,
        live,
        measure,
    ),
    "Operating points": (
        audit,
        calibrate,
        energy,
        optimise,
        sweep,
    ),
    "Models and data": (
        patients,
        train,
    ),
    "This installation": (
        doctor,
        licences,
    ),
}
"""Commands as `reveille --help` groups them."""

for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)

EXIT_MISTAKE = 1

SURROUNDINGS = {
    errno.ENOSPC: "{file} has no space left; free some and give the same command again.",
    errno.EDQUOT: "Your quota is used up at {file}; free some and give the same command again.",
    errno.EACCES: "You may not read or write {file}; change its permissions or name another.",
    errno.EPERM: "You may not read or write {file}; change its permissions or name another.",
    errno.EROFS: "{file} is on a file system that cannot be written to; name another place.",
    errno.ENOTDIR: "{file} leads through a file, not a folder; name another place.",
    errno.EISDIR: "{file} is a folder where a file is needed; name another.",
    errno.EEXIST: "{file} exists already; remove it or name another.",
    errno.ENAMETOOLONG: "{file} is too long a name; choose a shorter one.",
}
"""What to say of failures of the system that no command foresaw and that are no defects."""


def main() -> None:
    """Run the command line; a user's mistake ends in one sentence and a non-zero exit."""
    try:
        app()
    except ReveilleError as error:
        sentence = str(error)
    except OSError as error:
        if error.errno not in SURROUNDINGS:
            raise
        sentence = SURROUNDINGS[error.errno].format(file=error.filename or "The disk")
    else:
        return
    messages.print(f"reveille: {sentence}", style="red", markup=False, soft_wrap=True)
    sys.exit(EXIT_MISTAKE)
