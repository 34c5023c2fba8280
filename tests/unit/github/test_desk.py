"""What deliveries set going, with a real ledger and history; what is at GitHub is a table."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import github
from orchestrator.diff.source import from_text
from orchestrator.domain.change import DiffSummary
from orchestrator.domain.profile import GitHub, Profile, Rule
from orchestrator.domain.run import TaskState
from orchestrator.ledger import keys
from orchestrator.ledger.records import Delivery, Gate
from orchestrator.notify.base import RetryLaterError
from orchestrator.notify.github.desk import GitHubDesk
from orchestrator.notify.github.hook import Hook
from orchestrator.notify.github.pulls import Pull
from orchestrator.notify.github.telling import GitHubTeller
from orchestrator.notify.github.words import marker
from orchestrator.runs.summarize import summarize
from orchestrator.service.service import Service
from orchestrator.settings import Settings
from tests.factories import make_plan
from tests.serving import end_run, make_service, play, start_run

OLD, NEW = "1" * 40, "2" * 40
DIFF = "diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-package x\n+package a\n"


class Scene:
    """Pull request 7, as it stands, and a desk that is told of it."""

    def __init__(self, service: Service) -> None:
        self.service = dataclasses.replace(service, read_pull=self._read)
        self.desk = GitHubDesk(self.service, self._look)
        self.head, self.file, self.open, self.updated = OLD, "pkg/a/a.go", True, ""
        self.association, self.forked, self.pushed = "NONE", False, ""
        self.base = "main"
        #: What is pushed while the next plan is made.
        self.pushing = ""
        self._sent = 0

    def _look(self, number: int) -> Pull:
        ends = (self.head, "b" * 40, "topic", "main")
        more = {"updated": self.updated, "forked": self.forked, "pushed": self.pushed}
        pull = Pull(number, "dev", self.association, *ends, self.open, "topic", (), **more)  # type: ignore[arg-type]
        self.head = self.pushing or self.head
        return pull

    def _read(self, number: int) -> DiffSummary:
        found = from_text(DIFF.format(self.file).encode())
        return dataclasses.replace(found, pr_number=number, head_commit=self.head, base_branch=self.base)

    def event(
        self,
        action: str,
        head: str,
        association: str = "OWNER",
        sender: str = "dev",
        text: str = "",
        updated: str = "",
        written: str = "",
    ) -> None:
        """Deliver an event of the pull request when it stood at ``head``."""
        self._sent += 1
        self.desk.act(
            Hook(
                f"delivery-{self._sent}",
                action,
                7,
                sender,
                association,
                "dev",
                head,
                text,
                updated=updated,
                written=written,
            )
        )

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
    said = GitHub(repository="acme/shop", run_for=("MEMBER",))
    with make_service(valkey_url, tmp_path, Profile(name="demo", rules=rules, github=said)) as service:
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


NOON, LATER = "2026-11-26T12:00:00Z", "2026-11-26T12:00:01Z"


@pytest.mark.parametrize(("pushed", "pushing"), [(LATER, ""), (NOON, ""), ("", ""), ("2026-11-26T11:59:59Z", NEW)])
def test_a_comment_does_not_run_what_a_stranger_may_have_pushed_to_a_fork_after_it(
    scene: Scene, pushed: str, pushing: str
) -> None:
    scene.forked, scene.pushed, scene.pushing = True, pushed, pushing
    scene.event("comment", "", "OWNER", sender="boss", text="/test", written=NOON)
    assert scene.live() == []
    (said,) = scene.told()
    assert "pushed to after this comment" in said["reply"]
    scene.pushing = ""
    scene.event("comment", "", "OWNER", sender="boss", text="/test", written="2026-11-26T12:00:09Z")
    assert scene.live() == ([(scene.head, "github:boss")] if pushed else [])


@pytest.mark.parametrize(
    ("forked", "association", "sender"), [(False, "NONE", "boss"), (True, "MEMBER", "boss"), (True, "NONE", "dev")]
)
def test_a_comment_runs_what_those_pushed_who_may_let_it_run(
    scene: Scene, forked: bool, association: str, sender: str
) -> None:
    scene.forked, scene.pushed, scene.association = forked, LATER, association
    scene.event("comment", "", "OWNER", sender=sender, text="/test", written=NOON)
    assert scene.live() == [(OLD, f"github:{sender}")]


def test_a_push_of_a_member_runs_in_the_authors_name_and_not_when_it_comes_after_the_close(scene: Scene) -> None:
    scene.open = False
    scene.event("synchronize", OLD, "MEMBER")
    assert (scene.live(), scene.told()) == ([], [])
    scene.open = True
    scene.event("synchronize", OLD, "MEMBER")
    assert scene.live() == [(OLD, "github:dev")]


def test_another_base_is_another_change_of_the_same_commit(scene: Scene) -> None:
    scene.event("opened", OLD, "MEMBER")
    scene.event("comment", OLD, "OWNER", sender="boss", text="/test ut")
    scene.base = "release"
    scene.event("edited", OLD, "MEMBER", sender="boss")
    assert scene.live() == [(OLD, "github:dev")]
    (run,) = scene.service.reads.runs(1, 7)
    assert scene.service.reads.find(run.run)[1].diff_summary.base_branch == "release"
    scene.event("edited", OLD, "MEMBER")  # there and back, or a push that was told of first
    assert scene.live() == [(OLD, "github:dev")]
    assert scene.service.reads.runs(1, 7)[0].run == run.run


def test_another_base_of_a_strangers_change_is_planned_and_waits_for_a_member(scene: Scene) -> None:
    scene.event("labeled", OLD, "NONE", sender="boss", text="run-tests")
    scene.base = "release"
    scene.event("edited", OLD, "NONE")
    assert scene.live() == []
    assert "It runs when a member writes" in scene.told()[-1]["comment"]


def test_a_delivery_that_comes_twice_is_one_run_though_it_was_pushed_to_in_between(scene: Scene) -> None:
    hook = Hook("delivery-twice", "synchronize", 7, "dev", "MEMBER", "dev", OLD)
    scene.desk.act(hook)
    scene.head = NEW
    scene.desk.act(hook)
    assert (scene.live(), scene.told()) == ([(OLD, "github:dev")], [])


def test_an_answer_to_a_command_is_not_taken_for_the_comment_of_a_run(scene: Scene) -> None:
    """The comment of a run is the first that begins with the mark: it would be written over the answer."""
    scene.event("comment", OLD, "OWNER", text="/why it")
    (said,) = scene.told()
    assert "Not done" in said["reply"]
    assert not said["reply"].startswith(marker("demo"))


def test_a_push_with_nothing_to_run_ends_the_older_run_and_a_late_delivery_ends_no_newer_one(scene: Scene) -> None:
    scene.event("synchronize", OLD, "MEMBER")
    scene.head, scene.file = NEW, "README.md"
    scene.event("synchronize", NEW, "MEMBER")
    assert scene.live() == []
    assert "nothing to run" in scene.told()[-1]["comment"]
    scene.file = "pkg/a/a.go"
    scene.event("synchronize", NEW, "MEMBER")
    scene.event("synchronize", OLD, "NONE")
    assert scene.live() == [(NEW, "github:dev")]


@pytest.mark.parametrize(
    ("policy", "left"),
    [
        ("all", set()),
        ("waiting", {TaskState.RUNNING, TaskState.CANCELLED}),
        ("nothing", {TaskState.RUNNING, TaskState.PENDING}),
    ],
)
@pytest.mark.parametrize("action", ["closed", "synchronize"])
def test_a_close_and_a_push_that_runs_nothing_end_older_runs_as_the_profile_says(
    scene: Scene, action: str, policy: str, left: set[TaskState]
) -> None:
    dispatch = dataclasses.replace(scene.service.profile.dispatch, supersede=policy)  # type: ignore[arg-type]
    rules = (Rule(prefix="pkg/a/", unit_tests=("pkg/a", "pkg/b")),)
    profile = dataclasses.replace(scene.service.profile, dispatch=dispatch, rules=rules)
    scene.service = dataclasses.replace(scene.service, profile=profile)
    scene.desk = GitHubDesk(scene.service, scene._look)
    scene.event("opened", OLD, "MEMBER")
    (run,) = scene.service.ledger.active()
    ledger = scene.service.ledger
    assert ledger.start(Delivery(run, "ut-1", 1), "w", "ut:pkg/a/...", 20)[0] is Gate.OK
    scene.head, scene.file, scene.open = NEW, "README.md", action != "closed"
    scene.event(action, NEW, "MEMBER")
    assert bool(scene.live()) is (policy != "all")
    assert policy == "all" or set(ledger.states(run).values()) == left


def test_a_run_that_ended_meanwhile_does_not_keep_the_others_from_ending(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.event("opened", OLD, "MEMBER")
    scene.head = NEW
    scene.event("synchronize", NEW, "MEMBER")
    (first, second), looked = scene.service.ledger.active(), scene.desk._live(7)
    assert sorted(looked) == sorted([first, second])
    play(scene.service, looked[0], {"ut:pkg/a/...": (TaskState.PASSED, ())})
    end_run(scene.service, looked[0])
    monkeypatch.setattr(scene.desk, "_live", lambda _: looked)
    scene.open = False
    scene.event("closed", NEW)
    assert (scene.live(), scene.told()) == ([], [])


def test_a_close_that_comes_after_the_pull_request_was_opened_again_ends_nothing(scene: Scene) -> None:
    scene.updated = "2026-01-01T00:00:02Z"
    scene.event("reopened", OLD, "MEMBER", updated="2026-01-01T00:00:02Z")
    scene.event("closed", OLD, updated="2026-01-01T00:00:01Z")
    assert scene.live() == [(OLD, "github:dev")]
    scene.event("closed", OLD, updated="2026-01-01T00:00:02Z")  # of the same second: what GitHub says now counts
    assert scene.live() == [(OLD, "github:dev")]


def test_an_answer_that_lags_behind_a_delivery_does_not_count(scene: Scene) -> None:
    scene.updated = "2026-01-01T00:00:01Z"
    scene.event("opened", OLD, "MEMBER", updated="2026-01-01T00:00:01Z")
    scene.event("closed", OLD, updated="2026-01-01T00:00:02Z")
    assert scene.live() == []
    scene.open, scene.updated = False, "2026-01-01T00:00:02Z"
    scene.event("reopened", OLD, "MEMBER", updated="2026-01-01T00:00:03Z")
    assert scene.live() == [(OLD, "github:dev")]


def test_a_delivery_that_must_come_again_does_not_hold_up_the_next(
    scene: Scene, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(threading.Event):
        """Who waits, stops."""

        def wait(self, timeout: float | None = None) -> bool:
            self.set()
            return True

    said, stop, acted = scene.service.profile.github, Stop(), []
    monkeypatch.setenv(said.webhook_secret_env, "s" * 32)
    monkeypatch.setattr(github, "make_github", lambda *_: object())
    monkeypatch.setattr(github, "make_service", lambda *_: scene.service)
    inbound = github.GitHubIn(scene.service.profile, Settings(redis_url=valkey_url))

    def act(hook: Hook) -> None:
        if hook.key == "delivery-1":
            raise RetryLaterError("GitHub does not answer", "Wait.")
        acted.append(hook.key)
        stop.set()

    monkeypatch.setattr(inbound._desk, "act", act)
    for number in (1, 2):
        inbound._tray.accept(Hook(f"delivery-{number}", "closed", 7, "dev", "NONE", "dev"))
    inbound.serve(stop)
    assert (acted, inbound._tray.waiting()) == (["delivery-2"], 1)
    inbound._tray.close()


def test_a_run_whose_plan_cannot_be_read_silences_no_other(scene: Scene) -> None:
    runs = [start_run(scene.service, make_plan(pull=pull)) for pull in (7, 8)]
    scene.service.ledger.redis.set(keys.part(runs[0], "plan"), "{}")
    GitHubTeller(scene.service).tick()
    assert [entry.message.run for entry in scene.service.store.outbox()] == runs[1:]


@pytest.mark.parametrize(("words", "says"), [("/cancel ut:pkg/a", "ends all"), ("/test ut bvt", "one suite")])
def test_what_a_command_does_not_take_is_said_and_nothing_is_done(scene: Scene, words: str, says: str) -> None:
    scene.event("opened", OLD)
    before = scene.live()
    scene.event("comment", OLD, text=words)
    assert scene.live() == before
    assert says in scene.told()[-1]["reply"]


def test_a_cancel_that_comes_twice_is_not_refused(scene: Scene) -> None:
    scene.event("synchronize", OLD, "MEMBER")
    (run,) = scene.service.ledger.active()
    hook = Hook("delivery-cancel", "comment", 7, "dev", "NONE", "dev", OLD, "/cancel", 9)
    scene.desk.act(hook)
    end_run(scene.service, run)
    scene.desk.act(hook)
    assert scene.told() == [{"pull": 7, "reaction": "+1", "to": 9}]
    scene.event("comment", OLD, "OWNER", sender="boss", text="/cancel")
    assert "nothing runs" in scene.told()[-1]["reply"]


def test_a_run_whose_plan_cannot_be_read_has_a_summary(scene: Scene) -> None:
    run = start_run(scene.service, make_plan(pull=7))
    play(scene.service, run, {"ut:pkg/a": (TaskState.PASSED, ())})
    scene.service.ledger.redis.set(keys.part(run, "plan"), "{}")
    teller = GitHubTeller(scene.service)
    assert summarize(scene.service.ledger, scene.service.store, run, teller.verdict) is not None
    assert scene.told() == []
