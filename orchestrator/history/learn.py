"""Builds a model from a clone, and brings one up to date."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.diff.git import Git, Objects, failed, find_git, isolated, resolve
from orchestrator.domain.errors import BadModelError, UsageError
from orchestrator.domain.profile import Profile
from orchestrator.garbage import without_collection
from orchestrator.history.code import CodeReader
from orchestrator.history.layout import layout_of
from orchestrator.history.model import Model
from orchestrator.history.reading import read_history
from orchestrator.history.study import WINDOW, Study
from orchestrator.history.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Learned:
    """A model, how many commits were read for it, and what a reader must know."""

    model: Model
    commits: int
    warnings: tuple[str, ...] = ()


@without_collection()
def learn(repository: Path, profile: Profile, revision: str = "HEAD", until: datetime | None = None) -> Learned:
    """Learn from the first-parent line of ``revision``, up to its last commit not after ``until``.

    Raises:
        UnknownRunError: the revision is not known.
        UsageError: the clone is shallow, or nothing in it is as old as ``until``.
        ToolMissingError: what training needs is not installed.
    """
    from orchestrator.history.train import require_learning

    require_learning()
    found = _whole(repository)
    with isolated(found, resolve(found, revision, revision).head) as git, Objects(git) as objects:
        head, time = _last_before(git, resolve(found, revision, revision).head, until)
        study = Study(profile, time - WINDOW, read_code := CodeReader(git, objects, profile.bvt.surface))
        first, count = "", 0
        for commit, facts in read_history(git, study.timeline.layout, head):
            first, count = first or commit.sha, count + 1
            study.step(commit, facts, objects.read)
        code = read_code(head)
    timeline = study.timeline
    timeline.settle(timeline.time)
    ranker = study.fit(timeline.time)
    warnings = () if ranker else (f"only {len(study.examples)} commits touched tests: too few to learn from",)
    return Learned(Model(profile.name, first, head, time, timeline.past, timeline.book, ranker, code), count, warnings)


@without_collection()
def update(model: Model, repository: Path, profile: Profile, revision: str = "HEAD") -> Learned:
    """Add the commits that are newer than a model; how far to trust what stays as it was learned.

    Raises:
        BadModelError: the model is of another profile or repository, or its line was rewritten.
        UnknownRunError: the revision is not known.
        UsageError: the clone is shallow.
    """
    found = _whole(repository)
    check_origin(model, profile, found)
    head = resolve(found, revision, revision).head
    timeline = Timeline(layout_of(profile), model.book, model.past, model.head, model.time)
    count = 0
    with isolated(found, head) as git, Objects(git) as objects:
        for commit, facts in read_history(git, timeline.layout, head, model.head):
            if not count and commit.parent != model.head:
                raise BadModelError(
                    f"the line of {revision!r} does not go through the model's last commit {model.head[:12]}",
                    "Its history was rewritten, or this is another branch: make the model again without --update.",
                )
            timeline.feed(commit, facts, objects.read)
            count += 1
        code = CodeReader(git, objects, profile.bvt.surface)(head)
    timeline.settle(timeline.time)
    return Learned(dataclasses.replace(model, head=timeline.head, time=timeline.time, code=code), count)


def check_origin(model: Model, profile: Profile, git: Git | None) -> None:
    """Raise BadModelError when a model is not of this profile, or not of this repository (when one is at hand)."""
    again = "Make one for it with `mo-testplan learn --repo DIR`."
    if model.profile != profile.name:
        raise BadModelError(f"the model is of profile {model.profile!r}, not of {profile.name!r}", again)
    if git is not None and git.run("cat-file", "-e", f"{model.head}^{{commit}}").returncode:
        raise BadModelError(
            f"the model is of another repository: {git.git_dir} has no commit {model.head[:12]}",
            f"{again} A shallow clone may lack the commit: `git fetch --unshallow`.",
        )


def _whole(repository: Path) -> Git:
    found = find_git(repository)
    if found.run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
        raise UsageError(f"{repository} is a shallow clone: its history is cut off", "Run `git fetch --unshallow`.")
    return found


def _last_before(git: Git, head: str, until: datetime | None) -> tuple[str, int]:
    """The last commit of a line that is not after ``until``, and its time."""
    limits = [f"--before={int(until.timestamp())}"] if until else []
    done = git.run("log", "--first-parent", "-1", "--format=%H %ct", *limits, head, "--")
    if done.returncode:
        raise failed("the history cannot be read", done.stderr)
    found = done.stdout.decode().split()
    if not found:
        raise UsageError(f"no commit is as old as {until}", "Name a later day with --until.")
    return found[0], int(found[1])
