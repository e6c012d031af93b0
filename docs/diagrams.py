"""Diagrams: Mermaid in the pages' sources, pictures on the pages, which so need no network.

    python docs/diagrams.py

draws those that changed, in headless Chromium (Debian: ``apt install chromium-driver``), with the
Mermaid that NiceGUI carries. A picture has the hash of its source as its name; a page whose picture
is missing fails the build.
"""

import hashlib
import re
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

DOCS = Path(__file__).parent
FOLDER = DOCS / "images" / "diagrams"
BLOCK = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)

DRAW = """
const [text, done] = arguments;
import("/index.js").then(async ({mermaid}) => {
  mermaid.initialize({
    startOnLoad: false, deterministicIds: true, theme: "neutral", htmlLabels: false,
    themeCSS: ".edgeLabel text { paint-order: stroke; stroke: white; stroke-width: 6px; }",
    themeVariables: {noteBkgColor: "#fff7d6", noteTextColor: "#000000"},
    flowchart: {useMaxWidth: false}, state: {useMaxWidth: false},
    sequence: {useMaxWidth: false, width: 250, mirrorActors: false},
  });
  done((await mermaid.render("diagram", text)).svg);
}).catch(error => done("error: " + error));
"""


def picture(source: str) -> Path:
    """Where the picture of a diagram is, or would be."""
    return FOLDER / f"{hashlib.sha256(source.strip().encode()).hexdigest()[:12]}.svg"


def diagrams() -> Iterator[str]:
    """Yield the sources of all diagrams of the pages."""
    for page in sorted(DOCS.rglob("*.md")):
        if "_build" not in page.parts:
            yield from BLOCK.findall(page.read_text(encoding="utf-8"))


class Diagram(SphinxDirective):
    """The picture of a block of Mermaid."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the picture; its text stands for it where it cannot be seen."""
        source = "\n".join(self.content)
        drawn = picture(source)
        if not drawn.exists():
            raise self.error("This diagram is not drawn yet: python docs/diagrams.py")
        uri = f"/{drawn.relative_to(DOCS).as_posix()}"
        return [nodes.image(uri=uri, alt=f"Diagram in Mermaid: {source}", classes=["diagram"])]


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("mermaid", Diagram)
    return {"parallel_read_safe": True}


def draw(sources: list[str]) -> None:
    """Draw diagrams.

    Raises:
        ValueError: Mermaid does not understand one.
    """
    sys.path.insert(0, str(DOCS.parent / "benchmarks"))
    from pages import open_browser

    mermaid = resources.files("nicegui") / "elements" / "mermaid" / "dist"
    handler = partial(SimpleHTTPRequestHandler, directory=str(mermaid))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        driver = open_browser()
        try:
            driver.get(f"http://127.0.0.1:{server.server_port}/index.js")
            for source in sources:
                svg = driver.execute_async_script(DRAW, source)
                if not svg.startswith("<svg"):
                    raise ValueError(f"{svg}, in\n{source}")
                picture(source).write_text(tidied(svg), encoding="utf-8")
        finally:
            driver.quit()
            server.shutdown()


def tidied(svg: str) -> str:
    """Return a picture on white, for dark pages, with coordinates to a hundredth."""
    svg = svg.replace("<svg ", '<svg style="background-color: white" ', 1)
    return re.sub(r"(\d\.\d\d)\d+", r"\1", svg) + "\n"


def main() -> None:
    """Draw what changed, and remove what no page has any more."""
    FOLDER.mkdir(exist_ok=True)
    sources = list(diagrams())
    draw([source for source in sources if not picture(source).exists()])
    for left in set(FOLDER.glob("*.svg")) - {picture(source) for source in sources}:
        left.unlink()


if __name__ == "__main__":
    main()
