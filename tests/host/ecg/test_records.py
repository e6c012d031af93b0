import re
from pathlib import Path

import numpy as np
import pytest

from reveille.host.ecg.errors import EcgError
from reveille.host.ecg.records import SAMPLING_HZ, list_records, load_record
from reveille.host.progress import Silent

from .synthetic import BEATS_S, voltage, write_wfdb


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


def test_a_record_is_read_in_millivolts_with_its_beats(tmp_path: Path) -> None:
    record = load_record(write_wfdb(tmp_path))
    assert (record.name, record.lead, record.sampling_hz) == ("s1", "MLII", SAMPLING_HZ)
    np.testing.assert_allclose(record.signal_mv, voltage(360.0), atol=1e-3)
    assert record.beat_samples.tolist() == np.rint(BEATS_S * 360).astype(int).tolist()
    assert not record.beat_classes.any()


def test_the_header_extension_may_be_given(tmp_path: Path) -> None:
    assert load_record(write_wfdb(tmp_path).with_suffix(".hea")).name == "s1"


def test_lead_two_is_found_on_any_channel(tmp_path: Path) -> None:
    notes = Notes()
    record = load_record(write_wfdb(tmp_path, leads=("V5", "MLII")), notes)
    assert (record.lead, notes.notes) == ("MLII", [])
    np.testing.assert_allclose(record.signal_mv, voltage(360.0) / 2, atol=1e-3)


def test_another_ecg_lead_is_taken_with_a_note(tmp_path: Path) -> None:
    notes = Notes()
    record = load_record(write_wfdb(tmp_path, leads=("ABP", "V1")), notes)
    assert record.lead == "V1"
    assert notes.notes == ["Record s1 has no lead II; lead V1 is used instead."]


def test_microvolts_become_millivolts(tmp_path: Path) -> None:
    record = load_record(write_wfdb(tmp_path, unit="uV", scale=1e3))
    np.testing.assert_allclose(record.signal_mv, voltage(360.0), atol=1e-3)


@pytest.mark.parametrize("rate_hz", [128.0, 250.0, 500.0, 1000.0])
def test_other_sampling_rates_are_resampled(tmp_path: Path, rate_hz: float) -> None:
    record = load_record(write_wfdb(tmp_path, rate_hz=rate_hz))
    expected = voltage(360.0)
    assert record.sampling_hz == SAMPLING_HZ
    assert abs(len(record.signal_mv) - len(expected)) <= 3
    length = min(len(record.signal_mv), len(expected))
    error = record.signal_mv[:length] - expected[:length]
    assert np.sqrt((error**2).mean()) < 0.02
    assert np.abs(record.beat_samples - BEATS_S * 360).max() <= 360 / rate_hz / 2 + 1


def _damage_header(path: Path) -> None:
    path.with_suffix(".hea").write_bytes(b"s1 two 360\nnonsense\xff\n")


def _truncate_signal(path: Path) -> None:
    data = path.with_suffix(".dat")
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 3])


def _put_gap(path: Path) -> None:
    data = path.with_suffix(".dat")
    samples = np.frombuffer(data.read_bytes(), dtype="<i2").copy()
    samples[200:210] = -32768
    data.write_bytes(samples.tobytes())


def _annotate_beyond_the_end(path: Path) -> None:
    header = path.with_suffix(".hea")
    lines = header.read_text().splitlines()
    lines[0] = re.sub(r"\d+$", "400", lines[0])
    header.write_text("\n".join(lines) + "\n")
    data = path.with_suffix(".dat")
    data.write_bytes(data.read_bytes()[: 400 * 2 * 2])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.with_suffix(".hea").unlink(), "its header s1.hea is missing"),
        (_damage_header, "s1.hea is damaged"),
        (lambda p: p.with_suffix(".dat").unlink(), "lacks its signal file s1.dat"),
        (_truncate_signal, "signal of record s1 is truncated"),
        (_put_gap, "has a gap at sample 100"),
        (lambda p: p.with_suffix(".atr").unlink(), "s1.atr is missing"),
        (
            lambda p: p.with_suffix(".atr").write_bytes(b"\x01"),
            r"s1.atr (are damaged|hold no beat)",
        ),
        (_annotate_beyond_the_end, "do not fit the record's 400 samples"),
    ],
)
def test_unusable_files_are_named_in_one_sentence(tmp_path: Path, damage, message: str) -> None:
    path = write_wfdb(tmp_path)
    damage(path)
    with pytest.raises(EcgError, match=message) as caught:
        load_record(path)
    assert "\n" not in str(caught.value).strip()


def test_records_without_an_ecg_lead_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EcgError, match="no ECG lead among its signals: ABP, RESP"):
        load_record(write_wfdb(tmp_path, leads=("ABP", "RESP")))


def test_other_units_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EcgError, match="has its ECG in mmhg, not in volts"):
        load_record(write_wfdb(tmp_path, unit="mmHg"))


def test_slow_records_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EcgError, match="100 samples a second; at least 120"):
        load_record(write_wfdb(tmp_path, rate_hz=100.0))


def test_records_without_beats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EcgError, match="hold no beat"):
        load_record(write_wfdb(tmp_path, symbol="+"))


def test_folders_are_listed_in_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.hea").touch()
    assert list_records(tmp_path) == ["a", "b"]


def test_empty_or_missing_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EcgError, match="holds no WFDB record"):
        list_records(tmp_path)
    with pytest.raises(EcgError, match="There is no folder"):
        list_records(tmp_path / "absent")
