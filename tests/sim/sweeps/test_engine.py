"""Sweeps: the same table whatever happens on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from reveille.hdl.errors import ReveilleError
from reveille.sim.sweeps import engine
from reveille.sim.sweeps.cluster import DaskPool
from reveille.sim.sweeps.engine import Sweep, item_seed, run_sweep
from reveille.sim.sweeps.local import MOST_LOSSES, LocalPool

EVALUATORS = Path(__file__).parent / "evaluators"
ITEMS, CHUNK_ITEMS = 43, 5


@pytest.fixture(autouse=True)
def _evaluators(monkeypatch):
    monkeypatch.syspath_prepend(EVALUATORS)


def squares(**options):
    from squares import Squares

    return Squares(**options)


def untracked(items, description, total):
    yield from items


def sweep_in(folder, **changes):
    return Sweep(folder, **{"manifest": {"of": "squares"}, "items": ITEMS} | changes, **CHUNKED)


CHUNKED = {"chunk_items": CHUNK_ITEMS}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The bytes of the table of a sweep that nothing happened to."""
    sys.path.insert(0, str(EVALUATORS))
    folder = tmp_path_factory.mktemp("sweeps") / "undisturbed"
    return run_sweep(sweep_in(folder), squares(), LocalPool(1), untracked).read_bytes()


def test_rows_come_in_the_order_of_the_items(tmp_path, undisturbed):
    table = run_sweep(sweep_in(tmp_path / "s"), squares(), LocalPool(1), untracked)
    rows = pq.read_table(table)
    assert rows["item"].to_pylist() == np.repeat(np.arange(ITEMS), 3).tolist()
    assert rows["square"].to_pylist() == (np.repeat(np.arange(ITEMS), 3) ** 2).tolist()
    assert table.read_bytes() == undisturbed
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == ["sweep.json", TABLE]


TABLE = engine.TABLE


def test_an_item_can_be_drawn_again_by_itself(tmp_path):
    rows = pq.read_table(run_sweep(sweep_in(tmp_path), squares(), LocalPool(1), untracked))
    alone = np.random.default_rng(item_seed(7, 31)).random(3)
    assert rows["draw"].to_numpy()[3 * 31 : 3 * 32].tolist() == alone.tolist()


@pytest.mark.parametrize("stop_after", [0, 1, 4, 9])
def test_a_stopped_sweep_goes_on_where_it_was(tmp_path, undisturbed, stop_after):
    """Chunks that are there are not evaluated again, and the bytes are the same."""
    log = tmp_path / "log"
    log.mkdir()
    sweep = sweep_in(tmp_path / "s")

    def stop(results, description, total):
        for done, result in enumerate(results):
            if done == stop_after:
                raise KeyboardInterrupt
            yield result

    if stop_after < sweep.chunks:
        with pytest.raises(KeyboardInterrupt):
            run_sweep(sweep, squares(log=log), LocalPool(1), stop)
        assert len(list((tmp_path / "s" / engine.PARTS).iterdir())) == stop_after
    assert not sweep.table.exists()
    table = run_sweep(sweep, squares(log=log), LocalPool(1), untracked)
    assert table.read_bytes() == undisturbed
    # The chunk at which it was stopped had been evaluated, but not written.
    assert len(list(log.iterdir())) == sweep.chunks + (stop_after < sweep.chunks)


def test_a_finished_sweep_is_left_alone(tmp_path, undisturbed):
    sweep = sweep_in(tmp_path)
    run_sweep(sweep, squares(), LocalPool(1), untracked)
    assert run_sweep(sweep, squares(fails=0), LocalPool(1), untracked).read_bytes() == undisturbed


def test_tables_of_many_groups_of_rows(tmp_path, monkeypatch, undisturbed):
    monkeypatch.setattr(engine, "ROW_GROUP_ROWS", 30)
    table = run_sweep(sweep_in(tmp_path), squares(), LocalPool(1), untracked)
    assert pq.ParquetFile(table).num_row_groups == 5  # 129 rows, 15 a part, 30 a group
    assert table.read_bytes() != undisturbed
    assert pq.read_table(table).num_rows == 3 * ITEMS


def test_processes_give_the_same_and_a_lost_one_costs_its_chunk(tmp_path, undisturbed):
    log = tmp_path / "log"
    log.mkdir()
    sweep = sweep_in(tmp_path / "s")
    table = run_sweep(sweep, squares(log=log, kills=20), LocalPool(2), untracked)
    assert table.read_bytes() == undisturbed
    evaluated = sorted(int(path.name.split("-")[0]) for path in log.iterdir())
    assert evaluated == sorted([*range(0, ITEMS, CHUNK_ITEMS), 20])


def test_a_chunk_that_kills_every_worker_is_given_up(tmp_path):
    log = tmp_path / "log"
    log.mkdir()
    sweep = sweep_in(tmp_path / "s", items=10)
    with pytest.raises(ReveilleError, match=f"Items 5 to 9 .* {MOST_LOSSES} times"):
        run_sweep(sweep, squares(log=log, kills=5, always=True), LocalPool(2), untracked)


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_of_the_work_is_raised(tmp_path, processes):
    with pytest.raises(ValueError, match="no square"):
        run_sweep(sweep_in(tmp_path, items=20), squares(fails=15), LocalPool(processes), untracked)


def test_another_sweep_is_refused(tmp_path):
    run_sweep(sweep_in(tmp_path), squares(), LocalPool(1), untracked)
    for changes in ({"items": 44}, {"manifest": {"of": "cubes"}}):
        with pytest.raises(ReveilleError, match=r"holds another sweep \((items|of) differ\)"):
            run_sweep(sweep_in(tmp_path, **changes), squares(), LocalPool(1), untracked)


def test_a_damaged_manifest_is_said(tmp_path):
    (tmp_path / engine.MANIFEST).write_text("{")
    with pytest.raises(ReveilleError, match="is damaged"):
        run_sweep(sweep_in(tmp_path), squares(), LocalPool(1), untracked)


def test_no_points_and_no_processes_are_refused(tmp_path):
    with pytest.raises(ReveilleError, match="has no points"):
        run_sweep(sweep_in(tmp_path, items=0), squares(), LocalPool(1), untracked)
    with pytest.raises(ReveilleError, match="at least 1 process"):
        LocalPool(0)


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {evaluators!r})
from squares import Squares
from reveille.sim.sweeps.engine import Sweep, run_sweep
from reveille.sim.sweeps.local import LocalPool

def untracked(items, description, total):
    yield from items

if __name__ == "__main__":
    sweep = Sweep(Path({folder!r}), {{"of": "squares"}}, {items}, {chunk_items})
    run_sweep(sweep, Squares(delay_s=0.2), LocalPool(2), untracked)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_leaves_what_it_had_and_no_workers(tmp_path, undisturbed, how):
    folder = tmp_path / "s"
    script = tmp_path / "sweep.py"
    script.write_text(
        SCRIPT.format(
            evaluators=str(EVALUATORS), folder=str(folder), items=ITEMS, chunk_items=CHUNK_ITEMS
        )
    )
    process = subprocess.Popen(
        [sys.executable, str(script)], stderr=subprocess.PIPE, start_new_session=True
    )
    while process.poll() is None and len(list(folder.glob("parts/*.parquet"))) < 2:
        time.sleep(0.02)
    process.send_signal(how)
    process.wait()
    while _session_has_processes(process.pid):  # workers find their pipes closed
        time.sleep(0.02)
    there = len(list(folder.glob("parts/*.parquet")))
    assert 2 <= there < -(-ITEMS // CHUNK_ITEMS)
    table = run_sweep(sweep_in(folder), squares(), LocalPool(1), untracked)
    assert table.read_bytes() == undisturbed


def _session_has_processes(session):
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_dask_cluster_gives_the_same_and_a_lost_worker_costs_its_chunk(
    tmp_path, monkeypatch, undisturbed
):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", str(EVALUATORS))
    log = tmp_path / "log"
    log.mkdir()
    sweep = sweep_in(tmp_path / "s")
    work = squares(log=log, kills=20, parts=tmp_path / "s" / engine.PARTS)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        table = run_sweep(sweep, work, DaskPool(cluster.scheduler_address), untracked)
    assert table.read_bytes() == undisturbed
    evaluated = sorted(int(path.name.split("-")[0]) for path in log.iterdir())
    assert evaluated == sorted([*range(0, ITEMS, CHUNK_ITEMS), 20])


def test_a_scheduler_that_does_not_answer_is_said(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("reveille.sim.sweeps.cluster.CONNECT_TIMEOUT_S", 0.2)
    with pytest.raises(ReveilleError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        run_sweep(sweep_in(tmp_path), squares(), DaskPool("tcp://127.0.0.1:1"), untracked)
