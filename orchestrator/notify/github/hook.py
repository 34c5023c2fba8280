"""Webhooks: signed, each once, noted before they are answered.

docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries and /webhook-events-and-payloads
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.errors import NotifyError, UsageError
from orchestrator.notify.github.pulls import pull_from

#: GitHub's own limit for a payload.
MAX_BODY = 25 * 1024 * 1024
#: Characters of a comment that are looked at.
_TEXT = 4000
#: Begins a block of code, or ends one that began with as many marks: spec.commonmark.org, fenced code blocks.
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})(.*)")
_DELIVERY = re.compile(r"[0-9A-Za-z-]{8,80}")
_ACTIONS = {"opened", "reopened", "synchronize", "ready_for_review", "closed", "labeled", "edited"}


class ForgedError(NotifyError):
    """The request does not come from GitHub, or from another repository."""


@dataclass(frozen=True, slots=True)
class Hook:
    """What a delivery says, as far as we act on it."""

    #: The delivery's id: a repeated one is acted on once.
    key: str
    #: ``opened``, ``synchronize`` … of a pull request, ``edited`` where its base became another branch, or ``comment``.
    action: str
    pull: int
    #: Who did it, and what he is to the repository.
    sender: str
    association: str
    #: Who opened the pull request.
    author: str
    head: str = ""
    #: The comment, or the label that was set.
    text: str = ""
    comment: int = 0
    draft: bool = False
    #: When the pull request changed last, by then.
    updated: str = ""
    #: When the comment was written.
    written: str = ""


def signature(secret: str, body: bytes) -> str:
    """The value of ``X-Hub-Signature-256``."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Webhook:
    """The receiver of one repository. ``accept`` notes a hook durably; False when it was noted before."""

    def __init__(self, secret: str, repository: str, accept: Callable[[Hook], bool]) -> None:
        if len(secret) < 16:
            raise UsageError("the webhook's secret is too short", "Make one with `openssl rand -hex 32`.")
        self._secret, self._repository, self._accept = secret, repository, accept

    def receive(self, headers: Mapping[str, str], body: bytes) -> str:
        """Check and note a delivery; what became of it: ``noted``, ``seen`` or ``ignored``.

        Raises :class:`ForgedError` unless it is signed, and :class:`UsageError` for what is no delivery.
        """
        said = headers.get("x-hub-signature-256", "")
        if not hmac.compare_digest(signature(self._secret, body).encode(), said.encode("utf-8", "replace")):
            raise ForgedError("the signature is not GitHub's", "Give both sides the same secret.")
        key = headers.get("x-github-delivery", "")
        if not _DELIVERY.fullmatch(key):
            raise UsageError("the delivery has no id", "GitHub sends X-GitHub-Delivery.")
        try:
            payload = json.loads(body)
            name = payload["repository"]["full_name"] if isinstance(payload, dict) else ""
        except (ValueError, KeyError, TypeError, RecursionError):
            name, payload = "", {}
        if headers.get("x-github-event") == "ping":
            return "ignored"
        if str(name).casefold() != self._repository.casefold():
            raise ForgedError("the delivery is of another repository", "Set the webhook up in the right one.")
        hook = _hook(headers.get("x-github-event", ""), key, payload)
        if hook is None:
            return "ignored"
        return "noted" if self._accept(hook) else "seen"


def _hook(event: str, key: str, payload: dict[str, Any]) -> Hook | None:
    """What we act on of a payload, or None; raises :class:`UsageError` where it lacks what it must have."""
    try:
        if event == "pull_request" and payload["action"] in _ACTIONS:
            words_only = payload["action"] == "edited" and "base" not in (payload.get("changes") or {})
            return None if words_only else _of_pull(key, payload)
        if event == "issue_comment" and payload["action"] == "created":
            return _of_comment(key, payload)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, NotifyError) as error:
        raise UsageError(f"the {event} delivery is incomplete: {error}", "Look at it on GitHub.") from None
    return None


def _of_pull(key: str, payload: dict[str, Any]) -> Hook:
    pull = pull_from(payload["pull_request"])
    return Hook(
        key,
        str(payload["action"]),
        pull.number,
        str(payload["sender"]["login"]),
        pull.association,
        pull.author,
        pull.head,
        str((payload.get("label") or {}).get("name", ""))[:100],
        draft=bool(payload["pull_request"].get("draft")),
        updated=pull.updated,
    )


def commands_in(text: str) -> Iterator[str]:
    """The lines of a comment that start with a slash, but for those in a block of code, which only show something."""
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not mark[2].strip():
            fence = ""
        elif not fence and line.startswith("/"):
            yield line.strip()


def _of_comment(key: str, payload: dict[str, Any]) -> Hook | None:
    issue, comment = payload["issue"], payload["comment"]
    text = str(comment["body"])[:_TEXT]
    robot = str(comment["user"].get("type")) == "Bot"
    if "pull_request" not in issue or robot or not any(commands_in(text)):
        return None
    return Hook(
        key,
        "comment",
        int(issue["number"]),
        str(comment["user"]["login"]),
        str(comment["author_association"]),
        str(issue["user"]["login"]),
        text=text,
        comment=int(comment["id"]),
        written=str(comment.get("created_at") or ""),
    )
