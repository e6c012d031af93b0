"""The self-test's way to the array: single words, read as an inference reads them."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from reveille.hdl.interfaces import ArraySignature, SelfTestSignature
from reveille.hdl.parameters import MachineParameters


class SelfTest(wiring.Component):
    """Stands between a front end and its array, and reads words while the machine stands still.

    A read of its own goes through the pads as that of an inference does, with every column at the
    observation of the word at ``LIKELIHOOD_ADDRESS``, which the programming side shows; of the
    answer it picks that word. Where the array still owes the answer to an earlier read, whoever
    asked for that, it waits for it first. The front end sees all answers: ask only while its
    machine stands still, which pays no heed to them then. All else passes through in its own cycle.
    Reset forgets what is owed.

    Members:
        front_end: The front end's side of the array.
        array: The array.
        test: Reads of single words.
    """

    def __init__(self, parameters: MachineParameters) -> None:
        self.parameters = parameters
        super().__init__(
            {
                "front_end": In(ArraySignature(parameters)),
                "array": Out(ArraySignature(parameters)),
                "test": In(SelfTestSignature(parameters)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Describe the logic."""
        m = Module()
        parameters, front_end, array, test = self.parameters, self.front_end, self.array, self.test
        cells = parameters.rows * parameters.columns
        observation = front_end.write_address[: parameters.address_bits]
        cell = front_end.write_address[parameters.address_bits :]
        # As an index of the layout the choice would become a shifter, a tenth larger on an iCE40.
        words = Array(array.words[number] for number in range(cells))
        owed, asked = Signal(), Signal()
        starts = test.read & test.exists & ~owed
        m.d.comb += [
            array.read.eq(front_end.read | starts),
            array.write.eq(front_end.write),
            array.write_address.eq(front_end.write_address),
            array.write_word.eq(front_end.write_word),
            front_end.valid.eq(array.valid),
            front_end.words.eq(array.words),
            front_end.fault.eq(array.fault),
            test.exists.eq(cell < cells),
            test.valid.eq(array.valid & asked),
            test.unreliable.eq(array.fault),
            test.word.eq(words[cell]),
        ]
        for column in range(parameters.columns):
            passed = front_end.address[column]
            m.d.comb += array.address[column].eq(Mux(test.read, observation, passed))
        with m.If(array.read):
            m.d.sync += owed.eq(1)
        with m.Elif(array.valid):
            m.d.sync += owed.eq(0)
        m.d.sync += asked.eq(test.read & (asked | starts))
        return m


def connect_array(
    m: Module,
    parameters: MachineParameters,
    front_end: wiring.PureInterface,
    array: wiring.PureInterface,
    test: wiring.PureInterface | None,
) -> None:
    """Join a front end to its array, with a self-test between them where there is one.

    Args:
        m: Module of both.
        parameters: Dimensions.
        front_end: The front end's array port.
        array: The array.
        test: The module's own port for the self-test, or None.
    """
    if test is None:
        wiring.connect(m, front_end, array)
        return
    m.submodules.self_test = self_test = SelfTest(parameters)
    wiring.connect(m, front_end, self_test.front_end)
    wiring.connect(m, self_test.array, array)
    wiring.connect(m, wiring.flipped(test), self_test.test)
