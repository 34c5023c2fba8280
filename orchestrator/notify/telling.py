"""What is told of a run and to whom: planned, the first failure, the verdict."""

from __future__ import annotations

import json
from collections.abc import Iterable

from orchestrator.commands.model import Card
from orchestrator.commands.neutral import neutral
from orchestrator.commands.office import Office
from orchestrator.domain.errors import MoTestplanError
from orchestrator.domain.run import RunState, RunSummary, TaskState
from orchestrator.ledger.records import Progress
from orchestrator.notify.wecom.messages import duration, summary_message
from orchestrator.notify.wecom.words import WORDS
from orchestrator.planner.codec import loads
from orchestrator.service.pulls import author_email, suites_of
from orchestrator.store import OutboxMessage

_BAD = (RunState.FAILED, RunState.ERROR)


class Teller:
    """Writes messages into the outbox; ``channels`` are the names that can be told: ``wecom``, ``app``, ``bot``."""

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
            self._once(progress, "planned")
            if progress.cases_failed or progress.tasks[TaskState.FAILED]:
                self._once(progress, "first")

    def verdict(self, summary: RunSummary) -> list[OutboxMessage]:
        """The messages of a finished run, for the transaction that keeps its summary."""
        words = self._office.profile.wecom.language
        text, state = summary_message(summary, words), WORDS[words].states[summary.state]
        pull = f" PR {summary.pr_number}" if summary.pr_number else ""
        line = f"> **{state}** {neutral(summary.profile, 40)}{pull} `{summary.run}` {duration(summary.seconds)}"
        places = self._places(summary.run, summary.pr_number)
        author = self._author(summary) if summary.state in _BAD else ""
        if author:
            places = [*places, author]
        return [_message(summary.run, "summary", place, text, line) for place in dict.fromkeys(places)]

    def progress_line(self, run: str) -> tuple[str, bool]:
        """How a run stands in one line, and whether it has ended."""
        progress = self._office.ledger.progress(run)
        if progress is None:
            return self._office.say("settled"), True
        words = WORDS[self._office.language]
        counts = [f"{count} {words.tasks[state]}" for state, count in progress.tasks.items() if count]
        return f"`{run}` {progress.done}/{progress.total}: {', '.join(counts)}", progress.state.final

    def _once(self, progress: Progress, kind: str) -> None:
        if (progress.run, kind) in self._told:
            return
        self._told.add((progress.run, kind))
        knows = self._office.shelf.places(progress.run) if kind == "planned" else {}
        # A group robot can change nothing it said and has few words a minute: it keeps them for verdicts.
        heard = self._places(progress.run, progress.pr_number)
        places = [place for place in heard if place not in knows and place != "wecom"]
        if places:
            text = self._planned(progress) if kind == "planned" else self._first(progress)
            messages = [_message(progress.run, kind, place, text) for place in places]
            self._office.store.enqueue(messages, self._office.clock())

    def _planned(self, progress: Progress) -> str:
        office = self._office
        plan = loads(office.ledger.plan(progress.run) or "{}")
        cost = f"{office.say('cost')} {duration(plan.cost.runner_seconds)}"
        eta = f"{office.say('eta')} {duration(plan.cost.critical_path)}"
        pull = f" PR {progress.pr_number}" if progress.pr_number else ""
        head = f"**{neutral(progress.profile, 40)}{pull}** `{progress.run}` {suites_of(plan)} · {cost} · {eta}"
        return f"{head}\n> {neutral(plan.summary)}"

    def _first(self, progress: Progress) -> str:
        what = ""
        for event in self._office.ledger.events(progress.run):
            if event.kind == "failure":
                case = json.loads(event.fields.get("case", "{}"))
                what = f"`{neutral(str(case.get('name', '')), 100)}` {neutral(str(case.get('message', '')), 160)}"
                break
            if event.kind == "finished" and event.fields.get("state") == "failed":
                what = f"`{neutral(event.fields.get('task', ''), 100)}`"
                break
        pull = f"PR {progress.pr_number} " if progress.pr_number else ""
        return f'<font color="warning">{self._office.say("first")}</font> {pull}`{progress.run}`\n> {what}'

    def _places(self, run: str, pull: int | None) -> list[str]:
        shelf, now = self._office.shelf, self._office.clock()
        heard = [s for s in shelf.subscriptions() if s.muted_until <= now and s.scope in ("all", str(pull))]
        places = [*(["wecom"] if "wecom" in self._channels else []), *shelf.places(run), *(s.place for s in heard)]
        return [place for place in dict.fromkeys(places) if place.partition(":")[0] in self._channels]

    def _author(self, summary: RunSummary) -> str:
        """The chat with the author of the pull request; empty when nobody knows him."""
        text = self._office.ledger.plan(summary.run)
        commit = loads(text).diff_summary.head_commit if text and summary.pr_number else None
        try:
            person = self._office.people().by_email(author_email(self._office.profile, commit)) if commit else None
        except MoTestplanError:
            person = None
        channel = next((name for name in ("app", "bot") if name in self._channels), None)
        return f"{channel}:{person.userid}" if person is not None and channel else ""


def settled(office: Office, summary: RunSummary) -> Card:
    """The card of a run that has ended, with nothing left to click."""
    return Card(f"{summary.run}: {WORDS[office.language].states[summary.state]}", run=summary.run)


def _message(run: str, kind: str, place: str, text: str, line: str = "") -> OutboxMessage:
    payload = json.dumps({"markdown": text, **({"line": line} if line else {})}, ensure_ascii=False)
    return OutboxMessage(run, place, kind, payload, f"{run}:{kind}:{place}")
