"""Proof 4: the link's books balance, and a record that is kept stays what it was."""

from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Cover, Elaboratable, Module, Signal, Value
from amaranth.utils import exact_log2

from reveille.hdl.link.beats import BeatWindow
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import record_bits

from .probe import Opened


class WindowBench(Elaboratable):
    """The window of beats between a host that may ask anything and a front end of any pace.

    Of the command engine the bench takes over what its states do one at a time: it acknowledges and
    lets beats in only where the window says that they fit, brings no more than it announced, sends
    only what is available, and rewinds whenever it likes. A front end gives a record only of a beat
    that it got. All else is free, reset included.

    * Acknowledged <= sent <= produced <= accepted, and accepted - acknowledged <= ``beat_window``:
      the numbers wrap, so this is said of their distances from the acknowledged one.
    * No beat and no record finds its memory full.
    * The beats on their way and the records kept are all that was accepted: none is lost.
    * A record, whichever the solver marks, is what is shown under its number, however often it is
      sent, until it is acknowledged.

    Args:
        board: Dimensions.
        with_lemmas: As for `FrontEndBench`.
    """

    def __init__(self, board: BoardParameters, with_lemmas: bool = True) -> None:
        self._board, self._with_lemmas = board, with_lemmas
        self.window = window = BeatWindow(board)
        self.ports: list[Value] = [
            *(Value.cast(v) for v in (window.observations, window.count, window.records.until)),
            *(Value.cast(v) for v in (window.beat.ready, window.outcome.record)),
        ]

    def elaborate(self, platform: object) -> Module:
        """Describe the window, its surrounding and the assertions."""
        m = Module()
        window, records = self.window, self.window.records
        m.submodules.window = inside = Opened(window)
        accepted, produced, sent = (Signal.like(records.next) for _ in range(3))
        m.d.comb += [
            accepted.eq(window.accepted - records.oldest),
            produced.eq(records.next - records.oldest),
            sent.eq(records.sent - records.oldest),
        ]
        with_front_end = self._surround(m, inside, accepted)
        m.d.comb += [
            Assert(sent <= produced),
            Assert(produced <= accepted),
            Assert(accepted <= self._board.beat_window),
            Assert(accepted - produced == inside["queue.level"] + with_front_end),
            Assert(~window.strobe | inside["queue.w_rdy"]),
            Assert(~window.outcome.strobe | inside["records.room"]),
        ]
        self._follow_marked(m, inside, produced)
        full = self._board.beat_window
        m.d.comb += [
            Cover(accepted == full),
            Cover(records.acknowledge & (sent == 0) & (produced == 2)),
            Cover(records.rewind & (sent == 2)),
        ]
        return m

    def _surround(self, m: Module, inside: Opened, accepted: Signal) -> Signal:
        """Add engine and front end; return how many beats the latter has got and not answered."""
        window, records = self.window, self.window.records
        action, bring, screen = Signal(2), Signal(), Signal()
        left = Signal.like(window.count)
        m.d.comb += [action.eq(AnySeq(2)), bring.eq(AnySeq(1)), screen.eq(AnySeq(1))]
        with m.Switch(action):
            with m.Case(0):
                m.d.comb += window.strobe.eq(bring & (left != 0))
                m.d.sync += left.eq(left - window.strobe)
            with m.Case(1):
                m.d.comb += records.acknowledge.eq(records.in_range & window.fits)
                with m.If(records.acknowledge):
                    m.d.sync += left.eq(window.count)
            with m.Case(2):
                m.d.comb += records.take.eq(records.available != 0)
            with m.Case(3):
                m.d.comb += records.rewind.eq(1)
        under_way = Signal(range(self._board.beat_window + 2))
        m.d.comb += window.outcome.strobe.eq(screen & (under_way != 0))
        m.d.sync += under_way.eq(under_way + window.beat.strobe - window.outcome.strobe)
        level, offered = inside["queue.inner_level"], inside["queue.r_rdy"]
        self._lemma(m, accepted + left <= self._board.beat_window, offered | (level <= 1))
        return under_way

    def _follow_marked(self, m: Module, inside: Opened, produced: Signal) -> None:
        """Follow the record that the solver marks until it is acknowledged."""
        window, records = self.window, self.window.records
        number_bits = self._board.machine.sequence_bits
        pick, marked, addressed = Signal(), Signal(), Signal()
        payload = Signal(record_bits(self._board.machine))
        number, place, forgotten = (Signal.like(records.next) for _ in range(3))
        m.d.comb += [
            pick.eq(AnySeq(1)),
            place.eq(number - records.oldest),
            forgotten.eq(records.until - records.oldest),
        ]
        with m.If(~marked & window.outcome.strobe & pick):
            record = Value.cast(window.outcome.record)[number_bits:]
            m.d.sync += [marked.eq(1), number.eq(records.next), payload.eq(record)]
        with m.Elif(records.acknowledge & (place < forgotten)):
            m.d.sync += marked.eq(0)
        # The memory shows what was addressed in the cycle before.
        m.d.sync += addressed.eq(marked & (records.sent == number))
        with m.If(addressed):
            m.d.comb += Assert(records.item == payload)
        m.d.comb += Cover(addressed & (records.oldest != 0))
        with m.If(marked):
            address = number[: exact_log2(self._board.beat_window)]
            word = inside.memory_word("records.memory", address)
            self._lemma(m, place < produced, word == payload)

    def _lemma(self, m: Module, *conditions: Value) -> None:
        """Assert what the induction needs, as `FrontEndBench.lemma` does."""
        if self._with_lemmas:
            m.d.comb += [Assert(condition) for condition in conditions]
