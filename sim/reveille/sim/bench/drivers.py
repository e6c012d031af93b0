"""Drivers: they put transactions on ports. Each call begins and ends at a falling edge."""

from collections.abc import Iterator, Sequence
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly

from reveille.hdl.parameters import MachineParameters
from reveille.sim.bench.clocking import cycles, until
from reveille.sim.bench.packing import pack_decision, pack_observation
from reveille.sim.programming import RegisterWrite


class StreamSource:
    """Source of a stream: it keeps its offer until it is taken.

    Args:
        dut: The top level.
        name: Member that is the stream.
        pauses: How many cycles to pause before each item.
    """

    def __init__(self, dut: Any, name: str, pauses: Iterator[int]) -> None:
        self._dut = dut
        self._valid = getattr(dut, f"{name}__valid")
        self._ready = getattr(dut, f"{name}__ready")
        self._payload = getattr(dut, f"{name}__payload")
        self._pauses = pauses

    async def send(self, payload: int) -> None:
        """Offer an item until it is taken."""
        await cycles(self._dut, next(self._pauses))
        self._payload.value = payload
        self._valid.value = 1
        taken = False
        while not taken:
            await ReadOnly()
            taken = bool(self._ready.value)
            await FallingEdge(self._dut.clk)
        self._valid.value = 0


class StreamSink:
    """Sink of a stream that is ready when it likes.

    Args:
        dut: The top level.
        name: Member that is the stream.
        ready: Whether it is ready, cycle by cycle.
    """

    def __init__(self, dut: Any, name: str, ready: Iterator[bool]) -> None:
        self._dut = dut
        self._port = getattr(dut, f"{name}__ready")
        self._ready = ready
        cocotb.start_soon(self._run())

    async def _run(self) -> None:
        while True:
            self._port.value = next(self._ready)
            await FallingEdge(self._dut.clk)


class RegisterDriver:
    """Initiator on the register bus."""

    def __init__(self, dut: Any) -> None:
        self._dut = dut

    async def write(self, address: int, value: int) -> None:
        """Write a register."""
        dut = self._dut
        dut.registers__address.value = address
        dut.registers__write_data.value = value
        dut.registers__write.value = 1
        await FallingEdge(dut.clk)
        dut.registers__write.value = 0

    async def write_all(self, writes: Sequence[RegisterWrite]) -> None:
        """Write one register after the other."""
        for address, value in writes:
            await self.write(address, value)

    async def read(self, address: int) -> int:
        """Read a register."""
        self._dut.registers__address.value = address
        await FallingEdge(self._dut.clk)
        value: int = self._dut.registers__read_data.value.to_unsigned()
        return value


class BeatDriver:
    """Source of beats."""

    def __init__(self, dut: Any, parameters: MachineParameters) -> None:
        self._dut = dut
        self._parameters = parameters

    async def send(self, observation: Sequence[int]) -> None:
        """Send a beat as soon as there is room for it."""
        await until(self._dut, self._dut.beat__ready)
        await self.strobe(observation)

    async def strobe(self, observation: Sequence[int]) -> None:
        """Send a beat now, whether or not there is room, as a live source does."""
        dut = self._dut
        dut.beat__observations.value = pack_observation(self._parameters, observation)
        dut.beat__strobe.value = 1
        await FallingEdge(dut.clk)
        dut.beat__strobe.value = 0


class CpuDriver:
    """The CPU's side of the wake-up path."""

    def __init__(self, dut: Any, parameters: MachineParameters) -> None:
        self._dut = dut
        self._parameters = parameters

    async def take(self) -> int:
        """Sleep until the interrupt, acknowledge, and return the event's bits."""
        dut = self._dut
        await until(dut, dut.cpu__interrupt)
        await until(dut, dut.cpu__event__valid)
        bits: int = dut.cpu__event__payload.value.to_unsigned()
        dut.cpu__event__ready.value = 1
        await FallingEdge(dut.clk)
        dut.cpu__event__ready.value = 0
        return bits

    async def decide(self, sequence: int, decision: int) -> None:
        """Write a decision back."""
        dut = self._dut
        dut.cpu__decision__payload.value = pack_decision(self._parameters, sequence, decision)
        dut.cpu__decision__valid.value = 1
        await FallingEdge(dut.clk)
        dut.cpu__decision__valid.value = 0
