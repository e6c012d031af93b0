"""Other data than heartbeats: labelled tables of features, on the same machine and wake-up path."""
