"""Firmware from C sources and a trained network, kept in the cache of builds."""

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata, resources, util
from pathlib import Path

from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.softcore.contract import SoftCoreParameters
from reveille.hdl.softcore.header import firmware_header
from reveille.host.firmware.elf import Elf, read_elf
from reveille.host.firmware.tables import firmware_tables
from reveille.host.network.integer import IntegerNetwork
from reveille.sim.build_cache import new_build, run_tool
from reveille.sim.toolchain import cache_folder, program_version

SOURCES = ("start.S", "main.c", "network.c", "memory.c", "multiply.c")
OTHER_FILES = ("layers.h", "products.h", "network.h", "link.ld")

STACK_BYTES = 512
"""Set aside for the stack; the firmware calls three functions deep."""

PROGRAM = "firmware.elf"

FLAGS = (
    "-O2",
    "-std=c11",
    "-ffreestanding",
    "-fomit-frame-pointer",
    "-nostdlib",
    "-mabi=ilp32",
    "-g0",
    "-fno-asynchronous-unwind-tables",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wl,-T,link.ld",
)

GCC = "riscv64-unknown-elf-gcc"


class Compiler(StrEnum):
    """A compiler of the firmware."""

    ZIG = "zig"
    """Clang in the PyPI package ziglang: the default."""
    GCC = "gcc"
    """riscv64-unknown-elf-gcc of the system, a second opinion."""


@dataclass(frozen=True)
class Firmware:
    """Firmware ready for a soft core's memory.

    Attributes:
        image: Bytes from address 0 on.
        code_bytes: Size of the instructions.
        constant_bytes: Size of weights, tables and other constants.
        variable_bytes: Size of the variables.
        needed_bytes: Memory that it takes, stack included.
    """

    image: bytes
    code_bytes: int
    constant_bytes: int
    variable_bytes: int
    needed_bytes: int

    @classmethod
    def from_elf(cls, elf: Elf) -> "Firmware":
        """Take what counts from a linked program."""
        size = elf.sections.get
        return cls(
            image=elf.image,
            code_bytes=size(".text", 0),
            constant_bytes=size(".rodata", 0),
            variable_bytes=size(".data", 0) + size(".bss", 0),
            needed_bytes=elf.symbols["variables_end"] + STACK_BYTES,
        )


def build_firmware(
    network: IntegerNetwork,
    machine: MachineParameters,
    core: SoftCoreParameters,
    compiler: Compiler = Compiler.ZIG,
) -> Firmware:
    """Compile and link the firmware, unless the cache has it already.

    Args:
        network: Decides the beats.
        machine: Build of the front end, whose events the firmware reads.
        core: Build of the soft core that it runs on.
        compiler: Compiler to use.

    Raises:
        ReveilleError: The compiler is missing or fails, or the network does not fit the kernels or
            the memory.
    """
    files = {name: (source_folder() / name).read_text() for name in (*SOURCES, *OTHER_FILES)}
    files["contract.h"] = firmware_header(machine, core)
    files["tables.h"] = firmware_tables(network)
    command = _compiler_command(compiler, core.variant.multiplies)
    program = _build(files, [*command, *FLAGS], _version(compiler))
    firmware = Firmware.from_elf(read_elf(program.read_bytes()))
    if firmware.needed_bytes > core.ram_bytes:
        raise ReveilleError(
            f"The firmware needs {firmware.needed_bytes:,} bytes (code {firmware.code_bytes:,}, "
            f"constants {firmware.constant_bytes:,}, variables {firmware.variable_bytes:,}, stack "
            f"{STACK_BYTES}); the soft core has {core.ram_bytes:,}. "
            "Train a smaller network or build a soft core with more memory."
        )
    return firmware


def source_folder() -> Path:
    """Return where the C sources are: in the installed package, or in the tree that it is from."""
    packaged = Path(str(resources.files("reveille.host.firmware"))) / "sources"
    return packaged if packaged.is_dir() else Path(__file__).parents[4] / "firmware"


def _compiler_command(compiler: Compiler, multiplies: bool) -> list[str]:
    if compiler is Compiler.GCC:
        found = shutil.which(GCC)
        if found is None:
            raise ReveilleError(
                f"{GCC} is not on PATH; install it (Debian, Ubuntu: apt install "
                "gcc-riscv64-unknown-elf) or use the compiler zig."
            )
        # rv32im_zicsr would silently link the 64-bit libgcc.
        return [found, f"-march=rv32i{'m' * multiplies}", "-misa-spec=2.2"]
    if util.find_spec("ziglang") is None:
        raise ReveilleError(
            "The firmware needs a compiler; install it with 'python -m pip install ziglang'."
        )
    return [
        *(sys.executable, "-m", "ziglang", "cc"),
        *("-target", "riscv32-freestanding-none"),
        f"-mcpu=generic_rv32{'+' if multiplies else '-'}m-a-c-d-f",
        "-fno-sanitize=undefined",
    ]


def _version(compiler: Compiler) -> str:
    if compiler is Compiler.ZIG:
        return metadata.version("ziglang")
    return program_version(Path(shutil.which(GCC) or GCC)) or ""


def _build(files: Mapping[str, str], command: list[str], version: str) -> Path:
    """Return the linked program, from the cache or new."""
    ingredients = json.dumps([files, command[1:], version]).encode()
    finished = cache_folder() / "firmware" / hashlib.sha256(ingredients).hexdigest()[:24]
    if not finished.is_dir():
        with new_build(finished) as work:
            for name, text in files.items():
                (work / name).write_text(text)
            run_tool([*command, *SOURCES, "-o", PROGRAM], work)
    return finished / PROGRAM
