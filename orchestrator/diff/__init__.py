"""The diff parser: where a diff comes from, its files, and the Go functions they change."""
