"""Chunks on the cores of this machine, a process a core.

Each worker is a process with a pipe of its own. One that dies takes nothing along but the chunk it
was at, and one whose parent dies finds its pipe closed and ends.
"""

import multiprocessing as mp
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait

import pyarrow as pa

from reveille.hdl.errors import ReveilleError
from reveille.sim.sweeps.engine import Chunk, Evaluate

MOST_LOSSES = 3
"""A chunk that loses its worker so often is given up: the fault is its own."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalPool:
    """Evaluates chunks on this machine; see `reveille.sim.sweeps.engine.Pool`.

    Args:
        processes: Worker processes; with 1, all is done in this process.

    Raises:
        ReveilleError: There are less than 1.
    """

    def __init__(self, processes: int | None = None) -> None:
        self.processes = cores() if processes is None else processes
        if self.processes < 1:
            raise ReveilleError(f"A sweep takes at least 1 process, not {processes}.")

    def evaluate(
        self, evaluate: Evaluate, chunks: Iterable[Chunk]
    ) -> Iterator[tuple[Chunk, pa.Table]]:
        """See `reveille.sim.sweeps.engine.Pool.evaluate`."""
        if self.processes == 1:
            return ((chunk, evaluate(chunk.items)) for chunk in chunks)
        return self._in_processes(evaluate, iter(chunks))

    def _in_processes(
        self, evaluate: Evaluate, chunks: Iterator[Chunk]
    ) -> Iterator[tuple[Chunk, pa.Table]]:
        losses: dict[int, int] = {}
        workers: list[_Worker] = []
        try:
            for _, chunk in zip(range(self.processes), chunks, strict=False):
                workers.append(_Worker(evaluate, chunk))
            while workers:
                for connection in wait([worker.connection for worker in workers]):
                    worker = next(w for w in workers if w.connection is connection)
                    chunk, rows = worker.chunk, worker.result()
                    if rows is None:
                        workers.remove(worker)
                        losses[chunk.number] = losses.get(chunk.number, 0) + 1
                        _check_losses(chunk, losses[chunk.number])
                        workers.append(_Worker(evaluate, chunk))
                        continue
                    following = next(chunks, None)
                    if following is None:
                        workers.remove(worker)
                        worker.stop()
                    else:
                        worker.begin(following)
                    yield chunk, rows
        finally:
            for worker in workers:
                worker.stop()


def _check_losses(chunk: Chunk, losses: int) -> None:
    if losses >= MOST_LOSSES:
        raise ReveilleError(
            f"Items {chunk.items[0]} to {chunk.items[-1]} of the sweep lost their worker process "
            f"{losses} times; was it killed for want of memory? Try fewer --processes."
        )


class _Worker:
    """A process that evaluates one chunk after the other."""

    def __init__(self, evaluate: Evaluate, chunk: Chunk) -> None:
        context = mp.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, evaluate), daemon=True)
        self._process.start()
        theirs.close()
        self.begin(chunk)

    def begin(self, chunk: Chunk) -> None:
        """Hand over a chunk. If the worker is dead by now, `result` will tell."""
        self.chunk = chunk
        with suppress(BrokenPipeError):
            self.connection.send(chunk.items)

    def result(self) -> pa.Table | None:
        """Return the rows of the chunk, or None if the worker died over it."""
        try:
            result = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.stop()
            return None
        if isinstance(result, BaseException):
            raise result
        return result

    def stop(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(connection: Connection, evaluate: Evaluate) -> None:
    """Evaluate what comes down the pipe until it closes. Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            items = connection.recv()
            try:
                result = evaluate(items)
            except Exception as error:
                result = error
            connection.send(result)
