"""Every error a caller may meet, and the exit code each one means.

MoTestplanError
├── UsageError            exit 2: what was asked for cannot be understood
│   ├── BadDiffError      the diff is not one, or is damaged
│   ├── BadProfileError   a profile file is wrong
│   ├── BadPlanError      a plan file is wrong, or newer than this program
│   ├── BadModelError     a history model is damaged, foreign or too old
│   ├── BadCaseError      a SQL case or result file is wrong
│   ├── UnknownRunError   no run, task or revision of that name
│   ├── NotAllowedError   the caller's role or budget does not cover it
│   └── ConflictError     it contradicts what was done or asked before
├── InfrastructureError   exit 3: the answer could not be had
│   ├── BrokerError       Redis cannot be reached or refuses
│   │   └── BrokerDownError   its host can be reached: Redis is down for everybody
│   ├── OtherSchemeError  the ledger is one of another version of this program
│   ├── ServerError       a SQL server does not come up, or is lost
│   ├── ToolMissingError  a program this job needs is not on this host
│   ├── WorkspaceError    the tree under test cannot be checked out
│   └── NotifyError       a chat refuses a message
└── CancelledError        exit 4: somebody asked for the end
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

#: Exit codes of every command (``docs/exit-codes.md``).
EXIT_PASSED = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INFRASTRUCTURE = 3
EXIT_CANCELLED = 4
EXIT_STOPPED_WATCHING = 130


class MoTestplanError(Exception):
    """Something went wrong that a person can act on: ``message`` says what, ``remedy`` says what to do next."""

    exit_code: ClassVar[int] = EXIT_INFRASTRUCTURE

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    @property
    def sentence(self) -> str:
        """What happened, with a full stop, for where more words follow on the line."""
        return f"{self.message.rstrip('.')}."

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


class UsageError(MoTestplanError):
    """What was asked for cannot be understood."""

    exit_code = EXIT_USAGE


class BadDiffError(UsageError):
    """The diff is not one, or is damaged."""


class BadProfileError(UsageError):
    """A profile file is wrong."""


class BadPlanError(UsageError):
    """A plan file is wrong, or newer than this program."""


class BadModelError(UsageError):
    """A history model is damaged, foreign or too old."""


class BadCaseError(UsageError):
    """A SQL case or result file is wrong."""


class UnknownRunError(UsageError):
    """No run, task or revision of that name."""


class NotAllowedError(UsageError):
    """The caller's role or budget does not cover it."""


class ConflictError(UsageError):
    """It contradicts what was done or asked before."""


class InfrastructureError(MoTestplanError):
    """The answer could not be had."""


class BrokerError(InfrastructureError):
    """Redis cannot be reached or refuses."""


class BrokerDownError(BrokerError):
    """Redis does not serve while its host answers, or its name is gone: it is down for everybody, not only here.

    One that is full and refuses every write counts as down.
    """


class OtherSchemeError(InfrastructureError):
    """The ledger in this Redis is one of another version of this program."""


class ServerError(InfrastructureError):
    """A SQL server does not come up, or is lost."""


class ToolMissingError(InfrastructureError):
    """A program this job needs is not on this host."""


class WorkspaceError(InfrastructureError):
    """The tree under test cannot be checked out."""


class NotifyError(InfrastructureError):
    """A chat refuses a message."""


class CancelledError(MoTestplanError):
    """Somebody asked for the end."""

    exit_code = EXIT_CANCELLED


def nearest(name: str, known: Iterable[str]) -> str:
    """Say ``did you mean 'x'?`` for the known name closest to ``name``, or list what is known."""
    import difflib  # only errors need it

    candidates = sorted(known)
    close = difflib.get_close_matches(name, candidates, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known: {', '.join(candidates)}." if candidates else ""
