"""The CPU itself: VexRiscv, ready-made Verilog of the PyPI package pythondata-cpu-vexriscv."""

import re

from amaranth.hdl import ClockSignal, EnableInserter, Instance, Module, ResetSignal, Signal
from amaranth.lib import wiring

from reveille.hdl.errors import ReveilleError
from reveille.hdl.softcore.contract import RAM_BASE, Variant
from reveille.hdl.softcore.mac_unit import MacUnit
from reveille.hdl.softcore.packages import packaged_verilog
from reveille.hdl.softcore.wishbone import CpuPortsSignature

PACKAGE = "pythondata_cpu_vexriscv"
DISTRIBUTION = "pythondata-cpu-vexriscv"

FILES = {
    Variant.FULL: "VexRiscv_Full.v",
    Variant.FULL_CFU: "VexRiscv_FullCfu.v",
    Variant.LITE: "VexRiscv_Lite.v",
}
"""Verilog of each variant."""

INCREMENTING = 0b010
"""Wishbone's cycle type of all transfers of a linear burst but its last."""


ENABLE = "clkEnable"
"""Input that `vexriscv_verilog` adds."""


def vexriscv_verilog(variant: Variant) -> str:
    """Return the Verilog of the module ``VexRiscv``, which a design with a soft core needs.

    Each of its flip-flops and memories has the input `ENABLE` as clock enable. Of a common enable a
    synthesis for chips makes clock gates; FPGAs have it in their flip-flops, on one clock tree,
    where a second tree behind a gate would bring skew that place and route does not analyse.

    Raises:
        ReveilleError: The package is not installed, or its Verilog is not as it was.
    """
    return _with_clock_enable(packaged_verilog(PACKAGE, DISTRIBUTION, [FILES[variant]]))


CLOCKED = {
    r"always @\(posedge clk\) begin": f"always @(posedge clk) if ({ENABLE}) begin",
    r"input +clk,": f"input clk, input {ENABLE},",
    r"\.clk +\(clk +\),": f".clk(clk), .{ENABLE}({ENABLE}),",
}
"""Where the CPU's Verilog names its clock, and what stands there with an enable."""


def _with_clock_enable(verilog: str) -> str:
    """Return Verilog whose modules act at a clock edge only while `ENABLE` is up.

    Raises:
        ReveilleError: It has its clock where this does not look for it.
    """
    for pattern, enabled in CLOCKED.items():
        verilog = re.sub(pattern, enabled, verilog)
    places = sum(verilog.count(enabled) * enabled.count("clk") for enabled in CLOCKED.values())
    if verilog.count("clk") != places:
        raise ReveilleError(
            f"The Verilog of {PACKAGE} is not that which Reveille was made for; install the "
            "version that its constraints.txt names."
        )
    return verilog


class VexRiscv(wiring.Component):
    """The CPU with its two buses, and the multiply-accumulate unit of a variant that has it.

    It has no use for interrupts: see `Peripheral.SLEEP`. Members are those of `CpuPortsSignature`.
    """

    def __init__(self, variant: Variant) -> None:
        self._variant = variant
        super().__init__(CpuPortsSignature())

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        code_type, data_type = Signal(3), Signal(3)
        reset = ResetSignal() | self.reset
        enable = Signal()
        m.d.comb += enable.eq(self.enable | reset)
        m.d.comb += [
            bus.more.eq(type_ == INCREMENTING)
            for bus, type_ in ((self.code, code_type), (self.data, data_type))
        ]
        m.submodules.cpu = Instance(
            "VexRiscv",
            i_clk=ClockSignal(),
            i_reset=reset,
            i_externalResetVector=RAM_BASE,
            i_timerInterrupt=0,
            i_softwareInterrupt=0,
            i_externalInterruptArray=0,
            **{f"i_{ENABLE}": enable},
            **_bus("iBusWishbone", self.code, code_type),
            **self._custom_instructions(m, enable),
            **_bus("dBusWishbone", self.data, data_type),
        )
        return m

    def _custom_instructions(self, m: Module, enable: Signal) -> dict[str, object]:
        """Add the unit and return the ports by which the CPU uses it."""
        if self._variant is not Variant.FULL_CFU:
            return {}
        unit = MacUnit()
        m.submodules.unit = EnableInserter(enable)(unit)
        function = Signal(10)
        request = unit.request.payload
        m.d.comb += [
            request.operation.eq(function[:3]),
            request.accumulator.eq(function[3:]),
        ]
        return {
            "o_CfuPlugin_bus_cmd_valid": unit.request.valid,
            "i_CfuPlugin_bus_cmd_ready": unit.request.ready,
            "o_CfuPlugin_bus_cmd_payload_function_id": function,
            "o_CfuPlugin_bus_cmd_payload_inputs_0": request.a,
            "o_CfuPlugin_bus_cmd_payload_inputs_1": request.b,
            "i_CfuPlugin_bus_rsp_valid": unit.response.valid,
            "o_CfuPlugin_bus_rsp_ready": unit.response.ready,
            "i_CfuPlugin_bus_rsp_payload_outputs_0": unit.response.payload,
        }


def _bus(name: str, bus: wiring.PureInterface, cycle_type: Signal) -> dict[str, object]:
    """Ports of an instance. ``CYC`` and ``STB`` are one in VexRiscv, and all bursts are linear."""
    return {
        f"o_{name}_CYC": bus.cyc,
        f"o_{name}_STB": Signal(name=f"{name}_stb"),
        f"o_{name}_WE": bus.we,
        f"o_{name}_ADR": bus.adr,
        f"o_{name}_SEL": bus.sel,
        f"o_{name}_DAT_MOSI": bus.dat_w,
        f"o_{name}_CTI": cycle_type,
        f"o_{name}_BTE": Signal(2, name=f"{name}_bte"),
        f"i_{name}_DAT_MISO": bus.dat_r,
        f"i_{name}_ACK": bus.ack,
        f"i_{name}_ERR": bus.err,
    }
