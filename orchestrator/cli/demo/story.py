"""What happens in the demo: two runs of one pull request, before and after its fix."""

from __future__ import annotations

import dataclasses
import time

from orchestrator.cli import edge
from orchestrator.cli.demo.played import Played
from orchestrator.cli.demo.sample import BASE, HEAD
from orchestrator.cli.demo.stage import Stage
from orchestrator.cli.demo.tell import Teller
from orchestrator.cli.progress import watch
from orchestrator.diff.source import from_repository
from orchestrator.domain.errors import CancelledError, InfrastructureError
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind, RunState, RunSummary
from orchestrator.planner.pipeline import build_plan
from orchestrator.planner.tree import GitTree
from orchestrator.runs import control

#: The number of the sample's pull request.
_PULL_REQUEST = 7
#: A run of seconds that takes longer than this hangs.
_RUN_SECONDS = 240.0
_MESSAGE_SECONDS = 30.0


class Story:
    """Plays on a stage and tells."""

    def __init__(self, scene: Stage, tell: Teller) -> None:
        self._scene, self._tell = scene, tell
        self._told = 0

    def first_run(self) -> Played:
        """The pull request as it is opened; raises InfrastructureError when its tests do not fail."""
        sample = self._scene.sample
        base = sample.create()
        head = sample.open_pull_request()
        self._tell.pull_request(base, head, sample.hunks(head, "pricing/pricing.go"))
        plan = self._plan()
        self._tell.plan(plan)
        self._tell.starting(self._scene)
        self._scene.stack.wait_ready()
        played = self._play(plan, None)
        if played.summary.state is not RunState.FAILED:
            raise InfrastructureError(
                f"the first run should fail and ended {played.summary.state.value}: {_why(played.summary)}",
                "`mo-testplan doctor --local --profile demo` says what is missing on this host.",
            )
        self._tell.failures(played)
        self._tell.message(self._message())
        played = dataclasses.replace(played, strict=self._strict(played.summary))
        self._tell.strict(played.strict)
        return played

    def second_run(self, first: Played) -> Played:
        """The fix, and of the plan for it what failed before."""
        sample = self._scene.sample
        fix = sample.fix()
        self._tell.fix(fix, sample.hunks(fix, "pricing/pricing.go"))
        whole = self._plan()
        plan = control.rerun_plan(whole, first.summary, failed=True)
        self._tell.again(plan, whole)
        played = self._play(plan, first.summary.run)
        self._tell.verdict(played.summary)
        self._tell.message(self._message())
        return played

    def _plan(self) -> TestPlan:
        """The plan of the branch as it stands: from where it left ``main`` to its last commit."""
        repository = self._scene.sample.path
        change = from_repository(repository, BASE, HEAD)
        change = dataclasses.replace(change, pr_number=_PULL_REQUEST, base_branch=BASE, head_branch=HEAD)
        tree = GitTree(repository, change.head_commit or HEAD)
        return build_plan(change, self._scene.profile, tree=tree)

    def _play(self, plan: TestPlan, parent: str | None) -> Played:
        """Run a plan; Ctrl-C cancels it, waits for its end and is a CancelledError."""
        stack = self._scene.stack
        ledger, app = stack.ledger(), stack.app
        run = control.start(app, ledger, plan, parent=parent, who=edge.who())
        deadline = time.monotonic() + _RUN_SECONDS

        def check() -> None:
            stack.check()
            if time.monotonic() > deadline:
                raise InfrastructureError(f"run {run} did not end within {_RUN_SECONDS:.0f} s", "Is this host busy?")

        try:
            watch(ledger, run, plan, check=check)
        except KeyboardInterrupt:
            edge.say("cancelling …")
            control.cancel(app, ledger, run, edge.who())
            watch(ledger, run, plan, check=check)
            raise CancelledError("the demo was interrupted: its run is cancelled, nothing is left") from None
        summary, _ = edge.find_run(stack.settings, run)
        return Played(summary, plan)

    def _strict(self, summary: RunSummary) -> tuple[CaseResult, ...]:
        """What only the strict comparison finds; the history has all cases once the summary is told."""
        last = {result.task: result.attempt for result in summary.tasks}  # a failure was tried a second time
        history = edge.open_store(self._scene.settings)
        try:
            passed = history.cases(summary.run, status=CaseStatus.PASSED)
        finally:
            history.close()
        found = (stored for stored in passed if stored.case.kind is FailureKind.STRICT)
        return tuple(stored.case for stored in found if stored.attempt == last.get(stored.task))

    def _message(self) -> str:
        """The next message that reached the group."""
        wecom = self._scene.wecom
        if not wecom.wait_for(self._told + 1, _MESSAGE_SECONDS):
            raise InfrastructureError("the summary did not reach the WeCom stand-in", "Play the demo with --keep.")
        self._told += 1
        return wecom.messages[self._told - 1].content


def _why(summary: RunSummary) -> str:
    return "; ".join(f"{task.task}: {task.message}" for task in summary.tasks if task.message) or "nobody says why"
