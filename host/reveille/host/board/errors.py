"""What can go wrong with a board, beyond what `port` says of the port itself."""

from reveille.hdl.errors import ReveilleError
from reveille.hdl.link.contract import Status


class BoardSilentError(ReveilleError):
    """No answer, in spite of repeated requests."""


class BoardGarbledError(ReveilleError):
    """What answers is no board, or not at this rate."""


class BoardRefusedError(ReveilleError):
    """The board did not do what it was asked for.

    Attributes:
        status: How it says so.
    """

    def __init__(self, text: str, status: Status) -> None:
        super().__init__(text)
        self.status = status


class BoardResetError(ReveilleError):
    """The board was reset, or another program has used it: what was on it is gone."""
