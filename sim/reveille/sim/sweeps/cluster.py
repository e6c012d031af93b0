"""Chunks on a running Dask cluster.

The scheduler is somebody else's: started by hand, by `dask-jobqueue` on SLURM, in containers. Its
workers need Reveille installed, and no file system in common: rows come back over the network.
"""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pyarrow as pa

from reveille.hdl.errors import ReveilleError
from reveille.sim.sweeps.engine import Chunk, Evaluate

CHUNKS_PER_THREAD = 2
"""Chunks handed out at once for each thread of the workers: bounds what waits for collection."""

CONNECT_TIMEOUT_S = 10


class DaskPool:
    """Evaluates chunks on a Dask cluster; see `reveille.sim.sweeps.engine.Pool`.

    Dask itself starts a chunk anew whose worker is lost, on another worker or on one that joins.

    Args:
        address: Of the scheduler, as ``tcp://host:8786``.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def evaluate(
        self, evaluate: Evaluate, chunks: Iterable[Chunk]
    ) -> Iterator[tuple[Chunk, pa.Table]]:
        """See `reveille.sim.sweeps.engine.Pool.evaluate`."""
        client = _connect(self.address)
        try:
            yield from _evaluate(client, evaluate, iter(chunks))
        finally:
            client.close()


def _connect(address: str) -> Any:
    try:
        from distributed import Client
        from distributed.comm import connect
        from distributed.security import Security
    except ImportError as error:
        raise ReveilleError(
            "A sweep on a cluster needs Dask; install it with pip install 'reveille[cluster]'."
        ) from error

    async def knock() -> None:
        secured = Security().get_connection_args("client")
        await (await connect(address, timeout=CONNECT_TIMEOUT_S, **secured)).close()

    try:
        asyncio.run(knock())  # a Client that finds nobody complains once more when it is collected
        return Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ReveilleError(
            f"No Dask scheduler answers at {address}; start one with `dask scheduler` and workers "
            "with `dask worker ADDRESS`."
        ) from error


def _evaluate(
    client: Any, evaluate: Evaluate, chunks: Iterator[Chunk]
) -> Iterator[tuple[Chunk, pa.Table]]:
    from distributed import KilledWorker, as_completed

    # A task, unlike scattered data, is made again where the workers that held it are lost.
    held = client.submit(_itself, evaluate, pure=False)
    under_way: dict[Any, Chunk] = {}

    def submit(count: int) -> list[Any]:
        futures = []
        for chunk in islice(chunks, max(0, count)):
            future = client.submit(_call, held, chunk.items, pure=False)
            under_way[future] = chunk
            futures.append(future)
        return futures

    collected = as_completed(submit(_window(client)), loop=client.loop)
    for future in collected:
        try:
            rows = future.result()
        except KilledWorker as error:
            items = under_way[future].items
            raise ReveilleError(
                f"Items {items[0]} to {items[-1]} of the sweep lost their Dask worker again and "
                "again; was it killed for want of memory?"
            ) from error
        chunk = under_way.pop(future)
        future.release()  # or the worker would keep the rows, and make them again if it is lost
        for another in submit(_window(client) - len(under_way)):
            collected.add(another)
        yield chunk, rows


def _window(client: Any) -> int:
    """Return how many chunks may be under way: the cluster may grow and shrink meanwhile."""
    threads: dict[str, int] = client.nthreads()
    return max(1, CHUNKS_PER_THREAD * sum(threads.values()))


def _itself(evaluate: Evaluate) -> Evaluate:
    return evaluate


def _call(evaluate: Evaluate, items: range) -> pa.Table:
    return evaluate(items)
