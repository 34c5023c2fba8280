"""What deliveries set going, with a real ledger and history; what is at GitHub is a table."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.diff.source import from_text
from orchestrator.domain.change import DiffSummary
from orchestrator.domain.profile import GitHub, Profile, Rule
from orchestrator.notify.github.desk import GitHubDesk
from orchestrator.notify.github.hook import Hook
from orchestrator.notify.github.pulls import Pull
from orchestrator.service.service import Service
from tests.serving import make_service

OLD, NEW = "1" * 40, "2" * 40
DIFF = "diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-package x\n+package a\n"


class Scene:
    """Pull request 7, as it stands, and a desk that is told of it."""

    def __init__(self, service: Service) -> None:
        self.service = dataclasses.replace(service, read_pull=self._read)
        self.desk = GitHubDesk(self.service, self._look)
        self.head, self.file, self.open = OLD, "pkg/a/a.go", True
        self._sent = 0

    def _look(self, number: int) -> Pull:
        return Pull(number, "dev", "NONE", self.head, "b" * 40, "topic", "main", self.open, "topic")

    def _read(self, number: int) -> DiffSummary:
        found = from_text(DIFF.format(self.file).encode())
        return dataclasses.replace(found, pr_number=number, head_commit=self.head, base_branch="main")

    def event(self, action: str, head: str, association: str = "OWNER", sender: str = "dev", text: str = "") -> None:
        """Deliver an event of the pull request when it stood at ``head``."""
        self._sent += 1
        self.desk.act(Hook(f"delivery-{self._sent}", action, 7, sender, association, "dev", head, text))

    def live(self) -> list[tuple[str | None, str]]:
        """(commit, who started it) of every run that was not told to end, oldest first."""
        found = [self.service.ledger.progress(run) for run in self.service.ledger.active()]
        return [(progress.commit, progress.who) for progress in found if progress and progress.cancelled_by is None]

    def told(self) -> list[dict[str, Any]]:
        """What waits to be told."""
        return [json.loads(entry.message.payload) for entry in self.service.store.outbox()]


@pytest.fixture
def scene(valkey_url: str, tmp_path: Path) -> Iterator[Scene]:
    rules = (Rule(prefix="pkg/a/", unit_tests=("pkg/a",)),)
    github = GitHub(repository="acme/shop", run_for=("MEMBER",))
    with make_service(valkey_url, tmp_path, Profile(name="demo", rules=rules, github=github)) as service:
        yield Scene(service)


def test_a_label_runs_the_commit_it_was_set_on_for_who_set_it(scene: Scene) -> None:
    scene.event("opened", OLD, "NONE")
    assert scene.live() == []
    scene.event("labeled", OLD, "NONE", sender="boss", text="run-tests")
    assert scene.live() == [(OLD, "github:boss")]


def test_a_label_does_not_run_what_was_pushed_after_it(scene: Scene) -> None:
    scene.head = NEW
    scene.event("labeled", OLD, "NONE", sender="boss", text="run-tests")
    assert scene.live() == []
    (said,) = scene.told()
    assert "set the label anew" in said["reply"]


def test_a_push_of_a_member_runs_in_the_authors_name_and_not_when_it_comes_after_the_close(scene: Scene) -> None:
    scene.open = False
    scene.event("synchronize", OLD, "MEMBER")
    assert (scene.live(), scene.told()) == ([], [])
    scene.open = True
    scene.event("synchronize", OLD, "MEMBER")
    assert scene.live() == [(OLD, "github:dev")]
