"""Say why each test of a plan was chosen, why others were not, and what it costs."""

from __future__ import annotations

import argparse
from pathlib import Path

from orchestrator.cli.output import emit, piped
from orchestrator.domain.errors import BadPlanError, UsageError
from orchestrator.domain.options import positive
from orchestrator.domain.plan import TestPlan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``explain``."""
    parser.add_argument("plan", metavar="PLAN", help="a file that `mo-testplan plan` wrote; - is stdin")
    parser.add_argument("task", metavar="TASK", nargs="?", help="one test, chosen or not, e.g. bvt:join")
    parser.add_argument(
        "--shards", action="store_true", help="how it is cut (TASK: where that is), and that nothing is lost or double"
    )
    parser.add_argument("--workers", type=positive, metavar="N", help="with --shards: the wait on N workers")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text")
    parser.add_argument("-o", "--output", metavar="FILE", help="write to FILE instead of stdout")


def run(args: argparse.Namespace) -> int:
    """Print the explanation."""
    from orchestrator.planner.render.explain import explain, explain_text
    from orchestrator.planner.render.markdown import explain_markdown, fenced

    if args.workers and not args.shards:
        raise UsageError("--workers goes with --shards", "Add --shards: the wait is that of its shards.")
    plan = read_plan(args.plan)
    if args.shards:
        from orchestrator.planner.render.shards import shards, shards_text

        if args.format == "json":
            answer = _json(shards(plan, args.workers, args.task))
        else:
            answer = shards_text(plan, args.workers, args.task)
            answer = fenced(answer) if args.format == "markdown" else answer
    elif args.format == "json":
        answer = _json(explain(plan, args.task))
    else:
        answer = (explain_markdown if args.format == "markdown" else explain_text)(plan, args.task)
    emit(answer.encode(), args.output)
    return 0


def _json(document: object) -> str:
    import json

    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def read_plan(path: str) -> TestPlan:
    """The plan in a file (``-``: stdin), checked; raises BadPlanError."""
    from orchestrator.planner.decode import loads

    if path == "-":
        return loads(piped("a plan", BadPlanError), "the plan on stdin")
    try:
        return loads(Path(path).read_bytes(), path)
    except OSError as error:
        raise BadPlanError(f"cannot read {path}: {error.strerror}", "`mo-testplan plan -o FILE` makes one.") from None
