"""The durable history of runs in SQL."""
