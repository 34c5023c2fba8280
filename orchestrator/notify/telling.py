"""What is told of a run and to whom: planned, under way, the first failure, the verdict."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable

from orchestrator.commands.cards import run_card
from orchestrator.commands.neutral import neutral
from orchestrator.commands.office import Office
from orchestrator.domain.errors import BadPlanError, MoTestplanError
from orchestrator.domain.plain import to_plain
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunState, RunSummary, TaskState
from orchestrator.ledger.records import Progress
from orchestrator.notify import moments
from orchestrator.notify.wecom.messages import duration, new_failures, summary_message
from orchestrator.notify.wecom.words import WORDS
from orchestrator.planner.codec import loads
from orchestrator.service.pulls import author_email, baseline_of
from orchestrator.store import OutboxMessage

_BAD = (RunState.FAILED, RunState.ERROR)
Moment = Callable[[Office, Progress], str]

logger = logging.getLogger(__name__)


class Teller:
    """Writes messages into the outbox; ``channels`` are those that can be told: ``wecom``, ``app``, ``bot``."""

    def __init__(self, office: Office, channels: Iterable[str]) -> None:
        self._office = office
        self._channels = frozenset(channels)
        self._told: set[tuple[str, str]] = set()

    def tick(self) -> None:
        """Look once at every live run; what was told already is not told again, by whomever."""
        ledger = self._office.ledger
        live = ledger.active()
        self._told = {row for row in self._told if row[0] in live}
        for run in live:
            progress = ledger.progress(run)
            if progress is None or progress.profile != self._office.profile.name:
                continue
            self._once(progress, "planned", moments.planned)
            if progress.cases_failed or progress.tasks[TaskState.FAILED]:
                self._once(progress, "first", moments.first_failure)
            if step := moments.step(self._office, progress):
                self._once(progress, f"step-{step}", moments.halfway)

    def verdict(self, summary: RunSummary) -> list[OutboxMessage]:
        """The messages of a finished run, for the transaction that keeps its summary.

        Cards that members of an application have of it change in place.
        """
        language = self._office.profile.wecom.language
        plan, base = self._plan(summary.run), baseline_of(self._office.store, self._office.profile, summary)
        words = summary_message(summary, language, base=base)
        pull = f" PR {summary.pr_number}" if summary.pr_number else ""
        fresh = new_failures(summary, base)
        new = f" {WORDS[language].of_them_new.format(fresh)}" if fresh else ""
        state = f"**{WORDS[language].states[summary.state]}**"
        line = f"> {state} {neutral(summary.profile, 40)}{pull} `{summary.run}` {duration(summary.seconds)}{new}"
        places = [*self._places(summary.run, summary.pr_number), *self._author(summary, plan)]
        told = [_message(summary.run, "summary", place, words, line) for place in dict.fromkeys(places)]
        return told + (self._cards(summary, plan) if plan is not None else [])

    def _plan(self, run: str) -> TestPlan | None:
        """The plan of a run, where there is one that can be read: a verdict is told without it, too."""
        text = self._office.ledger.plan(run)
        try:
            return loads(text) if text else None
        except BadPlanError as error:
            logger.warning("the verdict of run %s is told without its plan: %s", run, error.message)
            return None

    def progress_line(self, run: str) -> tuple[str, bool]:
        """How a run stands in one line, and whether it has ended."""
        progress = self._office.ledger.progress(run)
        if progress is None:
            return self._office.say("settled"), True
        return moments.line(self._office, progress), progress.state.final

    def _once(self, progress: Progress, kind: str, words: Moment) -> None:
        if (progress.run, kind) in self._told:
            return
        knows = self._office.shelf.places(progress.run) if kind == "planned" else {}
        # A group robot can change nothing it said and has few words a minute: it keeps them for verdicts.
        heard = self._places(progress.run, progress.pr_number)
        places = [place for place in heard if place not in knows and place != "wecom"]
        try:
            text = words(self._office, progress) if places else ""
        except BadPlanError as error:  # of another version, say: the other runs are told of all the same
            logger.warning("of run %s is not told that it is %s: %s", progress.run, kind, error.message)
            text = ""
        if text:
            line = f"> {text.partition(chr(10))[0]}"  # in a crowd
            messages = [_message(progress.run, kind, place, text, line) for place in places]
            self._office.store.enqueue(messages, self._office.clock())
        self._told.add((progress.run, kind))  # at the end: what the history did not take is tried again

    def _cards(self, summary: RunSummary, plan: TestPlan) -> list[OutboxMessage]:
        """Of every place whose card of the run can still be changed, once: its last state."""
        known = self._office.shelf.places(summary.run)
        places = [place for place, what in known.items() if what.get("response_code")]
        if not places:
            return []
        card = to_plain(run_card(self._office, summary, plan))
        payload = json.dumps({"card": card, "run": summary.run}, ensure_ascii=False)
        run = summary.run
        return [OutboxMessage(run, place, "card", payload, f"{run}:card:{place}") for place in places]

    def _places(self, run: str, pull: int | None) -> list[str]:
        shelf, now = self._office.shelf, self._office.clock()
        heard = [s for s in shelf.subscriptions() if s.muted_until <= now and s.scope in ("all", str(pull))]
        places = [*(["wecom"] if "wecom" in self._channels else []), *shelf.places(run), *(s.place for s in heard)]
        return [place for place in dict.fromkeys(places) if place.partition(":")[0] in self._channels]

    def _author(self, summary: RunSummary, plan: TestPlan | None) -> list[str]:
        """The chat with the author of a pull request whose run did not pass; none when nobody knows him."""
        commit = plan.diff_summary.head_commit if plan is not None else None
        if summary.state not in _BAD or not summary.pr_number or not commit:
            return []
        try:
            person = self._office.people().by_email(author_email(self._office.profile, commit))
        except MoTestplanError:
            return []
        if person is None:
            return []
        if "app" in self._channels:
            return [f"app:{person.userid}"]
        kept = self._office.shelf.get(f"opaque:{person.userid}") or {}  # by which a bot may know him
        name = kept.get("id") or next(iter(person.open_userids), person.userid)
        return [f"bot:{name}"] if "bot" in self._channels else []


def _message(run: str, kind: str, place: str, text: str, line: str = "") -> OutboxMessage:
    payload = json.dumps({"markdown": text, **({"line": line} if line else {})}, ensure_ascii=False)
    return OutboxMessage(run, place, kind, payload, f"{run}:{kind}:{place}")
