"""The planner: strategies return evidence; rank, select, shard and verify make a plan of it."""
