"""What no generated case may do, whoever wrote it: commands of the harness, the server's own objects, other hosts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from orchestrator.cases.sql.lexer import without_comments
from orchestrator.cases.sql.tokens import WRITES, actions_of, word_of
from orchestrator.cases.sql.words import PREDEFINED, SYSTEM_DATABASES
from orchestrator.generate.named import changes, in_system, named
from orchestrator.generate.session import is_for_everybody

#: What is seen wherever it stands in a text, calls and addresses above all.
_FORBIDDEN = (
    (re.compile(r"(?im)^\s*(?:--|#|//)\s*@system\b"), "runs a command of the system"),
    (
        re.compile(r"(?i)\b(?:shutdown|kill|backup)\s+\w|\b(?:sleep|benchmark)\s*\(\s*\d\d"),
        "stops or hurts the server",
    ),
    (re.compile(r"(?i)\b\w*fault_(?:point|injection)\s*\(|\bmo_ctl\s*\([^;]*fault"), "injects faults into the server"),
    (
        re.compile(
            r"(?i)\binto\s+(?:outfile|dumpfile)\b|\b(?:s3|https?|mysql)://|\burl\s*=\s*['\"]?file:/(?!/*(?:\$resources|tmp)/)"
            r"|\b(?:load|save)_file\s*\(\s*['\"]"
            r"|\binfile\b[^;]{0,40}?(?:['\"]/|\.\./)"
        ),
        "reaches out of the server",
    ),
)
#: Around what only some servers execute: ``/*!40100 … */``.
_FOR_SOME = re.compile(r"/\*!\d*|\*/")
#: Reserved words at which the tables end that a statement writes, and what it reads may begin.
_READS = frozenset({"select", "with", "set", "where", "like"})
_FILLING = frozenset({"or", "replace", "if", "not", "exists"})
#: What acts on the whole server, by its first two words.
_ON_SERVER = {
    "flush": {"tables", "table", "privileges", "logs", "status", "hosts", "binary", "local", "no_write_to_binlog"},
    "reset": {"master", "slave", "replica", "persist", "query", "binary"},
    "purge": {"binary", "master"},
    "change": {"master", "replication"},
    "start": {"slave", "replica", "all", "group_replication"},
    "stop": {"slave", "replica", "all", "group_replication"},
    "install": {"plugin", "soname", "component"},
    "uninstall": {"plugin", "soname", "component"},
}
_ACCOUNTS = frozenset({"user", "role", "account"})
#: Users, roles and the account of every server, and the user of the session itself.
_OF_SERVER = PREDEFINED | {"sys", "user", "current_user"}


def forbidden(text: str) -> str:
    """What policy says against SQL, whatever comments stand between its words; empty when nothing."""
    plain = _FOR_SOME.sub(" ", without_comments(text))
    both = (text,) if plain == text else (text, plain)
    said = next((words for pattern, words in _FORBIDDEN for one in both if pattern.search(one)), "")
    return said or next(filter(None, map(_against, actions_of(text))), "")


def written_inside(statements: Iterable[str]) -> str:
    """What policy says against using a database of the server and then changing what is there."""
    current = ""
    for sql in statements:
        for at, tokens in enumerate(actions_of(sql)):
            words = [word_of(token) for token in tokens[:2]]
            if words[0] == "use" and (at == 0 or words[-1] in SYSTEM_DATABASES):
                current = words[-1]
            elif words[0] in WRITES and current in SYSTEM_DATABASES:
                return f"changes something of the server after using {current}"
    return ""


def _against(tokens: Sequence[str]) -> str:
    """What policy says against one statement."""
    words = [word_of(token) for token in tokens]
    head = words[0]
    if head == "set" and is_for_everybody(tokens):
        return "changes a setting for everybody"
    about = [word for word in words[1:8] if word not in _FILLING][:2]
    makes = head in {"create", "alter", "drop"}
    acts = not _ON_SERVER.get(head, set()).isdisjoint(words[1:2])
    if acts or (makes and (about[:1] == ["server"] or ("soname" in words and about[:1] != ["table"]))):
        return "acts on the whole server"
    if head in WRITES and in_system(words[: _written(tokens)]):
        return "changes a table of the server"
    if makes and about[:1] in (["database"], ["schema"]) and about[-1] in SYSTEM_DATABASES:
        return "changes a database of the server"
    own = words[:2] == ["set", "password"] and words[2:3] != ["for"]
    if own or (changes(words) and _names_predefined(tokens)):
        return "changes a user or a role of the server"
    return ""


def _names_predefined(tokens: Sequence[str]) -> bool:
    return any(kind in _ACCOUNTS and name in _OF_SERVER for kind, name in named(tokens))


def _written(tokens: Sequence[str]) -> int:
    """How many tokens of a statement may name tables that it writes; names in quotes are no reserved words."""
    copies = {"clone"} if [word_of(token) for token in tokens[:2]] == ["create", "table"] else set[str]()
    return next((at for at, token in enumerate(tokens) if token.lower() in _READS | copies), len(tokens))
