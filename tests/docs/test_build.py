"""The documentation builds without a warning."""

import pickle
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from docutils import nodes

DOCS = Path(__file__).resolve().parents[2] / "docs"
FETCHED = re.compile(
    r"<(?:script|img|iframe|source)[^>]*\ssrc=\"([^\"]*)|<link[^>]*\shref=\"([^\"]*)"
)
"""What a browser fetches with a page."""


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


def test_the_diagrams_are_those_of_the_pages():
    diagrams = runpy.run_path(str(DOCS / "diagrams.py"))
    wanted = {diagrams["picture"](source).name for source in diagrams["diagrams"]()}
    assert len(wanted) >= 8
    assert wanted == {drawn.name for drawn in diagrams["FOLDER"].glob("*.svg")}


@pytest.mark.slow
def test_no_page_needs_the_network(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", DOCS, tmp_path]
    subprocess.run([*command, "-d", tmp_path / "doctrees"], check=True)
    fetched = [
        (page.name, script or link)
        for page in tmp_path.rglob("*.html")
        for script, link in FETCHED.findall(page.read_text(encoding="utf-8"))
    ]
    assert len(fetched) > 100
    assert [(page, place) for page, place in fetched if re.match("(?:https?:)?//", place)] == []
    assert 'class="diagram"' in (tmp_path / "link.html").read_text(encoding="utf-8")
