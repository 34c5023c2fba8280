"""Builds a model from a clone, and brings one up to date."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.diff.git import Git, Objects, failed, find_git, isolated, resolve
from orchestrator.domain.errors import BadModelError, UsageError
from orchestrator.domain.profile import Profile
from orchestrator.garbage import without_collection
from orchestrator.history.code import CodeReader
from orchestrator.history.commits import Commit, read_commits
from orchestrator.history.facts import Facts
from orchestrator.history.layout import layout_of
from orchestrator.history.model import Model
from orchestrator.history.reading import read_facts
from orchestrator.history.study import WINDOW, Study
from orchestrator.history.timeline import Timeline

#: Hears how far learning has come, a line at a time.
Tell = Callable[[str], None]
#: So many lines while commits are read.
_LINES = 20


def nobody(_: str) -> None:
    """Hears nothing."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A model, how many commits were read for it, and what a reader must know."""

    model: Model
    commits: int
    warnings: tuple[str, ...] = ()


@without_collection()
def learn(
    repository: Path,
    profile: Profile,
    revision: str = "HEAD",
    until: datetime | None = None,
    tell: Tell = nobody,
) -> Learned:
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
        commits = read_commits(git, head)
        for commit, facts in _told(read_facts(git, study.timeline.layout, commits), len(commits), tell):
            study.step(commit, facts, objects.read)
        code = read_code(head)
    timeline = study.timeline
    timeline.settle(timeline.time)
    tell(f"{len(study.examples)} of them touched tests: learning from these how far to trust what")
    ranker = study.fit(timeline.time)
    warnings = () if ranker else (f"only {len(study.examples)} commits touched tests: too few to learn from",)
    model = Model(profile.name, commits[0].sha, head, time, timeline.past, timeline.book, ranker, code)
    return Learned(model, len(commits), warnings)


@without_collection()
def update(model: Model, repository: Path, profile: Profile, revision: str = "HEAD", tell: Tell = nobody) -> Learned:
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
    with isolated(found, head) as git, Objects(git) as objects:
        commits = read_commits(git, head, model.head)
        if commits and commits[0].parent != model.head:
            raise BadModelError(
                f"the line of {revision!r} does not go through the model's last commit {model.head[:12]}",
                "Its history was rewritten, or this is another branch: make the model again without --update.",
            )
        for commit, facts in _told(read_facts(git, timeline.layout, commits), len(commits), tell):
            timeline.feed(commit, facts, objects.read)
        code = CodeReader(git, objects, profile.bvt.surface)(head)
    timeline.settle(timeline.time)
    return Learned(dataclasses.replace(model, head=timeline.head, time=timeline.time, code=code), len(commits))


def _told(read: Iterable[tuple[Commit, Facts]], total: int, tell: Tell) -> Iterator[tuple[Commit, Facts]]:
    """The same commits; a line is told each time another part of them is done."""
    for count, (commit, facts) in enumerate(read, 1):
        yield commit, facts
        if count * _LINES // total > (count - 1) * _LINES // total:
            day = datetime.fromtimestamp(commit.time, UTC)
            tell(f"{count} of {total} commits read, up to {day:%Y-%m-%d}")


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
