"""The whole system under cocotb, the back end behind the wake-up interrupt.

cocotb runs inside a simulator process of its own (`reveille.sim.bench.closed_loop_bench`). The two
processes talk over a local connection: the job goes there, each event comes back here, where the
back end lives, and the simulation stands still until it has answered.
"""

import secrets
import socket
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection, Listener
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Register
from reveille.hdl.errors import ReveilleError
from reveille.hdl.parameters import MachineParameters
from reveille.hdl.top import EmulatedFrontEnd
from reveille.sim.cocotb_runner import BenchResult, build_simulator, run_bench
from reveille.sim.front_end import FrontEndConfiguration, MachineState, Outcomes, check_observations
from reveille.sim.interaction import Decide, Event, check_decisions
from reveille.sim.waves import wave_arguments

BENCH = "reveille.sim.bench.closed_loop_bench"
"""Module that cocotb runs."""

ADDRESS_VARIABLE = "REVEILLE_LOOP_ADDRESS"
"""Environment variable with the address of the connection."""

KEY_VARIABLE = "REVEILLE_LOOP_KEY"
"""Environment variable with the connection's key, in hexadecimal."""


class BenchError(ReveilleError):
    """The bench found a difference between the hardware and what it must do."""


@dataclass(frozen=True)
class Job:
    """What the bench gets.

    Attributes:
        configuration: Build, words, seeds and operating point.
        observations: Word addresses, uint8, shape (n, columns).
        decisions: Prepared decisions, uint8, shape (n,); None where the back end is asked.
        service_cycles: Clock cycles from acknowledge to decision.
    """

    configuration: FrontEndConfiguration
    observations: NDArray[np.uint8]
    decisions: NDArray[np.uint8] | None
    service_cycles: int


@dataclass(frozen=True)
class ClosedLoop:
    """What the bench saw; it has checked every part of it against the twin.

    Attributes:
        outcomes: A record a beat.
        decisions: What the back end answered, int16, shape (n,); -1 where it slept.
        counters: Hardware counters at the end.
        state: LFSRs and sequence at the end.
        clocks: Clock cycles from reset to the last decision.
    """

    outcomes: Outcomes
    decisions: NDArray[np.int16]
    counters: dict[Register, int]
    state: MachineState
    clocks: int


def run_closed_loop(
    configuration: FrontEndConfiguration,
    observations: NDArray[np.uint8],
    decisions: NDArray[np.uint8] | Decide,
    waves: Path | None = None,
    service_cycles: int = 100,
    seed: int | None = None,
) -> ClosedLoop:
    """Run the closed loop and check every record, event, decision and counter against the twin.

    With decisions prepared, beats stream in as fast as the front end takes them, while the CPU is
    in service. With a back end to ask, each beat is dealt with before the next one comes, as in
    life, so that an answer may change the operating point of the beats that follow.

    Args:
        configuration: Build, words, seeds and operating point.
        observations: Word addresses, uint8, shape (n, columns).
        decisions: What the back end answers to each beat, uint8, shape (n,); or the back end
            itself, called in this process at each interrupt.
        waves: File for the waves, ending in ``.vcd`` or ``.fst``.
        service_cycles: Clock cycles from acknowledge to decision, at least 1.
        seed: Seed of cocotb.

    Raises:
        BenchError: Hardware and twin disagree.
        ReveilleError: A tool is missing, or arguments do not fit.
    """
    check_observations(observations, configuration.parameters)
    prepared = None if callable(decisions) else decisions
    if prepared is not None:
        check_decisions(prepared, len(observations))
    job = Job(configuration, observations, prepared, service_cycles)
    wave_kind = waves.suffix if waves else None
    wave_arguments(wave_kind)  # A mistake is told before the work starts.
    simulator = _simulator(configuration.parameters, wave_kind)
    with tempfile.TemporaryDirectory(prefix="reveille-loop-") as folder:
        work = Path(folder)
        key = secrets.token_bytes(16)
        address = str(work / "connection")
        with (
            Listener(address, "AF_UNIX", authkey=key) as listener,
            ThreadPoolExecutor(max_workers=1) as executor,
        ):
            bench = executor.submit(
                run_bench,
                simulator,
                BENCH,
                work,
                environment={ADDRESS_VARIABLE: address, KEY_VARIABLE: key.hex()},
                waves=waves,
                seed=seed,
            )
            bench.add_done_callback(lambda _: _knock(address))
            result = _serve(listener, job, decisions if callable(decisions) else None)
        return _verdict(bench, result)


@cache
def _simulator(parameters: MachineParameters, wave_kind: str | None) -> Path:
    return build_simulator(EmulatedFrontEnd(parameters), wave_kind)


def _knock(address: str) -> None:
    """Connect and hang up: a listener whose simulation died must not wait for ever."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(address)


def _serve(listener: Listener, job: Job, decide: Decide | None) -> ClosedLoop | None:
    """Talk to the bench until it hangs up; return its result if it has sent one."""
    with suppress(EOFError, OSError), listener.accept() as connection:
        connection.send(job)
        return _answer_events(connection, decide)
    return None


def _answer_events(connection: Connection, decide: Decide | None) -> ClosedLoop:
    while True:
        message = connection.recv()
        if isinstance(message, ClosedLoop):
            return message
        if not isinstance(message, Event) or decide is None:
            raise ReveilleError(f"The bench sent {message!r}, which nobody asked for.")
        connection.send(decide(message))


def _verdict(bench: "Future[list[BenchResult]]", result: ClosedLoop | None) -> ClosedLoop:
    for test in bench.result():
        if test.failure is not None:
            raise BenchError(f"The closed loop failed (cocotb seed {test.seed}): {test.failure}")
    if result is None:
        raise BenchError("The closed loop ended without a result.")
    return result
