"""Shard: tasks of one suite and label cut into units of dispatch; order groups kept, exclusive categories alone."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.domain.errors import BadProfileError
from orchestrator.domain.plan import LABEL, Shard, Suite, TestTask
from orchestrator.domain.profile import Profile
from orchestrator.planner.cost import critical_path
from orchestrator.planner.estimate import setup_seconds
from orchestrator.planner.measured import Measured
from orchestrator.planner.pack import Atom, length
from orchestrator.planner.parts import Cutter
from orchestrator.planner.rank import task_id
from orchestrator.planner.split import Groups, nothing


@dataclass(frozen=True, slots=True)
class Sharded:
    """Tasks, each with the id of its shard, and the shards."""

    tasks: tuple[TestTask, ...]
    shards: tuple[Shard, ...]

    def __str__(self) -> str:
        return "\n".join(f"{shard.id} {shard.est_duration:.1f} s: {' '.join(shard.tasks)}" for shard in self.shards)


def shard(
    tasks: Iterable[TestTask], profile: Profile, measured: Measured | None = None, groups: Groups = nothing
) -> Sharded:
    """Put every task into exactly one shard of at most about ``dispatch.shard_seconds``.

    ``groups`` says at which scripts a task that is longer than a fair share may be cut into parts, tasks of their own.
    """
    if profile.dispatch.workers < 1:
        raise BadProfileError(
            f"profile {profile.name}: dispatch.workers is {profile.dispatch.workers}", "Write a number from 1 on."
        )
    tasks = tuple(tasks)
    by_queue: dict[tuple[Suite, str], list[TestTask]] = {}
    for suite in Suite:
        for task in (task for task in tasks if task.type is suite):
            by_queue.setdefault((suite, queue_of(task, profile)), []).append(task)
    shards = []
    parts: dict[tuple[Suite, str], list[TestTask]] = {}
    for (suite, queue), inside in by_queue.items():
        setup = setup_seconds(suite, profile, measured)
        for number, run in enumerate(_of_queue(suite, inside, profile, setup, Cutter(groups)), 1):
            made = _shard(f"{queue}-{number}", suite, queue, run, setup)
            shards.append(made)
            for task in run:
                parts.setdefault((suite, task.name), []).append(dataclasses.replace(task, shard=made.id))
    ordered = [part for task in tasks for part in sorted(parts[task.type, task.name], key=_number)]
    return Sharded(tuple(ordered), tuple(shards))


def _number(task: TestTask) -> int:
    """A part's place among those of its category."""
    return int(task.id.rpartition("#")[2]) if task.is_part else 0


def queue_of(task: TestTask, profile: Profile) -> str:
    """The queue whose workers can run a task: its suite's, or with the label that the profile gives it."""
    label = profile.dispatch.labels.get(task_id(task.type, task.name))
    if label and not LABEL.fullmatch(label):
        raise BadProfileError(
            f"profile {profile.name}: {label!r} is no label of hosts", "Write small letters, digits, - and _."
        )
    return f"{task.type.queue}.{label}" if label else task.type.queue


def _of_queue(
    suite: Suite, tasks: list[TestTask], profile: Profile, setup: float, cutter: Cutter
) -> list[list[TestTask]]:
    groups = profile.bvt.order_groups if suite is Suite.BVT else ()
    exclusive = frozenset(profile.bvt.exclusive if suite is Suite.BVT else ())
    atoms = list(_atoms(tasks, groups, profile))
    alone = [[atom] for atom in atoms if any(task.category in exclusive for task in atom)]
    shared = [atom for atom in atoms if not any(task.category in exclusive for task in atom)]
    bins = alone + cutter.finished(_cut(shared, profile, setup, cutter))
    return sorted((_in_order(inside) for inside in bins), key=_urgency)


def _cut(atoms: Sequence[Atom], profile: Profile, setup: float, cutter: Cutter) -> list[list[Atom]]:
    """As few shards as their greatest length allows, or as many more as shorten the wait and cost little.

    Half of the length at least is for tests: where set-up alone took it all, a shard would be made for every second.
    Every shard pays the set-up again. More shards are taken when ``dispatch.workers`` would be done earlier and all of
    them together take at most ``dispatch.overhead`` longer.
    """
    dispatch = profile.dispatch
    capacity = max(1.0, dispatch.shard_seconds / 2, dispatch.shard_seconds - setup)
    best = cutter.level(atoms, capacity)
    fewest, work = len(best), sum(map(length, atoms))
    wait = _wait(best, setup, dispatch.workers)
    for count in range(fewest + 1, -(-fewest // dispatch.workers) * dispatch.workers + 1):
        if work + count * setup > (work + fewest * setup) * (1 + dispatch.overhead):
            break
        bins = cutter.level(atoms, capacity, count)
        sooner = _wait(bins, setup, dispatch.workers)
        if sooner < wait - 0.1:
            best, wait = bins, sooner
    return best


def _wait(bins: Sequence[Sequence[Atom]], setup: float, workers: int) -> float:
    return critical_path([sum(map(length, inside)) + setup for inside in bins], workers)


def _shard(name: str, suite: Suite, queue: str, tasks: list[TestTask], setup: float) -> Shard:
    seconds = length(tasks) + (0.0 if all(task.skip for task in tasks) else setup)
    return Shard(name, suite, queue, tuple(task.id for task in tasks), round(seconds, 1))


def _atoms(tasks: list[TestTask], groups: tuple[tuple[str, ...], ...], profile: Profile) -> Iterator[Atom]:
    named = Counter(name for group in groups for name in group)
    if twice := [name for name, count in named.items() if count > 1]:
        raise BadProfileError(
            f"profile {profile.name}: bvt.order_groups has {twice[0]!r} twice", "Leave it in one group, once."
        )
    by_category = {task.category: task for task in tasks}
    grouped: set[str] = set()
    for group in groups:
        atom = tuple(by_category[name] for name in group if name in by_category)
        if atom:
            _same_label(group, profile)
            grouped |= {task.id for task in atom}
            yield atom
    yield from ((task,) for task in tasks if task.id not in grouped)


def _same_label(group: tuple[str, ...], profile: Profile) -> None:
    labels = {profile.dispatch.labels.get(f"bvt:{name}") for name in group}
    if len(labels) > 1:
        raise BadProfileError(
            f"the order group {', '.join(group)} is to run on hosts of different labels",
            "Give all of it one label in dispatch.labels.",
        )


def _in_order(atoms: list[Atom]) -> list[TestTask]:
    """Urgent ones first, then longer ones."""
    ordered = sorted(atoms, key=_urgency)
    return [task for atom in ordered for task in atom]


def _urgency(tasks: Iterable[TestTask]) -> tuple[int, float, str]:
    tasks = tuple(tasks)
    return min(task.priority for task in tasks), -length(tasks), tasks[0].id
