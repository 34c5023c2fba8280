"""What strategies see and what they return: the seam at which imports, history, lexical and surface join the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from orchestrator.domain.change import DiffSummary
from orchestrator.domain.plan import Priority, Suite
from orchestrator.domain.profile import Profile
from orchestrator.planner.measured import Measured

if TYPE_CHECKING:
    from orchestrator.history.outlook import Outlook
    from orchestrator.planner.budget import Budget
    from orchestrator.planner.failures import Spoken
    from orchestrator.planner.python.graph import Graph

#: The strategy that stands for a person's own wish; nothing overrules it.
ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One strategy's reason for one test."""

    strategy: str
    suite: Suite
    #: BVT: a category. UT: a package pattern without ``./``. SCA: an analyser of the profile.
    name: str
    priority: Priority
    #: How strongly it speaks for the test, between 0 and 1.
    weight: float
    #: Why, in words a person understands.
    detail: str
    #: BVT: scripts relative to the category; SCA: package directories. Empty: all there are.
    files: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """A strategy's word about the change as a whole."""

    strategy: str
    text: str
    #: The change needs no test at all: only what a person asked for is kept.
    vetoes: bool = False


class Tree(Protocol):
    """The files at the change's head, as far as planning needs them."""

    def directories(self, path: str) -> frozenset[str]:
        """Names of the directories right below ``path`` (``.``: the root); empty when there is no such directory."""
        ...

    def has_directory(self, path: str) -> bool:
        """Whether ``path`` is a directory."""
        ...

    def files(self, path: str) -> tuple[str, ...]:
        """All files below ``path``, relative to it, sorted."""
        ...

    def count(self, expression: str, path: str, glob: str) -> Mapping[str, int]:
        """Lines that match a basic regular expression in the files below ``path`` that match ``glob``.

        By path in the tree; files without such a line are left out.
        """
        ...

    def texts(self, suffix: str) -> Mapping[str, str]:
        """The contents of all files whose names end with ``suffix``, by path; those nobody can read are left out."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a strategy may look at beside the change."""

    profile: Profile
    #: Categories there are at the head; without a tree those of the profile and of the change itself.
    categories: frozenset[str]
    #: The tree at the head, when a repository is at hand.
    tree: Tree | None = None
    #: Categories a person asked for.
    asked: tuple[str, ...] = ()
    #: What tests took the last times.
    measured: Measured = field(default_factory=Measured)
    #: What a history model says of the change, when there is one that may be asked.
    outlook: Outlook | None = None
    #: What past failures say of tests, by their id (``bvt:join/apply.sql``, ``ut:pkg/a``).
    failed: Mapping[str, Spoken] = field(default_factory=dict)
    #: What may be spent on SQL cases, or on Python tests; ``None``: whatever the evidence asks for.
    budget: Budget | None = None
    #: Who uses whom, of a project that pytest tests, when its tree is at hand.
    graph: Graph | None = None


class Strategy(Protocol):
    """One independent source of evidence. It returns its reasons; it logs and raises nothing."""

    name: str

    def propose(self, change: DiffSummary, context: Context) -> Iterable[Evidence | Remark]:
        """Evidence for tests, in any order; several pieces for one test add up."""
        ...
