"""The client against the stand-in: paging, both kinds of credentials, limits, Enterprise's prefix; hostile answers."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from orchestrator.domain.change import ChangeKind
from orchestrator.domain.errors import BadCaseError, BadProfileError, NotifyError, UnknownRunError, UsageError
from orchestrator.domain.profile import GitHub
from orchestrator.notify.base import RefusedError, RetryLaterError
from orchestrator.notify.github.auth import AppAuth, TokenAuth, auth_from
from orchestrator.notify.github.channel import GitHubChannel
from orchestrator.notify.github.client import GitHubClient
from orchestrator.notify.github.propose import case_files, propose
from orchestrator.notify.github.pulls import read_change
from orchestrator.notify.github.standin import GitHubStandIn
from orchestrator.notify.github.standin.rules import CREATING

BASE, HEAD = "b" * 40, "a" * 40
PATCH = "@@ -1 +1,2 @@ func A() {\n-x\n+y\n+z"


MADE: list[GitHubClient] = []


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn() as made:
        yield made


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Connections end with the test that opened them."""
    yield
    while MADE:
        MADE.pop().close()


def kept(client: GitHubClient) -> GitHubClient:
    MADE.append(client)
    return client


def by_app(github: GitHubStandIn, **more: Any) -> GitHubClient:  # noqa: ANN401
    auth = AppAuth(github.keys.app_id, github.keys.app_key, github.state.repository, **more)
    return kept(GitHubClient(github.state.repository, auth, github.base_url, **more))


def by_token(github: GitHubStandIn) -> GitHubClient:
    return kept(GitHubClient(github.state.repository, TokenAuth(github.keys.token), github.base_url))


def changed(name: str, status: str = "modified", **more: object) -> dict[str, object]:
    return {"filename": name, "status": status, "patch": PATCH, "changes": 3, **more}


def opened(github: GitHubStandIn, files: list[dict[str, Any]]) -> None:
    github.state.open_pull(7, "dev", "MEMBER", BASE, HEAD, files)


def test_a_pull_request_of_345_files_is_read_page_by_page(github: GitHubStandIn) -> None:
    opened(github, [changed(f"pkg/p{n:03}/f.go") for n in range(345)])
    change = read_change(by_token(github), 7)
    assert len(change.files) == 345
    assert (change.head_commit, change.base_commit, change.pr_number) == (HEAD, BASE, 7)
    assert change.total_added == 690
    assert github.state.refused == []


def test_every_kind_of_change_and_name_is_understood(github: GitHubStandIn) -> None:
    opened(
        github,
        [
            changed("new.go", "added", patch="@@ -0,0 +1 @@\n+package a"),
            changed("gone.go", "removed", patch="@@ -1 +0,0 @@\n-package a"),
            changed("b/now.go", "renamed", previous_filename="b/then.go"),
            changed('odd "name"\t中文.sql'),
            {"filename": "logo.png", "status": "modified", "changes": 0},
            {"filename": "huge.sql", "status": "modified", "changes": 90_000},
        ],
    )
    change = read_change(by_token(github), 7)
    kinds = {file.path: file.change_kind for file in change.files}
    assert kinds == {
        "new.go": ChangeKind.ADDED,
        "gone.go": ChangeKind.DELETED,
        "b/now.go": ChangeKind.RENAMED,
        'odd "name"\t中文.sql': ChangeKind.MODIFIED,
        "logo.png": ChangeKind.MODIFIED,
        "huge.sql": ChangeKind.MODIFIED,
    }
    assert any("left out the lines of 1 files" in warning for warning in change.warnings)


def test_an_app_buys_a_token_once_and_again_when_it_ends() -> None:
    now = [time.time()]
    with GitHubStandIn(clock=lambda: now[0]) as github:
        client = by_app(github, clock=lambda: now[0])
        opened(github, [changed("a.go")])
        read_change(client, 7)
        read_change(client, 7)
        assert github.keys.issued == 1
        now[0] += 3550
        read_change(client, 7)
        assert github.keys.issued == 2
        assert client.login == "mo-testplan[bot]"


def test_enterprise_has_a_prefix() -> None:
    with GitHubStandIn(prefix="/api/v3") as github:
        opened(github, [changed(f"f{n}.go") for n in range(120)])
        assert len(read_change(by_app(github), 7).files) == 120


def test_what_github_refuses_is_an_error_without_credentials_in_it(github: GitHubStandIn) -> None:
    client = kept(GitHubClient(github.state.repository, TokenAuth("ghp_wrong"), github.base_url))
    with pytest.raises(RefusedError, match="401") as refused:
        client.get("pulls/7")
    assert "ghp_wrong" not in str(refused.value)
    with pytest.raises(UnknownRunError, match="404"):
        by_token(github).get("pulls/8")
    with pytest.raises(BadProfileError, match="owner/name"):
        GitHubClient("../..", TokenAuth("x"))


def test_a_rate_limit_says_when_to_come_back(github: GitHubStandIn) -> None:
    opened(github, [])
    client = by_app(github)
    for _ in range(CREATING):
        client.write("POST", "issues/7/comments", {"body": "x"})
    with pytest.raises(RetryLaterError) as told:
        client.write("POST", "issues/7/comments", {"body": "x"})
    assert told.value.after is not None
    assert 0 < told.value.after <= 60


@pytest.mark.parametrize(
    ("status", "body", "after"),
    [
        (403, b'{"message": "You have exceeded a secondary rate limit. Please wait."}', 60.0),
        (200, b"<html>Sign in to the proxy</html>", None),
    ],
)
def test_what_passes_by_itself_loses_no_message(
    github: GitHubStandIn, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, after: float | None
) -> None:
    client = by_token(github)
    monkeypatch.setattr(client._http, "request", lambda *_, **__: httpx.Response(status, content=body))
    with pytest.raises(RetryLaterError) as error:
        GitHubChannel(client, "demo").deliver({"pull": 7, "comment": "words"}, "key")
    assert error.value.after == after


def test_a_next_page_elsewhere_is_not_followed(github: GitHubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(github, [changed("a.go")])
    client = by_token(github)
    real = client._send

    def answer(*words: Any) -> Any:  # noqa: ANN401
        found = real(*words)
        found.headers["Link"] = '<http://evil.example/steal>; rel="next"'
        return found

    monkeypatch.setattr(client, "_send", answer)
    with pytest.raises(NotifyError, match="another host"):
        list(client.pages("pulls/7/files"))


def test_credentials_come_from_the_environment_the_profile_names(github: GitHubStandIn) -> None:
    said = GitHub(repository="a/b", app_id="1")
    assert auth_from(said, {}) is None
    assert isinstance(auth_from(said, {said.token_env: "t"}), TokenAuth)
    assert isinstance(auth_from(said, {said.app_key_env: github.keys.app_key}), AppAuth)
    assert auth_from(dataclasses.replace(said, repository=""), {said.token_env: "t"}) is None


CASES = {"cases/new/one.sql": "select 1;\n", "cases/new/one.result": "select 1;\n1\n1\n"}


def test_cases_become_a_pull_request_on_top_and_nothing_is_overwritten(github: GitHubStandIn) -> None:
    opened(github, [])
    client = by_app(github)
    made = propose(client, 7, CASES)
    commit = github.state.branches[made.branch]
    assert github.state.commits[commit]["parents"] == [HEAD]
    assert github.state.content("cases/new/one.sql", commit) == "select 1;\n"
    with pytest.raises(UsageError, match="there is a branch mo-testplan/cases-7 already"):
        propose(client, 7, CASES)
    assert github.state.refused == []
    github.state.open_pull(8, "dev", "MEMBER", BASE, commit, [])
    with pytest.raises(UsageError, match="already"):
        propose(client, 8, CASES)
    for path in ("/etc/passwd", "cases/../x.sql"):
        with pytest.raises(BadCaseError, match="cannot be proposed"):
            propose(client, 7, {path: "x"})


def test_a_proposal_whose_last_request_failed_goes_on_when_it_is_made_again(
    github: GitHubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(github, [])
    client = by_app(github)
    real = client._send

    def cut(*words: Any) -> Any:  # noqa: ANN401
        if words[0] == "POST" and words[1].endswith("/pulls"):
            raise RetryLaterError("GitHub does not answer", "Wait.")
        return real(*words)

    monkeypatch.setattr(client, "_send", cut)
    with pytest.raises(RetryLaterError) as error:
        propose(client, 7, CASES)
    assert error.value.remedy == (
        "Wait. The branch mo-testplan/cases-7 stays: the same command again goes on from there."
    )
    left = github.state.branches["mo-testplan/cases-7"]
    monkeypatch.setattr(client, "_send", real)
    with pytest.raises(UsageError, match="there is a branch mo-testplan/cases-7 already"):
        propose(client, 7, {"cases/new/two.sql": "select 2;\n"})
    made = propose(client, 7, CASES)
    assert (made.branch, github.state.branches[made.branch]) == ("mo-testplan/cases-7", left)
    with pytest.raises(UsageError, match=f"already, of pull request {made.url}"):
        propose(client, 7, CASES)
    assert github.state.refused == []


def test_case_files_come_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "one.sql").write_text("select 1;\n")
    (tmp_path / "new" / "notes.txt").write_text("x")
    assert case_files(tmp_path, "cases") == {"cases/new/one.sql": "select 1;\n"}
    (tmp_path / "new" / "one.sql").write_bytes(b"select '\xff';\n")
    with pytest.raises(BadCaseError, match=r"one\.sql cannot be read as UTF-8"):
        case_files(tmp_path, "cases")
    (tmp_path / "new" / "one.sql").unlink()
    with pytest.raises(BadCaseError, match="0 case files"):
        case_files(tmp_path, "cases")


def message(**more: object) -> dict[str, object]:
    return {"pull": 7, "comment": "<!-- mo-testplan:shop -->\nhello", **more}


def check(conclusion: str | None = None, count: int = 0) -> dict[str, object]:
    one = {"path": "a.go", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m"}
    return {
        "run": "r1",
        "sha": HEAD,
        "title": "t",
        "summary": "s",
        "conclusion": conclusion,
        "annotations": [one] * count,
    }


def test_one_comment_is_kept_up_to_date_and_nobody_elses_is_touched(github: GitHubStandIn) -> None:
    opened(github, [])
    github.state.comment(7, "stranger", "<!-- mo-testplan:shop -->\nmine")
    for n in range(130):
        github.state.comment(7, "dev", f"words {n}")
    channel = GitHubChannel(by_app(github), "shop")
    channel.deliver(message(), "k1")
    channel.deliver(message(comment="<!-- mo-testplan:shop -->\nlater"), "k2")
    ours = [c["body"] for c in github.state.comments if c["user"]["login"] == "mo-testplan[bot]"]
    assert ours == ["<!-- mo-testplan:shop -->\nlater"]
    assert github.state.comments[0]["body"].endswith("mine")


def test_a_check_run_takes_its_annotations_in_parts_and_a_repeated_message_adds_none(github: GitHubStandIn) -> None:
    opened(github, [])
    channel = GitHubChannel(by_app(github), "shop")
    channel.deliver(message(check=check()), "k1")
    for _ in range(2):
        channel.deliver(message(check=check("failure", 120)), "k2")
    (made,) = github.state.checks
    assert (made["status"], made["conclusion"], len(made["annotations"])) == ("completed", "failure", 120)
    assert github.state.refused == []


def test_a_check_run_that_broke_off_is_not_complete_and_a_retry_goes_on_where_it_was(
    github: GitHubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(github, [])
    client = by_app(github)
    channel, real, sent = GitHubChannel(client, "shop"), client.write, []

    def write(method: str, path: str, body: object) -> Any:  # noqa: ANN401
        if "check-runs" in path:
            sent.append(method)
            if len(sent) == 3:
                raise RetryLaterError("GitHub does not answer", "Wait.")
        return real(method, path, body)

    monkeypatch.setattr(client, "write", write)
    with pytest.raises(RetryLaterError):
        channel.deliver(message(check=check("failure", 120)), "k")
    (made,) = github.state.checks
    assert (made["status"], len(made["annotations"])) == ("in_progress", 100)
    channel.deliver(message(check=check("failure", 120)), "k")
    assert (made["status"], made["conclusion"], len(made["annotations"])) == ("completed", "failure", 120)


def test_a_token_writes_a_status_where_only_apps_may_write_check_runs(github: GitHubStandIn) -> None:
    opened(github, [])
    channel = GitHubChannel(by_token(github), "shop")
    channel.deliver(message(check=check()), "k1")
    channel.deliver(message(check=check("success")), "k2")
    assert [status["state"] for status in github.state.statuses] == ["pending", "success"]
    assert (github.state.checks, github.state.refused) == ([], [])


def test_a_message_that_is_none_is_given_up(github: GitHubStandIn) -> None:
    with pytest.raises(RefusedError, match="none of GitHub's"):
        GitHubChannel(by_app(github), "shop").deliver({"pull": "seven"}, "k")
