"""The suite passes on what keeps the contract, and fails, at the right check, on what does not."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from reveille.hdl.contract import Register
from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.board import BoardParameters
from reveille.hdl.link.contract import LinkRegister, Status
from reveille.hdl.link.frames import Frame
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.host.conformance.suite import CHECKS, Verdict, conform
from reveille.sim.front_end import Outcomes
from reveille.sim.link.device import LinkDevice

from ..board.ports import DevicePort

STOCHASTIC = MachineParameters(
    rows=3, columns=2, address_bits=2, word_bits=4, fifo_depth=8, read_errors=True
)
LOGARITHMIC = MachineParameters(Machine.LOGARITHMIC, rows=2, columns=3, address_bits=1)


def verdicts(device: LinkDevice, *only: str) -> dict[str, Verdict]:
    return {v.name: v for v in conform(lambda: DevicePort(device), 80, seed=3, only=only)}


@pytest.mark.parametrize("machine", [STOCHASTIC, LOGARITHMIC])
def test_the_functional_twin_keeps_the_contract(machine: MachineParameters) -> None:
    found = verdicts(LinkDevice(BoardParameters(machine, beat_window=64)))
    assert [verdict.name for verdict in found.values()] == [check.__name__ for check in CHECKS]
    assert {verdict.name: verdict.failure for verdict in found.values() if verdict.failure} == {}
    stochastic = machine is STOCHASTIC
    assert found["race_mode"].applied is stochastic
    assert found["read_errors"].applied is stochastic
    assert all(verdict.meaning for verdict in found.values())


class ForgetsReplies(LinkDevice):
    """Acts again where a request is repeated."""

    def _answer(self, request: Frame) -> Frame | None:
        self._expected = request.number
        return super()._answer(request)


class LosesARecord(LinkDevice):
    """Counts one wake-up as a confident normal."""

    def _keep(self, outcomes: Outcomes) -> None:
        outcomes.cause[outcomes.sequence == 5] ^= 1
        super()._keep(outcomes)


class ForgetsRecords(LinkDevice):
    """Throws records away when they were sent, not when they are safe."""

    def _hello(self, payload: bytes) -> bytes:
        sent = self._records.sent
        reply = super()._hello(payload)
        self._records.acknowledge(sent)
        return reply


class TakesBadFrames(LinkDevice):
    """Does not count what it drops."""

    def _read(self, address: int) -> int:
        return 0 if address == LinkRegister.BAD_FRAMES else super()._read(address)


class DoesNotHold(LinkDevice):
    """Has a threshold register with a bit missing."""

    def _write(self, address: int, value: int) -> None:
        super()._write(address, value & ~4 if address == Register.THRESHOLD else value)


class RefusesNothing(LinkDevice):
    """Says that all is well."""

    def _act(self, request: Frame) -> Frame:
        reply = super()._act(request)
        return Frame(reply.number, Status.OK, reply.payload)


class TakesAnyDecision(LinkDevice):
    """Does not count decisions on beats that are not in service."""

    def _decide(self, sequence: int, decision: int) -> None:
        if self._front_end.undecided:
            super()._decide(sequence, decision)


class ReadsWhileRunning(LinkDevice):
    """Reads the array under the machine."""

    def _self_test(self, payload: bytes) -> bytes:
        running, front_end = self._read(Register.CONTROL), self._front_end
        front_end.write(Register.CONTROL, 0)
        reply = super()._self_test(payload)
        front_end.write(Register.CONTROL, running)
        return reply


class ForgetsAWord(LinkDevice):
    """Reads a word as 0 where the self-test asks, though not where a beat does."""

    def _self_test(self, payload: bytes) -> bytes:
        reply = super()._self_test(payload)
        return reply[:-1] + b"\0" if len(payload) > 100 else reply


MUTANTS: dict[str, Callable[[BoardParameters], LinkDevice]] = {
    "repeated_request": ForgetsReplies,
    "full_mode": LosesARecord,
    "host_that_comes_back": ForgetsRecords,
    "damaged_frames": TakesBadFrames,
    "registers": DoesNotHold,
    "refusals": RefusesNothing,
    "stale_decision": TakesAnyDecision,
    "self_test": ReadsWhileRunning,
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_board_fails(name: str) -> None:
    verdict = verdicts(MUTANTS[name](BoardParameters(STOCHASTIC, beat_window=64)), name)[name]
    assert not verdict.passed
    assert verdict.failure


def test_a_word_that_is_not_there_fails_before_any_beat() -> None:
    board = BoardParameters(replace(STOCHASTIC, address_bits=3), beat_window=64)
    verdict = verdicts(ForgetsAWord(board), "self_test")["self_test"]
    assert "words otherwise than programmed" in (verdict.failure or "")


def test_an_unknown_check_is_told() -> None:
    device = LinkDevice(BoardParameters(STOCHASTIC))
    with pytest.raises(ReveilleError, match="There is no check speed; there are hello, echo"):
        verdicts(device, "speed")


def test_the_command_proves_the_gateware(capsys: pytest.CaptureFixture[str]) -> None:
    from reveille.host.cli import app

    with pytest.raises(SystemExit) as ended:
        app(["conform", "--port", "rtl", "--beats", "60", "--json", "--quiet"])
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["failed"] == 0
    assert sum(check["applied"] for check in told["checks"]) == len(CHECKS) - 1
    assert np.all([check["failure"] is None for check in told["checks"]])
