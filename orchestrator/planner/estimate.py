"""Seconds a test takes, from the profile, before there is any history."""

from __future__ import annotations

from orchestrator.domain.plan import Suite
from orchestrator.domain.profile import Bvt, Profile

#: 113,966 statements in 1,323 scripts of the MatrixOne tree at 7c27538.
_STATEMENTS_PER_SCRIPT = 86


def seconds(suite: Suite, name: str, files: tuple[str, ...], profile: Profile) -> float:
    """Estimated seconds of one task, set-up excluded, to a tenth."""
    if suite is Suite.UNIT_TEST:
        known = profile.unit_tests.package_seconds
        estimate = known.get(name, profile.unit_tests.seconds_per_package)
    elif suite is Suite.SCA:
        estimate = next((a.seconds for a in profile.sca.analysers if a.name == name), 0.0)
    else:
        estimate = _statements(name, len(files), profile.bvt) * profile.bvt.seconds_per_statement
    return round(float(estimate), 1)


def setup_seconds(suite: Suite, profile: Profile) -> float:
    """Seconds before the first task of a shard starts."""
    if suite is Suite.UNIT_TEST:
        return float(profile.unit_tests.setup_seconds)
    return float(profile.bvt.setup_seconds if suite is Suite.BVT else profile.sca.setup_seconds)


def _statements(category: str, scripts: int, bvt: Bvt) -> int:
    known = bvt.categories
    typical = sum(known.values()) // len(known) if known else _STATEMENTS_PER_SCRIPT
    whole = known.get(category, typical)
    return min(whole, scripts * _STATEMENTS_PER_SCRIPT) if scripts else whole
