"""Verify: the invariants that hold of every plan, ours or foreign."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from orchestrator.domain.change import MAX_PULL
from orchestrator.domain.errors import BadPlanError
from orchestrator.domain.plan import LABEL, Shard, Suite, TestPlan, TestTask, whole_of
from orchestrator.domain.profile import Profile
from orchestrator.planner.names import is_package_pattern, is_safe_path
from orchestrator.planner.rank import task_id

_REMEDY = "Make the plan again with `mo-testplan plan --format json`."


def check(plan: TestPlan, profile: Profile | None = None) -> None:
    """Raise :class:`BadPlanError` unless all of this holds.

    Ids are unique and say what the task is; names stay inside the tree; parts of a category share no script; every
    task is in exactly one shard, the one it names, of its own suite, on that suite's queue or a labelled one of it;
    durations and costs are finite; the profile and shards have plain names, a pull request has a number, commits are
    commit ids and times are times. With ``profile`` too: order groups are together and in order, exclusive categories
    are alone, and every shard is on the queue of its tasks' label.
    """
    if not is_safe_path(plan.profile) or "/" in plan.profile:
        raise _broken(f"{plan.profile!r} is no name of a profile")
    for commit in (plan.diff_summary.base_commit, plan.diff_summary.head_commit):
        if commit is not None and (len(commit) not in (40, 64) or set(commit) - set("0123456789abcdef")):
            raise _broken(f"{commit!r} is no commit id")
    pull = plan.diff_summary.pr_number
    if pull is not None and not 0 < pull <= MAX_PULL:  # the history of its run could not be written
        raise _broken(f"{pull} is no number of a pull request")
    if plan.created_at is not None and not _is_time(plan.created_at):
        raise _broken(f"created_at is {plan.created_at!r}, which is no time")
    for task in plan.tasks:
        _check_task(task)
    _unique("task", [task.id for task in plan.tasks])
    _unique("shard", [shard.id for shard in plan.shards])
    for shard in plan.shards:
        if not is_safe_path(shard.id):
            raise _broken(f"{shard.id!r} is no name of a shard")
    _check_parts(plan.tasks)
    _check_partition(plan.tasks, plan.shards)
    _check_duration("cost.runner_seconds", plan.cost.runner_seconds)
    _check_duration("cost.critical_path", plan.cost.critical_path)
    if plan.cost.workers < 1:
        raise _broken(f"it was made for {plan.cost.workers} workers")
    if profile is not None:
        for group in profile.bvt.order_groups:
            _check_order(group, plan)
        _check_exclusive(plan, profile)
        _check_labels(plan, profile)


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return text.isprintable()  # any sign may stand between date and time


def _check_task(task: TestTask) -> None:
    names = {Suite.UNIT_TEST: task.package, Suite.BVT: task.category, Suite.SCA: task.analyser}
    name = names.pop(task.type)
    if name is None or any(other is not None for other in names.values()) or not _is_its_id(task, name):
        raise _broken(f"task {task.id!r} is not what its id says")
    safe = is_package_pattern(name) if task.type is Suite.UNIT_TEST else is_safe_path(name)
    if not safe or (task.type is Suite.SCA and "/" in name):
        raise _broken(f"task {task.id!r} names something outside of the tree under test")
    for file in task.files:
        if not is_safe_path(file):
            raise _broken(f"task {task.id!r} names the file {file!r}, which is outside of its directory")
    _check_duration(task.id, task.est_duration)


def _is_its_id(task: TestTask, name: str) -> bool:
    whole = task_id(task.type, name)
    return task.id == whole or (bool(task.files) and whole_of(task.id) == whole)


def _check_parts(tasks: Sequence[TestTask]) -> None:
    """Parts of a category have no script twice, and are not beside the whole."""
    parts = [task for task in tasks if task.is_part]
    _unique("script", [f"{task.category}/{file}" for task in parts for file in task.files])
    for task in {task.category for task in parts} & {task.category for task in tasks if not task.is_part}:
        raise _broken(f"category {task!r} is there as a whole and in parts")


def _check_partition(tasks: Sequence[TestTask], shards: Sequence[Shard]) -> None:
    _unique("task in the shards", [task for shard in shards for task in shard.tasks])
    known = {task.id: task for task in tasks}
    for shard in shards:
        _check_duration(shard.id, shard.est_duration)
        if not _serves(shard.queue, shard.suite):
            raise _broken(f"shard {shard.id!r} is for queue {shard.queue!r}, which no worker of its suite serves")
        for name in shard.tasks:
            task = known.pop(name, None)
            if task is None:
                raise _broken(f"shard {shard.id!r} holds {name!r}, which is no task")
            if task.shard != shard.id or task.type is not shard.suite:
                raise _broken(f"task {name!r} does not belong into shard {shard.id!r}")
    if known:
        raise _broken(f"task {min(known)!r} is in no shard")


def _wholes(plan: TestPlan) -> list[list[str]]:
    """What each shard holds, in order, by the ids of whole categories: a category may be called like a part."""
    wholes = {task.id: task_id(task.type, task.name) for task in plan.tasks}
    return [[wholes[task] for task in shard.tasks] for shard in plan.shards]


def _check_order(group: Sequence[str], plan: TestPlan) -> None:
    wanted = [task_id(Suite.BVT, category) for category in group]
    found = [inside for held in _wholes(plan) if (inside := [task for task in held if task in wanted])]
    if len(found) > 1 or any(inside != sorted(inside, key=wanted.index) for inside in found):
        names = sorted({task for inside in found for task in inside}, key=wanted.index)
        raise _broken(f"{' before '.join(names)} is not kept in one shard and in order")


def _check_exclusive(plan: TestPlan, profile: Profile) -> None:
    exclusive = {task_id(Suite.BVT, category) for category in profile.bvt.exclusive}
    together = [{task_id(Suite.BVT, name) for name in group} for group in profile.bvt.order_groups]
    for shard, held in zip(plan.shards, _wholes(plan), strict=True):
        inside = set(held)
        for task in sorted(exclusive & inside):
            company = {task}.union(*(group for group in together if task in group))
            if not company.issuperset(inside):
                raise _broken(f"{task!r} is exclusive and shares shard {shard.id!r}")


def _check_labels(plan: TestPlan, profile: Profile) -> None:
    queues = {shard.id: shard.queue for shard in plan.shards}
    for task in plan.tasks:
        label = profile.dispatch.labels.get(task_id(task.type, task.name))
        wanted = f"{task.type.queue}.{label}" if label else task.type.queue
        if queues[task.shard or ""] != wanted:
            raise _broken(f"task {task.id!r} is for queue {wanted!r} and in a shard for another")


def _serves(queue: str, suite: Suite) -> bool:
    """Whether a queue is the suite's, or the suite's with a label: ``bvt.gpu``."""
    name, dot, label = queue.partition(".")
    return name == suite.queue and (not dot or LABEL.fullmatch(label) is not None)


def _check_duration(name: str, duration: float) -> None:
    if not (math.isfinite(duration) and duration >= 0):
        raise _broken(f"{name!r} has the duration {duration!r}")


def _unique(kind: str, names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise _broken(f"{kind} {name!r} appears {count} times")


def _broken(text: str) -> BadPlanError:
    return BadPlanError(f"the plan is broken: {text}", _REMEDY)
