"""The binarised front end: its weights, its training, and its place among the plug-ins."""
