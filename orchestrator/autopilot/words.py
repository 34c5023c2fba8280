"""The verdict as text: what was found, the evidence, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.autopilot.decide import Decision
from orchestrator.autopilot.facts import Proposal
from orchestrator.autopilot.triage import Cause, Finding
from orchestrator.domain.run import RunState

#: What each cause is, after the name of a task.
MEANS = {
    Cause.NEW: "fails because of this change",
    Cause.KNOWN: "fails without this change, too",
    Cause.FLAKY: "passes and fails on the same commit",
    Cause.INFRASTRUCTURE: "could not be judged: infrastructure took it down every time",
    Cause.UNKNOWN: "fails, and why is not established",
    Cause.QUARANTINED: "fails, and is in quarantine",
}
#: In the order a reader wants them.
_ORDER = (Cause.NEW, Cause.UNKNOWN, Cause.INFRASTRUCTURE, Cause.FLAKY, Cause.KNOWN, Cause.QUARANTINED)


def verdict_text(subject: str, decision: Decision, proposal: Proposal | None = None) -> str:
    """A few lines for a person; ends in a newline."""
    return "\n".join([*_lines(subject, decision), *_proposed(proposal)]) + "\n"


def _proposed(proposal: Proposal | None) -> Iterator[str]:
    if proposal is None:
        return
    if proposal.trouble:
        yield f"  no cases were written: {proposal.trouble}"
    elif proposal.scripts:
        yield f"  {len(proposal.scripts)} scripts ({proposal.statements} statements) are proposed for what it lacks"
        yield "    next: `mo-testplan cases generate` writes them, `cases propose` opens a pull request with them"
    if proposal.gaps:
        yield f"    still untested: {', '.join(proposal.gaps[:5])}"


def _lines(subject: str, decision: Decision) -> Iterator[str]:
    state = (decision.state or RunState.ERROR).value.upper()
    asks = "QUESTION, so far " if decision.action == "ask" else ""
    yield f"{subject}: {asks}{state} ({decision.reason})"
    for cause in _ORDER:
        for one in decision.findings:
            if one.cause is cause:
                yield f"  {one.task} {MEANS[cause]}"
                yield from (f"    - {sentence}" for sentence in one.evidence)
                yield f"    next: {next_step(one)}"


def next_step(one: Finding) -> str:
    """What somebody should do about a finding."""
    by_hand = f"; by hand: {one.reproduce}" if one.reproduce else ""
    if one.cause is Cause.NEW:
        cases = f" ({', '.join(one.cases[:3])})" if one.cases else ""
        return f"mend the change{cases}{by_hand}"
    if one.cause is Cause.FLAKY:
        return f"mend the test, or `mo-testplan quarantine` it with an owner and a day{by_hand}"
    if one.cause is Cause.KNOWN:
        return "mend it on the base branch; this change need not wait"
    if one.cause is Cause.INFRASTRUCTURE:
        hosts = f": {', '.join(one.hosts)}" if one.hosts else ""
        one_host = len(one.hosts) == 1 and one.losses > 1
        return f"look at the host{hosts}" + ("; drain it, every loss was there" if one_host else "")
    if one.cause is Cause.QUARANTINED:
        return "its owner mends it before its day"
    return f"look at its log{by_hand}"
