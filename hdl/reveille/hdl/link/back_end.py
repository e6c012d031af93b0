"""Who answers the wake-ups: the host through the link, or the soft core."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.contract import decision_layout
from reveille.hdl.interfaces import CpuSignature
from reveille.hdl.parameters import MachineParameters


class BackEndSwitch(wiring.Component):
    """Stands between the wake-up controller and its back end.

    For the host each event is acknowledged in the cycle in which it is offered, and a decision ends
    its service in the cycle in which it comes. A decision on anything else is stale and dropped.
    The soft core sees the controller as it is, but for decisions waiting while there is no
    ``room`` to tell the host of them. Switch only while nothing is in service. Reset selects the
    host and forgets the event.

    Members:
        controller: The wake-up path.
        soft_core: The same for the soft core, silent while the host is the back end.
        by_soft_core: The soft core is the back end.
        strobe: The host decides.
        decision: Its decision.
        stale: Strobe, in the same cycle; the decision is dropped.
        event: Sequence number of the event in service, or of the last one.
        made: Strobe; the soft core ends a service.
        room: Its decisions can be taken.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        super().__init__(
            {
                "controller": In(CpuSignature(parameters)),
                "soft_core": Out(CpuSignature(parameters)),
                "by_soft_core": In(1),
                "strobe": In(1),
                "decision": In(decision_layout(parameters)),
                "stale": Out(1),
                "event": Out(parameters.sequence_bits),
                "made": Out(1),
                "room": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        controller, soft_core = self.controller, self.soft_core
        serving = Signal()
        ends = Signal()
        decision = controller.decision
        m.d.comb += [
            soft_core.event.payload.eq(controller.event.payload),
            soft_core.asleep.eq(controller.asleep),
            ends.eq(decision.valid & serving & (decision.payload.sequence == self.event)),
        ]
        with m.If(self.by_soft_core):
            m.d.comb += [
                soft_core.interrupt.eq(controller.interrupt),
                soft_core.event.valid.eq(controller.event.valid),
                controller.event.ready.eq(soft_core.event.ready),
                decision.payload.eq(soft_core.decision.payload),
                decision.valid.eq(soft_core.decision.valid & self.room),
                soft_core.decision.ready.eq(self.room),
                self.made.eq(ends),
                self.stale.eq(self.strobe),
            ]
        with m.Else():
            m.d.comb += [
                controller.event.ready.eq(1),
                decision.payload.eq(self.decision),
                # Offered only where it ends the service, so that it is no error of the host's.
                decision.valid.eq(self.strobe & serving & (self.decision.sequence == self.event)),
                self.stale.eq(self.strobe & ~decision.valid),
            ]
        with m.If(ends):
            m.d.sync += serving.eq(0)
        with m.Elif(controller.event.valid & controller.event.ready):
            m.d.sync += [serving.eq(1), self.event.eq(controller.event.payload.sequence)]
        return m
