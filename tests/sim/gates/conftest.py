"""A tiny library and a small design of its cells, shared by the tests."""

from pathlib import Path

import pytest

from reveille.sim.gates.liberty import read_liberty
from reveille.sim.gates.library import Library
from reveille.sim.gates.netlist import Netlist, read_netlist
from reveille.sim.gates.synthesis import Synthesised, synthesise

from .designs import Design

TINY = Path(__file__).with_name("tiny.lib")


@pytest.fixture(scope="session")
def library() -> Library:
    return read_liberty(TINY)


@pytest.fixture(scope="session")
def synthesised(library: Library) -> Synthesised:
    return synthesise(Design(), "adder", library)


@pytest.fixture(scope="session")
def netlist(synthesised: Synthesised, library: Library) -> Netlist:
    return read_netlist(synthesised, library)
