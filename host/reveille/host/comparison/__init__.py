"""Several finished runs side by side: figures, paired differences, configuration."""
