"""What the stand-in keeps: pull requests, comments, check runs, statuses, reactions."""

from __future__ import annotations

import itertools
import threading
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
    #: Requests that were refused, and why: a test that ends with some has found a broken rule.
    refused: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: Any = field(default_factory=lambda: itertools.count(1000))

    def number(self) -> int:
        """A new id."""
        return int(next(self._numbers))

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
                "head": {"sha": head, "ref": "topic"},
                "base": {"sha": base, "ref": "main"},
                "labels": [],
            }
            self.pulls[number], self.files[number] = pull, files
            return pull

    def comment(self, pull: int, login: str, body: str, kind: str = "User", association: str = "NONE") -> Json:
        """Write a comment."""
        with self.lock:
            made = {
                "id": self.number(),
                "pull": pull,
                "body": body,
                "user": {"login": login, "type": kind},
                "author_association": association,
            }
            self.comments.append(made)
            return made
