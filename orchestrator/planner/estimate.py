"""Seconds a test takes: as measured the last times, else from the profile, else from what is in the tree."""

from __future__ import annotations

from orchestrator.domain.plan import Suite
from orchestrator.domain.profile import Profile
from orchestrator.planner.evidence import Context
from orchestrator.planner.measured import Measured
from orchestrator.planner.python.homes import paths_of, test_seconds

#: 113,966 statements in 1,323 scripts of the MatrixOne tree at 7c27538.
_STATEMENTS_PER_SCRIPT = 86
#: A line that ends a statement.
STATEMENT = ";"
#: A line that begins a Go test.
_TEST = "^func Test"
_ID_PREFIX = {Suite.UNIT_TEST: "ut", Suite.BVT: "bvt", Suite.SCA: "sca"}


def seconds(suite: Suite, name: str, files: tuple[str, ...], context: Context) -> float:
    """Estimated seconds of one task, set-up excluded, to a tenth."""
    profile = context.profile
    known = known_seconds(suite, name, files, context)
    tests = paths_of(name, files, context.graph) if suite is Suite.UNIT_TEST and context.graph is not None else []
    if tests and context.graph is not None:
        estimate = sum(test_seconds(test, context, context.graph) for test in tests)
    elif known is not None:
        estimate = known
    elif suite is Suite.UNIT_TEST:
        estimate = _unit_tests(name, context)
    elif suite is Suite.SCA:
        estimate = next((a.seconds for a in profile.sca.analysers if a.name == name), 0.0)
    else:
        estimate = _statements(name, _scripts(name, files, profile), context) * profile.bvt.seconds_per_statement
    return round(float(estimate), 1)


def known_seconds(suite: Suite, name: str, files: tuple[str, ...], context: Context) -> float | None:
    """Seconds of a task, or of the part that ``files`` are of it, as measured the last times."""
    scripts = _scripts(name, files, context.profile) if suite is Suite.BVT else ()
    return context.measured.task(f"{_ID_PREFIX[suite]}:{name}", scripts)


def setup_seconds(suite: Suite, profile: Profile, measured: Measured | None = None) -> float:
    """Seconds before the first task of a shard starts."""
    known = measured.setup(suite.queue) if measured is not None else None
    if known is not None:
        return known
    if suite is Suite.UNIT_TEST:
        return float(profile.unit_tests.setup_seconds)
    return float(profile.bvt.setup_seconds if suite is Suite.BVT else profile.sca.setup_seconds)


def _scripts(category: str, files: tuple[str, ...], profile: Profile) -> tuple[str, ...]:
    return tuple(f"{profile.bvt.cases.rstrip('/')}/{category}/{file}" for file in files)


def _unit_tests(name: str, context: Context) -> float:
    unit = context.profile.unit_tests
    if name in unit.package_seconds:
        return unit.package_seconds[name]
    count = 0
    if context.tree is not None:
        below = name.removesuffix("...").rstrip("/") or "."
        depth = "**/*_test.go" if name.endswith("...") else "*_test.go"
        count = sum(context.tree.count(_TEST, below, depth).values())
    return max(unit.seconds_per_package, count * unit.seconds_per_test)


def _statements(category: str, scripts: tuple[str, ...], context: Context) -> int:
    bvt = context.profile.bvt
    known = bvt.categories
    if context.tree is not None and (scripts or category not in known):
        counted = context.tree.count(STATEMENT, f"{bvt.cases.rstrip('/')}/{category}", "**/*")
        inside = [count for path, count in counted.items() if path.endswith((".sql", ".test"))]
        if counted:
            return sum(counted.get(script, 0) for script in scripts) if scripts else sum(inside)
    typical = sum(known.values()) // len(known) if known else _STATEMENTS_PER_SCRIPT
    whole = known.get(category, typical)
    return min(whole, len(scripts) * _STATEMENTS_PER_SCRIPT) if scripts else whole
