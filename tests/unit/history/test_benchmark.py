"""The selection benchmark predicts from what was known: not from what came later, nor from the tests of the commit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import selection
from benchmarks.selection_clones import cut_clone, without_tests
from benchmarks.selection_rows import rows_of
from orchestrator.diff.git import find_git
from orchestrator.history.commits import read_commits
from orchestrator.history.layout import layout_of
from tests.require import require
from tests.unit.history.product import DAY, PROFILE, START, make_history

PROFILE_TEXT = '{"name": "product", "bvt": {"cases": "test/cases"}}'
#: In the second quarter of 2024, when there are enough labelled commits before it began.
NUMBERS = (152, 154, 157)


def git(repository: Path, *words: str, send: str = "") -> str:
    done = subprocess.run(["git", *words], cwd=repository, input=send, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def row(repository: Path, sha: str, number: int) -> dict[str, Any]:
    names = git(repository, "diff-tree", "-r", "--name-only", f"{sha}^", sha).split()
    src = [{"p": name} for name in names if name.startswith("pkg/") and not name.endswith("_test.go")]
    date = _iso(START + number * DAY)
    return {"sha": sha, "parent": git(repository, "rev-parse", f"{sha}^"), "pr": 1, "date": date, "src": src}


def _iso(time: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time, UTC).isoformat()


def predictions(repository: Path, rows: list[dict[str, Any]], folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    """What the program writes for some rows."""
    folder.mkdir()
    (folder / "product.json.yaml").write_text(PROFILE_TEXT)
    (folder / "meta.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    words = ["--repo", str(repository), "--meta", str(folder / "meta.jsonl"), "--out", str(folder / "out.jsonl")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["selection.py", *words, "--profile", str(folder / "product.json.yaml"), *options])
        selection.main()
    return {made["sha"]: made for made in map(json.loads, (folder / "out.jsonl").read_text().splitlines())}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require("lightgbm")
    return make_history(tmp_path_factory.mktemp("benchmark"), 160)


@pytest.fixture(scope="module")
def whole(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Predictions of all rows in the whole clone."""
    rows = [row(repository, git(repository, "rev-parse", f"main~{159 - number}"), number) for number in NUMBERS]
    return predictions(repository, rows[::-1], tmp_path_factory.mktemp("whole") / "run")


def test_the_tests_of_the_changed_feature_come_first(repository: Path, whole: dict[str, dict[str, Any]]) -> None:
    made = whole[git(repository, "rev-parse", f"main~{159 - NUMBERS[0]}")]  # of feature join
    assert made["categories"][0] == "join"
    assert set(made["cases"][:2]) == {"join/join_0", "join/join_1"}
    assert made["ut_packages"][: made["ut_chosen"]][0] == "pkg/join"
    assert set(made) == {"sha", "categories", "cases", "select", "ut_packages", "ut_chosen"}


def test_a_clone_that_ends_with_the_commit_gives_the_same(
    repository: Path, whole: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    sha = git(repository, "rev-parse", f"main~{159 - NUMBERS[1]}")
    found = cut_clone(repository, sha, tmp_path / "cut.git")
    assert len(read_commits(found, sha)) == NUMBERS[1] + 1
    assert found.run("cat-file", "-e", git(repository, "rev-parse", "main")).returncode
    made = predictions(tmp_path / "cut.git", [row(repository, sha, NUMBERS[1])], tmp_path / "run")
    assert made == {sha: whole[sha]}


def test_what_the_commit_itself_does_to_tests_changes_nothing(
    repository: Path, whole: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    number = NUMBERS[0]
    sha = git(repository, "rev-parse", f"main~{159 - number}")
    assert "test/" in git(repository, "diff-tree", "-r", "--name-only", f"{sha}^", sha)
    bare = without_tests(find_git(repository), sha, "test/")
    assert "test/" not in git(repository, "diff-tree", "-r", "--name-only", f"{sha}^", bare)
    made = predictions(repository, [row(repository, bare, number)], tmp_path / "run")
    assert made[bare] == whole[sha] | {"sha": bare}


def test_an_ablation_prints_what_each_strategy_is_worth(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    every = selection.variants_of(ablation=True)
    assert len(every) == 2 + 2 * len(selection.STRATEGIES)
    monkeypatch.setattr(selection, "variants_of", lambda _: {name: every[name] for name in ("all", "only rules")})
    rows = [row(repository, git(repository, "rev-parse", f"main~{159 - number}"), number) for number in NUMBERS]
    predictions(repository, rows, tmp_path / "run", "--ablation")
    *lines, last = capsys.readouterr().out.splitlines()
    table = {name.strip(): files.strip() for _, name, files, *_ in (line.split("|") for line in lines[2:])}
    # There are no rules in this profile: the cheapest cases are left, and of two rows they are the right ones.
    assert table == {"all": "1.000 / 1.000", "only rules": ".667 / .667"}
    assert json.loads(last)["by_clone"].keys() == table.keys()


def test_rows_of_a_clone_are_its_commits_that_change_production_code(repository: Path) -> None:
    rows = rows_of(repository, "main", layout_of(PROFILE), START + 150 * DAY)
    assert len(rows) == 150  # the first commit has no parent
    assert rows[-1]["src"] == [{"p": "pkg/vector/vector.go", "s": "M"}]
    assert rows[-1]["parent"] == rows[-2]["sha"]


def test_a_clone_that_lacks_its_larger_files_still_predicts(repository: Path, tmp_path: Path) -> None:
    sha = git(repository, "rev-parse", f"main~{159 - NUMBERS[1]}")
    found = cut_clone(repository, sha, tmp_path / "lacking.git", "300")
    lacking = found.run("rev-list", "--objects", "--missing=print", sha).stdout.count(b"\n?")
    assert lacking > 10
    made = predictions(tmp_path / "lacking.git", [row(repository, sha, NUMBERS[1])], tmp_path / "run")
    assert "cursor" in made[sha]["categories"][:3]
