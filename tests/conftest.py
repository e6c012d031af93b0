"""Shared fixtures and settings of the test suite."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# Timing is the benchmarks' business: a slow machine must not fail a test.
settings.register_profile("reveille", deadline=None)
settings.load_profile("reveille")

# A shell starts what it puts into the background with Ctrl-C ignored; tests of Ctrl-C need it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def mitdb() -> Path:
    """Folder of MIT-BIH records: $REVEILLE_MITDB, or the one beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "mitdb"
    folder = Path(os.environ.get("REVEILLE_MITDB", beside))
    if not (folder / "100.hea").is_file():
        pytest.skip(f"no MIT-BIH records in {folder}; set REVEILLE_MITDB")
    return folder


@pytest.fixture(scope="session")
def sg13g2() -> Path:
    """Folder of SG13G2's Liberty files: $REVEILLE_SG13G2, or the one beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "sg13g2"
    folder = Path(os.environ.get("REVEILLE_SG13G2", beside))
    if not (folder / "sg13g2_stdcell_typ_1p20V_25C.lib").is_file():
        pytest.skip(f"no SG13G2 libraries in {folder}; set REVEILLE_SG13G2")
    return folder
