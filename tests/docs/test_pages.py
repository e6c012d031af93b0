"""Every command of the documentation is typed, but for those whose reason stands here.

They are read out of the pages, so one that is added is typed too. The pages share a working folder
and are typed in their order; a command that several pages have is typed once. README and tutorials
have tests of their own, and so have the mistakes of docs/troubleshooting.md.
"""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import pytest
import wfdb

from .commands import COMMANDS, DOCS, README, ROOT, Documented, documented, pages, title
from .workshop import Workshop, smaller

pytestmark = pytest.mark.slow

NOT_TYPED = {
    "/dev/ttyUSB": "needs a board",
    "--download": "needs the network",
    "pip install reveille[": "needs a package index; make setup installs the same",
    "pip install .[examples]": "needs a package index; make setup installs the same",
    "make setup": ".ci/run begins with it",
    "make run": ".ci/run types it",
    "make bench": "takes ten minutes; its two scripts are typed",
    "pytest tests/": "make test, which .ci/run types, has them; make test-all the slow ones",
    "pytest -m slow tests/host/": "slow ones; make test-all has them",
    "pytest -m slow tests/docs ": "this very test is among them; .ci/run types them",
    "reveille --install-completion": "writes into the start-up file of one's shell",
    "--port socket://": "each board that is started is asked for beats",
    "sweep PRESET": "test_readme.py types it",
    "--lef": "places a netlist, for minutes; tests/host/test_gate_energy.py does",
    "osu018": "needs the library of qflow",
    "dask ": "test_a_cluster_sweeps types it",
    "--scheduler": "test_a_cluster_sweeps types it",
}
"""What is part of a command, and why one with it is not typed here."""

CORE = (
    "reveille energy --part core --variant full-cfu --liberty FILE --memory FILE --card core.toml"
)
SIMPLE = "reveille train --features simple --data FOLDER --out simple"
RUNS = "runs/full runs/race runs/logarithmic"

MEANT = {
    "reveille audit runs/audited --commission 500": "reveille audit runs/audited --commission 2",
    "reveille build --board NAME": "reveille build --board icebreaker",
    "reveille flash --board NAME": "reveille flash --board icebreaker --dry-run",
    "reveille flash --board icebreaker": "reveille flash --board icebreaker --dry-run",
    "reveille flash --no-flash": "reveille flash --board icebreaker --no-flash",
    "reveille measure --json": "reveille measure --port virtual --json",
    "reveille conform --port": "reveille conform --port virtual",
    "reveille sweep --family NAME": "reveille sweep margin --family bell --out runs/bell",
    "reveille sweep bit-errors --limit 500 --arrays 3": "reveille sweep bit-errors --out runs/few",
    "reveille report FOLDER": "reveille report runs/sweep-bit-errors",
    "reveille report RUN": "reveille report runs/full",
    "reveille report RUN RUN": "reveille report runs/full runs/race",
    "reveille audit RUN": "reveille audit runs/audited",
    "reveille optimise --family NAME": "reveille optimise --family bell",
    "reveille run --front-end NAME": "reveille run --front-end nearest",
    "reveille run --back-end NAME": "reveille run --back-end rules",
    "reveille measure --power-meter NAME:ADDRESS": (
        "reveille measure --port virtual --power-meter steady:0.25"
    ),
    "reveille conform --plugin KIND:NAME": "reveille conform --plugin device-model:bell",
    "reveille conform --plugin power-meter:NAME:ADDRESS": (
        "reveille conform --plugin power-meter:steady:0.25"
    ),
    "reveille conform --plugin front-end:mine --only causes --json": (
        "reveille conform --plugin front-end:nearest --only causes --json"
    ),
    "reveille patients --out FOLDER --split DS2 --minutes 5 --seed 0": (
        "reveille patients --out patients --split DS2 --minutes 0.5 --seed 0"
    ),
    "reveille energy --part core": CORE,
    "reveille energy --part core --liberty FILE --memory FILE --card core.toml": CORE,
    "python benchmarks/electrode_motion.py": "python benchmarks/electrode_motion.py --out noise",
    "python benchmarks/device_model.py --constants NAME": (
        "python benchmarks/device_model.py --constants hfox"
    ),
    "python benchmarks/firmware.py": "python benchmarks/firmware.py --data FOLDER",
    "python benchmarks/memories.py --liberty FILE": (
        "python benchmarks/memories.py --liberty RM_IHPSG13_1P_256x32_c2_bm_bist.lib"
    ),
    "python benchmarks/fpga.py": "python benchmarks/fpga.py --board icebreaker",
}
"""What is typed for a command that a page only names, or that wants something of one's own."""

STANDS_FOR = (
    (r"FOLDER_OF_MITDB", "FOLDER"),
    (r"^reveille train --features .*", SIMPLE),
    (r"^reveille train --data .*", "reveille train --data FOLDER --seed 0 --out models"),
    (r"^reveille calibrate --data FOLDER", "reveille calibrate --data mitdb"),
    (r"--alpha A --machine M --mode M", "--alpha 0.1 --machine logarithmic --mode full"),
    (r"^reveille report A B C", f"reveille report {RUNS}"),
    (r"--table FILE\.toml", "--table breast_cancer.toml"),
    (r"--figure \S+", "--figure figure.svg"),
    (r"--figures \S+", "--figures figures"),
    (r"--screenshot \S+", "--screenshot live.png"),
    (r"--liberty --data", "--data"),  # two of them, and dots
    (r"--liberty FILE", "--liberty sg13g2_stdcell_typ_1p20V_25C.lib"),
    (r"--memory FILE", "--memory RM_IHPSG13_1P_256x32_c2_bm_bist.lib"),
    (r"^pip install", "python -m pip install"),
    (r"pip install \.", "pip install --quiet --no-deps --no-build-isolation --target packages ."),
)
"""What stands in the place of what a page writes for something of one's own, in any command."""

BEFOREHAND = (
    "reveille measure --port virtual --out runs/board",
    "reveille run --front-end twin --out runs/full",
    "reveille run --front-end twin --mode race --out runs/race",
    "reveille run --front-end twin --machine logarithmic --out runs/logarithmic",
    "python examples/tables/breast_cancer.py",
    "pip install ./examples/reveille_plugins",
)
"""What the pages take for granted, or come to only later."""

ONE_FOR_ALL = {"reveille energy --part core": CORE}
"""Commands that begin so take minutes; one of them is typed, with what the others have."""


def to_type() -> Iterator[tuple[str, str]]:
    """Yield where each command stands, and what is typed for it; the first page that has it."""
    typed: set[str] = set()
    for page in pages():
        if page == README or page.parent == DOCS / "tutorials":
            continue
        for found in documented(page.read_text()):
            if not named_alone(found) and not_typed(found) is None:
                command = meant(str(found))
                if command not in typed:
                    typed.add(command)
                    yield f"{title(page)}:{found.line}", command


def named_alone(found: Documented) -> bool:
    """Tell whether running text names a command, no more; test_readme.py types each command."""
    return not found.whole and found.words[0] == "reveille" and found.words[1:] in NAMES


NAMES = {(name,) for name in COMMANDS}


def not_typed(found: Documented) -> str | None:
    """Return why a command is not typed, if it is not."""
    return next((why for part, why in NOT_TYPED.items() if part in f"{found} "), None)


def meant(command: str) -> str:
    """Return what is typed for a command, without its limits."""
    command = MEANT.get(command, command)
    for beginning, one in ONE_FOR_ALL.items():
        command = one if command.startswith(beginning) else command
    for pattern, replacement in STANDS_FOR:
        command = re.sub(pattern, replacement, command)
    return command


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Workshop:
    """Has what the pages take for granted: records, a run on a board, an energy card, logs."""
    made = Workshop(tmp_path_factory.mktemp("pages"))
    for data, lay in (("mitdb", lay_records), ("sg13g2", lay_libraries)):
        with suppress(pytest.skip.Exception):
            lay(request.getfixturevalue(data), made.folder)
    if not (made.folder / "FOLDER").exists():
        made.type(["reveille", "patients", "--out", "FOLDER", "--minutes", "0.5"])
    cards = files("reveille.sim.energy") / "cards"
    (made.folder / "mine.toml").write_text((cards / "sg13g2.toml").read_text())
    (made.folder / "observations.csv").write_text(
        "rr_128,rr_least,form,area,p_match,truth\n" + "3,3,0,1,2,N\n0,1,6,7,5,V\n" * 20
    )
    (made.folder / "power.csv").write_text(
        "time_s,power_w\n" + "".join(f"{n / 500},0.25\n" for n in range(30_000))
    )
    for command in BEFOREHAND:
        made.type(smaller(meant(command).split()))
    return made


def lay_records(mitdb: Path, folder: Path) -> None:
    """Put MIT-BIH into a folder, and beside it the first minutes of each record."""
    (folder / "mitdb").symlink_to(mitdb, target_is_directory=True)
    (folder / "FOLDER").mkdir()
    for header in mitdb.glob("*.hea"):
        record, end = str(header.with_suffix("")), 4 * 60 * 360
        wfdb.rdrecord(record, sampto=end, physical=False).wrsamp(write_dir=str(folder / "FOLDER"))
        wfdb.rdann(record, "atr", sampto=end).wrann(write_dir=str(folder / "FOLDER"))


def lay_libraries(sg13g2: Path, folder: Path) -> None:
    """Put Liberty files into a folder, as the pages have them."""
    for file in sg13g2.iterdir():
        (folder / file.name).symlink_to(file)


@pytest.mark.parametrize("command", [pytest.param(c, id=f"{p}: {c}") for p, c in to_type()])
def test_a_command_works(command: str, workshop: Workshop, request: pytest.FixtureRequest) -> None:
    """Without MIT-BIH what the benchmarks and promises need is skipped."""
    words = command.split()
    for needed, data in NEEDS.items():
        if needed in command:
            request.getfixturevalue(data)
    for program in PROGRAMS:
        if program in command and shutil.which(PROGRAMS[program]) is None:
            pytest.skip(f"needs {PROGRAMS[program]}")
    if words[:2] in (["reveille", "run"], ["reveille", "measure"]) and "--out" in words:
        shutil.rmtree(workshop.folder / words[words.index("--out") + 1], ignore_errors=True)
    workshop.type(smaller(words))


NEEDS = {
    "mitdb": "mitdb",
    "--policy": "mitdb",
    ".lib": "sg13g2",
    "core.toml": "sg13g2",
    **{
        f"benchmarks/{script}.py --data": "mitdb"
        for script in (
            *("audits", "back_end_cross_validation", "back_end_variants", "calibration"),
            *("digital_patients", "screening"),
        )
    },
}
PROGRAMS = {
    "benchmarks/live": "chromedriver",
    "--compiler gcc": "riscv64-unknown-elf-gcc",
}


def test_a_cluster_sweeps(workshop: Workshop) -> None:
    """A scheduler, a worker and a sweep, as docs/sweeps.md has them, all on this machine."""
    pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"tcp://localhost:{free.getsockname()[1]}"
    port = address.rpartition(":")[2]
    dask = [str(Path(sys.executable).with_name("dask"))]
    scheduler = subprocess.Popen([*dask, "scheduler", "--port", port, "--no-dashboard"])
    worker = subprocess.Popen([*dask, "worker", address, "--nthreads", "1", "--no-dashboard"])
    try:
        sweep = f"reveille sweep mitigations --data FOLDER --scheduler {address} --out runs/cluster"
        workshop.type(smaller(sweep.split()))
    finally:
        for process in (worker, scheduler):
            process.send_signal(signal.SIGINT)
            process.wait(60)


def test_what_is_listed_is_there() -> None:
    """A reason, or what stands for something, whose command no page has any more is found."""
    found = [c for page in pages() if page != README for c in documented(page.read_text())]
    texts = {str(command) for command in found}
    assert [command for command in MEANT if command not in texts] == []
    assert [part for part in NOT_TYPED if not any(part in f"{text} " for text in texts)] == []
    assert len(list(to_type())) > 100


def test_each_benchmark_is_typed() -> None:
    typed = " ".join(command for _, command in to_type())
    scripts = [path.name for path in (ROOT / "benchmarks").glob("*.py")]
    assert [script for script in scripts if f"benchmarks/{script}" not in typed] == []
