"""Work for the tests of the engine; worker processes import it by its name."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from reveille.sim.sweeps.engine import item_seed


@dataclass(frozen=True)
class Squares:
    """Three rows an item: its number, its square and a number drawn for it.

    Attributes:
        log: Folder in which each evaluation leaves a file, if any.
        kills: First item of a chunk whose first worker dies over it.
        parts: The sweep's parts; the worker that dies waits until its other chunks are there.
        delay_s: How long a chunk takes.
        fails: First item of a chunk that raises an error.
        always: Every worker dies over the chunk, not only the first.
    """

    log: Path | None = None
    kills: int | None = None
    parts: Path | None = None
    delay_s: float = 0.0
    fails: int | None = None
    always: bool = False

    def __call__(self, items: range) -> pa.Table:
        if items[0] == self.fails:
            raise ValueError("no square")
        time.sleep(self.delay_s)
        if self.log is not None:
            attempt = len(list(self.log.glob(f"{items[0]}-*")))
            (self.log / f"{items[0]}-{attempt}-{os.getpid()}").touch()
            if items[0] == self.kills and (attempt == 0 or self.always):
                self._die(items)
        draws = [np.random.default_rng(item_seed(7, item)).random(3) for item in items]
        return pa.table(
            {
                "item": np.repeat(np.array(items), 3),
                "square": np.repeat(np.array(items) ** 2, 3),
                "draw": np.concatenate(draws),
            }
        )

    def _die(self, items: range) -> None:
        mine = [p.name.split("-")[0] for p in self.log.glob(f"*-{os.getpid()}")]
        done = [int(first) // len(items) for first in mine if int(first) != items[0]]
        while self.parts and not all((self.parts / f"{n:08d}.parquet").exists() for n in done):
            time.sleep(0.01)
        time.sleep(0.5)  # by then a scheduler knows that they were collected
        os.kill(os.getpid(), signal.SIGKILL)
