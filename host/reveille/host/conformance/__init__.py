"""The contract of a board as checks that run on any board, with the twin as reference."""
