"""What was measured survives the host, the board and the line; nothing is measured twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reveille.hdl.contract import Register
from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import MemorySpace
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.hdl.softcore.contract import (
    CORE_COUNTERS,
    SLOT_WORDS,
    CoreRegister,
    SlotWord,
    SoftCoreParameters,
)
from reveille.hdl.softcore.registers import build_word
from reveille.host.board.client import BoardClient
from reveille.host.board.port import Port, PortError
from reveille.host.board.stream import Block
from reveille.host.measurement import streaming as streaming_module
from reveille.host.measurement.figures import soft_core_figures
from reveille.host.measurement.journal import ASLEEP, RECORDS, STATE, Journal
from reveille.host.measurement.streaming import (
    SoftCoreBackEnd,
    Streamed,
    Streaming,
    state_after,
)
from reveille.sim.front_end import FrontEndConfiguration, Policy, ReadErrors
from reveille.sim.link.device import LinkDevice
from reveille.sim.softcore.simulation import INPUT_WORDS
from reveille.sim.twin import TwinFrontEnd

from ..board.ports import DevicePort

MACHINE = MachineParameters(
    rows=3, columns=2, address_bits=2, word_bits=4, fifo_depth=32, sequence_bits=8
)
BOARD = BoardParameters(MACHINE, beat_window=64)
BEATS = 700
"""More than the beat numbers hold, so that they wrap."""


def configuration(mode: Mode = Mode.RACE, **policy: object) -> FrontEndConfiguration:
    rng = np.random.default_rng(1)
    return FrontEndConfiguration(
        parameters=MACHINE,
        likelihoods=rng.integers(4, 16, (3, 2, 4), dtype=np.uint8),
        seeds=(3, 9),
        policy=Policy(**{"mode": mode, "budget": 15, "audit_rate": 0.1, **policy}),  # type: ignore[arg-type]
        audit_seed=77,
    )


OBSERVATIONS = np.random.default_rng(2).integers(0, 4, (BEATS, 2), dtype=np.uint8)
ANSWERS = np.random.default_rng(3).integers(0, 16, BEATS, dtype=np.uint8)


class KilledError(BaseException):
    """Stands for the end of a program."""


class Watcher:
    """Looks on, and does something at a chosen beat."""

    def __init__(self, at: int = BEATS + 1, act: object = None) -> None:
        self.at, self.act, self.notes = at, act, list[str]()

    def records(self, block: Block, decisions: np.ndarray) -> None:
        if self.act and block.first + len(decisions) >= self.at:
            act, self.act = self.act, None
            act()

    def note(self, message: str) -> None:
        self.notes.append(message)


def stream(
    folder: Path,
    open_port: object,
    watcher: Watcher,
    wanted: FrontEndConfiguration | None = None,
    decide: object = lambda block: ANSWERS[block.woken],
) -> Streamed:
    journal = Journal(folder, {"what": "test"}, MACHINE.rows)
    try:
        return Streaming(
            open_port,
            wanted or configuration(),
            OBSERVATIONS,
            decide,
            journal,
            watcher,
        ).run()
    finally:
        journal.close()


def check(
    folder: Path, wanted: FrontEndConfiguration | None = None, answers: np.ndarray = ANSWERS
) -> Journal:
    """Compare what is in the journal with the twin; return the journal."""
    journal = Journal(folder, {"what": "test"}, MACHINE.rows)
    expected = TwinFrontEnd(wanted or configuration()).infer(OBSERVATIONS)
    assert journal.outcomes(MACHINE.sequence_bits).first_difference(expected) is None
    items = journal.items()
    assert np.array_equal(items["decision"], np.where(expected.wakes, answers, ASLEEP))
    assert (np.diff(items["time_s"]) >= 0).all()
    journal.close()
    return journal


def kill() -> None:
    raise KilledError


def test_a_host_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    device, folder = LinkDevice(BOARD), tmp_path / "run"
    for at in (1, 100, 101, 400):
        with pytest.raises(KilledError):
            stream(folder, lambda: DevicePort(device), Watcher(at, kill))
    # A record that was being written when the program died is no record.
    with (folder / RECORDS).open("ab") as file:
        file.write(b"half")
    watcher = Watcher()
    streamed = stream(folder, lambda: DevicePort(device), watcher)
    assert any("with what is on the board" in note for note in watcher.notes)
    journal = check(folder)
    assert journal.position.programmed == 1
    assert journal.position.repeated > 0, "what was not acknowledged came again and counts once"
    assert streamed.counters["INFERENCES"] == BEATS, "none was screened twice"
    assert streamed.counters["DECISIONS"] == int((journal.items()["decision"] != ASLEEP).sum())


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("reseed", [False, True])
def test_a_board_that_was_reset_gets_its_state_back(
    tmp_path: Path, mode: Mode, reseed: bool
) -> None:
    device, wanted = LinkDevice(BOARD), configuration(mode, reseed=reseed)
    with pytest.raises(KilledError):
        stream(tmp_path / "run", lambda: DevicePort(device), Watcher(300, kill), wanted)
    device.reset()
    watcher = Watcher()
    stream(tmp_path / "run", lambda: DevicePort(device), watcher, wanted)
    assert any("programming the board anew" in note for note in watcher.notes)
    assert check(tmp_path / "run", wanted).position.programmed == 2


def test_a_board_that_another_program_used_is_programmed_anew(tmp_path: Path) -> None:
    device = LinkDevice(BOARD)
    with pytest.raises(KilledError):
        stream(tmp_path / "run", lambda: DevicePort(device), Watcher(300, kill))
    BoardClient(DevicePort(device))
    stream(tmp_path / "run", lambda: DevicePort(device), Watcher())
    assert check(tmp_path / "run").position.programmed == 2


def test_a_port_that_goes_away_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming_module, "PAUSE_S", 0.0)
    device, ports = LinkDevice(BOARD), list[DevicePort]()
    missing = 0

    def open_port() -> Port:
        nonlocal missing
        if missing:
            missing -= 1
            raise PortError("There is no port device.")
        ports.append(DevicePort(device))
        return ports[-1]

    def unplug() -> None:
        nonlocal missing
        ports[-1].gone, missing = True, 3
        device.reset()

    watcher = Watcher(250, unplug)
    streamed = stream(tmp_path / "run", open_port, watcher)
    check(tmp_path / "run")
    assert streamed.reconnections == 4
    assert (
        "The port device is gone; plug the board in again. Looking for it again." in watcher.notes
    )


def test_a_board_that_does_not_come_back_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming_module, "RECONNECT_S", 0.0)
    monkeypatch.setattr(streaming_module, "PAUSE_S", 0.001)
    port = DevicePort(LinkDevice(BOARD))

    def unplug() -> None:
        port.gone = True

    with pytest.raises(PortError, match="is gone"):
        stream(tmp_path / "run", lambda: port, Watcher(250, unplug))
    assert Journal(tmp_path / "run", {"what": "test"}, MACHINE.rows).stored >= 250


def test_a_port_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    def open_port() -> Port:
        raise PortError("There is no port.")

    with pytest.raises(PortError):
        stream(tmp_path / "run", open_port, Watcher())


CORE = SoftCoreParameters(mailbox_slots=3)
INPUTS = np.random.default_rng(4).integers(0, 1 << 32, (BEATS, INPUT_WORDS), dtype=np.uint32)
IMAGE = b"firmware!"


def device_with_a_core() -> LinkDevice:
    """A board whose soft core decides the sum of a beat's inputs, once they are in a slot."""

    def decide(sequence: int) -> int | None:
        mailbox, memory = MemorySpace.MAILBOX, device.memory
        filled = [memory.get((mailbox, slot * SLOT_WORDS)) for slot in range(CORE.mailbox_slots)]
        if sequence not in filled:
            return None
        base = filled.index(sequence) * SLOT_WORDS
        words = [memory[mailbox, base + SlotWord.RESIDUAL + i] for i in range(INPUT_WORDS)]
        del memory[mailbox, base]
        return sum(words) % 16

    device = LinkDevice(replace(BOARD, soft_core=True), decide)
    device.registers[CoreRegister.BUILD] = build_word(CORE)
    return device


def soft_core() -> SoftCoreBackEnd:
    def build(machine: MachineParameters, core: SoftCoreParameters) -> bytes:
        assert (machine, core) == (MACHINE, CORE)
        return IMAGE

    return SoftCoreBackEnd(INPUTS, build)


SUMS = (INPUTS.sum(axis=1, dtype=np.uint64) % 16).astype(np.uint8)


def test_a_board_that_decides_is_given_the_inputs_of_its_wake_ups(tmp_path: Path) -> None:
    device = device_with_a_core()
    streamed = stream(tmp_path / "run", lambda: DevicePort(device), Watcher(), decide=soft_core())
    check(tmp_path / "run", answers=SUMS)
    written = b"".join(
        device.memory[MemorySpace.FIRMWARE, i].to_bytes(4, "little") for i in range(3)
    )
    assert written == IMAGE.ljust(12, b"\0")
    assert streamed.link_errors["STALE_DECISIONS"] == 0
    assert {"INFERENCES", "CORE_SERVICES"} <= set(streamed.counters)


def test_a_board_that_decides_is_programmed_anew_for_the_next_host(tmp_path: Path) -> None:
    device, folder = device_with_a_core(), tmp_path / "run"
    for at in (1, 300):
        with pytest.raises(KilledError):
            stream(folder, lambda: DevicePort(device), Watcher(at, kill), decide=soft_core())
    stream(folder, lambda: DevicePort(device), Watcher(), decide=soft_core())
    position = check(folder, answers=SUMS).position
    assert (position.programmed, position.repeated) == (3, 0)


def test_a_board_that_cannot_decide_is_refused_before_it_is_touched(tmp_path: Path) -> None:
    device = LinkDevice(BOARD)
    with pytest.raises(ReveilleError, match="has no soft core; let the host decide"):
        stream(tmp_path / "run", lambda: DevicePort(device), Watcher(), decide=soft_core())
    assert BoardClient(DevicePort(device)).read_register(Register.CONTROL) == 0


def test_a_soft_core_that_stands_still_is_told(tmp_path: Path) -> None:
    device = LinkDevice(replace(BOARD, soft_core=True), lambda sequence: None)
    device.registers |= {
        CoreRegister.BUILD: build_word(CORE),
        CoreRegister.STATUS: 0b1000,
        CoreRegister.FAULT: 2,
    }
    said = r"makes no progress: a trap \(mcause 0x2\) stopped its firmware"
    with pytest.raises(ReveilleError, match=said):
        stream(tmp_path / "run", lambda: DevicePort(device), Watcher(), decide=soft_core())


def test_what_the_counters_say_of_a_soft_core() -> None:
    counters = {f"CORE_{register.name}": 0 for register in CORE_COUNTERS}
    assert soft_core_figures({}, 12_000_000, None) is None
    idle = soft_core_figures(counters, 12_000_000, SoftCoreParameters())
    assert idle is not None
    assert idle["service_cycles"] is None
    counters |= {"CORE_SERVICES": 4, "CORE_SERVICE_CYCLES": 480_000, "CORE_WAKE_UPS": 8}
    counters |= {"CORE_WAKE_LATENCY": (1 << 32) - 1, "CORE_LONGEST_WAKE_LATENCY": 22}
    figures = soft_core_figures(counters, 12_000_000, SoftCoreParameters())
    assert figures == {
        "services": 4,
        "service_cycles": 120_000.0,
        "service_ms": 10.0,
        "wake_ups": 8,
        "wake_latency_cycles": None,
        "longest_wake_latency_cycles": 22,
    }


@pytest.mark.parametrize("beats", [0, 1, 299])
def test_the_state_follows_from_the_records(beats: int) -> None:
    machine = replace(MACHINE, read_errors=True)
    for wanted in (
        configuration(),
        configuration(reseed=True),
        configuration(Mode.FULL),
        replace(configuration(), parameters=machine, read_errors=ReadErrors(0.05, 2)),
    ):
        twin = TwinFrontEnd(wanted)
        outcomes = twin.infer(OBSERVATIONS[:beats])
        found = state_after(wanted, outcomes)
        assert replace(found, sequence=beats % 256) == twin.state
    parameters = MachineParameters(
        Machine.LOGARITHMIC, rows=3, columns=2, address_bits=2, word_bits=4
    )
    wanted = replace(configuration(Mode.FULL), parameters=parameters)
    twin = TwinFrontEnd(wanted)
    assert state_after(wanted, twin.infer(OBSERVATIONS[:beats])) == twin.state


def test_counters_and_line_are_told(tmp_path: Path) -> None:
    streamed = stream(tmp_path / "run", lambda: DevicePort(LinkDevice(BOARD)), Watcher())
    assert streamed.counters[Register.INFERENCES.name] == BEATS
    assert streamed.link_errors["BAD_FRAMES"] == 0
    assert streamed.statistics.bytes_received > 4 * BEATS
    assert len(streamed.round_trip_s) == streaming_module.ROUND_TRIPS


def test_a_journal_of_something_else_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path, {"limit": 5, "seed": 1}, 3).close()
    with pytest.raises(ReveilleError, match="unfinished measurement with another limit; go on"):
        Journal(tmp_path, {"limit": 6, "seed": 1}, 3)
    (tmp_path / STATE).write_text("{")
    with pytest.raises(ReveilleError, match=r"is damaged .*; remove it"):
        Journal(tmp_path, {"limit": 5, "seed": 1}, 3)
    with pytest.raises(ReveilleError, match=r"cannot be kept in .*: Not a directory"):
        Journal(tmp_path / STATE / "below", {}, 3)
