"""The back end: a small neural network that classifies the beats for which the CPU is woken."""
