"""Both sides of the link: each test that asks for them faces the twin and the gateware."""

import pytest

from .host import Host
from .lines import PerfectLine
from .targets import BOARD, TARGETS, Target


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> Target:
    return TARGETS[request.param](BOARD)


@pytest.fixture
def host(target: Target) -> Host:
    host = Host(PerfectLine(target), BOARD, session=1)
    assert host.hello() == 0
    return host
