"""cocotb benches that stream beats through the front end: one wakes each cycle, one at handshakes.

Runs inside the simulator, started by cocotb_peer.py. Only the streaming is timed.
"""

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from reveille.hdl.contract import event_layout
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.top import EmulatedFrontEnd
from reveille.sim.bench.clocking import inputs_of, start
from reveille.sim.bench.drivers import BeatDriver, CpuDriver, RegisterDriver
from reveille.sim.bench.monitors import OutcomeMonitor
from reveille.sim.bench.packing import pack_decision, pack_observation, unpack_event
from reveille.sim.interaction import Event

FOLDER_VARIABLE = "REVEILLE_PEER_FOLDER"

Bench = Callable[[Any, MachineParameters, np.ndarray], Awaitable[list[Event]]]


async def timed(dut: Any, bench: Bench) -> None:
    """Program the front end, let a bench stream the beats, and save what it saw and its time."""
    folder = Path(os.environ[FOLDER_VARIABLE])
    job = np.load(folder / "job.npz", allow_pickle=True)
    parameters = job["parameters"].item()
    await start(dut, inputs_of(EmulatedFrontEnd(parameters).signature))
    await RegisterDriver(dut).write_all(job["writes"].tolist())
    begin = time.process_time()
    events = await bench(dut, parameters, job["observations"])
    seconds = time.process_time() - begin
    fields = {
        name: [getattr(event, name) for event in events]
        for name in event_layout(parameters).members
    }
    np.savez(folder / "result.npz", seconds=seconds, **fields)


@cocotb.test()
async def naive(dut: Any) -> None:
    """Wake at every clock cycle and look at every handshake."""
    await timed(dut, each_cycle)


@cocotb.test()
async def event_driven(dut: Any) -> None:
    """Sleep until a handshake; the clock ticks inside cocotb's C++ layer."""
    await timed(dut, each_handshake)


async def each_cycle(
    dut: Any, parameters: MachineParameters, observations: np.ndarray
) -> list[Event]:
    """Return the records of all beats."""
    beats = iter(observations.tolist())
    beat, decision = next(beats, None), None
    records: list[Event] = []
    while len(records) < len(observations):
        strobe = beat is not None and bool(dut.beat__ready.value)
        dut.beat__strobe.value = strobe
        if strobe:
            dut.beat__observations.value = pack_observation(parameters, beat)
            beat = next(beats, None)
        dut.cpu__decision__valid.value = decision is not None
        if decision is not None:
            dut.cpu__decision__payload.value = decision
            decision = None
        acknowledge = bool(dut.cpu__event__valid.value)
        dut.cpu__event__ready.value = acknowledge
        if acknowledge:
            event = unpack_event(parameters, dut.cpu__event__payload.value.to_unsigned(), 0)
            decision = pack_decision(parameters, event.sequence, event.winner)
        if dut.outcome__strobe.value:
            bits = dut.outcome__record.value.to_unsigned()
            records.append(unpack_event(parameters, bits, len(records)))
        await FallingEdge(dut.clk)
    return records


async def each_handshake(
    dut: Any, parameters: MachineParameters, observations: np.ndarray
) -> list[Event]:
    """Return the records of all beats."""
    records: list[Event] = []
    done = cocotb.triggers.Event()

    def keep(record: Event) -> None:
        records.append(record)
        if len(records) == len(observations):
            done.set()

    async def serve() -> None:
        cpu = CpuDriver(dut, parameters)
        while True:
            event = unpack_event(parameters, await cpu.take(), 0)
            await cpu.decide(event.sequence, event.winner)

    OutcomeMonitor(dut, parameters, keep)
    cocotb.start_soon(serve())
    driver = BeatDriver(dut, parameters)
    for observation in observations.tolist():
        await driver.send(observation)
    await done.wait()
    return records
