"""What the proofs share: the front end with a free surrounding, and a ledger of its events."""

from amaranth.hdl import Assert, Elaboratable, Module, Mux, Signal, Value

from reveille.hdl.contract import Register, event_layout
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.top import FrontEnd

from .probe import Opened


def increment(value: Value, limit: int) -> Value:
    """Return the value plus 1, or itself at the limit."""
    return Mux(value == limit, value, value + 1)


def shadow(m: Module, front_end: FrontEnd, register: Register, target: Value) -> None:
    """Let a signal take what the register bus writes to a register."""
    bus = front_end.registers
    with m.If(bus.write & (bus.address == register)):
        m.d.sync += target.eq(bus.write_data)


class FrontEndBench(Elaboratable):
    """A front end whose every input is free in every cycle: the frame of a proof.

    Free are beats, register bus, array, CPU and reset. Nothing is assumed about any of them.

    Args:
        parameters: Dimensions of the front end; small ones, so that the solver is quick.
        with_lemmas: Whether `lemma` asserts. An induction needs it; without it, what fails is a
            property that the bench states.

    Attributes:
        front_end: The front end. A bench watches its ports.
        inside: Its inner signals, for lemmas and for what no port shows.
        ports: The ports of the front end.
    """

    inside: Opened

    def __init__(self, parameters: MachineParameters, with_lemmas: bool = True) -> None:
        self.parameters = parameters
        self._with_lemmas = with_lemmas
        self.front_end = FrontEnd(parameters)
        members = self.front_end.signature.flatten(self.front_end)
        self.ports = [Value.cast(value) for _, _, value in members]

    def elaborate(self, platform: object) -> Module:
        """Describe front end and observers."""
        m = Module()
        m.submodules.front_end = self.inside = Opened(self.front_end)
        self.observe(m)
        return m

    def observe(self, m: Module) -> None:
        """Add observers, assertions and cover statements."""
        raise NotImplementedError

    def lemma(self, m: Module, *conditions: Value) -> None:
        """Assert what says nothing about the front end by itself, but lets the induction through.

        Most lemmas tie a register of the bench to its twin in the gateware: an induction starts in
        any state that the assertions allow, also in one where the two differ.
        """
        if self._with_lemmas:
            m.d.comb += [Assert(condition) for condition in conditions]


class Ledger:
    """Books on the events of a front end, kept from its ports alone.

    Args:
        m: Module to keep the books in.
        bench: The bench.
        wakes: Whether the record of this cycle must become an event.

    Attributes:
        accepted: An event goes in.
        taken: ``cpu.event`` transfers.
        acknowledged: It transfers an event for the first time.
        decided: The decision on the event in service comes.
        waiting: Number of events that went in and are not acknowledged.
        serving: An event is acknowledged and not decided.
        record: The event in service.
    """

    def __init__(self, m: Module, bench: FrontEndBench, wakes: Value) -> None:
        self._bench = bench
        front_end, depth = bench.front_end, bench.parameters.fifo_depth
        event, decision = front_end.cpu.event, front_end.cpu.decision
        self.accepted = Signal()
        self.taken = Signal()
        self.acknowledged = Signal()
        self.decided = Signal()
        self.serving = Signal()
        # One more than the queue holds, so that an overflow would show.
        self.waiting = Signal(range(depth + 2))
        self.record = Signal(event_layout(bench.parameters))

        m.d.comb += [
            self.accepted.eq(front_end.outcome.strobe & wakes),
            self.taken.eq(event.valid & event.ready),
            self.acknowledged.eq(self.taken & ~self.serving),
            self.decided.eq(
                self.serving & decision.valid & (decision.payload.sequence == self.record.sequence)
            ),
        ]
        m.d.sync += self.waiting.eq(self.waiting + self.accepted - self.acknowledged)
        with m.If(self.acknowledged):
            m.d.sync += [self.serving.eq(1), self.record.eq(event.payload)]
        with m.Elif(self.decided):
            m.d.sync += self.serving.eq(0)
        self._add_lemmas(m)

    def _add_lemmas(self, m: Module) -> None:
        """Tie the books to the registers of the controller."""
        inside, depth = self._bench.inside, self._bench.parameters.fifo_depth
        level, newest, next_oldest = (
            inside[f"controller.fifo.{name}"] for name in ("level", "newest", "next_oldest")
        )
        # The oldest event waits in a register, the others in a memory.
        places, others = depth - 1, Mux(level == 0, 0, level - 1)
        self._bench.lemma(
            m,
            inside["controller.serving"] == self.serving,
            self.serving | ~inside["controller.raised"],
            ~self.serving | (inside["controller.record"] == self.record.as_value()),
            (level == self.waiting) & (level <= depth),
            (newest < places) & (next_oldest < places),
            (next_oldest + others == newest) | (next_oldest + others == newest + places),
        )
