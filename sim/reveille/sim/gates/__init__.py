"""Gate-level energy: from Amaranth and a Liberty file to joules by block and phase."""
