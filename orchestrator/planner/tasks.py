"""Chosen candidates to tasks: what is known to have nothing to execute is kept, marked, and explained."""

from __future__ import annotations

import dataclasses

from orchestrator.domain.plan import Suite, TestTask
from orchestrator.planner.estimate import seconds
from orchestrator.planner.evidence import Context
from orchestrator.planner.names import is_safe_path
from orchestrator.planner.rank import Candidate


def make_task(candidate: Candidate, context: Context) -> TestTask:
    """The task of a candidate; one whose directory is not there is skipped with a note."""
    if not all(map(is_safe_path, candidate.files)):  # no plan may name such a file: with all others it runs unnamed
        everything = seconds(candidate.suite, candidate.name, (), context)
        candidate = dataclasses.replace(candidate, files=(), seconds=everything)
    missing = _missing(candidate, context)
    notes = [note for note in (candidate.note, missing) if note]
    return TestTask(
        id=candidate.id,
        type=candidate.suite,
        priority=candidate.priority,
        reasons=candidate.reasons,
        category=candidate.name if candidate.suite is Suite.BVT else None,
        package=candidate.name if candidate.suite is Suite.UNIT_TEST else None,
        analyser=candidate.name if candidate.suite is Suite.SCA else None,
        files=candidate.files,
        est_duration=0.0 if missing else candidate.seconds,
        note="; ".join(notes) or None,
        skip=missing is not None,
    )


def _missing(candidate: Candidate, context: Context) -> str | None:
    name, tree = candidate.name, context.tree
    if candidate.suite is Suite.BVT and name not in context.categories:
        where = "the tree" if tree else f"profile {context.profile.name}"
        return f"{where} has no category {name}: nothing to run"
    if candidate.suite is Suite.UNIT_TEST and tree and name != "...":
        place = name.removesuffix("/...")
        parent, _, file = place.rpartition("/")
        is_file = context.profile.unit_tests.format == "pytest" and file in tree.files(parent or ".")
        if not is_file and not tree.has_directory(place):
            return f"the tree has no directory {place}: nothing to run"
    return None
