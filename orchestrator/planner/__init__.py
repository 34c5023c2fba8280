"""The planner: strategies return evidence; rank, select, shard and verify make a plan of it.

Callers use ``pipeline.build_plan``, ``codec`` (JSON and parts of plans), ``verify.check`` and ``render``.
"""
