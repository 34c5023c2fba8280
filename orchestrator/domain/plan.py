"""What a run will do and why: an immutable value that prints as JSON, text and Markdown."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.change import DiffSummary

#: Version of the plan's JSON. A reader refuses a plan of a newer one.
SCHEMA_VERSION = 1


#: What hosts can say they are good for: the part after the dot of a queue such as ``bvt.gpu``.
LABEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
#: The id of a part of a category: ``bvt:join#2``.
_PART = re.compile(r"(bvt:.+)#[1-9][0-9]{0,3}", re.DOTALL)


def part_id(whole: str, number: int) -> str:
    """The id of a part (from 1) of a category's task: ``bvt:join#2``."""
    return f"{whole}#{number}"


def whole_of(task_id: str) -> str:
    """The id of the task that a part is of (``bvt:join`` for ``bvt:join#2``); of any other task its own.

    Parts are made anew with every plan: what is compared between runs is the whole.
    """
    match = _PART.fullmatch(task_id)
    return match[1] if match else task_id


class Suite(StrEnum):
    """The three suites; the value is the JSON ``type`` of a task."""

    UNIT_TEST = "unit_test"
    BVT = "bvt"
    SCA = "sca"

    @property
    def queue(self) -> str:
        """The Celery queue that serves this suite."""
        return "ut" if self is Suite.UNIT_TEST else self.value

    @property
    def label(self) -> str:
        """How people write it."""
        return self.queue.upper()


class Priority(enum.IntEnum):
    """A number in the JSON; smaller is more urgent."""

    CRITICAL = 0
    HIGH = 1
    MEDIUM = 2
    LOW = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a test was chosen: one strategy's evidence, with its weight between 0 and 1."""

    strategy: str
    weight: float
    detail: str
    #: The file of the task that it speaks for; ``None``: the task as a whole.
    test: str | None = None


@dataclass(frozen=True, slots=True)
class TestTask:
    """The unit of verdict, cancel and re-run: a Go package pattern, a BVT category (or some of its files), an analyser.

    Ids are readable and stable: ``ut:pkg/sql/plan/...``, ``bvt:join``, ``sca:go-vet``. A long category may be split
    into parts, tasks of their own with their scripts in ``files``: ``bvt:join#1``, ``bvt:join#2``.
    """

    __test__ = False  # not a pytest class

    id: str
    type: Suite
    priority: Priority
    reasons: tuple[Reason, ...]
    #: BVT only: a directory below the profile's case tree.
    category: str | None = None
    #: UT only: a Go package pattern without ``./`` (``pkg/sql/plan/...``).
    package: str | None = None
    #: SCA only: the analyser's name in the profile.
    analyser: str | None = None
    #: BVT: scripts relative to the category (empty: all of it). SCA: package directories to look at (empty: all).
    files: tuple[str, ...] = ()
    #: Seconds, estimated before the run.
    est_duration: float = 0.0
    shard: str | None = None
    #: What a reader must know, e.g. that the tree has no such category.
    note: str | None = None
    #: Known before the run to have nothing to execute; the run records it as skipped.
    skip: bool = False

    @property
    def name(self) -> str:
        """What it runs: the package pattern, category or analyser."""
        return self.package or self.category or self.analyser or ""

    @property
    def whole(self) -> str:
        """The id of the category's task that this one is, or is a part of; of any other task its own.

        Unlike :func:`whole_of` it is not taken in by a category that is really called ``join#2``.
        """
        return self.id if self.category is None else f"bvt:{self.category}"

    @property
    def is_part(self) -> bool:
        """Whether it is a part of a category."""
        return self.id != self.whole

    @property
    def test_file(self) -> str | None:
        """The first of ``files`` of a BVT task, or ``None``: the field other tools read."""
        return self.files[0] if self.files and self.type is Suite.BVT else None

    @property
    def reason(self) -> str:
        """All reasons as one sentence; of those for single files the weightiest."""
        whole = [reason.detail for reason in self.reasons if reason.test is None]
        single = sorted((reason for reason in self.reasons if reason.test is not None), key=lambda one: -one.weight)
        return "; ".join([*whole, *(f"{reason.test}: {reason.detail}" for reason in single[:1])])


@dataclass(frozen=True, slots=True)
class Shard:
    """The unit of dispatch: tasks of one suite that run in sequence on one worker with one set-up."""

    id: str
    suite: Suite
    queue: str
    #: Task ids in the order they run.
    tasks: tuple[str, ...]
    #: Seconds, set-up included.
    est_duration: float


@dataclass(frozen=True, slots=True)
class Omitted:
    """A test that was not chosen, with the best evidence there was for it."""

    type: Suite
    #: A category, a part of one (``join#2``) or a script of one (``join/apply.sql``); a package pattern; an analyser.
    name: str
    score: float
    reason: str
    #: What spoke for it, the weightiest first.
    reasons: tuple[Reason, ...] = ()
    #: The share of all statements that a budget must have to include it; ``None`` when no budget was set.
    budget: float | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the plan costs before it runs, in seconds."""

    #: Sum over all shards: what is paid for.
    runner_seconds: float
    #: What is waited for when ``workers`` take shards, longest first.
    critical_path: float
    workers: int
    #: Sum by suite, keyed by the suite's JSON name.
    by_suite: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class TestPlan:
    """The whole plan. ``id`` is the SHA-256 of its canonical JSON without ``id`` and ``created_at``."""

    __test__ = False  # not a pytest class

    id: str
    created_at: str | None
    summary: str
    #: Name of the profile it was made with.
    profile: str
    diff_summary: DiffSummary
    tasks: tuple[TestTask, ...]
    shards: tuple[Shard, ...]
    omitted: tuple[Omitted, ...]
    cost: Cost
    #: Paths no rule knows.
    unmatched: tuple[str, ...] = ()
    #: What the planner wants a reader to know: widened, documentation only, unknown category …
    notes: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def task(self, task_id: str) -> TestTask | None:
        """The task of that id, if there is one."""
        return next((task for task in self.tasks if task.id == task_id), None)
