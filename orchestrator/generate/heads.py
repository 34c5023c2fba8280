"""What kind of statement one is: the words it begins with, as far as they say so, and a few that come later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from orchestrator.cases.sql.words import KEYWORDS

_ALTERED: Final = frozenset({
    "add", "drop", "modify", "change", "rename", "alter", "comment", "partition", "auto_increment", "truncate",
    "convert",
})  # fmt: skip
_ALTERED_PARTS: Final = frozenset(
    {"column", "index", "key", "foreign", "primary", "unique", "fulltext", "constraint", "partition", "check", "to",
     "reindex"}
)  # fmt: skip
_EXPLAINED: Final = frozenset({"analyze", "verbose", "phyplan", "check", "force"})
_VERBS: Final = frozenset({"insert", "update", "delete", "replace", "with", "execute", "create"})
_SKIPPED: Final = frozenset({"or", "replace", "if", "not", "exists"})
_SET: Final = frozenset({"transaction", "role", "secondary", "default", "password", "names"})
_PLAIN: Final = frozenset({"select", "values", "use", "call", "execute"})
#: In a statement that shows something what follows these says which.
_WHICH: Final = frozenset({"like", "where", "from", "in", "for"})
_MOST_WORDS = 4


def head(tokens: Sequence[str]) -> str:
    """The kind of a statement, of its tokens in lower case: ``alter table add index``, ``insert select``."""
    words = [token.removesuffix("(").strip() or token for token in tokens]
    if words[0] in _PLAIN:
        return words[0]
    return _KINDS.get(words[0], _begun)(words)


def _begun(words: Sequence[str]) -> str:
    """The keywords a statement begins with."""
    found: list[str] = []
    for word in words[: _MOST_WORDS + 5]:
        if found and word in _SKIPPED:
            continue
        if word not in KEYWORDS or len(found) == _MOST_WORDS:
            break
        found.append(word)
    return " ".join(found) or words[0][:20]


def _shown(words: Sequence[str]) -> str:
    """What is shown, without where and which of them."""
    end = next((at for at, word in enumerate(words) if word in _WHICH), len(words))
    return _begun(words[:end])


def _changed(words: Sequence[str]) -> str:
    """How rows are changed: ``update join`` and ``delete join`` take several tables."""
    joined = "join" in words
    if words[0] == "delete":
        joined = joined or "using" in words or words[1:2] != ["from"]
    elif "set" in words:
        joined = joined or "," in words[: words.index("set")]
    return f"{words[0]} join" if joined else words[0]


def _inserted(words: Sequence[str]) -> str:
    if "select" in words:
        return f"{words[0]} select"
    return f"{words[0]} {'set' if 'values' not in words and 'set' in words else 'values'}"


def _with(words: Sequence[str]) -> str:
    return next((f"with {one}" for one in ("insert", "update", "delete", "replace") if one in words), "select")


def _assigned(words: Sequence[str]) -> str:
    if len(words) == 1:
        return "set"
    return f"set {words[1]}" if words[1] in _SET else "set @" if words[1][0] == "@" else "set variable"


def _granted(words: Sequence[str]) -> str:
    if "on" not in words:
        return _begun(words)
    on = list(words).index("on")
    return " ".join([words[0], *words[on : on + 2]])


def _altered(words: Sequence[str]) -> str:
    return altered(words) if words[1:2] == ["table"] else _begun(words)


def _created(words: Sequence[str]) -> str:
    if "table" in words[1:3]:
        return created_table(words)
    if words[1:2] in (["database"], ["schema"]):
        return " ".join(["create database", *(one for one in ("clone", "from") if one in words)])
    return _begun(words)


def altered(words: Sequence[str]) -> str:
    """What an ``alter table`` does: ``alter table add index``."""
    for at, word in enumerate(words[3:12], 3):
        if word in _ALTERED:
            part = words[at + 1] if at + 1 < len(words) else ""
            if part == "constraint":
                part = next((one for one in words[at + 2 : at + 5] if one in _ALTERED_PARTS), part)
            part = {"key": "index"}.get(part, part)
            if part not in _ALTERED_PARTS:
                part = "column" if word in {"add", "drop", "alter"} else ""
            return f"alter table {word} {part}".rstrip()
    return "alter table"


def explained(words: Sequence[str]) -> str:
    """How and what an ``explain`` explains; a query is what it explains without a word."""
    how = [one for one in words[1:4] if one in _EXPLAINED]
    what = next((one for one in words[1:8] if one in _VERBS or one == "select"), "")
    return " ".join(["explain", *how, *([what] if what not in {"", "select"} else [])])


def created_table(words: Sequence[str]) -> str:
    """How a table comes to be: from columns, ``like`` another, as a clone, or from a query."""
    head = "create temporary table" if "temporary" in words[:3] else "create table"
    if "external" in words[:3]:
        head = "create external table"
    if "like" in words[3:9] and "(" not in words[3:8]:
        return f"{head} like"
    if "clone" in words:
        return f"{head} clone"
    return f"{head} select" if "select" in words else head


_KINDS: Final[dict[str, Callable[[Sequence[str]], str]]] = {
    "update": _changed,
    "delete": _changed,
    "insert": _inserted,
    "replace": _inserted,
    "with": _with,
    "set": _assigned,
    "grant": _granted,
    "revoke": _granted,
    "alter": _altered,
    "create": _created,
    "explain": explained,
    "show": _shown,
}
