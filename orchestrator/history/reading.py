"""A clone's history with what each commit changed: one stream of commits, one of their changed lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.diff.git import Git, missing
from orchestrator.history.commits import Commit
from orchestrator.history.facts import Facts, make_facts
from orchestrator.history.layout import SOURCES, Layout
from orchestrator.history.patches import Patch, read_patches

#: A clone that lacks more paths than this has no contents worth reading: paths alone must do.
_MOST_MISSING = 500


def read_facts(git: Git, layout: Layout, commits: Sequence[Commit]) -> Iterator[tuple[Commit, Facts]]:
    """Each commit with the facts of its production files."""
    for commit, patch in with_patches(git, commits):
        files = [entry.path for entry in commit.entries if layout.is_production(entry.path)]
        yield commit, make_facts(files, patch)


def with_patches(git: Git, commits: Sequence[Commit]) -> Iterator[tuple[Commit, Patch]]:
    """Each commit with the changed lines of its source files; without those that the clone lacks."""
    lacking = _lacking(git, commits)
    stream: Iterator[tuple[str, Patch]] = iter(())
    if len(lacking) <= _MOST_MISSING:
        left_out = [f":(exclude,literal){path}" for path in lacking]
        stream = read_patches(git, [(one.sha, one.parent) for one in commits], [*SOURCES, *left_out])
    sha, patch = next(stream, ("", Patch()))
    for commit in commits:
        if commit.sha == sha:
            yield commit, patch
            sha, patch = next(stream, ("", Patch()))
        else:
            yield commit, Patch()


def _lacking(git: Git, commits: Sequence[Commit]) -> list[str]:
    """Paths of which the clone lacks some content, sorted."""
    paths: dict[str, set[str]] = {}
    for commit in commits:
        for entry in commit.entries:
            for blob in (entry.old, entry.new):
                if blob.strip("0"):
                    paths.setdefault(blob, set()).add(entry.path)
    gone = missing(git, sorted(paths)) if paths else set()
    return sorted({path for blob in gone for path in paths.get(blob, ())})
