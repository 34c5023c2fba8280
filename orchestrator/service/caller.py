"""Who asks, what he may do, and how an order is given."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from orchestrator.domain.errors import NotAllowedError, UsageError

#: What a key may look like; callers choose it, so that a retried order is one order.
_KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/-]{0,99}")
#: Characters of a reason.
MAX_REASON = 500


class Role(enum.IntEnum):
    """What a person or program may do; each role includes those before it. Nobody has one unless a file says so."""

    NONE = 0
    VIEWER = 1
    DEVELOPER = 2
    MAINTAINER = 3
    ADMIN = 4

    @property
    def label(self) -> str:
        """As it is written in ``people.yaml`` and ``tokens.yaml``."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a caller may spend between midnight and midnight UTC. None: as much as it takes."""

    runs: int | None = None
    #: Estimated runner time of what it starts, in minutes.
    runner_minutes: float | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """A program or person with a role."""

    #: As records show it: ``token:ci``, ``github:login``, ``autopilot``.
    name: str
    #: From where: ``api``, ``mcp``, ``github`` …
    origin: str
    role: Role
    budget: Budget = Budget()

    def needs(self, role: Role, what: str) -> None:
        """Raise :class:`NotAllowedError` unless the caller has ``role``."""
        if self.role < role:
            raise NotAllowedError(
                f"{what} needs the role {role.label}; {self.name} is {self.role.label}",
                "Ask an administrator, or let somebody with that role do it.",
            )


@dataclass(frozen=True, slots=True)
class Order:
    """How a change of the world is asked for."""

    #: Why: kept in the audit log and the run's own record.
    reason: str
    #: Chosen by the caller; the same key with the same order is done once.
    key: str
    #: Only say what would happen.
    dry_run: bool = False

    def check(self) -> None:
        """Raise :class:`UsageError` unless reason and key are usable."""
        reason = self.reason.strip()
        if not reason or len(reason) > MAX_REASON or not reason.isprintable():
            raise UsageError(
                "an order needs a reason: one line that says why", f"Write one of at most {MAX_REASON} characters."
            )
        if not _KEY.fullmatch(self.key):
            raise UsageError(
                "an order needs an idempotency key: the same for every try at the same order",
                "Choose one of up to 100 letters, digits and . _ : / -, e.g. a UUID.",
            )
