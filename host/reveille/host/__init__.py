"""Command line, ECG, training, measurement and reports."""
