"""The outbox's channel to GitHub: one comment a pull request, one check run a run, kept up to date.

Delivery is at least once: the comment is found by its mark and its author, the check run by its run, so a message that
comes twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.domain.errors import UnknownRunError
from orchestrator.notify.base import RefusedError
from orchestrator.notify.github.client import GitHubClient
from orchestrator.notify.github.words import MAX_COMMENT, marker

#: Annotations that GitHub takes in one request.
_BATCH = 50
_COMMIT = re.compile(r"[0-9a-f]{40}")


class GitHubChannel:
    """A :class:`orchestrator.notify.base.Notifier` for one repository."""

    def __init__(self, client: GitHubClient, profile: str) -> None:
        self._client, self._profile = client, profile
        self._name = f"mo-testplan/{profile}"

    @property
    def limit(self) -> int:
        """Bytes of a comment."""
        return MAX_COMMENT

    def wait(self) -> float:
        """GitHub says when it is too much; the outbox waits then."""
        return 0.0

    def deliver(self, payload: Mapping[str, Any], key: str) -> None:
        """Write the ``comment`` and the ``check`` of ``pull``; answer a command with a ``reaction`` or a ``reply``."""
        try:
            pull = int(payload["pull"])
            if payload.get("comment"):
                self._comment(pull, str(payload["comment"]))
            if payload.get("check"):
                self._check(payload["check"])
            if payload.get("reaction"):
                where = f"issues/comments/{int(payload['to'])}/reactions"
                self._client.write("POST", where, {"content": str(payload["reaction"])})
            if payload.get("reply"):
                self._client.write("POST", f"issues/{pull}/comments", {"body": str(payload["reply"])})
        except UnknownRunError as error:
            raise RefusedError(error.message, error.remedy) from None
        except (KeyError, TypeError, ValueError) as error:
            raise RefusedError(f"message {key} is none of GitHub's: {error}", "Nothing was sent.") from None

    def _comment(self, pull: int, body: str) -> None:
        """Write our comment anew, or for the first time. Others may copy the mark: only our own is changed."""
        mark, login = marker(self._profile), self._client.login
        for comment in self._client.pages(f"issues/{pull}/comments"):
            if str(comment["body"]).startswith(mark) and comment["user"]["login"] == login:
                self._client.write("PATCH", f"issues/comments/{int(comment['id'])}", {"body": body})
                return
        self._client.write("POST", f"issues/{pull}/comments", {"body": body})

    def _check(self, check: Mapping[str, Any]) -> None:
        if not _COMMIT.fullmatch(str(check["sha"])):
            raise RefusedError(f"{str(check['sha'])[:50]!r} is no commit", "Nothing was sent.")
        if not self._client.auth.is_app:
            self._status(check)
            return
        known = self._known(str(check["sha"]), str(check["run"]))
        if known is not None and known["status"] == "completed":
            return  # a message that comes twice: its annotations would, too
        there = int(known["output"]["annotations_count"]) if known is not None else 0  # of a try that broke off
        for body in _bodies(check, list(check.get("annotations", ()))[there:]):
            if known is None:
                new = {"name": self._name, "head_sha": check["sha"], "external_id": check["run"]}
                known = self._client.write("POST", "check-runs", {**body, **new})
            else:  # adds its annotations to those before
                self._client.write("PATCH", f"check-runs/{int(known['id'])}", body)

    def _known(self, sha: str, run: str) -> Any:  # noqa: ANN401 - GitHub's JSON, or None
        rows = self._client.pages(f"commits/{sha}/check-runs", "check_runs", check_name=self._name, filter="all")
        return next((row for row in rows if row.get("external_id") == run), None)

    def _status(self, check: Mapping[str, Any]) -> None:
        """Tokens of people may not write check runs: a commit status says the same in one line."""
        states = {"success": "success", "failure": "failure", None: "pending"}
        state = states.get(check.get("conclusion"), "error")
        body = {"state": state, "context": self._name, "description": str(check["title"])[:140]}
        self._client.write("POST", f"statuses/{check['sha']}", body)


def _bodies(check: Mapping[str, Any], found: list[Any]) -> Iterator[dict[str, Any]]:
    """What is written, one batch of annotations after the other: the check run ends with the last."""
    for first in range(0, max(1, len(found)), _BATCH):
        output = {
            "title": str(check["title"])[:255],
            "summary": str(check["summary"])[:65_000],
            "annotations": found[first : first + _BATCH],
        }
        if check.get("conclusion") and first + _BATCH >= len(found):
            yield {"status": "completed", "conclusion": check["conclusion"], "output": output}
        else:
            yield {"status": "in_progress", "output": output}
