"""The CPU on the chip: a VexRiscv that sleeps, is woken, decides the beat and sleeps again."""
