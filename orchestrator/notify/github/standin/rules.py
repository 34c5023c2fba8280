"""The documented rules, as far as we meet them. Each refusal is (status, message), as GitHub words it.

docs.github.com/en/rest: authentication, API versions, using pagination, checks/runs, issues/comments, commits/statuses,
reactions; best practices (a user agent, at most 80 content-creating requests a minute).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

#: Content-creating requests a minute, and characters of a body.
CREATING, MAX_BODY = 80, 65_536
_SHA = re.compile(r"[0-9a-f]{40}")
_CONCLUSIONS = {"action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"}
_REACTIONS = {"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}
_LEVELS = {"notice", "warning", "failure"}


class RefusedRequestError(Exception):
    """What the stand-in refuses, with the status and words that GitHub uses."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


def refuse(holds: object, status: int, message: str) -> None:
    """Raise unless ``holds``."""
    if not holds:
        raise RefusedRequestError(status, message)


def headers(found: Mapping[str, str]) -> None:
    """What every request must bring."""
    refuse(found.get("user-agent"), 403, "Request forbidden by administrative rules. Please make a User-Agent.")
    version = found.get("x-github-api-version", "2022-11-28")
    refuse(version == "2022-11-28", 400, f"{version} is not a supported version.")


def comment(body: Any) -> None:  # noqa: ANN401 - whatever came
    """The body of a comment."""
    text = body.get("body") if isinstance(body, dict) else None
    refuse(isinstance(text, str) and text.strip(), 422, "Validation Failed: body can't be blank")
    refuse(len(text or "") <= MAX_BODY, 422, f"Validation Failed: body is too long (maximum is {MAX_BODY} characters)")


def reaction(body: Any) -> None:  # noqa: ANN401
    """A reaction."""
    refuse(body.get("content") in _REACTIONS, 422, "Validation Failed: content")


def status(sha: str, body: Any) -> None:  # noqa: ANN401
    """A commit status."""
    refuse(_SHA.fullmatch(sha), 422, "No commit found for SHA")
    refuse(body.get("state") in {"error", "failure", "pending", "success"}, 422, "Validation Failed: state")
    refuse(len(str(body.get("description") or "")) <= 140, 422, "description is too long (maximum is 140 characters)")


def check_run(body: Any, *, new: bool) -> None:  # noqa: ANN401
    """A check run, made or changed."""
    if new:
        refuse(body.get("name"), 422, "Invalid request. name wasn't supplied.")
        refuse(_SHA.fullmatch(str(body.get("head_sha"))), 422, "No commit found for SHA")
    refuse(body.get("status", "queued") in {"queued", "in_progress", "completed"}, 422, "Validation Failed: status")
    done = body.get("status") == "completed"
    refuse(not done or body.get("conclusion") in _CONCLUSIONS, 422, "Validation Failed: conclusion is required")
    output = body.get("output")
    if output is None:
        return
    refuse(output.get("title") and output.get("summary"), 422, "Invalid request. output needs title and summary.")
    refuse(len(output["summary"]) <= 65_535, 422, "output.summary is too long (maximum is 65535 characters)")
    found = output.get("annotations") or []
    refuse(len(found) <= 50, 422, "Invalid request. No more than 50 annotations may be sent in one request.")
    for one in found:
        _annotation(one)


def _annotation(one: Any) -> None:  # noqa: ANN401
    needed = ("path", "start_line", "end_line", "annotation_level", "message")
    refuse(all(one.get(name) for name in needed), 422, "Invalid request. An annotation is incomplete.")
    refuse(one["annotation_level"] in _LEVELS, 422, "Validation Failed: annotation_level")
    refuse(1 <= one["start_line"] <= one["end_line"], 422, "Validation Failed: start_line")
    refuse(not str(one["path"]).startswith(("/", "..")), 422, "Validation Failed: path")
    refuse(len(one["message"].encode()) <= 64 * 1024, 422, "message is too long (maximum is 64 KB)")
    refuse(len(str(one.get("title") or "")) <= 255, 422, "title is too long (maximum is 255 characters)")


def tree(body: Any) -> None:  # noqa: ANN401
    """A new tree."""
    entries = body.get("tree")
    refuse(isinstance(entries, list) and entries, 422, "Invalid request. tree wasn't supplied.")
    for entry in entries:
        path = str(entry.get("path") or "")
        refuse(path and not path.startswith("/") and ".." not in path.split("/"), 422, "tree.path is malformed")
        refuse(entry.get("mode") in {"100644", "100755", "040000", "160000", "120000"}, 422, "tree.mode is invalid")
        refuse(("content" in entry) != ("sha" in entry), 422, "Must supply either tree.sha or tree.content")


def ref(body: Any) -> None:  # noqa: ANN401
    """A new reference."""
    name = str(body.get("ref") or "")
    refuse(re.fullmatch(r"refs/heads/[^\s~^:?*\[\\]+", name) and ".." not in name, 422, "Reference name is malformed")


class Pace:
    """The secondary rate limit: so many content-creating requests a minute."""

    def __init__(self, clock: Callable[[], float], limit: int = CREATING) -> None:
        self._clock, self._limit = clock, limit
        self._times: deque[float] = deque()

    def spend(self) -> None:
        """Count a request; refuse one too many."""
        now = self._clock()
        while self._times and now - self._times[0] > 60:
            self._times.popleft()
        if len(self._times) >= self._limit:
            wait = {"Retry-After": str(max(1, int(60 - (now - self._times[0]))))}
            raise RefusedRequestError(403, "You have exceeded a secondary rate limit.", wait)
        self._times.append(now)
