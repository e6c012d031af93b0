"""A die of likelihood memories, as the pads show it: fast, slow, silent or faulty."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from reveille.hdl.parameters import MachineParameters
from reveille.sim.bench.clocking import cycles
from reveille.sim.bench.packing import pack, unpack


class Answer(Enum):
    """How the die answers a read."""

    WORDS = "words"
    FAULT = "fault"
    NONE = "none"


class DieModel:
    """Answers the reads of a machine.

    Args:
        dut: A machine with an ``array`` member.
        parameters: Its dimensions.
        likelihoods: Likelihood words, uint8, shape (rows, columns, words).
        latencies: Cycles from each read to its answer, at least 1.
        answers: How each read is answered.
    """

    def __init__(
        self,
        dut: Any,
        parameters: MachineParameters,
        likelihoods: NDArray[np.uint8],
        latencies: Iterator[int],
        answers: Iterator[Answer],
    ) -> None:
        self._dut = dut
        self._parameters = parameters
        self._likelihoods = likelihoods
        self._latencies = latencies
        self._answers = answers
        cocotb.start_soon(self._run())

    async def _run(self) -> None:
        dut = self._dut
        while True:
            await FallingEdge(dut.clk)
            await ReadOnly()
            if not dut.array__read.value:
                continue
            words = self._read(dut.array__address.value.to_unsigned())
            answer = next(self._answers)
            await cycles(dut, next(self._latencies))
            if answer is Answer.NONE:
                continue
            dut.array__words.value = words
            dut.array__fault.value = answer is Answer.FAULT
            dut.array__valid.value = 1
            await FallingEdge(dut.clk)
            dut.array__valid.value = 0
            dut.array__fault.value = 0

    def _read(self, address: int) -> int:
        parameters = self._parameters
        observation = unpack(address, parameters.address_bits, parameters.columns)
        words = self._likelihoods[:, np.arange(parameters.columns), observation]
        return pack(words.ravel().tolist(), parameters.word_bits)
