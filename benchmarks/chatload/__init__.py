"""The parts of ``benchmarks/wecom.py``: many callbacks, and many runs that end at once."""
