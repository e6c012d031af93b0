"""What the tests of reports share: a page taken apart, and a few runs."""

from html.parser import HTMLParser

import pytest

from reveille.hdl.parameters import Machine
from reveille.host.choices import Embodiment, Split


class Page(HTMLParser):
    """Collects what a page loads, its tables, and its drawings."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.tables, self.ids, self.drawings = [], [], [], []
        self.svgs = 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        for name in ("src", "href", "xlink:href", "data", "srcset", "poster"):
            if name in told and not (told[name] or "").startswith(("#", "data:")):
                self.loads.append((tag, told[name]))
        if tag in ("script", "link", "iframe", "object", "embed"):
            self.loads.append((tag, str(told)))
        if tag == "table":
            self.tables.append(told.get("id"))
        self.svgs += tag == "svg"
        if told.get("role") == "img":
            self.drawings.append(told.get("aria-label"))
        if "id" in told:
            self.ids.append(told["id"])


@pytest.fixture
def stands_alone():
    """Check that a page loads nothing, and that its ids are its own; return what is in it."""

    def check(text):
        page = Page(text)
        assert page.loads == []
        for loader in ("url(http", "url(//", "@import", "@font-face"):
            assert loader not in text
        assert len(set(page.ids)) == len(page.ids)
        assert all(label and len(label) > 20 for label in page.drawings)
        assert page.svgs == len(page.drawings)
        return page

    return check


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Twin runs over digital patients, made once."""
    from reveille.host.dataset import digital_dataset
    from reveille.host.experiment import RunOptions, execute
    from reveille.host.models import load_models
    from reveille.host.progress import Silent

    folder = tmp_path_factory.mktemp("runs")
    models, silent = load_models(0, None), Silent()
    dataset = digital_dataset(Split.DS2, 0, silent)
    for name, machine, limit, policy in (
        ("base", Machine.STOCHASTIC, 600, {}),
        ("log", Machine.LOGARITHMIC, 600, {}),
        ("part", Machine.STOCHASTIC, 300, {"threshold": 20}),
    ):
        options = RunOptions(machine, embodiment=Embodiment.TWIN, limit=limit, policy=policy)
        execute(dataset, models, options, folder / name, silent)
    return folder
