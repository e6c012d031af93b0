"""From a bitstream to the board."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from reveille.boards.board import Board, BoardError
from reveille.boards.tools import TOOLS, find_tool
from reveille.hdl.errors import ReveilleError
from reveille.sim.build_cache import run_tool

USB_DEVICES = Path("/sys/bus/usb/devices")
USB_NODES = Path("/dev/bus/usb")
UDEV_RULES = "/etc/udev/rules.d/53-reveille.rules"


def flash_command(board: Board, bitstream: Path) -> list[str]:
    """Return the command that flashes, its tool by its plain name."""
    return board.flasher.command(str(bitstream))


def flash(board: Board, bitstream: Path) -> str:
    """Write a bitstream to the board and return what the tool printed.

    Raises:
        BoardError: The tool, the board or the permission is missing, or the tool fails.
    """
    tool, *arguments = flash_command(board, bitstream)
    program = find_tool(tool).path
    _check_runs(tool, program)
    _check_board(board)
    try:
        return run_tool([program, *arguments], bitstream.parent)
    except ReveilleError as error:
        raise BoardError(f"{board.title} could not be flashed; {error}") from error


def _check_runs(tool: str, program: Path) -> None:
    """Start the tool once: one from a Python package may lack the system's libraries."""
    run = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    if "shared librar" in run.stderr:
        missing = run.stderr.strip().splitlines()[-1].split("libraries: ")[-1]
        raise BoardError(f"{tool} does not start ({missing}); get it with: {TOOLS[tool].hint}.")


def _check_board(board: Board) -> None:
    """Where the system shows its USB devices, look for the board and for the right to write."""
    if not USB_DEVICES.is_dir():
        return
    vendor, product = board.usb
    nodes = _usb_nodes(vendor, product)
    if not nodes:
        raise BoardError(
            f"No {board.title} is connected: no USB device is {vendor:04x}:{product:04x}. Plug it "
            "in, or build without it by --no-flash."
        )
    if not any(map(_is_writable, nodes)):
        rule = (
            f'SUBSYSTEM=="usb", ATTRS{{idVendor}}=="{vendor:04x}", '
            f'ATTRS{{idProduct}}=="{product:04x}", MODE="0660", TAG+="uaccess"'
        )
        raise BoardError(
            f"You may not write to {board.title} at {nodes[0]}; put this line into {UDEV_RULES}, "
            f"run 'sudo udevadm control --reload', and plug the board in again: {rule}"
        )


def _is_writable(node: Path) -> bool:
    return os.access(node, os.W_OK)


def _usb_nodes(vendor: int, product: int) -> Sequence[Path]:
    """Return the device files of all USB devices with these numbers."""
    nodes = []
    for device in sorted(USB_DEVICES.iterdir()):
        try:
            found = [int((device / name).read_text(), 16) for name in ("idVendor", "idProduct")]
            if found == [vendor, product]:
                bus, number = (int((device / name).read_text()) for name in ("busnum", "devnum"))
                nodes.append(USB_NODES / f"{bus:03d}" / f"{number:03d}")
        except (OSError, ValueError):
            continue
    return nodes
