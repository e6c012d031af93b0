"""Bit-sliced RTL: the gateware as vector logic, one machine in each bit of a machine word."""
