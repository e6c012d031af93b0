"""Checks of the front end: its records and its state are those of the twin."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import Cause, Register
from reveille.hdl.link.contract import (
    STREAM_REQUEST,
    Command,
    LinkRegister,
    Status,
    beats_a_request,
)
from reveille.hdl.parameters import Machine, Mode
from reveille.host.board.client import BoardClient
from reveille.host.board.errors import BoardRefusedError
from reveille.host.board.front_end import BoardFrontEnd, resumed_stream
from reveille.host.board.stream import Block
from reveille.host.conformance.bench import (
    Bench,
    CheckError,
    expect,
    expect_equal,
    expect_outcomes,
)
from reveille.host.conformance.link_checks import POLLS
from reveille.sim.front_end import FrontEndConfiguration, Outcomes, ReadErrors, joined
from reveille.sim.link.payloads import pack_beats
from reveille.sim.programming import read_error_writes
from reveille.sim.read_errors import word_flips
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


def self_test(bench: Bench) -> None:
    """Words read back are those written, read errors included; no beat is disturbed."""
    configuration = bench.configuration()
    words = configuration.likelihoods
    numbers = [*range(words.size), *bench.rng.integers(0, words.size, 20).tolist()]
    twin, beats = TwinFrontEnd(configuration), bench.stimuli(bench.beats // 4)
    half = len(beats) // 2
    with bench.front_end(configuration) as board:
        client = board.client
        _expect_refused(client, 0, Status.RUNNING, "while the machine runs")
        for part in (beats[:half], beats[half:]):
            client.write_registers([(Register.CONTROL, 0)])
            found = client.self_test(numbers)
            expect_equal("words read", found, [(0, word) for word in words.flat[numbers].tolist()])
            if words.size & (words.size - 1):
                _expect_refused(client, words.size, Status.OUT_OF_RANGE, "past the last word")
            client.write_registers([(Register.CONTROL, 1)])
            expect_outcomes(board.infer(part), twin.infer(part), "after a self-test")
        expect_equal("ARRAY_READS", client.read_register(Register.ARRAY_READS), len(beats))
        if bench.board.machine.read_errors:
            _self_test_with_errors(client, replace(configuration, read_errors=ReadErrors(0.02, 5)))


def _self_test_with_errors(client: BoardClient, configuration: FrontEndConfiguration) -> None:
    machine, words = client.board.machine, configuration.likelihoods
    drawn = configuration.read_errors
    start = [(Register.CONTROL, 0), *read_error_writes(configuration)]
    client.write_registers([*start, (Register.READ_ERROR_NUMBER, 0)])
    flips = word_flips(machine, drawn.rate_word, drawn.seed, 0, words.size)
    own = flips.reshape(words.size, -1)[
        np.arange(words.size), np.arange(words.size) // machine.words
    ]
    found = [word for _, word in client.self_test(range(words.size))]
    expect_equal("words read with read errors", found, (words.ravel() ^ own).tolist())
    following = client.read_register(Register.READ_ERROR_NUMBER)
    expect_equal("READ_ERROR_NUMBER after them", following, words.size)


def _expect_refused(client: BoardClient, number: int, status: Status, where: str) -> None:
    try:
        client.self_test([number])
    except BoardRefusedError as refusal:
        expect_equal(f"the reply to a self-test {where}", refusal.status, status)
    else:
        raise CheckError(f"a self-test {where} is not refused")


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
    if check is self_test:
        return bench.board.self_test
    return machine.read_errors if check is read_errors else True
