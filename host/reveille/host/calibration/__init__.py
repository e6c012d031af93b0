"""Operating points with a guarantee: calibrated over patients, not over beats."""
