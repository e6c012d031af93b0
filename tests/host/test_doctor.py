"""`reveille doctor` finds what is there, misses what is not, and says how to get it."""

import json
import os
from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from reveille.host import doctor
from reveille.host.doctor import Section
from reveille.sim.toolchain import ToolStatus


@pytest.fixture
def examined(reveille, tmp_path, monkeypatch):
    """Call the command; returns its exit status and its findings by name."""
    monkeypatch.setenv("REVEILLE_CACHE", str(tmp_path / "cache"))

    def call():
        status, out, err = reveille("doctor", "--json")
        assert err == ""
        content = json.loads(out)
        assert content["ready"] == (status == 0)
        return status, {finding["name"]: finding for finding in content["findings"]}

    return call


def test_what_is_there_is_found(examined, tmp_path):
    records = tmp_path / "cache" / "mitdb"
    records.mkdir(parents=True)
    (records / "100.hea").write_bytes(b"x" * 3_000_000)
    status, found = examined()
    assert status == 0
    assert {finding["section"] for finding in found.values()} == set(Section)
    for name in ("reveille", "Python", "torch", "amaranth", "verilator", "g++", "make"):
        assert found[name]["state"], name
    assert found["MIT-BIH"]["state"] == "1 records"
    assert found["mitdb"]["state"] == found["all"]["state"] == "3 MB"
    assert "vectors of" in found["processor"]["state"]
    for finding in found.values():
        assert finding["needed_for"]
        assert finding["state"] or finding["remedy"]


def test_required_is_what_a_run_needs(examined):
    _, found = examined()
    required = {name for name, finding in found.items() if finding["required"]}
    assert required == doctor.REQUIRED  # a name that no finding has would never be missed


@pytest.mark.parametrize(
    ("name", "status"), [("g++", 1), ("torch", 1), ("nicegui", 0), ("ziglang", 0)]
)
def test_what_is_missing_decides_only_where_a_run_needs_it(examined, monkeypatch, name, status):
    missing = ToolStatus(name, None, None, "something", "get it")
    others = [tool for tool in doctor.tools() if tool.name != name]
    monkeypatch.setattr(doctor, "tools", lambda: [missing, *others])
    ended, found = examined()
    assert ended == status
    assert found[name]["state"] is None


def test_a_full_disk_is_no_place_for_runs(examined, monkeypatch):
    full = type("Usage", (), {"free": 12_000_000})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: full)
    status, found = examined()
    assert status == 1
    assert found["space"]["remedy"] == "only 12 MB are free of the 500 MB that a first day takes"


def test_ports_and_who_may_open_them(examined, monkeypatch):
    monkeypatch.setattr(doctor.list_ports, "comports", list)
    assert examined()[1]["serial port"]["state"] is None
    ports = [ListPortInfo("/dev/ttyUSB0"), ListPortInfo("/dev/ttyUSB1")]
    monkeypatch.setattr(doctor.list_ports, "comports", lambda: ports)
    access = os.access
    monkeypatch.setattr(
        doctor.os,
        "access",
        lambda path, mode: path == Path("/dev/ttyUSB0") or access(path, mode),
    )
    status, found = examined()
    assert status == 0
    assert found["/dev/ttyUSB0"]["state"] == "you may open it"
    assert found["/dev/ttyUSB1"]["state"] is None
    assert "usermod -aG dialout" in found["/dev/ttyUSB1"]["remedy"]


def test_no_compiler_is_a_finding_and_no_failure(examined, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    doctor.widest_vector_bytes.cache_clear()
    status, found = examined()
    doctor.widest_vector_bytes.cache_clear()
    assert status == 1
    assert found["g++"]["state"] is None
    assert found["processor"]["state"].endswith("vectors of unknown width without g++")


def test_people_get_a_table_and_a_verdict(reveille, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(
        doctor, "tool_states", lambda: [ToolStatus("x", None, None, "y", "pip install 'z[live]'")]
    )
    status, out, _ = reveille("doctor")
    assert status == 0
    assert "missing: pip install 'z[live]'" in out
    assert all(section in out for section in Section)
    assert "Ready: `reveille run` works." in out
