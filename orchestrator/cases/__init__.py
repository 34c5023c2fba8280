"""The case corpus: scripts and their expected results, read and written."""
