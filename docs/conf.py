"""Sphinx: `make docs` builds the pages of this folder into `docs/_build`, warnings being errors."""

import sys
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

project = "Reveille"
author = "the Reveille authors"
project_copyright = "the Reveille authors, Apache-2.0"
version = release = package_version("reveille")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "diagrams",
]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]

smartquotes = False  # it would make a dash of the two hyphens before an option

# Docstrings are prose in Markdown's manner: a single backtick is code, not a cross-reference.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False
napoleon_custom_sections = [("Members", "params_style")]

html_theme = "furo"
html_title = "Reveille"
html_show_sourcelink = False

BEFORE_NAPOLEON = 400


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", keep_first_line, priority=BEFORE_NAPOLEON)


def keep_first_line(
    app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]
) -> None:
    """Keep napoleon from taking what stands before a colon for the type of an attribute."""
    if what in ("attribute", "data", "property"):
        lines[:0] = ["..", ""]  # an empty comment: napoleon looks at the first line alone
