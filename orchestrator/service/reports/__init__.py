"""Runs in the formats other tools read: JUnit XML and SARIF."""
