"""Sweeps: many independent items of work, on one core or a cluster, whose rows fill one table."""
