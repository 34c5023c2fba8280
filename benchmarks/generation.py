"""Cases generated for merged pull requests, without having read those that their authors wrote.

    python benchmarks/generation.py --repo CLONE --meta META.jsonl --out OUT --budget 60 [--jobs 2] [--format json]

Reads rows of ``sha, parent, pr, date, subject``; anything else in a row is ignored. Of a commit it sees the tree and
the history of its parent, and of the commit itself everything outside ``test/`` and its title. Writes ``OUT/<sha>/…``:
no more than ``--budget`` statements a commit, set-up and clean-up included. OUT may exist and be empty. No server
decides: ``--dsn`` measures the finished files on a copy and leaves them as they are.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

if __package__ in {None, ""}:  # started as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from orchestrator.cases.dedup_search import Search
from orchestrator.generate.gates import static_gates
from orchestrator.generate.generator import generate
from orchestrator.generate.inputs import RepositoryInputs
from orchestrator.generate.treecopy import TreeCopy
from orchestrator.surface.matrixone.reader import MatrixOneReader

CASES = "test/distributed/cases"
#: What of a commit itself may not be read.
HIDDEN = ("test/",)


class Row(NamedTuple):
    """A pull request to generate for."""

    sha: str
    parent: str
    pr: int
    date: str
    subject: str


def read_rows(meta: Path) -> list[Row]:
    """The rows, oldest first, so that what neighbours share is read once."""
    found = []
    for number, line in enumerate(meta.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                row = json.loads(line)
                found.append(Row(row["sha"], row["parent"], int(row["pr"] or 0), row["date"], row["subject"]))
            except (ValueError, KeyError, TypeError) as error:
                raise SystemExit(f"{meta}:{number}: needs sha, parent, pr, date and subject ({error!r})") from None
    return sorted(found, key=lambda row: (row.date, row.sha))


def work(arguments: tuple[str, str, int, int, Sequence[Row]]) -> list[dict[str, Any]]:
    """Generate for some rows, one after the other; what came of each."""
    repo, out, budget, seed, rows = arguments
    reader = RepositoryInputs(Path(repo), CASES, MatrixOneReader())
    with TreeCopy() as copy:
        return [_one(reader, copy, Path(out), budget, seed, row) for row in rows]


def _one(  # noqa: PLR0913 - the command line's options
    reader: RepositoryInputs, copy: TreeCopy, out: Path, budget: int, seed: int, row: Row
) -> dict[str, Any]:
    started = time.perf_counter()
    inputs = reader.read(row.parent, row.sha, row.subject, HIDDEN)
    made = generate(inputs, str(row.pr or row.sha[:10]), budget, seed=seed)
    kept, dropped = static_gates(made.drafts, Search(copy.at(inputs.library)))
    statements = 0
    for draft in kept:
        path = out / row.sha / draft.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(draft.text, encoding="utf-8")
        statements += len(draft.statements)
    return {
        "sha": row.sha,
        "files": len(kept),
        "statements": statements,
        "dropped": [one.gate for one in dropped],
        "seconds": round(time.perf_counter() - started, 2),
    }


def shares(rows: Sequence[Row], jobs: int) -> Iterator[Sequence[Row]]:
    """The rows in runs of neighbours, one a process."""
    size = -(-len(rows) // jobs)
    return (rows[at : at + size] for at in range(0, len(rows), size))


def main() -> int:
    """Generate for every row and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", required=True)
    parser.add_argument("--meta", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--budget", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=int, help="of the rows, so many at even distances")
    parser.add_argument("--format", choices=("json", "text"), default="text")
    args = parser.parse_args()
    rows = read_rows(args.meta)
    if args.limit and args.limit < len(rows):
        rows = [rows[at * len(rows) // args.limit] for at in range(args.limit)]
    args.out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    tasks = [(args.repo, str(args.out), args.budget, args.seed, share) for share in shares(rows, args.jobs)]
    with ProcessPoolExecutor(max_workers=args.jobs) as pool:
        done = [one for share in pool.map(work, tasks) for one in share]
    report = summary(done, time.perf_counter() - started)
    print(json.dumps(report, indent=1) if args.format == "json" else words(report))
    return 0


def summary(done: Sequence[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """What came of all rows together."""
    dropped = Counter(gate for one in done for gate in one["dropped"])
    files = sum(one["files"] for one in done)
    return {
        "commits": len(done),
        "files": files,
        "statements": sum(one["statements"] for one in done),
        "seconds": round(seconds, 1),
        "dropped": {gate: round(count / (files + sum(dropped.values())), 4) for gate, count in sorted(dropped.items())},
    }


def words(report: dict[str, Any]) -> str:
    """The same for people."""
    gates = ", ".join(f"{gate} {share:.1%}" for gate, share in report["dropped"].items()) or "none"
    return (
        f"{report['commits']} commits, {report['files']} files, {report['statements']} statements in "
        f"{report['seconds']} s; dropped by a gate: {gates}"
    )


if __name__ == "__main__":
    sys.exit(main())
