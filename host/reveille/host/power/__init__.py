"""Power meters: what they measure beside a board, and the energy that follows from it."""
