"""Back ends of other packages: a PyTorch module, or any callable that maps beats to classes."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from reveille.hdl.errors import ReveilleError
from reveille.hdl.plugins import PluginKind
from reveille.host.choices import BackEndKind
from reveille.host.ecg.beats import BeatSet
from reveille.host.network.inputs import CLASSES, network_inputs

BACK_ENDS = PluginKind(
    noun="back end",
    group="reveille.back_ends",
    wanted="something that is called without arguments and returns a module or another callable",
    fits=callable,
    reserved=tuple(BackEndKind),
)
"""Back ends of other packages."""

_BEATS_AT_ONCE = 4096
"""Beats that a module is given together, to bound memory."""

_SUM_TOLERANCE = 1e-3
"""By so much the probabilities of a beat may miss 1: they are single precision."""


class PluggedBackEnd:
    """A back end from elsewhere, as a run uses it.

    Args:
        name: What messages call it.
        judge: A `torch.nn.Module`, which is given residuals (n, 128) and context (n, 8) as
            `reveille.host.network.inputs.network_inputs` returns them and gives logits (n, 4); or
            another callable, which is given a `BeatSet` of n beats and returns their classes,
            whole numbers 0 to 3 of shape (n,), or the probabilities of N, S, V, F, shape (n, 4).
            Beats are judged one by one or together: neither may change an answer.
    """

    def __init__(self, name: str, judge: Callable[..., Any]) -> None:
        self.name, self._judge = name, judge

    def probabilities(self, beats: BeatSet) -> NDArray[np.float32]:
        """Return the probability of N, S, V, F, shape (n, 4); 1 where only a class is given.

        Raises:
            ReveilleError: It raises, or returns something else than it should.
        """
        answer = np.asarray(BACK_ENDS.called(self.name, lambda: self._answer(beats)))
        n = len(beats)
        if answer.shape == (n,) and answer.dtype.kind in "iu":
            if n and not 0 <= int(answer.min()) <= int(answer.max()) < CLASSES:
                raise self._wrong("classes outside 0 to 3")
            return np.asarray(np.eye(CLASSES)[answer], dtype=np.float32)
        if answer.shape != (n, CLASSES) or answer.dtype.kind != "f":
            raise self._wrong(f"{answer.dtype} of shape {answer.shape} for {n} beats")
        whole = np.abs(answer.sum(axis=1) - 1) < _SUM_TOLERANCE
        if not (whole.all() and (answer >= 0).all()):
            raise self._wrong("probabilities that are negative, undefined or do not add up to 1")
        return np.asarray(answer, dtype=np.float32)

    def decide(self, beats: BeatSet) -> NDArray[np.uint8]:
        """Return the likeliest AAMI class of each beat, shape (n,)."""
        return np.asarray(self.probabilities(beats).argmax(axis=1), dtype=np.uint8)

    def _answer(self, beats: BeatSet) -> object:
        if not isinstance(self._judge, torch.nn.Module):
            return self._judge(beats)
        inputs = [torch.from_numpy(array) for array in network_inputs(beats)]
        self._judge.eval()
        with torch.inference_mode():
            logits = [
                self._judge(*part)
                for part in zip(*(torch.split(i, _BEATS_AT_ONCE) for i in inputs), strict=True)
            ]
            return torch.softmax(torch.cat(logits), dim=-1).numpy()

    def _wrong(self, what: str) -> ReveilleError:
        return ReveilleError(
            f"The back end {self.name!r} returns {what}; it is to return whole numbers 0 to 3 of "
            "shape (n,), or probabilities of shape (n, 4)."
        )


def load_back_end(name: str) -> PluggedBackEnd:
    """Make a back end by its name.

    Raises:
        ReveilleError: There is none, or it cannot be loaded.
    """
    make = cast(Callable[[], object], BACK_ENDS.load(name))
    judge = BACK_ENDS.called(name, make)
    if not callable(judge):
        raise ReveilleError(
            f"The back end {name!r} makes {type(judge).__name__}, which cannot be called."
        )
    return PluggedBackEnd(name, judge)
