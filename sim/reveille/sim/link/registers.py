"""The front end of a board as its registers show it, made of the twin."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.contract import AUDIT_BITS, COUNTERS, IDENTITY_WORD, Cause, Register
from reveille.hdl.parameters import (
    READ_ERROR_BITS,
    READ_ERROR_SEED_BITS,
    Machine,
    MachineParameters,
    Mode,
)
from reveille.sim.front_end import (
    FrontEndConfiguration,
    MachineState,
    Outcomes,
    Policy,
    ReadErrors,
)
from reveille.sim.read_errors import NUMBERS, word_flips
from reveille.sim.twin import TwinFrontEnd

CAUSE_COUNTERS = {
    Cause.INVALID: Register.WAKE_INVALID,
    Cause.AMBIGUOUS: Register.WAKE_AMBIGUOUS,
    Cause.ABNORMAL: Register.WAKE_ABNORMAL,
    Cause.AUDIT: Register.WAKE_AUDIT,
}
TIMERS = (Register.CYCLES_ASLEEP, Register.CYCLES_AWAKE, Register.LONGEST_SERVICE)
"""Counters of time, of which the twin knows nothing: they read 0."""


class RegisteredTwin:
    """`TwinFrontEnd` behind the register bus, fed with beats, holding its wake-ups for the CPU.

    Beats are screened as soon as they can be: while ``run`` is set and no record is held back by a
    full queue of events. Between two calls it therefore stands where the gateware comes to rest.

    Attributes:
        machine: The build.
        undecided: Sequence numbers of the wake-ups that wait for a decision; the first is in
            service.
    """

    def __init__(self, machine: MachineParameters) -> None:
        self.machine = machine
        shape = (machine.rows, machine.columns, machine.words)
        self._likelihoods = np.zeros(shape, np.uint8)
        self.reset()

    def reset(self) -> None:
        """Return to the state after reset; the array keeps its words."""
        machine = self.machine
        self._widths = _widths(machine)
        self._values = dict.fromkeys(self._widths, 0)
        self._values |= {Register.BUDGET: machine.period}
        self._values |= {Register.RACE_COUNT: 1, Register.THRESHOLD: 1}
        self._counts = dict.fromkeys(COUNTERS, 0)
        self._seeds = [1] * machine.columns
        self._state = MachineState(lfsr=(1,) * machine.columns)
        self._pending = np.empty((0, machine.columns), np.uint8)
        self._screened = self._pending  # seen ahead, from the state on
        self._taken = 0  # of these
        self._ahead: Outcomes
        self._held: Outcomes | None = None
        self.undecided: deque[int] = deque()

    def read(self, register: int) -> int:
        """Return what the register bus reads at an address."""
        self._settle()
        column = register - Register.LFSR_SEED
        if register in self._values:
            return self._values[Register(register)]
        if register in self._counts:
            return self._counts[Register(register)]
        if 0 <= column < self.machine.columns:
            # The logarithmic machine has no LFSRs.
            return self._state.lfsr[column] * (self.machine.machine is Machine.STOCHASTIC)
        match register:
            case Register.IDENTITY:
                return IDENTITY_WORD
            case Register.STATUS:
                waiting, busy = len(self.undecided) > 1, self._held is not None
                return waiting | (not self.undecided) << 1 | busy << 2
            case Register.AUDIT_SEED:
                return self._state.audit_lfsr
            case Register.READ_ERROR_NUMBER if self.machine.read_errors:
                return self._state.reads
        return 0

    def write(self, register: int, value: int) -> None:
        """Do what a write on the register bus does."""
        self._settle()
        machine = self.machine
        column = register - Register.LFSR_SEED
        if register in self._values:
            self._values[Register(register)] = value & ((1 << self._widths[Register(register)]) - 1)
        if register == Register.LIKELIHOOD_WORD:
            self._write_likelihood(value)
        elif register == Register.AUDIT_SEED:
            self._state = replace(self._state, audit_lfsr=value % (1 << AUDIT_BITS) or 1)
        elif register == Register.READ_ERROR_NUMBER and machine.read_errors:
            self._state = replace(self._state, reads=value)
        elif register == Register.CLEAR_COUNTERS:
            self._counts = dict.fromkeys(COUNTERS, 0)
        elif 0 <= column < machine.columns:
            self._seeds[column] = value & machine.period or 1
            lfsr = [*self._state.lfsr]
            lfsr[column] = self._seeds[column]
            self._state = replace(self._state, lfsr=tuple(lfsr))

    def _write_likelihood(self, value: int) -> None:
        word = self._values[Register.LIKELIHOOD_ADDRESS]
        if word < self._likelihoods.size:
            self._likelihoods.flat[word] = value & self.machine.period
        self.write(Register.LIKELIHOOD_ADDRESS, word + 1)

    @property
    def stands_still(self) -> bool:
        """Whether ``run`` is 0 and no beat is in the machine."""
        return not self._values[Register.CONTROL] and self._held is None

    def read_back(self, number: int) -> int | None:
        """Read a word as the self-test does; None where the array has none of this number."""
        self.write(Register.LIKELIHOOD_ADDRESS, number)
        word = self._values[Register.LIKELIHOOD_ADDRESS]
        if word >= self._likelihoods.size:
            return None
        if not self.machine.read_errors:
            return int(self._likelihoods.flat[word])
        flips = word_flips(
            self.machine,
            self._values[Register.READ_ERROR_RATE],
            self._values[Register.READ_ERROR_SEED],
            self._state.reads,
            reads=1,
        )
        self._state = replace(self._state, reads=(self._state.reads + 1) % NUMBERS)
        return int(self._likelihoods.flat[word] ^ flips.flat[word // self.machine.words])

    def accept(self, observations: NDArray[np.uint8]) -> None:
        """Take beats, uint8 (n, columns), into the queue."""
        self._pending = np.concatenate([self._pending, observations])

    def decide(self) -> None:
        """End the service of the first undecided wake-up."""
        self.undecided.popleft()
        self._count(Register.DECISIONS, 1)

    def advance(self, on_records: Callable[[Outcomes], None]) -> None:
        """Screen what can be screened; hand on the records that are accepted."""
        while True:
            room = self.machine.fifo_depth + 1 - len(self.undecided)
            if self._held is not None:
                if not room:
                    return
                held, self._held = self._held, None
                self._record(held, on_records)
            elif self._values[Register.CONTROL] and (
                self._taken < len(self._screened) or len(self._pending)
            ):
                self._screen(room, on_records)
            else:
                return

    def _screen(self, room: int, on_records: Callable[[Outcomes], None]) -> None:
        """Take beats up to the first wake-up that does not fit the queue; hold its record."""
        if self._taken == len(self._screened):
            self._look_ahead()
        ahead = _part(self._ahead, slice(self._taken, None))
        wakes = np.flatnonzero(ahead.wakes)
        accepted = len(ahead) if len(wakes) <= room else int(wakes[room])
        if accepted < len(ahead):
            self._held = _part(ahead, slice(accepted, accepted + 1))
        taken = min(accepted + 1, len(ahead))
        self._taken += taken
        self._count(Register.ARRAY_READS, taken)
        self._count(Register.FRONT_END_CYCLES, int(ahead.cycles[:taken].sum()))
        self._record(_part(ahead, slice(accepted)), on_records)

    def _look_ahead(self) -> None:
        """Screen all pending beats at once: as long as nothing is written, that holds."""
        self._settle()
        twin = TwinFrontEnd(self._configuration(), self._state)
        self._ahead = twin.infer(self._pending)
        self._screened, self._pending = self._pending, self._pending[:0]

    def _settle(self) -> None:
        """Go back to the state after the beats that were taken; forget what was seen ahead."""
        twin = TwinFrontEnd(self._configuration(), self._state)
        twin.infer(self._screened[: self._taken])
        self._state = twin.state
        self._pending = np.concatenate([self._screened[self._taken :], self._pending])
        self._screened, self._taken = self._pending[:0], 0

    def _record(self, outcomes: Outcomes, on_records: Callable[[Outcomes], None]) -> None:
        self._count(Register.INFERENCES, len(outcomes))
        for cause, counter in CAUSE_COUNTERS.items():
            self._count(counter, int((outcomes.cause == cause).sum()))
        self.undecided.extend(outcomes.sequence[outcomes.wakes].tolist())
        if len(outcomes):
            on_records(outcomes)

    def _count(self, counter: Register, events: int) -> None:
        limit = (1 << self.machine.counter_bits) - 1
        self._counts[counter] = min(limit, self._counts[counter] + events)

    def _configuration(self) -> FrontEndConfiguration:
        values, machine = self._values, self.machine
        return FrontEndConfiguration(
            parameters=machine,
            likelihoods=self._likelihoods,
            seeds=tuple(self._seeds),
            policy=Policy(
                mode=Mode(values[Register.MODE] * (machine.machine is Machine.STOCHASTIC)),
                budget=values[Register.BUDGET] or 1,
                race_count=values[Register.RACE_COUNT] or 1,
                threshold=values[Register.THRESHOLD],
                normal_rows=tuple(
                    row for row in range(machine.rows) if values[Register.NORMAL_MASK] >> row & 1
                ),
                audit_rate=values[Register.AUDIT_RATE] / (1 << AUDIT_BITS),
                reseed=bool(values[Register.RESEED]),
            ),
            read_errors=ReadErrors(
                rate=values.get(Register.READ_ERROR_RATE, 0) / (1 << READ_ERROR_BITS),
                seed=values.get(Register.READ_ERROR_SEED, 0),
            ),
        )


def _widths(machine: MachineParameters) -> dict[Register, int]:
    """Return the width of each register that holds what was written."""
    words = machine.rows * machine.columns * machine.words
    widths = {
        Register.CONTROL: 1,
        Register.MODE: 1,
        Register.BUDGET: machine.word_bits,
        Register.RACE_COUNT: machine.word_bits,
        Register.THRESHOLD: machine.word_bits,
        Register.NORMAL_MASK: machine.rows,
        Register.AUDIT_RATE: AUDIT_BITS,
        Register.RESEED: 1,
        Register.WATCHDOG_CYCLES: machine.counter_bits,
        Register.LIKELIHOOD_ADDRESS: (words - 1).bit_length(),
    }
    if machine.read_errors:
        widths |= {
            Register.READ_ERROR_RATE: READ_ERROR_BITS,
            Register.READ_ERROR_SEED: READ_ERROR_SEED_BITS,
        }
    return widths


def _part(outcomes: Outcomes, part: slice) -> Outcomes:
    fields: dict[str, Any] = {name: array[part] for name, array in vars(outcomes).items()}
    return Outcomes(**fields)
