"""Agents, CI and other programs: MCP, the autopilot, GitHub, REST, and this project tested by itself."""

from __future__ import annotations

from benchmarks.promised.measure import INPUTS, Promise


def itself() -> tuple[object, bool]:
    """A change of this project, planned and run by itself: the verdict of pytest alone."""
    figures = INPUTS.benchmark("benchmarks.itself", "--small")
    return figures["ran"], bool(figures["ok"])


def autopilot() -> tuple[object, bool]:
    """Two flights, which mostly wait, beside each other: the demo's bug; a bug, a flaky test and a killed worker."""
    return INPUTS.tests("tests/acceptance/test_autopilot.py", "-k", "tells or demo", "-n", "2")


PROMISES = [
    Promise("mcp-session", "0 fail", lambda: INPUTS.tests("tests/integration/test_mcp.py", "-k", "http and not https")),
    Promise("autopilot", "0 fail", autopilot),
    Promise(
        "github", "0 fail", lambda: INPUTS.tests("tests/acceptance/test_github.py", "-k", "opened_told or supersedes")
    ),
    Promise("rest-schema", "0 fail", lambda: INPUTS.tests("tests/integration/test_api_schema.py")),
    Promise("itself", "the verdict of pytest", itself),
    Promise("event-streams", "100 hear all", lambda: INPUTS.tests("tests/integration/test_api.py", "-k", "hundred")),
    Promise("metrics", "0 fail", lambda: INPUTS.tests("tests/integration/test_api.py", "-k", "metrics or dashboard")),
]
