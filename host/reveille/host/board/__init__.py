"""Boards on a serial port: opening it, talking to them, screening with them."""
