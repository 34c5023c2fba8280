"""A pull request read by API: its change without a clone."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from orchestrator.diff.source import from_text
from orchestrator.domain.change import DiffSummary
from orchestrator.domain.errors import NotifyError
from orchestrator.notify.github.client import MAX_PAGES, PER_PAGE, GitHubClient

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclasses.dataclass(frozen=True, slots=True)
class Pull:
    """What of a pull request we act on."""

    number: int
    author: str
    #: What its author is to the repository: ``OWNER``, ``MEMBER``, ``CONTRIBUTOR``, ``NONE`` …
    association: str
    head: str
    base: str
    head_branch: str
    base_branch: str
    open: bool
    #: The branch that a pull request on top of it goes to: its own, or its base's where it comes from a fork.
    target: str
    labels: tuple[str, ...] = ()
    #: When it changed last, as GitHub writes it (ISO 8601 in UTC): later is greater.
    updated: str = ""
    #: Whether its branch is in another repository, and when anything was pushed to that one last; empty: not told.
    forked: bool = False
    pushed: str = ""


def pull_from(found: Any) -> Pull:  # noqa: ANN401 - GitHub's JSON
    """A pull request of its JSON; raises :class:`NotifyError` for what is none."""
    try:
        made = Pull(
            number=int(found["number"]),
            author=str(found["user"]["login"]),
            association=str(found["author_association"]),
            head=str(found["head"]["sha"]),
            base=str(found["base"]["sha"]),
            head_branch=str(found["head"]["ref"]),
            base_branch=str(found["base"]["ref"]),
            open=found["state"] == "open",
            target=str(found["base" if _forked(found) else "head"]["ref"]),
            labels=tuple(str(label["name"]) for label in found.get("labels") or ()),
            updated=str(found.get("updated_at") or ""),
            forked=_forked(found),
            pushed=str((found["head"].get("repo") or {}).get("pushed_at") or ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NotifyError(
            f"this is no pull request: {type(error).__name__} {error}", "Look at what was sent."
        ) from None
    if made.number < 1 or not _COMMIT.fullmatch(made.head) or not _COMMIT.fullmatch(made.base):
        raise NotifyError(f"pull request {made.number} has no commits that are any", "Look at what was sent.")
    return made


def _forked(found: Any) -> bool:  # noqa: ANN401 - GitHub's JSON
    """Whether it comes from another repository, or from one that is gone."""
    head, base = (found[end].get("repo") or {} for end in ("head", "base"))
    return bool(base) and head.get("full_name") != base.get("full_name")


def read_pull(client: GitHubClient, number: int) -> Pull:
    """A pull request as it stands."""
    return pull_from(client.get(f"pulls/{number}"))


def read_change(client: GitHubClient, number: int) -> DiffSummary:
    """What a pull request changes, file by file; a warning says when GitHub leaves something out."""
    pull = read_pull(client, number)
    files = list(client.pages(f"pulls/{number}/files"))
    change = from_text(b"".join(_diff(file) for file in files))
    warnings = [warning for warning in change.warnings if files or "empty" not in warning]
    if len(files) >= MAX_PAGES * PER_PAGE:
        warnings.append(f"GitHub tells of {len(files)} files at most: there may be more")
    unread = sum(1 for file in files if "patch" not in file and file.get("changes"))
    if unread:
        warnings.append(f"GitHub left out the lines of {unread} files: they are too big or binary")
    return dataclasses.replace(
        change,
        pr_number=pull.number,
        base_branch=pull.base_branch,
        head_branch=pull.head_branch,
        base_commit=pull.base,
        head_commit=pull.head,
        warnings=tuple(warnings),
    )


def _diff(file: Any) -> bytes:  # noqa: ANN401 - GitHub's JSON
    """One file as ``git diff`` writes it."""
    return "".join(_lines(file)).encode("utf-8", "surrogatepass")


def _lines(file: Any) -> Iterator[str]:  # noqa: ANN401
    new, status = str(file["filename"]), str(file["status"])
    old = str(file.get("previous_filename") or new) if status in ("renamed", "copied") else new
    yield f"diff --git {_quoted('a/' + old)} {_quoted('b/' + new)}\n"
    if status == "added":
        yield "new file mode 100644\n"
    elif status == "removed":
        yield "deleted file mode 100644\n"
    elif status in ("renamed", "copied"):
        verb = "rename" if status == "renamed" else "copy"
        yield f"similarity index 50%\n{verb} from {_quoted(old)}\n{verb} to {_quoted(new)}\n"
    patch = file.get("patch")
    if patch:
        before = "/dev/null" if status == "added" else _quoted("a/" + old)
        after = "/dev/null" if status == "removed" else _quoted("b/" + new)
        yield f"--- {before}\n+++ {after}\n{patch}\n"
    elif file.get("changes") or status == "modified":
        yield f"Binary files {_quoted('a/' + old)} and {_quoted('b/' + new)} differ\n"


def _quoted(path: str) -> str:
    """A path as git writes it: quoted when it holds what would end or change the line."""
    if path.isascii() and path.isprintable() and '"' not in path and "\\" not in path:
        return path
    body = "".join(
        chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\{b:03o}" for b in path.encode("utf-8", "replace")
    )
    return f'"{body}"'
