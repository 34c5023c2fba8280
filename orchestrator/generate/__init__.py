"""Writes the missing cases of a change: what it touches, SQL that reaches it, gates that each case must pass."""
