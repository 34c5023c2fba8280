"""The planner's pure rules against an independent reading of their table, on merged pull requests.

    MO_REPO=/path/to/matrixone.git python benchmarks/rules.py [--limit 300] [--step 7] [--format json]

The peer below reads the profile's rules with a dozen lines of its own and ``git diff --name-status``: categories,
packages, priorities and static analysis of every pull request must be the same. The plans are made again in another
process with another hash seed and must be the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from orchestrator.diff.source import from_text  # noqa: E402 - after the path is set
from orchestrator.planner.codec import dumps  # noqa: E402
from orchestrator.planner.pipeline import build_plan  # noqa: E402
from orchestrator.settings import load_profile, settings_from  # noqa: E402

PROFILE = ROOT / "config" / "matrixone.yaml"
CASES = "test/distributed/cases/"
LEVELS = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def git(repo: str, *words: str) -> bytes:
    """One git command, whatever the user's settings."""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-c", "safe.directory=*", f"--git-dir={repo}", *words]
    return subprocess.run(command, env=env, capture_output=True, check=True).stdout


def changed_paths(repo: str, commit: str) -> list[str]:
    """Every path of a change, renamed files by their new one."""
    words = git(repo, "diff", "--name-status", "-z", "-M", f"{commit}^", commit).decode("utf-8", "replace").split("\0")
    paths, position = [], 0
    while position < len(words) - 1:
        renamed = words[position][0] in "RC"
        paths.append(words[position + 1 + renamed])
        position += 2 + renamed
    return paths


def peer(rules: list[dict[str, Any]], analysers: list[str], paths: list[str]) -> set[tuple[str, str, int]]:
    """(type, name, priority) of every task the table calls for."""
    best: dict[tuple[str, str], int] = {}

    def add(kind: str, name: str, level: int) -> None:
        best[kind, name] = min(level, best.get((kind, name), 9))

    for path in paths:
        for rule in rules:
            if path.startswith(rule["prefix"]):
                for package in rule["unit_tests"]:
                    add("unit_test", f"{package}/...", LEVELS[rule["priority"]])
                for category in rule["categories"]:
                    add("bvt", category, LEVELS[rule["priority"]])
        category, slash, _ = path.removeprefix(CASES).partition("/")
        if path.startswith(CASES) and slash:
            add("bvt", category, LEVELS["high"])
        if path.endswith(".go"):
            for name in analysers:
                add("sca", name, LEVELS["critical"])
    return {(kind, name, level) for (kind, name), level in best.items()}


def digests(diffs: list[bytes]) -> str:
    """SHA-256 over all plans."""
    profile = load_profile(str(PROFILE), settings_from({}))
    total = hashlib.sha256()
    for diff in diffs:
        total.update(dumps(build_plan(from_text(diff), profile, strategies=["rules"])))
    return total.hexdigest()


def measure(repo: str, limit: int, step: int) -> dict[str, Any]:
    """Compare ``limit`` pull requests, every ``step``-th of the first-parent line."""
    table = yaml.safe_load(PROFILE.read_text())
    analysers = [row["name"] for row in table["sca"]["analysers"]]
    profile = load_profile(str(PROFILE), settings_from({}))
    log = git(repo, "log", "--first-parent", "--no-merges", "--format=%H", f"-{limit * step}").decode().split()
    commits = log[::step][:limit]
    wrong, crashed, diffs = [], [], []
    for commit in commits:
        paths = changed_paths(repo, commit)
        diff = git(repo, "diff", "-M", f"{commit}^", commit)
        diffs.append(diff)
        try:
            plan = json.loads(dumps(build_plan(from_text(diff), profile, strategies=["rules"])))
        except Exception as error:  # a crash is what is counted
            crashed.append(f"{commit[:10]} {error!r}")
            continue
        made = {(t["type"], t["category"] or t["package"] or t["analyser"], t["priority"]) for t in plan["tasks"]}
        listed = sorted(row["path"] for row in plan["diff_summary"]["files"])
        if made != peer(table["rules"], analysers, paths) or listed != sorted(paths):
            wrong.append(commit[:10])
    again = subprocess.run(
        [sys.executable, __file__, "--digests"],
        input=b"".join(len(diff).to_bytes(8, "big") + diff for diff in diffs),
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        check=True,
    )
    same = again.stdout.decode().strip() == digests(diffs)
    return {
        "prs": len(commits),
        "different": len(wrong),
        "crashed": len(crashed),
        "same_bytes": same,
        "which": [*wrong, *crashed][:10],
    }


def _read_diffs() -> list[bytes]:
    data, diffs, position = sys.stdin.buffer.read(), [], 0
    while position < len(data):
        length = int.from_bytes(data[position : position + 8], "big")
        diffs.append(data[position + 8 : position + 8 + length])
        position += 8 + length
    return diffs


def main() -> int:
    """Print the figures; exit 1 when a plan differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", default=os.environ.get("MO_REPO"), help="git directory of MatrixOne (MO_REPO)")
    parser.add_argument("--limit", type=int, default=300)
    parser.add_argument("--step", type=int, default=7)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--digests", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.digests:
        print(digests(_read_diffs()))
        return 0
    if not args.repo:
        sys.exit("MO_REPO is not set: give it a git directory of MatrixOne")
    figures = measure(args.repo, args.limit, args.step)
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k:<12} {v}" for k, v in figures.items()))
    return 1 if figures["different"] or figures["crashed"] or not figures["same_bytes"] else 0


if __name__ == "__main__":
    sys.exit(main())
