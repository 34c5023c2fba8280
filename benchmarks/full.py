"""The full campaigns, one after the other: what ``make bench`` runs. Hours, where the promises take minutes.

    MO_REPO=… MO_CASES=… MO_TESTPLAN_SHARED=… python benchmarks/full.py

A campaign whose input is missing is named and left out. Exit 1 when one falls short.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_REPO = ("--repo", os.environ.get("MO_REPO", ""))
_META = str(Path(os.environ.get("MO_TESTPLAN_SHARED", ""), "selection", "dev_meta.jsonl"))
_PREDICTIONS = str(Path(tempfile.gettempdir(), "selection.jsonl"))
_CASES = ("--cases", os.environ.get("MO_CASES", ""))
_VERDICTS = str(Path(os.environ.get("MO_TESTPLAN_SHARED", ""), "motester", "mariadb_verdicts_open.jsonl.gz"))
_SERVER = os.environ.get("MO_SERVER", "")
_TEN_CATEGORIES = tuple(
    word
    for name in ("array", "cte", "dtype", "expression", "join", "operator", "prepare", "subquery", "view", "window")
    for word in ("--category", name)
)

_SELECTION = (*_REPO, "--meta", _META, "--out", _PREDICTIONS)

#: What each campaign needs in the environment, and its command.
CAMPAIGNS: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    ((), ("benchmarks.plan", "--rounds", "31")),
    (("MO_REPO",), ("benchmarks.rules", "--limit", "1000", "--step", "3")),
    (("MO_REPO",), ("benchmarks.functions", "--limit", "1000", "--step", "5")),
    (("MO_REPO",), ("benchmarks.real_pr",)),
    (("MO_REPO",), ("benchmarks.learned", *_REPO)),
    (("MO_REPO", "MO_TESTPLAN_SHARED"), ("benchmarks.selection_campaign",)),
    (("MO_REPO", "MO_TESTPLAN_SHARED"), ("benchmarks.selection", *_SELECTION, "--ablation")),
    (("MO_REPO",), ("benchmarks.selection_honest", *_REPO, "--until", "2026-05-31")),
    ((), ("benchmarks.wecom",)),
    (("MO_CASES",), ("benchmarks.balance", "--seeds", "50")),
    ((), ("benchmarks.fairness", "--hosts", "4")),
    ((), ("benchmarks.fairness", "--hosts", "16", "--stream", "1.2")),
    ((), ("benchmarks.fairness_real",)),
    ((), ("benchmarks.scaling", "--tasks", "96")),
    ((), ("benchmarks.fleet_day",)),
    ((), ("benchmarks.chaos", "--runs", "200", "--tasks", "50")),
    ((), ("benchmarks.cancel", "--trials", "20")),
    ((), ("benchmarks.outages", "--down", "60")),
    ((), ("benchmarks.partition",)),
    ((), ("benchmarks.overhead",)),
    (("MO_CASES", "MO_TESTPLAN_SHARED"), ("benchmarks.motester", *_CASES, "--verdicts", _VERDICTS)),
    (("MO_CASES",), ("benchmarks.motester", *_CASES, "--genrs")),
    (("MO_CASES", "MO_TESTER"), ("benchmarks.motester", *_CASES, "--beside")),
    (("MO_CASES", "MO_TESTER", "MO_TESTPLAN_SHARED"), ("benchmarks.motester_speed", *_CASES)),
    (("MO_CASES", "MO_TESTER", "MO_SERVER"), ("benchmarks.motester", *_CASES, *_TEN_CATEGORIES, "--dsn", _SERVER)),
    ((), ("benchmarks.itself", "--everything")),
    ((), ("benchmarks.noticed",)),
    (("MO_CASES",), ("benchmarks.dedup", "--rounds", "5")),
    (("MO_REPO",), ("benchmarks.generation_campaign",)),
    ((), ("benchmarks.mutants",)),
]


def main() -> int:
    """Run every campaign whose inputs are here."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    worst = 0
    for needs, words in CAMPAIGNS:
        missing = [name for name in needs if not os.environ.get(name)]
        print(f"\n== {' '.join(words)}", flush=True)
        if missing:
            print(f"left out: {', '.join(missing)} is not set")
            continue
        worst |= subprocess.run([sys.executable, "-m", *words], cwd=ROOT, check=False).returncode != 0
    return worst


if __name__ == "__main__":
    sys.exit(main())
