"""Webhooks: only what GitHub signed, each once, and only what we act on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.domain.errors import UsageError
from orchestrator.notify.github.hook import ForgedError, Hook, Webhook, signature
from orchestrator.notify.github.pulls import pull_from

SECRET = "a secret of some length"
PULL: dict[str, Any] = {
    "number": 7,
    "state": "open",
    "user": {"login": "dev"},
    "author_association": "MEMBER",
    "head": {"sha": "a" * 40, "ref": "topic"},
    "base": {"sha": "b" * 40, "ref": "main"},
}


class Sent:
    def __init__(self) -> None:
        self.noted: list[Hook] = []
        self.webhook = Webhook(SECRET, "acme/shop", self._accept)

    def _accept(self, hook: Hook) -> bool:
        fresh = hook.key not in [one.key for one in self.noted]
        if fresh:
            self.noted.append(hook)
        return fresh

    def send(self, event: str, payload: object, **headers: str) -> str:
        body = json.dumps(payload).encode()
        sent = {
            "x-github-event": event,
            "x-github-delivery": "12345678-aaaa",
            "x-hub-signature-256": signature(SECRET, body),
            **headers,
        }
        return self.webhook.receive(sent, body)


def of_pull(action: str = "opened", **more: object) -> dict[str, object]:
    repository = {"full_name": "Acme/Shop"}
    return {"action": action, "repository": repository, "pull_request": PULL, "sender": {"login": "dev"}, **more}


def of_comment(body: str, **more: object) -> dict[str, object]:
    return {
        "action": "created",
        "repository": {"full_name": "acme/shop"},
        "issue": {"number": 7, "user": {"login": "dev"}, "pull_request": {}},
        "comment": {"id": 5, "body": body, "user": {"login": "x", "type": "User"}, "author_association": "NONE"} | more,
    }


def test_of_a_comment_it_is_known_when_it_was_written() -> None:
    sent = Sent()
    assert sent.send("issue_comment", of_comment("/test", created_at="2026-11-26T12:00:00Z")) == "noted"
    assert sent.noted[0].written == "2026-11-26T12:00:00Z"


@pytest.mark.parametrize(
    ("repo", "forked", "pushed"),
    [
        ({"full_name": "acme/shop", "pushed_at": "2026-11-26T12:00:00Z"}, False, "2026-11-26T12:00:00Z"),
        ({"full_name": "dev/shop", "pushed_at": "2026-11-26T12:00:00Z"}, True, "2026-11-26T12:00:00Z"),
        (None, True, ""),
    ],
)
def test_of_a_pull_request_it_is_known_whether_and_when_its_fork_was_pushed_to(
    repo: dict[str, str] | None, forked: bool, pushed: str
) -> None:
    ends = {"head": {**PULL["head"], "repo": repo}, "base": {**PULL["base"], "repo": {"full_name": "acme/shop"}}}
    pull = pull_from({**PULL, **ends})
    assert (pull.forked, pull.pushed) == (forked, pushed)


def test_a_signed_delivery_is_noted_once() -> None:
    sent = Sent()
    assert [sent.send("pull_request", of_pull()) for _ in range(2)] == ["noted", "seen"]
    (hook,) = sent.noted
    assert (hook.action, hook.pull, hook.author, hook.head) == ("opened", 7, "dev", "a" * 40)


@pytest.mark.parametrize("value", ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "é"])
def test_what_is_not_signed_is_refused_before_it_is_read(value: str) -> None:
    with pytest.raises(ForgedError):
        Sent().send("pull_request", of_pull(), **{"x-hub-signature-256": value})


def test_another_repository_is_refused_however_well_it_signs() -> None:
    with pytest.raises(ForgedError, match="another repository"):
        Sent().send("pull_request", of_pull(repository={"full_name": "evil/shop"}))


def test_an_edit_counts_where_the_base_is_another_one() -> None:
    changes = {"base": {"ref": {"from": "main"}, "sha": {"from": "c" * 40}}}
    assert Sent().send("pull_request", of_pull("edited", changes=changes)) == "noted"
    assert Sent().send("pull_request", of_pull("edited", changes={"title": {"from": "x"}})) == "ignored"


@pytest.mark.parametrize("action", ["edited", "assigned", "locked"])
def test_what_we_do_not_act_on_is_ignored(action: str) -> None:
    assert Sent().send("pull_request", of_pull(action)) == "ignored"
    assert Sent().send("push", of_pull()) == "ignored"
    assert Sent().send("ping", {}) == "ignored"


def test_only_commands_of_people_on_pull_requests_are_heard() -> None:
    assert Sent().send("issue_comment", of_comment("looks good /test")) == "ignored"
    assert Sent().send("issue_comment", of_comment("/test", user={"login": "r", "type": "Bot"})) == "ignored"
    assert Sent().send("issue_comment", of_comment("please\n/test ut")) == "noted"
    assert (
        Sent().send("issue_comment", of_comment("write:\n```sh\n/cancel\n```\nor\n~~~\n/test\n```\n~~~")) == "ignored"
    )
    assert Sent().send("issue_comment", of_comment("````\n```\n/cancel\n```\n````")) == "ignored"
    for text in ("```\n/cancel\n```\n/test", "```make test``` fails\n/retest"):
        assert Sent().send("issue_comment", of_comment(text)) == "noted"
    issue = of_comment("/test") | {"issue": {"number": 7, "user": {"login": "dev"}}}
    assert Sent().send("issue_comment", issue) == "ignored"


@pytest.mark.parametrize(
    "payload",
    [
        of_pull(label="run-tests"),
        of_pull() | {"action": []},
        of_pull(pull_request=PULL | {"number": float("inf")}),
        of_pull(pull_request={}),
        of_pull(pull_request=PULL | {"head": {"sha": "--upload-pack=x", "ref": "r"}}),
        {},
        [],
    ],
)
def test_a_damaged_delivery_is_an_error(payload: object) -> None:
    with pytest.raises((UsageError, ForgedError)):
        Sent().send("pull_request", payload)


def test_a_short_secret_is_no_secret() -> None:
    with pytest.raises(UsageError, match="too short"):
        Webhook("short", "acme/shop", lambda _: True)
