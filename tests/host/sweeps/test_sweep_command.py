"""`reveille sweep` as a user meets it."""

import json
import re

import numpy as np
import pyarrow.parquet as pq
import pytest
import wfdb

from reveille.host.sweeps import experiment
from reveille.host.sweeps.energy import NAMES

CONTRACT = {"machine", "mode", "ber_static", "ber_read", "supply_v", "margin", "budget"}
CONTRACT |= {"threshold", "array", "seed", "macro_f1_nsv_cascade", "macro_f1_nsv_front_end"}
CONTRACT |= {"wake_rate", "silent_sv", "silent_all", *NAMES}


SMALL = ("--limit", 300, "--arrays", 2, "--networks", "0,2", "--processes", 1, "-q")


def electrode_motion(folder):
    """Synthetic: steps that decay over a second, as a moved electrode gives."""
    rng = np.random.default_rng(0)
    steps = rng.standard_normal(60 * 360) * (rng.random(60 * 360) < 3 / 360)
    noise = np.convolve(steps, np.exp(-np.arange(1080) / 360))[: len(steps)]
    wfdb.wrsamp(
        "em",
        fs=360,
        units=["mV"],
        sig_name=["noise1"],
        p_signal=noise[:, None],
        fmt=["16"],
        write_dir=str(folder),
    )
    return folder / "em"


def test_sweep_writes_table_report_and_figures(reveille, tmp_path):
    status, out, err = reveille("sweep", "margin", *SMALL, "--json", "--out", tmp_path / "s")
    assert status == 0, err
    said = json.loads(out)
    assert said == {"run": str(tmp_path / "s"), "table": str(tmp_path / "s" / "table.parquet")}
    table = pq.read_table(said["table"])
    assert set(table.column_names) >= CONTRACT
    manifest = json.loads((tmp_path / "s" / "sweep.json").read_text())
    assert len(table) == manifest["points"]["count"] * 2 * 2  # arrays, networks
    assert set(table["seed"].to_pylist()) == {0, 2}
    assert set(table["machine"].to_pylist()) == {"stochastic", "logarithmic"}
    assert set(table["mode"].to_pylist()) == {"full", "race"}
    page = (tmp_path / "s" / "report.html").read_text()
    assert page.count("<svg") == 4
    assert "front end: simulated, monitoring: assumed" in page
    assert page.count(" µJ (") == manifest["points"]["count"]
    assert not re.search(r"""(src|href)=["'](?!#|data:)|url\((?!#)|@import""", page)
    assert page.count("<figcaption>") == page.count("n = 2 arrays × 2 networks") == 4
    kept = {p.stem: p.read_text().splitlines() for p in (tmp_path / "s" / "tables").iterdir()}
    assert set(kept) == {"figures", "items", "configuration", "energy_card"}
    assert len(kept["figures"]) == 1 + manifest["points"]["count"]
    assert len(kept["items"]) == 1 + len(table)
    drawn = {path.name for path in (tmp_path / "s" / "figures").iterdir()}
    assert drawn == {"plain.svg", "guarded.svg", "plain-energy.svg", "guarded-energy.svg"}
    again = (tmp_path / "again.html", tmp_path / "figures")
    status, _, err = reveille("report", tmp_path / "s", "--out", again[0], "--figures", again[1])
    assert status == 0, err
    assert again[0].read_text().replace("again-tables", "tables") == page
    assert {path.name for path in again[1].iterdir()} == drawn


def test_noise_wakes_and_an_interrupted_sweep_goes_on(reveille, tmp_path, monkeypatch):
    command = ("sweep", "noise", *SMALL, "--noise", electrode_motion(tmp_path))
    status, _, err = reveille(*command, "--out", tmp_path / "whole")
    assert status == 0, err
    original = experiment.Evaluation.__call__
    calls = []

    def interrupted(self, items):
        calls.append(items)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(self, items)

    monkeypatch.setattr(experiment.Evaluation, "__call__", interrupted)
    status, out, err = reveille(*command, "--out", tmp_path / "s")
    assert status == 130
    assert out == ""
    assert "The same command goes on" in " ".join(err.split())
    assert len(list((tmp_path / "s" / "parts").iterdir())) == 2
    status, _, err = reveille(*command, "--out", tmp_path / "s")
    assert status == 0, err
    tables = [(tmp_path / name / "table.parquet").read_bytes() for name in ("s", "whole")]
    assert tables[0] == tables[1]
    page = (tmp_path / "s" / "report.html").read_text()
    assert ">clean</td>" in page
    _check_that_noise_wakes(pq.read_table(tmp_path / "s" / "table.parquet").to_pylist())


def _check_that_noise_wakes(rows):
    for machine in ("stochastic", "logarithmic"):
        rate = {
            row["snr_db"]: row["wake_rate"]
            for row in rows
            if (row["machine"], row["mode"]) == (machine, "full")
        }
        assert rate[0.0] > rate[12.0] > rate[float("inf")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sweep", "noise", "--limit", "50"], "and no other, takes --noise"),
        (["sweep", "bits", "--noise", "em", "--limit", "50"], "and no other, takes --noise"),
        (["sweep", "noise", "--noise", "nowhere/em"], "header em.hea is missing"),
        (["sweep", "bits", "--networks", "a,b"], "give training seeds such as 0,1,2"),
        (["sweep", "bits", "--networks", "77"], "no network trained with seed 77"),
        (["sweep", "bits", "--energy-card", "tin"], "There is no energy card tin"),
        (["sweep", "supply", "--family", "tin"], "There is no device family tin"),
        (["sweep", "bits", "--scheduler", "x", "--processes", "2"], "has its own workers"),
        (["sweep", "bits", "--out", "{other}", "--limit", "50"], "holds another sweep"),
    ],
)
def test_a_mistake_ends_in_one_sentence(reveille, tmp_path, monkeypatch, arguments, sentence):
    other = tmp_path / "other"
    other.mkdir()
    (other / "sweep.json").write_text('{"preset": "none"}')
    monkeypatch.chdir(tmp_path)
    status, out, err = reveille(*(a.format(other=other) for a in arguments))
    assert status == 1
    assert out == ""
    message = " ".join(err.split())
    assert sentence in message
    assert "Traceback" not in message
    assert message.endswith(".")
    assert not (tmp_path / "runs").exists()
