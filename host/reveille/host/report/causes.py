"""How causes look, on every page and in the terminal: a colour and a sign for each."""

from reveille.hdl.contract import Cause
from reveille.host.summary import WAKE_CAUSES

CAUSE_SIGNS = {
    Cause.NORMAL: "·",
    Cause.AUDIT: "o",
    Cause.ABNORMAL: "!",
    Cause.AMBIGUOUS: "?",
    Cause.INVALID: "x",
}
"""Sign of each cause, for those who cannot tell the colours."""

CAUSE_COLOURS = {
    Cause.NORMAL: "#BBBBBB",
    Cause.AUDIT: "#56B4E9",
    Cause.ABNORMAL: "#D55E00",
    Cause.AMBIGUOUS: "#E69F00",
    Cause.INVALID: "#CC79A7",
}
"""Okabe and Ito's palette, which colour-blind readers can tell apart; a sign doubles each."""

COLOURS = {cause.name: colour for cause, colour in CAUSE_COLOURS.items()}
MARKERS = {"NORMAL": "o", "AUDIT": "P", "ABNORMAL": "v", "AMBIGUOUS": "D", "INVALID": "X"}
CAUSES = ("NORMAL", *reversed(WAKE_CAUSES))
"""Names of the causes, in the order in which bars stack them."""
