"""WeCom under load, against the stand-in that keeps the service's rules.

    python benchmarks/wecom.py [--part callbacks|endings|all] [--rate 200] [--seconds 30] [--runs 1000] [--minute 60]

``callbacks``: so many a second over real HTTP, into one ``mo-testplan serve``; some are delivered twice. Each must be
answered within a second and acted on exactly once.
``endings``: so many failing runs that end within a minute, two control processes, a group robot (20 messages a minute),
a bot's group and the author's chat with the application (30 a minute each). No limit may be met, no verdict missing.

Prints one JSON object with ``ok``; exit 1 when it is false.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/wecom.py` finds the packages without an installation

from benchmarks.chatload import callbacks, endings  # noqa: E402 - after the path is set


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["callbacks", "endings", "all"], default="all")
    parser.add_argument("--rate", type=int, default=200, help="callbacks a second")
    parser.add_argument("--seconds", type=int, default=30, help="seconds of callbacks")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--minute", type=float, default=60.0, help="seconds in which the runs end")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds to wait for the last verdict")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    figures: dict[str, Any] = {}
    if args.part in ("callbacks", "all"):
        figures |= callbacks.measure(args.rate, args.seconds, args.seed)
    if args.part in ("endings", "all"):
        figures |= endings.measure(args.runs, args.minute, args.patience)
    figures["ok"] = _holds(figures)
    if args.format == "json":
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:<20} {value}")
    return 0 if figures["ok"] else 1


def _holds(figures: dict[str, Any]) -> bool:
    """Whether everything that was measured is as promised."""
    held = True
    if "callbacks" in figures:
        once = figures["acted_on_once"] == figures["effects"] == figures["callbacks"]
        answered = figures["answered_200"] == figures["deliveries"] and figures["slowest_answer_s"] <= 1
        held = once and answered and figures["acted_on_twice"] == 0
    if "runs" in figures:
        missing = sum(value for name, value in figures.items() if name.startswith("missing_"))
        held = held and missing == 0 and figures["over_limit"] == 0
    return held


if __name__ == "__main__":
    sys.exit(main())
