"""Speed and memory beside the real mo-tester, whole processes that take turns, everything in the page cache.

    motester_speed.py --cases DIR [--scripts N] [--rounds 7] [--verdicts FILE]

Parsing: all scripts of DIR to JSON lines into the void, against mo-tester's own parser with its JVM start. Execution: N
scripts, one process for all of them, on the same MariaDB; statements a second, and the peak of resident memory.
MO_TESTER names a checkout of mo-tester; Java and javac must be on the PATH. FILE (mo-tester's own verdicts) names
scripts that it survives. Exit 1 when we are slower or bigger.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.bvt.parity import Row, read_rows  # noqa: E402 - after the path
from benchmarks.bvt.peer import Answered, MoTester, Used, jars, run_measured  # noqa: E402
from benchmarks.promised.measure import MissingError, shared  # noqa: E402
from orchestrator.cases.discover import find_result  # noqa: E402
from workers.bvt.dsn import Dsn, parse_dsn  # noqa: E402
from workers.servers import make_server  # noqa: E402

_DRIVER = ROOT / "benchmarks" / "bvt" / "ParseAll.java"
#: Statements after which a server is not the same for whoever comes next, and pauses, which are nobody's speed.
_UNFAIR = ("set global", "sleep(", "mysql.")
#: Seconds of mo-tester alone; longer ones measure the server.
_SHORT = 3.0


def parsing(tree: Path, rounds: int) -> dict[str, float]:
    """Medians of seconds and MB: ours and mo-tester's parser."""
    with tempfile.TemporaryDirectory() as folder:
        classes = Path(folder)
        path = f"{jars()}/*:{classes}"
        subprocess.run(["javac", "-nowarn", "-cp", path, "-d", folder, str(_DRIVER)], check=True, capture_output=True)
        log4j = jars().parent / "log4j.properties"
        shutil.copy(log4j, classes / log4j.name)
        theirs = ["java", "-Dfile.encoding=UTF-8", "-cp", path, "ParseAll", str(tree)]
        ours = [sys.executable, "-m", "orchestrator", "cases", "parse", str(tree), "--ignore-issues"]
        ours += ["--format", "jsonl"]
        return _alternate(
            rounds, lambda: run_measured(ours, cwd=ROOT), lambda: run_measured(theirs, cwd=classes), "parse"
        )


def execution(dsn: Dsn, base: Path, rounds: int) -> dict[str, float]:
    """Medians of seconds and MB of both on the scripts below ``base/cases``."""
    command = [sys.executable, "-m", "workers.bvt", str(base / "cases"), "--dsn", str(dsn), "--nometa"]
    command += ["--ignore-issues", "--reset-server", "--format", "jsonl"]
    with MoTester(dsn) as peer, tempfile.NamedTemporaryFile() as log:
        answered = Answered(Used(0, 0, None))

        def theirs() -> Used:
            nonlocal answered
            answered = peer.run(base, "path=cases", "ignore", "nometa")
            if answered.total is None:
                raise MissingError(f"mo-tester made no report: {answered.said}")
            return answered.used

        def ours() -> Used:
            return run_measured(command, cwd=ROOT, log=Path(log.name))

        figures = _alternate(rounds, ours, theirs, "run")
        rows = [json.loads(line) for line in Path(log.name).read_text("utf-8").splitlines() if line.startswith("{")]
    failed = sum(row["verdict"] == "FAILED" for row in rows)
    return figures | {
        "statements": len(rows),
        "same_totals": (len(rows), failed) == (answered.total, sum(map(len, answered.rows.values()))),
    }


def _alternate(rounds: int, ours: Callable[[], Used], theirs: Callable[[], Used], name: str) -> dict[str, float]:
    pairs: list[tuple[Used, Used]] = []
    for _ in range(rounds):
        pairs.append((ours(), theirs()))
        print(f"{name}: {pairs[-1][0].seconds:.2f} s against {pairs[-1][1].seconds:.2f} s", file=sys.stderr, flush=True)
    mine, other = zip(*pairs, strict=True)
    return {
        f"{name}_seconds": statistics.median(used.seconds for used in mine),
        f"{name}_seconds_motester": statistics.median(used.seconds for used in other),
        f"{name}_ratio": statistics.median(a.seconds / b.seconds for a, b in pairs),
        f"{name}_cpu_ratio": statistics.median(a.cpu / b.cpu for a, b in pairs),
        f"{name}_mb": max(used.megabytes for used in mine),
        f"{name}_mb_motester": min(used.megabytes for used in other),
    }


def copy_fair(tree: Path, rows: list[Row], count: int, base: Path) -> None:
    """Copy ``count`` scripts that mo-tester ends in good time, evenly spread, with their results."""
    unfit = {row["path"] for row in rows if row.get("crash") or row.get("timeout") or row["seconds"] > _SHORT}
    names = sorted({row["path"] for row in rows} - unfit)
    fair = [name for name in names if not any(word in _text(tree, name) for word in _UNFAIR)]
    for name in [fair[number * len(fair) // count] for number in range(min(count, len(fair)))]:
        for file in filter(None, (name, find_result(name, tree.parent))):
            (base / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tree.parent / file, base / file)


def _text(tree: Path, name: str) -> str:
    return (tree.parent / name).read_text("utf-8", "replace").lower()


def main() -> int:
    """Measure both and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, metavar="DIR")
    parser.add_argument("--verdicts", type=Path, metavar="FILE", help="default: the one of MO_TESTPLAN_SHARED")
    parser.add_argument("--scripts", type=int, default=200, metavar="N")
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    tree = args.cases.resolve()
    rows = read_rows(args.verdicts or Path(shared("motester", "mariadb_verdicts_open.jsonl.gz")))
    figures: dict[str, Any] = parsing(tree, args.rounds)
    server = make_server("mariadb")
    try:
        with tempfile.TemporaryDirectory() as folder:
            copy_fair(tree, rows, args.scripts, Path(folder))
            figures |= execution(parse_dsn(server.start()), Path(folder), args.rounds)
    finally:
        server.close()
    figures["speed"] = 1 / figures["run_ratio"]  # statements a second, in times of mo-tester's
    if args.format == "json":
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:<24}{value}" for name, value in figures.items()))
    small = figures["run_mb"] <= figures["run_mb_motester"] and figures["parse_mb"] <= figures["parse_mb_motester"]
    return 0 if figures["speed"] >= 1 and figures["parse_ratio"] <= 1 and small and figures["same_totals"] else 1


if __name__ == "__main__":
    sys.exit(main())
