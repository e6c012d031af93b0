"""The command line as a user meets it: results on standard output, mistakes in one sentence."""

import json
import re

import pyarrow.parquet as pq
import pytest

from reveille.host import results
from reveille.host.summary import summarise


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return tmp_path_factory.mktemp("runs") / "small"


def test_run_report_and_json_agree(reveille, finished):
    """One small run on digital patients, then everything that reads it."""
    status, out, err = reveille("run", "--limit", 600, "--json", "--out", finished)
    assert status == 0, err
    summary = json.loads(out)
    assert summary == json.loads((finished / results.SUMMARY).read_text())
    assert summary["beats"] == 600
    assert summary["equals_twin"] is True
    assert summary["front_end"]["embodiment"] == "rtl"
    assert summary["counters"]["INFERENCES"] == 600
    assert set(summary["wake_rate_by_cause"]) == {"ABNORMAL", "AMBIGUOUS", "INVALID", "AUDIT"}
    woken = round(summary["wake_rate"] * 600)
    assert summary["counters"]["DECISIONS"] == woken > 0

    energies = summary["energy_per_beat_nj"]
    assert set(energies) == {"cpu_always_on", "cascade", "front_end_alone"}
    for energy in energies.values():
        assert energy["low"] < energy["total"] < energy["high"]
    assert energies["cascade"]["wake_service"] == pytest.approx(
        summary["wake_rate"] * energies["cpu_always_on"]["wake_service"]
    )

    recomputed = summarise(pq.read_table(finished / results.TABLE))
    assert {key: summary[key] for key in recomputed} == recomputed

    figures = finished.parent / "figures"
    status, out, err = reveille("report", finished, "--figures", figures)
    assert status == 0, err
    page = (finished / results.REPORT).read_text()
    assert f"{100 * summary['wake_rate']:.1f} %" in page
    assert not re.search(r"""(src|href)=["'](?!#|data:)|url\((?!#)|@import""", page)
    assert "Energy per beat" in page
    assert {path.name for path in figures.iterdir()} >= {"strip.svg", "energy.svg"}


def test_the_twin_gives_the_same_figures(reveille, finished, tmp_path):
    status, out, err = reveille(
        "run", "--limit", 600, "--front-end", "twin", "--json", "-q", "--out", tmp_path / "twin"
    )
    assert status == 0, err
    twin, rtl = json.loads(out), json.loads((finished / results.SUMMARY).read_text())
    for key in ("wake_rate_by_cause", "silent_errors_by_class", "cascade", "front_end_alone"):
        assert twin[key] == rtl[key]


def test_verify_compares_both_machines(reveille):
    status, out, err = reveille("verify", "--limit", 300)
    assert status == 0, err
    assert out.count("equal") == 3


def test_a_calibrated_policy_runs(reveille, mitdb, tmp_path):
    policy = tmp_path / "policy.json"
    chosen = ("--machine", "logarithmic", "--alpha", 0.1)
    status, out, err = reveille("calibrate", "--data", mitdb, *chosen, "--out", policy, "--json")
    assert status == 0, err
    content = json.loads(out)
    assert content == json.loads(policy.read_text())
    assert {"policy", "alpha", "delta", "assumption", "guarantee"} <= set(content)
    assert content["measured_on"] == "DS2"
    assert content["fitted_policy"]["wake_rate"] < content["wake_rate"] < 0.5
    assert content["silent_error_rate"] < content["fitted_policy"]["silent_error_rate"]

    where = ("--limit", 300, "--front-end", "twin", "--out", tmp_path / "run")
    status, out, err = reveille("run", "--policy", policy, *where, "--json", "-q")
    assert status == 0, err
    front_end = json.loads(out)["front_end"]
    assert front_end["machine"] == "logarithmic"
    assert front_end["policy"]["threshold"] == content["policy"]["threshold"]


def test_audits_are_estimated_and_watched(reveille, tmp_path):
    run = tmp_path / "audited"
    small = ("--limit", 2000, "--front-end", "twin", "-q", "--out", run)
    status, out, err = reveille("run", "--audit-rate", 0.2, *small)
    assert status == 0, err
    assert "by audits" in out
    assert "What the audits say" in (run / results.REPORT).read_text()
    status, out, err = reveille("audit", run, "--baseline", 0.3, "--json")
    assert status == 0, err
    found = json.loads(out)
    assert found["audits"] == json.loads((run / results.SUMMARY).read_text())["audits"]
    assert found["audits"]["audits"] > found["audits"]["counted"] > 10
    assert found["alarm"]["watched_audits"] == found["audits"]["counted"]
    status, out, _ = reveille("audit", run, "--commission", 5)
    assert status == 0
    assert "baseline of" in out
    status, _, err = reveille("audit", run, "--commission", 5000)
    assert status == 1
    assert "raise --audit-rate" in " ".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "--data", "nowhere"], "There is no folder nowhere"),
        (["run", "--data", "{empty}"], "holds no WFDB record"),
        (["run", "--seed", "99"], "no network trained with seed 99"),
        (["run", "--out", "{empty}", "--limit", "10"], "exists already"),
        (["run", "--waves", "x.vcd"], "--front-end cocotb only"),
        (["run", "--machine", "logarithmic", "--mode", "race"], "no race mode"),
        (["run", "--budget", "0", "--limit", "10"], "takes 1 to 255"),
        (["run", "--audit-rate", "2", "--limit", "10"], "audit_rate is 2.0"),
        (["run", "--data", "{empty}", "--download"], "exclude each other"),
        (["run", "--energy-card", "gold", "--limit", "10"], "There is no energy card gold"),
        (["run", "--gated", "machine,cpu"], "no power domain cpu; name some of machine, array"),
        (["calibrate"], "Calibration takes real patients"),
        (["calibrate", "--data", "{empty}"], "holds no WFDB record"),
        (["run", "--policy", "none.json", "--limit", "10"], "There is no policy none.json"),
        (["run", "--front-end", "none", "--limit", "10"], "no front end 'none'; there are rtl"),
        (["run", "--back-end", "none", "--limit", "10"], "no back end 'none'; there are torch"),
        (["conform"], "Give either --port or --plugin"),
        (["conform", "--plugin", "mine"], "give KIND:NAME with one of the kinds back-end"),
        (["audit", "{empty}"], "is not a run directory"),
        (["report", "{empty}"], "is not a run directory"),
        (["report", "nowhere"], "is not a run directory"),
    ],
)
def test_a_mistake_ends_in_one_sentence(reveille, tmp_path, monkeypatch, arguments, sentence):
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(tmp_path)
    status, out, err = reveille(*(a.format(empty=empty) for a in arguments))
    assert status == 1
    assert out == ""
    message = " ".join(err.split())
    assert sentence in message
    assert "Traceback" not in message
    assert message.endswith(".")
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_an_unknown_option_is_a_usage_error(reveille):
    status, _, err = reveille("run", "--voltage", "3")
    assert status == 2
    assert "--voltage" in err
