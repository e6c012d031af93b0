"""The virtual board: a Verilated top level behind a serial port."""
