import sys
from pathlib import Path

import pytest
import wfdb

from reveille.host.ecg.aami import DS1, DS2, PACED
from reveille.host.ecg.download import SUFFIXES, download_mitdb
from reveille.host.ecg.errors import EcgError
from reveille.host.progress import Silent

RECORDS = sorted((*DS1, *DS2, *PACED))


class PhysioNet:
    """Stands in for wfdb.dl_files; fails at a record when told to."""

    def __init__(self, fails_at: str = "", error: Exception | None = None):
        self.asked: list[str] = []
        self.fails_at, self.error = fails_at, error

    def __call__(self, db: str, dl_dir: str, files: list[str]) -> None:
        assert db == "mitdb"
        sys.stdout.write("Downloading files...\n")
        for name in files:
            self.asked.append(name)
            record, suffix = name.split(".")
            broken = record == self.fails_at and suffix == "atr"
            (Path(dl_dir) / name).write_bytes(b"" if broken else name.encode())
            if broken and self.error:
                raise self.error


def files_of(records: list[str]) -> set[str]:
    return {record + suffix for record in records for suffix in SUFFIXES}


def test_all_48_records_arrive_without_a_print(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(wfdb, "dl_files", PhysioNet())
    download_mitdb(tmp_path / "new", Silent())
    assert {path.name for path in (tmp_path / "new").iterdir()} == files_of(RECORDS)
    assert len(RECORDS) == 48
    assert capsys.readouterr().out == ""


def test_failure_leaves_whole_records_and_the_next_call_resumes(tmp_path, monkeypatch):
    broken = PhysioNet("105", ConnectionError("no route"))
    monkeypatch.setattr(wfdb, "dl_files", broken)
    with pytest.raises(
        EcgError, match=r"Record 105 .* could not be downloaded .*--data\.$"
    ) as info:
        download_mitdb(tmp_path, Silent())
    assert "\n" not in str(info.value)
    before = RECORDS[: RECORDS.index("105")]
    assert {path.name for path in tmp_path.iterdir()} == files_of(before)

    working = PhysioNet()
    monkeypatch.setattr(wfdb, "dl_files", working)
    download_mitdb(tmp_path, Silent())
    assert set(working.asked) == files_of(RECORDS[len(before) :])
    assert (tmp_path / "105.atr").read_bytes() == b"105.atr"

    monkeypatch.setattr(wfdb, "dl_files", PhysioNet("100", OSError("not to be called")))
    download_mitdb(tmp_path, Silent())


def test_record_that_lost_a_file_is_fetched_again(tmp_path, monkeypatch):
    monkeypatch.setattr(wfdb, "dl_files", PhysioNet())
    download_mitdb(tmp_path, Silent())
    (tmp_path / "200.dat").unlink()
    again = PhysioNet()
    monkeypatch.setattr(wfdb, "dl_files", again)
    download_mitdb(tmp_path, Silent())
    assert set(again.asked) == files_of(["200"])


def test_empty_file_is_not_taken_for_a_record(tmp_path, monkeypatch):
    monkeypatch.setattr(wfdb, "dl_files", PhysioNet("100"))
    with pytest.raises(EcgError, match=r"sent 100\.atr of MIT-BIH empty"):
        download_mitdb(tmp_path, Silent())
    assert not list(tmp_path.iterdir())
