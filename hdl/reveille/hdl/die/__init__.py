"""The interface to a memristor die: pads, timing, reading, programming with verify, emulation."""
