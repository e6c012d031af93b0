"""Gateware of the front end and its wake-up path; the contracts of the product are defined here."""
