"""Whether written cases hold: judged from the files alone, by what runs any case, on a server of one's own choice.

    python benchmarks/generation_verified.py FOLDER (--dsn URL | --server mariadb) [--repo CLONE --meta META]

FOLDER is what ``generation.py --kept FOLDER`` wrote, or any folder of folders of cases. Every script must be read
without a problem and pass twice in a row: against its expectation, or where it has none against one recorded for this.
After each folder the server must hold what it held before: rows of its catalog are counted. With a clone and the rows
that the cases were made for, the index of what is tested already says what they repeat of the tree or of one another.
Exit 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

if __package__ in {None, ""}:  # started as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.generation import CASES, read_rows
from orchestrator.cases.dedup_search import Search
from orchestrator.cases.discover import find_result, find_scripts, read_text, result_paths
from orchestrator.cases.script import parse_script
from orchestrator.generate.inputs import RepositoryInputs
from orchestrator.generate.treecopy import TreeCopy
from orchestrator.surface.readers import reader_named
from workers.bvt.compare import VerdictKind
from workers.bvt.dsn import Dsn, parse_dsn
from workers.bvt.execute import Options
from workers.bvt.results import CommandResult, ScriptResult
from workers.bvt.runner import Case, Runner
from workers.bvt.session import open_wire
from workers.bvt.wire import ServerFaultError, Wire
from workers.servers import Startup, make_server

#: Catalog tables that change by themselves: sessions, locks, statistics, logs of what goes on, limits that the server
#: writes when a feature is first used, lineage of branches that it reclaims later.
_MOVING = (
    "mo_sessions", "mo_locks", "mo_transactions", "mo_cache", "mo_configurations", "mo_variables",
    "mo_table_stats_alpha", "mo_index_update", "mo_iscp_log", "mo_ccpr_log",
    "mo_branch_metadata", "mo_feature_limit",
)  # fmt: skip
#: Elsewhere the standard's catalog says what there is.
_STANDARD = ("schemata", "tables", "columns", "routines", "triggers", "events", "user_privileges", "statistics")


@dataclass
class Verdicts:
    """What was found, by folder; everything but ``scripts``, ``commands`` and ``expected`` should be empty."""

    scripts: int = 0
    commands: int = 0
    #: Scripts that came with an expectation.
    expected: int = 0
    unread: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)

    def command(self, result: CommandResult) -> None:
        """Listens to the runner."""
        if result.verdict is not VerdictKind.PASS:
            self.failed.append(
                f"{result.path}:{result.line} {result.sql[:120]}: {result.verdict} {result.reason[:200]}"
            )

    def script(self, result: ScriptResult) -> None:
        """Listens to the runner."""

    def close(self, scripts: object) -> None:
        """Listens to the runner."""

    @property
    def wrong(self) -> int:
        """How many things are wrong."""
        return len(self.unread) + len(self.failed) + len(self.left) + len(self.repeated)


def held(wire: Wire) -> dict[str, int]:
    """Rows of each table of the server's catalog."""
    try:
        tables = [
            f"mo_catalog.`{name}`" for name in _column(wire, "show tables from mo_catalog") if name not in _MOVING
        ]
    except ServerFaultError:
        tables = [f"information_schema.{name}" for name in _STANDARD]
    return {table: int(_column(wire, f"select count(*) from {table}")[0]) for table in tables}  # noqa: S608 - our names


def _column(wire: Wire, sql: str) -> list[str]:
    return [(row[0] or b"").decode() for row in wire.query(sql, timeout=60).rows or ()]


def verify(folder: Path, dsn: Dsn, verdicts: Verdicts) -> None:
    """Run what one folder holds, and look at what the server holds before and after."""
    wire = open_wire(dsn)
    try:
        before = held(wire)
        with (
            tempfile.TemporaryDirectory(prefix="verified-") as own,
            Runner(dsn, Options(statement_timeout=60), verdicts, threading.Event()) as runner,
        ):
            for script in find_scripts(folder):
                _run(Case(script, script.relative_to(folder).as_posix(), folder), runner, Path(own), verdicts)
        after = held(wire)
    finally:
        wire.close()
    verdicts.left += [
        f"{folder.name}: {name} had {before.get(name, 0)} rows and has {after.get(name, 0)}"
        for name in before.keys() | after.keys()
        if before.get(name, 0) != after.get(name, 0)
    ]


def _run(case: Case, runner: Runner, own: Path, verdicts: Verdicts) -> None:
    text = read_text(case.file)
    script = parse_script(text, case.path)
    verdicts.scripts += 1
    verdicts.commands += len(script.commands)
    verdicts.unread += [f"{case.path}: {problem}" for problem in script.problems]
    if find_result(case.path, case.base) is None:
        copy = own / case.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8")
        case = Case(copy, case.path, own)
        runner.record(case, own / result_paths(case.path)[0])
    else:
        verdicts.expected += 1
    for _ in range(2):
        runner.run(case)


def repeats(folder: Path, search: Search) -> Iterator[str]:
    """What the scripts of one folder repeat, of the tree or of one another."""
    for script in find_scripts(folder):
        path = script.relative_to(folder).as_posix()
        for found in search.look_up(search.read(read_text(script), path), advise=False):
            if found.kind != "statement" and found.duplicate:
                yield f"{folder.name}/{path}:{found.line}-{found.last_line} repeats {found.existing}"


def look_up(folders: Mapping[str, Path], repo: Path, meta: Path, verdicts: Verdicts) -> None:
    """Ask the index of each parent's tree about the cases made for its change."""
    reader = RepositoryInputs(repo, CASES, reader_named("matrixone"))
    with TreeCopy() as copy:
        for row in read_rows(meta):
            if row.sha in folders:
                verdicts.repeated += repeats(folders[row.sha], Search(copy.at(reader.library(row.parent))))


def main() -> int:
    """Judge every folder and print what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dsn")
    parser.add_argument("--server", choices=("mariadb", "embedded"), default="mariadb")
    parser.add_argument("--repo", type=Path)
    parser.add_argument("--meta", type=Path)
    parser.add_argument("--format", choices=("json", "text"), default="text")
    args = parser.parse_args()
    if not args.folder.is_dir():
        parser.error(f"{args.folder} is no folder")
    folders = {one.name: one for one in sorted(args.folder.iterdir()) if one.is_dir()}
    verdicts, started = Verdicts(), time.perf_counter()
    with ExitStack() as stack:
        dsn = args.dsn
        if not dsn:
            server = make_server(args.server, startup=Startup(60.0, threading.Event().is_set))
            stack.callback(server.close)
            dsn = server.start()
        for folder in folders.values():
            verify(folder, parse_dsn(dsn), verdicts)
    if args.repo and args.meta:
        look_up(folders, args.repo, args.meta, verdicts)
    report = {
        "scripts": verdicts.scripts, "expected": verdicts.expected, "commands": verdicts.commands,
        "wrong": verdicts.wrong, "unread": verdicts.unread, "failed": verdicts.failed, "left": verdicts.left,
        "repeated": verdicts.repeated, "seconds": round(time.perf_counter() - started, 1),
    }  # fmt: skip
    print(json.dumps(report, indent=1) if args.format == "json" else words(report))
    return int(verdicts.wrong > 0)


def words(report: Mapping[str, object]) -> str:
    """The same for people."""
    lines = [f"{name}: {value}" for name, value in report.items() if not isinstance(value, list)]
    for name, value in report.items():
        if isinstance(value, list):
            lines += [f"{name}: {len(value)}", *(f"  {one}" for one in value)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
