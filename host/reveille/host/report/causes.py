"""How causes look, on every page and in the terminal: a colour and a sign for each."""

from reveille.hdl.contract import Cause

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
