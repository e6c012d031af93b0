"""Experiments on the whole system: what errors, noise and operating points do to its figures."""
