"""The cascade: the front end screens, the back end decides what it wakes for.

The result is one table, a row a beat, from which every figure of a run is computed.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reveille.hdl.contract import Cause
from reveille.host.ecg.aami import AamiClass
from reveille.host.ecg.beats import BeatSet
from reveille.host.metrics import CLASS_NAMES
from reveille.sim.front_end import Outcomes
from reveille.sim.softcore.simulation import Services

CAUSE_NAMES = tuple(cause.name for cause in Cause)


def _names(values: NDArray[np.uint8], names: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(
        pa.array(values.astype(np.int8)), pa.array(list(names), pa.string())
    )


def _where_woken(beats: int, services: Services) -> pa.Array:
    """Cycles of each beat's service, null where the CPU slept."""
    cycles = np.zeros(beats, np.uint32)
    cycles[services.beat] = services.cycles
    asleep = np.ones(beats, np.bool_)
    asleep[services.beat] = False
    return pa.array(cycles, mask=asleep)


def beat_table(
    beats: BeatSet,
    observations: dict[str, NDArray[np.uint8]],
    outcomes: Outcomes,
    row_classes: Sequence[AamiClass],
    network_classes: NDArray[np.uint8],
    probabilities: NDArray[np.float32],
    services: Services | None = None,
) -> pa.Table:
    """Put together what each beat was, what it looked like, and what became of it.

    The decision is the network's where the front end woke it, N where the CPU slept. The front
    end's own class is that of its best row, even of an ambiguous or invalid outcome: it is what
    the machine would answer if it were the judge.

    Args:
        beats: n beats of the classes N, S, V, F.
        observations: Word addresses by observable, each uint8 of shape (n,).
        outcomes: Records of the front end, length n.
        row_classes: AAMI class of each row.
        network_classes: Classes of the back end for every beat, shape (n,).
        probabilities: Its calibrated probabilities, shape (n, 4).
        services: The firmware's services of the beats that woke, where it was the back end.
    """
    front_end_classes = np.array(row_classes, dtype=np.uint8)[outcomes.winner]
    decisions = np.where(outcomes.wakes, network_classes, AamiClass.N).astype(np.uint8)
    columns: dict[str, object] = {
        "record": pa.array(beats.record.tolist(), pa.string()).dictionary_encode(),
        "sample": beats.sample,
        "time_s": beats.time_s,
        "truth": _names(beats.aami, CLASS_NAMES),
        **{f"observation_{name}": values for name, values in observations.items()},
        "sequence": outcomes.sequence,
        "cause": _names(outcomes.cause, CAUSE_NAMES),
        "winner": outcomes.winner,
        "margin": outcomes.margin,
        "cycles": outcomes.cycles,
        **{f"score_{row}": outcomes.scores[:, row] for row in range(outcomes.scores.shape[1])},
        "front_end": _names(front_end_classes, CLASS_NAMES),
        "network": _names(network_classes, CLASS_NAMES),
        **{f"probability_{name}": probabilities[:, i] for i, name in enumerate(CLASS_NAMES)},
        "decision": _names(decisions, CLASS_NAMES),
    }
    if services is not None:
        columns["service_cycles"] = _where_woken(len(beats), services)
    return pa.table(columns)
