"""Verilog in, shared library or simulator out, kept in a cache that never holds half a build."""

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from reveille.sim.build_cache import new_build, run_tool
from reveille.sim.toolchain import (
    Verilator,
    cache_folder,
    find_program,
    find_verilator,
    program_version,
)

VERILATOR_ARGUMENTS = (
    "--cc",
    "--exe",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--no-assert",
    "--no-timing",
    # One translation unit. It also avoids precompiled headers, whose make variables are empty in
    # the PyPI wheel.
    "--output-split",
    "0",
    # The generated Verilog is Amaranth's business: its style is not ours to judge.
    "-Wno-fatal",
    "-Wno-lint",
    "-Wno-style",
)

MAKE_ARGUMENTS = ("OPT_SLOW=-O1", "OPT_GLOBAL=-O1", "CFG_CXXFLAGS_PCH_I=-include")


@dataclass(frozen=True)
class Model:
    """What to build.

    Attributes:
        top: Name of the top module; the C++ class is ``V`` and this name.
        verilog: Its source.
        output: Name of the file to make.
        files: Further files (C++ and headers, Verilator's control files) by name.
        sources: Files among them (or with absolute paths) to hand to Verilator.
        verilator_arguments: Added to `VERILATOR_ARGUMENTS`.
        compiler_flags: Flags for the C++ compiler.
        linker_flags: Flags for the linker.
        optimisation: How hard the compiler tries on what runs all the time.
    """

    top: str
    verilog: str
    output: str
    files: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[str] = ()
    verilator_arguments: Sequence[str] = ()
    compiler_flags: str = ""
    linker_flags: str = ""
    optimisation: str = "-O3"

    @property
    def make_arguments(self) -> tuple[str, ...]:
        """Arguments of make that change what it makes."""
        return (f"OPT_FAST={self.optimisation}", *MAKE_ARGUMENTS)

    def fingerprint(self, verilator: Verilator, compiler: Path) -> str:
        """Return a hash of all that the result depends on."""
        content = asdict(self)
        del content["optimisation"]  # the recipe has it
        return _hash([self._recipe(verilator, compiler), content])

    def runtime_fingerprint(self, verilator: Verilator, compiler: Path) -> str:
        """Return a hash of all that Verilator's own runtime depends on."""
        flags = [list(self.verilator_arguments), self.compiler_flags]
        return _hash([self._recipe(verilator, compiler), flags])

    def _recipe(self, verilator: Verilator, compiler: Path) -> list[object]:
        tools = [verilator.version, program_version(compiler)]
        return [VERILATOR_ARGUMENTS, self.make_arguments, tools]


def _hash(ingredients: list[object]) -> str:
    return hashlib.sha256(json.dumps(ingredients).encode()).hexdigest()[:24]


def build_model(model: Model) -> Path:
    """Verilate and compile, unless the cache has the result already.

    Returns:
        Path of the file ``model.output``.

    Raises:
        ReveilleError: A tool is missing or fails.
    """
    verilator, compiler, make = find_verilator(), find_program("g++"), find_program("make")
    finished = cache_folder() / "builds" / model.fingerprint(verilator, compiler)
    if not finished.is_dir():
        with new_build(finished) as work:
            _build(model, verilator, compiler, make, work)
    return finished / model.output


def _build(model: Model, verilator: Verilator, compiler: Path, make: Path, work: Path) -> None:
    source = work / f"{model.top}.v"
    for name, text in {source.name: model.verilog, **model.files}.items():
        (work / name).write_text(text)
    run_tool(
        [
            str(verilator.executable),
            *VERILATOR_ARGUMENTS,
            *model.verilator_arguments,
            *("--top-module", model.top, "--prefix", f"V{model.top}"),
            *("-Mdir", "objects", "-o", f"../{model.output}"),
            *("-CFLAGS", f"-I.. {model.compiler_flags}", "-LDFLAGS", model.linker_flags),
            source.name,
            *(str(work / name) for name in model.sources),
        ],
        work,
        verilator.environment(),
    )
    runtime = cache_folder() / "runtime" / model.runtime_fingerprint(verilator, compiler)
    _copy_objects(runtime, work / "objects")
    run_tool(
        [
            *(str(make), "-C", "objects", "-f", f"V{model.top}.mk", "-j2"),
            *model.make_arguments,
            *(f"CXX={compiler}", f"LINK={compiler}", f"PYTHON3={sys.executable}"),
        ],
        work,
        verilator.environment(),
    )
    if not runtime.is_dir():
        with new_build(runtime) as kept:
            _copy_objects(work / "objects", kept)
    shutil.rmtree(work / "objects")


def _copy_objects(source: Path, target: Path) -> None:
    """Copy the objects of Verilator's runtime: two thirds of the time of a build go into them."""
    for compiled in source.glob("verilated*.o"):
        shutil.copyfile(compiled, target / compiled.name)
