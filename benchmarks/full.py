"""The full campaigns, one after the other: what ``make bench`` runs. Hours, where the promises take minutes.

    MO_REPO=… MO_CASES=… MO_TESTPLAN_SHARED=… python benchmarks/full.py

A campaign whose input is missing is named and left out. Exit 1 when one falls short.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: What each campaign needs in the environment, and its command.
CAMPAIGNS: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    ((), ("benchmarks.plan", "--rounds", "31")),
    (("MO_REPO",), ("benchmarks.rules", "--limit", "1000", "--step", "3")),
    (("MO_REPO",), ("benchmarks.functions", "--limit", "1000", "--step", "5")),
    (("MO_REPO",), ("benchmarks.real_pr",)),
    ((), ("benchmarks.chaos", "--runs", "200", "--tasks", "50")),
    (("MO_REPO",), ("benchmarks.generation_campaign",)),
    ((), ("benchmarks.mutants",)),
]


def main() -> int:
    """Run every campaign whose inputs are here."""
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
