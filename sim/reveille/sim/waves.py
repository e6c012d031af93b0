"""Which wave files can be written, and what Verilator must be told for them."""

from pathlib import Path

from reveille.hdl.errors import ReveilleError
from reveille.sim.toolchain import has_header

WAVE_ARGUMENTS = {".vcd": "--trace", ".fst": "--trace-fst"}
"""Verilator's option for each kind of wave file."""


def wave_arguments(kind: str | None) -> tuple[str, ...]:
    """Return Verilator's arguments for waves of a kind, or for none.

    Raises:
        ReveilleError: The kind is unknown, or a header that it needs is missing.
    """
    if kind is None:
        return ("--no-trace",)
    if kind not in WAVE_ARGUMENTS:
        kinds = " or ".join(WAVE_ARGUMENTS)
        raise ReveilleError(f"Waves are written as {kinds}, not as '{kind}'.")
    if kind == ".fst" and not (has_header("zlib.h") and has_header("lz4.h")):
        raise ReveilleError(
            "Waves in FST format need the headers of zlib and lz4 (Debian, Ubuntu: apt install "
            "zlib1g-dev liblz4-dev); name the file .vcd to do without."
        )
    return (WAVE_ARGUMENTS[kind],)


def check_wave_folder(waves: Path) -> None:
    """Raise `ReveilleError` where the folder of a wave file does not exist."""
    if not waves.absolute().parent.is_dir():
        raise ReveilleError(f"There is no folder {waves.parent} to write waves to.")
