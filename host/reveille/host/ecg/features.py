"""Feature sets: what is observed of each beat for the front end, and how a name finds them."""

from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.plugins import PluginKind
from reveille.host.ecg.observables import OBSERVABLES, Observable, observe
from reveille.host.ecg.waveform import Waveforms


class FeatureSet(Protocol):
    """Numbers that are observed of each beat of a record."""

    @property
    def observables(self) -> tuple[Observable, ...]:
        """Name, unit, latency and description of each."""

    def observe(self, waveforms: Waveforms) -> NDArray[np.floating]:
        """Observe the beats of a record.

        Args:
            waveforms: All its beats, in order. A number that does not wait for the next beat may
                use a beat and those before it, nothing later.

        Returns:
            Finite numbers, shape (n, len(observables)).
        """


class _Standard:
    """The observables of `reveille.host.ecg.observables`."""

    observables = OBSERVABLES

    def observe(self, waveforms: Waveforms) -> NDArray[np.floating]:
        return observe(waveforms)[0]


STANDARD_NAME = "standard"
STANDARD = _Standard()

FEATURE_SETS = PluginKind(
    noun="feature set",
    group="reveille.feature_sets",
    wanted="a FeatureSet: something with observables and a function observe",
    fits=lambda found: hasattr(found, "observables") and hasattr(found, "observe"),
    shipped={STANDARD_NAME: "reveille.host.ecg.features:STANDARD"},
)
"""Feature sets, those of other packages included."""


def load_feature_set(name: str = STANDARD_NAME) -> FeatureSet:
    """Find a feature set by its name.

    Raises:
        ReveilleError: There is none, or it cannot be loaded.
    """
    return cast(FeatureSet, FEATURE_SETS.load(name))


def observed(features: FeatureSet, name: str, waveforms: Waveforms) -> NDArray[np.float32]:
    """Observe a record's beats with a feature set, float32, shape (n, len(observables)).

    Raises:
        ReveilleError: It raises, or what it returns has another shape or is not finite.
    """
    values = np.asarray(FEATURE_SETS.called(name, lambda: features.observe(waveforms)))
    shape = (len(waveforms.peak), len(features.observables))
    if values.shape != shape or values.dtype.kind != "f" or not np.isfinite(values).all():
        raise ReveilleError(
            f"The feature set {name!r} observes {values.dtype} of shape {values.shape}"
            f"{'' if values.shape != shape else ', not all finite'}; it is to return finite "
            f"numbers of shape {shape}."
        )
    return values.astype(np.float32)
