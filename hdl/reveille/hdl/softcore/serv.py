"""The smallest CPU: SERV, ready-made Verilog of the PyPI package pythondata-cpu-serv."""

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import wiring

from reveille.hdl.softcore.contract import RAM_BASE
from reveille.hdl.softcore.packages import packaged_verilog
from reveille.hdl.softcore.wishbone import CpuPortsSignature

PACKAGE = "pythondata_cpu_serv"

PARTS = (
    *("alu", "bufreg", "bufreg2", "csr", "ctrl", "decode", "immdec", "mem_if"),
    *("rf_if", "rf_ram", "rf_ram_if", "rf_top", "state", "top"),
)
"""Its modules, a file each. They begin without implicit nets, so other Verilog gets them back."""


def serv_verilog() -> str:
    """Return the Verilog of the module ``serv_rf_top``, which a design with a SERV needs.

    Raises:
        ReveilleError: The package is not installed.
    """
    files = (f"rtl/serv_{part}.v" for part in PARTS)
    return packaged_verilog(PACKAGE, "pythondata-cpu-serv", files) + "`default_nettype wire\n"


class Serv(wiring.Component):
    """The CPU with its two buses: RV32I, a bit a cycle, its registers in a block memory.

    It traps misaligned accesses, ``ecall`` and ``ebreak``; it takes an illegal instruction for
    another one, and a transfer that ends with an error for one without.

    Members are those of `CpuPortsSignature`. ``enable`` is not looked at: while it waits for an
    answer, only its clock tree moves.
    """

    def __init__(self) -> None:
        super().__init__(CpuPortsSignature())

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        code, data = self.code, self.data
        code_address, data_address = Signal(32), Signal(32)
        m.d.comb += [code.adr.eq(code_address[2:]), data.adr.eq(data_address[2:])]
        m.submodules.cpu = Instance(
            "serv_rf_top",
            p_RESET_PC=RAM_BASE,
            i_clk=ClockSignal(),
            i_i_rst=ResetSignal() | self.reset,
            i_i_timer_irq=0,
            o_o_ibus_adr=code_address,
            o_o_ibus_cyc=code.cyc,
            i_i_ibus_rdt=code.dat_r,
            i_i_ibus_ack=code.ack | code.err,
            o_o_dbus_adr=data_address,
            o_o_dbus_dat=data.dat_w,
            o_o_dbus_sel=data.sel,
            o_o_dbus_we=data.we,
            o_o_dbus_cyc=data.cyc,
            i_i_dbus_rdt=data.dat_r,
            i_i_dbus_ack=data.ack | data.err,
            i_i_ext_rd=0,
            i_i_ext_ready=0,
        )
        return m
