"""Take a change from its plan to a verdict without a person: run, triage, run again what deserves it, ask the base.

What it may do and spend is the profile's `autopilot`. Every step is in the audit log; with --record it can be decided
again, offline, with --replay. Exit: the verdict's code, 3 when it had to ask, 1 when a replay decides otherwise.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

from orchestrator.autopilot.decide import Decision
from orchestrator.autopilot.facts import Proposal
from orchestrator.autopilot.pilot import Crew, Pilot
from orchestrator.autopilot.record import replay
from orchestrator.autopilot.words import verdict_text
from orchestrator.cli import edge
from orchestrator.cli.life import ended_by_signals
from orchestrator.cli.local import LocalStack
from orchestrator.cli.plan import add_plan_arguments, plan_from_args
from orchestrator.cli.progress import printable
from orchestrator.cli.run import add_stack_arguments, check_stack, local_settings, workers_of
from orchestrator.cli.services import make_service
from orchestrator.domain.errors import (
    EXIT_FAILED,
    EXIT_INFRASTRUCTURE,
    EXIT_PASSED,
    CancelledError,
    MoTestplanError,
    UsageError,
)
from orchestrator.domain.plan import TestPlan
from orchestrator.runs import control
from orchestrator.service.change import Change
from orchestrator.service.generation import Generation
from orchestrator.service.service import Service
from orchestrator.settings import Settings, check_profile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``autopilot``."""
    add_plan_arguments(parser)
    add_stack_arguments(parser)
    parser.add_argument("--record", metavar="FILE", type=Path, help="write what is known and decided, a line a step")
    parser.add_argument("--replay", metavar="FILE", type=Path, help="decide again what a record holds; run nothing")
    parser.add_argument("--llm", action="store_true", help="let the model of MO_TESTPLAN_LLM_URL say it in its words")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Fly, or replay."""
    if args.replay is not None:
        return _replay(args)
    check_stack(args)
    config = edge.settings()
    check_profile(args.profile, config)
    plan = plan_from_args(args)
    control.commit_of(plan)
    if not args.local:
        return _fly(args, config, plan, lambda: None)
    config = local_settings(args, config, plan)
    with ended_by_signals(), LocalStack(config, args.profile, workers=workers_of(args)) as stack:
        edge.say("starting local workers …")
        stack.wait_ready()
        return _fly(args, stack.settings, plan, stack.check)


def _fly(args: argparse.Namespace, config: Settings, plan: TestPlan, check: Callable[[], None]) -> int:
    profile = check_profile(args.profile, config)
    service = make_service(profile, config)
    subject = f"pull request {args.pr}" if args.pr is not None else f"{args.base or 'a diff'}...{args.head or 'HEAD'}"
    generate = functools.partial(_proposal, Generation(profile)) if "generate" in profile.autopilot.may else None
    crew = Crew(lambda text: edge.say(printable(text)), check, generate, _narrator(args))
    pilot = Pilot(service, subject, args.record, crew)
    try:
        decision = pilot.fly(plan)
    except KeyboardInterrupt:
        _stop(service, pilot)
        raise CancelledError("the autopilot was interrupted: what it had started is cancelled") from None
    return _told(args, subject, decision, pilot)


def _narrator(args: argparse.Namespace) -> Callable[[str], str] | None:
    if not args.llm:
        return None
    from orchestrator.autopilot.narrate import narrate
    from orchestrator.generate.llm.source import model_from_environment

    return functools.partial(narrate, model_from_environment())


def _proposal(generation: Generation, plan: TestPlan) -> Proposal:
    """The cases a change lacks; none, and why, where they cannot be written."""
    change = plan.diff_summary
    if not (change.base_commit and change.head_commit):
        return Proposal(trouble="the change is not one of the clone's")
    try:
        made = generation.make(Change(base=change.base_commit, head=change.head_commit))
    except MoTestplanError as error:
        return Proposal(trouble=error.message)
    gaps = tuple(gap.name for gap in made.gaps if not (gap.covered_before or gap.covered_after))
    return Proposal(tuple(draft.path for draft in made.drafts), made.statements, gaps[:20])


def _stop(service: Service, pilot: Pilot) -> None:
    if pilot.current is not None:
        control.cancel(service.app, service.ledger, pilot.current, "autopilot")


def _told(args: argparse.Namespace, subject: str, decision: Decision, pilot: Pilot) -> int:
    if args.format == "json":
        edge.print_json(
            {"subject": subject, **dataclasses.asdict(decision), "proposal": pilot.proposal, "words": pilot.words}
        )
    else:
        said = f"In a model's words, which decide nothing:\n{pilot.words}" if pilot.words else ""
        print(printable_lines(verdict_text(subject, decision, pilot.proposal) + said), end="")  # noqa: T201 - the answer
    if decision.action == "ask" or decision.state is None:
        return EXIT_INFRASTRUCTURE
    return decision.state.exit_code


def printable_lines(text: str) -> str:
    """Lines of text with nothing in them that could steer a terminal."""
    return "".join(f"{printable(line)}\n" for line in text.splitlines())


def _replay(args: argparse.Namespace) -> int:
    if args.diff or args.base or args.head or args.pr is not None or args.record or args.local:
        raise UsageError("--replay takes a record and nothing else", "Leave the other options out.")
    rows, same = [], True
    for step, now in replay(args.replay):
        equal = now == step.decision
        same = same and equal
        rows.append({"step": step.number, "recorded": step.decision.action, "now": now.action, "same": equal})
    if args.format == "json":
        edge.print_json({"same": same, "steps": rows})
    else:
        for row in rows:
            print(f"{row['step']}: {row['recorded']}" + ("" if row["same"] else f", now {row['now']}"))  # noqa: T201
    return EXIT_PASSED if same else EXIT_FAILED
