"""The register bus: policy, programming and read-back."""

from amaranth.hdl import Module, Signal, ValueLike, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import (
    AUDIT_BITS,
    COUNTERS,
    IDENTITY_WORD,
    Register,
    policy_layout,
)
from reveille.hdl.counters import counter_name
from reveille.hdl.interfaces import ArrayWriteSignature, RegisterSignature
from reveille.hdl.lfsr import SeedSignature
from reveille.hdl.parameters import MachineParameters, Mode
from reveille.hdl.read_errors import ReadErrorSignature

POLICY_REGISTERS = {
    "mode": Register.MODE,
    "budget": Register.BUDGET,
    "race_count": Register.RACE_COUNT,
    "threshold": Register.THRESHOLD,
    "normal_mask": Register.NORMAL_MASK,
    "audit_rate": Register.AUDIT_RATE,
    "reseed": Register.RESEED,
}
"""Register of each policy field."""

STATUS_LAYOUT = data.StructLayout({"interrupt": 1, "asleep": 1, "busy": 1, "array_overdue": 1})
"""Bits of ``Register.STATUS``."""


class RegisterFile(wiring.Component):
    """Registers of the contract behind `RegisterSignature`.

    A write acts at the end of its cycle; bits beyond a register's width are dropped. A read answers
    in the next cycle; write-only and unmapped addresses read 0, writes to them do nothing.

    Reset leaves the machine safe rather than useful: it stands still (``run`` is 0) and, started
    without a policy, wakes the CPU at every beat (no row counts as normal). Budget is the longest,
    mode full, race count and threshold 1, audit rate, reseed, watchdog and likelihood address 0.

    The host may write at any time. Policy writes count from the next inference on, likelihood words
    from the next array read; seeds act at once, so write them while ``run`` and ``busy`` are 0.

    Members:
        bus: The register bus.
        run: Bit 0 of ``CONTROL``.
        policy: Operating point.
        watchdog_cycles: See `reveille.hdl.wakeup.WakeUpController`.
        likelihood: Programming side of the array; a write passes through in its own cycle.
        seeds: Seeds of the columns' LFSRs.
        audit_seed: Seed of the audit LFSR.
        clear_counters: Strobe.
        counters: Counts by name.
        status: Bits of ``STATUS``.
        read_errors: Settings of the read errors, in a build that has them; all 0 after reset.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        width = unsigned(parameters.counter_bits)
        counters = data.StructLayout({counter_name(counter): width for counter in COUNTERS})
        default_policy = {"mode": Mode.FULL, "budget": parameters.period} | dict.fromkeys(
            ("race_count", "threshold"), 1
        )
        read_errors = {"read_errors": Out(ReadErrorSignature())} if parameters.read_errors else {}
        super().__init__(
            {
                "bus": In(RegisterSignature()),
                "run": Out(1),
                "policy": Out(policy_layout(parameters), init=default_policy),
                "watchdog_cycles": Out(parameters.counter_bits),
                "likelihood": Out(ArrayWriteSignature(parameters)),
                "seeds": Out(SeedSignature(parameters.columns, parameters.word_bits)),
                "audit_seed": Out(SeedSignature(1, AUDIT_BITS)),
                "clear_counters": Out(1),
                "counters": In(counters),
                "status": In(STATUS_LAYOUT),
                **read_errors,
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        address = Signal.like(self.likelihood.write_address)
        stored = self._stored(address)
        with m.Switch(self.bus.address):
            for register, value in (self._read_only() | stored).items():
                with m.Case(register):
                    m.d.sync += self.bus.read_data.eq(value)
            with m.Default():
                m.d.sync += self.bus.read_data.eq(0)
        for register, target in stored.items():
            with m.If(self._writes(register)):
                m.d.sync += target.eq(self.bus.write_data)
        self._pass_on(m, address)
        return m

    def _writes(self, register: int) -> ValueLike:
        """Whether the bus writes the register in this cycle."""
        return self.bus.write & (self.bus.address == register)

    def _stored(self, likelihood_address: Signal) -> dict[int, ValueLike]:
        """Registers that hold what was written."""
        read_errors: dict[int, ValueLike] = {}
        if self.parameters.read_errors:
            read_errors = {
                Register.READ_ERROR_RATE: self.read_errors.rate,
                Register.READ_ERROR_SEED: self.read_errors.seed,
            }
        return {
            **read_errors,
            Register.CONTROL: self.run,
            Register.WATCHDOG_CYCLES: self.watchdog_cycles,
            Register.LIKELIHOOD_ADDRESS: likelihood_address,
            **{register: self.policy[field] for field, register in POLICY_REGISTERS.items()},
        }

    def _read_only(self) -> dict[int, ValueLike]:
        """Registers whose value comes from elsewhere."""
        read_errors: dict[int, ValueLike] = {}
        if self.parameters.read_errors:
            read_errors[Register.READ_ERROR_NUMBER] = self.read_errors.next
        return {
            **read_errors,
            Register.IDENTITY: IDENTITY_WORD,
            Register.STATUS: self.status.as_value(),
            Register.AUDIT_SEED: self.audit_seed.states[0],
            **{counter: self.counters[counter_name(counter)] for counter in COUNTERS},
            **{
                Register.LFSR_SEED + column: self.seeds.states[column]
                for column in range(self.parameters.columns)
            },
        }

    def _pass_on(self, m: Module, likelihood_address: Signal) -> None:
        """Pass on the writes that act elsewhere, in their own cycle."""
        m.d.comb += [
            self.likelihood.write.eq(self._writes(Register.LIKELIHOOD_WORD)),
            self.likelihood.write_address.eq(likelihood_address),
            self.likelihood.write_word.eq(self.bus.write_data),
            self.audit_seed.load.eq(self._writes(Register.AUDIT_SEED)),
            self.audit_seed.seed.eq(self.bus.write_data),
            self.seeds.seed.eq(self.bus.write_data),
            self.clear_counters.eq(self._writes(Register.CLEAR_COUNTERS)),
        ]
        if self.parameters.read_errors:
            m.d.comb += [
                self.read_errors.load.eq(self._writes(Register.READ_ERROR_NUMBER)),
                self.read_errors.number.eq(self.bus.write_data),
            ]
        for column in range(self.parameters.columns):
            m.d.comb += self.seeds.load[column].eq(self._writes(Register.LFSR_SEED + column))
        with m.If(self.likelihood.write):
            m.d.sync += likelihood_address.eq(likelihood_address + 1)
