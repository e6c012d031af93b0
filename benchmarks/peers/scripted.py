"""Peers in Python: benches under cocotb (on Verilator), and Amaranth's own simulator."""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from reveille.hdl.contract import event_layout
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.top import EmulatedFrontEnd
from reveille.sim.bench.packing import pack_decision, pack_observation, unpack_event
from reveille.sim.cocotb_runner import build_simulator, run_bench
from reveille.sim.front_end import FrontEndConfiguration, Outcomes
from reveille.sim.interaction import Event
from reveille.sim.programming import programming_writes

FOLDER_VARIABLE = "REVEILLE_PEER_FOLDER"


def build_cocotb(parameters: MachineParameters) -> Path:
    """Verilate the front end for cocotb, its ports public."""
    return build_simulator(EmulatedFrontEnd(parameters))


def run_cocotb(
    simulator: Path, test: str, configuration: FrontEndConfiguration, observations: np.ndarray
) -> tuple[Outcomes, float]:
    """Run one of the benches of cocotb_bench.py; return records and processor time."""
    with tempfile.TemporaryDirectory(prefix="reveille-peer-") as name:
        folder = Path(name)
        np.savez(
            folder / "job.npz",
            parameters=np.array(configuration.parameters, dtype=object),
            writes=np.array(programming_writes(configuration)),
            observations=observations,
        )
        results = run_bench(
            simulator,
            "cocotb_bench",
            folder,
            Path(__file__).parent,
            {FOLDER_VARIABLE: name, "COCOTB_TEST_FILTER": f"{test}$"},
        )
        for result in results:
            if result.failure:
                raise RuntimeError(f"cocotb's {test} failed: {result.failure}")
        saved = np.load(folder / "result.npz")
        return _outcomes({key: saved[key] for key in saved.files}), float(saved["seconds"])


def run_amaranth(
    configuration: FrontEndConfiguration, observations: np.ndarray
) -> tuple[Outcomes, float]:
    """Stream beats through Amaranth's simulator; return records and processor time."""
    parameters = configuration.parameters
    front_end = EmulatedFrontEnd(parameters)
    records: list[Event] = []
    seconds = 0.0

    async def bench(ctx: Any) -> None:
        nonlocal seconds
        bus = front_end.registers
        ctx.set(bus.write, 1)
        for address, value in programming_writes(configuration):
            ctx.set(bus.address, address)
            ctx.set(bus.write_data, value)
            await ctx.tick()
        ctx.set(bus.write, 0)
        begin = time.process_time()
        await _stream(ctx, front_end, parameters, observations, records)
        seconds = time.process_time() - begin

    simulator = Simulator(front_end)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
    fields = {
        name: [getattr(r, name) for r in records] for name in event_layout(parameters).members
    }
    return _outcomes(fields), seconds


async def _stream(
    ctx: Any,
    front_end: EmulatedFrontEnd,
    parameters: MachineParameters,
    observations: np.ndarray,
    records: list[Event],
) -> None:
    beats = iter(observations.tolist())
    beat, decision = next(beats, None), None
    event, answer = front_end.cpu.event, front_end.cpu.decision
    while len(records) < len(observations):
        strobe = beat is not None and bool(ctx.get(front_end.beat.ready))
        ctx.set(front_end.beat.strobe, strobe)
        if strobe:
            packed = pack_observation(parameters, beat)
            ctx.set(front_end.beat.observations.as_value(), packed)
            beat = next(beats, None)
        ctx.set(answer.valid, decision is not None)
        if decision is not None:
            ctx.set(answer.payload.as_value(), decision)
            decision = None
        acknowledge = bool(ctx.get(event.valid))
        ctx.set(event.ready, acknowledge)
        if acknowledge:
            taken = unpack_event(parameters, ctx.get(event.payload.as_value()), 0)
            decision = pack_decision(parameters, taken.sequence, taken.winner)
        if ctx.get(front_end.outcome.strobe):
            bits = ctx.get(front_end.outcome.record.as_value())
            records.append(unpack_event(parameters, bits, len(records)))
        await ctx.tick()


def _outcomes(fields: dict[str, Any]) -> Outcomes:
    wide = {"sequence": np.uint32}
    names = ("sequence", "cause", "winner", "margin", "cycles", "scores")
    return Outcomes(**{n: np.asarray(fields[n]).astype(wide.get(n, np.uint8)) for n in names})
