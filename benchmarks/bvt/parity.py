"""Verdicts of both testers, script by script: recorded ones from a file, or those of the real program beside ours."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from benchmarks.bvt.alone import SCRIPT_TIMEOUT, Seen, alone, run_alone, run_category
from benchmarks.bvt.peer import MoTester
from workers.bvt.dsn import Dsn
from workers.bvt.session import open_wire
from workers.bvt.wire import ServerFaultError

#: Seconds for scripts mo-tester hung in.
HOPELESS = 5.0
#: Seconds mo-tester gets for one script.
PEER_PATIENCE = 40.0
#: A script's verdicts: path, nometa, total, rows (lines that did not pass); or crash, timeout.
Row = dict[str, Any]


@dataclass
class Tally:
    """Commands compared and how many differ, of one way to run."""

    scripts: int = 0
    commands: int = 0
    differing: int = 0
    unanswered: int = 0

    @property
    def same(self) -> float:
        """Percent of the commands with the same verdict."""
        return 100 * (1 - self.differing / self.commands) if self.commands else 0.0

    def __str__(self) -> str:
        return (
            f"{self.scripts} scripts, {self.commands} commands, {self.differing} differ: {self.same:.3f}% the same; "
            f"{self.unanswered} scripts mo-tester did not finish and we did"
        )


@dataclass
class Parity:
    """Compares and counts, with metadata and without."""

    told: TextIO
    with_metadata: Tally
    without: Tally

    def compare(self, row: Row, seen: Seen) -> None:
        """Count one script, and tell where its verdicts differ."""
        tally = self.without if row["nometa"] else self.with_metadata
        if row.get("timeout") or row.get("crash"):
            tally.unanswered += 1
            return
        tally.scripts += 1
        tally.commands += row["total"]
        theirs, ours = set(row["rows"]), set(seen.rows)
        if theirs == ours and row["total"] == seen.total:
            return
        tally.differing += len(theirs ^ ours) or abs(row["total"] - seen.total)
        way = "nometa" if row["nometa"] else "meta"
        self._tell(
            f"{row['path']} {way}: only mo-tester fails {sorted(theirs - ours)}, only we {sorted(ours - theirs)}"
        )
        for result in seen.results:
            if result.line in ours - theirs:
                self._tell(f"    {result.line} {result.verdict.value} {result.reason[:200]}")

    def __str__(self) -> str:
        return f"without metadata: {self.without}\nwith metadata: {self.with_metadata}"

    def _tell(self, line: str) -> None:
        print(line, file=self.told, flush=True)


def recorded(dsn: Dsn, tree: Path, rows: Iterable[Row], told: TextIO) -> Parity:
    """Run every script of ``rows`` as its row says."""
    parity = Parity(told, Tally(), Tally())
    for row in rows:
        with alone(row["path"], tree) as case:
            patience = HOPELESS if row.get("timeout") else SCRIPT_TIMEOUT
            parity.compare(row, run_alone(dsn, case, metadata=not row["nometa"], patience=patience))
    return parity


def beside(dsn: Dsn, tree: Path, names: Iterable[str], told: TextIO, kept: TextIO | None = None) -> Parity:
    """Run every script with the real mo-tester and with ours, on the same server; its verdicts also go to ``kept``."""
    parity = Parity(told, Tally(), Tally())
    with MoTester(dsn) as peer:
        for name in names:
            for nometa in (False, True):
                with alone(name, tree) as case:
                    row = _ask(peer, name, case.base or tree, nometa=nometa)
                    if row.get("timeout"):
                        _free(dsn)
                    seen = run_alone(dsn, case, metadata=not nometa, patience=PEER_PATIENCE)
                if kept is not None:
                    print(json.dumps(row), file=kept, flush=True)
                parity.compare(row, seen)
    return parity


def categories(dsn: Dsn, tree: Path, names: Iterable[str], told: TextIO) -> Parity:
    """Run whole directories of ``tree``, each in one process of mo-tester's and then by ours, without metadata."""
    parity = Parity(told, Tally(), Tally())
    with MoTester(dsn) as peer:
        for name in names:
            answered = peer.run(tree.parent, f"path={tree.name}/{name}", "ignore", "nometa")
            ours = run_category(dsn, tree, name)
            if answered.total is None:
                print(f"{name}: mo-tester made no report: {answered.said}", file=told, flush=True)
                parity.without.unanswered += len(ours)
                continue
            for path, total in answered.totals.items():
                row: Row = {"path": path, "nometa": True, "total": total, "rows": answered.rows.get(path, [])}
                parity.compare(row, ours.get(path, Seen()))
            failed = sum(map(len, answered.rows.values()))
            print(f"{name}: {answered.total} commands, {failed} do not pass", file=told, flush=True)
    return parity


def _ask(peer: MoTester, name: str, base: Path, *, nometa: bool) -> Row:
    words = (f"path={name}", "ignore", *(("nometa",) if nometa else ()))
    answered = peer.run(base, *words, timeout=PEER_PATIENCE)
    row: Row = {"path": name, "nometa": nometa, "total": answered.total, "rows": answered.rows.get(name, [])}
    if answered.total is None:
        row |= {"timeout": answered.used.exit_code is None, "crash": answered.said[-300:]}
    return row


def _free(dsn: Dsn) -> None:
    """End what a killed mo-tester left running: an endless statement holds its locks for ever."""
    wire = open_wire(dsn)
    for row in wire.query("SHOW PROCESSLIST").rows:
        if row[0] is not None and int(row[0]) != wire.thread_id:
            with suppress(ServerFaultError):
                wire.query(f"KILL {int(row[0])}")
    wire.close()


def read_rows(file: Path, only: str = "") -> list[Row]:
    """Recorded verdicts of scripts whose path contains ``only``."""
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row for row in rows if only in row["path"]]
