"""The root of all errors that a user can cause."""


class ReveilleError(Exception):
    """A user's mistake or a missing tool.

    The text is one sentence that says what is wrong and what to do. The command line prints it and
    exits non-zero, without a traceback; libraries may catch it.
    """
