"""What the tests of the command line share."""

import sys

import pytest

from reveille.host.cli import main


@pytest.fixture
def reveille(monkeypatch, capsys):
    """Call the command line; returns (exit status, standard output, standard error)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["reveille", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return call
