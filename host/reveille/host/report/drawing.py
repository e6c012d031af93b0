"""How all figures are drawn: one style, as SVG."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "reveille",
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
}

_GROUP = re.compile(r'<g id="[^"]*"')
_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_NAMED = re.compile(r'( id="|href="#|url\(#)')


@dataclass(frozen=True)
class Drawing:
    """A figure on a page.

    Attributes:
        name: Of its file.
        alt: What it shows, for those who do not see it.
        caption: How to read it: n, spread, and what is not plain from the axes.
        svg: The figure.
    """

    name: str
    alt: str
    caption: str
    svg: Markup

    @classmethod
    def of(cls, name: str, alt: str, caption: str, svg: str) -> "Drawing":
        """Put a figure on a page, where its ids must not be those of another figure."""
        return cls(name, alt, caption, Markup(_NAMED.sub(rf"\g<1>{name}-", svg)))


def draw_svg(width_in: float, height_in: float, draw: Callable[[Figure], None]) -> str:
    """Return a figure as SVG, the same text for the same figure."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        draw(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    # Nothing refers to the ids of groups.
    return _GROUP.sub("<g", _METADATA.sub("", svg[svg.index("<svg") :]))
