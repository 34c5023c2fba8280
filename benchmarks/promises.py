"""The project's promises, measured here: one line a promise, each at most a minute.

    python -m benchmarks.promises [NAME …] [--format text|json] [--list]

Inputs that are not part of this repository come by the environment: ``MO_REPO`` (a git directory of MatrixOne),
``MO_CASES`` (its case tree), ``MO_TESTPLAN_SHARED`` (ground truth). A promise whose input is missing has ``ok: null``
and says why. Exit 1 when a promise does not hold.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import sys
import time
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/promises.py` finds its rooms

from benchmarks import promised  # noqa: E402 - after the path
from benchmarks.promised.measure import Answer, MissingError, Promise  # noqa: E402


def all_promises() -> list[Promise]:
    """The promises of every module below ``benchmarks/promised`` that has some."""
    modules = [
        importlib.import_module(f"{promised.__name__}.{one.name}") for one in pkgutil.iter_modules(promised.__path__)
    ]
    return [promise for module in modules for promise in getattr(module, "PROMISES", ())]


def keep(promise: Promise) -> Answer:
    """Measure one promise."""
    began, spent = time.monotonic(), _spent()
    figure: object
    ok: bool | None
    try:
        figure, ok = promise.measure()
    except MissingError as error:
        figure, ok = str(error), None
    took = round(time.monotonic() - began, 1), round(_spent() - spent, 1)
    return Answer(promise.name, figure, promise.limit, ok, *took)


def _spent() -> float:
    """Seconds of processor time that this process and its children that have ended took."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> int:
    """Print what was asked for; exit 1 when a promise does not hold, 2 when there is none of that name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--list", action="store_true", help="print the names only")
    args = parser.parse_args()
    promises = all_promises()
    unknown = set(args.names) - {promise.name for promise in promises}
    if unknown:
        print(
            f"no promise {', '.join(sorted(unknown))}; there are: {', '.join(p.name for p in promises)}",
            file=sys.stderr,
        )
        return 2
    chosen = [promise for promise in promises if not args.names or promise.name in args.names]
    answers = []
    for promise in chosen:
        if args.list:
            print(promise.name)
            continue
        answer = keep(promise)
        answers.append(answer)
        if args.format == "text":
            held = {True: "ok", False: "NOT HELD", None: "null"}[answer.ok]
            took = f"{held:<8} {answer.seconds:>5.0f} s, {answer.cpu:.0f} of a processor"
            print(f"{answer.name:<22} {answer.figure!s:<24} {answer.limit:<26} {took}", flush=True)
    if args.format == "json":
        print(json.dumps([asdict(answer) for answer in answers], indent=2))
    return 1 if any(answer.ok is False for answer in answers) else 0


if __name__ == "__main__":
    sys.exit(main())
