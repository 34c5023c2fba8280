"""Case files before they are written: statements with their reason, and how they look in mo-tester's format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.cases.discover import result_paths
from orchestrator.cases.script import parse_script
from orchestrator.cases.sql.lexer import split_statements
from orchestrator.generate.aspects import aspects

#: What a script may not say in a comment: mo-tester reads directives wherever there is an ``@``.
_UNSAFE = re.compile(r"[@\r\n\t\x00-\x1f]+")
_LONGEST_COMMENT = 160
#: Functions whose value differs from run to run.
_UNSTABLE = re.compile(
    r"(?i)\b(?:now|sysdate|current_timestamp|curdate|curtime|current_date|current_time|utc_timestamp|utc_date|utc_time|localtime"
    r"|localtimestamp|rand|random_bytes|uuid|connection_id|unix_timestamp(?=\(\))|sleep|last_query_id|version|sample|user"
    r"|current_user|session_user|system_user|@@\w+)\b"
)
#: Of rows that tie in a window's order any may come first: what these say of a row is then anybody's guess.
_BY_PLACE = re.compile(
    r"(?is)\b(?:row_number|ntile|lag|lead|first_value|last_value|nth_value)\s*\(.*\bover\b|\bover\s*\(.*\brows\b"
)


@dataclass(frozen=True, slots=True)
class Written:
    """One statement of a file. ``ignore`` are positions of result columns that are not compared."""

    sql: str
    #: For people: what it is there for.
    why: str = ""
    ignore: tuple[int, ...] = ()
    #: Whether it only takes back what others before it did: no test of anything.
    cleanup: bool = False

    @property
    def aspects(self) -> list[str]:
        """What it exercises."""
        return [one for part in split_statements(self.sql) for one in aspects(part)]


@dataclass(frozen=True, slots=True)
class Draft:
    """A case file. ``path`` is relative to the tree of cases, with its suffix."""

    path: str
    #: One line for people.
    title: str
    statements: tuple[Written, ...]
    #: Where its statements come from: ``functions``, ``kit/queries.sql``, a path of the tree, ``model``.
    source: str

    def changed(self, into: Mapping[int, Sequence[Written]]) -> Draft:
        """The same file with other statements in place of some, perhaps none."""
        written = [into.get(at, (one,)) for at, one in enumerate(self.statements)]
        return replace(self, statements=tuple(one for each in written for one in each))

    @property
    def text(self) -> str:
        """The file."""
        lines = [f"-- {comment(self.title)}"]
        said = ""
        for one in self.statements:
            if one.why and one.why != said:
                lines.append(f"-- {comment(one.why)}")
                said = one.why
            if one.ignore:
                lines.append(f"-- @ignore:{','.join(map(str, one.ignore))}")
            lines.append(f"{one.sql};")
        return "\n".join(lines) + "\n"


def files_of(drafts: Iterable[Draft], expectations: Mapping[str, str]) -> dict[str, str]:
    """Texts by path: scripts, and the expectations of those that have one, where the format looks for them."""
    found = {}
    for draft in drafts:
        found[draft.path] = draft.text
        if draft.path in expectations:
            found[result_paths(draft.path)[0]] = expectations[draft.path]
    return found


def comment(text: str) -> str:
    """Words that are safe in a comment of a script."""
    return _UNSAFE.sub(" ", text)[:_LONGEST_COMMENT].strip()


def reads_back(sql: str) -> bool:
    """Whether the format reads a statement back as it is written, as one command without a directive."""
    commands = parse_script(f"{sql};\n", "").commands
    return len(commands) == 1 and commands[0].sql == f"{sql};" and len(list(split_statements(sql))) == 1


def is_unstable(expression: str) -> bool:
    """Whether the value of an expression differs from run to run."""
    return _UNSTABLE.search(expression) is not None


def varies(expression: str) -> bool:
    """Whether a column cannot be compared: it differs from run to run, or rows that tie in a window decide it."""
    return is_unstable(expression) or _BY_PLACE.search(expression) is not None
