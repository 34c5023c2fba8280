"""The live state of runs in Redis: one client, one Lua file a transition."""
