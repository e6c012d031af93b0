"""Runs the cocotb benches: one simulation a bench and build, one pytest result a cocotb test."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from amaranth.lib import wiring

from reveille.hdl.die.pads import DieTiming
from reveille.hdl.die.top import DieFrontEnd
from reveille.hdl.machine import BayesianMachine
from reveille.hdl.parameters import Machine, MachineParameters
from reveille.hdl.top import EmulatedFrontEnd
from reveille.hdl.wakeup import WakeUpController
from reveille.sim.cocotb_runner import BenchResult, build_simulator, run_bench

from .setting import environment_of

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Build:
    """A bench module and what it faces."""

    module: str
    component: Callable[[MachineParameters], wiring.Component]
    parameters: MachineParameters


SMALL_FIFO = {"fifo_depth": 4, "queue_depth": 2}

BUILDS = {
    "stochastic machine": Build("machine_bench", BayesianMachine, MachineParameters()),
    "logarithmic machine": Build(
        "machine_bench", BayesianMachine, MachineParameters(machine=Machine.LOGARITHMIC)
    ),
    "wake-up controller": Build(
        "wakeup_bench", WakeUpController, MachineParameters(**SMALL_FIFO, counter_bits=8)
    ),
    "top": Build("top_bench", EmulatedFrontEnd, MachineParameters(**SMALL_FIFO)),
    "die": Build(
        "die_bench",
        lambda parameters: DieFrontEnd(parameters, DieTiming()),
        MachineParameters(array_timeout_cycles=200),
    ),
}


def cocotb_tests(module: str) -> list[str]:
    """Names of the cocotb tests in a bench, found without running it."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.AsyncFunctionDef)]
    return [
        f.name for f in functions if any("cocotb.test" in ast.unparse(d) for d in f.decorator_list)
    ]


@cache
def results_of(name: str, work: Path) -> list[BenchResult]:
    build = BUILDS[name]
    simulator = build_simulator(build.component(build.parameters))
    return run_bench(
        simulator,
        build.module,
        work,
        folder=FOLDER,
        environment=environment_of(build.parameters),
    )


@pytest.fixture(scope="session")
def work_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return cache(lambda name: tmp_path_factory.mktemp(name.replace(" ", "-")))


@pytest.mark.parametrize(
    ("name", "test"),
    [(name, test) for name, build in BUILDS.items() for test in cocotb_tests(build.module)],
)
def test_bench(name: str, test: str, work_of: Callable[[str], Path]) -> None:
    results = results_of(name, work_of(name))
    mine = [result for result in results if result.name.split("/")[0] == test]
    assert mine, f"cocotb did not run {test}"
    failures = [f"{r.name} (seed {r.seed}): {r.failure}" for r in mine if r.failure is not None]
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("name", BUILDS)
def test_every_cocotb_test_is_a_pytest_result(name: str, work_of: Callable[[str], Path]) -> None:
    ran = {result.name.split("/")[0] for result in results_of(name, work_of(name))}
    assert ran == set(cocotb_tests(BUILDS[name].module))
