"""The documentation builds without a warning."""

import pickle
import subprocess
import sys
from pathlib import Path

from docutils import nodes

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_sphinx_has_nothing_to_warn_of(tmp_path):
    """The builder is the one that reads and resolves all pages and writes none."""
    command = [sys.executable, "-m", "sphinx", "-b", "dummy", "-q", "-E", "-W", "--keep-going"]
    built = subprocess.run(
        [*command, "-d", tmp_path / "doctrees", DOCS, tmp_path / "pages"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    page = pickle.loads((tmp_path / "doctrees" / "reference" / "hdl.doctree").read_bytes())
    fields = [field.astext() for field in page.findall(nodes.field_name)]
    assert "Raises" in fields
    assert "Type" not in fields  # half of "Read: ..." taken for the type of a register
