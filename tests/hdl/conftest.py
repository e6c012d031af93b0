import pytest


def pytest_configure(config: pytest.Config) -> None:
    # A constructor that refuses its parameters leaves a component that nothing elaborates.
    config.addinivalue_line("filterwarnings", "ignore::amaranth.hdl.UnusedElaboratable")
