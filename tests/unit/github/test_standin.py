"""The stand-in refuses what GitHub documents that it refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest

from orchestrator.notify.github.standin import GitHubStandIn

HEAD = "a" * 40


@pytest.fixture(scope="module")
def github() -> Iterator[GitHubStandIn]:
    with GitHubStandIn() as made:
        made.state.open_pull(7, "dev", "MEMBER", "b" * 40, HEAD, [])
        yield made


def ask(github: GitHubStandIn, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:  # noqa: ANN401
    sent = {"Authorization": f"Bearer {github.keys.token}", "User-Agent": "t", **headers}
    return httpx.request(method, github.base_url + path, json=body, headers=sent)


def claim(github: GitHubStandIn, **more: object) -> str:
    now = int(time.time())
    return jwt.encode({"iat": now, "exp": now + 300, "iss": "4711", **more}, github.keys.app_key, algorithm="RS256")


def test_requests_need_a_user_agent_credentials_and_a_version_there_is(github: GitHubStandIn) -> None:
    pull = "/repos/acme/shop/pulls/7"
    assert ask(github, "GET", pull).status_code == 200
    assert ask(github, "GET", pull, **{"User-Agent": ""}).status_code == 403
    assert ask(github, "GET", pull, Authorization="").status_code == 401
    assert ask(github, "GET", pull, Authorization="Bearer nope").status_code == 401
    assert ask(github, "GET", pull, **{"X-GitHub-Api-Version": "1999-01-01"}).status_code == 400


@pytest.mark.parametrize(("name", "seconds"), [("iss", None), ("exp", 3600), ("iat", 600), ("exp", -600)])
def test_a_claim_of_another_app_or_another_time_is_refused(
    github: GitHubStandIn, name: str, seconds: int | None
) -> None:
    wrong = {name: "1" if seconds is None else int(time.time()) + seconds}
    assert ask(github, "GET", "/app", Authorization=f"Bearer {claim(github)}").status_code == 200
    assert ask(github, "GET", "/app", Authorization=f"Bearer {claim(github, **wrong)}").status_code == 401


def test_pages_hold_a_hundred_entries_at_most(github: GitHubStandIn) -> None:
    github.state.files[7] = [{"filename": f"f{n}", "status": "added"} for n in range(250)]
    answer = ask(github, "GET", "/repos/acme/shop/pulls/7/files?per_page=1000")
    assert len(answer.json()) == 100
    assert "page=2" in answer.links["next"]["url"]


def test_check_runs_are_for_apps_and_have_limits(github: GitHubStandIn) -> None:
    token, _ = github.keys.issue()
    one = {"path": "a.go", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m"}
    output = {"title": "t", "summary": "s", "annotations": [one]}
    body = {"name": "n", "head_sha": HEAD, "output": output}
    app = {"Authorization": f"Bearer {token}"}
    path = "/repos/acme/shop/check-runs"
    assert ask(github, "POST", path, body).status_code == 403
    assert ask(github, "POST", path, body, **app).status_code == 201
    assert ask(github, "POST", path, {**body, "status": "completed"}, **app).status_code == 422
    for wrong in ([one] * 51, [{**one, "annotation_level": "bad"}], [{**one, "path": "/etc/passwd"}]):
        assert ask(github, "POST", path, {**body, "output": {**output, "annotations": wrong}}, **app).status_code == 422


def test_comments_have_a_length_and_reactions_a_list(github: GitHubStandIn) -> None:
    made = ask(github, "POST", "/repos/acme/shop/issues/7/comments", {"body": "x" * 65_536})
    assert made.status_code == 201
    assert ask(github, "POST", "/repos/acme/shop/issues/7/comments", {"body": "x" * 65_537}).status_code == 422
    where = f"/repos/acme/shop/issues/comments/{made.json()['id']}/reactions"
    assert ask(github, "POST", where, {"content": "+1"}).status_code == 201
    assert ask(github, "POST", where, {"content": "thumb"}).status_code == 422
