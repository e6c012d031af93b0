"""Builds a component for cocotb, once per parameter set, and runs benches on it."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cocotb_tools.config
from amaranth.lib import wiring
from cocotb_tools.runner import get_runner

from reveille.hdl.errors import ReveilleError
from reveille.hdl.verilog import generate_verilog
from reveille.sim.build_cache import ERROR_LINES
from reveille.sim.verilate import Model, build_model
from reveille.sim.waves import wave_arguments

TOP = "top"
"""Name of the top module: cocotb's main program for Verilator includes Vtop.h."""


@dataclass(frozen=True)
class BenchResult:
    """Result of one cocotb test.

    Attributes:
        name: Name of the test function, with the values of its parameters if it has any.
        failure: Why it failed, or None.
        seed: Seed of its random numbers; it makes the run repeatable.
    """

    name: str
    failure: str | None
    seed: int | None


def build_simulator(component: wiring.Component, wave_kind: str | None = None) -> Path:
    """Return the simulator of a component, compiling it unless it is cached.

    Only the ports are visible to cocotb: with every signal public, as cocotb's own build has it,
    Verilator could optimise little.

    Args:
        component: The top level.
        wave_kind: ``.vcd`` or ``.fst`` for a simulator that can write waves.

    Raises:
        ReveilleError: A tool or header is missing, or a tool fails.
    """
    libraries = cocotb_tools.config.libs_dir
    main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    return build_model(
        Model(
            top=TOP,
            verilog=generate_verilog(component, TOP),
            output=TOP,
            files={"public.vlt": _public_ports(component)},
            sources=("public.vlt", str(main)),
            verilator_arguments=("--vpi", *wave_arguments(wave_kind)),
            linker_flags=f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator",
        )
    )


def _public_ports(component: wiring.Component) -> str:
    names = ["clk", "rst"]
    names += ["__".join(map(str, path)) for path, _, _ in component.signature.flatten(component)]
    lines = [f'public_flat_rw -module "{TOP}" -var "{name}"' for name in names]
    return "\n".join(["`verilator_config", *lines]) + "\n"


def run_bench(
    simulator: Path,
    module: str,
    work: Path,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    waves: Path | None = None,
    seed: int | None = None,
) -> list[BenchResult]:
    """Run all cocotb tests of a module in one simulation.

    Args:
        simulator: From `build_simulator`.
        module: Name of the Python module with the tests.
        work: Existing folder for logs and results.
        folder: Where the module is, unless it is importable anyway.
        environment: Variables for the tests.
        waves: File for the waves; the simulator must be built for its kind.
        seed: Seed of the tests' random numbers; chosen by cocotb when left out.

    Returns:
        The result of each test, at least one.

    Raises:
        ReveilleError: The simulation broke down, or no test was run.
    """
    log, results = work / "simulation.log", work / "results.xml"
    runner = get_runner("verilator")
    # Tests that failed are in the results; a breakdown leaves none.
    with _importable(folder), suppress(SystemExit):
        runner.test(
            test_module=module,
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            build_dir=simulator.parent,
            test_dir=work,
            results_xml=str(results),
            log_file=log,
            seed=seed,
            extra_env=dict(environment or {}),
            test_args=["--trace-file", str(waves.absolute())] if waves else [],
            waves=waves is not None,
        )
    outcomes = _read_results(results) if results.is_file() else []
    if not outcomes:
        tail = "\n".join(log.read_text().splitlines()[-ERROR_LINES:]) if log.is_file() else ""
        raise ReveilleError(f"No test of {module} has run:\n{tail}")
    return outcomes


@contextmanager
def _importable(folder: Path | None) -> Iterator[None]:
    """Put a folder on the path that cocotb's runner hands to the simulation."""
    before = list(sys.path)
    if folder is not None:
        sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = before


def _read_results(results: Path) -> list[BenchResult]:
    return [_read_result(case) for case in ElementTree.parse(results).iter("testcase")]


def _read_result(case: ElementTree.Element) -> BenchResult:
    failure = None
    for kind in ("failure", "error", "skipped"):
        found = case.find(kind)
        if found is not None:
            failure = f"{found.get('message') or kind}\n{found.text or ''}".strip()
    seeds = [p.get("value") for p in case.iter("property") if p.get("name") == "random_seed"]
    return BenchResult(
        name=case.get("name", ""),
        failure=failure,
        seed=int(seeds[0]) if seeds and seeds[0] else None,
    )
