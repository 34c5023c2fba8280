"""The selection benchmark predicts from what was known: not from what came later, nor from the tests of the commit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import selection
from tests.require import require
from tests.unit.history.product import DAY, START, make_history

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
    git(repository, "branch", "-f", "cut", sha)
    git(tmp_path, "clone", "-q", "--bare", "--single-branch", "-b", "cut", f"file://{repository}", "cut.git")
    made = predictions(tmp_path / "cut.git", [row(repository, sha, NUMBERS[1])], tmp_path / "run")
    assert made == {sha: whole[sha]}


def test_what_the_commit_itself_does_to_tests_changes_nothing(
    repository: Path, whole: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    number = NUMBERS[0]
    sha = git(repository, "rev-parse", f"main~{159 - number}")
    listed = git(repository, "diff-tree", "-r", f"{sha}^", sha).splitlines()
    production = [line for line in listed if not line.split("\t")[1].startswith("test/")]
    assert len(production) < len(listed)
    index = {"GIT_INDEX_FILE": str(tmp_path / "index"), "PATH": "/usr/bin:/bin"}
    subprocess.run(["git", "read-tree", f"{sha}^"], cwd=repository, env=index, check=True)
    for line in production:
        mode, blob, path = line.split()[1], line.split()[3], line.split("\t")[1]
        words = ["git", "update-index", "--cacheinfo", f"{mode},{blob},{path}"]
        subprocess.run(words, cwd=repository, env=index, check=True)
    tree = subprocess.run(["git", "write-tree"], cwd=repository, env=index, capture_output=True, text=True, check=True)
    date = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _identity(number)}
    bare = subprocess.run(
        ["git", "commit-tree", "-p", f"{sha}^", "-m", "x", tree.stdout.strip()],
        cwd=repository, env=index | date, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    made = predictions(repository, [row(repository, bare, number)], tmp_path / "run")
    assert made[bare] == whole[sha] | {"sha": bare}


def test_an_ablation_prints_what_each_strategy_is_worth(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    every = selection.variants_of(ablation=True)
    assert len(every) == 1 + 2 * len(selection.STRATEGIES)
    monkeypatch.setattr(selection, "variants_of", lambda _: {name: every[name] for name in ("all", "only rules")})
    rows = [row(repository, git(repository, "rev-parse", f"main~{159 - number}"), number) for number in NUMBERS]
    predictions(repository, rows, tmp_path / "run", "--ablation")
    *lines, last = capsys.readouterr().out.splitlines()
    table = {name.strip(): files.strip() for _, name, files, *_ in (line.split("|") for line in lines[2:])}
    # There are no rules in this profile: the cheapest cases are left, and of two rows they are the right ones.
    assert table == {"all": "1.000 / 1.000", "only rules": ".667 / .667"}
    assert json.loads(last)["by_clone"].keys() == table.keys()


def _identity(number: int) -> list[tuple[str, str]]:
    return [("NAME", "T"), ("EMAIL", "t@example.com"), ("DATE", f"{START + number * DAY} +0000")]
