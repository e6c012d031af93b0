"""Electrocardiograms: WFDB records, AAMI classes, beats and what is observed of them."""
