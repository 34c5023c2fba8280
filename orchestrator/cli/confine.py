"""How this host keeps tests apart from itself, as MO_TESTPLAN_SANDBOX says."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from orchestrator.domain.errors import UsageError
from orchestrator.domain.profile import Profile
from orchestrator.settings import Settings
from workers.otheruser import OtherUser, other_user, redis_is_open
from workers.sandbox import Confinement, available

#: Before the range of uids in MO_TESTPLAN_SANDBOX.
_OTHER_USER = "uid:"


def confinement(config: Settings, environ: Mapping[str, str]) -> Confinement | None:
    """What keeps tests from this host, as MO_TESTPLAN_SANDBOX says; by default ``bubblewrap`` where it works."""
    if config.sandbox.startswith(_OTHER_USER):
        return other_user(config.sandbox.removeprefix(_OTHER_USER), environ.get("PATH"))
    if config.sandbox not in ("", "off"):
        raise UsageError(
            f"MO_TESTPLAN_SANDBOX={config.sandbox} is not known",
            "Write off, uid:70000-70099, or nothing for bubblewrap.",
        )
    return available(environ.get("PATH")) if not config.sandbox else None


def keep_apart(config: Settings, tests: OtherUser, scratch: Path) -> None:
    """Before a test under another uid: what this worker makes from now on is its own, but for the way through."""
    if redis_is_open(config.redis_url):
        raise UsageError(
            "tests under another uid reach this Redis, which asks nobody for a password",
            "Give it one (docs/operations.md, `mo-testplan acl`), or use bubblewrap.",
        )
    for directory in (scratch.parent, scratch.parent / "runs", scratch, Path(config.artifacts)):
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o711)
    for file in Path(config.state).glob("*.sqlite*"):
        file.chmod(0o600)
    tests.check(scratch / "any", Path(config.artifacts) / "any")
    os.umask(0o027)  # the group of a run is its own, and the keeper's who fetches its modules


def guard_redis(config: Settings, profiles: Iterable[Profile]) -> None:
    """Before servers that are built from pull requests: whoever reaches them is reached by them, sandbox or not."""
    built = next((profile.name for profile in profiles if profile.bvt.server.provider == "launch"), None)
    if built is not None and redis_is_open(config.redis_url):
        raise UsageError(
            f"SQL servers that profile {built!r} launches reach this Redis, which asks nobody for a password",
            "Give it one (docs/operations.md, `mo-testplan acl`), or accept it with --unsafe-no-sandbox.",
        )
