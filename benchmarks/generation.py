"""Cases generated for merged pull requests, without having read those that their authors wrote.

    python benchmarks/generation.py --repo CLONE --meta META.jsonl --out OUT --budget 60 [--jobs 2] [--format json]

Reads rows of ``sha, parent, pr, date, subject``; anything else in a row is ignored. Of a commit it sees the tree and
the history of its parent, and of the commit itself everything outside ``test/`` and its title. Writes ``OUT/<sha>/…``:
no more than ``--budget`` statements a commit, set-up and clean-up included. OUT may exist and be empty. No server
decides: ``--dsn`` or ``--server`` measures the finished files on a copy and leaves them as they are: the share of
statements that are answered without an error as they are written, and of files and statements that stay after the gates
(an error of the product itself may be what a case tests; on another server it never is).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

if __package__ in {None, ""}:  # started as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.meta import rows_of_file
from orchestrator.cases.dedup_search import Search
from orchestrator.cases.sql.lexer import split_statements
from orchestrator.cases.sql.syntax import read_tree
from orchestrator.cli.generate_server import server_of
from orchestrator.generate.draft import files_of
from orchestrator.generate.executor import Executor
from orchestrator.generate.gates import static_gates
from orchestrator.generate.generator import generate
from orchestrator.generate.inputs import RepositoryInputs
from orchestrator.generate.judged import on_server
from orchestrator.generate.publish import write_files
from orchestrator.generate.terms import Terms
from orchestrator.generate.treecopy import TreeCopy
from orchestrator.generate.trial import Trial
from orchestrator.surface.readers import reader_named

CASES = "test/distributed/cases"
#: What ``version()`` of the product contains.
PRODUCT = "matrixone"
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
    found = rows_of_file(meta, _row, "sha, parent, pr, date and subject")
    return sorted(found, key=lambda row: (row.date, row.sha))


def _row(told: Mapping[str, Any]) -> Row:
    return Row(told["sha"], told["parent"], int(told["pr"] or 0), told["date"], told["subject"])


class Task(NamedTuple):
    """Rows for one process."""

    repo: str
    out: Path
    budget: int
    seed: int
    dsn: str | None
    server: str
    kept: Path | None
    rows: Sequence[Row]


def work(task: Task) -> list[dict[str, Any]]:
    """Generate for some rows, one after the other; what came of each."""
    reader = RepositoryInputs(Path(task.repo), CASES, reader_named("matrixone"))
    with TreeCopy() as copy, server_of(task.dsn, task.server) as server:
        return [_one(reader, copy, server, task, row) for row in task.rows]


def _one(reader: RepositoryInputs, copy: TreeCopy, executor: Executor | None, task: Task, row: Row) -> dict[str, Any]:
    started = time.perf_counter()
    inputs = reader.read(row.parent, row.sha, row.subject, HIDDEN)
    made = generate(inputs, str(row.pr or row.sha[:10]), task.budget, seed=task.seed)
    corpus = copy.at(inputs.library)
    kept, dropped = static_gates(made.drafts, Search(corpus))
    write_files(task.out / row.sha, files_of(kept, {}))
    written = [one.sql for draft in kept for one in draft.statements]
    seconds = time.perf_counter() - started
    terms = Terms(PRODUCT, task.budget, inputs.library.refusals)
    trial = on_server(kept, executor, terms, Search(corpus), lambda line: None) if executor else Trial()
    if task.kept is not None:
        write_files(task.kept / row.sha, files_of(trial.kept, trial.expectations))
    return {
        "sha": row.sha,
        "files": len(kept),
        "statements": len(written),
        "parsed": sum(read_tree(tuple(tokens)) is not None for sql in written for tokens in split_statements(sql)),
        "dropped": [one.gate for one in dropped],
        "seconds": round(seconds, 2),
        "ran": trial.ran,
        "accepted": trial.accepted,
        "stayed": [len(one.statements) for one in trial.kept],
        "refused": [(one.gate, one.path, one.reason) for one in trial.dropped],
        "findings": [(one.path, one.sql, one.what) for one in trial.findings],
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
    parser.add_argument("--dsn", help="also run the finished files on this server; they stay as they are")
    parser.add_argument("--server", choices=("mariadb", "embedded", "none"), default="none", help="the same on our own")
    parser.add_argument("--kept", type=Path, help="a folder for what stays there, with expectations of the product")
    parser.add_argument("--limit", type=int, help="of the rows, so many at even distances")
    parser.add_argument("--format", choices=("json", "text"), default="text")
    args = parser.parse_args()
    asked = read_rows(args.meta)
    if args.limit and args.limit < len(asked):
        asked = [asked[at * len(asked) // args.limit] for at in range(args.limit)]
    args.out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    jobs = 1 if args.dsn else max(1, args.jobs)  # two that look at what one server holds would see each other's
    tasks = [
        Task(args.repo, args.out, args.budget, args.seed, args.dsn, args.server, args.kept, share)
        for share in shares(asked, jobs)
    ]
    with ProcessPoolExecutor(max_workers=jobs) as pool:
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
        "statements": (statements := sum(one["statements"] for one in done)),
        "parsed": round(sum(one["parsed"] for one in done) / max(1, statements), 4),
        "ran": (ran := sum(one["ran"] for one in done)),
        "accepted": round(sum(one["accepted"] for one in done) / max(1, ran), 4),
        "stayed": {
            "files": round(sum(len(one["stayed"]) for one in done) / max(1, files), 4),
            "statements": round(sum(sum(one["stayed"]) for one in done) / max(1, statements), 4),
        },
        "refused": dict(sorted(Counter(gate for one in done for gate, _, _ in one["refused"]).items())),
        "reasons": [reason for one in done for reason in one["refused"]],
        "findings": [finding for one in done for finding in one["findings"]],
        "seconds": round(seconds, 1),
        "dropped": {gate: round(count / (files + sum(dropped.values())), 4) for gate, count in sorted(dropped.items())},
    }


def words(report: dict[str, Any]) -> str:
    """The same for people."""
    gates = ", ".join(f"{gate} {share:.1%}" for gate, share in report["dropped"].items()) or "none"
    told = (
        f"{report['commits']} commits, {report['files']} files, {report['statements']} statements in "
        f"{report['seconds']} s; {report['parsed']:.1%} have a tree; dropped by a gate: {gates}"
    )
    if not report["ran"]:
        return told
    stayed = "{files:.1%} of the files and {statements:.1%} of the statements stay".format_map(report["stayed"])
    return (
        f"{told}; a server accepts {report['accepted']:.1%}, {stayed}, findings {len(report['findings'])}, "
        f"dropped by its gates: {report['refused']}"
    )


if __name__ == "__main__":
    sys.exit(main())
