"""The serial link: its contract (`frames`, `contract`, `board`) and its gateware."""
