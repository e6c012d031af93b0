"""The CPU of each variant, and the Verilog that it is made of."""

from amaranth.lib import wiring

from reveille.hdl.softcore.contract import Variant
from reveille.hdl.softcore.serv import Serv, serv_verilog
from reveille.hdl.softcore.vexriscv import VexRiscv, vexriscv_verilog


def make_cpu(variant: Variant) -> wiring.Component:
    """Return the CPU of a variant; its ports are `CpuPortsSignature`."""
    return Serv() if variant is Variant.SERIAL else VexRiscv(variant)


def cpu_verilog(variant: Variant) -> str:
    """Return the Verilog that a design with this CPU needs beside its own.

    Raises:
        ReveilleError: The package with the CPU is not installed, or not as it was.
    """
    return serv_verilog() if variant is Variant.SERIAL else vexriscv_verilog(variant)
