"""What can go wrong with a board, beyond what `port` says of the port itself."""

from reveille.hdl.errors import ReveilleError


class BoardSilentError(ReveilleError):
    """No answer, in spite of repeated requests."""


class BoardGarbledError(ReveilleError):
    """What answers is no board, or not at this rate."""


class BoardRefusedError(ReveilleError):
    """The board did not do what it was asked for."""


class BoardResetError(ReveilleError):
    """The board was reset, or another program has used it: what was on it is gone."""
