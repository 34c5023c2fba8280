"""Makes files of what was chosen: the queries over a table of their own, and a file for each script cut from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from orchestrator.cases.script import database_of
from orchestrator.cases.sql.words import SYSTEM_DATABASES
from orchestrator.generate.chance import AS_IT_IS, Chance
from orchestrator.generate.choose import Choice
from orchestrator.generate.cleanup import cleanup
from orchestrator.generate.columns import WHOLE, Edges, edges
from orchestrator.generate.draft import Draft, Written, reads_back, varies
from orchestrator.generate.grouping import Group, regrouped
from orchestrator.generate.kits import KIT
from orchestrator.generate.library import LibraryScript
from orchestrator.generate.split import laid_out

_ROWS = 3
#: Rows of ordinary numbers beside the edges: those that the change names and those next to them, and some by chance.
_MORE_ROWS = 40
#: What every other column steps through: flags, counts and percentages are small.
_SMALL = (0, 1, 2, 15, 99, 100, 101, -1, 3, 50, 10)
_LARGEST = 10_000_000
#: A wide table gets fewer rows.
_MOST_CELLS = 160
_INTEGER = re.compile(r"(?<![\w.])\d{1,8}(?![\w.])")
#: Subjects of one statement that its comment names.
_MOST_NAMED = 3
_PLAIN = re.compile(r"[^a-z0-9_]+")
#: Statements whose result is about the run itself.
_VOLATILE = re.compile(
    r"(?i)\s*(?:explain\b.*\banalyze|explain\s+phyplan|show\s+(?:processlist|locks|node|accounts|table\s+status))\b"
)
#: Columns of such a result, one when it is text.
_MOST_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Frame:
    """What all files of a change share: names, reasons of aspects, numbers for rows."""

    key: str
    category: str
    why: Mapping[str, str]
    numbers: Sequence[int]
    #: What aspects are worth.
    values: Mapping[str, float] = field(default_factory=dict)
    chance: Chance = AS_IT_IS


def numbers_of(lines: Iterable[str], seed: int) -> list[int]:
    """Whole numbers that code names and their neighbours, then some by chance: where boundaries are likely."""
    named = dict.fromkeys(int(one) for line in lines for one in _INTEGER.findall(line))
    found = dict.fromkeys(near for one in list(named)[:40] for near in (one, one - 1, one + 1) if near <= _LARGEST)
    chance = Random(seed)  # noqa: S311 - values of cases, not secrets
    return [*found, *(chance.randint(2, 10_000) for _ in range(_MORE_ROWS))]


def assemble(choice: Choice, scripts: Mapping[str, LibraryScript], frame: Frame) -> list[Draft]:
    """The files, the most telling first."""
    drafts = []
    groups = regrouped(choice.packs, frame.values)
    for own in (False, True):
        mine = [one for one in groups if one.own == own]
        if mine:
            drafts.append(_queries(mine, frame))
    drafts.sort(key=lambda one: -len(one.statements))
    for path, positions in choice.slices.items():
        if positions:
            drafts.append(_slice(path, scripts[path], sorted(positions), choice, frame))
    return [_placed(draft, f"{frame.category}/gen_{frame.key}_{number:02}") for number, draft in enumerate(drafts, 1)]


def _placed(draft: Draft, stem: str) -> Draft:
    topic = _PLAIN.sub("_", draft.path.lower()).strip("_")[:40]
    path = f"{stem}_{topic}.test"
    return Draft(path, draft.title, tuple(_moved(draft, database_of(path))), draft.source)


def _moved(draft: Draft, database: str) -> Iterator[Written]:
    """The statements of a file: a script's database is named after it, and some name theirs (``'script.t'``)."""
    before = database_of(draft.source)
    own = re.compile(rf"(?<![\w.]){re.escape(before)}(?=`?\.)")
    named = before and before not in SYSTEM_DATABASES and database.isidentifier()
    for one in draft.statements:
        yield replace(one, sql=own.sub(database, one.sql)) if named else one


def _queries(groups: Sequence[Group], frame: Frame) -> Draft:
    columns = list(dict.fromkeys(column for group in groups for one in group.expressions for column in one.columns))
    names = {column: f"c_{column.replace(' ', '_')}" for column in columns}
    statements: list[Written] = []
    if columns:
        statements += _table(columns, names, frame)
    for group in groups:
        statements.append(_query(group, names, frame.why))
    if columns:
        statements.append(Written("drop table t1", cleanup=True))
    topics = list(dict.fromkeys(topic for group in groups for topic in group.topics))
    return Draft("_".join(topics[:3]), f"{', '.join(topics[:6])}: values at the edges", tuple(statements), "functions")


def _table(columns: Sequence[str], names: Mapping[str, str], frame: Frame) -> Iterator[Written]:
    made = [edges(column, frame.chance) for column in columns]
    declared = ", ".join(f"{names[column]} {one.declared}" for column, one in zip(columns, made, strict=True))
    yield Written(f"create table t1 ({declared})")
    rows = [", ".join(_edge(one, at, row) for at, one in enumerate(made)) for row in range(_ROWS)]
    rows.append(", ".join("null" for _ in made))
    if WHOLE.intersection(columns) and frame.numbers:
        for row in range(max(6, min(_MORE_ROWS, _MOST_CELLS // len(columns)))):
            rows.append(", ".join(_cell(column, at, row, frame) for at, column in enumerate(columns)))
    yield Written(f"insert into t1 values {', '.join(f'({row})' for row in rows)}")


def _edge(column: Edges, at: int, row: int) -> str:
    """A value of a row of edges: never two edges of numbers beside each other, or one overflow would hide all rows."""
    return column.values[row if row % 2 == at % 2 or column.values[0][0] == "'" else 0]


def _cell(column: str, at: int, row: int, frame: Frame) -> str:
    """A value of an ordinary row: columns take turns between the numbers and small ones, so that pairs differ."""
    if column in WHOLE:
        if at % 2:
            return str(_SMALL[(row + at // 2 * 3) % len(_SMALL)])
        return str(frame.numbers[row * (at + 1) % len(frame.numbers)])
    return edges(column, frame.chance).values[(row + at) % _ROWS]


def _query(group: Group, names: Mapping[str, str], why: Mapping[str, str]) -> Written:
    # what differs from run to run comes last: the case runner sorts rows by their text
    items = sorted((one.text.format_map(names) for one in group.expressions), key=varies)
    table = "from t1" if any(one.columns for one in group.expressions) else ""
    reasons = Counter(why[aspect] for aspect in group.aspects if aspect in why)
    said = next((f" ({one})" for one, _ in reasons.most_common(1)), "")
    ignore = tuple(at for at, item in enumerate(items) if varies(item))
    return Written(laid_out(items, table), f"{group.named}{said}", ignore)


def _slice(path: str, script: LibraryScript, positions: Sequence[int], choice: Choice, frame: Frame) -> Draft:
    chosen = [at for at in positions if reads_back(script.statements[at].sql)]
    written, subjects = [], dict[str, None]()
    for at in chosen:
        sql = script.statements[at].sql
        meant: Sequence[str] = choice.meant.get((path, at), ())
        telling = [one for one in meant if not one.startswith(("word ", "pair "))] or meant
        named = list(dict.fromkeys(map(spoken, telling)))[:_MOST_NAMED]
        subjects |= dict.fromkeys(named)
        why = f"{', '.join(named)} ({frame.why[meant[0]]})" if named and meant[0] in frame.why else ", ".join(named)
        volatile = range(_MOST_COLUMNS if sql[:4].lower() == "show" else 1) if _VOLATILE.match(sql) else ()
        written.append(Written(sql, why, tuple(volatile)))
    written += [Written(sql, cleanup=True) for sql in cleanup(script.statements[at] for at in chosen)]
    near = "" if path.startswith(KIT) else f"; tables as in {path}"
    title = f"{', '.join(list(subjects)[:6]) or 'statements'}{near}"
    return Draft("_".join(list(subjects)[:3]) or "statements", title, tuple(written), path)


def spoken(aspect: str) -> str:
    """An aspect in words for a comment: its kind is left out where its name says enough."""
    kind, _, rest = aspect.partition(" ")
    if kind == "call":
        name, *argument = rest.split(" ")
        return f"{name} of {argument[1]}" if argument and argument[0] == "1" else name
    if kind == "operator" and rest.endswith(" query"):
        return f"{rest.removesuffix(' query')} (select …)"
    plain = rest.replace("@", "user variable")
    return plain if kind in {"statement", "clause", "operator", "word", "pair"} else f"{kind} {plain}"
