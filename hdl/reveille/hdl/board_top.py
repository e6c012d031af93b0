"""A whole board: serial line in, lights out."""

from collections.abc import Callable

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.link import Link
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.top import EmulatedFrontEnd

ACTIVITY_FRACTION = 16
"""The activity light stays on for this fraction of a second after the last byte."""

MakeSoftCore = Callable[[MachineParameters], wiring.Component]
"""Makes the soft core for a front end, with two ports: ``board``, flipped `SoftCoreSignature`, and
``registers``, flipped `RegisterSignature`, as `reveille.hdl.softcore.core.SoftCore` has them."""


class BoardTop(wiring.Component):
    """Front end with an emulated array, link, and a soft core where there is one.

    Reset is that of the ``sync`` domain; see the parts for what it leaves.

    Args:
        board: The build.
        soft_core: Makes the soft core, for a build that has one.
        front_end: The front end, `EmulatedFrontEnd` when left out; another one has the same ports,
            as `reveille.hdl.die.top.EmulatedDieFrontEnd` has them, that of the self-test included
            where the build has one.

    Members:
        rx: From the host.
        tx: To the host.
        asleep: No wake-up waits and none is in service.
        interrupt: A wake-up waits.
        activity: Bytes come or go.

    Raises:
        ValueError: A soft core is missing, or not wanted; or the front end lacks the self-test.
    """

    def __init__(
        self,
        board: BoardParameters,
        soft_core: MakeSoftCore | None = None,
        front_end: wiring.Component | None = None,
    ) -> None:
        if board.soft_core != (soft_core is not None):
            wanted = "needs a soft core" if board.soft_core else "takes no soft core"
            raise ValueError(f"a board with soft_core={board.soft_core} {wanted}")
        if board.self_test and front_end and "self_test" not in front_end.signature.members:
            raise ValueError("a board with self_test=True needs a front end that has one")
        self.board = board
        self._soft_core = soft_core
        self._front_end = front_end
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "asleep": Out(1),
                "interrupt": Out(1),
                "activity": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        m.submodules.link = link = Link(self.board)
        front_end = self._front_end or EmulatedFrontEnd(
            self.board.machine, self_test=self.board.self_test
        )
        m.submodules.front_end = ResetInserter(link.restart)(front_end)
        wiring.connect(m, link.beat, front_end.beat)
        wiring.connect(m, front_end.outcome, link.outcome)
        wiring.connect(m, front_end.cpu, link.cpu)
        wiring.connect(m, link.registers, front_end.registers)
        m.d.comb += [
            link.rx.eq(self.rx),
            self.tx.eq(link.tx),
            self.asleep.eq(front_end.cpu.asleep),
            self.interrupt.eq(front_end.cpu.interrupt),
        ]
        if self.board.self_test:
            wiring.connect(m, link.self_test, front_end.self_test)
        self._show_activity(m, link.active)
        if self._soft_core is not None:
            m.submodules.soft_core = soft_core = self._soft_core(self.board.machine)
            wiring.connect(m, link.soft_core, soft_core.board)
            wiring.connect(m, link.soft_core_registers, soft_core.registers)
        return m

    def _show_activity(self, m: Module, active: Signal) -> None:
        """Make the activity visible to the eye."""
        longest = max(1, self.board.clock_hz // ACTIVITY_FRACTION)
        left = Signal(range(longest + 1))
        with m.If(active):
            m.d.sync += left.eq(longest)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        m.d.comb += self.activity.eq(left != 0)
