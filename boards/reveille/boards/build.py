"""From a board to its bitstream: plan, identity, tools, timing."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from amaranth.build.run import BuildPlan

from reveille.boards.board import Board, BoardError
from reveille.boards.design import BoardDesign
from reveille.boards.tools import find_tool
from reveille.sim.build_cache import new_build, run_tool

NAME = "top"
REPORT = "report.json"
RECORD = "build.json"
BITSTREAM_SUFFIXES = (".bin", ".bit", ".fs")
STAGES = {"yosys": "synthesising", "nextpnr": "placing and routing"}
"""What the slow tools do, for progress."""

Note = Callable[[str], None]


@dataclass(frozen=True)
class Resource:
    """Use of one kind of FPGA resource."""

    used: int
    available: int


@dataclass(frozen=True)
class Build:
    """A finished build.

    Attributes:
        board: Name of the board.
        design_hash: Hash of the design and of the tools, in hexadecimal; the board's ``hello``
            shows it.
        bitstream: The file to flash.
        fmax_mhz: Clock frequency that the placed and routed design reaches.
        target_mhz: Clock frequency that the board has.
        resources: By the placer's names, those that are used.
        seconds: Time that the tools took.
    """

    board: str
    design_hash: str
    bitstream: Path
    fmax_mhz: float
    target_mhz: float
    resources: dict[str, Resource]
    seconds: float


@dataclass(frozen=True)
class Plan:
    """What would be run: files, commands and the identity of the result."""

    board: Board
    design_hash: str
    files: BuildPlan
    commands: Sequence[Sequence[str]]

    @property
    def target_mhz(self) -> float:
        """Clock frequency of the board."""
        return self.board.clock_hz / 1e6

    def command_lines(self) -> list[list[str]]:
        """Return the commands with each tool at the place where it was found.

        Raises:
            BoardError: A tool is missing.
        """
        return [[str(find_tool(tool).path), *rest] for tool, *rest in self.commands]


def plan_build(board: Board) -> Plan:
    """Elaborate a board's design and write down how it is built.

    The hash covers the design with its constraints, the commands and the versions of the tools; it
    is then built into the design itself.

    Raises:
        BoardError: A tool is missing.
    """
    blank, commands = _prepare(board, design_hash=0)
    identity = hashlib.sha256(blank.digest())
    for command in commands:
        identity.update(find_tool(command[0]).version.encode())
    design_hash = identity.hexdigest()[: BoardDesign.HASH_DIGITS]
    files, commands = _prepare(board, int(design_hash, 16))
    return Plan(board, design_hash, files, commands)


def _prepare(board: Board, design_hash: int) -> tuple[BuildPlan, list[list[str]]]:
    platform = board.platform()
    design = BoardDesign(board, design_hash)
    overrides = dict(board.overrides)
    placer = f"--report {REPORT} --timing-allow-fail {overrides.pop('nextpnr_opts', '')}".strip()
    plan = platform.build(
        design, name=NAME, do_build=False, emit_src=False, nextpnr_opts=placer, **overrides
    )
    commands = json.loads(plan.files[f"build_{NAME}.json"])["commands"]
    return plan, commands


def build(plan: Plan, cache: Path, note: Note) -> Build:
    """Run a plan, unless the cache has its bitstream already.

    Args:
        plan: What to build.
        cache: Folder of finished builds.
        note: Told what happens.

    Raises:
        BoardError: A tool is missing or fails, or the timing is missed.
    """
    finished = cache / plan.board.name / plan.design_hash
    if not finished.is_dir():
        commands = plan.command_lines()
        with new_build(finished) as work:
            plan.files.extract(str(work))
            start = time.monotonic()
            for command, (tool, *_) in zip(commands, plan.commands, strict=True):
                note(f"{STAGES.get(tool.split('-')[0], 'packing')} ({tool})")
                run_tool(command, work)
            _check(plan, work, time.monotonic() - start)
    return read_build(finished)


def read_build(folder: Path) -> Build:
    """Read the record of a finished build."""
    record = json.loads((folder / RECORD).read_text())
    resources = {name: Resource(**use) for name, use in record.pop("resources").items()}
    bitstream = folder / record.pop("bitstream")
    return Build(bitstream=bitstream, resources=resources, **record)


def _check(plan: Plan, work: Path, seconds: float) -> None:
    """Read what the placer reports, refuse a build that is too slow, write the record."""
    report = json.loads((work / REPORT).read_text())
    clocks = report["fmax"].values()
    if not clocks:
        raise BoardError(f"The build for {plan.board.name} has no clock in its timing report.")
    fmax_mhz = min(float(clock["achieved"]) for clock in clocks)
    if fmax_mhz < plan.target_mhz:
        raise BoardError(
            f"The build for {plan.board.name} reaches {fmax_mhz:.1f} MHz, but the board's clock is "
            f"{plan.target_mhz:g} MHz; choose smaller parameters or another board."
        )
    (bitstream,) = [path for path in work.iterdir() if path.suffix in BITSTREAM_SUFFIXES]
    resources = {
        name: Resource(use["used"], use["available"])
        for name, use in report["utilization"].items()
        if use["used"]
    }
    record = {
        "board": plan.board.name,
        "design_hash": plan.design_hash,
        "bitstream": bitstream.name,
        "fmax_mhz": round(fmax_mhz, 2),
        "target_mhz": plan.target_mhz,
        "resources": {name: asdict(use) for name, use in resources.items()},
        "seconds": round(seconds, 1),
    }
    (work / RECORD).write_text(json.dumps(record, indent=2) + "\n")
