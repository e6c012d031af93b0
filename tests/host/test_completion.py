"""What the shell offers for a word, as its completion script asks for it."""

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from reveille.hdl.parameters import Machine
from reveille.host import back_ends
from reveille.host.cli import app, completion
from reveille.host.ecg import features
from reveille.host.sweeps.presets import Preset
from reveille.sim.devices.model import DEVICE_MODELS
from reveille.sim.energy import EnergyCard


def offered(line: str) -> list[str]:
    """Return what bash would offer for the last word of a line."""
    words = line.split(" ")
    asked = {
        "COMP_WORDS": line.strip(),
        "COMP_CWORD": str(len(words) - 1),
        "_REVEILLE_COMPLETE": "complete_bash",
    }
    answer = CliRunner().invoke(app, [], env=asked, prog_name="reveille")
    return answer.output.split()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("reveille mea", {"measure"}),
        ("reveille run --machine ", {*Machine}),
        ("reveille run --mode ", {"full", "race"}),
        ("reveille run --front-end t", {"twin"}),
        ("reveille run --back-end ", {"torch", "int8", "firmware"}),
        ("reveille run --energy-card sg13", {"sg13g2", "sg13g2_mac"}),
        ("reveille sweep ", {*Preset}),
        ("reveille sweep supply --family hf", {"hfox", "hfox_weak_reset"}),
        ("reveille build --board ul", {"ulx3s-25f", "ulx3s-85f"}),
        ("reveille measure --port v", {"virtual"}),
        ("reveille train --features ", {"standard"}),
        ("reveille run --energy-card ./", set()),  # then the shell offers files
    ],
)
def test_names_are_offered(line, names):
    assert names <= set(offered(line))
    word = line.rsplit(" ", 1)[-1]
    assert all(name.startswith(word) for name in offered(line))


def test_ports_are_offered(monkeypatch):
    from serial.tools.list_ports_common import ListPortInfo

    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [ListPortInfo("/dev/ttyUSB1")])
    assert offered("reveille live --port /dev/ttyU") == ["/dev/ttyUSB1"]


def test_what_is_offered_is_known():
    """The offers are listed without loading what has them; they must be the same."""
    assert set(completion.back_ends()) == {
        *back_ends.BACK_ENDS.reserved,
        *back_ends.BACK_ENDS.names(),
    }
    assert set(completion.feature_sets()) == {
        *features.FEATURE_SETS.reserved,
        *features.FEATURE_SETS.names(),
    }
    assert set(completion.device_models()) >= set(DEVICE_MODELS.names())
    for name in completion.energy_cards():
        assert EnergyCard.load(name).name == name


def test_completion_loads_no_network():
    """A shell waits for each answer."""
    names = ("boards", "ports", "energy_cards", "device_models", "front_ends", "back_ends")
    calls = "; ".join(f"completion.{name}()" for name in (*names, "feature_sets"))
    script = f"import sys; from reveille.host.cli import completion; {calls}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert not re.search(r"\b(torch|wfdb|matplotlib)\b", loaded)


def test_each_shell_has_its_script():
    for shell in ("bash", "zsh", "fish"):
        asked = {"_REVEILLE_COMPLETE": f"source_{shell}"}
        answer = CliRunner().invoke(app, [], env=asked, prog_name="reveille")
        assert "_REVEILLE_COMPLETE" in answer.output
