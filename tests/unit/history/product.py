"""A small product with a history: eight features, each with Go code, unit tests and SQL cases that move together."""

from __future__ import annotations

import subprocess
from pathlib import Path

from orchestrator.domain.profile import Bvt, Profile, Rule

FEATURES = ("join", "window", "cursor", "trigger", "partition", "sequence", "vector", "backup")
START = 1_700_000_000
DAY = 86_400

PROFILE = Profile(
    name="product",
    rules=(Rule(prefix="pkg/", unit_tests=("pkg",), categories=("join",)),),
    bvt=Bvt(cases="test/cases", categories=dict.fromkeys(FEATURES, 40)),
    model_days=60,
)


def make_history(folder: Path, commits: int = 120) -> Path:
    """A bare repository whose branch main has ``commits`` commits, a day apart."""
    repository = folder / "product.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(repository)], check=True)
    add_commits(repository, 0, commits)
    return repository


def add_commits(repository: Path, first: int, count: int) -> None:
    """Go on with main by ``count`` commits, the first of them number ``first``."""
    feed = "".join(_commit(number, continues=number == first > 0) for number in range(first, first + count))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=repository, input=feed.encode(), check=True)


def go_source(feature: str, number: int) -> str:
    """The Go file of a feature as commit ``number`` leaves it."""
    name = feature.capitalize()
    return (
        f"package {feature}\n\nfunc Build{name}(level int) string {{\n"
        f'\treturn "cannot build {feature} at level {number}"\n}}\n\n'
        f"func Drop{name}() int {{\n\treturn {number}\n}}\n"
    )


def case_source(feature: str, part: int, number: int) -> str:
    """A SQL case of a feature."""
    lines = [f"create {feature} {feature}_{part};"]
    lines += [f"insert {feature}_{part}_value {row + number};" for row in range(9 + part)]
    return "\n".join(lines) + "\n"


def _commit(number: int, *, continues: bool) -> str:
    """Commit ``number`` changes one feature; two of three touch its tests, too."""
    feature = FEATURES[number % len(FEATURES)]
    files = {f"pkg/{feature}/{feature}.go": go_source(feature, number)}
    if number == 0:
        files = {f"pkg/{one}/{one}.go": go_source(one, 0) for one in FEATURES}
        for one in FEATURES:
            files |= {f"pkg/{one}/{one}_test.go": f"package {one}\n"}
            files |= {f"test/cases/{one}/{one}_{part}.sql": case_source(one, part, 0) for part in range(4)}
    elif number % 3:
        part = number % 2
        files[f"test/cases/{feature}/{feature}_{part}.sql"] = case_source(feature, part, number)
        files[f"pkg/{feature}/{feature}_test.go"] = f"package {feature}\n\n// {number}\n"
    time = START + number * DAY
    head = f"commit refs/heads/main\ncommitter T <t@example.com> {time} +0000\ndata 1\nx\n"
    head += "from refs/heads/main^0\n" if continues else ""
    return head + "".join(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files.items()) + "\n"
