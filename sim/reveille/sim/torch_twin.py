"""The twin in PyTorch: the same outcomes from tensors, on a GPU where there is one.

Nothing in it waits for the beat before. In a race, where the length of an inference decides the
phase at which the next begins, each beat is a map from the phase before to the phase after; the
maps are composed pairwise in a logarithmic number of steps (Hillis and Steele, Data parallel
algorithms, 1986).
"""

import numpy as np
import torch
from numpy.typing import NDArray

from reveille.hdl.parameters import Machine, Mode
from reveille.sim.fast_twin import FastTwinFrontEnd, advanced, decided, empty_outcomes
from reveille.sim.front_end import FrontEndConfiguration, MachineState, Outcomes
from reveille.sim.twin import Words, lfsr_orbit, read_words

BLOCK_BEATS = {"cpu": 1_024, "cuda": 16_384}
"""Beats handled at once: on a processor inside its caches, on a GPU about a gigabyte."""


class TorchTwinFrontEnd(FastTwinFrontEnd):
    """A twin made of tensors, exactly equal to `reveille.sim.twin.TwinFrontEnd`.

    On a processor `FastTwinFrontEnd` is much faster; this one is for GPUs.

    Args:
        configuration: See `reveille.sim.twin.TwinFrontEnd`.
        state: See `reveille.sim.twin.TwinFrontEnd`.
        device: Where to compute; a GPU if there is one when left out.
    """

    def __init__(
        self,
        configuration: FrontEndConfiguration,
        state: MachineState | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        super().__init__(configuration, state, looks_up=False)
        found = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(found if device is None else device)
        self.block_beats = BLOCK_BEATS.get(self.device.type, BLOCK_BEATS["cpu"])

    def _infer_chunk(self, observations: NDArray[np.uint8]) -> Outcomes:
        configuration = self.configuration
        if configuration.read_errors.rate_word:
            return self._infer_read(read_words(configuration, observations, self._state.reads))
        table = torch.from_numpy(configuration.likelihoods).to(self.device)
        columns = torch.arange(configuration.parameters.columns, device=self.device)
        addresses = torch.from_numpy(np.ascontiguousarray(observations)).to(self.device).long()
        return self._infer_tensor(table[:, columns, addresses].transpose(0, 1))

    def _infer_read(self, words: Words) -> Outcomes:
        return self._infer_tensor(torch.from_numpy(np.ascontiguousarray(words)).to(self.device))

    def _infer_tensor(self, words: torch.Tensor) -> Outcomes:
        """Screen beats whose words are on the device, (n, rows, columns)."""
        configuration, lfsr = self.configuration, self._state.lfsr
        outcomes = empty_outcomes(len(words), configuration.parameters.rows)
        if configuration.parameters.machine is Machine.LOGARITHMIC:
            added = min(configuration.parameters.columns, configuration.policy.budget)
            sums = words[:, :, :added].sum(dim=2, dtype=torch.int32)
            outcomes.scores[:] = sums.clamp(max=configuration.parameters.period).cpu().numpy()
        elif len(words):
            lfsr = self._race(words, outcomes)
        return self._recorded(decided(configuration, outcomes), lfsr)

    def _race(self, words: torch.Tensor, outcomes: Outcomes) -> tuple[int, ...]:
        """Fill in scores and cycles of the stochastic machine; return the LFSRs' states after."""
        parameters, policy = self.configuration.parameters, self.configuration.policy
        period = parameters.period
        start = self.configuration.seeds if policy.reseed else self._state.lfsr
        draws = [lfsr_orbit(parameters.word_bits, seed, period).astype(np.int16) for seed in start]
        drawn = torch.from_numpy(np.stack(draws)).to(self.device)
        phase = last = 0
        for first in range(0, len(words), self.block_beats):
            block = slice(first, first + self.block_beats)
            fired = (drawn <= words[block].to(torch.int16)[..., None]).all(dim=2)
            ones = _counts(fired)
            if policy.mode is Mode.RACE:
                stops = _stops(ones, policy.race_count, policy.budget)
                phases = _phases(stops, phase, policy.reseed)
                cycles = stops.gather(1, phases[:, None])[:, 0]
            else:
                cycles = torch.full((len(ones),), policy.budget, device=self.device)
                advance = 0 if policy.reseed else policy.budget
                phases = (phase + torch.arange(len(ones), device=self.device) * advance) % period
            outcomes.scores[block] = _between(ones, phases, phases + cycles).cpu().numpy()
            outcomes.cycles[block] = cycles.cpu().numpy()
            last = int(phases[-1] + cycles[-1])
            phase = 0 if policy.reseed else last % period
        return advanced(parameters, start, last)


def _counts(fired: torch.Tensor) -> torch.Tensor:
    """Return the ones before each cycle of two periods in a row, int16, (n, rows, 2 period + 1)."""
    twice = torch.cat([fired, fired], dim=2)
    counts = twice.cumsum(dim=2, dtype=torch.int16)
    return torch.nn.functional.pad(counts, (1, 0))


def _stops(ones: torch.Tensor, k: int, budget: int) -> torch.Tensor:
    """Return the cycles of an inference that begins at each phase, (n, period)."""
    period = ones.shape[2] // 2
    wanted = ones[:, :, :period] + k
    reached = torch.searchsorted(ones, wanted.contiguous())
    lengths = reached - torch.arange(period, device=ones.device)
    return lengths.amin(dim=1).clamp(max=budget)


def _phases(stops: torch.Tensor, phase: int, reseed: bool) -> torch.Tensor:
    """Return the phase at which each beat begins, (n,), the first at the given one."""
    beats, period = stops.shape
    if reseed:
        return torch.zeros(beats, dtype=torch.long, device=stops.device)
    after = (torch.arange(period, device=stops.device) + stops) % period
    reach = 1
    while reach < beats:
        after = torch.cat([after[:reach], after[reach:].gather(1, after[:-reach])])
        reach *= 2
    first = torch.tensor([phase], device=stops.device)
    return torch.cat([first, after[:-1, phase]])


def _between(ones: torch.Tensor, begin: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Return the ones from one cycle to another, (n, rows)."""
    shape = (len(ones), ones.shape[1], 1)
    first, last = (place[:, None, None].expand(shape) for place in (begin, end))
    return (ones.gather(2, last) - ones.gather(2, first))[..., 0]
