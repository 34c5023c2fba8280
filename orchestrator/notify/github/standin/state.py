"""What the stand-in keeps: pull requests, comments, check runs, statuses, reactions."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class State:
    """One repository. Every list holds GitHub's own JSON."""

    repository: str = "acme/shop"
    app_slug: str = "mo-testplan"
    pulls: dict[int, Json] = field(default_factory=dict)
    files: dict[int, list[Json]] = field(default_factory=dict)
    comments: list[Json] = field(default_factory=list)
    checks: list[Json] = field(default_factory=list)
    statuses: list[Json] = field(default_factory=list)
    reactions: list[Json] = field(default_factory=list)
    #: Trees by id: path → text; commits by id: ``{tree, parents, message}``; branches: name → commit.
    trees: dict[str, dict[str, str]] = field(default_factory=dict)
    commits: dict[str, Json] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=lambda: {"main": ""})
    #: Requests that were refused, and why: a test that ends with some has found a broken rule.
    refused: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    clock: int = 0
    _numbers: Any = field(default_factory=lambda: itertools.count(1000))

    def number(self) -> int:
        """A new id."""
        return int(next(self._numbers))

    def tick(self) -> str:
        """A time, in whole seconds as GitHub tells them, that is later than every one before."""
        self.clock = max(self.clock + 1, int(time.time()))
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock))

    def new_id(self, *parts: str) -> str:
        """A git object's id."""
        return hashlib.sha1("\0".join(parts).encode()).hexdigest()  # noqa: S324 - as git names things

    def open_pull(  # noqa: PLR0913 - what makes a pull request
        self, number: int, author: str, association: str, base: str, head: str, files: list[Json], draft: bool = False
    ) -> Json:
        """Open a pull request, or push to it when it is there."""
        with self.lock:
            pull = {
                "number": number,
                "state": "open",
                "draft": draft,
                "user": {"login": author, "type": "User"},
                "author_association": association,
                "head": {
                    "sha": head,
                    "ref": f"topic-{number}",
                    "repo": {"full_name": self.repository, "pushed_at": self.tick()},
                },
                "base": {"sha": base, "ref": "main", "repo": {"full_name": self.repository}},
                "labels": [],
                "updated_at": self.tick(),
            }
            self.pulls[number], self.files[number] = pull, files
            self.branches[f"topic-{number}"] = head
            self.commits.setdefault(head, {"tree": self.new_id(head), "parents": [], "message": "push"})
            return pull

    def content(self, path: str, commit: str) -> str | None:
        """The text of a file at a commit, as far as it was written here."""
        return self.trees.get(self.commits.get(commit, {}).get("tree", ""), {}).get(path)

    def comment(self, pull: int, login: str, body: str, kind: str = "User", association: str = "NONE") -> Json:
        """Write a comment."""
        with self.lock:
            made = {
                "id": self.number(),
                "pull": pull,
                "body": body,
                "user": {"login": login, "type": kind},
                "author_association": association,
                "created_at": self.tick(),
            }
            self.comments.append(made)
            return made
