"""What a person needs to cite Reveille and to pass it on."""

import json
import sys
import tomllib
from pathlib import Path

import pytest

from reveille.host.cli import main
from reveille.host.licences import UNTOLD, licences, notice

yaml = pytest.importorskip("yaml", reason="PyYAML, which other packages bring, is missing")

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["message"]
    assert citation["authors"]


def test_all_that_is_required_has_a_licence():
    found = {licence.name.lower().replace("_", "-"): licence for licence in licences()}
    required = {line.split(">=")[0] for line in PROJECT["dependencies"]}
    assert required <= found.keys()
    assert found["reveille"].licence == "Apache-2.0"
    assert found["contourpy"].extras == ()  # of matplotlib
    for name in required:
        assert found[name].extras == ()
        assert found[name].version
        assert found[name].licence not in (None, "", UNTOLD), name
    assert "boards" in found["amaranth-boards"].extras


def test_the_notice_names_the_data():
    assert notice() == (ROOT / "NOTICE").read_text()


def test_the_command_prints_both(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["reveille", "licences", "--json"])
    with pytest.raises(SystemExit):
        main()
    content = json.loads(capsys.readouterr().out)
    assert {"name", "version", "licence", "extras"} == set(content["packages"][0])
    assert "Open Data Commons" in content["notice"]
