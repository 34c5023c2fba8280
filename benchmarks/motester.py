"""How the runner compares with mo-tester: verdicts and recording. On a private MariaDB, or one that is named.

    motester.py --cases DIR --verdicts FILE    the same scripts, one by one, against its verdicts
    motester.py --cases DIR --beside           the real program (MO_TESTER) runs each script too, on the same server
    motester.py --cases DIR --category A --category B --dsn URL    whole directories, each in one process of either
    motester.py --cases DIR --genrs            record twice; where both agree, a run must pass
    motester.py --cases DIR --strict           what the strict comparison finds where mo-tester's lets pass

DIR is the case tree; FILE holds mo-tester's answers, a JSON object a script: path, nometa, total, rows; crash, timeout.
``--beside`` writes such a file with --save FILE. What depends on the clock, on accounts or on files is left out there,
and with ``--genrs`` also scripts with patterns of their own (``@regex``, ``@pattern``).
Exit 1 when a figure falls short of what is promised.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.bvt.alone import comparable, recordable  # noqa: E402 - after the path
from benchmarks.bvt.parity import Parity, beside, categories, read_rows, recorded  # noqa: E402
from benchmarks.bvt.recording import record_all  # noqa: E402
from benchmarks.bvt.strictness import findings_of  # noqa: E402
from workers.bvt.dsn import Dsn, parse_dsn  # noqa: E402
from workers.servers import make_server  # noqa: E402

#: Percent of the commands that must have mo-tester's verdict, without metadata and with.
LIMITS = (99.5, 99.0)
T = TypeVar("T")


def main() -> int:
    """Run what is asked for."""
    args = _arguments()
    server = None if args.dsn else make_server("mariadb")
    started = time.monotonic()
    try:
        dsn = parse_dsn(args.dsn or (server.start() if server else ""))
        figures, words, ok = _measure(args, dsn)
    finally:
        if server is not None:
            server.close()
    if args.format == "json":
        print(json.dumps(figures))
    else:
        print(words)
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0 if ok else 1


def _measure(args: argparse.Namespace, dsn: Dsn) -> tuple[dict[str, Any], str, bool]:
    """Figures, the same in words, and whether they are what is promised."""
    tree = args.cases.resolve()
    if args.verdicts:
        return _parity(recorded(dsn, tree, sample(read_rows(args.verdicts, args.only), args.limit), sys.stderr))
    if args.category:
        return _parity(categories(dsn, tree, args.category, sys.stderr))
    if args.beside:
        names = sample(comparable(tree, args.only), args.limit)
        with args.save.open("a", encoding="utf-8") if args.save else nullcontext() as kept:
            return _parity(beside(dsn, tree, names, sys.stderr, kept))
    if args.strict:
        names = sample(comparable(tree, args.only), args.limit)
        found = findings_of(dsn, tree, names, sys.stderr, metadata=args.metadata)
        return {"passed": found.passed, "kinds": dict(found.kinds)}, str(found), True
    sums = record_all(dsn, tree, sample(recordable(tree, args.only), args.limit), sys.stderr)
    return vars(sums), str(sums), sums.passed + sums.unreadable == sums.alike


def _parity(parity: Parity) -> tuple[dict[str, Any], str, bool]:
    tallies = {"without_metadata": parity.without, "with_metadata": parity.with_metadata}
    figures = {name: vars(tally) | {"same": tally.same} for name, tally in tallies.items()}
    shares = zip(tallies.values(), LIMITS, strict=True)
    return figures, str(parity), all(not tally.commands or tally.same >= limit for tally, limit in shares)


def sample(items: Sequence[T], limit: int | None) -> Sequence[T]:
    """``limit`` of the items, evenly spread; all of them without a limit."""
    if limit is None or limit >= len(items):
        return items
    return [items[number * len(items) // limit] for number in range(limit)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, metavar="DIR")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--verdicts", type=Path, metavar="FILE")
    what.add_argument("--beside", action="store_true")
    what.add_argument("--category", action="append", metavar="NAME", help="a directory of DIR; several times")
    what.add_argument("--genrs", action="store_true")
    what.add_argument("--strict", action="store_true")
    parser.add_argument("--save", type=Path, metavar="FILE", help="append mo-tester's verdicts (--beside)")
    parser.add_argument("--metadata", action="store_true", help="also labels, types, precision and scale (--strict)")
    parser.add_argument("--dsn", help="a server that may be wiped; default: a private MariaDB")
    parser.add_argument("--only", default="", metavar="TEXT", help="only paths that contain TEXT")
    parser.add_argument("--limit", type=int, metavar="N", help="only N scripts, evenly spread")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
