"""What goes wrong with electrocardiograms."""

from reveille.hdl.errors import ReveilleError


class EcgError(ReveilleError):
    """A record cannot be used; the text names it and says why."""
