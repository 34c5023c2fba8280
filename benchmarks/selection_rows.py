"""Rows for `selection.py` from a clone: the commits of a line that change something to test.

    python benchmarks/selection_rows.py --repo CLONE [--rev HEAD] [--until 2026-05-31] [--last 1000] > META.jsonl

A row has ``sha, parent, pr, date, src`` as `selection.py` reads them: ``pr`` is the number at the end of the subject
(null: none), ``date`` the committer's, ``src`` the changed files outside of tests. The oldest row comes first.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/selection_rows.py` finds the packages uninstalled

from orchestrator.diff.git import find_git, isolated, resolve  # noqa: E402 - after the path is set
from orchestrator.history.commits import Commit, read_commits  # noqa: E402
from orchestrator.history.layout import Layout, layout_of  # noqa: E402
from orchestrator.settings import load_profile, settings_from  # noqa: E402

PROFILE = str(ROOT / "config" / "matrixone.yaml")
_PULL = re.compile(r"\(#(\d+)\)\s*$")


def rows_of(repository: Path, revision: str, layout: Layout, until: float = float("inf")) -> list[dict[str, Any]]:
    """The rows of a line, oldest first, of commits not after ``until`` (seconds since 1970)."""
    found = find_git(repository)
    head = resolve(found, revision, revision).head
    with isolated(found, head) as git:
        told = git.run("log", "--first-parent", "--format=%H %s", head, "--").stdout.decode(errors="replace")
        subjects = dict(line.partition(" ")[::2] for line in told.splitlines())
        return list(_rows(read_commits(git, head), subjects, layout, until))


def end_of_day(text: str) -> float:
    """The last second of a day (``2026-05-31``, UTC), in seconds since 1970.

    Raises:
        ValueError: the text is no day.
    """
    return datetime.combine(date.fromisoformat(text), time.max, UTC).timestamp()


def _rows(commits: list[Commit], subjects: dict[str, str], layout: Layout, until: float) -> Iterator[dict[str, Any]]:
    for commit in commits:
        src = [
            {"p": entry.path, "s": entry.status} for entry in commit.entries if layout.is_production(entry.path)
        ]  # fmt: skip
        if src and commit.parent and commit.time <= until:
            pull = _PULL.search(subjects.get(commit.sha, ""))
            number = int(pull[1]) if pull else None
            day = datetime.fromtimestamp(commit.time, UTC).isoformat()
            yield {"sha": commit.sha, "parent": commit.parent, "pr": number, "date": day, "src": src}


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", required=True, type=Path)
    parser.add_argument("--rev", default="HEAD")
    parser.add_argument("--until", type=end_of_day, default=float("inf"), metavar="DATE", help="the last day")
    parser.add_argument("--last", type=int, help="only the last so many")
    parser.add_argument("--profile", default=PROFILE)
    args = parser.parse_args()
    layout = layout_of(load_profile(args.profile, settings_from({})))
    for row in rows_of(args.repo, args.rev, layout, args.until)[-args.last if args.last else 0 :]:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
