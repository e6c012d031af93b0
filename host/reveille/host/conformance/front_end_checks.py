"""Checks of the front end: its records and its state are those of the twin."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause, Register
from reveille.hdl.link.contract import (
    STREAM_REQUEST,
    Command,
    LinkRegister,
    beats_a_request,
)
from reveille.hdl.parameters import Machine, Mode
from reveille.host.board.front_end import BoardFrontEnd, resumed_stream
from reveille.host.board.stream import Block
from reveille.host.conformance.bench import Bench, expect, expect_equal, expect_outcomes
from reveille.host.conformance.link_checks import POLLS
from reveille.sim.front_end import FrontEndConfiguration, Outcomes, ReadErrors, joined
from reveille.sim.link.payloads import pack_beats
from reveille.sim.twin import TwinFrontEnd

WAKE_COUNTERS = {
    Register.WAKE_INVALID: Cause.INVALID,
    Register.WAKE_AMBIGUOUS: Cause.AMBIGUOUS,
    Register.WAKE_ABNORMAL: Cause.ABNORMAL,
    Register.WAKE_AUDIT: Cause.AUDIT,
}


def full_mode(bench: Bench) -> None:
    """Records and state are the twin's, in full mode."""
    _compare(bench, bench.configuration())


def race_mode(bench: Bench) -> None:
    """Records and state are the twin's, in race mode with several counts."""
    for race_count in (1, 3):
        _compare(bench, bench.configuration(Mode.RACE, race_count=race_count))


def policies(bench: Bench) -> None:
    """Budget, threshold, normal rows, audits and reseeding do what they say."""
    machine = bench.board.machine
    for policy in (
        {"budget": max(1, machine.period // 3)},
        {"budget": 1},
        {"threshold": max(1, machine.period // 8)},
        {"normal_rows": ()},
        {"normal_rows": tuple(range(machine.rows)), "audit_rate": 0.5},
        {"reseed": True},
    ):
        _compare(bench, bench.configuration(**policy), bench.beats // 4, f"with {policy}")


def changes(bench: Bench) -> None:
    """Words and policy may change between beats; the LFSRs run on."""
    configuration, other = bench.configuration(), bench.configuration()
    with bench.front_end(configuration) as board:
        twin = TwinFrontEnd(configuration)
        for changed in (
            configuration.with_policy(threshold=3),
            replace(configuration, likelihoods=other.likelihoods),
        ):
            board.configuration = twin.configuration = changed
            beats = bench.stimuli(bench.beats // 4)
            expect_outcomes(board.infer(beats), twin.infer(beats), "after a change")
            expect_equal("the state", board.state, twin.state)


def counters(bench: Bench) -> None:
    """Counters add up, and clear."""
    configuration, beats = bench.configuration(), bench.stimuli()
    expected = TwinFrontEnd(configuration).infer(beats)
    with bench.front_end(configuration) as board:
        board.infer(beats)
        found = board.counters()
        wanted = {
            Register.INFERENCES: len(beats),
            Register.ARRAY_READS: len(beats),
            Register.FRONT_END_CYCLES: int(expected.cycles.sum(dtype=np.int64)),
            Register.DECISIONS: int(expected.wakes.sum()),
            Register.OVERRUNS: 0,
            Register.RERAISES: 0,
            Register.DECISION_ERRORS: 0,
            **{r: int((expected.cause == cause).sum()) for r, cause in WAKE_COUNTERS.items()},
        }
        for register, value in wanted.items():
            expect_equal(register.name, found[register], value)
        board.client.write_registers([(Register.CLEAR_COUNTERS, 1)])
        expect_equal("INFERENCES, cleared", board.counters()[Register.INFERENCES], 0)


def held_back(bench: Bench) -> None:
    """Where nobody decides the machine stands still, and nothing is lost."""
    configuration = bench.configuration(normal_rows=())
    machine = bench.board.machine
    most = machine.fifo_depth + 1
    beats = bench.stimuli(min(bench.board.beat_window, most + 8))
    size = beats_a_request(bench.board)
    with bench.front_end(configuration) as board:
        for start in range(0, len(beats), size):
            part = beats[start : start + size]
            head = STREAM_REQUEST.pack({"records": 0, "decisions": 0, "beats": len(part)})
            board.client.request(Command.STREAM, head + pack_beats(part, machine))
        wanted, recorded = min(most, len(beats)), 0
        for _ in range(POLLS):
            recorded = board.client.read_register(LinkRegister.RECORDS)
            if recorded >= wanted:
                break
        expect_equal("records without decisions", recorded, wanted)
    with bench.client() as client:
        stream = resumed_stream(client, 0, 0)
        expect(stream is not None, "the beats are gone in the next session")
        found: list[Outcomes] = []

        def answer(block: Block) -> NDArray[np.uint8]:
            found.append(block.outcomes)
            return block.outcomes.winner[block.outcomes.wakes]

        BoardFrontEnd(client, configuration, stream=stream).stream(beats, answer, begin=0)
        expected = TwinFrontEnd(configuration).infer(beats)
        expect_outcomes(joined(found), expected, "after decisions came")


def read_errors(bench: Bench) -> None:
    """Read errors are the twin's, in a build that draws them."""
    configuration = bench.configuration()
    if bench.board.machine.read_errors:
        drawn = replace(configuration, read_errors=ReadErrors(0.01, seed=5))
        _compare(bench, drawn, bench.beats // 2)


def _compare(
    bench: Bench,
    configuration: FrontEndConfiguration,
    count: int | None = None,
    where: str = "from reset",
) -> None:
    beats = bench.stimuli(count)
    twin = TwinFrontEnd(configuration)
    with bench.front_end(configuration) as board:
        half = len(beats) // 2
        for part in (beats[:half], beats[half:]):
            expect_outcomes(board.infer(part), twin.infer(part), where)
        expect_equal(f"the state {where}", board.state, twin.state)


def applies(check: object, bench: Bench) -> bool:
    """Whether a build has what a check is about."""
    machine = bench.board.machine
    if check is race_mode:
        return machine.machine is Machine.STOCHASTIC
    return machine.read_errors if check is read_errors else True
