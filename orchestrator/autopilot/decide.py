"""What to do next. A pure function of situation and policy, which is data of the profile: it replays from a record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from orchestrator.autopilot.facts import Purpose, Situation
from orchestrator.autopilot.triage import Cause, Finding, triage
from orchestrator.domain.profile import Autopilot
from orchestrator.domain.run import RunState

#: Why a cause ends a flight, worst first: infrastructure before failure, as in every verdict.
_ERROR = (Cause.INFRASTRUCTURE,)
_FAILED = (Cause.NEW, Cause.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do and why."""

    action: Literal["generate", "run", "again", "base", "ask", "verdict"]
    reason: str
    #: Of ``run``, ``again`` and ``base``.
    tasks: tuple[str, ...] = ()
    #: Of ``verdict`` and ``ask``: as it stands.
    state: RunState | None = None
    findings: tuple[Finding, ...] = ()


def decide(situation: Situation, policy: Autopilot) -> Decision:
    """The next step."""
    plan = situation.plan
    if not plan.tasks:
        return Decision("verdict", f"nothing to run: {plan.summary}", state=RunState.PASSED)
    if any(run.cancelled for run in situation.runs):
        return Decision("verdict", "somebody cancelled a run: that is the end", state=RunState.CANCELLED)
    if "generate" in policy.may and situation.can_generate and situation.proposal is None:
        return Decision("generate", "to propose the cases that the change lacks")
    if not situation.runs:
        return _spend(situation, policy, "run", tuple(plan.tasks), f"the plan has {len(plan.tasks)} tasks")
    return _after_a_run(situation, policy, triage(situation, policy))


def _after_a_run(situation: Situation, policy: Autopilot, findings: tuple[Finding, ...]) -> Decision:
    again = tuple(one.task for one in findings if _again(one, policy))
    if again:
        return _spend(situation, policy, "again", again, _why_again(findings, again), findings)
    base = tuple(one.task for one in findings if _needs_base(one, situation, policy))
    if base:
        why = f"to see whether {_some(base)} fails without the change"
        return _spend(situation, policy, "base", base, why, findings)
    return _verdict(findings)


def _again(one: Finding, policy: Autopilot) -> bool:
    if one.cause is Cause.INFRASTRUCTURE:
        return one.losses < policy.infrastructure_tries
    return one.cause is Cause.UNKNOWN and 0 < one.failures < policy.failures_seen


def _needs_base(one: Finding, situation: Situation, policy: Autopilot) -> bool:
    tried = any(run.purpose == "base" and any(f.task == one.task for f in run.tasks) for run in situation.runs)
    seen = one.failures >= policy.failures_seen
    return one.cause is Cause.UNKNOWN and seen and not one.judged and not tried and situation.plan.has_base


def _why_again(findings: Iterable[Finding], again: tuple[str, ...]) -> str:
    chosen = [one for one in findings if one.task in again]
    lost = [one.task for one in chosen if one.cause is Cause.INFRASTRUCTURE]
    failed = [one.task for one in chosen if one.cause is not Cause.INFRASTRUCTURE]
    parts = [f"infrastructure took {_some(lost)} down"] if lost else []
    parts += [f"a failure of {_some(failed)} is believed when it is seen twice"] if failed else []
    return "; ".join(parts)


def _spend(  # noqa: PLR0913 - what a step is made of
    situation: Situation,
    policy: Autopilot,
    action: Purpose,
    tasks: tuple[str, ...],
    reason: str,
    findings: tuple[Finding, ...] = (),
) -> Decision:
    """The step, if policy and budget allow it; else a question."""
    price = sum(situation.plan.tasks.get(task, 0.0) for task in tasks)
    spent = situation.before.seconds + sum(run.estimated for run in situation.runs)
    runs = situation.before.runs + len(situation.runs)
    why_not = ""
    if action not in policy.may:
        why_not = f"policy does not let it {'run on the base commit' if action == 'base' else action} by itself"
    elif runs >= policy.max_runs:
        earlier = f", {situation.before.runs} of them in other flights" if situation.before.runs else ""
        why_not = f"it has made {runs} runs{earlier}, and one change may have {policy.max_runs}"
    elif spent + price > policy.runner_minutes * 60:
        wanted = (spent + price) / 60
        why_not = f"{wanted:.0f} runner-minutes are more than the {policy.runner_minutes:.0f} it may spend"
    if not why_not:
        return Decision(action, reason, tasks)
    state = _verdict(findings).state if findings else RunState.ERROR
    return Decision("ask", f"wanted to go on ({reason}), but {why_not}", tasks, state, findings)


def _verdict(findings: tuple[Finding, ...]) -> Decision:
    causes = {one.cause for one in findings}
    if causes & set(_ERROR):
        state = RunState.ERROR
    elif causes & set(_FAILED):
        state = RunState.FAILED
    else:
        state = RunState.PASSED
    telling = [f"{number} {cause.value}" for cause in Cause if (number := sum(o.cause is cause for o in findings))]
    return Decision("verdict", ", ".join(telling), state=state, findings=findings)


def _some(tasks: Iterable[str]) -> str:
    names = list(tasks)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
