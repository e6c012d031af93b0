"""The binarised network's gateware under Verilator."""

from reveille.hdl.binarised import BinarisedMachine
from reveille.hdl.parameters import MachineParameters
from reveille.sim.front_end import MachineState
from reveille.sim.rtl import RtlFrontEnd


class BinarisedRtl(RtlFrontEnd):
    """`RtlFrontEnd` with a `BinarisedMachine`; configured as `BinarisedTwin` is."""

    machine = BinarisedMachine

    @property
    def state(self) -> MachineState:
        """What carries over to the next inference; the seeds stand for the columns' LFSRs."""
        return self._state(self.configuration.seeds)

    @staticmethod
    def longest_inference(parameters: MachineParameters) -> int:
        """Clock cycles of the longest inference: the array is read in each evaluation cycle."""
        return parameters.period * (1 + parameters.array_timeout_cycles)
