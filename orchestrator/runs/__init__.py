"""The orchestrator: from plan to chord, control while it goes, one summary at the end."""
