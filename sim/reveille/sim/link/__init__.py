"""The board's side of the link in software: payloads as arrays, a functional twin of the board."""
