"""Plug-ins are found by name; a broken one is one sentence that says what to do."""

from importlib.metadata import EntryPoint

import pytest

from reveille.hdl import plugins
from reveille.hdl.errors import ReveilleError
from reveille.hdl.plugins import PluginKind

KIND = PluginKind(
    noun="thing",
    group="reveille.things",
    wanted="a whole number",
    fits=lambda found: isinstance(found, int),
    shipped={"three": "reveille.hdl.parameters:READ_ERROR_BITS"},
)


class Point(EntryPoint):
    """An entry point of a package that is not there."""

    def load(self) -> object:
        return {"seven": lambda: 7, "text": lambda: "7", "three": lambda: 3}.get(
            self.name, self._broken
        )()

    def _broken(self) -> object:
        raise {"missing": ImportError("No module named 'usb'")}.get(self.name, OSError("a\n b"))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("seven", "text", "missing", "crash")
    points = [Point(name, "elsewhere:THING", KIND.group) for name in names]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points)


@pytest.mark.usefixtures("installed")
def test_what_others_announce_is_found_beside_what_ships() -> None:
    assert KIND.names() == ["crash", "missing", "seven", "text", "three"]
    assert KIND.load("seven") == 7
    assert KIND.load("three") == 24


def test_another_package_goes_before_a_shipped_one(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [Point("three", "elsewhere:THING", KIND.group)]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points)
    assert KIND.load("three") == 3


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none", r"no thing 'none'; there are crash, .* entry points of the group 'reveille.thing"),
        ("text", r"entry point 'text' of the group 'reveille.things' gives str, not a whole numbe"),
        ("missing", r"thing 'missing' cannot be loaded \(No module named 'usb'\); repair or remov"),
        ("crash", r"thing 'crash' cannot be loaded \(OSError: a b\)"),
    ],
)
def test_one_that_cannot_be_used_is_one_sentence(name: str, sentence: str) -> None:
    with pytest.raises(ReveilleError, match=sentence):
        KIND.load(name)


def test_what_fails_when_called_is_told_and_a_reveille_error_passes() -> None:
    with pytest.raises(ReveilleError, match=r"thing 'seven' fails \(ZeroDivisionError: .*\)"):
        KIND.called("seven", lambda: 1 // 0)

    def refuse() -> object:
        raise ReveilleError("It is closed.")

    with pytest.raises(ReveilleError, match=r"^It is closed\.$"):
        KIND.called("seven", refuse)
