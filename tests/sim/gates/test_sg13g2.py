"""The prototype of the field in SG13G2: our own figures of a feasibility study, once more."""

from pathlib import Path

import numpy as np
import pytest

from reveille.hdl.parameters import MachineParameters, Mode
from reveille.sim.front_end import FrontEndConfiguration, Policy
from reveille.sim.gates.heartbeats import IDLE
from reveille.sim.gates.liberty import read_liberty
from reveille.sim.gates.measure import INFERENCE, NONE, Measurement, measure

pytestmark = pytest.mark.slow

WITHIN = 0.2

PARAMETERS = MachineParameters(queue_depth=1, fifo_depth=2, counter_bits=4, sequence_bits=4)
"""4 x 4 cells of 8 words, likelihoods outside; as little around the machine as can be built."""


@pytest.fixture(scope="module")
def measurement(sg13g2: Path) -> Measurement:
    rng = np.random.default_rng(1)
    configuration = FrontEndConfiguration(
        PARAMETERS,
        rng.integers(100, 256, (4, 4, 8)).astype(np.uint8),
        (1, 60, 120, 200),
        Policy(mode=Mode.FULL, threshold=3),
    )
    observations = rng.integers(0, 8, (20, 4)).astype(np.uint8)
    library = read_liberty(sg13g2 / "sg13g2_stdcell_typ_1p20V_25C.lib")
    return measure({Mode.FULL: configuration}, observations, library, NONE)


def test_the_machine_costs_what_it_did(measurement: Measurement) -> None:
    """Before layout, the machine with ranking, cause and audit; figures of the study: see docs."""
    energy = measurement.modes[Mode.FULL].energy
    inside = np.array([block.split(".")[0] == "machine" for block in energy.blocks])
    spent = energy.dynamic_pj[inside]
    active = spent[:, INFERENCE].sum() / energy.cycles[INFERENCE].sum()
    idle = spent[:, IDLE].sum() / energy.cycles[IDLE]
    assert active == pytest.approx(4.38, rel=WITHIN)
    assert measurement.leakage_nw()[inside].sum() == pytest.approx(242, rel=WITHIN)
    assert energy.area[inside].sum() == pytest.approx(20_900, rel=WITHIN)
    # The study's 0.25 pJ: this machine has more flip-flops whose clock is not gated.
    assert 0.25 < idle < 0.5


@pytest.mark.parametrize(
    ("macro", "read_pj"),
    [("RM_IHPSG13_1P_1024x32_c2_bm_bist", 48), ("RM_IHPSG13_1P_8192x32_c4", 230)],
)
def test_reads_of_sram_macros(sg13g2: Path, macro: str, read_pj: float) -> None:
    """4 KiB and 32 KiB: the study's figures, which the macros' files state by state of enables."""
    (cell,) = read_liberty(sg13g2 / f"{macro}.lib").cells.values()
    reads = [
        float(table.values.mean())
        for arc in cell.power
        if arc.pin == "A_CLK" and arc.when is not None
        for table in arc.energies_pj[:1]
        if table is not None and arc.when.verilog() == "((A_MEN & !A_WEN) & A_REN)"
    ]
    assert reads == [pytest.approx(read_pj, rel=0.01)]
