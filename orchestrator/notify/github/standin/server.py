"""The stand-in's HTTP side, and its webhook's sender."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

from orchestrator.notify.github.hook import signature
from orchestrator.notify.github.standin import rules
from orchestrator.notify.github.standin.gitside import GitSide
from orchestrator.notify.github.standin.keys import Keys
from orchestrator.notify.github.standin.rules import RefusedRequestError, refuse
from orchestrator.notify.github.standin.state import Json, State

#: Files of a pull request that GitHub tells of.
_MOST_FILES = 3000
_ROUTES: list[tuple[str, str, str]] = [
    ("GET", r"/user", "user"),
    ("GET", r"/app", "app"),
    ("GET", r"/repos/{repo}/installation", "installation"),
    ("POST", r"/app/installations/(\d+)/access_tokens", "access_token"),
    ("GET", r"/repos/{repo}/pulls/(\d+)", "pull"),
    ("GET", r"/repos/{repo}/pulls/(\d+)/files", "files"),
    ("GET", r"/repos/{repo}/issues/(\d+)/comments", "comments"),
    ("POST", r"/repos/{repo}/issues/(\d+)/comments", "new_comment"),
    ("PATCH", r"/repos/{repo}/issues/comments/(\d+)", "change_comment"),
    ("POST", r"/repos/{repo}/issues/comments/(\d+)/reactions", "react"),
    ("GET", r"/repos/{repo}/commits/([0-9a-f]{40})/check-runs", "check_runs"),
    ("POST", r"/repos/{repo}/check-runs", "new_check"),
    ("PATCH", r"/repos/{repo}/check-runs/(\d+)", "change_check"),
    ("POST", r"/repos/{repo}/statuses/(\w+)", "new_status"),
    ("GET", r"/repos/{repo}/contents/(.+)", "contents"),
    ("GET", r"/repos/{repo}/git/commits/([0-9a-f]{40})", "commit"),
    ("GET", r"/repos/{repo}/git/ref/heads/(.+)", "ref"),
    ("POST", r"/repos/{repo}/git/trees", "new_tree"),
    ("POST", r"/repos/{repo}/git/commits", "new_commit"),
    ("POST", r"/repos/{repo}/git/refs", "new_ref"),
    ("GET", r"/repos/{repo}/pulls", "pulls"),
    ("POST", r"/repos/{repo}/pulls", "new_pull"),
]
_CLAIMED = {"app", "installation", "access_token"}


class GitHubStandIn(GitSide):
    """One repository at ``base_url`` while the ``with`` block lasts; ``prefix`` is Enterprise's ``/api/v3``."""

    def __init__(self, *, clock: Callable[[], float] = time.time, prefix: str = "", secret: str = "s" * 32) -> None:
        self.state, self.keys, self.secret = State(), Keys(clock), secret
        self.pace = rules.Pace(clock)
        self._prefix = prefix
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"standin": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="github-stand-in", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def base_url(self) -> str:
        """What ``github.base_url`` of a profile should say."""
        assert self._server is not None  # noqa: S101 - inside the block
        return f"http://127.0.0.1:{self._server.server_port}{self._prefix}"

    # -- webhooks ------------------------------------------------------------------------------------------------

    def send(self, url: str, event: str, payload: Json, delivery: str = "", secret: str | None = None) -> int:
        """Deliver a webhook; the receiver's status. ``delivery`` repeats an earlier one, ``secret`` forges."""
        body = json.dumps({"repository": {"full_name": self.state.repository}, **payload}).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/standin",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": signature(self.secret if secret is None else secret, body),
        }
        return httpx.post(url, content=body, headers=headers, timeout=10).status_code

    def pull_event(self, action: str, number: int, sender: str = "", **more: object) -> Json:
        """The payload of a pull request's event."""
        pull = self.state.pulls[number]
        if action in ("closed", "reopened"):
            pull |= {"state": "closed" if action == "closed" else "open", "updated_at": self.state.tick()}
        who = {"login": sender or pull["user"]["login"], "type": "User"}
        return {"action": action, "number": number, "pull_request": dict(pull), "sender": who, **more}

    def comment_event(self, number: int, login: str, association: str, body: str) -> Json:
        """The payload of a new comment, which is written, too."""
        comment = self.state.comment(number, login, body, association=association)
        issue = {"number": number, "user": self.state.pulls[number]["user"], "pull_request": {"url": "…"}}
        return {"action": "created", "issue": issue, "comment": comment, "sender": {"login": login}}

    # -- requests ------------------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON and headers for a request."""
        try:
            with self.state.lock:
                return self._answer(method, urlsplit(target), headers, raw)
        except RefusedRequestError as error:
            if error.status not in (401, 404):
                self.state.refused.append(f"{method} {target}: {error.status} {error.message}")
            return error.status, {"message": error.message}, error.headers

    def _answer(self, method: str, target: Any, headers: dict[str, str], raw: bytes) -> tuple[int, Any, dict[str, str]]:  # noqa: ANN401
        rules.headers(headers)
        refuse(target.path.startswith(self._prefix), 404, "Not Found")
        path = target.path.removeprefix(self._prefix)
        for verb, pattern, name in _ROUTES:
            found = re.fullmatch(pattern.replace("{repo}", re.escape(self.state.repository)), path)
            if verb != method or found is None:
                continue
            who = self.keys.who(headers.get("authorization", ""), claim=name in _CLAIMED)
            if method != "GET" and name != "access_token":
                self.pace.spend()
            query = {key: values[0] for key, values in parse_qs(target.query).items()}
            body = json.loads(raw) if raw else {}
            answer = getattr(self, f"_{name}")(who, query, body, *found.groups())
            if isinstance(answer, list):
                return self._page(answer, query, target)
            return (201 if method == "POST" else 200), answer, {}
        raise RefusedRequestError(404, "Not Found")

    def _page(self, rows: list[Json], query: dict[str, str], target: Any) -> tuple[int, Any, dict[str, str]]:  # noqa: ANN401
        size, page = min(100, max(1, int(query.get("per_page", "30")))), max(1, int(query.get("page", "1")))
        shown = rows[(page - 1) * size : page * size]
        links = {}
        if page * size < len(rows):
            base = self.base_url.removesuffix(self._prefix)
            links = {"Link": f'<{base}{target.path}?per_page={size}&page={page + 1}>; rel="next"'}
        wrapped = {"total_count": len(rows), "check_runs": shown} if target.path.endswith("check-runs") else shown
        return 200, wrapped, links

    def _user(self, who: str, _query: object, _body: object) -> Json:
        refuse(who == "user", 403, "Resource not accessible by integration")
        return {"login": self.keys.login, "type": "User"}

    def _app(self, _who: str, _query: object, _body: object) -> Json:
        return {"slug": self.state.app_slug, "id": int(self.keys.app_id)}

    def _installation(self, _who: str, _query: object, _body: object) -> Json:
        return {"id": 99}

    def _access_token(self, _who: str, _query: object, _body: object, number: str) -> Json:
        refuse(number == "99", 404, "Not Found")
        token, until = self.keys.issue()
        return {"token": token, "expires_at": until}

    def _pull(self, _who: str, _query: object, _body: object, number: str) -> Json:
        refuse(int(number) in self.state.pulls, 404, "Not Found")
        return self.state.pulls[int(number)]

    def _files(self, _who: str, _query: object, _body: object, number: str) -> list[Json]:
        refuse(int(number) in self.state.pulls, 404, "Not Found")
        return self.state.files[int(number)][:_MOST_FILES]

    def _comments(self, _who: str, _query: object, _body: object, number: str) -> list[Json]:
        return [comment for comment in self.state.comments if comment["pull"] == int(number)]

    def _new_comment(self, who: str, _query: object, body: Json, number: str) -> Json:
        rules.comment(body)
        refuse(int(number) in self.state.pulls, 404, "Not Found")
        return self.state.comment(int(number), *self._author(who, body["body"]))

    def _author(self, who: str, body: str) -> tuple[str, str, str]:
        robot = who == "installation"
        return (f"{self.state.app_slug}[bot]" if robot else self.keys.login), body, "Bot" if robot else "User"

    def _change_comment(self, _who: str, _query: object, body: Json, number: str) -> Json:
        rules.comment(body)
        for comment in self.state.comments:
            if comment["id"] == int(number):
                comment["body"] = body["body"]
                return comment
        raise RefusedRequestError(404, "Not Found")

    def _react(self, _who: str, _query: object, body: Json, number: str) -> Json:
        rules.reaction(body)
        refuse(any(comment["id"] == int(number) for comment in self.state.comments), 404, "Not Found")
        made = {"comment": int(number), "content": body["content"]}
        self.state.reactions.append(made)
        return made

    def _check_runs(self, _who: str, query: dict[str, str], _body: object, sha: str) -> list[Json]:
        name = query.get("check_name")
        return [check for check in self.state.checks if check["head_sha"] == sha and name in (None, check["name"])]

    def _new_check(self, who: str, _query: object, body: Json) -> Json:
        refuse(who == "installation", 403, "You must authenticate via a GitHub App.")
        rules.check_run(body, new=True)
        made = {"id": self.state.number(), "annotations": [], "status": "queued", "conclusion": None, **body}
        self.state.checks.append(made)
        return self._annotated(made, body)

    def _change_check(self, who: str, _query: object, body: Json, number: str) -> Json:
        refuse(who == "installation", 403, "You must authenticate via a GitHub App.")
        rules.check_run(body, new=False)
        for check in self.state.checks:
            if check["id"] == int(number):
                check.update(body)
                return self._annotated(check, body)
        raise RefusedRequestError(404, "Not Found")

    def _annotated(self, check: Json, body: Json) -> Json:
        """The check run with its annotations counted, which is all that GitHub tells of them."""
        check["annotations"] += (body.get("output") or {}).get("annotations") or []
        told = {key: value for key, value in (check.get("output") or {}).items() if key != "annotations"}
        check["output"] = {**told, "annotations_count": len(check["annotations"])}
        return check

    def _new_status(self, _who: str, _query: object, body: Json, sha: str) -> Json:
        rules.status(sha, body)
        self.state.statuses.append({"sha": sha, **body})
        return body


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    standin: GitHubStandIn

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, answer, more = self.standin.answer(self.command, self.path, headers, raw)
        body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**more, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Quiet."""
