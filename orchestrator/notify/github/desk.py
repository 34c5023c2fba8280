"""What a webhook sets going: a run for a push, an end for a close, and what people ask in comments."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from itertools import islice

from orchestrator.domain.errors import BrokerError, ConflictError, MoTestplanError, NotAllowedError, UsageError
from orchestrator.domain.plan import TestPlan
from orchestrator.notify.base import RetryLaterError
from orchestrator.notify.github import words
from orchestrator.notify.github.hook import Hook, commands_in
from orchestrator.notify.github.pulls import Pull
from orchestrator.notify.github.telling import CHANNEL
from orchestrator.planner.render.explain import explain
from orchestrator.planner.render.markdown import code
from orchestrator.service.caller import Caller, Order, Role
from orchestrator.service.change import Change
from orchestrator.service.service import Service
from orchestrator.store import OutboxMessage

logger = logging.getLogger(__name__)

_PUSHED = {"opened", "reopened", "synchronize", "ready_for_review", "edited"}
#: Commands in one comment.
_MOST = 3
_SUITES = ("ut", "bvt", "sca")
_MOVED = "It was pushed to after the label was set: look at it again and set the label anew."


class GitHubDesk:
    """Acts on one hook at a time. ``look`` reads a pull request as it stands."""

    def __init__(self, service: Service, look: Callable[[int], Pull]) -> None:
        self._service, self._look, self._said = service, look, service.profile.github

    def act(self, hook: Hook) -> None:
        """Do what it asks for, as far as its sender may. What cannot be done is said on the pull request.

        Raises :class:`RetryLaterError` and :class:`BrokerError` where trying again can help.
        """
        try:
            if hook.action == "comment":
                self._comment(hook)
            elif hook.action == "closed":
                self._closed(hook)
            elif hook.action in _PUSHED and not hook.draft:
                self._pushed(hook)
            elif hook.action == "labeled" and hook.text == self._said.label:
                self._pushed(hook, labelled=True)
        except (RetryLaterError, BrokerError):
            raise  # it comes again
        except MoTestplanError as error:
            logger.warning("pull request %s: %s: %s", hook.pull, hook.action, error.message)
            if hook.action != "comment":
                mark = words.marker(self._service.profile.name)  # it stands where the plan or the run would
                self._tell(hook, "trouble", comment=f"{mark}\n{_trouble(error)}")

    def _is_open(self, hook: Hook) -> bool:
        """Whether the pull request is open by the newer of two words: the delivery's, and what GitHub answers now.

        Deliveries come late, again and out of order, and an answer may come from a copy that lags behind.
        """
        pull = self._look(hook.pull)
        behind = pull.updated < hook.updated
        return hook.action != "closed" if behind else pull.open

    def _closed(self, hook: Hook) -> None:
        if not self._is_open(hook):  # else it was opened again since, and what runs is not of the time before
            self._outdate(hook, f"the pull request was closed by {hook.sender}")

    # -- pushes --------------------------------------------------------------------------------------------------

    def _pushed(self, hook: Hook, *, labelled: bool = False) -> None:
        """Plan the head as it stands; run it when its author's pull requests run by themselves, or when it is labelled.

        Only who has triage rights can set a label, and what he let run is ``hook.head``: nothing that was pushed since.
        """
        if not self._is_open(hook):
            return  # the delivery comes late
        plan = self._service.plan(Change(pull=hook.pull))
        head = plan.diff_summary.head_commit or ""
        if labelled and head != hook.head:
            self._tell(hook, "moved", reply=_MOVED)
            return
        wanted = labelled or hook.association in self._said.run_for
        if hook.action == "edited":  # against another branch the same commit is another change
            self._outdate(hook, f"the base branch is {plan.diff_summary.base_branch} now", but=plan.id)
            if plan.id in [self._service.reads.find(run)[0].plan for run in self._live(hook.pull)]:
                return  # a push that was told of first has started it
        elif not wanted or not plan.tasks:  # no newer run supersedes the older ones
            self._outdate(hook, f"superseded by {head[:12]}", but=head)
        if not wanted:
            why = f"It runs when a member writes `/test` or sets the label {code(self._said.label)}."
            self._tell(hook, f"plan-{plan.id[:12]}", comment=words.plan_comment(plan, why))
            return
        caller = Caller(f"github:{hook.sender if labelled else hook.author}", "github", Role.DEVELOPER)
        self._start(hook, caller, plan, f"pull request {hook.pull}: {hook.action}")

    def _start(self, hook: Hook, caller: Caller, plan: TestPlan, reason: str, key: str = "start") -> None:
        done = self._service.writes.start(caller, Order(reason, f"{hook.key}:{key}"), plan, asked=hook.key)
        if done.run is None:
            self._tell(hook, f"plan-{plan.id[:12]}", comment=words.plan_comment(plan, "There is nothing to run."))

    def _outdate(self, hook: Hook, reason: str, but: str = "") -> None:
        """End what has become pointless, as far as the profile says, all but runs of the commit or plan ``but``."""
        policy = self._service.profile.dispatch.supersede
        if policy != "nothing":
            self._end(hook, reason, but, waiting=policy == "waiting")

    def _end(self, hook: Hook, reason: str, but: str = "", *, waiting: bool = False) -> int:
        """End what runs for the pull request, or with ``waiting`` what has not started; how many runs that were."""
        caller, ended = Caller(f"github:{hook.sender}", "github", Role.MAINTAINER), 0
        for run in self._live(hook.pull):
            if but:
                plan = self._service.reads.find(run)[1]
                if but in (plan.id, plan.diff_summary.head_commit):
                    continue
            try:
                self._service.writes.cancel(caller, Order(reason, f"{hook.key}:{run}"), run, waiting=waiting)
            except ConflictError:
                continue  # it has ended since
            ended += 1
        return ended

    def _live(self, pull: int) -> list[str]:
        return [row.run for row in self._service.reads.runs(200, pull) if not row.state.final]

    # -- comments ------------------------------------------------------------------------------------------------

    def _comment(self, hook: Hook) -> None:
        """Every command; who may not is answered with a thumb down, and nothing else."""
        for number, line in enumerate(islice(commands_in(hook.text), _MOST)):
            command, *args = line[1:].split()[:3] or [""]
            work = {"test": self._test, "retest": self._retest, "cancel": self._cancel, "why": self._why}.get(command)
            if work is None:
                continue  # another robot's
            try:
                work(hook, args, f"{number}")
                self._tell(hook, f"thumb-{number}", reaction="+1", to=hook.comment)
            except NotAllowedError as error:
                self._service.store.audit(
                    f"github:{hook.sender}", "github", line[:200], str(hook.pull), f"refused: {error.message}"
                )
                self._tell(hook, f"thumb-{number}", reaction="-1", to=hook.comment)
            except (RetryLaterError, BrokerError):
                raise
            except MoTestplanError as error:
                self._tell(hook, f"reply-{number}", reply=_trouble(error))

    def _role(self, hook: Hook) -> Role:
        return Role[self._said.roles.get(hook.association, "none").upper()]

    def _caller(self, hook: Hook) -> Caller:
        return Caller(f"github:{hook.sender}", "github", self._role(hook))

    def _test(self, hook: Hook, args: list[str], number: str) -> None:
        caller = self._caller(hook)
        caller.needs(Role.DEVELOPER, "/test")
        unknown = next((suite for suite in args if suite not in _SUITES), None)
        if unknown is not None or len(args) > 1:
            what = "one suite at a time" if unknown is None else f"there is no suite {unknown[:40]!r}"
            raise UsageError(what, "Write `/test`, or `/test ut`, `bvt` or `sca`, a line each.")
        pull = self._look(hook.pull)
        if not pull.open:
            raise UsageError("the pull request is closed", "Open it again first.")
        plan = self._service.plan(Change(pull=hook.pull, suite=args[0] if args else None))
        self._check_seen(hook, pull, plan.diff_summary.head_commit or "")
        self._start(hook, caller, plan, f"/test by {hook.sender}", f"test-{number}")

    def _check_seen(self, hook: Hook, pull: Pull, head: str) -> None:
        """Raise :class:`UsageError` where ``head`` may be a stranger's push that came after the comment.

        GitHub tells no commit with a comment, but when the fork was last pushed to, to whichever branch.
        """
        if not pull.forked or pull.association in self._said.run_for or hook.sender == hook.author:
            return
        if head != pull.head or not "" < pull.pushed < hook.written:
            raise UsageError(
                "the fork was pushed to after this comment, as far as GitHub tells",
                f"Look at it again, and write /test anew or set the label {self._said.label}.",
            )

    def _retest(self, hook: Hook, _args: list[str], number: str) -> None:
        """What failed in the newest run; the author of a pull request whose runs start by themselves may ask, too."""
        caller = self._caller(hook)
        if hook.sender == hook.author and hook.association in self._said.run_for:
            caller = Caller(caller.name, caller.origin, max(caller.role, Role.DEVELOPER))
        caller.needs(Role.DEVELOPER, "/retest")
        order = Order(f"/retest by {hook.sender}", f"{hook.key}:retest-{number}")
        self._service.writes.rerun(caller, order, str(hook.pull), failed=True)

    def _cancel(self, hook: Hook, args: list[str], _number: str) -> None:
        """All that runs for the pull request: a maintainer's right, and its author's. Said again it is done already."""
        if hook.sender != hook.author:
            self._caller(hook).needs(Role.MAINTAINER, "/cancel of another's pull request")
        if args:
            raise UsageError("/cancel ends all that runs for the pull request", "Write `/cancel` alone for that.")
        newest = self._service.reads.runs(1, hook.pull)
        done = any(row.cancelled_by == f"github:{hook.sender}" for row in newest)
        if not self._end(hook, f"/cancel by {hook.sender}") and not done:
            raise UsageError("nothing runs for this pull request", "`/test` starts something.")

    def _why(self, hook: Hook, args: list[str], number: str) -> None:
        """Why a test was chosen, or not."""
        if hook.sender != hook.author:
            self._caller(hook).needs(Role.VIEWER, "/why")
        if not args:
            raise UsageError("of which test?", "Write `/why TEST`, as the plan calls it.")
        summary, plan = self._service.reads.find(str(hook.pull))
        found = explain(plan, args[0])
        lines = [f"Run `{summary.run}`, {code(args[0])}:"]
        for entry in found["tasks"]:
            lines += [f"* {r['strategy']} {r['weight']:.2f}: {code(r['detail'])}" for r in entry["reasons"]]
        lines += [f"* not chosen ({entry['score']:.2f}): {code(entry['reason'])}" for entry in found["omitted"]]
        self._tell(hook, f"why-{number}", reply="\n".join(lines)[: words.MAX_COMMENT])

    # -- answers -------------------------------------------------------------------------------------------------

    def _tell(self, hook: Hook, kind: str, **what: object) -> None:
        text = json.dumps({"pull": hook.pull, **what}, ensure_ascii=False)
        message = OutboxMessage("", CHANNEL, kind, text, f"{hook.key}:{kind}:{CHANNEL}")
        self._service.store.enqueue([message], time.time())


def _trouble(error: MoTestplanError) -> str:
    return f"### mo-testplan\n\nNot done: {code(error.message)}\n\n{code(error.remedy)}"
