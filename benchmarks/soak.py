"""A soak of the virtual board: many beats, a bad line, a host that is killed again and again.

A virtual board runs in a process of its own behind a real serial port (a pseudo-terminal). Hosts
stream beats through it over a line that damages one byte in 10,000, both ways. Each but the last
host is killed (SIGKILL) in the middle; the next one goes on with what board and journal hold. At
the end no beat may be missing, none may have been screened twice, and every record and decision
must be what the twin and the back end give.

    python benchmarks/soak.py [--beats N] [--damage P] [--kills K] [--output FILE]
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.link.contract import LinkRegister
from reveille.hdl.parameters import Machine, Mode
from reveille.host.board.noise import NoisyPort
from reveille.host.board.port import SerialPort
from reveille.host.board.stream import Block
from reveille.host.board.virtual import VirtualBoard
from reveille.host.measurement.journal import ASLEEP, RECORDS, Journal, record_type
from reveille.host.measurement.streaming import Streamed, Streaming
from reveille.host.models import load_screening
from reveille.sim.front_end import FrontEndConfiguration
from reveille.sim.twin import TwinFrontEnd

EVENTS = "events.jsonl"
"""What hosts tell of themselves, one line after the other."""


def configuration() -> FrontEndConfiguration:
    """Return the shipped front end, which also audits, so that all causes occur."""
    return load_screening().configuration(Machine.STOCHASTIC, Mode.FULL, audit_rate=0.05)


def stimuli(beats: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return random beats, and what the back end says to each."""
    rng = np.random.default_rng(20)
    parameters = configuration().parameters
    observations = rng.integers(0, parameters.words, (beats, parameters.columns), dtype=np.uint8)
    return observations, rng.integers(0, 16, beats, dtype=np.uint8)


class Telling:
    """Writes what happens to a file that outlives its process."""

    def __init__(self, path: Path, port: NoisyPort) -> None:
        self._file, self._port, self._damaged = path.open("a"), port, 0

    def records(self, block: Block, decisions: NDArray[np.uint8]) -> None:
        """Tell of the damage so far."""
        if self._port.damaged != self._damaged:
            self.tell("damaged", self._port.damaged - self._damaged)
            self._damaged = self._port.damaged

    def note(self, message: str) -> None:
        """Tell of anything else."""
        self.tell("note", message)

    def tell(self, kind: str, what: object) -> None:
        """Write one line."""
        self._file.write(json.dumps({kind: what}) + "\n")
        self._file.flush()


def host(port: str, folder: Path, beats: int, damage: float, seed: int) -> None:
    """Be a host: stream what is not in the journal yet."""
    observations, answers = stimuli(beats)
    journal = Journal(folder, {"beats": beats}, configuration().parameters.rows)
    noisy = NoisyPort(SerialPort(port), damage, np.random.default_rng(seed))
    telling = Telling(folder / EVENTS, noisy)
    streaming = Streaming(
        lambda: noisy,
        configuration(),
        observations,
        lambda block: answers[block.woken],
        journal,
        telling,
    )
    streamed = streaming.run()
    telling.records(Block(0, journal.outcomes(16), np.empty(0)), np.empty(0, np.uint8))
    telling.tell("finished", _told(streamed, journal))


def _told(streamed: Streamed, journal: Journal) -> dict[str, Any]:
    return {
        "counters": streamed.counters,
        "link_errors": streamed.link_errors,
        "statistics": vars(streamed.statistics),
        "programmed": journal.position.programmed,
        "records_again": journal.position.repeated,
        "hosts": len(journal.position.sessions),
    }


def soak(beats: int, damage: float, kills: int) -> dict[str, Any]:
    """Run the soak and check it.

    Raises:
        AssertionError: A beat is missing, was screened twice, or is not what the twin gives.
    """
    begun = time.monotonic()
    with VirtualBoard() as board, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "soak"
        item = record_type(configuration().parameters.rows).itemsize
        for life in range(kills + 1):
            process = subprocess.Popen(
                [
                    *(sys.executable, __file__, "--host", board.port, "--folder", str(folder)),
                    *("--beats", str(beats), "--damage", str(damage), "--seed", str(life)),
                ]
            )
            if life == kills:
                assert process.wait() == 0, "the last host failed"
            else:
                _kill_at(process, folder / RECORDS, item * beats * (life + 1) // (kills + 1))
        events = [json.loads(line) for line in (folder / EVENTS).read_text().splitlines()]
        items = np.fromfile(folder / RECORDS, record_type(configuration().parameters.rows))
    return _checked(beats, items, events, time.monotonic() - begun)


def _kill_at(process: subprocess.Popen[bytes], records: Path, size: int) -> None:
    """Kill a host, without warning, when so much is measured."""
    while not records.is_file() or records.stat().st_size < size:
        assert process.poll() is None, "a host ended before it was killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _checked(
    beats: int, items: NDArray[np.void], events: list[dict[str, Any]], seconds: float
) -> dict[str, Any]:
    observations, answers = stimuli(beats)
    expected = TwinFrontEnd(configuration()).infer(observations)
    (finished,) = [event["finished"] for event in events if "finished" in event]
    counters = finished["counters"]
    assert len(items) == beats, f"{len(items)} of {beats} beats are there"
    for name in ("cause", "winner", "margin", "cycles", "scores"):
        assert np.array_equal(items[name], getattr(expected, name)), f"{name} is not the twin's"
    decisions = np.where(expected.wakes, answers, ASLEEP)
    assert np.array_equal(items["decision"], decisions), "a decision is another beat's"
    assert finished["programmed"] == 1, "the board was reset"
    assert counters["INFERENCES"] == beats, "a beat was screened twice, or never"
    assert counters["DECISIONS"] == int(expected.wakes.sum()), "a wake-up has no decision"
    statistics = finished["statistics"]
    return {
        "beats": beats,
        "lost": 0,
        "screened_twice": 0,
        "hosts": finished["hosts"],
        "damaged_bytes": sum(event.get("damaged", 0) for event in events),
        "records_sent_again_after_a_kill": finished["records_again"],
        "requests_of_last_host": statistics["requests"],
        "repeated_by_last_host": statistics["repeated"],
        "board": finished["link_errors"],
        "stale_decisions": finished["link_errors"][LinkRegister.STALE_DECISIONS.name],
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Run as the soak, or as one of its hosts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beats", type=int, default=200_000)
    parser.add_argument("--damage", type=float, default=1e-4, help="probability, a byte")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--output", type=Path, help="JSON file")
    parser.add_argument("--host", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.host:
        host(options.host, options.folder, options.beats, options.damage, options.seed)
        return
    result = json.dumps(soak(options.beats, options.damage, options.kills), indent=2)
    print(result)
    if options.output:
        options.output.write_text(result + "\n")


if __name__ == "__main__":
    main()
