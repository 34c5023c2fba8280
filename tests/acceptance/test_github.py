"""GitHub and back with real services: told, run, annotated; a push supersedes, a close ends; strangers do not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from orchestrator.domain.run import RunState
from orchestrator.ledger.client import Ledger
from orchestrator.notify.github.standin import GitHubStandIn
from orchestrator.store import Store
from tests.acceptance.project import Project, make_project
from tests.acceptance.servers import path_without_sandbox, redis_server, service
from tests.require import require
from tests.waiting import until
from workers.servers.owned import free_port

PASS = "if It() != 2 { t.Fatal(It()) }"
#: Passes, fails or hangs as a file beside the test says.
STEERED = """
word, _ := os.ReadFile("{switch}")
if string(word) == "hang" {{ time.Sleep(time.Hour) }}
if string(word) == "fail" {{ t.Fatal("told to") }}
"""


class Hub:
    """A project at GitHub, its services, and what happens to it."""

    def __init__(self, folder: Path, github: GitHubStandIn, redis: str) -> None:
        self.switch, self.github, self.url = folder / "switch", github, ""
        self.project = make_project(folder / "project", {"a": PASS, "b": STEERED.format(switch=self.switch)})
        said = f"github: {{repository: acme/shop, base_url: '{github.base_url}', app_id: '{github.keys.app_id}'}}\n"
        with self.project.profile.open("a") as file:
            file.write(said)
        self.project.environ |= {
            "MO_TESTPLAN_REDIS_URL": redis,
            "PATH": path_without_sandbox(folder / "bin"),  # the switch is outside of what a sandbox shows
            "MO_TESTPLAN_GITHUB_APP_KEY": github.keys.app_key,
            "MO_TESTPLAN_GITHUB_WEBHOOK_SECRET": github.secret,
        }
        self.ledger = Ledger(redis)

    def push(self, number: int, word: str, association: str = "MEMBER") -> str:
        """Commit something, and let the pull request stand at it."""
        self.switch.write_text(word)
        (self.project.repo / "b" / "more.go").write_text(f"package b\n\nconst N{time.time_ns()} = 1\n")
        self.project.git("add", "-A")
        self.project.git("commit", "-q", "-m", word)
        base, head = self.project.git("rev-parse", "main"), self.project.git("rev-parse", "HEAD")
        self.project.git("update-ref", f"refs/pull/{number}/head", head)
        self.github.state.open_pull(number, "dev", association, base, head, files_of(self.project, base, head))
        return head

    def event(self, action: str, number: int, **more: Any) -> int:  # noqa: ANN401
        """Deliver a pull request's event; the receiver's status."""
        options = {name: more.pop(name) for name in ("delivery", "secret") if name in more}
        return self.github.send(self.url, "pull_request", self.github.pull_event(action, number, **more), **options)

    def says(self, number: int, login: str, association: str, body: str) -> int:
        """Let somebody write a comment; its id."""
        payload = self.github.comment_event(number, login, association, body)
        assert self.github.send(self.url, "issue_comment", payload) == 202
        return int(payload["comment"]["id"])

    def live(self, number: int) -> list[str]:
        """Runs of a pull request that go on, oldest first."""
        found = [(run, self.ledger.progress(run)) for run in self.ledger.active()]
        return [run for run, progress in found if progress and progress.pr_number == number]

    def one_live(self, number: int, but: str = "") -> str:
        """Wait until just one run goes on, which is not ``but``, and its task in ``b`` runs."""

        def there() -> bool:
            live = self.live(number)
            return len(live) == 1 and live[0] != but and self.ledger.states(live[0]).get("ut:b/...") == "running"

        until(there, f"one run of pull request {number}")
        return self.live(number)[0]

    def ended(self, run: str) -> RunState:
        """Wait for a run's summary."""
        with Store(f"sqlite:///{self.project.root}/state/history.sqlite") as store:
            until(lambda: (r := store.run(run)) is not None and r.state.final, f"{run} ends")
            record = store.run(run)
        assert record is not None
        return record.state

    def comment(self, number: int) -> str:
        """Our comment on a pull request; empty before there is one."""
        state, login = self.github.state, "mo-testplan[bot]"
        found = [c["body"] for c in state.comments if c["pull"] == number and c["user"]["login"] == login]
        ours = [body for body in found if body.startswith("<!-- mo-testplan:mini -->")]
        assert len(ours) <= 1, "there is one comment, kept up to date"
        return ours[0] if ours else ""

    def reacted(self, comment: int, content: str) -> bool:
        """Whether a comment has our reaction."""
        return {"comment": comment, "content": content} in self.github.state.reactions


def files_of(project: Project, base: str, head: str) -> list[dict[str, Any]]:
    """A diff as GitHub tells of it."""
    rows = project.git("diff", "--name-status", f"{base}...{head}").splitlines()
    found = []
    for row in rows:
        status, name = row.split("\t")
        patch = project.git("diff", f"{base}...{head}", "--", name)
        word = {"A": "added", "D": "removed"}.get(status, "modified")
        found.append({"filename": name, "status": word, "patch": patch[patch.index("@@") :], "changes": 1})
    return found


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    require("redis", "go")
    folder = tmp_path_factory.mktemp("github")
    with GitHubStandIn() as github, redis_server(folder) as redis:
        hub, port = Hub(folder, github, redis), free_port()
        env, profile, log = hub.project.environment(), str(hub.project.profile), folder / "log"
        worker = ["worker", "--profile", profile, "--queues", "ut,sca", "--concurrency", "2", "--unsafe-no-sandbox"]
        with (
            service("control", "--profile", profile, env=env, log=log),
            service(*worker, env=env, log=log),
            service("serve", "--profile", profile, "--port", str(port), env=env, log=log),
        ):
            hub.url = f"http://127.0.0.1:{port}/github/webhook"
            until(lambda: _answers(f"http://127.0.0.1:{port}/healthz"), "the server listens")
            yield hub
        hub.ledger.close()
        assert github.state.refused == []


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def test_opened_told_run_annotated_and_run_again_when_it_is_mended(hub: Hub) -> None:
    head = hub.push(7, "fail")
    assert hub.event("opened", 7) == 202
    until(lambda: "why each test was chosen" in hub.comment(7), "the plan is told")
    until(lambda: [c["status"] for c in hub.github.state.checks] == ["completed"], "the check run ends")
    (check,) = hub.github.state.checks
    assert (check["head_sha"], check["conclusion"], check["name"]) == (head, "failure", "mo-testplan/mini")
    (annotation,) = check["annotations"]
    assert (annotation["path"], annotation["annotation_level"]) == ("b/it_test.go", "failure")
    assert "told to" in annotation["message"]
    until(lambda: "❌ failed" in hub.comment(7), "the verdict is told")
    assert "ut:b/..." in hub.comment(7)
    hub.switch.write_text("pass")
    asked = hub.says(7, "maintainer", "OWNER", "mended:\n/retest")
    until(lambda: hub.reacted(asked, "+1"), "the command is taken")
    until(lambda: "✅ passed" in hub.comment(7), "the verdict changes")
    hub.says(7, "dev", "MEMBER", "/why ut:b/...")
    until(lambda: any("rule b/" in c["body"] for c in hub.github.state.comments), "the reason is told")


def test_a_push_supersedes_a_stranger_is_refused_and_a_close_cancels(hub: Hub) -> None:
    hub.push(8, "hang")
    assert hub.event("opened", 8, delivery="00000000-0008-first") == 202
    first = hub.one_live(8)
    assert hub.event("opened", 8, delivery="00000000-0008-first") == 202
    assert hub.event("opened", 8, secret="forged secret of some length") == 403
    hub.push(8, "hang")
    assert hub.event("synchronize", 8) == 202
    assert hub.ended(first) is RunState.CANCELLED
    second = hub.one_live(8, but=first)
    refused = hub.says(8, "stranger", "NONE", "/cancel")
    started = hub.says(8, "stranger", "CONTRIBUTOR", "/test")
    until(lambda: hub.reacted(refused, "-1") and hub.reacted(started, "-1"), "the stranger is refused")
    assert hub.live(8) == [second]
    assert hub.event("closed", 8) == 202
    assert hub.ended(second) is RunState.CANCELLED
    until(lambda: "⏹ cancelled" in hub.comment(8), "the end is told")


def test_a_strangers_pull_request_is_planned_and_runs_when_a_member_says_so(hub: Hub) -> None:
    hub.push(9, "pass", "FIRST_TIME_CONTRIBUTOR")
    assert hub.event("opened", 9) == 202
    until(lambda: "when a member writes" in hub.comment(9), "the plan is told")
    assert hub.live(9) == []
    assert hub.event("labeled", 9, label={"name": "run-tests"}, sender="boss") == 202
    until(lambda: "✅ passed" in hub.comment(9), "the verdict is told")


def test_plan_and_run_take_a_number(hub: Hub) -> None:
    hub.push(10, "pass")
    done = hub.project.command("plan", "--pr", "10", "--profile", str(hub.project.profile), "--format", "json")
    assert done.returncode == 0, done.stderr
    code, summary = hub.project.run_json("run", "--pr", "10", "--profile", str(hub.project.profile), "--wait")
    assert (code, summary["state"], summary["pr_number"]) == (0, "passed", 10)
    missing = hub.project.command("plan", "--pr", "404", "--profile", str(hub.project.profile))
    assert (missing.returncode, "404" in missing.stderr, "Traceback" in missing.stderr) == (2, True, False)
