"""What the tests of the link write to a board and stream through it."""

import numpy as np

from reveille.hdl.link.board import BoardParameters
from reveille.hdl.parameters import Machine, MachineParameters, Mode
from reveille.sim.front_end import FrontEndConfiguration, Policy

LOGARITHMIC = BoardParameters(
    machine=MachineParameters(machine=Machine.LOGARITHMIC, columns=9, rows=5, fifo_depth=2),
    request_window=8,
    beat_window=64,
)


def configuration(machine: MachineParameters, seed: int = 1) -> FrontEndConfiguration:
    rng = np.random.default_rng(seed)
    stochastic = machine.machine is Machine.STOCHASTIC
    shape = (machine.rows, machine.columns, machine.words)
    return FrontEndConfiguration(
        parameters=machine,
        likelihoods=rng.integers(100 if stochastic else 0, machine.period, shape, np.uint8),
        seeds=tuple(rng.integers(1, machine.period, machine.columns).tolist()),
        policy=Policy(
            mode=Mode.RACE if stochastic else Mode.FULL,
            threshold=1,
            normal_rows=(0, 1),
            audit_rate=0.1,
        ),
        audit_seed=int(rng.integers(1, 65536)),
    )


def beats(machine: MachineParameters, count: int, seed: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, machine.words, (count, machine.columns)).astype(np.uint8)
