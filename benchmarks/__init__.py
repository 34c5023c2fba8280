"""Programs that measure; each starts from the root as ``python benchmarks/x.py`` and ``python -m benchmarks.x``."""
