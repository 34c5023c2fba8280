"""A pull request with new case files, by API alone: no clone, nothing overwritten.

docs.github.com/en/rest/git (trees, commits, refs) and /pulls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from orchestrator.domain.errors import BadCaseError, MoTestplanError, UnknownRunError, UsageError
from orchestrator.notify.github.client import GitHubClient
from orchestrator.notify.github.pulls import read_pull

#: Files, and characters of each.
MAX_FILES, MAX_TEXT = 200, 500_000
_SUFFIXES = (".sql", ".test", ".result")


@dataclass(frozen=True, slots=True)
class Proposal:
    """The pull request that was opened."""

    number: int
    url: str
    branch: str


def case_files(folder: Path, cases: str) -> dict[str, str]:
    """The case files below ``folder`` by their path in the repository, which is below ``cases``."""
    if not folder.is_dir():
        raise BadCaseError(f"{folder} is not a directory", "Name the folder that `cases generate -o` wrote.")
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.suffix in _SUFFIXES:
            name = path.relative_to(folder).as_posix()
            found[name if name.startswith(f"{cases}/") else f"{cases}/{name}"] = _text(path)
    if not found or len(found) > MAX_FILES:
        raise BadCaseError(f"{folder} has {len(found)} case files", f"One proposal takes 1 to {MAX_FILES}.")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadCaseError(
            f"{path} cannot be read as UTF-8: {error}", "Mend it, or take it out of the folder."
        ) from None


def propose(client: GitHubClient, number: int, files: Mapping[str, str], branch: str = "") -> Proposal:
    """Open a pull request with ``files`` on top of pull request ``number``.

    It is against that one's branch; against its base where the branch is in a fork. :class:`UsageError` where a file or
    the branch is there already. A branch that an earlier try left without a pull request is taken up.
    """
    _check(files)
    pull = read_pull(client, number)
    branch = branch or f"mo-testplan/cases-{number}"
    for path in files:
        if _there(client, f"contents/{quote(path)}", ref=pull.head):
            raise UsageError(f"{path} is in pull request {number} already", "Rename it, or generate with another seed.")
    base = client.get(f"git/commits/{pull.head}")["tree"]["sha"]
    entries = [{"path": path, "mode": "100644", "type": "blob", "content": text} for path, text in files.items()]
    tree = client.write("POST", "git/trees", {"base_tree": base, "tree": entries})["sha"]
    title = f"test: cases for pull request {number}"
    if _there(client, f"git/ref/heads/{quote(branch)}"):
        _check_left(client, branch, tree, pull.head)
    else:
        commit = client.write("POST", "git/commits", {"message": title, "tree": tree, "parents": [pull.head]})["sha"]
        client.write("POST", "git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})
    body = {"title": title, "head": branch, "base": pull.target, "body": _body(number, files)}
    try:
        made = client.write("POST", "pulls", body)
    except MoTestplanError as error:
        error.remedy = f"{error.remedy} The branch {branch} stays: the same command again goes on from there.".strip()
        raise
    return Proposal(int(made["number"]), str(made["html_url"]), branch)


def _check_left(client: GitHubClient, branch: str, tree: str, parent: str) -> None:
    """:class:`UsageError` unless a branch is what a try left that got no further: these files on ``parent``."""
    owner = client.repository.partition("/")[0]
    opened = client.get("pulls", head=f"{owner}:{branch}", state="open")
    tip = client.get(f"git/commits/{client.get(f'git/ref/heads/{quote(branch)}')['object']['sha']}")
    if opened or tip["tree"]["sha"] != tree or [one["sha"] for one in tip["parents"]] != [parent]:
        of = f", of pull request {opened[0]['html_url']}" if opened else ""
        raise UsageError(
            f"there is a branch {branch} already{of}", "Name another one with --branch, or delete that one."
        )


def _check(files: Mapping[str, str]) -> None:
    for path, text in files.items():
        plain = PurePosixPath(path)
        if plain.is_absolute() or ".." in plain.parts or not path.isprintable() or len(text) > MAX_TEXT:
            raise BadCaseError(f"{path[:200]!r} cannot be proposed", "Case files lie in the tree, and are short.")


def _there(client: GitHubClient, path: str, **params: str) -> bool:
    try:
        client.get(path, **params)
    except UnknownRunError:
        return False
    return True


def _body(number: int, files: Mapping[str, str]) -> str:
    names = "\n".join(f"* `{path}`" for path in files)
    return f"Cases that #{number} lacks, generated. Read them before they are merged.\n\n{names}"
