"""Measurements on a board: beats through it, and what became of each kept for good."""
