"""Say why each test of a plan was chosen, why others were not, and what it costs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from orchestrator.cli.output import emit
from orchestrator.domain.errors import BadPlanError
from orchestrator.domain.plan import TestPlan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``explain``."""
    parser.add_argument("plan", metavar="PLAN", help="a file that `mo-testplan plan` wrote; - is stdin")
    parser.add_argument("task", metavar="TASK", nargs="?", help="one test, chosen or not, e.g. bvt:join")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("-o", "--output", metavar="FILE", help="write to FILE instead of stdout")


def run(args: argparse.Namespace) -> int:
    """Print the explanation."""
    from orchestrator.planner.render.explain import explain, explain_text

    plan = read_plan(args.plan)
    if args.format == "text":
        answer = explain_text(plan, args.task)
    else:
        import json

        answer = json.dumps(explain(plan, args.task), ensure_ascii=False, indent=2) + "\n"
    emit(answer.encode(), args.output)
    return 0


def read_plan(path: str) -> TestPlan:
    """The plan in a file (``-``: stdin), checked; raises BadPlanError."""
    from orchestrator.planner.decode import loads

    if path == "-":
        return loads(sys.stdin.buffer.read(), "the plan on stdin")
    try:
        return loads(Path(path).read_bytes(), path)
    except OSError as error:
        raise BadPlanError(f"cannot read {path}: {error.strerror}", "`mo-testplan plan -o FILE` makes one.") from None
