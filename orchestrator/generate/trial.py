"""The gates that need a server: a case runs twice with one result, leaves nothing, and tests what it says it tests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.cases.script import database_of
from orchestrator.generate.apart import Apart, taken_apart
from orchestrator.generate.draft import Draft, Written, varies
from orchestrator.generate.executor import Answer, Executor
from orchestrator.generate.gates import Dropped
from orchestrator.generate.library import worded
from orchestrator.generate.ownership import name_of, named_by, naming
from orchestrator.generate.split import parts_of
from orchestrator.generate.terms import Terms

#: How often a file is run and changed.
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


def try_drafts(
    drafts: Sequence[Draft], executor: Executor, terms: Terms, tell: Callable[[str], None] = lambda line: None
) -> Trial:
    """Try each draft on the server.

    Raises:
        ServerError: there is no server any more.
    """
    trying = _Trying(executor, terms, terms.budget - sum(len(draft.statements) for draft in drafts))
    for number, draft in enumerate(drafts, 1):
        tell(f"{number}/{len(drafts)} {draft.path}")
        kept = trying.kept(draft)
        if kept is not None:
            trying.trial.kept.append(kept)
    return trying.trial


class _Trying:
    """One server's judgement of drafts."""

    def __init__(self, executor: Executor, terms: Terms, room: int) -> None:
        self.trial = Trial()
        self._executor, self._terms, self._is_product = executor, terms, terms.is_product(executor)
        #: Findings by their words: the same one again is none.
        self._found: set[str] = set()
        #: How many statements more than there are the budget has.
        self._room = room

    def kept(self, draft: Draft) -> Draft | None:
        """What can stay of a draft: it is run, changed and run again until two runs agree."""
        original = draft
        for turn in range(_ROUNDS):
            first, second, left = self._twice(draft)
            if turn == 0:
                self.trial.ran += len(first)
                self.trial.accepted += sum(one.succeeded for one in first)
            if left:
                draft = self._without(draft, left)
                if still_tests(draft, original):
                    continue
                self._gone(draft, "clean-up", "nothing else is left to test")
                return None
            changed = self._judge(draft, first, second)
            if not still_tests(changed, original):
                self._gone(changed, "server", "nothing of it is left to test")
                return None
            if changed == draft:
                return draft
            draft = changed
        self._gone(draft, "stable", "its results keep changing")
        return None

    def _twice(self, draft: Draft) -> tuple[Sequence[Answer], Sequence[Answer], frozenset[str]]:
        """The answers of two runs, and what they left, which is tidied, also when a run is interrupted."""
        before = self._executor.objects()
        statements = [one.sql for one in draft.statements]
        try:
            first, second = (self._executor.run(statements, database_of(draft.path)) for _ in range(2))
        finally:
            named = (*statements, database_of(draft.path))
            left = named_by(named, self._executor.objects() - before)
            if left:
                self._executor.tidy(left)
        return first, second, left

    def _without(self, draft: Draft, left: Collection[str]) -> Draft:
        """The draft without the statements that name what it leaves behind; without any, when only its path does."""
        named = naming(map(name_of, left))
        blamed = [at for at, one in enumerate(draft.statements) if named.search(one.sql)]
        for at in blamed:
            self._drop(draft, "clean-up", f"{draft.statements[at].sql[:80]}: leaves {', '.join(sorted(left))}")
        if not blamed:
            self._drop(draft, "clean-up", f"leaves {', '.join(sorted(left))}")
        self._room += len(blamed)
        return draft.changed(dict.fromkeys(blamed or range(len(draft.statements)), ()))

    def _gone(self, draft: Draft, gate: str, reason: str) -> None:
        self._drop(draft, gate, reason)
        self._room += len(draft.statements)

    def _drop(self, draft: Draft, gate: str, reason: str) -> None:
        self.trial.dropped.append(Dropped(draft.path, gate, reason))

    def _judge(self, draft: Draft, first: Sequence[Answer], second: Sequence[Answer]) -> Draft:
        """The draft without what cannot stay, and without comparing the columns that differ from run to run."""
        wrong = [at for at, answer in enumerate(first) if answer.error is not None]
        apart = taken_apart(draft, wrong, self._executor) if wrong else {}
        into: dict[int, Sequence[Written]] = {}
        for at, (one, two) in enumerate(zip(first, second, strict=True)):
            left = self._left(draft, at, (one, two), apart.get(at))
            into[at] = left
            self._room -= len(left) - 1
        return draft.changed(into)

    def _left(self, draft: Draft, at: int, answers: tuple[Answer, Answer], apart: Apart | None) -> Sequence[Written]:
        """What is left of one statement after two runs: itself, something less, or nothing."""
        written, (one, two) = draft.statements[at], answers
        gate = self._gate(one, two)
        if gate is None:
            differing = unstable_columns(one, two)
            if differing is None:
                self._drop(draft, "stable", written.sql[:120])
                return ()
            more = set(differing) - set(written.ignore)
            return (_ignoring(written, {*written.ignore, *more}) if more else written,)
        if apart is not None:
            return self._parts(draft, written, apart)
        return (written,) if not gate else self._refused(draft, written.sql, gate, two if one.succeeded else one)

    def _gate(self, one: Answer, two: Answer) -> str | None:
        return self._terms.gate(one, two, is_product=self._is_product)

    def _refused(self, draft: Draft, sql: str, gate: str, answer: Answer) -> Sequence[Written]:
        """Nothing is left of it, and the report says why."""
        what = answer.withheld or answer.error or "no answer: the connection ended, or it took too long"
        words = worded(what) if answer.error else sql  # that nothing was answered does not say what is broken
        if gate == "finding" and words not in self._found:
            self._found.add(words)
            self.trial.findings.append(Finding(draft.path, sql, what))
        self._drop(draft, gate, f"{sql[:80]}: {what[:120]}")
        return ()

    def _parts(self, draft: Draft, written: Written, apart: Apart) -> Sequence[Written]:
        """One error hides all that a query computes beside it: what works stays together, an error stands alone.

        Errors stand alone as far as the budget has room, which is what other statements left.
        """
        good = tuple(item for item, answer in apart.answered if self._gate(answer, answer) is None)
        good = tuple(sorted(good, key=varies))
        ignore = tuple(at for at, item in enumerate(good) if varies(item))
        left = [replace(written, sql=apart.parts.query(good), ignore=ignore)] if good else []
        for item, answer in apart.answered:
            gate = "stable" if answer.lost else self._gate(answer, answer)
            alone = apart.parts.query((item,))
            if gate == "" and left and len(left) > self._room:
                gate = "budget"
            if gate == "":
                left.append(replace(written, sql=alone, ignore=()))
            elif gate is not None:
                self._refused(draft, alone, gate, answer)
        return left


def still_tests(draft: Draft, original: Draft) -> bool:
    """Whether something is left beside set-up and clean-up; where statements say why they are there, of these."""
    telling = any(one.why for one in original.statements)
    return any(
        one.why or not (telling or one.sql.lower().lstrip().startswith(("drop", "use", "set")))
        for one in draft.statements
    )


def _ignoring(written: Written, columns: Collection[int]) -> Written:
    """A statement with columns that are not compared, these last: the case runner sorts rows by their text.

    Columns that are something else in each row would bring rows into another order each time.
    """
    parts = parts_of(written.sql)
    if parts is None or parts.rest.strip() not in {"", "from t1"}:
        return replace(written, ignore=tuple(sorted(columns)))
    order = sorted(range(len(parts.items)), key=lambda at: at in columns)
    ignore = tuple(at for at, before in enumerate(order) if before in columns)
    return replace(written, sql=parts.query(tuple(parts.items[at] for at in order)), ignore=ignore)


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
