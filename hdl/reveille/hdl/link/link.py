"""The link: everything between the serial line and the front end."""

from amaranth.hdl import Module, ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import decision_layout
from reveille.hdl.interfaces import (
    BeatSignature,
    CpuSignature,
    OutcomeSignature,
    RegisterSignature,
    SelfTestSignature,
    SoftCoreSignature,
)
from reveille.hdl.link.back_end import BackEndSwitch
from reveille.hdl.link.beats import BeatWindow
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.commands import CommandEngine
from reveille.hdl.link.kept import KeptItems
from reveille.hdl.link.registers import LinkRegisters
from reveille.hdl.link.replies import ReplyStore
from reveille.hdl.link.requests import RequestBuffer
from reveille.hdl.link.uart import UartReceiver, UartTransmitter


class Link(wiring.Component):
    """Serial port, frames, commands, and the books that see every beat answered once.

    Reset leaves it without a session; see `reveille.hdl.link.contract` for all that a host sees.

    Members:
        rx: From the host.
        tx: To the host.
        beat: Beats for the front end.
        outcome: Its records.
        cpu: Its wake-up path.
        registers: Its register bus.
        restart: Strobe; reset the front end.
        active: A byte has come, or one is on its way out.
        self_test: The self-test, in a build that has one.
        soft_core: The soft core, likewise.
        soft_core_registers: Its register bus, likewise.
    """

    def __init__(self, board: BoardParameters) -> None:
        self.board = board
        machine = board.machine
        members = {
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "beat": Out(BeatSignature(machine)),
            "outcome": In(OutcomeSignature(machine)),
            "cpu": In(CpuSignature(machine)),
            "registers": Out(RegisterSignature()),
            "restart": Out(1),
            "active": Out(1),
        }
        if board.self_test:
            members["self_test"] = Out(SelfTestSignature(machine))
        if board.soft_core:
            members["soft_core"] = Out(SoftCoreSignature(machine))
            members["soft_core_registers"] = Out(RegisterSignature())
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        board, machine = self.board, self.board.machine
        engine = CommandEngine(board)
        registers = LinkRegisters(machine, board.soft_core)
        beats, switch = BeatWindow(board), BackEndSwitch(machine)
        # The strobe that restarts the front end restarts what belongs to its beats.
        restarting = ResetInserter(engine.restart)
        m.submodules.engine = engine
        m.submodules.registers = registers
        m.submodules.beats = restarting(beats)
        m.submodules.switch = restarting(switch)

        wiring.connect(m, engine.bus, registers.bus)
        wiring.connect(m, registers.front_end, wiring.flipped(self.registers))
        wiring.connect(m, beats.beat, wiring.flipped(self.beat))
        wiring.connect(m, wiring.flipped(self.outcome), beats.outcome)
        wiring.connect(m, wiring.flipped(self.cpu), switch.controller)
        wiring.connect(m, engine.records, beats.records)
        positions = registers.positions
        m.d.comb += [
            beats.strobe.eq(engine.beat_strobe),
            beats.observations.eq(engine.observations),
            beats.count.eq(engine.beats),
            engine.fits.eq(beats.fits),
            switch.strobe.eq(engine.decision_strobe),
            switch.decision.eq(engine.decision),
            switch.by_soft_core.eq(registers.by_soft_core),
            registers.session.eq(engine.session),
            registers.restart.eq(engine.restart),
            self.restart.eq(engine.restart),
            positions.beats.eq(beats.accepted),
            positions.records.eq(beats.records.next),
            positions.records_acknowledged.eq(beats.records.oldest),
            positions.decisions_made.eq(engine.decisions.next),
            positions.decisions_acknowledged.eq(engine.decisions.oldest),
            positions.event.eq(switch.event),
            registers.errors.repeated_requests.eq(engine.repeated),
            registers.errors.early_requests.eq(engine.early),
            registers.errors.stale_decisions.eq(switch.stale),
        ]
        self._connect_line(m, engine, registers)
        if board.self_test:
            wiring.connect(m, engine.self_test, wiring.flipped(self.self_test))
        if board.soft_core:
            m.submodules.decisions = decisions = restarting(
                KeptItems(decision_layout(machine), board.beat_window, machine.sequence_bits)
            )
            self._connect_soft_core(m, engine, registers, switch, decisions)
        else:
            m.d.comb += engine.decisions.in_range.eq(engine.decisions.until == 0)
        return m

    def _connect_line(self, m: Module, engine: CommandEngine, registers: LinkRegisters) -> None:
        """Add what lies between the line and the commands."""
        cycles = self.board.cycles_per_bit
        m.submodules.receiver = receiver = UartReceiver(cycles)
        m.submodules.requests = requests = RequestBuffer()
        m.submodules.replies = replies = ReplyStore(self.board.request_window)
        m.submodules.transmitter = transmitter = UartTransmitter(cycles)
        wiring.connect(m, requests.request, engine.request)
        wiring.connect(m, engine.reply, replies.reply)
        wiring.connect(m, replies.line, transmitter.byte)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            requests.strobe.eq(receiver.strobe),
            requests.byte.eq(receiver.byte),
            requests.framing_error.eq(receiver.framing_error),
            registers.errors.framing_errors.eq(receiver.framing_error),
            registers.errors.overruns.eq(requests.overrun),
            registers.errors.bad_frames.eq(requests.bad_frame),
            self.active.eq(receiver.strobe | replies.line.valid),
        ]

    def _connect_soft_core(
        self,
        m: Module,
        engine: CommandEngine,
        registers: LinkRegisters,
        switch: BackEndSwitch,
        decisions: KeptItems,
    ) -> None:
        """Join the soft core to the switch, and keep its decisions."""
        wiring.connect(m, engine.decisions, decisions.kept)
        wiring.connect(m, switch.soft_core, wiring.flipped(self.soft_core.cpu))
        wiring.connect(m, engine.memory, wiring.flipped(self.soft_core.memory))
        wiring.connect(m, registers.soft_core, wiring.flipped(self.soft_core_registers))
        m.d.comb += [
            self.soft_core.run.eq(registers.by_soft_core),
            decisions.strobe.eq(switch.made),
            decisions.item.eq(self.cpu.decision.payload),
            switch.room.eq(decisions.room),
        ]
