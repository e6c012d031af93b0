"""The cascade: the front end screens, the back end decides what it wakes for.

The result is one table, a row a beat, from which every figure of a run is computed.
"""

from collections.abc import Mapping, Sequence

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

    Args:
        beats: n beats of the classes N, S, V, F.
        observations: Word addresses by observable, each uint8 of shape (n,).
        outcomes: Records of the front end, length n.
        row_classes: AAMI class of each row.
        network_classes: Classes of the back end for every beat, shape (n,).
        probabilities: Its calibrated probabilities, shape (n, 4).
        services: The firmware's services of the beats that woke, where it was the back end.
    """
    origin = {"sample": beats.sample, "time_s": beats.time_s}
    return outcome_table(
        beats.record,
        origin,
        beats.aami,
        observations,
        outcomes,
        row_classes,
        network_classes,
        probabilities,
        services,
    )


def outcome_table(
    groups: NDArray[np.str_],
    origin: Mapping[str, object],
    truth: NDArray[np.uint8],
    observations: dict[str, NDArray[np.uint8]],
    outcomes: Outcomes,
    row_classes: Sequence[int],
    network_classes: NDArray[np.uint8],
    probabilities: NDArray[np.float32],
    services: Services | None = None,
    class_names: Sequence[str] = CLASS_NAMES,
) -> pa.Table:
    """Put together what each item of a task was, what it looked like, and what became of it.

    The decision is the network's where the front end woke it. Where the CPU slept, it is the class
    of the winner, a normal one. The front end's own class is that of its best row, even of an
    ambiguous or invalid outcome: it is what the machine would answer if it were the judge.

    Args:
        groups: Record or group of each item, shape (n,).
        origin: What else tells where an item is from, by column.
        truth: True classes, shape (n,).
        observations: Word addresses by observable, each uint8 of shape (n,).
        outcomes: Records of the front end, length n.
        row_classes: Class of each row.
        network_classes: Classes of the back end for every item, shape (n,).
        probabilities: Its calibrated probabilities, shape (n, classes).
        services: The firmware's services of the items that woke, where it was the back end.
        class_names: Names of the classes.
    """
    front_end_classes = np.array(row_classes, dtype=np.uint8)[outcomes.winner]
    decisions = np.where(outcomes.wakes, network_classes, front_end_classes)
    columns: dict[str, object] = {
        "record": pa.array(groups.tolist(), pa.string()).dictionary_encode(),
        **origin,
        "truth": _names(truth, class_names),
        **{f"observation_{name}": values for name, values in observations.items()},
        "sequence": outcomes.sequence,
        "cause": _names(outcomes.cause, CAUSE_NAMES),
        "winner": outcomes.winner,
        "margin": outcomes.margin,
        "cycles": outcomes.cycles,
        **{f"score_{row}": outcomes.scores[:, row] for row in range(outcomes.scores.shape[1])},
        "front_end": _names(front_end_classes, class_names),
        "network": _names(network_classes, class_names),
        **{f"probability_{name}": probabilities[:, i] for i, name in enumerate(class_names)},
        "decision": _names(decisions, class_names),
    }
    if services is not None:
        columns["service_cycles"] = _where_woken(len(outcomes), services)
    return pa.table(columns)
