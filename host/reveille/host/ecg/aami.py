"""Heartbeat classes of ANSI/AAMI EC57, and the inter-patient split of MIT-BIH."""

from enum import IntEnum


class AamiClass(IntEnum):
    """Heartbeat class after ANSI/AAMI EC57:1998/(R)2008."""

    N = 0
    """Any heartbeat not in the other classes: normal, bundle branch block, escape."""
    S = 1
    """Supraventricular ectopic."""
    V = 2
    """Ventricular ectopic."""
    F = 3
    """Fusion of ventricular and normal."""
    Q = 4
    """Paced, fusion of paced and normal, or unclassifiable; left out of all figures."""


SYMBOL_CLASSES: dict[str, AamiClass] = {
    symbol: aami
    for aami, symbols in {
        AamiClass.N: "NLRBejn",
        AamiClass.S: "AaJS",
        AamiClass.V: "VEr",
        AamiClass.F: "F",
        AamiClass.Q: "/fQ?",
    }.items()
    for symbol in symbols
}
"""Class of each beat annotation symbol of WFDB; other symbols (rhythm, noise, flutter waves,
blocked P waves) are no beats. Escape beats count as N, as in de Chazal et al. and later work."""

PACED = ("102", "104", "107", "217")
"""MIT-BIH records with paced beats, which EC57 leaves out."""

DS1 = (
    *("101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122"),
    *("124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230"),
)
"""Training patients; de Chazal, O'Dwyer and Reilly, IEEE Trans. Biomed. Eng. 51:1196, 2004."""

DS2 = (
    *("100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210"),
    *("212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234"),
)
"""Test patients of the same split."""
