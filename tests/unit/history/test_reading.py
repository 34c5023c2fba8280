from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.diff import git as bounded
from orchestrator.diff.git import Objects, find_git, isolated, resolve
from orchestrator.diff.source import from_repository
from orchestrator.history.commits import read_commits
from orchestrator.history.facts import facts_of
from orchestrator.history.layout import layout_of, package_of_test
from orchestrator.history.past import LATEST
from orchestrator.history.reading import read_facts
from orchestrator.history.timeline import LAG, Timeline
from tests.unit.diff.repo import Repo
from tests.unit.history.product import DAY, PROFILE, START

LAYOUT = layout_of(PROFILE)


def read(repository: Path, revision: str = "main") -> tuple[Timeline, list[tuple[str, int, tuple[str, ...]]]]:
    """A timeline fed with a whole history, and of each commit: id, time, functions."""
    timeline, seen = Timeline(LAYOUT), []
    found = find_git(repository)
    head = resolve(found, revision, revision).head
    with isolated(found, head) as git, Objects(git) as objects:
        for commit, facts in read_facts(git, LAYOUT, read_commits(git, head)):
            timeline.feed(commit, facts, objects.read)
            seen.append((commit.sha, commit.time, facts.functions))
    return timeline, seen


def test_a_history_is_read_oldest_first_with_the_functions_of_each_commit(product: Path) -> None:
    timeline, seen = read(product)
    assert [time for _, time, _ in seen] == [START + number * DAY for number in range(120)]
    assert seen[1][2] == ("pkg/window:BuildWindow", "pkg/window:DropWindow")
    assert timeline.head == seen[-1][0]


def test_the_tree_that_was_walked_to_is_the_tree_that_is(product: Path) -> None:
    timeline, _ = read(product)
    found = find_git(product)
    names = found.run("ls-tree", "-r", "--name-only", "main", "test/cases/").stdout.decode().split()
    stems = {name.removeprefix("test/cases/").removesuffix(".sql") for name in names}
    assert set(timeline.book.stems.values()) == stems
    numbers = {stem: number for number, stem in timeline.book.stems.items()}
    assert timeline.book.statements[numbers["join/join_1"]] == 11


def test_nothing_younger_than_three_days_is_known(product: Path) -> None:
    timeline, seen = read(product)
    now = seen[-1][1] + DAY
    timeline.settle(now - LAG)
    assert max(one.time for one in timeline.past.observed) <= now - LAG
    before = timeline.past.changes
    timeline.settle(now)
    assert timeline.past.changes == before + 2


def test_a_change_read_for_a_plan_has_the_facts_that_its_commit_has_in_history(product: Path) -> None:
    found = find_git(product)
    head = resolve(found, "main", "main").head
    with isolated(found, head) as git:
        facts = {commit.sha: facts for commit, facts in read_facts(git, LAYOUT, read_commits(git, head))}
    planned = facts_of(from_repository(product, "main~1", "main"), LAYOUT.is_production)
    assert planned == facts[head]
    assert planned.files == ("pkg/backup/backup.go",)


def test_names_that_no_plan_may_hold_are_no_cases_and_no_packages() -> None:
    assert LAYOUT.case_of("test/cases/join/a.sql") == ("join/a", "sql")
    for odd in ("test/cases/join/-a.sql", "test/cases/join/a\udc80.sql", "test/cases/join/a\n.sql", "test/cases/a.sql"):
        assert LAYOUT.case_of(odd) is None
    assert LAYOUT.is_production("pkg/a/b.go")
    assert not any(map(LAYOUT.is_production, ("pkg/-a/b.go", "pkg/a\x1b/b.go", "pkg/a/b_test.go", "test/x.go")))
    assert package_of_test("pkg/-a/b_test.go") is None


def committed(number: int, time: int, files: dict[str, bytes]) -> bytes:
    """A commit in the stream of ``git fast-import``, which reads names in quotes as C does."""
    made = f"commit refs/heads/main\nmark :{number}\ncommitter T <t@example.com> {time} +0000\ndata 1\nx\n"
    made += f"from :{number - 1}\n" if number > 1 else ""
    blobs = (f"M 100644 inline {path}\ndata {len(text)}\n".encode() + text + b"\n" for path, text in files.items())
    return made.encode() + b"".join(blobs)


def test_odd_names_contents_and_times_hide_no_commit(tmp_path: Path) -> None:
    """A binary file whose line in the diff is as long as a commit's id, a name with a control character, a far time."""
    repository = tmp_path / "odd.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(repository)], check=True)
    source = "package a\n\nfunc First() int {{\n\treturn {}\n}}\n"
    one, two, three = ({"pkg/a/a.go": source.format(number).encode()} for number in range(3))
    feed = [
        committed(1, 1000, {"x.go": b"\0"} | one),
        committed(2, 2000, {f'"pkg/\\002{7:040d} 1 x"': b"x"} | two),
        committed(3, 10**12, three),
    ]
    subprocess.run(["git", "fast-import", "--quiet"], cwd=repository, input=b"".join(feed), check=True)
    _, seen = read(repository)
    assert [time for _, time, _ in seen] == [1000, 2000, LATEST]
    assert [functions for _, _, functions in seen] == [("pkg/a:First",)] * 3


def test_a_history_of_which_git_says_more_than_it_may_at_once_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = Repo(tmp_path / "long")
    stream = "".join(
        f"commit refs/heads/main\ncommitter c <c@d> {1700000000 + number} +0000\ndata 0\n"
        f"M 100644 inline f\ndata {len(str(number))}\n{number}\n"
        for number in range(2300)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=repo.folder, input=stream.encode(), check=True)
    head = repo.git("rev-parse", "main").decode().strip()
    monkeypatch.setattr(bounded, "_MOST_OUTPUT", 300_000)  # of half a million
    with isolated(find_git(repo.folder), head) as git:
        commits = read_commits(git, head)
        newer = read_commits(git, head, commits[99].sha)
    assert [commit.time - 1700000000 for commit in commits] == list(range(2300))
    assert [commit.sha for commit in newer] == [commit.sha for commit in commits[100:]]
