"""The gates that need a server: a case runs twice with one result, leaves nothing, and tests what it says it tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orchestrator.generate.draft import Draft
from orchestrator.generate.executor import Answer, Executor
from orchestrator.generate.gates import Dropped
from orchestrator.generate.split import parts_of

#: The server does not know the SQL itself: no expectation of anything.
_INVALID = re.compile(
    r"(?i)syntax|parser? error|unknown (?:function|operator|table|column|database)|no such (?:table|function)"
    r"|(?:function|table|column) .*(?:does not exist|doesn't exist|not exist)|invalid database"
)
#: On another product these say only that it is another one.
_FOREIGN = re.compile(r"(?i)not supported|unsupported|unknown|not allowed|doesn't support|incorrect")
#: Never a right answer, whatever was asked.
_BROKEN = re.compile(
    r"(?i)internal error|panic|runtime error|nil pointer|index out of range|unreachable|should not happen"
)
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer that cannot be right."""

    path: str
    sql: str
    what: str


@dataclass(slots=True)
class Trial:
    """What came of trying drafts."""

    kept: list[Draft] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    #: Expectations of what is kept, by its path; only of the product itself.
    expectations: dict[str, str] = field(default_factory=dict)
    #: Statements that were run, and those that were answered without an error.
    ran: int = 0
    accepted: int = 0


def is_product(executor: Executor, target: str) -> bool:
    """Whether a server is the product itself: ``target`` is what its ``version()`` contains."""
    return target.lower() in executor.version.lower()


def try_drafts(
    drafts: Sequence[Draft], executor: Executor, target: str, progress: Callable[[str], None] = lambda line: None
) -> Trial:
    """Try each draft on the server. ``target`` is what `version` of the product itself contains.

    Raises:
        ServerError: there is no server any more.
    """
    trying = _Trying(executor, is_target=is_product(executor, target))
    for number, draft in enumerate(drafts, 1):
        progress(f"{number}/{len(drafts)} {draft.path}")
        kept = trying.kept(draft)
        if kept is not None:
            trying.trial.kept.append(kept)
    return trying.trial


class _Trying:
    """One server's judgement of drafts."""

    def __init__(self, executor: Executor, *, is_target: bool) -> None:
        self.trial = Trial()
        self._executor = executor
        self._is_target = is_target

    def kept(self, draft: Draft) -> Draft | None:
        """What can stay of a draft: it is run, shortened and run again until two runs agree."""
        original = draft
        for turn in range(_ROUNDS):
            before = self._executor.objects()
            first = self._executor.run([one.sql for one in draft.statements])
            second = self._executor.run([one.sql for one in draft.statements])
            left = self._executor.objects() - before
            if left:
                self._executor.tidy(left)
                self._drop(draft, "clean-up", f"leaves {', '.join(sorted(left))}")
                return None
            if turn == 0:
                self.trial.ran += len(first)
                self.trial.accepted += sum(one.error is None and not one.lost for one in first)
            changed = self._judge(draft, first, second)
            if not _tests(changed, original):
                self._drop(draft, "server", "nothing of it is left to test")
                return None
            if changed == draft:
                return draft
            draft = changed
        self._drop(draft, "stable", "its results keep changing")
        return None

    def _drop(self, draft: Draft, gate: str, reason: str) -> None:
        self.trial.dropped.append(Dropped(draft.path, gate, reason))

    def _judge(self, draft: Draft, first: Sequence[Answer], second: Sequence[Answer]) -> Draft:
        """The draft without what cannot stay, and without comparing the columns that differ from run to run."""
        gone: set[int] = set()
        columns: dict[int, tuple[int, ...]] = {}
        replaced: dict[int, str] = {}
        wrong = [at for at, answer in enumerate(first) if answer.error is not None]
        shorter = without_refused(draft, wrong, self._executor) if wrong else {}
        for at, (one, two) in enumerate(zip(first, second, strict=True)):
            sql = draft.statements[at].sql
            if _is_broken(one) and _is_broken(two):
                what = one.error or "twice no answer: the connection ended, or it took too long"
                self.trial.findings.append(Finding(draft.path, sql, what))
                if at in shorter:
                    replaced[at] = shorter[at]
                else:
                    gone.add(at)
            elif one.lost or two.lost:  # once is no proof: a busy machine does that, too
                self._drop(draft, "stable", f"{sql[:80]}: no answer, but only once")
                gone.add(at)
            elif one.error is not None or two.error is not None:
                left = self._refused(draft, at, one, two, shorter.get(at, ""))
                if left:
                    replaced[at] = left
                elif left is not None:
                    gone.add(at)
            else:
                differing = unstable_columns(one, two)
                if differing is None:
                    self._drop(draft, "stable", sql[:120])
                    gone.add(at)
                elif set(differing) - set(draft.statements[at].ignore):
                    columns[at] = differing
        return draft.with_sql(replaced).with_ignored(columns).without(gone)

    def _refused(self, draft: Draft, at: int, one: Answer, two: Answer, shorter: str) -> str | None:
        """``None`` when the error is what the case tests; else what is left of the statement, perhaps nothing.

        One error hides all that a query computes beside it, so those that work stay without it.
        """
        gate = _gate_of(one, two, is_target=self._is_target)
        if not gate and not shorter:
            return None
        if not shorter:
            words = one.error or two.error or ""
            self._drop(draft, gate, f"{draft.statements[at].sql[:80]}: {words[:120]}")
        return shorter


def _is_broken(answer: Answer) -> bool:
    """Whether an answer is never right, whatever was asked."""
    return answer.lost or _BROKEN.search(answer.error or "") is not None


def _tests(draft: Draft, original: Draft) -> bool:
    """Whether something is left beside set-up and clean-up; where statements say why they are there, of these."""
    telling = any(one.why for one in original.statements)
    return any(
        one.why or not (telling or one.sql.lower().lstrip().startswith(("drop", "use", "set")))
        for one in draft.statements
    )


def _gate_of(one: Answer, two: Answer, *, is_target: bool) -> str:
    """The gate that an error stops at; empty when it is what the case tests."""
    if one.error != two.error:
        return "stable"
    error = one.error or ""
    if _INVALID.search(error):
        return "valid"
    return "foreign" if not is_target and _FOREIGN.search(error) else ""


def without_refused(draft: Draft, wrong: Sequence[int], executor: Executor) -> dict[int, str]:
    """Queries that compute several things, without those that the server refuses, by position.

    All are taken apart in one run: the statements before a query are what it needs.
    """
    found = {at: parts_of(draft.statements[at].sql) for at in wrong}
    split = {at: parts for at, parts in found.items() if parts is not None and len(parts.items) > 1}
    if not split:
        return {}
    asked: list[str] = []
    places: dict[int, int] = {}
    for at, one in enumerate(draft.statements):
        places[at] = len(asked)
        asked += [split[at].query((item,)) for item in split[at].items] if at in split else [one.sql]
    answers = executor.run(asked)
    kept = {}
    for at, parts in split.items():
        answered = zip(parts.items, answers[places[at] :], strict=False)
        good = tuple(item for item, answer in answered if answer.error is None and not answer.lost)
        if good and len(good) < len(parts.items):
            kept[at] = parts.query(good)
    return kept


def unstable_columns(one: Answer, two: Answer) -> tuple[int, ...] | None:
    """The result columns in which two runs differ; ``None`` when ignoring columns cannot make them agree."""
    if one.columns != two.columns or len(one.rows) != len(two.rows):
        return None
    if sorted(map(repr, one.rows)) == sorted(map(repr, two.rows)):
        return ()
    differing = tuple(
        at for at in range(len(one.columns or ())) if [row[at] for row in one.rows] != [row[at] for row in two.rows]
    )
    return differing if len(differing) < len(one.columns or ()) or len(differing) == 1 else None
