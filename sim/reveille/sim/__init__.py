"""Bit-exact twins of the gateware, and the gateware itself under Verilator and cocotb."""
